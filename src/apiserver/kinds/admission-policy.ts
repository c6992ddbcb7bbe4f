// ValidatingAdmissionPolicy and its binding (pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go} v1.36.3).

import { compilePolicy, type Expression } from '../admission/policies/compile.ts';
import { duplicate, type FieldError, forbiddenField, invalidField, notSupported, required, tooMany } from '../field.ts';
import type { Json } from '../json.ts';
import type { KindStrategy } from '../strategy.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import {
  checkRule,
  isDns1035Label,
  isDns1123Subdomain,
  isPathSegment,
  isQualifiedName,
  nameIsSubdomain,
  validateLabelSelector,
} from './rules.ts';

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

function defaultResources(m: Json): void {
  if (!m) return;
  m.matchPolicy ??= 'Equivalent';
  m.namespaceSelector ??= {};
  m.objectSelector ??= {};
  for (const r of [...(m.resourceRules ?? []), ...(m.excludeResourceRules ?? [])]) r.scope ??= '*';
}

/** Of mutating policies too. */
function defaultPolicy(o: KubeObject): void {
  if (!o.spec) return;
  o.spec.failurePolicy ??= 'Fail';
  defaultResources(o.spec.matchConstraints);
}

const defaultPolicyBinding = (o: KubeObject): void => defaultResources(o.spec?.matchResources);

function validatePolicy(o: KubeObject): FieldError[] {
  const spec: Json = o.spec ?? {};
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  if (!['Fail', 'Ignore'].includes(spec.failurePolicy))
    errors.push(notSupported('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore']));
  if (spec.paramKind) errors.push(...paramKindErrors(spec.paramKind, 'spec.paramKind'));
  if (!spec.matchConstraints) errors.push(required('spec.matchConstraints'));
  else {
    errors.push(...resourcesErrors(spec.matchConstraints, 'spec.matchConstraints'));
    if (!spec.matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'));
  }
  // As it will be compiled once it is stored.
  const compiled = compilePolicy({ ...o.spec });
  errors.push(
    ...conditionErrors(
      spec.matchConditions ?? [],
      compiled.matchConditions.map(m => m.expression),
    ),
  );
  (spec.variables ?? []).forEach((v: Json, i: number) => {
    errors.push(...variableErrors(v, compiled.variables[i].expression, `spec.variables[${i}]`));
  });
  if (!spec.validations?.length && !spec.auditAnnotations?.length) {
    const why = 'validations or auditAnnotations must contain at least one item';
    return [...errors, required('spec.validations', why), required('spec.auditAnnotations', why)];
  }
  (spec.validations ?? []).forEach((v: Json, i: number) => {
    const { expression, message } = compiled.validations[i];
    errors.push(...validationErrors(v, expression, message, `spec.validations[${i}]`));
  });
  return [
    ...errors,
    ...annotationErrors(
      o,
      compiled.auditAnnotations.map(a => a.expression),
    ),
  ];
}

const compileError = (e: Expression, field: string): FieldError[] => (e.error ? [invalidField(field, e.text, e.error)] : []);

function paramKindErrors(k: Json, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const parts = (k.apiVersion ?? '').split('/');
  const version = parts[parts.length - 1];
  if (!k.apiVersion) errors.push(required(`${at}.apiVersion`));
  else if (parts.length > 2) errors.push(invalidField(`${at}.apiVersion`, k.apiVersion, `unexpected GroupVersion string: ${k.apiVersion}`));
  else {
    const wrong = parts.length === 2 ? isDns1123Subdomain(parts[0]) : [];
    if (wrong.length) errors.push(invalidField(`${at}.apiVersion`, parts[0], wrong.join(',')));
    if (!version) errors.push(invalidField(`${at}.apiVersion`, k.apiVersion, 'version must be specified'));
    else if (isDns1035Label(version).length) errors.push(invalidField(`${at}.apiVersion`, version, isDns1035Label(version).join(',')));
  }
  if (!k.kind) return [...errors, required(`${at}.kind`)];
  const bad = isDns1035Label(k.kind.toLowerCase());
  if (bad.length) errors.push(invalidField(`${at}.kind`, k.kind, `may have mixed case, but should otherwise match: ${bad.join(',')}`));
  return errors;
}

function resourcesErrors(m: Json, at: string): FieldError[] {
  if (!m) return [];
  const errors: FieldError[] = [];
  if (!['Equivalent', 'Exact'].includes(m.matchPolicy))
    errors.push(notSupported(`${at}.matchPolicy`, m.matchPolicy, ['Equivalent', 'Exact']));
  errors.push(...validateLabelSelector(m.namespaceSelector, `${at}.namespaceSelector`));
  errors.push(...validateLabelSelector(m.objectSelector, `${at}.objectSelector`));
  for (const k of ['resourceRules', 'excludeResourceRules']) {
    (m[k] ?? []).forEach((r: Json, i: number) => {
      errors.push(...ruleErrors(r, `${at}.${k}[${i}]`));
    });
  }
  return errors;
}

export function ruleErrors(r: Json, at: string): FieldError[] {
  const errors: FieldError[] = [];
  (r.resourceNames ?? []).forEach((name: string, i: number) => {
    errors.push(...checkRule(`${at}.resourceNames[${i}]`, name, isPathSegment));
    if (r.resourceNames.indexOf(name) < i) errors.push(duplicate(`${at}.resourceNames[${i}]`, name));
  });
  const operations: string[] = r.operations ?? [];
  if (!operations.length) errors.push(required(`${at}.operations`));
  const alone = "if '*' is present, must not specify other ";
  if (operations.length > 1 && operations.includes('*')) errors.push(invalidField(`${at}.operations`, operations, `${alone}operations`));
  operations.forEach((o, i) => {
    if (!OPERATIONS.includes(o)) errors.push(notSupported(`${at}.operations[${i}]`, o, OPERATIONS));
  });
  for (const [k, what] of [
    ['apiGroups', 'API groups'],
    ['apiVersions', 'API versions'],
  ]) {
    const list: string[] = r[k] ?? [];
    if (!list.length) errors.push(required(`${at}.${k}`));
    if (list.length > 1 && list.includes('*')) errors.push(invalidField(`${at}.${k}`, list, `${alone}${what}`));
  }
  (r.apiVersions ?? []).forEach((v: string, i: number) => {
    if (!v) errors.push(required(`${at}.apiVersions[${i}]`));
  });
  if (!r.resources?.length) errors.push(required(`${at}.resources`));
  if (!['*', 'Cluster', 'Namespaced'].includes(r.scope)) errors.push(notSupported(`${at}.scope`, r.scope, ['*', 'Cluster', 'Namespaced']));
  return errors;
}

export function conditionErrors(list: Json[], compiled: Expression[], at = 'spec.matchConditions'): FieldError[] {
  const errors = list.length > 64 ? [tooMany(at, list.length, 64)] : [];
  list.forEach((m, i) => {
    if (!m.expression?.trim()) errors.push(required(`${at}[${i}].expression`));
    else errors.push(...compileError(compiled[i], `${at}[${i}].expression`));
    if (!m.name) errors.push(required(`${at}[${i}].name`));
    else {
      errors.push(...checkRule(`${at}[${i}].name`, m.name, isQualifiedName));
      if (list.findIndex(x => x.name === m.name) < i) errors.push(duplicate(`${at}[${i}].name`, m.name));
    }
  });
  return errors;
}

function variableErrors(v: Json, e: Expression, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!v.name?.trim()) errors.push(required(`${at}.name`, 'name is not specified'));
  else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(v.name)) errors.push(invalidField(`${at}.name`, v.name, 'must be a valid CEL identifier'));
  if (!v.expression?.trim()) return [...errors, required(`${at}.expression`, 'expression is not specified')];
  return [...errors, ...compileError(e, `${at}.expression`)];
}

function validationErrors(v: Json, e: Expression, message: Expression | null, at: string): FieldError[] {
  const errors = v.expression?.trim() ? compileError(e, `${at}.expression`) : [required(`${at}.expression`, 'expression is not specified')];
  const text = (v.message ?? '').trim();
  if (v.messageExpression && !message) {
    errors.push(invalidField(`${at}.messageExpression`, v.messageExpression, 'must be non-empty if specified'));
  } else if (message) errors.push(...compileError(message, `${at}.messageExpression`));
  if (v.message && !text) errors.push(invalidField(`${at}.message`, v.message, 'must be non-empty if specified'));
  else if (/[\n\r]/.test(text)) errors.push(invalidField(`${at}.message`, v.message, 'must not contain line breaks'));
  if (v.reason && !REASONS.includes(v.reason)) errors.push(notSupported(`${at}.reason`, v.reason, REASONS));
  return errors;
}

function annotationErrors(o: KubeObject, compiled: Expression[]): FieldError[] {
  const list: Json[] = o.spec.auditAnnotations ?? [];
  return list.flatMap((a, i) => {
    const at = `spec.auditAnnotations[${i}]`;
    const errors = checkRule(`${at}.key`, `${o.metadata.name}/${a.key}`, isQualifiedName);
    if (!a.valueExpression?.trim()) errors.push(required(`${at}.valueExpression`, 'valueExpression is not specified'));
    else errors.push(...compileError(compiled[i], `${at}.valueExpression`));
    if (list.findIndex(x => x.key === a.key) < i) errors.push(duplicate(`${at}.key`, a.key));
    return errors;
  });
}

const ACTIONS = ['Audit', 'Deny', 'Warn'];

function validatePolicyBinding(o: KubeObject): FieldError[] {
  const spec: Json = o.spec ?? {};
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  if (!spec.policyName) errors.push(required('spec.policyName'));
  else errors.push(...checkRule('spec.policyName', spec.policyName, isDns1123Subdomain));
  if (spec.paramRef) errors.push(...paramRefErrors(spec.paramRef, 'spec.paramRef'));
  errors.push(...resourcesErrors(spec.matchResources, 'spec.matchResources'));
  const actions: string[] = spec.validationActions ?? [];
  actions.forEach((a, i) => {
    if (!ACTIONS.includes(a)) errors.push(notSupported(`spec.validationActions[${i}]`, a, ACTIONS));
    if (actions.indexOf(a) < i) errors.push(duplicate(`spec.validationActions[${i}]`, a));
  });
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalidField('spec.validationActions', actions, why));
  }
  if (!actions.length) errors.push(required('spec.validationActions', 'at least one validation action is required'));
  return errors;
}

function paramRefErrors(r: Json, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const exclusive = 'name and selector are mutually exclusive';
  if (r.name) {
    errors.push(...checkRule(`${at}.name`, r.name, isPathSegment));
    if (r.selector) errors.push(forbiddenField(`${at}.name`, exclusive));
  }
  if (r.selector) {
    errors.push(...validateLabelSelector(r.selector, `${at}.selector`));
    if (r.name) errors.push(forbiddenField(`${at}.selector`, exclusive));
  }
  if (!r.name && !r.selector) errors.push(required(at, 'one of name or selector must be specified'));
  const action = r.parameterNotFoundAction;
  if (!action) errors.push(required(`${at}.parameterNotFoundAction`));
  else if (!['Allow', 'Deny'].includes(action)) errors.push(notSupported(`${at}.parameterNotFoundAction`, action, ['Deny', 'Allow']));
  return errors;
}

const spec = (o: KubeObject) => o.spec;

export const validatingAdmissionPolicy: KindStrategy = {
  hasStatus: true,
  generation: spec,
  nameRule: nameIsSubdomain,
  defaults: defaultPolicy,
  validate: validatePolicy,
  validateUpdate: (o, old) => [...validateMetadataUpdate(o.metadata, old.metadata), ...validatePolicy(o)],
};

export const validatingAdmissionPolicyBinding: KindStrategy = {
  generation: spec,
  nameRule: nameIsSubdomain,
  defaults: defaultPolicyBinding,
  validate: validatePolicyBinding,
  validateUpdate: (o, old) => [...validateMetadataUpdate(o.metadata, old.metadata), ...validatePolicyBinding(o)],
};

export const mutatingAdmissionPolicy: KindStrategy = { generation: spec, nameRule: nameIsSubdomain, defaults: defaultPolicy };
export const mutatingAdmissionPolicyBinding: KindStrategy = { generation: spec, nameRule: nameIsSubdomain, defaults: defaultPolicyBinding };
