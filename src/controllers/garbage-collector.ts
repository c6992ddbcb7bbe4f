// Owner references: dependents go with their last owner; foreground and orphan deletion (pkg/controller/garbagecollector v1.36).
import { deleteObject, patchObject } from '../apiserver/client.ts';
import { allResources, resourceOfKind } from '../apiserver/resources.ts';
import { bucketName, getObject, listObjects, watchBucket } from '../apiserver/store.ts';
import type { KubeObject, OwnerReference, ResourceInfo, WatchEvent } from '../apiserver/types.ts';
import type { Controllers } from './context.ts';
import { enqueue, newQueue, type Queue } from './queue.ts';

interface Node {
  bucket: string;
  namespace: string | undefined;
  name: string;
}

interface Graph {
  c: Controllers;
  queue: Queue;
  /** Owner's uid -> its dependents by `bucket namespace/name`. null until somebody is deleted. */
  dependents: Map<string, Map<string, Node>> | null;
  watched: Set<string>;
}

export function startGarbageCollector(c: Controllers): void {
  const g: Graph = { c, queue: newQueue(c.sim, 12, key => attempt(g, key)), dependents: null, watched: new Set() };
  c.queues.push(g.queue);
  for (const bucket of buckets(c)) watch(g, bucket);
  // Kinds that a CustomResourceDefinition brings later.
  c.stops.push(
    watchBucket(c.server, 'customresourcedefinitions.apiextensions.k8s.io', () => {
      for (const bucket of buckets(c)) watch(g, bucket);
    }),
  );
}

function buckets(c: Controllers): Set<string> {
  const out = new Set<string>();
  for (const r of allResources(c.server) as ResourceInfo[]) {
    if (r.verbs.includes('delete') && r.resource !== 'events') out.add(bucketName(r.group, r.resource));
  }
  return out;
}

const idOf = (bucket: string, o: KubeObject): string => `${bucket} ${o.metadata.namespace ?? ''}/${o.metadata.name}`;

function watch(g: Graph, bucket: string): void {
  if (g.watched.has(bucket)) return;
  g.watched.add(bucket);
  if (g.dependents) for (const o of listObjects(g.c.server, bucket)) note(g, bucket, o);
  if (g.c.unsettled) {
    // What an earlier run had not finished.
    for (const o of listObjects(g.c.server, bucket)) {
      if (waits(o) || o.metadata.ownerReferences?.some(r => !ownerOf(g, o, r))) enqueue(g.queue, idOf(bucket, o));
    }
  }
  g.c.stops.push(watchBucket(g.c.server, bucket, e => changed(g, bucket, e)));
}

const waits = (o: KubeObject): boolean =>
  !!o.metadata.deletionTimestamp && !!o.metadata.finalizers?.some(f => f === 'foregroundDeletion' || f === 'orphan');

function note(g: Graph, bucket: string, o: KubeObject): void {
  for (const ref of o.metadata.ownerReferences ?? []) {
    let set = g.dependents?.get(ref.uid);
    if (!set) g.dependents?.set(ref.uid, (set = new Map()));
    set?.set(idOf(bucket, o), { bucket, namespace: o.metadata.namespace, name: o.metadata.name });
  }
}

function changed(g: Graph, bucket: string, e: WatchEvent): void {
  const o = e.object;
  const id = idOf(bucket, o);
  if (g.dependents) {
    for (const ref of e.old?.metadata.ownerReferences ?? []) g.dependents.get(ref.uid)?.delete(id);
    if (e.type !== 'DELETED') note(g, bucket, o);
  }
  if (e.type === 'DELETED') {
    for (const id of dependentsOf(g, o.metadata.uid as string).keys()) enqueue(g.queue, id);
    // An owner in foreground deletion waits for this one.
    for (const ref of o.metadata.ownerReferences ?? []) {
      const owner = ownerOf(g, o, ref);
      if (owner && waits(owner.object)) enqueue(g.queue, idOf(owner.bucket, owner.object));
    }
    return;
  }
  if (waits(o)) enqueue(g.queue, id);
  if (e.type === 'ADDED' && o.metadata.ownerReferences?.some(r => !ownerOf(g, o, r))) enqueue(g.queue, id);
}

function dependentsOf(g: Graph, uid: string): Map<string, Node> {
  if (!g.dependents) {
    g.dependents = new Map();
    for (const bucket of g.watched) for (const o of listObjects(g.c.server, bucket)) note(g, bucket, o);
  }
  return g.dependents.get(uid) ?? new Map();
}

function ownerOf(g: Graph, o: KubeObject, ref: OwnerReference): { bucket: string; object: KubeObject } | null {
  const info = resourceOfKind(g.c.server, ref.apiVersion, ref.kind);
  if (!info) return null;
  const bucket = bucketName(info.group, info.resource);
  const object = getObject(g.c.server, bucket, info.namespaced ? o.metadata.namespace : '', ref.name);
  return object && object.metadata.uid === ref.uid ? { bucket, object } : null;
}

function attempt(g: Graph, id: string): void {
  const at = id.indexOf(' ');
  const bucket = id.slice(0, at);
  const slash = id.indexOf('/', at);
  const o = getObject(g.c.server, bucket, id.slice(at + 1, slash), id.slice(slash + 1));
  if (!o) return;
  if (waits(o)) {
    o.metadata.finalizers?.includes('orphan') ? orphan(g, bucket, o) : foreground(g, bucket, o);
    return;
  }
  if (o.metadata.deletionTimestamp) return;
  const refs = o.metadata.ownerReferences ?? [];
  if (!refs.length) return;
  const found = refs.map(ref => ({ ref, owner: ownerOf(g, o, ref) }));
  // A kind that nobody serves: its owner can be neither found nor ruled out.
  if (found.some(f => !f.owner && !resourceOfKind(g.c.server, f.ref.apiVersion, f.ref.kind))) return;
  const solid = found.filter(f => f.owner && !waitsForeground(f.owner.object));
  const waiting = found.filter(f => f.owner && waitsForeground(f.owner.object));
  if (solid.length) {
    if (solid.length < refs.length)
      dropReferences(
        g,
        bucket,
        o,
        found.filter(f => !solid.includes(f)).map(f => f.ref.uid),
      );
    return;
  }
  if (waiting.length && dependentsOf(g, o.metadata.uid as string).size) {
    deleteObject(g.c.server, bucket, o.metadata.namespace, o.metadata.name, {
      propagationPolicy: 'Foreground',
      preconditions: { uid: o.metadata.uid },
    });
    return;
  }
  const propagationPolicy = o.metadata.finalizers?.includes('orphan')
    ? 'Orphan'
    : o.metadata.finalizers?.includes('foregroundDeletion')
      ? 'Foreground'
      : 'Background';
  deleteObject(g.c.server, bucket, o.metadata.namespace, o.metadata.name, { propagationPolicy, preconditions: { uid: o.metadata.uid } });
}

const waitsForeground = (o: KubeObject): boolean =>
  !!o.metadata.deletionTimestamp && !!o.metadata.finalizers?.includes('foregroundDeletion');

function dropReferences(g: Graph, bucket: string, o: KubeObject, uids: string[]): void {
  const left = o.metadata.ownerReferences?.filter(r => !uids.includes(r.uid)) ?? [];
  patchObject(g.c.server, bucket, o.metadata.namespace, o.metadata.name, 'merge', {
    metadata: { ownerReferences: left.length ? left : null },
  });
}

function withoutFinalizer(g: Graph, bucket: string, o: KubeObject, finalizer: string): void {
  const rest = o.metadata.finalizers?.filter(f => f !== finalizer) ?? [];
  patchObject(g.c.server, bucket, o.metadata.namespace, o.metadata.name, 'merge', { metadata: { finalizers: rest.length ? rest : null } });
}

function orphan(g: Graph, bucket: string, o: KubeObject): void {
  const uid = o.metadata.uid as string;
  for (const d of [...dependentsOf(g, uid).values()]) {
    const dependent = getObject(g.c.server, d.bucket, d.namespace, d.name);
    if (dependent) dropReferences(g, d.bucket, dependent, [uid]);
  }
  withoutFinalizer(g, bucket, o, 'orphan');
}

/** All dependents go; the owner waits for those that block it. */
function foreground(g: Graph, bucket: string, o: KubeObject): void {
  const uid = o.metadata.uid as string;
  let blocked = false;
  for (const [id, d] of [...dependentsOf(g, uid)]) {
    const dependent = getObject(g.c.server, d.bucket, d.namespace, d.name);
    const ref = dependent?.metadata.ownerReferences?.find(r => r.uid === uid);
    if (!dependent || !ref) continue;
    if (ref.blockOwnerDeletion) blocked = true;
    if (!dependent.metadata.deletionTimestamp) enqueue(g.queue, id);
  }
  if (!blocked) withoutFinalizer(g, bucket, o, 'foregroundDeletion');
}
