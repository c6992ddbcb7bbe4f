// The four kinds of PATCH, applied to a stored object.

import { decodeBody } from './decode.ts';
import { isMap, type Json } from './json.ts';
import { type JsonPatchOperation, jsonPatch, mergePatch } from './patch.ts';
import { badRequest, failure } from './status.ts';
import { strategicMerge } from './strategic.ts';
import type { WriteContext } from './strategy.ts';
import type { KubeObject, Status } from './types.ts';

/** The object that the patch makes of `current`: the caller's own. `current` is null for an apply that creates. */
export function applyPatch(c: WriteContext, current: KubeObject | null, patch: unknown): KubeObject | Status {
  const { request } = c;
  let value: Json;
  switch (request.patchType ?? 'strategic') {
    case 'json': {
      const done = jsonPatch(current, patch as JsonPatchOperation[]);
      if ('error' in done)
        return failure(422, 'Invalid', `the server rejected our request due to an error in our request`, {
          causes: [{ message: done.error }],
        });
      value = done.value;
      break;
    }
    case 'merge':
      if (!isMap(patch)) return badRequest('error decoding patch: json: cannot unmarshal');
      value = mergePatch(current, patch);
      break;
    case 'strategic': {
      if (!isMap(patch)) return badRequest('error decoding patch: json: cannot unmarshal');
      const done = strategicMerge(current?.apiVersion ?? '', current?.kind ?? '', current, patch);
      if (typeof done === 'string') return badRequest(done);
      value = done.value;
      break;
    }
    case 'apply':
      value = mergePatch(current, patch);
      break;
  }
  // A Scale is no object of the resource's own type.
  if (request.subresource === 'scale') return value as KubeObject;
  return decodeBody(c, value);
}
