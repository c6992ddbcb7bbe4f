// IPAddressPools and the Services that want addresses of them (metallb v0.15 internal/allocator and internal/config).
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { addToIp, cidrSize, compareIp, formatIp, type Ip, network, parseCidr, parseIp } from '../../wire/ip.ts';
import { selects } from '../reconcile.ts';

export const POOLS = 'ipaddresspools.metallb.io';

export interface Range {
  first: Ip;
  last: Ip;
}

/** `A-B` or a CIDR; null: neither. */
export function rangeOf(entry: string): Range | null {
  const [a, b] = entry.split('-').map(x => x.trim());
  if (b !== undefined) {
    const [first, last] = [parseIp(a), parseIp(b)];
    return first && last && first.length === last.length ? { first, last } : null;
  }
  const cidr = parseCidr(entry.trim());
  if (!cidr) return null;
  const first = network(cidr).ip;
  return { first, last: addToIp(first, Math.min(cidrSize(cidr), 65_536) - 1) };
}

export interface Pool {
  name: string;
  object: KubeObject;
  ranges: Range[];
  autoAssign: boolean;
  avoidBuggy: boolean;
}

export function poolsOf(server: ApiServer): Pool[] {
  return listObjects(server, POOLS).map(object => ({
    name: object.metadata.name,
    object,
    ranges: (object.spec?.addresses ?? []).map(rangeOf).filter((r: Range | null) => r !== null),
    autoAssign: object.spec?.autoAssign ?? true,
    avoidBuggy: object.spec?.avoidBuggyIPs ?? false,
  }));
}

export const holds = (pool: Pool, ip: Ip): boolean =>
  pool.ranges.some(r => r.first.length === ip.length && compareIp(r.first, ip) <= 0 && compareIp(ip, r.last) <= 0);

export const poolOf = (pools: Pool[], text: string): Pool | undefined => {
  const ip = parseIp(text);
  return ip ? pools.find(p => holds(p, ip)) : undefined;
};

const buggy = (ip: Ip): boolean => ip.length === 4 && (ip[3] === 0 || ip[3] === 255);

/** Addresses of a family, in order. */
export function* addressesIn(pool: Pool, six: boolean): Generator<string> {
  for (const r of pool.ranges) {
    if ((r.first.length === 16) !== six) continue;
    for (let ip = r.first; compareIp(ip, r.last) <= 0; ip = addToIp(ip, 1)) if (!pool.avoidBuggy || !buggy(ip)) yield formatIp(ip);
  }
}

/** May this Service take from the pool by itself? */
export function serves(server: ApiServer, pool: Pool, service: KubeObject): boolean {
  const rule = pool.object.spec?.serviceAllocation;
  if (!rule) return true;
  const { namespace = '', labels } = service.metadata;
  if (rule.namespaces?.length || rule.namespaceSelectors?.length) {
    const ns = listObjects(server, 'namespaces').find(n => n.metadata.name === namespace);
    const named = (rule.namespaces ?? []).includes(namespace);
    const chosen = (rule.namespaceSelectors ?? []).some((s: unknown) => selects(s, ns?.metadata.labels));
    if (!named && !chosen) return false;
  }
  return !rule.serviceSelectors?.length || rule.serviceSelectors.some((s: unknown) => selects(s, labels));
}

/** Lower numbers first, pools without one last, pools that name the Service before those that do not. */
export function rank(pool: Pool): number {
  const p = pool.object.spec?.serviceAllocation?.priority ?? 0;
  return p > 0 ? p : Number.MAX_SAFE_INTEGER;
}

/** `metallb.io/NAME`, or its older spelling. */
export const annotation = (service: KubeObject, name: string): string | undefined =>
  service.metadata.annotations?.[`metallb.io/${name}`] ?? service.metadata.annotations?.[`metallb.universe.tf/${name}`];

export const isLoadBalancer = (s: KubeObject): boolean => s.spec?.type === 'LoadBalancer' && !s.spec.loadBalancerClass;

export const givenAddresses = (s: KubeObject): string[] =>
  (s.status?.loadBalancer?.ingress ?? []).map((i: { ip?: string }) => i.ip).filter(Boolean);
