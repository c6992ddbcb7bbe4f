// What happened to every object since the server began, read from the session's log: this process's own commits and those of other
// commands alike. Watches begin with it and follow it.

import { isAside } from '../../apiserver/store.ts';
import type { Change, KubeObject, WatchEvent } from '../../apiserver/types.ts';
import { sessionGone } from '../machine.ts';
import { bucketNames, catchUp, loadBucket, refresh, type Session, SessionMoved } from '../session.ts';

export interface Happening extends WatchEvent {
  bucket: string;
  revision: number;
}

interface ClusterHistory {
  /** Of kube-system: another one is another cluster. */
  identity: string;
  /** Watches can resume from here on. */
  oldest: number;
  newest: number;
  objects: Map<string, Map<string, KubeObject>>;
  events: Happening[];
  followers: Set<Follower>;
}

export interface Follower {
  take: (h: Happening) => void;
  /** There is another cluster in its place: everything it knows is of the past. */
  lost: () => void;
}

export interface History {
  session: Session;
  clusters: Map<string, ClusterHistory>;
}

/** More events than this per cluster are not remembered: older watches begin again, as after etcd's compaction. */
const MOST_EVENTS = 20_000;

/** From where `session` stands on; it is read by a reader of its own. */
export function newHistory(session: Session): History {
  const overlay = new Map([...session.overlay].map(([bucket, changes]) => [bucket, new Map(changes)]));
  const h: History = { session: { ...session, overlay, snapshots: new Map() }, clusters: new Map() };
  try {
    readAll(h);
  } catch (e) {
    if (!(e instanceof SessionMoved)) throw e;
    catchUp(h.session, sessionGone);
    readAll(h);
  }
  return h;
}

const identityOf = (objects: ClusterHistory['objects']): string => objects.get('namespaces')?.get('/kube-system')?.metadata.uid ?? '';

function readAll(h: History): void {
  const records = new Map([...loadBucket(h.session, 'podnet')].filter(([k]) => k.startsWith('cluster:')));
  for (const [key, record] of records) {
    const name = key.slice(8);
    const objects: ClusterHistory['objects'] = new Map();
    for (const b of bucketNames(h.session))
      if (b.startsWith(`${name}/`)) objects.set(b.slice(name.length + 1), new Map(loadBucket(h.session, b) as Map<string, KubeObject>));
    const { revision } = record as { revision: number };
    const before = h.clusters.get(name);
    const identity = identityOf(objects);
    if (before?.identity === identity) continue;
    const followers = before?.followers ?? new Set();
    h.clusters.set(name, { identity, oldest: revision, newest: revision, objects, events: [], followers: new Set() });
    for (const f of followers) f.lost();
  }
  for (const name of [...h.clusters.keys()]) {
    if (records.has(`cluster:${name}`)) continue;
    for (const f of h.clusters.get(name)?.followers ?? []) f.lost();
    h.clusters.delete(name);
  }
}

/** Take in what was committed since. */
export function follow(h: History): void {
  try {
    for (;;) {
      const moved = refresh(h.session, changes => absorb(h, changes)) === 'moved';
      if (!moved) return;
      // A compaction changes nothing; a cluster made anew is another one.
      readAll(h);
    }
  } catch (e) {
    if (!(e instanceof SessionMoved)) throw e;
    catchUp(h.session, sessionGone);
    for (const c of h.clusters.values()) c.identity = '';
    readAll(h);
  }
}

function absorb(h: History, changes: Change[]): void {
  for (const c of changes) {
    const slash = c.bucket.indexOf('/');
    const cluster = slash < 0 ? undefined : h.clusters.get(c.bucket.slice(0, slash));
    const bucket = c.bucket.slice(slash + 1);
    if (cluster && !isAside(bucket)) happen(cluster, bucket, c);
  }
}

function happen(cluster: ClusterHistory, bucket: string, c: Change): void {
  const objects = cluster.objects.get(bucket) ?? new Map<string, KubeObject>();
  cluster.objects.set(bucket, objects);
  const old = objects.get(c.key);
  if (!c.object && !old) return;
  const revision = c.object ? Number(c.object.metadata.resourceVersion) : (c.revision ?? cluster.newest + 1);
  const object = c.object ?? ({ ...old, metadata: { ...old?.metadata, resourceVersion: String(revision) } } as KubeObject);
  if (c.object) objects.set(c.key, c.object);
  else objects.delete(c.key);
  cluster.newest = Math.max(cluster.newest, revision);
  const event: Happening = { type: !c.object ? 'DELETED' : old ? 'MODIFIED' : 'ADDED', object, old, bucket, revision };
  cluster.events.push(event);
  if (cluster.events.length > MOST_EVENTS) {
    const gone = cluster.events.splice(0, MOST_EVENTS / 2);
    cluster.oldest = gone[gone.length - 1].revision;
  }
  for (const f of [...cluster.followers]) f.take(event);
}
