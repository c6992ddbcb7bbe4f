// One listener of a host of the outside world, as the cluster's configuration describes it.

import type { Socket } from '../linux/socket.ts';
import { accept, bind, close, listen, recvFrom, sendTo, socket } from '../linux/socket.ts';
import type { Process, Program } from '../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import { type Co, startTask } from '../sim/task.ts';
import { plainStream, type Stream } from '../userland/http.ts';
import { serveHttpbin } from '../userland/servers/httpbin.ts';
import { type Certificate, tlsAccept } from '../userland/tls.ts';
import { PUBLIC_CA } from '../userland/trust.ts';
import type { WorldListener } from './config.ts';

const REASONS: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** `*` stands for anything; at the end it does so in every configuration, elsewhere in those of podnet's own. */
const fitsPath = (pattern: string, path: string): boolean => {
  const at = pattern.indexOf('*');
  if (at < 0) return pattern === path;
  const [head, tail] = [pattern.slice(0, at), pattern.slice(at + 1)];
  return path.length >= head.length + tail.length && path.startsWith(head) && path.endsWith(tail);
};

/**
 * `STATUS REASON`, the given headers in their order, Content-Length, Connection: close. The first path that matches answers; `$host` and
 * `$path` in a header are the request's.
 */
function worldAnswer(l: WorldListener, method: string, target: string, host: string): string {
  const path = target.split('?')[0];
  const rule = (l.http ?? []).find(r => fitsPath(r.path, path));
  const status = rule ? (rule.status ?? 200) : 404;
  const body = rule?.body ?? '';
  const filled = (v: string) => v.replace('$host', host).replace('$path', target);
  const headers = Object.entries(rule?.headers ?? {}).map(([k, v]) => `${k}: ${filled(v)}\r\n`);
  const length = stringToBytes(body).length;
  return `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n${headers.join('')}Content-Length: ${length}\r\nConnection: close\r\n\r\n${method === 'HEAD' ? '' : body}`;
}

/** `names`: what its certificate speaks for. */
export function worldHostProgram(l: WorldListener, names: string[]): Program {
  return function* server(p: Process): Co<number> {
    const udp = l.protocol === 'UDP';
    // Family 6 takes IPv4 as well: one listener for all of the host's addresses.
    const s = socket(p, udp ? 'udp' : 'tcp', 6);
    if (typeof s === 'string' || bind(s, null, l.port)) return 1;
    if (udp) return yield* udpServer(s, l);
    if (listen(s)) return 1;
    for (;;) {
      const c = yield* accept(s);
      if (typeof c === 'string') return 1;
      startTask(p.kernel.sim, connection(p, c, l, names), true);
    }
  };
}

const DAY_MS = 86_400_000;

/** Renewed often enough never to be seen old. */
const certificateOf = (p: Process, names: string[]): Certificate => ({
  subject: `CN = ${names[0]}`,
  issuer: PUBLIC_CA,
  sans: names,
  notBeforeMs: p.kernel.sim.nowMs - 30 * DAY_MS,
  notAfterMs: p.kernel.sim.nowMs + 60 * DAY_MS,
});

function* connection(p: Process, c: Socket, l: WorldListener, names: string[]): Co<number> {
  let stream: Stream | null = plainStream(c);
  if (l.tls) {
    const t = yield* tlsAccept(c, () => certificateOf(p, names), { library: 'openssl', protocols: ['h2', 'http/1.1'] });
    stream = t && t !== 'plain' ? t.stream : null;
  }
  if (stream && l.app) yield* serveHttpbin(p, stream);
  else if (stream) yield* converse(stream, l);
  close(c);
  return 0;
}

function* udpServer(s: Socket, l: WorldListener): Co<number> {
  for (;;) {
    const d = yield* recvFrom(s);
    if (typeof d === 'string') return 1;
    if (!d.error && (l.echo || l.banner !== undefined)) sendTo(s, l.echo ? d.data : stringToBytes(l.banner ?? ''), d.from, d.fromPort);
  }
}

function* converse(stream: Stream, l: WorldListener): Co<void> {
  if (l.banner !== undefined) yield* stream.send(stringToBytes(l.banner));
  let held: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = yield* stream.recv(Number.POSITIVE_INFINITY);
    if (typeof chunk === 'string' || !chunk.length) return;
    if (l.echo) yield* stream.send(chunk);
    if (!l.http) continue;
    held = concat([held, chunk]);
    const text = bytesToString(held);
    if (!text.includes('\r\n\r\n')) continue;
    const [method, target] = text.split(' ');
    const host = /\r\nhost: *([^\r]*)/i.exec(text)?.[1] ?? '';
    yield* stream.send(stringToBytes(worldAnswer(l, method, target ?? '/', host)));
    return;
  }
}
