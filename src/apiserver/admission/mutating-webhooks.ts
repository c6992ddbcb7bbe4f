// MutatingAdmissionWebhook: who is asked about a request, and what becomes of the answer
// (k8s.io/apiserver/pkg/admission/plugin/webhook v0.36.3).
import { cloneJson } from '../json.ts';
import { type LabelSelector, matchLabelSelector } from '../labels.ts';
import { failure, internalError } from '../status.ts';
import { getObject, listObjects } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { AdmissionReview, KubeObject, Status } from '../types.ts';

export const MUTATING_WEBHOOKS = 'mutatingwebhookconfigurations.admissionregistration.k8s.io';

interface Webhook {
  name: string;
  clientConfig: { service?: { namespace: string; name: string; path?: string; port?: number }; url?: string };
  rules?: { operations: string[]; apiGroups: string[]; apiVersions: string[]; resources: string[]; scope?: string }[];
  failurePolicy?: 'Fail' | 'Ignore';
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  timeoutSeconds?: number;
  reinvocationPolicy?: string;
}

const includes = (list: string[], value: string): boolean => list.includes('*') || list.includes(value);

/** rules.Matcher: `pods`, `pods/*`, `*` (no subresources), `*` with a subresource. */
function fitsRule(c: WriteContext, w: Webhook, operation: string): boolean {
  const { info, request } = c;
  return (w.rules ?? []).some(r => {
    if (!includes(r.operations, operation) || !includes(r.apiGroups, info.group) || !includes(r.apiVersions, info.version)) return false;
    if (r.scope && r.scope !== '*' && (r.scope === 'Namespaced') !== info.namespaced) return false;
    return r.resources.some(text => {
      const [resource, sub = ''] = text.split('/');
      return (resource === '*' || resource === info.resource) && (sub === '*' || sub === (request.subresource ?? ''));
    });
  });
}

/** Cluster-wide objects are in no namespace: its selector does not hold them back. A Namespace is judged by its own labels. */
function inNamespaces(c: WriteContext, w: Webhook, o: KubeObject): boolean {
  if (!c.info.namespaced && c.info.kind !== 'Namespace') return true;
  const namespace = c.info.kind === 'Namespace' ? o : getObject(c.server, 'namespaces', '', o.metadata.namespace ?? '');
  return matchLabelSelector(w.namespaceSelector ?? {}, namespace?.metadata.labels);
}

/** Go's url.String and http.Client around what the call failed with. */
function failedCall(w: Webhook, error: string): Status {
  const { service, url } = w.clientConfig;
  const base = service ? `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}${service.path ?? ''}` : (url ?? '');
  const where = `${base}?timeout=${w.timeoutSeconds ?? 10}s`;
  return internalError(`failed calling webhook ${JSON.stringify(w.name)}: failed to call webhook: Post ${JSON.stringify(where)}: ${error}`);
}

/** Lets the webhooks change `o` in place, in the order of their configurations' names. -> why it is refused */
export function mutate(c: WriteContext, o: KubeObject, operation: AdmissionReview['operation'], redo: () => void): Status | null {
  const { server } = c;
  if (!server.webhook) return null;
  for (const configuration of listObjects(server, MUTATING_WEBHOOKS)) {
    // Its own kinds are not asked about: one could lock everybody out.
    if (c.info.group === 'admissionregistration.k8s.io') return null;
    for (const w of (configuration.webhooks ?? []) as Webhook[]) {
      if (!fitsRule(c, w, operation) || !inNamespaces(c, w, o)) continue;
      if (!matchLabelSelector(w.objectSelector ?? {}, o.metadata.labels)) continue;
      const answer = server.webhook(w.clientConfig, {
        operation,
        namespace: o.metadata.namespace ?? '',
        object: cloneJson(o),
        dryRun: c.dryRun,
      });
      if (!answer) continue;
      if ('error' in answer) {
        if (w.failurePolicy === 'Ignore') continue;
        return failedCall(w, answer.error);
      }
      c.warnings.push(...(answer.warnings ?? []));
      if (!answer.allowed) return denied(w, answer);
      if (!answer.object) continue;
      for (const key of Object.keys(o)) delete o[key];
      Object.assign(o, answer.object);
      redo();
    }
  }
  return null;
}

/** webhook/errors/statuserror.go ToStatusErr */
function denied(w: Webhook, answer: { message?: string; code?: number }): Status {
  const head = `admission webhook ${JSON.stringify(w.name)} denied the request`;
  const code = answer.code ?? 400;
  const reason = code === 403 ? 'Forbidden' : code === 422 ? 'Invalid' : 'BadRequest';
  return failure(code, reason, answer.message ? `${head}: ${answer.message}` : `${head} without explanation`);
}
