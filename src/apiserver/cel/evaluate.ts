// What an expression is worth (cel-go interpreter v0.26.0).

import type { Expr } from './ast.ts';
import type { Library, Overload } from './library.ts';
import type { Type } from './types.ts';
import {
  CelError,
  compareValues,
  Duration,
  equal,
  MapVal,
  NO_OVERLOAD,
  Obj,
  Opaque,
  Opt,
  Timestamp,
  TypeVal,
  Uint,
  type Val,
} from './values.ts';

export interface Activation {
  library: Library;
  /** undefined: there is no such variable. */
  resolve: (name: string) => Val | undefined;
}

export function evaluate(e: Expr, a: Activation): Val {
  switch (e.k) {
    case 'const':
      return e.value;
    case 'ident': {
      const v = a.resolve(e.name);
      if (v !== undefined) return v;
      return new TypeVal(e.name);
    }
    case 'select':
      return select(e, a);
    case 'call':
      return call(e, a);
    case 'list': {
      const out: Val[] = [];
      e.items.forEach((x, i) => {
        put(evaluate(x, a), e.optional.includes(i), v => out.push(v));
      });
      return out;
    }
    case 'map': {
      const out = new MapVal();
      for (const { key, value, optional } of e.entries) {
        const k = evaluate(key, a);
        put(evaluate(value, a), optional, v => insert(out, k, v));
      }
      return out;
    }
    case 'struct':
      throw new CelError(`unknown type: '${e.name}'`);
    case 'macro':
      return macro(e, a);
  }
}

function put(v: Val, optional: boolean, add: (v: Val) => void): void {
  if (!optional) add(v);
  else if (v instanceof Opt) {
    if (v.value !== undefined) add(v.value);
  } else throw new CelError(NO_OVERLOAD);
}

function insert(m: MapVal, k: Val, v: Val): void {
  if (m.get(k) !== undefined) throw new CelError(`insert failed: key ${typeof k === 'string' ? k : String(k)} already exists`);
  for (const [id, e] of MapVal.of([[k, v]]).entries) m.entries.set(id, e);
}

/** undefined: the field is not there. */
function fieldOf(v: Val, name: string): Val | undefined {
  if (v instanceof Obj) return v.fields.get(name);
  if (v instanceof MapVal) return v.get(name);
  throw new CelError(NO_OVERLOAD);
}

function select(e: Expr & { k: 'select' }, a: Activation): Val {
  const target = evaluate(e.of, a);
  const held = target instanceof Opt ? target.value : target;
  const field = held === undefined ? undefined : fieldOf(held, e.field);
  if (e.test) return field !== undefined;
  if (e.optional || target instanceof Opt) return wrap(field);
  if (field === undefined) throw new CelError(`no such key: ${e.field}`);
  return field;
}

const wrap = (v: Val | undefined): Opt => (v instanceof Opt ? v : new Opt(v));

function index(e: Expr & { k: 'call' }, a: Activation): Val {
  const target = evaluate(e.args[0], a);
  const key = evaluate(e.args[1], a);
  const optional = e.fn === '_[?_]' || target instanceof Opt;
  const held = target instanceof Opt ? target.value : target;
  if (held === undefined) return new Opt(undefined);
  let v: Val | undefined;
  if (Array.isArray(held)) {
    const n = typeof key === 'bigint' ? Number(key) : key instanceof Uint ? Number(key.n) : typeof key === 'number' ? key : undefined;
    if (n === undefined) throw new CelError(`unsupported index type '${typeof key}' in list`);
    v = held[n];
    if (v === undefined && !optional) throw new CelError(`index out of bounds: ${n}`);
  } else if (held instanceof MapVal || held instanceof Obj) {
    v = held instanceof MapVal ? held.get(key) : held.fields.get(String(key));
    if (v === undefined && !optional) throw new CelError(`no such key: ${key instanceof Uint ? key.n : String(key)}`);
  } else throw new CelError(NO_OVERLOAD);
  return optional ? wrap(v) : (v as Val);
}

type Outcome = { value: Val } | { error: CelError };

function attempt(e: Expr, a: Activation): Outcome {
  try {
    return { value: evaluate(e, a) };
  } catch (error) {
    if (error instanceof CelError) return { error };
    throw error;
  }
}

/** Whichever side decides does so whatever the other one is; an error is told only when none does. */
function logic(outcomes: Iterable<Outcome>, decides: boolean): Val {
  let failed: CelError | null = null;
  for (const o of outcomes) {
    if ('error' in o) failed ??= o.error;
    else if (o.value === decides) return decides;
    else if (typeof o.value !== 'boolean') failed ??= new CelError(NO_OVERLOAD);
  }
  if (failed) throw failed;
  return !decides;
}

function* each(list: Expr[], a: Activation): Generator<Outcome> {
  for (const e of list) yield attempt(e, a);
}

function truth(v: Val): boolean {
  if (typeof v !== 'boolean') throw new CelError(NO_OVERLOAD);
  return v;
}

function call(e: Expr & { k: 'call' }, a: Activation): Val {
  switch (e.fn) {
    case '_&&_':
      return logic(each(e.args, a), false);
    case '_||_':
      return logic(each(e.args, a), true);
    case '_?_:_':
      return evaluate(truth(evaluate(e.args[0], a)) ? e.args[1] : e.args[2], a);
    case '_[_]':
    case '_[?_]':
      return index(e, a);
    case '_==_':
      return equal(evaluate(e.args[0], a), evaluate(e.args[1], a));
    case '_!=_':
      return !equal(evaluate(e.args[0], a), evaluate(e.args[1], a));
    case 'or':
    case 'orValue':
      if (e.target && e.args.length === 1) return alternative(e.target, e.args[0], e.fn, a);
  }
  const args: Val[] = [];
  if (e.target) args.push(evaluate(e.target, a));
  for (const x of e.args) args.push(evaluate(x, a));
  const overload = (a.library.get(e.fn) ?? []).find(o => o.member === (e.target !== null) && fits(o, args));
  if (!overload) throw new CelError(NO_OVERLOAD);
  return overload.run(...args);
}

function alternative(target: Expr, other: Expr, fn: string, a: Activation): Val {
  const v = evaluate(target, a);
  if (!(v instanceof Opt)) throw new CelError(NO_OVERLOAD);
  if (v.value === undefined) return evaluate(other, a);
  return fn === 'or' ? v : v.value;
}

const fits = (o: Overload, args: Val[]): boolean => o.params.length === args.length && o.params.every((p, i) => isA(p, args[i]));

/** Does a value belong to a declared type? Elements are not asked. */
function isA(t: Type, v: Val): boolean {
  switch (t.k) {
    case 'bool':
      return typeof v === 'boolean';
    case 'int':
      return typeof v === 'bigint';
    case 'double':
      return typeof v === 'number';
    case 'string':
      return typeof v === 'string';
    case 'uint':
      return v instanceof Uint;
    case 'bytes':
      return v instanceof Uint8Array;
    case 'null':
      return v === null;
    case 'list':
      return Array.isArray(v);
    case 'map':
      return v instanceof MapVal;
    case 'object':
      return v instanceof Obj;
    case 'duration':
      return v instanceof Duration;
    case 'timestamp':
      return v instanceof Timestamp;
    case 'optional':
      return v instanceof Opt;
    case 'type':
      return v instanceof TypeVal;
    case 'opaque':
      return v instanceof Opaque && v.type === t.name;
    default:
      return true;
  }
}

/** What a macro goes over: of a list its elements (with two variables before them their indexes), of a map its keys (and values). */
function itemsOf(v: Val, two: boolean): Val[][] {
  if (Array.isArray(v)) return v.map((x, i) => (two ? [BigInt(i), x] : [x]));
  if (v instanceof MapVal) return [...v.entries.values()].map(([k, x]) => (two ? [k, x] : [k]));
  if (v instanceof Obj) return [...v.fields].map(([k, x]) => (two ? [k, x] : [k]));
  throw new CelError(NO_OVERLOAD);
}

function bind(a: Activation, names: string[], values: Val[]): Activation {
  return { library: a.library, resolve: name => (names.includes(name) ? values[names.indexOf(name)] : a.resolve(name)) };
}

function macro(e: Expr & { k: 'macro' }, a: Activation): Val {
  const range = evaluate(e.range, a);
  if (e.name === 'optMap' || e.name === 'optFlatMap') {
    if (!(range instanceof Opt)) throw new CelError(NO_OVERLOAD);
    if (range.value === undefined) return range;
    const v = evaluate(e.body, bind(a, e.vars, [range.value]));
    return e.name === 'optMap' ? new Opt(v) : v;
  }
  const inner = itemsOf(range, e.vars.length === 2).map(values => ({ values, a: bind(a, e.vars, values) }));
  const outcomes = function* () {
    for (const x of inner) yield attempt(e.body, x.a);
  };
  if (e.name === 'all') return logic(outcomes(), false);
  if (e.name === 'exists') return logic(outcomes(), true);
  const chosen = e.filter ? inner.filter(x => truth(evaluate(e.filter as Expr, x.a))) : inner;
  switch (e.name) {
    case 'existsOne':
      return inner.filter(x => truth(evaluate(e.body, x.a))).length === 1;
    case 'filter':
      return inner.filter(x => truth(evaluate(e.body, x.a))).map(x => x.values[0]);
    case 'sortBy':
      return sorted(inner.map(x => ({ key: evaluate(e.body, x.a), value: x.values[0] })));
    case 'transformMap': {
      const out = new MapVal();
      for (const x of chosen) {
        insert(out, x.values[0], evaluate(e.body, x.a));
      }
      return out;
    }
    case 'transformMapEntry': {
      const out = new MapVal();
      for (const x of chosen) {
        const entry = evaluate(e.body, x.a);
        if (!(entry instanceof MapVal)) throw new CelError(NO_OVERLOAD);
        for (const [k, v] of entry.entries.values()) insert(out, k, v);
      }
      return out;
    }
    default:
      return chosen.map(x => evaluate(e.body, x.a));
  }
}

function sorted(items: { key: Val; value: Val }[]): Val[] {
  return items.sort((x, y) => compareValues(x.key, y.key)).map(x => x.value);
}
