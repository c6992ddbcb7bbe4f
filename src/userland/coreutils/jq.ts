// jq: JSON in, filtered JSON out.
import { complain, print, stdinAll } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { base64, bytesToString, stringToBytes, unbase64 } from '../../sim/bytes.ts';
import { parseRfc3339, rfc3339 } from '../../sim/time.ts';
import { strftime } from '../strftime.ts';
import type { Userland } from '../userland.ts';
import { type Filter, JqError, parseJq } from './jq-parse.ts';
import { type Run, slurp } from './tool.ts';

type Json = any;

interface Env {
  vars: Map<string, Json>;
  functions: Map<string, { params: string[]; body: Filter; env: Env }>;
  /** Arguments of functions: filters with the place they were written in. */
  closures: Map<string, { body: Filter; env: Env }>;
  process: Map<string, string>;
  nowMs: number;
}

const typeOf = (v: Json): string => (v === null || v === undefined ? 'null' : Array.isArray(v) ? 'array' : typeof v);

const ORDER = ['null', 'false', 'true', 'number', 'string', 'array', 'object'];
const rank = (v: Json): number => ORDER.indexOf(v === true ? 'true' : v === false ? 'false' : typeOf(v));

function compare(a: Json, b: Json): number {
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

const truthy = (v: Json): boolean => v !== null && v !== undefined && v !== false;

function shown(v: Json): string {
  const s = JSON.stringify(v) ?? 'null';
  return s.length > 11 ? `${s.slice(0, 10)}...` : s;
}

function index(v: Json, k: Json): Json {
  if (v === null || v === undefined) return null;
  if (Array.isArray(v) && typeof k === 'number') return v[Math.floor(k < 0 ? v.length + k : k)] ?? null;
  if (typeOf(v) === 'object' && typeof k === 'string') return Object.hasOwn(v, k) ? v[k] : null;
  throw new JqError(typeof k === 'string' ? `Cannot index ${typeOf(v)} with "${k}"` : `Cannot index ${typeOf(v)} with ${typeOf(k)}`);
}

function merge(a: Json, b: Json): Json {
  const out = { ...a };
  for (const [k, v] of Object.entries(b)) out[k] = typeOf(out[k]) === 'object' && typeOf(v) === 'object' ? merge(out[k], v) : v;
  return out;
}

function arithmetic(op: string, a: Json, b: Json): Json {
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

const COMPARE: Record<string, (d: number) => boolean> = {
  '==': d => d === 0,
  '!=': d => d !== 0,
  '<': d => d < 0,
  '<=': d => d <= 0,
  '>': d => d > 0,
  '>=': d => d >= 0,
};

function* run(f: Filter, v: Json, env: Env): Generator<Json> {
  switch (f.t) {
    case 'identity':
      yield v;
      return;
    case 'recurse':
      yield* recurse(v);
      return;
    case 'literal':
      yield f.v;
      return;
    case 'string': {
      let outs = [''];
      for (const part of f.parts) {
        const texts = typeof part === 'string' ? [part] : [...run(part, v, env)].map(x => (f.format ? format(f.format, x) : text(x)));
        outs = outs.flatMap(o => texts.map(t => o + t));
      }
      yield* outs;
      return;
    }
    case 'format':
      yield format(f.name, v);
      return;
    case 'index':
      for (const base of run(f.of, v, env)) for (const k of run(f.key, v, env)) yield index(base, k);
      return;
    case 'slice':
      for (const base of run(f.of, v, env)) {
        const from = f.from ? (first(f.from, v, env) ?? undefined) : undefined;
        const to = f.to ? (first(f.to, v, env) ?? undefined) : undefined;
        if (base === null) yield null;
        else if (typeof base === 'string' || Array.isArray(base)) yield base.slice(from, to);
        else throw new JqError(`Cannot index ${typeOf(base)} with object`);
      }
      return;
    case 'iterate':
      for (const base of run(f.of, v, env)) {
        if (base === null || typeof base !== 'object')
          throw new JqError(`Cannot iterate over ${typeOf(base)}${base === null ? '' : ` (${shown(base)})`}`);
        yield* Array.isArray(base) ? base : Object.values(base);
      }
      return;
    case 'try':
      try {
        for (const x of run(f.body, v, env)) yield x;
      } catch (e) {
        if (!(e instanceof JqError)) throw e;
        if (f.handler) yield* run(f.handler, e.message, env);
      }
      return;
    case 'pipe':
      for (const x of run(f.a, v, env)) yield* run(f.b, x, env);
      return;
    case 'comma':
      yield* run(f.a, v, env);
      yield* run(f.b, v, env);
      return;
    case 'negate':
      for (const x of run(f.e, v, env)) yield -x;
      return;
    case 'array':
      yield f.e ? [...run(f.e, v, env)] : [];
      return;
    case 'object':
      yield* objects(f.entries, 0, {}, v, env);
      return;
    case 'if':
      for (const test of run(f.test, v, env)) {
        if (truthy(test)) yield* run(f.then, v, env);
        else if (f.otherwise) yield* run(f.otherwise, v, env);
        else yield v;
      }
      return;
    case 'variable':
      if (f.name === 'ENV') yield Object.fromEntries(env.process);
      else if (!env.vars.has(f.name)) throw new JqError(`$${f.name} is not defined`);
      else yield env.vars.get(f.name);
      return;
    case 'bind':
      for (const x of run(f.source, v, env)) yield* run(f.body, v, { ...env, vars: new Map(env.vars).set(f.name, x) });
      return;
    case 'reduce': {
      let acc = first(f.start, v, env);
      for (const x of run(f.source, v, env))
        for (const next of run(f.update, acc, { ...env, vars: new Map(env.vars).set(f.name, x) })) acc = next;
      yield acc;
      return;
    }
    case 'def': {
      const inner: Env = { ...env, functions: new Map(env.functions) };
      inner.functions.set(f.name, { params: f.params, body: f.body, env: inner });
      yield* run(f.rest, v, inner);
      return;
    }
    case 'binary':
      yield* binary(f, v, env);
      return;
    case 'assign':
      yield* assignment(f, v, env);
      return;
    case 'call':
      yield* call(f.name, f.args, v, env);
      return;
  }
}

const first = (f: Filter, v: Json, env: Env): Json => {
  for (const x of run(f, v, env)) return x;
  return undefined;
};

function* recurse(v: Json): Generator<Json> {
  yield v;
  if (v !== null && typeof v === 'object') for (const x of Object.values(v)) yield* recurse(x);
}

function* objects(entries: { key: Filter; value: Filter }[], i: number, done: Json, v: Json, env: Env): Generator<Json> {
  if (i === entries.length) {
    yield done;
    return;
  }
  for (const k of run(entries[i].key, v, env)) {
    if (typeof k !== 'string') throw new JqError(`Object keys must be strings`);
    for (const x of run(entries[i].value, v, env)) yield* objects(entries, i + 1, { ...done, [k]: x }, v, env);
  }
}

function* binary(f: Extract<Filter, { t: 'binary' }>, v: Json, env: Env): Generator<Json> {
  if (f.op === '//') {
    let any = false;
    try {
      for (const x of run(f.a, v, env)) {
        if (!truthy(x)) continue;
        any = true;
        yield x;
      }
    } catch (e) {
      if (!(e instanceof JqError)) throw e;
    }
    if (!any) yield* run(f.b, v, env);
    return;
  }
  if (f.op === 'and' || f.op === 'or') {
    for (const a of run(f.a, v, env)) {
      if (truthy(a) === (f.op === 'or')) yield f.op === 'or';
      else for (const b of run(f.b, v, env)) yield truthy(b);
    }
    return;
  }
  for (const b of run(f.b, v, env))
    for (const a of run(f.a, v, env)) yield COMPARE[f.op] ? COMPARE[f.op](compare(a, b)) : arithmetic(f.op, a, b);
}

/** Paths that a filter selects, for assignments and del. */
function* paths(f: Filter, v: Json, env: Env, at: Json[] = []): Generator<Json[]> {
  switch (f.t) {
    case 'identity':
      yield at;
      return;
    case 'index':
      for (const p of paths(f.of, v, env, at)) for (const k of run(f.key, v, env)) yield [...p, k];
      return;
    case 'iterate':
      for (const p of paths(f.of, v, env, at)) {
        const base = getPath(v, p.slice(at.length));
        for (const k of Array.isArray(base) ? base.keys() : Object.keys(base ?? {})) yield [...p, k];
      }
      return;
    case 'pipe':
      for (const p of paths(f.a, v, env, at)) yield* paths(f.b, getPath(v, p.slice(at.length)), env, p);
      return;
    case 'comma':
      yield* paths(f.a, v, env, at);
      yield* paths(f.b, v, env, at);
      return;
    case 'call':
      if (f.name === 'select') {
        if (truthy(first(f.args[0], v, env))) yield at;
        return;
      }
      if (f.name === 'empty') return;
      break;
    case 'try':
      yield* paths(f.body, v, env, at);
      return;
    case 'recurse':
      yield at;
      if (v !== null && typeof v === 'object')
        for (const [k, x] of Object.entries(v)) yield* paths(f, x, env, [...at, Array.isArray(v) ? Number(k) : k]);
      return;
  }
  throw new JqError('Invalid path expression');
}

const getPath = (v: Json, path: Json[]): Json => path.reduce((x, k) => index(x, k), v);

function setPath(v: Json, path: Json[], x: Json): Json {
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

function deletePath(v: Json, path: Json[]): Json {
  if (v === null || v === undefined) return v;
  const [k, ...rest] = path;
  if (rest.length) return setPath(v, [k], deletePath(index(v, k), rest));
  if (Array.isArray(v)) return v.filter((_, i) => i !== (k < 0 ? v.length + k : k));
  const { [k]: _gone, ...kept } = v;
  return kept;
}

function* assignment(f: Extract<Filter, { t: 'assign' }>, v: Json, env: Env): Generator<Json> {
  const targets = [...paths(f.a, v, env)];
  if (f.op === '|=') {
    let out = v;
    for (const p of targets) {
      const x = first(f.b, getPath(out, p), env);
      out = x === undefined ? deletePath(out, p) : setPath(out, p, x);
    }
    yield out;
    return;
  }
  for (const x of run(f.b, v, env)) {
    let out = v;
    for (const p of targets) {
      const old = getPath(out, p);
      out = setPath(out, p, f.op === '=' ? x : f.op === '//=' ? (truthy(old) ? old : x) : arithmetic(f.op.slice(0, -1), old, x));
    }
    yield out;
  }
}

const text = (v: Json): string => (typeof v === 'string' ? v : (JSON.stringify(v) ?? 'null'));

function format(name: string, v: Json): string {
  switch (name) {
    case 'text':
      return text(v);
    case 'json':
      return JSON.stringify(v);
    case 'base64':
      return base64(stringToBytes(text(v)));
    case 'base64d':
      return bytesToString(unbase64(text(v).padEnd(Math.ceil(text(v).length / 4) * 4, '=')) ?? new Uint8Array(0));
    case 'csv':
      return v.map((x: Json) => (typeof x === 'string' ? `"${x.replace(/"/g, '""')}"` : x === null ? '' : String(x))).join(',');
    case 'tsv':
      return v.map((x: Json) => (x === null ? '' : text(x).replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n'))).join('\t');
    case 'html':
      return text(v).replace(/[<>&'"]/g, c => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&#39;', '"': '&quot;' })[c] as string);
    case 'uri':
      return encodeURIComponent(text(v)).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    case 'sh':
      return (Array.isArray(v) ? v : [v]).map((x: Json) => (typeof x === 'string' ? `'${x.replace(/'/g, "'\\''")}'` : text(x))).join(' ');
    default:
      throw new JqError(`${name} is not a valid format`);
  }
}

function length(v: Json): number {
  if (v === null) return 0;
  if (typeof v === 'string') return [...v].length;
  if (typeof v === 'number') return Math.abs(v);
  if (typeof v === 'boolean') throw new JqError(`boolean (${v}) has no length`);
  return Array.isArray(v) ? v.length : Object.keys(v).length;
}

const listOf = (v: Json): Json[] => {
  if (Array.isArray(v)) return v;
  throw new JqError(`Cannot iterate over ${typeOf(v)}${v === null ? '' : ` (${shown(v)})`}`);
};

function unique<T>(list: T[], same: (a: T, b: T) => boolean): T[] {
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
const SIMPLE: Record<string, (v: Json, env: Env) => Json> = {
  length,
  not: v => !truthy(v),
  keys: v => (Array.isArray(v) ? [...v.keys()] : Object.keys(needObject(v, 'keys')).sort()),
  keys_unsorted: v => (Array.isArray(v) ? [...v.keys()] : Object.keys(needObject(v, 'keys'))),
  values: v => v,
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

function fromJson(v: string): Json {
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

const regex = (source: string, flags: string): RegExp => {
  try {
    return new RegExp(source, flags.replace(/[^gimsu]/g, '').replace('x', ''));
  } catch {
    throw new JqError(`${source} (at offset 0) is not a valid regex`);
  }
};

/** Builtins whose arguments are values. */
const WITH_VALUES: Record<string, (v: Json, ...args: Json[]) => Json> = {
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
  match: (v, re, flags) => matchObject(v, regex(re, flags ?? '')),
  capture: (v, re, flags) => ({ ...(regex(re, flags ?? '').exec(v)?.groups ?? {}) }),
  index: (v, s) => (v.indexOf(s) < 0 ? null : v.indexOf(s)),
  rindex: (v, s) => (v.lastIndexOf(s) < 0 ? null : v.lastIndexOf(s)),
  flatten: (v, depth) => listOf(v).flat(depth),
  getpath: (v, p) => getPath(v, p),
  setpath: (v, p, x) => setPath(v, p, x),
  delpaths: (v, ps) => [...ps].reverse().reduce((x: Json, p: Json[]) => deletePath(x, p), v),
  splits: (v, re) => v.split(regex(re, '')),
  ascii: v => String.fromCharCode(v),
  strftime: (v, f) => strftime(f, v * 1000),
  pow: (_, a, b) => a ** b,
};

function matchObject(v: string, re: RegExp): Json {
  const m = re.exec(v);
  if (!m) throw new JqError('no match');
  return {
    offset: m.index,
    length: m[0].length,
    string: m[0],
    captures: m.slice(1).map(s => ({ offset: s === undefined ? -1 : v.indexOf(s), length: s?.length ?? 0, string: s ?? null, name: null })),
  };
}

function* call(name: string, args: Filter[], v: Json, env: Env): Generator<Json> {
  const closure = env.closures.get(name);
  if (closure && !args.length) {
    yield* run(closure.body, v, closure.env);
    return;
  }
  const own = env.functions.get(name);
  if (own && own.params.length === args.length) {
    const closures = new Map(own.env.closures);
    let vars = own.env.vars;
    own.params.forEach((p, i) => {
      closures.set(p.replace(/^\$/, ''), { body: args[i], env });
      if (p.startsWith('$')) vars = new Map(vars).set(p.slice(1), first(args[i], v, env));
    });
    yield* run(own.body, v, { ...own.env, closures, vars });
    return;
  }
  const simple = args.length === 0 ? SIMPLE[name] : undefined;
  if (simple) {
    yield checked(name, v, () => simple(v, env));
    return;
  }
  if (args.length && WITH_VALUES[name]) {
    const values = args.map(a => first(a, v, env));
    const result = checked(name, v, () => WITH_VALUES[name](v, ...values));
    if (name === 'splits') yield* result;
    else yield result;
    return;
  }
  yield* withFilters(name, args, v, env);
}

/** A builtin that meets a value of the wrong kind is the filter's error, not a bug. */
function checked(name: string, v: Json, f: () => Json): Json {
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

function* withFilters(name: string, args: Filter[], v: Json, env: Env): Generator<Json> {
  const by = (x: Json) => [...run(args[0], x, env)];
  const sortedBy = () =>
    listOf(v)
      .map(x => ({ x, k: by(x) }))
      .sort((a, b) => compare(a.k, b.k));
  switch (`${name}/${args.length}`) {
    case 'empty/0':
      return;
    case 'error/0':
      throw new JqError(text(v));
    case 'error/1':
      throw new JqError(text(first(args[0], v, env)));
    case 'select/1':
      for (const test of run(args[0], v, env)) if (truthy(test)) yield v;
      return;
    case 'map/1':
      yield listOf(v).flatMap(by);
      return;
    case 'map_values/1':
      yield Array.isArray(v)
        ? v.flatMap(x => by(x).slice(0, 1))
        : Object.fromEntries(
            Object.entries(v).flatMap(([k, x]) =>
              by(x)
                .slice(0, 1)
                .map(y => [k, y]),
            ),
          );
      return;
    case 'with_entries/1':
      yield SIMPLE.from_entries(SIMPLE.to_entries(v, env).flatMap(by), env);
      return;
    case 'sort_by/1':
      yield sortedBy().map(e => e.x);
      return;
    case 'group_by/1': {
      const groups: { k: Json; list: Json[] }[] = [];
      for (const e of sortedBy()) {
        const last = groups.at(-1);
        if (last && compare(last.k, e.k) === 0) last.list.push(e.x);
        else groups.push({ k: e.k, list: [e.x] });
      }
      yield groups.map(g => g.list);
      return;
    }
    case 'unique_by/1':
      yield unique(sortedBy(), (a, b) => compare(a.k, b.k) === 0).map(e => e.x);
      return;
    case 'min_by/1':
      yield sortedBy()[0]?.x ?? null;
      return;
    case 'max_by/1':
      yield sortedBy().at(-1)?.x ?? null;
      return;
    case 'any/1':
      yield listOf(v).some(x => by(x).some(truthy));
      return;
    case 'all/1':
      yield listOf(v).every(x => by(x).every(truthy));
      return;
    case 'recurse/0':
      yield* recurse(v);
      return;
    case 'recurse/1':
      yield v;
      for (const x of run(args[0], v, env)) yield* withFilters(name, args, x, env);
      return;
    case 'first/1':
      for (const x of run(args[0], v, env)) {
        yield x;
        return;
      }
      return;
    case 'last/1':
      yield [...run(args[0], v, env)].at(-1);
      return;
    case 'limit/2': {
      let n = first(args[0], v, env);
      if (n > 0)
        for (const x of run(args[1], v, env)) {
          yield x;
          if (--n <= 0) return;
        }
      return;
    }
    case 'range/1':
      for (let i = 0; i < first(args[0], v, env); i++) yield i;
      return;
    case 'range/2':
      for (let i = first(args[0], v, env); i < first(args[1], v, env); i++) yield i;
      return;
    case 'sub/2':
    case 'gsub/2': {
      const re = regex(first(args[0], v, env), name === 'gsub' ? 'g' : '');
      yield v.replace(re, (...m: Json[]) => text(first(args[1], typeof m.at(-1) === 'object' ? m.at(-1) : {}, env)));
      return;
    }
    case 'del/1': {
      let out = v;
      for (const p of [...paths(args[0], v, env)].reverse()) out = deletePath(out, p);
      yield out;
      return;
    }
    case 'path/1':
      yield* paths(args[0], v, env);
      return;
    case 'paths/0':
      for (const p of paths({ t: 'recurse' }, v, env)) if (p.length) yield p;
      return;
    case 'isvalid/1':
      yield by(v).length > 0;
      return;
    case 'objects/0':
    case 'arrays/0':
    case 'strings/0':
    case 'numbers/0':
    case 'booleans/0':
    case 'nulls/0':
      if (`${typeOf(v)}s` === name) yield v;
      return;
    case 'scalars/0':
      if (v === null || typeof v !== 'object') yield v;
      return;
    case 'input_line_number/0':
      yield 0;
      return;
  }
  throw new JqError(`${name}/${args.length} is not defined`);
}

/** The JSON values of a text, one after the other. */
function parseMany(source: string): Json[] {
  const out: Json[] = [];
  let rest = source.trim();
  while (rest) {
    try {
      out.push(JSON.parse(rest));
      return out;
    } catch {
      const end = valueEnd(rest);
      if (end === 0 || end >= rest.length)
        throw new JqError(
          `Invalid ${/^["[{]/.test(rest) ? 'literal' : 'numeric literal'} at line 1, column ${Math.max(1, rest.search(/\s|$/))}`,
        );
      try {
        out.push(JSON.parse(rest.slice(0, end)));
      } catch {
        throw new JqError(`Invalid numeric literal at line 1, column ${Math.max(1, rest.search(/\s|$/))}`);
      }
      rest = rest.slice(end).trimStart();
    }
  }
  return out;
}

function valueEnd(s: string): number {
  if (!/^[[{"]/.test(s)) return /^[^\s[\]{}",]+/.exec(s)?.[0].length ?? 0;
  let depth = 0;
  for (let i = 0; i < s.length; i++) {
    if (s[i] === '"') {
      i++;
      while (i < s.length && s[i] !== '"') i += s[i] === '\\' ? 2 : 1;
    } else if (s[i] === '[' || s[i] === '{') depth++;
    else if (s[i] === ']' || s[i] === '}') depth--;
    if (depth === 0) return i + 1;
  }
  return s.length;
}

const sortKeys = (v: Json): Json =>
  Array.isArray(v)
    ? v.map(sortKeys)
    : typeOf(v) === 'object'
      ? Object.fromEntries(
          Object.keys(v)
            .sort()
            .map(k => [k, sortKeys(v[k])]),
        )
      : v;

interface Options {
  flags: Set<string>;
  filter: string | null;
  files: string[];
  vars: Map<string, Json>;
  indent: number | string;
}

function options(argv: string[]): Options | string {
  const o: Options = { flags: new Set(), filter: null, files: [], vars: new Map(), indent: 2 };
  const positional: Json[] = [];
  const named: Record<string, Json> = {};
  const long: Record<string, string> = {
    'raw-output': 'r',
    'compact-output': 'c',
    'null-input': 'n',
    slurp: 's',
    'exit-status': 'e',
    'join-output': 'j',
    'raw-input': 'R',
    'sort-keys': 'S',
    tab: 't',
    'color-output': 'C',
    'monochrome-output': 'M',
    'ascii-output': 'a',
  };
  for (let i = 0; i < argv.length; i++) {
    const a = argv[i];
    if (a === '--arg' || a === '--argjson') {
      const [name, value] = [argv[++i], argv[++i]];
      named[name] = a === '--arg' ? value : fromJson(value);
    } else if (a === '--args') {
      positional.push(...argv.slice(i + 1));
      break;
    } else if (a === '--indent') o.indent = Number(argv[++i]);
    else if (a.startsWith('--') && a.length > 2) {
      const letter = long[a.slice(2)];
      if (!letter) return a;
      o.flags.add(letter);
    } else if (/^-[A-Za-z]+$/.test(a)) for (const c of a.slice(1)) o.flags.add(c);
    else if (o.filter === null) o.filter = a;
    else o.files.push(a);
  }
  for (const [k, v] of Object.entries(named)) o.vars.set(k, v);
  o.vars.set('ARGS', { positional, named });
  o.vars.set('__prog_args', positional);
  if (o.flags.has('c')) o.indent = 0;
  if (o.flags.has('t')) o.indent = '\t';
  return o;
}

const USAGE = 'Usage:\tjq [OPTIONS] FILTER [FILES...]\n';

export const jq = (u: Userland): Program =>
  function* (p) {
    const o = options(p.argv.slice(1));
    if (typeof o === 'string' || o.filter === null) {
      complain(p, `${typeof o === 'string' ? `jq: Unknown arguments\n` : ''}${USAGE}`);
      return 2;
    }
    const r: Run = { p, u, bb: false, name: 'jq', options: new Map(), args: [] };
    let filter: Filter;
    try {
      filter = parseJq(o.filter);
    } catch (e) {
      if (!(e instanceof JqError)) throw e;
      complain(p, `jq: error: ${e.message}\njq: 1 compile error\n`);
      return 3;
    }
    let source = '';
    let status = 0;
    if (!o.flags.has('n')) {
      if (!o.files.length) source = bytesToString(yield* stdinAll(p));
      for (const file of o.files) {
        const data = yield* slurp({ ...r, name: 'jq: error' }, file);
        if (typeof data === 'string') status = 2;
        else source += bytesToString(data);
      }
    }
    const env: Env = { vars: o.vars, functions: new Map(), closures: new Map(), process: p.env, nowMs: p.kernel.sim.nowMs };
    let last: Json;
    try {
      const inputs = o.flags.has('n') ? [null] : o.flags.has('R') ? source.replace(/\n$/, '').split('\n') : parseMany(source);
      for (const input of o.flags.has('s') && !o.flags.has('n') ? [o.flags.has('R') ? source : inputs] : inputs) {
        try {
          for (const v of run(filter, input, env)) {
            last = v;
            const shape = o.flags.has('S') ? sortKeys(v) : v;
            const raw = (o.flags.has('r') || o.flags.has('j')) && typeof v === 'string';
            print(p, (raw ? v : (JSON.stringify(shape ?? null, null, o.indent) ?? 'null')) + (o.flags.has('j') ? '' : '\n'));
          }
        } catch (e) {
          if (!(e instanceof JqError)) throw e;
          complain(p, `jq: error (at <stdin>:${source.split('\n').length - 1}): ${e.message}\n`);
          status = 5;
        }
      }
    } catch (e) {
      if (!(e instanceof JqError)) throw e;
      complain(p, `jq: parse error: ${e.message}\n`);
      return 2;
    }
    if (o.flags.has('e') && status === 0) return last === undefined ? 4 : truthy(last) ? 0 : 1;
    return status;
  };
