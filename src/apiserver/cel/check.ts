// Static types of an expression, or what is wrong with it (cel-go checker/checker.go v0.26.0). Names with dots are resolved on the way.

import type { Expr } from './ast.ts';
import type { Issue } from './lexer.ts';
import type { Library, Overload } from './library.ts';
import {
  assignable,
  type Bindings,
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  ERROR,
  formatType,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  substitute,
  TIMESTAMP,
  type Type,
  typeOf,
  UINT,
} from './types.ts';
import { Uint } from './values.ts';
import { RESERVED } from './words.ts';

export interface Scope {
  variables: Map<string, Type>;
  library: Library;
}

interface Checker extends Scope {
  issues: Issue[];
  /** Within the arguments of `format` a list's elements may be of any types. */
  mixed: boolean;
}

/** Names of types are values too. */
const TYPES: Record<string, Type> = {
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  null_type: NULL,
  list: listOf(DYN),
  map: mapOf(DYN, DYN),
  type: typeOf(DYN),
  dyn: DYN,
  'google.protobuf.Duration': DURATION,
  'google.protobuf.Timestamp': TIMESTAMP,
};
const OPAQUE = /^(?:kubernetes\.(?:URL|Quantity|NamedFormat|Semver|authorization\.\w+)|net\.(?:IP|CIDR))$/;

const typeNamed = (name: string): Type | undefined =>
  Object.hasOwn(TYPES, name) ? TYPES[name] : OPAQUE.test(name) ? { k: 'opaque', name } : undefined;

export function check(e: Expr, scope: Scope): { type: Type; issues: Issue[] } {
  const c: Checker = { ...scope, issues: [], mixed: false };
  const type = infer(c, e);
  return { type, issues: c.issues.sort((a, b) => a.at - b.at) };
}

function wrong(c: Checker, at: number, message: string): Type {
  c.issues.push({ at, message });
  return ERROR;
}

function infer(c: Checker, e: Expr): Type {
  switch (e.k) {
    case 'const':
      return constant(e.value);
    case 'ident':
      return identifier(c, e);
    case 'select':
      return select(c, e);
    case 'call':
      return call(c, e);
    case 'list':
      return listLiteral(c, e);
    case 'map':
      return mapLiteral(c, e);
    case 'struct':
      return wrong(c, e.at, `undeclared reference to '${e.name}' (in container '')`);
    case 'macro':
      return macro(c, e);
  }
}

function constant(v: unknown): Type {
  if (v === null) return NULL;
  if (v instanceof Uint) return UINT;
  if (v instanceof Uint8Array) return BYTES;
  if (typeof v === 'bigint') return INT;
  if (typeof v === 'number') return DOUBLE;
  return typeof v === 'string' ? STRING : BOOL;
}

function identifier(c: Checker, e: Expr & { k: 'ident' }): Type {
  const declared = c.variables.get(e.name);
  if (declared) return declared;
  const named = typeNamed(e.name);
  return named ? typeOf(named) : wrong(c, e.at, `undeclared reference to '${e.name}' (in container '')`);
}

/** `a.b.c` when nothing but names is in it. */
function qualified(e: Expr | null): string | null {
  if (e?.k === 'ident') return e.name;
  if (e?.k !== 'select' || e.test || e.optional) return null;
  const before = qualified(e.of);
  return before === null ? null : `${before}.${e.field}`;
}

const rootName = (e: Expr): string => (e.k === 'select' ? rootName(e.of) : e.k === 'ident' ? e.name : '');

function select(c: Checker, e: Expr & { k: 'select' }): Type {
  const name = qualified(e);
  const whole = name ? c.variables.get(name) : undefined;
  if (whole && !e.test) {
    Object.assign(e, { k: 'ident', name });
    return whole;
  }
  if (name && !c.variables.has(rootName(e))) {
    const named = typeNamed(name);
    if (named) {
      Object.assign(e, { k: 'ident', name });
      return typeOf(named);
    }
  }
  const target = infer(c, e.of);
  const within = target.k === 'optional' ? target.of : target;
  const field = fieldType(c, within, e);
  if (e.test) return BOOL;
  return (e.optional || target.k === 'optional') && field.k !== 'optional' && field.k !== 'error' ? optionalOf(field) : field;
}

function fieldType(c: Checker, t: Type, e: Expr & { k: 'select' }): Type {
  switch (t.k) {
    case 'object': {
      // A keyword may be written as it is.
      const name = !t.fields.has(e.field) && RESERVED.has(e.field) ? `__${e.field}__` : e.field;
      const type = t.fields.get(name);
      if (!type) return wrong(c, e.at, `undefined field '${e.field}'`);
      e.field = name;
      return type;
    }
    case 'map':
      return t.of;
    case 'dyn':
    case 'error':
    case 'param':
      return DYN;
    default:
      return wrong(c, e.at, `type '${formatType(t)}' does not support field selection`);
  }
}

function call(c: Checker, e: Expr & { k: 'call' }): Type {
  const before = e.target && qualified(e.target);
  if (before && !c.variables.has(rootName(e.target as Expr)) && c.library.has(`${before}.${e.fn}`)) {
    e.fn = `${before}.${e.fn}`;
    e.target = null;
  }
  if (e.fn === '_[_]' || e.fn === '_[?_]') return index(c, e);
  if (e.fn === '_&&_' || e.fn === '_||_') {
    for (const x of e.args) expectBool(c, infer(c, x), x.at);
    return BOOL;
  }
  const overloads = c.library.get(e.fn);
  if (!overloads) {
    for (const x of [e.target, ...e.args]) if (x) infer(c, x);
    return wrong(c, e.at, `undeclared reference to '${e.fn}' (in container '')`);
  }
  const inner = e.fn === 'format' ? { ...c, mixed: true } : c;
  const args = [...(e.target ? [e.target] : []), ...e.args].map(x => infer(inner, x));
  return resolve(c, e, overloads, args);
}

function resolve(c: Checker, e: Expr & { k: 'call' }, overloads: Overload[], args: Type[]): Type {
  if (args.some(a => a.k === 'error')) return ERROR;
  const results: Type[] = [];
  for (const o of overloads) {
    if (o.member !== (e.target !== null) || o.params.length !== args.length) continue;
    const b: Bindings = new Map();
    if (o.params.every((p, i) => assignable(p, args[i], b))) results.push(substitute(o.result, b));
  }
  if (!results.length) return noMatch(c, e, args);
  const [first] = results;
  return results.every(r => formatType(r) === formatType(first)) ? first : DYN;
}

function noMatch(c: Checker, e: Expr & { k: 'call' }, args: Type[]): Type {
  const shown = args.map(formatType);
  const to = e.target ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`;
  return wrong(c, e.at, `found no matching overload for '${e.fn}' applied to '${to}'`);
}

function index(c: Checker, e: Expr & { k: 'call' }): Type {
  const [of, key] = e.args.map(a => infer(c, a));
  if (of.k === 'error' || key.k === 'error') return ERROR;
  const within = of.k === 'optional' ? of.of : of;
  const optional = e.fn === '_[?_]' || of.k === 'optional';
  let t: Type = DYN;
  if (within.k === 'list') {
    if (!['int', 'dyn', 'param'].includes(key.k)) return noMatch(c, e, [of, key]);
    t = within.of;
  } else if (within.k === 'map') {
    if (!assignable(within.key, key, new Map())) return noMatch(c, e, [of, key]);
    t = within.of;
  } else if (within.k !== 'dyn' && within.k !== 'param') return noMatch(c, e, [of, key]);
  return optional && t.k !== 'optional' ? optionalOf(t) : t;
}

/** Elements of literals are of one type, or of types that dyn stands for. */
function join(c: Checker, before: Type | null, t: Type, at: number): Type {
  if (!before || before.k === 'error') return t;
  if (assignable(before, t, new Map())) return before.k === 'null' || before.k === 'param' ? t : before;
  if (assignable(t, before, new Map())) return t;
  if (c.mixed) return DYN;
  return wrong(c, at, `expected type '${formatType(before)}' but found '${formatType(t)}'`);
}

const UNKNOWN: Type = { k: 'param', name: '_' };

/** What an optional element or entry puts in. */
function unwrapped(c: Checker, t: Type, optional: boolean, at: number): Type {
  if (!optional || t.k === 'dyn' || t.k === 'error') return t;
  return t.k === 'optional' ? t.of : wrong(c, at, `expected type 'optional_type(${formatType(t)})' but found '${formatType(t)}'`);
}

function listLiteral(c: Checker, e: Expr & { k: 'list' }): Type {
  let of: Type | null = null;
  e.items.forEach((x, i) => {
    of = join(c, of, unwrapped(c, infer(c, x), e.optional.includes(i), x.at), x.at);
  });
  return listOf(of ?? UNKNOWN);
}

function mapLiteral(c: Checker, e: Expr & { k: 'map' }): Type {
  let key: Type | null = null;
  let of: Type | null = null;
  for (const x of e.entries) {
    key = join(c, key, infer(c, x.key), x.key.at);
    of = join(c, of, unwrapped(c, infer(c, x.value), x.optional, x.value.at), x.value.at);
  }
  return mapOf(key ?? UNKNOWN, of ?? UNKNOWN);
}

const isBool = (t: Type): boolean => ['bool', 'dyn', 'error', 'param'].includes(t.k);

function expectBool(c: Checker, t: Type, at: number): void {
  if (!isBool(t)) wrong(c, at, `expected type 'bool' but found '${formatType(t)}'`);
}

/** The types of a macro's variables. */
function ranged(c: Checker, e: Expr & { k: 'macro' }): Type[] {
  const t = infer(c, e.range);
  if (e.name === 'optMap' || e.name === 'optFlatMap') {
    if (t.k !== 'optional' && t.k !== 'dyn' && t.k !== 'error') {
      return [wrong(c, e.range.at, `found no matching overload for 'hasValue' applied to '${formatType(t)}.()'`)];
    }
    return [t.k === 'optional' ? t.of : DYN];
  }
  const two = e.vars.length === 2;
  if (t.k === 'list') return two ? [INT, t.of] : [t.of];
  if (t.k === 'map' && e.name !== 'sortBy') return two ? [t.key, t.of] : [t.key];
  if (t.k === 'dyn' || t.k === 'error' || t.k === 'param') return e.vars.map(() => DYN);
  const why = `expression of type '${formatType(t)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
  wrong(c, e.range.at, why);
  return e.vars.map(() => ERROR);
}

function macro(c: Checker, e: Expr & { k: 'macro' }): Type {
  const types = ranged(c, e);
  const inner: Checker = { ...c, variables: new Map(c.variables) };
  e.vars.forEach((name, i) => {
    inner.variables.set(name, types[i].k === 'param' ? DYN : types[i]);
  });
  const choice = (t: Type, result: Type) => {
    if (!isBool(t))
      wrong(c, e.at, `found no matching overload for '_?_:_' applied to '(${[t, result, result].map(formatType).join(', ')})'`);
  };
  if (e.filter) choice(infer(inner, e.filter), listOf(DYN));
  const body = infer(inner, e.body);
  switch (e.name) {
    case 'all':
    case 'exists':
      expectBool(c, body, e.body.at);
      return BOOL;
    case 'existsOne':
      choice(body, INT);
      return BOOL;
    case 'filter': {
      const result = listOf(types[types.length - 1]);
      choice(body, result);
      return result;
    }
    case 'map':
    case 'transformList':
      return listOf(body);
    case 'transformMap':
      return mapOf(types[0], body);
    case 'transformMapEntry':
      return body.k === 'map' ? body : mapOf(DYN, DYN);
    case 'optMap':
      return optionalOf(body);
    case 'optFlatMap':
      return body;
    case 'sortBy':
      return listOf(types[0]);
  }
}
