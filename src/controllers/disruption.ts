// PodDisruptionBudgets: how many of their pods may go (pkg/controller/disruption v1.36).
import { updateStatus } from '../apiserver/client.ts';
import { matchLabelSelector } from '../apiserver/labels.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { resourceOfKind } from '../apiserver/resources.ts';
import { bucketName, getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Controllers, conditionOf, recorderOf, same, scaled } from './context.ts';
import { isReady, isTerminal } from './pods.ts';
import { controllerOf, enqueue, indexed, keyOf, newQueue, splitKey, watchAll } from './queue.ts';

const BUCKET = 'poddisruptionbudgets.policy';
const COMPONENT = 'controllermanager';

export function startDisruption(c: Controllers): void {
  const queue = newQueue(c.sim, 10, key => syncBudget(c, key));
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, BUCKET, c.initial, e => {
      if (e.type !== 'DELETED') enqueue(queue, keyOf(e.object));
    }),
    watchAll(c.server, 'pods', false, e => {
      for (const b of listObjects(c.server, BUCKET, e.object.metadata.namespace)) {
        if (
          matchLabelSelector(b.spec.selector, e.object.metadata.labels) ||
          (e.old && matchLabelSelector(b.spec.selector, e.old.metadata.labels))
        ) {
          enqueue(queue, keyOf(b));
        }
      }
    }),
  );
}

/** The sizes of the pods' workloads, each once (getExpectedScale). null: a pod without one. */
function expectedScale(c: Controllers, pods: KubeObject[]): number {
  const sizes = new Map<string, number>();
  for (const p of pods) {
    let ref = controllerOf(p);
    if (!ref) continue;
    const namespace = p.metadata.namespace;
    if (ref.kind === 'ReplicaSet') {
      const rs = getObject(c.server, 'replicasets.apps', namespace, ref.name);
      ref = (rs && controllerOf(rs)) ?? ref;
    }
    const info = resourceOfKind(c.server, ref.apiVersion, ref.kind);
    const owner = info && getObject(c.server, bucketName(info.group, info.resource), namespace, ref.name);
    if (owner?.spec?.replicas !== undefined) sizes.set(ref.uid, owner.spec.replicas);
  }
  return [...sizes.values()].reduce((a, b) => a + b, 0);
}

function syncBudget(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const b = getObject(c.server, BUCKET, namespace, name);
  if (!b) return;
  const pods = indexed(c.podsByNamespace, namespace).filter(p => matchLabelSelector(b.spec.selector, p.metadata.labels) && !isTerminal(p));
  if (!pods.length) recordEvent(recorderOf(c, COMPONENT), b, 'Normal', 'NoPods', 'No matching pods found');
  let expected: number;
  let desired: number;
  if (b.spec.maxUnavailable !== undefined) {
    expected = expectedScale(c, pods);
    desired = Math.max(0, expected - scaled(b.spec.maxUnavailable, expected, true, 0));
  } else if (typeof b.spec.minAvailable === 'number') {
    desired = b.spec.minAvailable;
    expected = pods.length;
  } else {
    expected = expectedScale(c, pods);
    desired = scaled(b.spec.minAvailable, expected, true, 1);
  }
  const disrupted = b.status?.disruptedPods ?? {};
  const left = Object.fromEntries(Object.entries(disrupted).filter(([p]) => getObject(c.server, 'pods', namespace, p)));
  const healthy = pods.filter(p => !p.metadata.deletionTimestamp && !(p.metadata.name in left) && isReady(p)).length;
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  const generation = b.metadata.generation;
  const value = allowed > 0 ? 'True' : 'False';
  const old = conditionOf(b.status?.conditions, 'DisruptionAllowed');
  const condition = {
    type: 'DisruptionAllowed',
    status: value,
    ...(generation ? { observedGeneration: generation } : {}),
    lastTransitionTime: old?.status === value ? old.lastTransitionTime : rfc3339(c.sim.nowMs),
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
  };
  const status: any = {
    currentHealthy: healthy,
    desiredHealthy: desired,
    disruptionsAllowed: allowed,
    expectedPods: expected,
    conditions: [condition],
    ...(generation ? { observedGeneration: generation } : {}),
    ...(Object.keys(left).length ? { disruptedPods: left } : {}),
  };
  if (!same(b.status, status)) updateStatus(c.server, { ...b, status });
}
