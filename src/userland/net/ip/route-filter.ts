// The routes that `ip route show` and `flush` are about (iproute2 6.1 ip/iproute.c).
import { sortRoutes } from '../../../linux/procfs.ts';
import type { Link, Route } from '../../../linux/types.ts';
import { type Cidr, familyOf, type Ip, inCidr, network, sameIp } from '../../../wire/ip.ts';
import { address, deviceNamed, fail, type IpContext, matches, next, prefix, tableNumber, type Words, wrong } from './context.ts';

export interface Filter {
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

export const KINDS = ['unicast', 'local', 'broadcast', 'multicast', 'blackhole', 'unreachable', 'prohibit', 'throw'];

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

export function filterOf(c: IpContext, w: Words): Filter {
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

export const kindOf = (r: Route): string => (r.kind === 'unicast' && r.dst.ip.length === 16 && r.dst.ip[0] === 0xff ? 'multicast' : r.kind);

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

export interface Shown {
  route: Route;
  table: number;
}

export function listed(c: IpContext, f: Filter): Shown[] {
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

export const SCOPES = ['global', 'link', 'host', 'nowhere'] as const;
