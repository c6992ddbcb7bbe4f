// Objects that a command holds in Go types: encoding/json writes a struct's fields in the order of their declaration
// (cli-runtime/pkg/printers v0.36.3).

import { structOf, structOfKind, type TypeRef } from '../apiserver/schema.ts';
import { compareKeys, goJsonIndent, goJsonString } from './go-json.ts';

const STEP = '    ';

/** The type of a whole object; undefined: podnet knows none, its keys are sorted. */
export function typeOf(o: any): TypeRef | undefined {
  const struct = structOfKind(o.apiVersion ?? '', o.kind ?? '');
  return struct ? { code: 'struct', pointer: false, name: struct.name, goName: struct.goName } : undefined;
}

/** Keys of a map or struct in their order, with the types of their values. `top`: kind and apiVersion come first. */
export function typedEntries(v: any, type: TypeRef | undefined, top: boolean): [key: string, type: TypeRef | undefined][] {
  const keys = Object.keys(v)
    .filter(k => v[k] !== undefined)
    .sort(compareKeys);
  if (type?.code !== 'struct') return keys.map(k => [k, type?.element]);
  const struct = structOf(type.name as string);
  const declared = struct.fields.map(f => f.name).filter(k => v[k] !== undefined);
  const meta = top ? ['kind', 'apiVersion'].filter(k => v[k] !== undefined) : [];
  return [...new Set([...meta, ...declared, ...keys])].map(k => [k, struct.byName.get(k)?.type]);
}

export const typedJson = (o: any): string => text(o, typeOf(o), '');

function text(v: any, type: TypeRef | undefined, at: string): string {
  if (typeof v !== 'object' || v === null || !type) return goJsonIndent(v, STEP, at);
  const inner = at + STEP;
  if (Array.isArray(v)) return v.length ? `[\n${v.map(x => inner + text(x, type.element, inner)).join(',\n')}\n${at}]` : '[]';
  const rows = typedEntries(v, type, at === '').map(([k, t]) => `${inner}${goJsonString(k)}: ${text(v[k], t, inner)}`);
  return rows.length ? `{\n${rows.join(',\n')}\n${at}}` : '{}';
}
