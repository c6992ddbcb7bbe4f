// Somebody looks on: what other commands commit is shown as it comes, and time passes.
import { watchFilter } from '../apiserver/server.ts';
import { fresh, isDue, type Live, type OwnWatch, runDue, settleNow, transact } from './live.ts';
import { engineOf, sessionGone } from './machine.ts';
import { type Follower, follow, type History } from './serve/history.ts';
import { hasNews } from './session.ts';

export interface Onlooker {
  history: History;
  /** The cluster did not come to rest when it was last let to. */
  restless: boolean;
  /** How far ahead of the clock things may happen because somebody only waits for them (virtual milliseconds). */
  aheadMs: number;
}

/** Ten seconds for each that somebody waits: podnet's own kubectl does not wait at all, but knows when its user would give up. */
const HURRY_MS = 900;

export function lookOn(live: Live, o: Onlooker, hurries: boolean): void {
  // First the clock of who did it, then what was done: nothing comes from the future.
  const machine = hasNews(live.machine.session) ? fresh(live) : live.machine;
  follow(o.history);
  for (const c of machine.clusters.values()) engineOf(machine, c);
  o.aheadMs = hurries ? o.aheadMs + HURRY_MS : 0;
  if (!isDue(machine, o.aheadMs)) return;
  const ahead = o.aheadMs;
  o.aheadMs = 0;
  // A cluster that does not come to rest is not hurried on and on: its time goes with the wall's until somebody asks again.
  transact(live, false, m => {
    runDue(m, ahead);
    if (!o.restless && !live.realtime) o.restless = !settleNow(m);
  });
}

/** From now on the watches are told what is committed, by whomever; so far they were told what happened in this process. */
export function followCommits(live: Live, history: History, watches: Iterable<OwnWatch>): void {
  for (const w of watches) {
    const cluster = history.clusters.get(w.cluster);
    const server = () => {
      const now = live.machine.clusters.get(w.cluster);
      if (!now) throw sessionGone();
      return now.server;
    };
    const filter = watchFilter(server, w.request, w.onEvent);
    if (!cluster || typeof w.stop !== 'function' || !('take' in filter)) continue;
    w.stop();
    const follower: Follower = { take: h => void (h.bucket === filter.bucket && filter.take(h)), lost: () => {} };
    cluster.followers.add(follower);
    w.stop = () => void cluster.followers.delete(follower);
  }
}
