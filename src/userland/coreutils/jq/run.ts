// jq's machine: a filter yields its outputs for an input.
import { checked, SIMPLE, WITH_VALUES } from './builtins.ts';
import { hasFilter, withFilters } from './filters.ts';
import { format } from './format.ts';
import { type Filter, JqError } from './parse.ts';
import { assignment } from './paths.ts';
import { prelude } from './prelude.ts';
import { arithmetic, COMPARE, compare, index, type Json, shown, text, truthy, typeOf } from './values.ts';

export interface Env {
  vars: Map<string, Json>;
  /** By name and number of parameters: `f/1`. */
  functions: Map<string, { params: string[]; body: Filter; env: Env }>;
  /** Arguments of functions: filters with the place they were written in. */
  closures: Map<string, { body: Filter; env: Env }>;
  process: Map<string, string>;
  nowMs: number;
  /** The next input that nobody has taken; undefined: there is none. */
  next: () => Json | undefined;
  /** The file that the inputs come from; null: standard input. */
  file: string | null;
}

export function* run(f: Filter, v: Json, env: Env): Generator<Json> {
  switch (f.t) {
    case 'identity':
      yield v;
      return;
    case 'recurse':
      return yield* recurse(v);
    case 'literal':
      yield f.v;
      return;
    case 'string':
      return yield* interpolated(f, v, env);
    case 'format':
      yield format(f.name, v);
      return;
    case 'index':
      for (const base of run(f.of, v, env)) for (const k of run(f.key, v, env)) yield index(base, k);
      return;
    case 'slice':
      return yield* slices(f, v, env);
    case 'iterate':
      for (const base of run(f.of, v, env)) yield* elements(base);
      return;
    case 'try':
      return yield* caught(f, v, env);
    case 'pipe':
      for (const x of run(f.a, v, env)) yield* run(f.b, x, env);
      return;
    case 'comma':
      yield* run(f.a, v, env);
      return yield* run(f.b, v, env);
    case 'negate':
      for (const x of run(f.e, v, env)) yield -x;
      return;
    case 'array':
      yield f.e ? [...run(f.e, v, env)] : [];
      return;
    case 'object':
      return yield* objects(f.entries, 0, {}, v, env);
    case 'if':
      for (const test of run(f.test, v, env)) yield* run(truthy(test) ? f.then : (f.otherwise ?? IDENTITY), v, env);
      return;
    case 'variable':
      if (f.name === 'ENV') yield Object.fromEntries(env.process);
      else if (!env.vars.has(f.name)) throw new JqError(`$${f.name} is not defined`);
      else yield env.vars.get(f.name);
      return;
    case 'bind':
      for (const x of run(f.source, v, env)) yield* run(f.body, v, binding(env, f.name, x));
      return;
    case 'reduce':
      yield reduced(f, v, env);
      return;
    case 'foreach':
      return yield* stepped(f, v, env);
    case 'def': {
      const inner: Env = { ...env, functions: new Map(env.functions) };
      inner.functions.set(`${f.name}/${f.params.length}`, { params: f.params, body: f.body, env: inner });
      return yield* run(f.rest, v, inner);
    }
    case 'binary':
      return yield* binary(f, v, env);
    case 'assign':
      return yield* assignment(f, v, env);
    case 'call':
      return yield* call(f.name, f.args, v, env);
  }
}

export const first = (f: Filter, v: Json, env: Env): Json => {
  for (const x of run(f, v, env)) return x;
  return undefined;
};

const IDENTITY: Filter = { t: 'identity' };

const binding = (env: Env, name: string, x: Json): Env => ({ ...env, vars: new Map(env.vars).set(name, x) });

function interpolated(f: Extract<Filter, { t: 'string' }>, v: Json, env: Env): string[] {
  let outs = [''];
  for (const part of f.parts) {
    const texts = typeof part === 'string' ? [part] : [...run(part, v, env)].map(x => (f.format ? format(f.format, x) : text(x)));
    outs = outs.flatMap(o => texts.map(t => o + t));
  }
  return outs;
}

function* slices(f: Extract<Filter, { t: 'slice' }>, v: Json, env: Env): Generator<Json> {
  for (const base of run(f.of, v, env)) {
    const from = f.from ? (first(f.from, v, env) ?? undefined) : undefined;
    const to = f.to ? (first(f.to, v, env) ?? undefined) : undefined;
    if (base === null) yield null;
    else if (typeof base === 'string' || Array.isArray(base)) yield base.slice(from, to);
    else throw new JqError(`Cannot index ${typeOf(base)} with object`);
  }
}

function elements(v: Json): Json[] {
  if (v === null || typeof v !== 'object') throw new JqError(`Cannot iterate over ${typeOf(v)}${v === null ? '' : ` (${shown(v)})`}`);
  return Array.isArray(v) ? v : Object.values(v);
}

function* caught(f: Extract<Filter, { t: 'try' }>, v: Json, env: Env): Generator<Json> {
  try {
    for (const x of run(f.body, v, env)) yield x;
  } catch (e) {
    if (!(e instanceof JqError)) throw e;
    if (f.handler) yield* run(f.handler, e.message, env);
  }
}

function reduced(f: Extract<Filter, { t: 'reduce' }>, v: Json, env: Env): Json {
  let acc = first(f.start, v, env);
  for (const x of run(f.source, v, env)) for (const next of run(f.update, acc, binding(env, f.name, x))) acc = next;
  return acc;
}

function* stepped(f: Extract<Filter, { t: 'foreach' }>, v: Json, env: Env): Generator<Json> {
  let acc = first(f.start, v, env);
  for (const x of run(f.source, v, env)) {
    const inner = binding(env, f.name, x);
    for (const next of run(f.update, acc, inner)) {
      acc = next;
      if (f.extract) yield* run(f.extract, acc, inner);
      else yield acc;
    }
  }
}

export function* recurse(v: Json): Generator<Json> {
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

/** What jq itself defines in its language sees none of the program's own names. */
function fromPrelude(name: string, count: number, env: Env): { params: string[]; body: Filter; env: Env } | undefined {
  if (isBuiltin(name, count)) return undefined;
  const found = prelude().get(`${name}/${count}`);
  return found && { ...found, env: { ...env, functions: new Map(), closures: new Map() } };
}

/** Is it one of those that are written in TypeScript? */
export const isBuiltin = (name: string, count: number): boolean =>
  (count === 0 && Object.hasOwn(SIMPLE, name)) || (count > 0 && Object.hasOwn(WITH_VALUES, name)) || hasFilter(name, count);

function* call(name: string, args: Filter[], v: Json, env: Env): Generator<Json> {
  const closure = env.closures.get(name);
  if (closure && !args.length) {
    yield* run(closure.body, v, closure.env);
    return;
  }
  const own = env.functions.get(`${name}/${args.length}`) ?? fromPrelude(name, args.length, env);
  if (own) {
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
