// `bridge` (iproute2 6.1 bridge/*.c): fdb, link, vlan.
import { linkByName } from '../../linux/link.ts';
import { complain, print, strerror } from '../../linux/process.ts';
import type { Link, Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip, parseIp, sameIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { toJson } from './ip/json.ts';
import { flagsOf } from './ip/link-text.ts';

interface Options {
  json: boolean;
  pretty: boolean;
  details: boolean;
}

export const bridgeProgram = (_u: Userland): Program =>
  function* bridge(p: Process): Co<number> {
    const words = p.argv.slice(1);
    const o: Options = { json: false, pretty: false, details: false };
    while (words[0]?.startsWith('-')) {
      const opt = words.shift() as string;
      if ('-json'.startsWith(opt) && opt.length > 1) o.json = true;
      else if ('-pretty'.startsWith(opt)) o.pretty = true;
      else if ('-details'.startsWith(opt)) o.details = true;
      else if (opt === '-V') {
        print(p, 'bridge utility, 6.1.0\n');
        return 0;
      }
    }
    const object = words.shift() ?? 'help';
    if ('fdb'.startsWith(object)) return fdb(p, words, o);
    if ('link'.startsWith(object)) return link(p, words, o);
    if ('vlan'.startsWith(object)) {
      print(p, 'port              vlan-id  \n');
      return 0;
    }
    if (object === 'mdb') return 0;
    complain(p, `Object "${object}" is unknown, try "bridge help".\n`);
    return 255;
  };

interface FdbRow {
  mac: string;
  dev: string;
  dst?: string;
  vlan?: number;
  master?: string;
  flags: string[];
  state?: string;
}

/** Group addresses every device with an address listens to. */
function groups(l: Link): string[] {
  const out = ['33:33:00:00:00:01', '01:00:5e:00:00:01'];
  for (const a of l.addresses) {
    if (a.ip.length !== 16) continue;
    const hex = (n: number) => n.toString(16).padStart(2, '0');
    const mac = `33:33:ff:${hex(a.ip[13])}:${hex(a.ip[14])}:${hex(a.ip[15])}`;
    if (!out.includes(mac)) out.push(mac);
  }
  return out;
}

function rowsOf(l: Link): FdbRow[] {
  const rows: FdbRow[] = [];
  const name = (n: number | null) => (n === null ? undefined : l.netns.links.get(n)?.name);
  if (l.master !== null) {
    const master = name(l.master) as string;
    const bridge = l.netns.links.get(l.master) as Link;
    for (const e of bridge.fdb.filter(e => e.port === l.ifindex)) {
      rows.push({ mac: e.mac, dev: l.name, master, flags: [], state: e.permanent ? 'static' : '' });
    }
    rows.push({ mac: l.mac, dev: l.name, master, flags: [], state: 'permanent' });
  }
  if (l.kind === 'vxlan') {
    for (const e of l.fdb)
      rows.push({
        mac: e.mac,
        dev: l.name,
        dst: e.dst ? formatIp(e.dst) : undefined,
        flags: ['self'],
        state: e.permanent ? 'permanent' : '',
      });
    return rows;
  }
  if (l.up && l.kind !== 'loopback' && l.kind !== 'ipip') {
    for (const mac of groups(l)) rows.push({ mac, dev: l.name, flags: ['self'], state: 'permanent' });
  }
  if (l.kind === 'bridge') rows.push({ mac: l.mac, dev: l.name, master: l.name, flags: [], state: 'permanent' });
  return rows;
}

function fdb(p: Process, words: string[], o: Options): number {
  const cmd = words.shift() ?? 'show';
  if (['show', 'list', 'lst'].some(x => x.startsWith(cmd))) return showFdb(p, words, o);
  const change = ['add', 'append', 'replace', 'delete', 'del'].find(x => x.startsWith(cmd));
  if (change) return changeFdb(p, change, words);
  complain(p, `Command "${cmd}" is unknown, try "bridge fdb help".\n`);
  return 255;
}

function showFdb(p: Process, words: string[], o: Options): number {
  let dev: Link | undefined;
  let br: Link | undefined;
  let brport = false;
  while (words.length) {
    const word = words.shift() as string;
    const name = word === 'dev' || word === 'br' || word === 'brport' ? (words.shift() ?? '') : word;
    const found = linkByName(p.netns, name);
    if (!found) {
      complain(p, `Cannot find device "${name}"\n`);
      return 1;
    }
    if (word === 'br') br = found;
    else dev = found;
    if (word === 'brport') brport = true;
  }
  const links = [...p.netns.links.values()].sort((a, b) => a.ifindex - b.ifindex);
  const shown = links.filter(l => (!dev || l === dev) && (!br || l === br || l.master === br.ifindex));
  const rows = shown.flatMap(rowsOf).filter(r => !brport || r.master);
  if (o.json) {
    const json = rows.map(r => ({
      mac: r.mac,
      ifname: dev ? undefined : r.dev,
      dst: r.dst,
      flags: r.flags,
      master: r.master,
      state: r.state ?? '',
    }));
    print(p, `${toJson(json, o.pretty)}\n`);
    return 0;
  }
  for (const r of rows) {
    let s = `${r.mac} `;
    if (!dev) s += `dev ${r.dev} `;
    if (r.dst) s += `dst ${r.dst} `;
    for (const f of r.flags) s += `${f} `;
    if (r.master) s += `master ${r.master} `;
    print(p, `${s}${r.state ?? ''}\n`);
  }
  return 0;
}

function changeFdb(p: Process, cmd: string, words: string[]): number {
  const mac = (words.shift() ?? '').toLowerCase();
  let dev: Link | undefined;
  let dst: Ip | null = null;
  let permanent = true;
  let master = false;
  while (words.length) {
    const word = words.shift() as string;
    if (word === 'dev') {
      const name = words.shift() ?? '';
      dev = linkByName(p.netns, name);
      if (!dev) {
        complain(p, `Cannot find device "${name}"\n`);
        return 1;
      }
    } else if (word === 'dst') dst = parseIp(words.shift() ?? '');
    else if (word === 'dynamic' || word === 'temp') permanent = false;
    else if (word === 'master') master = true;
  }
  if (!dev) {
    complain(p, 'Device and address are required arguments.\n');
    return 255;
  }
  if (!p.caps.has('NET_ADMIN')) return refused(p, 'EPERM');
  const table = master && dev.master !== null ? p.netns.links.get(dev.master) : dev;
  if (!table || (!master && dev.kind !== 'vxlan')) return refused(p, 'EOPNOTSUPP');
  const known = table.fdb.filter(e => e.mac === mac);
  p.netns.dirty.add('links');
  if (cmd.startsWith('del')) {
    if (!known.length) return refused(p, 'ENOENT');
    table.fdb = table.fdb.filter(e => !(e.mac === mac && (!dst || (e.dst && sameIp(e.dst, dst)))));
    return 0;
  }
  const same = known.find(e => (e.dst && dst ? sameIp(e.dst, dst) : e.dst === dst));
  if (cmd === 'add' && known.length) return refused(p, 'EEXIST');
  if (cmd === 'append' && same) return refused(p, 'EEXIST');
  if (cmd === 'replace') table.fdb = table.fdb.filter(e => e.mac !== mac);
  table.fdb.push({ mac, port: master ? dev.ifindex : null, dst, permanent, seenAtMs: p.kernel.sim.nowMs });
  return 0;
}

function refused(p: Process, e: Parameters<typeof strerror>[0]): number {
  complain(p, `RTNETLINK answers: ${strerror(e)}\n`);
  return 2;
}

function link(p: Process, words: string[], o: Options): number {
  const cmd = words[0] ?? 'show';
  if (cmd === 'set') return setLink(p, words.slice(1));
  const dev = words.includes('dev') ? words[words.indexOf('dev') + 1] : undefined;
  const ports = [...p.netns.links.values()]
    .sort((a, b) => a.ifindex - b.ifindex)
    .filter(l => l.master !== null && (!dev || l.name === dev));
  const state = (l: Link) => (l.up ? 'forwarding' : 'disabled');
  if (o.json) {
    const rows = ports.map(l => ({
      ifindex: l.ifindex,
      ifname: l.name,
      flags: flagsOf(l),
      mtu: l.mtu,
      master: p.netns.links.get(l.master as number)?.name,
      state: state(l),
      priority: 32,
      cost: 2,
      hairpin: o.details ? l.hairpin : undefined,
      isolated: o.details ? (l.isolated ?? false) : undefined,
    }));
    print(p, `${toJson(rows, o.pretty)}\n`);
    return 0;
  }
  const on = (b: boolean | undefined) => (b ? 'on' : 'off');
  for (const l of ports) {
    // The tool looks the other end's index up among this namespace's own devices.
    const far = l.peer ? (p.netns.links.get(l.peer.ifindex)?.name ?? `if${l.peer.ifindex}`) : null;
    print(
      p,
      `${l.ifindex}: ${l.name}${far ? `@${far}` : ''}: <${flagsOf(l).join(',')}> mtu ${l.mtu} master ${p.netns.links.get(l.master as number)?.name} state ${state(l)} priority 32 cost 2 \n`,
    );
    if (o.details)
      print(
        p,
        `    hairpin ${on(l.hairpin)} guard off root_block off fastleave off learning on flood on mcast_flood on bcast_flood on mcast_router 1 mcast_to_unicast off neigh_suppress off vlan_tunnel off isolated ${on(l.isolated)} locked off \n`,
      );
  }
  return 0;
}

function setLink(p: Process, words: string[]): number {
  const l = linkByName(p.netns, words[words.indexOf('dev') + 1] ?? '');
  if (!l) {
    complain(p, `Cannot find device "${words[words.indexOf('dev') + 1] ?? ''}"\n`);
    return 1;
  }
  if (!p.caps.has('NET_ADMIN')) return refused(p, 'EPERM');
  const value = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] === 'on' : null);
  l.hairpin = value('hairpin') ?? l.hairpin;
  l.isolated = value('isolated') ?? l.isolated;
  p.netns.dirty.add('links');
  return 0;
}
