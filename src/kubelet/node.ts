// The node's own object, its lease and heartbeats (pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go v1.36).

import { createObject, updateObject, updateStatus } from '../apiserver/client.ts';
import { sameJson } from '../apiserver/json.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { isStatus } from '../apiserver/status.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { hex, stringToBytes } from '../sim/bytes.ts';
import { sha256 } from '../sim/sha256.ts';
import { schedule } from '../sim/sim.ts';
import { parseRfc3339, rfc3339, rfc3339Micro } from '../sim/time.ts';
import { reachable } from './status.ts';
import type { Kubelet } from './types.ts';

const LEASE_PERIOD_MS = 10_000;
const STATUS_PERIOD_MS = 300_000;
export const VERSION = 'v1.36.3';
const DEFAULT_KERNEL = '6.8.0-87-generic';

const hexOf = (text: string) => hex(sha256(stringToBytes(text)));
const uuidOf = (h: string) => `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;

function conditions(k: Kubelet, old: any[]): any[] {
  const now = rfc3339(k.server.sim.nowMs);
  const error = notReady(k);
  const rows: [string, string, string, string][] = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    error ? ['Ready', 'False', 'KubeletNotReady', error] : ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
  ];
  const own = rows.map(([type, status, reason, message]) => {
    const before = old.find(c => c.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
    return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message };
  });
  return [...old.filter(c => !rows.some(r => r[0] === c.type)), ...own];
}

/** runtimeState.runtimeErrors and networkErrors (pkg/kubelet/runtime.go), as NewAggregate joins them. */
function notReady(k: Kubelet): string | null {
  const errors: string[] = [];
  const since = k.deps.runtimeDownSinceMs?.() ?? null;
  const downMs = since === null ? 0 : k.server.sim.nowMs - since;
  if (downMs > 30_000) errors.push('container runtime is down');
  if (downMs > 180_000) {
    errors.push(`PLEG is not healthy: pleg was last seen active ${duration(downMs)} ago; threshold is 3m0s`);
  }
  const network = k.deps.cniError?.() ?? null;
  if (network) errors.push(network);
  return errors.length > 1 ? `[${errors.join(', ')}]` : (errors[0] ?? null);
}

/** Go's Duration.String() of whole seconds. */
const duration = (ms: number): string => {
  const s = Math.floor(ms / 1000);
  const h = Math.floor(s / 3600);
  return `${h ? `${h}h` : ''}${s >= 60 ? `${Math.floor(s / 60) % 60}m` : ''}${s % 60}s`;
};

/** As the server prints it back. */
function binary(ki: number): string {
  const units = ['Ki', 'Mi', 'Gi', 'Ti'];
  let i = 0;
  for (; ki % 1024 === 0 && i < 3; i++) ki /= 1024;
  return `${ki}${units[i]}`;
}

function nodeStatus(k: Kubelet, old: any): any {
  const n = k.deps.node;
  const memoryKi = n.memoryBytes ? Math.floor(n.memoryBytes / 1024) : 4_005_636;
  const capacity = {
    cpu: String(n.cpu ?? 2),
    'ephemeral-storage': '61202244Ki',
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: binary(memoryKi),
    pods: String(n.maxPods ?? 110),
  };
  // 100 MiB for hard eviction, a tenth of the disk.
  const allocatable = { ...capacity, 'ephemeral-storage': '56403987978', memory: binary(memoryKi - 102_400) };
  const id = hexOf(`machine ${k.nodeName}`);
  return {
    ...old,
    addresses: [...n.addresses.map(address => ({ type: 'InternalIP', address })), { type: 'Hostname', address: k.nodeName }],
    allocatable,
    capacity,
    conditions: conditions(k, old?.conditions ?? []),
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      architecture: 'amd64',
      bootID: uuidOf(hexOf(`boot ${k.nodeName}`)),
      containerRuntimeVersion: n.containerRuntimeVersion ?? 'containerd://2.2.3',
      kernelVersion: DEFAULT_KERNEL,
      kubeProxyVersion: '',
      kubeletVersion: VERSION,
      machineID: id.slice(0, 32),
      operatingSystem: 'linux',
      osImage: n.osImage ?? 'Debian GNU/Linux 12 (bookworm)',
      systemUUID: uuidOf(id),
    },
  };
}

/** Make the Node object if it is not there. */
export function registerNode(k: Kubelet): void {
  const { server, nodeName } = k;
  if (getObject(server, 'nodes', '', nodeName)) return;
  const n = k.deps.node;
  const labels = {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    ...n.labels,
  };
  const annotations = {
    'node.alpha.kubernetes.io/ttl': '0',
    'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
    ...n.annotations,
  };
  const spec = {
    ...(n.podCIDRs.length ? { podCIDR: n.podCIDRs[0], podCIDRs: n.podCIDRs } : {}),
    ...(n.taints?.length ? { taints: n.taints } : {}),
  };
  const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, labels, annotations }, spec };
  const made = createObject(server, node, `system:node:${nodeName}`);
  if (isStatus(made)) return;
  updateStatus(server, { ...made, status: nodeStatus(k, made.status) }, `system:node:${nodeName}`);
  nodeEvent(k, 'Normal', 'Starting', 'Starting kubelet.');
  nodeEvent(k, 'Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
  for (const reason of ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID']) {
    nodeEvent(k, 'Normal', reason, `Node ${nodeName} status is now: ${reason}`);
  }
  if (!k.deps.cniError?.()) nodeEvent(k, 'Normal', 'NodeReady', `Node ${nodeName} status is now: NodeReady`);
}

function nodeEvent(k: Kubelet, type: 'Normal' | 'Warning', reason: string, message: string): void {
  recordEvent(k.recorder, { apiVersion: 'v1', kind: 'Node', name: k.nodeName, uid: k.nodeName }, type, reason, message);
}

function renewLease(k: Kubelet): void {
  const { server, nodeName } = k;
  const lease = getObject(server, 'leases.coordination.k8s.io', 'kube-node-lease', nodeName);
  const renewTime = rfc3339Micro(server.sim.nowMs);
  if (lease) {
    updateObject(server, { ...lease, spec: { ...lease.spec, renewTime } }, `system:node:${nodeName}`);
    return;
  }
  const node = getObject(server, 'nodes', '', nodeName);
  createObject(server, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: nodeName,
      namespace: 'kube-node-lease',
      ...(node ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid as string }] } : {}),
    },
    spec: { holderIdentity: nodeName, leaseDurationSeconds: 40, renewTime },
  });
}

/** The status when something but its times has changed, or five minutes have passed. */
function refreshStatus(k: Kubelet): void {
  const node = getObject(k.server, 'nodes', '', k.nodeName);
  // A kubelet registers when it starts: a Node that was deleted since stays away.
  if (!node) return;
  const old: any[] = node.status?.conditions ?? [];
  const status = nodeStatus(k, node.status);
  const bare = (s: any) => ({ ...s, conditions: s.conditions?.map((c: any) => [c.type, c.status, c.reason, c.message]) });
  const beat = parseRfc3339(old.find(c => c.type === 'Ready')?.lastHeartbeatTime ?? '') ?? 0;
  if (sameJson(bare(status), bare(node.status)) && k.server.sim.nowMs - beat < STATUS_PERIOD_MS) return;
  const ready = (list: any[]) => list.find(c => c.type === 'Ready')?.status;
  updateStatus(k.server, { ...node, status }, `system:node:${k.nodeName}`);
  if (ready(old) === ready(status.conditions)) return;
  const reason = ready(status.conditions) === 'True' ? 'NodeReady' : 'NodeNotReady';
  const condition = status.conditions.find((c: any) => c.type === 'Ready');
  if (reason === 'NodeNotReady') {
    const { message, lastTransitionTime } = condition;
    const what = {
      type: 'Ready',
      status: 'False',
      lastHeartbeatTime: lastTransitionTime,
      lastTransitionTime,
      reason: 'KubeletNotReady',
      message,
    };
    k.deps.log?.({
      level: 'I',
      source: 'setters.go:547',
      text: `"Node became not ready" node="${k.nodeName}" condition=${JSON.stringify(what)}`,
    });
  }
  nodeEvent(k, 'Normal', reason, `Node ${k.nodeName} status is now: ${reason}`);
}

/** At once, and every ten seconds. `reconnected` is called when the apiserver can be reached again. */
export function startHeartbeat(k: Kubelet, reconnected: () => void, eachTime: () => void = () => {}): void {
  let was = true;
  const beat = (): void => {
    const now = reachable(k);
    if (now) {
      renewLease(k);
      refreshStatus(k);
      if (!was || k.unwritten.size) reconnected();
      eachTime();
    } else k.deps.unreached?.();
    was = now;
    k.heartbeat = schedule(k.server.sim, LEASE_PERIOD_MS, beat, true);
  };
  // Not before the machine that this kubelet belongs to is whole.
  k.heartbeat = schedule(k.server.sim, 1, beat);
}
