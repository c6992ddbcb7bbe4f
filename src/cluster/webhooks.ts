// How the API server reaches an admission webhook: by its Service's cluster IP, from the control plane's own machine
// (apiserver/pkg/util/proxy and util/webhook v0.36.3; kubeadm leaves --enable-aggregator-routing off).
import { isAddon, webhooksOf } from '../addons/programs.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { ApiServer, KubeObject, WebhookCaller, WebhookClient } from '../apiserver/types.ts';
import { findImage } from '../userland/images.ts';
import { familyOf, type Ip, parseIp } from '../wire/ip.ts';
import { dialAtOnce, dialError, errnoWords } from './go-dial.ts';
import type { Engine } from './types.ts';

const SLICES = 'endpointslices.discovery.k8s.io';

type Failed = { error: string };

/**
 * A webhook that podnet has the program of answers at once, by its Service's ready endpoints. Of the others only the way there is walked: a
 * connection that fails fails the call as it would in reality, one that comes about says nothing, and the webhook is passed over.
 */
export function webhookCaller(engine: Engine): WebhookCaller {
  const { server } = engine;
  const dial = (to: { ip: Ip; host: string; port: number }, timeoutMs: number): Failed | null => {
    const e = dialAtOnce(engine, to, timeoutMs);
    if (e === null) return null;
    return { error: errnoWords(e) === null ? 'context deadline exceeded' : dialError(`${to.host}:${to.port}`, e) };
  };
  return (client, review, timeoutMs) => {
    const to = resolve(server, client);
    if (!to || 'error' in to) return to;
    const pods = client.service ? readyPods(server, client.service.namespace, client.service.name) : [];
    const pod = pods.find(webhooksOf);
    const known = pod && webhooksOf(pod);
    if (known) return known[client.service?.path ?? '/']?.(review, { server, pod }) ?? null;
    if (pods.some(isAddon)) return null;
    const failed = dial(to, timeoutMs);
    // A program that podnet does not know listens where nobody can tell.
    return failed && pods.some(hasUnknownImage) && failed.error.endsWith('connection refused') ? null : failed;
  };
}

/** Where the call goes; null: to a name, which nobody looks up here. */
function resolve(server: ApiServer, { service, url }: WebhookClient): { ip: Ip; host: string; port: number } | Failed | null {
  if (!service) {
    const m = /^https:\/\/(\[[^\]]*\]|[^/:?#]+)(?::(\d+))?/.exec(url ?? '');
    const ip = m && parseIp(m[1].replace(/^\[|\]$/g, ''));
    return m && ip ? { ip, host: m[1], port: Number(m[2] ?? 443) } : null;
  }
  const quoted = JSON.stringify(service.name);
  const found = getObject(server, 'services', service.namespace, service.name);
  if (!found) return { error: `service ${quoted} not found` };
  const { type, clusterIP, ports = [] } = found.spec;
  if (type === 'ExternalName') return null;
  if (clusterIP === 'None') return { error: 'cannot route to service with ClusterIP "None"' };
  const port = service.port ?? 443;
  if (!ports.some((p: { port: number }) => p.port === port)) return { error: `no service port ${port} found for service ${quoted}` };
  const ip = parseIp(clusterIP);
  return ip && { ip, host: familyOf(ip) === 6 ? `[${clusterIP}]` : clusterIP, port };
}

function readyPods(server: ApiServer, namespace: string, name: string): KubeObject[] {
  return listObjects(server, SLICES, namespace)
    .filter(s => s.metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(s => s.endpoints ?? [])
    .filter((e: any) => e.conditions?.ready !== false && e.targetRef?.kind === 'Pod')
    .flatMap((e: any) => getObject(server, 'pods', namespace, e.targetRef.name) ?? []);
}

const hasUnknownImage = (pod: KubeObject): boolean => (pod.spec.containers ?? []).some((c: { image: string }) => !findImage(c.image));
