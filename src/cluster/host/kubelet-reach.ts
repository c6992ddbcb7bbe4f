// What the kubelet has read of its configuration: does the API server that a kubelet's kubeconfig names answer, what does it say when it does not
// (k8s.io/component-helpers/apimachinery/lease/controller.go v0.36.3).

import type { KubeObject } from '../../apiserver/types.ts';
import { strerror } from '../../linux/process.ts';
import { close, connect, kernelSocket } from '../../linux/socket.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, startTask } from '../../sim/task.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { familyOf, parseIp } from '../../wire/ip.ts';
import { endpointOf } from '../components/component.ts';
import type { ClusterConfig, NodeSpec } from '../config.ts';
import type { NodeRuntime } from '../types.ts';

/** The API server as kubeadm's kubeconfigs name it. */
export function apiUrl(config: ClusterConfig, spec: NodeSpec): string {
  const ip = config.nodes.find(n => n.role === 'control-plane')?.ips[0] ?? spec.ips[0];
  return `https://${ip.includes(':') ? `[${ip}]` : ip}:6443`;
}

/** What the kubelet had read of its configuration when the pod started. */
export function dnsOf(node: NodeRuntime, pod: KubeObject): { servers?: string[]; domain?: string } {
  const read = node.host.kubelet;
  const startedMs = parseRfc3339(pod.status?.startTime ?? '') ?? node.engine.server.sim.nowMs;
  // A pod's start is written down to the second.
  return read && startedMs + 999 >= read.sinceMs ? { servers: read.clusterDNS, domain: read.clusterDomain } : {};
}

/** By its address or its node's name, at kubeadm's port. */
export function leadsToApi(node: NodeRuntime, url: string): boolean {
  const at = endpointOf(url);
  if (at?.port !== 6443 || !url.startsWith('https:')) return false;
  const planes = node.engine.config.nodes.filter(n => n.role === 'control-plane');
  const own = node.spec.role === 'control-plane' && /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(at.host);
  return own || planes.some(n => n.ips.includes(at.host) || n.name === at.host);
}

/** At each heartbeat that goes nowhere: one more attempt, and its error in the log. */
export function unreached(node: NodeRuntime): void {
  const url = node.host.kubelet?.server;
  if (url) startTask(node.engine.server.sim, attempt(node, url), true);
}

function* attempt(node: NodeRuntime, url: string): Co<void> {
  const at = endpointOf(url);
  const address = at && parseIp(at.host);
  let why = `unsupported protocol scheme`;
  if (at && !address) why = `dial tcp: lookup ${at.host} on ${node.engine.config.world.dns.server}:53: no such host`;
  if (at && address) {
    const netns = node.kernel().netns.get('');
    if (!netns) return;
    const s = kernelSocket(netns, 'tcp', familyOf(address));
    const error = yield* connect(s, address, at.port, 10_000);
    close(s);
    const cause = error === 'EINPROGRESS' ? 'i/o timeout' : `connect: ${strerror(error ?? 'ECONNREFUSED').toLowerCase()}`;
    why = error ? `dial tcp ${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}: ${cause}` : 'EOF';
  }
  const lease = `${url}/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node.spec.name}?timeout=10s`;
  node.log({
    level: 'E',
    source: 'controller.go:145',
    text: `"Failed to ensure lease exists, will retry" err=${goQuote(`Get ${goQuote(lease)}: ${why}`)} interval="7s"`,
  });
}
