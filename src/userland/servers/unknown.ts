// What stands for a program that podnet does not know: it answers, so that its Services, probes and policies can be tried.
import type { Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { httpServer, type Reply, type Served } from '../http.ts';
import { hostnameOf, untilSignal } from './daemon.ts';

/** HTTP 200 with one line of text on every port; without ports it only sits there. */
export const unknownServer = (ports: number[]): Program =>
  function* unknown(p): Co<number> {
    function* handler(req: Served): Co<Reply> {
      const text = `${hostnameOf(p)} answers on port ${req.localPort} (podnet does not know this image: a plain stand-in)\n`;
      return { status: 200, headers: [['Content-Type', 'text/plain']], body: text };
    }
    for (const port of ports) httpServer(p, port, handler);
    return yield* untilSignal(p, { TERM: 0, INT: 130 });
  };
