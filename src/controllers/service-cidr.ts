// ServiceCIDRs: ready when nothing is wrong with them; kept while a Service has one of their addresses (pkg/controller/servicecidrs v1.36).
import { updateObject, updateStatus } from '../apiserver/client.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { parseRfc3339, rfc3339 } from '../sim/time.ts';
import { inCidr, parseCidr, parseIp } from '../wire/ip.ts';
import { type Controllers, conditionOf, isStatus } from './context.ts';
import { enqueue, enqueueAfter, newQueue, type Queue, watchAll } from './queue.ts';

const BUCKET = 'servicecidrs.networking.k8s.io';
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const GRACE_MS = 10_000;

export function startServiceCIDRs(c: Controllers): void {
  const queue: Queue = newQueue(c.sim, 5, name => syncServiceCIDR(c, queue, name));
  c.queues.push(queue);
  // Those that wait for their end do so across restarts.
  if (!c.initial) for (const s of listObjects(c.server, BUCKET)) if (s.metadata.deletionTimestamp) enqueue(queue, s.metadata.name);
  c.stops.push(
    watchAll(c.server, BUCKET, c.unsettled, e => enqueue(queue, e.object.metadata.name)),
    watchAll(c.server, 'ipaddresses.networking.k8s.io', false, e => {
      if (e.type === 'DELETED')
        for (const s of listObjects(c.server, BUCKET)) if (s.metadata.deletionTimestamp) enqueue(queue, s.metadata.name);
    }),
  );
}

function ready(c: Controllers, o: KubeObject, status: string, reason: string, message: string): KubeObject {
  const old = conditionOf(o.status?.conditions, 'Ready');
  if (old?.status === status && (old.reason ?? '') === reason) return o;
  const condition = { type: 'Ready', status, lastTransitionTime: rfc3339(c.sim.nowMs), reason, message };
  const rest = (o.status?.conditions ?? []).filter((x: any) => x.type !== 'Ready');
  const written = updateStatus(c.server, { ...o, status: { ...o.status, conditions: [...rest, condition] } });
  return isStatus(written) ? o : written;
}

function syncServiceCIDR(c: Controllers, queue: Queue, name: string): void {
  let o = getObject(c.server, BUCKET, '', name);
  if (!o) return;
  const finalizers = o.metadata.finalizers ?? [];
  if (!o.metadata.deletionTimestamp) {
    if (!finalizers.includes(FINALIZER)) {
      const written = updateObject(c.server, { ...o, metadata: { ...o.metadata, finalizers: [...finalizers, FINALIZER] } });
      if (!isStatus(written)) o = written;
    }
    ready(c, o, 'True', '', 'Kubernetes Service CIDR is ready');
    return;
  }
  if (!finalizers.includes(FINALIZER)) return;
  if (!canDelete(c, o)) {
    ready(
      c,
      o,
      'False',
      'Terminating',
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
    );
    return;
  }
  // An apiserver may not know of the deletion yet and still give out an address.
  const leftMs = (parseRfc3339(o.metadata.deletionTimestamp) ?? 0) + GRACE_MS - c.sim.nowMs;
  if (leftMs > 0) {
    enqueueAfter(queue, name, leftMs);
    return;
  }
  const rest = finalizers.filter(f => f !== FINALIZER);
  updateObject(c.server, { ...o, metadata: { ...o.metadata, finalizers: rest.length ? rest : undefined } });
}

/** No address in use that only this one holds. */
function canDelete(c: Controllers, o: KubeObject): boolean {
  const others = listObjects(c.server, BUCKET).filter(s => s.metadata.name !== o.metadata.name && !s.metadata.deletionTimestamp);
  const holds = (s: KubeObject, text: string) => {
    const ip = parseIp(text);
    return (s.spec.cidrs ?? []).some((t: string) => {
      const cidr = parseCidr(t);
      return !!ip && !!cidr && inCidr(cidr, ip);
    });
  };
  return !listObjects(c.server, 'ipaddresses.networking.k8s.io').some(
    a => holds(o, a.metadata.name) && !others.some(s => holds(s, a.metadata.name)),
  );
}
