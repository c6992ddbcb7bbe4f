// CustomResourceDefinitions (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions v0.36.3, pkg/controller/status).

import { rfc3339 } from '../../sim/time.ts';
import { CRDS } from '../custom/resources.ts';
import { type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import { cloneJson, sameJson } from '../json.ts';
import { bucketName, commit, getObject, keyOf, listObjects } from '../store.ts';
import type { KindStrategy, WriteContext } from '../strategy.ts';
import type { ApiServer, KubeObject } from '../types.ts';
import { validateCustomValidation } from './custom-schema-validation.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { IMMUTABLE, isDns1035Label, isDns1123Subdomain, prefixed } from './rules.ts';

type Any = any;

function defaults(o: KubeObject): void {
  const s = o.spec;
  if (!s) return;
  s.names ??= { plural: '', kind: '' };
  if (!s.names.singular && s.names.kind) s.names.singular = s.names.kind.toLowerCase();
  if (!s.names.listKind && s.names.kind) s.names.listKind = `${s.names.kind}List`;
  s.conversion ??= { strategy: 'None' };
}

const storageVersion = (o: KubeObject): string | undefined => o.spec?.versions?.find((v: Any) => v.storage)?.name;

function prepareCreate(o: KubeObject): void {
  const version = storageVersion(o);
  o.status = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: version === undefined ? null : [version] };
}

function prepareUpdate(o: KubeObject): void {
  const version = storageVersion(o);
  const stored: string[] = o.status?.storedVersions ?? [];
  if (version !== undefined && !stored.includes(version)) o.status = { ...o.status, storedVersions: [...stored, version] };
}

/** What the naming and establishing controllers do a moment later. */
function establish(server: ApiServer, name: string): void {
  const now = getObject(server, CRDS, '', name);
  if (!now) return;
  const next = cloneJson(now);
  const date = rfc3339(server.sim.nowMs);
  const { plural, singular, shortNames, kind, listKind, categories } = next.spec.names;
  const accepted: Any = { plural, singular, shortNames, kind, listKind, categories };
  for (const k in accepted) if (accepted[k] === undefined) delete accepted[k];
  const wanted = [
    { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
    { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
  ];
  const had: Any[] = next.status?.conditions ?? [];
  const conditions = [...had, ...wanted.filter(c => !had.some(h => h.type === c.type)).map(c => ({ ...c, lastTransitionTime: date }))];
  next.status = { ...next.status, acceptedNames: accepted, conditions };
  if (!sameJson(next.status, now.status)) commit(server, CRDS, keyOf('', name), next);
}

/** Where v1's fields are in the internal type that validation sees: what all versions share is the definition's. */
interface Internal {
  versions: Any[];
  shared: Record<'schema' | 'subresources' | 'additionalPrinterColumns', boolean>;
}

function internalOf(s: Any): Internal {
  const versions: Any[] = s.versions ?? [];
  const same = (k: string) => versions.every(v => sameJson(v[k], versions[0][k]));
  return {
    versions,
    shared: {
      schema: same('schema'),
      subresources: same('subresources'),
      additionalPrinterColumns: same('additionalPrinterColumns'),
    },
  };
}

/** The internal versions as JSON shows them. */
function versionsShown(i: Internal): unknown {
  if (!i.versions.length) return null;
  const { schema, subresources, additionalPrinterColumns } = i.shared;
  return i.versions.map(v => ({
    Name: v.name ?? '',
    Served: v.served ?? false,
    Storage: v.storage ?? false,
    Deprecated: v.deprecated ?? false,
    DeprecationWarning: v.deprecationWarning ?? null,
    Schema: schema ? null : (v.schema ?? null),
    Subresources: subresources ? null : (v.subresources ?? null),
    AdditionalPrinterColumns: additionalPrinterColumns ? null : (v.additionalPrinterColumns ?? null),
    SelectableFields: null,
  }));
}

const joined = (field: string, value: string, errors: string[], before = ''): FieldError[] =>
  errors.length ? [invalidField(field, value, before + errors.join(','))] : [];

function validateSpec(o: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  const errors: FieldError[] = [];
  if (!s.group) errors.push(required('spec.group'));
  else if (isDns1123Subdomain(s.group).length) errors.push(...joined('spec.group', s.group, isDns1123Subdomain(s.group)));
  else if (!s.group.includes('.')) errors.push(invalidField('spec.group', s.group, 'should be a domain with at least one dot'));
  if (!s.scope) errors.push(required('spec.scope'));
  else if (s.scope !== 'Cluster' && s.scope !== 'Namespaced') errors.push(notSupported('spec.scope', s.scope, ['Cluster', 'Namespaced']));
  const i = internalOf(s);
  for (const [k, v] of i.versions.entries()) {
    if (!v.schema?.openAPIV3Schema) errors.push(required(`spec.versions[${k}].schema.openAPIV3Schema`));
  }
  for (const [k, v] of i.versions.entries()) errors.push(...validateVersion(v, i, `spec.versions[${k}]`));
  const names = i.versions.map(v => v.name);
  if (new Set(names).size < names.length) errors.push(invalidField('spec.versions', versionsShown(i), 'must contain unique version names'));
  if (i.versions.filter(v => v.storage).length !== 1) {
    errors.push(invalidField('spec.versions', versionsShown(i), 'must have exactly one version marked as storage version'));
  }
  if (names[0]) errors.push(...joined('spec.version', names[0], isDns1035Label(names[0])));
  for (const k of ['plural', 'singular', 'kind', 'listKind']) if (!s.names?.[k]) errors.push(required(`spec.names.${k}`));
  errors.push(...validateNames(s.names ?? {}, 'spec.names'));
  const first = i.versions[0];
  const anyStatus = i.versions.some(v => v.subresources?.status);
  if (i.shared.schema) errors.push(...validateCustomValidation(first?.schema, anyStatus, 'spec.validation'));
  if (i.shared.subresources) errors.push(...validateSubresources(first?.subresources, 'spec.subresources'));
  if (i.shared.additionalPrinterColumns) errors.push(...validateColumns(first?.additionalPrinterColumns, 'spec.additionalPrinterColumns'));
  return [...errors, ...validateConversion(s.conversion)];
}

function validateVersion(v: Any, i: Internal, field: string): FieldError[] {
  const errors = joined(`${field}.name`, v.name ?? '', isDns1035Label(v.name ?? ''));
  if (v.deprecationWarning != null) {
    const w = `${field}.deprecationWarning`;
    if (!v.deprecated) errors.push(invalidField(w, v.deprecationWarning, 'can only be set for deprecated versions'));
    else if (!v.deprecationWarning) errors.push(invalidField(w, '', 'must not be an empty string'));
    else if (v.deprecationWarning.length > 256) errors.push(invalidField(w, v.deprecationWarning, 'must be <= 256 characters long'));
  }
  if (!i.shared.schema) errors.push(...validateCustomValidation(v.schema, !!v.subresources?.status, `${field}.schema`));
  if (!i.shared.subresources) errors.push(...validateSubresources(v.subresources, `${field}.subresources`));
  if (!i.shared.additionalPrinterColumns) errors.push(...validateColumns(v.additionalPrinterColumns, `${field}.additionalPrinterColumns`));
  return errors;
}

function validateNames(n: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const mixed = 'may have mixed case, but should otherwise match: ';
  for (const k of ['plural', 'singular']) if (n[k]) errors.push(...joined(`${field}.${k}`, n[k], isDns1035Label(n[k])));
  for (const k of ['kind', 'listKind']) if (n[k]) errors.push(...joined(`${field}.${k}`, n[k], isDns1035Label(n[k].toLowerCase()), mixed));
  for (const [i, x] of (n.shortNames ?? []).entries()) errors.push(...joined(`${field}.shortNames[${i}]`, x, isDns1035Label(x)));
  if (n.kind && n.kind === n.listKind) errors.push(invalidField(`${field}.listKind`, n.listKind, 'kind and listKind may not be the same'));
  for (const [i, x] of (n.categories ?? []).entries()) errors.push(...joined(`${field}.categories[${i}]`, x, isDns1035Label(x)));
  return errors;
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function validateColumns(columns: Any[] | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, c] of (columns ?? []).entries()) {
    const at = `${field}[${i}]`;
    const types = `must be one of ${COLUMN_TYPES.join(',')}`;
    if (!c.name) errors.push(required(`${at}.name`));
    if (!c.type) errors.push(required(`${at}.type`, types));
    else if (!COLUMN_TYPES.includes(c.type)) errors.push(invalidField(`${at}.type`, c.type, types));
    if (c.format && !COLUMN_FORMATS.includes(c.format)) {
      errors.push(invalidField(`${at}.format`, c.format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    }
    if (!c.jsonPath) errors.push(required(`${at}.JSONPath`));
    else errors.push(...simplePath(c.jsonPath, `${at}.JSONPath`));
  }
  return errors;
}

const simplePath = (path: string, field: string): FieldError[] =>
  path.startsWith('.') ? [] : [invalidField(field, path, 'must be a simple json path starting with .')];

function validateSubresources(s: Any, field: string): FieldError[] {
  if (!s?.scale) return [];
  const errors: FieldError[] = [];
  const check = (key: string, under: string[], words: string, need: boolean) => {
    const at = `${field}.scale.${key}`;
    const path: string = s.scale[key] ?? '';
    if (!path) {
      if (need) errors.push(required(at));
      return;
    }
    const wrong = simplePath(path, at);
    if (wrong.length) errors.push(...wrong);
    else if (!under.some(u => path.startsWith(u))) errors.push(invalidField(at, path, `should be a json path under ${words}`));
  };
  check('specReplicasPath', ['.spec.'], '.spec', true);
  check('statusReplicasPath', ['.status.'], '.status', true);
  check('labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status', false);
  return errors;
}

function validateConversion(c: Any): FieldError[] {
  if (!c) return [];
  const at = 'spec.conversion';
  if (!c.strategy) return [required(`${at}.strategy`)];
  const errors: FieldError[] = [];
  if (c.strategy !== 'None' && c.strategy !== 'Webhook') errors.push(notSupported(`${at}.strategy`, c.strategy, ['None', 'Webhook']));
  if (c.strategy === 'Webhook') {
    if (!c.webhook?.clientConfig) errors.push(required(`${at}.webhookClientConfig`, 'required when strategy is set to Webhook'));
    if (!c.webhook?.conversionReviewVersions?.length) errors.push(required(`${at}.conversionReviewVersions`));
  } else if (c.webhook?.clientConfig) {
    errors.push(forbiddenField(`${at}.webhookClientConfig`, 'should not be set when strategy is not set to Webhook'));
  }
  return errors;
}

function validateStored(o: KubeObject): FieldError[] {
  const stored: string[] | null = o.status?.storedVersions ?? null;
  if (!stored?.length) return [invalidField('status.storedVersions', stored, 'must have at least one stored version')];
  const errors: FieldError[] = [];
  for (const v of o.spec?.versions ?? []) {
    if (v.storage && !stored.includes(v.name))
      errors.push(invalidField('status.storedVersions', stored, `must have the storage version ${v.name}`));
  }
  for (const [i, v] of stored.entries()) {
    if (o.spec?.versions?.some((x: Any) => x.name === v)) continue;
    const why = `missing from spec.versions; ${v} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${v} and removes ${v} from status.storedVersions`;
    errors.push(invalidField(`status.storedVersions[${i}]`, v, why));
  }
  return errors;
}

const APPROVED = 'api-approved.kubernetes.io';

function validateApproval(o: KubeObject): FieldError[] {
  const group: string = o.spec?.group ?? '';
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return [];
  const value = o.metadata.annotations?.[APPROVED] ?? '';
  const at = `metadata.annotations[${APPROVED}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (!value) return [required(at, `protected groups must have approval annotation "${APPROVED}", ${see}`)];
  if (value.startsWith('unapproved') || /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]/.test(value)) return [];
  const why = `protected groups must have approval annotation "${APPROVED}" with either a URL or a reason starting with "unapproved", ${see}`;
  return [invalidField(at, value, why)];
}

function validatePreserve(o: KubeObject): FieldError[] {
  if (!o.spec?.preserveUnknownFields) return [];
  const why = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [invalidField('spec.preserveUnknownFields', true, why)];
}

const afterMetadata = (o: KubeObject): FieldError[] => [
  ...validateSpec(o),
  ...validateNames(o.status?.acceptedNames ?? {}, 'status.acceptedNames'),
  ...validateStored(o),
];

function validate(o: KubeObject): FieldError[] {
  const full = `${o.spec?.names?.plural ?? ''}.${o.spec?.group ?? ''}`;
  const subdomain = prefixed(isDns1123Subdomain);
  const rule = (name: string, prefix: boolean) => [
    ...subdomain(name, prefix),
    ...(name === full ? [] : ['must be spec.names.plural+"."+spec.group']),
  ];
  return [...validateMetadata(o.metadata, false, rule), ...afterMetadata(o), ...validateApproval(o), ...validatePreserve(o)];
}

function validateUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = [...validateMetadataUpdate(o.metadata, old.metadata), ...validateSpec(o)];
  const fixed: [string, (s: Any) => unknown][] = [
    ['spec.scope', s => s.scope],
    ['spec.names.kind', s => s.names?.kind],
    ['spec.group', s => s.group],
    ['spec.names.plural', s => s.names?.plural],
  ];
  for (const [field, get] of fixed) {
    if (get(o.spec) !== get(old.spec)) errors.push(invalidField(field, get(o.spec) ?? '', IMMUTABLE));
  }
  return [...errors, ...validateNames(o.status?.acceptedNames ?? {}, 'status.acceptedNames'), ...validateStored(o)];
}

/** A definition takes its objects with it. */
function dropInstances(server: ApiServer, old: KubeObject): void {
  const bucket = bucketName(old.spec.group, old.spec.names.plural);
  for (const o of listObjects(server, bucket)) commit(server, bucket, keyOf(o.metadata.namespace, o.metadata.name), null);
}

export const customResourceDefinition: KindStrategy = {
  hasStatus: true,
  conditionalUpdate: true,
  generation: o => o.spec,
  nameRule: prefixed(isDns1123Subdomain),
  defaults,
  prepareCreate,
  prepareUpdate,
  validate,
  validateUpdate,
  begin: (c: WriteContext, o) => {
    c.done.push(() => establish(c.server, o.metadata.name));
    return null;
  },
  afterDelete: dropInstances,
};
