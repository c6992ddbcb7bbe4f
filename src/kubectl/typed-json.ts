// JSON of commands that hold objects in Go types: encoding/json writes a struct's fields in the order of their declaration
// (cli-runtime/pkg/printers/json.go v0.36.3).

import { type StructSchema, structOf, structOfKind, type TypeRef } from '../apiserver/schema.ts';
import { compareKeys, goJsonIndent, goJsonString } from './go-json.ts';

const STEP = '    ';

export function typedJson(o: any): string {
  const struct = structOfKind(o.apiVersion ?? '', o.kind ?? '');
  return struct ? object(o, struct, '') : goJsonIndent(o);
}

function value(v: any, type: TypeRef | undefined, at: string): string {
  if (type?.code === 'struct' && typeof v === 'object' && v !== null) return object(v, structOf(type.name as string), at);
  if (!type?.element || typeof v !== 'object' || v === null) return goJsonIndent(v, STEP, at);
  const inner = at + STEP;
  if (Array.isArray(v)) return v.length ? `[\n${v.map(x => inner + value(x, type.element, inner)).join(',\n')}\n${at}]` : '[]';
  return members(
    Object.keys(v)
      .sort(compareKeys)
      .map(k => [k, value(v[k], type.element, inner)]),
    at,
  );
}

function object(v: any, struct: StructSchema, at: string): string {
  const inner = at + STEP;
  const known = ['kind', 'apiVersion', ...struct.fields.map(f => f.name)];
  const keys = [...new Set([...known, ...Object.keys(v).sort(compareKeys)])].filter(k => v[k] !== undefined);
  // Where kind and apiVersion are fields of the struct's own they have their place among them.
  if (at && struct.byName.has('kind')) keys.sort((a, b) => place(struct, a) - place(struct, b));
  return members(
    keys.map(k => [k, value(v[k], struct.byName.get(k)?.type, inner)]),
    at,
  );
}

const place = (struct: StructSchema, name: string): number => {
  const i = struct.fields.findIndex(f => f.name === name);
  return i < 0 ? struct.fields.length : i;
};

function members(rows: string[][], at: string): string {
  if (!rows.length) return '{}';
  return `{\n${rows.map(([k, text]) => `${at}${STEP}${goJsonString(k)}: ${text}`).join(',\n')}\n${at}}`;
}
