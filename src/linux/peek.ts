// recv(MSG_PEEK) of a stream: look at what came and leave it there. Who closes without reading it answers with a reset.
import { concat } from '../sim/bytes.ts';
import { type Co, waitOn } from '../sim/task.ts';
import type { Socket } from './socket.ts';
import type { Errno } from './types.ts';

/** Empty: the other side has closed. EAGAIN: nothing came within the time. */
export function* peek(s: Socket, timeoutMs = Number.POSITIVE_INFINITY): Co<Uint8Array | Errno> {
  const sim = s.netns.kernel.sim;
  const deadline = sim.nowMs + timeoutMs;
  for (;;) {
    if (s.closed) return 'EBADF';
    if (!s.tcp) return 'ENOTCONN';
    if (s.tcp.inbox.length) return concat(s.tcp.inbox);
    if (s.error) return s.error;
    if (s.tcp.readClosed || s.tcp.finReceived) return new Uint8Array(0);
    const left = deadline - sim.nowMs;
    if (left <= 0) return 'EAGAIN';
    yield* waitOn(sim, [s.readable], left);
  }
}
