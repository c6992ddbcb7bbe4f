// Work queues and informers' indexes over the store: every controller reconciles keys, a few milliseconds after something changed.
import { listObjects, watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject, WatchEvent } from '../apiserver/types.ts';
import { cancel, type Sim, type SimEvent, schedule } from '../sim/sim.ts';

export interface Queue {
  sim: Sim;
  /** Between a change and its reconciliation: the informer's and the queue's latency. */
  delayMs: number;
  reconcile: (key: string) => void;
  pending: Map<string, SimEvent>;
  /** Timers of keys that want to be looked at again later; an earlier one wins. */
  later: Map<string, SimEvent>;
  /** Failures in a row, for the rate limiter. */
  failures: Map<string, number>;
}

export const newQueue = (sim: Sim, delayMs: number, reconcile: (key: string) => void): Queue => ({
  sim,
  delayMs,
  reconcile,
  pending: new Map(),
  later: new Map(),
  failures: new Map(),
});

export function enqueue(q: Queue, key: string, delayMs = q.delayMs): void {
  const old = q.pending.get(key);
  const atMs = q.sim.nowMs + delayMs;
  if (old?.run) {
    if (old.atMs <= atMs) return;
    cancel(q.sim, old);
  }
  const event = schedule(q.sim, delayMs, () => {
    q.pending.delete(key);
    q.reconcile(key);
  });
  q.pending.set(key, event);
}

/** Look again after `delayMs`: a deadline. In the background unless the cluster is not at rest before it has passed. */
export function enqueueAfter(q: Queue, key: string, delayMs: number, background = true): void {
  const atMs = q.sim.nowMs + delayMs;
  const old = q.later.get(key);
  if (old?.run) {
    if (old.atMs <= atMs) return;
    cancel(q.sim, old);
  }
  const event = schedule(
    q.sim,
    delayMs,
    () => {
      q.later.delete(key);
      enqueue(q, key, 0);
    },
    background,
  );
  q.later.set(key, event);
}

/** client-go's exponential limiter: 5 ms doubling to 1000 s. */
export function enqueueRateLimited(q: Queue, key: string): void {
  const n = q.failures.get(key) ?? 0;
  q.failures.set(key, n + 1);
  enqueueAfter(q, key, Math.min(5 * 2 ** n, 1_000_000), n > 6);
}

export const forget = (q: Queue, key: string): void => {
  q.failures.delete(key);
};

export function stopQueue(q: Queue): void {
  for (const e of [...q.pending.values(), ...q.later.values()]) cancel(q.sim, e);
  q.pending.clear();
  q.later.clear();
}

export const keyOf = (o: { metadata: { namespace?: string; name: string } }): string => `${o.metadata.namespace ?? ''}/${o.metadata.name}`;

export function splitKey(key: string): [namespace: string, name: string] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}

/** An informer's index: objects of one bucket by computed values. Built at the first question, then kept by the watch. */
export interface Index {
  server: ApiServer;
  bucket: string;
  valuesOf: (o: KubeObject) => string[];
  byValue: Map<string, Map<string, KubeObject>> | null;
  stop: () => void;
}

export function newIndex(server: ApiServer, bucket: string, valuesOf: (o: KubeObject) => string[]): Index {
  const index: Index = { server, bucket, valuesOf, byValue: null, stop: () => {} };
  // First of all watchers of its controllers: whoever reconciles afterwards sees the change.
  index.stop = watchBucket(server, bucket, e => {
    if (!index.byValue) return;
    // By the store's word, not the event's: a callback's own write may have come in between.
    if (e.old) for (const v of valuesOf(e.old)) index.byValue.get(v)?.delete(keyOf(e.object));
    if (e.type !== 'DELETED') add(index, e.object);
  });
  return index;
}

function add(index: Index, o: KubeObject): void {
  const byValue = index.byValue as Map<string, Map<string, KubeObject>>;
  for (const v of index.valuesOf(o)) {
    let set = byValue.get(v);
    if (!set) byValue.set(v, (set = new Map()));
    set.set(keyOf(o), o);
  }
}

export function indexed(index: Index, value: string): KubeObject[] {
  if (!index.byValue) {
    index.byValue = new Map();
    for (const o of listObjects(index.server, index.bucket)) add(index, o);
  }
  const set = index.byValue.get(value);
  return set ? [...set.values()] : [];
}

export const controllerOf = (o: KubeObject) => o.metadata.ownerReferences?.find(r => r.controller);

/** Call `changed` for objects of `bucket`, old ones (now, or not at all when `initial` is false) and new ones. */
export function watchAll(server: ApiServer, bucket: string, initial: boolean, changed: (e: WatchEvent) => void): () => void {
  if (initial) for (const object of listObjects(server, bucket)) changed({ type: 'ADDED', object });
  return watchBucket(server, bucket, changed);
}
