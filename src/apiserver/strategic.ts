// Strategic merge patch, the merging side (k8s.io/apimachinery/pkg/util/strategicpatch/patch.go v0.36.3).

import { cloneJson, isMap, type Json, sameJson } from './json.ts';
import { type StructSchema, structOf, structOfKind, type TypeRef } from './schema.ts';

/** Where in the types a value lies: a struct, or something without fields of its own. */
export type PatchSchema = StructSchema | { goKind: string } | null;

export class PatchError extends Error {}

export interface PatchMeta {
  schema: PatchSchema;
  /** merge, replace or ''. */
  strategy: string;
  retainKeys: boolean;
  mergeKey: string;
}

interface Options {
  /** Merging into an object; else into another patch, which keeps directives. */
  mergeParallelList: boolean;
  ignoreUnmatchedNulls: boolean;
}

export const DIRECTIVE = '$patch';
const RETAIN = '$retainKeys';
const DELETE_LIST = '$deleteFromPrimitiveList';
const ORDER = '$setElementOrder';

export const patchSchemaOf = (apiVersion: string, kind: string): PatchSchema => structOfKind(apiVersion, kind);

export function lookup(schema: PatchSchema, key: string, slice: boolean): PatchMeta {
  if (!schema || 'goKind' in schema) {
    const what = slice ? 'array' : 'object';
    throw new PatchError(
      `merging an ${what} in json but data type is not ${slice ? 'struct' : 'struct'}, instead is: ${schema?.goKind ?? 'map'}`,
    );
  }
  const f = schema.byName.get(key);
  if (!f) throw new PatchError(`unable to find api field in struct ${schema.goName} for the json field ${JSON.stringify(key)}`);
  const type = slice && f.type.code === 'list' ? (f.type.element as TypeRef) : f.type;
  const retainKeys = f.strategies.includes('retainKeys');
  const strategy = f.strategies.find(s => s !== 'retainKeys') ?? '';
  return { schema: schemaOfType(type), strategy, retainKeys, mergeKey: f.mergeKey };
}

function schemaOfType(type: TypeRef): PatchSchema {
  if (type.code === 'struct') return structOf(type.name as string);
  if (type.code === 'A' || type.code === 'P' || type.code === 'S') return { goKind: 'struct' };
  return { goKind: type.code === 'list' ? 'slice' : type.code === 'map' ? 'map' : 'string' };
}

/** The merged value with what merging left of the patch, or the error's text. Neither argument is changed. */
export function strategicMerge(apiVersion: string, kind: string, current: Json, patch: Json): { value: Json; patch: Json } | string {
  const schema = patchSchemaOf(apiVersion, kind);
  const rest = cloneJson(patch);
  try {
    return { value: mergeMap(cloneJson(current), rest, schema, { mergeParallelList: true, ignoreUnmatchedNulls: true }), patch: rest };
  } catch (e) {
    if (e instanceof PatchError) return e.message;
    throw e;
  }
}

/** Of two patches, the first of which is given up to the result. */
export const mergePatches = (first: Json, second: Json, schema: PatchSchema): Json =>
  mergeMap(first, second, schema, { mergeParallelList: false, ignoreUnmatchedNulls: false });

const typeName = (v: Json): string =>
  Array.isArray(v)
    ? '[]interface {}'
    : isMap(v)
      ? 'map[string]interface {}'
      : typeof v === 'number'
        ? 'int64'
        : typeof v === 'boolean'
          ? 'bool'
          : typeof v;

const badArg = (want: string, got: Json) => new PatchError(`expected a ${want}, but received a ${typeName(got)}`);

const noMergeKey = (m: Json, key: string) => new PatchError(`map: ${goMap(m)} does not contain declared merge key: ${key}`);

/** fmt's %v. */
export function goMap(v: Json): string {
  if (Array.isArray(v)) return `[${v.map(goMap).join(' ')}]`;
  if (isMap(v)) {
    return `map[${Object.keys(v)
      .sort()
      .map(k => `${k}:${goMap(v[k])}`)
      .join(' ')}]`;
  }
  return v === null || v === undefined ? '<nil>' : String(v);
}

function mergeMap(original: Json, patch: Json, schema: PatchSchema, options: Options): Json {
  if (DIRECTIVE in patch) {
    const directive = patch[DIRECTIVE];
    if (directive === 'replace') {
      delete patch[DIRECTIVE];
      return patch;
    }
    if (directive === 'delete') return {};
    throw new PatchError(`unknown patch type: ${directive} in map: ${goMap(patch)}`);
  }
  original ??= {};
  applyRetainKeys(original, patch, options);
  mergeOrderedLists(original, patch, schema, options);
  for (const key of Object.keys(patch)) mergeKeyInto(original, key, patch[key], schema, options);
  return original;
}

function mergeKeyInto(original: Json, key: string, value: Json, schema: PatchSchema, options: Options): void {
  let deleting = false;
  if (key.startsWith(DELETE_LIST)) {
    if (!options.mergeParallelList) {
      original[key] = value;
      return;
    }
    key = extractKey(key, DELETE_LIST);
    deleting = true;
  }
  if (value === null) {
    delete original[key];
    if (options.ignoreUnmatchedNulls) return;
  }
  const old = original[key];
  const sameType = old !== undefined && kindOf(old) === kindOf(value);
  if (!sameType) {
    if (deleting) return;
    if (options.ignoreUnmatchedNulls) discardNulls(value);
    setWithoutDirectives(original, key, value);
    return;
  }
  if (isMap(old)) {
    const meta = lookup(schema, key, false);
    original[key] = meta.strategy === 'replace' ? value : mergeMap(old, value, meta.schema, options);
  } else if (Array.isArray(old)) {
    const meta = lookup(schema, key, true);
    original[key] = mergeSliceHandler(old, value, meta, deleting, options);
  } else setWithoutDirectives(original, key, value);
}

const kindOf = (v: Json): string => (v === null ? 'null' : Array.isArray(v) ? 'list' : typeof v);

function setWithoutDirectives(original: Json, key: string, value: Json): void {
  const [kept, keep] = removeDirectives(value);
  if (keep) original[key] = kept;
  else delete original[key];
}

function removeDirectives(v: Json): [Json, boolean] {
  if (Array.isArray(v)) {
    const out: Json[] = [];
    for (const x of v) {
      const [kept, keep] = removeDirectives(x);
      if (keep) out.push(kept);
    }
    return [out, true];
  }
  if (isMap(v)) {
    if (DIRECTIVE in v) return [null, false];
    for (const k of Object.keys(v)) {
      const [kept, keep] = removeDirectives(v[k]);
      if (keep) v[k] = kept;
      else delete v[k];
    }
  }
  return [v, true];
}

function discardNulls(v: Json): void {
  if (Array.isArray(v)) v.forEach(discardNulls);
  else if (isMap(v)) {
    for (const k of Object.keys(v)) {
      if (v[k] === null) delete v[k];
      else discardNulls(v[k]);
    }
  }
}

function applyRetainKeys(original: Json, patch: Json, options: Options): void {
  if (!(RETAIN in patch)) return;
  const list = patch[RETAIN];
  delete patch[RETAIN];
  if (!options.mergeParallelList) {
    if (RETAIN in original && !sameJson(original[RETAIN], list)) {
      throw new PatchError(
        `${goMap(original[RETAIN])} and ${goMap(list)} are not deep equal: this may happen when calculating the 3-way diff patch`,
      );
    }
    original[RETAIN] = list;
    return;
  }
  const bad = new PatchError('invalid patch format of retainKeys');
  if (!Array.isArray(list)) throw bad;
  const keep = new Set(list);
  for (const k in patch) {
    if (patch[k] !== null && !k.startsWith(DELETE_LIST) && !k.startsWith(ORDER) && !keep.has(k)) throw bad;
  }
  for (const k of Object.keys(original)) if (!keep.has(k)) delete original[k];
}

function extractKey(key: string, prefix: string): string {
  const slash = key.indexOf('/');
  if (slash < 0 || key.slice(0, slash) !== prefix) {
    throw new PatchError(prefix === ORDER ? 'invalid patch format of setElementOrder list' : 'invalid patch format of primitive list');
  }
  return key.slice(slash + 1);
}

/** $setElementOrder lists with the lists that they order. */
function mergeOrderedLists(original: Json, patch: Json, schema: PatchSchema, options: Options): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER)) continue;
    const order = patch[key];
    if (!options.mergeParallelList) {
      if (key in original && !sameJson(original[key], order)) throw new PatchError('invalid patch format of setElementOrder list');
      original[key] = order;
    }
    delete patch[key];
    if (!Array.isArray(order)) throw badArg('[]interface {}', order);
    mergeOrderedList(original, patch, extractKey(key, ORDER), order, schema, options);
  }
}

function mergeOrderedList(original: Json, patch: Json, key: string, order: Json[], schema: PatchSchema, options: Options): void {
  const live = original[key];
  const given = patch[key];
  if (live !== undefined && !Array.isArray(live)) throw badArg('[]interface {}', live);
  if (given !== undefined && !Array.isArray(given)) throw badArg('[]interface {}', given);
  const meta = lookup(schema, key, true);
  validateOrder(given ?? [], order, meta.mergeKey);
  if (!live && !given) return;
  const maps = isMap((live ?? given)[0] ?? given?.[0]);
  const serverOrder = live
    ? orderAfterDeletions(live, maps && meta.mergeKey && meta.strategy === 'merge' ? (given ?? []) : [], meta.mergeKey)
    : [];
  let merged: Json[];
  if (!given) merged = live;
  else if (!live) merged = removeDirectives(given)[0];
  else merged = mergeSliceHandler(live, given, meta, false, options);
  const [mine, theirs] = partition(merged, order, meta.mergeKey);
  original[key] = normalizeOrder(mine, theirs, order, serverOrder, meta.mergeKey, maps);
  delete patch[key];
}

/**
 * The live list as upstream's Go slice is left by the merge: deleting shifts its elements in place, and what is then appended
 * lands in the room at its end.
 */
function orderAfterDeletions(live: Json[], patch: Json[], mergeKey: string): Json[] {
  const view = [...live];
  let length = view.length;
  const find = (x: Json) => view.slice(0, length).findIndex(o => isMap(o) && o[mergeKey] === x[mergeKey]);
  for (const x of patch) {
    if (!isMap(x) || x[DIRECTIVE] !== 'delete') continue;
    for (let i = find(x); i >= 0; i = find(x)) {
      view.copyWithin(i, i + 1, length);
      length--;
    }
  }
  for (const x of patch) {
    if (!isMap(x) || DIRECTIVE in x || find(x) >= 0) continue;
    if (length >= view.length) break;
    view[length++] = x;
  }
  return view;
}

function validateOrder(patch: Json[], order: Json[], mergeKey: string): void {
  if (!patch.length || !order.length) return;
  const items = mergeKey ? patch.filter(x => !(isMap(x) && x[DIRECTIVE] === 'delete')) : patch;
  let i = 0;
  for (let j = 0; i < items.length && j < order.length; ) {
    if (isMap(items[i]) && DIRECTIVE in items[i]) {
      i++;
      continue;
    }
    if (keyValue(items[i], mergeKey) === keyValue(order[j], mergeKey)) i++;
    j++;
  }
  if (i < items.length) {
    throw new PatchError(`The order in patch list:\n${goMap(patch)}\n doesn't match ${ORDER} list:\n${goMap(order)}\n`);
  }
}

function keyValue(item: Json, mergeKey: string): Json {
  if (!mergeKey) return item;
  if (!isMap(item)) throw badArg('map[string]interface {}', item);
  if (!(mergeKey in item)) throw noMergeKey(item, mergeKey);
  return item[mergeKey];
}

function partition(list: Json[], by: Json[], mergeKey: string): [Json[], Json[]] {
  const keys = new Set(by.map(x => (mergeKey ? (isMap(x) ? x[mergeKey] : undefined) : x)));
  const inside: Json[] = [];
  const outside: Json[] = [];
  for (const x of list) (keys.has(keyValue(x, mergeKey)) ? inside : outside).push(x);
  return [inside, outside];
}

const indexOf = (list: Json[], item: Json, mergeKey: string, maps: boolean): number => {
  const value = maps ? item?.[mergeKey] : item;
  return list.findIndex(x => (maps ? x?.[mergeKey] : x) === value);
};

/** By `order`; what is not in it goes to the front, and deletions to the end. */
export function sortByOrder(list: Json[], order: Json[], mergeKey: string, maps: boolean): Json[] {
  if (maps) for (const x of [...list, ...order]) keyValue(x, mergeKey);
  const deletes = maps ? list.filter(x => x[DIRECTIVE] === 'delete') : [];
  const rest = maps ? list.filter(x => x[DIRECTIVE] !== 'delete') : [...list];
  const at = rest.map(x => indexOf(order, x, mergeKey, maps));
  // Insertion sort with upstream's comparison, which is no order when something is missing from the list.
  const sorted: number[] = [];
  for (let i = 0; i < rest.length; i++) {
    let j = sorted.length;
    while (j > 0 && (at[i] < 0 || at[sorted[j - 1]] < 0 || at[i] < at[sorted[j - 1]])) j--;
    sorted.splice(j, 0, i);
  }
  return [...sorted.map(i => rest[i]), ...deletes];
}

function normalizeOrder(patch: Json[], server: Json[], patchOrder: Json[], serverOrder: Json[], mergeKey: string, maps: boolean): Json[] {
  const right = sortByOrder(patch, patchOrder, mergeKey, maps);
  const left = sortByOrder(server, serverOrder, mergeKey, maps);
  const out: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i >= left.length) out.push(right[j++]);
    else if (j >= right.length) out.push(left[i++]);
    else {
      const li = indexOf(serverOrder, left[i], mergeKey, maps);
      const ri = indexOf(serverOrder, right[j], mergeKey, maps);
      out.push(li >= 0 && ri >= 0 && li < ri ? left[i++] : right[j++]);
    }
  }
  return out;
}

function mergeSliceHandler(original: Json[], patch: Json[], meta: PatchMeta, deleting: boolean, options: Options): Json[] {
  return meta.strategy === 'merge' || deleting ? mergeSlice(original, patch, meta, options, deleting) : patch;
}

function mergeSlice(original: Json[], patch: Json[], meta: PatchMeta, options: Options, deleting: boolean): Json[] {
  if (!original.length && !patch.length) return original;
  const maps = elementsAreMaps(original, patch);
  const before = [...original];
  let merged: Json[];
  let items = patch;
  let base = before;
  if (!maps) {
    if (options.mergeParallelList && deleting) return original.filter(x => !patch.includes(x));
    merged = [...new Set([...original, ...patch])];
  } else {
    if (!meta.mergeKey)
      throw new PatchError(`cannot merge lists without merge key for ${(meta.schema as StructSchema | null)?.name ?? ''}`);
    [base, items] = specialElements(original, patch, meta.mergeKey);
    merged = mergeMaps([...base], items, meta, options);
  }
  const [mine, theirs] = partition(merged, items, meta.mergeKey);
  return normalizeOrder(mine, theirs, items, base, meta.mergeKey, maps);
}

function elementsAreMaps(...lists: Json[][]): boolean {
  let kind = '';
  for (const x of lists.flat()) {
    const k = kindOf(x);
    if (k === 'list') throw new PatchError('lists of lists are not supported');
    if (kind && k !== kind) throw new PatchError(`list element types are not identical: ${goMap(lists)}`);
    kind = k;
  }
  return kind === 'object';
}

function specialElements(original: Json[], patch: Json[], mergeKey: string): [Json[], Json[]] {
  const rest: Json[] = [];
  let replace = false;
  let base = original;
  for (const x of patch) {
    if (!(DIRECTIVE in x)) rest.push(x);
    else if (x[DIRECTIVE] === 'delete') {
      if (!(mergeKey in x)) throw noMergeKey(x, mergeKey);
      base = base.filter(o => !(isMap(o) && o[mergeKey] === x[mergeKey]));
    } else if (x[DIRECTIVE] === 'replace') replace = true;
    else if (x[DIRECTIVE] === 'merge') throw new PatchError('merging lists cannot yet be specified in the patch');
    else throw new PatchError(`unknown patch type: ${x[DIRECTIVE]} in map: ${goMap(x)}`);
  }
  return replace ? [rest, []] : [base, rest];
}

function mergeMaps(original: Json[], patch: Json[], meta: PatchMeta, options: Options): Json[] {
  for (const x of patch) {
    if (!(meta.mergeKey in x)) throw noMergeKey(x, meta.mergeKey);
    const i = original.findIndex(o => isMap(o) && o[meta.mergeKey] === x[meta.mergeKey]);
    if (i >= 0) original[i] = mergeMap(original[i], x, meta.schema, options);
    else original.push(x);
  }
  return original;
}
