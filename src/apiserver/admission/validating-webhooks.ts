// ValidatingAdmissionWebhook (k8s.io/apiserver/pkg/admission/plugin/webhook/validating v0.36.3): all that are concerned are asked at once,
// and the first refusal is told.
import { cloneJson } from '../json.ts';
import { isStatus } from '../status.ts';
import { listObjects } from '../store.ts';
import type { KubeObject, Status } from '../types.ts';
import type { Attempt } from './policies/match.ts';
import type { Requester } from './policies/validating.ts';
import { ask, isAsked, isExempt, VALIDATING_WEBHOOKS, type Webhook } from './webhooks.ts';

/** null: none of them is against it. */
export function validatingWebhooks(a: Attempt, by: Requester): Status | null {
  if (!a.server.webhook || isExempt(a) || a.operation === 'CONNECT') return null;
  const concerned: Webhook[] = [];
  for (const configuration of listObjects(a.server, VALIDATING_WEBHOOKS)) {
    for (const w of (configuration.webhooks ?? []) as Webhook[]) {
      const asked = isAsked(a, by, w);
      if (asked === true) concerned.push(w);
      else if (asked) return asked;
    }
  }
  const { operation, namespace, old } = a;
  let first: Status | null = null;
  for (const w of concerned) {
    const answer = ask(a.server, w, { operation, namespace, object: cloneJson(a.object ?? old) as KubeObject, old }, by);
    if (isStatus(answer)) first ??= answer;
  }
  return first;
}
