// x-kubernetes-validations inside CustomResourceDefinitions: the rules themselves and whether they compile
// (ValidateCustomResourceDefinitionOpenAPISchema of apiextensions-apiserver/pkg/apis/apiextensions/validation v0.36.3).
// What a rule may cost is not estimated.

import { declaredType } from '../custom/cel-schema.ts';
import { fieldPathOf } from '../custom/field-path.ts';
import { compileRules, type ValidationRule } from '../custom/rules.ts';
import type { CustomSchema } from '../custom/schema.ts';
import { type FieldError, invalidField, notSupported, required } from '../field.ts';
import { isMap } from '../json.ts';

const RULES = 'x-kubernetes-validations';
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const hasNewlines = (text: string): boolean => /[\n\r]/.test(text);

/** Of one schema, without those inside of it. */
export function ruleFormErrors(s: CustomSchema, at: string): FieldError[] {
  return (s[RULES] ?? []).flatMap((r: ValidationRule, i: number) => formErrors(r, s, `${at}.${RULES}[${i}]`));
}

function formErrors(r: ValidationRule, s: CustomSchema, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const rule = (r.rule ?? '').trim();
  const message = (r.message ?? '').trim();
  if (!rule) errors.push(required(`${at}.rule`, 'rule is not specified'));
  else if (r.message && !message) errors.push(invalidField(`${at}.message`, r.message, 'must be non-empty if specified'));
  else if (hasNewlines(message)) errors.push(invalidField(`${at}.message`, r.message, 'must not contain line breaks'));
  else if (hasNewlines(rule) && !message) errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
  if (r.messageExpression && !r.messageExpression.trim()) {
    errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
  }
  if (r.reason && !REASONS.includes(r.reason)) errors.push(notSupported(`${at}.reason`, r.reason, REASONS));
  if (!r.fieldPath) return errors;
  const path = `${at}.fieldPath`;
  if (!r.fieldPath.trim()) errors.push(invalidField(path, r.fieldPath, 'must be non-empty if specified'));
  if (hasNewlines(r.fieldPath)) errors.push(invalidField(path, r.fieldPath, 'must not contain line breaks'));
  if (!fieldPathOf(r.fieldPath, s)) errors.push(invalidField(path, r.fieldPath, 'must be a valid path'));
  return errors;
}

/** Of a whole schema. `known`: what is wrong with it otherwise; types of expressions cannot be made of a schema that is wrong. */
export function ruleErrors(schema: CustomSchema, at: string, known: FieldError[]): FieldError[] {
  const errors: FieldError[] = [];
  // `loose`: the innermost place above whose values an update cannot tell from others.
  const walk = (s: CustomSchema, path: string, root: boolean, loose: string): void => {
    const isList = s['x-kubernetes-list-type'];
    const items = `${path}.items`;
    if (isMap(s.additionalProperties))
      walk(s.additionalProperties, `${path}.additionalProperties`, embedded(s.additionalProperties), loose);
    for (const k of Object.keys(s.properties ?? {}).sort())
      walk(s.properties[k], `${path}.properties[${k}]`, embedded(s.properties[k]), loose);
    if (isMap(s.items)) walk(s.items, items, embedded(s.items), loose || (isList === 'map' ? '' : path));
    if (s[RULES]?.length && !known.some(e => e.field.startsWith(path))) errors.push(...compileErrors(s, path, root, loose));
  };
  walk(schema, at, true, '');
  return errors;
}

const embedded = (s: CustomSchema): boolean => !!s['x-kubernetes-embedded-resource'];

function compileErrors(s: CustomSchema, path: string, root: boolean, loose: string): FieldError[] {
  const type = declaredType(s, root);
  if (!type) {
    const why = 'internal error: failed to retrieve type information for x-kubernetes-validations';
    return [{ type: 'InternalError', field: `${path}.${RULES}`, value: '', detail: why }];
  }
  return compileRules(s, type).flatMap((c, i) => {
    const at = `${path}.${RULES}[${i}]`;
    const errors: FieldError[] = [];
    if (c.error) errors.push(invalidField(`${at}.rule`, internalRule(c.rule), c.error));
    if (c.messageError) errors.push(invalidField(`${at}.messageExpression`, internalRule(c.rule), c.messageError));
    if (c.usesOldSelf && loose) {
      errors.push(
        invalidField(`${at}.rule`, c.rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${loose}`),
      );
    } else if (!c.usesOldSelf && c.rule.optionalOldSelf !== undefined) {
      errors.push(invalidField(`${at}.optionalOldSelf`, c.rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
    }
    return errors;
  });
}

/** The internal type has no names of its own for JSON. */
const internalRule = (r: ValidationRule) => ({
  Rule: r.rule,
  Message: r.message ?? '',
  MessageExpression: r.messageExpression ?? '',
  Reason: r.reason ?? null,
  FieldPath: r.fieldPath ?? '',
  OptionalOldSelf: r.optionalOldSelf ?? null,
});
