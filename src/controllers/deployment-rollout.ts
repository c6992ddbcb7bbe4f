// The two strategies and proportional scaling (pkg/controller/deployment/{rolling,recreate,sync}.go v1.36).
import type { KubeObject } from '../apiserver/types.ts';
import { byCreation, cleanup, newReplicaSet, oldSets, podsOf, scaleReplicaSet, sum, wanted, wantedOfNew } from './deployment-sets.ts';
import { complete, MAX, maxSurge, maxUnavailable, syncRolloutStatus } from './deployment-status.ts';
import type { Rollout } from './rollout.ts';

const available = (rs: KubeObject): number => rs.status?.availableReplicas ?? 0;

export function rolloutRolling(r: Rollout): void {
  const newRS = newReplicaSet(r, true);
  if (!newRS) return;
  if (reconcileNew(r, newRS) || reconcileOld(r, newRS)) {
    finish(r, newRS);
    return;
  }
  if (complete(r)) cleanup(r);
  finish(r, newRS);
}

const finish = (r: Rollout, newRS: KubeObject): void =>
  syncRolloutStatus(
    r,
    r.sets.find(rs => rs.metadata.uid === newRS.metadata.uid),
    false,
  );

function reconcileNew(r: Rollout, newRS: KubeObject): boolean {
  if (wanted(newRS) === r.d.spec.replicas) return false;
  if (wanted(newRS) > r.d.spec.replicas) return scaleReplicaSet(r, newRS, r.d.spec.replicas);
  return scaleReplicaSet(r, newRS, wantedOfNew(r, newRS));
}

function reconcileOld(r: Rollout, newRS: KubeObject): boolean {
  const old = oldSets(r, newRS).filter(rs => wanted(rs) > 0);
  if (!old.length) return false;
  const minAvailable = r.d.spec.replicas - maxUnavailable(r.d);
  const maxScaledDown = sum([...old, newRS], wanted) - minAvailable - (wanted(newRS) - available(newRS));
  if (maxScaledDown <= 0) return false;
  // Replicas that are not available go first: they cannot be missed.
  let cleaned = 0;
  for (const rs of old.sort(byCreation)) {
    if (cleaned >= maxScaledDown) break;
    if (!wanted(rs) || wanted(rs) === available(rs)) continue;
    const n = Math.min(maxScaledDown - cleaned, wanted(rs) - available(rs));
    scaleReplicaSet(r, rs, wanted(rs) - n);
    cleaned += n;
  }
  return cleaned + scaleDownOld(r, newRS, minAvailable) > 0;
}

function scaleDownOld(r: Rollout, newRS: KubeObject, minAvailable: number): number {
  const old = oldSets(r, newRS).filter(rs => wanted(rs) > 0);
  const total = sum([...old, newRS], available) - minAvailable;
  let done = 0;
  for (const rs of old.sort(byCreation)) {
    if (done >= total) break;
    const n = Math.min(wanted(rs), total - done);
    scaleReplicaSet(r, rs, wanted(rs) - n);
    done += n;
  }
  return done;
}

export function rolloutRecreate(r: Rollout): void {
  let newRS = newReplicaSet(r, false);
  const old = oldSets(r, newRS);
  let scaledDown = false;
  for (const rs of old) if (wanted(rs) > 0) scaledDown = scaleReplicaSet(r, rs, 0) || scaledDown;
  if (scaledDown) {
    syncRolloutStatus(r, newRS, false);
    return;
  }
  const running = (rs: KubeObject) => podsOf(r, rs).some(p => p.status?.phase !== 'Failed' && p.status?.phase !== 'Succeeded');
  if (sum(old, rs => rs.status?.replicas) > 0 || old.some(running)) {
    syncRolloutStatus(r, newRS, false);
    return;
  }
  newRS ??= newReplicaSet(r, true);
  if (!newRS) return;
  scaleReplicaSet(r, newRS, r.d.spec.replicas);
  if (complete(r)) cleanup(r);
  finish(r, newRS);
}

/** `scale`: a Deployment that was resized in the middle of a rollout keeps the proportions of its ReplicaSets. */
export function scaleProportionally(r: Rollout, newRS: KubeObject | undefined): void {
  const replicas = r.d.spec.replicas;
  const old = oldSets(r, newRS);
  const active = r.sets.filter(rs => wanted(rs) > 0);
  if (active.length <= 1) {
    const latest = active[0] ?? newRS ?? old.at(-1);
    if (latest) scaleReplicaSet(r, latest, replicas);
    return;
  }
  if (
    newRS &&
    wanted(newRS) === replicas &&
    available(newRS) === replicas &&
    Number(newRS.metadata.annotations?.['deployment.kubernetes.io/desired-replicas']) === replicas
  ) {
    for (const rs of old) if (wanted(rs) > 0) scaleReplicaSet(r, rs, 0);
    return;
  }
  if (r.d.spec.strategy?.type === 'Recreate') return;
  const allowed = replicas > 0 ? replicas + maxSurge(r.d) : 0;
  const toAdd = allowed - sum(active, wanted);
  const bySize = (a: KubeObject, b: KubeObject) => wanted(b) - wanted(a);
  active.sort((a, b) => bySize(a, b) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)));
  let added = 0;
  const sizes = active.map(rs => {
    const part = toAdd === 0 ? 0 : proportion(r, rs, toAdd, added);
    added += part;
    return wanted(rs) + part;
  });
  if (toAdd !== 0) sizes[0] = Math.max(0, sizes[0] + toAdd - added);
  active.forEach((rs, i) => {
    scaleReplicaSet(r, rs, sizes[i], true);
  });
}

function proportion(r: Rollout, rs: KubeObject, toAdd: number, added: number): number {
  if (!wanted(rs) || toAdd === added) return 0;
  const allowed = toAdd - added;
  const fraction = fractionOf(r, rs);
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function fractionOf(r: Rollout, rs: KubeObject): number {
  if (r.d.spec.replicas === 0) return -wanted(rs);
  const before = Number(rs.metadata.annotations?.[MAX]) || r.d.status?.replicas || 0;
  if (!before) return 0;
  return Math.round((wanted(rs) * (r.d.spec.replicas + maxSurge(r.d))) / before) - wanted(rs);
}
