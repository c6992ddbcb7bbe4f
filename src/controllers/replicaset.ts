// ReplicaSets and ReplicationControllers: as many pods as wanted (pkg/controller/replicaset v1.36).
import { updateStatus } from '../apiserver/client.ts';
import { matchLabelSelector, matchMap } from '../apiserver/labels.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Condition, type Controllers, isStatus, same } from './context.ts';
import {
  claim,
  createPod,
  deletePod,
  deletionOrder,
  isActive,
  isAvailable,
  isReady,
  isTerminal,
  podFromTemplate,
  readyCondition,
  timeOf,
} from './pods.ts';
import {
  controllerOf,
  enqueue,
  enqueueAfter,
  enqueueRateLimited,
  forget,
  indexed,
  keyOf,
  newQueue,
  type Queue,
  splitKey,
  watchAll,
} from './queue.ts';

interface ReplicaKind {
  bucket: string;
  kind: string;
  component: string;
  /** A ReplicationController's selector is a plain map; its status knows no terminating pods. */
  plain: boolean;
}

const REPLICA_SETS: ReplicaKind = { bucket: 'replicasets.apps', kind: 'ReplicaSet', component: 'replicaset-controller', plain: false };
const REPLICATION_CONTROLLERS: ReplicaKind = {
  bucket: 'replicationcontrollers',
  kind: 'ReplicationController',
  component: 'replication-controller',
  plain: true,
};

const BURST = 500;

export function startReplicaSets(c: Controllers): void {
  startReplicas(c, REPLICA_SETS);
  startReplicas(c, REPLICATION_CONTROLLERS);
}

const matcher = (k: ReplicaKind, rs: KubeObject) => (p: KubeObject) =>
  k.plain ? matchMap(rs.spec.selector, p.metadata.labels) && !!rs.spec.selector : matchLabelSelector(rs.spec.selector, p.metadata.labels);

function startReplicas(c: Controllers, k: ReplicaKind): void {
  const queue = newQueue(c.sim, 4, key => syncReplicaSet(c, k, queue, key));
  c.queues.push(queue);
  const owners = new Map<string, string>(); // uid -> key
  c.stops.push(
    watchAll(c.server, k.bucket, c.initial, e => {
      const uid = e.object.metadata.uid as string;
      if (e.type === 'DELETED') owners.delete(uid);
      else {
        owners.set(uid, keyOf(e.object));
        enqueue(queue, keyOf(e.object));
      }
    }),
    watchAll(c.server, 'pods', false, e => {
      const ref = controllerOf(e.object);
      if (ref?.kind === k.kind) enqueue(queue, `${e.object.metadata.namespace}/${ref.name}`, 50);
      const before = e.old && controllerOf(e.old);
      if (before?.kind === k.kind && before.uid !== ref?.uid) enqueue(queue, `${e.object.metadata.namespace}/${before.name}`);
      if (!ref && e.type !== 'DELETED' && !e.object.metadata.deletionTimestamp) {
        // An orphan: somebody's selector may match it.
        const prefix = `${e.object.metadata.namespace}/`;
        for (const key of owners.values()) if (key.startsWith(prefix)) enqueue(queue, key);
      }
    }),
  );
}

function syncReplicaSet(c: Controllers, k: ReplicaKind, queue: Queue, key: string): void {
  const [namespace, name] = splitKey(key);
  const rs = getObject(c.server, k.bucket, namespace, name);
  if (!rs) {
    forget(queue, key);
    return;
  }
  const all = claim(c, c.podsByOwner, 'pods', rs, matcher(k, rs)).filter(p => !isTerminal(p));
  const active = all.filter(isActive);
  const terminating = all.length - active.length;
  let failure: { reason: string; message: string } | null = null;
  if (!rs.metadata.deletionTimestamp) failure = manageReplicas(c, k, rs, active);
  const status = replicaStatus(c, k, rs, active, terminating, failure);
  if (!same(rs.status, status)) updateStatus(c.server, { ...rs, status });
  if (failure) {
    enqueueRateLimited(queue, key);
    return;
  }
  forget(queue, key);
  const minReady = rs.spec.minReadySeconds ?? 0;
  if (minReady > 0 && status.readyReplicas !== status.availableReplicas) {
    const dues = active
      .filter(p => isReady(p) && !isAvailable(p, minReady, c.sim.nowMs))
      .map(p => timeOf(readyCondition(p)?.lastTransitionTime));
    enqueueAfter(queue, key, Math.max(1, Math.min(...dues) + minReady * 1000 - c.sim.nowMs), false);
  }
}

function manageReplicas(c: Controllers, k: ReplicaKind, rs: KubeObject, active: KubeObject[]): { reason: string; message: string } | null {
  const wanted = rs.spec.replicas ?? 1;
  const diff = active.length - wanted;
  if (diff < 0) {
    // slowStartBatch: 1, 2, 4 … until one fails, so that a quota is not hit by all at once.
    let left = Math.min(-diff, BURST);
    for (let batch = 1; left > 0; batch *= 2) {
      let failed: string | null = null;
      for (let i = Math.min(batch, left); i > 0; i--, left--) {
        const made = createPod(c, k.component, rs, podFromTemplate(rs.spec.template, rs));
        if (!isStatus(made)) continue;
        if (made.details?.causes?.some(x => x.reason === 'NamespaceTerminating')) return null;
        failed ??= made.message ?? '';
      }
      if (failed !== null) return { reason: 'FailedCreate', message: failed };
    }
    return null;
  }
  if (diff > 0) {
    for (const pod of podsToDelete(c, rs, active, Math.min(diff, BURST))) {
      const failed = deletePod(c, k.component, rs, pod);
      if (failed) return { reason: 'FailedDelete', message: failed.message ?? '' };
    }
  }
  return null;
}

/** getPodsToDelete: ranked by how many pods of the same owner (the Deployment, over all its ReplicaSets) share the node. */
function podsToDelete(c: Controllers, rs: KubeObject, active: KubeObject[], n: number): KubeObject[] {
  if (n >= active.length) return active;
  const owner = controllerOf(rs);
  const sets = owner ? indexed(c.replicaSetsByOwner, owner.uid) : [rs];
  const onNode = new Map<string, number>();
  for (const set of sets) {
    for (const p of indexed(c.podsByOwner, set.metadata.uid as string)) {
      if (isActive(p) && p.spec.nodeName) onNode.set(p.spec.nodeName, (onNode.get(p.spec.nodeName) ?? 0) + 1);
    }
  }
  const rank = new Map(active.map(p => [p, onNode.get(p.spec.nodeName) ?? 0]));
  return [...active].sort(deletionOrder(rank, c.sim.nowMs)).slice(0, n);
}

function replicaStatus(
  c: Controllers,
  k: ReplicaKind,
  rs: KubeObject,
  active: KubeObject[],
  terminating: number,
  failure: { reason: string; message: string } | null,
): any {
  const labels = rs.spec.template?.metadata?.labels;
  const minReady = rs.spec.minReadySeconds ?? 0;
  const old = rs.status ?? {};
  let conditions: Condition[] = old.conditions ?? [];
  const had = conditions.find(x => x.type === 'ReplicaFailure');
  if (failure && !had) {
    conditions = [
      ...conditions,
      {
        type: 'ReplicaFailure',
        status: 'True',
        lastTransitionTime: rfc3339(c.sim.nowMs),
        reason: failure.reason,
        message: failure.message,
      },
    ];
  } else if (!failure && had) conditions = conditions.filter(x => x.type !== 'ReplicaFailure');
  const count = (test: (p: KubeObject) => boolean) => active.filter(test).length;
  const numbers: Record<string, number> = {
    fullyLabeledReplicas: count(p => matchMap(labels, p.metadata.labels)),
    readyReplicas: count(isReady),
    availableReplicas: count(p => isAvailable(p, minReady, c.sim.nowMs)),
  };
  const status: any = { replicas: active.length, observedGeneration: rs.metadata.generation ?? 1 };
  for (const f in numbers) if (numbers[f]) status[f] = numbers[f];
  if (!k.plain) status.terminatingReplicas = terminating;
  if (conditions.length) status.conditions = conditions;
  return status;
}
