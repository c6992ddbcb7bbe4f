// Validation of the small core kinds (k8s.io/kubernetes/pkg/apis/core/validation/validation.go v1.36.3).

import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import { parseIp } from '../../wire/ip.ts';
import { duplicate, type FieldError, forbiddenField, invalidField, required, tooLong } from '../field.ts';
import { sameJson } from '../json.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { quantityValue } from './resources-validation.ts';
import {
  byteLength,
  checkRule,
  endpointIp,
  immutable,
  isConfigMapKey,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPortNumber,
  isQualifiedName,
  legacyCidr,
  legacyIp,
  nameIsLabel,
  nameIsSubdomain,
  PROTOCOLS,
  requiredOneOf,
  validateLabelName,
} from './rules.ts';

const MAX_SIZE = 1024 * 1024;
const sorted = (o: Record<string, string> | undefined): string[] => Object.keys(o ?? {}).sort();
/** Of what is null in JSON Go makes no bytes. */
const decodedLength = (base64: string | null): number => Math.floor(((base64 ?? '').replace(/=+$/, '').length * 3) / 4);

export function validateConfigMap(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, true, nameIsSubdomain);
  let size = 0;
  for (const k of sorted(o.data)) {
    for (const t of isConfigMapKey(k)) errors.push(invalidField(`data[${k}]`, k, t));
    if (o.binaryData && k in o.binaryData) errors.push(invalidField(`data[${k}]`, k, 'duplicate of key present in binaryData'));
    size += byteLength(o.data[k]);
  }
  for (const k of sorted(o.binaryData)) {
    for (const t of isConfigMapKey(k)) errors.push(invalidField(`binaryData[${k}]`, k, t));
    size += decodedLength(o.binaryData[k]);
  }
  if (size > MAX_SIZE) errors.push(tooLong('', MAX_SIZE));
  return errors;
}

function frozen(o: KubeObject, old: KubeObject, fields: string[]): FieldError[] {
  if (!old.immutable) return [];
  const why = 'field is immutable when `immutable` is set';
  const errors = o.immutable ? [] : [forbiddenField('immutable', why)];
  for (const f of fields) if (!sameJson(o[f] ?? {}, old[f] ?? {})) errors.push(forbiddenField(f, why));
  return errors;
}

export const validateConfigMapUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...frozen(o, old, ['data', 'binaryData']),
  ...validateConfigMap(o),
];

export function validateSecret(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, true, nameIsSubdomain);
  const data: Record<string, string> = o.data ?? {};
  let size = 0;
  for (const k of sorted(data)) {
    for (const t of isConfigMapKey(k)) errors.push(invalidField(`data[${k}]`, k, t));
    size += decodedLength(data[k]);
  }
  if (size > MAX_SIZE) errors.push(tooLong('data', MAX_SIZE));
  return [...errors, ...secretType(o, data)];
}

function secretType(o: KubeObject, data: Record<string, string>): FieldError[] {
  const missing = (...names: string[]): FieldError[] => names.filter(k => !(k in data)).map(k => required(`data[${k}]`));
  switch (o.type) {
    case 'kubernetes.io/service-account-token': {
      const key = 'kubernetes.io/service-account.name';
      return o.metadata.annotations?.[key] ? [] : [required(`metadata.annotations[${key}]`)];
    }
    case 'kubernetes.io/dockercfg':
      return '.dockercfg' in data ? dockerConfig('.dockercfg', data) : missing('.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return '.dockerconfigjson' in data ? dockerConfig('.dockerconfigjson', data) : missing('.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      return 'username' in data || 'password' in data ? [] : missing('username', 'password');
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')];
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function dockerConfig(key: string, data: Record<string, string>): FieldError[] {
  const text = bytesToString(unbase64(data[key]) ?? new Uint8Array(0));
  const field = `data[${key}]`;
  const redacted = '<secret contents redacted>';
  if (!text.trim()) return [invalidField(field, redacted, 'unexpected end of JSON input')];
  try {
    const v = JSON.parse(text);
    if (v === null || (typeof v === 'object' && !Array.isArray(v))) return [];
    const kind = Array.isArray(v) ? 'array' : typeof v === 'boolean' ? 'bool' : typeof v;
    return [invalidField(field, redacted, `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`)];
  } catch {
    const c = text.trim()[0];
    const known = '{["-0123456789tfn'.includes(c);
    const why = known ? 'unexpected end of JSON input' : `invalid character '${c}' looking for beginning of value`;
    return [invalidField(field, redacted, why)];
  }
}

export const validateSecretUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...immutable('type', o.type, old.type),
  ...frozen(o, old, ['data']),
  ...validateSecret(o),
];

export function validateNamespace(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, nameIsLabel);
  for (const f of o.spec?.finalizers ?? []) {
    errors.push(...checkRule('spec.finalizers', f, isQualifiedName));
    if (!f.includes('/') && !['kubernetes', 'orphan', 'foregroundDeletion'].includes(f)) {
      errors.push(invalidField('spec.finalizers', f, 'name is neither a standard finalizer name nor is it fully qualified'));
    }
  }
  return errors;
}

export const validateServiceAccount = (o: KubeObject): FieldError[] => validateMetadata(o.metadata, true, nameIsSubdomain);

// ---- Endpoints

export function validateEndpoints(o: KubeObject, old: KubeObject | null): FieldError[] {
  const errors = validateMetadata(o.metadata, true, nameIsSubdomain);
  if (old && sameJson(o.subsets ?? [], old.subsets ?? [])) return errors;
  for (const [i, s] of (o.subsets ?? []).entries()) {
    const field = `subsets[${i}]`;
    if (!s.addresses?.length && !s.notReadyAddresses?.length)
      errors.push(required(field, 'must specify `addresses` or `notReadyAddresses`'));
    for (const list of ['addresses', 'notReadyAddresses']) {
      for (const [k, a] of (s[list] ?? []).entries()) errors.push(...endpointAddress(a, `${field}.${list}[${k}]`));
    }
    for (const [k, p] of (s.ports ?? []).entries()) errors.push(...endpointPort(p, s.ports.length > 1, `${field}.ports[${k}]`));
  }
  return errors;
}

function endpointAddress(a: any, field: string): FieldError[] {
  const errors = legacyIp(`${field}.ip`, a.ip ?? '');
  if (a.hostname) errors.push(...checkRule(`${field}.hostname`, a.hostname, isDns1123Label));
  if (a.nodeName != null) errors.push(...checkRule(`${field}.nodeName`, a.nodeName, isDns1123Subdomain));
  return [...errors, ...endpointIp(`${field}.ip`, a.ip ?? '')];
}

function endpointPort(p: any, requireName: boolean, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (requireName && !p.name) errors.push(required(`${field}.name`));
  else if (p.name) errors.push(...checkRule(`${field}.name`, p.name, isDns1123Label));
  const port = p.port ?? 0;
  for (const t of isPortNumber(port)) errors.push(invalidField(`${field}.port`, port, t));
  errors.push(...requiredOneOf(`${field}.protocol`, p.protocol, PROTOCOLS));
  if (p.appProtocol != null) errors.push(...checkRule(`${field}.appProtocol`, p.appProtocol, isQualifiedName));
  return errors;
}

export const validateEndpointsUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...validateEndpoints(o, old),
];

// ---- Nodes

const EFFECTS = ['NoExecute', 'NoSchedule', 'PreferNoSchedule'];

/** The path is metadata.taints, as the real one says. */
function taints(list: any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, t] of list.entries()) {
    errors.push(...validateLabelName(t.key ?? '', `${field}[${i}].key`));
    const bad = isLabelValue(t.value ?? '');
    if (bad.length) errors.push(invalidField(`${field}[${i}].value`, t.value, bad.join(';')));
    errors.push(...requiredEffect(t.effect, `${field}[${i}].effect`));
    const key = `${t.effect} ${t.key}`;
    if (seen.has(key)) {
      const shown = { Key: t.key ?? '', Value: t.value ?? '', Effect: t.effect ?? '', TimeAdded: t.timeAdded ?? null };
      errors.push({ ...duplicate(`${field}[${i}]`, shown), detail: 'taints must be unique by key and effect pair' });
    }
    seen.add(key);
  }
  return errors;
}

function requiredEffect(effect: string | undefined, field: string): FieldError[] {
  if (effect && EFFECTS.includes(effect)) return [];
  const supported = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
  if (!effect) return [required(field)];
  return [{ type: 'NotSupported', field, value: effect, detail: `supported values: ${supported.map(s => `"${s}"`).join(', ')}` }];
}

function nodeResources(o: KubeObject): FieldError[] {
  return ['capacity', 'allocatable'].flatMap(part =>
    sorted(o.status?.[part]).flatMap(k => quantityValue(k, o.status[part][k], `status.${part}.${k}`)),
  );
}

export function validateNode(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  errors.push(...taints(o.spec?.taints ?? [], 'metadata.taints'), ...nodeResources(o));
  const cidrs: string[] = o.spec?.podCIDRs ?? [];
  for (const [i, c] of cidrs.entries()) errors.push(...legacyCidr(`spec.podCIDRs[${i}]`, c));
  if (cidrs.length > 1) {
    const families = new Set(cidrs.map(c => (parseIp(c.split('/')[0])?.length === 16 ? 6 : 4)));
    if (families.size < 2 || cidrs.length > 2) {
      errors.push(invalidField('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
    }
  }
  return errors;
}

export function validateNodeUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = [...validateMetadataUpdate(o.metadata, old.metadata), ...nodeResources(o)];
  const seen = new Set<string>();
  for (const [i, a] of (o.status?.addresses ?? []).entries()) {
    const key = `${a.type} ${a.address}`;
    if (seen.has(key)) errors.push(duplicate(`status.addresses[${i}]`, { Type: a.type, Address: a.address }));
    seen.add(key);
  }
  const why = 'node updates may not change podCIDR except from "" to valid';
  const was: string[] = old.spec?.podCIDRs ?? [];
  const now: string[] = o.spec?.podCIDRs ?? [];
  if (was.length && was.length !== now.length) errors.push(forbiddenField('spec.podCIDRs', why));
  else for (const [i, c] of was.entries()) if (c !== now[i]) errors.push(forbiddenField('spec.podCIDRs', why));
  if (old.spec?.providerID && old.spec.providerID !== o.spec?.providerID) {
    errors.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  return [...errors, ...taints(o.spec?.taints ?? [], 'metadata.taints')];
}
