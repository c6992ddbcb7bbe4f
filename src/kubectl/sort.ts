// --sort-by (k8s.io/kubectl v0.36.3, pkg/cmd/get/sorter.go).

import type { KubeObject, Table } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import { exitFailure, fail } from './failure.ts';
import { findResults, isJsonPathError, parseJsonPath, RELAXED_ERROR, relaxed } from './jsonpath.ts';

const SUFFIX: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A resource.Quantity's value, or null. */
export function quantity(s: string): number | null {
  const m = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?$/.exec(s);
  if (!m) return null;
  return Number(m[1]) * (m[3] ? 10 ** Number(m[3]) : SUFFIX[m[2] ?? '']);
}

function less(a: any, b: any): boolean {
  if (a === null || a === undefined) return b !== null && b !== undefined;
  if (b === null || b === undefined) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (!less(a[i], b[i])) return false;
    return true;
  }
  if (typeof a === 'object') throw exitFailure(1, 'unsortable type: map');
  if (typeof a === 'string' && typeof b === 'string') {
    const [x, y] = [quantity(a), quantity(b)];
    return x !== null && y !== null ? x < y : a < b;
  }
  return typeof a === typeof b ? a < b : false;
}

/** Go's sort.Sort: insertion for a dozen, which decides where equal and missing values come to stand. */
function goSort<T>(items: T[], isLess: (a: T, b: T) => boolean): T[] {
  const out = [...items];
  if (out.length > 12) return out.sort((a, b) => (isLess(a, b) ? (isLess(b, a) ? 0 : -1) : isLess(b, a) ? 1 : 0));
  for (let i = 1; i < out.length; i++)
    for (let j = i; j > 0 && isLess(out[j], out[j - 1]); j--) [out[j], out[j - 1]] = [out[j - 1], out[j]];
  return out;
}

function sortBy<T>(items: T[], objectOf: (item: T) => unknown, field: string): T[] {
  try {
    const nodes = parseJsonPath(field);
    const keyed = items.map(item => ({ item, values: findResults(nodes, objectOf(item), true) }));
    if (!keyed.some(k => k.values.length && k.values[0].length))
      fail(`couldn't find any field with path ${goQuote(field)} in the list of objects`);
    return goSort(keyed, (a, b) => {
      if (!a.values[0]?.length) return true;
      if (!b.values[0]?.length) return false;
      return less(a.values[0][0], b.values[0][0]);
    }).map(k => k.item);
  } catch (e) {
    if (isJsonPathError(e)) fail(e.jsonpath);
    throw e;
  }
}

export function sortTable(table: Table, expression: string): void {
  if (table.rows.length) table.rows = sortBy(table.rows, r => r.object, relaxed(expression) ?? expression);
}

export function sortObjects(objects: KubeObject[], expression: string): KubeObject[] {
  if (!objects.length) return objects;
  const field = relaxed(expression);
  if (field === null) fail(RELAXED_ERROR);
  return sortBy(objects, o => o, field as string);
}
