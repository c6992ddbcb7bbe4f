// Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers
// (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go and core/validation v1.36.3).

import { type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import { sameJson } from '../json.ts';
import { matchLabelSelector, matchMap } from '../labels.ts';
import type { KubeObject } from '../types.ts';
import { validateAnnotations, validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { podAnnotations, validatePodTemplate } from './pod-validation.ts';
import {
  checkRule,
  immutable,
  isDns1123Label,
  isLabelValue,
  isPercent,
  isQualifiedName,
  nameIsLabel,
  nameIsSubdomain,
  nonNegative,
  validateLabelSelector,
  validateLabels,
} from './rules.ts';
import { validatePersistentVolumeClaimSpec } from './storage-validation.ts';

type Any = any;

/** Does LabelSelectorAsSelector make a selector of it. */
export function selectorParses(s: Any): boolean {
  if (!s) return true;
  for (const [k, v] of Object.entries(s.matchLabels ?? {})) {
    if (isQualifiedName(k).length || isLabelValue(v as string).length) return false;
  }
  for (const e of s.matchExpressions ?? []) {
    const n = e.values?.length ?? 0;
    if (isQualifiedName(e.key ?? '').length || (e.values ?? []).some((v: string) => isLabelValue(v).length)) return false;
    if (e.operator === 'In' || e.operator === 'NotIn') {
      if (!n) return false;
    } else if (e.operator === 'Exists' || e.operator === 'DoesNotExist') {
      if (n) return false;
    } else return false;
  }
  return true;
}

const isEmptySelector = (s: Any): boolean => !Object.keys(s.matchLabels ?? {}).length && !s.matchExpressions?.length;

/** Selectors have JSON names, in the order of their Go fields. */
export const selectorShown = (s: Any): Any => ({
  ...(s.matchLabels && Object.keys(s.matchLabels).length ? { matchLabels: sorted(s.matchLabels) } : {}),
  ...(s.matchExpressions?.length
    ? {
        matchExpressions: s.matchExpressions.map((e: Any) => ({
          key: e.key,
          operator: e.operator,
          ...(e.values?.length && { values: e.values }),
        })),
      }
    : {}),
});

export const sorted = (m: Record<string, string> | undefined): Any =>
  m && Object.keys(m).length ? Object.fromEntries(Object.entries(m).sort(([a], [b]) => (a < b ? -1 : 1))) : null;

function mismatch(selector: Any, template: Any, field: string): FieldError[] {
  if (selector && isEmptySelector(selector)) return [];
  const labels = template?.metadata?.labels;
  if (matchLabelSelector(selector, labels)) return [];
  return [invalidField(`${field}.metadata.labels`, sorted(labels), '`selector` does not match template `labels`')];
}

function alwaysRestarts(template: Any, field: string, kind: string): FieldError[] {
  const errors: FieldError[] = [];
  if (template.spec?.restartPolicy !== 'Always') {
    errors.push(notSupported(`${field}.spec.restartPolicy`, template.spec?.restartPolicy ?? '', ['Always']));
  }
  if (template.spec?.activeDeadlineSeconds != null) {
    errors.push(forbiddenField(`${field}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`));
  }
  return errors;
}

function selectorAndTemplate(s: Any): FieldError[] {
  const errors: FieldError[] = [];
  if (!s.selector) errors.push(required('spec.selector'));
  else {
    errors.push(...validateLabelSelector(s.selector, 'spec.selector'));
    if (isEmptySelector(s.selector)) errors.push(invalidField('spec.selector', {}, 'empty selector is invalid for deployment'));
  }
  if (!selectorParses(s.selector)) return [...errors, invalidField('spec.selector', selectorShown(s.selector), 'invalid label selector')];
  const template = s.template ?? {};
  return [
    ...errors,
    ...mismatch(s.selector, template, 'spec.template'),
    ...validatePodTemplate(template, 'spec.template'),
    ...alwaysRestarts(template, 'spec.template', 'ReplicaSet'),
  ];
}

export function intOrPercent(v: number | string | undefined, field: string): FieldError[] {
  if (typeof v === 'string') return checkRule(field, v, isPercent);
  return nonNegative(field, v ?? 0);
}

const amount = (v: number | string | undefined): number => {
  if (typeof v === 'number') return v;
  if (v == null) return 0;
  return /^[0-9]+%?$/.test(v) ? Number.parseInt(v, 10) : 0;
};

export const notAbove100 = (v: number | string | undefined, field: string): FieldError[] =>
  typeof v === 'string' && /^[0-9]+%$/.test(v) && amount(v) > 100 ? [invalidField(field, v, 'must not be greater than 100%')] : [];

function deploymentStrategy(s: Any): FieldError[] {
  const field = 'spec.strategy';
  const r = s?.rollingUpdate;
  if (s?.type === 'Recreate') {
    return r ? [forbiddenField(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")] : [];
  }
  if (s?.type !== 'RollingUpdate') {
    const shown = { Type: s?.type ?? '', RollingUpdate: r ? { MaxUnavailable: r.maxUnavailable ?? 0, MaxSurge: r.maxSurge ?? 0 } : null };
    return [notSupported(field, shown, ['Recreate', 'RollingUpdate'])];
  }
  const at = `${field}.rollingUpdate`;
  const errors = [...intOrPercent(r.maxUnavailable, `${at}.maxUnavailable`), ...intOrPercent(r.maxSurge, `${at}.maxSurge`)];
  if (amount(r.maxUnavailable) === 0 && amount(r.maxSurge) === 0) {
    errors.push(invalidField(`${at}.maxUnavailable`, r.maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  return [...errors, ...notAbove100(r.maxUnavailable, `${at}.maxUnavailable`)];
}

function deploymentSpec(o: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  const errors = [
    ...nonNegative('spec.replicas', s.replicas),
    ...selectorAndTemplate(s),
    ...deploymentStrategy(s.strategy),
    ...nonNegative('spec.minReadySeconds', s.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', s.revisionHistoryLimit),
    ...nonNegative('spec.progressDeadlineSeconds', s.progressDeadlineSeconds),
  ];
  if (s.progressDeadlineSeconds != null && s.progressDeadlineSeconds <= (s.minReadySeconds ?? 0)) {
    errors.push(invalidField('spec.progressDeadlineSeconds', s.progressDeadlineSeconds, 'must be greater than minReadySeconds'));
  }
  return errors;
}

const fixedSelector = (o: KubeObject, old: KubeObject): FieldError[] =>
  sameJson(o.spec?.selector, old.spec?.selector)
    ? []
    : immutable('spec.selector', o.spec?.selector ? selectorShown(o.spec.selector) : null, old.spec?.selector);

export const validateDeployment = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...deploymentSpec(o),
];

export const validateDeploymentUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...deploymentSpec(o),
  ...fixedSelector(o, old),
];

function replicaSetSpec(o: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  return [
    ...nonNegative('spec.replicas', s.replicas),
    ...nonNegative('spec.minReadySeconds', s.minReadySeconds),
    ...selectorAndTemplate(s),
  ];
}

export const validateReplicaSet = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...replicaSetSpec(o),
];

export const validateReplicaSetUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...replicaSetSpec(o),
  ...fixedSelector(o, old),
];

// ---- ReplicationController

function replicationControllerSpec(o: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  const errors = nonNegative('spec.minReadySeconds', s.minReadySeconds);
  const empty = !Object.keys(s.selector ?? {}).length;
  if (empty) errors.push(required('spec.selector'));
  if (s.replicas == null) errors.push(required('spec.replicas'));
  errors.push(...nonNegative('spec.replicas', s.replicas));
  if (!s.template) return [...errors, required('spec.template')];
  const labels = s.template.metadata?.labels;
  if (!empty && !matchMap(s.selector, labels)) {
    errors.push(invalidField('spec.template.metadata.labels', sorted(labels), '`selector` does not match template `labels`'));
  }
  return [
    ...errors,
    ...validatePodTemplate(s.template, 'spec.template'),
    ...alwaysRestarts(s.template, 'spec.template', 'ReplicationController'),
  ];
}

export const validateReplicationController = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...replicationControllerSpec(o),
];

export const validateReplicationControllerUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...replicationControllerSpec(o),
];

// ---- StatefulSet

function statefulStrategy(s: Any): FieldError[] {
  const field = 'spec.updateStrategy';
  const r = s?.rollingUpdate;
  const shown = r ? { Partition: r.partition ?? 0, MaxUnavailable: r.maxUnavailable ?? null } : null;
  if (!s?.type) return [required(field)];
  if (s.type === 'OnDelete')
    return r ? [invalidField(`${field}.rollingUpdate`, shown, "only allowed for updateStrategy 'RollingUpdate'")] : [];
  if (s.type !== 'RollingUpdate')
    return [invalidField(field, { Type: s.type, RollingUpdate: shown }, "must be 'RollingUpdate' or 'OnDelete'")];
  if (!r) return [];
  const at = `${field}.rollingUpdate`;
  const errors = nonNegative(`${at}.partition`, r.partition);
  if (r.maxUnavailable == null) return errors;
  const path = `${at}.maxUnavailable`;
  errors.push(...intOrPercent(r.maxUnavailable, path));
  if (amount(r.maxUnavailable) === 0) errors.push(invalidField(path, r.maxUnavailable, 'cannot be 0'));
  return [...errors, ...notAbove100(r.maxUnavailable, path)];
}

function statefulTemplate(s: Any): Any {
  const template = { ...s.template, spec: { ...s.template?.spec } };
  delete template.spec.subdomain;
  delete template.spec.hostname;
  const claims: Any[] = s.volumeClaimTemplates ?? [];
  if (claims.length) {
    const names = [...new Set(claims.map(c => c.metadata?.name))];
    const own = names.map(name => ({ name, persistentVolumeClaim: { claimName: name } }));
    template.spec.volumes = [...own, ...(template.spec.volumes ?? []).filter((v: Any) => !names.includes(v.name))];
  }
  return template;
}

function statefulSetSpec(o: KubeObject, old: KubeObject | null): FieldError[] {
  const s = o.spec ?? {};
  const errors: FieldError[] = [];
  if (!s.podManagementPolicy) errors.push(required('spec.podManagementPolicy'));
  else if (s.podManagementPolicy !== 'OrderedReady' && s.podManagementPolicy !== 'Parallel') {
    errors.push(invalidField('spec.podManagementPolicy', s.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"));
  }
  errors.push(...statefulStrategy(s.updateStrategy));
  for (const k of ['whenDeleted', 'whenScaled']) {
    const v = s.persistentVolumeClaimRetentionPolicy?.[k];
    if (v !== 'Retain' && v !== 'Delete') {
      errors.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${k}`, v ?? '', ['Retain', 'Delete']));
    }
  }
  if (!old) {
    for (const [i, c] of (s.volumeClaimTemplates ?? []).entries()) {
      errors.push(...validatePersistentVolumeClaimSpec(c.spec ?? {}, `spec.volumeClaimTemplates[${i}].spec`));
    }
  }
  errors.push(...nonNegative('spec.replicas', s.replicas), ...nonNegative('spec.minReadySeconds', s.minReadySeconds));
  if (s.ordinals) errors.push(...nonNegative('spec.ordinals.start', s.ordinals.start));
  if (!old && s.serviceName) errors.push(...checkRule('spec.serviceName', s.serviceName, isDns1123Label));
  if (!s.selector) errors.push(required('spec.selector'));
  else {
    errors.push(...validateLabelSelector(s.selector, 'spec.selector'));
    if (isEmptySelector(s.selector)) errors.push(invalidField('spec.selector', {}, 'empty selector is invalid for statefulset'));
  }
  if (!selectorParses(s.selector)) errors.push(invalidField('spec.selector', selectorShown(s.selector), ''));
  else {
    const template = statefulTemplate(s);
    errors.push(
      ...mismatch(s.selector, template, 'spec.template'),
      ...validatePodTemplate(template, 'spec.template'),
      ...validateLabels(template.metadata?.labels, 'spec.template.labels'),
      ...validateAnnotations(template.metadata?.annotations, 'spec.template.annotations'),
      ...podAnnotations(template.metadata?.annotations, template.spec, 'spec.template.annotations'),
    );
  }
  return [...errors, ...alwaysRestarts(s.template ?? {}, 'spec.template', 'StatefulSet')];
}

export const validateStatefulSet = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsLabel),
  ...statefulSetSpec(o, null),
];

const MUTABLE = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
];

export function validateStatefulSetUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = [...validateMetadataUpdate(o.metadata, old.metadata), ...statefulSetSpec(o, old)];
  const fixed = (spec: Any): Any => Object.fromEntries(Object.entries(spec ?? {}).filter(([k]) => !MUTABLE.includes(k)));
  if (!sameJson(fixed(o.spec), fixed(old.spec))) {
    const why =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    errors.push(forbiddenField('spec', why));
  }
  return errors;
}

// ---- DaemonSet

function daemonStrategy(s: Any): FieldError[] {
  const field = 'spec.updateStrategy';
  const r = s?.rollingUpdate;
  if (s?.type === 'OnDelete') return [];
  if (s?.type !== 'RollingUpdate') {
    const shown = { Type: s?.type ?? '', RollingUpdate: r ? { MaxUnavailable: r.maxUnavailable ?? 0, MaxSurge: r.maxSurge ?? 0 } : null };
    return [notSupported(field, shown, ['RollingUpdate', 'OnDelete'])];
  }
  if (!r) return [required(`${field}.rollingUpdate`)];
  const unavailable = `${field}.rollingUpdate.maxUnavailable`;
  const surge = `${field}.rollingUpdate.maxSurge`;
  const errors = [
    ...intOrPercent(r.maxUnavailable, unavailable),
    ...intOrPercent(r.maxSurge, surge),
    ...notAbove100(r.maxUnavailable, unavailable),
    ...notAbove100(r.maxSurge, surge),
  ];
  const a = amount(r.maxUnavailable) !== 0;
  const b = amount(r.maxSurge) !== 0;
  if (a && b) errors.push(invalidField(surge, r.maxSurge, 'may not be set when maxUnavailable is non-zero'));
  else if (!a && !b) errors.push(required(unavailable, 'cannot be 0 when maxSurge is 0'));
  return errors;
}

function daemonSetSpec(o: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  const errors = validateLabelSelector(s.selector, 'spec.selector');
  const labels = s.template?.metadata?.labels;
  if (selectorParses(s.selector) && !matchLabelSelector(s.selector, labels)) {
    errors.push(invalidField('spec.template.metadata.labels', sorted(labels), '`selector` does not match template `labels`'));
  }
  if (s.selector && isEmptySelector(s.selector)) errors.push(invalidField('spec.selector', {}, 'empty selector is invalid for daemonset'));
  return [
    ...errors,
    ...validatePodTemplate(s.template ?? {}, 'spec.template'),
    ...alwaysRestarts(s.template ?? {}, 'spec.template', 'DaemonSet'),
    ...nonNegative('spec.minReadySeconds', s.minReadySeconds),
    ...daemonStrategy(s.updateStrategy),
    ...nonNegative('spec.revisionHistoryLimit', s.revisionHistoryLimit),
  ];
}

export const validateDaemonSet = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...daemonSetSpec(o),
];

export const validateDaemonSetUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...fixedSelector(o, old),
  ...daemonSetSpec(o),
];
