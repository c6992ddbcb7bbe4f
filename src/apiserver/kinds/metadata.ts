// ObjectMeta (k8s.io/apimachinery/pkg/api/validation/objectmeta.go v0.36.3).

import { type FieldError, forbiddenField, invalidField, required, tooLong } from '../field.ts';
import type { ObjectMeta } from '../types.ts';
import {
  byteLength,
  checkRule,
  immutable,
  isDns1123Label,
  isQualifiedName,
  nameIsPathSegment,
  nonNegative,
  validateLabels,
} from './rules.ts';

export type NameRule = (name: string, prefix: boolean) => string[];

/** The metadata of a new object; without a rule any path segment is a name. */
export function validateMetadata(m: ObjectMeta, namespaced: boolean, rule: NameRule = nameIsPathSegment, field = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (m.generateName) for (const t of rule(m.generateName, true)) errors.push(invalidField(`${field}.generateName`, m.generateName, t));
  if (!m.name) errors.push(required(`${field}.name`, 'name or generateName is required'));
  else for (const t of rule(m.name, false)) errors.push(invalidField(`${field}.name`, m.name, t));
  return [...errors, ...validateMetadataCommon(m, namespaced, field)];
}

function validateMetadataCommon(m: ObjectMeta, namespaced: boolean, field = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (namespaced) {
    if (!m.namespace) errors.push(required(`${field}.namespace`));
    else errors.push(...checkRule(`${field}.namespace`, m.namespace, isDns1123Label));
  } else if (m.namespace) errors.push(forbiddenField(`${field}.namespace`, 'not allowed on this type'));
  return [
    ...errors,
    ...nonNegative(`${field}.generation`, m.generation),
    ...validateLabels(m.labels, `${field}.labels`),
    ...validateAnnotations(m.annotations, `${field}.annotations`),
    ...validateOwnerReferences(m, `${field}.ownerReferences`),
    ...validateFinalizers(m.finalizers ?? [], `${field}.finalizers`),
  ];
}

export function validateAnnotations(annotations: Record<string, string> | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const k of Object.keys(annotations ?? {}).sort()) {
    for (const t of isQualifiedName(k.toLowerCase())) errors.push(invalidField(field, k, t));
    size += byteLength(k) + byteLength(annotations?.[k] ?? '');
  }
  if (size > 256 * 1024) errors.push(tooLong(field, 256 * 1024));
  return errors;
}

function validateOwnerReferences(m: ObjectMeta, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let first = '';
  for (const ref of m.ownerReferences ?? []) {
    if (!(ref.apiVersion ?? '').split('/').pop())
      errors.push(invalidField(`${field}.apiVersion`, ref.apiVersion ?? '', 'version must not be empty'));
    if (!ref.kind) errors.push(invalidField(`${field}.kind`, '', 'must not be empty'));
    if (!ref.name) errors.push(invalidField(`${field}.name`, '', 'must not be empty'));
    if (!ref.uid) errors.push(invalidField(`${field}.uid`, '', 'must not be empty'));
    if (ref.apiVersion === 'v1' && ref.kind === 'Event')
      errors.push(invalidField(field, ref, '/v1, Kind=Event is disallowed from being an owner'));
    if (!ref.controller) continue;
    const now = `${ref.kind}/${ref.name}`;
    if (first) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${now}`;
      errors.push(invalidField(field, m.ownerReferences, why));
    } else first = now;
  }
  return errors;
}

function validateFinalizers(finalizers: string[], field: string): FieldError[] {
  const errors = finalizers.flatMap(f => checkRule(field, f, isQualifiedName));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalidField(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

export function validateMetadataUpdate(m: ObjectMeta, old: ObjectMeta, field = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const extra = (m.finalizers ?? []).filter(f => !old.finalizers?.includes(f)).sort();
    if (extra.length) {
      const list = `[]string{${extra.map(f => JSON.stringify(f)).join(', ')}}`;
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(forbiddenField(`${field}.finalizers`, why));
    }
  }
  return [
    ...errors,
    ...immutable(`${field}.name`, m.name, old.name),
    ...immutable(`${field}.namespace`, m.namespace, old.namespace),
    ...immutable(`${field}.uid`, m.uid, old.uid),
    ...validateLabels(m.labels, `${field}.labels`),
    ...validateAnnotations(m.annotations, `${field}.annotations`),
    ...validateOwnerReferences(m, `${field}.ownerReferences`),
  ];
}

/** rest.validateCommonFields: what every update is checked for before the kind's own rules. */
export function validateCommonUpdate(m: ObjectMeta, namespaced: boolean, field = 'metadata'): FieldError[] {
  return validateMetadata(m, namespaced, nameIsPathSegment, field);
}
