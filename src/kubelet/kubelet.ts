// The kubelet of one node: watches its pods and runs them (pkg/kubelet/kubelet.go v1.36).
import { newRecorder } from '../apiserver/recorder.ts';
import { getObject, listObjects, watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject, WatchEvent } from '../apiserver/types.ts';
import { kill } from '../linux/process.ts';
import { cancel, schedule } from '../sim/sim.ts';
import { adoptPod, restoreRuntime, resumePod, snapshotKubelet, wake, wakePod } from './adopt.ts';
import { abandonContainer } from './container-stop.ts';
import { registerNode, startHeartbeat } from './node.ts';
import { applyChanges, newRuntime, removeObject, startPod, stopPod } from './pod-worker.ts';
import { stopProbes } from './probes.ts';
import { removeSandbox } from './sandbox.ts';
import { syncStaticPods } from './static-pods.ts';
import { reachable, syncStatus } from './status.ts';
import type { Kubelet, KubeletDeps, PodRuntime } from './types.ts';
import { isProjection, SYNC_MS, setUpVolume } from './volumes.ts';

export type { LogEntry } from './types.ts';
export { adoptPod, snapshotKubelet, wakePod };

/** Register the node, start its heartbeats, and run (or go on with) the pods that are bound to it. */
export function startKubelet(server: ApiServer, nodeName: string, deps: KubeletDeps): Kubelet {
  const k: Kubelet = {
    server,
    nodeName,
    deps,
    recorder: newRecorder(server, 'kubelet', nodeName),
    running: deps.saved?.running ?? true,
    pods: new Map(),
    unwired: new Set(),
    unwritten: new Set(),
    heartbeat: null,
    saved: deps.saved ?? null,
    disks: new Map(),
  };
  watchBucket(server, 'pods', e => podChanged(k, e));
  watchBucket(server, 'configmaps', e => sourceChanged(k, 'configmap', e));
  watchBucket(server, 'secrets', e => sourceChanged(k, 'secret', e));
  // An earlier process of the same kubelet has done so.
  if (k.running && !k.saved) registerNode(k);
  startHeartbeat(
    k,
    () => resync(k),
    () => syncStaticPods(k),
  );
  if (k.running) {
    for (const p of listObjects(server, 'pods')) if (p.spec?.nodeName === nodeName && !k.pods.has(p.metadata.uid as string)) first(k, p);
    // Behind those that are there: one whose manifest has changed meanwhile is stopped.
    syncStaticPods(k);
  }
  return k;
}

/** A pod that is there at the start. */
function first(k: Kubelet, pod: KubeObject): void {
  if (!pod.metadata.deletionTimestamp) {
    resumePod(k, pod);
    return;
  }
  const rt = pod.status?.startTime ? restoreRuntime(k, pod) : newRuntime(k, pod);
  k.pods.set(rt.uid, rt);
  // Not before the node that this kubelet belongs to is whole.
  schedule(k.server.sim, 2, () => deleted(k, rt, pod));
}

/** `systemctl stop kubelet`: nothing is watched, probed or reported; the containers go on. */
export function stopKubelet(k: Kubelet): void {
  k.running = false;
  cancel(k.server.sim, k.heartbeat);
}

/** `systemctl start kubelet`. */
export function resumeKubelet(k: Kubelet): void {
  if (k.running) return;
  k.running = true;
  startHeartbeat(
    k,
    () => resync(k),
    () => syncStaticPods(k),
  );
  resync(k);
}

function podChanged(k: Kubelet, e: WatchEvent): void {
  const pod = e.object;
  if (pod.spec?.nodeName !== k.nodeName || !reachable(k)) return;
  if (e.type === 'DELETED') {
    const rt = k.pods.get(pod.metadata.uid as string);
    if (rt) forget(k, rt);
    if (pod.metadata.annotations?.['kubernetes.io/config.source'] === 'file') schedule(k.server.sim, 1000, () => syncStaticPods(k));
    return;
  }
  handlePod(k, pod, e.old);
}

function handlePod(k: Kubelet, pod: KubeObject, old: KubeObject | undefined): void {
  let rt = k.pods.get(pod.metadata.uid as string);
  if (!rt) {
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') {
      if (!pod.metadata.deletionTimestamp) return;
      rt = restoreRuntime(k, pod);
    } else {
      rt = pod.metadata.deletionTimestamp && pod.status?.startTime ? restoreRuntime(k, pod) : newRuntime(k, pod);
      k.pods.set(rt.uid, rt);
      if (!pod.metadata.deletionTimestamp) {
        startPod(k, rt);
        return;
      }
    }
  }
  if (pod.metadata.deletionTimestamp) {
    deleted(k, rt, pod, old);
    return;
  }
  // What changes most is the status, and it leaves the spec the very same.
  if (old && !rt.done && old.spec !== pod.spec && programsOf(old) !== programsOf(pod)) {
    wake(k, rt);
    applyChanges(k, rt, old, pod);
  }
  const conditions = (o: KubeObject | undefined) => JSON.stringify(o?.status?.conditions);
  if (old && pod.spec.readinessGates?.length && conditions(old) !== conditions(pod)) syncStatus(k, rt);
}

/** What a change of a pod's spec may do to it while it runs: other images, further ephemeral containers. */
const programsOf = ({ spec }: KubeObject): string =>
  [spec.containers, spec.initContainers, spec.ephemeralContainers].map(l => (l ?? []).map((c: any) => c.image).join()).join(';');

function deleted(k: Kubelet, rt: PodRuntime, pod: KubeObject, old?: KubeObject): void {
  const sim = k.server.sim;
  const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  if (rt.done) {
    rt.removing = true;
    schedule(sim, 60, () => removeObject(k, rt));
    return;
  }
  if (rt.terminating) {
    rt.removing = true;
    const before = old?.metadata.deletionGracePeriodSeconds;
    if (before !== undefined && grace < before) {
      schedule(sim, grace * 1000, () => {
        for (const c of rt.containers.values()) if (c.process?.exitCode === null) kill(c.process, 'KILL');
      });
    }
    return;
  }
  // Its programs have to be there to be told to end; one that has none ends at once.
  if (rt.dormant) wake(k, rt);
  stopPod(k, rt, grace, true);
}

/** The object is gone (a forced deletion, or our own): whatever is left of it ends now. */
function forget(k: Kubelet, rt: PodRuntime): void {
  k.pods.delete(rt.uid);
  if (k.saved) delete k.saved.pods[rt.uid];
  k.unwritten.delete(rt.uid);
  rt.terminating = true;
  rt.done = true;
  for (const t of rt.timers) cancel(k.server.sim, t);
  for (const c of rt.containers.values()) {
    stopProbes(k, c);
    abandonContainer(c);
    if (c.process?.exitCode === null) kill(c.process, 'KILL');
  }
  if (rt.task && !rt.task.done) rt.task.abandon?.();
  removeSandbox(k, rt);
}

/** After the apiserver was out of reach: statuses that could not be written, pods that came, changed and went. */
function resync(k: Kubelet): void {
  if (!reachable(k)) return;
  syncStaticPods(k);
  const there = new Set<string>();
  for (const p of listObjects(k.server, 'pods')) {
    if (p.spec?.nodeName !== k.nodeName) continue;
    there.add(p.metadata.uid as string);
    const rt = k.pods.get(p.metadata.uid as string);
    if (!rt) first(k, p);
    else if (p.metadata.deletionTimestamp && !rt.removing) deleted(k, rt, p);
    else if (rt.done && rt.removing) removeObject(k, rt);
    else if (!rt.dormant || k.unwritten.has(rt.uid) || p.status?.phase === 'Running') syncStatus(k, rt);
  }
  for (const rt of [...k.pods.values()]) if (!there.has(rt.uid)) forget(k, rt);
}

/** ConfigMaps and Secrets reach mounted volumes with the pod's next sync: within a minute. */
function sourceChanged(k: Kubelet, kind: 'configmap' | 'secret', e: WatchEvent): void {
  if (e.type === 'DELETED' || !e.old) return;
  const { namespace, name } = e.object.metadata;
  const uses = (v: any): boolean => {
    const s = kind === 'configmap' ? v.configMap?.name : v.secret?.secretName;
    return s === name || (v.projected?.sources ?? []).some((x: any) => x[kind === 'configmap' ? 'configMap' : 'secret']?.name === name);
  };
  for (const rt of k.pods.values()) {
    if (rt.dormant || rt.done || !rt.key.startsWith(`${namespace}/`)) continue;
    const pod = getObject(k.server, 'pods', namespace, rt.key.slice(rt.key.indexOf('/') + 1));
    if (!pod?.spec.volumes?.some((v: any) => isProjection(v) && uses(v))) continue;
    const timer = schedule(
      k.server.sim,
      SYNC_MS,
      () => {
        rt.timers.delete(timer);
        for (const v of pod.spec.volumes) if (isProjection(v) && rt.volumes.has(v.name)) setUpVolume(k, pod, rt, v);
      },
      true,
    );
    rt.timers.add(timer);
  }
}
