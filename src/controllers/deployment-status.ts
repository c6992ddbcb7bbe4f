// Conditions, revisions and counts of a Deployment (pkg/controller/deployment/{progress,sync}.go, util/deployment_util.go v1.36).
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Condition, conditionOf, same, scaled } from './context.ts';
import { timeOf } from './pods.ts';
import { enqueueAfter } from './queue.ts';
import { type Rollout, writeStatus } from './rollout.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED = 'deployment.kubernetes.io/desired-replicas';
export const MAX = 'deployment.kubernetes.io/max-replicas';
const SKIPPED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED,
  MAX,
  'deprecated.deployment.rollback.to',
]);

/** ResolveFenceposts: surge rounds up, unavailable down; both 0 would never move. */
function fenceposts(d: KubeObject): { surge: number; unavailable: number } {
  if (d.spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 };
  const n = d.spec.replicas;
  const rolling = d.spec.strategy?.rollingUpdate ?? {};
  const surge = scaled(rolling.maxSurge, n, true, scaled('25%', n, true, 0));
  const unavailable = scaled(rolling.maxUnavailable, n, false, scaled('25%', n, false, 0));
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const maxSurge = (d: KubeObject): number => fenceposts(d).surge;

export function maxUnavailable(d: KubeObject): number {
  if (d.spec.strategy?.type === 'Recreate' || d.spec.replicas === 0) return 0;
  return Math.min(fenceposts(d).unavailable, d.spec.replicas);
}

export const hasDeadline = (d: KubeObject): boolean =>
  d.spec.progressDeadlineSeconds !== undefined && d.spec.progressDeadlineSeconds !== 2 ** 31 - 1;

/** DeploymentComplete: all pods are of the newest template, and available. */
export function complete(r: Rollout, status: any = r.d.status): boolean {
  const n = r.d.spec.replicas;
  const s = status ?? {};
  return (
    (s.updatedReplicas ?? 0) === n &&
    (s.replicas ?? 0) === n &&
    (s.availableReplicas ?? 0) === n &&
    (s.observedGeneration ?? 0) >= (r.d.metadata.generation ?? 0)
  );
}

/** The status with the condition set; the same object when it says so already. */
export function setCondition(r: Rollout, status: any, type: string, value: string, reason: string, message: string): any {
  const conditions: Condition[] = status?.conditions ?? [];
  const old = conditionOf(conditions, type);
  if (old && old.status === value && old.reason === reason) return status;
  const now = rfc3339(r.c.sim.nowMs);
  const lastTransitionTime = old?.status === value ? old.lastTransitionTime : now;
  const rest = conditions.filter(c => c.type !== type);
  return { ...status, conditions: [...rest, { type, status: value, lastUpdateTime: now, lastTransitionTime, reason, message }] };
}

const without = (status: any, type: string): any =>
  conditionOf(status.conditions, type) ? { ...status, conditions: status.conditions.filter((c: Condition) => c.type !== type) } : status;

/** SetNewReplicaSetAnnotations: the annotations as they should be, or null when they are. */
export function setNewReplicaSetAnnotations(
  d: KubeObject,
  rs: KubeObject,
  revision: string,
  exists: boolean,
): Record<string, string> | null {
  const a = { ...rs.metadata.annotations };
  for (const [k, v] of Object.entries(d.metadata.annotations ?? {})) if (!SKIPPED.has(k)) a[k] = v;
  const before = a[REVISION];
  if (Number(before ?? 0) < Number(revision)) {
    a[REVISION] = revision;
    if (before !== undefined) a[REVISION_HISTORY] = a[REVISION_HISTORY] ? `${a[REVISION_HISTORY]},${before}` : before;
  }
  if (!exists) {
    a[DESIRED] = String(d.spec.replicas);
    a[MAX] = String(d.spec.replicas + maxSurge(d));
  }
  return same(a, rs.metadata.annotations) ? null : a;
}

function counts(r: Rollout, newRS: KubeObject | undefined): any {
  const { d, sets } = r;
  const sum = (f: (rs: KubeObject) => number | undefined) => sets.reduce((n, rs) => n + (f(rs) ?? 0), 0);
  const available = sum(rs => rs.status?.availableReplicas);
  const numbers: Record<string, number> = {
    replicas: sum(rs => rs.status?.replicas),
    updatedReplicas: newRS?.status?.replicas ?? 0,
    readyReplicas: sum(rs => rs.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(rs => rs.spec.replicas) - available),
  };
  const status: any = { observedGeneration: d.metadata.generation ?? 1 };
  for (const f in numbers) if (numbers[f]) status[f] = numbers[f];
  status.terminatingReplicas = sum(rs => rs.status?.terminatingReplicas);
  if (d.status?.collisionCount) status.collisionCount = d.status.collisionCount;
  if (d.status?.conditions) status.conditions = d.status.conditions;
  const enough = available >= d.spec.replicas - maxUnavailable(d);
  return enough
    ? setCondition(r, status, 'Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
    : setCondition(r, status, 'Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.');
}

function progressing(r: Rollout, status: any): boolean {
  const old = r.d.status ?? {};
  const n = (s: any, f: string): number => s[f] ?? 0;
  return (
    n(status, 'updatedReplicas') > n(old, 'updatedReplicas') ||
    n(status, 'replicas') - n(status, 'updatedReplicas') < n(old, 'replicas') - n(old, 'updatedReplicas') ||
    n(status, 'readyReplicas') > n(old, 'readyReplicas') ||
    n(status, 'availableReplicas') > n(old, 'availableReplicas')
  );
}

/** 0: the deadline has passed. */
function msToDeadline(r: Rollout, status: any): number {
  const c = conditionOf(status.conditions, 'Progressing');
  if (!c || c.reason === 'NewReplicaSetAvailable') return Number.POSITIVE_INFINITY;
  if (c.reason === 'ProgressDeadlineExceeded') return 0;
  return Math.max(0, timeOf(c.lastUpdateTime) + r.d.spec.progressDeadlineSeconds * 1000 - r.c.sim.nowMs);
}

function withProgress(r: Rollout, status: any, newRS: KubeObject | undefined): any {
  const who = newRS ? `ReplicaSet "${newRS.metadata.name}"` : `Deployment "${r.d.metadata.name}"`;
  const current = conditionOf(r.d.status?.conditions, 'Progressing');
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable') return status;
  if (complete(r, status))
    return setCondition(r, status, 'Progressing', 'True', 'NewReplicaSetAvailable', `${who} has successfully progressed.`);
  if (progressing(r, status)) {
    // The same reason again with a new update time: there was progress.
    const moved = setCondition(r, without(status, 'Progressing'), 'Progressing', 'True', 'ReplicaSetUpdated', `${who} is progressing.`);
    if (current?.status === 'True') moved.conditions.at(-1).lastTransitionTime = current.lastTransitionTime;
    return moved;
  }
  if (msToDeadline(r, status) === 0) {
    return setCondition(r, status, 'Progressing', 'False', 'ProgressDeadlineExceeded', `${who} has timed out progressing.`);
  }
  return status;
}

/** `onlyCounts`: paused, scaled or deleted: progress is not judged. */
export function syncRolloutStatus(r: Rollout, newRS: KubeObject | undefined, onlyCounts: boolean): void {
  let status = counts(r, newRS);
  if (!onlyCounts) {
    status = hasDeadline(r.d) ? withProgress(r, status, newRS) : without(status, 'Progressing');
    const failed = [newRS, ...r.sets].map(rs => conditionOf(rs?.status?.conditions, 'ReplicaFailure')).find(Boolean);
    status = failed
      ? setCondition(r, status, 'ReplicaFailure', failed.status, failed.reason ?? '', failed.message ?? '')
      : without(status, 'ReplicaFailure');
  }
  if (!same(r.d.status, status)) {
    writeStatus(r, status);
    return;
  }
  const left = hasDeadline(r.d) ? msToDeadline(r, status) : Number.POSITIVE_INFINITY;
  if (!onlyCounts && left > 0 && Number.isFinite(left)) enqueueAfter(r.queue, r.key, left + 1000);
}
