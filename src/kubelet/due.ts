// When a pod will change by itself: what a session has to know to come back in time.
import { nextMoveMs } from '../linux/process.ts';
import { specOf } from './containers.ts';
import { currentPod } from './status.ts';
import type { Kubelet, PodRuntime } from './types.ts';

/** Of a pod that is awake; undefined: it waits for others, or for ever. */
export function podDueMs(k: Kubelet, rt: PodRuntime): number | undefined {
  if (rt.done) return undefined;
  const times: number[] = Object.values(rt.mountTries).map(t => t.nextMs);
  const pod = currentPod(k, rt);
  for (const c of rt.containers.values()) {
    if (c.failedStart) times.push(c.failedStart.atMs);
    if (c.restartsAtMs !== null) times.push(c.restartsAtMs);
    const due = c.process?.exitCode === null ? c.process.memory?.dueMs?.() : undefined;
    if (due !== undefined) times.push(due);
    const move = c.fs && c.process?.exitCode === null ? nextMoveMs(k.deps.kernel(), c.fs) : undefined;
    const spec = pod && specOf(pod, c.name);
    // Components of the cluster sleep between their rounds: nothing comes of it.
    if (move !== undefined && spec && !k.deps.programFor?.(pod, spec)) times.push(move);
  }
  return times.length ? Math.min(...times) : undefined;
}

/** The next of all pods of the node. */
export function nodeDueMs(k: Kubelet): number | undefined {
  const times: number[] = [];
  if (!k.running) return undefined;
  for (const rt of k.pods.values()) {
    const due = rt.dormant ? k.saved?.pods[rt.uid]?.dueMs : podDueMs(k, rt);
    if (due !== undefined) times.push(due);
  }
  return times.length ? Math.min(...times) : undefined;
}
