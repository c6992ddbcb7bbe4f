// How the API server reaches an admission webhook: by its Service's ready endpoints, to the program in the pod behind one. The call takes no
// time; its answer is what the program says (apiserver/pkg/util/webhook, aggregator's service resolver v0.36.3).
import { webhooksOf } from '../addons/programs.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { ApiServer, KubeObject, WebhookCaller } from '../apiserver/types.ts';

const SLICES = 'endpointslices.discovery.k8s.io';

export const webhookCaller =
  (server: ApiServer): WebhookCaller =>
  ({ service }, review) => {
    if (!service) return null;
    const { namespace, name } = service;
    const found = getObject(server, 'services', namespace, name);
    if (!found) return { error: `service ${JSON.stringify(name)} not found` };
    const port = service.port ?? 443;
    if (!(found.spec.ports ?? []).some((p: { port: number }) => p.port === port))
      return { error: `no service port ${port} found for service ${JSON.stringify(name)}` };
    const pods = readyPods(server, namespace, name);
    // Nobody that podnet knows would listen there: the webhook is passed over, as the support matrix says.
    if (!pods.length) return knows(server, found) ? { error: `no endpoints available for service ${JSON.stringify(name)}` } : null;
    return webhooksOf(pods[0])?.[service.path ?? '/']?.(review) ?? null;
  };

function readyPods(server: ApiServer, namespace: string, name: string): KubeObject[] {
  return listObjects(server, SLICES, namespace)
    .filter(s => s.metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(s => s.endpoints ?? [])
    .filter((e: any) => e.conditions?.ready !== false && e.targetRef?.kind === 'Pod')
    .flatMap((e: any) => getObject(server, 'pods', namespace, e.targetRef.name) ?? []);
}

/** A Service whose pods, when there are any, answer webhooks: by the workloads that it would select. */
function knows(server: ApiServer, service: KubeObject): boolean {
  const selector = Object.entries((service.spec.selector ?? {}) as Record<string, string>);
  return listObjects(server, 'deployments.apps', service.metadata.namespace).some(d => {
    const labels = d.spec.template.metadata?.labels ?? {};
    return selector.length > 0 && selector.every(([k, v]) => labels[k] === v) && !!webhooksOf(d.spec.template);
  });
}
