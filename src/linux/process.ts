import { concat } from '../sim/bytes.ts';
import { closePipe, newPipe, type Pipe, pipeOf, readLine, readPipe, writePipe } from '../sim/pipe.ts';
import { type Co, killTask, sleep as sleepTask, startTask, waitOn, wakeAll } from '../sim/task.ts';
import { lookAt } from './due.ts';
import { copyEnv } from './environment.ts';
import type { Errno, Kernel, Netns, Process, Program } from './types.ts';
import { absolute, type FileNode, type Filesystem, lookup, readFile } from './vfs.ts';

export interface SpawnOptions {
  netns: Netns;
  fs: Filesystem;
  argv: string[];
  env?: Map<string, string>;
  cwd?: string;
  uid?: number;
  stdin?: Pipe;
  stdout?: Pipe;
  stderr?: Pipe;
  tty?: boolean;
  caps?: Set<string>;
  parent?: Process | null;
  /** A container's own programs: their sleeps do not keep the cluster from being quiet. */
  background?: boolean;
  blind?: boolean;
  thread?: boolean;
  /** What this very process knew when an earlier command left it (Process.memory). */
  memory?: unknown;
  /** Its number, where it is known beforehand: the next free one from there. */
  pid?: number;
}

/** Docker's and containerd's default set, without a privileged container's NET_ADMIN and SYS_ADMIN. */
export const DEFAULT_CAPS: ReadonlySet<string> = new Set([
  'CHOWN',
  'KILL',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SYS_CHROOT',
]);
export const ALL_CAPS: ReadonlySet<string> = new Set([...DEFAULT_CAPS, 'NET_ADMIN', 'SYS_ADMIN', 'SYS_TIME', 'SYS_PTRACE', 'DAC_OVERRIDE']);

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The executable that `name` means: a path, or found on PATH. ENOENT, EACCES (no x bit), EISDIR. */
export function findExecutable(fs: Filesystem, name: string, path = DEFAULT_PATH, cwd = '/'): { path: string; node: FileNode } | Errno {
  const places = name.includes('/') ? [absolute(name, cwd)] : path.split(':').map(d => absolute(`${d}/${name}`, cwd));
  let why: Errno = 'ENOENT';
  for (const at of places) {
    const node = lookup(fs, at);
    if (typeof node === 'string') continue;
    if (node.kind !== 'file') why = 'EACCES';
    else if (!(node.mode & 0o111)) why = 'EACCES';
    else {
      if (!node.program && loadProgram && typeof node.data !== 'function') node.program = loadProgram(node.data) ?? undefined;
      return { path: at, node };
    }
  }
  return why;
}

/** What runs for the bytes of an executable: binfmt's place, filled by userland. */
let loadProgram: ((data: Uint8Array) => Program | null) | null = null;

export function setProgramLoader(loader: (data: Uint8Array) => Program | null): void {
  loadProgram = loader;
}

function freePid(kernel: Kernel, from: number): number {
  let pid = from;
  while (kernel.processes.has(pid)) pid++;
  return pid;
}

/** Start `program` as a process; it runs at once up to its first wait. */
export function spawnProgram(kernel: Kernel, program: Program, o: SpawnOptions): Process {
  const p: Process = {
    kernel,
    netns: o.netns,
    pid: o.pid === undefined ? kernel.nextPid++ : freePid(kernel, o.pid),
    ppid: o.parent?.pid ?? 0,
    argv: o.argv,
    env: copyEnv(o.env ?? o.parent?.env ?? new Map([['PATH', DEFAULT_PATH]])),
    cwd: o.cwd ?? o.parent?.cwd ?? '/',
    fs: o.fs,
    uid: o.uid ?? o.parent?.uid ?? 0,
    stdin: o.stdin ?? o.parent?.stdin ?? pipeOf(),
    stdout: o.stdout ?? o.parent?.stdout ?? newPipe({ sink: () => {} }),
    stderr: o.stderr ?? o.parent?.stderr ?? newPipe({ sink: () => {} }),
    tty: o.tty ?? o.parent?.tty ?? false,
    caps: new Set(o.caps ?? o.parent?.caps ?? DEFAULT_CAPS),
    task: null,
    exitCode: null,
    signal: null,
    startedAtMs: kernel.sim.nowMs,
    children: new Set(),
    parent: o.parent ?? null,
    awaited: false,
    ended: new Set(),
    cleanup: [],
    onSignal: new Map(),
    fds: new Map(),
    blind: o.blind ?? false,
    thread: o.thread ?? false,
    memory: o.memory === undefined ? undefined : { left: o.memory },
  };
  if (!p.blind) lookAt(p.netns);
  kernel.processes.set(p.pid, p);
  o.parent?.children.add(p);
  startTask(kernel.sim, main(p, program), o.background ?? o.parent?.task?.background ?? false, t => {
    p.task = t;
  });
  return p;
}

function* main(p: Process, program: Program): Co<number> {
  let code = 0;
  try {
    code = yield* program(p);
    return code;
  } finally {
    exitProcess(p, code);
  }
}

/** Start what `argv[0]` names in the process's file system. An Errno when there is no such executable. */
export function spawn(kernel: Kernel, o: SpawnOptions): Process | Errno {
  const env = o.env ?? o.parent?.env;
  const found = findExecutable(o.fs, o.argv[0], env?.get('PATH') ?? DEFAULT_PATH, o.cwd ?? o.parent?.cwd ?? '/');
  if (typeof found === 'string') return found;
  if (found.node.program) return spawnProgram(kernel, found.node.program, o);
  const data = readFile(o.fs, found.path);
  const head = typeof data === 'string' ? '' : String.fromCharCode(...data.subarray(0, 128));
  const shebang = /^#!\s*(\S+)[ \t]*([^\n]*)/.exec(head);
  if (!shebang) return 'ENOEXEC';
  const words = shebang[2].trim() ? [shebang[2].trim()] : [];
  return spawn(kernel, { ...o, argv: [shebang[1], ...words, found.path, ...o.argv.slice(1)] });
}

function exitProcess(p: Process, code: number): void {
  if (p.exitCode !== null) return;
  p.exitCode = code;
  for (const undo of p.cleanup.reverse()) undo();
  p.kernel.processes.delete(p.pid);
  p.parent?.children.delete(p);
  for (const child of p.children) child.parent = null;
  wakeAll(p.ended);
}

const SIGNALS: Record<string, number> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
};

export const signalNumber = (name: string): number | undefined => SIGNALS[name];

/** Send a signal (`TERM`, `KILL` …). One that is caught runs the handler; otherwise the process ends with 128 + its number. */
export function kill(p: Process, signal: string): void {
  if (p.exitCode !== null) return;
  const handler = p.onSignal.get(signal);
  if (handler && signal !== 'KILL') {
    handler();
    return;
  }
  if (signal === 'CHLD' || signal === 'CONT') return;
  const code = 128 + (SIGNALS[signal] ?? 15);
  p.signal = signal;
  exitProcess(p, code);
  if (p.task) killTask(p.task, code);
}

/** Wait for a process's end. -> its exit code */
export function* waitFor(p: Process): Co<number> {
  p.awaited = true;
  while (p.exitCode === null) yield* waitOn(p.kernel.sim, [p.ended]);
  return p.exitCode;
}

/** The program says that it goes on until somebody stops it: whoever runs it in the foreground wants to see it at the pace of its clock. */
export function goesOn(p: Process): void {
  const isWaitedFor = () => {
    for (let q: Process = p; ; q = q.parent) {
      if (q.task?.background || q.exitCode !== null) return false;
      if (!q.parent) return true;
      if (!q.awaited) return false;
    }
  };
  p.kernel.sim.endless.add(isWaitedFor);
  p.cleanup.push(() => p.kernel.sim.endless.delete(isWaitedFor));
}

/** Time that the programs of a file system may sleep through at once: a reloaded session runs them again from their start. */
const catchUp = new WeakMap<Filesystem, { leftMs: number; sleeps: number }>();

export function setCatchUp(fs: Filesystem, ms: number): void {
  catchUp.set(fs, { leftMs: ms, sleeps: 0 });
}

/** How far behind the clock they still are. */
export const behindMs = (fs: Filesystem): number => catchUp.get(fs)?.leftMs ?? 0;

/** Has one of them slept, and so skipped time? */
export const hasCaughtUp = (fs: Filesystem): boolean => (catchUp.get(fs)?.sleeps ?? 0) > 0;

export function* sleep(p: Process, ms: number): Co<void> {
  const budget = catchUp.get(p.fs);
  // A bound on what is run again: whatever loops for hours is not worth its every turn.
  if (budget && budget.leftMs > 0) {
    const skipped = budget.sleeps++ < 500 ? Math.min(ms, budget.leftMs) : budget.leftMs;
    budget.leftMs -= skipped;
    ms -= Math.min(ms, skipped);
    if (ms <= 0) return;
  }
  sleeps.set(p.fs, (sleeps.get(p.fs) ?? budget?.sleeps ?? 0) + 1);
  // Who sleeps for ever does not wake.
  p.wakesAtMs = Number.isFinite(ms) ? p.kernel.sim.nowMs + ms : undefined;
  try {
    yield* sleepTask(p.kernel.sim, ms);
  } finally {
    p.wakesAtMs = undefined;
  }
}

/** How often the programs of a file system have slept: who has slept many times is a loop, and will go on. */
const sleeps = new WeakMap<Filesystem, number>();
const LOOP = 10;

/** When a program of this file system will do something by itself, and may end of it; undefined: it waits for others, or for ever. */
export function nextMoveMs(kernel: Kernel, fs: Filesystem): number | undefined {
  if ((sleeps.get(fs) ?? 0) > LOOP) return undefined;
  let next: number | undefined;
  for (const p of kernel.processes.values()) {
    if (p.fs === fs && p.wakesAtMs !== undefined && (next === undefined || p.wakesAtMs < next)) next = p.wakesAtMs;
  }
  return next;
}

// What nearly every program does with its standard streams.

export const print = (p: Process, text: string | Uint8Array): 'EPIPE' | null => writePipe(p.stdout, text);
/** As print, of a line that takes long to make: where nobody keeps it, it is not made. */
export const printLine = (p: Process, line: () => string): 'EPIPE' | null => print(p, p.stdout.dropsLine?.() ? '\n' : line());
export const complain = (p: Process, text: string | Uint8Array): 'EPIPE' | null => writePipe(p.stderr, text);
export const stdinLine = (p: Process): Co<string | null> => readLine(p.kernel.sim, p.stdin);

export function* stdinAll(p: Process): Co<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = yield* readPipe(p.kernel.sim, p.stdin);
    if (chunk === 'timeout' || !chunk.length) return concat(parts);
    parts.push(chunk);
  }
}

/** Run `argv` as a child and wait: its exit code, or 127 with the error when there is no such program. */
export function* runChild(p: Process, argv: string[], o: Partial<SpawnOptions> = {}): Co<number> {
  const child = spawn(p.kernel, { netns: p.netns, fs: p.fs, parent: p, ...o, argv });
  if (typeof child === 'string') {
    complain(p, `${argv[0]}: ${child === 'ENOENT' ? 'not found' : 'Permission denied'}\n`);
    return child === 'ENOENT' ? 127 : 126;
  }
  return yield* waitFor(child);
}

/** Run `argv` as a child and take what it prints. */
export function* capture(p: Process, argv: string[], o: Partial<SpawnOptions> = {}): Co<{ code: number; out: Uint8Array }> {
  const parts: Uint8Array[] = [];
  const stdout = newPipe({ sink: c => parts.push(c) });
  const code = yield* runChild(p, argv, { ...o, stdout });
  closePipe(stdout);
  return { code, out: concat(parts) };
}

const MESSAGES: Record<Errno, string> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  EBADF: 'Bad file descriptor',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  ENODEV: 'No such device',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EPIPE: 'Broken pipe',
  ENOTEMPTY: 'Directory not empty',
  ELOOP: 'Too many levels of symbolic links',
  EMSGSIZE: 'Message too long',
  EPROTONOSUPPORT: 'Protocol not supported',
  EOPNOTSUPP: 'Operation not supported',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  ECONNABORTED: 'Software caused connection abort',
  ECONNRESET: 'Connection reset by peer',
  ENOBUFS: 'No buffer space available',
  EISCONN: 'Transport endpoint is already connected',
  ENOTCONN: 'Transport endpoint is not connected',
  ETIMEDOUT: 'Connection timed out',
  ECONNREFUSED: 'Connection refused',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
  ENOSYS: 'Function not implemented',
  ENOEXEC: 'Exec format error',
  ESRCH: 'No such process',
  ECHILD: 'No child processes',
  EDESTADDRREQ: 'Destination address required',
  EPROTO: 'Protocol error',
  ENAMETOOLONG: 'File name too long',
  EXDEV: 'Invalid cross-device link',
  EALREADY: 'Operation already in progress',
  EINPROGRESS: 'Operation now in progress',
  ENOPROTOOPT: 'Protocol not available',
  ENXIO: 'No such device or address',
};

/** glibc's strerror (2.36); musl differs in a few words, its programs say so themselves. */
export const strerror = (e: Errno): string => MESSAGES[e];
