// Kinds as CEL's types: the server's own by their Go types, custom ones by their schemas (k8s.io/apiserver/pkg/cel/openapi/resolver v0.36.3).

import { BOOL, BYTES, DOUBLE, DYN, INT, listOf, mapOf, STRING, TIMESTAMP, type Type } from '../../cel/types.ts';
import { declaredType, escapeName } from '../../custom/cel-schema.ts';
import { schemaOf } from '../../custom/resources.ts';
import { apiVersionOf, isBuiltin } from '../../resources.ts';
import { type StructSchema, structOf, structOfKind, type TypeRef } from '../../schema.ts';
import type { ApiServer, ResourceInfo } from '../../types.ts';

/** By the letters of the generated tables; what has a decoding of its own may be anything. */
const SCALARS: Partial<Record<TypeRef['code'], Type>> = {
  s: STRING,
  i: INT,
  l: INT,
  b: BOOL,
  f: DOUBLE,
  B: BYTES,
  T: TIMESTAMP,
  M: TIMESTAMP,
  D: STRING,
};

function fieldType(t: TypeRef, above: readonly string[]): Type {
  const element = t.element ? fieldType(t.element, above) : DYN;
  if (t.code === 'list') return listOf(element);
  if (t.code === 'map') return mapOf(STRING, element);
  if (t.code !== 'struct' || !t.name) return SCALARS[t.code] ?? DYN;
  // A type that holds itself ends somewhere.
  return above.includes(t.name) ? DYN : structType(structOf(t.name), above);
}

function structType(s: StructSchema, above: readonly string[]): Type {
  const fields = new Map<string, Type>();
  for (const f of s.fields) {
    const name = escapeName(f.name);
    if (name) fields.set(name, fieldType(f.type, [...above, s.name]));
  }
  return { k: 'object', name: s.goName, fields };
}

/** null: nothing is known of it. */
export function objectType(server: ApiServer, info: ResourceInfo): Type | null {
  if (!isBuiltin(info)) {
    const schema = schemaOf(server, info);
    return schema ? declaredType(schema, true) : null;
  }
  const struct = structOfKind(apiVersionOf(info), info.kind);
  if (!struct) return null;
  const type = structType(struct, []);
  if (type.k === 'object') for (const k of ['apiVersion', 'kind']) type.fields.set(k, STRING);
  return type;
}
