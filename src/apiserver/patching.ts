// The four kinds of PATCH, applied to a stored object (k8s.io/apiserver/pkg/endpoints/handlers/patch.go v0.36.3).

import { applyToCustom, applyToStruct } from './apply.ts';
import { schemaOf } from './custom/resources.ts';
import { decodeCustom } from './custom/strategy.ts';
import { convertStruct, decodeBody, decodeStruct, strictError, withMeta } from './decode.ts';
import { cloneJson, isMap, type Json } from './json.ts';
import { type JsonPatchOperation, jsonPatch, mergePatch } from './patch.ts';
import { apiVersionOf, isBuiltin } from './resources.ts';
import { structOfKind } from './schema.ts';
import { badRequest, failure, invalid, isStatus } from './status.ts';
import { goMap, strategicMerge } from './strategic.ts';
import type { WriteContext } from './strategy.ts';
import type { KubeObject, Status } from './types.ts';

/** The object that the patch makes of `current`: the caller's own. */
export function applyPatch(c: WriteContext, current: KubeObject | null, patch: unknown): KubeObject | Status {
  const type = c.request.patchType ?? 'strategic';
  if (type === 'json') return applyJsonPatch(c, current as KubeObject, patch);
  if (!isMap(patch))
    return badRequest(`error decoding patch: json: cannot unmarshal ${kindName(patch)} into Go value of type map[string]interface {}`);
  if (type === 'merge') return decodePatched(c, mergePatch(current, patch));
  if (type === 'apply') return applyConfiguration(c, current, patch);
  return applyStrategic(c, current as KubeObject, patch);
}

const kindName = (v: unknown): string => (Array.isArray(v) ? 'array' : typeof v === 'boolean' ? 'bool' : typeof v);

/** The message of a NewGenericServerResponse without a resource. */
const rejected = (): Status => failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

function applyJsonPatch(c: WriteContext, current: KubeObject, patch: unknown): KubeObject | Status {
  if (!Array.isArray(patch))
    return badRequest(`error decoding patch: json: cannot unmarshal ${kindName(patch)} into Go value of type []handlers.jsonPatchOp`);
  const done = jsonPatch(current, patch as JsonPatchOperation[]);
  return 'error' in done ? rejected() : decodePatched(c, done.value);
}

/** Decoded strictly before it is merged: what is unknown is the client's fault, not the patch's. */
function applyConfiguration(c: WriteContext, current: KubeObject | null, patch: Json): KubeObject | Status {
  const { server, info } = c;
  if (!patch.apiVersion || !patch.kind) return badRequest('invalid object type: /, Kind=');
  const checked = decodeBody(c, patch);
  if (isStatus(checked) || !current) return checked;
  const { managedFields: _, ...metadata } = patch.metadata ?? {};
  const applied = { ...patch, metadata };
  const schema = structOfKind(apiVersionOf(info), info.kind);
  const value = schema ? applyToStruct(schema, current, applied) : applyToCustom(schemaOf(server, info), current, applied);
  return decodePatched(c, value);
}

const badPatch = (value: string, why: string): Status => {
  const status = invalid('', '', '', [{ type: 'Invalid', field: 'patch', value, detail: why }]);
  return { ...status, message: status.message?.replace(' "" is invalid', ' is invalid') ?? '' };
};

function decodePatched(c: WriteContext, value: Json): KubeObject | Status {
  const { info } = c;
  const schema = structOfKind(apiVersionOf(info), info.kind);
  if (!isMap(value))
    return badPatch(JSON.stringify(value), `json: cannot unmarshal ${kindName(value)} into Go value of type v1.${info.kind}`);
  if (!schema) {
    const o = isBuiltin(info) ? (cloneJson(value) as KubeObject) : decodeCustom(c, value);
    return typeof o === 'string' ? badPatch(JSON.stringify(value), o) : withMeta(o, apiVersionOf(info), info.kind);
  }
  const done = decodeStruct(schema, value);
  const why = done.error ?? strictError(c, done.strict);
  return why ? badPatch(JSON.stringify(value), why) : withMeta(done.value as KubeObject, apiVersionOf(info), info.kind);
}

function applyStrategic(c: WriteContext, current: KubeObject, patch: Json): KubeObject | Status {
  const version = current.apiVersion;
  const schema = structOfKind(version, current.kind);
  if (!schema) return unsupported();
  const merged = strategicMerge(version, current.kind, current, patch);
  if (typeof merged === 'string') return strategicError(merged);
  const done = convertStruct(schema, merged.value);
  const why = done.error ?? strictError(c, done.strict);
  return why ? badPatch(goMap(merged.patch), why) : withMeta(done.value as KubeObject, version, current.kind);
}

/** Kinds without Go types have no strategic merge. */
function unsupported(): Status {
  const types = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
  return failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
  );
}

function strategicError(why: string): Status {
  if (/^invalid (patch format of|JSON document)/.test(why)) return badRequest(why);
  if (why === 'lists of lists are not supported' || why.includes('are not deep equal')) return rejected();
  return failure(500, '', why);
}
