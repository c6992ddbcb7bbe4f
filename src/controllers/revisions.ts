// ControllerRevisions: the templates that StatefulSets and DaemonSets had (pkg/controller/history v1.36).
import { createObject, deleteObject, patchObject } from '../apiserver/client.ts';
import { goJson } from '../apiserver/field.ts';
import { listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, isStatus, same } from './context.ts';
import { ownerReference } from './pods.ts';
import { controllerOf } from './queue.ts';
import { revisionHash, templateHash } from './template-hash.ts';

const BUCKET = 'controllerrevisions.apps';

export function revisionsOf(c: Controllers, owner: KubeObject): KubeObject[] {
  const all = listObjects(c.server, BUCKET, owner.metadata.namespace).filter(r => controllerOf(r)?.uid === owner.metadata.uid);
  return all.sort((a, b) => a.revision - b.revision || (a.metadata.name < b.metadata.name ? -1 : 1));
}

function sorted(v: any): any {
  if (Array.isArray(v)) return v.map(sorted);
  if (typeof v !== 'object' || v === null) return v;
  return Object.fromEntries(
    Object.keys(v)
      .sort()
      .map(k => [k, sorted(v[k])]),
  );
}

/** The revision of the owner's present template: made, or brought to the front when an older one is the same again. */
export function currentRevision(c: Controllers, owner: KubeObject, label: string, annotations?: Record<string, string>): KubeObject {
  const revisions = revisionsOf(c, owner);
  const data = { spec: { template: { ...owner.spec.template, $patch: 'replace' } } };
  const latest = revisions.at(-1);
  const equal = revisions.findLast(r => same(r.data, data));
  const next = (latest?.revision ?? 0) + 1;
  if (equal && equal === latest) return equal;
  if (equal) {
    const moved = patchObject(c.server, BUCKET, owner.metadata.namespace, equal.metadata.name, 'merge', { revision: next });
    return isStatus(moved) ? equal : moved;
  }
  for (let collisions = owner.status?.collisionCount ?? 0; ; collisions++) {
    const hash =
      owner.kind === 'DaemonSet'
        ? templateHash(owner.spec.template, collisions || undefined)
        : revisionHash(goJson(sorted(data)), collisions);
    const revision: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${owner.metadata.name}-${hash}`,
        namespace: owner.metadata.namespace,
        labels: { ...owner.spec.template.metadata?.labels, [label]: hash },
        ...(annotations && Object.keys(annotations).length ? { annotations } : {}),
        ownerReferences: [ownerReference(owner)],
      },
      data,
      revision: next,
    };
    const made = createObject(c.server, revision);
    if (!isStatus(made)) return made;
    if (made.reason !== 'AlreadyExists') return revision;
  }
}

/** Revisions that no pod runs, beyond the limit, oldest first. */
export function truncateHistory(c: Controllers, owner: KubeObject, live: Set<string>): void {
  const limit = owner.spec.revisionHistoryLimit ?? 10;
  const dead = revisionsOf(c, owner).filter(r => !live.has(r.metadata.name));
  for (const r of dead.slice(0, Math.max(0, dead.length - limit))) deleteObject(c.server, BUCKET, r.metadata.namespace, r.metadata.name);
}
