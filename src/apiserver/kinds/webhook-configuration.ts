// MutatingWebhookConfiguration and ValidatingWebhookConfiguration
// (pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go} v1.36.3; apiserver/pkg/util/webhook/validation.go).

import { compilePolicy } from '../admission/policies/compile.ts';
import { duplicate, type FieldError, invalidField, notSupported, required } from '../field.ts';
import type { Json } from '../json.ts';
import type { KindStrategy } from '../strategy.ts';
import type { KubeObject } from '../types.ts';
import { conditionErrors, ruleErrors } from './admission-policy.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { isDns1035Label, isDns1123Subdomain, isPortNumber, nameIsSubdomain, validateLabelSelector } from './rules.ts';

const REVIEWS = ['v1', 'v1beta1'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];

function defaults(o: KubeObject): void {
  for (const w of (o.webhooks ?? []) as Json[]) {
    w.failurePolicy ??= 'Fail';
    w.matchPolicy ??= 'Equivalent';
    w.namespaceSelector ??= {};
    w.objectSelector ??= {};
    w.timeoutSeconds ??= 10;
    if (o.kind === 'MutatingWebhookConfiguration') w.reinvocationPolicy ??= 'Never';
    if (w.clientConfig?.service) w.clientConfig.service.port ??= 443;
    for (const r of w.rules ?? []) r.scope ??= '*';
  }
}

function validate(o: KubeObject): FieldError[] {
  const errors = validateMetadata(o.metadata, false, nameIsSubdomain);
  const names = new Set<string>();
  ((o.webhooks ?? []) as Json[]).forEach((w, i) => {
    const at = `webhooks[${i}]`;
    errors.push(...webhookErrors(w, at), ...reviewErrors(w.admissionReviewVersions ?? [], `${at}.admissionReviewVersions`));
    if (w.name && names.has(w.name)) errors.push(duplicate(`${at}.name`, w.name));
    names.add(w.name);
  });
  return errors;
}

/** IsFullyQualifiedName */
function nameErrors(name: string, field: string): FieldError[] {
  if (!name) return [required(field)];
  const wrong = isDns1123Subdomain(name);
  if (wrong.length) return [invalidField(field, name, wrong.join(','))];
  const few = name.split('.').length < 3;
  return few ? [invalidField(field, name, 'should be a domain with at least three segments separated by dots')] : [];
}

function webhookErrors(w: Json, at: string): FieldError[] {
  const errors = nameErrors(w.name ?? '', `${at}.name`);
  ((w.rules ?? []) as Json[]).forEach((r, i) => {
    errors.push(...ruleErrors(r, `${at}.rules[${i}]`), ...resourceErrors(r.resources ?? [], `${at}.rules[${i}].resources`));
  });
  const oneOf = (field: string, allowed: string[]) => {
    if (w[field] !== undefined && !allowed.includes(w[field])) errors.push(notSupported(`${at}.${field}`, w[field], allowed));
  };
  oneOf('failurePolicy', ['Fail', 'Ignore']);
  oneOf('matchPolicy', ['Equivalent', 'Exact']);
  if (w.sideEffects === undefined) errors.push(required(`${at}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  oneOf('sideEffects', SIDE_EFFECTS);
  if (w.timeoutSeconds > 30 || w.timeoutSeconds < 1)
    errors.push(invalidField(`${at}.timeoutSeconds`, w.timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
  errors.push(...validateLabelSelector(w.namespaceSelector, `${at}.namespaceSelector`));
  errors.push(...validateLabelSelector(w.objectSelector, `${at}.objectSelector`));
  oneOf('reinvocationPolicy', ['IfNeeded', 'Never']);
  errors.push(...clientErrors(w.clientConfig ?? {}, `${at}.clientConfig`));
  const compiled = compilePolicy({ matchConditions: w.matchConditions }).matchConditions.map(m => m.expression);
  errors.push(...conditionErrors(w.matchConditions ?? [], compiled, `${at}.matchConditions`));
  return errors;
}

/** What of a rule's resources covers what else is listed. */
function resourceErrors(resources: string[], at: string): FieldError[] {
  const errors: FieldError[] = [];
  const [all, every] = [new Set<string>(), new Set<string>()];
  let plain = false;
  resources.forEach((text, i) => {
    if (!text) {
      errors.push(required(`${at}[${i}]`));
      return;
    }
    const slash = text.indexOf('/');
    if (slash < 0) {
      plain = text !== '*';
      return;
    }
    const [res, sub] = [text.slice(0, slash), text.slice(slash + 1)];
    if (all.has(res)) errors.push(invalidField(`${at}[${i}]`, text, `if '${res}/*' is present, must not specify ${text}`));
    if (every.has(sub)) errors.push(invalidField(`${at}[${i}]`, text, `if '*/${sub}' is present, must not specify ${text}`));
    if (sub === '*') all.add(res);
    if (res === '*') every.add(sub);
  });
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalidField(at, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && plain)
    errors.push(invalidField(at, resources, "if '*' is present, must not specify other resources without subresources"));
  return errors;
}

function clientErrors(c: Json, at: string): FieldError[] {
  if ((c.url === undefined) === (c.service === undefined)) return [required(at, 'exactly one of url or service is required')];
  return c.url === undefined ? serviceErrors(c.service, `${at}.service`) : urlErrors(c.url, `${at}.url`);
}

function urlErrors(url: string, at: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  const m = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(url) ?? [];
  const [, scheme = '', user, host = '', , query = '', fragment = ''] = m;
  const errors: FieldError[] = [];
  if (scheme !== 'https') errors.push(invalidField(at, scheme, `'https' is the only allowed URL scheme${form}`));
  if (!host) errors.push(invalidField(at, host, `host must be specified${form}`));
  if (user !== undefined) errors.push(invalidField(at, user, 'user information is not permitted in the URL'));
  if (fragment) errors.push(invalidField(at, fragment, 'fragments are not permitted in the URL'));
  if (query) errors.push(invalidField(at, query, 'query parameters are not permitted in the URL'));
  return errors;
}

/** Upstream hands the name over as the namespace, and the namespace as the name. */
function serviceErrors(s: Json, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!s.namespace) errors.push(required(`${at}.name`));
  if (!s.name) errors.push(required(`${at}.namespace`));
  const port = isPortNumber(s.port);
  if (port.length) errors.push(invalidField(`${at}.port`, s.port, `port is not valid: ${port.join(', ')}`));
  const path: string | undefined = s.path;
  if (!path || path === '/') return errors;
  const bad = (why: string) => errors.push(invalidField(`${at}.path`, path, why));
  if (path === '//') {
    bad('segment[0] may not be empty');
    return errors;
  }
  if (!path.startsWith('/')) bad("must start with a '/'");
  for (const [i, step] of path.slice(1).replace(/\/$/, '').split('/').entries()) {
    if (!step) bad(`segment[${i}] may not be empty`);
    else for (const why of isDns1123Subdomain(step)) bad(`segment[${i}]: ${why}`);
  }
  return errors;
}

function reviewErrors(versions: string[], at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!versions.length) return [required(at, `must specify one of ${REVIEWS.join(', ')}`)];
  versions.forEach((v, i) => {
    if (versions.indexOf(v) < i) errors.push(invalidField(`${at}[${i}]`, v, 'duplicate version'));
    else for (const why of isDns1035Label(v)) errors.push(invalidField(`${at}[${i}]`, v, why));
  });
  if (!versions.some(v => REVIEWS.includes(v)))
    errors.push(invalidField(at, versions, `must include at least one of ${REVIEWS.join(', ')}`));
  return errors;
}

export const webhookConfiguration: KindStrategy = {
  generation: o => o.webhooks,
  nameRule: nameIsSubdomain,
  defaults,
  validate,
  validateUpdate: (o, old) => [...validateMetadataUpdate(o.metadata, old.metadata), ...validate(o)],
};
