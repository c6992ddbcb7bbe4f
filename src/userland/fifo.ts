// Named pipes: a file node beside which a pipe is kept. Opening waits for the other side, as fifo(7) says.
import type { Process } from '../linux/types.ts';
import { type FileNode, newFile } from '../linux/vfs.ts';
import { closePipe, newPipe, type Pipe, writePipe } from '../sim/pipe.ts';
import { type Co, type WaitQueue, waitOn, wakeAll } from '../sim/task.ts';

interface Fifo {
  pipe: Pipe;
  readers: number;
  writers: Set<Pipe>;
  changed: WaitQueue;
}

/** What closing a descriptor has to do beside forgetting it: named pipes, sockets of /dev/tcp. */
export const onClose = new WeakMap<Pipe, () => void>();

const fifos = new WeakMap<FileNode, Fifo>();

export function newFifo(): FileNode {
  const node = newFile('', 0o644);
  const fifo: Fifo = { pipe: newPipe(), readers: 0, writers: new Set(), changed: new Set() };
  node.onWrite = data => {
    writePipe(fifo.pipe, data);
    return null;
  };
  fifos.set(node, fifo);
  return node;
}

export const isFifo = (node: FileNode): boolean => fifos.has(node);

/** The end of a named pipe that `mode` asks for; null: the node is none. The writing end lasts as long as the process that opened it. */
export function* openFifo(p: Process, node: FileNode, mode: string): Co<Pipe | null> {
  const fifo = fifos.get(node);
  if (!fifo) return null;
  if (mode === 'read') {
    fifo.readers++;
    wakeAll(fifo.changed);
    while (!fifo.writers.size && !fifo.pipe.chunks.length) yield* waitOn(p.kernel.sim, [fifo.changed]);
    return fifo.pipe;
  }
  // Each writer has an end of its own, so that the reader sees the end when the last one is let go.
  const end = newPipe({ sink: chunk => void writePipe(fifo.pipe, chunk) });
  fifo.writers.add(end);
  if (fifo.pipe.closed) {
    fifo.pipe.closed = false;
    fifo.readers = 0;
  }
  wakeAll(fifo.changed);
  const leave = () => {
    if (fifo.writers.delete(end) && !fifo.writers.size) closePipe(fifo.pipe);
  };
  onClose.set(end, leave);
  p.cleanup.push(leave);
  while (mode !== 'both' && !fifo.readers) yield* waitOn(p.kernel.sim, [fifo.changed]);
  return end;
}
