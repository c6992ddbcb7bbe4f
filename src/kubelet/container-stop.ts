// Ending a container: preStop, SIGTERM, and SIGKILL when the grace is over (pkg/kubelet/kuberuntime killContainer v1.36).
import { recordEvent } from '../apiserver/recorder.ts';
import { kill } from '../linux/process.ts';
import type { Process } from '../linux/types.ts';
import { type Co, killTask } from '../sim/task.ts';
import { fieldPathOf, specOf } from './containers.ts';
import { runHandler } from './lifecycle.ts';
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
  const spec = pod && specOf(pod, c.name);
  const hook = spec?.lifecycle?.preStop;
  if (pod && hook && graceSeconds > 0) {
    const error = yield* runHandler(k, rt, pod, c, spec, hook, deadline);
    if (error !== null) recordEvent(k.recorder, pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', fieldPathOf(c));
  }
  // Always a minimal window for the program's own end (minimumGracePeriodInSeconds).
  const end = Math.max(deadline, sim.nowMs + 2000);
  // The kernel gives PID 1 no signal that it has no handler for.
  if (p.exitCode === null && (p.onSignal.has('TERM') || !isDeaf(p))) kill(p, 'TERM');
  while (p.exitCode === null && sim.nowMs < end) yield* pause(sim, end - sim.nowMs, false, p.ended);
  if (p.exitCode === null) kill(p, 'KILL');
}

/** End a container's own task: nothing of it will be started again. */
export function abandonContainer(c: ContainerRuntime): void {
  if (c.task && !c.task.done) killTask(c.task, undefined);
  c.task = null;
}
