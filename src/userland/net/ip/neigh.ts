// `ip neighbour` (iproute2 6.1 ip/ipneigh.c).
import { findNeigh, neighState, removeNeigh, setNeigh } from '../../../linux/neigh.ts';
import type { Link, Neigh } from '../../../linux/types.ts';
import { formatIp, type Ip, inCidr, sameIp } from '../../../wire/ip.ts';
import { NEIGHBOUR_USAGE } from '../usage/ip.ts';
import {
  address,
  deviceNamed,
  fail,
  type IpContext,
  type IpObject,
  needAdmin,
  next,
  out,
  outJson,
  paint,
  paintIp,
  perform,
  prefix,
  refused,
  refusedWith,
  type Words,
  wrong,
} from './context.ts';

const NEIGHBOUR: IpObject = {
  name: 'neigh',
  short: 'neigh',
  usage: NEIGHBOUR_USAGE,
  verbs: [
    [['show', 'list', 'lst'], show],
    [['add'], (c, w) => change(c, w, 'add')],
    [['replace'], (c, w) => change(c, w, 'replace')],
    [['change', 'chg'], (c, w) => change(c, w, 'change')],
    [['delete'], (c, w) => change(c, w, 'del')],
    [['get'], get],
    [['flush'], flush],
  ],
};

export const ipNeigh = (c: IpContext, w: Words): void => perform(c, w, NEIGHBOUR);

interface Filter {
  dev: Link | null;
  to: { ip: Ip; bits: number } | null;
  nud: string[];
  proxy: boolean;
}

const STATES = ['PERMANENT', 'REACHABLE', 'NOARP', 'NONE', 'STALE', 'INCOMPLETE', 'DELAY', 'PROBE', 'FAILED'];

/** `all` only filters. */
function nudState(c: IpContext, text: string): string {
  const state = text.toUpperCase();
  return STATES.includes(state) || state === 'ALL'
    ? state
    : c.busybox
      ? fail(`ip: invalid argument '${text}' to 'nud state'`)
      : wrong(text, 'nud state is bad');
}

function filterOf(c: IpContext, w: Words): Filter {
  const f: Filter = { dev: null, to: null, nud: [], proxy: false };
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'dev') f.dev = deviceNamed(c, next(c, w));
    else if (word === 'nud') f.nud.push(nudState(c, next(c, w)));
    else if (word === 'proxy') f.proxy = true;
    else if (word === 'unused' || word === 'router' || word === 'nomaster') continue;
    else if (word === 'master' || word === 'vrf') next(c, w);
    else f.to = prefix(c, word === 'to' ? next(c, w) : word);
  }
  return f;
}

function listed(c: IpContext, f: Filter): Neigh[] {
  return c.ns.neigh.filter(n => {
    const state = neighState(c.ns, n);
    if (f.proxy !== (n.proxy ?? false)) return false;
    if (f.dev && n.dev !== f.dev.ifindex) return false;
    if (f.to && !inCidr(f.to, n.ip)) return false;
    if (f.nud.length ? !f.nud.includes('ALL') && !f.nud.includes(state) : state === 'NOARP') return false;
    return c.family === null || n.ip.length === (c.family === 4 ? 4 : 16);
  });
}

function text(c: IpContext, n: Neigh, f: Filter): string {
  let s = paintIp(c, n.ip, `${formatIp(n.ip)} `);
  if (!f.dev || c.busybox) s += `dev ${paint(c, 'ifname', `${c.ns.links.get(n.dev)?.name ?? n.dev} `)}`;
  if (n.proxy) return `${s}proxy\n`;
  const state = neighState(c.ns, n);
  if (c.busybox)
    return `${s}${n.mac ? `lladdr ${n.mac}` : ''}${state === 'REACHABLE' ? ' ref 1' : ''} used 0/0/0 probes ${n.probes || 1} ${state}\n`;
  if (n.mac) s += `lladdr ${paint(c, 'mac', `${n.mac} `)}`;
  if (c.stats) {
    const seconds = Math.max(0, Math.floor((c.ns.kernel.sim.nowMs - n.atMs) / 1000));
    s += `${state === 'REACHABLE' ? ' ref 1' : ''} used ${seconds}/${seconds}/${seconds}probes ${n.probes} `;
  }
  return `${s}${state} \n`;
}

function print(c: IpContext, rows: Neigh[], f: Filter): void {
  if (c.json) {
    const shown = rows.map(n => ({
      dst: formatIp(n.ip),
      dev: f.dev ? undefined : (c.ns.links.get(n.dev)?.name ?? String(n.dev)),
      lladdr: n.mac ?? undefined,
      state: [neighState(c.ns, n)],
    }));
    outJson(c, shown);
    return;
  }
  for (const n of rows) out(c, text(c, n, f));
}

function show(c: IpContext, w: Words): void {
  const f = filterOf(c, w);
  print(c, listed(c, f), f);
}

function change(c: IpContext, w: Words, what: 'add' | 'replace' | 'change' | 'del'): void {
  let ip: Ip | null = null;
  let dev: Link | null = null;
  let mac: string | null = null;
  let state: Neigh['state'] = 'PERMANENT';
  let proxy = false;
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'lladdr') mac = next(c, w);
    else if (word === 'dev') dev = deviceNamed(c, next(c, w));
    else if (word === 'nud') state = nudState(c, next(c, w)) as Neigh['state'];
    else if (word === 'proxy') {
      proxy = true;
      ip = address(c, next(c, w));
    } else if (ip && word !== 'to') fail(`Error: either "to" is duplicate, or "${word}" is a garbage.`, 255);
    else ip = address(c, word === 'to' ? next(c, w) : word);
  }
  if (!dev || !ip) {
    fail('Device and destination are required arguments.', 255);
    return;
  }
  if (mac && !/^([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}$/.test(mac)) fail(`"${mac}" is invalid lladdr.`, 1);
  needAdmin(c);
  if (proxy) {
    setProxy(c, ip, dev, what !== 'del');
    return;
  }
  const known = findNeigh(c.ns, dev.ifindex, ip);
  if (what === 'del') {
    if (!known) {
      refused(c, 'ENOENT');
      return;
    }
    removeNeigh(c.ns, ip, dev);
  } else {
    if (what === 'add' && known && known.state !== 'FAILED') refused(c, 'EEXIST');
    if (what === 'change' && !known) refused(c, 'ENOENT');
    if (!mac && state !== 'FAILED') refused(c, 'EINVAL');
    setNeigh(c.ns, ip, dev, mac, state);
  }
  c.ns.dirty.add('neigh');
}

function setProxy(c: IpContext, ip: Ip, dev: Link, add: boolean): void {
  const known = c.ns.neigh.find(n => n.proxy && n.dev === dev.ifindex && sameIp(n.ip, ip));
  if (!add) {
    if (!known) refused(c, 'ENOENT');
    c.ns.neigh = c.ns.neigh.filter(n => n !== known);
  } else if (!known) {
    const n: Neigh = {
      ip,
      dev: dev.ifindex,
      mac: null,
      state: 'PERMANENT',
      atMs: c.ns.kernel.sim.nowMs,
      queue: [],
      probes: 0,
      proxy: true,
    };
    c.ns.neigh = [...c.ns.neigh, n];
  }
  c.ns.dirty.add('neigh');
}

function get(c: IpContext, w: Words): void {
  const f = filterOf(c, w);
  if (!f.to || !f.dev) {
    fail('Device and address are required arguments.', 1);
    return;
  }
  const n = findNeigh(c.ns, f.dev.ifindex, f.to.ip);
  if (!n) {
    refusedWith(c, 'Neighbour entry not found.', 'ENOENT');
    return;
  }
  print(c, [n], { ...f, dev: null });
}

function flush(c: IpContext, w: Words): void {
  if (!w.left.length) {
    fail('Flush requires arguments.', 1);
    return;
  }
  const f = filterOf(c, w);
  needAdmin(c);
  const gone = listed(c, f).filter(n => f.nud.length || n.state !== 'PERMANENT');
  for (const n of gone) {
    const dev = c.ns.links.get(n.dev);
    if (dev) removeNeigh(c.ns, n.ip, dev);
  }
  c.ns.dirty.add('neigh');
}
