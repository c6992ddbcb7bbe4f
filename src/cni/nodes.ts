// What CNIs read of Node objects.
import { getObject, listObjects } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { type Family, familyOf, formatCidr, network, parseCidr } from '../wire/ip.ts';

export interface NodeInfo {
  name: string;
  /** InternalIPs, the primary one first. */
  ips: string[];
  podCIDRs: string[];
}

const isSix = (text: string) => text.includes(':');

export const ofFamily = (texts: string[], family: Family): string | undefined => texts.find(t => isSix(t) === (family === 6));

export function nodeInfo(node: KubeObject): NodeInfo {
  const addresses = (node.status?.addresses ?? []) as { type: string; address: string }[];
  return {
    name: node.metadata.name,
    ips: addresses.filter(a => a.type === 'InternalIP').map(a => a.address),
    podCIDRs: node.spec?.podCIDRs ?? (node.spec?.podCIDR ? [node.spec.podCIDR] : []),
  };
}

export const allNodes = (server: ApiServer): NodeInfo[] => listObjects(server, 'nodes').map(nodeInfo);

export function nodeNamed(server: ApiServer, name: string): NodeInfo | undefined {
  const node = getObject(server, 'nodes', undefined, name);
  return node && nodeInfo(node);
}

/** The pods' pool of a family. A second family that the configuration gives no pool of has the one its nodes' podCIDRs lie in. */
export function poolOf(podCIDRs: string[], family: Family, server?: ApiServer): string | undefined {
  const given = podCIDRs.find(c => {
    const cidr = parseCidr(c);
    return cidr && familyOf(cidr.ip) === family;
  });
  if (given || !server) return given;
  for (const node of allNodes(server)) {
    const own = parseCidr(ofFamily(node.podCIDRs, family) ?? '');
    if (own) return formatCidr(network({ ip: own.ip, bits: family === 4 ? 16 : 48 }));
  }
  return undefined;
}
