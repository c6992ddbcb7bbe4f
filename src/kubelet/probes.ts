// Startup, liveness and readiness probes: real connections from the node (pkg/kubelet/prober, pkg/probe v1.36).

import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { kill } from '../linux/process.ts';
import { bytesToString, concat } from '../sim/bytes.ts';
import { newPipe } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import { cancel, schedule } from '../sim/sim.ts';
import { type Co, startTask } from '../sim/task.ts';
import { parseRfc3339 } from '../sim/time.ts';
import { execIn } from './container-process.ts';
import { stopContainer } from './container-stop.ts';
import { fieldPathOf, specOf } from './containers.ts';
import { pause } from './pause.ts';
import { grpcProbe, httpProbe, type ProbeResult, tcpProbe } from './probe-net.ts';
import { currentPod, syncStatus } from './status.ts';
import type { ContainerRuntime, Kubelet, PodRuntime, ProbeState } from './types.ts';

const KINDS = ['startup', 'liveness', 'readiness'] as const;
const TITLE = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' };

/** Begin probing a container that has just been started (or, `adopted`, was found running). */
export function startProbes(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, spec: any, adopted = false): void {
  stopProbes(k, c);
  if (!c.process || c.process.exitCode !== null) return;
  const had = { ready: c.ready, started: c.started };
  for (const kind of KINDS) {
    const probe = spec[`${kind}Probe`];
    if (!probe) continue;
    const state: ProbeState = { kind, successes: 0, failures: 0, timer: null, running: false, done: false };
    c.probes.push(state);
  }
  const has = (kind: string) => c.probes.some(p => p.kind === kind);
  c.started = adopted ? had.started : !has('startup');
  c.ready = adopted ? had.ready : !has('readiness') && c.started;
  for (const p of c.probes) {
    const first = (spec[`${p.kind}Probe`].initialDelaySeconds ?? 0) * 1000;
    const probe = spec[`${p.kind}Probe`];
    if (adopted) arm(k, rt, c, p, untilNextProbe(k, c, probe), c.ready || tried(k, c, probe));
    else arm(k, rt, c, p, Math.max(first, 30), false);
  }
}

const age = (k: Kubelet, c: ContainerRuntime): number => k.server.sim.nowMs - (parseRfc3339(c.state?.running?.startedAt ?? '') ?? 0);

/** Probes keep to their rhythm since the container's start, whoever runs the kubelet. */
export function untilNextProbe(k: Kubelet, c: ContainerRuntime | undefined, probe: any): number {
  if (!c) return 0;
  const every = (probe.periodSeconds ?? 10) * 1000;
  const since = age(k, c) - (probe.initialDelaySeconds ?? 0) * 1000;
  return since < 0 ? -since : every - (since % every);
}

const tried = (k: Kubelet, c: ContainerRuntime, probe: any): boolean =>
  age(k, c) > ((probe.initialDelaySeconds ?? 0) + (probe.failureThreshold ?? 3) * (probe.periodSeconds ?? 10)) * 1000;

export function stopProbes(k: Kubelet, c: ContainerRuntime): void {
  for (const p of c.probes) {
    p.done = true;
    cancel(k.server.sim, p.timer);
  }
  c.probes = [];
}

const period = (spec: any, p: ProbeState): number => (spec[`${p.kind}Probe`].periodSeconds ?? 10) * 1000;

function arm(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, p: ProbeState, ms: number, background: boolean): void {
  p.timer = schedule(
    k.server.sim,
    ms,
    () => {
      if (p.done || p.running) return;
      startTask(k.server.sim, worker(k, rt, c, p), background);
    },
    background,
  );
}

/** Liveness is background work; the others are not until their first verdict is in. */
function settled(c: ContainerRuntime, p: ProbeState, threshold: number): boolean {
  if (p.kind === 'liveness') return true;
  const good = p.kind === 'startup' ? c.started : c.ready;
  return good || p.failures >= threshold;
}

function* worker(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, p: ProbeState): Co<void> {
  const pod = currentPod(k, rt);
  const spec = pod && specOf(pod, c.name);
  const probe = spec?.[`${p.kind}Probe`];
  if (!probe || p.done) return;
  const threshold = probe.failureThreshold ?? 3;
  const next = () => {
    if (!p.done) arm(k, rt, c, p, period(spec, p), settled(c, p, threshold));
  };
  // Others wait for the startup probe; a stopped kubelet probes nothing.
  if ((p.kind !== 'startup' && !c.started) || !k.running) return next();
  p.running = true;
  const result = yield* runProbe(k, rt, c, pod as KubeObject, spec, probe);
  p.running = false;
  if (p.done) return;
  report(k, pod as KubeObject, c, p, result);
  if (result.outcome === 'success') {
    p.successes++;
    p.failures = 0;
    if (p.successes >= (probe.successThreshold ?? 1)) succeeded(k, rt, c, p);
  } else if (result.outcome === 'failure') {
    p.failures++;
    p.successes = 0;
    if (p.failures >= threshold && failed(k, rt, c, p, pod as KubeObject, probe)) return;
  }
  next();
}

function report(k: Kubelet, pod: KubeObject, c: ContainerRuntime, p: ProbeState, r: ProbeResult): void {
  if (r.outcome === 'success') return;
  const text =
    r.outcome === 'failure'
      ? `${TITLE[p.kind]} probe failed: ${r.output}`
      : `${TITLE[p.kind]} probe errored and resulted in unknown state: ${r.output}`;
  recordEvent(k.recorder, pod, 'Warning', 'Unhealthy', text, fieldPathOf(c));
}

function succeeded(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, p: ProbeState): void {
  if (p.kind === 'startup' && !c.started) {
    c.started = true;
    p.done = true;
    const readiness = c.probes.find(x => x.kind === 'readiness');
    if (!readiness) c.ready = true;
    else if (!readiness.running) {
      // The startup probe's success triggers the readiness probe at once.
      cancel(k.server.sim, readiness.timer);
      arm(k, rt, c, readiness, 0, false);
    }
    syncStatus(k, rt);
  } else if (p.kind === 'readiness' && !c.ready) {
    c.ready = true;
    syncStatus(k, rt);
  }
}

/** -> true: the container is being restarted, probing is over */
function failed(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, p: ProbeState, pod: KubeObject, probe: any): boolean {
  if (p.kind === 'readiness') {
    if (c.ready) {
      c.ready = false;
      syncStatus(k, rt);
    }
    return false;
  }
  const grace = probe.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  const message = `Container ${c.name} failed ${p.kind} probe, will be restarted`;
  startTask(k.server.sim, stopContainer(k, rt, c, grace, message));
  return true;
}

function* runProbe(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, pod: KubeObject, spec: any, probe: any): Co<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.exec) return yield* execProbe(k, rt, c, probe.exec.command ?? [], timeoutMs);
  const target = probe.httpGet ?? probe.tcpSocket ?? probe.grpc;
  const port = typeof target.port === 'number' ? target.port : namedPort(spec, target.port);
  if (port === null) return { outcome: 'unknown', output: `couldn't find port: ${goQuote(target.port)}` };
  const host: string = target.host || rt.ips[0] || (pod.status?.podIP ?? '');
  if (probe.httpGet) return yield* httpProbe(k, host, port, probe.httpGet, timeoutMs);
  if (probe.tcpSocket) return yield* tcpProbe(k, host, port, timeoutMs);
  return yield* grpcProbe(k, host, port, timeoutMs);
}

export function namedPort(spec: any, name: string): number | null {
  if (/^\d+$/.test(name)) return Number(name);
  return (spec.ports ?? []).find((p: any) => p.name === name)?.containerPort ?? null;
}

function* execProbe(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, argv: string[], timeoutMs: number): Co<ProbeResult> {
  const parts: Uint8Array[] = [];
  const sink = newPipe({ sink: chunk => parts.push(chunk) });
  const p = execIn(k, rt, c, argv, { stdout: sink, stderr: sink, background: true });
  if (typeof p === 'string') {
    const output = `rpc error: code = Unknown desc = failed to exec in container: failed to start exec "${c.id}": OCI runtime exec failed: exec failed: unable to start container process: ${p}`;
    return { outcome: 'unknown', output };
  }
  const deadline = k.server.sim.nowMs + timeoutMs;
  while (p.exitCode === null && k.server.sim.nowMs < deadline) yield* pause(k.server.sim, deadline - k.server.sim.nowMs, true, p.ended);
  const output = bytesToString(concat(parts)).slice(0, 10_240);
  if (p.exitCode === null) {
    kill(p, 'KILL');
    return { outcome: 'failure', output: `command timed out: ${goQuote(argv.join(' '))} timed out after ${timeoutMs / 1000}s` };
  }
  return p.exitCode === 0 ? { outcome: 'success', output } : { outcome: 'failure', output };
}
