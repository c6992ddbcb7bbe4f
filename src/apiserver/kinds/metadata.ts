// ObjectMeta (k8s.io/apimachinery/pkg/api/validation v0.36.3).

import { type FieldError, required } from '../field.ts';
import type { ObjectMeta } from '../types.ts';

export function validateMetadata(
  m: ObjectMeta,
  _namespaced: boolean,
  nameRule?: (name: string, prefix: boolean) => string[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (!m.name) errors.push(required('metadata.name', 'name or generateName is required'));
  else
    for (const detail of nameRule?.(m.name, false) ?? []) errors.push({ type: 'Invalid', field: 'metadata.name', value: m.name, detail });
  return errors;
}

export function validateMetadataUpdate(_m: ObjectMeta, _old: ObjectMeta): FieldError[] {
  return [];
}
