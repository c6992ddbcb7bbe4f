// Volumes and their mounts (k8s.io/kubernetes/pkg/apis/core/validation/validation.go v1.36.3).

import { duplicate, type FieldError, forbiddenField, invalidField, notFoundField, notSupported, required } from '../field.ts';
import { quantity } from '../quantity.ts';
import type { ObjectMeta } from '../types.ts';
import { checkRule, isDns1123Label, isDns1123Subdomain, isQualifiedName, oneOf, validateLabelSelector } from './rules.ts';
import { validatePersistentVolumeClaimSpec } from './storage-validation.ts';

type Any = any;
export type Volumes = Map<string, Any>;

const MODE = 'must be a number between 0 and 0777 (octal), both inclusive';

const fileMode = (field: string, mode: number | undefined): FieldError[] =>
  mode != null && (mode > 0o777 || mode < 0) ? [invalidField(field, mode, MODE)] : [];

export const noBacksteps = (field: string, path: string): FieldError[] =>
  path.split('/').includes('..') ? [invalidField(field, path, "must not contain '..'")] : [];

/** validateLocalDescendingPath */
export const descendingPath = (field: string, path: string): FieldError[] => [
  ...(path.startsWith('/') ? [invalidField(field, path, 'must be a relative path')] : []),
  ...noBacksteps(field, path),
];

const nonReservedPath = (field: string, path: string): FieldError[] => [
  ...descendingPath(field, path),
  ...(path.startsWith('..') && !path.startsWith('../') ? [invalidField(field, path, "must not start with '..'")] : []),
];

function keyToPath(k: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!k.key) errors.push(required(`${field}.key`));
  if (!k.path) errors.push(required(`${field}.path`));
  return [...errors, ...nonReservedPath(`${field}.path`, k.path ?? ''), ...fileMode(`${field}.mode`, k.mode)];
}

const keysToPaths = (items: Any[] | undefined, field: string): FieldError[] =>
  (items ?? []).flatMap((k, i) => keyToPath(k, `${field}.items[${i}]`));

const need =
  (...names: string[]) =>
  (s: Any, field: string): FieldError[] =>
    names.filter(n => !s[n] || (Array.isArray(s[n]) && !s[n].length)).map(n => required(`${field}.${n}`));

type Check = (s: Any, field: string, meta: ObjectMeta | null, name: string) => FieldError[];

const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

function nfs(s: Any, field: string): FieldError[] {
  const errors = need('server', 'path')(s, field);
  if (!(s.path ?? '').startsWith('/')) errors.push(invalidField(`${field}.path`, s.path ?? '', 'must be an absolute path'));
  return errors;
}

function hostPath(s: Any, field: string): FieldError[] {
  if (!s.path) return [required(`${field}.path`)];
  return [...noBacksteps(`${field}.path`, s.path), ...(s.type == null ? [] : oneOf(`${field}.type`, s.type, HOST_PATH_TYPES))];
}

function csiDriver(field: string, name: string): FieldError[] {
  if (!name) return [required(field)];
  if (name.length > 63) return [{ type: 'TooLong', field, value: '', detail: 'may not be more than 63 bytes' }];
  return checkRule(field, name.toLowerCase(), isDns1123Subdomain);
}

const DOWNWARD_VOLUME = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

function downwardFile(f: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!f.path) errors.push(required(`${field}.path`));
  errors.push(...nonReservedPath(`${field}.path`, f.path ?? ''));
  if (f.fieldRef) {
    errors.push(...objectFieldSelector(f.fieldRef, DOWNWARD_VOLUME, `${field}.fieldRef`));
    if (f.resourceFieldRef)
      errors.push(invalidField(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (f.resourceFieldRef) errors.push(...resourceFieldSelector(f.resourceFieldRef, `${field}.resourceFieldRef`, true));
  else errors.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...fileMode(`${field}.mode`, f.mode)];
}

const LABELS = new Set([...DOWNWARD_VOLUME, 'spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'spec.schedulerName']);
for (const f of ['status.phase', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs']) LABELS.add(f);

/** What the downward API may show. */
export function objectFieldSelector(f: Any, allowed: string[], field: string): FieldError[] {
  if (!f.apiVersion) return [required(`${field}.apiVersion`)];
  if (!f.fieldPath) return [required(`${field}.fieldPath`)];
  const path = `${field}.fieldPath`;
  const convert = (why: string) => [invalidField(path, f.fieldPath, `error converting fieldPath: ${why}`)];
  if (f.apiVersion !== 'v1') return convert(`unsupported pod version: ${f.apiVersion}`);
  const subscript = /^(.+)\['(.*)'\]$/.exec(f.fieldPath);
  if (subscript) {
    const [, base, key] = subscript;
    if (base === 'metadata.annotations') return checkRule(field, key.toLowerCase(), isQualifiedName);
    if (base === 'metadata.labels') return checkRule(field, key, isQualifiedName);
    return convert(`field label does not support subscript: ${f.fieldPath}`);
  }
  const name = f.fieldPath === 'spec.host' ? 'spec.nodeName' : f.fieldPath;
  if (!LABELS.has(name)) return convert(`field label not supported: ${f.fieldPath}`);
  return allowed.includes(name) ? [] : [notSupported(path, name, [...allowed].sort())];
}

const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const UNITS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function resourceFieldSelector(f: Any, field: string, volume: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const name: string = f.resource ?? '';
  const huge = name.startsWith('requests.hugepages-') || name.startsWith('limits.hugepages-');
  if (volume && !f.containerName) errors.push(required(`${field}.containerName`));
  else if (!name) errors.push(required(`${field}.resource`));
  else if (!RESOURCES.includes(name) && !huge) errors.push(notSupported(`${field}.resource`, name, RESOURCES));
  const divisor = f.divisor ?? '0';
  if (quantity(divisor).nano === 0n) return errors;
  const bad = (what: string, list: string[], words: string) => {
    if (!list.includes(divisor))
      errors.push(invalidField(`${field}.divisor`, name, `only divisor's values ${words} are supported with the ${what} resource`));
  };
  if (name.endsWith('.cpu')) bad('cpu', ['1m', '1'], '1m and 1');
  else if (name.endsWith('.memory')) bad('memory', UNITS, UNITS.join(', '));
  else if (name.endsWith('.ephemeral-storage')) bad('local ephemeral storage', UNITS, UNITS.join(', '));
  else if (huge) bad('hugepages', UNITS, UNITS.join(', '));
  return errors;
}

function projected(s: Any, field: string): FieldError[] {
  const errors = fileMode(`${field}.defaultMode`, s.defaultMode);
  const paths = new Set<string>();
  const claim = (path: string | undefined, shown: string) => {
    if (!path) return;
    if (paths.has(path)) errors.push(invalidField(field, shown, 'conflicting duplicate paths'));
    paths.add(path);
  };
  for (const [i, source] of (s.sources ?? []).entries()) {
    const path = `${field}.sources[${i}]`;
    for (const kind of ['secret', 'configMap']) {
      const x = source[kind];
      if (!x) continue;
      if (!x.name) errors.push(required(`${path}.${kind}.name`));
      for (const [k, item] of (x.items ?? []).entries()) {
        errors.push(...keyToPath(item, `${path}.${kind}.items[${k}]`));
        claim(item.path, x.name ?? '');
      }
    }
    for (const file of source.downwardAPI?.items ?? []) {
      errors.push(...downwardFile(file, `${path}.downwardAPI`));
      claim(file.path, file.path);
    }
    const token = source.serviceAccountToken;
    if (token) {
      const seconds = token.expirationSeconds;
      const where = `${path}.serviceAccountToken.expirationSeconds`;
      if (seconds < 600) errors.push(invalidField(where, seconds, 'may not specify a duration less than 10 minutes'));
      if (seconds > 2 ** 32) errors.push(invalidField(where, seconds, 'may not specify a duration larger than 2^32 seconds'));
      errors.push(...(token.path ? nonReservedPath(`${field}.path`, token.path) : [required(`${field}.path`)]));
    }
    const bundle = source.clusterTrustBundle;
    if (bundle) {
      if (bundle.name == null && bundle.signerName == null) {
        errors.push(required(`${path}.clusterTrustBundle`, 'either name or signerName must be specified'));
      }
      errors.push(...validateLabelSelector(bundle.labelSelector, `${path}.clusterTrustBundle.labelSelector`));
      if (!bundle.path) errors.push(required(`${path}.clusterTrustBundle.path`));
      errors.push(...nonReservedPath(`${path}.clusterTrustBundle.path`, bundle.path ?? ''));
    }
    if (Object.keys(source).length > 1) errors.push(forbiddenField(path, 'may not specify more than 1 volume type per source'));
  }
  return errors;
}

/** In upstream's order: the first given is the volume's type, every further one is an error. */
const SOURCES: [string, Check][] = [
  [
    'emptyDir',
    (s, f) =>
      s.sizeLimit != null && quantity(s.sizeLimit).nano < 0n
        ? [forbiddenField(`${f}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
        : [],
  ],
  ['hostPath', hostPath],
  ['gitRepo', (s, f) => [...need('repository')(s, f), ...descendingPath(`${f}.directory`, s.directory ?? '')]],
  ['gcePersistentDisk', need('pdName')],
  ['awsElasticBlockStore', need('volumeID')],
  ['secret', (s, f) => [...need('secretName')(s, f), ...fileMode(`${f}.defaultMode`, s.defaultMode), ...keysToPaths(s.items, f)]],
  ['nfs', nfs],
  ['iscsi', need('targetPortal', 'iqn')],
  ['glusterfs', need('endpoints', 'path')],
  ['flocker', () => []],
  ['persistentVolumeClaim', need('claimName')],
  ['rbd', need('monitors', 'image')],
  ['cinder', need('volumeID')],
  ['cephfs', need('monitors')],
  ['quobyte', need('registry', 'volume')],
  ['downwardAPI', (s, f) => [...fileMode(`${f}.defaultMode`, s.defaultMode), ...(s.items ?? []).flatMap((i: Any) => downwardFile(i, f))]],
  ['fc', () => []],
  ['flexVolume', need('driver')],
  ['configMap', (s, f) => [...need('name')(s, f), ...fileMode(`${f}.defaultMode`, s.defaultMode), ...keysToPaths(s.items, f)]],
  ['azureFile', need('secretName', 'shareName')],
  ['vsphereVolume', need('volumePath')],
  ['photonPersistentDisk', need('pdID')],
  ['portworxVolume', need('volumeID')],
  ['azureDisk', need('diskName', 'diskURI')],
  ['storageos', () => []],
  ['projected', projected],
  ['scaleIO', need('gateway', 'system', 'volumeName')],
  ['csi', (s, f) => csiDriver(`${f}.driver`, s.driver ?? '')],
  [
    'ephemeral',
    (s, f) =>
      s.volumeClaimTemplate
        ? validatePersistentVolumeClaimSpec(s.volumeClaimTemplate.spec ?? {}, `${f}.volumeClaimTemplate.spec`)
        : [required(`${f}.volumeClaimTemplate`)],
  ],
  [
    'image',
    (s, f) => [
      ...need('reference')(s, f),
      ...(['Always', 'IfNotPresent', 'Never'].includes(s.pullPolicy)
        ? []
        : [notSupported(`${f}.pullPolicy`, s.pullPolicy, ['Always', 'IfNotPresent', 'Never'])]),
    ],
  ],
];

function volumeSource(v: Any, field: string, meta: ObjectMeta | null): FieldError[] {
  const errors: FieldError[] = [];
  let n = 0;
  for (const [kind, check] of SOURCES) {
    if (!v[kind]) continue;
    if (n++) errors.push(forbiddenField(`${field}.${kind}`, 'may not specify more than 1 volume type'));
    else errors.push(...check(v[kind], `${field}.${kind}`, meta, v.name));
  }
  if (!n) errors.push(required(field, 'must specify a volume type'));
  return errors;
}

/** -> the volumes that mounts may name: only the good ones. */
export function validateVolumes(list: Any[], meta: ObjectMeta | null, field: string): { volumes: Volumes; errors: FieldError[] } {
  const volumes: Volumes = new Map();
  const errors: FieldError[] = [];
  for (const [i, v] of list.entries()) {
    const path = `${field}[${i}]`;
    const mine = volumeSource(v, path, meta);
    if (!v.name) mine.push(required(`${path}.name`));
    else mine.push(...checkRule(`${path}.name`, v.name, isDns1123Label));
    if (volumes.has(v.name)) mine.push(duplicate(`${path}.name`, v.name));
    if (mine.length) errors.push(...mine);
    else volumes.set(v.name, v);
    const claim = v.persistentVolumeClaim?.claimName;
    if (claim && meta?.name && list.some(x => x.ephemeral && `${meta.name}-${x.name}` === claim)) {
      const why = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(invalidField(`${path}.persistentVolumeClaim.claimName`, claim, why));
    }
  }
  return { volumes, errors };
}

export function validateVolumeMounts(container: Any, volumes: Volumes, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  const devices: Any[] = container.volumeDevices ?? [];
  for (const [i, m] of (container.volumeMounts ?? []).entries()) {
    const at = `${field}[${i}]`;
    const { name = '', mountPath = '', subPath = '', subPathExpr = '' } = m;
    if (!name) errors.push(required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFoundField(`${at}.name`, name));
    if (!mountPath) errors.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalidField(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (devices.some(d => d.name === name)) errors.push(invalidField(`${at}.name`, name, 'must not already exist in volumeDevices'));
    if (devices.some(d => d.devicePath === mountPath)) {
      errors.push(invalidField(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (subPath) errors.push(...descendingPath(`${field}.subPath`, subPath));
    if (subPathExpr) {
      if (subPath) errors.push(invalidField(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      errors.push(...descendingPath(`${field}.subPathExpr`, subPathExpr));
    }
    errors.push(...propagation(m, container, field));
  }
  return errors;
}

function propagation(m: Any, container: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (m.mountPropagation != null) {
    const path = `${field}.mountPropagation`;
    errors.push(...oneOf(path, m.mountPropagation, ['Bidirectional', 'HostToContainer', 'None']));
    if (m.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
      errors.push(forbiddenField(path, 'Bidirectional mount propagation is available only to privileged containers'));
    }
  }
  const recursive = m.recursiveReadOnly;
  if (recursive == null || recursive === 'Disabled') return errors;
  const path = `${field}.recursiveReadOnly`;
  if (recursive !== 'Enabled' && recursive !== 'IfPossible') {
    return [...errors, notSupported(path, recursive, ['Disabled', 'Enabled', 'IfPossible'])];
  }
  if (!m.readOnly) errors.push(forbiddenField(path, 'may only be specified when readOnly is true'));
  if (m.mountPropagation != null && m.mountPropagation !== 'None') {
    errors.push(forbiddenField(path, 'may only be specified when mountPropagation is None or not specified'));
  }
  return errors;
}

export function validateVolumeDevices(container: Any, volumes: Volumes, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounts: Any[] = container.volumeMounts ?? [];
  for (const [i, d] of (container.volumeDevices ?? []).entries()) {
    const at = `${field}[${i}]`;
    const { name = '', devicePath = '' } = d;
    const volume = volumes.get(name);
    if (!name) errors.push(required(`${at}.name`));
    if (names.has(name)) errors.push(invalidField(`${at}.name`, name, 'must be unique'));
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.push(invalidField(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'));
    }
    if (!volume) errors.push(notFoundField(`${at}.name`, name));
    if (!devicePath) errors.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) errors.push(invalidField(`${at}.devicePath`, devicePath, 'must be unique'));
    if (devicePath.split('/').includes('..')) errors.push(invalidField(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mounts.some(m => m.name === name)) errors.push(invalidField(`${at}.name`, name, 'must not already exist in volumeMounts'));
    if (mounts.some(m => m.mountPath === devicePath)) {
      errors.push(invalidField(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    if (name) names.add(name);
  }
  return errors;
}
