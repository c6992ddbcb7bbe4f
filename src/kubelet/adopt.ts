// A reloaded session: pods that run according to their status get their namespaces and processes back when something needs them.

import type { KubeObject } from '../apiserver/types.ts';
import { behindMs, setCatchUp, waitFor } from '../linux/process.ts';
import type { Process } from '../linux/types.ts';
import { type FsNode, newDir, nodeElsewhere } from '../linux/vfs.ts';
import { restoreChanges, type SavedNode, saveChanges } from '../linux/vfs-changes.ts';
import { base64, unbase64 } from '../sim/bytes.ts';
import { runAtOnce, schedule } from '../sim/sim.ts';
import { type Co, startTask } from '../sim/task.ts';
import { parseRfc3339 } from '../sim/time.ts';
import { configure } from './container-config.ts';
import { launch } from './container-process.ts';
import { kindOf, newContainer, runContainer, specOf } from './containers.ts';
import { podDueMs } from './due.ts';
import { pause } from './pause.ts';
import { deadline, newRuntime, runContainers, startContainerTask, startEphemeral, startPod } from './pod-worker.ts';
import { startProbes, untilNextProbe } from './probes.ts';
import { wirePods } from './sandbox.ts';
import { currentPod } from './status.ts';
import type { ContainerRuntime, Kubelet, KubeletState, PodRuntime, SavedContainer } from './types.ts';
import { changeSeenMs, payloadOf, setUpVolume } from './volumes.ts';

const MAX_SAVED_LINES = 5000;

/** What the status and the saved state tell of a pod. */
export function restoreRuntime(k: Kubelet, pod: KubeObject): PodRuntime {
  const rt = newRuntime(k, pod);
  const status = pod.status ?? {};
  rt.startTimeMs = parseRfc3339(status.startTime ?? '') ?? rt.startTimeMs;
  rt.ips = (status.podIPs ?? []).map((x: any) => x.ip);
  rt.sandboxReady = (status.conditions ?? []).some((c: any) => c.type === 'PodReadyToStartContainers' && c.status === 'True');
  rt.done = status.phase === 'Succeeded' || status.phase === 'Failed';
  if (status.phase === 'Failed' && status.reason) rt.failed = { reason: status.reason, message: status.message ?? '' };
  rt.dormant = true;
  const saved = k.saved?.pods[rt.uid];
  if (rt.sandboxReady && !rt.hostNetwork) {
    rt.sandboxId = saved?.sandboxId || rt.uid.replace(/-/g, '').padEnd(64, '0');
    k.unwired.add(rt);
  }
  rt.startedWith = saved?.startedWith ?? {};
  rt.mountTries = { ...saved?.mountTries };
  for (const list of ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses']) {
    for (const s of status[list] ?? []) {
      const spec = specOf(pod, s.name);
      const known = saved?.containers[s.name]?.failedStart || s.containerID || s.restartCount;
      if (!spec || (s.state?.waiting && !known)) continue;
      rt.containers.set(s.name, restoreContainer(newContainer(spec, kindOf(pod, s.name)), s, saved?.containers[s.name]));
    }
  }
  k.pods.set(rt.uid, rt);
  return rt;
}

function restoreContainer(c: ContainerRuntime, s: any, saved: SavedContainer | undefined): ContainerRuntime {
  c.id = (s.containerID ?? '').replace('containerd://', '');
  c.state = s.state ?? null;
  c.lastState = s.lastState ?? {};
  c.restartCount = s.restartCount ?? 0;
  c.ready = !!s.ready;
  c.started = !!s.started;
  c.imageRef = s.imageID ?? '';
  c.backoffMs = c.restartCount ? Math.min(300_000, 10_000 * 2 ** (c.restartCount - 1)) : 0;
  c.log = saved?.log ?? [];
  c.previousLog = saved?.previousLog ?? null;
  c.bornRevision = saved?.bornRevision ?? 0;
  c.failedStart = saved?.failedStart ?? null;
  c.pulls = saved?.pulls ?? null;
  return c;
}

export function runtimeOf(k: Kubelet, pod: KubeObject): PodRuntime | undefined {
  const known = k.pods.get(pod.metadata.uid as string);
  if (known || pod.spec?.nodeName !== k.nodeName || !pod.status?.startTime) return known;
  return restoreRuntime(k, pod);
}

/**
 * Bring back a pod that runs according to its status: its namespace and wiring now, its programs at the first packet (at once when it
 * is on the host's network). No events, no change of status. Cheap when it is there already.
 */
export function adoptPod(k: Kubelet, pod: KubeObject): void {
  const rt = runtimeOf(k, pod);
  if (!rt?.dormant || rt.done) return;
  if (rt.hostNetwork) wake(k, rt);
  else wirePods(k);
}

/** A pod that has something to do without being asked. */
export function wakePod(k: Kubelet, pod: KubeObject): void {
  const rt = runtimeOf(k, pod);
  if (rt && !rt.done) wake(k, rt);
}

/** The pod's network namespace is there. */
function wire(k: Kubelet, rt: PodRuntime): void {
  if (rt.hostNetwork) rt.netns ??= k.deps.kernel().netns.get('') ?? null;
  else if (!rt.netns) wirePods(k);
}

/** Its processes too: somebody looks, talks to it, or its probes are due. */
export function wake(k: Kubelet, rt: PodRuntime): void {
  if (!rt.dormant) return;
  rt.dormant = false;
  const pod = currentPod(k, rt);
  if (!pod || rt.done) return;
  wire(k, rt);
  for (const v of pod.spec.volumes ?? []) {
    if (v.hostPath) {
      rt.volumes.set(
        v.name,
        nodeElsewhere(() => {
          const found = setUpVolume(k, pod, rt, v);
          return 'error' in found ? newDir() : found;
        }),
      );
      continue;
    }
    const made = setUpVolume(k, pod, rt, v);
    if (!('error' in made)) rt.volumes.set(v.name, made);
  }
  for (const [name, files] of Object.entries(rt.startedWith)) {
    const volume = (pod.spec.volumes ?? []).find((v: any) => v.name === name);
    rewind(k, rt, rt.volumes.get(name), files, volume ? changeSeenMs(k, pod, volume) : Number.POSITIVE_INFINITY);
  }
  // What woke it finds programs that have come to where they were.
  runAtOnce(k.server.sim, () => {
    for (const c of rt.containers.values()) if (c.state?.running && !c.process) relaunch(k, rt, pod, c);
  });
  for (const c of rt.containers.values()) if (c.replay) c.replay.now = false;
}

/** Programs that run again from their start read what they had read then, until the clock of their own has come to when it changed. */
function rewind(k: Kubelet, rt: PodRuntime, volume: FsNode | undefined, files: Record<string, string>, changedMs: number): void {
  const { sim } = k.server;
  for (const [path, file] of payloadOf(volume)) {
    const now = file.data;
    const then = path in files ? unbase64(files[path]) : null;
    if (!then || typeof now === 'function' || base64(now) === files[path]) continue;
    file.data = p => (p && behindMs(p.fs) > 0 && sim.nowMs - behindMs(p.fs) < changedMs && isOwn(rt, p) ? then : now);
  }
}

/** A process of a container itself, not one that somebody runs in it. */
function isOwn(rt: PodRuntime, p: Process): boolean {
  let root = p;
  while (root.parent) root = root.parent;
  for (const c of rt.containers.values()) if (c.fs === p.fs) return c.process === null || c.process === root;
  return false;
}

/** Lines that come as long after the first are no part of a program's start. */
const START_MS = 100;

function replayOf(c: ContainerRuntime): NonNullable<ContainerRuntime['replay']> {
  const count = (stream: string) => {
    const lines = c.log.filter(l => l.stream === stream);
    return { start: lines.filter(l => l.atMs <= c.log[0].atMs + START_MS).length, all: lines.length };
  };
  return { stdout: count('stdout'), stderr: count('stderr'), now: true };
}

function relaunch(k: Kubelet, rt: PodRuntime, pod: KubeObject, c: ContainerRuntime): void {
  const spec = specOf(pod, c.name);
  const image = spec && k.deps.findImage(spec.image);
  if (!image) return;
  const config = configure(k, rt, pod, spec, c, image);
  if ('error' in config) return;
  const { state, ready, started } = c;
  c.replay = replayOf(c);
  const startedAtMs = parseRfc3339(state.running.startedAt) ?? k.server.sim.nowMs;
  const saved = k.saved?.pods[rt.uid]?.containers[c.name];
  const error = launch(
    k,
    rt,
    pod,
    c,
    spec,
    config,
    fs => {
      setCatchUp(fs, k.server.sim.nowMs - startedAtMs);
      schedule(k.server.sim, 1000, () => setCatchUp(fs, 0), true);
      restoreChanges(fs, saved?.files ?? {});
    },
    saved?.memory,
  );
  if (error || !c.process) return;
  if ((c.process as { exitCode: number | null }).exitCode !== null) {
    // It has ended meanwhile.
    const ended = (c.state as { terminated?: { startedAt: string } } | null)?.terminated;
    if (ended) ended.startedAt = state.running.startedAt;
    startContainerTask(k, rt, pod, spec, () => runContainer(k, rt, c, true));
    return;
  }
  c.state = state;
  c.ready = ready;
  c.started = started;
  startProbes(k, rt, c, spec, true);
  c.ready = ready;
  c.started = started;
  startContainerTask(k, rt, pod, spec, () => watchRunning(k, rt, c));
}

function* watchRunning(k: Kubelet, rt: PodRuntime, c: ContainerRuntime): Co<number> {
  if (c.process) yield* waitFor(c.process);
  return yield* runContainer(k, rt, c, true);
}

/** What an earlier run of the kubelet had under way: go on with it. */
export function resumePod(k: Kubelet, pod: KubeObject): void {
  if (!pod.status?.startTime) {
    const rt = newRuntime(k, pod);
    k.pods.set(rt.uid, rt);
    startPod(k, rt);
    return;
  }
  const rt = restoreRuntime(k, pod);
  if (rt.done) return;
  deadline(k, rt, pod);
  if (!rt.sandboxReady) {
    rt.dormant = false;
    startPod(k, rt);
    return;
  }
  const all: any[] = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  const resting = all.every(spec => rt.containers.get(spec.name)?.state?.running || atRest(pod, rt.containers.get(spec.name)));
  // Asked for, and not started yet.
  const debugging = (pod.spec.ephemeralContainers ?? []).some((spec: any) => !rt.containers.has(spec.name));
  if (resting && !debugging && all.every(spec => verdictIn(k, spec, rt.containers.get(spec.name)))) {
    watchProbes(k, rt, all);
    const due = k.saved?.pods[rt.uid]?.dueMs;
    const left = due === undefined ? 0 : due - k.server.sim.nowMs;
    if (due !== undefined) rt.timers.add(schedule(k.server.sim, Math.max(5, left), () => wake(k, rt), left > 0));
    return;
  }
  // A container waits (for its image, its back-off, its turn, its first probe): the whole pod is awake.
  const due = k.saved?.pods[rt.uid]?.dueMs;
  const overdue = due !== undefined && due <= k.server.sim.nowMs;
  const backingOff =
    !overdue && [...rt.containers.values()].some(c => c.failedStart?.quiet ?? c.state?.waiting?.reason?.endsWith('BackOff'));
  schedule(
    k.server.sim,
    5,
    () => {
      wake(k, rt);
      if (!resting) rt.task = startTask(k.server.sim, resume(k, rt, pod));
      else startEphemeral(k, rt, pod);
    },
    backingOff,
  );
}

/** Have the probes of a running container been tried as often as it takes? */
function verdictIn(k: Kubelet, spec: any, c: ContainerRuntime | undefined): boolean {
  if (!c?.state?.running || (c.ready && c.started)) return true;
  const probe = c.started ? spec.readinessProbe : spec.startupProbe;
  if (!probe) return true;
  const since = k.server.sim.nowMs - (parseRfc3339(c.state.running.startedAt) ?? 0);
  return since > ((probe.initialDelaySeconds ?? 0) + (probe.failureThreshold ?? 3) * (probe.periodSeconds ?? 10)) * 1000;
}

function atRest(pod: KubeObject, c: ContainerRuntime | undefined): boolean {
  const code = c?.state?.terminated?.exitCode;
  if (code === undefined) return false;
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (c?.kind === 'init') return code === 0;
  return policy === 'Never' || (policy === 'OnFailure' && code === 0);
}

/** The rest of a back-off passes in the background; what has ended is started again, what never was is started as ever. */
function* resume(k: Kubelet, rt: PodRuntime, pod: KubeObject): Co<void> {
  for (const c of rt.containers.values()) {
    const spec = specOf(pod, c.name);
    if (c.state?.waiting?.reason === 'CrashLoopBackOff') startContainerTask(k, rt, pod, spec, () => afterBackOff(k, rt, c));
    else if (c.state?.terminated && c.kind !== 'ephemeral' && !atRest(pod, c))
      startContainerTask(k, rt, pod, spec, () => runContainer(k, rt, c, true));
  }
  yield* runContainers(k, rt);
}

function* afterBackOff(k: Kubelet, rt: PodRuntime, c: ContainerRuntime): Co<number> {
  const sim = k.server.sim;
  const wait = c.backoffMs || 10_000;
  const left = (parseRfc3339(c.lastState?.terminated?.finishedAt ?? '') ?? sim.nowMs) + wait - sim.nowMs;
  c.backoffMs = Math.min(300_000, wait * 2);
  if (left > 0) yield* pause(sim, left, true);
  return yield* runContainer(k, rt, c);
}

/** A pod at rest with probes: they go on, which needs its programs, when the clock comes to the next one. */
function watchProbes(k: Kubelet, rt: PodRuntime, specs: any[]): void {
  const next = specs
    .flatMap(s => PROBES.map(kind => s[kind] && untilNextProbe(k, rt.containers.get(s.name), s[kind])))
    .filter(x => typeof x === 'number');
  if (next.length) rt.timers.add(schedule(k.server.sim, Math.min(...next), () => wake(k, rt), true));
}

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'];

/** Plain JSON of what the API objects do not tell. */
export function snapshotKubelet(k: Kubelet): KubeletState {
  const out: KubeletState = { running: k.running, pods: {} };
  for (const [uid, saved] of Object.entries(k.saved?.pods ?? {})) if (!k.pods.has(uid)) out.pods[uid] = saved;
  for (const rt of k.pods.values()) {
    const saved = k.saved?.pods[rt.uid];
    if (rt.dormant && saved) {
      out.pods[rt.uid] = saved;
      continue;
    }
    const containers: Record<string, SavedContainer> = {};
    for (const c of rt.containers.values()) {
      const files = changedFiles(c) ?? (c.process ? undefined : saved?.containers[c.name]?.files);
      const memory = c.process ? memoryOf(c.process) : saved?.containers[c.name]?.memory;
      containers[c.name] = {
        id: c.id,
        log: c.log.slice(-MAX_SAVED_LINES),
        previousLog: c.previousLog?.slice(-MAX_SAVED_LINES) ?? null,
        ...(c.bornRevision ? { bornRevision: c.bornRevision } : {}),
        ...(files ? { files } : {}),
        ...(memory === undefined ? {} : { memory }),
        ...(c.failedStart ? { failedStart: c.failedStart } : {}),
        ...(c.pulls ? { pulls: c.pulls } : {}),
      };
    }
    const startedWith = Object.keys(rt.startedWith).length ? { startedWith: rt.startedWith } : {};
    const mountTries = Object.keys(rt.mountTries).length ? { mountTries: rt.mountTries } : {};
    const due = podDueMs(k, rt);
    out.pods[rt.uid] = { sandboxId: rt.sandboxId, containers, ...startedWith, ...mountTries, ...(due === undefined ? {} : { dueMs: due }) };
  }
  return out;
}

const memoryOf = (p: Process): unknown => (p.exitCode === null ? p.memory?.save?.() : undefined);

function changedFiles(c: ContainerRuntime): Record<string, SavedNode> | undefined {
  return c.fs?.changed.size && c.process ? saveChanges(c.fs) : undefined;
}
