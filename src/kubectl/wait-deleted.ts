// Waiting until objects are gone (k8s.io/kubectl v0.36.3, pkg/cmd/wait/delete.go).

import type { ResourceInfo } from '../apiserver/types.ts';
import { type Co, waitOn, wakeAll } from '../sim/task.ts';
import { type Cmd, connect, isStatus } from './command.ts';
import { failure, isFailure } from './failure.ts';
import { getObject } from './requests.ts';

export interface Awaited {
  mapping: ResourceInfo;
  namespace: string;
  name: string;
  /** '' = whatever bears the name. */
  uid: string;
}

/** True when the object is gone, or another one has taken its name. */
function isGone(cmd: Cmd, a: Awaited): boolean {
  const now = getObject(cmd, a.mapping, a.namespace, a.name);
  if (isFailure(now)) {
    if (now.status?.reason === 'NotFound') return true;
    throw now;
  }
  return a.uid !== '' && now.metadata.uid !== a.uid;
}

/** wait.errWaitTimeoutWithName */
export const timedOut = (mapping: ResourceInfo, name: string) =>
  failure(`timed out waiting for the condition on ${mapping.resource}/${name}`);

export function* waitDeleted(cmd: Cmd, objects: Awaited[], timeoutMs: number): Co<void> {
  const deadline = cmd.host.sim.nowMs + timeoutMs;
  for (const a of objects) {
    if (isGone(cmd, a)) continue;
    const waiting = new Set<() => void>();
    const stop = connect(cmd).watch(
      {
        verb: 'watch',
        group: a.mapping.group,
        version: a.mapping.version,
        resource: a.mapping.resource,
        namespace: a.namespace || undefined,
        name: a.name,
      },
      () => wakeAll(waiting),
    );
    if (isStatus(stop)) return;
    try {
      while (!isGone(cmd, a)) {
        const left = deadline - cmd.host.sim.nowMs;
        if (left <= 0 || !(yield* waitOn(cmd.host.sim, [waiting], left))) {
          if (!isGone(cmd, a)) throw timedOut(a.mapping, a.name);
        }
      }
    } finally {
      (stop as () => void)();
    }
  }
}
