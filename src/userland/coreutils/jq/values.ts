// JSON values as jq orders, indexes, adds and shows them.
import { JqError } from './parse.ts';

export type Json = any;

export const typeOf = (v: Json): string => (v === null || v === undefined ? 'null' : Array.isArray(v) ? 'array' : typeof v);

const ORDER = ['null', 'false', 'true', 'number', 'string', 'array', 'object'];

const rank = (v: Json): number => ORDER.indexOf(v === true ? 'true' : v === false ? 'false' : typeOf(v));

export function compare(a: Json, b: Json): number {
  const d = rank(a) - rank(b);
  if (d) return d;
  if (typeof a === 'number') return a - b;
  if (typeof a === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (Array.isArray(a)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const c = compare(a[i], b[i]);
      if (c) return c;
    }
    return a.length - b.length;
  }
  if (typeOf(a) === 'object') {
    const x = Object.keys(a).sort();
    const y = Object.keys(b).sort();
    const c = compare(x, y);
    if (c) return c;
    for (const k of x) {
      const e = compare(a[k], b[k]);
      if (e) return e;
    }
  }
  return 0;
}

export const truthy = (v: Json): boolean => v !== null && v !== undefined && v !== false;

export function shown(v: Json): string {
  const s = JSON.stringify(v) ?? 'null';
  return s.length > 11 ? `${s.slice(0, 10)}...` : s;
}

export function index(v: Json, k: Json): Json {
  if (v === null || v === undefined) return null;
  if (Array.isArray(v) && typeof k === 'number') return v[Math.floor(k < 0 ? v.length + k : k)] ?? null;
  if (typeOf(v) === 'object' && typeof k === 'string') return Object.hasOwn(v, k) ? v[k] : null;
  throw new JqError(
    typeof k === 'string'
      ? `Cannot index ${typeOf(v)} with ${Array.isArray(v) ? 'string ' : ''}"${k}"`
      : `Cannot index ${typeOf(v)} with ${typeOf(k)}`,
  );
}

function merge(a: Json, b: Json): Json {
  const out = { ...a };
  for (const [k, v] of Object.entries(b)) out[k] = typeOf(out[k]) === 'object' && typeOf(v) === 'object' ? merge(out[k], v) : v;
  return out;
}

export function arithmetic(op: string, a: Json, b: Json): Json {
  const [x, y] = [typeOf(a), typeOf(b)];
  const refuse = (verb: string) => new JqError(`${x} (${shown(a)}) and ${y} (${shown(b)}) cannot be ${verb}`);
  switch (op) {
    case '+':
      if (x === 'null') return b;
      if (y === 'null') return a;
      if (x === 'number' && y === 'number') return a + b;
      if (x === 'string' && y === 'string') return a + b;
      if (x === 'array' && y === 'array') return [...a, ...b];
      if (x === 'object' && y === 'object') return { ...a, ...b };
      throw refuse('added');
    case '-':
      if (x === 'number' && y === 'number') return a - b;
      if (x === 'array' && y === 'array') return a.filter((v: Json) => !b.some((w: Json) => compare(v, w) === 0));
      throw refuse('subtracted');
    case '*':
      if (x === 'number' && y === 'number') return a * b;
      if (x === 'string' && y === 'number') return b > 0 ? a.repeat(b) : null;
      if (x === 'object' && y === 'object') return merge(a, b);
      throw refuse('multiplied');
    case '/':
      if (x === 'number' && y === 'number') {
        if (b === 0) throw refuse('divided because the divisor is zero');
        return a / b;
      }
      if (x === 'string' && y === 'string') return a.split(b);
      throw refuse('divided');
    default:
      if (x === 'number' && y === 'number') {
        if (Math.trunc(b) === 0) throw refuse('divided (remainder) because the divisor is zero');
        return Math.trunc(a) % Math.trunc(b);
      }
      throw refuse('divided (remainder)');
  }
}

export const COMPARE: Record<string, (d: number) => boolean> = {
  '==': d => d === 0,
  '!=': d => d !== 0,
  '<': d => d < 0,
  '<=': d => d <= 0,
  '>': d => d > 0,
  '>=': d => d >= 0,
};

export const getPath = (v: Json, path: Json[]): Json => path.reduce((x, k) => index(x, k), v);

export function setPath(v: Json, path: Json[], x: Json): Json {
  if (!path.length) return x;
  const [k, ...rest] = path;
  if (typeof k === 'number') {
    const out = Array.isArray(v) ? [...v] : [];
    while (out.length < k) out.push(null);
    out[k < 0 ? out.length + k : k] = setPath(out[k], rest, x);
    return out;
  }
  if (v !== null && v !== undefined && typeOf(v) !== 'object') throw new JqError(`Cannot index ${typeOf(v)} with "${k}"`);
  return { ...v, [k]: setPath(v?.[k] ?? null, rest, x) };
}

export function deletePath(v: Json, path: Json[]): Json {
  if (v === null || v === undefined) return v;
  const [k, ...rest] = path;
  if (rest.length) return setPath(v, [k], deletePath(index(v, k), rest));
  if (Array.isArray(v)) return v.filter((_, i) => i !== (k < 0 ? v.length + k : k));
  const { [k]: _gone, ...kept } = v;
  return kept;
}

export const text = (v: Json): string => (typeof v === 'string' ? v : (JSON.stringify(v) ?? 'null'));

export const listOf = (v: Json): Json[] => {
  if (Array.isArray(v)) return v;
  throw new JqError(`Cannot iterate over ${typeOf(v)}${v === null ? '' : ` (${shown(v)})`}`);
};
