// Running a command on a machine of the cluster's surroundings: a node, or a host outside.
import { ALL_CAPS, DEFAULT_PATH, kill, spawn, waitFor } from '../linux/process.ts';
import type { Kernel, Process } from '../linux/types.ts';
import type { Filesystem } from '../linux/vfs.ts';
import type { Pipe } from '../sim/pipe.ts';
import { writePipe } from '../sim/pipe.ts';
import type { Co } from '../sim/task.ts';
import { wakeNode } from './node.ts';
import type { Engine } from './types.ts';
import { clientFilesystem, clientKernel } from './world.ts';

export interface Io {
  stdin: Pipe;
  stdout: Pipe;
  stderr: Pipe;
  tty?: boolean;
  trace?: Process['trace'];
  /** Told of the process, before it has done anything else than begin. */
  started?: (p: Process) => void;
}

export interface Place {
  kernel: Kernel;
  fs: Filesystem;
}

export function nodePlace(engine: Engine, name: string): Place | null {
  const node = engine.nodes.get(name);
  if (!node) return null;
  const { kernel, rootfs } = wakeNode(node);
  return { kernel, fs: rootfs };
}

export function externalPlace(engine: Engine, address?: string): Place {
  // The nodes must be plugged into the network before anybody asks for them.
  for (const node of engine.nodes.values()) node.kernel();
  const kernel = clientKernel(engine.world, address);
  return { kernel, fs: clientFilesystem(engine.world, kernel) };
}

/** A terminal's signal goes to all that the command has started. */
export function signalAll(p: Process, name: 'INT' | 'TERM'): void {
  for (const child of [...p.children]) signalAll(child, name);
  kill(p, name);
}

/** Run argv as root in the machine's own namespaces. -> exit code; 127 when there is no such program, as a shell would */
export function* runAt(place: Place, argv: string[], io: Io): Co<number> {
  const env = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOME', '/root'],
    ['LANG', 'C.UTF-8'],
  ]);
  const p = spawn(place.kernel, {
    netns: place.kernel.netns.get('')!,
    fs: place.fs,
    argv,
    env,
    cwd: '/',
    uid: 0,
    caps: new Set(ALL_CAPS),
    stdin: io.stdin,
    stdout: io.stdout,
    stderr: io.stderr,
    tty: io.tty ?? false,
  });
  if (typeof p === 'string') {
    writePipe(io.stderr, p === 'ENOENT' ? `${argv[0]}: command not found\n` : `${argv[0]}: Permission denied\n`);
    return p === 'ENOENT' ? 127 : 126;
  }
  if (io.trace) p.trace = io.trace;
  io.started?.(p);
  try {
    return yield* waitFor(p);
  } finally {
    kill(p, 'TERM');
  }
}
