// A pod's row (printPod in k8s.io/kubernetes/pkg/printers/internalversion/printers.go v1.36.3).

import { parseRfc3339 } from '../../sim/time.ts';
import type { ApiServer, KubeObject } from '../types.ts';
import { age, humanDuration } from './age.ts';

interface Progress {
  restarts: number;
  /** Epoch ms of the last end of a container; 0: none. */
  lastRestart: number;
  ready: number;
  reason: string;
}

const endOf = (status: any): number => {
  const at = status.lastState?.terminated?.finishedAt;
  return at ? (parseRfc3339(at) ?? 0) : 0;
};

function terminatedReason(t: any, prefix = ''): string {
  if (t.reason) return prefix + t.reason;
  return t.signal ? `${prefix}Signal:${t.signal}` : `${prefix}ExitCode:${t.exitCode ?? 0}`;
}

/** -> are init containers still at work */
function initContainers(pod: KubeObject, p: Progress, sidecar: { restarts: number; last: number }): boolean {
  const specs = new Map<string, any>((pod.spec.initContainers ?? []).map((c: any) => [c.name, c]));
  for (const [i, s] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const restartable = specs.get(s.name)?.restartPolicy === 'Always';
    p.restarts += s.restartCount ?? 0;
    p.lastRestart = Math.max(p.lastRestart, endOf(s));
    if (restartable) {
      sidecar.restarts += s.restartCount ?? 0;
      sidecar.last = Math.max(sidecar.last, endOf(s));
    }
    const { terminated, waiting } = s.state ?? {};
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (restartable && s.started) {
      if (s.ready) p.ready++;
      continue;
    }
    if (terminated) p.reason = terminatedReason(terminated, 'Init:');
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') p.reason = `Init:${waiting.reason}`;
    else p.reason = `Init:${i}/${pod.spec.initContainers?.length ?? 0}`;
    return true;
  }
  return false;
}

function containers(pod: KubeObject, p: Progress): void {
  const statuses: any[] = pod.status?.containerStatuses ?? [];
  let running = false;
  let failed = '';
  for (let i = statuses.length - 1; i >= 0; i--) {
    const s = statuses[i];
    p.restarts += s.restartCount ?? 0;
    p.lastRestart = Math.max(p.lastRestart, endOf(s));
    const state = s.state ?? {};
    if (state.waiting?.reason) p.reason = state.waiting.reason;
    else if (state.terminated) {
      p.reason = terminatedReason(state.terminated);
      if (state.terminated.exitCode) failed = p.reason;
    } else if (s.ready && state.running) {
      running = true;
      p.ready++;
    }
  }
  if (p.reason !== 'Completed') return;
  const isReady = (pod.status.conditions ?? []).some((c: any) => c.type === 'Ready' && c.status === 'True');
  if (running && isReady) p.reason = 'Running';
  else if (failed) p.reason = failed;
  else if (running) p.reason = 'NotReady';
}

function progress(pod: KubeObject): Progress {
  const { status } = pod;
  const p: Progress = { restarts: 0, lastRestart: 0, ready: 0, reason: status?.reason || status?.phase || '' };
  const conditions: any[] = status?.conditions ?? [];
  if (conditions.some(c => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')) p.reason = 'SchedulingGated';
  const sidecar = { restarts: 0, last: 0 };
  const initializing = initContainers(pod, p, sidecar);
  const initialized = conditions.some(c => c.type === 'Initialized' && c.status === 'True');
  if (!initializing || initialized) {
    p.restarts = sidecar.restarts;
    p.lastRestart = sidecar.last;
    containers(pod, p);
  }
  if (pod.metadata.deletionTimestamp) {
    if (status?.reason === 'NodeLost') p.reason = 'Unknown';
    else if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed') p.reason = 'Terminating';
  }
  return p;
}

function readinessGates(pod: KubeObject): string {
  const gates: any[] = pod.spec.readinessGates ?? [];
  if (!gates.length) return '<none>';
  const open = gates.filter(g => (pod.status?.conditions ?? []).find((c: any) => c.type === g.conditionType)?.status === 'True');
  return `${open.length}/${gates.length}`;
}

export function podCells(server: ApiServer, pod: KubeObject): unknown[] {
  const p = progress(pod);
  const sidecars = (pod.spec.initContainers ?? []).filter((c: any) => c.restartPolicy === 'Always').length;
  const total = (pod.spec.containers?.length ?? 0) + sidecars;
  const restarts =
    p.restarts && p.lastRestart ? `${p.restarts} (${humanDuration(server.sim.nowMs - p.lastRestart)} ago)` : String(p.restarts);
  return [
    pod.metadata.name,
    `${p.ready}/${total}`,
    p.reason,
    restarts,
    age(server, pod.metadata.creationTimestamp),
    pod.status?.podIPs?.[0]?.ip || '<none>',
    pod.spec.nodeName || '<none>',
    pod.status?.nominatedNodeName || '<none>',
    readinessGates(pod),
  ];
}

const COMPLETED: Record<string, object[]> = {
  Succeeded: [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }],
  Failed: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
};

export const podRowConditions = (pod: KubeObject): object[] | undefined => COMPLETED[pod.status?.phase];
