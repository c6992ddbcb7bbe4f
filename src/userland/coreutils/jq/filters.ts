// jq's builtins whose arguments are filters: they run them, some of them many times.
import { regex, SIMPLE, unique } from './builtins.ts';
import { type Filter, JqError, JqHalt } from './parse.ts';
import { paths } from './paths.ts';
import { type Env, first, recurse, run } from './run.ts';
import { compare, deletePath, type Json, listOf, shown, text, truthy, typeOf } from './values.ts';

type WithFilters = (args: Filter[], v: Json, env: Env, name: string) => Generator<Json>;

const by = (f: Filter, env: Env) => (x: Json) => [...run(f, x, env)];

const sortedBy = (f: Filter, v: Json, env: Env): { x: Json; k: Json[] }[] =>
  listOf(v)
    .map(x => ({ x, k: by(f, env)(x) }))
    .sort((a, b) => compare(a.k, b.k));

function* mapValues([f]: Filter[], v: Json, env: Env): Generator<Json> {
  const outputs = by(f, env);
  yield Array.isArray(v)
    ? v.flatMap(x => outputs(x).slice(0, 1))
    : Object.fromEntries(
        Object.entries(v).flatMap(([k, x]) =>
          outputs(x)
            .slice(0, 1)
            .map(y => [k, y]),
        ),
      );
}

function* groupBy([f]: Filter[], v: Json, env: Env): Generator<Json> {
  const groups: { k: Json; list: Json[] }[] = [];
  for (const e of sortedBy(f, v, env)) {
    const last = groups.at(-1);
    if (last && compare(last.k, e.k) === 0) last.list.push(e.x);
    else groups.push({ k: e.k, list: [e.x] });
  }
  yield groups.map(g => g.list);
}

function* recurseBy([f]: Filter[], v: Json, env: Env): Generator<Json> {
  yield v;
  for (const x of run(f, v, env)) yield* recurseBy([f], x, env);
}

function* limit([count, f]: Filter[], v: Json, env: Env): Generator<Json> {
  let n = first(count, v, env);
  if (n > 0)
    for (const x of run(f, v, env)) {
      yield x;
      if (--n <= 0) return;
    }
}

function* substitute([re, by]: Filter[], v: Json, env: Env, name: string): Generator<Json> {
  const pattern = regex(first(re, v, env), name === 'gsub' ? 'g' : '');
  yield v.replace(pattern, (...m: Json[]) => text(first(by, typeof m.at(-1) === 'object' ? m.at(-1) : {}, env)));
}

/** The matches of a regular expression; a list stands for expression and flags. */
function* matched([re, flags]: Filter[], v: Json, env: Env): Generator<Json> {
  const given = first(re, v, env);
  const [source, letters] = Array.isArray(given) ? given : [given, flags ? first(flags, v, env) : ''];
  if (typeof v !== 'string') throw new JqError(`${typeOf(v)} (${shown(v)}) cannot be matched, as it is not a string`);
  const all = (letters ?? '').includes('g');
  const names = [...source.matchAll(/\((?!\?)|\(\?<(\w+)>/g)].map(m => m[1] ?? null);
  for (const m of v.matchAll(regex(source, `${(letters ?? '').replace('g', '')}g`))) {
    let from = 0;
    const captures = m.slice(1).map((s, i) => {
      // Where a group lies within its match: groups follow each other.
      const at = s === undefined ? -1 : m[0].indexOf(s, from);
      if (at >= 0) from = at;
      return { offset: at < 0 ? -1 : m.index + at, length: s?.length ?? 0, string: s ?? null, name: names[i] };
    });
    yield { offset: m.index, length: m[0].length, string: m[0], captures };
    if (!all) return;
  }
}

function* captured(args: Filter[], v: Json, env: Env): Generator<Json> {
  for (const m of matched(args, v, env))
    yield Object.fromEntries(m.captures.filter((c: Json) => c.name).map((c: Json) => [c.name, c.string]));
}

function* ofItsType(_: Filter[], v: Json, __: Env, name: string): Generator<Json> {
  if (`${typeOf(v)}s` === name) yield v;
}

/** By name and number of arguments. */
const WITH_FILTERS: Record<string, WithFilters> = {
  *'empty/0'() {},
  *'error/0'(_, v) {
    throw new JqError(text(v));
  },
  *'error/1'([f], v, env) {
    throw new JqError(text(first(f, v, env)));
  },
  *'select/1'([f], v, env) {
    for (const test of run(f, v, env)) if (truthy(test)) yield v;
  },
  *'map/1'([f], v, env) {
    yield listOf(v).flatMap(by(f, env));
  },
  'map_values/1': mapValues,
  *'with_entries/1'([f], v, env) {
    yield SIMPLE.from_entries(SIMPLE.to_entries(v, env).flatMap(by(f, env)), env);
  },
  *'sort_by/1'([f], v, env) {
    yield sortedBy(f, v, env).map(e => e.x);
  },
  'group_by/1': groupBy,
  *'unique_by/1'([f], v, env) {
    yield unique(sortedBy(f, v, env), (a, b) => compare(a.k, b.k) === 0).map(e => e.x);
  },
  *'min_by/1'([f], v, env) {
    yield sortedBy(f, v, env)[0]?.x ?? null;
  },
  *'max_by/1'([f], v, env) {
    yield sortedBy(f, v, env).at(-1)?.x ?? null;
  },
  *'any/1'([f], v, env) {
    yield listOf(v).some(x => by(f, env)(x).some(truthy));
  },
  *'all/1'([f], v, env) {
    yield listOf(v).every(x => by(f, env)(x).every(truthy));
  },
  *'recurse/0'(_, v) {
    yield* recurse(v);
  },
  'recurse/1': recurseBy,
  *'first/1'([f], v, env) {
    for (const x of run(f, v, env)) {
      yield x;
      return;
    }
  },
  *'last/1'([f], v, env) {
    yield [...run(f, v, env)].at(-1);
  },
  'limit/2': limit,
  *'range/1'([end], v, env) {
    for (let i = 0; i < first(end, v, env); i++) yield i;
  },
  *'range/2'([start, end], v, env) {
    for (let i = first(start, v, env); i < first(end, v, env); i++) yield i;
  },
  'sub/2': substitute,
  'gsub/2': substitute,
  *'del/1'([f], v, env) {
    let out = v;
    for (const p of [...paths(f, v, env)].reverse()) out = deletePath(out, p);
    yield out;
  },
  *'path/1'([f], v, env) {
    yield* paths(f, v, env);
  },
  *'paths/0'(_, v, env) {
    for (const p of paths({ t: 'recurse' }, v, env)) if (p.length) yield p;
  },
  *'isvalid/1'([f], v, env) {
    yield by(f, env)(v).length > 0;
  },
  'objects/0': ofItsType,
  'arrays/0': ofItsType,
  'strings/0': ofItsType,
  'numbers/0': ofItsType,
  'booleans/0': ofItsType,
  'nulls/0': ofItsType,
  *'scalars/0'(_, v) {
    if (v === null || typeof v !== 'object') yield v;
  },
  *'input/0'(_, __, env) {
    const x = env.next();
    if (x === undefined) throw new JqError('No more inputs');
    yield x;
  },
  *'inputs/0'(_, __, env) {
    for (let x = env.next(); x !== undefined; x = env.next()) yield x;
  },
  *'input_filename/0'(_, __, env) {
    yield env.file;
  },
  *'halt/0'() {
    throw new JqHalt(null, 0);
  },
  *'halt_error/1'([f], v, env) {
    throw new JqHalt(typeof v === 'string' ? v : `${JSON.stringify(v)}\n`, first(f, v, env));
  },
  'match/1': matched,
  'match/2': matched,
  'capture/1': captured,
  'capture/2': captured,
  *'input_line_number/0'() {
    yield 0;
  },
};

export const hasFilter = (name: string, count: number): boolean => Object.hasOwn(WITH_FILTERS, `${name}/${count}`);

export function* withFilters(name: string, args: Filter[], v: Json, env: Env): Generator<Json> {
  const builtin = WITH_FILTERS[`${name}/${args.length}`];
  if (!builtin) throw new JqError(`${name}/${args.length} is not defined`);
  yield* builtin(args, v, env, name);
}
