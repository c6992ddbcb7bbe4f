// ServiceCIDRs: ready when nothing is wrong with them; kept while a Service has one of their addresses (pkg/controller/servicecidrs v1.36.3).
import { updateObject, updateStatus } from '../apiserver/client.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { parseRfc3339, rfc3339 } from '../sim/time.ts';
import { type Cidr, inCidr, isHostOf, parseCidr, parseIp } from '../wire/ip.ts';
import { type Controllers, conditionOf, isStatus } from './context.ts';
import { enqueue, enqueueAfter, newQueue, type Queue, watchAll } from './queue.ts';

const BUCKET = 'servicecidrs.networking.k8s.io';
const ADDRESSES = 'ipaddresses.networking.k8s.io';
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const GRACE_MS = 10_000;

export function startServiceCIDRs(c: Controllers): void {
  const queue: Queue = newQueue(c.sim, 5, name => syncServiceCIDR(c, queue, name));
  c.queues.push(queue);
  // Those that wait for their end do so across restarts.
  if (!c.initial) for (const s of listObjects(c.server, BUCKET)) if (s.metadata.deletionTimestamp) enqueue(queue, s.metadata.name);
  const holding = (o: KubeObject) => containing(listObjects(c.server, BUCKET), o.metadata.name);
  c.stops.push(
    watchAll(c.server, BUCKET, c.unsettled, e => {
      enqueue(queue, e.object.metadata.name);
      // A new one may cover what keeps another from its end.
      if (e.type === 'ADDED') for (const s of overlapping(listObjects(c.server, BUCKET), e.object)) enqueue(queue, s.metadata.name);
    }),
    watchAll(c.server, ADDRESSES, false, e => {
      if (e.type !== 'MODIFIED' && isManaged(e.object)) for (const s of holding(e.object)) enqueue(queue, s.metadata.name);
    }),
  );
}

const cidrsOf = (o: KubeObject): Cidr[] => (o.spec?.cidrs ?? []).map(parseCidr).filter((x: Cidr | null) => x !== null);

const isManaged = (o: KubeObject) => o.metadata.labels?.['ipaddress.kubernetes.io/managed-by'] === 'ipallocator.k8s.io';

const overlap = (a: Cidr, b: Cidr) => inCidr(a, b.ip) || inCidr(b, a.ip);

/** Those one of whose ranges overlaps one of `o`'s: itself too. */
const overlapping = (all: KubeObject[], o: KubeObject) => all.filter(s => cidrsOf(s).some(a => cidrsOf(o).some(b => overlap(a, b))));

/** Those that could give out an address. */
function containing(all: KubeObject[], address: string): KubeObject[] {
  const ip = parseIp(address);
  return ip ? all.filter(s => cidrsOf(s).some(range => isHostOf(range, ip))) : [];
}

function ready(c: Controllers, o: KubeObject, status: string, reason: string, message: string): KubeObject {
  const old = conditionOf(o.status?.conditions, 'Ready');
  if (old?.status === status && (old.reason ?? '') === reason && old.message === message) return o;
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
  // An apiserver may not know of the deletion yet and still give out an address. Until then the deletion is under way.
  const leftMs = (parseRfc3339(o.metadata.deletionTimestamp) ?? 0) + GRACE_MS - c.sim.nowMs;
  if (leftMs > 0) {
    enqueueAfter(queue, name, leftMs, false);
    return;
  }
  const rest = finalizers.filter(f => f !== FINALIZER);
  updateObject(c.server, { ...o, metadata: { ...o.metadata, finalizers: rest.length ? rest : undefined } });
}

/** Another one holds each of its ranges, or no address in use is in this one only. */
function canDelete(c: Controllers, o: KubeObject): boolean {
  const all = listObjects(c.server, BUCKET);
  const isOther = (s: KubeObject) => s.metadata.name !== o.metadata.name;
  const covered = (range: Cidr) => all.some(s => isOther(s) && cidrsOf(s).some(x => x.bits <= range.bits && overlap(x, range)));
  if (cidrsOf(o).every(covered)) return true;
  return !listObjects(c.server, ADDRESSES).some(a => {
    const holders = isManaged(a) ? containing(all, a.metadata.name) : [];
    return holders.length === 1 && !isOther(holders[0]);
  });
}
