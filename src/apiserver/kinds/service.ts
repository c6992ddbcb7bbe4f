// Services (k8s.io/kubernetes/pkg/registry/core/service/strategy.go, pkg/apis/core/v1/defaults.go v1.36.3).

import { sameJson } from '../json.ts';
import { commit, getObject, keyOf } from '../store.ts';
import type { KindStrategy } from '../strategy.ts';
import type { KubeObject } from '../types.ts';
import { cidrWarnings, ipWarnings, nameIsLabel } from './rules.ts';
import { allocate, syncIpAddresses } from './service-alloc.ts';
import { validateServiceCreate, validateServiceStatus, validateServiceUpdate } from './service-validation.ts';

const externallyAccessible = (s: any): boolean =>
  s.type === 'LoadBalancer' || s.type === 'NodePort' || ((s.type ?? 'ClusterIP') === 'ClusterIP' && (s.externalIPs?.length ?? 0) > 0);

function defaults(o: KubeObject): void {
  const s = (o.spec ??= {});
  s.sessionAffinity ||= 'None';
  if (s.sessionAffinity === 'None') delete s.sessionAffinityConfig;
  if (s.sessionAffinity === 'ClientIP' && s.sessionAffinityConfig?.clientIP?.timeoutSeconds == null) {
    s.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } };
  }
  s.type ||= 'ClusterIP';
  for (const p of s.ports ?? []) {
    p.protocol ||= 'TCP';
    if (!p.targetPort) p.targetPort = p.port;
  }
  if (externallyAccessible(s) && !s.externalTrafficPolicy) s.externalTrafficPolicy = 'Cluster';
  if (s.type === 'NodePort' || s.type === 'LoadBalancer' || s.type === 'ClusterIP') s.internalTrafficPolicy ??= 'Cluster';
  if (s.type === 'LoadBalancer') {
    s.allocateLoadBalancerNodePorts ??= true;
    for (const i of o.status?.loadBalancer?.ingress ?? []) if (i.ip) i.ipMode ??= 'VIP';
  }
}

const hasNodePorts = (s: any) => s.type === 'NodePort' || s.type === 'LoadBalancer';
const hasHealthPort = (s: any) => s.type === 'LoadBalancer' && s.externalTrafficPolicy === 'Local';

/** A change of type takes with it what was allocated for the old one, unless the client changed that too. */
function dropTypeDependentFields(o: KubeObject, old: KubeObject): void {
  const s = o.spec;
  const b = old.spec;
  if (b.type !== 'ExternalName' && s.type === 'ExternalName') {
    if (s.clusterIP === b.clusterIP && sameJson(s.clusterIPs, b.clusterIPs)) {
      delete s.clusterIP;
      delete s.clusterIPs;
    }
    if (sameJson(s.ipFamilies, b.ipFamilies)) delete s.ipFamilies;
    if (s.ipFamilyPolicy === b.ipFamilyPolicy) delete s.ipFamilyPolicy;
  }
  const ports = (x: any): number[] => (x.ports ?? []).map((p: any) => p.nodePort).filter(Boolean);
  if (hasNodePorts(b) && !hasNodePorts(s) && ports(s).every(p => ports(b).includes(p))) for (const p of s.ports ?? []) delete p.nodePort;
  if (hasHealthPort(b) && !hasHealthPort(s) && s.healthCheckNodePort === b.healthCheckNodePort) delete s.healthCheckNodePort;
  if (b.type === 'LoadBalancer' && s.type !== 'LoadBalancer') {
    if (s.allocateLoadBalancerNodePorts === b.allocateLoadBalancerNodePorts) delete s.allocateLoadBalancerNodePorts;
    if (s.loadBalancerClass === b.loadBalancerClass) delete s.loadBalancerClass;
  }
  if (externallyAccessible(b) && !externallyAccessible(s) && s.externalTrafficPolicy === b.externalTrafficPolicy)
    delete s.externalTrafficPolicy;
  if (s.type !== 'LoadBalancer') o.status = { loadBalancer: {} };
}

/** pkg/api/service/warnings.go */
function serviceWarnings(o: KubeObject): string[] {
  const s = o.spec;
  const out: string[] = [];
  const hints = 'service.kubernetes.io/topology-aware-hints';
  if (o.metadata.annotations?.[hints] != null) {
    out.push(`annotation ${hints} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  }
  const headless = s.type === 'ClusterIP' && s.clusterIP === 'None';
  if (s.type !== 'ExternalName' && s.clusterIP !== 'None' && s.clusterIP) {
    for (const [i, ip] of (s.clusterIPs ?? []).entries()) out.push(...ipWarnings(`spec.clusterIPs[${i}]`, ip));
  }
  if (headless) {
    if (s.loadBalancerIP) out.push('spec.loadBalancerIP is ignored for headless services');
    if (s.externalIPs?.length) out.push('spec.externalIPs is ignored for headless services');
    if (s.sessionAffinity !== 'None') out.push('spec.SessionAffinity is ignored for headless services');
  }
  for (const [i, ip] of (s.externalIPs ?? []).entries()) out.push(...ipWarnings(`spec.externalIPs[${i}]`, ip));
  if (s.externalIPs?.length && !headless && s.type !== 'ExternalName') {
    out.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  if (s.loadBalancerIP) out.push(...ipWarnings('spec.loadBalancerIP', s.loadBalancerIP));
  for (const [i, r] of (s.loadBalancerSourceRanges ?? []).entries()) out.push(...cidrWarnings(`spec.loadBalancerSourceRanges[${i}]`, r));
  if (s.type === 'ExternalName' && s.externalIPs?.length) out.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (s.type !== 'ExternalName' && s.externalName) out.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (s.trafficDistribution === 'PreferClose') out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return out;
}

export const service: KindStrategy = {
  hasStatus: true,
  createOnUpdate: true,
  nameRule: nameIsLabel,
  defaults,
  validate: validateServiceCreate,
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatus,
  warnings: serviceWarnings,
  begin: (c, o, old) => {
    const refused = allocate(c, o, old);
    if (!refused) c.done.push(() => syncIpAddresses(c.server, o, old));
    return refused;
  },
  prepareCreate: o => {
    if (o.spec.type === 'ExternalName') delete o.spec.internalTrafficPolicy;
  },
  prepareUpdate: (o, old) => {
    if (o.spec.type === 'ExternalName' && old.spec.internalTrafficPolicy == null) delete o.spec.internalTrafficPolicy;
    dropTypeDependentFields(o, old);
  },
  afterDelete: (server, old) => {
    syncIpAddresses(server, null, old);
    const { namespace, name } = old.metadata;
    if (getObject(server, 'endpoints', namespace, name)) commit(server, 'endpoints', keyOf(namespace, name), null);
  },
};
