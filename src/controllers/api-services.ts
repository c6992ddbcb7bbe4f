// Is there somebody behind an APIService? (k8s.io/kube-aggregator v0.36 pkg/controllers/status/remote)

import { API_SERVICES } from '../apiserver/aggregated.ts';
import { localApiService, putOwn } from '../apiserver/bootstrap-server.ts';
import { deleteObject, updateStatus } from '../apiserver/client.ts';
import { CRDS, isEstablished } from '../apiserver/custom/resources.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Controllers, conditionOf } from './context.ts';
import { enqueue, indexed, newQueue, watchAll } from './queue.ts';

export function startApiServices(c: Controllers): void {
  const queue = newQueue(c.sim, 20, name => sync(c, name));
  c.queues.push(queue);
  if (c.unsettled) registerVersions(c);
  const all = () => {
    for (const o of listObjects(c.server, API_SERVICES)) if (o.spec?.service) enqueue(queue, o.metadata.name);
  };
  const isOpen = (o: KubeObject) => o.spec?.service || !conditionOf(o.status?.conditions, 'Available');
  c.stops.push(
    watchAll(c.server, API_SERVICES, c.initial, e => {
      if (isOpen(e.object)) enqueue(queue, e.object.metadata.name);
    }),
    watchAll(c.server, CRDS, false, () => registerVersions(c)),
    watchAll(c.server, 'endpointslices.discovery.k8s.io', false, all),
    watchAll(c.server, 'services', false, all),
  );
}

/** Every served version of a custom resource's group has an APIService (kube-apiserver's crdregistration). */
function registerVersions(c: Controllers): void {
  const wanted = new Map<string, [group: string, version: string]>();
  for (const crd of listObjects(c.server, CRDS)) {
    if (!isEstablished(crd)) continue;
    const { group, versions } = crd.spec;
    for (const v of versions ?? []) if (v.served) wanted.set(`${v.name}.${group}`, [group, v.name]);
  }
  for (const [name, [group, version]] of wanted) {
    if (getObject(c.server, API_SERVICES, '', name)) continue;
    putOwn(c.server, localApiService(group, version, [1000, 100], 'true', rfc3339(c.sim.nowMs)));
  }
  for (const o of listObjects(c.server, API_SERVICES)) {
    const mine = o.metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'] === 'true';
    if (mine && !wanted.has(o.metadata.name)) deleteObject(c.server, API_SERVICES, '', o.metadata.name);
  }
}

function verdict(c: Controllers, o: KubeObject): [status: string, reason: string, message: string] {
  const ref = o.spec?.service;
  if (!ref) return ['True', 'Local', 'Local APIServices are always available'];
  const service = getObject(c.server, 'services', ref.namespace, ref.name);
  const named = `${ref.name} in ${goQuote(ref.namespace)}`;
  if (!service) return ['False', 'ServiceNotFound', `service/${named} is not present`];
  const port = (service.spec.ports ?? []).find((p: any) => p.port === (ref.port ?? 443));
  if (!port) return ['False', 'ServicePortError', `service/${named} is not listening on port ${ref.port ?? 443}`];
  const slices = indexed(c.slicesByService, `${ref.namespace}/${ref.name}`);
  const ready = slices.some(
    s =>
      (s.ports ?? []).some((p: any) => (p.name ?? '') === (port.name ?? '')) &&
      (s.endpoints ?? []).some((e: any) => e.conditions?.ready !== false),
  );
  if (!ready)
    return ['False', 'MissingEndpoints', `endpoints for service/${named} have no addresses with port name ${goQuote(port.name ?? '')}`];
  return ['True', 'Passed', 'all checks passed'];
}

function sync(c: Controllers, name: string): void {
  const o = getObject(c.server, API_SERVICES, '', name);
  if (!o) return;
  const [status, reason, message] = verdict(c, o);
  const old = conditionOf(o.status?.conditions, 'Available');
  if (old?.status === status && old.reason === reason && old.message === message) return;
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : rfc3339(c.sim.nowMs);
  updateStatus(c.server, { ...o, status: { conditions: [{ lastTransitionTime, message, reason, status, type: 'Available' }] } });
}
