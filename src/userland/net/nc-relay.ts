// What every netcat does with a connection: stdin to it, and what comes to stdout.

import { print } from '../../linux/process.ts';
import { recv, type Socket, send, shutdown } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { readPipe } from '../../sim/pipe.ts';
import { type Co, killTask, startTask, type Task, waitOn } from '../../sim/task.ts';

export interface Relay {
  /** After the end of stdin: null: wait for the other side; else quit after so many ms. */
  quitMs: number | null;
  /** Send FIN at the end of stdin. */
  shut: boolean;
  /** Nothing for so long: quit. */
  idleMs: number;
  readStdin: boolean;
}

/** stdin to the connection, the connection to stdout, until the other side closes. */
export function* relay(p: Process, s: Socket, o: Relay): Co<void> {
  const feed = o.readStdin ? startTask(p.kernel.sim, feeder(p, s, o), p.task?.background ?? false) : null;
  if (feed) p.cleanup.push(() => killTask(feed, undefined));
  try {
    yield* drain(p, s, o, feed);
  } finally {
    if (feed && !feed.done) killTask(feed, undefined);
  }
}

function* feeder(p: Process, s: Socket, o: Relay): Co<void> {
  for (;;) {
    const chunk = yield* readPipe(p.kernel.sim, p.stdin);
    if (chunk === 'timeout') continue;
    if (!chunk.length) break;
    const sent = s.type === 'udp' ? yield* send(s, chunk) : yield* send(s, chunk);
    if (typeof sent === 'string') return;
  }
  if (o.shut && s.type === 'tcp') shutdown(s);
}

function* drain(p: Process, s: Socket, o: Relay, feed: Task<void> | null): Co<void> {
  const { sim } = p.kernel;
  let quitAt = Number.POSITIVE_INFINITY;
  for (;;) {
    if (feed?.done && o.quitMs !== null && quitAt === Number.POSITIVE_INFINITY) quitAt = sim.nowMs + o.quitMs;
    const wait = Math.min(o.idleMs, quitAt - sim.nowMs);
    if (wait <= 0) return;
    if (!readyToRead(s) && feed && !feed.done && o.quitMs !== null) {
      // The end of stdin starts the clock of -q: look again then.
      if (!(yield* waitOn(sim, [s.readable, feed.ended], o.idleMs)) && Number.isFinite(o.idleMs)) return;
      if (!readyToRead(s)) continue;
    }
    const got = yield* recv(s, wait);
    if (typeof got === 'string' || (!got.length && s.type === 'tcp')) return;
    if (print(p, got)) return;
  }
}

const readyToRead = (s: Socket): boolean =>
  s.datagrams.length > 0 || s.error !== null || (s.tcp !== null && (s.tcp.inboxLength > 0 || s.tcp.finReceived));
