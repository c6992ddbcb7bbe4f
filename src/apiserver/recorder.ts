// How components report: client-go's tools/record (counts, aggregation, spam filter) and tools/events (series), v0.36.
import { rfc3339, rfc3339Micro } from '../sim/time.ts';
import { createObject, patchObject } from './client.ts';
import { getObject, listObjects } from './store.ts';
import type { ApiServer, KubeObject } from './types.ts';

export interface Recorder {
  server: ApiServer;
  component: string;
  /** '' where the real component leaves the source's host out. */
  host: string;
  /** Event key -> name of the Event that stands for it. */
  seen: Map<string, { name: string; namespace: string; count: number }> | null;
  /** Without the message: how many different messages lately (EventAggregator). */
  similar: Map<string, { messages: Set<string>; atMs: number }>;
  /** Token buckets by source and object (EventSourceObjectSpamFilter: burst 25, one more each 300 s). */
  tokens: Map<string, { left: number; atMs: number }>;
}

export const newRecorder = (server: ApiServer, component: string, host = ''): Recorder => ({
  server,
  component,
  host,
  seen: null,
  similar: new Map(),
  tokens: new Map(),
});

export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  uid?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

export function referenceTo(o: KubeObject, fieldPath?: string): ObjectReference {
  const ref: ObjectReference = {
    kind: o.kind,
    ...(o.metadata.namespace ? { namespace: o.metadata.namespace } : {}),
    name: o.metadata.name,
    uid: o.metadata.uid,
    apiVersion: o.apiVersion,
    resourceVersion: o.metadata.resourceVersion,
  };
  if (fieldPath) ref.fieldPath = fieldPath;
  return ref;
}

const refKey = (r: ObjectReference) => `${r.kind}/${r.namespace ?? ''}/${r.name}/${r.uid ?? ''}/${r.apiVersion}`;

function eventKey(e: KubeObject): string {
  return `${refKey(e.involvedObject)}/${e.involvedObject.fieldPath ?? ''}/${e.type}/${e.reason}/${e.message}`;
}

/** Names are OBJECT.HEX of the time in nanoseconds; the revision keeps two events of one instant apart. */
function eventName(server: ApiServer, object: string): string {
  const nanos = BigInt(Math.floor(server.sim.nowMs * 1000)) * 1000n + BigInt(server.store.revision % 1_000_000);
  return `${object}.${nanos.toString(16)}`;
}

/** The events of an earlier run of this component still count (a session was reloaded). */
function seenEvents(r: Recorder): NonNullable<Recorder['seen']> {
  if (r.seen) return r.seen;
  r.seen = new Map();
  for (const e of listObjects(r.server, 'events')) {
    if (e.source?.component !== r.component || (e.source?.host ?? '') !== r.host) continue;
    r.seen.set(eventKey(e), { name: e.metadata.name, namespace: e.metadata.namespace ?? 'default', count: e.count ?? 1 });
  }
  return r.seen;
}

function spam(r: Recorder, ref: ObjectReference): boolean {
  const now = r.server.sim.nowMs;
  const key = refKey(ref);
  const bucket = r.tokens.get(key) ?? { left: 25, atMs: now };
  bucket.left = Math.min(25, bucket.left + (now - bucket.atMs) / 300_000);
  bucket.atMs = now;
  r.tokens.set(key, bucket);
  if (bucket.left < 1) return true;
  bucket.left--;
  return false;
}

/** More than ten different messages for one reason within ten minutes are one event (EventAggregator). */
function aggregated(
  r: Recorder,
  ref: ObjectReference,
  type: string,
  reason: string,
  message: string,
): { key: string; message: string } | null {
  const now = r.server.sim.nowMs;
  const key = `${refKey(ref)}/${ref.fieldPath ?? ''}/${type}/${reason}`;
  let entry = r.similar.get(key);
  if (!entry || now - entry.atMs > 600_000) entry = { messages: new Set(), atMs: now };
  entry.messages.add(message);
  entry.atMs = now;
  r.similar.set(key, entry);
  if (entry.messages.size < 10) return null;
  entry.messages.delete(message);
  return { key, message: `(combined from similar events): ${message}` };
}

/** Write an Event about `object`, or count the one that is there. `fieldPath`: `spec.containers{NAME}`. */
export function recordEvent(
  r: Recorder,
  object: KubeObject | ObjectReference,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  fieldPath?: string,
): void {
  const server = r.server;
  const ref = 'metadata' in object ? referenceTo(object as KubeObject, fieldPath) : (object as ObjectReference);
  if (message.length > 1024) message = message.slice(0, 1024);
  const now = rfc3339(server.sim.nowMs);
  const seen = seenEvents(r);
  const combined = aggregated(r, ref, type, reason, message);
  const key = combined?.key ?? `${refKey(ref)}/${ref.fieldPath ?? ''}/${type}/${reason}/${message}`;
  if (combined) message = combined.message;
  if (spam(r, ref)) return;
  const old = seen.get(key);
  if (old && getObject(server, 'events', old.namespace, old.name)) {
    old.count++;
    patchObject(server, 'events', old.namespace, old.name, 'merge', { count: old.count, lastTimestamp: now, message });
    return;
  }
  const namespace = ref.namespace || 'default';
  const event: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(server, ref.name), namespace },
    involvedObject: ref,
    reason,
    message,
    source: r.host ? { component: r.component, host: r.host } : { component: r.component },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    type,
    eventTime: null,
    reportingComponent: r.component,
    reportingInstance: r.host,
  };
  createObject(server, event);
  seen.set(key, { name: event.metadata.name, namespace, count: 1 });
}

/** events.k8s.io's way (the scheduler): no source, eventTime, repeats within six minutes are a series. */
export function recordSeriesEvent(
  r: Recorder,
  object: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  action: string,
  message: string,
): void {
  const server = r.server;
  const ref = referenceTo(object);
  const key = `${refKey(ref)}/${ref.resourceVersion ?? ''}/${type}/${reason}/${action}`;
  r.seen ??= new Map();
  if (message.length > 1024) message = `${message.slice(0, 1021)}...`;
  const namespace = ref.namespace || 'default';
  const now = rfc3339Micro(server.sim.nowMs);
  const old = r.seen.get(key);
  const there = old && getObject(server, 'events', old.namespace, old.name);
  // The key has no message (getKey in event_broadcaster.go): an isomorphic event keeps the first one's text.
  if (old && there && server.sim.nowMs - old.count < 360_000) {
    const count = (there.series?.count ?? 1) + 1;
    if (count === 2) patchObject(server, 'events', old.namespace, old.name, 'merge', { series: { count, lastObservedTime: now } });
    old.count = server.sim.nowMs;
    return;
  }
  const event: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(server, ref.name), namespace },
    involvedObject: ref,
    reason,
    message,
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    type,
    eventTime: now,
    action,
    reportingComponent: r.component,
    reportingInstance: r.host,
  };
  createObject(server, event);
  r.seen.set(key, { name: event.metadata.name, namespace, count: server.sim.nowMs });
}
