// A TCP proxy between two streams: bytes both ways until both sides have said their last.
import { close, shutdown } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { type Co, join } from '../../sim/task.ts';
import type { Stream } from '../../userland/http.ts';
import { background } from '../../userland/http-server.ts';

function* pump(from: Stream, to: Stream, count: (n: number) => void): Co<void> {
  for (;;) {
    const data = yield* from.recv(Number.POSITIVE_INFINITY);
    if (typeof data === 'string') {
      // A reset on one side is one on the other.
      to.socket.options.set('linger0', 1);
      close(to.socket);
      return;
    }
    if (!data.length) {
      shutdown(to.socket);
      return;
    }
    count(data.length);
    if (typeof (yield* to.send(data)) === 'string') return;
  }
}

/** -> bytes that came from `down`, and that went there */
export function* relay(p: Process, down: Stream, up: Stream): Co<{ received: number; sent: number }> {
  const n = { received: 0, sent: 0 };
  const back = background(
    p,
    pump(up, down, c => {
      n.sent += c;
    }),
  );
  yield* pump(down, up, c => {
    n.received += c;
  });
  yield* join(back);
  close(up.socket);
  return n;
}
