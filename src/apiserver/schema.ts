// The API's Go types, read from the generated tables one struct at a time.

import { KINDS, PACKAGES } from './schema/index.ts';

/** What a JSON value decodes into. */
export interface TypeRef {
  /** A letter of the generated table: s i l b f string int32 int64 bool float64; B bytes; T M D time, microtime, duration; X int-or-string;
   * Q quantity; R J F P A S values with decoding of their own. */
  code: 'struct' | 'list' | 'map' | 's' | 'i' | 'l' | 'b' | 'f' | 'B' | 'T' | 'M' | 'D' | 'X' | 'Q' | 'R' | 'J' | 'F' | 'P' | 'A' | 'S';
  pointer: boolean;
  /** As reflect prints it: `v1.ServiceType`, `[]v1.ServicePort`. */
  goName: string;
  /** Of a list or map. */
  element?: TypeRef;
  /** Of a struct: `core/v1.Pod`. */
  name?: string;
}

export interface FieldSchema {
  name: string;
  type: TypeRef;
  /** encoding/json's omitempty and omitzero; '' : always written. */
  omit: 'e' | 'z' | '';
  mergeKey: string;
  /** patchStrategy: merge, replace, retainKeys. */
  strategies: string[];
  /** x-kubernetes-list-type or -map-type. */
  listType: string;
  mapKeys: string[];
  /** Embedded Go structs on the way, each with a dot: encoding/json names them in errors. */
  via: string;
}

export interface StructSchema {
  name: string;
  goName: string;
  fields: FieldSchema[];
  /** Those that are in the text even when nobody set them. */
  written: FieldSchema[];
  byName: Map<string, FieldSchema>;
  atomic: boolean;
}

const lines = new Map<string, Map<string, string>>();
const structs = new Map<string, StructSchema>();

function linesOf(pkg: string): Map<string, string> {
  let map = lines.get(pkg);
  if (!map) {
    map = new Map();
    for (const line of PACKAGES[pkg].trim().split('\n')) {
      const bar = line.indexOf('|');
      map.set(line.slice(0, bar).replace('!', ''), line);
    }
    lines.set(pkg, map);
  }
  return map;
}

const GO: Record<string, string> = {
  s: 'string',
  i: 'int32',
  l: 'int64',
  b: 'bool',
  f: 'float64',
  B: '[]uint8',
  T: 'v1.Time',
  M: 'v1.MicroTime',
};
Object.assign(GO, {
  D: 'v1.Duration',
  X: 'intstr.IntOrString',
  Q: 'resource.Quantity',
  R: 'runtime.RawExtension',
  J: 'v1.JSON',
  F: 'v1.FieldsV1',
});
Object.assign(GO, { P: 'v1.JSONSchemaPropsOrBool', A: 'v1.JSONSchemaPropsOrArray', S: 'v1.JSONSchemaPropsOrStringArray' });

const afterSlash = (s: string): string => s.slice(s.indexOf('/') + 1);

function parseType(text: string, pointer = false): TypeRef {
  if (text[0] === '*') return parseType(text.slice(1), true);
  const container = /^(\[\]|\{\})(?:<([^>]*)>)?(.*)$/.exec(text);
  if (container) {
    const element = parseType(container[3]);
    const list = container[1] === '[]';
    const inner = (element.pointer ? '*' : '') + element.goName;
    return { code: list ? 'list' : 'map', pointer, element, goName: container[2] || (list ? `[]${inner}` : `map[string]${inner}`) };
  }
  if (text[0] === '@') return { code: 'struct', pointer, name: text.slice(1), goName: afterSlash(text) };
  const named = /<(.*)>/.exec(text);
  return { code: text[0] as TypeRef['code'], pointer, goName: named ? named[1] : GO[text[0]] };
}

/** `core/v1.ServiceSpec` */
export function structOf(name: string): StructSchema {
  let s = structs.get(name);
  if (s) return s;
  const dot = name.lastIndexOf('.');
  const line = linesOf(name.slice(0, dot)).get(name.slice(dot + 1));
  if (!line) throw new Error(`no type ${name}`);
  const [head, ...rest] = line.split('|');
  const fields = rest.filter(Boolean).map((text): FieldSchema => {
    const [field, type, omit, mergeKey, strategy, listType, mapKeys, via] = text.split(':');
    return {
      name: field,
      type: parseType(type),
      omit: (omit ?? '') as FieldSchema['omit'],
      mergeKey: mergeKey ?? '',
      strategies: strategy ? strategy.split(',') : [],
      listType: listType ?? '',
      mapKeys: mapKeys ? mapKeys.split(',') : [],
      via: via ?? '',
    };
  });
  const written = fields.filter(f => (f.type.code === 'struct' && !f.type.pointer ? f.omit !== 'z' : !f.omit));
  const byName = new Map(fields.map(f => [f.name, f]));
  s = { name, goName: head.replace('!', ''), fields, written, byName, atomic: head.endsWith('!') };
  structs.set(name, s);
  return s;
}

let kinds: Map<string, string> | null = null;

/** The Go type of a built-in kind. */
export function structOfKind(apiVersion: string, kind: string): StructSchema | null {
  kinds ??= new Map(
    KINDS.trim()
      .split('\n')
      .map(l => l.split(' ') as [string, string]),
  );
  const name = kinds.get(`${apiVersion}/${kind}`);
  return name ? structOf(name) : null;
}
