// Namespaces: what is in them goes first; every one has a service account and the cluster's CA
// (pkg/controller/namespace, pkg/controller/serviceaccount, pkg/controller/certificates/rootcacertpublisher v1.36).
import { createObject, deleteObject, updateObject, updateStatus } from '../apiserver/client.ts';
import { allResources } from '../apiserver/resources.ts';
import { bucketName, getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject, ResourceInfo } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Condition, type Controllers, same } from './context.ts';
import { enqueue, enqueueAfter, newQueue, type Queue, watchAll } from './queue.ts';

export function startNamespaces(c: Controllers): void {
  const queue = newQueue(c.sim, 8, name => syncNamespace(c, queue, name));
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, 'namespaces', c.initial, e => {
      if (e.type !== 'DELETED' && e.object.metadata.deletionTimestamp) enqueue(queue, e.object.metadata.name);
    }),
  );
}

function namespaced(c: Controllers): ResourceInfo[] {
  const seen = new Set<string>();
  return (allResources(c.server) as ResourceInfo[]).filter(r => {
    const bucket = bucketName(r.group, r.resource);
    if (!r.namespaced || !r.verbs.includes('delete') || !r.verbs.includes('list') || seen.has(bucket)) return false;
    seen.add(bucket);
    return true;
  });
}

function syncNamespace(c: Controllers, queue: Queue, name: string): void {
  const ns = getObject(c.server, 'namespaces', '', name);
  if (!ns?.metadata.deletionTimestamp) return;
  if (!ns.spec?.finalizers?.includes('kubernetes')) return;
  const resources = namespaced(c);
  for (const r of resources) {
    const bucket = bucketName(r.group, r.resource);
    for (const o of listObjects(c.server, bucket, name)) {
      if (!o.metadata.deletionTimestamp) deleteObject(c.server, bucket, name, o.metadata.name, { propagationPolicy: 'Background' });
    }
  }
  const left: { r: ResourceInfo; objects: KubeObject[] }[] = [];
  for (const r of resources) {
    const objects = listObjects(c.server, bucketName(r.group, r.resource), name);
    if (objects.length) left.push({ r, objects });
  }
  if (left.length) {
    tell(c, ns, left);
    enqueueAfter(
      queue,
      name,
      1000,
      left.some(l => l.r.resource !== 'pods'),
    );
    return;
  }
  const finalizers = ns.spec.finalizers.filter((f: string) => f !== 'kubernetes');
  updateObject(c.server, { ...ns, spec: { ...ns.spec, finalizers } }, undefined, 'finalize');
}

function tell(c: Controllers, ns: KubeObject, left: { r: ResourceInfo; objects: KubeObject[] }[]): void {
  const now = rfc3339(c.sim.nowMs);
  const resourcesLeft = left.map(l => `${l.r.resource}.${l.r.group} has ${l.objects.length} resource instances`).join(', ');
  const finalizers = new Map<string, number>();
  for (const l of left)
    for (const o of l.objects) for (const f of o.metadata.finalizers ?? []) finalizers.set(f, (finalizers.get(f) ?? 0) + 1);
  const held = [...finalizers].map(([f, n]) => `${f} in ${n} resource instances`).sort();
  const rows: [string, boolean, string, string][] = [
    ['NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'],
    ['NamespaceDeletionGroupVersionParsingFailure', false, 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ['NamespaceDeletionContentFailure', false, 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ['NamespaceContentRemaining', true, 'SomeResourcesRemain', `Some resources are remaining: ${resourcesLeft}`],
    held.length
      ? [
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${held.join(', ')}`,
        ]
      : ['NamespaceFinalizersRemaining', false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
  ];
  const old: Condition[] = ns.status?.conditions ?? [];
  const conditions = rows.map(([type, value, reason, message]) => {
    const status = value ? 'True' : 'False';
    const before = old.find(x => x.type === type);
    return { type, status, lastTransitionTime: before?.status === status ? before.lastTransitionTime : now, reason, message };
  });
  if (!same(old, conditions)) updateStatus(c.server, { ...ns, status: { ...ns.status, conditions } });
}

const CA_NOTE =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** `default` service account and `kube-root-ca.crt`, also when somebody deletes or changes them. */
export function startServiceAccounts(c: Controllers, rootCA: () => string): void {
  const queue = newQueue(c.sim, 3, name => {
    const ns = getObject(c.server, 'namespaces', '', name);
    if (!ns || ns.metadata.deletionTimestamp) return;
    if (!getObject(c.server, 'serviceaccounts', name, 'default')) {
      createObject(c.server, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
    }
    const cm = getObject(c.server, 'configmaps', name, 'kube-root-ca.crt');
    const data = { 'ca.crt': rootCA() };
    if (!cm) {
      const metadata = { name: 'kube-root-ca.crt', namespace: name, annotations: { 'kubernetes.io/description': CA_NOTE } };
      createObject(c.server, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    } else if (!same(cm.data, data)) updateObject(c.server, { ...cm, data });
  });
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, 'namespaces', c.unsettled, e => {
      if (e.type !== 'DELETED') enqueue(queue, e.object.metadata.name);
    }),
    watchAll(c.server, 'serviceaccounts', false, e => {
      if (e.type === 'DELETED' && e.object.metadata.name === 'default') enqueue(queue, e.object.metadata.namespace as string);
    }),
    watchAll(c.server, 'configmaps', false, e => {
      if (e.object.metadata.name === 'kube-root-ca.crt') enqueue(queue, e.object.metadata.namespace as string);
    }),
  );
}
