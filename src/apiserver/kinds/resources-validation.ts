// Resource names and quantities, quotas and limit ranges (k8s.io/kubernetes/pkg/apis/core/{validation,helper} v1.36.3).

import { duplicate, type FieldError, forbiddenField, invalidField, notFoundField, notSupported, required } from '../field.ts';
import { compareQuantity, formatQuantity, type Quantity, quantity } from '../quantity.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { checkRule, IMMUTABLE, isDns1123Label, isQualifiedName, nameIsSubdomain } from './rules.ts';

type List = Record<string, string> | undefined;

const COUNTS = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const QUOTA = new Set([...COUNTS, ...COMPUTE, ...COMPUTE.flatMap(r => [`requests.${r}`, `limits.${r}`]), 'requests.storage']);
const STANDARD = new Set([...QUOTA, 'storage']);

const isHugePage = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePage = (name: string): boolean => isHugePage(name) || name.startsWith('requests.hugepages-');
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
const isOvercommitAllowed = (name: string): boolean => isNative(name) && !isHugePage(name);
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
const isInteger = (name: string): boolean => COUNTS.includes(name) || isExtended(name);

export function resourceName(name: string, field: string): FieldError[] {
  const errors = checkRule(field, name, isQualifiedName);
  if (errors.length) return errors;
  if (!name.includes('/') && !STANDARD.has(name) && !isQuotaHugePage(name)) {
    return [invalidField(field, name, 'must be a standard resource type or fully qualified')];
  }
  return [];
}

export function containerResourceName(name: string, field: string): FieldError[] {
  const errors = resourceName(name, field);
  if (!name.includes('/')) {
    if (!COMPUTE.includes(name) && !isHugePage(name))
      return [...errors, invalidField(field, name, 'must be a standard resource for containers')];
  } else if (!isNative(name) && !isExtended(name)) {
    return [...errors, invalidField(field, name, "doesn't follow extended resource name standard")];
  }
  return errors;
}

export function podResourceName(name: string, field: string): FieldError[] {
  const errors = resourceName(name, field);
  if (errors.length) return errors;
  return name === 'cpu' || name === 'memory' || isHugePage(name) ? [] : [notSupported(field, name, ['cpu', 'memory'])];
}

function quotaResourceName(name: string, field: string): FieldError[] {
  const errors = resourceName(name, field);
  if (!name.includes('/') && !QUOTA.has(name) && !isQuotaHugePage(name)) {
    return [...errors, invalidField(field, name, 'must be a standard resource for quota')];
  }
  return errors;
}

/** ValidateResourceQuantityValue */
export function quantityValue(name: string, text: string, field: string): FieldError[] {
  const q = quantity(text);
  const errors: FieldError[] = [];
  if (q.nano < 0n) errors.push(invalidField(field, text, 'must be greater than or equal to 0'));
  if (isInteger(name) && BigInt.asIntN(64, q.nano / 1_000_000n) % 1000n !== 0n)
    errors.push(invalidField(field, text, 'must be an integer'));
  return errors;
}

const keys = (list: List): string[] => Object.keys(list ?? {}).sort();

/** validateResourceRequirements */
export function resourceRequirements(
  r: any,
  rule: (name: string, field: string) => FieldError[],
  claims: ReadonlySet<string>,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!r) return errors;
  let compute = false;
  let huge = false;
  for (const name of keys(r.limits)) {
    const path = `${field}.limits[${name}]`;
    errors.push(...rule(name, path), ...quantityValue(name, r.limits[name], path), ...hugePages(name, r.limits[name], path));
    compute ||= name === 'cpu' || name === 'memory';
    huge ||= isHugePage(name);
  }
  for (const name of keys(r.requests)) {
    const path = `${field}.requests[${name}]`;
    const text = r.requests[name];
    errors.push(...rule(name, path), ...quantityValue(name, text, path));
    const limit = r.limits?.[name];
    if (limit != null) {
      const order = compareQuantity(quantity(text), quantity(limit));
      if (order !== 0 && !isOvercommitAllowed(name)) {
        errors.push(invalidField(`${field}.requests`, text, `must be equal to ${name} limit of ${limit}`));
      } else if (order > 0) errors.push(invalidField(`${field}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`));
    } else if (!isOvercommitAllowed(name)) errors.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
    errors.push(...hugePages(name, text, path));
    compute ||= name === 'cpu' || name === 'memory';
    huge ||= isHugePage(name);
  }
  if (!compute && huge) errors.push(forbiddenField(field, 'HugePages require cpu or memory'));
  return [...errors, ...claimNames(r.claims ?? [], claims, `${field}.claims`)];
}

function hugePages(name: string, text: string, field: string): FieldError[] {
  if (!isHugePage(name)) return [];
  const page = quantity(name.slice(10));
  const divisible = page.nano > 0n && page.nano % 1_000_000_000n === 0n && quantity(text).nano % page.nano === 0n;
  return divisible ? [] : [invalidField(field, text, `${text} is not positive integer multiple of ${name}`)];
}

function claimNames(list: any[], known: ReadonlySet<string>, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, claim] of list.entries()) {
    const path = `${field}[${i}]`;
    if (!claim.name) {
      errors.push(required(path));
      continue;
    }
    const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
    if (names.has(claim.name) || names.has(key)) errors.push(duplicate(path, names.has(claim.name) ? claim.name : key));
    if (claim.request) errors.push(...checkRule(`${path}.request`, claim.request, isDns1123Label));
    names.add(key);
    if (known.has(claim.name)) continue;
    const which = known.size ? `: ${[...known].sort().join(', ')}` : ' which is empty';
    errors.push({ ...notFoundField(path, claim.name), detail: `must be one of the names in pod.spec.resourceClaims${which}` });
  }
  return errors;
}

// ---- ResourceQuota

const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'VolumeAttributesClass',
  'CrossNamespacePodAffinity',
];
const POD_COMPUTE = ['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];

function scopeFits(scope: string, name: string): boolean {
  if (scope === 'BestEffort') return name === 'pods';
  if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage';
  return SCOPES.includes(scope) ? POD_COMPUTE.includes(name) : true;
}

const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
];

function scopes(spec: any): FieldError[] {
  const errors: FieldError[] = [];
  const list: string[] = spec.scopes ?? [];
  const hard = keys(spec.hard).filter(k => QUOTA.has(k) || isQuotaHugePage(k));
  for (const scope of list) {
    if (!SCOPES.includes(scope)) errors.push(invalidField('spec.scopes', list, 'unsupported scope'));
    for (const k of hard) if (!scopeFits(scope, k)) errors.push(invalidField('spec.scopes', list, 'unsupported scope applied to resource'));
  }
  for (const pair of CONFLICTS) if (pair.every(s => list.includes(s))) errors.push(invalidField('spec.scopes', list, 'conflicting scopes'));
  return errors;
}

function scopeSelector(spec: any): FieldError[] {
  const errors: FieldError[] = [];
  const field = 'spec.scopeSelector.matchExpressions';
  const hard = keys(spec.hard).filter(k => QUOTA.has(k) || isQuotaHugePage(k));
  const seen = new Set<string>();
  for (const e of spec.scopeSelector?.matchExpressions ?? []) {
    if (!SCOPES.includes(e.scopeName)) errors.push(invalidField(`${field}.scopeName`, e.scopeName, 'unsupported scope'));
    for (const k of hard) {
      if (!scopeFits(e.scopeName, k))
        errors.push(invalidField(field, selectorShown(spec.scopeSelector), 'unsupported scope applied to resource'));
    }
    if (!['PriorityClass', 'VolumeAttributesClass'].includes(e.scopeName) && SCOPES.includes(e.scopeName) && e.operator !== 'Exists') {
      const why =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalidField(`${field}.operator`, e.operator, why));
    }
    if (e.operator === 'In' || e.operator === 'NotIn') {
      const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      if (!e.values?.length) errors.push(required(`${field}.values`, why));
    } else if (e.operator === 'Exists' || e.operator === 'DoesNotExist') {
      const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      if (e.values?.length) errors.push(invalidField(`${field}.values`, e.values, why));
    } else errors.push(invalidField(`${field}.operator`, e.operator, 'not a valid selector operator'));
    seen.add(e.scopeName);
  }
  for (const pair of CONFLICTS)
    if (pair.every(s => seen.has(s))) errors.push(invalidField('spec.scopes', spec.scopes ?? null, 'conflicting scopes'));
  return errors;
}

/** Internal types have no JSON names. */
const selectorShown = (s: any) => ({
  MatchExpressions: (s.matchExpressions ?? []).map((e: any) => ({
    ScopeName: e.scopeName,
    Operator: e.operator,
    Values: e.values ?? null,
  })),
});

function quotaList(list: List, field: string): FieldError[] {
  return keys(list).flatMap(k => [...quotaResourceName(k, `${field}[${k}]`), ...quantityValue(k, list?.[k] ?? '0', `${field}[${k}]`)]);
}

const quotaSpec = (o: KubeObject): FieldError[] => [
  ...quotaList(o.spec?.hard, 'spec.hard'),
  ...scopes(o.spec ?? {}),
  ...scopeSelector(o.spec ?? {}),
];

export const validateResourceQuota = (o: KubeObject): FieldError[] => [
  ...validateMetadata(o.metadata, true, nameIsSubdomain),
  ...quotaSpec(o),
];

export function validateResourceQuotaUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const same = [...(o.spec?.scopes ?? [])].sort().join() === [...(old.spec?.scopes ?? [])].sort().join();
  const fixed = same ? [] : [invalidField('spec.scopes', o.spec?.scopes ?? null, IMMUTABLE)];
  return [...validateMetadataUpdate(o.metadata, old.metadata), ...quotaSpec(o), ...fixed];
}

// ---- LimitRange

function limitResource(type: string, name: string, field: string): FieldError[] {
  return type === 'Pod' || type === 'Container' ? containerResourceName(name, field) : resourceName(name, field);
}

export function validateLimitRange(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, true, nameIsSubdomain);
  const types = new Set<string>();
  for (const [i, limit] of (o.spec?.limits ?? []).entries()) {
    const field = `spec.limits[${i}]`;
    const type = limit.type ?? '';
    const bad = checkRule(`${field}.type`, type, isQualifiedName);
    errors.push(...bad);
    if (!bad.length && !type.includes('/') && !['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) {
      errors.push(invalidField(`${field}.type`, type, 'must be a standard limit type or fully qualified'));
    }
    if (types.has(type)) errors.push(duplicate(`${field}.type`, type));
    types.add(type);
    errors.push(...limitItem(limit, type, field));
  }
  return errors;
}

function limitItem(limit: any, type: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const all = new Set<string>();
  const names = (part: string) => {
    for (const k of keys(limit[part])) {
      errors.push(...limitResource(type, k, `${field}.${part}[${k}]`));
      all.add(k);
    }
  };
  names('max');
  names('min');
  const hasDefaults = type !== 'Pod';
  for (const part of ['default', 'defaultRequest']) {
    if (hasDefaults) names(part);
    else if (keys(limit[part]).length) errors.push(forbiddenField(`${field}.${part}`, "may not be specified when `type` is 'Pod'"));
  }
  if (type === 'PersistentVolumeClaim' && limit.min?.storage == null && limit.max?.storage == null) {
    errors.push(required(`${field}.limits`, 'either minimum or maximum storage value is required, but neither was provided'));
  }
  names('maxLimitRequestRatio');
  const get = (part: string, k: string): Quantity | null => (limit[part]?.[k] == null ? null : quantity(limit[part][k]));
  for (const k of [...all].sort()) {
    const values = {
      min: get('min', k),
      max: get('max', k),
      def: hasDefaults ? get('default', k) : null,
      req: hasDefaults ? get('defaultRequest', k) : null,
      ratio: get('maxLimitRequestRatio', k),
    };
    errors.push(...limitOrder(values, k, field));
  }
  return errors;
}

type Limits = Record<'min' | 'max' | 'def' | 'req' | 'ratio', Quantity | null>;

function limitOrder({ min, max, def, req, ratio }: Limits, k: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const above = (a: Quantity | null, b: Quantity | null): boolean => a !== null && b !== null && compareQuantity(a, b) > 0;
  const t = (q: Quantity | null): string => (q ? formatQuantity(q) : '');
  const add = (part: string, value: Quantity | null, why: string) => errors.push(invalidField(`${field}.${part}[${k}]`, t(value), why));
  if (above(min, max)) add('min', min, `min value ${t(min)} is greater than max value ${t(max)}`);
  if (above(min, req)) add('defaultRequest', req, `min value ${t(min)} is greater than default request value ${t(req)}`);
  if (above(req, max)) add('defaultRequest', req, `default request value ${t(req)} is greater than max value ${t(max)}`);
  if (above(req, def)) add('defaultRequest', req, `default request value ${t(req)} is greater than default limit value ${t(def)}`);
  if (above(min, def)) add('default', min, `min value ${t(min)} is greater than default value ${t(def)}`);
  if (above(def, max)) add('default', max, `default value ${t(def)} is greater than max value ${t(max)}`);
  if (ratio && ratio.nano < 1_000_000_000n) add('maxLimitRequestRatio', ratio, `ratio ${t(ratio)} is less than 1`);
  if (ratio && min && max) {
    const limit = Number(max.nano) / Number(min.nano);
    if (Number(ratio.nano) / 1e9 > limit)
      add('maxLimitRequestRatio', ratio, `ratio ${t(ratio)} is greater than max/min = ${limit.toFixed(6)}`);
  }
  if (!isOvercommitAllowed(k) && def && req && compareQuantity(def, req) !== 0) {
    add('defaultRequest', req, `default value ${t(def)} must equal to defaultRequest value ${t(req)} in ${k}`);
  }
  return errors;
}
