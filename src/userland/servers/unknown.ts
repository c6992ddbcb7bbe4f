// What stands for a program that podnet does not know: it answers, so that its Services, probes and policies can be tried.
import type { Socket } from '../../linux/socket.ts';
import type { Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Handler, httpServer, type Reply, type Served, serveStream, tcpServer } from '../http-server.ts';
import { tlsAccept } from '../tls.ts';
import { hostnameOf, untilSignal } from './daemon.ts';

function* overTls(c: Socket, handler: Handler): Co<void> {
  const certificate = {
    subject: 'CN = localhost',
    issuer: 'CN = localhost',
    sans: ['localhost'],
    notBeforeMs: 0,
    notAfterMs: 4_102_444_800_000,
  };
  const t = yield* tlsAccept(c, () => certificate, { library: 'go', protocols: ['http/1.1'] });
  if (t && t !== 'plain') yield* serveStream(t.stream, handler);
}

/** HTTP 200 with one line of text on every port; without ports it only sits there. */
export const unknownServer = (ports: number[]): Program =>
  function* unknown(p): Co<number> {
    function* handler(req: Served): Co<Reply> {
      const text = `${hostnameOf(p)} answers on port ${req.localPort} (podnet does not know this image: a plain stand-in)\n`;
      return { status: 200, headers: [['Content-Type', 'text/plain']], body: text };
    }
    for (const port of ports) {
      // What names such a port speaks TLS on it.
      if (port % 1000 === 443) tcpServer(p, port, c => overTls(c, handler));
      else httpServer(p, port, handler);
    }
    return yield* untilSignal(p, { TERM: 0, INT: 130 });
  };
