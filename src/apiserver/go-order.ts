// Keys in the order in which Go writes them: a struct's fields as they are declared, a map's by their bytes.
import { isMap, type Json } from './json.ts';
import { structOf, structOfKind, type TypeRef } from './schema.ts';
import type { KubeList, KubeObject } from './types.ts';

/** An object or list as the server writes it. Custom resources are maps, all others structs. */
export function inGoOrder(body: KubeObject | KubeList): Json {
  const { apiVersion = '', kind = '' } = body;
  const items = (body as KubeList).items;
  const type = typeOfKind(apiVersion, Array.isArray(items) ? kind.replace(/List$/, '') : kind);
  if (!type) return sorted(body);
  if (!Array.isArray(items)) return { kind, apiVersion, ...(typed(body, type) as object) };
  return { kind, apiVersion, metadata: sorted(body.metadata), items: items.map(o => typed(o, type)) };
}

function typeOfKind(apiVersion: string, kind: string): TypeRef | undefined {
  const struct = structOfKind(apiVersion, kind);
  return struct ? { code: 'struct', pointer: false, name: struct.name, goName: struct.goName } : undefined;
}

function typed(v: Json, type: TypeRef): Json {
  if (Array.isArray(v)) return type.element ? v.map(x => typed(x, type.element as TypeRef)) : v.map(x => sorted(x));
  if (!isMap(v)) return v;
  if (type.code !== 'struct') return sorted(v, type.element);
  const out: Json = {};
  const { fields, byName } = structOf(type.name as string);
  for (const f of fields) if (v[f.name] !== undefined) out[f.name] = typed(v[f.name], f.type);
  for (const k of Object.keys(v).sort()) if (!byName.has(k) && v[k] !== undefined) out[k] = sorted(v[k]);
  return out;
}

function sorted(v: Json, element?: TypeRef): Json {
  if (Array.isArray(v)) return v.map(x => sorted(x));
  if (!isMap(v)) return v;
  const out: Json = {};
  for (const k of Object.keys(v).sort()) if (v[k] !== undefined) out[k] = element ? typed(v[k], element) : sorted(v[k]);
  return out;
}
