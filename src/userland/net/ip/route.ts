// `ip route` (iproute2 6.1 ip/iproute.c).
import { eraseRoutes } from '../../../linux/fib.ts';
import { addRoute, isLocalAddress, removeRoute } from '../../../linux/route.ts';
import type { Errno, Route } from '../../../linux/types.ts';
import { type Cidr, type Ip, network, sameIp } from '../../../wire/ip.ts';
import { ROUTE_USAGE } from '../usage/ip.ts';
import {
  address,
  deviceNamed,
  fail,
  type IpContext,
  type IpObject,
  matches,
  needAdmin,
  next,
  number,
  out,
  outJson,
  perform,
  prefix,
  refused,
  refusedWith,
  tableNumber,
  type Words,
} from './context.ts';
import { filterOf, KINDS, listed, SCOPES } from './route-filter.ts';
import { get } from './route-get.ts';
import { json, text } from './route-text.ts';

const ROUTE: IpObject = {
  name: 'route',
  short: 'route',
  usage: ROUTE_USAGE,
  verbs: [
    [['list', 'show', 'lst'], show],
    [['add'], (c, w) => change(c, w, 'add')],
    [['append'], (c, w) => change(c, w, 'append')],
    [['change', 'chg'], (c, w) => change(c, w, 'change')],
    [['replace'], (c, w) => change(c, w, 'replace')],
    [['delete'], (c, w) => change(c, w, 'del')],
    [['get'], get],
    [['flush'], flush],
  ],
};

export const ipRoute = (c: IpContext, w: Words): void => perform(c, w, ROUTE);

function show(c: IpContext, w: Words): void {
  const f = filterOf(c, w);
  const known = f.table === null || f.table >= 253 || c.ns.tables.has(f.table);
  if (!known) {
    const what = `Error: ipv${c.family === 6 ? 6 : 4}: FIB table does not exist.\nDump terminated`;
    c.busybox ? undefined : fail(what, 2);
    return;
  }
  const rows = listed(c, f);
  if (c.json) {
    outJson(
      c,
      rows.map(r => json(c, r, f)),
    );
    return;
  }
  for (const r of rows) out(c, text(c, r, f));
}

interface Wanted {
  r: Partial<Route> & { dst: Cidr };
  table: number;
}

function routeWords(c: IpContext, w: Words): Wanted {
  const r: Partial<Route> = {};
  let dst: Cidr | null = null;
  let table = 0;
  const hops: NonNullable<Route['nexthops']> = [];
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'via') {
      if (w.left[0] === 'inet' || w.left[0] === 'inet6') w.left.shift();
      r.via = address(c, next(c, w));
    } else if (word === 'dev' || word === 'oif') r.dev = deviceNamed(c, next(c, w)).ifindex;
    else if (word === 'src') r.src = address(c, next(c, w));
    else if (matches(word, 'table') && word.length > 2) {
      const t = next(c, w);
      table = tableNumber(t) ?? fail(`Error: argument "${t}" is wrong: "table" value is invalid\n`, 255);
    } else if (matches(word, 'metric') || matches(word, 'priority') || word === 'preference') r.metric = number('metric', next(c, w));
    else if (matches(word, 'protocol') && word.length > 1) r.proto = next(c, w);
    else if (matches(word, 'scope') && word.length > 1) r.scope = scopeOf(next(c, w));
    else if (word === 'mtu') {
      if (w.left[0] === 'lock') w.left.shift();
      r.mtu = number('mtu', next(c, w));
    } else if (word === 'onlink') r.onlink = true;
    else if (word === 'nexthop') hops.push(hopWords(c, w));
    else if (
      ['advmss', 'window', 'rtt', 'hoplimit', 'initcwnd', 'initrwnd', 'pref', 'weight', 'realms', 'tos', 'dsfield', 'expires'].includes(
        word,
      )
    )
      next(c, w);
    else if (word === 'type' || KINDS.includes(word)) {
      const kind = word === 'type' ? next(c, w) : word;
      r.kind = (kind === 'multicast' ? 'unicast' : kind) as Route['kind'];
    } else if (dst && word !== 'to') fail(`Error: either "to" is duplicate, or "${word}" is a garbage.`, 255);
    else dst = prefix(c, word === 'to' ? next(c, w) : word);
  }
  const six = r.via?.length === 16 || hops[0]?.via?.length === 16;
  if (dst && dst.bits === 0 && six) dst = { ip: new Uint8Array(16), bits: 0 };
  if (hops.length) r.nexthops = hops;
  table ||= r.kind === 'local' || r.kind === 'broadcast' ? 255 : 254;
  return { r: { ...r, dst: dst ?? { ip: new Uint8Array(c.family === 6 || six ? 16 : 4), bits: 0 } }, table };
}

const scopeOf = (t: string): Route['scope'] =>
  SCOPES.find(s => s === t) ?? (t === 'universe' ? 'global' : fail(`Error: argument "${t}" is wrong: "scope" value is invalid\n`, 255));

function hopWords(c: IpContext, w: Words): NonNullable<Route['nexthops']>[number] {
  const hop: { via: Ip | null; dev: number; weight: number } = { via: null, dev: 0, weight: 1 };
  while (w.left.length && w.left[0] !== 'nexthop') {
    const word = w.left.shift() as string;
    if (word === 'via') hop.via = address(c, next(c, w));
    else if (word === 'dev') hop.dev = deviceNamed(c, next(c, w)).ifindex;
    else if (word === 'weight') hop.weight = number('weight', next(c, w));
    else if (word !== 'onlink') fail(`Error: "nexthop" or end of line is expected instead of "${word}"`, 255);
  }
  return hop;
}

function change(c: IpContext, w: Words, what: 'add' | 'append' | 'change' | 'replace' | 'del'): void {
  const { r, table } = routeWords(c, w);
  needAdmin(c);
  const { dst } = r;
  if (dst.ip.length === 4 && !sameIp(network(dst).ip, dst.ip)) refusedWith(c, 'Invalid prefix for given prefix length.', 'EINVAL');
  let e: Errno | null;
  if (what === 'del') e = removeRoute(c.ns, r, table);
  else {
    if (r.src && !isLocalAddress(c.ns, r.src))
      refusedWith(c, r.src.length === 4 ? 'Invalid prefsrc address.' : 'Invalid source address.', 'EINVAL');
    e = addRoute(c.ns, r, table, what === 'change' ? 'replace' : what);
  }
  if (e === 'ENETUNREACH' && r.via) refusedWith(c, 'Nexthop has invalid gateway.', e);
  if (e === 'ENETDOWN') refusedWith(c, 'Device for nexthop is not up.', e);
  if (e) refused(c, e);
  c.ns.dirty.add('routes');
}

function flush(c: IpContext, w: Words): void {
  if (!w.left.length) {
    fail('"ip route flush" requires arguments.', 1);
    return;
  }
  const f = filterOf(c, w);
  needAdmin(c);
  const gone = new Set(listed(c, f).map(x => x.route));
  for (const table of [...c.ns.tables.keys()]) if (gone.size) eraseRoutes(c.ns, table, r => gone.has(r));
  c.ns.dirty.add('routes');
}
