// kube-scheduler's default profile: one pod at a time, filters, scores, binding (pkg/scheduler/schedule_one.go v1.36).
import { updateStatus } from '../apiserver/client.ts';
import { newRecorder, type Recorder, recordSeriesEvent } from '../apiserver/recorder.ts';
import { handle } from '../apiserver/server.ts';
import { isStatus } from '../apiserver/status.ts';
import { getObject, listObjects, watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { cancel, type SimEvent, schedule } from '../sim/sim.ts';
import { rfc3339 } from '../sim/time.ts';
import { filterNode, filterState, helpedByFewerPods, helpedByMorePods, type Refusal } from './filters.ts';
import { build, type Cache, listNodes, newCache } from './nodes.ts';
import { bestNode } from './scores.ts';
import { claimsProblem } from './volumes.ts';

const NAME = 'default-scheduler';

export interface Scheduler {
  server: ApiServer;
  cache: Cache;
  recorder: Recorder;
  active: Set<string>;
  /** Pods that found no node: the plugins that refused, when they were tried last and how often. */
  waiting: Map<string, { plugins: Set<string>; attempts: number; atMs: number }>;
  timers: Map<string, SimEvent>;
  next: SimEvent | null;
  stop: () => void;
}

const keyOf = (p: KubeObject) => `${p.metadata.namespace}/${p.metadata.name}`;
const podOf = (s: Scheduler, key: string) => getObject(s.server, 'pods', key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1));

const mine = (p: KubeObject): boolean =>
  !p.spec?.nodeName &&
  (p.spec?.schedulerName ?? NAME) === NAME &&
  !p.metadata.deletionTimestamp &&
  p.status?.phase !== 'Succeeded' &&
  p.status?.phase !== 'Failed' &&
  !p.spec?.schedulingGates?.length;

/** Start the scheduler; `initial` (default): look at the unassigned pods that are there. */
export function startScheduler(server: ApiServer, options: { initial?: boolean } = {}): Scheduler {
  const recorder = newRecorder(server, NAME, `${NAME}-control-plane`);
  const s: Scheduler = {
    server,
    cache: newCache(server),
    recorder,
    active: new Set(),
    waiting: new Map(),
    timers: new Map(),
    next: null,
    stop: () => {},
  };
  const stops = [
    watchBucket(server, 'pods', e => podChanged(s, e.type, e.object, e.old)),
    watchBucket(server, 'nodes', e => {
      if (e.type !== 'DELETED' && (!e.old || nodeChanged(e.old, e.object))) retry(s, () => true);
    }),
    ...['persistentvolumeclaims', 'persistentvolumes', 'storageclasses.storage.k8s.io'].map(bucket =>
      watchBucket(server, bucket, e => {
        if (e.type !== 'DELETED') retry(s, plugins => plugins.has('VolumeBinding'));
      }),
    ),
  ];
  if (options.initial ?? true) for (const p of listObjects(server, 'pods')) if (mine(p)) activate(s, keyOf(p), 0);
  s.stop = () => {
    for (const f of [...stops, ...s.cache.stops]) f();
    for (const t of s.timers.values()) cancel(server.sim, t);
    cancel(server.sim, s.next);
  };
  return s;
}

function nodeChanged(a: KubeObject, b: KubeObject): boolean {
  if (a.metadata.labels !== b.metadata.labels && JSON.stringify(a.metadata.labels) !== JSON.stringify(b.metadata.labels)) return true;
  if (JSON.stringify(a.spec) !== JSON.stringify(b.spec)) return true;
  return JSON.stringify(a.status?.allocatable) !== JSON.stringify(b.status?.allocatable);
}

function podChanged(s: Scheduler, type: string, pod: KubeObject, old: KubeObject | undefined): void {
  const key = keyOf(pod);
  if (type === 'DELETED' || !mine(pod)) {
    s.active.delete(key);
    s.waiting.delete(key);
    cancel(s.server.sim, s.timers.get(key));
    s.timers.delete(key);
  } else if (!s.waiting.has(key)) activate(s, key, 3);
  else if (
    JSON.stringify(old?.spec) !== JSON.stringify(pod.spec) ||
    JSON.stringify(old?.metadata.labels) !== JSON.stringify(pod.metadata.labels)
  )
    activate(s, key, 3);
  const done = (p: KubeObject) => p.status?.phase === 'Succeeded' || p.status?.phase === 'Failed';
  if (pod.spec?.nodeName && (type === 'DELETED' || (done(pod) && old && !done(old)))) retry(s, helpedByFewerPods);
  else if (pod.spec?.nodeName && !old?.spec?.nodeName) retry(s, (plugins, p) => helpedByMorePods(p, plugins));
}

function activate(s: Scheduler, key: string, delayMs: number): void {
  cancel(s.server.sim, s.timers.get(key));
  s.timers.delete(key);
  s.active.add(key);
  if (s.next?.run) return;
  s.next = schedule(s.server.sim, delayMs, () => {
    s.next = null;
    drain(s);
  });
}

/** Something changed that may help: back to the queue, after the back-off of 1 s doubling to 10 s. */
function retry(s: Scheduler, helps: (plugins: Set<string>, pod: KubeObject) => boolean): void {
  const sim = s.server.sim;
  for (const [key, w] of s.waiting) {
    const pod = podOf(s, key);
    if (!pod || !helps(w.plugins, pod)) continue;
    const due = w.atMs + Math.min(10_000, 1000 * 2 ** (w.attempts - 1));
    const timer = s.timers.get(key);
    if (timer?.run && !timer.background) continue;
    cancel(sim, timer);
    s.timers.set(
      key,
      schedule(sim, Math.max(1, due - sim.nowMs), () => activate(s, key, 0)),
    );
  }
}

/** All that are in the queue, the most important first. */
function drain(s: Scheduler): void {
  build(s.cache);
  const pods = [...s.active].map(k => podOf(s, k)).filter((p): p is KubeObject => !!p && mine(p));
  s.active.clear();
  if (pods.some(p => p.spec.priority)) pods.sort((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0));
  for (const p of pods) scheduleOne(s, p);
}

function scheduleOne(s: Scheduler, pod: KubeObject): void {
  const nodes = listNodes(s.cache);
  if (!nodes.length) {
    fail(s, pod, 'no nodes available to schedule pods', new Set(['NodeAffinity']));
    return;
  }
  const head = `0/${nodes.length} nodes are available:`;
  const claims = claimsProblem(s.server, pod);
  // A PreFilter's refusal leaves the claims' plugin without its state: its PostFilter says "not found", and preemption is not tried.
  if (claims) {
    fail(s, pod, `${head} ${claims}. not found`, new Set(['VolumeBinding']));
    return;
  }
  const state = filterState(s.cache, nodes, pod);
  const refusals = new Map<string, Refusal>();
  const feasible = nodes.filter(n => {
    const refusal = filterNode(state, n);
    if (refusal) refusals.set(n.name, refusal);
    return !refusal;
  });
  if (!feasible.length) {
    const all = [...refusals.values()];
    const message = `${head} ${histogram(all.flatMap(r => r.reasons))}. no new claims to deallocate, preemption: ${preemption(pod, all)}`;
    fail(s, pod, message, new Set(all.map(r => r.plugin)));
    return;
  }
  bind(s, pod, bestNode(s.cache, pod, nodes, feasible).name);
}

/** `3 Insufficient cpu`, sorted as texts. */
function histogram(reasons: string[]): string {
  const counts = new Map<string, number>();
  for (const r of reasons) counts.set(r, (counts.get(r) ?? 0) + 1);
  return [...counts]
    .map(([r, n]) => `${n} ${r}`)
    .sort()
    .join(', ');
}

/** What DefaultPreemption adds: podnet never preempts, and says so as the real one does when it finds nobody to evict. */
function preemption(pod: KubeObject, refusals: Refusal[]): string {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const why = (r: Refusal) =>
    r.unresolvable ? 'Preemption is not helpful for scheduling' : 'No preemption victims found for incoming pod';
  return `0/${refusals.length} nodes are available: ${histogram(refusals.map(why))}.`;
}

function bind(s: Scheduler, pod: KubeObject, node: string): void {
  const { namespace, name } = pod.metadata;
  const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target: { kind: 'Node', name: node } };
  const request = { verb: 'create' as const, group: '', version: 'v1', resource: 'pods', subresource: 'binding', namespace, name, body };
  const answer = handle(s.server, request).body;
  if (isStatus(answer) && answer.status !== 'Success') {
    fail(s, pod, answer.message ?? '', new Set());
    return;
  }
  recordSeriesEvent(s.recorder, pod, 'Normal', 'Scheduled', 'Binding', `Successfully assigned ${keyOf(pod)} to ${node}`);
}

function fail(s: Scheduler, pod: KubeObject, message: string, plugins: Set<string>): void {
  const key = keyOf(pod);
  const sim = s.server.sim;
  const waiting = s.waiting.get(key);
  const attempts = (waiting?.attempts ?? 0) + 1;
  s.waiting.set(key, { plugins, attempts, atMs: sim.nowMs });
  // flushUnschedulablePodsLeftover: whatever happened, once more after five minutes.
  s.timers.set(
    key,
    schedule(sim, 300_000, () => activate(s, key, 0), true),
  );
  const old = (pod.status?.conditions ?? []).find((c: any) => c.type === 'PodScheduled');
  const known = old?.status === 'False' && old.message === message;
  // A restarted scheduler that finds what it had found before has nothing to say.
  if (waiting || !known) recordSeriesEvent(s.recorder, pod, 'Warning', 'FailedScheduling', 'Scheduling', message);
  if (known) return;
  const condition = {
    type: 'PodScheduled',
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : rfc3339(sim.nowMs),
    reason: 'Unschedulable',
    message,
  };
  const rest = (pod.status?.conditions ?? []).filter((c: any) => c.type !== 'PodScheduled');
  updateStatus(s.server, { ...pod, status: { ...pod.status, conditions: [...rest, condition] } }, 'system:kube-scheduler');
}
