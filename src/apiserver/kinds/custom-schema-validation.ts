// Schemas inside CustomResourceDefinitions: structural, and without what a server cannot enforce
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go, pkg/apis/apiextensions/validation/validation.go v0.36.3).

import { type CustomSchema, validateValue } from '../custom/schema.ts';
import { errorBody, type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import { isMap } from '../json.ts';
import { compile } from '../regexp.ts';
import { ruleErrors, ruleFormErrors } from './custom-rule-validation.ts';

type Schema = CustomSchema;
type Level = 'root' | 'item' | 'field';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const PRESERVE = 'x-kubernetes-preserve-unknown-fields';
const EMBEDDED = 'x-kubernetes-embedded-resource';
const INT_OR_STRING = 'x-kubernetes-int-or-string';

const sortedEntries = (m: Record<string, Schema> | undefined): [string, Schema][] =>
  Object.keys(m ?? {})
    .sort()
    .map(k => [k, (m as Record<string, Schema>)[k]]);

/** Of `spec.validation` or of a version's `schema`. */
export function validateCustomValidation(validation: Schema | undefined, statusEnabled: boolean, field: string): FieldError[] {
  const schema: Schema | undefined = validation?.openAPIV3Schema;
  if (!schema) return [];
  const at = `${field}.openAPIV3Schema`;
  const errors: FieldError[] = [];
  if (statusEnabled) errors.push(...rootFields(schema, field));
  if (schema.nullable) errors.push(forbiddenField(`${at}.nullable`, 'nullable cannot be true at the root'));
  const structural = structuralErrors(schema, at);
  errors.push(...(structural.length ? structural : defaultErrors(schema, at)));
  errors.push(...openApiErrors(schema, at, { root: true, defaults: '', meta: false }));
  return [...errors, ...ruleErrors(schema, at, errors)];
}

const AT_ROOT = [
  'Description',
  'Type',
  'Format',
  'Title',
  'Maximum',
  'ExclusiveMaximum',
  'Minimum',
  'ExclusiveMinimum',
  'MaxLength',
  'MinLength',
  'Pattern',
  'MaxItems',
  'MinItems',
  'UniqueItems',
  'MultipleOf',
  'Required',
  'Items',
  'Properties',
  'ExternalDocs',
  'Example',
  'XPreserveUnknownFields',
  'XValidations',
];

function rootFields(schema: Schema, field: string): FieldError[] {
  if (schema.type !== undefined && schema.type !== 'object') {
    const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalidField(`${field}.openAPIV3Schema.type`, schema.type, why)];
  }
  const known = new Set(AT_ROOT.map(k => k.toLowerCase()));
  const goName = (k: string) => (k.startsWith('x-kubernetes-') ? `x${k.slice(13).replace(/-/g, '')}` : k.toLowerCase());
  for (const k of Object.keys(schema)) {
    if (known.has(goName(k)) || !schema[k]) continue;
    const why = `only [${AT_ROOT.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`;
    return [invalidField(`${field}.openAPIV3Schema`, schema, why)];
  }
  return [];
}

/** Sorted by their texts. */
function structuralErrors(schema: Schema, field: string): FieldError[] {
  const errors: FieldError[] = [];
  invariants(schema, 'root', field, errors);
  complete(schema, schema, field, errors, new Set());
  const text = (e: FieldError) => `${e.field}: ${errorBody(e)}`;
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

const EMPTY: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function invariants(s: Schema | undefined, level: Level, at: string, errors: FieldError[]): void {
  if (!isMap(s)) return;
  if (s.type === 'array' && !s.items) errors.push(required(`${at}.items`, 'must be specified'));
  invariants(s.items, 'item', `${at}.items`, errors);
  for (const [k, v] of sortedEntries(s.properties)) invariants(v, 'field', `${at}.properties[${k}]`, errors);
  if (s.additionalProperties !== undefined) {
    if (level === 'root') errors.push(forbiddenField(`${at}.additionalProperties`, 'must not be used at the root'));
    if (isMap(s.additionalProperties)) invariants(s.additionalProperties, 'field', `${at}.additionalProperties`, errors);
  }
  if (s[INT_OR_STRING] && s[PRESERVE]) errors.push(invalidField(`${at}.${PRESERVE}`, true, `must be false if ${INT_OR_STRING} is true`));
  if (s[INT_OR_STRING] && s[EMBEDDED]) errors.push(invalidField(`${at}.${EMBEDDED}`, true, `must be false if ${INT_OR_STRING} is true`));
  valueRules(s, isIntOrString(s.anyOf), isIntOrString(s.allOf?.[0]?.anyOf), at, errors);
  typeInvariants(s, level, at, errors);
}

const isIntOrString = (anyOf: Schema[] | undefined): boolean =>
  anyOf?.length === 2 && JSON.stringify(anyOf) === '[{"type":"integer"},{"type":"string"}]';

function typeInvariants(s: Schema, level: Level, at: string, errors: FieldError[]): void {
  if (s[EMBEDDED] && s.type !== 'object') {
    const why = `must be object if ${EMBEDDED} is true`;
    errors.push(s.type ? invalidField(`${at}.type`, s.type, why) : required(`${at}.type`, why));
  } else if (!s.type && !s[INT_OR_STRING] && !s[PRESERVE]) errors.push(required(`${at}.type`, EMPTY[level]));
  if (s[EMBEDDED] && s.additionalProperties) {
    errors.push(forbiddenField(`${at}.additionalProperties`, `must not be used if ${EMBEDDED} is set`));
  }
  if (level === 'root' && s.type && s.type !== 'object') errors.push(invalidField(`${at}.type`, s.type, 'must be object at the root'));
  const whole = level === 'root' || s[EMBEDDED];
  for (const k of ['kind', 'apiVersion']) {
    const p = s.properties?.[k];
    if (whole && p && p.type !== 'string') errors.push(invalidField(`${at}.properties[${k}].type`, p.type ?? '', 'must be string'));
  }
  const meta = s.properties?.metadata;
  if (meta) {
    const path = `${at}.properties[metadata]`;
    if (whole && meta.type !== 'object') errors.push(invalidField(`${path}.type`, meta.type ?? '', 'must be object'));
    const names = Object.keys(meta.properties ?? {});
    const more =
      names.some(k => k !== 'name' && k !== 'generateName') ||
      Object.keys(meta).some(k => k !== 'properties' && k !== 'type' && k !== 'default');
    if (level === 'root' && more) {
      errors.push(forbiddenField(path, 'must not specify anything other than name and generateName, but metadata is implicitly specified'));
    }
  }
  if (s[EMBEDDED] && !s[PRESERVE] && !Object.keys(s.properties ?? {}).length) {
    errors.push(required(`${at}.properties`, `must not be empty if ${EMBEDDED} is true without ${PRESERVE}`));
  }
}

function valueRules(s: Schema, skipAnyOf: boolean, skipAllOf: boolean, at: string, errors: FieldError[]): void {
  if (!skipAnyOf) for (const [i, x] of (s.anyOf ?? []).entries()) nested(x, false, `${at}.anyOf[${i}]`, errors);
  for (const [i, x] of (s.allOf ?? []).entries()) nested(x, skipAllOf && i === 0, `${at}.allOf[${i}]`, errors);
  for (const [i, x] of (s.oneOf ?? []).entries()) nested(x, false, `${at}.oneOf[${i}]`, errors);
  if (s.not) nested(s.not, false, `${at}.not`, errors);
  if (s.pattern && !compile(s.pattern)) {
    const why = `must be a valid regular expression, but isn't: error parsing regexp: invalid or unsupported Perl syntax: \`${s.pattern}\``;
    errors.push(invalidField(`${at}.pattern`, s.pattern, why));
  }
}

const NOT_NESTED: [string, string][] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  [PRESERVE, 'must be false to be structural'],
  [EMBEDDED, 'must be false to be structural'],
  [INT_OR_STRING, 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function nested(s: Schema, skipAnyOf: boolean, at: string, errors: FieldError[]): void {
  valueRules(s, skipAnyOf, false, at, errors);
  if (isMap(s.items)) nested(s.items, false, `${at}.items`, errors);
  for (const [k, v] of sortedEntries(s.properties)) nested(v, false, `${at}.properties[${k}]`, errors);
  for (const [k, why] of NOT_NESTED) {
    const v = s[k];
    if (v !== undefined && v !== false && v !== '' && !(Array.isArray(v) && !v.length)) errors.push(forbiddenField(`${at}.${k}`, why));
  }
  if (s.properties?.metadata) errors.push(forbiddenField(`${at}.properties[metadata]`, 'must not be specified in a nested context'));
}

/** What a value rule names must be specified outside of it too. */
function complete(rule: Schema, outer: Schema, at: string, errors: FieldError[], seen: Set<Schema>): void {
  if (seen.has(rule)) return;
  seen.add(rule);
  for (const k of ['allOf', 'anyOf', 'oneOf']) {
    for (const x of rule[k] ?? []) inOuter(x, outer, at, errors);
  }
  if (rule.not) inOuter(rule.not, outer, at, errors);
  if (isMap(rule.items)) complete(rule.items, rule.items, `${at}.items`, errors, seen);
  for (const [k, v] of sortedEntries(rule.properties)) complete(v, v, `${at}.properties[${k}]`, errors, seen);
  if (isMap(rule.additionalProperties)) {
    complete(rule.additionalProperties, rule.additionalProperties, `${at}.additionalProperties`, errors, seen);
  }
}

function inOuter(rule: Schema, outer: Schema | undefined, at: string, errors: FieldError[]): void {
  if (isMap(rule.items)) {
    if (!isMap(outer?.items)) errors.push(required(`${at}.items`, `because it is defined in ${at}`));
    else inOuter(rule.items, outer.items, `${at}.items`, errors);
  }
  for (const [k, v] of sortedEntries(rule.properties)) {
    const p = outer?.properties?.[k];
    if (!p && !outer?.additionalProperties)
      errors.push(required(`${at}.properties[${k}]`, `because it is defined in ${at}.allOf[0].properties[${k}]`));
    else if (p) inOuter(v, p, `${at}.properties[${k}]`, errors);
  }
}

/** Defaults must be valid values themselves. */
function defaultErrors(s: Schema | undefined, at: string): FieldError[] {
  if (!isMap(s)) return [];
  if (s.default !== undefined && s.default !== null) return validateValue(s.default, s, '', `${at}.default`);
  const errors = defaultErrors(s.items, `${at}.items`);
  for (const [k, v] of sortedEntries(s.properties)) errors.push(...defaultErrors(v, `${at}.properties[${k}]`));
  if (isMap(s.additionalProperties)) errors.push(...defaultErrors(s.additionalProperties, `${at}.additionalProperties`));
  return errors;
}

interface Place {
  root: boolean;
  /** Why there may be none: `in top-level metadata`. */
  defaults: string;
  meta: boolean;
}

const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];

function openApiErrors(s: Schema | undefined, at: string, place: Place): FieldError[] {
  if (!isMap(s)) return [];
  const errors: FieldError[] = [];
  if (s.type && !TYPES.includes(s.type)) errors.push(notSupported(`${at}.type`, s.type, TYPES));
  if (s.default != null && place.defaults) errors.push(forbiddenField(`${at}.default`, `must not be set ${place.defaults}`));
  for (const k of UNSUPPORTED) {
    const v = s[k];
    if (v && !(isMap(v) && k.endsWith('s') && !Object.keys(v).length)) errors.push(forbiddenField(`${at}.${k}`, `${k} is not supported`));
  }
  if (s.type === 'null') errors.push(forbiddenField(`${at}.type`, 'type cannot be set to null, use nullable as an alternative'));
  if (Array.isArray(s.items) && s.items.length)
    errors.push(forbiddenField(`${at}.items`, 'items must be a schema object and not an array'));
  if (place.meta && s[EMBEDDED]) errors.push(forbiddenField(`${at}.${EMBEDDED}`, 'must not be used inside of resource meta'));
  if (s.uniqueItems) {
    errors.push(forbiddenField(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  }
  const inner: Place = { ...place, root: false };
  const extra = s.additionalProperties;
  if (extra !== undefined) {
    if (Object.keys(s.properties ?? {}).length && (extra === false || isMap(extra))) {
      errors.push(forbiddenField(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
    }
    errors.push(...openApiErrors(isMap(extra) ? extra : undefined, `${at}.additionalProperties`, inner));
  }
  for (const [k, v] of sortedEntries(s.properties)) {
    const meta = (place.root || s[EMBEDDED]) && (k === 'metadata' || k === 'kind' || k === 'apiVersion');
    const below = meta ? { ...inner, meta: true, defaults: place.root ? `in top-level ${k}` : inner.defaults } : inner;
    errors.push(...openApiErrors(v, `${at}.properties[${k}]`, below));
  }
  errors.push(...openApiErrors(s.not, `${at}.not`, inner));
  for (const k of ['allOf', 'oneOf', 'anyOf']) {
    for (const [i, x] of (s[k] ?? []).entries()) errors.push(...openApiErrors(x, `${at}.${k}[${i}]`, inner));
  }
  if (isMap(s.items)) errors.push(...openApiErrors(s.items, `${at}.items`, inner));
  return [...errors, ...extensionErrors(s, at), ...ruleFormErrors(s, at)];
}

function extensionErrors(s: Schema, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (s[PRESERVE] === false) errors.push(invalidField(`${at}.${PRESERVE}`, false, 'must be true or undefined'));
  const kinds: [string, string, string[]][] = [
    ['x-kubernetes-map-type', 'object', ['atomic', 'granular']],
    ['x-kubernetes-list-type', 'array', ['atomic', 'set', 'map']],
  ];
  for (const [k, type, values] of kinds) {
    if (s[k] === undefined) continue;
    const why = `must be ${type} if ${k} is specified`;
    if (s.type !== type) errors.push(s.type ? invalidField(`${at}.type`, s.type, why) : required(`${at}.type`, why));
    if (!values.includes(s[k])) errors.push(notSupported(`${at}.${k}`, s[k], values));
  }
  return [...errors, ...mapListErrors(s, at)];
}

function mapListErrors(s: Schema, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = s['x-kubernetes-list-type'];
  const keys: string[] = s['x-kubernetes-list-map-keys'] ?? [];
  const path = `${at}.x-kubernetes-list-map-keys`;
  if (keys.length && type !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(
      type === undefined ? required(`${at}.x-kubernetes-list-type`, why) : invalidField(`${at}.x-kubernetes-list-type`, type, why),
    );
  }
  if (type === 'map') {
    if (!keys.length) errors.push(required(path, 'must not be empty if x-kubernetes-list-type is map'));
    if (!s.items) errors.push(required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    else if (s.items.type !== 'object') {
      errors.push(invalidField(`${at}.items.type`, s.items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"));
    } else {
      for (const [i, k] of keys.entries()) {
        const p = s.items.properties?.[k];
        if (!p) errors.push(invalidField(path, keys, 'entries must all be names of item properties'));
        if (keys.indexOf(k) < i) errors.push(invalidField(path, keys, 'must not contain duplicate entries'));
      }
    }
  }
  if ((type === 'map' || type === 'set') && s.items?.nullable) {
    errors.push(forbiddenField(`${at}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`));
  }
  if (type !== 'map') return errors;
  for (const k of keys) {
    const p = s.items?.properties?.[k];
    if (!p) continue;
    const why = 'this property is in x-kubernetes-list-map-keys, so it ';
    const path = `${at}.items.properties[${k}]`;
    if (!s.items.required?.includes(k) && p.default === undefined)
      errors.push(required(`${path}.default`, `${why}must have a default or be a required property`));
    if (p.nullable) errors.push(forbiddenField(`${path}.nullable`, `${why}cannot be nullable`));
  }
  return errors;
}
