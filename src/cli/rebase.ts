// A commit that cannot begin again: what it holds was already shown to somebody.
import type { Change, KubeObject } from '../apiserver/types.ts';
import { type ClusterRecord, type Machine, type MachineMeta, markCommitted, pendingChanges, sessionGone } from './machine.ts';
import { catchUp, commit, loadBucket, type Session } from './session.ts';

/**
 * Commit the machine's changes on whatever the state is by now. What another command has changed meanwhile stays as that one left it;
 * the rest is added under the next revisions. -> whether nobody came in between, so that the machine is what the session holds
 */
export function commitRebased(machine: Machine): boolean {
  let changes = pendingChanges(machine);
  let alone = true;
  if (machine.throwaway || !changes.length) return true;
  while (!commit(machine.session, changes)) {
    alone = false;
    const before = knownOf(machine.session, changes);
    catchUp(machine.session, sessionGone);
    changes = rebase(changes, before, knownOf(machine.session, changes));
    if (!changes.length) break;
  }
  markCommitted(machine);
  return alone;
}

/** Bucket and key -> value. */
type Known = Map<string, unknown>;

const idOf = (c: Pick<Change, 'bucket' | 'key'>): string => JSON.stringify([c.bucket, c.key]);

/** What the session holds for the changed keys, and every cluster's record. */
function knownOf(session: Session, changes: Change[]): Known {
  const known: Known = new Map();
  const take = (bucket: string, key: string) => known.set(idOf({ bucket, key }), loadBucket(session, bucket).get(key));
  for (const c of changes) take(c.bucket, c.key);
  for (const key of loadBucket(session, 'podnet').keys()) take('podnet', key);
  return known;
}

function rebase(changes: Change[], before: Known, now: Known): Change[] {
  const out: Change[] = [];
  for (const c of changes) {
    const id = idOf(c);
    if (c.bucket === 'podnet') {
      const merged = mergeOwn(c.key, c.object, before.get(id), now.get(id));
      if (merged) out.push({ ...c, object: merged as KubeObject });
      continue;
    }
    const record = idOf({ bucket: 'podnet', key: `cluster:${/^[^/:]*/.exec(c.bucket)?.[0]}` });
    const theirs = now.get(record) as ClusterRecord | undefined;
    if (!theirs || JSON.stringify(before.get(id)) !== JSON.stringify(now.get(id))) continue;
    out.push(shifted(c, theirs.revision - (before.get(record) as ClusterRecord).revision));
  }
  return out;
}

/** The same change under a later revision: theirs came first. */
function shifted(c: Change, by: number): Change {
  if (c.revision !== undefined) return { ...c, revision: c.revision + by };
  const { object } = c;
  if (!by || !object?.metadata?.resourceVersion) return c;
  return {
    ...c,
    object: { ...object, metadata: { ...object.metadata, resourceVersion: String(Number(object.metadata.resourceVersion) + by) } },
  };
}

/** What the machine itself keeps, ours and theirs together; null: theirs as it is. */
function mergeOwn(key: string, ours: unknown, before: unknown, theirs: unknown): unknown {
  if (JSON.stringify(before) === JSON.stringify(theirs)) return ours;
  if (!theirs || !ours) return null;
  if (key === 'meta') {
    const [a, b] = [ours as MachineMeta, theirs as MachineMeta];
    return { ...b, offsetMs: Math.max(a.offsetMs, b.offsetMs), lastMs: Math.max(a.lastMs, b.lastMs) };
  }
  if (!key.startsWith('cluster:')) return null;
  const [a, b, c] = [ours as ClusterRecord, theirs as ClusterRecord, before as ClusterRecord];
  return { ...b, revision: b.revision + (a.revision - c.revision), quiet: a.quiet && b.quiet };
}
