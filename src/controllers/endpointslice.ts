// EndpointSlices of Services with a selector (k8s.io/endpointslice/reconciler.go, trafficdist v0.36).
import { createObject, deleteObject, updateObject } from '../apiserver/client.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Controllers, same } from './context.ts';
import {
  endpointPorts,
  hostnameIn,
  isHeadless,
  isIPv6,
  MAX_ENDPOINTS_PER_SLICE as MAX,
  podIPs,
  podsOfService,
  shouldBeInEndpoints,
  watchServices,
  zoneOf,
} from './endpoint-pods.ts';
import { isReady, ownerReference } from './pods.ts';
import { enqueue, indexed, newQueue, splitKey, watchAll } from './queue.ts';
import { topologyHints } from './topology-hints.ts';

const BUCKET = 'endpointslices.discovery.k8s.io';
export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const CONTROLLER = 'endpointslice-controller.k8s.io';
const RESERVED = new Set([SERVICE_NAME, MANAGED_BY, 'service.kubernetes.io/headless']);

export function startEndpointSlices(c: Controllers): void {
  const queue = newQueue(c.sim, 5, key => syncService(c, key));
  watchServices(c, queue);
  c.stops.push(
    // Somebody's hand on our slices is undone.
    watchAll(c.server, BUCKET, false, e => {
      const labels = e.object.metadata.labels ?? {};
      if (labels[MANAGED_BY] === CONTROLLER && labels[SERVICE_NAME])
        enqueue(queue, `${e.object.metadata.namespace}/${labels[SERVICE_NAME]}`);
    }),
    watchAll(c.server, 'nodes', false, e => {
      const zone = (o?: KubeObject) => o?.metadata.labels?.['topology.kubernetes.io/zone'];
      if (e.type === 'MODIFIED' && zone(e.old) === zone(e.object)) return;
      for (const s of listObjects(c.server, 'services')) if (s.spec.selector) enqueue(queue, `${s.metadata.namespace}/${s.metadata.name}`);
    }),
  );
}

function ownSlices(c: Controllers, namespace: string, service: string): KubeObject[] {
  return indexed(c.slicesByService, `${namespace}/${service}`).filter(
    s => s.metadata.labels?.[MANAGED_BY] === CONTROLLER && !s.metadata.deletionTimestamp,
  );
}

function syncService(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const service = getObject(c.server, 'services', namespace, name);
  if (!service) {
    // The garbage collector does it in the real cluster; a Service made anew at once must not inherit them.
    return;
  }
  if (service.spec.type === 'ExternalName' || !service.spec.selector || service.metadata.deletionTimestamp) return;
  const slices = ownSlices(c, namespace, name);
  const pods = podsOfService(c, service).filter(p => shouldBeInEndpoints(p, true));
  const families = new Set<string>(service.spec.ipFamilies?.length ? service.spec.ipFamilies : ['IPv4']);
  for (const slice of slices) if (!families.has(slice.addressType)) remove(c, slice);
  for (const family of families) {
    reconcile(
      c,
      service,
      pods,
      slices.filter(s => s.addressType === family),
      family,
    );
  }
}

const remove = (c: Controllers, slice: KubeObject) => deleteObject(c.server, BUCKET, slice.metadata.namespace, slice.metadata.name);

function endpointOf(c: Controllers, pod: KubeObject, service: KubeObject, family: string): any | null {
  const addresses = podIPs(pod)
    .filter(ip => isIPv6(ip) === (family === 'IPv6'))
    .slice(0, 1);
  if (!addresses.length) return null;
  const serving = isReady(pod);
  const terminating = !!pod.metadata.deletionTimestamp;
  const endpoint: any = {
    addresses,
    conditions: { ready: !!service.spec.publishNotReadyAddresses || (serving && !terminating), serving, terminating },
  };
  const hostname = hostnameIn(pod, service);
  if (hostname) endpoint.hostname = hostname;
  if (pod.spec.nodeName) endpoint.nodeName = pod.spec.nodeName;
  endpoint.targetRef = { kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid };
  const zone = pod.spec.nodeName && zoneOf(c, pod.spec.nodeName);
  if (zone) endpoint.zone = zone;
  return endpoint;
}

function labelsOf(service: KubeObject): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [k, v] of Object.entries(service.metadata.labels ?? {})) if (!RESERVED.has(k)) labels[k] = v;
  if (isHeadless(service)) labels['service.kubernetes.io/headless'] = '';
  labels[SERVICE_NAME] = service.metadata.name;
  labels[MANAGED_BY] = CONTROLLER;
  return labels;
}

interface Group {
  ports: any[];
  wanted: Map<string, any>;
  slices: KubeObject[];
}

const portsKey = (ports: any[] | null | undefined): string =>
  JSON.stringify([...(ports ?? [])].map(p => [p.name ?? '', p.port ?? 0, p.protocol ?? 'TCP', p.appProtocol ?? '']).sort());
const endpointKey = (e: any): string => `${e.addresses[0]} ${e.targetRef?.uid ?? ''} ${e.hostname ?? ''}`;

function reconcile(c: Controllers, service: KubeObject, pods: KubeObject[], slices: KubeObject[], family: string): void {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    if (!getObject(c.server, 'nodes', '', pod.spec.nodeName ?? '') && !service.spec.publishNotReadyAddresses) continue;
    const ports = endpointPorts(pod, service);
    const key = portsKey(ports);
    const endpoint = endpointOf(c, pod, service, family);
    if (!endpoint) continue;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { ports, wanted: new Map(), slices: [] }));
    group.wanted.set(endpointKey(endpoint), endpoint);
  }
  const gone: KubeObject[] = [];
  for (const s of slices) {
    const group = groups.get(portsKey(s.ports));
    if (group) group.slices.push(s);
    else gone.push(s);
  }
  if (!groups.size) {
    // A Service without endpoints keeps one empty slice.
    const placeholder = gone.find(s => !s.ports?.length && !s.endpoints?.length) ?? null;
    if (placeholder) gone.splice(gone.indexOf(placeholder), 1);
    if (placeholder) writeIfChanged(c, service, placeholder, [], []);
    else create(c, service, family, [], []);
  }
  const plan = [...groups.values()].map(g => ({ group: g, ...fill(g) }));
  topologyHints(
    c,
    service,
    plan.flatMap(p => [...p.keep.map(k => k.endpoints), ...p.create].flat()),
  );
  for (const p of plan) {
    for (const { slice, endpoints } of p.keep) {
      if (endpoints.length) writeIfChanged(c, service, slice, endpoints, p.group.ports);
      else gone.push(slice);
    }
    for (const endpoints of p.create) create(c, service, family, endpoints, p.group.ports);
  }
  for (const s of gone) remove(c, s);
}

/** Endpoints stay in their slice; new ones fill slices that change anyway, then one that has just room enough, then new slices. */
function fill(g: Group): { keep: { slice: KubeObject; endpoints: any[] }[]; create: any[][] } {
  const wanted = new Map(g.wanted);
  const keep = g.slices.map(slice => {
    const endpoints: any[] = [];
    let changed = false;
    for (const old of slice.endpoints ?? []) {
      const key = endpointKey(old);
      const now = wanted.get(key);
      if (!now) {
        changed = true;
        continue;
      }
      wanted.delete(key);
      endpoints.push(now);
      if (!same({ ...old, hints: undefined }, now)) changed = true;
    }
    return { slice, endpoints, changed };
  });
  const left = [...wanted.values()];
  const changed = keep.filter(k => k.changed && k.endpoints.length).sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const k of changed) while (left.length && k.endpoints.length < MAX) k.endpoints.push(left.shift());
  const create: any[][] = [];
  while (left.length) {
    const room = keep
      .filter(k => !k.changed && k.endpoints.length + left.length <= MAX)
      .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
    if (room && left.length < MAX) room.endpoints.push(...left.splice(0));
    else create.push(left.splice(0, MAX));
  }
  return { keep, create };
}

function create(c: Controllers, service: KubeObject, family: string, endpoints: any[], ports: any[]): void {
  createObject(c.server, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels: labelsOf(service),
      annotations: trigger(c),
      ownerReferences: [{ ...ownerReference(service), apiVersion: 'v1', kind: 'Service' }],
    },
    addressType: family,
    endpoints,
    ports,
  });
}

const trigger = (c: Controllers) => ({ 'endpoints.kubernetes.io/last-change-trigger-time': rfc3339(c.sim.nowMs) });

function writeIfChanged(c: Controllers, service: KubeObject, slice: KubeObject, endpoints: any[], ports: any[]): void {
  const labels = labelsOf(service);
  if (same(slice.endpoints, endpoints) && same(slice.metadata.labels, labels) && same(slice.ports, ports)) return;
  const annotations = { ...slice.metadata.annotations, ...trigger(c) };
  updateObject(c.server, { ...slice, metadata: { ...slice.metadata, labels, annotations }, endpoints, ports });
}
