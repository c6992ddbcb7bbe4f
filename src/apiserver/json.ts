// Plain JSON values: copying and comparing.

export type Json = any;

export const isMap = (v: unknown): v is Record<string, any> => typeof v === 'object' && v !== null && !Array.isArray(v);

/** A copy that shares nothing. */
export function cloneJson<T>(v: T): T {
  if (Array.isArray(v)) return v.map(cloneJson) as T;
  if (typeof v !== 'object' || v === null) return v;
  const out: Record<string, unknown> = {};
  for (const k in v) out[k] = cloneJson(v[k]);
  return out as T;
}

export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!sameJson(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  let n = 0;
  for (const k in a) {
    if ((a as any)[k] === undefined) continue;
    n++;
    if (!sameJson((a as any)[k], (b as any)[k])) return false;
  }
  for (const k in b) if ((b as any)[k] !== undefined) n--;
  return n === 0;
}

/** A copy whose keys are in byte order, as Go writes maps. */
export function sortedJson(v: Json): Json {
  if (Array.isArray(v)) return v.map(sortedJson);
  if (!isMap(v)) return v;
  const out: Record<string, Json> = {};
  for (const k of Object.keys(v).sort()) out[k] = sortedJson(v[k]);
  return out;
}

export const hasEmptyList = (v: Json): boolean =>
  Array.isArray(v) ? !v.length || v.some(hasEmptyList) : isMap(v) && Object.values(v).some(hasEmptyList);
