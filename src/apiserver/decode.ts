// From a request's body to an object of our own: encoding/json into the Go types, with sigs.k8s.io/json's strict errors, and back.
// The result holds what a round trip through the typed object would print: empty `omitempty` fields are gone, the others are there.

import { base64 } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import { parseRfc3339, rfc3339, rfc3339Micro } from '../sim/time.ts';
import { decodeCustom } from './custom/strategy.ts';
import { cloneJson, isMap, type Json } from './json.ts';
import { formatQuantity, parseQuantity, quantity, roundToMilli } from './quantity.ts';
import { apiVersionOf, isBuiltin } from './resources.ts';
import { type FieldSchema, type StructSchema, structOf, structOfKind, type TypeRef } from './schema.ts';
import { badRequest } from './status.ts';
import type { WriteContext } from './strategy.ts';
import type { KubeObject, Status } from './types.ts';

interface Decoding {
  /** The first type error: decoding goes on after it. */
  saved: string | null;
  /** Unknown fields, in order. */
  strict: string[];
  struct: string;
  fields: string[];
  /** For strict errors: `spec.ports[0]`. */
  path: string;
  /** Keys in byte order, as clients send them: decides which error is first. */
  ordered: boolean;
  /** Where it is matters: errors are to be told. */
  located: boolean;
  /** A strategic merge's result goes into the types by runtime's converter, with its own words for what does not fit. */
  converter: boolean;
}

/** An error that ends the decoding: custom unmarshalers return theirs. */
class Abort {
  constructor(readonly message: string) {}
}

export interface Decoded {
  value: Json;
  /** Of the types; nothing was decoded then. */
  error: string | null;
  strict: string[];
}

export function decodeStruct(schema: StructSchema, body: Json): Decoded {
  const first = run(schema, body, false, false);
  return first.error || first.strict.length ? run(schema, body, true, false) : first;
}

/** By runtime.DefaultUnstructuredConverter (k8s.io/apimachinery/pkg/runtime/converter.go). */
export function convertStruct(schema: StructSchema, body: Json): Decoded {
  const done = run(schema, body, false, true);
  done.strict.sort();
  return done;
}

function run(schema: StructSchema, body: Json, ordered: boolean, converter: boolean): Decoded {
  const d: Decoding = { saved: null, strict: [], struct: '', fields: [], path: '', ordered, located: ordered || converter, converter };
  try {
    const value = decodeStructValue(d, schema, body);
    return { value, error: d.saved, strict: d.strict };
  } catch (e) {
    if (e instanceof Abort) return { value: null, error: e.message, strict: d.strict };
    throw e;
  }
}

const keysOf = (d: Decoding, v: Record<string, Json>): string[] => (d.ordered ? Object.keys(v).sort() : Object.keys(v));

function kindOfJson(v: Json): string {
  if (Array.isArray(v)) return 'array';
  if (typeof v === 'object') return 'object';
  return typeof v === 'boolean' ? 'bool' : typeof v;
}

function typeError(d: Decoding, what: string, goName: string): string {
  if (!d.converter && (d.struct || d.fields.length))
    return `json: cannot unmarshal ${what} into Go struct field ${d.struct}.${d.fields.join('.')} of type ${goName}`;
  return `json: cannot unmarshal ${what} into Go value of type ${goName}`;
}

/** `v` is no value of the type: decoding notes it and goes on, converting ends. */
function misfit(d: Decoding, type: TypeRef, v: Json, what = kindOfJson(v)): undefined {
  if (d.converter) throw new Abort(converterError(type, v));
  d.saved ??= typeError(d, what, type.goName);
  return undefined;
}

const GO_KINDS: Partial<Record<TypeRef['code'], string>> = { s: 'string', i: 'int32', l: 'int64', b: 'bool', f: 'float64' };

function converterError(type: TypeRef, v: Json): string {
  const given = Array.isArray(v) ? 'slice' : isMap(v) ? 'map' : typeof v === 'boolean' ? 'bool' : typeof v;
  const from = given === 'number' ? (Number.isInteger(v) ? 'int64' : 'float64') : given;
  if (type.code === 'struct') return `cannot restore struct from: ${from}`;
  if (type.code === 'map') return `cannot restore map from ${from}`;
  if (type.code === 'list' || type.code === 'B') return `cannot restore slice from ${from}`;
  const number = type.code === 'i' || type.code === 'l' || type.code === 'f';
  if (from === 'float64' ? number : from === 'int64' && type.code === 's') return `cannot convert ${from} to ${type.goName}`;
  return `unrecognized type: ${GO_KINDS[type.code] ?? type.goName}`;
}

function decodeStructValue(d: Decoding, schema: StructSchema, body: Json): Record<string, Json> {
  const out: Record<string, Json> = {};
  const { struct, path } = d;
  const depth = d.fields.length;
  for (const key of d.converter ? byFields(schema, body) : keysOf(d, body)) {
    const f = schema.byName.get(key);
    if (!f) {
      d.strict.push(path ? `${path}.${key}` : key);
      continue;
    }
    const v = body[key];
    if (v === null || v === undefined) continue;
    if (d.located) {
      d.struct = schema.goName;
      if (f.via) d.fields.push(...f.via.slice(0, -1).split('.'));
      d.fields.push(key);
      d.path = path ? `${path}.${key}` : key;
    }
    const value = decodeValue(d, f.type, v);
    if (d.located) {
      d.fields.length = depth;
      d.struct = struct;
      d.path = path;
    }
    if (value !== undefined && !(f.omit && isZero(f, value))) out[key] = value;
  }
  for (const f of schema.written) if (out[f.name] === undefined) addZero(f, out);
  return out;
}

/** The converter goes by the type's fields; what is none of them comes last. */
function byFields(schema: StructSchema, body: Record<string, Json>): string[] {
  const known = schema.fields.map(f => f.name).filter(k => k in body);
  return [...known, ...Object.keys(body).filter(k => !schema.byName.has(k))];
}

/** What Go leaves out of the text: pointers stay when they are set, structs are never empty. */
function isZero(f: FieldSchema, value: Json): boolean {
  if (f.type.pointer) return false;
  switch (f.type.code) {
    case 'struct':
      return f.omit === 'z' && Object.keys(value).length === 0;
    case 'list':
      return value.length === 0;
    case 'map':
      for (const _ in value) return false;
      return true;
    case 'X':
    case 'Q':
    case 'R':
    case 'J':
      return false;
    default:
      return value === '' || value === 0 || value === false;
  }
}

/** A field that is always written, or a struct that encoding/json never finds empty. */
function addZero(f: FieldSchema, out: Record<string, Json>): void {
  const { type, omit } = f;
  if (type.pointer) {
    if (!omit) out[f.name] = null;
    return;
  }
  if (type.code === 'struct') {
    if (omit !== 'z') out[f.name] = zeroStruct(type.name as string);
    return;
  }
  // Times are structs: omitempty never leaves them out.
  if (omit && !(omit === 'e' && (type.code === 'T' || type.code === 'M'))) return;
  const zero = ZERO[type.code];
  if (zero !== undefined) out[f.name] = zero;
}

const ZERO: Partial<Record<TypeRef['code'], Json>> = {
  s: '',
  i: 0,
  l: 0,
  b: false,
  f: 0,
  list: null,
  map: null,
  T: null,
  M: null,
  Q: '0',
  X: 0,
};

export function zeroStruct(name: string): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const f of structOf(name).written) addZero(f, out);
  return out;
}

function decodeValue(d: Decoding, type: TypeRef, v: Json): Json {
  switch (type.code) {
    case 's':
      return typeof v === 'string' ? v : misfit(d, type, v);
    case 'i':
    case 'l':
      return decodeInt(d, type, v);
    case 'b':
      return typeof v === 'boolean' ? v : misfit(d, type, v);
    case 'f':
      return typeof v === 'number' ? v : misfit(d, type, v);
    case 'struct':
      return isMap(v) ? decodeStructValue(d, structOf(type.name as string), v) : misfit(d, type, v);
    case 'list':
      return Array.isArray(v) ? decodeList(d, type, v) : misfit(d, type, v);
    case 'map':
      return isMap(v) ? decodeMap(d, type, v) : misfit(d, type, v);
    default:
      return decodeSpecial(d, type, v);
  }
}

/** Clients send what an int64 holds in full and the rest as a float64, in its shortest form; 2⁶³ is what its neighbour below became. */
function numberText(v: number): string {
  if (!Number.isInteger(v) || Number.isSafeInteger(v) || Math.abs(v) > 2 ** 63) return String(v);
  return v === 2 ** 63 ? '9223372036854775807' : String(BigInt(v));
}

function decodeInt(d: Decoding, type: TypeRef, v: Json): number | undefined {
  if (typeof v !== 'number') return misfit(d, type, v);
  // The converter's conversions wrap around.
  if (d.converter && Number.isInteger(v)) return type.code === 'i' ? v | 0 : v;
  const limit = type.code === 'i' ? 2 ** 31 : 2 ** 63;
  if (!Number.isInteger(v) || v >= limit || v < -limit || Math.abs(v) >= 1e21) return misfit(d, type, v, `number ${numberText(v)}`);
  return v;
}

function decodeList(d: Decoding, type: TypeRef, v: Json[]): Json[] {
  const element = type.element as TypeRef;
  const path = d.path;
  const out: Json[] = [];
  for (let i = 0; i < v.length; i++) {
    if (d.located) d.path = `${path}[${i}]`;
    const x = v[i] === null ? undefined : decodeValue(d, element, v[i]);
    out.push(x === undefined ? zeroOf(element) : x);
  }
  d.path = path;
  return out;
}

const zeroOf = (t: TypeRef): Json => (t.code === 'struct' ? zeroStruct(t.name as string) : (ZERO[t.code] ?? null));

function decodeMap(d: Decoding, type: TypeRef, v: Record<string, Json>): Record<string, Json> {
  const element = type.element as TypeRef;
  const path = d.path;
  const out: Record<string, Json> = {};
  for (const key of keysOf(d, v)) {
    if (d.located) d.path = `${path}.${key}`;
    const x = v[key] === null ? undefined : decodeValue(d, element, v[key]);
    out[key] = x === undefined ? zeroOf(element) : x;
  }
  d.path = path;
  // SetDefaults_ResourceList.
  if (type.goName === 'v1.ResourceList')
    for (const key in out) if (/[nu]$|e-|\./.test(out[key])) out[key] = formatQuantity(roundToMilli(quantity(out[key])));
  return out;
}

function decodeSpecial(d: Decoding, type: TypeRef, v: Json): Json {
  switch (type.code) {
    case 'X':
      return typeof v === 'string' ? v : intOrAbort(d, v);
    case 'Q': {
      const q = parseQuantity((typeof v === 'string' ? v : JSON.stringify(v)).trim());
      if (typeof q === 'string') throw new Abort(q);
      return formatQuantity(q);
    }
    case 'T':
    case 'M':
      return decodeTime(d, type.code, v);
    case 'D':
      if (typeof v !== 'string') throw new Abort(typeError(d, kindOfJson(v), 'string'));
      return v;
    case 'B':
      if (Array.isArray(v)) return decodeBytes(d, type, v);
      if (typeof v !== 'string') return misfit(d, type, v);
      return decodeBase64(d, v);
    case 'A':
    case 'P':
    case 'S':
      return decodeSchemaOr(d, type.code, v);
    default:
      return cloneJson(v);
  }
}

function intOrAbort(d: Decoding, v: Json): number {
  if (typeof v !== 'number') throw new Abort(typeError(d, kindOfJson(v), 'int32'));
  if (!Number.isInteger(v) || v >= 2 ** 31 || v < -(2 ** 31)) throw new Abort(typeError(d, `number ${numberText(v)}`, 'int32'));
  return v;
}

function decodeTime(d: Decoding, code: 'T' | 'M', v: Json): string {
  if (typeof v !== 'string') throw new Abort(typeError(d, kindOfJson(v), 'string'));
  const ms = parseRfc3339(v);
  const layout = code === 'T' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
  if (ms === null) throw new Abort(`parsing time ${goQuote(v)} as "${layout}": cannot parse ${goQuote(v)} as "2006"`);
  return code === 'T' ? rfc3339(ms) : rfc3339Micro(ms);
}

/** A list of bytes is bytes too. */
function decodeBytes(d: Decoding, type: TypeRef, v: Json[]): string | undefined {
  const byte: TypeRef = { code: 'i', pointer: false, goName: 'uint8' };
  for (const x of v) {
    if (typeof x !== 'number') return misfit(d, d.converter ? type : byte, x);
    if (!Number.isInteger(x) || x < 0 || x > 255) return misfit(d, byte, x, `number ${numberText(x)}`);
  }
  return base64(Uint8Array.from(v));
}

/** Go's decoder tells the offset of the first byte it cannot use. */
function decodeBase64(d: Decoding, v: string): string | undefined {
  const bad = base64Error(v);
  if (bad >= 0) {
    const why = `illegal base64 data at input byte ${bad}`;
    if (d.converter) throw new Abort(`error decoding from json: ${why}`);
    d.saved ??= why;
    return undefined;
  }
  return v.replace(/[\r\n]/g, '');
}

function base64Error(v: string): number {
  let n = 0;
  let i = 0;
  for (; i < v.length; i++) {
    const c = v[i];
    if (c === '\n' || c === '\r') continue;
    if (/[A-Za-z0-9+/]/.test(c)) {
      n++;
      continue;
    }
    if (c !== '=' || n % 4 < 2) return i;
    let end = i + 1;
    while (end < v.length && (v[end] === '\n' || v[end] === '\r')) end++;
    if (n % 4 === 2) {
      if (end >= v.length) return v.length;
      if (v[end] !== '=') return end - 1;
      end++;
    }
    while (end < v.length && (v[end] === '\n' || v[end] === '\r')) end++;
    return end < v.length ? end : -1;
  }
  return n % 4 === 0 ? -1 : v.length - (n % 4 === 1 ? 1 : n % 4);
}

function decodeSchemaOr(d: Decoding, code: 'A' | 'P' | 'S', v: Json): Json {
  const props = structOf('apiextensions/v1.JSONSchemaProps');
  const nested = (x: Json) => {
    const r = decodeStruct(props, x);
    if (r.error) throw new Abort(r.error);
    return r.value;
  };
  if (isMap(v)) return nested(v);
  if (code === 'P' && typeof v === 'boolean') return v;
  if (Array.isArray(v) && code !== 'P') return code === 'A' ? v.map(x => (isMap(x) ? nested(x) : x)) : [...v];
  if (code === 'P') throw new Abort('boolean or JSON schema expected');
  throw new Abort(typeError(d, kindOfJson(v), props.goName));
}

const goVersion = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);

/** The Go package of a group's internal types (pkg/apis). */
const internalPackage = (group: string): string => (group === '' || group === 'events.k8s.io' ? 'core' : group.split('.')[0]);

/** The body of a create or update as the caller's own typed object. */
export function decodeBody(c: WriteContext, body: unknown, trusted = false): KubeObject | Status {
  const { info } = c;
  const version = apiVersionOf(info);
  if (!isMap(body))
    return badRequest(`the object provided is unrecognized (must be of type ${info.kind}): couldn't get version/kind; json parse error`);
  const kind = body.kind || info.kind;
  const apiVersion = body.apiVersion || version;
  const cannot = (why: string) =>
    badRequest(`${kind} in version ${goQuote(apiVersion.slice(apiVersion.indexOf('/') + 1))} cannot be handled as a ${info.kind}: ${why}`);
  if (kind !== info.kind && isBuiltin(info) && structOfKind(apiVersion, kind))
    return cannot(`converting (${goVersion(apiVersion)}.${kind}) to (${internalPackage(info.group)}.${info.kind}): unknown conversion`);
  if (kind !== info.kind)
    return cannot(`no kind ${goQuote(kind)} is registered for version ${goQuote(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`);
  const schema = structOfKind(version, info.kind);
  if (apiVersion !== version) {
    return badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${version})`);
  }
  if (!schema) {
    const o = isBuiltin(info) ? (cloneJson(body) as KubeObject) : decodeCustom(c, body, trusted);
    return typeof o === 'string' ? cannot(o) : withMeta(o, apiVersion, kind);
  }
  const done = decodeStruct(schema, body);
  if (done.error) return cannot(done.error);
  const strict = trusted ? null : strictError(c, done.strict);
  return strict ? cannot(strict) : withMeta(done.value as KubeObject, apiVersion, kind);
}

/** By the request's fieldValidation: warnings, or the error's text. */
export function strictError(c: WriteContext, unknown: string[]): string | null {
  const validation = c.request.query?.fieldValidation ?? 'Warn';
  if (!unknown.length || validation === 'Ignore') return null;
  const texts = unknown.map(f => `unknown field ${goQuote(f)}`);
  if (validation === 'Strict') return `strict decoding error: ${texts.join(', ')}`;
  c.warnings.push(...texts);
  return null;
}

export function withMeta(o: KubeObject, apiVersion: string, kind: string): KubeObject {
  o.apiVersion = apiVersion;
  o.kind = kind;
  o.metadata ??= { name: '' };
  return o;
}
