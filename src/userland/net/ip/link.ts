// `ip link` (iproute2 6.1 ip/iplink.c).

import { addLink, addVeth, linkByName, moveLink, removeLink, renameLink, setMac, setMaster, setUp } from '../../../linux/link.ts';
import { netnsByFile } from '../../../linux/namespaces.ts';
import { processByLocalPid } from '../../../linux/pids.ts';
import type { Link, LinkKind, Netns } from '../../../linux/types.ts';
import { parseIp } from '../../../wire/ip.ts';
import { LINK_USAGE } from '../usage/ip.ts';
import {
  address,
  deviceNamed,
  deviceShown,
  fail,
  type IpContext,
  type IpObject,
  nameOrFail,
  needAdmin,
  next,
  number,
  out,
  outJson,
  paint,
  perform,
  refused,
  refusedWith,
  type Words,
  wrong,
} from './context.ts';
import { briefFlags, briefHead, briefJson, linkHead, linkJson, statsText } from './link-text.ts';

const LINK: IpObject = {
  name: 'link',
  short: 'link',
  usage: LINK_USAGE,
  verbs: [
    [['show', 'list', 'lst'], show],
    [['add'], add],
    [['set', 'change'], set],
    [['delete'], del],
  ],
};

export const ipLink = (c: IpContext, w: Words): void => perform(c, w, LINK);

export interface LinkFilter {
  dev: Link | null;
  up: boolean;
  master: Link | null;
  type: string | null;
}

export function linkFilter(c: IpContext, w: Words): LinkFilter {
  const f: LinkFilter = { dev: null, up: false, master: null, type: null };
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'up') f.up = true;
    else if (word === 'master') {
      const name = next(c, w);
      f.master = linkByName(c.ns, name) ?? (c.busybox ? deviceShown(c, name) : wrong(name, 'Device does not exist\n'));
    } else if (word === 'type') f.type = next(c, w);
    else if (word === 'dev') f.dev = deviceShown(c, next(c, w));
    else if (word === 'group' || word === 'scope' || word === 'label' || word === 'to') next(c, w);
    else if (f.dev) fail(`Error: either "dev" is duplicate, or "${word}" is a garbage.`, 255);
    else f.dev = deviceShown(c, word);
  }
  return f;
}

export function selectLinks(c: IpContext, f: LinkFilter): Link[] {
  return [...c.ns.links.values()]
    .sort((a, b) => a.ifindex - b.ifindex)
    .filter(
      l => (!f.dev || l === f.dev) && (!f.up || l.up) && (!f.master || l.master === f.master.ifindex) && (!f.type || l.kind === f.type),
    );
}

function show(c: IpContext, w: Words): void {
  const links = selectLinks(c, linkFilter(c, w));
  if (c.json) {
    outJson(
      c,
      links.map(l => (c.brief ? briefJson(l) : linkJson(c, l, true))),
    );
    return;
  }
  for (const l of links) {
    if (c.brief) out(c, `${briefHead(c, l)}${paint(c, 'mac', `${l.mac} `)}${briefFlags(l)}\n`);
    else out(c, `${linkHead(c, l, { mode: true, withLayer2: true })}${c.stats ? statsText(c, l) : ''}\n`);
  }
}

const KINDS: Record<string, LinkKind> = { bridge: 'bridge', dummy: 'dummy', vxlan: 'vxlan', ipip: 'ipip', veth: 'veth', tun: 'tun' };

interface NewLink {
  name: string;
  mac?: string;
  mtu?: number;
  ifindex?: number;
  txqlen?: number;
  master?: Link;
}

function macOf(text: string): string {
  if (!/^([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}$/.test(text)) return fail(`"${text}" is invalid lladdr.`, 1);
  return text
    .split(':')
    .map(x => x.padStart(2, '0'))
    .join(':')
    .toLowerCase();
}

/** The words before `type` (or a veth's `peer`). */
function newLink(c: IpContext, w: Words): NewLink {
  const n: NewLink = { name: '' };
  while (w.left.length && w.left[0] !== 'type') {
    const word = w.left.shift() as string;
    if (word === 'name' || word === 'dev') n.name = nameOrFail(c, next(c, w));
    else if (word === 'address') n.mac = macOf(next(c, w));
    else if (word === 'mtu') n.mtu = number('mtu', next(c, w));
    else if (word === 'index') n.ifindex = number('index', next(c, w));
    else if (word === 'txqueuelen' || word === 'txqlen' || word === 'qlen') n.txqlen = number('txqueuelen', next(c, w));
    else if (word === 'master') n.master = deviceNamed(c, next(c, w));
    else if (word === 'link') next(c, w);
    else if (!n.name) n.name = nameOrFail(c, word, 'dev');
    else fail(`Error: either "dev" is duplicate, or "${word}" is a garbage.`, 255);
  }
  return n;
}

function add(c: IpContext, w: Words): void {
  const n = newLink(c, w);
  if (w.left.shift() !== 'type') fail('Not enough information: "type" argument is required', 1);
  const type = next(c, w);
  needAdmin(c);
  const kind = KINDS[type];
  if (!kind) refusedWith(c, 'Unknown device type.', 'EOPNOTSUPP');
  if (linkByName(c.ns, n.name)) refused(c, 'EEXIST');
  const name = n.name || freeName(c.ns, kind);
  let made: Link;
  if (kind === 'veth') made = addVethPair(c, w, { ...n, name });
  else {
    const spec = { ...n, name, kind };
    if (kind === 'vxlan') made = addLink(c.ns, { ...spec, vxlan: vxlanWords(c, w) });
    else if (kind === 'ipip') made = addLink(c.ns, { ...spec, ipip: ipipWords(c, w) });
    else made = addLink(c.ns, spec);
    if (made.vxlan?.dev && n.mtu === undefined) made.mtu = (c.ns.links.get(made.vxlan.dev)?.mtu ?? 1500) - 50;
    else if (kind === 'vxlan' && n.mtu === undefined) made.mtu = 1500;
  }
  if (n.master) setMaster(made, n.master);
  c.ns.dirty.add('links');
}

function freeName(ns: Netns, kind: string): string {
  for (let i = 0; ; i++) if (!linkByName(ns, `${kind}${i}`)) return `${kind}${i}`;
}

function addVethPair(c: IpContext, w: Words, n: NewLink): Link {
  let far: NewLink = { name: '' };
  let netns = c.ns;
  if (w.left[0] === 'peer') {
    w.left.shift();
    const at = w.left.indexOf('netns');
    if (at >= 0) {
      netns = netnsNamed(c, w.left[at + 1] ?? '');
      w.left.splice(at, 2);
    }
    far = newLink(c, w);
  }
  const name = far.name || freeName(netns, 'veth');
  if (linkByName(netns, name) || name === n.name) refused(c, 'EEXIST');
  const [a, b] = addVeth({ ...n, netns: c.ns }, { ...far, name, netns });
  netns.dirty.add('links');
  void b;
  return a;
}

function vxlanWords(c: IpContext, w: Words): NonNullable<Link['vxlan']> {
  const v = { vni: 0, local: new Uint8Array(4), port: 8472, dev: 0, learning: true };
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'id' || word === 'vni') v.vni = number('id', next(c, w));
    else if (word === 'local') v.local = address(c, next(c, w)) as Uint8Array<ArrayBuffer>;
    else if (word === 'dstport') v.port = number('dstport', next(c, w));
    else if (word === 'dev') v.dev = deviceNamed(c, next(c, w)).ifindex;
    else if (word === 'nolearning') v.learning = false;
    else if (word === 'learning') v.learning = true;
    else if (word === 'remote' || word === 'group' || word === 'ttl' || word === 'tos' || word === 'ageing') next(c, w);
    else if (word === 'srcport') {
      next(c, w);
      next(c, w);
    } else if (!/^(no)?(udp|proxy|rsc|l2miss|l3miss|gbp|external)/.test(word)) fail(`vxlan: unknown command "${word}"?`, 255);
  }
  return v;
}

function ipipWords(c: IpContext, w: Words): NonNullable<Link['ipip']> {
  const t: NonNullable<Link['ipip']> = { local: null, remote: null };
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'local') t.local = parseIp(next(c, w));
    else if (word === 'remote') t.remote = parseIp(next(c, w));
    else if (word === 'ttl' || word === 'dev' || word === 'mode' || word === 'tos') next(c, w);
  }
  return t;
}

function netnsNamed(c: IpContext, name: string): Netns {
  if (/^\d+$/.test(name)) {
    const p = processByLocalPid(c.p, Number(name));
    if (p) return p.netns;
    if (name === '1') return c.ns.kernel.netns.get('') as Netns;
  }
  const ns = netnsByFile(c.ns.kernel, c.p.fs, name);
  return ns ?? wrong(name, 'Invalid "netns" value\n');
}

function set(c: IpContext, w: Words): void {
  let link: Link | null = null;
  const actions: ((l: Link) => void)[] = [];
  const onOff = (word: string): boolean => {
    const v = next(c, w);
    if (v !== 'on' && v !== 'off') fail(`Error: argument of "${word}" must be "on" or "off", not "${v}"`, 1);
    return v === 'on';
  };
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'up' || word === 'down') actions.push(l => setUp(l, word === 'up'));
    else if (word === 'mtu') {
      const n = number('mtu', next(c, w));
      actions.push(l => setMtu(c, l, n));
    } else if (word === 'address') {
      const mac = macOf(next(c, w));
      actions.push(l => setMac(l, mac));
    } else if (word === 'name') {
      const name = nameOrFail(c, next(c, w));
      actions.push(l => {
        const e = l.name === name ? null : renameLink(l, name);
        if (e) refused(c, e);
      });
    } else if (word === 'netns') {
      const to = netnsNamed(c, next(c, w));
      actions.push(l => {
        const e = moveLink(l, to);
        if (e) refused(c, e);
        to.dirty.add('links');
      });
    } else if (word === 'master') {
      const bridge = deviceNamed(c, next(c, w));
      actions.push(l => {
        if (bridge.kind !== 'bridge') refusedWith(c, 'Device does not allow enslaving.', 'EOPNOTSUPP');
        setMaster(l, bridge);
      });
    } else if (word === 'nomaster') actions.push(l => setMaster(l, null));
    else if (word === 'alias') {
      const text = next(c, w);
      actions.push(l => {
        l.alias = text || undefined;
      });
    } else if (word === 'promisc') {
      const on = onOff(word);
      actions.push(l => {
        l.promisc = on;
      });
    } else if (word === 'arp') {
      const on = onOff(word);
      actions.push(l => {
        l.noarp = !on;
      });
    } else if (word === 'txqueuelen' || word === 'txqlen' || word === 'qlen') {
      const n = number('txqueuelen', next(c, w));
      actions.push(l => {
        l.txqlen = n;
      });
    } else if (word === 'type') portOptions(c, w, actions);
    else if (word === 'multicast' || word === 'allmulticast' || word === 'dynamic' || word === 'trailers') onOff(word);
    else if (word === 'group') next(c, w);
    else if (word === 'dev') link = deviceNamed(c, next(c, w));
    else if (link) fail(`Error: either "dev" is duplicate, or "${word}" is a garbage.`, 255);
    else link = deviceNamed(c, word);
  }
  if (!link) {
    fail('Not enough information: "dev" argument is required.', 255);
    return;
  }
  needAdmin(c);
  for (const act of actions) act(link);
  c.ns.dirty.add('links');
}

/** `type bridge_slave hairpin on isolated on`; a bridge's own options that change nothing here are taken as they come. */
function portOptions(c: IpContext, w: Words, actions: ((l: Link) => void)[]): void {
  next(c, w);
  while (w.left.length) {
    const word = w.left.shift() as string;
    const on = next(c, w) === 'on';
    if (word === 'hairpin')
      actions.push(l => {
        l.hairpin = on;
      });
    else if (word === 'isolated')
      actions.push(l => {
        l.isolated = on;
      });
  }
}

function setMtu(c: IpContext, link: Link, mtu: number): void {
  if (mtu < 68 && link.kind !== 'dummy') refusedWith(c, 'mtu less than device minimum.', 'EINVAL');
  if (mtu > 65_535 && link.kind !== 'loopback') refusedWith(c, 'mtu greater than device maximum.', 'EINVAL');
  link.mtu = mtu;
}

function del(c: IpContext, w: Words): void {
  const n = newLink(c, w);
  const link = deviceNamed(c, n.name);
  needAdmin(c);
  if (link.kind === 'loopback' || link.kind === 'ethernet') refused(c, 'EOPNOTSUPP');
  const far = link.peer?.netns;
  removeLink(link);
  c.ns.dirty.add('links').add('routes');
  far?.dirty.add('links').add('routes');
}
