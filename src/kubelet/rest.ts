// Pods that run on paper: nothing would come of their programs before somebody sends them a packet, a signal or asks for them (adopt.ts wakes
// them, as it does those of a reloaded session).
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import type { ContainerRuntime, Kubelet } from './types.ts';
import { isProjection } from './volumes.ts';

const WATCHED = ['startupProbe', 'livenessProbe', 'readinessProbe', 'lifecycle'];

/** All its programs only wait, nobody probes them, and what they would read at their start is there later too. */
export function mayRest(k: Kubelet, { spec }: KubeObject): boolean {
  if (spec.hostNetwork || spec.initContainers?.length || spec.ephemeralContainers?.length) return false;
  if ((spec.volumes ?? []).some((v: any) => isProjection(v) && !v.name.startsWith('kube-api-access-'))) return false;
  return (spec.containers ?? []).every((c: any) => !WATCHED.some(field => c[field]) && k.deps.waits?.(c));
}

/** The container runs; its process can be had. */
export function rest(k: Kubelet, c: ContainerRuntime): void {
  c.stopping = false;
  c.state = { running: { startedAt: rfc3339(k.server.sim.nowMs) } };
  c.started = true;
  c.ready = true;
}
