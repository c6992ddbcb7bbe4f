// Evaluates the trees: statements and expressions over scopes. Everything may wait, so everything is a generator.
import type { Co } from '../../sim/task.ts';
import { PyError, unmodelled } from './lex.ts';
import { methodOf } from './methods.ts';
import { arithmetic, compare } from './operators.ts';
import type { Expr, Stmt } from './parse.ts';
import {
  Bound,
  Class,
  Fn,
  findIn,
  format,
  Instance,
  isA,
  iterate,
  type Keywords,
  repr,
  type Scope,
  str,
  Thing,
  Tuple,
  truth,
  typeName,
  type Value,
} from './values.ts';

export interface Interpreter {
  globals: Scope;
  builtins: Map<string, Value>;
  /** null: there is no such module. */
  module: (name: string) => Thing | null;
  steps: number;
}

/** A raised object on its way up. */
class Raised extends PyError {
  value: Instance;
  constructor(value: Instance, line: number) {
    super(value.cls.name, value.attrs.has('message') ? str(value.attrs.get('message')) : '', line);
    this.value = value;
  }
}

type Signal = { k: 'return'; value: Value } | { k: 'break' | 'continue' } | null;

/** A program that never waits must end some time; whoever waits begins to count again. */
const MOST_STEPS = 500_000;

export function* execute(x: Interpreter, body: Stmt[], scope: Scope): Co<Signal> {
  for (const s of body) {
    if (++x.steps > MOST_STEPS) throw unmodelled('patience for such a long computation');
    const signal = yield* statement(x, s, scope);
    if (signal) return signal;
  }
  return null;
}

function* statement(x: Interpreter, s: Stmt, scope: Scope): Co<Signal> {
  switch (s.k) {
    case 'expr':
      yield* evaluate(x, s.value, scope);
      return null;
    case 'assign': {
      const value = yield* evaluate(x, s.value, scope);
      for (const t of s.targets) yield* assign(x, t, value, scope);
      return null;
    }
    case 'aug': {
      const old = yield* evaluate(x, s.target, scope);
      const more = yield* evaluate(x, s.value, scope);
      yield* assign(x, s.target, arithmetic(s.op, old, more, s.line), scope);
      return null;
    }
    case 'if':
      for (const [test, body] of s.branches) if (!test || truth(yield* evaluate(x, test, scope))) return yield* execute(x, body, scope);
      return null;
    case 'while':
      while (truth(yield* evaluate(x, s.test, scope))) {
        const signal = yield* execute(x, s.body, scope);
        if (signal?.k === 'return') return signal;
        if (signal?.k === 'break') break;
      }
      return null;
    case 'for':
      for (const item of [...iterate(yield* evaluate(x, s.source, scope))]) {
        yield* assign(x, s.target, item, scope);
        const signal = yield* execute(x, s.body, scope);
        if (signal?.k === 'return') return signal;
        if (signal?.k === 'break') break;
      }
      return null;
    case 'def':
      set(scope, s.name, new Fn(s.name, s.params, s.body, scope, yield* defaults(x, s.params, scope)));
      return null;
    case 'class': {
      const bases: Class[] = [];
      for (const b of s.bases) bases.push(yield* evaluate(x, b, scope));
      const inner: Scope = { vars: new Map(), parent: scope, outer: new Set() };
      yield* execute(x, s.body, inner);
      set(scope, s.name, new Class(s.name, bases, inner.vars));
      return null;
    }
    case 'return':
      return { k: 'return', value: s.value ? yield* evaluate(x, s.value, scope) : null };
    case 'raise': {
      const value = s.value ? yield* evaluate(x, s.value, scope) : null;
      const raised = value instanceof Class ? yield* call(x, value, [], new Map(), s.line) : value;
      if (!(raised instanceof Instance)) throw new PyError('RuntimeError', 'No active exception to reraise', s.line);
      throw new Raised(raised, s.line);
    }
    case 'try':
      return yield* tryStatement(x, s, scope);
    case 'with': {
      const value = yield* evaluate(x, s.value, scope);
      if (s.name) yield* assign(x, s.name, value, scope);
      return yield* execute(x, s.body, scope);
    }
    case 'import':
      load(x, s, scope);
      return null;
    case 'global':
      for (const n of s.names) scope.outer.add(n);
      return null;
    case 'pass':
      return null;
    default:
      return { k: s.k };
  }
}

function* tryStatement(x: Interpreter, s: Extract<Stmt, { k: 'try' }>, scope: Scope): Co<Signal> {
  try {
    const signal = yield* execute(x, s.body, scope);
    return signal ?? (yield* execute(x, s.orElse, scope));
  } catch (e) {
    if (!(e instanceof PyError)) throw e;
    for (const h of s.handlers) {
      const type = h.type ? yield* evaluate(x, h.type, scope) : null;
      const wanted: Class[] = type === null ? [] : type instanceof Tuple ? type.items : [type];
      const thrown = e instanceof Raised ? e.value : instanceOf(x, e);
      if (type !== null && !wanted.some(w => w instanceof Class && isA(thrown.cls, w))) continue;
      if (h.name) set(scope, h.name, thrown);
      return yield* execute(x, h.body, scope);
    }
    throw e;
  } finally {
    if (s.last.length) yield* execute(x, s.last, scope);
  }
}

function instanceOf(x: Interpreter, e: PyError): Instance {
  const known = x.builtins.get(e.type);
  const i = new Instance(known instanceof Class ? known : new Class(e.type, [x.builtins.get('Exception')], new Map()));
  i.attrs.set('message', e.message);
  return i;
}

function load(x: Interpreter, s: Extract<Stmt, { k: 'import' }>, scope: Scope): void {
  const found = x.module(s.module);
  if (!found) throw new PyError('ModuleNotFoundError', `No module named '${s.module}'`, s.line);
  if (!s.names) {
    const first = s.module.split('.')[0];
    set(scope, s.as ?? first, s.as ? found : (x.module(first) ?? found));
    return;
  }
  for (const [own, as] of s.names) {
    const value = found.attrs.get(own) ?? x.module(`${s.module}.${own}`);
    if (value === undefined || value === null) throw new PyError('ImportError', `cannot import name '${own}' from '${s.module}'`, s.line);
    set(scope, as, value);
  }
}

function set(scope: Scope, name: string, value: Value): void {
  let at = scope;
  if (scope.outer.has(name)) while (at.parent && (at === scope || !at.vars.has(name))) at = at.parent;
  at.vars.set(name, value);
}

function get(x: Interpreter, scope: Scope, name: string, line: number): Value {
  for (let at: Scope | null = scope; at; at = at.parent) if (at.vars.has(name)) return at.vars.get(name);
  if (x.builtins.has(name)) return x.builtins.get(name);
  throw new PyError('NameError', `name '${name}' is not defined`, line);
}

function* assign(x: Interpreter, target: Expr, value: Value, scope: Scope): Co<void> {
  if (target.k === 'name') set(scope, target.name, value);
  else if (target.k === 'tuple' || target.k === 'list') {
    const items = iterate(value);
    if (items.length !== target.items.length)
      throw new PyError(
        'ValueError',
        items.length < target.items.length
          ? `not enough values to unpack (expected ${target.items.length}, got ${items.length})`
          : `too many values to unpack (expected ${target.items.length})`,
      );
    for (const [i, t] of target.items.entries()) yield* assign(x, t, items[i], scope);
  } else if (target.k === 'attr') {
    const of = yield* evaluate(x, target.of, scope);
    of.attrs.set(target.name, value);
  } else if (target.k === 'index') {
    const of = yield* evaluate(x, target.of, scope);
    const at = yield* evaluate(x, target.at, scope);
    if (of instanceof Map) of.set(at, value);
    else if (Array.isArray(of)) of[at < 0 ? of.length + at : at] = value;
    else throw new PyError('TypeError', `'${typeName(of)}' object does not support item assignment`, target.line);
  } else throw new PyError('SyntaxError', 'cannot assign to expression');
}

function* defaults(x: Interpreter, params: { usual: Expr | null }[], scope: Scope): Co<Value[]> {
  const out: Value[] = [];
  for (const p of params) out.push(p.usual ? yield* evaluate(x, p.usual, scope) : undefined);
  return out;
}

export function* evaluate(x: Interpreter, e: Expr, scope: Scope): Co<Value> {
  switch (e.k) {
    case 'const':
      return e.value;
    case 'name':
      return get(x, scope, e.name, e.line);
    case 'joined': {
      let out = '';
      for (const p of e.parts) {
        if (typeof p === 'string') out += p;
        else {
          const v = yield* evaluate(x, p.value, scope);
          out += p.repr ? repr(v) : format(v, p.spec);
        }
      }
      return out;
    }
    case 'list':
    case 'tuple':
    case 'set': {
      const items: Value[] = [];
      for (const i of e.items) items.push(yield* evaluate(x, i, scope));
      return e.k === 'list' ? items : e.k === 'set' ? new Set(items) : new Tuple(items);
    }
    case 'dict': {
      const out = new Map<Value, Value>();
      for (const [k, v] of e.items) {
        const value = yield* evaluate(x, v, scope);
        if (k) out.set(yield* evaluate(x, k, scope), value);
        else for (const [a, b] of value as Map<Value, Value>) out.set(a, b);
      }
      return out;
    }
    case 'comp':
      return yield* comprehension(x, e, scope);
    case 'attr':
      return attribute(x, yield* evaluate(x, e.of, scope), e.name, e.line);
    case 'index':
      return yield* index(x, e, scope);
    case 'call': {
      const fn = yield* evaluate(x, e.fn, scope);
      const args: Value[] = [];
      const keywords: Keywords = new Map();
      for (const a of e.args) {
        const v = yield* evaluate(x, a.value, scope);
        if (a.star === '*') args.push(...iterate(v));
        else if (a.star === '**') for (const [k, y] of v) keywords.set(k, y);
        else if (a.name) keywords.set(a.name, v);
        else args.push(v);
      }
      return yield* call(x, fn, args, keywords, e.line);
    }
    case 'unary': {
      const v = yield* evaluate(x, e.of, scope);
      return e.op === 'not' ? !truth(v) : e.op === '-' ? -v : e.op === '~' ? ~v : v;
    }
    case 'binary':
      return arithmetic(e.op, yield* evaluate(x, e.a, scope), yield* evaluate(x, e.b, scope), e.line);
    case 'compare': {
      let a = yield* evaluate(x, e.first, scope);
      for (const [op, other] of e.rest) {
        const b = yield* evaluate(x, other, scope);
        if (!compare(op, a, b)) return false;
        a = b;
      }
      return true;
    }
    case 'and':
    case 'or': {
      const a = yield* evaluate(x, e.a, scope);
      return truth(a) === (e.k === 'or') ? a : yield* evaluate(x, e.b, scope);
    }
    case 'if':
      return yield* evaluate(x, truth(yield* evaluate(x, e.test, scope)) ? e.a : e.b, scope);
    case 'lambda':
      return new Fn('<lambda>', e.params, [{ k: 'return', value: e.body }], scope, yield* defaults(x, e.params, scope));
    default:
      throw unmodelled(`"${e.k}" here`);
  }
}

function* comprehension(x: Interpreter, e: Extract<Expr, { k: 'comp' }>, scope: Scope): Co<Value> {
  const inner: Scope = { vars: new Map(), parent: scope, outer: new Set() };
  const pairs: [Value, Value][] = [];
  next: for (const item of [...iterate(yield* evaluate(x, e.source, scope))]) {
    yield* assign(x, e.target, item, inner);
    for (const t of e.tests) if (!truth(yield* evaluate(x, t, inner))) continue next;
    pairs.push([e.key ? yield* evaluate(x, e.key, inner) : null, yield* evaluate(x, e.value, inner)]);
  }
  if (e.of === 'dict') return new Map(pairs);
  const values = pairs.map(p => p[1]);
  return e.of === 'set' ? new Set(values) : values;
}

function* index(x: Interpreter, e: Extract<Expr, { k: 'index' }>, scope: Scope): Co<Value> {
  const of = yield* evaluate(x, e.of, scope);
  if (e.at.k === 'slice') {
    const from = e.at.from ? yield* evaluate(x, e.at.from, scope) : undefined;
    const to = e.at.to ? yield* evaluate(x, e.at.to, scope) : undefined;
    if (typeof of === 'string') return [...of].slice(from, to).join('');
    return of instanceof Tuple ? new Tuple(of.items.slice(from, to)) : of.slice(from, to);
  }
  const at = yield* evaluate(x, e.at, scope);
  if (of instanceof Map) {
    if (!of.has(at)) throw new PyError('KeyError', repr(at), e.line);
    return of.get(at);
  }
  if (of instanceof Thing && of.attrs.has('__getitem__')) return yield* call(x, of.attrs.get('__getitem__'), [at], new Map(), e.line);
  const items = typeof of === 'string' ? [...of] : of instanceof Tuple ? of.items : of;
  if (!Array.isArray(items) && !(items instanceof Uint8Array))
    throw new PyError('TypeError', `'${typeName(of)}' object is not subscriptable`, e.line);
  const value = items.at(at);
  if (value === undefined) throw new PyError('IndexError', `${typeName(of)} index out of range`, e.line);
  return value;
}

export function attribute(x: Interpreter, of: Value, name: string, line: number): Value {
  if (of instanceof Instance) {
    if (of.attrs.has(name)) return of.attrs.get(name);
    const found = findIn(of.cls, name);
    if (found !== undefined) return found instanceof Fn || typeof found === 'function' ? new Bound(of, found) : found;
    if (name === '__class__') return of.cls;
  } else if (of instanceof Class) {
    if (name === '__name__') return of.name;
    const found = findIn(of, name);
    if (found !== undefined) return found;
  } else if (of instanceof Thing) {
    if (of.attrs.has(name)) return of.attrs.get(name);
    const sub = x.module(`${of.name}.${name}`);
    if (sub) return sub;
    throw new PyError('AttributeError', `module '${of.name}' has no attribute '${name}'`, line);
  } else {
    const method = methodOf(of, name);
    if (method) return method;
  }
  throw new PyError('AttributeError', `'${typeName(of)}' object has no attribute '${name}'`, line);
}

export function* call(x: Interpreter, fn: Value, args: Value[], keywords: Keywords, line: number): Co<Value> {
  if (fn instanceof Bound) return yield* call(x, fn.fn, [fn.self, ...args], keywords, line);
  if (typeof fn === 'function') return yield* fn(args, keywords);
  if (fn instanceof Class) {
    const made = new Instance(fn);
    const init = findIn(fn, '__init__');
    if (init !== undefined) yield* call(x, init, [made, ...args], keywords, line);
    else if (args.length) made.attrs.set('message', args[0]);
    return made;
  }
  if (!(fn instanceof Fn)) throw new PyError('TypeError', `'${typeName(fn)}' object is not callable`, line);
  const scope: Scope = { vars: new Map(), parent: fn.scope, outer: new Set() };
  const rest = [...args];
  for (const [i, p] of fn.params.entries()) {
    if (p.star === '*') scope.vars.set(p.name, new Tuple(rest.splice(0)));
    else if (p.star === '**') scope.vars.set(p.name, new Map(keywords));
    else if (rest.length) scope.vars.set(p.name, rest.shift());
    else if (keywords.has(p.name)) scope.vars.set(p.name, keywords.get(p.name));
    else if (fn.defaults[i] !== undefined) scope.vars.set(p.name, fn.defaults[i]);
    else throw new PyError('TypeError', `${fn.name}() missing 1 required positional argument: '${p.name}'`, line);
  }
  if (rest.length)
    throw new PyError(
      'TypeError',
      `${fn.name}() takes ${fn.params.length} positional argument${fn.params.length === 1 ? '' : 's'} but ${args.length} were given`,
      line,
    );
  const signal = yield* execute(x, fn.body, scope);
  return signal?.k === 'return' ? signal.value : null;
}
