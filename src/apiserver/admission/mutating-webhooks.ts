// MutatingAdmissionWebhook (k8s.io/apiserver/pkg/admission/plugin/webhook/mutating v0.36.3).
import { cloneJson } from '../json.ts';
import { requesterOf } from '../reviews.ts';
import { isStatus } from '../status.ts';
import { bucketOf, listObjects } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { AdmissionReview, KubeObject, Status } from '../types.ts';
import type { Attempt } from './policies/match.ts';
import type { Requester } from './policies/validating.ts';
import { ask, isAsked, isExempt, MUTATING_WEBHOOKS, type Webhook } from './webhooks.ts';

/** Lets the webhooks change `o` in place, in the order of their configurations' names. -> why it is refused */
export function mutate(
  c: WriteContext,
  o: KubeObject,
  old: KubeObject | null,
  operation: AdmissionReview['operation'],
  redo: () => void,
): Status | null {
  const { server, info } = c;
  if (!server.webhook || !bucketOf(server, MUTATING_WEBHOOKS).objects.size || isExempt(c)) return null;
  const by: Requester = { user: requesterOf(c.request), dryRun: c.dryRun, warnings: c.warnings };
  const namespace = info.group === '' && info.resource === 'namespaces' ? o.metadata.name : (o.metadata.namespace ?? '');
  const a: Attempt = {
    server,
    info,
    subresource: c.request.subresource ?? '',
    operation,
    name: o.metadata.name ?? '',
    namespace,
    object: o,
    old,
  };
  for (const configuration of listObjects(server, MUTATING_WEBHOOKS)) {
    for (const w of (configuration.webhooks ?? []) as Webhook[]) {
      const asked = isAsked(a, by, w);
      if (asked === false) continue;
      if (asked !== true) return asked;
      const answer = ask(server, w, { operation, namespace, object: cloneJson(o), old }, by);
      if (isStatus(answer)) return answer;
      if (!answer?.object) continue;
      for (const key of Object.keys(o)) delete o[key];
      Object.assign(o, answer.object);
      redo();
    }
  }
  return null;
}
