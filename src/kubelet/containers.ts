// One container: image, configuration, start, end, restarts (pkg/kubelet/kuberuntime v1.36; containerd's and runc's texts).
import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { copyEnv, LayeredEnv } from '../linux/environment.ts';
import { ALL_CAPS, behindMs, DEFAULT_CAPS, DEFAULT_PATH, findExecutable, kill, spawn, spawnProgram, waitFor } from '../linux/process.ts';
import { makeProc } from '../linux/procfs.ts';
import { makeSys } from '../linux/sysfs.ts';
import type { Netns, Process } from '../linux/types.ts';
import { type Filesystem, newDir, newFile, readFile } from '../linux/vfs.ts';
import { base64, bytesToString } from '../sim/bytes.ts';
import { closePipe, newPipe, pipeOf } from '../sim/pipe.ts';
import { bytes } from '../sim/random.ts';
import { type Co, killTask, wakeAll } from '../sim/task.ts';
import { rfc3339 } from '../sim/time.ts';
import { wake } from './adopt.ts';
import { containerEnv, expand } from './env.ts';
import { ensureImage } from './images.ts';
import { appendLog, logTail } from './log.ts';
import { pause } from './pause.ts';
import { podHosts, podResolvConf, utsHostname } from './pod-files.ts';
import { startProbes, stopProbes } from './probes.ts';
import { currentPod, formatPod, isSidecar, syncStatus } from './status.ts';
import type { ContainerRuntime, ImageConfig, Kubelet, PodRuntime } from './types.ts';
import { isProjection, mountVolume, payloadOf, place } from './volumes.ts';

export const hexId = (k: Kubelet): string => Array.from(bytes(k.server.random, 32), x => x.toString(16).padStart(2, '0')).join('');

const FIRST_BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 300_000;
/** A pod's next sync after a failed one: ten seconds and some jitter. */
const SYNC_MS = 11_000;
const EPOCH = '1970-01-01T00:00:00Z';

export function newContainer(spec: any, kind: ContainerRuntime['kind']): ContainerRuntime {
  return {
    name: spec.name,
    id: '',
    kind,
    process: null,
    fs: null,
    env: new Map(),
    cwd: '/',
    uid: 0,
    caps: new Set(),
    log: [],
    previousLog: null,
    stdin: null,
    listeners: new Set(),
    ended: new Set(),
    state: null,
    lastState: {},
    restartCount: 0,
    ready: false,
    started: false,
    imageRef: '',
    backoffMs: 0,
    probes: [],
    task: null,
    stopping: false,
    replay: null,
  };
}

export const fieldPathOf = (c: ContainerRuntime): string => {
  const list = c.kind === 'ephemeral' ? 'ephemeralContainers' : c.kind === 'app' ? 'containers' : 'initContainers';
  return `spec.${list}{${c.name}}`;
};

export function specOf(pod: KubeObject, name: string): any {
  return [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])].find(
    (s: any) => s.name === name,
  );
}

const mayRestart = (pod: KubeObject, c: ContainerRuntime, exitCode: number): boolean => {
  if (c.kind === 'ephemeral') return false;
  const policy = c.kind === 'sidecar' ? 'Always' : (specOf(pod, c.name)?.restartPolicy ?? pod.spec.restartPolicy ?? 'Always');
  if (c.kind === 'init') return exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
};

/** Run a container until it need not be started again. `hasEnded`: begin behind its end. -> its last exit code */
export function* runContainer(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, hasEnded = false): Co<number> {
  for (let skip = hasEnded; ; skip = false) {
    const pod = currentPod(k, rt);
    if (!pod || rt.terminating || rt.done) return -1;
    if (!skip) {
      if ((yield* startContainer(k, rt, pod, c)) === 'retry') continue;
      if (c.process) yield* waitFor(c.process);
    }
    const code = c.state?.terminated?.exitCode ?? 128;
    if (rt.terminating || rt.done) return code;
    const now = currentPod(k, rt);
    if (!now || !mayRestart(now, c, code)) return code;
    yield* backOff(k, rt, c);
  }
}

/** CrashLoopBackOff: none at the first restart, then 10 s doubling to five minutes; forgotten after ten minutes of health. */
function* backOff(k: Kubelet, rt: PodRuntime, c: ContainerRuntime): Co<void> {
  const sim = k.server.sim;
  const terminated = c.state.terminated;
  const wait = c.backoffMs;
  c.backoffMs = Math.min(MAX_BACKOFF_MS, wait ? wait * 2 : FIRST_BACKOFF_MS);
  syncStatus(k, rt);
  yield* pause(sim, 1000, false); // until the runtime's events are looked at
  if (!wait || rt.terminating) return;
  const pod = currentPod(k, rt);
  if (!pod) return;
  c.lastState = { terminated };
  c.state = {
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off ${duration(wait)} restarting failed container=${c.name} pod=${formatPod(pod)}`,
    },
  };
  for (let left = wait - 1000; left > 0 && !rt.terminating; left -= SYNC_MS) {
    const message = `Back-off restarting failed container ${c.name} in pod ${formatPod(pod)}`;
    recordEvent(k.recorder, pod, 'Warning', 'BackOff', message, fieldPathOf(c));
    syncStatus(k, rt);
    yield* pause(sim, Math.min(left, SYNC_MS), true);
  }
}

const duration = (ms: number): string => {
  const s = Math.round(ms / 1000);
  return s < 60 ? `${s}s` : `${Math.floor(s / 60)}m${s % 60}s`;
};

function waiting(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, reason: string, message?: string): void {
  if (c.state?.terminated) c.lastState = { terminated: c.state.terminated };
  c.state = { waiting: { reason, ...(message ? { message } : {}) } };
  syncStatus(k, rt);
}

/** Image, configuration, process. 'retry': it could not be started and was waited for; try again. */
function* startContainer(k: Kubelet, rt: PodRuntime, pod: KubeObject, c: ContainerRuntime): Co<'retry' | 'started'> {
  const spec = specOf(pod, c.name);
  const path = fieldPathOf(c);
  const pulled = yield* ensureImage(k, pod, spec, path);
  if ('reason' in pulled) {
    waiting(k, rt, c, pulled.reason, pulled.message);
    yield* pullBackOff(k, rt, c, spec.image, pulled);
    return 'retry';
  }
  if (rt.terminating) return 'retry';
  const config = configure(k, rt, pod, spec, c, pulled.image);
  if ('error' in config) {
    recordEvent(k.recorder, pod, 'Warning', 'Failed', `Error: ${config.error}`, path);
    waiting(k, rt, c, config.reason, config.error);
    yield* pause(k.server.sim, SYNC_MS, true);
    return 'retry';
  }
  yield* pause(k.server.sim, 60, false);
  if (rt.terminating) return 'retry';
  if (c.id) {
    c.restartCount++;
    c.previousLog = c.log;
    c.log = [];
    if (c.state?.terminated) c.lastState = { terminated: c.state.terminated };
  }
  c.id = hexId(k);
  c.imageRef = pulled.ref;
  noteFiles(rt, pod);
  recordEvent(k.recorder, pod, 'Normal', 'Created', 'Container created', path);
  // They share the host's ports: who has them must be there.
  if (rt.hostNetwork) for (const other of k.pods.values()) if (other.hostNetwork) wake(k, other);
  yield* pause(k.server.sim, 70, false);
  if (rt.terminating) return 'retry';
  const error = launch(k, rt, pod, c, spec, config);
  if (error) {
    const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${error}`;
    recordEvent(k.recorder, pod, 'Warning', 'Failed', `Error: ${message}`, path);
    const finishedAt = rfc3339(k.server.sim.nowMs);
    c.process = null;
    c.state = {
      terminated: { exitCode: 128, reason: 'StartError', message, startedAt: EPOCH, finishedAt, containerID: `containerd://${c.id}` },
    };
    c.ready = false;
    c.started = false;
    syncStatus(k, rt);
    return 'started';
  }
  recordEvent(k.recorder, pod, 'Normal', 'Started', 'Container started', path);
  if (!postStart(k, rt, pod, c, spec)) return 'started';
  startProbes(k, rt, c, spec);
  syncStatus(k, rt);
  return 'started';
}

/** What the volumes hold that follow API objects; tokens and the CA are the same for everybody. */
function noteFiles(rt: PodRuntime, pod: KubeObject): void {
  for (const v of pod.spec.volumes ?? []) {
    if (!isProjection(v) || v.name.startsWith('kube-api-access-')) continue;
    const files: Record<string, string> = {};
    for (const [path, file] of payloadOf(rt.volumes.get(v.name))) if (typeof file.data !== 'function') files[path] = base64(file.data);
    rt.startedWith[v.name] = files;
  }
}

/** ErrImagePull, then ImagePullBackOff until the next try: 10 s doubling to five minutes. */
function* pullBackOff(
  k: Kubelet,
  rt: PodRuntime,
  c: ContainerRuntime,
  image: string,
  failure: { reason: string; message: string },
): Co<void> {
  const sim = k.server.sim;
  yield* pause(sim, SYNC_MS, failure.reason !== 'ErrImagePull');
  if (failure.reason !== 'ErrImagePull') return;
  c.backoffMs = Math.min(MAX_BACKOFF_MS, c.backoffMs ? c.backoffMs * 2 : FIRST_BACKOFF_MS * 2);
  for (let left = c.backoffMs; left > 0 && !rt.terminating; left -= SYNC_MS) {
    const pod = currentPod(k, rt);
    if (!pod || specOf(pod, c.name)?.image !== image) return;
    recordEvent(k.recorder, pod, 'Normal', 'BackOff', `Back-off pulling image "${image}"`, fieldPathOf(c));
    recordEvent(k.recorder, pod, 'Warning', 'Failed', 'Error: ImagePullBackOff', fieldPathOf(c));
    waiting(k, rt, c, 'ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${failure.message}`);
    yield* pause(sim, Math.min(left, SYNC_MS), true);
  }
}

interface Config {
  image: ImageConfig;
  argv: string[];
}

function userOf(pod: KubeObject, spec: any, image: ImageConfig): number | null {
  const asked = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  if (asked !== undefined) return Number(asked);
  const name = (image.user ?? '').split(':')[0];
  if (!name || name === 'root') return 0;
  return /^\d+$/.test(name) ? Number(name) : null;
}

/** The container's configuration into `c`, or why there is none. */
export function configure(
  k: Kubelet,
  rt: PodRuntime,
  pod: KubeObject,
  spec: any,
  c: ContainerRuntime,
  image: ImageConfig,
): Config | { error: string; reason: string } {
  const { env, services, error } = containerEnv(k, pod, rt, spec);
  if (error) return { error, reason: 'CreateContainerConfigError' };
  const nonRoot = spec.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  const uid = userOf(pod, spec, image);
  if (nonRoot) {
    const where = `(pod: "${formatPod(pod)}", container: ${c.name})`;
    if (uid === 0) {
      const asked = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
      const text = asked === 0 ? "container's runAsUser breaks non-root policy" : 'container has runAsNonRoot and image will run as root';
      return { error: `${text} ${where}`, reason: 'CreateContainerConfigError' };
    }
    if (uid === null) {
      const text = `container has runAsNonRoot and image has non-numeric user (${image.user}), cannot verify user is non-root`;
      return { error: `${text} ${where}`, reason: 'CreateContainerConfigError' };
    }
  }
  const vars = new Map([
    ['PATH', image.env?.PATH ?? DEFAULT_PATH],
    ['HOSTNAME', utsHostname(k, pod)],
  ]);
  for (const [name, value] of Object.entries(image.env ?? {})) vars.set(name, value);
  for (const [name, value] of env) vars.set(name, value);
  c.uid = uid ?? 101;
  if (!vars.has('HOME')) vars.set('HOME', c.uid === 0 ? '/root' : '/');
  c.env = new LayeredEnv(services, vars);
  c.cwd = spec.workingDir || image.workdir || '/';
  c.caps = capsOf(spec, c.uid);
  const words = (list: string[] | undefined) => (list ?? []).map(w => expand(w, env, services));
  const entry = spec.command?.length ? words(spec.command) : (image.entrypoint ?? []);
  const args = spec.args?.length ? words(spec.args) : spec.command?.length ? [] : (image.cmd ?? []);
  const argv = [...entry, ...args];
  if (!argv.length && !k.deps.programFor?.(pod, spec)) {
    const text = `failed to generate container "${hexId(k)}" spec: failed to generate spec: no command specified`;
    return { error: text, reason: 'CreateContainerError' };
  }
  return { image, argv };
}

function capsOf(spec: any, uid: number): Set<string> {
  const security = spec.securityContext ?? {};
  if (security.privileged) return new Set(ALL_CAPS);
  const name = (s: string) => s.toUpperCase().replace(/^CAP_/, '');
  const add: string[] = (security.capabilities?.add ?? []).map(name);
  const drop: string[] = (security.capabilities?.drop ?? []).map(name);
  const caps = new Set<string>(add.includes('ALL') ? ALL_CAPS : drop.includes('ALL') ? [] : DEFAULT_CAPS);
  for (const d of drop) if (d !== 'ALL' && !add.includes('ALL')) caps.delete(d);
  for (const a of add) if (a !== 'ALL') caps.add(a);
  // execve as a user that is not root empties the effective set: there are no ambient capabilities.
  return uid === 0 ? caps : new Set();
}

export function buildFilesystem(k: Kubelet, rt: PodRuntime, pod: KubeObject, spec: any, image: ImageConfig): Filesystem {
  const fs = k.deps.buildRootfs(image);
  const kernel = k.deps.kernel();
  const ns = rt.netns as Netns;
  place(fs, '/proc', makeProc(kernel, ns));
  place(fs, '/sys', makeSys(kernel, ns));
  place(fs, '/etc/hosts', newFile(podHosts(k, pod, rt.ips)));
  place(fs, '/etc/hostname', newFile(`${utsHostname(k, pod)}\n`));
  place(fs, '/etc/resolv.conf', newFile(podResolvConf(k, pod)));
  place(fs, '/dev/termination-log', newFile('', 0o666));
  for (const m of spec.volumeMounts ?? []) {
    const volume = rt.volumes.get(m.name);
    const subPath = m.subPathExpr ? expand(m.subPathExpr, containerEnv(k, pod, rt, spec).env) : (m.subPath ?? '');
    if (volume) mountVolume(fs, volume, m, subPath);
  }
  for (const m of spec.volumeMounts ?? []) if (!rt.volumes.has(m.name)) place(fs, m.mountPath, newDir());
  fs.changed.clear();
  return fs;
}

/** runc's error when there is no such program, by what `findExecutable` says. */
export function execError(fs: Filesystem, argv: string[], env: Map<string, string>, cwd: string): string | null {
  const found = findExecutable(fs, argv[0], env.get('PATH') ?? DEFAULT_PATH, cwd);
  if (typeof found !== 'string') return null;
  const name = JSON.stringify(argv[0]);
  if (found === 'EACCES' || found === 'EISDIR') return `exec: ${name}: permission denied`;
  return argv[0].includes('/')
    ? `exec: ${name}: stat ${argv[0]}: no such file or directory`
    : `exec: ${name}: executable file not found in $PATH`;
}

/** Start the process. -> runc's words when it cannot be */
export function launch(
  k: Kubelet,
  rt: PodRuntime,
  pod: KubeObject,
  c: ContainerRuntime,
  spec: any,
  config: Config,
  prepare: (fs: Filesystem) => void = () => {},
): string | null {
  const kernel = k.deps.kernel();
  const fs = buildFilesystem(k, rt, pod, spec, config.image);
  prepare(fs);
  c.fs = fs;
  c.stopping = false;
  const program = k.deps.programFor?.(pod, spec) ?? null;
  if (!program) {
    const error = execError(fs, config.argv, c.env, c.cwd);
    if (error) return error;
  }
  const out = (stream: 'stdout' | 'stderr') =>
    newPipe({
      tty: !!spec.tty,
      sink: chunk => {
        appendLog(k, c, stream, chunk, k.server.sim.nowMs - behindMs(fs));
        for (const l of c.listeners) l(stream, chunk);
      },
    });
  const stdout = out('stdout');
  c.stdin = spec.stdin ? newPipe({ tty: !!spec.tty }) : pipeOf();
  c.state = { running: { startedAt: rfc3339(k.server.sim.nowMs) } };
  const options = {
    netns: rt.netns as Netns,
    fs,
    argv: config.argv.length ? config.argv : [spec.name],
    env: c.env,
    cwd: c.cwd,
    uid: c.uid,
    caps: c.caps,
    stdin: c.stdin,
    stdout,
    stderr: spec.tty ? stdout : out('stderr'),
    tty: !!spec.tty,
    background: true,
  };
  const p = program ? spawnProgram(kernel, program, options) : spawn(kernel, options);
  if (typeof p === 'string')
    return `exec: ${JSON.stringify(config.argv[0])}: ${p === 'ENOEXEC' ? 'exec format error' : 'no such file or directory'}`;
  c.process = p;
  // Sidecars and apps without probes count at once; probes take it back in startProbes.
  c.started = true;
  c.ready = true;
  if (p.exitCode !== null) ended(k, rt, c, p);
  else p.cleanup.unshift(() => ended(k, rt, c, p));
  return null;
}

/** The process has ended: state, probes, status. */
function ended(k: Kubelet, rt: PodRuntime, c: ContainerRuntime, p: Process): void {
  if (c.process !== p && c.process) return;
  const sim = k.server.sim;
  const exitCode = p.exitCode ?? 0;
  const pod = currentPod(k, rt);
  const spec = pod && specOf(pod, c.name);
  for (const child of [...p.children]) kill(child, 'KILL');
  killContainerProcesses(k, c);
  stopProbes(k, c);
  c.ready = false;
  c.started = false;
  const startedAt = c.state?.running?.startedAt ?? rfc3339(p.startedAtMs);
  if (sim.nowMs - p.startedAtMs > 2 * MAX_BACKOFF_MS) c.backoffMs = 0;
  const message = terminationMessage(c, spec, exitCode);
  c.state = {
    terminated: {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      ...(message ? { message } : {}),
      startedAt,
      finishedAt: rfc3339(sim.nowMs),
      containerID: `containerd://${c.id}`,
    },
  };
  if (c.stdin) closePipe(c.stdin);
  wakeAll(c.ended);
  k.deps.onChange?.();
  if (k.running) syncStatus(k, rt);
  else k.unwritten.add(rt.uid);
}

/** PID 1 takes everything in its namespace with it. */
export function killContainerProcesses(k: Kubelet, c: ContainerRuntime): void {
  if (!c.fs) return;
  for (const p of [...k.deps.kernel().processes.values()]) if (p.fs === c.fs && p !== c.process) kill(p, 'KILL');
}

function terminationMessage(c: ContainerRuntime, spec: any, exitCode: number): string {
  const path = spec?.terminationMessagePath ?? '/dev/termination-log';
  const data = c.fs ? readFile(c.fs, path) : 'ENOENT';
  const text = typeof data === 'string' ? '' : bytesToString(data.subarray(0, 4096));
  if (text || exitCode === 0 || spec?.terminationMessagePolicy !== 'FallbackToLogsOnError') return text;
  return logTail(c);
}

/** -> false: the hook failed and the container was killed */
function postStart(k: Kubelet, rt: PodRuntime, pod: KubeObject, c: ContainerRuntime, spec: any): boolean {
  const hook = spec.lifecycle?.postStart?.exec?.command;
  if (!hook || !c.process || c.process.exitCode !== null) return true;
  const p = execIn(k, rt, c, hook);
  if (typeof p !== 'string') return true;
  recordEvent(k.recorder, pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', fieldPathOf(c));
  recordEvent(k.recorder, pod, 'Normal', 'Killing', 'FailedPostStartHook', fieldPathOf(c));
  kill(c.process, 'KILL');
  return false;
}

/** Run a command in a container, its output dropped unless pipes are given. A text is runc's error. */
export function execIn(
  k: Kubelet,
  rt: PodRuntime,
  c: ContainerRuntime,
  argv: string[],
  io: Partial<Pick<Process, 'stdin' | 'stdout' | 'stderr'>> & { tty?: boolean; background?: boolean } = {},
): Process | string {
  const fs = c.fs as Filesystem;
  const error = execError(fs, argv, c.env, c.cwd);
  if (error) return error;
  const env = copyEnv(c.env);
  if (io.tty) env.set('TERM', 'xterm');
  const p = spawn(k.deps.kernel(), {
    netns: rt.netns as Netns,
    fs,
    argv,
    env,
    cwd: c.cwd,
    uid: c.uid,
    caps: c.caps,
    stdin: io.stdin ?? pipeOf(),
    stdout: io.stdout ?? newPipe({ sink: () => {} }),
    stderr: io.stderr ?? newPipe({ sink: () => {} }),
    tty: io.tty ?? false,
    background: io.background ?? false,
  });
  return typeof p === 'string' ? `exec: ${JSON.stringify(argv[0])}: ${p === 'ENOEXEC' ? 'exec format error' : 'permission denied'}` : p;
}

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

export const kindOf = (pod: KubeObject, name: string): ContainerRuntime['kind'] => {
  const init = (pod.spec.initContainers ?? []).find((s: any) => s.name === name);
  if (init) return isSidecar(init) ? 'sidecar' : 'init';
  return (pod.spec.ephemeralContainers ?? []).some((s: any) => s.name === name) ? 'ephemeral' : 'app';
};
