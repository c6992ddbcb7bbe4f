// A pod's status as v1.36 writes it (pkg/kubelet/kubelet_pods.go generateAPIPodStatus, status/generate.go).
import { updateStatus } from '../apiserver/client.ts';
import { sameJson } from '../apiserver/json.ts';
import { isStatus } from '../apiserver/status.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import type { ContainerRuntime, Kubelet, PodRuntime } from './types.ts';

export const formatPod = (pod: KubeObject): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;

export const isSidecar = (spec: any): boolean => spec.restartPolicy === 'Always';

const initialised = (spec: any, c: ContainerRuntime | undefined): boolean =>
  isSidecar(spec) ? !!c?.started : c?.state?.terminated?.exitCode === 0;

/** All regular init containers have ended well and all sidecars have started. */
const isInitialised = (pod: KubeObject, rt: PodRuntime): boolean =>
  (pod.spec.initContainers ?? []).every((s: any) => initialised(s, rt.containers.get(s.name)));

function podPhase(pod: KubeObject, rt: PodRuntime): string {
  if (rt.failed) return 'Failed';
  if (rt.done && pod.metadata.annotations?.['kubernetes.io/config.source'] !== 'file') {
    // Nothing of it will be started again, whatever its policy says (podIsTerminal).
    const well = (pod.spec.containers ?? []).every((s: any) => rt.containers.get(s.name)?.state?.terminated?.exitCode === 0);
    return well ? 'Succeeded' : 'Failed';
  }
  const policy = pod.spec.restartPolicy ?? 'Always';
  const init: any[] = (pod.spec.initContainers ?? []).filter((s: any) => !isSidecar(s));
  for (const s of pod.spec.initContainers ?? []) {
    const c = rt.containers.get(s.name);
    if (initialised(s, c)) continue;
    if (!isSidecar(s) && c?.state?.terminated && c.state.terminated.exitCode !== 0 && policy === 'Never') return 'Failed';
    const main = (pod.spec.containers ?? []).some((m: any) => rt.containers.get(m.name)?.id);
    // A pod that was once initialised stays so, whatever its sidecars do.
    if (!main || init.includes(s)) return 'Pending';
  }
  let [running, waiting, stopped, succeeded] = [0, 0, 0, 0];
  for (const s of pod.spec.containers ?? []) {
    const c = rt.containers.get(s.name);
    if (c?.state?.running) running++;
    else if (c?.state?.terminated) {
      stopped++;
      if (c.state.terminated.exitCode === 0) succeeded++;
    } else if (c?.lastState?.terminated) stopped++;
    else waiting++;
  }
  if (waiting) return 'Pending';
  if (running) return 'Running';
  if (!stopped) return 'Pending';
  const sidecarsUp = (pod.spec.initContainers ?? []).some((s: any) => isSidecar(s) && rt.containers.get(s.name)?.state?.running);
  if (policy === 'Always' || sidecarsUp) return 'Running';
  if (stopped === succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function containerStatus(
  pod: KubeObject,
  spec: any,
  c: ContainerRuntime | undefined,
  kind: ContainerRuntime['kind'],
  waitingReason: string,
): any {
  const state = c?.state ?? { waiting: { reason: waitingReason } };
  const out: any = { image: spec.image, imageID: c?.imageRef ?? '', lastState: c?.lastState ?? {}, name: spec.name };
  out.ready = kind === 'init' ? state.terminated?.exitCode === 0 : kind === 'ephemeral' ? false : !!c?.ready;
  out.restartCount = c?.restartCount ?? 0;
  if (kind !== 'ephemeral') out.started = kind === 'init' ? !!state.running : !!c?.started;
  out.state = state;
  if (c?.id) out.containerID = `containerd://${c.id}`;
  if (c?.id && kind !== 'ephemeral') {
    const resources = spec.resources ?? {};
    out.resources = {
      ...(resources.limits ? { limits: resources.limits } : {}),
      ...(resources.requests ? { requests: resources.requests } : {}),
    };
    if (resources.requests && Object.keys(resources.requests).length) out.allocatedResources = resources.requests;
  }
  if (state.running) {
    const gid = Number(spec.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup ?? 0);
    const extra: number[] = [...(pod.spec.securityContext?.supplementalGroups ?? [])];
    if (pod.spec.securityContext?.fsGroup !== undefined) extra.push(pod.spec.securityContext.fsGroup);
    out.user = { linux: { gid, supplementalGroups: [...new Set([gid, ...extra])], uid: c?.uid ?? 0 } };
  }
  if (spec.volumeMounts?.length) {
    out.volumeMounts = spec.volumeMounts.map((m: any) => ({
      mountPath: m.mountPath,
      name: m.name,
      ...(m.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
    }));
  }
  return out;
}

interface Made {
  type: string;
  status: 'True' | 'False';
  reason?: string;
  message?: string;
}

function unready(pod: KubeObject, rt: PodRuntime): string[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  return [...sidecars, ...(pod.spec.containers ?? [])].filter((s: any) => !rt.containers.get(s.name)?.ready).map((s: any) => s.name);
}

function readyConditions(pod: KubeObject, rt: PodRuntime, phase: string): [ready: Made, containers: Made] {
  const both = (rest: Omit<Made, 'type'>): [Made, Made] => [
    { type: 'Ready', ...rest },
    { type: 'ContainersReady', ...rest },
  ];
  if (phase === 'Succeeded') return both({ status: 'False', reason: 'PodCompleted' });
  if (phase === 'Failed') return both({ status: 'False', reason: 'PodFailed' });
  const names = unready(pod, rt);
  if (names.length)
    return both({ status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${names.join(' ')}]` });
  const [ready, containers] = both({ status: 'True' });
  const gates = (pod.spec.readinessGates ?? []).map((g: any) => {
    const c = (pod.status?.conditions ?? []).find((x: any) => x.type === g.conditionType);
    if (!c) return `corresponding condition of pod readiness gate "${g.conditionType}" does not exist.`;
    return c.status === 'True' ? null : `the status of pod readiness gate "${g.conditionType}" is not "True", but ${c.status}`;
  });
  const failing = gates.filter(Boolean);
  if (!failing.length) return [ready, containers];
  return [{ type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: failing.join(', ') }, containers];
}

function initialisedCondition(pod: KubeObject, rt: PodRuntime, phase: string): Made {
  const type = 'Initialized';
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  const left = (pod.spec.initContainers ?? []).filter((s: any) => !initialised(s, rt.containers.get(s.name))).map((s: any) => s.name);
  const once = (pod.spec.containers ?? []).some((s: any) => rt.containers.get(s.name)?.id);
  if (!left.length || once) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${left.join(' ')}]` };
}

function generateStatus(k: Kubelet, pod: KubeObject, rt: PodRuntime): any {
  const old = pod.status ?? {};
  const now = rfc3339(k.server.sim.nowMs);
  const phase = podPhase(pod, rt);
  const generation = pod.metadata.generation;
  const withTimes = (c: Made): any => {
    const before = (old.conditions ?? []).find((x: any) => x.type === c.type);
    return {
      type: c.type,
      ...(generation ? { observedGeneration: generation } : {}),
      status: c.status,
      lastProbeTime: null,
      lastTransitionTime: before?.status === c.status ? before.lastTransitionTime : now,
      ...(c.reason ? { reason: c.reason } : {}),
      ...(c.message ? { message: c.message } : {}),
    };
  };
  const [ready, containersReady] = readyConditions(pod, rt, phase);
  const own: Made[] = [
    { type: 'PodReadyToStartContainers', status: rt.sandboxReady ? 'True' : 'False' },
    initialisedCondition(pod, rt, phase),
    ready,
    containersReady,
    { type: 'PodScheduled', status: 'True' },
  ];
  const mine = new Set(own.map(c => c.type));
  const foreign = (old.conditions ?? []).filter((c: any) => !mine.has(c.type));
  const status: any = {
    ...(generation ? { observedGeneration: generation } : {}),
    phase,
    conditions: [...own.map(withTimes), ...foreign],
    ...(rt.failed ? { reason: rt.failed.reason, message: rt.failed.message } : {}),
    hostIP: k.deps.node.addresses[0],
    hostIPs: k.deps.node.addresses.map(ip => ({ ip })),
  };
  const ips = rt.ips.length ? rt.ips : (old.podIPs ?? []).map((x: any) => x.ip);
  if (ips.length) {
    status.podIP = ips[0];
    status.podIPs = ips.map((ip: string) => ({ ip }));
  }
  status.startTime = rfc3339(rt.startTimeMs);
  const kindOf = (s: any) => (isSidecar(s) ? 'sidecar' : 'init');
  const init: any[] = pod.spec.initContainers ?? [];
  const first = init.length && !isInitialised(pod, rt) ? 'PodInitializing' : 'ContainerCreating';
  if (!rt.failed || rt.containers.size) {
    if (init.length) {
      status.initContainerStatuses = init.map(s => containerStatus(pod, s, rt.containers.get(s.name), kindOf(s), 'PodInitializing'));
    }
    status.containerStatuses = (pod.spec.containers ?? []).map((s: any) =>
      containerStatus(pod, s, rt.containers.get(s.name), 'app', first),
    );
    const ephemeral = pod.spec.ephemeralContainers ?? [];
    if (ephemeral.length) {
      status.ephemeralContainerStatuses = ephemeral.map((s: any) =>
        containerStatus(pod, s, rt.containers.get(s.name), 'ephemeral', 'ContainerCreating'),
      );
    }
  }
  if (old.qosClass) status.qosClass = old.qosClass;
  if (old.nominatedNodeName) status.nominatedNodeName = old.nominatedNodeName;
  return status;
}

export const currentPod = (k: Kubelet, rt: PodRuntime): KubeObject | undefined => {
  const at = rt.key.indexOf('/');
  const pod = getObject(k.server, 'pods', rt.key.slice(0, at), rt.key.slice(at + 1));
  return pod?.metadata.uid === rt.uid ? pod : undefined;
};

export const reachable = (k: Kubelet): boolean => k.running && (k.deps.apiReachable?.() ?? true);

/** Write what has changed, or remember that it has to be written. */
export function syncStatus(k: Kubelet, rt: PodRuntime): void {
  if (!reachable(k)) {
    k.unwritten.add(rt.uid);
    return;
  }
  k.unwritten.delete(rt.uid);
  const pod = currentPod(k, rt);
  if (!pod) return;
  const status = generateStatus(k, pod, rt);
  if (sameJson(status, pod.status)) return;
  const written = updateStatus(k.server, { ...pod, status }, `system:node:${k.nodeName}`);
  if (isStatus(written)) k.unwritten.add(rt.uid);
}
