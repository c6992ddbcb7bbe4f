// The ReplicaSets of a Deployment: found, made, scaled, cleaned up (pkg/controller/deployment/sync.go v1.36).
import { createObject, deleteObject, patchObject, updateObject } from '../apiserver/client.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { conditionOf, isStatus, recorderOf, same } from './context.ts';
import { DESIRED, hasDeadline, MAX, maxSurge, REVISION, setCondition, setNewReplicaSetAnnotations } from './deployment-status.ts';
import { ownerReference, timeOf } from './pods.ts';
import { enqueue, indexed } from './queue.ts';
import { COMPONENT, type Rollout, writeStatus } from './rollout.ts';
import { templateHash } from './template-hash.ts';

export const byCreation = (a: KubeObject, b: KubeObject): number =>
  timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp) || (a.metadata.name < b.metadata.name ? -1 : 1);

function equalIgnoreHash(a: any, b: any): boolean {
  const strip = (t: any) => {
    const { 'pod-template-hash': _, ...labels } = t.metadata?.labels ?? {};
    return { ...t, metadata: { ...t.metadata, labels, creationTimestamp: undefined } };
  };
  return same(strip(a), strip(b));
}

export const findNew = (r: Rollout): KubeObject | undefined => r.sets.find(rs => equalIgnoreHash(rs.spec.template, r.d.spec.template));

export const oldSets = (r: Rollout, newRS: KubeObject | undefined): KubeObject[] =>
  r.sets.filter(rs => rs.metadata.uid !== newRS?.metadata.uid);

function replaceSet(r: Rollout, rs: KubeObject): void {
  r.sets = r.sets.map(x => (x.metadata.uid === rs.metadata.uid ? rs : x));
}

const revisionOf = (rs: KubeObject) => Number(rs.metadata.annotations?.[REVISION] ?? 0) || 0;

function setRevision(r: Rollout, revision: string | undefined): void {
  if (revision === undefined || r.d.metadata.annotations?.[REVISION] === revision) return;
  const { namespace, name } = r.d.metadata;
  // By the status subresource, as the real controller's UpdateStatus: a Deployment's annotations count for its generation.
  const patch = { metadata: { annotations: { [REVISION]: revision } } };
  const patched = patchObject(r.c.server, 'deployments.apps', namespace, name, 'merge', patch, 'status');
  if (!isStatus(patched)) r.d = patched;
}

/** getNewReplicaSet: the one whose template is the Deployment's; made when it is not there and `create`. */
export function newReplicaSet(r: Rollout, create: boolean): KubeObject | undefined {
  const existing = findNew(r);
  const revision = String(Math.max(0, ...oldSets(r, existing).map(revisionOf)) + 1);
  if (existing) {
    const annotations = setNewReplicaSetAnnotations(r.d, existing, revision, true);
    const minReadySeconds = r.d.spec.minReadySeconds ?? 0;
    if (annotations || (existing.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      const spec = { ...existing.spec, ...(minReadySeconds ? { minReadySeconds } : { minReadySeconds: undefined }) };
      const meta = { ...existing.metadata, annotations: annotations ?? existing.metadata.annotations };
      const written = updateObject(r.c.server, { ...existing, metadata: meta, spec });
      if (isStatus(written)) return existing;
      replaceSet(r, written);
      setRevision(r, written.metadata.annotations?.[REVISION]);
      return written;
    }
    setRevision(r, existing.metadata.annotations?.[REVISION]);
    if (hasDeadline(r.d) && !conditionOf(r.d.status?.conditions, 'Progressing')) {
      writeStatus(
        r,
        setCondition(r, r.d.status, 'Progressing', 'True', 'FoundNewReplicaSet', `Found new replica set "${existing.metadata.name}"`),
      );
    }
    return existing;
  }
  return create ? createReplicaSet(r, revision) : undefined;
}

function createReplicaSet(r: Rollout, revision: string): KubeObject | undefined {
  const { c, d } = r;
  const recorder = recorderOf(c, COMPONENT);
  const hash = templateHash(d.spec.template, d.status?.collisionCount);
  const labels = { ...d.spec.template.metadata?.labels, 'pod-template-hash': hash };
  const set: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `${d.metadata.name}-${hash}`, namespace: d.metadata.namespace, ownerReferences: [ownerReference(d)], labels },
    spec: {
      replicas: 0,
      ...(d.spec.minReadySeconds ? { minReadySeconds: d.spec.minReadySeconds } : {}),
      selector: { ...d.spec.selector, matchLabels: { ...d.spec.selector.matchLabels, 'pod-template-hash': hash } },
      template: { ...d.spec.template, metadata: { ...d.spec.template.metadata, labels } },
    },
  };
  set.spec.replicas = wantedOfNew(r, set);
  set.metadata.annotations = setNewReplicaSetAnnotations(d, set, revision, false) ?? {};
  const made = createObject(c.server, set);
  if (isStatus(made)) {
    if (made.reason === 'AlreadyExists') {
      writeStatus(r, { ...d.status, collisionCount: (d.status?.collisionCount ?? 0) + 1 });
      enqueue(r.queue, r.key);
      return undefined;
    }
    if (made.details?.causes?.some(x => x.reason === 'NamespaceTerminating')) return undefined;
    const message = `Failed to create new replica set "${set.metadata.name}": ${made.message}`;
    if (hasDeadline(d)) writeStatus(r, setCondition(r, d.status, 'Progressing', 'False', 'ReplicaSetCreateError', message));
    recordEvent(recorder, d, 'Warning', 'ReplicaSetCreateError', message);
    return undefined;
  }
  r.sets = [...r.sets, made].sort(byCreation);
  const size = set.spec.replicas;
  if (size > 0) recordEvent(recorder, d, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${made.metadata.name} from 0 to ${size}`);
  setRevision(r, revision);
  if (hasDeadline(d)) {
    writeStatus(
      r,
      setCondition(r, r.d.status, 'Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "${made.metadata.name}"`),
    );
  }
  return made;
}

/** -> the size was changed */
export function scaleReplicaSet(r: Rollout, rs: KubeObject, size: number, force = false): boolean {
  const replicas = r.d.spec.replicas;
  const was = rs.spec.replicas;
  if (!force && was === size) return false;
  const annotations = { ...rs.metadata.annotations, [DESIRED]: String(replicas), [MAX]: String(replicas + maxSurge(r.d)) };
  if (was === size && same(annotations, rs.metadata.annotations)) return false;
  const written = updateObject(r.c.server, { ...rs, metadata: { ...rs.metadata, annotations }, spec: { ...rs.spec, replicas: size } });
  if (isStatus(written)) return false;
  replaceSet(r, written);
  if (was === size) return false;
  const message = `Scaled ${was < size ? 'up' : 'down'} replica set ${rs.metadata.name} from ${was} to ${size}`;
  recordEvent(recorderOf(r.c, COMPONENT), r.d, 'Normal', 'ScalingReplicaSet', message);
  return true;
}

/** Old ReplicaSets beyond revisionHistoryLimit go, those of the lowest revisions first. */
export function cleanup(r: Rollout): void {
  const limit = r.d.spec.revisionHistoryLimit;
  if (limit === undefined || limit === null || limit >= 2 ** 31 - 1) return;
  const old = oldSets(r, findNew(r)).filter(rs => !rs.metadata.deletionTimestamp);
  old.sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b));
  for (const rs of old.slice(0, Math.max(0, old.length - limit))) {
    if (rs.status?.replicas || rs.spec.replicas || (rs.metadata.generation ?? 0) > (rs.status?.observedGeneration ?? 0)) continue;
    deleteObject(r.c.server, 'replicasets.apps', rs.metadata.namespace, rs.metadata.name);
  }
}

/** Pods of its ReplicaSets, whatever their state: Recreate looks at them. */
export const podsOf = (r: Rollout, rs: KubeObject): KubeObject[] => indexed(r.c.podsByOwner, rs.metadata.uid as string);

export const sum = (sets: (KubeObject | undefined)[], f: (rs: KubeObject) => number | undefined) =>
  sets.reduce((n, rs) => n + (rs ? (f(rs) ?? 0) : 0), 0);
export const wanted = (rs: KubeObject): number => rs.spec.replicas;

/** NewRSNewReplicas: how large the new one may be now. */
export function wantedOfNew(r: Rollout, newRS: KubeObject): number {
  const replicas = r.d.spec.replicas;
  if (r.d.spec.strategy?.type === 'Recreate') return replicas;
  const others = r.sets.filter(rs => rs.metadata.name !== newRS.metadata.name);
  const current = sum([...others, newRS], wanted);
  const max = replicas + maxSurge(r.d);
  if (current >= max) return wanted(newRS);
  return wanted(newRS) + Math.min(max - current, replicas - wanted(newRS));
}
