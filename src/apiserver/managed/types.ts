// How the values of a type are compared and merged: by field, as a whole, as a set or by keys
// (x-kubernetes-list-type and -map-type; sigs.k8s.io/structured-merge-diff/v6/schema).

import type { CustomSchema } from '../custom/schema.ts';
import { isMap, type Json } from '../json.ts';
import { type FieldSchema, type StructSchema, structOf, type TypeRef } from '../schema.ts';

export interface Kind {
  /** any: what the value is decides. */
  form: 'scalar' | 'list' | 'map' | 'any';
  /** set and map: lists whose elements are known by value or by keys. */
  relation: 'atomic' | 'granular' | 'set' | 'map';
  keys: string[];
  /** A declared field: of a struct, not of a map. */
  declares(key: string): boolean;
  /** Of a field, an element (null), or a map's value. */
  below(key: string | null): Kind;
  /** Of a key that an element leaves out. */
  defaultOf(key: string): Json;
  /** Which scalars are values of it; '' : any. */
  scalar: '' | 'string' | 'number' | 'boolean';
  /** Fields that are not declared are fields too. */
  open: boolean;
}

const no = () => false;
const nothing = () => undefined;

const ANY: Kind = {
  form: 'any',
  relation: 'granular',
  keys: [],
  declares: no,
  below: () => ANY,
  defaultOf: nothing,
  scalar: '',
  open: true,
};

const scalarKind = (scalar: Kind['scalar']): Kind => ({ ...ANY, form: 'scalar', relation: 'atomic', scalar });
const SCALARS = { '': scalarKind(''), string: scalarKind('string'), number: scalarKind('number'), boolean: scalarKind('boolean') };

function scalarOf(code: TypeRef['code']): Kind {
  if ('sTMDB'.includes(code)) return SCALARS.string;
  if ('ilf'.includes(code)) return SCALARS.number;
  return code === 'b' ? SCALARS.boolean : SCALARS[''];
}

const structs = new WeakMap<StructSchema, Kind>();
const fields = new WeakMap<FieldSchema, Kind>();

export function kindOfStruct(s: StructSchema): Kind {
  let kind = structs.get(s);
  if (!kind) {
    kind = {
      form: 'map',
      relation: s.atomic ? 'atomic' : 'granular',
      keys: [],
      declares: k => s.byName.has(k),
      below: k => {
        const f = k === null ? undefined : s.byName.get(k);
        return f ? kindOfField(f) : ANY;
      },
      // What the OpenAPI types give as defaults: fields that are always written have their zero.
      defaultOf: k => (k === 'protocol' ? 'TCP' : zeroField(s.byName.get(k))),
      scalar: '',
      open: false,
    };
    structs.set(s, kind);
  }
  return kind;
}

const ZEROS: Record<string, Json> = { s: '', i: 0, l: 0 };

const zeroField = (f: FieldSchema | undefined): Json => (f && !f.omit && !f.type.pointer ? ZEROS[f.type.code] : undefined);

function kindOfField(f: FieldSchema): Kind {
  let kind = fields.get(f);
  if (!kind) {
    kind = kindOfType(f.type);
    if (f.listType) kind = { ...kind, relation: f.listType as Kind['relation'], keys: [...f.mapKeys].sort() };
    fields.set(f, kind);
  }
  return kind;
}

function kindOfType(t: TypeRef): Kind {
  if (t.code === 'struct') return kindOfStruct(structOf(t.name as string));
  // JSONSchemaPropsOrBool, OrArray and OrStringArray have no type in the server's OpenAPI.
  if (/[RJPAS]/.test(t.code)) return ANY;
  if (t.code !== 'map' && t.code !== 'list') return scalarOf(t.code);
  const element = kindOfType(t.element as TypeRef);
  const list = t.code === 'list';
  return {
    form: t.code,
    relation: list ? 'atomic' : 'granular',
    keys: [],
    declares: no,
    below: () => element,
    defaultOf: k => element.defaultOf(k),
    scalar: '',
    open: true,
  };
}

const META = { type: 'object' };

/** Of a custom resource; `root`: it has an object's metadata. */
export function kindOfCustom(s: CustomSchema | undefined, root = true): Kind {
  if (!s && !root) return ANY;
  const schema = s ?? {};
  const array = schema.type === 'array';
  const relation = array ? (schema['x-kubernetes-list-type'] ?? 'atomic') : (schema['x-kubernetes-map-type'] ?? 'granular');
  const form = array ? 'list' : root || schema.type === 'object' || schema.properties ? 'map' : schema.type ? 'scalar' : 'any';
  const property = (k: string): CustomSchema | undefined => schema.properties?.[k];
  return {
    form,
    relation,
    keys: [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort(),
    declares: k => property(k) !== undefined || (root && (k === 'metadata' || k === 'apiVersion' || k === 'kind')),
    below: k => {
      if (root && k === 'metadata') return kindOfStruct(structOf('meta/v1.ObjectMeta'));
      if (root && k !== null && (k === 'apiVersion' || k === 'kind')) return SCALARS.string;
      if (array) return kindOfCustom(schema.items, false);
      const extra = isMap(schema.additionalProperties) ? schema.additionalProperties : undefined;
      return kindOfCustom(property(k ?? '') ?? extra ?? (root && !s ? META : undefined), false);
    },
    defaultOf: k => schema.items?.properties?.[k]?.default,
    scalar: form === 'scalar' ? scalarOfSchema(schema) : '',
    open: !s || !!schema['x-kubernetes-preserve-unknown-fields'] || !!schema.additionalProperties,
  };
}

function scalarOfSchema(s: CustomSchema): Kind['scalar'] {
  if (s['x-kubernetes-int-or-string']) return '';
  if (s.type === 'integer' || s.type === 'number') return 'number';
  return s.type === 'string' || s.type === 'boolean' ? s.type : '';
}

/** What a value is taken for. */
export function formOf(kind: Kind, v: Json): 'scalar' | 'list' | 'map' {
  if (Array.isArray(v)) return 'list';
  if (isMap(v)) return 'map';
  return v === null && kind.form !== 'any' ? kind.form : 'scalar';
}

/** Lists without a type of their own are one value. */
export const isAtomic = (kind: Kind, form: 'list' | 'map'): boolean =>
  kind.form === 'any' ? form === 'list' : kind.relation === 'atomic' || (form === 'list' && kind.relation === 'granular');

/** An element of a list that is no single value: `k:{"name":"web"}` or `v:"a"`. */
export function elementOf(kind: Kind, v: Json): string {
  if (kind.relation === 'set' || !isMap(v)) return `v:${JSON.stringify(v)}`;
  const keys: Record<string, Json> = {};
  for (const k of kind.keys) {
    const value = v[k] ?? kind.defaultOf(k);
    if (value !== undefined) keys[k] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}
