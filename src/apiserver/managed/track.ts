// What a write makes of its object's managers.

import { rfc3339 } from '../../sim/time.ts';
import { schemaOf } from '../custom/resources.ts';
import { zeroStruct } from '../decode.ts';
import type { Json } from '../json.ts';
import { strategyFor } from '../kinds/table.ts';
import { apiVersionOf, isBuiltin } from '../resources.ts';
import { structOfKind } from '../schema.ts';
import { bucketName, keyOf, putAside } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { ApiRequest, ApiServer, KubeObject, ResourceInfo } from '../types.ts';
import { isComponent, managersOf } from './kept.ts';
import { afterUpdate, type Manager, type Write } from './managers.ts';
import { type Kind, kindOfCustom, kindOfStruct } from './types.ts';

export function keepManagers(server: ApiServer, info: ResourceInfo, o: KubeObject, managers: Manager[]): void {
  const { name, namespace, uid } = o.metadata;
  const kept = managers.length ? { apiVersion: '', kind: '', metadata: { name, namespace, uid }, managers } : null;
  putAside(server, bucketName(info.group, info.resource), keyOf(namespace, name), kept);
}

function kindFor(server: ApiServer, info: ResourceInfo): Kind {
  const struct = structOfKind(apiVersionOf(info), info.kind);
  return struct ? kindOfStruct(struct) : kindOfCustom(schemaOf(server, info));
}

const empty = new Map<string, Json>();

/** A new object of the kind with nothing in it, as its type writes it; not to be changed. */
export function emptyObject(info: ResourceInfo): Json {
  const apiVersion = apiVersionOf(info);
  if (!isBuiltin(info)) return { apiVersion, kind: info.kind };
  const key = `${apiVersion}/${info.kind}`;
  let o = empty.get(key);
  if (!o) {
    const struct = structOfKind(apiVersion, info.kind);
    empty.set(key, (o = { ...(struct ? zeroStruct(struct.name) : {}), apiVersion, kind: info.kind }));
  }
  return o;
}

const COMPONENTS: Record<string, string> = {
  'system:apiserver': 'kube-apiserver',
  'system:controller': 'kube-controller-manager',
  'system:kube-scheduler': 'kube-scheduler',
};

/** Without a name of its own a client is what its user agent says. */
function nameOf(req: ApiRequest): string {
  const { fieldManager } = req.query ?? {};
  if (fieldManager) return fieldManager;
  if (!isComponent(req)) return 'kubectl';
  return COMPONENTS[req.user as string] ?? (req.user?.startsWith('system:node:') ? 'kubelet' : (req.user as string));
}

const STATUS_KEEPS = [['f:spec'], ['f:metadata', 'f:labels']];

export function writeOf(c: WriteContext, operation: Manager['operation']): Write {
  const { server, info, request } = c;
  const { subresource } = request;
  const hasStatus = strategyFor(server, info).hasStatus;
  return {
    kind: kindFor(server, info),
    self: { manager: nameOf(request), operation, apiVersion: apiVersionOf(info), ...(subresource && { subresource }) },
    reset: subresource === 'status' ? STATUS_KEEPS : hasStatus && !subresource ? [['f:status']] : [],
    now: rfc3339(server.sim.nowMs),
  };
}

/** The object's managers after this write; `o` loses those that the client sent. `old`: null for a new object. */
export function trackWrite(c: WriteContext, o: KubeObject, old: KubeObject | null): Manager[] {
  const sent = o.metadata.managedFields as Manager[] | undefined;
  delete o.metadata.managedFields;
  if (c.managers) return c.managers;
  // Nobody asks who wrote the components' events and heartbeats, and there are many.
  if ((c.info.kind === 'Event' || c.info.kind === 'Lease') && isComponent(c.request)) return [];
  const kept = old ? managersOf(c.server, c.info, old) : [];
  const before = old ?? emptyObject(c.info);
  return afterUpdate(writeOf(c, 'Update'), before, o, given(c, sent, kept), !old);
}

/** A client may set them: to nothing (by an empty list or entry), or to others. Through a subresource it may not. */
function given(c: WriteContext, sent: Manager[] | undefined, kept: Manager[]): Manager[] {
  if (c.request.subresource || !sent) return kept;
  if (!sent.length || (sent.length === 1 && !sent[0].operation)) return [];
  const valid = sent.every(m => (m.operation === 'Apply' || m.operation === 'Update') && m.apiVersion && m.fieldsType === 'FieldsV1');
  return valid ? sent.map(m => ({ ...m, fieldsV1: m.fieldsV1 ?? {} })) : kept;
}
