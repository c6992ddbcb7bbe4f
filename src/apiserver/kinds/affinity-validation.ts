// Affinity, tolerations, topology spread (k8s.io/kubernetes/pkg/apis/core/validation/validation.go v1.36.3).

import { duplicate, type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import {
  checkRule,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  oneOf,
  positive,
  validateLabelName,
  validateLabelSelector,
} from './rules.ts';

type Any = any;

export function validateAffinity(a: Any, field: string): FieldError[] {
  if (!a) return [];
  const errors: FieldError[] = [];
  const must = 'requiredDuringSchedulingIgnoredDuringExecution';
  const may = 'preferredDuringSchedulingIgnoredDuringExecution';
  if (a.nodeAffinity) {
    const at = `${field}.nodeAffinity`;
    if (a.nodeAffinity[must]) errors.push(...nodeSelector(a.nodeAffinity[must], `${at}.${must}`));
    for (const [i, t] of (a.nodeAffinity[may] ?? []).entries()) {
      const path = `${at}.${may}[${i}]`;
      errors.push(...weight(t.weight, path), ...nodeSelectorTerm(t.preference ?? {}, `${path}.preference`, true));
    }
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    for (const [i, t] of (a[kind]?.[must] ?? []).entries()) errors.push(...podTerm(t, `${field}.${kind}.${must}[${i}]`));
    for (const [i, t] of (a[kind]?.[may] ?? []).entries()) {
      const path = `${field}.${kind}.${may}[${i}]`;
      errors.push(...weight(t.weight, path), ...podTerm(t.podAffinityTerm ?? {}, `${path}.podAffinityTerm`));
    }
  }
  return errors;
}

const weight = (w: number | undefined, field: string): FieldError[] =>
  (w ?? 0) <= 0 || (w ?? 0) > 100 ? [invalidField(`${field}.weight`, w ?? 0, 'must be in the range 1-100')] : [];

export function nodeSelector(s: Any, field: string): FieldError[] {
  const terms: Any[] = s.nodeSelectorTerms ?? [];
  if (!terms.length) return [required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term')];
  return terms.flatMap((t, i) => nodeSelectorTerm(t, `${field}.nodeSelectorTerms[${i}]`, false));
}

function nodeSelectorTerm(t: Any, field: string, anyValue: boolean): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, r] of (t.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${i}]`;
    const values: string[] = r.values ?? [];
    if (r.operator === 'In' || r.operator === 'NotIn') {
      if (!values.length) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (r.operator === 'Exists' || r.operator === 'DoesNotExist') {
      if (values.length) errors.push(forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if (r.operator === 'Gt' || r.operator === 'Lt') {
      if (values.length !== 1) errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    } else errors.push(invalidField(`${at}.operator`, r.operator ?? '', 'not a valid selector operator'));
    errors.push(...validateLabelName(r.key ?? '', `${at}.key`));
    if (!anyValue) for (const [k, v] of values.entries()) errors.push(...checkRule(`${at}.values[${k}]`, v, isLabelValue));
  }
  for (const [i, r] of (t.matchFields ?? []).entries()) {
    const at = `${field}.matchFields[${i}]`;
    if (r.operator === 'In' || r.operator === 'NotIn') {
      const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      if (r.values?.length !== 1) errors.push(required(`${at}.values`, why));
    } else errors.push(invalidField(`${at}.operator`, r.operator ?? '', 'not a valid selector operator'));
    if (r.key !== 'metadata.name') errors.push(invalidField(`${at}.key`, r.key ?? '', 'not a valid field selector key'));
    else for (const [k, v] of (r.values ?? []).entries()) errors.push(...checkRule(`${at}.values[${k}]`, v, isDns1123Subdomain));
  }
  return errors;
}

function podTerm(t: Any, field: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(t.labelSelector, `${field}.labelSelector`),
    ...validateLabelSelector(t.namespaceSelector, `${field}.namespaceSelector`),
  ];
  for (const n of t.namespaces ?? []) errors.push(...checkRule(`${field}.namespace`, n, isDns1123Label));
  errors.push(...labelKeys(t, field));
  if (!t.topologyKey) errors.push(required(`${field}.topologyKey`, 'can not be empty'));
  return [...errors, ...validateLabelName(t.topologyKey ?? '', `${field}.topologyKey`)];
}

function labelKeys(t: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const part of ['matchLabelKeys', 'mismatchLabelKeys']) {
    const keys: string[] = t[part] ?? [];
    if (!keys.length) continue;
    if (!t.labelSelector) errors.push(forbiddenField(`${field}.${part}`, 'must not be specified when labelSelector is not set'));
    else for (const [i, k] of keys.entries()) errors.push(...validateLabelName(k, `${field}.${part}[${i}]`));
  }
  for (const [i, k] of (t.matchLabelKeys ?? []).entries()) {
    const why = 'exists in both matchLabelKeys and mismatchLabelKeys';
    if (t.mismatchLabelKeys?.includes(k)) errors.push(invalidField(`${field}.matchLabelKeys[${i}]`, k, why));
  }
  return errors;
}

export function validateTolerations(list: Any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, t] of list.entries()) {
    const at = `${field}[${i}]`;
    const { key = '', operator = '', value = '', effect = '' } = t;
    if (key) errors.push(...validateLabelName(key, `${at}.key`));
    else if (operator !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalidField(`${at}.operator`, operator, why));
    }
    if (t.tolerationSeconds != null && effect !== 'NoExecute') {
      errors.push(invalidField(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    if (operator === 'Equal' || operator === '') {
      const bad = isLabelValue(value);
      if (bad.length) errors.push(invalidField(`${at}.operator`, value, bad.join(';')));
    } else if (operator === 'Exists') {
      if (value) errors.push(invalidField(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else if (operator === 'Lt' || operator === 'Gt') {
      errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists', 'Lt', 'Gt']));
    } else errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
    if (effect && !effects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, effects));
  }
  return errors;
}

export function validateTopologySpread(list: Any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, c] of list.entries()) {
    const at = `${field}[${i}]`;
    errors.push(...positive(`${at}.maxSkew`, c.maxSkew ?? 0));
    if (!c.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    errors.push(...oneOf(`${at}.whenUnsatisfiable`, c.whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']));
    if (list.slice(i + 1).some(x => x.topologyKey === c.topologyKey && x.whenUnsatisfiable === c.whenUnsatisfiable)) {
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${c.topologyKey}, ${c.whenUnsatisfiable}}`));
    }
    if (c.minDomains != null) {
      errors.push(...positive(`${at}.minDomains`, c.minDomains));
      if (c.whenUnsatisfiable !== 'DoNotSchedule') {
        const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${c.whenUnsatisfiable}`;
        errors.push(invalidField(`${at}.minDomains`, c.minDomains, why));
      }
    }
    for (const k of ['nodeAffinityPolicy', 'nodeTaintsPolicy']) {
      if (c[k] != null) errors.push(...oneOf(`${at}.${k}`, c[k], ['Honor', 'Ignore']));
    }
    errors.push(...labelKeys(c, at), ...validateLabelSelector(c.labelSelector, `${at}.labelSelector`));
  }
  return errors;
}
