// DaemonSets: one pod on each node that will have it (pkg/controller/daemon v1.36).
import { patchObject, updateStatus } from '../apiserver/client.ts';
import { matchLabelSelector } from '../apiserver/labels.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { matchesNode, untoleratedTaint } from '../apiserver/scheduling.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, isStatus, recorderOf, same, scaled } from './context.ts';
import { claim, createPod, deletePod, isAvailable, isReady, podFromTemplate, timeOf } from './pods.ts';
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

const COMPONENT = 'daemonset-controller';
const HASH = 'controller-revision-hash';

export function startDaemonSets(c: Controllers): void {
  const queue = newQueue(c.sim, 6, key => syncDaemonSet(c, queue, key));
  c.queues.push(queue);
  const all = () => {
    for (const ds of listObjects(c.server, 'daemonsets.apps')) enqueue(queue, keyOf(ds));
  };
  c.stops.push(
    watchAll(c.server, 'daemonsets.apps', c.initial, e => {
      if (e.type !== 'DELETED') enqueue(queue, keyOf(e.object));
    }),
    watchAll(c.server, 'pods', false, e => {
      const ref = controllerOf(e.object);
      if (ref?.kind === 'DaemonSet') enqueue(queue, `${e.object.metadata.namespace}/${ref.name}`);
    }),
    watchAll(c.server, 'nodes', false, e => {
      const o = e.old;
      if (!o || e.type === 'DELETED' || !same(o.metadata.labels, e.object.metadata.labels) || !same(o.spec?.taints, e.object.spec?.taints))
        all();
    }),
  );
}

/** AddOrUpdateDaemonPodTolerations. */
function tolerations(spec: any): any[] {
  const added = [
    { effect: 'NoExecute', key: 'node.kubernetes.io/not-ready', operator: 'Exists' },
    { effect: 'NoExecute', key: 'node.kubernetes.io/unreachable', operator: 'Exists' },
    { effect: 'NoSchedule', key: 'node.kubernetes.io/disk-pressure', operator: 'Exists' },
    { effect: 'NoSchedule', key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' },
    { effect: 'NoSchedule', key: 'node.kubernetes.io/pid-pressure', operator: 'Exists' },
    { effect: 'NoSchedule', key: 'node.kubernetes.io/unschedulable', operator: 'Exists' },
  ];
  if (spec.hostNetwork) added.push({ effect: 'NoSchedule', key: 'node.kubernetes.io/network-unavailable', operator: 'Exists' });
  const old = spec.tolerations ?? [];
  return [...old, ...added.filter(t => !old.some((o: any) => same(o, t)))];
}

function fits(ds: KubeObject, node: KubeObject): { run: boolean; stay: boolean } {
  const spec = ds.spec.template.spec;
  if ((spec.nodeName && spec.nodeName !== node.metadata.name) || !matchesNode(spec, node)) return { run: false, stay: false };
  const tolerated = tolerations(spec);
  const taints = node.spec?.taints;
  if (untoleratedTaint(taints, tolerated, ['NoExecute', 'NoSchedule'])) {
    return { run: false, stay: !untoleratedTaint(taints, tolerated, ['NoExecute']) };
  }
  return { run: true, stay: true };
}

/** The node a daemon pod is for: assigned, or asked for by its affinity (GetTargetNodeName). */
function targetNode(p: KubeObject): string | undefined {
  if (p.spec.nodeName) return p.spec.nodeName;
  const terms = p.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const t of terms) for (const f of t.matchFields ?? []) if (f.key === 'metadata.name') return f.values?.[0];
  return undefined;
}

interface Sync {
  c: Controllers;
  ds: KubeObject;
  hash: string;
  nodes: KubeObject[];
  byNode: Map<string, KubeObject[]>;
  failed: boolean;
}

function syncDaemonSet(c: Controllers, queue: Queue, key: string): void {
  const [namespace, name] = splitKey(key);
  const ds = getObject(c.server, 'daemonsets.apps', namespace, name);
  if (!ds) {
    forget(queue, key);
    return;
  }
  const sel = ds.spec.selector;
  if (sel && !Object.keys(sel.matchLabels ?? {}).length && !sel.matchExpressions?.length) {
    recordEvent(
      recorderOf(c, COMPONENT),
      ds,
      'Warning',
      'SelectingAll',
      'This daemon set is selecting all pods. A non-empty selector is required.',
    );
    return;
  }
  if (ds.metadata.deletionTimestamp) return;
  const revision = currentRevision(c, ds, HASH, ds.metadata.annotations);
  const hash = revision.metadata.labels?.[HASH] as string;
  const s: Sync = { c, ds, hash, nodes: listObjects(c.server, 'nodes'), byNode: new Map(), failed: false };
  group(s);
  manage(s);
  group(s);
  if (!s.failed && ds.spec.updateStrategy?.type !== 'OnDelete') {
    rollingUpdate(s);
    group(s);
  }
  const live = new Set([revision.metadata.name]);
  for (const pods of s.byNode.values()) for (const p of pods) live.add(`${name}-${p.metadata.labels?.[HASH]}`);
  truncateHistory(c, ds, live);
  writeStatus(s, revision);
  if (s.failed) enqueueRateLimited(queue, key);
  else forget(queue, key);
  const minReady = ds.spec.minReadySeconds ?? 0;
  if (minReady && [...s.byNode.values()].some(pods => pods.some(p => isReady(p) && !isAvailable(p, minReady, c.sim.nowMs)))) {
    enqueueAfter(queue, key, minReady * 1000, false);
  }
}

function group(s: Sync): void {
  s.byNode.clear();
  for (const p of claim(s.c, s.c.podsByOwner, 'pods', s.ds, o => matchLabelSelector(s.ds.spec.selector, o.metadata.labels))) {
    const node = targetNode(p) ?? '';
    s.byNode.set(node, [...(s.byNode.get(node) ?? []), p]);
  }
}

function manage(s: Sync): void {
  const recorder = recorderOf(s.c, COMPONENT);
  const missing: string[] = [];
  const surplus: KubeObject[] = [];
  for (const node of s.nodes) {
    const { run, stay } = fits(s.ds, node);
    const pods = s.byNode.get(node.metadata.name) ?? [];
    if (run && !pods.length) missing.push(node.metadata.name);
    else if (!stay) surplus.push(...pods.filter(p => !p.metadata.deletionTimestamp));
    else {
      const running: KubeObject[] = [];
      for (const p of pods) {
        if (p.metadata.deletionTimestamp) continue;
        const where = `daemon pod ${p.metadata.namespace}/${p.metadata.name} on node ${node.metadata.name}, will try to`;
        if (p.status?.phase === 'Failed') {
          recordEvent(recorder, s.ds, 'Warning', 'FailedDaemonPod', `Found failed ${where} kill it`);
          surplus.push(p);
        } else if (p.status?.phase === 'Succeeded') {
          recordEvent(recorder, s.ds, 'Normal', 'SucceededDaemonPod', `Found succeeded ${where} delete it`);
          surplus.push(p);
        } else running.push(p);
      }
      running.sort((a, b) => timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp));
      const current = running.filter(p => p.metadata.labels?.[HASH] === s.hash);
      if (running.length > 1 && !surges(s)) surplus.push(...(current.length === running.length ? current : running).slice(1));
    }
  }
  // Pods of nodes that are gone.
  const known = new Set(s.nodes.map(n => n.metadata.name));
  for (const [node, pods] of s.byNode) if (node && !known.has(node)) surplus.push(...pods.filter(p => !p.metadata.deletionTimestamp));
  for (const p of surplus) if (deletePod(s.c, COMPONENT, s.ds, p)) s.failed = true;
  for (const node of missing) if (!makePod(s, node)) return;
}

const surges = (s: Sync): boolean => scaled(s.ds.spec.updateStrategy?.rollingUpdate?.maxSurge, 100, true, 0) > 0;

function makePod(s: Sync, node: string): boolean {
  const { c, ds } = s;
  const pod = podFromTemplate(ds.spec.template, ds);
  const generation = ds.metadata.annotations?.['deprecated.daemonset.template.generation'];
  pod.metadata.labels = { ...pod.metadata.labels, [HASH]: s.hash, ...(generation ? { 'pod-template-generation': generation } : {}) };
  pod.spec.tolerations = tolerations(pod.spec);
  const affinity = pod.spec.affinity ?? {};
  const field = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  const required = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms?.length
    ? required.nodeSelectorTerms.map((t: any) => ({ ...t, matchFields: field }))
    : [{ matchFields: field }];
  pod.spec.affinity = {
    ...affinity,
    nodeAffinity: { ...affinity.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
  };
  const made = createPod(c, COMPONENT, ds, pod);
  if (isStatus(made)) s.failed = true;
  return !isStatus(made);
}

/** rollingUpdate of update.go: old pods that do not serve anyway, then as many of the others as may be missing. */
function rollingUpdate(s: Sync): void {
  const { c, ds } = s;
  const minReady = ds.spec.minReadySeconds ?? 0;
  const desired = s.nodes.filter(n => fits(ds, n).run).length;
  if (surges(s)) {
    surgingUpdate(s, desired, minReady);
    return;
  }
  const max = Math.max(1, scaled(ds.spec.updateStrategy?.rollingUpdate?.maxUnavailable, desired, true, 1));
  let unavailable = 0;
  const broken: KubeObject[] = [];
  const candidates: KubeObject[] = [];
  for (const node of s.nodes) {
    if (!fits(ds, node).run) continue;
    const pods = s.byNode.get(node.metadata.name) ?? [];
    const fresh = pods.find(p => p.metadata.labels?.[HASH] === s.hash && !p.metadata.deletionTimestamp);
    const old = pods.find(p => p.metadata.labels?.[HASH] !== s.hash && !p.metadata.deletionTimestamp);
    if (!fresh && !old) unavailable++;
    else if (fresh) unavailable += isAvailable(fresh, minReady, c.sim.nowMs) ? 0 : 1;
    else if (old && !isAvailable(old, minReady, c.sim.nowMs)) {
      unavailable++;
      broken.push(old);
    } else if (old) candidates.push(old);
  }
  for (const p of broken) deletePod(c, COMPONENT, ds, p);
  for (const p of candidates.slice(0, Math.max(0, max - unavailable))) deletePod(c, COMPONENT, ds, p);
}

function surgingUpdate(s: Sync, desired: number, minReady: number): void {
  const { c, ds } = s;
  let room = scaled(ds.spec.updateStrategy?.rollingUpdate?.maxSurge, desired, true, 1);
  for (const node of s.nodes) {
    const pods = (s.byNode.get(node.metadata.name) ?? []).filter(p => !p.metadata.deletionTimestamp);
    const fresh = pods.find(p => p.metadata.labels?.[HASH] === s.hash);
    const old = pods.find(p => p.metadata.labels?.[HASH] !== s.hash);
    if (!old || !fits(ds, node).run) continue;
    if (fresh && isAvailable(fresh, minReady, c.sim.nowMs)) deletePod(c, COMPONENT, ds, old);
    else if (fresh) room--;
    else if (room > 0) {
      room--;
      makePod(s, node.metadata.name);
    }
  }
}

function writeStatus(s: Sync, revision: KubeObject): void {
  const { c, ds } = s;
  const minReady = ds.spec.minReadySeconds ?? 0;
  const n = { desired: 0, current: 0, misscheduled: 0, ready: 0, updated: 0, available: 0 };
  for (const node of s.nodes) {
    const pods = s.byNode.get(node.metadata.name) ?? [];
    if (!fits(ds, node).run) {
      if (pods.length) n.misscheduled++;
      continue;
    }
    n.desired++;
    if (!pods.length) continue;
    n.current++;
    const newest = [...pods].sort((a, b) => timeOf(b.metadata.creationTimestamp) - timeOf(a.metadata.creationTimestamp))[0];
    if (isReady(newest)) {
      n.ready++;
      if (isAvailable(newest, minReady, c.sim.nowMs)) n.available++;
    }
    if (newest.metadata.labels?.[HASH] === s.hash) n.updated++;
  }
  const status: any = {
    currentNumberScheduled: n.current,
    numberMisscheduled: n.misscheduled,
    desiredNumberScheduled: n.desired,
    numberReady: n.ready,
    observedGeneration: ds.metadata.generation ?? 1,
  };
  if (n.updated) status.updatedNumberScheduled = n.updated;
  if (n.available) status.numberAvailable = n.available;
  if (n.desired - n.available) status.numberUnavailable = n.desired - n.available;
  if (ds.status?.collisionCount) status.collisionCount = ds.status.collisionCount;
  if (ds.status?.conditions) status.conditions = ds.status.conditions;
  if (!same(ds.status, status)) updateStatus(c.server, { ...ds, status });
  // A revision that was brought back gets the annotations that it is rolled out with.
  const latest = revisionsOf(c, ds).at(-1);
  if (latest && latest.metadata.uid !== revision.metadata.uid) {
    patchObject(c.server, 'controllerrevisions.apps', ds.metadata.namespace, revision.metadata.name, 'merge', {
      revision: latest.revision + 1,
    });
  }
}
