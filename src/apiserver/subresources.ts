// Writes to subresources that are no plain part of their object: binding, eviction, scale, finalize, token.

import { rfc3339 } from '../sim/time.ts';
import { evict } from './eviction.ts';
import { cloneJson, isMap } from './json.ts';
import { applyPatch } from './patching.ts';
import { respond, scaleOf } from './read.ts';
import { isBuiltin } from './resources.ts';
import { requestToken } from './reviews.ts';
import { badRequest, conflict, isStatus, methodNotAllowed, noSuchResource, notFound } from './status.ts';
import { bucketName, commit, getObject, keyOf } from './store.ts';
import type { ApiRequest, ApiResponse, ApiServer, KubeObject, ResourceInfo, Status } from './types.ts';
import { newContext, updateDecoded, updateScale } from './write.ts';

export function writeSubresource(server: ApiServer, info: ResourceInfo, req: ApiRequest): ApiResponse {
  const old = getObject(server, bucketName(info.group, info.resource), info.namespaced ? req.namespace : '', req.name ?? '');
  if (!info.subresources.includes(req.subresource ?? '')) {
    return respond(isBuiltin(info) ? noSuchResource() : notFound(info.group, info.resource, req.name ?? ''));
  }
  if (!old) return respond(notFound(info.group, info.resource, req.name ?? ''));
  switch (req.subresource) {
    case 'scale':
      return respond(writeScale(server, info, req, old));
    case 'binding':
      return respond(bind(server, info, req, old), [], 201);
    case 'eviction':
      return respondEvict(evict(server, info, req, old));
    case 'token':
      return respondNew(requestToken(server, req));
    case 'finalize':
      return respond(finalize(server, info, req, old));
    case 'ephemeralcontainers':
    case 'resize':
      return respond(writePart(server, info, req, old));
    default:
      return respond(methodNotAllowed(info.group, `${info.resource}/${req.subresource}`, req.verb));
  }
}

function writeScale(server: ApiServer, info: ResourceInfo, req: ApiRequest, old: KubeObject): KubeObject | Status {
  let body = req.body;
  if (req.verb === 'patch') {
    const c = newContext(server, info, req);
    const patched = applyPatch(c, scaleOf(old), req.body);
    if (isStatus(patched)) return patched;
    body = patched;
  }
  const done = updateScale(server, info, req, body);
  return isStatus(done) ? done : scaleOf(done);
}

/** The scheduler's decision (pkg/registry/core/pod/storage/storage.go setPodNodeAndMetadata). */
function bind(server: ApiServer, info: ResourceInfo, req: ApiRequest, old: KubeObject): Status {
  const node = isMap(req.body) ? req.body.target?.name : undefined;
  if (!node) return badRequest('target.name is required');
  const name = old.metadata.name;
  if (old.spec.nodeName) return conflict('', 'pods/binding', name, `pod ${name} is already assigned to node "${old.spec.nodeName}"`);
  if (old.metadata.deletionTimestamp)
    return conflict('', 'pods/binding', name, `pod ${name} is being deleted, cannot be assigned to a host`);
  const pod = cloneJson(old);
  pod.spec.nodeName = node;
  const conditions = ((pod.status ??= {}).conditions ?? []).filter((c: { type: string }) => c.type !== 'PodScheduled');
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    observedGeneration: pod.metadata.generation,
    lastProbeTime: null,
    lastTransitionTime: rfc3339(server.sim.nowMs),
  };
  pod.status.conditions = [...conditions, scheduled];
  commit(server, bucketName(info.group, info.resource), keyOf(old.metadata.namespace, name), pod);
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', code: 201 };
}

const respondEvict = (s: Status): ApiResponse => respond(s, [], s.code);
const respondNew = (o: KubeObject | Status): ApiResponse => respond(o, [], isStatus(o) ? undefined : 201);

/** Namespace finalizers live in spec and end the namespace when they are gone. */
function finalize(server: ApiServer, info: ResourceInfo, req: ApiRequest, old: KubeObject): KubeObject | Status {
  if (!isMap(req.body)) return badRequest('the object provided is unrecognized');
  const bucket = bucketName(info.group, info.resource);
  const next = cloneJson(old);
  const finalizers = req.body.spec?.finalizers ?? [];
  next.spec = { ...next.spec };
  if (finalizers.length) next.spec.finalizers = finalizers;
  else delete next.spec.finalizers;
  const key = keyOf('', old.metadata.name);
  const stored = commit(server, bucket, key, next);
  if (stored.metadata.deletionTimestamp && !finalizers.length && !stored.metadata.finalizers?.length) commit(server, bucket, key, null);
  return stored;
}

function writePart(server: ApiServer, info: ResourceInfo, req: ApiRequest, old: KubeObject): KubeObject | Status {
  const c = newContext(server, info, req);
  const body = req.verb === 'patch' ? applyPatch(c, old, req.body) : (req.body as KubeObject);
  if (isStatus(body)) return body;
  const next = cloneJson(old);
  if (req.subresource === 'ephemeralcontainers') next.spec.ephemeralContainers = cloneJson(body.spec?.ephemeralContainers);
  else {
    next.spec.containers.forEach((x: { resources: unknown }, i: number) => {
      if (body.spec?.containers?.[i]?.resources) x.resources = cloneJson(body.spec.containers[i].resources);
    });
  }
  return updateDecoded(c, next, old);
}
