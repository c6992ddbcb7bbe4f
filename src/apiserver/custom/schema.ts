// Structural schemas of custom resources: pruning, defaulting, validating
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema v0.36.3 and k8s.io/kube-openapi/pkg/validation).

import { type FieldError, invalidField, notSupported, required, tooLong, tooMany } from '../field.ts';
import { cloneJson, isMap, type Json, sameJson } from '../json.ts';
import { compile } from '../regexp.ts';
import { formatError } from './formats.ts';

/** apiextensions/v1 JSONSchemaProps. */
export type CustomSchema = Record<string, any>;

const META = new Set(['apiVersion', 'kind', 'metadata']);

/** Takes away what the schema does not know. -> the paths, sorted */
export function prune(root: Record<string, Json>, schema: CustomSchema | undefined): string[] {
  const unknown: string[] = [];
  const walk = (x: Json, s: CustomSchema | undefined, path: string, top: boolean): void => {
    const keep = s?.['x-kubernetes-preserve-unknown-fields'];
    if (Array.isArray(x)) {
      if (!keep || s?.items) for (const [i, v] of x.entries()) walk(v, s?.items, `${path}[${i}]`, false);
      return;
    }
    if (!isMap(x)) return;
    for (const k of Object.keys(x)) {
      if ((top || s?.['x-kubernetes-embedded-resource']) && META.has(k)) continue;
      const at = path ? `${path}.${k}` : k;
      const extra = s?.additionalProperties;
      if (s?.properties?.[k]) walk(x[k], s.properties[k], at, false);
      else if (extra) walk(x[k], extra === true ? { 'x-kubernetes-preserve-unknown-fields': true } : extra, at, false);
      else if (!keep) {
        unknown.push(at);
        delete x[k];
      }
    }
  };
  walk(root, schema, '', true);
  return unknown.sort();
}

const nonNullable = (x: Json, s: CustomSchema | undefined): boolean => x === null && !!s && !s.nullable;

/** Takes away nulls that mean nothing and puts the defaults in. */
export function applyDefaults(x: Json, s: CustomSchema | undefined): void {
  if (!s) return;
  if (Array.isArray(x)) {
    x.forEach((v, i) => {
      if (nonNullable(v, s.items) && s.items.default !== undefined) x[i] = cloneJson(s.items.default);
      applyDefaults(x[i], s.items);
    });
    return;
  }
  if (!isMap(x)) return;
  for (const k in s.properties) {
    const p = s.properties[k];
    if (nonNullable(x[k], p) && p.default === undefined) delete x[k];
    else if (p.default !== undefined && p.default !== null && (!(k in x) || nonNullable(x[k], p))) x[k] = cloneJson(p.default);
  }
  for (const k of Object.keys(x)) {
    const p = s.properties?.[k] ?? (isMap(s.additionalProperties) ? s.additionalProperties : undefined);
    applyDefaults(x[k], p);
  }
}

const PLAIN = '<nil>';
const shown = (path: string): string => path.replace(/^\./, '');

/** Of a value; `path` is as kube-openapi writes it: `spec.items[0].name`, written below `base`. */
export function validateValue(value: Json, s: CustomSchema, path = '', base = ''): FieldError[] {
  const errors: FieldError[] = [];
  const where = base ? (path ? `${base}.${shown(path)}` : base) : shown(path);
  const say = (text: string) => `${path} in body ${text}`;
  const types: string[] = s['x-kubernetes-int-or-string'] ? ['integer', 'string'] : s.type ? [s.type] : [];
  const wrongType = typeError(value, s, types);
  if (wrongType) {
    const [want, got] = wrongType;
    errors.push({ type: 'TypeInvalid', field: where, value: got, detail: say(`must be of type ${want}: "${got}"`) });
  }
  if (value === null || value === undefined) return [...errors, ...enumErrors(value, s, where)];
  errors.push(...combined(value, s, path, base));
  if (typeof value === 'string') errors.push(...stringErrors(value, s, where, say));
  else if (typeof value === 'number') errors.push(...numberErrors(value, s, where, say));
  else if (Array.isArray(value)) errors.push(...listErrors(value, s, path, base, where, say));
  errors.push(...enumErrors(value, s, where));
  if (isMap(value)) errors.push(...mapErrors(value, s, path, base, where, say));
  return errors;
}

function jsonType(v: Json): string {
  if (v === null || v === undefined) return 'null';
  if (Array.isArray(v)) return 'array';
  if (typeof v === 'number') return Number.isInteger(v) ? 'integer' : 'number';
  return typeof v;
}

/** [wanted, got] */
function typeError(v: Json, s: CustomSchema, types: string[]): [string, string] | null {
  const got = jsonType(v);
  if (got === 'null') return types.length && !s.nullable ? [types.join(','), 'null'] : null;
  if (!types.length) return null;
  const numeric = types.includes('number') || types.includes('integer');
  if (!numeric && s.format && (got === 'string' || got === 'array')) return null;
  if (types.includes(got) || (got === 'integer' && types.includes('number'))) return null;
  return [types.join(','), got];
}

function enumErrors(value: Json, s: CustomSchema, where: string): FieldError[] {
  const list: Json[] | undefined = s.enum;
  if (!list?.length || list.some(v => sameJson(v, value))) return [];
  return [
    notSupported(
      where,
      value ?? null,
      list.map(v => (typeof v === 'string' ? v : JSON.stringify(v))),
    ),
  ];
}

type Say = (text: string) => string;

/** Only the first of a string's rules that is broken is told, and the format. */
function stringErrors(v: string, s: CustomSchema, where: string, say: Say): FieldError[] {
  const errors: FieldError[] = [];
  const length = [...v].length;
  if (s.maxLength != null && length > s.maxLength) errors.push(tooLong(where, s.maxLength));
  else if (s.minLength != null && length < s.minLength)
    errors.push(invalidField(where, v, say(`should be at least ${s.minLength} chars long`)));
  else if (s.pattern && compile(s.pattern)?.test(v) === false) errors.push(invalidField(where, v, say(`should match '${s.pattern}'`)));
  if (s.format && formatError(s.format, v)) {
    errors.push({ type: 'TypeInvalid', field: where, value: v, detail: say(`must be of type ${s.format}: ${JSON.stringify(v)}`) });
  }
  return errors;
}

function numberErrors(v: number, s: CustomSchema, where: string, say: Say): FieldError[] {
  const errors: FieldError[] = [];
  const bad = (text: string) => errors.push(invalidField(where, v, say(text)));
  if (s.multipleOf && !Number.isInteger(v / s.multipleOf)) bad(`should be a multiple of ${s.multipleOf}`);
  if (s.maximum != null && (s.exclusiveMaximum ? v >= s.maximum : v > s.maximum))
    bad(`should be less than ${s.exclusiveMaximum ? '' : 'or equal to '}${s.maximum}`);
  if (s.minimum != null && (s.exclusiveMinimum ? v <= s.minimum : v < s.minimum))
    bad(`should be greater than ${s.exclusiveMinimum ? '' : 'or equal to '}${s.minimum}`);
  return errors;
}

function listErrors(v: Json[], s: CustomSchema, path: string, base: string, where: string, say: Say): FieldError[] {
  const errors: FieldError[] = [];
  if (isMap(s.items)) for (const [i, x] of v.entries()) errors.push(...validateValue(x, s.items, `${path}[${i}]`, base));
  if (s.minItems != null && v.length < s.minItems)
    errors.push(invalidField(where, v.length, say(`should have at least ${s.minItems} items`)));
  if (s.maxItems != null && v.length > s.maxItems) errors.push(tooMany(where, v.length, s.maxItems));
  return errors;
}

function mapErrors(v: Record<string, Json>, s: CustomSchema, path: string, base: string, where: string, say: Say): FieldError[] {
  const errors: FieldError[] = [];
  const keys = Object.keys(v).sort();
  if (s.minProperties != null && keys.length < s.minProperties) {
    errors.push(invalidField(where, keys.length, say(`should have at least ${s.minProperties} properties`)));
  }
  if (s.maxProperties != null && keys.length > s.maxProperties) errors.push(tooMany(where, keys.length, s.maxProperties));
  if (isMap(s.additionalProperties)) {
    for (const k of keys) if (!s.properties?.[k]) errors.push(...validateValue(v[k], s.additionalProperties, `${path}.${k}`, base));
  }
  for (const k of Object.keys(s.properties ?? {}).sort()) {
    if (k in v) errors.push(...validateValue(v[k], s.properties[k], path ? `${path}.${k}` : k, base));
  }
  const below = (k: string) => (base ? `${base}${path ? `.${shown(path)}` : ''}.${k}` : shown(`${path}.${k}`));
  for (const k of s.required ?? []) if (!(k in v)) errors.push(required(below(k)));
  return errors;
}

/** anyOf, oneOf, allOf, not: what failed is told without a path. */
function combined(value: Json, s: CustomSchema, path: string, base: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (x: CustomSchema) => validateValue(value, x, path, base);
  const plain = (text: string) => invalidField(PLAIN, '', `${JSON.stringify(path)} must ${text}`);
  const least = (all: FieldError[][]) => all.reduce((best, x) => (x.length < best.length ? x : best));
  if (s.anyOf?.length && !s['x-kubernetes-int-or-string']) {
    const all: FieldError[][] = s.anyOf.map(check);
    if (all.every(x => x.length)) errors.push(plain('validate at least one schema (anyOf)'), ...least(all));
  }
  if (s.oneOf?.length) {
    const all: FieldError[][] = s.oneOf.map(check);
    const good = all.filter(x => !x.length).length;
    if (good !== 1) {
      const why = good ? `Found ${good} valid alternatives` : 'Found none valid';
      errors.push(plain(`validate one and only one schema (oneOf). ${why}`), ...(good ? [] : least(all)));
    }
  }
  if (s.allOf?.length) {
    const all: FieldError[][] = s.allOf.map(check);
    const bad = all.filter(x => x.length);
    errors.push(...bad.flat());
    if (bad.length) errors.push(plain(`validate all the schemas (allOf)${bad.length === all.length ? '. None validated' : ''}`));
  }
  if (s.not && !check(s.not).length) errors.push(plain('not validate the schema (not)'));
  return errors;
}

/** x-kubernetes-list-type set and map: no element twice. */
export function duplicateItems(x: Json, s: CustomSchema | undefined, path: string): FieldError[] {
  if (!s) return [];
  const errors: FieldError[] = [];
  if (Array.isArray(x)) {
    const type = s['x-kubernetes-list-type'];
    const keys: string[] = s['x-kubernetes-list-map-keys'] ?? [];
    const of = (v: Json): Json => (type === 'map' ? keys.map(k => v?.[k] ?? s.items?.properties?.[k]?.default ?? null) : v);
    const seen = new Set<string>();
    x.forEach((v, i) => {
      if (type === 'set' || type === 'map') {
        const id = JSON.stringify(of(v));
        const value = type === 'map' ? Object.fromEntries(keys.filter(k => v?.[k] !== undefined).map(k => [k, v[k]])) : v;
        if (seen.has(id)) errors.push({ type: 'Duplicate', field: `${path}[${i}]`, value, detail: '' });
        seen.add(id);
      }
      errors.push(...duplicateItems(v, s.items, `${path}[${i}]`));
    });
  } else if (isMap(x)) {
    for (const k of Object.keys(x).sort()) {
      const p = s.properties?.[k] ?? (isMap(s.additionalProperties) ? s.additionalProperties : undefined);
      const at = s.properties?.[k] ? (path ? `${path}.${k}` : k) : `${path}[${k}]`;
      errors.push(...duplicateItems(x[k], p, at));
    }
  }
  return errors;
}
