// What an object counts against a ResourceQuota, and what a namespace uses (pkg/quota/v1/evaluator/core v1.36.3).

import { parseRfc3339 } from '../../sim/time.ts';
import { podLimits, podRequests, qosClass } from '../kinds/pod-resources.ts';
import { matchRequirements } from '../labels.ts';
import { formatQuantity, type Quantity, quantity } from '../quantity.ts';
import { resourceOfBucket } from '../resources.ts';
import { bucketName, listObjects } from '../store.ts';
import type { ApiServer, KubeObject, ResourceInfo } from '../types.ts';

export type Usage = Map<string, Quantity>;

const ONE: Quantity = { nano: 1_000_000_000n, format: 'DecimalSI' };
export const ZERO: Quantity = { nano: 0n, format: 'DecimalSI' };

/** A sum has the format of its first part that is not zero. */
export const plus = (a: Quantity, b: Quantity): Quantity => (a.nano === 0n ? b : { nano: a.nano + b.nano, format: a.format });

export function addUsage(into: Usage, usage: Usage): void {
  for (const [k, q] of usage) into.set(k, plus(into.get(k) ?? ZERO, q));
}

export const usageOf = (list: Record<string, string> | undefined): Usage =>
  new Map(Object.entries(list ?? {}).map(([k, v]) => [k, quantity(v)]));

export const printUsage = (u: Usage): Record<string, string> => Object.fromEntries([...u].map(([k, q]) => [k, formatQuantity(q)]));

const countName = (info: { group: string; resource: string }): string => `count/${bucketName(info.group, info.resource)}`;

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const POD = new Set(['pods', 'count/pods', ...COMPUTE.flatMap(k => [k, `requests.${k}`, `limits.${k}`])]);
const SERVICE = new Set(['services', 'count/services', 'services.nodeports', 'services.loadbalancers']);
const CLAIM =
  /^(count\/persistentvolumeclaims|persistentvolumeclaims|requests\.storage|.+\.storageclass\.storage\.k8s\.io\/(persistentvolumeclaims|requests\.storage))$/;
/** Plain counts that had a name before `count/` came. */
const LEGACY = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']);

/** Names of a quota that count objects of this resource. */
export function countedNames(info: ResourceInfo, names: string[]): string[] {
  const { group, resource } = info;
  if (group) return names.filter(n => n === countName(info));
  if (resource === 'pods') return names.filter(n => POD.has(n) || n.startsWith('hugepages-') || isExtended(n));
  if (resource === 'services') return names.filter(n => SERVICE.has(n));
  if (resource === 'persistentvolumeclaims') return names.filter(n => CLAIM.test(n));
  return names.filter(n => n === countName(info) || (LEGACY.has(resource) && n === resource));
}

/** `requests.` of what is no native resource, huge pages among it. */
const isExtended = (name: string): boolean =>
  name.startsWith('requests.hugepages-') ||
  (name.startsWith('requests.') && name.slice(9).includes('/') && !name.includes('kubernetes.io/'));

/** What one object uses. */
export function objectUsage(server: ApiServer, info: ResourceInfo, o: KubeObject): Usage {
  const used: Usage = new Map([[countName(info), ONE]]);
  if (info.group) return used;
  if (info.resource === 'pods') podUsage(server, o, used);
  else if (info.resource === 'services') serviceUsage(o, used);
  else if (info.resource === 'persistentvolumeclaims') claimUsage(o, used);
  else if (LEGACY.has(info.resource)) used.set(info.resource, ONE);
  return used;
}

function podUsage(server: ApiServer, pod: KubeObject, used: Usage): void {
  if (!countsPod(server, pod)) return;
  computeUsage(podRequests(pod.spec), podLimits(pod.spec), used);
}

/** Not one that has ended, nor one that should be gone by now. */
export function countsPod(server: ApiServer, pod: KubeObject): boolean {
  const { phase } = pod.status ?? {};
  if (phase === 'Failed' || phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return true;
  return server.sim.nowMs <= (parseRfc3339(deletionTimestamp) ?? 0) + deletionGracePeriodSeconds * 1000;
}

function computeUsage(requests: Record<string, string>, limits: Record<string, string>, used: Usage): void {
  used.set('pods', ONE);
  for (const k of COMPUTE) {
    if (requests[k] !== undefined) for (const name of [k, `requests.${k}`]) used.set(name, quantity(requests[k]));
    if (limits[k] !== undefined) used.set(`limits.${k}`, quantity(limits[k]));
  }
  for (const k in requests) {
    if (k.startsWith('hugepages-')) used.set(k, quantity(requests[k]));
    if (!COMPUTE.includes(k)) used.set(`requests.${k}`, quantity(requests[k]));
  }
}

function serviceUsage(o: KubeObject, used: Usage): void {
  const { type, ports = [], allocateLoadBalancerNodePorts } = o.spec ?? {};
  const balancer = type === 'LoadBalancer';
  let nodePorts = 0;
  if (type === 'NodePort' || balancer) nodePorts = ports.length;
  if (balancer && allocateLoadBalancerNodePorts === false) nodePorts = ports.filter((p: any) => p.nodePort).length;
  used.set('services', ONE);
  used.set('services.loadbalancers', balancer ? ONE : ZERO);
  used.set('services.nodeports', { nano: BigInt(nodePorts) * ONE.nano, format: 'DecimalSI' });
}

function claimUsage(o: KubeObject, used: Usage): void {
  const storage = o.spec?.resources?.requests?.storage;
  const own = o.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? o.spec?.storageClassName;
  const add = (name: string, q: Quantity) => {
    used.set(name, q);
    if (own) used.set(`${own}.storageclass.storage.k8s.io/${name}`, q);
  };
  add('persistentvolumeclaims', ONE);
  if (storage !== undefined) add('requests.storage', wholeBytes(quantity(storage)));
}

const wholeBytes = (q: Quantity): Quantity => ({ ...q, nano: ((q.nano + ONE.nano - 1n) / ONE.nano) * ONE.nano });

/** Whether the object is in all of the quota's scopes; only pods are in any. */
export function inScopes(info: ResourceInfo, quota: KubeObject, o: KubeObject): boolean {
  const selectors = [
    ...(quota.spec?.scopes ?? []).map((scopeName: string) => ({ scopeName, operator: 'Exists' })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (!selectors.length) return true;
  return info.resource === 'pods' && !info.group && selectors.every(s => podInScope(s, o.spec));
}

function podInScope(s: { scopeName: string; operator: string; values?: string[] }, spec: any): boolean {
  const ends = typeof spec.activeDeadlineSeconds === 'number';
  switch (s.scopeName) {
    case 'Terminating':
      return ends;
    case 'NotTerminating':
      return !ends;
    case 'BestEffort':
      return qosClass(spec) === 'BestEffort';
    case 'NotBestEffort':
      return qosClass(spec) !== 'BestEffort';
    case 'PriorityClass': {
      const labels: Record<string, string> = spec.priorityClassName ? { PriorityClass: spec.priorityClassName } : {};
      return matchRequirements([{ key: 'PriorityClass', operator: s.operator as any, values: s.values ?? [] }], labels);
    }
    case 'CrossNamespacePodAffinity':
      return affinityTerms(spec.affinity).some(t => t.namespaces?.length || t.namespaceSelector);
    default:
      return false;
  }
}

function affinityTerms(affinity: any): any[] {
  return ['podAffinity', 'podAntiAffinity'].flatMap(k => [
    ...(affinity?.[k]?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.[k]?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((w: any) => w.podAffinityTerm ?? {}),
  ]);
}

/** Resources whose objects some name of a quota counts. */
function countedResources(server: ApiServer, names: string[]): ResourceInfo[] {
  const out = new Map<string, ResourceInfo>();
  const add = (bucket: string) => {
    const info = resourceOfBucket(server, bucket);
    if (info?.namespaced) out.set(bucket, info);
  };
  for (const n of names) {
    if (n.startsWith('count/')) add(n.slice(6));
    else if (LEGACY.has(n)) add(n);
    else if (SERVICE.has(n)) add('services');
    else if (CLAIM.test(n)) add('persistentvolumeclaims');
    else add('pods');
  }
  return [...out.values()];
}

/** What the namespace uses of a quota's resources; names that nothing counts are left out. */
export function namespaceUsage(server: ApiServer, quota: KubeObject): Usage {
  const names = Object.keys(quota.spec?.hard ?? {});
  const out: Usage = new Map();
  for (const info of countedResources(server, names)) {
    const counted = countedNames(info, names);
    for (const n of counted) if (!out.has(n)) out.set(n, ZERO);
    for (const o of listObjects(server, bucketName(info.group, info.resource), quota.metadata.namespace)) {
      if (!inScopes(info, quota, o)) continue;
      const used = objectUsage(server, info, o);
      addUsage(out, new Map([...used].filter(([k]) => counted.includes(k))));
    }
  }
  return out;
}
