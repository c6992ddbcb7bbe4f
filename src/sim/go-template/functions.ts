// Functions of Go templates (text/template/funcs.go, fmt). bigint = Go's int, number = float64.

import { bytesToString, hex, stringToBytes } from '../bytes.ts';
import { sprint } from '../go-print.ts';
import { goQuote } from '../quote.ts';

/** A map's missing key: reflect's zero Value. */
export const NO_VALUE = Symbol('<no value>');

/** Thrown with a message; the caller adds where it happened. */
export interface CallError {
  call: string;
}
export const bad = (message: string): never => {
  throw { call: message } satisfies CallError;
};

const TYPES = new WeakMap<object, string>();

/** A value of this Go type: `[]string`, `map[string]string`, or a struct (`*dns.Msg`), whose functions are its methods. */
export function typed<T extends object>(value: T, type: string): T {
  TYPES.set(value, type);
  return value;
}

export const isStruct = (v: unknown): boolean => typeof v === 'object' && v !== null && /^\*?\w+\./.test(TYPES.get(v) ?? '');

export const typeName = (v: unknown): string => {
  const known = typeof v === 'object' && v !== null ? TYPES.get(v) : undefined;
  if (known) return known;
  if (v === null || v === undefined || v === NO_VALUE) return '<nil>';
  if (typeof v === 'bigint') return 'int';
  if (typeof v === 'number') return 'float64';
  if (typeof v === 'boolean') return 'bool';
  if (typeof v === 'string') return 'string';
  return Array.isArray(v) ? '[]interface {}' : 'map[string]interface {}';
};

export function show(v: unknown): string {
  if (v === NO_VALUE) return '<no value>';
  if (isStruct(v)) {
    const { String: stringer } = v as { String?: () => string };
    if (typeof stringer === 'function') return stringer();
  }
  return sprint(typeof v === 'bigint' ? Number(v) : v);
}

/** template.IsTrue */
export function truth(v: unknown): boolean {
  if (v === NO_VALUE || v === null || v === undefined || v === false) return false;
  if (typeof v === 'string') return v.length > 0;
  if (typeof v === 'number') return v !== 0;
  if (typeof v === 'bigint') return v !== 0n;
  if (Array.isArray(v)) return v.length > 0;
  return typeof v === 'object' ? Object.keys(v).length > 0 : true;
}

export function indexInto(item: unknown, key: unknown): unknown {
  if (item === null || item === undefined || item === NO_VALUE) return bad('index of untyped nil');
  if (Array.isArray(item) || typeof item === 'string') {
    if (typeof key !== 'bigint')
      return bad(
        key === null || key === NO_VALUE ? 'cannot index slice/array with nil' : `cannot index slice/array with type ${typeName(key)}`,
      );
    const size = typeof item === 'string' ? stringToBytes(item).length : item.length;
    if (key < 0n || key >= BigInt(size)) return bad(`index out of range: ${key}`);
    return typeof item === 'string' ? BigInt(stringToBytes(item)[Number(key)]) : item[Number(key)];
  }
  if (typeof item === 'object') {
    if (typeof key !== 'string') return bad(`value has type ${typeName(key)}; should be string`);
    const o = item as Record<string, unknown>;
    return Object.hasOwn(o, key) ? o[key] : TYPES.get(o) === 'map[string]string' ? '' : NO_VALUE;
  }
  return bad(`can't index item of type ${typeName(item)}`);
}

function slice(args: unknown[]): unknown {
  const [item, ...indexes] = args;
  if (typeof item !== 'string' && !Array.isArray(item))
    return bad(item === null || item === NO_VALUE ? 'slice of untyped nil' : `can't slice item of type ${typeName(item)}`);
  if (indexes.length > 3) return bad(`too many slice indexes: ${indexes.length}`);
  const bytes = typeof item === 'string' ? stringToBytes(item) : null;
  const size = bytes ? bytes.length : item.length;
  for (const i of indexes) {
    if (typeof i !== 'bigint') return bad(`cannot index slice/array with type ${typeName(i)}`);
    if (i < 0n || i > BigInt(size)) return bad(`index out of range: ${i}`);
  }
  const [from, to] = [Number(indexes[0] ?? 0n), Number(indexes[1] ?? BigInt(size))];
  if (from > to) return bad(`invalid slice index: ${from} > ${to}`);
  return bytes ? bytesToString(bytes.slice(from, to)) : (item as unknown[]).slice(from, to);
}

function len(v: unknown): bigint {
  if (typeof v === 'string') return BigInt(stringToBytes(v).length);
  if (Array.isArray(v)) return BigInt(v.length);
  if (typeof v === 'object' && v !== null) return BigInt(Object.keys(v).length);
  return bad(v === null || v === NO_VALUE || v === undefined ? 'len of nil pointer' : `len of type ${typeName(v)}`);
}

const kindOf = (v: unknown): string =>
  ({ bigint: 'int', number: 'float', boolean: 'bool', string: 'string' })[typeof v as 'bigint'] ?? 'other';

function equal(a: unknown, b: unknown): boolean {
  const nothing = (v: unknown) => v === null || v === undefined || v === NO_VALUE;
  if (nothing(a) || nothing(b)) return nothing(a) === nothing(b);
  if (kindOf(a) === 'other' || kindOf(b) === 'other')
    return bad(kindOf(a) === kindOf(b) ? `non-comparable type ${show(a)}: ${typeName(a)}` : 'incompatible types for comparison');
  if (kindOf(a) !== kindOf(b)) return bad('incompatible types for comparison');
  return a === b;
}

function eq(args: unknown[]): boolean {
  if (args.length < 2) return bad('missing argument for comparison');
  return args.slice(1).some(b => equal(args[0], b));
}

function less(a: unknown, b: unknown): boolean {
  for (const v of [a, b]) if (kindOf(v) === 'other' || kindOf(v) === 'bool') return bad('invalid type for comparison');
  if (kindOf(a) !== kindOf(b)) return bad('incompatible types for comparison');
  return (a as string) < (b as string);
}

const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;', '\0': '�' };

/** fmt.Sprint: spaces between operands when neither is a string. */
function printAll(args: unknown[]): string {
  return args.map((a, i) => (i && typeof a !== 'string' && typeof args[i - 1] !== 'string' ? ` ${show(a)}` : show(a))).join('');
}

const println = (args: unknown[]): string => `${args.map(show).join(' ')}\n`;

/** By name. `most`: absent, any number. `call` may throw a CallError. */
export type Functions = Record<
  string,
  {
    least: number;
    most?: number /** Of its parameters, where they are not interfaces. */;
    types?: ('string' | 'int')[];
    call: (args: unknown[]) => unknown;
  }
>;

/** The built-in ones. */
export const FUNCTIONS: Functions = {
  not: { least: 1, most: 1, call: a => !truth(a[0]) },
  len: { least: 1, most: 1, call: a => len(a[0]) },
  index: { least: 1, call: a => a.slice(1).reduce(indexInto, a[0]) },
  slice: { least: 1, call: slice },
  print: { least: 0, call: printAll },
  println: { least: 0, call: println },
  printf: { least: 1, call: a => sprintf(String(a[0]), a.slice(1)) },
  html: { least: 0, call: a => printAll(a).replace(/[&<>"'\0]/g, c => HTML[c]) },
  js: {
    least: 0,
    call: a =>
      printAll(a).replace(
        /[\\'"<>&=\0-\x1f]/g,
        c => ({ '\\': '\\\\', "'": "\\'", '"': '\\"' })[c] ?? `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
      ),
  },
  urlquery: {
    least: 0,
    call: a =>
      encodeURIComponent(printAll(a))
        .replace(/%20/g, '+')
        .replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  },
  eq: { least: 1, call: eq },
  ne: { least: 2, most: 2, call: a => !equal(a[0], a[1]) },
  lt: { least: 2, most: 2, call: a => less(a[0], a[1]) },
  le: { least: 2, most: 2, call: a => less(a[0], a[1]) || equal(a[0], a[1]) },
  gt: { least: 2, most: 2, call: a => !less(a[0], a[1]) && !equal(a[0], a[1]) },
  ge: { least: 2, most: 2, call: a => !less(a[0], a[1]) },
  call: {
    least: 1,
    call: a => bad(a[0] === null || a[0] === NO_VALUE ? 'call of nil' : `non-function ${show(a[0])} of type ${typeName(a[0])}`),
  },
};

/** `and` and `or` evaluate their arguments one by one. */
export const SHORT_CIRCUIT = ['and', 'or'];

export function sprintf(format: string, args: unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_whole, flags: string, width: string, precision: string, verb: string) => {
      if (verb === '%') return '%';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const body = formatOne(verb, args[next++], flags, precision);
      const size = Number(width ?? 0);
      if (flags.includes('-')) return body.padEnd(size);
      return flags.includes('0') && /^-?\d/.test(body) ? body.padStart(size, '0') : body.padStart(size);
    },
  );
  if (next >= args.length) return text;
  return `${text}%!(EXTRA ${args
    .slice(next)
    .map(a => `${typeName(a)}=${show(a)}`)
    .join(', ')})`;
}

function formatOne(verb: string, v: unknown, flags: string, precision: string | undefined): string {
  const wrong = () => (v === null || v === NO_VALUE || v === undefined ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(v)}=${show(v)})`);
  if (Array.isArray(v) && verb !== 'v' && verb !== 'T') return `[${v.map(x => formatOne(verb, x, flags, precision)).join(' ')}]`;
  const plus = (n: number | bigint) => (flags.includes('+') && n >= 0 ? '+' : '');
  switch (verb) {
    case 'v':
      return v === NO_VALUE ? '<no value>' : show(v);
    case 'T':
      return typeName(v);
    case 't':
      return typeof v === 'boolean' ? String(v) : wrong();
    case 's':
      return typeof v === 'string' ? (precision === undefined ? v : v.slice(0, Number(precision))) : wrong();
    case 'q':
      return typeof v === 'string' ? goQuote(v) : typeof v === 'bigint' ? `'${String.fromCodePoint(Number(v))}'` : wrong();
    case 'd':
      return typeof v === 'bigint' ? `${plus(v)}${v}` : wrong();
    case 'b':
    case 'o':
      return typeof v === 'bigint' ? v.toString(verb === 'b' ? 2 : 8) : wrong();
    case 'c':
      return typeof v === 'bigint' ? String.fromCodePoint(Number(v)) : wrong();
    case 'x':
    case 'X': {
      const digits = typeof v === 'bigint' ? v.toString(16) : typeof v === 'string' ? hex(stringToBytes(v)) : wrong();
      return verb === 'X' ? digits.toUpperCase() : digits;
    }
    case 'f':
    case 'F':
      return typeof v === 'number' ? `${plus(v)}${v.toFixed(Number(precision ?? 6))}` : wrong();
    case 'e':
      return typeof v === 'number' ? v.toExponential(Number(precision ?? 6)).replace(/e([+-])(\d)$/, 'e$10$2') : wrong();
    case 'g':
      return typeof v === 'number' ? (precision === undefined ? sprint(v) : String(Number(v.toPrecision(Number(precision))))) : wrong();
    default:
      return wrong();
  }
}
