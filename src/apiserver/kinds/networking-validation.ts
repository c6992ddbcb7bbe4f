// Validation of networking.k8s.io and discovery.k8s.io (k8s.io/kubernetes/pkg/apis/{networking,discovery}/validation v1.36.3).

import { inCidr, network, parseCidr } from '../../wire/ip.ts';
import { duplicate, type FieldError, forbiddenField, invalidField, notSupported, required, tooLong, tooMany } from '../field.ts';
import { sameJson } from '../json.ts';
import { saidEmpty, type WriteContext } from '../strategy.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import {
  byteLength,
  checkRule,
  endpointIp,
  IMMUTABLE,
  immutable,
  ipWarnings,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPathSegment,
  isPortName,
  isPortNumber,
  isQualifiedName,
  isWildcardDns1123Subdomain,
  legacyCidr,
  legacyIp,
  nameIsSubdomain,
  oneOf,
  PROTOCOLS,
  parseIpSloppy,
  requiredOneOf,
  strictCidr,
  strictIp,
  validateLabelSelector,
  validateLabels,
} from './rules.ts';

// ---- NetworkPolicy

function policyPort(p: any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const { port, endPort } = p;
  if (p.protocol != null && !PROTOCOLS.includes(p.protocol))
    errors.push(notSupported(`${field}.protocol`, p.protocol, ['TCP', 'UDP', 'SCTP']));
  if (port == null) {
    if (endPort != null) errors.push(invalidField(`${field}.endPort`, endPort, 'may not be specified when `port` is not specified'));
  } else if (typeof port === 'number') {
    for (const t of isPortNumber(port)) errors.push(invalidField(`${field}.port`, port, t));
    if (endPort != null) {
      if (endPort < port) errors.push(invalidField(`${field}.endPort`, port, 'must be greater than or equal to `port`'));
      for (const t of isPortNumber(endPort)) errors.push(invalidField(`${field}.endPort`, endPort, t));
    }
  } else {
    if (endPort != null) errors.push(invalidField(`${field}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    errors.push(...checkRule(`${field}.port`, port, isPortName));
  }
  return errors;
}

function policyPeer(p: any, field: string, old: string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (p.podSelector) errors.push(...validateLabelSelector(p.podSelector, `${field}.podSelector`));
  if (p.namespaceSelector) errors.push(...validateLabelSelector(p.namespaceSelector, `${field}.namespaceSelector`));
  if (p.ipBlock) errors.push(...ipBlock(p.ipBlock, `${field}.ipBlock`, old));
  const n = [p.podSelector, p.namespaceSelector, p.ipBlock].filter(Boolean).length;
  if (n === 0) errors.push(required(field, 'must specify a peer'));
  else if (n > 1 && p.ipBlock) errors.push(forbiddenField(field, 'may not specify both ipBlock and another peer'));
  return errors;
}

const sloppyCidr = (s: string) => {
  const ip = parseIpSloppy(s.split('/')[0]);
  return s.includes('/') && ip ? parseCidr(`${s.split('/')[0].replace(/\b0+(?=\d)/g, '')}/${Number(s.split('/')[1])}`) : null;
};

function ipBlock(b: any, field: string, old: string[]): FieldError[] {
  if (!b.cidr) return [required(`${field}.cidr`)];
  const errors = legacyCidr(`${field}.cidr`, b.cidr, old);
  const outer = sloppyCidr(b.cidr);
  if (!outer) return errors;
  for (const [i, e] of (b.except ?? []).entries()) {
    errors.push(...legacyCidr(`${field}.except[${i}]`, e, old));
    const inner = sloppyCidr(e);
    if (inner && (!inCidr(network(outer), network(inner).ip) || outer.bits >= inner.bits)) {
      errors.push(invalidField(`${field}.except[${i}]`, e, 'must be a strict subset of `cidr`'));
    }
  }
  return errors;
}

function policySpec(o: KubeObject, old: string[]): FieldError[] {
  const s = o.spec ?? {};
  const errors = validateLabelSelector(s.podSelector, 'spec.podSelector');
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ]) {
    for (const [i, rule] of (s[direction] ?? []).entries()) {
      const field = `spec.${direction}[${i}]`;
      for (const [k, p] of (rule.ports ?? []).entries()) errors.push(...policyPort(p, `${field}.ports[${k}]`));
      for (const [k, p] of (rule[peers] ?? []).entries()) errors.push(...policyPeer(p, `${field}.${peers}[${k}]`, old));
    }
  }
  const types: string[] = s.policyTypes ?? [];
  if (types.length > 2) return [...errors, invalidField('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  for (const [i, t] of types.entries()) {
    if (t !== 'Ingress' && t !== 'Egress') errors.push(notSupported(`spec.policyTypes[${i}]`, t, ['Ingress', 'Egress']));
  }
  return errors;
}

export const validateNetworkPolicy = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...policySpec(o, []),
];

export function validateNetworkPolicyUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const rules: any[] = [...(old.spec?.ingress ?? []), ...(old.spec?.egress ?? [])];
  const blocks = rules.flatMap(r => [...(r.from ?? []), ...(r.to ?? [])]).flatMap(p => (p.ipBlock ? [p.ipBlock] : []));
  const cidrs = blocks.flatMap(b => [b.cidr, ...(b.except ?? [])]);
  return [...validateMetadataUpdate(o.metadata, old.metadata), ...policySpec(o, cidrs)];
}

// ---- Ingress

const CLASS = 'kubernetes.io/ingress.class';

export function validateIngress(o: KubeObject, c: WriteContext): FieldError[] {
  const errors = ingress(o, c);
  const note = o.metadata.annotations?.[CLASS];
  if (note != null && o.spec?.ingressClassName != null && note !== o.spec.ingressClassName) {
    errors.push(invalidField(`annotations.${CLASS}`, note, 'must match `ingressClassName` when both are specified'));
  }
  return errors;
}

export const validateIngressUpdate = (o: KubeObject, old: KubeObject, c: WriteContext): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...ingress(o, c),
];

export function ingressWarnings(o: KubeObject, old: KubeObject | null): string[] {
  if (old || o.metadata.annotations?.[CLASS] == null || o.spec?.ingressClassName != null) return [];
  return [`annotation "${CLASS}" is deprecated, please use 'spec.ingressClassName' instead`];
}

function ingress(o: KubeObject, c: WriteContext): FieldError[] {
  const s = o.spec ?? {};
  const errors = validateMetadata(o.metadata, true, nameIsSubdomain);
  if (!s.rules?.length && !s.defaultBackend) {
    errors.push(invalidField('spec', s.rules ?? saidEmpty(c, 'spec', 'rules'), 'either `defaultBackend` or `rules` must be specified'));
  }
  if (s.defaultBackend) errors.push(...backend(s.defaultBackend, 'spec.defaultBackend'));
  for (const [i, r] of (s.rules ?? []).entries()) {
    const field = `spec.rules[${i}]`;
    if (r.host && parseIpSloppy(r.host)) errors.push(invalidField(`${field}.host`, r.host, 'must be a DNS name, not an IP address'));
    if (r.host) errors.push(...checkRule(`${field}.host`, r.host, r.host.includes('*') ? isWildcardDns1123Subdomain : isDns1123Subdomain));
    if (r.http) errors.push(...httpRule(r.http, `${field}.http`));
  }
  for (const [i, t] of (s.tls ?? []).entries()) {
    for (const [k, h] of (t.hosts ?? []).entries()) {
      errors.push(...checkRule(`spec.tls[${i}].hosts[${k}]`, h, h.includes('*') ? isWildcardDns1123Subdomain : isDns1123Subdomain));
    }
    if (t.secretName) errors.push(...checkRule(`spec.tls[${i}].secretName`, t.secretName, isDns1123Subdomain));
  }
  if (s.ingressClassName != null) errors.push(...checkRule('spec.ingressClassName', s.ingressClassName, isDns1123Subdomain));
  return errors;
}

function httpRule(http: any, field: string): FieldError[] {
  if (!http.paths?.length) return [required(`${field}.paths`)];
  const errors: FieldError[] = [];
  for (const [i, p] of http.paths.entries()) errors.push(...httpPath(p, `${field}.paths[${i}]`));
  return errors;
}

function httpPath(p: any, field: string): FieldError[] {
  if (p.pathType == null) return [required(`${field}.pathType`, 'pathType must be specified')];
  const errors: FieldError[] = [];
  const path: string = p.path ?? '';
  const absolute = () => {
    if (!path.startsWith('/')) errors.push(invalidField(`${field}.path`, path, 'must be an absolute path'));
  };
  if (p.pathType === 'Exact' || p.pathType === 'Prefix') {
    absolute();
    for (const bad of ['//', '/./', '/../', '%2f', '%2F']) {
      if (path.includes(bad)) errors.push(invalidField(`${field}.path`, path, `must not contain '${bad}'`));
    }
    for (const bad of ['/..', '/.']) if (path.endsWith(bad)) errors.push(invalidField(`${field}.path`, path, `cannot end with '${bad}'`));
  } else if (p.pathType === 'ImplementationSpecific') {
    if (path) absolute();
  } else errors.push(notSupported(`${field}.pathType`, p.pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
  return [...errors, ...backend(p.backend ?? {}, `${field}.backend`)];
}

function backend(b: any, field: string): FieldError[] {
  if (b.resource && b.service) return [invalidField(field, '', 'cannot set both resource and service backends')];
  if (b.resource) return reference(b.resource, `${field}.resource`);
  if (!b.service) return [invalidField(field, '', 'resource or service backend is required')];
  const errors: FieldError[] = [];
  const { name, port = {} } = b.service;
  if (!name) errors.push(required(`${field}.service.name`));
  else errors.push(...checkRule(`${field}.service.name`, name, isDns1123Label));
  if (port.name && port.number) errors.push(invalidField(field, '', 'cannot set both port name & port number'));
  else if (port.name) errors.push(...checkRule(`${field}.service.port.name`, port.name, isPortName));
  else if (port.number)
    for (const t of isPortNumber(port.number)) errors.push(invalidField(`${field}.service.port.number`, port.number, t));
  else errors.push(required(field, 'port name or number is required'));
  return errors;
}

function reference(r: any, field: string): FieldError[] {
  const errors = r.apiGroup == null ? [] : checkRule(`${field}.apiGroup`, r.apiGroup, isDns1123Subdomain);
  for (const k of ['kind', 'name']) {
    if (!r[k]) errors.push(required(`${field}.${k}`));
    else errors.push(...checkRule(`${field}.${k}`, r[k], isPathSegment));
  }
  return errors;
}

export function validateIngressStatus(o: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const before = (old.status?.loadBalancer?.ingress ?? []).map((i: any) => i.ip).filter(Boolean);
  for (const [k, i] of (o.status?.loadBalancer?.ingress ?? []).entries()) {
    const field = `status.loadBalancer.ingress[${k}]`;
    if (i.ip) errors.push(...legacyIp(`${field}.ip`, i.ip, before));
    if (i.hostname) errors.push(...checkRule(`${field}.hostname`, i.hostname, isDns1123Subdomain));
    if (i.hostname && parseIpSloppy(i.hostname)) {
      errors.push(invalidField(`${field}.hostname`, i.hostname, 'must be a DNS name, not an IP address'));
    }
  }
  return errors;
}

// ---- IngressClass

function domainPrefixedPath(field: string, value: string): FieldError[] {
  if (!value) return [required(field)];
  const slash = value.indexOf('/');
  if (slash <= 0 || slash === value.length - 1) {
    return [invalidField(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = checkRule(field, value.slice(0, slash), isDns1123Subdomain);
  const path = value.slice(slash + 1);
  const format = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
  if (!new RegExp(`^${format}$`).test(path))
    errors.push(invalidField(field, path, `Invalid path (regex used for validation is '${format}')`));
  return errors;
}

export function validateIngressClass(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  const controller: string = o.spec?.controller ?? '';
  if (byteLength(controller) > 250) errors.push(tooLong('spec.controller', 250));
  errors.push(...domainPrefixedPath('spec.controller', controller));
  const p = o.spec?.parameters;
  if (!p) return errors;
  const field = 'spec.parameters';
  errors.push(...reference(p, field));
  if (p.scope == null) return [...errors, required(`${field}.scope`)];
  if (p.scope !== 'Namespace' && p.scope !== 'Cluster')
    return [...errors, notSupported(`${field}.scope`, p.scope, ['Cluster', 'Namespace'])];
  if (p.scope === 'Namespace') {
    if (p.namespace == null) errors.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    else errors.push(...checkRule(`${field}.namespace`, p.namespace, isDns1123Label));
  } else if (p.namespace != null) errors.push(forbiddenField(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  return errors;
}

export const validateIngressClassUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...immutable('spec.controller', o.spec?.controller, old.spec?.controller),
  ...validateIngressClass(o),
];

// ---- IPAddress, ServiceCIDR

export function validateIpAddress(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, name => strictIp('', name).map(e => e.detail));
  const p = o.spec?.parentRef;
  if (!p) return [...errors, required('spec.parentRef')];
  const field = 'spec.parentRef';
  if (p.group) errors.push(...checkRule(`${field}.group`, p.group, isDns1123Subdomain));
  for (const k of ['resource', 'name']) {
    if (!p[k]) errors.push(required(`${field}.${k}`));
    else errors.push(...checkRule(`${field}.${k}`, p[k], isPathSegment));
  }
  if (p.namespace) errors.push(...checkRule(`${field}.namespace`, p.namespace, isPathSegment));
  return errors;
}

export const validateIpAddressUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...immutable('spec.parentRef', o.spec?.parentRef, old.spec?.parentRef),
];

function cidrs(list: string[]): FieldError[] {
  const field = 'spec.cidrs';
  if (!list.length) return [required(field, 'at least one CIDR required')];
  if (list.length > 2) return [invalidField(field, { CIDRs: list }, 'may only hold up to 2 values')];
  const errors = list.flatMap((c, i) => strictCidr(`${field}[${i}]`, c));
  const family = (c: string) => parseCidr(c)?.ip.length;
  if (list.length === 2 && family(list[0]) && family(list[0]) === family(list[1])) {
    errors.push(invalidField(field, list, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'));
  }
  return errors;
}

export const validateServiceCidr = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, false, nameIsSubdomain),
  ...cidrs(o.spec?.cidrs ?? []),
];

export function validateServiceCidrUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = validateMetadataUpdate(o.metadata, old.metadata);
  const now: string[] = o.spec?.cidrs ?? [];
  const was: string[] = old.spec?.cidrs ?? [];
  if (was.length === now.length) {
    for (const [i, c] of was.entries()) if (c !== now[i]) errors.push(invalidField(`spec.cidrs[${i}]`, now[i], IMMUTABLE));
  } else if (was.length === 1 && now.length === 2) {
    if (now[0] !== was[0]) errors.push(invalidField('spec.cidrs[0]', now[0], IMMUTABLE));
    errors.push(...cidrs(now));
  } else errors.push(invalidField('spec.cidrs', o.spec?.cidrs ?? null, IMMUTABLE));
  return errors;
}

// ---- EndpointSlice

export function validateEndpointSlice(o: KubeObject, old: KubeObject | null): FieldError[] {
  const errors = validateMetadata(o.metadata, true, nameIsSubdomain);
  errors.push(...requiredOneOf('addressType', o.addressType, ['FQDN', 'IPv4', 'IPv6']), ...slicePorts(o.ports ?? []));
  if (!old || !sameJson(o.endpoints ?? [], old.endpoints ?? [])) errors.push(...sliceEndpoints(o));
  return errors;
}

export const validateEndpointSliceUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateEndpointSlice(o, old),
  ...immutable('addressType', o.addressType, old.addressType),
];

function slicePorts(ports: any[]): FieldError[] {
  if (ports.length > 20000) return [tooMany('ports', ports.length, 20000)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, p] of ports.entries()) {
    const field = `ports[${i}]`;
    const name = p.name ?? '';
    if (name) errors.push(...checkRule(`${field}.name`, name, isDns1123Label));
    if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
    names.add(name);
    if (p.protocol == null) errors.push(required(`${field}.protocol`));
    else errors.push(...oneOf(`${field}.protocol`, p.protocol, PROTOCOLS));
    if (p.appProtocol != null) errors.push(...checkRule(`${field}.appProtocol`, p.appProtocol, isQualifiedName));
  }
  return errors;
}

function fullyQualified(field: string, value: string): FieldError[] {
  if (!value) return [required(field)];
  const name = value.replace(/\.$/, '');
  const bad = isDns1123Subdomain(name);
  if (bad.length) return [invalidField(field, name, bad.join(','))];
  if (name.split('.').length < 2) return [invalidField(field, name, 'should be a domain with at least two segments separated by dots')];
  for (const label of name.split('.')) {
    const wrong = isDns1123Label(label);
    if (wrong.length) return [invalidField(field, label, wrong.join(','))];
  }
  return [];
}

function sliceAddress(type: string, address: string, list: string, i: number): FieldError[] {
  const field = `${list}[${i}]`;
  if (type === 'FQDN') return fullyQualified(field, address);
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  const bad = type === 'IPv4' ? legacyIp(field, address) : strictIp(field, address);
  if (bad.length) return bad;
  const wrong = (address.includes(':') ? 'IPv6' : 'IPv4') !== type;
  return [...(wrong ? [invalidField(list, address, `must be an ${type} address`)] : []), ...endpointIp(field, address)];
}

function sliceEndpoints(o: KubeObject): FieldError[] {
  const list: any[] = o.endpoints ?? [];
  if (list.length > 1000) return [tooMany('endpoints', list.length, 1000)];
  const errors: FieldError[] = [];
  for (const [i, e] of list.entries()) {
    const field = `endpoints[${i}]`;
    const addresses: string[] = e.addresses ?? [];
    if (!addresses.length) errors.push(required(`${field}.addresses`, 'must contain at least 1 address'));
    else if (addresses.length > 100) errors.push(tooMany(`${field}.addresses`, addresses.length, 100));
    for (const [k, a] of addresses.entries()) errors.push(...sliceAddress(o.addressType, a, `${field}.addresses`, k));
    if (e.nodeName != null) errors.push(...checkRule(`${field}.nodeName`, e.nodeName, isDns1123Subdomain));
    errors.push(...validateLabels(e.deprecatedTopology, `${field}.deprecatedTopology`));
    if (e.hostname != null) errors.push(...checkRule(`${field}.hostname`, e.hostname, isDns1123Label));
    if (e.hints) errors.push(...hints(e.hints, `${field}.hints`));
  }
  return errors;
}

function hints(h: any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [part, rule] of [
    ['forZones', isLabelValue],
    ['forNodes', isDns1123Subdomain],
  ] as const) {
    const list: any[] = h[part] ?? [];
    if (list.length > 8) return [...errors, tooMany(`${field}.${part}`, list.length, 8)];
    const seen = new Set<string>();
    for (const [i, x] of list.entries()) {
      const name = x.name ?? '';
      if (seen.has(name)) errors.push(duplicate(`${field}.${part}[${i}].name`, name));
      seen.add(name);
      errors.push(...checkRule(`${field}.${part}[${i}].name`, name, rule));
    }
  }
  return errors;
}

export function endpointSliceWarnings(o: KubeObject, old: KubeObject | null): string[] {
  const out: string[] = [];
  if (!old && o.addressType === 'FQDN') out.push('spec.addressType: FQDN endpoints are deprecated');
  const by = o.metadata.labels?.['endpointslice.kubernetes.io/managed-by'];
  if (by === 'endpointslice-controller.k8s.io' || by === 'endpointslicemirroring-controller.k8s.io') return out;
  for (const [i, e] of (o.endpoints ?? []).entries()) {
    for (const [k, a] of (e.addresses ?? []).entries()) out.push(...ipWarnings(`endpoints[${i}].addresses[${k}]`, a));
  }
  return out;
}
