// Services of type LoadBalancer: a cloud that gives addresses from a pool (k8s.io/cloud-provider/controllers/service v0.36 is its shape).
import { patchObject, updateObject, updateStatus } from '../apiserver/client.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { addressesOf } from './address-pool.ts';
import { type Controllers, isStatus, recorderOf } from './context.ts';
import { isIPv6 } from './endpoint-pods.ts';
import { enqueue, enqueueAfter, keyOf, newQueue, splitKey, watchAll } from './queue.ts';

const COMPONENT = 'service-controller';
const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';

export function startLoadBalancers(c: Controllers): void {
  const pool = c.loadBalancerPool;
  if (!pool) return;
  const queue = newQueue(c.sim, 20, key => {
    if (syncService(c, pool, key)) enqueueAfter(queue, key, 5_000);
  });
  c.queues.push(queue);
  c.stops.push(watchAll(c.server, 'services', c.initial, e => enqueue(queue, keyOf(e.object))));
}

const wants = (s: KubeObject): boolean => s.spec.type === 'LoadBalancer' && !s.spec.loadBalancerClass;

/** -> true: try again later */
function syncService(c: Controllers, pool: string[], key: string): boolean {
  const [namespace, name] = splitKey(key);
  const service = getObject(c.server, 'services', namespace, name);
  if (!service) return false;
  const held = service.metadata.finalizers?.includes(FINALIZER);
  if (!wants(service) || service.metadata.deletionTimestamp) {
    if (held) release(c, service);
    return false;
  }
  if (service.status?.loadBalancer?.ingress?.length || (!held && c.loadBalancerElsewhere())) return false;
  const recorder = recorderOf(c, COMPONENT);
  recordEvent(recorder, service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
  let current = service;
  if (!held) {
    const finalizers = [...(service.metadata.finalizers ?? []), FINALIZER];
    const patched = patchObject(c.server, 'services', namespace, name, 'merge', { metadata: { finalizers } });
    if (isStatus(patched)) return true;
    current = patched;
  }
  const ips = allocate(c, pool, service);
  if (typeof ips === 'string') {
    recordEvent(
      recorder,
      service,
      'Warning',
      'SyncLoadBalancerFailed',
      `Error syncing load balancer: failed to ensure load balancer: ${ips}`,
    );
    return true;
  }
  updateStatus(c.server, { ...current, status: { ...current.status, loadBalancer: { ingress: ips.map(ip => ({ ip, ipMode: 'VIP' })) } } });
  recordEvent(recorder, service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
  return false;
}

function release(c: Controllers, service: KubeObject): void {
  const recorder = recorderOf(c, COMPONENT);
  recordEvent(recorder, service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
  let current = service;
  if (service.status?.loadBalancer?.ingress) {
    const written = updateStatus(c.server, { ...service, status: { ...service.status, loadBalancer: {} } });
    if (!isStatus(written)) current = written;
  }
  recordEvent(recorder, service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
  const finalizers = current.metadata.finalizers?.filter(f => f !== FINALIZER);
  updateObject(c.server, { ...current, metadata: { ...current.metadata, finalizers: finalizers?.length ? finalizers : undefined } });
}

/** One address, as clouds give them: of the Service's first family that the pool has, the lowest that is free, or what spec.loadBalancerIP asks for. */
function allocate(c: Controllers, pool: string[], service: KubeObject): string[] | string {
  const taken = new Set<string>();
  for (const s of listObjects(c.server, 'services')) {
    if (keyOf(s) !== keyOf(service)) for (const i of s.status?.loadBalancer?.ingress ?? []) taken.add(i.ip);
  }
  const families: string[] = service.spec.ipFamilies ?? ['IPv4'];
  const asked = service.spec.loadBalancerIP;
  if (asked && families.includes(isIPv6(asked) ? 'IPv6' : 'IPv4'))
    return taken.has(asked) ? `the address ${asked} is already in use` : [asked];
  for (const family of families) {
    const free = addressesOf(pool, family === 'IPv6', taken);
    if (free) return [free];
  }
  return 'no address is left in the pool';
}
