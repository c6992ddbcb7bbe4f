// Paths that a filter selects, and what is assigned to them.
import { type Filter, JqError } from './parse.ts';
import { type Env, first, run } from './run.ts';
import { arithmetic, deletePath, getPath, type Json, setPath, truthy } from './values.ts';

/** Paths that a filter selects, for assignments and del. */
export function* paths(f: Filter, v: Json, env: Env, at: Json[] = []): Generator<Json[]> {
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

export function* assignment(f: Extract<Filter, { t: 'assign' }>, v: Json, env: Env): Generator<Json> {
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
