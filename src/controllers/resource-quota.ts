// ResourceQuotas: what their namespaces use, counted anew when a quota changes or something counted goes (pkg/controller/resourcequota v1.36).
import { QUOTAS } from '../apiserver/admission/quota.ts';
import { countedNames, countsPod, namespaceUsage, printUsage } from '../apiserver/admission/quota-usage.ts';
import { updateStatus } from '../apiserver/client.ts';
import { resourceOfBucket } from '../apiserver/resources.ts';
import { getObject, listObjects, watchBucket } from '../apiserver/store.ts';
import type { KubeObject, WatchEvent } from '../apiserver/types.ts';
import type { Controllers } from './context.ts';
import { same } from './context.ts';
import { enqueue, keyOf, newQueue, splitKey, watchAll } from './queue.ts';

export function startResourceQuotas(c: Controllers): void {
  const queue = newQueue(c.sim, 5, key => syncQuota(c, key));
  c.queues.push(queue);
  const watched = new Set<string>([QUOTAS]);
  const changed = (bucket: string) => (e: WatchEvent) => {
    if (e.type === 'ADDED' || (e.type === 'MODIFIED' && !replenishes(c, bucket, e))) return;
    const info = resourceOfBucket(c.server, bucket);
    for (const q of listObjects(c.server, QUOTAS, e.object.metadata.namespace)) {
      if (info && countedNames(info, Object.keys(q.spec?.hard ?? {})).length) enqueue(queue, keyOf(q));
    }
  };
  /** Only what some quota counts is watched. */
  const watch = (quota: KubeObject) => {
    for (const bucket of bucketsOf(quota)) {
      if (watched.has(bucket)) continue;
      watched.add(bucket);
      c.stops.push(watchBucket(c.server, bucket, changed(bucket)));
    }
  };
  c.stops.push(
    watchAll(c.server, QUOTAS, true, e => {
      if (e.type === 'DELETED') {
        changed(QUOTAS)(e);
        return;
      }
      watch(e.object);
      if (e.type === 'ADDED' ? c.initial || !e.object.status?.hard : !same(e.object.spec, e.old?.spec)) enqueue(queue, keyOf(e.object));
    }),
  );
}

function bucketsOf(quota: KubeObject): string[] {
  const names = Object.keys(quota.spec?.hard ?? {});
  const counted = names.filter(n => n.startsWith('count/')).map(n => n.slice(6));
  return ['pods', 'services', 'persistentvolumeclaims', 'configmaps', 'secrets', 'replicationcontrollers', ...counted];
}

/** Changes that free something (pkg/quota/v1/install/update_filter.go). */
function replenishes(c: Controllers, bucket: string, e: WatchEvent): boolean {
  const old = e.old as KubeObject;
  if (bucket === 'pods') return countsPod(c.server, old) && !countsPod(c.server, e.object);
  return bucket === 'services' && old.spec?.type !== e.object.spec?.type;
}

function syncQuota(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const quota = getObject(c.server, QUOTAS, namespace, name);
  if (!quota) return;
  const { hard } = quota.spec ?? {};
  const status = { hard, used: printUsage(namespaceUsage(c.server, quota)) };
  if (!same(quota.status, status)) updateStatus(c.server, { ...quota, status });
}
