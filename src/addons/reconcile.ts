// What an add-on's controller does with its informers: something changed, so a moment later everything is looked at once.
import { watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject, WatchEvent } from '../apiserver/types.ts';
import type { Process } from '../linux/types.ts';
import { cancel, type SimEvent, schedule } from '../sim/sim.ts';
import type { Co } from '../sim/task.ts';
import { untilSignal } from '../userland/servers/daemon.ts';

/**
 * Calls `sync` once now and again `delayMs` after changes of these buckets that `concerns` it. `settled`: nothing has changed since it last
 * looked, so that nobody has to wait for the first time. -> stop
 */
export function reconcileOn(
  server: ApiServer,
  buckets: string[],
  sync: () => void,
  o: { delayMs?: number; settled?: boolean; concerns?: (bucket: string, e: WatchEvent) => boolean } = {},
): () => void {
  let next: SimEvent | null = null;
  const kick = (routine = false) => {
    if (next?.run && (routine || !next.background)) return;
    cancel(server.sim, next);
    next = schedule(
      server.sim,
      o.delayMs ?? 40,
      () => {
        next = null;
        sync();
      },
      routine,
    );
  };
  const stops = buckets.map(b => watchBucket(server, b, e => (o.concerns?.(b, e) ?? true) && kick()));
  kick(o.settled);
  return () => {
    for (const stop of stops) stop();
    cancel(server.sim, next);
  };
}

/** Run until the process is told to end, which it does with 0; then stop what it had started. */
export function* untilEnd(p: Process, stops: (() => void)[]): Co<number> {
  try {
    return yield* untilSignal(p, { TERM: 0, INT: 0, QUIT: 0 });
  } finally {
    for (const stop of stops) stop();
  }
}

const sorted = (x: any): any =>
  Array.isArray(x)
    ? x.map(sorted)
    : x && typeof x === 'object'
      ? Object.fromEntries(
          Object.keys(x)
            .filter(k => x[k] !== undefined)
            .sort()
            .map(k => [k, sorted(x[k])]),
        )
      : x;

/** Equal as JSON, whatever the order of keys. */
export const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

export const isReady = (pod: KubeObject): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status?.conditions ?? []).some((c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True');

/** metav1.LabelSelector: nothing selects nothing, an empty one everything. */
export function selects(selector: any, labels: Record<string, string> = {}): boolean {
  if (!selector) return false;
  for (const [k, v] of Object.entries(selector.matchLabels ?? {})) if (labels[k] !== v) return false;
  return (selector.matchExpressions ?? []).every((e: { key: string; operator: string; values?: string[] }) => {
    const has = e.key in labels;
    if (e.operator === 'Exists') return has;
    if (e.operator === 'DoesNotExist') return !has;
    const among = has && (e.values ?? []).includes(labels[e.key]);
    return e.operator === 'NotIn' ? !among : among;
  });
}
