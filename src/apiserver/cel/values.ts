// CEL's values. int is a bigint, double a number; the others are what JavaScript has for them, or one of the classes below.

export type Val =
  | boolean
  | bigint
  | number
  | string
  | null
  | Uint8Array
  | Val[]
  | Uint
  | Duration
  | Timestamp
  | MapVal
  | Obj
  | TypeVal
  | Opt
  | Opaque;

/** A mistake of evaluation: `no such key: x`. */
export class CelError extends Error {}

export const NO_OVERLOAD = 'no such overload';

export class Uint {
  constructor(readonly n: bigint) {}
}

/** Nanoseconds. */
export class Duration {
  constructor(readonly ns: bigint) {}
}

/** Nanoseconds since the epoch. */
export class Timestamp {
  constructor(readonly ns: bigint) {}
}

export class TypeVal {
  constructor(readonly name: string) {}
}

export class Opt {
  constructor(readonly value: Val | undefined) {}
}

/** Of a library: its type's name and what it holds; `id` is equal for equal ones. */
export class Opaque {
  constructor(
    readonly type: string,
    readonly value: any,
    readonly id: string,
  ) {}
}

/** A structure with declared fields, by their names in CEL. */
export class Obj {
  constructor(
    readonly name: string,
    readonly fields: Map<string, Val>,
  ) {}
}

/** Keys by what makes them equal: numbers of all kinds are one. */
export class MapVal {
  readonly entries = new Map<string, [Val, Val]>();
  static of(pairs: Iterable<[Val, Val]>): MapVal {
    const m = new MapVal();
    for (const [k, v] of pairs) m.entries.set(keyId(k), [k, v]);
    return m;
  }
  get(k: Val): Val | undefined {
    return this.entries.get(keyId(k))?.[1];
  }
  get keys(): Val[] {
    return [...this.entries.values()].map(e => e[0]);
  }
}

export function keyId(k: Val): string {
  if (typeof k === 'string') return `s${k}`;
  if (typeof k === 'boolean') return `b${k}`;
  if (k instanceof Uint) return `n${k.n}`;
  return `n${k}`;
}

/** Elements of a list that are a set, or are known by some keys (x-kubernetes-list-type): in what order they stand is no difference. */
const unordered = new WeakMap<Val[], (v: Val) => string>();

export function asSet(list: Val[], idOf: (v: Val) => string): Val[] {
  unordered.set(list, idOf);
  return list;
}

export const identityOf = (list: Val[]): ((v: Val) => string) | undefined => unordered.get(list);

/** The run-time type's name, as `type(x)` has it. */
export function typeName(v: Val): string {
  switch (typeof v) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
  }
  if (v === null) return 'null_type';
  if (Array.isArray(v)) return 'list';
  if (v instanceof Uint8Array) return 'bytes';
  if (v instanceof MapVal) return 'map';
  if (v instanceof Uint) return 'uint';
  if (v instanceof Duration) return 'google.protobuf.Duration';
  if (v instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (v instanceof TypeVal) return 'type';
  if (v instanceof Opt) return 'optional_type';
  if (v instanceof Opaque) return v.type;
  return v.name;
}

const isNumber = (v: Val): v is bigint | number | Uint => typeof v === 'bigint' || typeof v === 'number' || v instanceof Uint;

/** -1, 0, 1; undefined: not to be compared (NaN). */
function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): number | undefined {
  const x = a instanceof Uint ? a.n : a;
  const y = b instanceof Uint ? b.n : b;
  return x < y ? -1 : x > y ? 1 : x >= y ? 0 : undefined;
}

export function equal(a: Val, b: Val): boolean {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((x, i) => x === b[i]);
  if (a instanceof MapVal) {
    if (!(b instanceof MapVal) || a.entries.size !== b.entries.size) return false;
    return [...a.entries].every(([id, [, v]]) => {
      const other = b.entries.get(id);
      return other !== undefined && equal(v, other[1]);
    });
  }
  if (a instanceof Obj) {
    if (!(b instanceof Obj) || a.fields.size !== b.fields.size) return false;
    return [...a.fields].every(([k, v]) => b.fields.has(k) && equal(v, b.fields.get(k) as Val));
  }
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns;
  if (a instanceof TypeVal) return b instanceof TypeVal && a.name === b.name;
  if (a instanceof Opt) {
    if (!(b instanceof Opt)) return false;
    return a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value);
  }
  return a instanceof Opaque && b instanceof Opaque && a.type === b.type && a.id === b.id;
}

function equalLists(a: Val[], b: Val[]): boolean {
  if (a.length !== b.length) return false;
  const idOf = identityOf(a) ?? identityOf(b);
  if (!idOf) return a.every((x, i) => equal(x, b[i]));
  const other = new Map(b.map(v => [idOf(v), v] as [string, Val]));
  return a.every(v => {
    const w = other.get(idOf(v));
    return w !== undefined && equal(v, w);
  });
}

/** A text that is equal for equal values. */
export function canonical(v: Val): string {
  if (Array.isArray(v)) return `[${v.map(canonical).join()}]`;
  if (v instanceof MapVal)
    return `{${[...v.entries]
      .map(([id, [, x]]) => `${id}:${canonical(x)}`)
      .sort()
      .join()}}`;
  if (v instanceof Obj)
    return `{${[...v.fields]
      .map(([k, x]) => `s${k}:${canonical(x)}`)
      .sort()
      .join()}}`;
  if (v instanceof Duration || v instanceof Timestamp) return `${typeName(v)} ${v.ns}`;
  if (v instanceof TypeVal) return `type ${v.name}`;
  if (v instanceof Opt) return v.value === undefined ? 'none' : `some ${canonical(v.value)}`;
  if (v instanceof Opaque) return `${v.type} ${v.id}`;
  if (v instanceof Uint8Array) return `b'${[...v].join()}'`;
  return v === null ? 'null' : typeof v === 'string' ? JSON.stringify(v) : keyId(v);
}

/** JSON without a schema: whole numbers are ints. */
export function fromJson(x: unknown): Val {
  if (x === undefined || x === null) return null;
  if (typeof x === 'number') return Number.isInteger(x) ? BigInt(x) : x;
  if (Array.isArray(x)) return x.map(fromJson);
  if (typeof x === 'object') return MapVal.of(Object.entries(x).map(([k, v]) => [k, fromJson(v)]));
  return x as string | boolean;
}

/** -1, 0, 1 of two values of an ordered type. */
export function compareValues(a: Val, b: Val): number {
  if (isNumber(a) && isNumber(b)) {
    const n = compareNumbers(a, b);
    if (n === undefined) throw new CelError('NaN values cannot be ordered');
    return n;
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareText(String.fromCharCode(...a), String.fromCharCode(...b));
  if ((a instanceof Duration && b instanceof Duration) || (a instanceof Timestamp && b instanceof Timestamp)) {
    return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0;
  }
  throw new CelError(NO_OVERLOAD);
}

/** By code points, as UTF-8 bytes stand. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] !== y[i]) return (x[i].codePointAt(0) as number) < (y[i].codePointAt(0) as number) ? -1 : 1;
  }
  return x.length < y.length ? -1 : 1;
}
