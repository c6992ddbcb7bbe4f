// create, update and patch: the generic registry (k8s.io/apiserver/pkg/registry/generic/registry/store.go v0.36.3).

import { safeString, uuid } from '../sim/random.ts';
import { rfc3339 } from '../sim/time.ts';
import { checkLimits, defaultLimits } from './admission/limit-ranger.ts';
import { mutate } from './admission/mutating-webhooks.ts';
import { chargeQuotas } from './admission/quota.ts';
import { vetoWrite } from './admission/validate.ts';
import { decodeBody, zeroStruct } from './decode.ts';
import { cloneJson, hasEmptyList, isMap, sameJson } from './json.ts';
import { validateCommonUpdate, validateMetadata, validateMetadataUpdate } from './kinds/metadata.ts';
import { strategyFor } from './kinds/table.ts';
import { isComponent, managersOf, withManagers } from './managed/kept.ts';
import type { Manager } from './managed/managers.ts';
import { afterScale } from './managed/scale.ts';
import { keepManagers, trackWrite, writeOf } from './managed/track.ts';
import { applyPatch } from './patching.ts';
import { inVersion, respond } from './read.ts';
import { apiVersionOf } from './resources.ts';
import { review } from './reviews.ts';
import { structOfKind } from './schema.ts';
import { alreadyExists, badRequest, conflict, forbidden, internalError, invalid, isStatus, methodNotAllowed, notFound } from './status.ts';
import { bucketName, commit, getObject, keyOf } from './store.ts';
import type { KindStrategy, WriteContext } from './strategy.ts';
import type { ApiRequest, ApiResponse, ApiServer, KubeObject, ResourceInfo, Status } from './types.ts';

export function newContext(server: ApiServer, info: ResourceInfo, request: ApiRequest): WriteContext {
  return { server, info, request, warnings: [], dryRun: request.query?.dryRun ?? false, done: [], emptyLists: false, managers: null };
}

export function create(server: ApiServer, info: ResourceInfo, req: ApiRequest): ApiResponse {
  const c = newContext(server, info, req);
  const body = decodeBody(c, req.body);
  const answer = isStatus(body) ? null : review(server, info, req);
  if (answer) return respond(answer, c.warnings);
  return respond(isStatus(body) ? body : createDecoded(c, body), c.warnings, undefined);
}

/** From a decoded object of the caller's own to the stored one. */
function createDecoded(c: WriteContext, o: KubeObject): KubeObject | Status {
  const { server, info, request } = c;
  const strategy = strategyFor(server, info);
  const scope = fixNamespace(info, o, request.namespace);
  if (scope) return scope;
  if (request.name && o.metadata.name !== request.name && request.name !== '') {
    if (o.metadata.name)
      return badRequest(`the name of the object (${o.metadata.name}) does not match the name on the URL (${request.name})`);
    o.metadata.name = request.name;
  }
  if (o.metadata.resourceVersion) return badRequest('resourceVersion should not be set on objects to be created');
  strategy.defaults?.(o);
  const managers = trackWrite(c, o, null);
  fillMetadata(server, o);
  const generated = o.metadata.generateName && !o.metadata.name;
  if (generated) o.metadata.name = generateName(server, o.metadata.generateName as string);
  const absent = namespaceLifecycle(c, o);
  if (absent) return absent;
  defaultLimits(c, o, null);
  // What webhooks changed goes through the built-in plugins once more.
  const redo = () => {
    strategy.defaults?.(o);
    strategy.admit?.(c, o, null);
  };
  const refused = strategy.admit?.(c, o, null) ?? mutate(c, o, null, 'CREATE', redo) ?? strategy.begin?.(c, o, null);
  if (refused) return refused;
  const { podIP, podIPs } = o.status ?? {};
  if (strategy.hasStatus) resetStatus(info, o);
  strategy.prepareCreate?.(o, c);
  // A dump of a live cluster: its pods keep the addresses that they had (the CNI honours them when they are free).
  if (info.resource === 'pods' && podIP) Object.assign(o.status, { podIP, podIPs: podIPs ?? [{ ip: podIP }] });
  if (strategy.generation) o.metadata.generation = 1;
  const errors = strategy.validate ? strategy.validate(o, c) : validateMetadata(o.metadata, info.namespaced, strategy.nameRule);
  if (errors.length) return invalid(info.group, info.kind, o.metadata.name ?? '', errors);
  const denied = checkLimits(c, o, null) ?? vetoWrite(c, o, null) ?? chargeQuotas(c, o, null);
  if (denied) return denied;
  c.warnings.push(...(strategy.warnings?.(o, null) ?? []));
  const bucket = bucketName(info.group, info.resource);
  const name = o.metadata.name;
  if (getObject(server, bucket, o.metadata.namespace, name)) return alreadyExists(info.group, info.resource, name);
  strategy.readBack?.(o);
  if (c.dryRun) return withManagers(o, managers);
  const stored = commit(server, bucket, keyOf(o.metadata.namespace, name), o);
  keepManagers(server, info, stored, managers);
  for (const f of c.done) f();
  return answer(c, stored, managers);
}

const answer = (c: WriteContext, stored: KubeObject, managers: Manager[]): KubeObject =>
  isComponent(c.request) ? inVersion(c.info, stored) : withManagers(inVersion(c.info, stored), managers);

export function generateName(server: ApiServer, base: string): string {
  return (base.length > 58 ? base.slice(0, 58) : base) + safeString(server.random, 5);
}

function fillMetadata(server: ApiServer, o: KubeObject): void {
  const m = o.metadata;
  m.uid = uuid(server.random);
  m.creationTimestamp = rfc3339(server.sim.nowMs);
  delete m.deletionTimestamp;
  delete m.deletionGracePeriodSeconds;
  delete m.generation;
  delete (m as { selfLink?: string }).selfLink;
}

/** plugin/pkg/admission/namespace/lifecycle: nothing is made in a namespace that is not there or on its way out. */
function namespaceLifecycle(c: WriteContext, o: KubeObject): Status | null {
  const { info, server } = c;
  if (!info.namespaced) return null;
  const name = o.metadata.namespace ?? '';
  const namespace = getObject(server, 'namespaces', '', name);
  if (!namespace) return notFound('', 'namespaces', name);
  if (!namespace.metadata.deletionTimestamp) return null;
  const why = `unable to create new content in namespace ${name} because it is being terminated`;
  const status = forbidden(info.group, info.resource, o.metadata.name, why);
  status.details = {
    ...status.details,
    causes: [{ reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated`, field: 'metadata.namespace' }],
  };
  return status;
}

/** What an empty status is written as. */
function resetStatus(info: ResourceInfo, o: KubeObject): void {
  const type = structOfKind(apiVersionOf(info), info.kind)?.byName.get('status')?.type;
  if (type?.name && !type.pointer) o.status = zeroStruct(type.name);
  else delete o.status;
}

/** The object's namespace becomes the request's. */
function fixNamespace(info: ResourceInfo, o: KubeObject, namespace: string | undefined): Status | null {
  if (!info.namespaced) {
    delete o.metadata.namespace;
    return null;
  }
  if (o.metadata.namespace && namespace && o.metadata.namespace !== namespace) {
    return badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  o.metadata.namespace = o.metadata.namespace || namespace || 'default';
  return null;
}

export function update(server: ApiServer, info: ResourceInfo, req: ApiRequest): ApiResponse {
  const c = newContext(server, info, req);
  const body = decodeBody(c, withoutKnownSpec(server, info, req));
  c.emptyLists = strategyFor(server, info).emptyIsChange === true && hasEmptyList((req.body as KubeObject)?.spec);
  if (isStatus(body)) return respond(body, c.warnings);
  const wrong = req.name ? checkName(body, req.name, undefined) : null;
  if (wrong) return respond(wrong);
  const scope = fixNamespace(info, body, req.namespace);
  if (scope) return respond(scope);
  const name = req.name ?? body.metadata.name;
  const bucket = bucketName(info.group, info.resource);
  const old = getObject(server, bucket, body.metadata.namespace, name);
  if (!old) {
    const strategy = strategyFor(server, info);
    if (!strategy.createOnUpdate || req.subresource) return respond(notFound(info.group, info.resource, name), c.warnings);
    delete body.metadata.resourceVersion;
    return respond(createDecoded(c, body), c.warnings, 201);
  }
  return respond(updateDecoded(c, body, old), c.warnings);
}

/** A kubelet's writes of a pod's status come with the very spec that is stored, and a status update keeps that one whatever it says. */
function withoutKnownSpec(server: ApiServer, info: ResourceInfo, req: ApiRequest): unknown {
  const body = req.body as KubeObject;
  if (req.subresource !== 'status' || info.resource !== 'pods' || !isMap(body) || !body.spec) return body;
  const stored = getObject(server, 'pods', req.namespace, req.name ?? '');
  return stored?.spec === body.spec ? { ...body, spec: undefined } : body;
}

/** `o` is the caller's own; `old` is what is stored. */
export function updateDecoded(c: WriteContext, o: KubeObject, old: KubeObject): KubeObject | Status {
  const { server, info, request } = c;
  const strategy = strategyFor(server, info);
  const versionError = checkVersion(c, o, old, strategy);
  if (versionError) return versionError;
  strategy.defaults?.(o);
  if (request.subresource === 'status') prepareStatus(o, old, strategy);
  const managers = trackWrite(c, o, old);
  if (request.subresource !== 'status') {
    const redo = () => strategy.defaults?.(o);
    const refused = strategy.admit?.(c, o, old) ?? mutate(c, o, old, 'UPDATE', redo) ?? strategy.begin?.(c, o, old);
    if (refused) return refused;
    prepareSpec(c, o, old, strategy);
  }
  if (strategy.generation && request.subresource !== 'status') {
    const changed = (c.emptyLists && strategy.emptyIsChange) || !sameJson(strategy.generation(o), strategy.generation(old));
    o.metadata.generation = (old.metadata.generation ?? 0) + (changed ? 1 : 0);
  }
  const errors = validateChange(c, o, old, strategy);
  if (errors.length) return invalid(info.group, info.kind, old.metadata.name, errors);
  const denied = checkLimits(c, o, old) ?? vetoWrite(c, o, old) ?? chargeQuotas(c, o, old);
  if (denied) return denied;
  if (request.subresource !== 'status') c.warnings.push(...(strategy.warnings?.(o, old) ?? []));
  return storeChange(c, o, old, strategy, managers);
}

function checkVersion(c: WriteContext, o: KubeObject, old: KubeObject, strategy: KindStrategy): Status | null {
  const { info } = c;
  const name = old.metadata.name;
  if (o.metadata.uid && old.metadata.uid && o.metadata.uid !== old.metadata.uid) {
    return conflict(
      info.group,
      info.resource,
      name,
      `Precondition failed: UID in precondition: ${o.metadata.uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  const version = o.metadata.resourceVersion;
  if (!version) {
    if (strategy.conditionalUpdate && c.request.verb === 'update') {
      const error = { type: 'Invalid' as const, field: 'metadata.resourceVersion', value: 0, detail: 'must be specified for an update' };
      return invalid(info.group, info.kind, name, [error]);
    }
    return null;
  }
  return version === old.metadata.resourceVersion ? null : conflict(info.group, info.resource, name);
}

/** What an update may not touch comes from the stored object. */
function keepMetadata(o: KubeObject, old: KubeObject): void {
  const m = o.metadata;
  m.name = old.metadata.name;
  if (old.metadata.namespace) m.namespace = old.metadata.namespace;
  m.uid = old.metadata.uid;
  m.creationTimestamp = old.metadata.creationTimestamp;
  for (const k of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'generateName'] as const) {
    if (old.metadata[k] === undefined) delete m[k];
    else (m as any)[k] = old.metadata[k];
  }
}

function prepareStatus(o: KubeObject, old: KubeObject, strategy: KindStrategy): void {
  keepMetadata(o, old);
  for (const k in old) if (k !== 'status' && k !== 'metadata') o[k] = old[k];
  for (const k in o) if (!(k in old) && k !== 'status') delete o[k];
  if (old.metadata.labels) o.metadata.labels = old.metadata.labels;
  else delete o.metadata.labels;
  strategy.prepareStatusUpdate?.(o, old);
}

function prepareSpec(c: WriteContext, o: KubeObject, old: KubeObject, strategy: KindStrategy): void {
  keepMetadata(o, old);
  if (strategy.hasStatus) {
    if (old.status === undefined) delete o.status;
    else o.status = old.status;
  }
  strategy.prepareUpdate?.(o, old, c);
}

function validateChange(c: WriteContext, o: KubeObject, old: KubeObject, strategy: KindStrategy) {
  if (c.request.subresource === 'status') return strategy.validateStatusUpdate?.(o, old, c) ?? [];
  const common = validateCommonUpdate(o.metadata, c.info.namespaced);
  if (strategy.validateUpdate) return [...common, ...strategy.validateUpdate(o, old, c)];
  return [
    ...common,
    ...validateMetadataUpdate(o.metadata, old.metadata),
    ...(strategy.validate ? strategy.validate(o, c) : validateMetadata(o.metadata, c.info.namespaced, strategy.nameRule)),
  ];
}

function storeChange(c: WriteContext, o: KubeObject, old: KubeObject, strategy: KindStrategy, managers: Manager[]): KubeObject | Status {
  const { server, info } = c;
  o.metadata.resourceVersion = old.metadata.resourceVersion;
  const others = !sameJson(managers, managersOf(server, info, old));
  if (!others && sameJson(o, old)) return answer(c, old, managers);
  if (c.dryRun) return withManagers(o, managers);
  const bucket = bucketName(info.group, info.resource);
  const key = keyOf(old.metadata.namespace, old.metadata.name);
  const stored = commit(server, bucket, key, o);
  if (others) keepManagers(server, info, stored, managers);
  for (const f of c.done) f();
  if (finished(stored)) {
    commit(server, bucket, key, null);
    strategy.afterDelete?.(server, stored);
  }
  return answer(c, stored, managers);
}

/** Marked for deletion, its grace over, and nothing holds it: an update that takes the last finalizer away ends it. */
function finished(o: KubeObject): boolean {
  const m = o.metadata;
  if (!m.deletionTimestamp || m.finalizers?.length) return false;
  return o.kind === 'Namespace' ? !o.spec?.finalizers?.length : (m.deletionGracePeriodSeconds ?? 0) === 0;
}

export function patch(server: ApiServer, info: ResourceInfo, req: ApiRequest): ApiResponse {
  const c = newContext(server, info, req);
  const bucket = bucketName(info.group, info.resource);
  const name = req.name ?? '';
  const old = getObject(server, bucket, info.namespaced ? req.namespace : '', name);
  if (!old && req.patchType !== 'apply') return respond(notFound(info.group, info.resource, name));
  const current = old && answer(c, old, managersOf(server, info, old));
  const patched = applyPatch(c, current ?? null, req.body);
  if (isStatus(patched)) return respond(patched, c.warnings);
  const wrong = checkName(patched, name, info.namespaced ? req.namespace : undefined);
  if (wrong) return respond(wrong, c.warnings);
  if (!old) {
    const made = createDecoded(c, patched);
    return respond(made, c.warnings, isStatus(made) ? undefined : 201);
  }
  return respond(updateDecoded(c, patched, old), c.warnings);
}

/** A patch may not make another object of it. */
function checkName(o: KubeObject, name: string, namespace: string | undefined): Status | null {
  const m = o.metadata;
  if (namespace && m.namespace && m.namespace !== namespace) {
    return badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (!m.name || m.name === name) return null;
  return badRequest(`the name of the object (${m.name}) does not match the name on the URL (${name})`);
}

/** autoscaling/v1 Scale written back to the workload. */
export function updateScale(server: ApiServer, info: ResourceInfo, req: ApiRequest, scale: unknown): KubeObject | Status {
  const bucket = bucketName(info.group, info.resource);
  const old = getObject(server, bucket, req.namespace, req.name ?? '');
  if (!old) return notFound(info.group, info.resource, req.name ?? '');
  if (!isMap(scale)) return badRequest('the object provided is unrecognized (must be of type Scale)');
  if (!strategyFor(server, info).scale) return methodNotAllowed(info.group, info.resource, 'update');
  const replicas = scale.spec?.replicas ?? 0;
  if (typeof replicas !== 'number') return internalError('spec.replicas is no number');
  if (replicas < 0) {
    const detail = 'must be greater than or equal to 0';
    return invalid('autoscaling', 'Scale', req.name ?? '', [{ type: 'Invalid', field: 'spec.replicas', value: replicas, detail }]);
  }
  const next = cloneJson(old);
  if (scale.metadata?.resourceVersion) next.metadata.resourceVersion = scale.metadata.resourceVersion;
  next.spec.replicas = replicas;
  const c = newContext(server, info, { ...req, subresource: undefined });
  c.scale = true;
  const { self } = writeOf(newContext(server, info, req), 'Update');
  c.managers = afterScale(managersOf(server, info, old), old.spec.replicas ?? 0, replicas, self);
  return updateDecoded(c, next, old);
}
