// What every workload controller asks of pods, and how it makes, claims and deletes them (pkg/controller/controller_utils.go v1.36).
import { createObject, deleteObject, patchObject } from '../apiserver/client.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject, OwnerReference, Status } from '../apiserver/types.ts';
import { parseRfc3339 } from '../sim/time.ts';
import { type Controllers, conditionOf, isStatus, recorderOf } from './context.ts';
import { controllerOf, type Index, indexed } from './queue.ts';

export const isActive = (p: KubeObject): boolean =>
  p.status?.phase !== 'Succeeded' && p.status?.phase !== 'Failed' && !p.metadata.deletionTimestamp;

export const isTerminal = (p: KubeObject): boolean => p.status?.phase === 'Succeeded' || p.status?.phase === 'Failed';

export const readyCondition = (p: KubeObject) => conditionOf(p.status?.conditions, 'Ready');

export const isReady = (p: KubeObject): boolean => readyCondition(p)?.status === 'True';

export const timeOf = (text: string | null | undefined): number => (text ? (parseRfc3339(text) ?? 0) : 0);

export function isAvailable(p: KubeObject, minReadySeconds: number, nowMs: number): boolean {
  const ready = readyCondition(p);
  if (ready?.status !== 'True') return false;
  return !minReadySeconds || (!!ready.lastTransitionTime && timeOf(ready.lastTransitionTime) + minReadySeconds * 1000 <= nowMs);
}

export const ownerReference = (o: KubeObject): OwnerReference => ({
  apiVersion: o.apiVersion,
  kind: o.kind,
  name: o.metadata.name,
  uid: o.metadata.uid as string,
  controller: true,
  blockOwnerDeletion: true,
});

/** GetPodFromTemplate: the name comes from the owner's, the rest from the template. */
export function podFromTemplate(template: any, owner: KubeObject): KubeObject {
  const meta = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(meta.labels ? { labels: { ...meta.labels } } : {}),
      ...(meta.annotations ? { annotations: { ...meta.annotations } } : {}),
      ...(meta.finalizers ? { finalizers: [...meta.finalizers] } : {}),
      ownerReferences: [ownerReference(owner)],
    },
    spec: { ...template.spec },
  };
}

/** Create a pod and tell of it in the owner's events. */
export function createPod(c: Controllers, component: string, owner: KubeObject, pod: KubeObject): KubeObject | Status {
  const made = createObject(c.server, pod);
  const recorder = recorderOf(c, component);
  if (!isStatus(made)) recordEvent(recorder, owner, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
  // A namespace that is going away is no failure worth an event.
  else if (!made.details?.causes?.some(x => x.reason === 'NamespaceTerminating')) {
    recordEvent(recorder, owner, 'Warning', 'FailedCreate', `Error creating: ${made.message}`);
  }
  return made;
}

export function deletePod(c: Controllers, component: string, owner: KubeObject, pod: KubeObject): Status | null {
  const gone = deleteObject(c.server, 'pods', pod.metadata.namespace, pod.metadata.name);
  const recorder = recorderOf(c, component);
  if (isStatus(gone) && gone.status === 'Failure') {
    if (gone.reason === 'NotFound') return null;
    recordEvent(recorder, owner, 'Warning', 'FailedDelete', `Error deleting: ${gone.message}`);
    return gone;
  }
  recordEvent(recorder, owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  return null;
}

/** ControllerRefManager: owned objects that still match, and orphans that do: those are adopted; owned ones that no longer match are released. */
export function claim(c: Controllers, index: Index, bucket: string, owner: KubeObject, matches: (o: KubeObject) => boolean): KubeObject[] {
  const out: KubeObject[] = [];
  const namespace = owner.metadata.namespace as string;
  for (const o of indexed(index, owner.metadata.uid as string)) {
    if (matches(o)) out.push(o);
    else if (!owner.metadata.deletionTimestamp) {
      const ownerReferences = o.metadata.ownerReferences?.filter(r => r.uid !== owner.metadata.uid);
      patchObject(c.server, bucket, namespace, o.metadata.name, 'merge', {
        metadata: { uid: o.metadata.uid, ownerReferences: ownerReferences?.length ? ownerReferences : null },
      });
    }
  }
  if (owner.metadata.deletionTimestamp) return out;
  for (const o of indexed(index, `orphan/${namespace}`)) {
    if (o.metadata.deletionTimestamp || controllerOf(o) || !matches(o)) continue;
    const ownerReferences = [...(o.metadata.ownerReferences ?? []), ownerReference(owner)];
    const adopted = patchObject(c.server, bucket, namespace, o.metadata.name, 'merge', {
      metadata: { uid: o.metadata.uid, ownerReferences },
    });
    if (!isStatus(adopted)) out.push(adopted);
  }
  return out;
}

const PHASE_RANK: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

const deletionCost = (p: KubeObject) => Number(p.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0;

const restarts = (p: KubeObject): number => Math.max(0, ...(p.status?.containerStatuses ?? []).map((s: any) => s.restartCount ?? 0));

/** Ages in powers of two: pods of about one age are as good as each other (LogarithmicScaleDown). */
const ageRank = (atMs: number, nowMs: number) => Math.floor(Math.log2(Math.max(1, (nowMs - atMs) * 1e6)));

/** ActivePodsWithRanks.Less: which pod goes first. */
export function deletionOrder(rank: Map<KubeObject, number>, nowMs: number): (a: KubeObject, b: KubeObject) => number {
  const byAge = (a: KubeObject, b: KubeObject, ta: number, tb: number) => {
    if (!ta || !tb) return ta ? 1 : -1;
    const diff = ageRank(ta, nowMs) - ageRank(tb, nowMs);
    if (diff) return diff;
    return (a.metadata.uid as string) < (b.metadata.uid as string) ? -1 : 1;
  };
  return (a, b) => {
    if (!a.spec.nodeName !== !b.spec.nodeName) return a.spec.nodeName ? 1 : -1;
    const phase = (PHASE_RANK[a.status?.phase] ?? 0) - (PHASE_RANK[b.status?.phase] ?? 0);
    if (phase) return phase;
    if (isReady(a) !== isReady(b)) return isReady(a) ? 1 : -1;
    const cost = deletionCost(a) - deletionCost(b);
    if (cost) return cost;
    const ranks = (rank.get(b) ?? 0) - (rank.get(a) ?? 0);
    if (ranks) return ranks;
    if (isReady(a) && isReady(b)) {
      const ta = timeOf(readyCondition(a)?.lastTransitionTime);
      const tb = timeOf(readyCondition(b)?.lastTransitionTime);
      if (ta !== tb) return byAge(a, b, ta, tb);
    }
    const r = restarts(b) - restarts(a);
    if (r) return r;
    const ca = timeOf(a.metadata.creationTimestamp);
    const cb = timeOf(b.metadata.creationTimestamp);
    if (ca !== cb) return byAge(a, b, ca, cb);
    return 0;
  };
}
