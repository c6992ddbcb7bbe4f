// Server-side apply: the applied fields put into the live object by the types' own list and map semantics
// (sigs.k8s.io/structured-merge-diff/v6). Who owns which field is not kept, so nothing conflicts and nothing is taken away.

import type { CustomSchema } from './custom/schema.ts';
import { cloneJson, isMap, type Json, sameJson } from './json.ts';
import { type FieldSchema, type StructSchema, structOf, type TypeRef } from './schema.ts';

/** How the values of a list or map are merged. */
interface Kind {
  list: '' | 'atomic' | 'set' | 'map' | 'granular';
  keys: string[];
  /** Of a field, an element, or a map's value. */
  below(key: string | null): Kind;
}

const LEAF: Kind = { list: '', keys: [], below: () => LEAF };

const ofStruct = (s: StructSchema): Kind => ({
  list: s.atomic ? 'atomic' : 'granular',
  keys: [],
  below: k => {
    const f = k === null ? undefined : s.byName.get(k);
    return f ? ofField(f) : LEAF;
  },
});

function ofType(t: TypeRef): Kind {
  if (t.code === 'struct') return ofStruct(structOf(t.name as string));
  if (t.code === 'map') return { list: 'granular', keys: [], below: () => ofType(t.element as TypeRef) };
  if (t.code === 'list') return { list: 'atomic', keys: [], below: () => ofType(t.element as TypeRef) };
  return LEAF;
}

function ofField(f: FieldSchema): Kind {
  const kind = ofType(f.type);
  return f.listType ? { ...kind, list: f.listType as Kind['list'], keys: f.mapKeys } : kind;
}

function ofCustom(s: CustomSchema | undefined): Kind {
  if (!s) return { list: 'granular', keys: [], below: () => ofCustom(undefined) };
  const array = s.type === 'array';
  return {
    list: (array ? s['x-kubernetes-list-type'] : s['x-kubernetes-map-type']) ?? (array ? 'atomic' : 'granular'),
    keys: s['x-kubernetes-list-map-keys'] ?? [],
    below: k =>
      ofCustom(array ? s.items : (s.properties?.[k ?? ''] ?? (isMap(s.additionalProperties) ? s.additionalProperties : undefined))),
  };
}

export const applyToStruct = (schema: StructSchema, live: Json, applied: Json): Json => merge(ofStruct(schema), live, applied);
export const applyToCustom = (schema: CustomSchema | undefined, live: Json, applied: Json): Json => merge(ofCustom(schema), live, applied);

function merge(kind: Kind, live: Json, applied: Json): Json {
  if (kind.list === 'atomic' || live === undefined || live === null) return cloneJson(applied);
  if (isMap(applied) && isMap(live)) {
    const out = { ...live };
    for (const k in applied) out[k] = merge(kind.below(k), live[k], applied[k]);
    return out;
  }
  if (!Array.isArray(applied) || !Array.isArray(live)) return cloneJson(applied);
  if (kind.list === 'set') return [...live.filter(x => !applied.some(y => sameJson(x, y))), ...cloneJson(applied)];
  return kind.list === 'map' ? mergeByKeys(kind, live, applied) : cloneJson(applied);
}

/** Ports without a protocol are TCP's: defaults are part of the keys. */
const keyOf = (keys: string[], x: Json): string =>
  JSON.stringify(keys.map(k => x?.[k] ?? (k === 'protocol' ? 'TCP' : k === 'ip' || k === 'ips' ? '' : null)));

/** The applied items in their own order, the others where they were before them. */
function mergeByKeys(kind: Kind, live: Json[], applied: Json[]): Json[] {
  const of = (x: Json) => keyOf(kind.keys, x);
  const old = new Map(live.map(x => [of(x), x]));
  const mine = applied.map(x => merge({ ...kind.below(null), list: 'granular' }, old.get(of(x)), x));
  const given = new Set(applied.map(of));
  const out: Json[] = [];
  let next = 0;
  for (const x of live) {
    if (!given.has(of(x))) {
      out.push(x);
      continue;
    }
    const at = applied.findIndex(y => of(y) === of(x));
    while (next <= at) out.push(mine[next++]);
  }
  return [...out, ...mine.slice(next)];
}
