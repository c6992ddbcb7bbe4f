// Services (k8s.io/kubernetes/pkg/registry/core/service/strategy.go, pkg/apis/core/v1/defaults.go v1.36.3).

import { sameJson } from '../json.ts';
import { commit, getObject, keyOf } from '../store.ts';
import type { KindStrategy } from '../strategy.ts';
import type { KubeObject } from '../types.ts';
import { allocate, syncIpAddresses } from './service-alloc.ts';

const externallyAccessible = (s: any): boolean =>
  s.type === 'LoadBalancer' || s.type === 'NodePort' || ((s.type ?? 'ClusterIP') === 'ClusterIP' && (s.externalIPs?.length ?? 0) > 0);

function defaults(o: KubeObject): void {
  const s = (o.spec ??= {});
  s.sessionAffinity ||= 'None';
  if (s.sessionAffinity === 'None') delete s.sessionAffinityConfig;
  if (s.sessionAffinity === 'ClientIP' && s.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
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

export const service: KindStrategy = {
  hasStatus: true,
  createOnUpdate: true,
  defaults,
  begin: (c, o, old) => {
    const refused = allocate(c, o, old);
    if (!refused) c.done.push(() => syncIpAddresses(c.server, o, old));
    return refused;
  },
  prepareCreate: o => {
    if (o.spec.type === 'ExternalName') delete o.spec.internalTrafficPolicy;
  },
  prepareUpdate: (o, old) => {
    if (o.spec.type === 'ExternalName' && old.spec.internalTrafficPolicy === undefined) delete o.spec.internalTrafficPolicy;
    dropTypeDependentFields(o, old);
  },
  afterDelete: (server, old) => {
    syncIpAddresses(server, null, old);
    const { namespace, name } = old.metadata;
    if (getObject(server, 'endpoints', namespace, name)) commit(server, 'endpoints', keyOf(namespace, name), null);
  },
};
