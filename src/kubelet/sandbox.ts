// Pod sandboxes: a network namespace, and the CNI that wires it (containerd's CRI, pkg/kubelet/kuberuntime/kuberuntime_sandbox.go v1.36).
import type { KubeObject } from '../apiserver/types.ts';
import { putOff } from '../linux/due.ts';
import { deleteNetns, newNetns } from '../linux/kernel.ts';
import { linkByName, setUp } from '../linux/link.ts';
import { kill, spawnProgram } from '../linux/process.ts';
import { setSysctl } from '../linux/sysctl.ts';
import type { Kernel, Netns, Process } from '../linux/types.ts';
import { newFilesystem } from '../linux/vfs.ts';
import { type Co, waitOn } from '../sim/task.ts';
import { wake } from './adopt.ts';
import { killContainerProcesses } from './container-process.ts';
import { hexId } from './containers.ts';
import { firstPid, netnsFile } from './pod-ids.ts';
import { currentPod } from './status.ts';
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

function newSandbox(k: Kubelet, rt: PodRuntime, pod: KubeObject): PodSandbox {
  const kernel = k.deps.kernel();
  const { namespace, name } = pod.metadata;
  const label = `${namespace}/${name}`;
  const old = kernel.netns.get(label);
  if (old) deleteNetns(old);
  const netns = newNetns(kernel, label, netnsFile(rt.sandboxId));
  const lo = linkByName(netns, 'lo');
  if (lo) setUp(lo, true);
  // containerd 2: enable_unprivileged_ports and enable_unprivileged_icmp are on.
  setSysctl(netns, 'net.ipv4.ip_unprivileged_port_start', '0');
  setSysctl(netns, 'net.ipv4.ping_group_range', '0 2147483647');
  rt.pause = startPause(kernel, netns, rt.sandboxId);
  for (const s of pod.spec.securityContext?.sysctls ?? []) setSysctl(netns, s.name, String(s.value));
  return {
    id: rt.sandboxId,
    namespace: namespace as string,
    name,
    uid: rt.uid,
    netns,
    labels: pod.metadata.labels ?? {},
    annotations: pod.metadata.annotations ?? {},
    portMappings: portMappings(pod),
    pod,
  };
}

/** The process that holds a sandbox's namespaces; whoever shares its PID namespace is in that of its file system. */
const startPause = (kernel: Kernel, netns: Netns, sandboxId: string): Process =>
  spawnProgram(kernel, waitForEver, {
    netns,
    fs: newFilesystem(),
    argv: ['/pause'],
    uid: 65535,
    background: true,
    blind: true,
    pid: firstPid('sandbox', sandboxId),
  });

function* waitForEver(p: Process): Co<number> {
  for (;;) yield* waitOn(p.kernel.sim, []);
}

/** Addresses that the manifest's own status asks for (a dump of a live cluster). */
const wantedIPs = (pod: KubeObject): string[] => {
  const all = (pod.status?.podIPs ?? []).map((x: any) => x.ip);
  return all.length ? all : pod.status?.podIP ? [pod.status.podIP] : [];
};

/** Decides all that there is to decide; what it decides is built by wirePods. -> null, or the text of FailedCreatePodSandBox */
export function createSandbox(k: Kubelet, rt: PodRuntime, pod: KubeObject): string | null {
  if (rt.hostNetwork) {
    rt.netns = k.deps.kernel().netns.get('') ?? null;
    rt.ips = k.deps.node.addresses.slice(0, 2);
    rt.sandboxReady = true;
    return null;
  }
  const id = hexId(k);
  const { namespace, name } = pod.metadata;
  const result = k.deps.cniAdd({ namespace: namespace as string, name, wantedIPs: wantedIPs(pod) });
  if ('error' in result) return `rpc error: code = Unknown desc = failed to setup network for sandbox "${id}": ${result.error}`;
  rt.sandboxId = id;
  rt.ips = result.ips;
  rt.sandboxReady = true;
  k.unwired.add(rt);
  if (k.deps.unwired) k.deps.unwired();
  else wirePods(k);
  return null;
}

/** Build the sandboxes that are not there yet, in the order in which they were made: devices are numbered so. */
export function wirePods(k: Kubelet): void {
  for (const rt of [...k.unwired]) {
    k.unwired.delete(rt);
    const pod = currentPod(k, rt);
    if (!pod || !rt.sandboxId || rt.netns) continue;
    rt.sandbox = newSandbox(k, rt, pod);
    rt.netns = rt.sandbox.netns;
    k.deps.cniWire(rt.sandbox, rt.ips);
    if (rt.dormant) putOff(rt.netns, () => wake(k, rt));
  }
}

/** CNI DEL, then the namespace goes. Addresses stay in the status. */
export function removeSandbox(k: Kubelet, rt: PodRuntime): void {
  rt.sandboxReady = false;
  for (const c of rt.containers.values()) killContainerProcesses(k, c);
  if (!rt.sandboxId) return;
  if (rt.pause) kill(rt.pause, 'KILL');
  rt.pause = null;
  rt.sandboxId = '';
  k.unwired.delete(rt);
  const at = rt.key.indexOf('/');
  k.deps.cniDel({ namespace: rt.key.slice(0, at), name: rt.key.slice(at + 1) });
  const { netns } = rt;
  if (netns && netns.kernel.netns.get(netns.name) === netns) deleteNetns(netns);
  rt.sandbox = null;
  rt.netns = null;
}
