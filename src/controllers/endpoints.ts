// Legacy Endpoints of Services with a selector (pkg/controller/endpoint, pkg/api/v1/endpoints v1.36).
import { createObject, deleteObject, updateObject } from '../apiserver/client.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Controllers, isStatus, recorderOf, same } from './context.ts';
import {
  endpointPorts,
  hostnameIn,
  isHeadless,
  isIPv6,
  podIPs,
  podsOfService,
  shouldBeInEndpoints,
  watchServices,
} from './endpoint-pods.ts';
import { isReady } from './pods.ts';
import { enqueue, keyOf, newQueue, splitKey } from './queue.ts';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const CAPACITY = 1000;

export function startEndpoints(c: Controllers): void {
  const queue = newQueue(c.sim, 6, key => syncService(c, key));
  watchServices(c, queue);
  // checkLeftoverEndpoints: Services that went while nobody looked.
  if (!c.unsettled) return;
  for (const e of listObjects(c.server, 'endpoints'))
    if (e.metadata.labels?.[MANAGED_BY] === 'endpoint-controller') enqueue(queue, keyOf(e));
}

function familyOf(service: KubeObject, pod: KubeObject): boolean {
  if (service.spec.ipFamilies?.length) return service.spec.ipFamilies[0] === 'IPv6';
  if (!isHeadless(service)) return isIPv6(service.spec.clusterIP);
  return isIPv6(pod.status?.podIP ?? '');
}

interface Address {
  address: any;
  ready: boolean;
}

/** Addresses by port, then ports with the same addresses together: RepackSubsets. */
function subsetsOf(c: Controllers, service: KubeObject): any[] {
  const tolerate = !!service.spec.publishNotReadyAddresses;
  const byPort = new Map<string, { port: any | null; addresses: Map<string, Address> }>();
  for (const pod of podsOfService(c, service)) {
    if (!shouldBeInEndpoints(pod, tolerate)) continue;
    const ip = podIPs(pod).find(x => isIPv6(x) === familyOf(service, pod));
    if (!ip) continue;
    const hostname = hostnameIn(pod, service);
    const address = {
      ip,
      ...(hostname ? { hostname } : {}),
      nodeName: pod.spec.nodeName,
      targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
    };
    const ports: any[] = service.spec.ports?.length ? endpointPorts(pod, service) : isHeadless(service) ? [null] : [];
    for (const p of ports) {
      const port = p && {
        ...(p.name ? { name: p.name } : {}),
        port: p.port,
        protocol: p.protocol,
        ...(p.appProtocol ? { appProtocol: p.appProtocol } : {}),
      };
      const key = JSON.stringify(port);
      let entry = byPort.get(key);
      if (!entry) byPort.set(key, (entry = { port, addresses: new Map() }));
      entry.addresses.set(`${ip} ${pod.metadata.uid}`, { address, ready: tolerate || isReady(pod) });
    }
  }
  const byAddresses = new Map<string, { addresses: Address[]; ports: any[] }>();
  for (const { port, addresses } of byPort.values()) {
    const list = [...addresses.values()].sort((a, b) => (a.address.ip < b.address.ip ? -1 : 1));
    const key = JSON.stringify(list);
    const entry = byAddresses.get(key);
    if (entry && port) entry.ports.push(port);
    else if (!entry) byAddresses.set(key, { addresses: list, ports: port ? [port] : [] });
  }
  const out = [...byAddresses.values()].map(({ addresses, ports }) => {
    const ready = addresses.filter(a => a.ready).map(a => a.address);
    const not = addresses.filter(a => !a.ready).map(a => a.address);
    return {
      ...(ready.length ? { addresses: ready } : {}),
      ...(not.length ? { notReadyAddresses: not } : {}),
      ...(ports.length ? { ports } : {}),
    };
  });
  return out.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** 1000 addresses at most, ready ones before others. */
function truncate(subsets: any[]): boolean {
  let left = CAPACITY;
  let cut = false;
  for (const field of ['addresses', 'notReadyAddresses']) {
    for (const s of subsets) {
      if (!s[field]) continue;
      if (s[field].length > left) {
        s[field] = s[field].slice(0, left);
        cut = true;
      }
      left -= s[field].length;
    }
  }
  return cut;
}

function syncService(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const service = getObject(c.server, 'services', namespace, name);
  const current = getObject(c.server, 'endpoints', namespace, name);
  if (!service) {
    if (current) deleteObject(c.server, 'endpoints', namespace, name);
    return;
  }
  if (service.spec.type === 'ExternalName' || !service.spec.selector) return;
  const subsets = subsetsOf(c, service);
  const cut = truncate(subsets);
  const labels: Record<string, string> = { ...service.metadata.labels, [MANAGED_BY]: 'endpoint-controller' };
  delete labels[HEADLESS];
  if (isHeadless(service)) labels[HEADLESS] = '';
  if (current && same(current.subsets, subsets) && same(current.metadata.labels, labels)) return;
  const annotations: Record<string, string> = { ...current?.metadata.annotations, [TRIGGER]: rfc3339(c.sim.nowMs) };
  if (cut) annotations[OVER_CAPACITY] = 'truncated';
  else delete annotations[OVER_CAPACITY];
  const object: KubeObject = {
    ...(current ?? { apiVersion: 'v1', kind: 'Endpoints' }),
    metadata: { ...(current?.metadata ?? { name, namespace }), labels, annotations },
    ...(subsets.length ? { subsets } : { subsets: undefined }),
  } as KubeObject;
  const written = current ? updateObject(c.server, object) : createObject(c.server, object);
  if (!isStatus(written) || written.details?.causes?.some(x => x.reason === 'NamespaceTerminating')) return;
  const [reason, text] = current
    ? ['FailedToUpdateEndpoint', `Failed to update endpoint ${namespace}/${name}: ${written.message}`]
    : ['FailedToCreateEndpoint', `Failed to create endpoint for service ${namespace}/${name}: ${written.message}`];
  recordEvent(recorderOf(c, 'endpoint-controller'), object, 'Warning', reason, text);
}
