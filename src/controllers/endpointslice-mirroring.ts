// EndpointSlices of Endpoints that people made by hand for Services without a selector (pkg/controller/endpointslicemirroring v1.36).
import { createObject, deleteObject, updateObject } from '../apiserver/client.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, same } from './context.ts';
import { isIPv6 } from './endpoint-pods.ts';
import { MANAGED_BY, SERVICE_NAME } from './endpointslice.ts';
import { enqueue, indexed, keyOf, newQueue, splitKey, watchAll } from './queue.ts';

const BUCKET = 'endpointslices.discovery.k8s.io';
const CONTROLLER = 'endpointslicemirroring-controller.k8s.io';
const MAX_PER_SUBSET = 1000;

export function startEndpointSliceMirroring(c: Controllers): void {
  const queue = newQueue(c.sim, 7, key => syncEndpoints(c, key));
  c.queues.push(queue);
  const changed = (e: { object: KubeObject }) => enqueue(queue, keyOf(e.object));
  c.stops.push(
    watchAll(c.server, 'endpoints', c.unsettled, changed),
    watchAll(c.server, 'services', false, changed),
    watchAll(c.server, BUCKET, false, e => {
      const labels = e.object.metadata.labels ?? {};
      if (labels[MANAGED_BY] === CONTROLLER) enqueue(queue, `${e.object.metadata.namespace}/${labels[SERVICE_NAME]}`);
    }),
  );
}

function shouldMirror(endpoints: KubeObject | undefined, service: KubeObject | undefined): endpoints is KubeObject {
  if (!endpoints || !service || service.spec.selector) return false;
  if (endpoints.metadata.annotations?.['control-plane.alpha.kubernetes.io/leader']) return false;
  if (endpoints.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true') return false;
  return service.spec.type !== 'ExternalName';
}

function syncEndpoints(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const endpoints = getObject(c.server, 'endpoints', namespace, name);
  const service = getObject(c.server, 'services', namespace, name);
  const slices = indexed(c.slicesByService, key).filter(s => s.metadata.labels?.[MANAGED_BY] === CONTROLLER);
  if (!shouldMirror(endpoints, service)) {
    for (const s of slices) deleteObject(c.server, BUCKET, namespace, s.metadata.name);
    return;
  }
  const wanted = mirror(endpoints);
  for (const s of slices) {
    const at = wanted.findIndex(w => w.addressType === s.addressType && same(w.ports, s.ports));
    if (at < 0) {
      deleteObject(c.server, BUCKET, namespace, s.metadata.name);
      continue;
    }
    const [w] = wanted.splice(at, 1);
    const meta = metadataOf(endpoints);
    if (same(s.endpoints, w.endpoints) && same(s.metadata.labels, meta.labels) && same(s.metadata.annotations, meta.annotations)) continue;
    updateObject(c.server, {
      ...s,
      metadata: { ...s.metadata, labels: meta.labels, annotations: meta.annotations },
      endpoints: w.endpoints,
    });
  }
  for (const w of wanted) {
    createObject(c.server, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: metadataOf(endpoints), ...w });
  }
}

function metadataOf(endpoints: KubeObject): KubeObject['metadata'] {
  const { name, namespace, labels, annotations, uid } = endpoints.metadata;
  const kept = Object.entries(annotations ?? {}).filter(
    ([k]) => k !== 'kubectl.kubernetes.io/last-applied-configuration' && k !== 'endpoints.kubernetes.io/last-change-trigger-time',
  );
  return {
    name: '',
    generateName: `${name}-`,
    namespace,
    labels: { ...labels, [SERVICE_NAME]: name, [MANAGED_BY]: CONTROLLER },
    ...(kept.length ? { annotations: Object.fromEntries(kept) } : {}),
    ownerReferences: [{ apiVersion: 'v1', kind: 'Endpoints', name, uid: uid as string, controller: true, blockOwnerDeletion: true }],
  };
}

function mirror(endpoints: KubeObject): { addressType: string; endpoints: any[]; ports: any[] }[] {
  const out: { addressType: string; endpoints: any[]; ports: any[] }[] = [];
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map((p: any) => ({
      name: p.name ?? '',
      port: p.port,
      protocol: p.protocol ?? 'TCP',
      ...(p.appProtocol ? { appProtocol: p.appProtocol } : {}),
    }));
    for (const addressType of ['IPv4', 'IPv6']) {
      const list: any[] = [];
      for (const [field, ready] of [
        ['addresses', true],
        ['notReadyAddresses', false],
      ] as const) {
        for (const a of subset[field] ?? []) {
          if (isIPv6(a.ip) !== (addressType === 'IPv6') || list.length >= MAX_PER_SUBSET) continue;
          list.push({
            addresses: [a.ip],
            conditions: { ready },
            ...(a.hostname ? { hostname: a.hostname } : {}),
            ...(a.nodeName ? { nodeName: a.nodeName } : {}),
            ...(a.targetRef ? { targetRef: a.targetRef } : {}),
          });
        }
      }
      const twin = out.find(o => o.addressType === addressType && same(o.ports, ports));
      if (twin) twin.endpoints.push(...list);
      else if (list.length) out.push({ addressType, endpoints: list, ports });
    }
  }
  return out;
}
