// Ending a container: preStop, SIGTERM, and SIGKILL when the grace is over (pkg/kubelet/kuberuntime killContainer v1.36).
import { recordEvent } from '../apiserver/recorder.ts';
import { kill } from '../linux/process.ts';
import type { Process } from '../linux/types.ts';
import { type Co, killTask } from '../sim/task.ts';
import { execIn } from './container-process.ts';
import { fieldPathOf, specOf } from './containers.ts';
import { pause } from './pause.ts';
import { stopProbes } from './probes.ts';
import { currentPod } from './status.ts';
import type { ContainerRuntime, Kubelet, PodRuntime } from './types.ts';

/** Programs that install no handler for SIGTERM: as PID 1 of a container they do not see it. */
const DEAF = new Set([
  'sh',
  'bash',
  'ash',
  'dash',
  'sleep',
  'tail',
  'cat',
  'nc',
  'ncat',
  'socat',
  'ping',
  'watch',
  'yes',
  'tee',
  'top',
  'busybox',
]);
const basename = (s: string) => s.slice(s.lastIndexOf('/') + 1);
const isDeaf = (p: Process) => DEAF.has(basename(p.argv[0] ?? '')) || /^python[\d.]*$/.test(basename(p.argv[0] ?? ''));

/** preStop, SIGTERM, and SIGKILL when the grace is over. */
export function* stopContainer(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, graceSeconds: number, message: string): Co<void> {
  const p = c.process;
  if (!p || p.exitCode !== null) return;
  const sim = k.server.sim;
  const deadline = sim.nowMs + graceSeconds * 1000;
  c.stopping = true;
  stopProbes(k, c);
  const pod = currentPod(k, rt);
  if (pod) recordEvent(k.recorder, pod, 'Normal', 'Killing', message, fieldPathOf(c));
  const hook = pod && specOf(pod, c.name)?.lifecycle?.preStop;
  if (hook && graceSeconds > 0) yield* preStop(k, rt, c, hook, deadline);
  // The kernel gives PID 1 no signal that it has no handler for.
  if (graceSeconds > 0 && p.exitCode === null && (p.onSignal.has('TERM') || !isDeaf(p))) kill(p, 'TERM');
  while (p.exitCode === null && sim.nowMs < deadline) yield* pause(sim, deadline - sim.nowMs, false, p.ended);
  if (p.exitCode === null) kill(p, 'KILL');
}

function* preStop(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, hook: any, deadline: number): Co<void> {
  const sim = k.server.sim;
  if (hook.sleep) {
    yield* pause(sim, Math.min(hook.sleep.seconds * 1000, deadline - sim.nowMs), false);
    return;
  }
  if (!hook.exec?.command) return;
  const p = execIn(k, rt, c, hook.exec.command);
  if (typeof p === 'string') {
    const pod = currentPod(k, rt);
    if (pod) recordEvent(k.recorder, pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', fieldPathOf(c));
    return;
  }
  while (p.exitCode === null && sim.nowMs < deadline) yield* pause(sim, deadline - sim.nowMs, false, p.ended);
  if (p.exitCode === null) kill(p, 'KILL');
}

/** End a container's own task: nothing of it will be started again. */
export function abandonContainer(c: ContainerRuntime): void {
  if (c.task && !c.task.done) killTask(c.task, undefined);
  c.task = null;
}
