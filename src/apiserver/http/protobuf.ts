// Objects as client-go's typed clients send them: Kubernetes' protobuf encoding (k8s.io/apimachinery v0.36.3,
// pkg/runtime/serializer/protobuf). What is read is what JSON would have said. Answers are always JSON.
import { base64, bytesToString } from '../../sim/bytes.ts';
import { rfc3339, rfc3339Micro } from '../../sim/time.ts';
import type { Json } from '../json.ts';
import { type FieldSchema, type StructSchema, structOf, structOfKind, type TypeRef } from '../schema.ts';
import { NUMBERS } from './protobuf-numbers.ts';

class Malformed extends Error {}

/** One field of a message on the wire. */
interface Field {
  number: number;
  /** A varint or eight bytes as a number, anything else as bytes. */
  value: bigint | Uint8Array;
}

const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/** `k8s\0` and an Unknown message around the object. -> the object with its kind, or why it cannot be read */
export function readProtobuf(data: Uint8Array): { value: unknown } | { error: string } {
  if (!MAGIC.every((b, i) => data[i] === b))
    return { error: 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]' };
  try {
    const envelope = fieldsOf(data.subarray(4));
    const meta = fieldsOf(bytesOf(last(envelope, 1)));
    const apiVersion = textOf(last(meta, 1));
    const kind = textOf(last(meta, 2));
    const struct = structOfKind(apiVersion, kind) ?? (kind === 'DeleteOptions' ? structOf('meta/v1.DeleteOptions') : null);
    if (!struct) return { error: `no kind "${kind}" is registered for version "${apiVersion}"` };
    return { value: { ...message(struct.name, struct, bytesOf(last(envelope, 2))), apiVersion, kind } };
  } catch (e) {
    if (e instanceof Malformed) return { error: e.message };
    throw e;
  }
}

const last = (fields: Field[], number: number): Field['value'] | undefined => fields.findLast(f => f.number === number)?.value;

const bytesOf = (v: Field['value'] | undefined): Uint8Array => (v instanceof Uint8Array ? v : new Uint8Array(0));
const textOf = (v: Field['value'] | undefined): string => bytesToString(bytesOf(v));
const signed = (v: Field['value'] | undefined): bigint => (typeof v === 'bigint' ? BigInt.asIntN(64, v) : 0n);

function fieldsOf(data: Uint8Array): Field[] {
  const out: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let n = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= data.length || shift > 63n) throw new Malformed('unexpected EOF');
      const b = data[at++];
      n |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) return n;
    }
  };
  const take = (n: number): Uint8Array => {
    if (at + n > data.length) throw new Malformed('unexpected EOF');
    at += n;
    return data.subarray(at - n, at);
  };
  while (at < data.length) {
    const key = Number(varint());
    const number = key >>> 3;
    switch (key & 7) {
      case 0:
        out.push({ number, value: varint() });
        break;
      case 1:
        out.push({ number, value: take(8) });
        break;
      case 2:
        out.push({ number, value: take(Number(varint())) });
        break;
      case 5:
        out.push({ number, value: take(4) });
        break;
      default:
        throw new Malformed(`proto: illegal wireType ${key & 7}`);
    }
  }
  return out;
}

interface Numbered {
  name: string;
  /** The embedded message whose fields are the outer one's. */
  embedded?: string;
}

const tables = new Map<string, Map<number, Numbered>>();

/** Of `core/v1.Probe`. */
function numbersOf(message: string): Map<number, Numbered> {
  let table = tables.get(message);
  if (table) return table;
  const dot = message.lastIndexOf('.');
  const row = `\n${message.slice(dot + 1)}|`;
  const text = NUMBERS[message.slice(0, dot)] ?? '';
  const start = text.indexOf(row);
  table = new Map();
  tables.set(message, table);
  if (start < 0) return table;
  let number = 0;
  for (const word of text.slice(start + row.length, text.indexOf('\n', start + row.length)).split('|')) {
    const [, name, at, embedded] = /^([^=@]+)(?:=(\d+))?(?:@(.+))?$/.exec(word) ?? ['', word];
    number = at ? Number(at) : number + 1;
    table.set(number, { name, embedded });
  }
  return table;
}

function message(name: string, struct: StructSchema, data: Uint8Array): Json {
  const out: Record<string, Json> = {};
  const numbers = numbersOf(name);
  const byName = new Map<string, Field['value'][]>();
  for (const f of fieldsOf(data)) {
    const known = numbers.get(f.number);
    if (!known) continue;
    if (known.embedded) Object.assign(out, message(`${name.slice(0, name.lastIndexOf('.'))}.${known.embedded}`, struct, bytesOf(f.value)));
    else byName.set(known.name, [...(byName.get(known.name) ?? []), f.value]);
  }
  for (const [field, values] of byName) {
    const schema = struct.byName.get(field);
    if (!schema) continue;
    const value = fieldValue(schema, values);
    if (value !== undefined) out[field] = value;
  }
  return out;
}

/** What is not a pointer is on the wire even when it is empty: JSON leaves out what its tag says. */
function fieldValue(f: FieldSchema, values: Field['value'][]): Json {
  const { type } = f;
  const value = typed(type, values);
  const empty = value === '' || value === 0 || value === false || value === null;
  return empty && f.omit && !type.pointer ? undefined : value;
}

function typed(type: TypeRef, values: Field['value'][]): Json {
  const value = values[values.length - 1];
  switch (type.code) {
    case 'list':
      return values.flatMap(v =>
        isPacked(type.element, v) ? unpacked(type.element as TypeRef, v as Uint8Array) : [typed(type.element as TypeRef, [v])],
      );
    case 'map':
      return Object.fromEntries(values.map(v => entry(type.element as TypeRef, fieldsOf(bytesOf(v)))));
    case 'struct':
      return message(type.name as string, structOf(type.name as string), bytesOf(value));
    case 's':
      return textOf(value);
    case 'i':
    case 'l':
      return Number(signed(value));
    case 'b':
      return signed(value) !== 0n;
    case 'f':
      return new DataView(bytesOf(value).slice().buffer).getFloat64(0, true);
    case 'B':
      return base64(bytesOf(value));
    case 'T':
    case 'M':
      return time(type.code, fieldsOf(bytesOf(value)));
    case 'Q':
      return textOf(last(fieldsOf(bytesOf(value)), 1));
    case 'X': {
      const parts = fieldsOf(bytesOf(value));
      return signed(last(parts, 1)) === 0n ? Number(signed(last(parts, 2))) : textOf(last(parts, 3));
    }
    case 'R':
    case 'J':
    case 'F':
      return rawJson(last(fieldsOf(bytesOf(value)), 1));
    default:
      throw new Malformed(`podnet does not read fields of type ${type.goName} in protobuf: send JSON`);
  }
}

const NUMERIC: readonly string[] = ['i', 'l', 'b'];
const isPacked = (element: TypeRef | undefined, v: Field['value']): boolean =>
  v instanceof Uint8Array && NUMERIC.includes(element?.code ?? '');

/** Several numbers in one field. */
function unpacked(element: TypeRef, data: Uint8Array): Json[] {
  const out: Json[] = [];
  for (let at = 0; at < data.length; ) {
    let end = at;
    while (data[end] >= 0x80) end++;
    const one = fieldsOf(Uint8Array.from([0x08, ...data.subarray(at, end + 1)]));
    out.push(typed(element, [one[0].value]));
    at = end + 1;
  }
  return out;
}

function entry(element: TypeRef, parts: Field[]): [string, Json] {
  const value = last(parts, 2) ?? new Uint8Array(0);
  // A list cannot be a map's value on the wire: a message of one repeated field is.
  if (element.code !== 'list') return [textOf(last(parts, 1)), typed(element, [value])];
  const items = fieldsOf(bytesOf(value)).map(f => f.value);
  return [textOf(last(parts, 1)), typed(element, items)];
}

/** Seconds and nanoseconds; nothing at all is Go's zero time, which JSON calls null. */
function time(code: 'T' | 'M', parts: Field[]): string | null {
  if (!parts.length) return null;
  const ms = Number(signed(last(parts, 1))) * 1000 + Number(signed(last(parts, 2))) / 1e6;
  return code === 'T' ? rfc3339(ms) : rfc3339Micro(ms);
}

function rawJson(v: Field['value'] | undefined): Json {
  if (!(v instanceof Uint8Array) || !v.length) return null;
  try {
    return JSON.parse(bytesToString(v));
  } catch (e) {
    throw new Malformed((e as Error).message);
  }
}
