// Which pods a Service has, with which addresses and ports (k8s.io/endpointslice v0.36, util and utils.go).
import { matchMap } from '../apiserver/labels.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, firstPair } from './context.ts';
import { isTerminal } from './pods.ts';
import { enqueue, indexed, keyOf, type Queue, watchAll } from './queue.ts';

export const MAX_ENDPOINTS_PER_SLICE = 100;

export function podsOfService(c: Controllers, service: KubeObject): KubeObject[] {
  const first = firstPair(service.spec.selector);
  const namespace = service.metadata.namespace as string;
  const near = first ? indexed(c.podsByLabel, `${namespace}/${first}`) : indexed(c.podsByNamespace, namespace);
  const pods = near.filter(p => matchMap(service.spec.selector, p.metadata.labels));
  return pods.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

export function shouldBeInEndpoints(pod: KubeObject, includeTerminating: boolean): boolean {
  if (isTerminal(pod) || !(pod.status?.podIP || pod.status?.podIPs?.length)) return false;
  return includeTerminating || !pod.metadata.deletionTimestamp;
}

export const isHeadless = (service: KubeObject): boolean => !service.spec.clusterIP || service.spec.clusterIP === 'None';

export const isSidecar = (container: any): boolean => container.restartPolicy === 'Always';

/** The number behind targetPort; null: the pod has no port of that name. */
function findPort(pod: KubeObject, port: any): number | null {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target || port.port;
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  for (const container of containers) {
    for (const p of container.ports ?? []) {
      if (p.name === target && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) return p.containerPort;
    }
  }
  return null;
}

export function endpointPorts(pod: KubeObject, service: KubeObject): any[] {
  const out: any[] = [];
  for (const p of service.spec.ports ?? []) {
    const number = findPort(pod, p);
    if (number === null) continue;
    out.push({ name: p.name ?? '', port: number, protocol: p.protocol ?? 'TCP', ...(p.appProtocol ? { appProtocol: p.appProtocol } : {}) });
  }
  return out;
}

/** A headless Service's pods that name it as their subdomain have a host name in it. */
export const hostnameIn = (pod: KubeObject, service: KubeObject): string | undefined =>
  pod.spec.hostname && pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined;

export const isIPv6 = (ip: string): boolean => ip.includes(':');

export function podIPs(pod: KubeObject): string[] {
  const ips = (pod.status?.podIPs ?? []).map((x: any) => x.ip);
  return ips.length || !pod.status?.podIP ? ips : [pod.status.podIP];
}

export function zoneOf(c: Controllers, nodeName: string): string | undefined {
  return getObject(c.server, 'nodes', '', nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'];
}

const relevant = (p: KubeObject) =>
  JSON.stringify([p.status?.podIPs, p.status?.phase, p.metadata.deletionTimestamp, p.metadata.labels, p.spec.nodeName, ready(p)]);
const ready = (p: KubeObject) => p.status?.conditions?.find((x: any) => x.type === 'Ready')?.status;

/** Pods come and get ready in swarms: a Service looks at them together. */
const PODS_DELAY_MS = 100;

/** Look at a Service again when it, or a pod that it selects or selected, changes. */
export function watchServices(c: Controllers, queue: Queue): void {
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, 'services', c.unsettled, e => enqueue(queue, keyOf(e.object))),
    watchAll(c.server, 'pods', false, e => {
      if (e.old && e.type === 'MODIFIED' && relevant(e.old) === relevant(e.object)) return;
      const namespace = e.object.metadata.namespace;
      for (const o of e.old && e.old.metadata.labels !== e.object.metadata.labels ? [e.object, e.old] : [e.object]) {
        for (const k in o.metadata.labels) {
          for (const s of indexed(c.servicesBySelector, `${namespace}/${k}=${o.metadata.labels[k]}`)) {
            if (s.spec.type !== 'ExternalName' && matchMap(s.spec.selector, o.metadata.labels)) enqueue(queue, keyOf(s), PODS_DELAY_MS);
          }
        }
      }
    }),
  );
}
