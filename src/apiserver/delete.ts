// delete and deletecollection: grace, finalizers, preconditions, propagation
// (k8s.io/apiserver/pkg/registry/generic/registry/store.go and pkg/registry/rest/delete.go v0.36.3).

import { rfc3339 } from '../sim/time.ts';
import { vetoDelete } from './admission/validate.ts';
import { strategyFor } from './kinds/table.ts';
import { respond, selectionOf, selects } from './read.ts';
import { conflict, forbidden, isStatus, notFound, success } from './status.ts';
import { bucketName, commit, getObject, keyOf, listObjects } from './store.ts';
import type { ApiRequest, ApiResponse, ApiServer, KubeObject, ResourceInfo, Status } from './types.ts';

/** Admission plugin NamespaceLifecycle (k8s.io/apiserver v0.36.3, pkg/admission/plugin/namespace/lifecycle). */
const IMMORTAL = ['default', 'kube-system', 'kube-public'];

type Options = NonNullable<ApiRequest['query']>;

export function remove(server: ApiServer, info: ResourceInfo, req: ApiRequest): ApiResponse {
  const warnings: string[] = [];
  const veto = (old: KubeObject) => vetoDelete(server, info, req, old, warnings);
  return respond(removeOne(server, info, req.namespace, req.name ?? '', req.query ?? {}, veto), warnings);
}

export function removeCollection(server: ApiServer, info: ResourceInfo, req: ApiRequest): ApiResponse {
  const selection = selectionOf(info, req.query);
  if ('kind' in selection) return respond(selection);
  const items: KubeObject[] = [];
  const warnings: string[] = [];
  const veto = (old: KubeObject) => vetoDelete(server, info, req, old, warnings);
  for (const o of listObjects(server, bucketName(info.group, info.resource), info.namespaced ? req.namespace : undefined)) {
    if (!selects(selection, o)) continue;
    const gone = removeOne(server, info, o.metadata.namespace, o.metadata.name, req.query ?? {}, veto);
    if (isStatus(gone) && gone.status === 'Failure' && gone.reason !== 'NotFound') return respond(gone);
    items.push(o);
  }
  const apiVersion = info.group ? `${info.group}/${info.version}` : info.version;
  return respond({ apiVersion, kind: `${info.kind}List`, metadata: { resourceVersion: String(server.store.revision) }, items }, warnings);
}

export function removeOne(
  server: ApiServer,
  info: ResourceInfo,
  namespace: string | undefined,
  name: string,
  options: Options,
  veto?: (old: KubeObject) => Status | null,
): KubeObject | Status {
  const bucket = bucketName(info.group, info.resource);
  const old = getObject(server, bucket, info.namespaced ? namespace : '', name);
  if (!old) return notFound(info.group, info.resource, name);
  if (old.kind === 'Namespace' && IMMORTAL.includes(name)) return forbidden('', 'namespaces', name, 'this namespace may not be deleted');
  const wrong = preconditions(info, old, options);
  if (wrong) return wrong;
  const vetoed = veto?.(old);
  if (vetoed) return vetoed;
  const finalizers = finalizersFor(old, options);
  const grace = strategyFor(server, info).grace?.(old, options.gracePeriodSeconds) ?? 0;
  const key = keyOf(old.metadata.namespace, name);
  const held = finalizers.length > 0 || (old.kind === 'Namespace' && old.spec?.finalizers?.length);
  if (!held && grace === 0) {
    if (!options.dryRun) {
      commit(server, bucket, key, null);
      strategyFor(server, info).afterDelete?.(server, old);
    }
    return success({ name, ...(info.group && { group: info.group }), kind: info.resource, uid: old.metadata.uid });
  }
  const marked = mark(server, old, finalizers, grace);
  if (marked === old || options.dryRun) return marked;
  return commit(server, bucket, key, marked);
}

function preconditions(info: ResourceInfo, old: KubeObject, options: Options): Status | null {
  const want = options.preconditions;
  const { name, uid, resourceVersion } = old.metadata;
  if (want?.uid !== undefined && want.uid !== uid) {
    return conflict(
      info.group,
      info.kind,
      name,
      `the UID in the precondition (${want.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (want?.resourceVersion !== undefined && want.resourceVersion !== resourceVersion) {
    return conflict(
      info.group,
      info.kind,
      name,
      `the ResourceVersion in the precondition (${want.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
  return null;
}

/** The propagation policy is kept as a finalizer that the garbage collector takes away. */
function finalizersFor(old: KubeObject, options: Options): string[] {
  const rest = (old.metadata.finalizers ?? []).filter(f => f !== 'foregroundDeletion' && f !== 'orphan');
  const had = old.metadata.finalizers ?? [];
  switch (options.propagationPolicy) {
    case 'Foreground':
      return [...rest, 'foregroundDeletion'];
    case 'Orphan':
      return [...rest, 'orphan'];
    case 'Background':
      return rest;
    default:
      return had;
  }
}

function mark(server: ApiServer, old: KubeObject, finalizers: string[], grace: number): KubeObject {
  const m = old.metadata;
  const next: KubeObject = { ...old, metadata: { ...m } };
  if (finalizers.length) next.metadata.finalizers = finalizers;
  else delete next.metadata.finalizers;
  const sameFinalizers = JSON.stringify(finalizers) === JSON.stringify(m.finalizers ?? []);
  if (m.deletionTimestamp) {
    // A shorter grace period takes effect, a longer one does not.
    if (grace >= (m.deletionGracePeriodSeconds ?? 0) && sameFinalizers) return old;
    if (grace >= (m.deletionGracePeriodSeconds ?? 0)) return next;
  } else if (m.generation !== undefined && m.generation > 0) {
    next.metadata.generation = m.generation + 1;
  }
  next.metadata.deletionTimestamp = rfc3339(server.sim.nowMs + grace * 1000);
  next.metadata.deletionGracePeriodSeconds = grace;
  if (old.kind === 'Namespace') {
    delete next.metadata.deletionGracePeriodSeconds;
    next.status = { ...old.status, phase: 'Terminating' };
  }
  return next;
}
