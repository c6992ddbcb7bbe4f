// A container's process, from its file system to its end (containerd's and runc's words).

import type { KubeObject } from '../apiserver/types.ts';
import { copyEnv } from '../linux/environment.ts';
import { pidNamespaceOf } from '../linux/pids.ts';
import { behindMs, DEFAULT_PATH, findExecutable, kill, spawn, spawnProgram } from '../linux/process.ts';
import { makeProc } from '../linux/procfs.ts';
import { makeSys } from '../linux/sysfs.ts';
import type { Netns, Process } from '../linux/types.ts';
import { beforeLook, ensureDir, type Filesystem, newDir, newFile, readFile } from '../linux/vfs.ts';
import { bytesToString } from '../sim/bytes.ts';
import { closePipe, newPipe, pipeOf } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import { wakeAll } from '../sim/task.ts';
import { rfc3339 } from '../sim/time.ts';
import type { Config } from './container-config.ts';
import { MAX_BACKOFF_MS, specOf } from './containers.ts';
import { containerEnv, expand } from './env.ts';
import { appendLog, dropsLine, logTail } from './log.ts';
import { podHosts, podResolvConf, utsHostname } from './pod-files.ts';
import { firstPid } from './pod-ids.ts';
import { stopProbes } from './probes.ts';
import { wirePods } from './sandbox.ts';
import { currentPod, syncStatus } from './status.ts';
import type { ContainerRuntime, ImageConfig, Kubelet, PodRuntime } from './types.ts';
import { mountVolume, place } from './volumes.ts';

function buildFilesystem(k: Kubelet, rt: PodRuntime, pod: KubeObject, spec: any, image: ImageConfig): Filesystem {
  const fs = k.deps.buildRootfs(image);
  const kernel = k.deps.kernel();
  const ns = rt.netns as Netns;
  const shared = pod.spec.hostPID ? kernel.rootfs : pod.spec.shareProcessNamespace ? rt.pause?.fs : undefined;
  // Of an ephemeral container: whose processes it comes to see (runtime/v1 NamespaceMode TARGET).
  const target = shared ? undefined : rt.containers.get(spec.targetContainerName)?.fs;
  if (shared) fs.pidNamespace = shared;
  else if (target) fs.pidNamespace = pidNamespaceOf(target);
  const files = {
    '/etc/hosts': podHosts(k, pod, rt.ips),
    '/etc/hostname': `${utsHostname(k, pod)}\n`,
    '/etc/resolv.conf': podResolvConf(k, pod),
  };
  const mounts: any[] = spec.volumeMounts ?? [];
  fs.readOnly = spec.securityContext?.readOnlyRootFilesystem === true;
  beforeLook(fs, () => {
    const volumes = new Map(mounts.map(m => [m.name, rt.volumes.get(m.name)]));
    place(fs, '/proc', { ...makeProc(kernel, ns), readOnly: false });
    place(fs, '/sys', { ...makeSys(kernel, ns), readOnly: false });
    ensureDir(fs, '/dev').readOnly = false;
    for (const [path, text] of Object.entries(files)) place(fs, path, newFile(text));
    place(fs, '/dev/termination-log', newFile('', 0o666));
    for (const m of mounts) {
      const volume = volumes.get(m.name);
      const subPath = m.subPathExpr ? expand(m.subPathExpr, containerEnv(k, pod, rt, spec).env) : (m.subPath ?? '');
      if (volume) mountVolume(fs, volume, m, subPath);
    }
    for (const m of mounts) if (!volumes.get(m.name)) place(fs, m.mountPath, newDir());
  });
  // A path in a volume is made for all that mount it.
  if (mounts.some(m => m.subPath || m.subPathExpr)) void fs.root;
  return fs;
}

/** runc's error when there is no such program, by what `findExecutable` says. */
export function execError(fs: Filesystem, argv: string[], env: Map<string, string>, cwd: string): string | null {
  const found = findExecutable(fs, argv[0], env.get('PATH') ?? DEFAULT_PATH, cwd);
  if (typeof found !== 'string') return null;
  const name = goQuote(argv[0]);
  if (found === 'EACCES' || found === 'EISDIR') return `exec: ${name}: permission denied`;
  return argv[0].includes('/')
    ? `exec: ${name}: stat ${argv[0]}: no such file or directory`
    : `exec: ${name}: executable file not found in $PATH`;
}

/** Start the process; `memory` is of its own earlier run, when it only goes on. -> runc's words when it cannot be */
export function launch(
  k: Kubelet,
  rt: PodRuntime,
  pod: KubeObject,
  c: ContainerRuntime,
  spec: any,
  config: Config,
  prepare: (fs: Filesystem) => void = () => {},
  memory?: unknown,
): string | null {
  const kernel = k.deps.kernel();
  if (!rt.netns) wirePods(k);
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
      dropsLine: () => dropsLine(c, stream),
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
    blind: program !== null,
    pid: firstPid('container', c.id),
    memory,
  };
  const p = program ? spawnProgram(kernel, program, options) : spawn(kernel, options);
  if (typeof p === 'string')
    return `exec: ${goQuote(config.argv[0])}: ${p === 'ENOEXEC' ? 'exec format error' : 'no such file or directory'}`;
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
  return typeof p === 'string' ? `exec: ${goQuote(argv[0])}: ${p === 'ENOEXEC' ? 'exec format error' : 'permission denied'}` : p;
}
