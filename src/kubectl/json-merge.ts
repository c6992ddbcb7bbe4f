// Three-way JSON merge patches, for custom resources (apimachinery v0.36.3, pkg/util/jsonmergepatch/patch.go).

import { isMap, type Json, sameJson } from '../apiserver/json.ts';

function createMergePatch(from: Json, to: Json): Json {
  const patch: Record<string, Json> = {};
  for (const k of Object.keys(to)) {
    if (!(k in from)) patch[k] = to[k];
    else if (isMap(from[k]) && isMap(to[k])) {
      const inner = createMergePatch(from[k], to[k]);
      if (Object.keys(inner).length) patch[k] = inner;
    } else if (!sameJson(from[k], to[k])) patch[k] = to[k];
  }
  for (const k of Object.keys(from)) if (!(k in to)) patch[k] = null;
  return patch;
}

/** Keep the nulls only, or all but them. */
function keep(patch: Json, nulls: boolean): Json {
  const out: Record<string, Json> = {};
  for (const [k, v] of Object.entries(patch)) {
    if (isMap(v)) {
      const inner = keep(v, nulls);
      if (Object.keys(inner).length || (!nulls && !Object.keys(v).length)) out[k] = inner;
    } else if ((v === null) === nulls) out[k] = v;
  }
  return out;
}

function join(a: Json, b: Json): Json {
  const out = { ...a };
  for (const [k, v] of Object.entries(b)) out[k] = isMap(v) && isMap(out[k]) ? join(out[k], v) : v;
  return out;
}

export function jsonThreeWayPatch(original: Json, modified: Json, current: Json): Json {
  const additions = keep(createMergePatch(current, modified), false);
  const deletions = keep(createMergePatch(original ?? {}, modified), true);
  return join(deletions, additions);
}

/** A patch that makes `to` of `from`. */
export const jsonTwoWayPatch = createMergePatch;
