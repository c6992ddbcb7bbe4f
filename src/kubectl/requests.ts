// The writes that verbs make (k8s.io/cli-runtime v0.36.3, pkg/resource/helper.go).

import type { ApiRequest, KubeList, KubeObject, ResourceInfo, Status } from '../apiserver/types.ts';
import { checkName } from './builder.ts';
import { type Cmd, type DryRun, flag, request, requestRaw } from './command.ts';
import { type Failure, statusFailure } from './failure.ts';

type Query = NonNullable<ApiRequest['query']>;

export function target(mapping: ResourceInfo, namespace: string): Pick<ApiRequest, 'group' | 'version' | 'resource' | 'namespace'> {
  const { group, version, resource } = mapping;
  if (mapping.namespaced && namespace) checkName(namespace, 'namespace');
  return { group, version, resource, namespace: mapping.namespaced ? namespace || undefined : undefined };
}

export function writeQuery(cmd: Cmd, mode: DryRun, manager: string, more: Query = {}): Query {
  return { dryRun: mode === 'server' || undefined, fieldManager: flag(cmd, 'field-manager') || manager, ...more };
}

export function createObject(cmd: Cmd, mapping: ResourceInfo, namespace: string, object: KubeObject, query: Query): KubeObject {
  // Helper.Create: a resourceVersion on a new object would be refused.
  let body = object;
  if (object.metadata?.resourceVersion) {
    const { resourceVersion: _, ...metadata } = object.metadata;
    body = { ...object, metadata };
  }
  return request(cmd, { verb: 'create', ...target(mapping, namespace), body, query });
}

export function getObject(cmd: Cmd, mapping: ResourceInfo, namespace: string, name: string, subresource?: string): KubeObject | Failure {
  checkName(name);
  const r = requestRaw(cmd, { verb: 'get', ...target(mapping, namespace), name, subresource });
  return r.code >= 400 ? statusFailure(r.body as Status) : (r.body as KubeObject);
}

export function listObjects(cmd: Cmd, mapping: ResourceInfo, namespace: string, query: Query = {}): KubeObject[] {
  return request<KubeList>(cmd, { verb: 'list', ...target(mapping, namespace), query }).items;
}

export function patchObject(
  cmd: Cmd,
  mapping: ResourceInfo,
  namespace: string,
  name: string,
  patchType: NonNullable<ApiRequest['patchType']>,
  body: unknown,
  query: Query,
  subresource?: string,
): KubeObject {
  checkName(name);
  return request(cmd, {
    verb: 'patch',
    ...target(mapping, namespace),
    name,
    patchType,
    body,
    query,
    subresource: subresource || undefined,
  });
}

export function replaceObject(
  cmd: Cmd,
  mapping: ResourceInfo,
  namespace: string,
  object: KubeObject,
  query: Query,
  subresource?: string,
): KubeObject {
  checkName(object.metadata?.name ?? '');
  return request(cmd, {
    verb: 'update',
    ...target(mapping, namespace),
    name: object.metadata.name,
    body: object,
    query,
    subresource: subresource || undefined,
  });
}

/** The server's answer: the object that is going, or a Status with its uid. */
export function deleteObject(cmd: Cmd, mapping: ResourceInfo, namespace: string, name: string, query: Query): KubeObject | Status {
  checkName(name);
  return request<KubeObject | Status>(cmd, { verb: 'delete', ...target(mapping, namespace), name, query });
}
