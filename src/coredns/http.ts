// The small HTTP endpoints of CoreDNS' plugins.
import { close } from '../linux/socket.ts';
import { stringToBytes } from '../sim/bytes.ts';
import { waitOn } from '../sim/task.ts';
import { httpServer } from '../userland/http-server.ts';
import { type Ip, parseIp } from '../wire/ip.ts';
import { type Instance, plainError } from './types.ts';

export interface Answer {
  status: number;
  body: string;
  /** Content-Type; plain text unless given. */
  type?: string;
}

export interface ListenAddress {
  text: string;
  /** null: all of them. */
  ip: Ip | null;
  port: string;
}

/** net.SplitHostPort of `:9153`, `localhost:9153`, `[::1]:9153`. */
export function listenAddress(text: string): ListenAddress {
  const m = /^\[([^\]]*)\]:([^:]*)$/.exec(text) ?? /^([^:[\]]*):([^:]*)$/.exec(text);
  if (m) return { text, ip: parseIp(m[1] === 'localhost' ? '127.0.0.1' : m[1]), port: m[2] };
  const why = text.split(':').length > 2 ? 'too many colons in address' : 'missing port in address';
  throw plainError(`address ${text}: ${why}`);
}

/** Serve `answer(path)` at an address as long as the instance lives. */
export function serveEndpoint(instance: Instance, { text, ip, port }: ListenAddress, answer: (path: string) => Answer): void {
  if (instance.endpoints.has(text) || !/^\d+$/.test(port)) return;
  instance.endpoints.add(text);
  instance.starts.push(function* () {
    const failed = httpServer(
      instance.p,
      Number(port),
      function* (req) {
        const { status, body, type = 'text/plain; charset=utf-8' } = answer(req.target.split('?')[0]);
        return { status, headers: [['Content-Type', type]], body: stringToBytes(body) };
      },
      { address: ip, opened: s => void instance.stops.push(() => close(s)) },
    );
    if (failed) instance.log('ERROR', `listen tcp ${text}: bind: address already in use`);
    while (!instance.stopped) yield* waitOn(instance.server.sim, []);
  });
}
