// jq's builtins that take values: of their input alone, and with arguments that are values too.
import { parseRfc3339, rfc3339 } from '../../../sim/time.ts';
import { strftime } from '../../strftime.ts';
import { JqError } from './parse.ts';
import type { Env } from './run.ts';
import { arithmetic, compare, deletePath, getPath, index, type Json, listOf, setPath, shown, text, truthy, typeOf } from './values.ts';

function length(v: Json): number {
  if (v === null) return 0;
  if (typeof v === 'string') return [...v].length;
  if (typeof v === 'number') return Math.abs(v);
  if (typeof v === 'boolean') throw new JqError(`boolean (${v}) has no length`);
  return Array.isArray(v) ? v.length : Object.keys(v).length;
}

export function unique<T>(list: T[], same: (a: T, b: T) => boolean): T[] {
  return list.filter((x, i) => i === 0 || !same(list[i - 1], x));
}

function contains(a: Json, b: Json): boolean {
  if (typeOf(a) !== typeOf(b))
    throw new JqError(`${typeOf(a)} (${shown(a)}) and ${typeOf(b)} (${shown(b)}) cannot have their containment checked`);
  if (typeof a === 'string') return a.includes(b);
  if (Array.isArray(a)) return b.every((y: Json) => a.some(x => typeOf(x) === typeOf(y) && contains(x, y)));
  if (a !== null && typeof a === 'object')
    return Object.keys(b).every(k => k in a && typeOf(a[k]) === typeOf(b[k]) && contains(a[k], b[k]));
  return a === b;
}

/** Builtins of one value, no filters as arguments. */
export const SIMPLE: Record<string, (v: Json, env: Env) => Json> = {
  length,
  not: v => !truthy(v),
  keys: v => (Array.isArray(v) ? [...v.keys()] : Object.keys(needObject(v, 'keys')).sort()),
  keys_unsorted: v => (Array.isArray(v) ? [...v.keys()] : Object.keys(needObject(v, 'keys'))),
  add: v => (Array.isArray(v) ? v : Object.values(v ?? {})).reduce((a: Json, b: Json) => arithmetic('+', a, b), null),
  any: v => listOf(v).some(truthy),
  all: v => listOf(v).every(truthy),
  first: v => index(v, 0),
  last: v => index(v, -1),
  reverse: v => (typeof v === 'string' ? [...v].reverse().join('') : v === null ? [] : [...listOf(v)].reverse()),
  sort: v => [...listOf(v)].sort(compare),
  unique: v => unique([...listOf(v)].sort(compare), (a, b) => compare(a, b) === 0),
  min: v => listOf(v).reduce((a, b) => (a === null || compare(b, a) < 0 ? b : a), null),
  max: v => listOf(v).reduce((a, b) => (a === null || compare(b, a) >= 0 ? b : a), null),
  flatten: v => listOf(v).flat(Number.POSITIVE_INFINITY),
  tostring: v => text(v),
  tojson: v => JSON.stringify(v),
  fromjson: v => fromJson(v),
  tonumber: v => toNumber(v),
  type: v => typeOf(v),
  ascii_downcase: v => v.replace(/[A-Z]/g, (c: string) => c.toLowerCase()),
  ascii_upcase: v => v.replace(/[a-z]/g, (c: string) => c.toUpperCase()),
  explode: v => [...v].map(c => c.codePointAt(0)),
  implode: v => String.fromCodePoint(...v),
  floor: v => Math.floor(v),
  ceil: v => Math.ceil(v),
  round: v => Math.round(v),
  sqrt: v => Math.sqrt(v),
  fabs: v => Math.abs(v),
  abs: v => Math.abs(v),
  trim: v => v.trim(),
  ltrim: v => v.trimStart(),
  rtrim: v => v.trimEnd(),
  to_entries: v => Object.entries(needObject(v, 'keys')).map(([key, value]) => ({ key, value })),
  from_entries: v =>
    Object.fromEntries(listOf(v).map(e => [text(e.key ?? e.k ?? e.name ?? e.Name ?? e.Key), e.value ?? e.v ?? e.Value ?? null])),
  now: (_, env) => env.nowMs / 1000,
  todate: v => rfc3339(v * 1000),
  fromdate: v => (parseRfc3339(v) ?? 0) / 1000,
  fromdateiso8601: v => (parseRfc3339(v) ?? 0) / 1000,
  todateiso8601: v => rfc3339(v * 1000),
  env: (_, env) => Object.fromEntries(env.process),
  transpose: v => Array.from({ length: Math.max(0, ...v.map((r: Json[]) => r.length)) }, (_, i) => v.map((r: Json[]) => r[i] ?? null)),
  isnan: v => Number.isNaN(v),
  infinite: () => Number.POSITIVE_INFINITY,
  nan: () => Number.NaN,
};

function needObject(v: Json, what: string): Json {
  if (typeOf(v) !== 'object') throw new JqError(`${typeOf(v)}${v === null ? ' (null)' : ` (${shown(v)})`} has no ${what}`);
  return v;
}

export function fromJson(v: string): Json {
  try {
    return JSON.parse(v);
  } catch {
    throw new JqError(`${v} (while parsing '${v}')`);
  }
}

function toNumber(v: Json): number {
  if (typeof v === 'number') return v;
  const n = typeof v === 'string' && v.trim() !== '' ? Number(v) : Number.NaN;
  if (Number.isNaN(n)) throw new JqError(`Cannot parse '${v}' as JSON`);
  return n;
}

export const regex = (source: string, flags: string): RegExp => {
  try {
    return new RegExp(source, flags.replace(/[^gimsu]/g, '').replace('x', ''));
  } catch {
    throw new JqError(`${source} (at offset 0) is not a valid regex`);
  }
};

/** Where a string or list begins within another of its kind. */
function places(v: Json, s: Json): number[] {
  const out: number[] = [];
  if (!s.length) return out;
  for (let i = 0; i + s.length <= v.length; i++) if (compare(v.slice(i, i + s.length), s) === 0) out.push(i);
  return out;
}

/** Builtins whose arguments are values. */
export const WITH_VALUES: Record<string, (v: Json, ...args: Json[]) => Json> = {
  has: (v, k) => (Array.isArray(v) ? k in v : Object.hasOwn(v, k)),
  contains: (v, x) => contains(v, x),
  inside: (v, x) => contains(x, v),
  startswith: (v, s) => v.startsWith(s),
  endswith: (v, s) => v.endsWith(s),
  ltrimstr: (v, s) => (typeof v === 'string' && v.startsWith(s) ? v.slice(s.length) : v),
  rtrimstr: (v, s) => (typeof v === 'string' && v.endsWith(s) ? v.slice(0, v.length - s.length) : v),
  split: (v, s, flags) => (flags === undefined ? v.split(s) : v.split(regex(s, flags ?? ''))),
  join: (v, s) =>
    listOf(v)
      .map(x => (x === null ? '' : text(x)))
      .join(s),
  test: (v, re, flags) => regex(Array.isArray(re) ? re[0] : re, flags ?? '').test(v),
  index: (v, s) => (v === null || v.indexOf(s) < 0 ? null : v.indexOf(s)),
  rindex: (v, s) => (v === null || v.lastIndexOf(s) < 0 ? null : v.lastIndexOf(s)),
  indices: (v, s) =>
    v === null
      ? null
      : Array.isArray(s) || typeof v !== 'object'
        ? places(v, s)
        : v.flatMap((x: Json, i: number) => (compare(x, s) === 0 ? [i] : [])),

  flatten: (v, depth) => listOf(v).flat(depth),
  getpath: (v, p) => getPath(v, p),
  setpath: (v, p, x) => setPath(v, p, x),
  delpaths: (v, ps) => [...ps].reverse().reduce((x: Json, p: Json[]) => deletePath(x, p), v),
  splits: (v, re) => v.split(regex(re, '')),
  strftime: (v, f) => strftime(f, v * 1000),
  pow: (_, a, b) => a ** b,
};

/** A builtin that meets a value of the wrong kind is the filter's error, not a bug. */
export function checked(name: string, v: Json, f: () => Json): Json {
  try {
    return f();
  } catch (e) {
    if (e instanceof JqError || !(e instanceof Error)) throw e;
    const words: Record<string, string> = {
      ascii_downcase: 'input must be a string',
      ascii_upcase: 'input must be a string',
      explode: 'input must be a string',
      test: 'cannot be matched, as it is not a string',
      startswith: 'input must be a string',
      endswith: 'input must be a string',
    };
    throw new JqError(
      words[name]?.startsWith('input')
        ? `${name} ${words[name]}`
        : `${typeOf(v)} (${shown(v)}) ${words[name] ?? `cannot be given to ${name}`}`,
    );
  }
}
