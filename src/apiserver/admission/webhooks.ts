// Admission webhooks: which of them a request is for, and how the call can go
// (k8s.io/apiserver/pkg/admission/plugin/webhook v0.36.3: generic/webhook.go, errors/statuserror.go).
import { badRequest, failure, forbidden, internalError } from '../status.ts';
import type { AdmissionAnswer, AdmissionReview, ApiServer, Status, WebhookClient } from '../types.ts';
import { type Attempt, matches } from './policies/match.ts';
import { meetsConditions, type Requester } from './policies/validating.ts';

export const MUTATING_WEBHOOKS = 'mutatingwebhookconfigurations.admissionregistration.k8s.io';
export const VALIDATING_WEBHOOKS = 'validatingwebhookconfigurations.admissionregistration.k8s.io';

export interface Webhook {
  name: string;
  clientConfig: WebhookClient;
  rules?: { operations: string[]; apiGroups: string[]; apiVersions: string[]; resources: string[]; scope?: string }[];
  failurePolicy?: 'Fail' | 'Ignore';
  matchPolicy?: 'Exact' | 'Equivalent';
  matchConditions?: { name: string; expression: string }[];
  namespaceSelector?: object;
  objectSelector?: object;
  sideEffects?: 'None' | 'NoneOnDryRun';
  timeoutSeconds?: number;
}

/** Their own kinds are not asked about: one could lock everybody out. */
export const isExempt = (a: Pick<Attempt, 'info'>): boolean => a.info.group === 'admissionregistration.k8s.io';

/** Is `w` asked about the request? A Status: its conditions could not be evaluated, and it must not fail. */
export function isAsked(a: Attempt, by: Requester, w: Webhook): boolean | Status {
  if (!w.rules?.length || !matches(a, { ...w, resourceRules: w.rules })) return false;
  if (!w.matchConditions?.length) return true;
  const met = meetsConditions(a, by, w);
  if (typeof met === 'boolean') return met;
  return w.failurePolicy === 'Ignore' ? false : forbidden(a.info.group, a.info.resource, a.name, met);
}

/** Go's url.String and http.Client around what the call failed with. */
function failedCall(w: Webhook, error: string): Status {
  const { service, url } = w.clientConfig;
  const base = service ? `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}${service.path ?? '/'}` : (url ?? '');
  const where = `${base}?timeout=${w.timeoutSeconds ?? 10}s`;
  return internalError(`failed calling webhook ${JSON.stringify(w.name)}: failed to call webhook: Post ${JSON.stringify(where)}: ${error}`);
}

function denied(w: Webhook, answer: AdmissionAnswer): Status {
  const head = `admission webhook ${JSON.stringify(w.name)} denied the request`;
  const code = answer.code ?? 400;
  const reason = code === 403 ? 'Forbidden' : code === 422 ? 'Invalid' : 'BadRequest';
  return failure(code, reason, answer.message ? `${head}: ${answer.message}` : `${head} without explanation`);
}

/** Asks `w`. -> its answer, which allows; a Status: it refuses, or cannot be asked and must be; null: there is nothing to heed. */
export function ask(
  server: ApiServer,
  w: Webhook,
  review: Omit<AdmissionReview, 'dryRun'>,
  by: Pick<Requester, 'dryRun' | 'warnings'>,
): AdmissionAnswer | Status | null {
  if (!server.webhook) return null;
  if (by.dryRun && w.sideEffects !== 'None' && w.sideEffects !== 'NoneOnDryRun')
    return badRequest(`admission webhook ${JSON.stringify(w.name)} does not support dry run`);
  const answer = server.webhook(w.clientConfig, { ...review, dryRun: by.dryRun }, (w.timeoutSeconds ?? 10) * 1000);
  if (!answer) return null;
  if ('error' in answer) return w.failurePolicy === 'Ignore' ? null : failedCall(w, answer.error);
  by.warnings.push(...(answer.warnings ?? []));
  return answer.allowed ? answer : denied(w, answer);
}
