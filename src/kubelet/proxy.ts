// What the apiserver asks a kubelet for: exec, attach, logs, port-forward (pkg/kubelet/server, containerd's CRI streaming server).
import { failure } from '../apiserver/status.ts';
import type { ExecSession, KubeObject, Status } from '../apiserver/types.ts';
import { kill } from '../linux/process.ts';
import { close, connect, kernelSocket, recv, send, shutdown } from '../linux/socket.ts';
import { lineDiscipline, withCarriageReturns } from '../linux/tty.ts';
import type { Process } from '../linux/types.ts';
import { stringToBytes } from '../sim/bytes.ts';
import { closePipe, newPipe, type Pipe, pipeOf, readPipe, writePipe } from '../sim/pipe.ts';
import { type Co, startTask, wakeAll } from '../sim/task.ts';
import { parseRfc3339, rfc3339Micro } from '../sim/time.ts';
import { ip } from '../wire/ip.ts';
import { runtimeOf, wake } from './adopt.ts';
import { execIn } from './container-process.ts';
import { hexId } from './containers.ts';
import { netnsFile } from './pod-ids.ts';
import { RUNTIME_DOWN } from './pod-worker.ts';
import type { ContainerRuntime, Kubelet, LogLine, PodRuntime } from './types.ts';

export const KUBELET_PORT = 10250;

export const upgradeError = (message: string): Status => failure(500, 'InternalError', `unable to upgrade connection: ${message}`);

function find(k: Kubelet, pod: KubeObject, name: string): { rt: PodRuntime; c: ContainerRuntime } | Status {
  if (k.deps.runtimeDownSinceMs?.() != null) return upgradeError(RUNTIME_DOWN);
  const rt = runtimeOf(k, pod);
  if (rt?.dormant) wake(k, rt);
  const c = rt?.containers.get(name);
  if (!rt || c?.process?.exitCode !== null) return upgradeError(`container not found (${JSON.stringify(name)})`);
  return { rt, c };
}

const isStatus = (x: object): x is Status => (x as Status).kind === 'Status';

/** Run a command in a container. */
export function execInPod(
  k: Kubelet,
  pod: KubeObject,
  container: string,
  argv: string[],
  io: { stdin: boolean; tty: boolean; columns?: number; rows?: number },
): ExecSession | Status {
  const found = find(k, pod, container);
  if (isStatus(found)) return found;
  const stdin = io.stdin ? newPipe({ tty: io.tty }) : pipeOf();
  const stdout = newPipe({ tty: io.tty });
  // On a terminal the program's streams are the other side of it.
  const screen = io.tty ? newPipe({ tty: true, sink: chunk => void writePipe(stdout, withCarriageReturns(chunk)) }) : stdout;
  const keyboard = io.tty && io.stdin ? newPipe({ tty: true }) : stdin;
  const stderr = io.tty ? stdout : newPipe();
  const p = execIn(k, found.rt, found.c, argv, { stdin: keyboard, stdout: screen, stderr: io.tty ? screen : stderr, tty: io.tty });
  if (typeof p === 'string') {
    const text = `failed to start exec "${hexId(k)}": OCI runtime exec failed: exec failed: unable to start container process: ${p}`;
    return failure(
      500,
      'InternalError',
      `Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: ${text}`,
    );
  }
  if (io.columns) p.env.set('COLUMNS', String(io.columns));
  if (io.rows) p.env.set('LINES', String(io.rows));
  if (keyboard !== stdin)
    startTask(
      k.server.sim,
      typed(
        k,
        stdin,
        keyboard,
        text => void writePipe(stdout, text),
        () => p,
      ),
      true,
    );
  return sessionOf(p, stdin, stdout, stderr);
}

function sessionOf(p: Process, stdin: Pipe, stdout: Pipe, stderr: Pipe): ExecSession {
  const session: ExecSession = { stdin, stdout, stderr, exitCode: null, ended: new Set() };
  const done = () => {
    session.exitCode = p.exitCode ?? 0;
    closePipe(stdout);
    closePipe(stderr);
    wakeAll(session.ended);
  };
  if (p.exitCode !== null) done();
  else p.cleanup.unshift(done);
  return session;
}

/** Join a container's own streams: what it prints from now on. */
export function attachPod(k: Kubelet, pod: KubeObject, container: string, io: { stdin: boolean; tty: boolean }): ExecSession | Status {
  const found = find(k, pod, container);
  if (isStatus(found)) return found;
  const { c, rt } = found;
  const p = c.process as Process;
  const stdout = newPipe({ tty: io.tty });
  const stderr = newPipe();
  const spec = (pod.spec.containers ?? []).concat(pod.spec.ephemeralContainers ?? []).find((s: any) => s.name === container);
  const session: ExecSession = {
    stdin: io.stdin && c.stdin ? newPipe({ tty: io.tty }) : pipeOf(),
    stdout,
    stderr,
    exitCode: null,
    ended: new Set(),
  };
  const listener = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => {
    writePipe(stream === 'stdout' ? stdout : stderr, spec?.tty ? withCarriageReturns(chunk) : chunk);
  };
  c.listeners.add(listener);
  if (io.stdin && c.stdin) {
    const task = spec?.tty
      ? typed(
          k,
          session.stdin,
          c.stdin,
          text => void writePipe(stdout, text),
          () => c.process,
          { keepOpen: !spec.stdinOnce },
        )
      : forward(k, session.stdin, c.stdin, !!spec?.stdinOnce);
    startTask(k.server.sim, task, true);
  }
  const done = () => {
    c.listeners.delete(listener);
    session.exitCode = p.exitCode ?? 0;
    closePipe(stdout);
    closePipe(stderr);
    wakeAll(session.ended);
  };
  if (p.exitCode !== null || rt.done) done();
  else p.cleanup.unshift(done);
  return session;
}

function* forward(k: Kubelet, from: Pipe, to: Pipe, closeAtEnd: boolean): Co<void> {
  for (;;) {
    const chunk = yield* readPipe(k.server.sim, from);
    if (chunk === 'timeout' || !chunk.length) break;
    if (writePipe(to, chunk)) return;
  }
  if (closeAtEnd) closePipe(to);
}

/** Keys of a raw terminal to the program behind it. `init`: it is a container's first process, which gets only signals that it handles. */
function* typed(
  k: Kubelet,
  from: Pipe,
  to: Pipe,
  echo: (text: string) => void,
  program: () => Process | null,
  init: { keepOpen: boolean } | null = null,
): Co<void> {
  const signal = (name: 'INT' | 'QUIT') => {
    const p = program();
    if (!p) return;
    for (const child of [...p.children]) signalTree(child, name);
    if (!init || p.onSignal.has(name)) kill(p, name);
  };
  const type = lineDiscipline({ program: to, echo, signal });
  for (;;) {
    const chunk = yield* readPipe(k.server.sim, from);
    if (chunk === 'timeout' || !chunk.length) break;
    type(chunk);
  }
  if (!init?.keepOpen) closePipe(to);
}

function signalTree(p: Process, name: string): void {
  for (const child of [...p.children]) signalTree(child, name);
  kill(p, name);
}

export interface LogOptions {
  follow: boolean;
  previous: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  sinceTime?: string;
  timestamps: boolean;
  limitBytes?: number;
}

const badRequest = (message: string): Status => failure(400, 'BadRequest', message);

/** validateContainerLogStatus: which incarnation's log is meant, or why there is none. */
function whichLog(pod: KubeObject, name: string, previous: boolean): 'current' | 'previous' | Status {
  const status = pod.status ?? {};
  const lists = [status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses];
  const s = lists.flatMap(l => l ?? []).find((x: any) => x.name === name);
  const where = `container ${JSON.stringify(name)} in pod ${JSON.stringify(pod.metadata.name)}`;
  if (!s) return badRequest(`${where} is not available`);
  const last = s.lastState?.terminated;
  if (previous) return last?.containerID ? 'previous' : badRequest(`previous terminated ${where} not found`);
  if (s.state?.running || s.state?.terminated?.containerID) return 'current';
  // It waits to be started again: what there is, is the last one's.
  if (last?.containerID) return 'current';
  const reason = s.state?.waiting?.reason;
  if (reason === 'ErrImagePull') return badRequest(`${where} is waiting to start: image can't be pulled`);
  if (reason === 'ImagePullBackOff') return badRequest(`${where} is waiting to start: trying and failing to pull image`);
  return badRequest(`${where} is waiting to start: ${reason ?? 'no logs yet'}`);
}

/** The log so far, and with `follow` what comes until the container ends. */
export function podLogs(k: Kubelet, pod: KubeObject, container: string, o: LogOptions): Pipe | Status {
  const which = whichLog(pod, container, o.previous);
  if (typeof which !== 'string') return which;
  const rt = runtimeOf(k, pod);
  // Its programs have gone on meanwhile: what they printed since is in the log once they are back.
  if (rt?.dormant && !rt.done && which === 'current') wake(k, rt);
  const c = rt?.containers.get(container);
  if (!rt || !c) return badRequest(`container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.metadata.name)} is not available`);
  const log = which === 'previous' ? (c.previousLog ?? (c.process?.exitCode === null ? [] : c.log)) : c.log;
  const pipe = newPipe();
  const since = sinceMs(k, o);
  let lines = log.filter(l => l.atMs >= since);
  if (o.tailLines !== undefined && o.tailLines >= 0) lines = o.tailLines ? lines.slice(-o.tailLines) : [];
  const writer = limited(pipe, o.limitBytes);
  for (const l of lines) writer(format(l, o.timestamps));
  const alive = () => c.process?.exitCode === null && c.log === log;
  if (!o.follow || !alive()) closePipe(pipe);
  else startTask(k.server.sim, follow(c, log, log.length, writer, o.timestamps, pipe, alive), true);
  return pipe;
}

function sinceMs(k: Kubelet, o: LogOptions): number {
  if (o.sinceTime) return parseRfc3339(o.sinceTime) ?? 0;
  return o.sinceSeconds === undefined ? 0 : k.server.sim.nowMs - o.sinceSeconds * 1000;
}

function format(l: LogLine, timestamps: boolean): string {
  const at = timestamps ? `${rfc3339Micro(l.atMs).replace('Z', '000Z')} ` : '';
  return `${at}${l.text}${l.full ? '\n' : ''}`;
}

function limited(pipe: Pipe, limit: number | undefined): (text: string) => void {
  let left = limit ?? Number.POSITIVE_INFINITY;
  return text => {
    const data = stringToBytes(text);
    if (left <= 0) return;
    writePipe(pipe, data.length > left ? data.subarray(0, left) : data);
    left -= data.length;
    if (left <= 0) closePipe(pipe);
  };
}

function* follow(
  c: ContainerRuntime,
  log: LogLine[],
  from: number,
  write: (text: string) => void,
  timestamps: boolean,
  pipe: Pipe,
  alive: () => boolean,
): Co<void> {
  let next = from;
  for (;;) {
    while (next < log.length) write(format(log[next++], timestamps));
    if (!alive() || pipe.closed || pipe.broken) break;
    yield wake => {
      c.ended.add(wake);
      return () => c.ended.delete(wake);
    };
  }
  closePipe(pipe);
}

/** A connection to a port from the pod's own loopback. */
export function portForwardPod(k: Kubelet, pod: KubeObject, port: number): { send: Pipe; receive: Pipe; error: Pipe } | Status {
  const rt = runtimeOf(k, pod);
  if (rt?.dormant) wake(k, rt);
  if (!rt?.netns || rt.done) return upgradeError(`pod not found ("${pod.metadata.name}_${pod.metadata.namespace}")`);
  const streams = { send: newPipe(), receive: newPipe(), error: newPipe() };
  startTask(k.server.sim, tunnel(k, rt, port, streams));
  return streams;
}

function* tunnel(k: Kubelet, rt: PodRuntime, port: number, s: { send: Pipe; receive: Pipe; error: Pipe }): Co<void> {
  const sim = k.server.sim;
  const socket = kernelSocket(rt.netns as NonNullable<PodRuntime['netns']>, 'tcp', 4);
  const error = yield* connect(socket, ip('127.0.0.1'), port, 5000);
  if (error) {
    close(socket);
    const id = rt.sandboxId || rt.uid;
    const why = error === 'ECONNREFUSED' ? 'connection refused' : 'connection timed out';
    const text = `error forwarding port ${port} to pod ${id}, uid : failed to execute portforward in network namespace "/var/run/netns/${netnsFile(id)}": failed to connect to localhost:${port} inside namespace "${id}", IPv4: dial tcp4 127.0.0.1:${port}: connect: ${why} IPv6 dial tcp6: address localhost: no suitable address found `;
    writePipe(s.error, text);
    closePipe(s.error);
    closePipe(s.receive);
    return;
  }
  const up = function* (): Co<void> {
    for (;;) {
      const chunk = yield* readPipe(sim, s.send);
      if (chunk === 'timeout' || !chunk.length) return shutdown(socket);
      if (typeof (yield* send(socket, chunk)) === 'string') return;
    }
  };
  startTask(sim, up());
  for (;;) {
    const got = yield* recv(socket);
    if (typeof got === 'string' || !got.length) break;
    writePipe(s.receive, got);
  }
  close(socket);
  closePipe(s.receive);
  closePipe(s.error);
}
