// The small HTTP endpoints of CoreDNS' plugins.
import { close } from '../linux/socket.ts';
import { stringToBytes } from '../sim/bytes.ts';
import { waitOn } from '../sim/task.ts';
import { httpDate } from '../sim/time.ts';
import type { Headers } from '../userland/http.ts';
import { httpServer, type Reply } from '../userland/http-server.ts';
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

const PLAIN = 'text/plain; charset=utf-8';
/** http.Server's buffer: what is longer goes out in chunks. */
const BUFFERED = 2048;

/** net/http: what a handler said comes first, then the server's own, and the type last when the server found it out itself. */
function replyOf({ status, body, type }: Answer, nowMs: number): Reply {
  const date: Headers[number] = ['Date', httpDate(nowMs)];
  const bytes = stringToBytes(body);
  const size: Headers[number] = bytes.length > BUFFERED ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(bytes.length)];
  if (type) return { status, headers: [['Content-Type', type], date, size], body: bytes };
  if (status < 400) return { status, headers: [date, size, ['Content-Type', PLAIN]], body: bytes };
  return { status, headers: [['Content-Type', PLAIN], ['X-Content-Type-Options', 'nosniff'], date, size], body: bytes };
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
        return replyOf(answer(req.target.split('?')[0]), instance.server.sim.nowMs);
      },
      { address: ip, opened: s => void instance.stops.push(() => close(s)) },
    );
    if (failed) instance.log('ERROR', `listen tcp ${text}: bind: address already in use`);
    while (!instance.stopped) yield* waitOn(instance.server.sim, []);
  });
}
