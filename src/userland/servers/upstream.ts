// One request to a server behind a proxy, on a connection of its own.
import { close, connect, socket } from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import type { Ip } from '../../wire/ip.ts';
import {
  type Headers,
  type HttpResponse,
  newReader,
  parseResponseHead,
  plainStream,
  readBody,
  readHead,
  responseFraming,
  serialiseHead,
} from '../http.ts';
import { tlsConnect } from '../tls.ts';

export interface UpstreamRequest {
  method: string;
  target: string;
  /** With Host; Content-Length is added. */
  headers: Headers;
  body: Uint8Array;
}

export interface UpstreamOptions {
  connectMs: number;
  readMs: number;
  /** Speak TLS, asking for this name; the certificate is not looked at. */
  tls?: { sni: string | null };
}

/** What went wrong: the connection could not be made (errno), or nothing came in time, or it ended before the answer. */
export type UpstreamFailure = { failed: 'connect'; errno: Errno } | { failed: 'timeout' } | { failed: 'closed' };

export interface UpstreamAnswer {
  head: HttpResponse;
  body: Uint8Array;
}

export const hasFailed = (x: UpstreamAnswer | UpstreamFailure): x is UpstreamFailure => 'failed' in x;

export function* exchange(
  p: Process,
  address: Ip,
  port: number,
  req: UpstreamRequest,
  o: UpstreamOptions,
): Co<UpstreamAnswer | UpstreamFailure> {
  const s = socket(p, 'tcp', address.length === 4 ? 4 : 6);
  if (typeof s === 'string') return { failed: 'connect', errno: s };
  try {
    const error = yield* connect(s, address, port, o.connectMs);
    if (error) return { failed: 'connect', errno: error };
    let stream = plainStream(s);
    if (o.tls) {
      const t = yield* tlsConnect(s, { sni: o.tls.sni, alpn: ['http/1.1'] }, o.connectMs);
      if (typeof t === 'string') return { failed: 'closed' };
      stream = t.stream;
    }
    const headers: Headers = req.body.length ? [...req.headers, ['Content-Length', String(req.body.length)]] : req.headers;
    const sent = yield* stream.send(concat([stringToBytes(serialiseHead(`${req.method} ${req.target} HTTP/1.1`, headers)), req.body]));
    if (typeof sent === 'string') return { failed: 'closed' };
    const reader = newReader(stream);
    const lines = yield* readHead(reader, o.readMs);
    if (lines === 'EAGAIN') return { failed: 'timeout' };
    const head = Array.isArray(lines) ? parseResponseHead(lines) : null;
    if (!head) return { failed: 'closed' };
    const body = yield* readBody(reader, responseFraming(req.method, head), o.readMs);
    if (typeof body === 'string') return body === 'EAGAIN' ? { failed: 'timeout' } : { failed: 'closed' };
    return { head, body };
  } finally {
    close(s);
  }
}

/** Headers that belong to one connection and are not passed on. */
export const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'content-length',
]);
