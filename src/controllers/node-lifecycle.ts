// Nodes whose kubelet is silent, taints by condition, eviction by taint (pkg/controller/nodelifecycle, tainteviction, podgc v1.36).
import { deleteObject, patchObject, updateObject, updateStatus } from '../apiserver/client.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { type Taint, tolerates } from '../apiserver/scheduling.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { cancel, type SimEvent, schedule } from '../sim/sim.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Condition, type Controllers, conditionOf, recorderOf } from './context.ts';
import { isReady, timeOf } from './pods.ts';
import { enqueue, indexed, keyOf, newQueue, splitKey, watchAll } from './queue.ts';

const COMPONENT = 'node-controller';
/** --node-monitor-period, --node-monitor-grace-period */
const PERIOD_MS = 5_000;
const GRACE_MS = 50_000;
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const NOT_READY = 'node.kubernetes.io/not-ready';
const TYPES = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
/** Taints that this controller sets for scheduling, by condition and its status. */
const BY_CONDITION: [string, string, string][] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];

export function startNodeLifecycle(c: Controllers): void {
  const queue = newQueue(c.sim, 5, name => syncTaints(c, name));
  c.queues.push(queue);
  const known = new Set<string>();
  // Nodes that are there at the start were told of by an earlier run.
  let started = false;
  c.stops.push(
    watchAll(c.server, 'nodes', c.initial, e => {
      const name = e.object.metadata.name;
      if (e.type === 'DELETED') {
        known.delete(name);
        nodeEvent(c, e.object, 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`);
        return;
      }
      if (started && e.type === 'ADDED' && !known.has(name)) {
        nodeEvent(c, e.object, 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
      }
      known.add(name);
      enqueue(queue, name);
    }),
  );
  started = true;
  // Not before the kubelets of a reloaded session have had the time to say that they are alive.
  const first = schedule(c.sim, 30, () => monitor(c));
  c.stops.push(() => cancel(c.sim, first));
  const missing = new Map<string, number>();
  let tick: SimEvent;
  const loop = () => {
    monitor(c);
    collectPods(c, missing);
    tick = schedule(c.sim, PERIOD_MS, loop, true);
  };
  tick = schedule(c.sim, PERIOD_MS, loop, true);
  c.stops.push(() => cancel(c.sim, tick));
}

function nodeEvent(c: Controllers, node: KubeObject, reason: string, message: string): void {
  const ref = { kind: 'Node', apiVersion: 'v1', name: node.metadata.name, uid: node.metadata.uid };
  recordEvent(recorderOf(c, COMPONENT), ref, 'Normal', reason, message);
}

/** podgc: pods of nodes that have been missing for the quarantine's 40 s. */
function collectPods(c: Controllers, missing: Map<string, number>): void {
  indexed(c.podsByNode, '');
  for (const [name, pods] of c.podsByNode.byValue ?? []) {
    if (!pods.size || getObject(c.server, 'nodes', '', name)) {
      missing.delete(name);
      continue;
    }
    const since = missing.get(name) ?? c.sim.nowMs;
    missing.set(name, since);
    if (c.sim.nowMs - since >= 40_000) for (const p of [...pods.values()]) orphaned(c, p);
  }
}

function orphaned(c: Controllers, pod: KubeObject): void {
  if (pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') {
    const condition = disruption(c, pod, 'DeletionByPodGC', 'PodGC: node no longer exists');
    updateStatus(c.server, { ...pod, status: { ...pod.status, phase: 'Failed', conditions: condition } });
  }
  deleteObject(c.server, 'pods', pod.metadata.namespace, pod.metadata.name, { gracePeriodSeconds: 0 });
}

function disruption(c: Controllers, pod: KubeObject, reason: string, message: string): Condition[] {
  const rest = (pod.status?.conditions ?? []).filter((x: Condition) => x.type !== 'DisruptionTarget');
  const observedGeneration = pod.metadata.generation;
  return [
    ...rest,
    {
      type: 'DisruptionTarget',
      ...(observedGeneration ? { observedGeneration } : {}),
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: rfc3339(c.sim.nowMs),
      reason,
      message,
    },
  ];
}

/** monitorNodeHealth: no heartbeat, neither lease nor status, for the grace period. */
function monitor(c: Controllers): void {
  for (const node of listObjects(c.server, 'nodes')) {
    const lease = getObject(c.server, 'leases.coordination.k8s.io', 'kube-node-lease', node.metadata.name);
    const ready = conditionOf(node.status?.conditions, 'Ready');
    const seen = Math.max(timeOf(lease?.spec?.renewTime), timeOf(ready?.lastHeartbeatTime), timeOf(node.metadata.creationTimestamp));
    if (c.sim.nowMs - seen <= GRACE_MS || ready?.status === 'Unknown') continue;
    const now = rfc3339(c.sim.nowMs);
    const old: Condition[] = node.status?.conditions ?? [];
    const conditions = old.map(x =>
      TYPES.includes(x.type)
        ? { ...x, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: now }
        : x,
    );
    for (const type of TYPES) {
      if (old.some(x => x.type === type)) continue;
      const created = node.metadata.creationTimestamp;
      const rest = { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.', lastTransitionTime: now };
      conditions.push({ type, status: 'Unknown', lastHeartbeatTime: created, ...rest });
    }
    updateStatus(c.server, { ...node, status: { ...node.status, conditions } });
    nodeEvent(c, node, 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`);
    markPodsNotReady(c, node.metadata.name);
  }
}

function markPodsNotReady(c: Controllers, nodeName: string): void {
  const now = rfc3339(c.sim.nowMs);
  for (const p of indexed(c.podsByNode, nodeName)) {
    if (!isReady(p)) continue;
    const conditions = p.status.conditions.map((x: Condition) =>
      x.type === 'Ready' ? { ...x, status: 'False', lastTransitionTime: now } : x,
    );
    updateStatus(c.server, { ...p, status: { ...p.status, conditions } });
    recordEvent(recorderOf(c, COMPONENT), p, 'Warning', 'NodeNotReady', 'Node is not ready');
  }
}

/** Taints follow the conditions and `kubectl cordon`; the NoExecute ones evict. */
function syncTaints(c: Controllers, name: string): void {
  const node = getObject(c.server, 'nodes', '', name);
  if (!node) return;
  const wanted: Taint[] = [];
  for (const [type, status, key] of BY_CONDITION) {
    if (conditionOf(node.status?.conditions, type)?.status === status) wanted.push({ key, effect: 'NoSchedule' });
  }
  const ready = conditionOf(node.status?.conditions, 'Ready')?.status;
  if (ready === 'False') wanted.push({ key: NOT_READY, effect: 'NoExecute' });
  if (ready === 'Unknown') wanted.push({ key: UNREACHABLE, effect: 'NoExecute' });
  if (node.spec?.unschedulable) wanted.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
  const ours = new Set([...BY_CONDITION.map(x => x[2]), 'node.kubernetes.io/unschedulable']);
  const is = (a: Taint) => (b: Taint) => a.key === b.key && a.effect === b.effect;
  const old: Taint[] = node.spec?.taints ?? [];
  const kept = old.filter(t => !ours.has(t.key) || wanted.some(is(t)));
  const added = wanted.filter(t => !old.some(is(t))).map(t => ({ ...t, timeAdded: rfc3339(c.sim.nowMs) }));
  if (!added.length && kept.length === old.length) return;
  const taints = [...kept, ...added];
  updateObject(c.server, { ...node, spec: { ...node.spec, taints: taints.length ? taints : undefined } });
}

/** tainteviction: pods leave a node with a NoExecute taint at once or when their toleration runs out. */
export function startTaintEviction(c: Controllers): void {
  const timers = new Map<string, SimEvent>();
  const queue = newQueue(c.sim, 6, key => syncPod(c, timers, key));
  c.queues.push(queue);
  const noExecute = (node: KubeObject | undefined) =>
    JSON.stringify((node?.spec?.taints ?? []).filter((t: Taint) => t.effect === 'NoExecute'));
  c.stops.push(
    watchAll(c.server, 'nodes', c.initial, e => {
      if (e.type === 'DELETED' || noExecute(e.old) === noExecute(e.object)) return;
      for (const p of indexed(c.podsByNode, e.object.metadata.name)) enqueue(queue, keyOf(p));
    }),
    watchAll(c.server, 'pods', false, e => {
      const moved = e.object.spec?.nodeName && e.object.spec.nodeName !== e.old?.spec?.nodeName;
      const key = keyOf(e.object);
      if (e.type === 'DELETED') {
        cancel(c.sim, timers.get(key));
        timers.delete(key);
      } else if (moved && getObject(c.server, 'nodes', '', e.object.spec.nodeName)?.spec?.taints?.length) enqueue(queue, key);
    }),
    () => {
      for (const t of timers.values()) cancel(c.sim, t);
    },
  );
}

const EVICTION = 'taint-eviction-controller';

function syncPod(c: Controllers, timers: Map<string, SimEvent>, key: string): void {
  const [namespace, name] = splitKey(key);
  const pod = getObject(c.server, 'pods', namespace, name);
  const node = pod && getObject(c.server, 'nodes', '', pod.spec.nodeName ?? '');
  if (!pod || !node || pod.metadata.deletionTimestamp) return;
  const taints: Taint[] = (node.spec?.taints ?? []).filter((t: Taint) => t.effect === 'NoExecute');
  const stop = () => {
    const timer = timers.get(key);
    if (!timer?.run) return;
    cancel(c.sim, timer);
    timers.delete(key);
    recordEvent(recorderOf(c, EVICTION), pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
  };
  if (!taints.length) {
    stop();
    return;
  }
  const used = taints.map(t => (pod.spec.tolerations ?? []).filter((x: any) => tolerates(x, t)));
  if (used.some(u => !u.length)) {
    cancel(c.sim, timers.get(key));
    timers.delete(key);
    evict(c, key);
    return;
  }
  // getMinTolerationTime: the shortest of the tolerations in use; without a limit the pod stays.
  const limits = used.flat().filter((t: any) => t.tolerationSeconds !== undefined && t.tolerationSeconds !== null);
  if (!limits.length) {
    stop();
    return;
  }
  if (timers.get(key)?.run) return;
  const seconds = Math.max(0, Math.min(...limits.map((t: any) => t.tolerationSeconds)));
  const since = Math.max(...taints.map(t => timeOf(t.timeAdded)));
  const left = (since ? since + seconds * 1000 : c.sim.nowMs + seconds * 1000) - c.sim.nowMs;
  // A short one is waited for: the cluster is not at rest while pods are about to leave.
  timers.set(
    key,
    schedule(c.sim, left, () => evict(c, key), left > 30_000),
  );
}

function evict(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const pod = getObject(c.server, 'pods', namespace, name);
  if (!pod || pod.metadata.deletionTimestamp) return;
  recordEvent(recorderOf(c, EVICTION), pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
  const conditions = disruption(c, pod, 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint');
  patchObject(c.server, 'pods', namespace, name, 'merge', { status: { conditions } }, 'status');
  deleteObject(c.server, 'pods', namespace, name);
}
