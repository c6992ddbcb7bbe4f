// PersistentVolumes, claims and classes (k8s.io/kubernetes/pkg/apis/{core,storage}/validation v1.36.3).

import { type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import { sameJson } from '../json.ts';
import { compareQuantity, quantity } from '../quantity.ts';
import { saidEmpty, type WriteContext } from '../strategy.ts';
import type { KubeObject } from '../types.ts';
import { nodeSelector } from './affinity-validation.ts';
import { internalDiff } from './internal-diff.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import {
  checkRule,
  immutable,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  nameIsSubdomain,
  oneOf,
  validateLabelSelector,
} from './rules.ts';

type Any = any;

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

function accessModes(list: string[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const m of list) if (!MODES.includes(m)) errors.push(notSupported(field, m, MODES));
  if (list.includes('ReadWriteOncePod') && list.some(m => m !== 'ReadWriteOncePod' && MODES.includes(m))) {
    errors.push(forbiddenField(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

function dataSource(s: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!s.name) errors.push(required(`${field}.name`));
  if (!s.kind) errors.push(required(`${field}.kind`));
  if (!s.apiGroup && s.kind !== 'PersistentVolumeClaim') {
    errors.push(invalidField(field, s.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (s.apiGroup) errors.push(...checkRule(`${field}.apiGroup`, s.apiGroup, isDns1123Subdomain));
  if (s.namespace) errors.push(...checkRule(`${field}.namespace`, s.namespace, isDns1123Label));
  return errors;
}

export function validatePersistentVolumeClaimSpec(spec: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const modes: string[] = spec.accessModes ?? [];
  if (!modes.length) errors.push(required(`${field}.accessModes`, 'at least 1 access mode is required'));
  errors.push(...validateLabelSelector(spec.selector, `${field}.selector`), ...accessModes(modes, `${field}.accessModes`));
  const size = spec.resources?.requests?.storage;
  const at = `${field}.resources[storage]`;
  if (size == null) errors.push(required(at));
  else if (quantity(size).nano <= 0n) errors.push(invalidField(at, size, 'must be greater than zero'));
  if (spec.storageClassName) errors.push(...checkRule(`${field}.storageClassName`, spec.storageClassName, isDns1123Subdomain));
  if (spec.volumeMode != null) errors.push(...oneOf(`${field}.volumeMode`, spec.volumeMode, ['Block', 'Filesystem']));
  if (spec.dataSource) errors.push(...dataSource(spec.dataSource, `${field}.dataSource`));
  if (spec.dataSourceRef) errors.push(...dataSource(spec.dataSourceRef, `${field}.dataSourceRef`));
  if (spec.volumeAttributesClassName) {
    errors.push(...checkRule(`${field}.volumeAttributesClassName`, spec.volumeAttributesClassName, isDns1123Subdomain));
  }
  return errors;
}

export const validatePersistentVolumeClaim = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...validatePersistentVolumeClaimSpec(o.spec ?? {}, 'spec'),
];

export function validatePersistentVolumeClaimUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = [...validateMetadataUpdate(o.metadata, old.metadata), ...validatePersistentVolumeClaim(o)];
  const now = { ...o.spec };
  const was = { ...old.spec };
  if (!was.volumeName && now.volumeName) was.volumeName = now.volumeName;
  if (was.storageClassName == null && now.storageClassName != null) delete now.storageClassName;
  if (o.status?.phase === 'Bound') {
    now.resources = { ...now.resources, requests: { ...now.resources?.requests, storage: was.resources?.requests?.storage } };
    if (was.volumeAttributesClassName == null) delete now.volumeAttributesClassName;
    else now.volumeAttributesClassName = was.volumeAttributesClassName;
  }
  if (!sameJson(now, was)) {
    const why = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbiddenField('spec', `${why}\n${internalDiff('PersistentVolumeClaimSpec', was, now)}`));
  }
  const size = quantity(o.spec?.resources?.requests?.storage ?? '0');
  if (compareQuantity(size, quantity(old.spec?.resources?.requests?.storage ?? '0')) < 0) {
    if (compareQuantity(size, quantity(old.status?.capacity?.storage ?? '0')) <= 0) {
      errors.push(forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'));
    }
  }
  return [...errors, ...immutable('volumeMode', o.spec?.volumeMode, old.spec?.volumeMode)];
}

/** Fields of a PersistentVolume's spec that are no volume source. */
const NOT_SOURCES = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
]);

const sources = (spec: Any): Any => Object.fromEntries(Object.entries(spec ?? {}).filter(([k]) => !NOT_SOURCES.has(k)));

export function validatePersistentVolume(o: KubeObject, c: WriteContext): FieldError[] {
  const s = o.spec ?? {};
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  const modes: string[] = s.accessModes ?? [];
  if (!modes.length) errors.push(required('spec.accessModes'));
  errors.push(...accessModes(modes, 'spec.accessModes'));
  const capacity = s.capacity ?? {};
  if (!Object.keys(capacity).length) errors.push(required('spec.capacity'));
  if (capacity.storage == null || Object.keys(capacity).length > 1) {
    errors.push(notSupported('spec.capacity', s.capacity ?? saidEmpty(c, 'spec', 'capacity'), ['storage']));
  }
  for (const k of Object.keys(capacity).sort()) {
    const q = quantity(capacity[k]);
    if (q.nano < 0n) errors.push(invalidField(`spec.capacity[${k}]`, Number(q.nano / 1_000_000_000n), 'must be a valid resource quantity'));
    if (q.nano <= 0n) errors.push(invalidField(`spec.capacity[${k}]`, capacity[k], 'must be greater than zero'));
  }
  if (s.persistentVolumeReclaimPolicy) {
    errors.push(...oneOf('spec.persistentVolumeReclaimPolicy', s.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain']));
  }
  if (s.nodeAffinity) {
    if (!s.nodeAffinity.required) errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else errors.push(...nodeSelector(s.nodeAffinity.required, 'spec.nodeAffinity.required'));
  }
  return [...errors, ...volumeSource(s)];
}

function volumeSource(s: Any): FieldError[] {
  const errors: FieldError[] = [];
  const kinds = Object.keys(sources(s));
  for (const k of kinds.slice(1)) errors.push(forbiddenField(`spec.${k}`, 'may not specify more than 1 volume type'));
  if (s.hostPath && !s.hostPath.path) errors.push(required('spec.hostPath.path'));
  else if (s.hostPath?.path.split('/').includes('..'))
    errors.push(invalidField('spec.hostPath.path', s.hostPath.path, "must not contain '..'"));
  if (s.local && !s.local.path) errors.push(required('spec.local.path'));
  if (s.local && !s.nodeAffinity) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  if (s.nfs) {
    if (!s.nfs.server) errors.push(required('spec.nfs.server'));
    if (!s.nfs.path) errors.push(required('spec.nfs.path'));
    if (!(s.nfs.path ?? '').startsWith('/')) errors.push(invalidField('spec.nfs.path', s.nfs.path ?? '', 'must be an absolute path'));
  }
  if (!kinds.length) errors.push(required('spec', 'must specify a volume type'));
  if (s.hostPath && s.hostPath.path === '/' && s.persistentVolumeReclaimPolicy === 'Recycle') {
    errors.push(forbiddenField('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  }
  if (s.storageClassName) errors.push(...checkRule('spec.storageClassName', s.storageClassName, isDns1123Subdomain));
  if (s.volumeMode != null) errors.push(...oneOf('spec.volumeMode', s.volumeMode, ['Block', 'Filesystem']));
  return errors;
}

export function validatePersistentVolumeUpdate(o: KubeObject, old: KubeObject, c: WriteContext): FieldError[] {
  const errors = validatePersistentVolume(o, c);
  const now = sources(o.spec);
  const was = sources(old.spec);
  if (!sameJson(now, was)) {
    const why = `spec.persistentvolumesource is immutable after creation\n${internalDiff('PersistentVolumeSource', was, now)}`;
    errors.push(forbiddenField('spec.persistentvolumesource', why));
  }
  return [...errors, ...immutable('volumeMode', o.spec?.volumeMode, old.spec?.volumeMode)];
}

export function validateStorageClass(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  if (!o.provisioner) errors.push(required('provisioner'));
  else errors.push(...checkRule('provisioner', o.provisioner.toLowerCase(), isQualifiedName));
  for (const k of Object.keys(o.parameters ?? {})) if (!k) errors.push(invalidField('parameters', k, 'field can not be empty.'));
  if (o.reclaimPolicy) errors.push(...oneOf('reclaimPolicy', o.reclaimPolicy, ['Delete', 'Retain']));
  if (o.volumeBindingMode == null) errors.push(required('volumeBindingMode'));
  else errors.push(...oneOf('volumeBindingMode', o.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']));
  return errors;
}

export const validateStorageClassUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'].flatMap(k => immutable(k, o[k], old[k])),
];
