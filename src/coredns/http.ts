// The small HTTP endpoints of CoreDNS' plugins.
import { close } from '../linux/socket.ts';
import { stringToBytes } from '../sim/bytes.ts';
import { waitOn } from '../sim/task.ts';
import { httpServer } from '../userland/http-server.ts';
import type { Instance } from './types.ts';

/** Serve `answer(path)` on a port as long as the instance lives. */
export function serveEndpoint(instance: Instance, port: number, answer: (path: string) => { status: number; body: string }): void {
  instance.starts.push(function* () {
    const failed = httpServer(
      instance.p,
      port,
      function* (req) {
        const { status, body } = answer(req.target.split('?')[0]);
        return { status, headers: [['Content-Type', 'text/plain; charset=utf-8']], body: stringToBytes(body) };
      },
      { opened: s => void instance.stops.push(() => close(s)) },
    );
    if (failed) instance.log('ERROR', `listen tcp :${port}: bind: address already in use`);
    while (!instance.stopped) yield* waitOn(instance.server.sim, []);
  });
}
