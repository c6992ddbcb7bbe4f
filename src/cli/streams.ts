// The command's standard streams as pipes: output is held back until the command is committed (it may have to begin again), unless it
// goes to somebody who is watching, or nothing is committed.
import * as fs from 'node:fs';
import { closePipe, newPipe, type Pipe, writePipe } from '../sim/pipe.ts';
import { isTerminal } from './terminal.ts';

const pause = new Int32Array(new SharedArrayBuffer(4));

export interface Streams {
  stdin: Pipe;
  stdout: Pipe;
  stderr: Pipe;
  held: { fd: 1 | 2; chunk: Uint8Array }[];
  /** Output goes out as it comes. */
  live: boolean;
  /** How many pieces have been written. */
  writes: number;
  /** Set by a shell at a terminal: it asks for the next line now. */
  asks?: () => boolean;
}

/** `hold` off: what is written goes out at once. */
export function newStreams(hold = true): Streams {
  const held: Streams['held'] = [];
  const to = (fd: 1 | 2) =>
    newPipe({
      // Not process.stdout.isTTY: node would build streams that nobody writes to.
      tty: isTerminal(fd),
      sink: chunk => {
        streams.writes++;
        if (streams.live || !hold) writeAll(fd, chunk);
        else held.push({ fd, chunk });
      },
    });
  const streams: Streams = { stdin: newPipe({ tty: isTerminal(0) }), stdout: to(1), stderr: to(2), held, live: false, writes: 0 };
  if (!streams.stdin.tty) {
    streams.stdin.source = () => {
      readStdin(streams.stdin);
    };
  }
  return streams;
}

/** What was read, for a command that has to begin again: a pipe gives it only once. */
let kept: Uint8Array[] | null = null;

/** All of a file or pipe on standard input; a terminal is read as it is typed. */
function readStdin(pipe: Pipe): void {
  if (kept) {
    for (const chunk of kept) writePipe(pipe, chunk);
    closePipe(pipe);
    return;
  }
  kept = [];
  const buffer = new Uint8Array(65536);
  for (;;) {
    try {
      const size = fs.readSync(0, buffer);
      if (!size) break;
      const chunk = buffer.slice(0, size);
      kept.push(chunk);
      writePipe(pipe, chunk);
    } catch (e) {
      // Somebody has made it non-blocking and there is nothing yet.
      if ((e as NodeJS.ErrnoException).code !== 'EAGAIN') break;
      Atomics.wait(pause, 0, 0, 2);
    }
  }
  closePipe(pipe);
}

export function flush(streams: Streams): void {
  for (const { fd, chunk } of streams.held) writeAll(fd, chunk);
  streams.held.length = 0;
}

/** Write everything, also to a pipe that is full for now. A reader that went away ends the command as SIGPIPE would. */
function writeAll(fd: 1 | 2, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) {
    try {
      at += fs.writeSync(fd, chunk, at);
    } catch (e) {
      const code = (e as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN') {
        Atomics.wait(pause, 0, 0, 2);
        continue;
      }
      if (code === 'EPIPE') process.exit(141);
      throw e;
    }
  }
}
