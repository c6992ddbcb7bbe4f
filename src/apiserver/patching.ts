// The four kinds of PATCH, applied to a stored object (k8s.io/apiserver/pkg/endpoints/handlers/patch.go v0.36.3).

import { decodeCustom } from './custom/strategy.ts';
import { convertStruct, decodeStruct, strictError, withMeta } from './decode.ts';
import { cloneJson, hasEmptyList, isMap, type Json, sortedJson } from './json.ts';
import { typeErrors } from './managed/check.ts';
import { managersOf } from './managed/kept.ts';
import { applyConfig, clientSideFields, conflictText, outside } from './managed/managers.ts';
import { emptyObject, writeOf } from './managed/track.ts';
import { type JsonPatchOperation, jsonPatch, mergePatch } from './patch.ts';
import { apiVersionOf, isBuiltin } from './resources.ts';
import { structOfKind } from './schema.ts';
import { badRequest, failure, invalid } from './status.ts';
import { goMap, strategicMerge } from './strategic.ts';
import type { WriteContext } from './strategy.ts';
import type { KubeObject, ResourceInfo, Status } from './types.ts';

/** The object that the patch makes of `current`: the caller's own. */
export function applyPatch(c: WriteContext, current: KubeObject | null, patch: unknown): KubeObject | Status {
  const type = c.request.patchType ?? 'strategic';
  if (type === 'json') return applyJsonPatch(c, current as KubeObject, patch);
  if (!isMap(patch))
    return badRequest(
      `${type === 'merge' ? 'error decoding patch: ' : ''}json: cannot unmarshal ${kindName(patch)} into Go value of type map[string]interface {}`,
    );
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

/** The configuration's types are checked before it is merged into the live object; decoding finds the rest. */
function applyConfiguration(c: WriteContext, current: KubeObject | null, patch: Json): KubeObject | Status {
  const { server, info, request } = c;
  if (!patch.apiVersion || !patch.kind) return badRequest('invalid object type: /, Kind=');
  if (patch.metadata?.managedFields != null) return badRequest('metadata.managedFields must be nil');
  const w = writeOf(c, 'Apply');
  const errors = typeErrors(w.kind, patch);
  if (errors.length) return failure(500, '', `failed to create typed patch object (${identityOf(info, patch)}): ${errorList(errors)}`);
  const known = current ? managersOf(server, info, current) : [];
  const empty = emptyObject(info);
  const live = current ? { ...current, metadata: withoutManagers(current.metadata) } : empty;
  const force = request.query?.force ?? false;
  let done = applyConfig(w, empty, live, patch, known, force);
  if (Array.isArray(done) && w.self.manager === KUBECTL) {
    const own = lastApplied(live);
    const rest = own ? outside(done, clientSideFields(w.kind, live, own)) : done;
    done = rest.length ? rest : applyConfig(w, empty, live, patch, known, true);
  }
  if (Array.isArray(done)) {
    const { message, causes } = conflictText(done);
    return failure(409, 'Conflict', message, { causes });
  }
  c.managers = done.managers;
  return decodePatched(c, w.self.manager === KUBECTL ? withAnnotation(done.object, patch) : done.object);
}

const KUBECTL = 'kubectl';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const withoutManagers = ({ managedFields: _, ...metadata }: KubeObject['metadata']): KubeObject['metadata'] => metadata;

const identityOf = (info: ResourceInfo, o: Json): string =>
  `${o.metadata?.namespace ?? ''}/${o.metadata?.name ?? ''}; ${info.group}/${info.version}, Kind=${info.kind}`;

const errorList = (errors: string[]): string => (errors.length === 1 ? errors[0] : ['errors:', ...errors.map(e => `  ${e}`)].join('\n'));

/** What client-side apply left in its annotation. */
function lastApplied(live: Json): Json | null {
  try {
    const o = JSON.parse(live.metadata?.annotations?.[LAST_APPLIED] ?? 'null');
    return isMap(o) && o.apiVersion === live.apiVersion ? o : null;
  } catch {
    return null;
  }
}

/** kubectl's server-side apply keeps the annotation of its client-side apply up to date, where there is one (lastappliedupdater.go). */
function withAnnotation(o: Json, patch: Json): Json {
  const { annotations } = o.metadata ?? {};
  if (!annotations?.[LAST_APPLIED]) return o;
  const { [LAST_APPLIED]: _, ...own } = patch.metadata?.annotations ?? {};
  const { annotations: given, ...metadata } = patch.metadata ?? {};
  const applied = { ...patch, metadata: given ? { ...metadata, annotations: own } : metadata };
  const text = `${JSON.stringify(sortedJson(applied))}\n`;
  return { ...o, metadata: { ...o.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

const badPatch = (value: string, why: string): Status => {
  const status = invalid('', '', '', [{ type: 'Invalid', field: 'patch', value, detail: why }]);
  return { ...status, message: status.message?.replace(' "" is invalid', ' is invalid') ?? '' };
};

function decodePatched(c: WriteContext, value: Json): KubeObject | Status {
  c.emptyLists = hasEmptyList(value?.spec);
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
  c.emptyLists = hasEmptyList(merged.value.spec);
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
