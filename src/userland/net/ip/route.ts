// `ip route` (iproute2 6.1 ip/iproute.c).
import { eraseRoutes } from '../../../linux/fib.ts';
import { hasCarrier } from '../../../linux/link.ts';
import { sortRoutes } from '../../../linux/procfs.ts';
import { addRoute, isLocalAddress, lookupRoute, removeRoute } from '../../../linux/route.ts';
import { conf4 } from '../../../linux/sysctl.ts';
import type { Errno, Link, Route } from '../../../linux/types.ts';
import { type Cidr, familyOf, formatIp, type Ip, inCidr, network, sameIp } from '../../../wire/ip.ts';
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
  tableName,
  tableNumber,
  type Words,
  wrong,
} from './context.ts';

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

interface Filter {
  /** null: every table. */
  table: number | null;
  named: boolean;
  dev: Link | null;
  proto: string | null;
  scope: string | null;
  kind: string | null;
  via: Ip | null;
  src: Ip | null;
  exact: Cidr | null;
  match: Cidr | null;
  root: Cidr | null;
}

const KINDS = ['unicast', 'local', 'broadcast', 'multicast', 'blackhole', 'unreachable', 'prohibit', 'throw'];

/** A word of a list, or a number. */
const known = (text: string, all: readonly string[], why: string): string =>
  all.includes(text) || /^\d+$/.test(text) ? text : wrong(text, why);

const PROTOCOLS = [
  'redirect',
  'kernel',
  'boot',
  'static',
  'gated',
  'ra',
  'mrt',
  'zebra',
  'bird',
  'dnrouted',
  'xorp',
  'ntk',
  'dhcp',
  'keepalived',
  'babel',
  'openr',
  'bgp',
  'isis',
  'ospf',
  'rip',
  'eigrp',
  'unspec',
];
const protocolOf = (text: string): string => known(text, PROTOCOLS, 'invalid "protocol"\n');

function filterOf(c: IpContext, w: Words): Filter {
  const f: Filter = {
    table: 254,
    named: false,
    dev: null,
    proto: null,
    scope: null,
    kind: null,
    via: null,
    src: null,
    exact: null,
    match: null,
    root: null,
  };
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (matches(word, 'table') && word.length > 1) {
      const text = next(c, w);
      const n = tableNumber(text);
      if (n === null) fail(`Error: argument "${text}" is wrong: table id value is invalid\n`, 255);
      f.table = n === 0 ? null : n;
      f.named = true;
    } else if (word === 'dev' || word === 'oif' || word === 'iif') f.dev = deviceNamed(c, next(c, w));
    else if (matches(word, 'protocol') && word.length > 1) f.proto = protocolOf(next(c, w));
    else if (matches(word, 'scope') && word.length > 1) f.scope = known(next(c, w), SCOPES, 'invalid "scope"\n');
    else if (word === 'type') f.kind = known(next(c, w), KINDS, 'node type value is invalid\n');
    else if (word === 'via') f.via = address(c, next(c, w));
    else if (word === 'src') f.src = address(c, next(c, w));
    else if (word === 'cache' || word === 'cached') f.kind = 'cached';
    else if (word === 'exact' || word === 'to') f.exact = prefix(c, next(c, w));
    else if (word === 'match') f.match = prefix(c, next(c, w));
    else if (word === 'root') f.root = prefix(c, next(c, w));
    else if (KINDS.includes(word)) f.kind = word;
    else f.exact = prefix(c, word);
  }
  return f;
}

const kindOf = (r: Route): string => (r.kind === 'unicast' && r.dst.ip.length === 16 && r.dst.ip[0] === 0xff ? 'multicast' : r.kind);

function passes(r: Route, f: Filter): boolean {
  if (f.kind && kindOf(r) !== f.kind) return false;
  if (f.dev && r.dev !== f.dev.ifindex) return false;
  if (f.proto && f.proto !== 'all' && r.proto !== f.proto) return false;
  if (f.scope && f.scope !== 'all' && r.scope !== f.scope) return false;
  if (f.via && !(r.via && sameIp(r.via, f.via))) return false;
  if (f.src && !(r.src && sameIp(r.src, f.src))) return false;
  if (f.exact && !(r.dst.bits === f.exact.bits && sameIp(r.dst.ip, network(f.exact).ip))) return false;
  if (f.match && !(r.dst.bits <= f.match.bits && inCidr(r.dst, f.match.ip))) return false;
  return !f.root || (r.dst.bits >= f.root.bits && inCidr(f.root, r.dst.ip));
}

interface Shown {
  route: Route;
  table: number;
}

function listed(c: IpContext, f: Filter): Shown[] {
  const families = c.family === null ? (f.table === null ? [4, 6] : [f.exact?.ip.length === 16 ? 6 : 4]) : [c.family];
  const outRows: Shown[] = [];
  for (const family of families) {
    for (const table of [...c.ns.tables.keys()].sort((a, b) => a - b)) {
      if (f.table !== null && table !== f.table) continue;
      const routes = (c.ns.tables.get(table) ?? []).filter(r => familyOf(r.dst.ip) === family && passes(r, f));
      for (const route of family === 4 ? sortRoutes(routes) : sortRoutes6(routes)) outRows.push({ route, table });
    }
  }
  return outRows;
}

const sortRoutes6 = (routes: Route[]): Route[] => {
  const sorted = sortRoutes(routes);
  return [...sorted.filter(r => r.dst.bits > 0), ...sorted.filter(r => r.dst.bits === 0)];
};

const dstText = (d: Cidr): string =>
  d.bits === 0 ? 'default' : d.bits === d.ip.length * 8 ? formatIp(d.ip) : `${formatIp(d.ip)}/${d.bits}`;
const devName = (c: IpContext, ifindex: number | null): string =>
  ifindex === null ? '*' : (c.ns.links.get(ifindex)?.name ?? `if${ifindex}`);

function flagsOf(c: IpContext, r: Route): string[] {
  const dev = r.dev === null ? undefined : c.ns.links.get(r.dev);
  const flags = r.onlink ? ['onlink'] : [];
  if (dev && r.kind !== 'local' && dev.up && !hasCarrier(dev)) flags.push('linkdown');
  return flags;
}

/** `proto` and `scope` as they are printed, or undefined: left out. */
function words(c: IpContext, r: Route, f: Filter): { proto?: string; scope?: string } {
  const proto = (r.proto !== 'boot' || c.details) && !(f.proto && f.proto !== 'all') ? r.proto : undefined;
  const four = r.dst.ip.length === 4;
  const scope = four && (r.scope !== 'global' || c.details) && !(f.scope && f.scope !== 'all') ? r.scope : undefined;
  return { proto, scope };
}

const hasDevice = (r: Route): boolean => r.dev !== null && !['blackhole', 'unreachable', 'prohibit', 'throw'].includes(r.kind);

function text(c: IpContext, { route: r, table }: Shown, f: Filter): string {
  const four = r.dst.ip.length === 4;
  const kind = kindOf(r);
  let s = kind === 'unicast' ? (c.details ? 'unicast ' : '') : `${kind} `;
  s += `${dstText(r.dst)} `;
  if (r.via) s += `via ${formatIp(r.via)} `;
  if ((hasDevice(r) || !four) && r.dev !== null && !f.dev) s += `dev ${devName(c, r.dev)} `;
  if (table !== 254 && (!f.named || f.table === null)) s += `table ${tableName(table)} `;
  if (c.busybox) return `${busyboxTail(r, s)}\n`;
  const { proto, scope } = words(c, r, f);
  if (proto) s += `proto ${proto} `;
  if (scope) s += `scope ${scope} `;
  if (r.src && four) s += `src ${formatIp(r.src)} `;
  if (r.src && !four) s += `src ${formatIp(r.src)} `;
  if (r.metric || !four) s += `metric ${r.metric} `;
  for (const flag of flagsOf(c, r)) s += `${flag} `;
  if (r.mtu) s += `mtu ${r.mtu} `;
  if (!four) s = `${s}pref medium`;
  for (const h of r.nexthops ?? [])
    s += `\n\tnexthop${h.via ? ` via ${formatIp(h.via)}` : ''} dev ${devName(c, h.dev)} weight ${h.weight} `;
  return c.oneline ? `${s.replaceAll('\n', '\\')}\n` : `${s}\n`;
}

function busyboxTail(r: Route, head: string): string {
  let s = head;
  if (r.dst.ip.length === 4 && r.scope !== 'global') s += `scope ${r.scope} `;
  if (r.src) s += ` src ${formatIp(r.src)} `;
  if (r.metric) s += ` metric ${r.metric} `;
  return s;
}

function json(c: IpContext, { route: r, table }: Shown, f: Filter): Record<string, unknown> {
  const kind = kindOf(r);
  const { proto, scope } = words(c, r, f);
  const four = r.dst.ip.length === 4;
  return {
    type: kind === 'unicast' && !c.details ? undefined : kind,
    dst: dstText(r.dst),
    gateway: r.via ? formatIp(r.via) : undefined,
    dev: hasDevice(r) && !f.dev ? devName(c, r.dev) : undefined,
    table: table !== 254 && (!f.named || f.table === null) ? tableName(table) : undefined,
    protocol: proto,
    scope,
    prefsrc: r.src ? formatIp(r.src) : undefined,
    metric: r.metric || !four ? r.metric : undefined,
    flags: flagsOf(c, r),
    metrics: r.mtu ? [{ mtu: r.mtu }] : undefined,
    pref: four ? undefined : 'medium',
    nexthops: r.nexthops?.map(h => ({ gateway: h.via ? formatIp(h.via) : undefined, dev: devName(c, h.dev), weight: h.weight, flags: [] })),
  };
}

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

const SCOPES = ['global', 'link', 'host', 'nowhere'] as const;

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

const markOf = (text: string): number => (/^(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : wrong(text, 'invalid mark value'));

function get(c: IpContext, w: Words): void {
  let dst: Ip | null = null;
  let src: Ip | null = null;
  let iif: Link | null = null;
  let oif: Link | null = null;
  let mark = 0;
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'from') src = prefix(c, next(c, w)).ip;
    else if (word === 'iif') iif = deviceNamed(c, next(c, w));
    else if (word === 'oif' || word === 'dev') oif = deviceNamed(c, next(c, w));
    else if (word === 'mark') mark = markOf(next(c, w));
    else if (word === 'uid' || word === 'tos' || word === 'sport' || word === 'dport' || word === 'ipproto') next(c, w);
    else if (word !== 'to' && word !== 'fibmatch') dst = prefix(c, word).ip;
  }
  if (!dst) {
    fail('need at least a destination address', 1);
    return;
  }
  const found = lookupRoute(c.ns, dst, { src, iif, oif, mark });
  if (typeof found === 'string') {
    refused(c, found);
    return;
  }
  if (iif && found.kind === 'unicast' && dst.length === 4 && conf4(iif, 'forwarding') === 0) {
    refused(c, 'EHOSTUNREACH');
    return;
  }
  if (!iif && src && !isLocalAddress(c.ns, src)) {
    refused(c, dst.length === 4 ? 'EINVAL' : 'EADDRNOTAVAIL');
    return;
  }
  const r = found.route;
  const four = dst.length === 4;
  const kind = found.kind === 'unicast' ? '' : `${found.kind} `;
  const parts = {
    type: found.kind === 'unicast' ? undefined : found.kind,
    dst: formatIp(dst),
    from: src ? formatIp(src) : four ? undefined : '::',
    gateway: found.via ? formatIp(found.via) : undefined,
    dev: found.dev.name,
    table: found.table !== 254 && (found.table !== 255 || !four) ? tableName(found.table) : undefined,
    protocol: four ? undefined : (r?.proto ?? undefined),
    prefsrc: !src && found.src ? formatIp(found.src) : undefined,
    metric: four ? undefined : (r?.metric ?? 0),
    mark: mark ? `0x${mark.toString(16)}` : undefined,
    flags: [],
    uid: four && !iif ? c.p.uid : undefined,
    cache: four ? (found.kind === 'local' ? ['local'] : found.kind === 'broadcast' ? ['local', 'brd'] : []) : undefined,
  };
  if (c.json) {
    outJson(c, [parts]);
    return;
  }
  let s = `${kind}${parts.dst} `;
  if (parts.from) s += `from ${parts.from} `;
  if (parts.gateway) s += `via ${parts.gateway} `;
  s += `dev ${parts.dev} `;
  if (c.busybox) return void out(c, `${s}${parts.prefsrc ? ` src ${parts.prefsrc} ` : ''}\n`);
  if (parts.table) s += `table ${parts.table} `;
  if (parts.protocol && parts.protocol !== 'boot') s += `proto ${parts.protocol} `;
  if (parts.prefsrc) s += `src ${parts.prefsrc} `;
  if (parts.mark) s += `mark ${parts.mark} `;
  if (!four) return void out(c, `${s}metric ${parts.metric} pref medium\n`);
  if (parts.uid !== undefined) s += `uid ${parts.uid} `;
  const cache = parts.cache?.length ? ` <${parts.cache.join(',')}>` : '';
  out(c, `${s}${c.oneline ? '\\' : '\n'}    cache${cache} ${iif ? `iif ${iif.name} ` : ''}\n`);
}
