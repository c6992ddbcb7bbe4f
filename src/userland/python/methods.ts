// Methods of strings, bytes, lists, dicts and sets.
import { bytesToString, concat, stringToBytes } from '../../sim/bytes.ts';
import { PyError } from './lex.ts';
import { equal, format, iterate, type Native, native, repr, str, Tuple, type Value } from './values.ts';

type Methods = Record<string, (self: any, args: Value[], keywords: Map<string, Value>) => Value>;

const escapeRx = (s: string) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const stripped = (s: string, chars: string | null | undefined, ends: 'both' | 'left' | 'right'): string => {
  const set = chars ? `[${chars.replace(/[\]\\^-]/g, '\\$&')}]` : '\\s';
  let out = s;
  if (ends !== 'right') out = out.replace(new RegExp(`^${set}+`), '');
  return ends === 'left' ? out : out.replace(new RegExp(`${set}+$`), '');
};

function split(s: string, by: string | null | undefined, most: number | undefined): string[] {
  if (by === undefined || by === null) return s.trim() === '' ? [] : s.trim().split(/\s+/);
  const parts = s.split(by);
  if (most === undefined || most < 0 || parts.length <= most + 1) return parts;
  return [...parts.slice(0, most), parts.slice(most).join(by)];
}

const starts = (what: Value, f: (x: string) => boolean): boolean => (what instanceof Tuple ? what.items.some(f) : f(what));

const STR: Methods = {
  encode: s => stringToBytes(s),
  upper: s => s.toUpperCase(),
  lower: s => s.toLowerCase(),
  title: s => s.toLowerCase().replace(/\b\w/g, (c: string) => c.toUpperCase()),
  capitalize: s => s.slice(0, 1).toUpperCase() + s.slice(1).toLowerCase(),
  strip: (s, [chars]) => stripped(s, chars, 'both'),
  lstrip: (s, [chars]) => stripped(s, chars, 'left'),
  rstrip: (s, [chars]) => stripped(s, chars, 'right'),
  split: (s, [by, most], k) => split(s, by ?? k.get('sep'), most ?? k.get('maxsplit')),
  splitlines: s => s.replace(/\n$/, '').split('\n'),
  partition: (s, [by]) => new Tuple(s.includes(by) ? [s.slice(0, s.indexOf(by)), by, s.slice(s.indexOf(by) + by.length)] : [s, '', '']),
  join: (s, [list]) => iterate(list).join(s),
  replace: (s, [a, b]) => s.replaceAll(a, b),
  startswith: (s, [what]) => starts(what, x => s.startsWith(x)),
  endswith: (s, [what]) => starts(what, x => s.endsWith(x)),
  find: (s, [what]) => s.indexOf(what),
  count: (s, [what]) => s.split(new RegExp(escapeRx(what))).length - 1,
  isdigit: s => /^\d+$/.test(s),
  zfill: (s, [n]) => s.padStart(n, '0'),
  ljust: (s, [n]) => s.padEnd(n),
  rjust: (s, [n]) => s.padStart(n),
  format: (s, args, k) => {
    let next = 0;
    return s.replace(/\{(\w*)(?::([^}]*))?\}/g, (_: string, name: string, spec = '') =>
      format(name === '' ? args[next++] : /^\d+$/.test(name) ? args[Number(name)] : k.get(name), spec),
    );
  },
};

const BYTES: Methods = {
  decode: b => bytesToString(b),
  join: (b, [list]) => concat(iterate(list).flatMap((x, i) => (i && b.length ? [b, x] : [x]))),
};

const LIST: Methods = {
  append: (l, [v]) => void l.push(v),
  extend: (l, [v]) => void l.push(...iterate(v)),
  insert: (l, [at, v]) => void l.splice(at, 0, v),
  pop: (l, [at = -1]) => {
    if (!l.length) throw new PyError('IndexError', 'pop from empty list');
    return l.splice(at, 1)[0];
  },
  remove: (l, [v]) =>
    void l.splice(
      l.findIndex((x: Value) => equal(x, v)),
      1,
    ),
  index: (l, [v]) => l.findIndex((x: Value) => equal(x, v)),
  count: (l, [v]) => l.filter((x: Value) => equal(x, v)).length,
  clear: l => void (l.length = 0),
  copy: l => [...l],
  reverse: l => void l.reverse(),
};

const DICT: Methods = {
  get: (d, [k, otherwise = null]) => (d.has(k) ? d.get(k) : otherwise),
  items: d => [...d].map(([k, v]) => new Tuple([k, v])),
  keys: d => [...d.keys()],
  values: d => [...d.values()],
  copy: d => new Map(d),
  update: (d, [more], k) => {
    for (const [a, b] of more instanceof Map ? more : []) d.set(a, b);
    for (const [a, b] of k) d.set(a, b);
  },
  setdefault: (d, [k, v = null]) => {
    if (!d.has(k)) d.set(k, v);
    return d.get(k);
  },
  pop: (d, [k, otherwise]) => {
    if (!d.has(k) && otherwise === undefined) throw new PyError('KeyError', repr(k));
    const v = d.has(k) ? d.get(k) : otherwise;
    d.delete(k);
    return v;
  },
  clear: d => void d.clear(),
};

const SET: Methods = { add: (s, [v]) => void s.add(v), discard: (s, [v]) => void s.delete(v), remove: (s, [v]) => void s.delete(v) };

export function methodOf(of: Value, name: string): Native | null {
  const table =
    typeof of === 'string'
      ? STR
      : of instanceof Uint8Array
        ? BYTES
        : Array.isArray(of)
          ? LIST
          : of instanceof Map
            ? DICT
            : of instanceof Set
              ? SET
              : null;
  const method = table && Object.hasOwn(table, name) ? table[name] : null;
  return method && native((args, k) => method(of, args, k) ?? null);
}

/** json.dumps: Python's separators, ASCII unless told otherwise. */
export function dumps(v: Value, o: { indent: number | null; ascii: boolean; sort: boolean }, at = ''): string {
  const nl = o.indent === null ? '' : `\n${at}${' '.repeat(o.indent)}`;
  const end = o.indent === null ? '' : `\n${at}`;
  const inner = o.indent === null ? at : at + ' '.repeat(o.indent);
  const comma = o.indent === null ? ', ' : ',';
  if (v === null) return 'null';
  if (typeof v === 'boolean' || typeof v === 'number') return String(v);
  if (typeof v === 'string') {
    const text = JSON.stringify(v);
    return o.ascii ? text.replace(/[\u007f-\uffff]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`) : text;
  }
  if (Array.isArray(v) || v instanceof Tuple) {
    const items = iterate(v).map(x => nl + dumps(x, o, inner));
    return items.length ? `[${items.join(comma)}${end}]` : '[]';
  }
  if (v instanceof Map) {
    const keys = o.sort ? [...v.keys()].sort() : [...v.keys()];
    const items = keys.map(k => `${nl}${dumps(str(k), o)}: ${dumps(v.get(k), o, inner)}`);
    return items.length ? `{${items.join(comma)}${end}}` : '{}';
  }
  throw new PyError('TypeError', `Object of type ${v?.cls?.name ?? 'object'} is not JSON serializable`);
}

export function loads(v: any): Value {
  if (Array.isArray(v)) return v.map(loads);
  if (v && typeof v === 'object') return new Map(Object.entries(v).map(([k, x]) => [k, loads(x)]));
  return v;
}
