// Validation of Services (k8s.io/kubernetes/pkg/apis/core/validation/validation.go v1.36.3, validateService and what it calls).

import { duplicate, type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import {
  checkRule,
  endpointIp,
  immutable,
  isDns1123Label,
  isDns1123Subdomain,
  isPortNumber,
  isQualifiedName,
  legacyCidr,
  legacyIp,
  nameIsLabel,
  oneOf,
  PROTOCOLS,
  portNumberOrName,
  requiredOneOf,
  validateLabels,
} from './rules.ts';
import { familyOfText, setClusterIpValidation } from './service-alloc.ts';

type Spec = any;

const isHeadless = (s: Spec): boolean => s.clusterIPs?.length === 1 && s.clusterIPs[0] === 'None';
const externallyAccessible = (s: Spec): boolean =>
  s.type === 'LoadBalancer' || s.type === 'NodePort' || (s.type === 'ClusterIP' && (s.externalIPs?.length ?? 0) > 0);
const needsHealthCheck = (s: Spec): boolean => s.type === 'LoadBalancer' && s.externalTrafficPolicy === 'Local';

export const validateServiceCreate = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsLabel),
  ...validateService(o, null),
];

export function validateServiceUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const health =
    needsHealthCheck(old.spec) && needsHealthCheck(o.spec) && o.spec.healthCheckNodePort !== old.spec.healthCheckNodePort
      ? [forbiddenField('spec.healthCheckNodePort', 'field is immutable')]
      : [];
  return [
    ...validateMetadataUpdate(o.metadata, old.metadata),
    ...changedClusterIps(o.spec, old.spec),
    ...changedFamilies(o.spec, old.spec),
    ...loadBalancerClass(o.spec, old.spec),
    ...health,
    ...validateService(o, old),
  ];
}

function validateService(o: KubeObject, old: KubeObject | null): FieldError[] {
  const s = o.spec;
  const errors: FieldError[] = [];
  const notes = o.metadata.annotations ?? {};
  const hints = notes['service.kubernetes.io/topology-aware-hints'];
  const mode = notes['service.kubernetes.io/topology-mode'];
  if (mode != null && hints != null && mode !== hints) {
    const why = 'must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified';
    errors.push(invalidField('metadata.annotations[service.kubernetes.io/topology-mode]', mode, why));
  }
  if (!s.ports?.length && !isHeadless(s) && s.type !== 'ExternalName') errors.push(required('spec.ports'));
  errors.push(...byType(s));
  const names = new Set<string>();
  for (const [i, p] of (s.ports ?? []).entries()) errors.push(...servicePort(p, s.ports.length > 1, names, `spec.ports[${i}]`));
  if (s.selector) errors.push(...validateLabels(s.selector, 'spec.selector'));
  errors.push(...requiredOneOf('spec.sessionAffinity', s.sessionAffinity, ['ClientIP', 'None']));
  if (s.sessionAffinity === 'ClientIP') errors.push(...affinityConfig(s.sessionAffinityConfig));
  else if (s.sessionAffinity === 'None' && s.sessionAffinityConfig) {
    errors.push(forbiddenField('spec.sessionAffinityConfig', 'must not be set when session affinity is None'));
  }
  errors.push(...clusterIpFields(o, old));
  for (const [i, ip] of (s.externalIPs ?? []).entries()) {
    const bad = legacyIp(`spec.externalIPs[${i}]`, ip, old?.spec.externalIPs);
    errors.push(...(bad.length ? bad : endpointIp(`spec.externalIPs[${i}]`, ip)));
  }
  errors.push(...requiredOneOf('spec.type', s.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']));
  errors.push(...uniquePorts(s), ...sourceRanges(o, old));
  if (s.allocateLoadBalancerNodePorts != null && s.type !== 'LoadBalancer') {
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
  }
  return [...errors, ...loadBalancerClass(s, null), ...trafficPolicies(s)];
}

function byType(s: Spec): FieldError[] {
  if (s.type === 'LoadBalancer' || s.type === 'NodePort') {
    return isHeadless(s) ? [invalidField('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${s.type} services`)] : [];
  }
  if (s.type !== 'ExternalName') return [];
  const errors: FieldError[] = [];
  const why = 'may not be set for ExternalName services';
  if (s.clusterIPs?.length) errors.push(forbiddenField('spec.clusterIPs', why));
  if (s.ipFamilies?.length) errors.push(forbiddenField('spec.ipFamilies', why));
  if (s.ipFamilyPolicy != null) errors.push(forbiddenField('spec.ipFamilyPolicy', why));
  const cname = (s.externalName ?? '').replace(/\.$/, '');
  return [...errors, ...(cname ? checkRule('spec.externalName', cname, isDns1123Subdomain) : [required('spec.externalName')])];
}

function servicePort(p: any, requireName: boolean, names: Set<string>, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (requireName && !p.name) errors.push(required(`${field}.name`));
  else if (p.name) {
    errors.push(...checkRule(`${field}.name`, p.name, isDns1123Label));
    if (names.has(p.name)) errors.push(duplicate(`${field}.name`, p.name));
    names.add(p.name);
  }
  const port = p.port ?? 0;
  for (const t of isPortNumber(port)) errors.push(invalidField(`${field}.port`, port, t));
  errors.push(...requiredOneOf(`${field}.protocol`, p.protocol, PROTOCOLS), ...portNumberOrName(`${field}.targetPort`, p.targetPort));
  if (p.appProtocol != null) errors.push(...checkRule(`${field}.appProtocol`, p.appProtocol, isQualifiedName));
  return errors;
}

function affinityConfig(config: any): FieldError[] {
  const field = 'spec.sessionAffinityConfig';
  const day = 86400;
  if (!config) return [required(field, 'when session affinity type is ClientIP')];
  if (!config.clientIP) return [required(`${field}.clientIP`, 'when session affinity type is ClientIP')];
  const seconds = config.clientIP.timeoutSeconds;
  const path = `${field}.clientIP.timeoutSeconds`;
  if (seconds == null) return [required(path, 'when session affinity type is ClientIP')];
  return seconds <= 0 || seconds > day ? [invalidField(path, seconds, `must be greater than 0 and less than ${day}`)] : [];
}

/** ValidateServiceClusterIPsRelatedFields */
function clusterIpFields(o: KubeObject, old: KubeObject | null): FieldError[] {
  const s = o.spec;
  if (s.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  const ips: string[] = s.clusterIPs ?? [];
  const field = 'spec.clusterIPs';
  if (s.clusterIP) {
    if (!ips.length) errors.push(required(field));
    else if (ips[0] !== s.clusterIP) errors.push(invalidField(field, ips, 'first value must match `clusterIP`'));
  } else if (ips.length) errors.push(invalidField(field, ips, 'must be empty when `clusterIP` is not specified'));
  const seen = new Set<string>();
  for (const [i, f] of (s.ipFamilies ?? []).entries()) {
    errors.push(...oneOf(`spec.ipFamilies[${i}]`, f, ['IPv4', 'IPv6']));
    if (seen.has(f)) errors.push(duplicate(`spec.ipFamilies[${i}]`, f));
    seen.add(f);
  }
  if (s.ipFamilyPolicy != null) {
    errors.push(...oneOf('spec.ipFamilyPolicy', s.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack']));
  }
  let bad = false;
  for (const [i, ip] of ips.entries()) {
    if (i === 0 && ip === 'None') {
      if (ips.length > 1) {
        bad = true;
        errors.push(invalidField(field, ips, "'None' must be the first and only value"));
      }
      continue;
    }
    const wrong = legacyIp(`${field}[${i}]`, ip, old?.spec.clusterIPs);
    bad ||= wrong.length > 0;
    errors.push(...wrong);
  }
  if (ips.length > 2) errors.push(invalidField(field, ips, 'may only hold up to 2 values'));
  if (bad) return errors;
  if (ips.length > 1 && new Set(ips.map(familyOfText)).size < 2) {
    errors.push(invalidField(field, ips, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(s)) return errors;
  for (const [i, ip] of ips.entries()) {
    const f = s.ipFamilies?.[i];
    if ((f === 'IPv4' || f === 'IPv6') && familyOfText(ip) !== f) {
      errors.push(invalidField(`${field}[${i}]`, ip, `expected an ${f} value as indicated by \`ipFamilies[${i}]\``));
    }
  }
  return errors;
}

setClusterIpValidation(clusterIpFields);

function uniquePorts(s: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const ports: any[] = s.ports ?? [];
  for (const [i, p] of ports.entries()) {
    if (s.type === 'ClusterIP' && p.nodePort)
      errors.push(forbiddenField(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
  }
  const nodePorts = new Set<string>();
  for (const [i, p] of ports.entries()) {
    if (!p.nodePort) continue;
    const key = `${p.protocol}/${p.nodePort}`;
    if (nodePorts.has(key)) errors.push(duplicate(`spec.ports[${i}].nodePort`, p.nodePort));
    nodePorts.add(key);
  }
  const seen = new Set<string>();
  for (const [i, p] of ports.entries()) {
    const key = `${p.protocol}/${p.port}`;
    // Internal types have no JSON names: that is how the real message looks.
    const shown = { Name: '', Protocol: p.protocol, AppProtocol: null, Port: p.port ?? 0, TargetPort: 0, NodePort: 0 };
    if (seen.has(key)) errors.push(duplicate(`spec.ports[${i}]`, shown));
    seen.add(key);
  }
  return errors;
}

function sourceRanges(o: KubeObject, old: KubeObject | null): FieldError[] {
  const errors: FieldError[] = [];
  const only = "may only be used when `type` is 'LoadBalancer'";
  const ranges: string[] = o.spec.loadBalancerSourceRanges ?? [];
  if (ranges.length) {
    const field = 'spec.LoadBalancerSourceRanges';
    if (o.spec.type !== 'LoadBalancer') errors.push(forbiddenField(field, only));
    const before = (old?.spec.loadBalancerSourceRanges ?? []).map((r: string) => r.trim());
    for (const [i, r] of ranges.entries()) errors.push(...legacyCidr(`${field}[${i}]`, r.trim(), before));
    return errors;
  }
  const key = 'service.beta.kubernetes.io/load-balancer-source-ranges';
  const note = o.metadata.annotations?.[key];
  if (note == null) return [];
  const field = `metadata.annotations[${key}]`;
  if (o.spec.type !== 'LoadBalancer') errors.push(forbiddenField(field, only));
  if (old?.metadata.annotations?.[key] === note || !note.trim()) return errors;
  for (const r of note.trim().split(',')) errors.push(...legacyCidr(field, r.trim()));
  return errors;
}

function loadBalancerClass(s: Spec, old: Spec | null): FieldError[] {
  const errors: FieldError[] = [];
  const field = 'spec.loadBalancerClass';
  if (old?.type === 'LoadBalancer' && s.type === 'LoadBalancer' && s.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalidField(field, s.loadBalancerClass, 'may not change once set'));
  }
  if (s.loadBalancerClass == null) return errors;
  if (s.type === 'LoadBalancer') return [...errors, ...checkRule(field, s.loadBalancerClass, isQualifiedName)];
  return [...errors, forbiddenField(field, "may only be used when `type` is 'LoadBalancer'")];
}

function trafficPolicies(s: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const external = 'spec.externalTrafficPolicy';
  if (externallyAccessible(s)) errors.push(...requiredOneOf(external, s.externalTrafficPolicy, ['Cluster', 'Local']));
  else if (s.externalTrafficPolicy) {
    errors.push(invalidField(external, s.externalTrafficPolicy, 'may only be set for externally-accessible services'));
  }
  const health = 'spec.healthCheckNodePort';
  if (!needsHealthCheck(s)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    if (s.healthCheckNodePort) errors.push(invalidField(health, s.healthCheckNodePort, why));
  } else if (!s.healthCheckNodePort) errors.push(required(health));
  else for (const t of isPortNumber(s.healthCheckNodePort)) errors.push(invalidField(health, s.healthCheckNodePort, t));
  const internal = 'spec.internalTrafficPolicy';
  if (s.internalTrafficPolicy == null) {
    if (s.type === 'NodePort' || s.type === 'LoadBalancer' || s.type === 'ClusterIP') errors.push(required(internal));
  } else errors.push(...oneOf(internal, s.internalTrafficPolicy, ['Cluster', 'Local']));
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  if (s.trafficDistribution != null && !distributions.includes(s.trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', s.trafficDistribution, distributions));
  }
  return errors;
}

const ONCE = 'may not change once set';

function changedClusterIps(s: Spec, old: Spec): FieldError[] {
  if (s.type === 'ExternalName' || old.type === 'ExternalName' || (isHeadless(s) && isHeadless(old))) return [];
  const now: string[] = s.clusterIPs ?? [];
  const was: string[] = old.clusterIPs ?? [];
  const errors: FieldError[] = [];
  if (was.length === now.length) {
    for (const [i, ip] of was.entries()) if (ip !== now[i]) errors.push(invalidField(`spec.clusterIPs[${i}]`, now, ONCE));
    return errors;
  }
  const first = was.length > 0 && now.length > 0 && was[0] !== now[0];
  if (was.length < now.length) return first ? [invalidField('spec.clusterIPs[0]', now, ONCE)] : [];
  if (!now.length) errors.push(invalidField('spec.clusterIPs[0]', s.clusterIPs ?? null, 'primary clusterIP can not be unset'));
  if (first) errors.push(invalidField('spec.clusterIPs[0]', now, ONCE));
  if (now.length === 1 && s.ipFamilyPolicy !== 'SingleStack') {
    errors.push(
      invalidField('spec.ipFamilyPolicy', s.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP"),
    );
  }
  return errors;
}

function changedFamilies(s: Spec, old: Spec): FieldError[] {
  if (s.type === 'ExternalName' || old.type === 'ExternalName' || isHeadless(s) || isHeadless(old)) return [];
  const now: string[] = s.ipFamilies ?? [];
  const was: string[] = old.ipFamilies ?? [];
  const field = 'spec.ipFamilies[0]';
  if (was.length === now.length) return was.flatMap((f, i) => (f === now[i] ? [] : [invalidField(field, now, ONCE)]));
  const first = was.length > 0 && now.length > 0 && was[0] !== now[0];
  const errors: FieldError[] = [];
  if (was.length > now.length && !s.clusterIPs?.length) {
    errors.push(invalidField(field, s.ipFamilies ?? null, 'primary ipFamily can not be unset'));
  }
  if (first) errors.push(invalidField(field, s.clusterIPs, ONCE));
  if (was.length > now.length && now.length === 1 && s.ipFamilyPolicy !== 'SingleStack') {
    errors.push(
      invalidField('spec.ipFamilyPolicy', s.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily"),
    );
  }
  return errors;
}

export function validateServiceStatus(o: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const ingress: any[] = o.status?.loadBalancer?.ingress ?? [];
  const field = 'status.loadBalancer.ingress';
  if (o.spec.type !== 'LoadBalancer' && ingress.length) {
    return [forbiddenField(field, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  const before = (old.status?.loadBalancer?.ingress ?? []).map((i: any) => i.ip).filter(Boolean);
  for (const [k, i] of ingress.entries()) {
    if (i.ip) errors.push(...legacyIp(`${field}[${k}].ip`, i.ip, before));
    if (i.ip && i.ipMode == null) errors.push(required(`${field}[${k}].ipMode`, 'must be specified when `ip` is set'));
    if (!i.ip && i.ipMode != null) errors.push(forbiddenField(`${field}[${k}].ipMode`, 'may not be specified when `ip` is not set'));
    if (i.ip && i.ipMode != null) errors.push(...oneOf(`${field}[${k}].ipMode`, i.ipMode, ['Proxy', 'VIP']));
    if (i.hostname) errors.push(...checkRule(`${field}[${k}].hostname`, i.hostname, isDns1123Subdomain));
  }
  return [...immutable('metadata.name', o.metadata.name, old.metadata.name), ...errors];
}
