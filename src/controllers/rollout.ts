// One look at a Deployment and what belongs to it.
import { updateStatus } from '../apiserver/client.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, isStatus } from './context.ts';
import type { Queue } from './queue.ts';

export interface Rollout {
  c: Controllers;
  queue: Queue;
  key: string;
  d: KubeObject;
  /** All its ReplicaSets, oldest first; replaced as they are updated. */
  sets: KubeObject[];
}

export const COMPONENT = 'deployment-controller';

export function writeStatus(r: Rollout, status: any): void {
  const written = updateStatus(r.c.server, { ...r.d, status });
  if (!isStatus(written)) r.d = written;
}
