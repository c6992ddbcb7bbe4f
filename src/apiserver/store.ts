// Buckets of immutable objects, one revision counter, watchers called after each commit.

import { compareBytes } from '../sim/bytes.ts';
import type { Random } from '../sim/random.ts';
import type { Sim } from '../sim/sim.ts';
import type { ApiServer, Bucket, KubeObject, Store, WatchEvent } from './types.ts';

export function newStore(): Store {
  return { buckets: new Map(), load: null, revision: 1, changes: [], watchers: new Map() };
}

export function newApiServer(sim: Sim, random: Random, config: Partial<ApiServer['config']> = {}): ApiServer {
  return {
    sim,
    random,
    store: newStore(),
    config: {
      notice: () => null,
      serviceCIDRs: ['10.96.0.0/12'],
      nodePortRange: [30000, 32767],
      podCIDRs: ['10.244.0.0/16'],
      version: 'v1.36.3',
      ...config,
    },
    kubelet: null,
    webhook: null,
    proxyTransport: null,
    resources: [],
  };
}

/** Both event APIs share one storage, as in the real registry. */
export function bucketName(group: string, resource: string): string {
  if (group === 'events.k8s.io') return resource;
  return group ? `${resource}.${group}` : resource;
}

export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/** A resource's objects; fetched from the session the first time. */
export function bucketOf(server: ApiServer, name: string): Bucket {
  const { buckets, load } = server.store;
  let bucket = buckets.get(name);
  if (!bucket) {
    bucket = { objects: new Map(), sorted: null, shared: false };
    buckets.set(name, bucket);
    for (const o of load?.(name) ?? []) bucket.objects.set(keyOf(o.metadata.namespace, o.metadata.name), o);
  }
  return bucket;
}

/** What can be read of these buckets now, whatever is written later. */
export function viewOf(server: ApiServer, buckets: readonly string[]): ApiServer {
  const now = new Map<string, Bucket>();
  for (const name of buckets) {
    const bucket = bucketOf(server, name);
    sortedKeys(bucket);
    bucket.shared = true;
    now.set(name, { ...bucket });
  }
  return { ...server, store: { ...newStore(), buckets: now } };
}

function unshare(bucket: Bucket): void {
  if (!bucket.shared) return;
  bucket.objects = new Map(bucket.objects);
  bucket.sorted = bucket.sorted && [...bucket.sorted];
  bucket.shared = false;
}

/** First index whose key is not below `key`. */
function lowerBound(keys: string[], key: string): number {
  let lo = 0;
  let hi = keys.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (keys[mid] < key) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

export function sortedKeys(bucket: Bucket): string[] {
  bucket.sorted ??= [...bucket.objects.keys()].sort(compareBytes);
  return bucket.sorted;
}

/** In etcd's order: by `namespace/name`, bytewise. */
export function listObjects(server: ApiServer, bucketId: string, namespace?: string): KubeObject[] {
  const bucket = bucketOf(server, bucketId);
  const keys = sortedKeys(bucket);
  const out: KubeObject[] = [];
  if (namespace === undefined || namespace === '') {
    for (const key of keys) out.push(bucket.objects.get(key) as KubeObject);
    return out;
  }
  const prefix = `${namespace}/`;
  for (let i = lowerBound(keys, prefix); i < keys.length && keys[i].startsWith(prefix); i++) {
    out.push(bucket.objects.get(keys[i]) as KubeObject);
  }
  return out;
}

export function getObject(server: ApiServer, bucket: string, namespace: string | undefined, name: string): KubeObject | undefined {
  return bucketOf(server, bucket).objects.get(keyOf(namespace, name));
}

/** Called after each commit, in commit order, also for the writes that a callback makes itself. -> stop */
export function watchBucket(server: ApiServer, bucket: string, callback: (e: WatchEvent) => void): () => void {
  const { watchers } = server.store;
  let set = watchers.get(bucket);
  if (!set) watchers.set(bucket, (set = new Set()));
  const entry = (e: WatchEvent) => callback(e);
  set.add(entry);
  return () => {
    watchers.get(bucket)?.delete(entry);
  };
}

const pending = new WeakMap<Store, { bucket: string; event: WatchEvent }[]>();

function notify(store: Store, bucket: string, event: WatchEvent): void {
  const queue = pending.get(store);
  if (queue) {
    queue.push({ bucket, event });
    return;
  }
  const mine = [{ bucket, event }];
  pending.set(store, mine);
  try {
    for (let i = 0; i < mine.length; i++) {
      for (const watcher of [...(store.watchers.get(mine[i].bucket) ?? [])]) watcher(mine[i].event);
    }
  } finally {
    pending.delete(store);
  }
}

/**
 * Put an object (or, with null, take it away) under the next revision, log the change and tell the watchers.
 * The object given must be the caller's own: its resourceVersion is set in place.
 */
export function commit(server: ApiServer, bucketId: string, key: string, object: KubeObject | null): KubeObject {
  const { store } = server;
  const bucket = bucketOf(server, bucketId);
  unshare(bucket);
  const old = bucket.objects.get(key);
  const revision = String(++store.revision);
  if (object) {
    object.metadata.resourceVersion = revision;
    bucket.objects.set(key, object);
    if (!old && bucket.sorted) bucket.sorted.splice(lowerBound(bucket.sorted, key), 0, key);
    store.changes.push({ bucket: bucketId, key, object });
    notify(store, bucketId, old ? { type: 'MODIFIED', object, old } : { type: 'ADDED', object });
    return object;
  }
  if (!old) throw new Error(`no ${bucketId} ${key} to take away`);
  bucket.objects.delete(key);
  if (bucket.sorted) bucket.sorted.splice(lowerBound(bucket.sorted, key), 1);
  store.changes.push({ bucket: bucketId, key, object: null, revision: store.revision });
  putAside(server, bucketId, key, null);
  const last = { ...old, metadata: { ...old.metadata, resourceVersion: revision } };
  notify(store, bucketId, { type: 'DELETED', object: last, old });
  return last;
}

/** What is kept beside the objects of a bucket under the same keys, with no revision and for no watcher: their managers. */
export const asideOf = (bucketId: string): string => `managedfields/${bucketId}`;

export const isAside = (bucketId: string): boolean => bucketId.includes('/');

export function putAside(server: ApiServer, bucketId: string, key: string, object: KubeObject | null): void {
  const aside = asideOf(bucketId);
  const { objects } = bucketOf(server, aside);
  if (object) objects.set(key, object);
  else if (!objects.delete(key)) return;
  server.store.changes.push({ bucket: aside, key, object });
}
