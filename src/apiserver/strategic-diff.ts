// Strategic merge patch, the diffing side, as clients make patches (k8s.io/apimachinery/pkg/util/strategicpatch/patch.go v0.36.3).

import { cloneJson, isMap, type Json, sameJson } from './json.ts';
import { DIRECTIVE, goMap, lookup, mergePatches, PatchError, type PatchSchema, patchSchemaOf, sortByOrder } from './strategic.ts';

interface Options {
  setElementOrder?: boolean;
  ignoreChangesAndAdditions?: boolean;
  ignoreDeletions?: boolean;
  retainKeys?: boolean;
}

/** The patch that makes `modified` of `original`, or the error's text. */
export function twoWayPatch(apiVersion: string, kind: string, original: Json, modified: Json): { patch: Json } | string {
  return attempt(() => diffMaps(original, modified, patchSchemaOf(apiVersion, kind), { setElementOrder: true }));
}

/** kubectl apply: what changed from `current` to `modified`, and what went from `original` (last applied) to `modified`. */
export function threeWayPatch(apiVersion: string, kind: string, original: Json, modified: Json, current: Json): { patch: Json } | string {
  const schema = patchSchemaOf(apiVersion, kind);
  return attempt(() => {
    const delta = diffMaps(current, modified, schema, { ignoreDeletions: true, setElementOrder: true });
    const deletions = diffMaps(original ?? {}, modified, schema, { setElementOrder: true, ignoreChangesAndAdditions: true });
    return mergePatches(cloneJson(deletions), cloneJson(delta), schema);
  });
}

function attempt(f: () => Json): { patch: Json } | string {
  try {
    return { patch: f() };
  } catch (e) {
    if (e instanceof PatchError) return e.message;
    throw e;
  }
}

const kindOf = (v: Json): string => (v === null || v === undefined ? 'null' : Array.isArray(v) ? 'list' : typeof v);

function diffMaps(original: Json, modified: Json, schema: PatchSchema, o: Options): Json {
  const patch: Json = {};
  const retain: string[] = [];
  for (const key of Object.keys(modified)) {
    const want = modified[key];
    if (o.retainKeys && want !== null) retain.push(key);
    if (!(key in original)) {
      if (!o.ignoreChangesAndAdditions) patch[key] = want;
      continue;
    }
    const have = original[key];
    if (key === DIRECTIVE) {
      if (have !== want) patch[key] = want;
    } else if (kindOf(have) !== kindOf(want)) {
      if (!o.ignoreChangesAndAdditions) patch[key] = want;
    } else if (isMap(want)) diffMap(key, have, want, patch, schema, o);
    else if (Array.isArray(want)) diffSlice(key, have, want, patch, schema, o);
    else replaceIfNotEqual(key, have, want, patch, o);
  }
  if (!o.ignoreDeletions) for (const key of Object.keys(original)) if (!(key in modified)) patch[key] = null;
  const cleared = Object.keys(original).some(k => original[k] !== null && !(k in modified));
  if (retain.length && (Object.keys(patch).length || cleared)) patch.$retainKeys = retain.sort();
  return patch;
}

function replaceIfNotEqual(key: string, have: Json, want: Json, patch: Json, o: Options): void {
  if (!o.ignoreChangesAndAdditions && !sameJson(have, want)) patch[key] = want;
}

function diffMap(key: string, have: Json, want: Json, patch: Json, schema: PatchSchema, o: Options): void {
  if (sameJson(have, want)) return;
  const meta = lookup(schema, key, false);
  if (meta.strategy === 'replace') {
    if (!o.ignoreChangesAndAdditions) patch[key] = want;
    return;
  }
  const sub = diffMaps(have, want, meta.schema, { ...o, retainKeys: meta.retainKeys });
  if (Object.keys(sub).length) patch[key] = sub;
}

function diffSlice(key: string, have: Json[], want: Json[], patch: Json, schema: PatchSchema, o: Options): void {
  if (sameJson(have, want)) return;
  const meta = lookup(schema, key, true);
  if (meta.strategy !== 'merge') {
    replaceIfNotEqual(key, have, want, patch, o);
    return;
  }
  const { add, remove, order } = diffLists(have, want, meta.schema, meta.mergeKey, { ...o, retainKeys: meta.retainKeys });
  if (add.length) patch[key] = add;
  if (remove.length) patch[`$deleteFromPrimitiveList/${key}`] = remove;
  if (order?.length) patch[`$setElementOrder/${key}`] = order;
}

interface ListDiff {
  add: Json[];
  remove: Json[];
  order: Json[] | null;
}

function diffLists(have: Json[], want: Json[], schema: PatchSchema, mergeKey: string, o: Options): ListDiff {
  if (!have.length) return { add: !want.length || o.ignoreChangesAndAdditions ? [] : want, remove: [], order: null };
  if (isMap(have[0])) return diffListsOfMaps(have, want, schema, mergeKey, o);
  const remove = o.ignoreDeletions ? [] : sortedScalars(have.filter(x => !want.includes(x)));
  const added = o.ignoreChangesAndAdditions ? [] : sortedScalars(want.filter(x => !have.includes(x)));
  const changed = (!o.ignoreDeletions && remove.length > 0) || (!o.ignoreChangesAndAdditions && !sameJson(have, want));
  return { add: sortByOrder(added, want, '', false), remove: [...new Set(remove)], order: o.setElementOrder && changed ? want : null };
}

const sortedScalars = (list: Json[]): Json[] => [...list].sort((a, b) => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0));

function diffListsOfMaps(have: Json[], want: Json[], schema: PatchSchema, mergeKey: string, o: Options): ListDiff {
  // Upstream's comparison takes equal keys for unsorted: its insertion sort turns them round.
  const keyed = (list: Json[]) =>
    [...list]
      .reverse()
      .map(x => {
        if (!isMap(x) || !(mergeKey in x)) throw new PatchError(`map: ${goMap(x)} does not contain declared merge key: ${mergeKey}`);
        return [goMap(x[mergeKey]), x] as const;
      })
      .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const a = keyed(have);
  const b = keyed(want);
  const changes: Json[] = [];
  const deletes: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i][0] === b[j][0]) {
      const patch = diffMaps(a[i][1], b[j][1], schema, o);
      if (Object.keys(patch).length) changes.push({ ...patch, [mergeKey]: b[j][1][mergeKey] });
      i++;
      j++;
    } else if (i >= a.length || (j < b.length && a[i][0] > b[j][0])) {
      if (!o.ignoreChangesAndAdditions) changes.push(b[j][1]);
      j++;
    } else {
      if (!o.ignoreDeletions) deletes.push({ [mergeKey]: a[i][1][mergeKey], [DIRECTIVE]: 'delete' });
      i++;
    }
  }
  const add = [...sortByOrder(changes, want, mergeKey, true), ...deletes];
  const sameOrder = have.length === want.length && have.every((x, k) => x[mergeKey] === want[k]?.[mergeKey]);
  const ordered =
    o.setElementOrder && ((!o.ignoreChangesAndAdditions && (add.length > 0 || !sameOrder)) || (!o.ignoreDeletions && add.length > 0));
  return { add, remove: [], order: ordered ? want.map(x => ({ [mergeKey]: x[mergeKey] })) : null };
}
