// Go's net/http as a server: the order and defaults of its response headers (src/net/http/server.go, Go 1.23).
import type { Process } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import type { Headers } from '../http.ts';
import { httpServer, type Reply, type Served, type ServeOptions } from '../http-server.ts';

const TEXT = 'text/plain; charset=utf-8';

/** http.DetectContentType for what these servers send. */
export function sniff(body: Uint8Array): string {
  const head = String.fromCharCode(...body.subarray(0, 64))
    .trimStart()
    .toLowerCase();
  if (/^<(?:!doctype html|html|head|body|h1|p|div|title|table|a|b|br|!--)[ >]/.test(head)) return 'text/html; charset=utf-8';
  return body.subarray(0, 512).some(b => b < 9 || (b > 13 && b < 27) || (b > 27 && b < 32)) ? 'application/octet-stream' : TEXT;
}

/** With HTTP/2 the length stands before the date, and nothing is said of the connection (net/http h2_bundle.go, writeChunk). */
export function goOptions(p: Process, http2 = false): ServeOptions {
  return {
    badRequest: () => ({ status: 400, headers: [['Content-Type', TEXT]], body: '400 Bad Request', close: true }),
    decorate: (_req, reply, keep) => {
      const body = reply.body as Uint8Array;
      const own = [...(reply.headers ?? [])].sort((a, b) => (a[0] < b[0] ? -1 : 1));
      const date: Headers = [['Date', httpDate(p.kernel.sim.nowMs)]];
      const length: Headers = reply.status === 204 || reply.status === 304 ? [] : [['Content-Length', String(body.length)]];
      const type: Headers = body.length && !own.some(([n]) => n.toLowerCase() === 'content-type') ? [['Content-Type', sniff(body)]] : [];
      if (http2) return [...own, ...type, ...length, ...date];
      const out: Headers = [...own, ...date, ...length, ...type];
      if (!keep) out.push(['Connection', 'close']);
      return out;
    },
  };
}

export const goServer = (p: Process, port: number, handler: (req: Served) => Co<Reply>, o: ServeOptions = {}) =>
  httpServer(p, port, handler, { ...goOptions(p), ...o });

export const notFound = (): Reply => ({
  status: 404,
  headers: [
    ['Content-Type', TEXT],
    ['X-Content-Type-Options', 'nosniff'],
  ],
  body: '404 page not found\n',
});

/** `Header.Write` names: Canonical-Case. */
export const canonicalHeader = (name: string): string =>
  name
    .split('-')
    .map(w => w.slice(0, 1).toUpperCase() + w.slice(1).toLowerCase())
    .join('-');

export const jsonReply = (value: unknown, status = 200, indent?: number | string): Reply => ({
  status,
  headers: [['Content-Type', 'application/json; charset=utf-8']],
  body: stringToBytes(`${JSON.stringify(value, null, indent)}\n`),
});
