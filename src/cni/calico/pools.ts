// Calico's pools of addresses: its IPPools, as they are now (libcalico-go/lib/ipam v3.32, determinePools).
import { getObject, listObjects } from '../../apiserver/store.ts';
import { type Cidr, type Family, familyOf, formatCidr, inCidr, network, parseCidr } from '../../wire/ip.ts';
import { poolOf } from '../nodes.ts';
import type { CniCluster } from '../types.ts';

export const POOLS = 'ippools.projectcalico.org';
/** Written beside the pools, and by nobody else. */
export const INFORMATION = 'clusterinformations.projectcalico.org';

export interface IpPool {
  cidr: string;
  /** Pods' packets to somewhere outside of all pools leave as their node's. */
  natOutgoing: boolean;
  /** New addresses may come from it. */
  enabled: boolean;
}

/**
 * In the order of their names. A cluster whose agents have written nothing has those of its configuration; and a family of which there is
 * none in either has the one that its nodes' podCIDRs lie in.
 */
export function poolsOf({ server, config }: Pick<CniCluster, 'server' | 'config'>, family: Family): IpPool[] {
  const written = listObjects(server, POOLS).length > 0 || getObject(server, INFORMATION, '', 'default') !== undefined;
  const configured = poolOf(config.podCIDRs, family) !== undefined;
  const objects = listObjects(server, POOLS)
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    .flatMap(o => {
      const cidr = parseCidr(o.spec?.cidr ?? '');
      if (!cidr || familyOf(cidr.ip) !== family) return [];
      const forPods = (o.spec.allowedUses ?? ['Workload']).includes('Workload');
      const enabled = o.spec.disabled !== true && o.spec.assignmentMode !== 'Manual' && forPods;
      return [{ cidr: formatCidr(network(cidr)), natOutgoing: o.spec.natOutgoing === true, enabled }];
    });
  if (objects.length || (written && configured)) return objects;
  const cidr = poolOf(config.podCIDRs, family, server);
  return cidr ? [{ cidr, natOutgoing: family === 4 ? config.natOutgoing : config.natOutgoing6, enabled: true }] : [];
}

/** May a node's new addresses come from this range? */
export const inEnabledPool = (pools: IpPool[], range: Cidr): boolean =>
  pools.some(p => p.enabled && inCidr(parseCidr(p.cidr) as Cidr, range.ip) && (parseCidr(p.cidr) as Cidr).bits <= range.bits);
