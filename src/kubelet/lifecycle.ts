// Handlers of postStart and preStop (pkg/kubelet/lifecycle/handlers.go v1.36).

import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { kill } from '../linux/process.ts';
import { bytesToString, concat } from '../sim/bytes.ts';
import { newPipe } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import type { Co } from '../sim/task.ts';
import { execIn } from './container-process.ts';
import { stopContainer } from './container-stop.ts';
import { fieldPathOf } from './containers.ts';
import { pause } from './pause.ts';
import { httpProbe } from './probe-net.ts';
import { namedPort } from './probes.ts';
import { currentPod, formatPod } from './status.ts';
import type { ContainerRuntime, Kubelet, PodRuntime } from './types.ts';

/** Run a handler to its end, or until `untilMs` of the clock. -> why it failed, in the kubelet's words; null: it did not */
export function* runHandler(
  k: Kubelet,
  rt: PodRuntime,
  pod: KubeObject,
  c: ContainerRuntime,
  spec: any,
  handler: any,
  untilMs: number,
): Co<string | null> {
  const sim = k.server.sim;
  const where = `for Container ${goQuote(c.name)} in Pod ${goQuote(formatPod(pod))} failed - error:`;
  if (handler.sleep) {
    yield* pause(sim, Math.min(handler.sleep.seconds * 1000, untilMs - sim.nowMs), false, c.ended);
    return null;
  }
  if (handler.httpGet) {
    const { httpGet } = handler;
    const port = typeof httpGet.port === 'number' ? httpGet.port : namedPort(spec, httpGet.port);
    const host: string = httpGet.host || rt.ips[0] || '';
    if (port === null) return `HTTP lifecycle hook (${httpGet.path}) ${where} couldn't find port: ${goQuote(httpGet.port)}`;
    // Whatever the status: only a request that gets no answer has failed.
    const r = yield* httpProbe(k, host, port, httpGet, Math.min(30_000, untilMs - sim.nowMs));
    const failed = r.outcome !== 'success' && !r.output.startsWith('HTTP probe failed with statuscode');
    return failed ? `HTTP lifecycle hook (${httpGet.path}) ${where} ${r.output}` : null;
  }
  if (!handler.exec?.command) return null;
  const parts: Uint8Array[] = [];
  const sink = newPipe({ sink: chunk => parts.push(chunk) });
  const p = execIn(k, rt, c, handler.exec.command, { stdout: sink, stderr: sink });
  const failure = (error: string) =>
    `Exec lifecycle hook ([${handler.exec.command.join(' ')}]) ${where} ${error}, message: ${goQuote(bytesToString(concat(parts)))}`;
  if (typeof p === 'string') {
    return failure(
      `rpc error: code = Unknown desc = failed to exec in container: failed to start exec "${c.id}": OCI runtime exec failed: exec failed: unable to start container process: ${p}`,
    );
  }
  while (p.exitCode === null && sim.nowMs < untilMs) yield* pause(sim, untilMs - sim.nowMs, false, p.ended);
  if (p.exitCode === null) {
    kill(p, 'KILL');
    return null;
  }
  return p.exitCode === 0 ? null : failure(`command '${handler.exec.command.join(' ')}' exited with ${p.exitCode}`);
}

/** A hook may not hang for ever here: the kubelet itself sets no limit. */
const POST_START_MS = 600_000;

/** -> false: the hook failed and the container was stopped */
export function* postStart(k: Kubelet, rt: PodRuntime, pod: KubeObject, c: ContainerRuntime, spec: any): Co<boolean> {
  const handler = spec.lifecycle?.postStart;
  if (!handler || !c.process || c.process.exitCode !== null) return true;
  // Until it has ended nobody hears of the container.
  c.ready = false;
  c.started = false;
  const error = yield* runHandler(k, rt, pod, c, spec, handler, k.server.sim.nowMs + POST_START_MS);
  if (error === null) return true;
  const now = currentPod(k, rt);
  if (!now || rt.terminating) return false;
  recordEvent(k.recorder, now, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', fieldPathOf(c));
  c.hookError = error;
  yield* stopContainer(k, rt, c, now.spec.terminationGracePeriodSeconds ?? 30, 'FailedPostStartHook');
  return false;
}
