// The managers of stored objects lie beside them, in buckets of their own: who does not ask for them does not load them.

import { isTrusted } from '../authorize.ts';
import { asideOf, bucketName, bucketOf, keyOf } from '../store.ts';
import type { ApiRequest, ApiServer, KubeObject, ResourceInfo } from '../types.ts';
import type { Manager } from './managers.ts';

/** The cluster's own parts neither send nor read managers. */
export const isComponent = (req: ApiRequest): boolean => req.user !== undefined && req.user !== 'kubernetes-admin' && isTrusted(req.user);

export function managersOf(server: ApiServer, info: ResourceInfo, o: KubeObject): Manager[] {
  const aside = asideOf(bucketName(info.group, info.resource));
  const kept = bucketOf(server, aside).objects.get(keyOf(o.metadata.namespace, o.metadata.name));
  return kept && kept.metadata.uid === o.metadata.uid ? (kept.managers as Manager[]) : [];
}

/** As clients get it. */
export function withManagers(o: KubeObject, managers: Manager[]): KubeObject {
  return managers.length ? { ...o, metadata: { ...o.metadata, managedFields: managers } } : o;
}

/** An object as the request's answer carries it: the cluster's own parts get none of this. Most clients never look: read when they do. */
export function asClientGets(server: ApiServer, info: ResourceInfo, req: ApiRequest, o: KubeObject): KubeObject {
  if (isComponent(req)) return o;
  const metadata = { ...o.metadata };
  let managers: Manager[] | undefined;
  Object.defineProperty(metadata, 'managedFields', {
    enumerable: true,
    configurable: true,
    get() {
      managers ??= managersOf(server, info, o);
      return managers.length ? managers : undefined;
    },
  });
  return { ...o, metadata };
}
