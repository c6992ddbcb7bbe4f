// StatefulSets: pods with an ordinal, a name and claims of their own (pkg/controller/statefulset v1.36).
import { createObject, deleteObject, patchObject, updateStatus } from '../apiserver/client.ts';
import { matchLabelSelector } from '../apiserver/labels.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, isStatus, recorderOf, same, scaled } from './context.ts';
import { claim, isAvailable, isReady, ownerReference, podFromTemplate } from './pods.ts';
import {
  controllerOf,
  enqueue,
  enqueueAfter,
  enqueueRateLimited,
  forget,
  keyOf,
  newQueue,
  type Queue,
  splitKey,
  watchAll,
} from './queue.ts';
import { currentRevision, revisionsOf, truncateHistory } from './revisions.ts';

const COMPONENT = 'statefulset-controller';
const REVISION = 'controller-revision-hash';

export function startStatefulSets(c: Controllers): void {
  const queue = newQueue(c.sim, 6, key => syncStatefulSet(c, queue, key));
  c.queues.push(queue);
  const keys = new Set<string>();
  c.stops.push(
    watchAll(c.server, 'statefulsets.apps', c.initial, e => {
      if (e.type === 'DELETED') keys.delete(keyOf(e.object));
      else {
        keys.add(keyOf(e.object));
        enqueue(queue, keyOf(e.object));
      }
    }),
    watchAll(c.server, 'pods', false, e => {
      const ref = controllerOf(e.object);
      if (ref?.kind === 'StatefulSet') enqueue(queue, `${e.object.metadata.namespace}/${ref.name}`);
      // An orphan that carries a set's name may be adopted; an alien one that went may have been in the way.
      const parent = /^(.*)-\d+$/.exec(e.object.metadata.name)?.[1];
      if (!ref && parent && keys.has(`${e.object.metadata.namespace}/${parent}`))
        enqueue(queue, `${e.object.metadata.namespace}/${parent}`);
    }),
  );
}

interface Sync {
  c: Controllers;
  set: KubeObject;
  current: KubeObject;
  update: KubeObject;
  failed: boolean;
}

const ordinalOf = (p: KubeObject): number => Number(/-(\d+)$/.exec(p.metadata.name)?.[1] ?? -1);
const startOf = (set: KubeObject): number => set.spec.ordinals?.start ?? 0;
const revisionOf = (p: KubeObject): string | undefined => p.metadata.labels?.[REVISION];
const parallel = (set: KubeObject): boolean => set.spec.podManagementPolicy === 'Parallel';
const runningAndReady = (p: KubeObject): boolean => p.status?.phase === 'Running' && isReady(p);

function syncStatefulSet(c: Controllers, queue: Queue, key: string): void {
  const [namespace, name] = splitKey(key);
  const set = getObject(c.server, 'statefulsets.apps', namespace, name);
  if (!set) {
    forget(queue, key);
    return;
  }
  const member = new RegExp(`^${name.replace(/\./g, '\\.')}-\\d+$`);
  const pods = claim(
    c,
    c.podsByOwner,
    'pods',
    set,
    p => matchLabelSelector(set.spec.selector, p.metadata.labels) && member.test(p.metadata.name),
  );
  const update = currentRevision(c, set, 'controller.kubernetes.io/hash');
  const current = revisionsOf(c, set).find(r => r.metadata.name === set.status?.currentRevision) ?? update;
  const s: Sync = { c, set, current, update, failed: false };
  if (!set.metadata.deletionTimestamp) {
    adjustPods(s, pods);
    const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(p => revisionOf(p) ?? '')]);
    truncateHistory(c, set, live);
  }
  writeStatus(s);
  if (s.failed) enqueueRateLimited(queue, key);
  else forget(queue, key);
  const minReady = set.spec.minReadySeconds ?? 0;
  if (minReady && pods.some(p => isReady(p) && !isAvailable(p, minReady, c.sim.nowMs))) enqueueAfter(queue, key, minReady * 1000, false);
}

/** One pass over the ordinals: what is missing is made, what is too much goes, one at a time unless the policy is Parallel. */
function adjustPods(s: Sync, pods: KubeObject[]): void {
  const { c, set } = s;
  const start = startOf(set);
  const end = start + (set.spec.replicas ?? 1);
  const wanted: (KubeObject | undefined)[] = Array.from({ length: end - start });
  const condemned: KubeObject[] = [];
  for (const p of pods) {
    const i = ordinalOf(p);
    if (i >= start && i < end) wanted[i - start] = p;
    else condemned.push(p);
  }
  condemned.sort((a, b) => ordinalOf(b) - ordinalOf(a));
  const monotonic = !parallel(set);
  for (let i = 0; i < wanted.length; i++) if (processReplica(s, wanted, i) && monotonic) return;
  const unhealthy = [...wanted, ...condemned].find(p => !p || !runningAndReady(p) || p.metadata.deletionTimestamp);
  for (const p of condemned) {
    if (p.metadata.deletionTimestamp) {
      if (monotonic) return;
      continue;
    }
    // A pod that is not ready goes only when it is itself the first unhealthy one.
    if (monotonic && unhealthy && !isAvailable(p, set.spec.minReadySeconds ?? 0, c.sim.nowMs) && p !== unhealthy) return;
    removePod(s, p);
    if (monotonic) return;
  }
  if (set.spec.updateStrategy?.type !== 'OnDelete') rollingUpdate(s, wanted as KubeObject[]);
}

/** -> true: later ordinals have to wait */
function processReplica(s: Sync, wanted: (KubeObject | undefined)[], i: number): boolean {
  const { c, set } = s;
  let pod = wanted[i];
  if (pod && (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded')) {
    const failed = pod.status.phase === 'Failed';
    if (pod.metadata.deletionTimestamp) return true;
    const recorder = recorderOf(c, COMPONENT);
    const text = `StatefulSet ${set.metadata.namespace}/${set.metadata.name} is recreating ${failed ? 'failed' : 'terminated'} Pod ${pod.metadata.name}`;
    recordEvent(recorder, set, failed ? 'Warning' : 'Normal', failed ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod', text);
    removePod(s, pod);
    return true;
  }
  if (!pod) {
    pod = makePod(s, startOf(set) + i);
    wanted[i] = pod;
    return true;
  }
  if (pod.metadata.deletionTimestamp) return true;
  return !runningAndReady(pod) || !isAvailable(pod, set.spec.minReadySeconds ?? 0, c.sim.nowMs);
}

function makePod(s: Sync, ordinal: number): KubeObject | undefined {
  const { c, set } = s;
  const name = `${set.metadata.name}-${ordinal}`;
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  const rolling = set.spec.updateStrategy?.type !== 'OnDelete';
  const inFirst = ordinal < startOf(set) + (set.status?.currentReplicas ?? 0);
  const revision = rolling && (ordinal < partition || (partition === 0 && inFirst && s.current !== s.update)) ? s.current : s.update;
  const template = (revision.data as any).spec.template;
  const pod = podFromTemplate(template, set);
  delete pod.metadata.generateName;
  pod.metadata.name = name;
  pod.metadata.labels = {
    ...pod.metadata.labels,
    'apps.kubernetes.io/pod-index': String(ordinal),
    [REVISION]: revision.metadata.name,
    'statefulset.kubernetes.io/pod-name': name,
  };
  pod.spec.hostname = name;
  if (set.spec.serviceName) pod.spec.subdomain = set.spec.serviceName;
  const claims = set.spec.volumeClaimTemplates ?? [];
  if (claims.length) {
    const own = claims.map((t: any) => ({ name: t.metadata.name, persistentVolumeClaim: { claimName: `${t.metadata.name}-${name}` } }));
    const names = new Set(own.map((v: any) => v.name));
    pod.spec.volumes = [...own, ...(pod.spec.volumes ?? []).filter((v: any) => !names.has(v.name))];
    for (const t of claims) if (!makeClaim(s, t, name)) return undefined;
  }
  const made = createObject(c.server, pod);
  const recorder = recorderOf(c, COMPONENT);
  if (isStatus(made)) {
    s.failed = true;
    if (made.details?.causes?.some(x => x.reason === 'NamespaceTerminating')) return undefined;
    recordEvent(
      recorder,
      set,
      'Warning',
      'FailedCreate',
      `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${made.message}`,
    );
    return undefined;
  }
  recordEvent(recorder, set, 'Normal', 'SuccessfulCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  return made;
}

function makeClaim(s: Sync, template: any, podName: string): boolean {
  const { c, set } = s;
  const name = `${template.metadata.name}-${podName}`;
  if (getObject(c.server, 'persistentvolumeclaims', set.metadata.namespace, name)) return true;
  const retention = set.spec.persistentVolumeClaimRetentionPolicy;
  const made = createObject(c.server, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec.selector?.matchLabels },
      ...(template.metadata.annotations ? { annotations: template.metadata.annotations } : {}),
      ...(retention?.whenDeleted === 'Delete' ? { ownerReferences: [{ ...ownerReference(set), controller: true }] } : {}),
    },
    spec: { ...template.spec },
  });
  const what = `Claim ${name} Pod ${podName} in StatefulSet ${set.metadata.name}`;
  if (isStatus(made)) {
    s.failed = true;
    recordEvent(recorderOf(c, COMPONENT), set, 'Warning', 'FailedCreate', `create ${what} failed error: ${made.message}`);
    return false;
  }
  recordEvent(recorderOf(c, COMPONENT), set, 'Normal', 'SuccessfulCreate', `create ${what} success`);
  return true;
}

function removePod(s: Sync, pod: KubeObject): void {
  const gone = deleteObject(s.c.server, 'pods', pod.metadata.namespace, pod.metadata.name);
  const what = `delete Pod ${pod.metadata.name} in StatefulSet ${s.set.metadata.name}`;
  const recorder = recorderOf(s.c, COMPONENT);
  if (isStatus(gone) && gone.status === 'Failure')
    recordEvent(recorder, s.set, 'Warning', 'FailedDelete', `${what} failed error: ${gone.message}`);
  else recordEvent(recorder, s.set, 'Normal', 'SuccessfulDelete', `${what} successful`);
}

/** From the highest ordinal down to the partition; at most maxUnavailable are down at a time. */
function rollingUpdate(s: Sync, pods: KubeObject[]): void {
  const { set, c } = s;
  const rolling = set.spec.updateStrategy?.rollingUpdate ?? {};
  const partition = Math.max(0, (rolling.partition ?? 0) - startOf(set));
  const max = Math.max(1, scaled(rolling.maxUnavailable, set.spec.replicas ?? 1, true, 1));
  const minReady = set.spec.minReadySeconds ?? 0;
  let unavailable = pods.filter(p => !p || p.metadata.deletionTimestamp || !isAvailable(p, minReady, c.sim.nowMs)).length;
  for (let i = pods.length - 1; i >= partition && unavailable <= max; i--) {
    const p = pods[i];
    if (!p) continue;
    const down = p.metadata.deletionTimestamp || !isAvailable(p, minReady, c.sim.nowMs);
    if (revisionOf(p) !== s.update.metadata.name && !p.metadata.deletionTimestamp) {
      if (!down && unavailable >= max) return;
      removePod(s, p);
      if (!down) unavailable++;
      if (unavailable >= max) return;
    } else if (down && unavailable >= max) return;
  }
}

function writeStatus(s: Sync): void {
  const { c, set } = s;
  const pods = claim(c, c.podsByOwner, 'pods', set, p => matchLabelSelector(set.spec.selector, p.metadata.labels));
  const alive = pods.filter(p => !p.metadata.deletionTimestamp);
  const minReady = set.spec.minReadySeconds ?? 0;
  const [currentName, updateName] = [s.current.metadata.name, s.update.metadata.name];
  const n = {
    replicas: pods.length,
    readyReplicas: pods.filter(runningAndReady).length,
    availableReplicas: pods.filter(p => runningAndReady(p) && isAvailable(p, minReady, c.sim.nowMs)).length,
    currentReplicas: alive.filter(p => revisionOf(p) === currentName).length,
    updatedReplicas: alive.filter(p => revisionOf(p) === updateName).length,
  };
  const status: any = { observedGeneration: set.metadata.generation ?? 1, replicas: n.replicas, availableReplicas: n.availableReplicas };
  let current = currentName;
  if (set.spec.updateStrategy?.type !== 'OnDelete' && n.updatedReplicas === n.replicas && n.readyReplicas === n.replicas) {
    n.currentReplicas = n.updatedReplicas;
    current = updateName;
  }
  for (const f of ['readyReplicas', 'currentReplicas', 'updatedReplicas'] as const) if (n[f]) status[f] = n[f];
  status.currentRevision = current;
  status.updateRevision = updateName;
  status.collisionCount = set.status?.collisionCount ?? 0;
  if (set.status?.conditions) status.conditions = set.status.conditions;
  if (!same(set.status, status)) updateStatus(c.server, { ...set, status });
  // A scaled-down set gives its claims back when it says so.
  if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete') ownScaledClaims(s, pods);
}

function ownScaledClaims(s: Sync, pods: KubeObject[]): void {
  const end = startOf(s.set) + (s.set.spec.replicas ?? 1);
  for (const p of pods) {
    if (ordinalOf(p) < end) continue;
    for (const t of s.set.spec.volumeClaimTemplates ?? []) {
      const name = `${t.metadata.name}-${p.metadata.name}`;
      const ref = { apiVersion: 'v1', kind: 'Pod', name: p.metadata.name, uid: p.metadata.uid };
      patchObject(s.c.server, 'persistentvolumeclaims', s.set.metadata.namespace, name, 'merge', { metadata: { ownerReferences: [ref] } });
    }
  }
}
