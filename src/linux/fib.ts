// One routing table of one family, indexed for longest-prefix match: a map per prefix length in use. Cluster tables hold few lengths, so that a
// look-up is a handful of hash probes however many routes there are.
import type { Cidr, Family, Ip } from '../wire/ip.ts';
import { network } from '../wire/ip.ts';
import type { Netns, Route } from './types.ts';

export interface Fib {
  /** The array this was built from and its length then: somebody else may have changed it. */
  routes: Route[];
  count: number;
  lengths: number[];
  byLength: Map<number, Map<number | string, Route[]>>;
}

const MASKS = Array.from({ length: 33 }, (_, bits) => (bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0));

export const toNumber = (ip: Ip): number => ((ip[0] << 24) | (ip[1] << 16) | (ip[2] << 8) | ip[3]) >>> 0;

/** A map key of the first `bits` bits. */
export function prefixKey(ip: Ip, bits: number): number | string {
  if (ip.length === 4) return (toNumber(ip) & MASKS[bits]) >>> 0;
  return String.fromCharCode(...(bits === 128 ? ip : network({ ip, bits }).ip));
}

function insert(fib: Fib, route: Route): void {
  const bits = route.dst.bits;
  let level = fib.byLength.get(bits);
  if (!level) {
    level = new Map();
    fib.byLength.set(bits, level);
    fib.lengths = [...fib.byLength.keys()].sort((a, b) => b - a);
  }
  const key = prefixKey(route.dst.ip, bits);
  const same = level.get(key);
  if (!same) {
    level.set(key, [route]);
    return;
  }
  // Lower metric first; of equal ones the newer last (fib_table_insert puts NLM_F_APPEND after).
  let at = same.length;
  while (at > 0 && same[at - 1].metric > route.metric) at--;
  same.splice(at, 0, route);
}

function erase(fib: Fib, route: Route): void {
  const level = fib.byLength.get(route.dst.bits);
  const key = prefixKey(route.dst.ip, route.dst.bits);
  const same = level?.get(key);
  if (!level || !same) return;
  const at = same.indexOf(route);
  if (at >= 0) same.splice(at, 1);
  if (same.length) return;
  level.delete(key);
  if (!level.size) {
    fib.byLength.delete(route.dst.bits);
    fib.lengths = [...fib.byLength.keys()].sort((a, b) => b - a);
  }
}

const indexes = new WeakMap<Netns, Map<number, Fib>>();

/** The index of a table; null when the table has no routes. */
export function fibOf(ns: Netns, table: number, family: Family): Fib | null {
  const routes = ns.tables.get(table);
  if (!routes) return null;
  let tables = indexes.get(ns);
  if (!tables) {
    tables = new Map();
    indexes.set(ns, tables);
  }
  const id = table * 8 + family;
  const known = tables.get(id);
  if (known && known.routes === routes && known.count === routes.length) return known;
  const fib: Fib = { routes, count: routes.length, lengths: [], byLength: new Map() };
  const size = family === 4 ? 4 : 16;
  for (const r of routes) if (r.dst.ip.length === size) insert(fib, r);
  tables.set(id, fib);
  return fib;
}

/** Append to the table's array and keep both families' indexes. */
export function insertRoute(ns: Netns, table: number, route: Route): void {
  let routes = ns.tables.get(table);
  if (!routes) {
    routes = [];
    ns.tables.set(table, routes);
  }
  const both = ([4, 6] as const).map(f => fibOf(ns, table, f));
  routes.push(route);
  for (const fib of both) if (fib) fib.count++;
  const own = both[route.dst.ip.length === 4 ? 0 : 1];
  if (own) insert(own, route);
}

export function eraseRoutes(ns: Netns, table: number, gone: (r: Route) => boolean): number {
  const routes = ns.tables.get(table);
  if (!routes) return 0;
  const both = ([4, 6] as const).map(f => fibOf(ns, table, f));
  let kept = 0;
  let removed = 0;
  for (let i = 0; i < routes.length; i++) {
    const r = routes[i];
    if (gone(r)) {
      removed++;
      const own = both[r.dst.ip.length === 4 ? 0 : 1];
      if (own) erase(own, r);
    } else routes[kept++] = r;
  }
  routes.length = kept;
  for (const fib of both) if (fib) fib.count = kept;
  return removed;
}

/** Routes of exactly this destination, best first. */
export function routesTo(ns: Netns, table: number, dst: Cidr): Route[] {
  const fib = fibOf(ns, table, dst.ip.length === 4 ? 4 : 6);
  return fib?.byLength.get(dst.bits)?.get(prefixKey(dst.ip, dst.bits)) ?? [];
}
