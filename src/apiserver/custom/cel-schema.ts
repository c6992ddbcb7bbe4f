// Structural schemas as CEL's types, and values by them (k8s.io/apiserver/pkg/cel/common/{schemas,values}.go, pkg/cel/escaping.go v0.36.3).

import { unbase64 } from '../../sim/bytes.ts';
import { parseDuration, parseTimestamp } from '../cel/time.ts';
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, listOf, mapOf, STRING, TIMESTAMP, type Type } from '../cel/types.ts';
import { asSet, CelError, canonical, Duration, fromJson, MapVal, Obj, Timestamp, type Val } from '../cel/values.ts';
import { RESERVED } from '../cel/words.ts';
import { isMap, type Json } from '../json.ts';
import type { CustomSchema } from './schema.ts';

/** A field's name in expressions; null: it has none there. */
export function escapeName(name: string): string | null {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return null;
  const escapes: Record<string, string> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };
  return name.replace(/__|[./-]/g, x => escapes[x]);
}

const META: CustomSchema = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } };

/** An object of its own always has its type and its name. */
function withObjectMeta(s: CustomSchema): CustomSchema {
  const properties = { ...s.properties, apiVersion: { type: 'string' }, kind: { type: 'string' } };
  return { ...s, type: 'object', properties: { ...properties, metadata: META } };
}

/** null: expressions do not see it. `root`: it is an object of its own. */
export function declaredType(s: CustomSchema, root: boolean, name = 'selfType0'): Type | null {
  if (s['x-kubernetes-int-or-string']) return DYN;
  const schema = root ? withObjectMeta(s) : s;
  switch (schema.type) {
    case 'array': {
      const of = isMap(schema.items) ? declaredType(schema.items, !!schema.items['x-kubernetes-embedded-resource']) : null;
      return of && listOf(of);
    }
    case 'object':
      return objectType(schema, name);
    case 'string':
      return FORMATS[schema.format] ?? STRING;
    case 'boolean':
      return BOOL;
    case 'number':
      return DOUBLE;
    case 'integer':
      return INT;
    default:
      return null;
  }
}

const FORMATS: Record<string, Type> = { byte: BYTES, duration: DURATION, date: TIMESTAMP, 'date-time': TIMESTAMP };

function objectType(s: CustomSchema, name: string): Type | null {
  const extra = s.additionalProperties;
  if (isMap(extra)) {
    const of = declaredType(extra, !!extra['x-kubernetes-embedded-resource']);
    return of && mapOf(STRING, of);
  }
  const fields = new Map<string, Type>();
  for (const [k, p] of Object.entries<CustomSchema>(s.properties ?? {})) {
    const escaped = escapeName(k);
    const type = escaped && declaredType(p, !!p['x-kubernetes-embedded-resource'], `${name}.${escaped}`);
    if (escaped && type) fields.set(escaped, type);
  }
  return { k: 'object', name, fields };
}

/** A value that its schema allows. */
export function toValue(x: Json, s: CustomSchema, root = false): Val {
  if (x === null || x === undefined) return null;
  if (s['x-kubernetes-int-or-string']) return fromJson(x);
  const schema = root || s['x-kubernetes-embedded-resource'] ? withObjectMeta(s) : s;
  switch (schema.type) {
    case 'array':
      return Array.isArray(x) ? toList(x, schema) : mismatch('list');
    case 'object':
      return isMap(x) ? toObject(x, schema) : mismatch('map');
    case 'string':
      return typeof x === 'string' ? toText(x, schema.format) : mismatch('string');
    case 'integer':
      return typeof x === 'number' ? BigInt(Math.trunc(x)) : mismatch('integer');
    case 'number':
      return typeof x === 'number' ? x : mismatch('number');
    case 'boolean':
      return typeof x === 'boolean' ? x : mismatch('boolean');
    default:
      return fromJson(x);
  }
}

function mismatch(want: string): never {
  throw new CelError(`invalid data, expected a value of type ${want}`);
}

function toText(text: string, format: string | undefined): Val {
  switch (format) {
    case 'byte':
      return unbase64(text) ?? mismatch('byte');
    case 'duration':
      return new Duration(parseDuration(text));
    case 'date':
      return new Timestamp(parseTimestamp(`${text}T00:00:00Z`));
    case 'date-time':
      return new Timestamp(parseTimestamp(text));
    default:
      return text;
  }
}

function toList(x: Json[], s: CustomSchema): Val {
  const items = x.map(v => toValue(v, s.items ?? {}));
  const type = s['x-kubernetes-list-type'];
  const keys: string[] = s['x-kubernetes-list-map-keys'] ?? [];
  if (type === 'set') return asSet(items, canonical);
  if (type !== 'map') return items;
  const names = keys.map(k => escapeName(k) ?? k);
  return asSet(items, v => (v instanceof Obj ? names.map(k => canonical(v.fields.get(k) ?? null)).join() : canonical(v)));
}

function toObject(x: Record<string, Json>, s: CustomSchema): Val {
  const extra = s.additionalProperties;
  if (isMap(extra)) return MapVal.of(Object.keys(x).map(k => [k, toValue(x[k], extra)]));
  const fields = new Map<string, Val>();
  for (const k in s.properties) {
    const name = x[k] !== undefined && x[k] !== null ? escapeName(k) : null;
    if (name) fields.set(name, toValue(x[k], s.properties[k]));
  }
  return new Obj('object', fields);
}
