import { bytesToString, concat, stringToBytes } from './bytes.ts';
import type { Sim } from './sim.ts';
import { type Co, type WaitQueue, waitOn, wakeAll } from './task.ts';

/** A byte stream between two tasks, or between a task and the terminal. Unbounded: writers never block. */
export interface Pipe {
  chunks: Uint8Array[];
  closed: boolean;
  /** The reading end is gone: writing gives EPIPE. */
  broken: boolean;
  readers: WaitQueue;
  tty: boolean;
  /** Set by a consumer that takes bytes as they come (the terminal, a log): nothing is buffered then. */
  sink: ((chunk: Uint8Array) => void) | null;
  /** Whether the consumer would not keep a line that began now. */
  dropsLine?: () => boolean;
  /** Asked once when a reader finds nothing: a source that is read only if somebody wants it (the command's own stdin). */
  source: (() => void) | null;
}

export function newPipe(options: { tty?: boolean; sink?: (chunk: Uint8Array) => void; dropsLine?: () => boolean } = {}): Pipe {
  return {
    chunks: [],
    closed: false,
    broken: false,
    readers: new Set(),
    tty: options.tty ?? false,
    sink: options.sink ?? null,
    dropsLine: options.dropsLine,
    source: null,
  };
}

/** A pipe that holds `data` and is closed: a finished stdin. */
export function pipeOf(data: Uint8Array | string = ''): Pipe {
  const pipe = newPipe();
  writePipe(pipe, data);
  closePipe(pipe);
  return pipe;
}

export function writePipe(pipe: Pipe, data: Uint8Array | string): 'EPIPE' | null {
  if (pipe.broken || pipe.closed) return 'EPIPE';
  const chunk = typeof data === 'string' ? stringToBytes(data) : data;
  if (!chunk.length) return null;
  if (pipe.sink) pipe.sink(chunk);
  else pipe.chunks.push(chunk);
  wakeAll(pipe.readers);
  return null;
}

export function closePipe(pipe: Pipe): void {
  pipe.closed = true;
  wakeAll(pipe.readers);
}

/** The next bytes, or an empty array at the end; 'timeout' after `timeoutMs`. */
export function* readPipe(sim: Sim, pipe: Pipe, timeoutMs = Number.POSITIVE_INFINITY): Co<Uint8Array | 'timeout'> {
  while (!pipe.chunks.length) {
    if (pipe.source) {
      const fill = pipe.source;
      pipe.source = null;
      fill();
      continue;
    }
    if (pipe.closed) return new Uint8Array(0);
    if (!(yield* waitOn(sim, [pipe.readers], timeoutMs))) return 'timeout';
  }
  return pipe.chunks.shift() as Uint8Array;
}

/** One line without its newline, or null at the end. The rest stays in the pipe. */
export function* readLine(sim: Sim, pipe: Pipe): Co<string | null> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = (yield* readPipe(sim, pipe)) as Uint8Array;
    if (!chunk.length) return parts.length ? bytesToString(concat(parts)) : null;
    const nl = chunk.indexOf(10);
    if (nl < 0) {
      parts.push(chunk);
      continue;
    }
    parts.push(chunk.subarray(0, nl));
    if (nl + 1 < chunk.length) pipe.chunks.unshift(chunk.subarray(nl + 1));
    return bytesToString(concat(parts));
  }
}

/** Everything up to the end. */
export function* readAll(sim: Sim, pipe: Pipe): Co<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = (yield* readPipe(sim, pipe)) as Uint8Array;
    if (!chunk.length) return concat(parts);
    parts.push(chunk);
  }
}
