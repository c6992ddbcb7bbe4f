// The life of one pod on its node: admission, volumes, sandbox, containers, end (pkg/kubelet/kubelet.go SyncPod, pod_workers.go v1.36).

import { deleteObject } from '../apiserver/client.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import { cancel, schedule } from '../sim/sim.ts';
import { type Co, join, killTask, startTask, type Task } from '../sim/task.ts';
import { abandonContainer, stopContainer } from './container-stop.ts';
import { kindOf, newContainer, runContainer, specOf, syncError } from './containers.ts';
import { pause } from './pause.ts';
import { podResolvConf } from './pod-files.ts';
import { stopProbes } from './probes.ts';
import { mayRest } from './rest.ts';
import { createSandbox, removeSandbox } from './sandbox.ts';
import { currentPod, isSidecar, reachable, syncStatus } from './status.ts';
import type { ContainerRuntime, Kubelet, PodRuntime } from './types.ts';
import { setUpVolume } from './volumes.ts';

export function newRuntime(k: Kubelet, pod: KubeObject): PodRuntime {
  return {
    key: `${pod.metadata.namespace}/${pod.metadata.name}`,
    uid: pod.metadata.uid as string,
    sandboxId: '',
    pause: null,
    sandbox: null,
    netns: null,
    ips: [],
    hostNetwork: !!pod.spec.hostNetwork,
    startTimeMs: k.server.sim.nowMs,
    sandboxReady: false,
    containers: new Map(),
    volumes: new Map(),
    startedWith: {},
    mountTries: {},
    dormant: false,
    terminating: false,
    removing: false,
    failed: null,
    done: false,
    task: null,
    timers: new Set(),
  };
}

const SAFE_SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

function admission(pod: KubeObject): { reason: string; message: string } | null {
  for (const s of pod.spec.securityContext?.sysctls ?? []) {
    const name = s.name.replace(/\//g, '.');
    if (pod.spec.hostNetwork && name.startsWith('net.')) {
      return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowed with host net enabled` };
    }
    if (!SAFE_SYSCTLS.has(name)) return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowlisted` };
  }
  return null;
}

/** Start a pod from nothing. */
export function startPod(k: Kubelet, rt: PodRuntime): void {
  rt.task = startTask(k.server.sim, podWorker(k, rt));
}

function* podWorker(k: Kubelet, rt: PodRuntime): Co<void> {
  const sim = k.server.sim;
  yield* pause(sim, 15, false);
  const slow = Number.parseInt(rt.uid.slice(0, 4), 16) % 300; // no two pods of a node are ready at one moment
  const pod = currentPod(k, rt);
  if (!pod || rt.terminating) return;
  const refused = admission(pod);
  if (refused) {
    rt.failed = refused;
    rt.done = true;
    recordEvent(k.recorder, pod, 'Warning', refused.reason, refused.message);
    return syncStatus(k, rt);
  }
  deadline(k, rt, pod);
  syncStatus(k, rt);
  if (!(yield* networkReady(k, rt, pod))) return;
  if (!(yield* mountVolumes(k, rt, slow))) return;
  if (!(yield* makeSandbox(k, rt))) return;
  podResolvConf(k, pod, true);
  yield* runContainers(k, rt);
}

/** activeDeadlineSeconds. */
export function deadline(k: Kubelet, rt: PodRuntime, pod: KubeObject): void {
  const seconds = pod.spec.activeDeadlineSeconds;
  if (seconds === undefined) return;
  const sim = k.server.sim;
  const timer = schedule(
    sim,
    Math.max(0, rt.startTimeMs + seconds * 1000 - sim.nowMs),
    () => {
      const now = currentPod(k, rt);
      if (!now || rt.terminating || rt.done) return;
      const message = 'Pod was active on the node longer than the specified deadline';
      recordEvent(k.recorder, now, 'Normal', 'DeadlineExceeded', message);
      rt.failed = { reason: 'DeadlineExceeded', message };
      stopPod(k, rt, now.spec.terminationGracePeriodSeconds ?? 30, false);
    },
    true,
  );
  rt.timers.add(timer);
}

function* networkReady(k: Kubelet, rt: PodRuntime, pod: KubeObject): Co<boolean> {
  for (let first = true; ; first = false) {
    const error = rt.hostNetwork ? null : (k.deps.cniError?.() ?? null);
    if (!error) return true;
    recordEvent(k.recorder, pod, 'Warning', 'NetworkNotReady', `network is not ready: ${error}`);
    syncError(k, rt, `network is not ready: ${error}`);
    yield* pause(k.server.sim, first ? 500 : 2000, !first);
    if (rt.terminating || !currentPod(k, rt)) return false;
  }
}

/** Set up all volumes; what is missing is tried again: 500 ms doubling to two minutes (pkg/util/goroutinemap/exponentialbackoff). */
function* mountVolumes(k: Kubelet, rt: PodRuntime, slowMs: number): Co<boolean> {
  const sim = k.server.sim;
  yield* pause(sim, 320 + slowMs, false);
  for (;;) {
    const pod = currentPod(k, rt);
    if (!pod || rt.terminating) return false;
    let next = Number.POSITIVE_INFINITY;
    for (const v of pod.spec.volumes ?? []) {
      if (rt.volumes.has(v.name)) continue;
      let tried = rt.mountTries[v.name];
      if (!tried || tried.nextMs <= sim.nowMs) {
        const made = setUpVolume(k, pod, rt, v);
        if (!('error' in made)) {
          rt.volumes.set(v.name, made);
          delete rt.mountTries[v.name];
          continue;
        }
        const delayMs = Math.min(122_000, (tried?.delayMs ?? 250) * 2);
        rt.mountTries[v.name] = tried = { delayMs, nextMs: sim.nowMs + delayMs };
        recordEvent(k.recorder, pod, 'Warning', 'FailedMount', `MountVolume.SetUp failed for volume "${v.name}" : ${made.error}`);
      }
      next = Math.min(next, tried.nextMs);
    }
    if (next === Number.POSITIVE_INFINITY) return true;
    const wait = next - sim.nowMs;
    yield* pause(sim, wait, wait > 2000);
  }
}

/** What gRPC says of containerd's socket when nobody listens there. */
export const RUNTIME_DOWN =
  'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"';

function* makeSandbox(k: Kubelet, rt: PodRuntime): Co<boolean> {
  const sim = k.server.sim;
  for (let first = true; ; first = false) {
    yield* pause(sim, 280, false);
    const pod = currentPod(k, rt);
    if (!pod || rt.terminating) return false;
    const error = k.deps.runtimeDownSinceMs?.() == null ? createSandbox(k, rt, pod) : RUNTIME_DOWN;
    if (!error) {
      rt.dormant = mayRest(k, pod);
      return true;
    }
    recordEvent(k.recorder, pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${error}`);
    const name = goQuote(`${pod.metadata.name}_${pod.metadata.namespace}(${rt.uid})`);
    const why = goQuote(`Failed to create sandbox for pod ${name}: ${error}`);
    syncError(k, rt, `failed to "CreatePodSandbox" for ${name} with CreatePodSandboxError: ${why}`);
    syncStatus(k, rt);
    yield* pause(sim, 12_000, true);
    if (rt.terminating) return false;
    const now = currentPod(k, rt);
    if (now && first) recordEvent(k.recorder, now, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
  }
}

function containerOf(rt: PodRuntime, pod: KubeObject, spec: any): ContainerRuntime {
  let c = rt.containers.get(spec.name);
  if (!c) rt.containers.set(spec.name, (c = newContainer(spec, kindOf(pod, spec.name))));
  return c;
}

/** Start (or, for a reloaded pod, go on with) a container's own task. */
export function startContainerTask(
  k: Kubelet,
  rt: PodRuntime,
  pod: KubeObject,
  spec: any,
  co?: (c: ContainerRuntime) => Co<number>,
): Task<void> {
  const c = containerOf(rt, pod, spec);
  const life = function* (): Co<void> {
    yield* co ? co(c) : runContainer(k, rt, c);
    finishIfOver(k, rt);
  };
  return startTask(k.server.sim, life(), false, t => {
    c.task = t;
  });
}

export function* runContainers(k: Kubelet, rt: PodRuntime): Co<void> {
  const sim = k.server.sim;
  const pod = currentPod(k, rt);
  if (!pod || rt.terminating) return;
  for (const spec of pod.spec.initContainers ?? []) {
    const c = containerOf(rt, pod, spec);
    if (!isSidecar(spec) && c.state?.terminated?.exitCode === 0) continue;
    const task = c.task && !c.task.done ? c.task : startContainerTask(k, rt, pod, spec);
    if (isSidecar(spec)) {
      while (!c.started && !rt.terminating) yield* pause(sim, 200, false, c.ended);
      continue;
    }
    yield* join(task);
    if (rt.terminating || rt.done) return;
    if (c.state?.terminated?.exitCode !== 0) return finishIfOver(k, rt);
    yield* pause(sim, 300, false);
  }
  const now = currentPod(k, rt);
  if (!now || rt.terminating) return;
  // The kubelet starts containers one after another, and does not wait for one that cannot be started.
  for (const spec of now.spec.containers ?? []) {
    const c = containerOf(rt, now, spec);
    if (!c.task || c.task.done) startContainerTask(k, rt, now, spec);
    for (let i = 0; i < 20 && !c.state && !rt.terminating; i++) yield* pause(sim, 50, false);
  }
  startEphemeral(k, rt, now);
}

export function startEphemeral(k: Kubelet, rt: PodRuntime, pod: KubeObject): void {
  if (!rt.sandboxReady || rt.terminating || rt.done) return;
  for (const spec of pod.spec.ephemeralContainers ?? []) if (!rt.containers.has(spec.name)) startContainerTask(k, rt, pod, spec);
}

/** A pod whose containers have all ended for good: its sidecars and sandbox go too. */
function finishIfOver(k: Kubelet, rt: PodRuntime): void {
  const pod = currentPod(k, rt);
  if (!pod || rt.terminating || rt.done) return;
  const over = (spec: any) => {
    const c = rt.containers.get(spec.name);
    return !!c?.state?.terminated && (!c.task || c.task.done || c.process?.exitCode !== null);
  };
  const main = (pod.spec.containers ?? []).every(over);
  const initFailed = (pod.spec.initContainers ?? []).some(
    (s: any) => !isSidecar(s) && over(s) && rt.containers.get(s.name)?.state.terminated.exitCode !== 0,
  );
  const policy = pod.spec.restartPolicy ?? 'Always';
  const code = (s: any) => rt.containers.get(s.name)?.state?.terminated?.exitCode;
  const finalMain =
    main && (policy === 'Never' || (policy === 'OnFailure' && (pod.spec.containers ?? []).every((s: any) => code(s) === 0)));
  if (!finalMain && !(initFailed && policy === 'Never')) return;
  const sidecars = (pod.spec.initContainers ?? []).filter(
    (s: any) => isSidecar(s) && rt.containers.get(s.name)?.process?.exitCode === null,
  );
  if (sidecars.length || [...rt.containers.values()].some(c => c.kind === 'ephemeral' && c.process?.exitCode === null)) {
    stopPod(k, rt, pod.spec.terminationGracePeriodSeconds ?? 30, false);
    return;
  }
  end(k, rt);
}

/** All is over: no sandbox any more, the status is the last one. */
function end(k: Kubelet, rt: PodRuntime): void {
  rt.done = true;
  for (const c of rt.containers.values()) stopProbes(k, c);
  for (const t of rt.timers) cancel(k.server.sim, t);
  removeSandbox(k, rt);
  syncStatus(k, rt);
}

/** Stop a pod's containers; `remove`: its object is being deleted. */
export function stopPod(k: Kubelet, rt: PodRuntime, graceSeconds: number, remove: boolean): void {
  rt.removing ||= remove;
  if (rt.terminating) return;
  rt.terminating = true;
  startTask(k.server.sim, terminate(k, rt, graceSeconds));
}

function* terminate(k: Kubelet, rt: PodRuntime, grace: number): Co<void> {
  const sim = k.server.sim;
  yield* pause(sim, 10, false);
  if (rt.task && !rt.task.done) killTask(rt.task, undefined);
  const stopAll = (list: ContainerRuntime[]) =>
    list.map(c => startTask(sim, stopContainer(k, rt, c, grace, `Stopping container ${c.name}`)));
  const all = [...rt.containers.values()];
  for (const c of all) if (!c.process || c.process.exitCode !== null) abandonContainer(c);
  // Sidecars outlive the others and end in reverse order.
  for (const t of stopAll(all.filter(c => c.kind !== 'sidecar'))) yield* join(t);
  for (const c of all.filter(x => x.kind === 'sidecar').reverse()) for (const t of stopAll([c])) yield* join(t);
  for (const c of all) abandonContainer(c);
  neverStarted(k, rt);
  end(k, rt);
  if (!rt.removing) return;
  yield* pause(sim, 150, false);
  removeObject(k, rt);
}

/** Containers that were waiting when their pod ended: the status of a pod that is gone has no waiting ones. */
function neverStarted(k: Kubelet, rt: PodRuntime): void {
  const pod = currentPod(k, rt);
  if (!pod) return;
  for (const c of rt.containers.values()) {
    if (c.state?.terminated || c.state?.running || !c.lastState?.terminated) continue;
    c.state = { terminated: c.lastState.terminated };
    c.lastState = {};
  }
}

/** The real end of the object: the kubelet's own delete, without grace. */
export function removeObject(k: Kubelet, rt: PodRuntime): void {
  if (!reachable(k)) {
    k.unwritten.add(rt.uid);
    return;
  }
  const pod = currentPod(k, rt);
  if (pod)
    deleteObject(k.server, 'pods', pod.metadata.namespace, pod.metadata.name, { gracePeriodSeconds: 0, preconditions: { uid: rt.uid } });
}

/** The spec's image has changed: the container is restarted with the new one. */
export function applyChanges(k: Kubelet, rt: PodRuntime, before: KubeObject, pod: KubeObject): void {
  for (const spec of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []).filter(isSidecar)]) {
    const c = rt.containers.get(spec.name);
    if (!c || specOf(before, spec.name)?.image === spec.image) continue;
    if (c.process?.exitCode === null) {
      const message = `Container ${spec.name} definition changed, will be restarted`;
      startTask(k.server.sim, stopContainer(k, rt, c, pod.spec.terminationGracePeriodSeconds ?? 30, message));
    } else if (c.state?.waiting && c.task && !c.task.done) {
      // It waits for an image that nobody wants any more.
      abandonContainer(c);
      c.backoffMs = 0;
      c.failedStart = null;
      startContainerTask(k, rt, pod, spec);
    }
  }
  startEphemeral(k, rt, pod);
  syncStatus(k, rt);
}
