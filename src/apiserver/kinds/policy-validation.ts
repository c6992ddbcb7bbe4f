// PodDisruptionBudgets, RBAC, PriorityClasses, Leases, autoscalers
// (k8s.io/kubernetes/pkg/apis/{policy,rbac,scheduling,coordination,autoscaling}/validation v1.36.3).

import { type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import { sameJson } from '../json.ts';
import { quantity } from '../quantity.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { containerResourceName } from './resources-validation.ts';
import {
  checkRule,
  immutable,
  isDns1123Label,
  isDns1123Subdomain,
  isPathSegment,
  nameIsPathSegment,
  nameIsSubdomain,
  oneOf,
  validateLabelSelector,
} from './rules.ts';
import { intOrPercent, notAbove100, selectorShown } from './workload-validation.ts';

type Any = any;

export function validatePodDisruptionBudget(o: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  const errors: FieldError[] = [];
  if (s.minAvailable != null && s.maxUnavailable != null) {
    const shown = {
      MinAvailable: s.minAvailable,
      Selector: s.selector ? selectorShown(s.selector) : null,
      MaxUnavailable: s.maxUnavailable,
      UnhealthyPodEvictionPolicy: s.unhealthyPodEvictionPolicy ?? null,
    };
    errors.push(invalidField('spec', shown, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const k of ['minAvailable', 'maxUnavailable']) {
    if (s[k] != null) errors.push(...intOrPercent(s[k], `spec.${k}`), ...notAbove100(s[k], `spec.${k}`));
  }
  errors.push(...validateLabelSelector(s.selector, 'spec.selector'));
  if (s.unhealthyPodEvictionPolicy != null) {
    errors.push(...oneOf('spec.unhealthyPodEvictionPolicy', s.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget']));
  }
  return errors.length ? errors : validateMetadata(o.metadata, true);
}

// ---- RBAC

const GROUP = 'rbac.authorization.k8s.io';

function rule(r: Any, namespaced: boolean, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!r.verbs?.length) errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  if (r.nonResourceURLs?.length) {
    const at = `${field}.nonResourceURLs`;
    if (namespaced) errors.push(invalidField(at, r.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (r.apiGroups?.length || r.resources?.length || r.resourceNames?.length) {
      errors.push(invalidField(at, r.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (!r.apiGroups?.length) errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (!r.resources?.length) errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

export function validateRole(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, true, nameIsPathSegment);
  for (const [i, r] of (o.rules ?? []).entries()) errors.push(...rule(r, true, `rules[${i}]`));
  return errors;
}

export function validateClusterRole(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, nameIsPathSegment);
  for (const [i, r] of (o.rules ?? []).entries()) errors.push(...rule(r, false, `rules[${i}]`));
  if (!o.aggregationRule) return errors;
  const field = 'aggregationRule.clusterRoleSelectors';
  const list: Any[] = o.aggregationRule.clusterRoleSelectors ?? [];
  if (!list.length) errors.push(required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  for (const [i, s] of list.entries()) errors.push(...validateLabelSelector(s, `${field}[${i}]`));
  return errors;
}

export const validateRoleUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...(o.kind === 'Role' ? validateRole(o) : validateClusterRole(o)),
  ...validateMetadataUpdate(o.metadata, old.metadata),
];

function subject(s: Any, namespaced: boolean, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!s.name) errors.push(required(`${field}.name`));
  if (s.kind === 'ServiceAccount') {
    if (s.name) errors.push(...checkRule(`${field}.name`, s.name, isDns1123Subdomain));
    if (s.apiGroup) errors.push(notSupported(`${field}.apiGroup`, s.apiGroup, ['']));
    if (!namespaced && !s.namespace) errors.push(required(`${field}.namespace`));
  } else if (s.kind === 'User' || s.kind === 'Group') errors.push(...oneOf(`${field}.apiGroup`, s.apiGroup, [GROUP]));
  else errors.push(notSupported(`${field}.kind`, s.kind ?? '', ['ServiceAccount', 'User', 'Group']));
  return errors;
}

export function validateBinding(o: KubeObject): FieldError[] {
  const namespaced = o.kind === 'RoleBinding';
  const errors = validateMetadata(o.metadata, namespaced, nameIsPathSegment);
  const ref = o.roleRef ?? {};
  errors.push(...oneOf('roleRef.apiGroup', ref.apiGroup, [GROUP]));
  errors.push(...oneOf('roleRef.kind', ref.kind, namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']));
  if (!ref.name) errors.push(required('roleRef.name'));
  else errors.push(...checkRule('roleRef.name', ref.name, isPathSegment));
  for (const [i, s] of (o.subjects ?? []).entries()) errors.push(...subject(s, namespaced, `subjects[${i}]`));
  return errors;
}

export function validateBindingUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = [...validateBinding(o), ...validateMetadataUpdate(o.metadata, old.metadata)];
  const { apiGroup = '', kind = '', name = '' } = o.roleRef ?? {};
  if (!sameJson(o.roleRef, old.roleRef))
    errors.push(invalidField('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'));
  return errors;
}

// ---- PriorityClass, Lease

const SYSTEM: Record<string, number> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 };

function systemPriority(o: KubeObject): string | null {
  const known = SYSTEM[o.metadata.name];
  if (known == null) return `${o.metadata.name} is not a known system priority class`;
  if (known !== o.value) return `value of ${o.metadata.name} PriorityClass must be ${known}`;
  return o.globalDefault ? `globalDefault of ${o.metadata.name} PriorityClass must be false` : null;
}

export function validatePriorityClass(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  if (o.metadata.name?.startsWith('system-')) {
    const why = systemPriority(o);
    const prefix = "priority class names with 'system-' prefix are reserved for system use only. error: ";
    if (why) errors.push(forbiddenField('metadata.name', prefix + why));
  } else if (o.value > 1_000_000_000) {
    errors.push(forbiddenField('value', 'maximum allowed value of a user defined priority is 1000000000'));
  }
  const policies = ['PreemptLowerPriority', 'Never'];
  if (o.preemptionPolicy != null && !policies.includes(o.preemptionPolicy)) {
    errors.push(o.preemptionPolicy ? notSupported('preemptionPolicy', o.preemptionPolicy, policies) : required('preemptionPolicy'));
  }
  return errors;
}

export function validatePriorityClassUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = validateMetadataUpdate(o.metadata, old.metadata);
  if (o.value !== old.value) errors.push(forbiddenField('value', 'may not be changed in an update.'));
  return [...errors, ...immutable('preemptionPolicy', o.preemptionPolicy, old.preemptionPolicy)];
}

function leaseSpec(o: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  const errors: FieldError[] = [];
  const seconds = s.leaseDurationSeconds;
  if (seconds != null && seconds <= 0) errors.push(invalidField('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  if (s.leaseTransitions < 0) errors.push(invalidField('spec.leaseTransitions', s.leaseTransitions, 'must be greater than or equal to 0'));
  if (s.preferredHolder && !s.strategy)
    errors.push(forbiddenField('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  return errors;
}

export const validateLease = (o: KubeObject): FieldError[] => [...validateMetadata(o.metadata, true, nameIsSubdomain), ...leaseSpec(o)];

export const validateLeaseUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...leaseSpec(o),
];

// ---- HorizontalPodAutoscaler

function scaleReference(r: Any, field: string, needsGroup = false): FieldError[] {
  const errors: FieldError[] = [];
  for (const k of ['kind', 'name']) {
    if (!r?.[k]) errors.push(required(`${field}.${k}`));
    else errors.push(...checkRule(`${field}.${k}`, r[k], isPathSegment));
  }
  const version: string = r?.apiVersion ?? '';
  const parts = version === '/' ? [] : version.split('/');
  if (parts.length > 2) errors.push(invalidField(`${field}.apiVersion`, version, `unexpected GroupVersion string: ${version}`));
  else if (needsGroup && (parts.length < 2 || !parts[0])) {
    errors.push(invalidField(`${field}.apiVersion`, version, 'apiVersion must specify API group'));
  }
  return errors;
}

const SOURCES: Record<string, string> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const TYPES = Object.keys(SOURCES).sort();

function metric(m: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!m.type) errors.push(required(`${field}.type`, 'must specify a metric source type'));
  if (!TYPES.includes(m.type)) errors.push(notSupported(`${field}.type`, m.type ?? '', TYPES));
  const order = ['object', 'external', 'pods', 'resource', 'containerResource'];
  const present = order.filter(k => m[k]);
  if (present.length) errors.push(...metricSource(m[present[0]], present[0], `${field}.${present[0]}`));
  const expected = SOURCES[m.type];
  if (!expected) errors.push(notSupported(`${field}.type`, m.type ?? '', TYPES));
  else if (!m[expected]) errors.push(required(`${field}.${expected}`, 'must populate information for the given metric source'));
  if (present.length !== 1) {
    for (const k of present) if (k !== expected) errors.push(forbiddenField(`${field}.${k}`, 'must populate the given metric source only'));
  }
  return errors;
}

function metricSource(s: Any, kind: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const t = s.target ?? {};
  if (kind === 'object') errors.push(...scaleReference(s.describedObject, `${field}.describedObject`));
  if (kind === 'object' || kind === 'external' || kind === 'pods') {
    if (!s.metric?.name) errors.push(required(`${field}.metric.name`, 'must specify a metric name'));
    else errors.push(...checkRule(`${field}.metric.name`, s.metric.name, isPathSegment));
  }
  if (kind === 'resource' || kind === 'containerResource') {
    if (!s.name) errors.push(required(`${field}.name`, 'must specify a resource name'));
    else if (kind === 'containerResource') errors.push(...containerResourceName(s.name, `${field}.name`));
  }
  if (kind === 'containerResource') {
    if (!s.container) errors.push(required(`${field}.container`, 'must specify a container'));
    else errors.push(...checkRule(`${field}.container`, s.container, isDns1123Label));
  }
  errors.push(...metricTarget(t, `${field}.target`));
  const both = (a: string, b: string) => t[a] != null && t[b] != null;
  const none = (a: string, b: string) => t[a] == null && t[b] == null;
  if (kind === 'object' && none('value', 'averageValue')) {
    errors.push(required(`${field}.target.averageValue`, 'must set either a target value or averageValue'));
  }
  if (kind === 'external') {
    if (none('value', 'averageValue')) {
      errors.push(required(`${field}.target.averageValue`, 'must set either a target value for metric or a per-pod target'));
    }
    if (both('value', 'averageValue')) {
      errors.push(forbiddenField(`${field}.target.value`, 'may not set both a target value for metric and a per-pod target'));
    }
  }
  if (kind === 'pods' && t.averageValue == null) {
    errors.push(required(`${field}.target.averageValue`, 'must specify a positive target averageValue'));
  }
  if (kind === 'resource' || kind === 'containerResource') {
    if (none('averageUtilization', 'averageValue')) {
      errors.push(required(`${field}.target.averageUtilization`, 'must set either a target raw value or a target utilization'));
    }
    if (both('averageUtilization', 'averageValue')) {
      errors.push(forbiddenField(`${field}.target.averageValue`, 'may not set both a target raw value and a target utilization'));
    }
  }
  return errors;
}

function metricTarget(t: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!t.type) errors.push(required(`${field}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(t.type)) {
    errors.push(invalidField(`${field}.type`, t.type ?? '', 'must be either Utilization, Value, or AverageValue'));
  }
  for (const k of ['value', 'averageValue']) {
    if (t[k] != null && quantity(t[k]).nano <= 0n) errors.push(invalidField(`${field}.${k}`, t[k], 'must be positive'));
  }
  if (t.averageUtilization < 1) errors.push(invalidField(`${field}.averageUtilization`, t.averageUtilization, 'must be greater than 0'));
  return errors;
}

function scalingRules(r: Any, field: string): FieldError[] {
  if (!r) return [];
  const errors: FieldError[] = [];
  const w = r.stabilizationWindowSeconds;
  if (w < 0) errors.push(invalidField(`${field}.stabilizationWindowSeconds`, w, 'must be greater than or equal to zero'));
  if (w > 3600) errors.push(invalidField(`${field}.stabilizationWindowSeconds`, w, 'must be less than or equal to 3600'));
  if (r.selectPolicy != null) errors.push(...oneOf(`${field}.selectPolicy`, r.selectPolicy, ['Disabled', 'Max', 'Min']));
  if (!r.policies?.length) errors.push(required(`${field}.policies`, 'must specify at least one Policy'));
  for (const [i, p] of (r.policies ?? []).entries()) {
    const at = `${field}.policies[${i}]`;
    errors.push(...oneOf(`${at}.type`, p.type, ['Percent', 'Pods']));
    if ((p.value ?? 0) <= 0) errors.push(invalidField(`${at}.value`, p.value ?? 0, 'must be greater than zero'));
    if ((p.periodSeconds ?? 0) <= 0) errors.push(invalidField(`${at}.periodSeconds`, p.periodSeconds ?? 0, 'must be greater than zero'));
    if (p.periodSeconds > 1800) errors.push(invalidField(`${at}.periodSeconds`, p.periodSeconds, 'must be less than or equal to 1800'));
  }
  return errors;
}

function autoscalerSpec(o: KubeObject, old: KubeObject | null): FieldError[] {
  const s = o.spec ?? {};
  const was = old?.spec?.scaleTargetRef;
  const same = was?.kind === s.scaleTargetRef?.kind && was?.apiVersion === s.scaleTargetRef?.apiVersion;
  const needsGroup = !(old && same) && s.scaleTargetRef?.kind !== 'ReplicationController';
  const errors: FieldError[] = [];
  if (s.minReplicas < 1) errors.push(invalidField('spec.minReplicas', s.minReplicas, 'must be greater than or equal to 1'));
  if (!s.maxReplicas) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (s.maxReplicas < 0) errors.push(invalidField('spec.maxReplicas', s.maxReplicas, 'must be greater than or equal to 1'));
  if (s.minReplicas != null && (s.maxReplicas ?? 0) < s.minReplicas) {
    errors.push(invalidField('spec.maxReplicas', s.maxReplicas ?? 0, 'must be greater than or equal to `minReplicas`'));
  }
  errors.push(...scaleReference(s.scaleTargetRef, 'spec.scaleTargetRef', needsGroup));
  for (const [i, m] of (s.metrics ?? []).entries()) errors.push(...metric(m, `spec.metrics[${i}]`));
  if (s.minReplicas === 0 && !(s.metrics ?? []).some((m: Any) => m.type === 'Object' || m.type === 'External')) {
    errors.push(forbiddenField('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas'));
  }
  return [
    ...errors,
    ...scalingRules(s.behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...scalingRules(s.behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ];
}

export const validateAutoscaler = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...autoscalerSpec(o, null),
];

export const validateAutoscalerUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...autoscalerSpec(o, old),
];
