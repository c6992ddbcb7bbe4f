// Python's values as JavaScript's: None null, dict Map, list Array, bytes Uint8Array; the rest are the classes below.
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { PyError } from './lex.ts';
import type { Param, Stmt } from './parse.ts';

export type Value = any;
export type Keywords = Map<string, Value>;
export type Native = (args: Value[], keywords: Keywords) => Co<Value>;

export class Tuple {
  items: Value[];
  constructor(items: Value[]) {
    this.items = items;
  }
}

export interface Scope {
  vars: Map<string, Value>;
  parent: Scope | null;
  /** Names that belong to the module, or to the function around. */
  outer: Set<string>;
}

export class Fn {
  name: string;
  params: Param[];
  body: Stmt[];
  scope: Scope;
  defaults: Value[];
  constructor(name: string, params: Param[], body: Stmt[], scope: Scope, defaults: Value[]) {
    this.name = name;
    this.params = params;
    this.body = body;
    this.scope = scope;
    this.defaults = defaults;
  }
}

export class Class {
  name: string;
  bases: Class[];
  attrs: Map<string, Value>;
  constructor(name: string, bases: Class[], attrs: Map<string, Value>) {
    this.name = name;
    this.bases = bases;
    this.attrs = attrs;
  }
}

export class Instance {
  cls: Class;
  attrs = new Map<string, Value>();
  constructor(cls: Class) {
    this.cls = cls;
  }
}

/** A module, or an object of the library's. */
export class Thing {
  name: string;
  attrs: Map<string, Value>;
  constructor(name: string, attrs: Record<string, Value>) {
    this.name = name;
    this.attrs = new Map(Object.entries(attrs));
  }
}

export class Bound {
  self: Value;
  fn: Value;
  constructor(self: Value, fn: Value) {
    this.self = self;
    this.fn = fn;
  }
}

/** A function that needs no time. */
export const native = (f: (args: Value[], keywords: Keywords) => Value): Native =>
  function* (args, keywords) {
    return f(args, keywords);
  };

export function findIn(cls: Class, name: string): Value {
  if (cls.attrs.has(name)) return cls.attrs.get(name);
  for (const b of cls.bases) {
    const found = findIn(b, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export const isA = (cls: Class, other: Class): boolean => cls === other || cls.bases.some(b => isA(b, other));

export function typeName(v: Value): string {
  if (v === null) return 'NoneType';
  if (typeof v === 'boolean') return 'bool';
  if (typeof v === 'string') return 'str';
  if (typeof v === 'number') return Number.isInteger(v) ? 'int' : 'float';
  if (v instanceof Uint8Array) return 'bytes';
  if (Array.isArray(v)) return 'list';
  if (v instanceof Map) return 'dict';
  if (v instanceof Set) return 'set';
  if (v instanceof Tuple) return 'tuple';
  if (v instanceof Instance) return v.cls.name;
  if (v instanceof Class) return 'type';
  if (v instanceof Thing) return 'module';
  return 'function';
}

export function truth(v: Value): boolean {
  if (v === null || v === false || v === 0 || v === '') return false;
  if (Array.isArray(v) || v instanceof Uint8Array) return v.length > 0;
  if (v instanceof Tuple) return v.items.length > 0;
  if (v instanceof Map || v instanceof Set) return v.size > 0;
  return true;
}

export function repr(v: Value): string {
  if (typeof v === 'string') {
    const quote = v.includes("'") && !v.includes('"') ? '"' : "'";
    const text = v.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
    return quote + (quote === "'" ? text.replaceAll("'", "\\'") : text) + quote;
  }
  if (v instanceof Uint8Array) return `b${repr(bytesToString(v))}`;
  return str(v);
}

export function str(v: Value): string {
  if (v === null) return 'None';
  if (v === true) return 'True';
  if (v === false) return 'False';
  if (typeof v === 'string') return v;
  if (typeof v === 'number') return String(v);
  if (v instanceof Uint8Array) return repr(v);
  if (Array.isArray(v)) return `[${v.map(repr).join(', ')}]`;
  if (v instanceof Tuple) return `(${v.items.map(repr).join(', ')}${v.items.length === 1 ? ',' : ''})`;
  if (v instanceof Map) return `{${[...v].map(([k, x]) => `${repr(k)}: ${repr(x)}`).join(', ')}}`;
  if (v instanceof Set) return v.size ? `{${[...v].map(repr).join(', ')}}` : 'set()';
  if (v instanceof Instance) return v.attrs.has('message') ? str(v.attrs.get('message')) : `<__main__.${v.cls.name} object>`;
  if (v instanceof Class) return `<class '__main__.${v.name}'>`;
  if (v instanceof Thing) return v.attrs.has('__str__') ? v.attrs.get('__str__') : `<module '${v.name}'>`;
  return `<function ${v?.name ?? ''}>`;
}

export function iterate(v: Value): Value[] {
  if (Array.isArray(v)) return v;
  if (v instanceof Tuple) return v.items;
  if (v instanceof Map) return [...v.keys()];
  if (v instanceof Set) return [...v];
  if (typeof v === 'string') return [...v];
  if (v instanceof Uint8Array) return [...v];
  throw new PyError('TypeError', `'${typeName(v)}' object is not iterable`);
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a instanceof Tuple && b instanceof Tuple) return equal(a.items, b.items);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => equal(x, b[i]));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return bytesToString(a) === bytesToString(b);
  if (a instanceof Map && b instanceof Map) return a.size === b.size && [...a].every(([k, x]) => b.has(k) && equal(x, b.get(k)));
  return typeof a === 'boolean' || typeof b === 'boolean'
    ? typeof a !== 'string' && typeof b !== 'string' && Number(a) === Number(b) && a !== null && b !== null
    : false;
}

/** `:.2f`, `:5d`, `:>10`, `:,` and the like. */
export function format(v: Value, spec: string): string {
  if (!spec) return str(v);
  const m = /^(?:(.)?([<>^]))?(0)?(\d+)?(,)?(?:\.(\d+))?([dfs%xX])?$/.exec(spec);
  if (!m) throw new PyError('ValueError', 'Invalid format specifier');
  const [, fill = ' ', align, zero, width, comma, digits, type] = m;
  let text = str(v);
  if (typeof v === 'number') {
    if (type === 'f' || (digits !== undefined && type !== '%')) text = v.toFixed(Number(digits ?? 6));
    else if (type === '%') text = `${(v * 100).toFixed(Number(digits ?? 6))}%`;
    else if (type === 'x' || type === 'X') text = type === 'x' ? v.toString(16) : v.toString(16).toUpperCase();
    if (comma) text = text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  } else if (digits !== undefined) text = text.slice(0, Number(digits));
  const gap = Number(width ?? 0) - [...text].length;
  if (gap <= 0) return text;
  if (zero) return text.startsWith('-') ? `-${'0'.repeat(gap)}${text.slice(1)}` : '0'.repeat(gap) + text;
  const how = align ?? (typeof v === 'number' ? '>' : '<');
  const left = how === '>' ? gap : how === '^' ? Math.floor(gap / 2) : 0;
  return fill.repeat(left) + text + fill.repeat(gap - left);
}
