// Deployments: one new ReplicaSet, fewer and fewer old ones (pkg/controller/deployment v1.36).
import { matchLabelSelector } from '../apiserver/labels.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { getObject } from '../apiserver/store.ts';
import { type Controllers, conditionOf, recorderOf } from './context.ts';
import { rolloutRecreate, rolloutRolling, scaleProportionally } from './deployment-rollout.ts';
import { byCreation, cleanup, findNew, newReplicaSet } from './deployment-sets.ts';
import { DESIRED, hasDeadline, setCondition, syncRolloutStatus } from './deployment-status.ts';
import { claim } from './pods.ts';
import { controllerOf, enqueue, keyOf, newQueue, type Queue, splitKey, watchAll } from './queue.ts';
import { COMPONENT, type Rollout, writeStatus } from './rollout.ts';

export function startDeployments(c: Controllers): void {
  const queue = newQueue(c.sim, 6, key => syncDeployment(c, queue, key));
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, 'deployments.apps', c.initial, e => {
      if (e.type !== 'DELETED') enqueue(queue, keyOf(e.object));
    }),
    watchAll(c.server, 'replicasets.apps', false, e => {
      const ref = controllerOf(e.object);
      if (ref?.kind === 'Deployment') enqueue(queue, `${e.object.metadata.namespace}/${ref.name}`, 20);
    }),
    // Recreate waits until the old pods are gone.
    watchAll(c.server, 'pods', false, e => {
      if (e.type !== 'DELETED') return;
      const ref = controllerOf(e.object);
      const rs = ref?.kind === 'ReplicaSet' ? getObject(c.server, 'replicasets.apps', e.object.metadata.namespace, ref.name) : undefined;
      const owner = rs && controllerOf(rs);
      if (owner?.kind === 'Deployment') enqueue(queue, `${e.object.metadata.namespace}/${owner.name}`);
    }),
  );
}

function syncDeployment(c: Controllers, queue: Queue, key: string): void {
  const [namespace, name] = splitKey(key);
  const d = getObject(c.server, 'deployments.apps', namespace, name);
  if (!d) return;
  const sel = d.spec.selector;
  if (sel && !Object.keys(sel.matchLabels ?? {}).length && !sel.matchExpressions?.length) {
    recordEvent(
      recorderOf(c, COMPONENT),
      d,
      'Warning',
      'SelectingAll',
      'This deployment is selecting all pods. A non-empty selector is required.',
    );
    return;
  }
  const sets = claim(c, c.replicaSetsByOwner, 'replicasets.apps', d, o => matchLabelSelector(sel, o.metadata.labels)).sort(byCreation);
  const r: Rollout = { c, queue, key, d, sets };
  if (d.metadata.deletionTimestamp) {
    syncRolloutStatus(r, findNew(r), true);
    return;
  }
  checkPaused(r);
  if (r.d.spec.paused) {
    sync(r);
    return;
  }
  if (isScalingEvent(r)) {
    sync(r);
    return;
  }
  if (r.d.spec.strategy?.type === 'Recreate') rolloutRecreate(r);
  else rolloutRolling(r);
}

function checkPaused(r: Rollout): void {
  if (!hasDeadline(r.d)) return;
  const progressing = conditionOf(r.d.status?.conditions, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return;
  const told = progressing?.reason === 'DeploymentPaused';
  if (!!r.d.spec.paused === told) return;
  const [reason, message] = told ? ['DeploymentResumed', 'Deployment is resumed'] : ['DeploymentPaused', 'Deployment is paused'];
  writeStatus(r, setCondition(r, r.d.status, 'Progressing', 'Unknown', reason, message));
}

function isScalingEvent(r: Rollout): boolean {
  // Also brings the new ReplicaSet's annotations up to date, as getAllReplicaSetsAndSyncRevision does.
  newReplicaSet(r, false);
  return r.sets.some(rs => {
    const desired = rs.metadata.annotations?.[DESIRED];
    return rs.spec.replicas > 0 && desired !== undefined && Number(desired) !== r.d.spec.replicas;
  });
}

/** Paused or being scaled: sizes only, no rollout. */
function sync(r: Rollout): void {
  const made = newReplicaSet(r, false);
  scaleProportionally(r, made);
  if (r.d.spec.paused) cleanup(r);
  syncRolloutStatus(r, findNew(r), true);
}
