// CEL's static types (cel-spec; github.com/google/cel-go v0.26.0 common/types, checker).

export type Type =
  | { k: Simple }
  | { k: 'list'; of: Type }
  | { k: 'map'; key: Type; of: Type }
  | { k: 'optional'; of: Type }
  | { k: 'type'; of: Type }
  | { k: 'object'; name: string; fields: Map<string, Type> }
  | { k: 'opaque'; name: string }
  | { k: 'param'; name: string };

type Simple = 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'dyn' | 'duration' | 'timestamp' | 'error';

const simple = (k: Simple): Type => ({ k });

export const BOOL = simple('bool');
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const NULL = simple('null');
export const DYN = simple('dyn');
export const DURATION = simple('duration');
export const TIMESTAMP = simple('timestamp');
/** Of what is wrong already: fits everywhere, so that one mistake is told once. */
export const ERROR = simple('error');

export const listOf = (of: Type): Type => ({ k: 'list', of });
export const mapOf = (key: Type, of: Type): Type => ({ k: 'map', key, of });
export const optionalOf = (of: Type): Type => ({ k: 'optional', of });
export const typeOf = (of: Type): Type => ({ k: 'type', of });

const SIMPLE = new Map<string, Type>(
  [BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL, DYN, DURATION, TIMESTAMP].map(t => [t.k, t] as [string, Type]),
);

/** Of a declaration's text: `list<A>`, `map<string,B>`, `optional<A>`, `kubernetes.URL`, `A`. */
export function parseType(text: string): Type {
  const known = SIMPLE.get(text);
  if (known) return known;
  const m = /^(list|map|optional|type)<(.*)>$/.exec(text);
  if (!m) return /^[A-Z]$/.test(text) ? { k: 'param', name: text } : { k: 'opaque', name: text };
  if (m[1] !== 'map') return { k: m[1] as 'list' | 'optional' | 'type', of: parseType(m[2]) };
  const comma = m[2].indexOf(',');
  return mapOf(parseType(m[2].slice(0, comma)), parseType(m[2].slice(comma + 1)));
}

/** As error messages show it (cel-go checker/format.go). */
export function formatType(t: Type): string {
  switch (t.k) {
    case 'list':
      return `list(${formatType(t.of)})`;
    case 'map':
      return `map(${formatType(t.key)}, ${formatType(t.of)})`;
    case 'optional':
      return `optional_type(${formatType(t.of)})`;
    case 'type':
      return `type(${formatType(t.of)})`;
    case 'object':
    case 'opaque':
      return t.name;
    case 'param':
      return 'dyn';
    case 'error':
      return '!error!';
    default:
      return t.k;
  }
}

const isDyn = (t: Type): boolean => t.k === 'dyn' || t.k === 'error';

/** What type parameters have been found to stand for. */
export type Bindings = Map<string, Type>;

/** With the parameters put in; those that nothing is known of are dyn. */
export function substitute(t: Type, b: Bindings): Type {
  switch (t.k) {
    case 'param': {
      const bound = b.get(t.name);
      return bound ?? DYN;
    }
    case 'list':
    case 'optional':
    case 'type':
      return { k: t.k, of: substitute(t.of, b) };
    case 'map':
      return mapOf(substitute(t.key, b), substitute(t.of, b));
    default:
      return t;
  }
}

/** May a value of type `got` be given where `want` is declared? Binds the parameters of `want`. */
export function assignable(want: Type, got: Type, b: Bindings): boolean {
  if (want.k === 'param') {
    const bound = b.get(want.name);
    if (!bound || (isDyn(bound) && !isDyn(got))) {
      b.set(want.name, got);
      return true;
    }
    return isDyn(got) || assignable(bound, got, b) || widen(b, want.name, bound, got);
  }
  if (isDyn(want) || isDyn(got)) return true;
  // null stands for what may be absent: messages, timestamps, durations and the opaque ones.
  if (got.k === 'null' && want.k !== 'null') return NULLABLE.has(want.k);
  if (want.k === 'null') return got.k === 'null' || NULLABLE.has(got.k);
  if (want.k !== got.k) return false;
  switch (want.k) {
    case 'list':
    case 'optional':
      return assignable(want.of, (got as typeof want).of, b);
    case 'type':
      return true;
    case 'map':
      return assignable(want.key, (got as typeof want).key, b) && assignable(want.of, (got as typeof want).of, b);
    case 'object':
      return want.fields === (got as typeof want).fields || want.name === (got as typeof want).name;
    case 'opaque':
      return want.name === (got as typeof want).name;
    default:
      return true;
  }
}

const NULLABLE = new Set(['object', 'timestamp', 'duration', 'opaque', 'optional', 'dyn']);

/** An empty list says nothing of its elements: what comes after it does. */
function widen(b: Bindings, name: string, bound: Type, got: Type): boolean {
  if (!assignable(got, bound, new Map())) return false;
  b.set(name, got);
  return true;
}
