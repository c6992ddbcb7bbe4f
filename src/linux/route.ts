import type { Cidr, Family, Ip } from '../wire/ip.ts';
import { familyOf, inCidr, network, sameIp } from '../wire/ip.ts';
import type { Packet } from '../wire/packet.ts';
import { eraseRoutes, type Fib, fibOf, insertRoute, prefixKey, routesTo } from './fib.ts';
import { numberSysctl } from './sysctl.ts';
import type { Errno, Link, Netns, PolicyRule, Route } from './types.ts';

export const TABLE = { default: 253, main: 254, local: 255 } as const;

/** Where a packet goes. `dev` is the device it leaves by: `lo` for local destinations. */
export interface RouteResult {
  kind: 'unicast' | 'local' | 'broadcast' | 'multicast';
  dev: Link;
  /** Gateway, or null: the destination is on the link. */
  via: Ip | null;
  /** The address a socket that has none sends from. */
  src: Ip | null;
  mtu: number;
  route: Route | null;
  table: number;
}

export interface RouteKey {
  src?: Ip | null;
  mark?: number;
  iif?: Link | null;
  oif?: Link | null;
  /** The packet that is routed: chooses among several next hops. */
  flow?: Packet;
}

export const ANY4: Ip = new Uint8Array(4);
export const ANY6: Ip = new Uint8Array(16);
export const anyOf = (family: Family): Ip => (family === 4 ? ANY4 : ANY6);
export const isAny = (ip: Ip): boolean => ip.every(x => x === 0);
export const isLoopback = (ip: Ip): boolean => (ip.length === 4 ? ip[0] === 127 : ip[15] === 1 && ip.subarray(0, 15).every(x => x === 0));
export const isMulticast = (ip: Ip): boolean => (ip.length === 4 ? ip[0] >= 224 && ip[0] < 240 : ip[0] === 0xff);
export const isBroadcast = (ip: Ip): boolean => ip.length === 4 && ip[0] === 255 && ip[1] === 255 && ip[2] === 255 && ip[3] === 255;
export const isLinkLocal = (ip: Ip): boolean =>
  ip.length === 4 ? ip[0] === 169 && ip[1] === 254 : ip[0] === 0xfe && (ip[1] & 0xc0) === 0x80;

export function defaultRules(): PolicyRule[] {
  const rule = (family: Family, priority: number, table: number): PolicyRule => ({
    family,
    priority,
    table,
    from: null,
    to: null,
    fwmark: null,
  });
  return [rule(4, 0, 255), rule(6, 0, 255), rule(4, 32766, 254), rule(6, 32766, 254), rule(4, 32767, 253)];
}

function ruleMatches(r: PolicyRule, dst: Ip, key: RouteKey): boolean {
  if (r.fwmark && (((key.mark ?? 0) ^ r.fwmark.value) & r.fwmark.mask) !== 0) return false;
  if (r.from && !(key.src && inCidr(r.from, key.src))) return false;
  if (r.to && !inCidr(r.to, dst)) return false;
  if (r.iif !== undefined && (key.iif ? key.iif.name : 'lo') !== r.iif) return false;
  return r.oif === undefined || key.oif?.name === r.oif;
}

const loopbackOf = (ns: Netns): Link | undefined => ns.links.get(1) ?? [...ns.links.values()].find(l => l.kind === 'loopback');

interface Hop {
  dev: Link;
  via: Ip | null;
}

/** Addresses, and with fib_multipath_hash_policy 1 the ports too. */
function flowHash(ns: Netns, p: Packet): number {
  let h = 0x811c9dc5;
  for (const b of p.src) h = Math.imul(h ^ b, 0x01000193);
  for (const b of p.dst) h = Math.imul(h ^ b, 0x01000193);
  if (numberSysctl(ns, 'net.ipv4.fib_multipath_hash_policy') === 1 && 'sport' in p.body) {
    h = Math.imul(h ^ p.body.sport, 0x01000193);
    h = Math.imul(h ^ p.body.dport, 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) & 0x7fffffff;
}

/** A next hop of the route that can be used now, or null. */
function hopOf(ns: Netns, route: Route, key: RouteKey): Hop | null {
  if (!route.nexthops?.length) {
    const dev = route.dev === null ? undefined : ns.links.get(route.dev);
    if (!dev?.up || (key.oif && key.oif !== dev && route.kind === 'unicast')) return null;
    return { dev, via: route.via };
  }
  const alive = route.nexthops.filter(h => {
    const dev = ns.links.get(h.dev);
    return dev?.up && (!key.oif || key.oif === dev);
  });
  const total = alive.reduce((n, h) => n + h.weight, 0);
  if (!total) return null;
  const flow = key.flow ? flowHash(ns, key.flow) : 0;
  const { spread } = ns.kernel.sim;
  if (spread && key.flow && alive.length > 1) {
    const h =
      alive[
        spread(
          alive.map(x => x.weight),
          flow,
        )
      ];
    return { dev: ns.links.get(h.dev) as Link, via: h.via };
  }
  let at = flow % total;
  for (const h of alive) {
    if (at < h.weight) return { dev: ns.links.get(h.dev) as Link, via: h.via };
    at -= h.weight;
  }
  return null;
}

const FAILS: Partial<Record<Route['kind'], Errno>> = { blackhole: 'EINVAL', unreachable: 'EHOSTUNREACH', prohibit: 'EACCES' };

/** undefined: this table knows nothing (or throws back to the rules). */
function lookupTable(ns: Netns, fib: Fib, table: number, dst: Ip, key: RouteKey): RouteResult | Errno | undefined {
  for (const bits of fib.lengths) {
    const routes = fib.byLength.get(bits)?.get(prefixKey(dst, bits));
    if (!routes) continue;
    for (const route of routes) {
      if (route.kind === 'throw') return undefined;
      const fails = FAILS[route.kind];
      if (fails) return fails;
      if (route.kind === 'local') {
        const dev = loopbackOf(ns);
        if (dev && (!key.oif || key.oif === dev || key.oif.ifindex === route.dev))
          return { kind: 'local', dev, via: null, src: route.src ?? dst, mtu: dev.mtu, route, table };
        continue;
      }
      const hop = hopOf(ns, route, key);
      if (!hop) continue;
      const mtu = Math.min(route.mtu ?? hop.dev.mtu, hop.dev.mtu);
      const kind = route.kind === 'broadcast' ? 'broadcast' : isMulticast(dst) ? 'multicast' : 'unicast';
      return { kind, dev: hop.dev, via: hop.via, src: route.src, mtu, route, table };
    }
  }
  return undefined;
}

/**
 * The routing decision by rules and tables (fib_lookup). ENETUNREACH: no route; EHOSTUNREACH, EACCES, EINVAL: unreachable, prohibit and
 * blackhole routes. `src` of the result is chosen only when `key.src` is not given.
 */
export function lookupRoute(ns: Netns, dst: Ip, key: RouteKey = {}): RouteResult | Errno {
  const family = familyOf(dst);
  for (const r of ns.rules) {
    if (r.family !== family) continue;
    if ((r.priority || r.from || r.fwmark) && !ruleMatches(r, dst, key)) continue;
    const fib = fibOf(ns, r.table, family);
    const found = fib ? lookupTable(ns, fib, r.table, dst, key) : undefined;
    if (found === undefined) continue;
    if (typeof found !== 'string' && !found.src)
      found.src = key.src ?? selectSource(ns, found.dev, family === 4 ? (found.via ?? dst) : dst);
    return found;
  }
  // The device was named: take the destination to be on its link (ip_route_output_key_hash_rcu).
  if (key.oif?.up && (isMulticast(dst) || isBroadcast(dst) || family === 4)) {
    const src = key.src ?? selectSource(ns, key.oif, dst);
    const kind = isMulticast(dst) ? 'multicast' : isBroadcast(dst) ? 'broadcast' : 'unicast';
    return { kind, dev: key.oif, via: null, src, mtu: key.oif.mtu, route: null, table: TABLE.main };
  }
  return 'ENETUNREACH';
}

/** Whether an address belongs to this namespace: the local table says so (RTN_LOCAL). */
export function isLocalAddress(ns: Netns, ip: Ip): boolean {
  const fib = fibOf(ns, TABLE.local, familyOf(ip));
  if (!fib) return false;
  for (const bits of fib.lengths) {
    const routes = fib.byLength.get(bits)?.get(prefixKey(ip, bits));
    if (routes) return routes.some(r => r.kind === 'local');
  }
  return false;
}

/** RTN_LOCAL, RTN_BROADCAST … of an address, as `-m addrtype` asks (inet_addr_type). */
export function addressType(
  ns: Netns,
  ip: Ip,
): 'LOCAL' | 'BROADCAST' | 'MULTICAST' | 'UNICAST' | 'UNSPEC' | 'BLACKHOLE' | 'UNREACHABLE' | 'PROHIBIT' {
  if (isMulticast(ip)) return 'MULTICAST';
  if (isBroadcast(ip)) return 'BROADCAST';
  if (ip.length === 4 && ip[0] === 0) return 'BROADCAST';
  const fib = fibOf(ns, TABLE.local, familyOf(ip));
  const found = fib ? lookupTable(ns, fib, TABLE.local, ip, {}) : undefined;
  if (found === undefined || typeof found === 'string') return 'UNICAST';
  return found.kind === 'local' ? 'LOCAL' : found.kind === 'broadcast' ? 'BROADCAST' : 'UNICAST';
}

/**
 * inet_select_addr: the device's own address nearest to `dst`, else any other device's that is not for the link alone. 127.0.0.1 is for the host
 * alone and never chosen: what MASQUERADE rewrites on lo gets an address of another device.
 */
export function selectSource(ns: Netns, dev: Link, dst: Ip): Ip | null {
  if (dst.length === 16) return selectSource6(ns, dev, dst);
  let first: Ip | null = null;
  for (const a of dev.addresses) {
    if (a.ip.length !== 4 || a.scope === 'host') continue;
    if (inCidr({ ip: a.peer ?? a.ip, bits: a.bits }, dst)) return a.ip;
    first ??= a.ip;
  }
  if (first) return first;
  // A device that is down still lends its address (in_dev_select_addr does not ask).
  for (const other of ns.links.values()) {
    for (const a of other.addresses) if (a.ip.length === 4 && a.scope === 'global') return a.ip;
  }
  return null;
}

function commonBits(a: Ip, b: Ip): number {
  let n = 0;
  while (n < 128 && ((a[n >> 3] ^ b[n >> 3]) & (0x80 >> (n & 7))) === 0) n++;
  return n;
}

/** RFC 4007 scope as the kernel ranks it: ::1 counts as link-local (__ipv6_addr_src_scope). */
const scope6 = (ip: Ip): number => (isLinkLocal(ip) || isLoopback(ip) ? 2 : isMulticast(ip) ? ip[1] & 15 : 14);

/** RFC 6724's default policy table (net/ipv6/addrlabel.c). */
function label6(ip: Ip): number {
  if (isLoopback(ip)) return 0;
  if ((ip[0] & 0xfe) === 0xfc) return 5;
  return ip[0] === 0x20 && ip[1] === 0x02 ? 2 : 1;
}

/** ipv6_dev_get_saddr's rules that matter here, each deciding only where the one before did not: the same address, scope, device, label, prefix. */
function selectSource6(ns: Netns, dev: Link, dst: Ip): Ip | null {
  const scope = scope6(dst);
  const onLink = isLinkLocal(dst) || (isMulticast(dst) && scope <= 2);
  let best: Ip | null = null;
  let score: number[] = [];
  for (const link of ns.links.values()) {
    if ((onLink && link !== dev) || !link.up) continue;
    for (const a of link.addresses) {
      if (a.ip.length !== 16) continue;
      const own = scope6(a.ip);
      const s = [
        sameIp(a.ip, dst) ? 1 : 0,
        own >= scope ? -own : own - 128,
        link === dev ? 1 : 0,
        label6(a.ip) === label6(dst) ? 1 : 0,
        Math.min(commonBits(a.ip, dst), a.bits),
      ];
      const at = s.findIndex((x, i) => x !== score[i]);
      if (best && (at < 0 || s[at] < score[at])) continue;
      score = s;
      best = a.ip;
    }
  }
  return best;
}

/** The gateway must be a neighbour: reached by a route without a gateway of its own. */
function gatewayDevice(ns: Netns, via: Ip, dev: number | null): number | Errno {
  const found = lookupRoute(ns, via, { oif: dev === null ? null : ns.links.get(dev) });
  if (typeof found === 'string') return 'ENETUNREACH';
  if (found.kind === 'local') return 'EINVAL';
  if (found.via || (dev !== null && found.route === null && via.length === 4)) return 'ENETUNREACH';
  return found.dev.ifindex;
}

/**
 * Add a route. What is not given follows from the rest as for `ip route add`. EEXIST: destination and metric are taken; ENETUNREACH: the gateway
 * is not on a link; ENETDOWN: the device is down; ENODEV: no device.
 */
export function addRoute(
  ns: Netns,
  r: Partial<Route> & { dst: Cidr },
  table: number = TABLE.main,
  mode: 'add' | 'append' | 'replace' = 'add',
): Errno | null {
  const dst = network(r.dst);
  const family = familyOf(dst.ip);
  const kind = r.kind ?? 'unicast';
  let dev = r.dev ?? null;
  const hops = r.nexthops?.map(h => ({ ...h }));
  if (kind === 'unicast') {
    for (const h of hops?.length ? hops : [{ via: r.via ?? null, dev, weight: 1 }]) {
      if (h.via && !r.onlink) {
        const at = gatewayDevice(ns, h.via, h.dev || null);
        if (typeof at === 'string') return at;
        h.dev = at;
      }
      const link = h.dev === null ? undefined : ns.links.get(h.dev);
      if (!link) return 'ENODEV';
      if (!link.up) return 'ENETDOWN';
      if (!hops?.length) dev = h.dev;
    }
  } else if (family === 6 && dev === null) dev = 1;
  const metric = r.metric ?? (family === 6 ? (r.proto === 'kernel' ? 256 : 1024) : 0);
  const scope =
    r.scope ??
    (family === 6
      ? 'global'
      : kind === 'local'
        ? 'host'
        : kind === 'broadcast' || (kind === 'unicast' && !r.via && !hops?.length)
          ? 'link'
          : 'global');
  const route: Route = {
    dst,
    kind,
    via: r.via ?? null,
    dev,
    src: r.src ?? null,
    scope,
    proto: r.proto ?? 'boot',
    metric,
    onlink: r.onlink ?? false,
  };
  if (r.mtu !== undefined) route.mtu = r.mtu;
  if (hops?.length) route.nexthops = hops;
  const same = routesTo(ns, table, dst).filter(x => x.metric === metric);
  if (mode === 'replace') {
    if (same.length) eraseRoutes(ns, table, x => x === same[0]);
  } else if (same.length && mode === 'add') {
    // Kernel routes of one prefix on several devices (fe80::/64, ff00::/8) stand side by side in IPv6.
    const sideBySide = family === 6 && route.proto === 'kernel' && same.every(x => x.dev !== dev);
    if (!sideBySide) return 'EEXIST';
  }
  insertRoute(ns, table, route);
  return null;
}

/** Remove the first route that fits what is given. ESRCH: there is none. */
export function removeRoute(ns: Netns, r: Partial<Route> & { dst: Cidr }, table: number = TABLE.main): Errno | null {
  const found = routesTo(ns, table, network(r.dst)).find(
    x =>
      (r.kind === undefined || x.kind === r.kind) &&
      (r.dev === undefined || r.dev === null || x.dev === r.dev || x.nexthops?.some(h => h.dev === r.dev)) &&
      (!r.via || (x.via !== null && sameIp(x.via, r.via)) || x.nexthops?.some(h => h.via && sameIp(h.via, r.via as Ip))) &&
      (!r.src || (x.src !== null && sameIp(x.src, r.src))) &&
      (r.metric === undefined || x.metric === r.metric) &&
      (r.proto === undefined || x.proto === r.proto) &&
      (r.scope === undefined || x.scope === r.scope),
  );
  if (!found) return 'ESRCH';
  eraseRoutes(ns, table, x => x === found);
  return null;
}

export function addRule(ns: Netns, rule: PolicyRule): Errno | null {
  if (ns.rules.some(r => JSON.stringify(r) === JSON.stringify(rule))) return 'EEXIST';
  let at = ns.rules.length;
  while (at > 0 && ns.rules[at - 1].priority > rule.priority) at--;
  ns.rules.splice(at, 0, rule);
  return null;
}
