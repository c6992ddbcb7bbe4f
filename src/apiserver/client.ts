// The API for components in this process: controllers, scheduler, kubelets. Bodies may share structure with stored objects.

import { remove } from './delete.ts';
import { resourceOfBucket, resourceOfKind } from './resources.ts';
import { handle } from './server.ts';
import { noSuchResource } from './status.ts';
import type { ApiRequest, ApiServer, KubeObject, ResourceInfo, Status } from './types.ts';

type Result = KubeObject | Status;

function requestFor(info: ResourceInfo, o: KubeObject, rest: Partial<ApiRequest> & { verb: ApiRequest['verb'] }): ApiRequest {
  const { group, version, resource } = info;
  return { group, version, resource, namespace: info.namespaced ? o.metadata.namespace : undefined, body: o, ...rest };
}

export function createObject(server: ApiServer, o: KubeObject, user = 'system:controller', fieldManager?: string): Result {
  const info = resourceOfKind(server, o.apiVersion, o.kind);
  if (!info) return noSuchResource();
  return handle(server, requestFor(info, o, { verb: 'create', user, query: { fieldValidation: 'Ignore', fieldManager } })).body as Result;
}

export function updateObject(server: ApiServer, o: KubeObject, user = 'system:controller', subresource?: string): Result {
  const info = resourceOfKind(server, o.apiVersion, o.kind);
  if (!info) return noSuchResource();
  const request = requestFor(info, o, { verb: 'update', name: o.metadata.name, subresource, user, query: { fieldValidation: 'Ignore' } });
  return handle(server, request).body as Result;
}

/** Only `o.status` (and annotations, finalizers) reach the store. A resourceVersion in `o` is checked; leave it out to overwrite. */
export function updateStatus(server: ApiServer, o: KubeObject, user = 'system:controller'): Result {
  return updateObject(server, o, user, 'status');
}

export function patchObject(
  server: ApiServer,
  bucket: string,
  namespace: string | undefined,
  name: string,
  type: NonNullable<ApiRequest['patchType']>,
  patch: unknown,
  subresource?: string,
  user = 'system:controller',
): Result {
  const info = resourceOfBucket(server, bucket);
  if (!info) return noSuchResource();
  const { group, version, resource } = info;
  const query = { fieldValidation: 'Ignore' as const };
  return handle(server, {
    verb: 'patch',
    group,
    version,
    resource,
    namespace,
    name,
    body: patch,
    patchType: type,
    subresource,
    user,
    query,
  }).body as Result;
}

/** A pod's real end is `{ gracePeriodSeconds: 0 }`, as the kubelet asks for. */
export function deleteObject(
  server: ApiServer,
  bucket: string,
  namespace: string | undefined,
  name: string,
  query: NonNullable<ApiRequest['query']> = {},
): Result {
  const info = resourceOfBucket(server, bucket);
  if (!info) return noSuchResource();
  const { group, version, resource } = info;
  return remove(server, info, { verb: 'delete', group, version, resource, namespace, name, query }).body as Result;
}
