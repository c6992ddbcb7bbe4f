// Pod sandboxes: a network namespace, and the CNI that wires it (containerd's CRI, pkg/kubelet/kuberuntime/kuberuntime_sandbox.go v1.36).
import type { KubeObject } from '../apiserver/types.ts';
import { deleteNetns, newNetns } from '../linux/kernel.ts';
import { linkByName, setUp } from '../linux/link.ts';
import { setSysctl } from '../linux/sysctl.ts';
import { killContainerProcesses } from './container-process.ts';
import { hexId } from './containers.ts';
import type { Kubelet, PodRuntime, PodSandbox, PortMapping } from './types.ts';

function portMappings(pod: KubeObject): PortMapping[] {
  const out: PortMapping[] = [];
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []).filter((c: any) => c.restartPolicy === 'Always')];
  for (const c of containers) {
    for (const p of c.ports ?? []) {
      if (!p.hostPort) continue;
      out.push({ hostPort: p.hostPort, hostIP: p.hostIP ?? '', containerPort: p.containerPort, protocol: p.protocol ?? 'TCP' });
    }
  }
  return out;
}

function newSandbox(k: Kubelet, rt: PodRuntime, pod: KubeObject, id: string): PodSandbox {
  const kernel = k.deps.kernel();
  const { namespace, name } = pod.metadata;
  const label = `${namespace}/${name}`;
  const old = kernel.netns.get(label);
  if (old) deleteNetns(old);
  const netns = newNetns(kernel, label);
  const lo = linkByName(netns, 'lo');
  if (lo) setUp(lo, true);
  // containerd 2: enable_unprivileged_ports and enable_unprivileged_icmp are on.
  setSysctl(netns, 'net.ipv4.ip_unprivileged_port_start', '0');
  setSysctl(netns, 'net.ipv4.ping_group_range', '0 2147483647');
  for (const s of pod.spec.securityContext?.sysctls ?? []) setSysctl(netns, s.name, String(s.value));
  const wantedIPs = (pod.status?.podIPs ?? []).map((x: any) => x.ip);
  return {
    id,
    namespace: namespace as string,
    name,
    uid: rt.uid,
    netns,
    labels: pod.metadata.labels ?? {},
    annotations: pod.metadata.annotations ?? {},
    wantedIPs: wantedIPs.length ? wantedIPs : pod.status?.podIP ? [pod.status.podIP] : [],
    portMappings: portMappings(pod),
    pod,
  };
}

/** -> null, or the text of FailedCreatePodSandBox */
export function createSandbox(k: Kubelet, rt: PodRuntime, pod: KubeObject): string | null {
  if (rt.hostNetwork) {
    rt.netns = k.deps.kernel().netns.get('') ?? null;
    rt.ips = k.deps.node.addresses.slice(0, 2);
    rt.sandboxReady = true;
    return null;
  }
  const sandbox = newSandbox(k, rt, pod, hexId(k));
  const result = k.deps.cniAdd(sandbox);
  if ('error' in result) {
    deleteNetns(sandbox.netns);
    return `rpc error: code = Unknown desc = failed to setup network for sandbox "${sandbox.id}": ${result.error}`;
  }
  rt.sandbox = sandbox;
  rt.netns = sandbox.netns;
  rt.ips = result.ips;
  rt.sandboxReady = true;
  return null;
}

/** The wiring of a pod that has its addresses already: after a session was reloaded. */
export function adoptSandbox(k: Kubelet, rt: PodRuntime, pod: KubeObject, id: string): void {
  if (rt.netns) return;
  if (rt.hostNetwork) {
    rt.netns = k.deps.kernel().netns.get('') ?? null;
    return;
  }
  const sandbox = newSandbox(k, rt, pod, id);
  rt.sandbox = sandbox;
  rt.netns = sandbox.netns;
  k.deps.cniAdopt(sandbox, rt.ips);
}

/** CNI DEL, then the namespace goes. Addresses stay in the status. */
export function removeSandbox(k: Kubelet, rt: PodRuntime): void {
  rt.sandboxReady = false;
  for (const c of rt.containers.values()) killContainerProcesses(k, c);
  const { sandbox } = rt;
  if (!sandbox) {
    if (!rt.hostNetwork && rt.ips.length) releaseUnwired(k, rt);
    return;
  }
  k.deps.cniDel(sandbox);
  if (sandbox.netns.kernel.netns.get(sandbox.netns.name) === sandbox.netns) deleteNetns(sandbox.netns);
  rt.sandbox = null;
  rt.netns = null;
}

/** A reloaded pod that nobody has wired since: its addresses are given back all the same. */
function releaseUnwired(k: Kubelet, rt: PodRuntime): void {
  const at = rt.key.indexOf('/');
  const [namespace, name] = [rt.key.slice(0, at), rt.key.slice(at + 1)];
  const unwired = { id: '', namespace, name, uid: rt.uid, labels: {}, annotations: {}, wantedIPs: [], portMappings: [] };
  k.deps.cniDel({ ...unwired, netns: null, pod: null } as unknown as PodSandbox);
}
