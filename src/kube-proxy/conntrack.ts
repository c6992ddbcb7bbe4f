// UDP entries that point at endpoints which no longer serve: k8s.io/kubernetes v1.36.3 pkg/proxy/conntrack/cleanup.go.
import { deleteEntries } from '../linux/netfilter/conntrack.ts';
import type { Netns } from '../linux/types.ts';
import { formatIp } from '../wire/ip.ts';
import { hostPort } from './names.ts';
import type { FamilyProxier } from './types.ts';

const UDP = 17;

/** Where traffic of each Service address (`ip:port`) or nodePort may have gone. */
function servingEndpoints(p: FamilyProxier): { byAddress: Map<string, Set<string>>; byNodePort: Map<number, Set<string>> } {
  const byAddress = new Map<string, Set<string>>();
  const byNodePort = new Map<number, Set<string>>();
  for (const service of p.services.values()) {
    service.ports.forEach((port, i) => {
      if (port.protocol !== 'UDP') return;
      const serving = new Set(service.endpoints[i].filter(e => e.serving).map(e => e.text));
      // With nothing left to go to, the entries stay.
      if (!serving.size) return;
      for (const ip of [port.clusterIP, ...port.loadBalancerVIPs, ...port.externalIPs]) byAddress.set(hostPort(ip, port.port), serving);
      if (port.nodePort) byNodePort.set(port.nodePort, serving);
    });
  }
  return { byAddress, byNodePort };
}

export function cleanStaleEntries(ns: Netns, p: FamilyProxier): void {
  // Of all Services, so not before there is a flow to ask about.
  let serving: ReturnType<typeof servingEndpoints> | null = null;
  deleteEntries(ns, e => {
    if (e.original.proto !== UDP || e.original.family !== p.family) return false;
    serving ??= servingEndpoints(p);
    const { byAddress, byNodePort } = serving;
    const to = hostPort(formatIp(e.reply.src), e.reply.sport);
    const wanted = [byAddress.get(hostPort(formatIp(e.original.dst), e.original.dport)), byNodePort.get(e.original.dport)];
    return wanted.some(endpoints => endpoints !== undefined && !endpoints.has(to));
  });
}
