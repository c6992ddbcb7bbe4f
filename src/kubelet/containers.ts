// One container: its image, its start, its restarts (pkg/kubelet/kuberuntime v1.36).

import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { waitFor } from '../linux/process.ts';
import { base64, hex } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import { bytes } from '../sim/random.ts';
import type { Co } from '../sim/task.ts';
import { rfc3339 } from '../sim/time.ts';
import { wake } from './adopt.ts';
import { configure } from './container-config.ts';
import { launch } from './container-process.ts';
import { ensureImage } from './images.ts';
import { postStart } from './lifecycle.ts';
import { pause } from './pause.ts';
import { startProbes } from './probes.ts';
import { rest } from './rest.ts';
import { currentPod, formatPod, isSidecar, syncStatus } from './status.ts';
import type { ContainerRuntime, Kubelet, PodRuntime } from './types.ts';
import { isProjection, payloadOf } from './volumes.ts';

export const hexId = (k: Kubelet): string => hex(bytes(k.server.random, 32));

const FIRST_BACKOFF_MS = 10_000;
/** pkg/kubelet/kubelet.go genericPlegRelistPeriod. */
const RELIST_MS = 1000;

export const MAX_BACKOFF_MS = 300_000;
/** Pods are synced at least so often; a back-off that lasts longer is looked at again then. */
const RESYNC_MS = 60_000;
const EPOCH = '1970-01-01T00:00:00Z';

export function newContainer(spec: any, kind: ContainerRuntime['kind']): ContainerRuntime {
  return {
    name: spec.name,
    id: '',
    kind,
    process: null,
    fs: null,
    env: new Map(),
    cwd: '/',
    uid: 0,
    caps: new Set(),
    log: [],
    previousLog: null,
    stdin: null,
    listeners: new Set(),
    ended: new Set(),
    state: null,
    lastState: {},
    restartCount: 0,
    ready: false,
    started: false,
    imageRef: '',
    bornRevision: 0,
    backoffMs: 0,
    probes: [],
    task: null,
    stopping: false,
    replay: null,
    restartsAtMs: null,
    failedStart: null,
    hookError: null,
    pulls: null,
  };
}

export const fieldPathOf = (c: ContainerRuntime): string => {
  const list = c.kind === 'ephemeral' ? 'ephemeralContainers' : c.kind === 'app' ? 'containers' : 'initContainers';
  return `spec.${list}{${c.name}}`;
};

export function specOf(pod: KubeObject, name: string): any {
  return [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])].find(
    (s: any) => s.name === name,
  );
}

const mayRestart = (pod: KubeObject, c: ContainerRuntime, exitCode: number): boolean => {
  if (c.kind === 'ephemeral') return false;
  const policy = c.kind === 'sidecar' ? 'Always' : (specOf(pod, c.name)?.restartPolicy ?? pod.spec.restartPolicy ?? 'Always');
  if (c.kind === 'init') return exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
};

/** Run a container until it need not be started again. `hasEnded`: begin behind its end. -> its last exit code */
export function* runContainer(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, hasEnded = false): Co<number> {
  for (let skip = hasEnded; ; skip = false) {
    const pod = currentPod(k, rt);
    if (!pod || rt.terminating || rt.done) return -1;
    if (!skip) {
      if ((yield* startContainer(k, rt, pod, c)) === 'retry') continue;
      if (!c.process && c.state?.running) return 0; // it rests; whoever wakes it goes on with it
      if (c.process) yield* waitFor(c.process);
    }
    const code = c.state?.terminated?.exitCode ?? 128;
    if (rt.terminating || rt.done) return code;
    const now = currentPod(k, rt);
    if (!now || !mayRestart(now, c, code)) return code;
    yield* backOff(k, rt, c);
  }
}

/** CrashLoopBackOff: none at the first restart, then 10 s doubling to five minutes; forgotten after ten minutes of health. */
function* backOff(k: Kubelet, rt: PodRuntime, c: ContainerRuntime): Co<void> {
  const sim = k.server.sim;
  const terminated = c.state.terminated;
  const wait = c.backoffMs;
  c.backoffMs = Math.min(MAX_BACKOFF_MS, wait ? wait * 2 : FIRST_BACKOFF_MS);
  if (c.hookError !== null) waiting(k, rt, c, 'PostStartHookError', c.hookError);
  else syncStatus(k, rt);
  c.hookError = null;
  yield* pause(sim, 1000, false); // until the runtime's events are looked at
  if (!wait || rt.terminating) return;
  const pod = currentPod(k, rt);
  if (!pod) return;
  c.lastState = { terminated };
  c.state = {
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off ${duration(wait)} restarting failed container=${c.name} pod=${formatPod(pod)}`,
    },
  };
  c.restartsAtMs = sim.nowMs + wait - 1000;
  // The next sync comes when the back-off is over (pod_workers.go completeWork).
  for (let left = wait - 1000; left > 0 && !rt.terminating; left -= RESYNC_MS) {
    const message = `Back-off restarting failed container ${c.name} in pod ${formatPod(pod)}`;
    recordEvent(k.recorder, pod, 'Warning', 'BackOff', message, fieldPathOf(c));
    syncError(k, rt, `failed to "StartContainer" for ${goQuote(c.name)} with CrashLoopBackOff: ${goQuote(c.state.waiting?.message ?? '')}`);
    syncStatus(k, rt);
    yield* pause(sim, Math.min(left, RESYNC_MS), true);
  }
  c.restartsAtMs = null;
}

const duration = (ms: number): string => {
  const s = Math.round(ms / 1000);
  return s < 60 ? `${s}s` : `${Math.floor(s / 60)}m${s % 60}s`;
};

function waiting(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, reason: string, message?: string): void {
  if (c.state?.terminated) c.lastState = { terminated: c.state.terminated };
  c.state = { waiting: { reason, ...(message ? { message } : {}) } };
  syncStatus(k, rt);
}

/** Image, configuration, process. 'retry': it could not be started and was waited for; try again. */
function* startContainer(k: Kubelet, rt: PodRuntime, pod: KubeObject, c: ContainerRuntime): Co<'retry' | 'started'> {
  const path = fieldPathOf(c);
  // Without its runtime the kubelet syncs no pod.
  while (k.deps.runtimeDownSinceMs?.() != null) {
    yield* pause(k.server.sim, 5000, true);
    if (rt.terminating) return 'retry';
  }
  if (c.failedStart && !(yield* nextSync(k, rt, c))) return 'retry';
  const spec = specOf(currentPod(k, rt) ?? pod, c.name);
  const pulled = yield* ensureImage(k, pod, spec, path, c);
  if ('reason' in pulled) return startFailed(k, rt, c, pulled.reason, pulled.message);
  if (rt.terminating) return 'retry';
  const config = configure(k, rt, pod, spec, c, pulled.image);
  if ('error' in config) {
    recordEvent(k.recorder, pod, 'Warning', 'Failed', `Error: ${config.error}`, path);
    return startFailed(k, rt, c, config.reason, config.error);
  }
  c.failedStart = null;
  yield* pause(k.server.sim, 60, false);
  if (rt.terminating) return 'retry';
  if (c.id) {
    c.restartCount++;
    c.previousLog = c.log;
    c.log = [];
    if (c.state?.terminated) c.lastState = { terminated: c.state.terminated };
  }
  c.id = hexId(k);
  c.bornRevision = k.server.store.revision;
  c.imageRef = pulled.ref;
  noteFiles(rt, pod);
  recordEvent(k.recorder, pod, 'Normal', 'Created', 'Container created', path);
  // They share the host's ports: who has them must be there.
  if (rt.hostNetwork) for (const other of k.pods.values()) if (other.hostNetwork) wake(k, other);
  yield* pause(k.server.sim, 70, false);
  if (rt.terminating) return 'retry';
  if (rt.dormant) rest(k, c);
  const error = rt.dormant ? null : launch(k, rt, pod, c, spec, config);
  if (error) {
    const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${error}`;
    recordEvent(k.recorder, pod, 'Warning', 'Failed', `Error: ${message}`, path);
    const finishedAt = rfc3339(k.server.sim.nowMs);
    c.process = null;
    c.state = {
      terminated: { exitCode: 128, reason: 'StartError', message, startedAt: EPOCH, finishedAt, containerID: `containerd://${c.id}` },
    };
    c.ready = false;
    c.started = false;
    syncStatus(k, rt);
    return 'started';
  }
  recordEvent(k.recorder, pod, 'Normal', 'Started', 'Container started', path);
  if (!(yield* postStart(k, rt, pod, c, spec))) return 'started';
  startProbes(k, rt, c, spec);
  // What has ended before the next relist was never running for anybody who waits for it (kubectl debug prints its log then).
  if (c.kind === 'ephemeral') yield* pause(k.server.sim, RELIST_MS, false);
  syncStatus(k, rt);
  return 'started';
}

/** What the volumes hold that follow API objects; tokens and the CA are the same for everybody. */
function noteFiles(rt: PodRuntime, pod: KubeObject): void {
  for (const v of pod.spec.volumes ?? []) {
    if (!isProjection(v) || v.name.startsWith('kube-api-access-')) continue;
    const files: Record<string, string> = {};
    for (const [path, file] of payloadOf(rt.volumes.get(v.name))) if (typeof file.data !== 'function') files[path] = base64(file.data);
    rt.startedWith[v.name] = files;
  }
}

/** No two pods are synced at one moment: up to half of the period more (wait.Jitter), the same in each run. */
function syncPeriod(rt: PodRuntime, attempt: number): number {
  const digits = rt.uid.replace(/-/g, '');
  const at = (attempt * 5) % 28;
  return 10_000 + (Number.parseInt(digits.slice(at, at + 4), 16) % 5000);
}

/** The pod's sync has failed at this container. The next one comes at once when its new sandbox is noticed, later ones in their period. */
function startFailed(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, reason: string, message: string): 'retry' {
  const attempts = (c.failedStart?.attempts ?? 0) + 1;
  syncError(k, rt, `failed to "StartContainer" for ${goQuote(c.name)} with ${reason}: ${goQuote(message)}`);
  const wait = attempts === 1 ? 600 : syncPeriod(rt, attempts);
  // Until its second pull a pod may still get what it waits for; after that nobody waits for it.
  const quiet = attempts > (/Image/.test(reason) ? 2 : 1);
  c.failedStart = { reason, message, attempts, atMs: k.server.sim.nowMs + wait, quiet };
  return 'retry';
}

/** pod_workers.go podWorkerLoop: what a sync has failed with, in the kubelet's log. */
export function syncError(k: Kubelet, rt: PodRuntime, error: string): void {
  const text = `"Error syncing pod, skipping" err=${goQuote(error)} pod="${rt.key}" podUID="${rt.uid}"`;
  k.deps.log?.({ level: 'E', source: 'pod_workers.go:1338', text });
}

/** A pod's status is made at the beginning of a sync: it tells how the one before ended. -> go on? */
function* nextSync(k: Kubelet, rt: PodRuntime, c: ContainerRuntime): Co<boolean> {
  const { atMs, reason, message, quiet } = c.failedStart as NonNullable<ContainerRuntime['failedStart']>;
  const sim = k.server.sim;
  if (atMs > sim.nowMs) yield* pause(sim, atMs - sim.nowMs, quiet);
  if (rt.terminating || !currentPod(k, rt)) return false;
  waiting(k, rt, c, reason, message);
  return true;
}

export const kindOf = (pod: KubeObject, name: string): ContainerRuntime['kind'] => {
  const init = (pod.spec.initContainers ?? []).find((s: any) => s.name === name);
  if (init) return isSidecar(init) ? 'sidecar' : 'init';
  return (pod.spec.ephemeralContainers ?? []).some((s: any) => s.name === name) ? 'ephemeral' : 'app';
};
