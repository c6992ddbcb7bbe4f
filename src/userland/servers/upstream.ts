// One request to a server behind a proxy, on a connection of its own.
import { bind, close, connect, socket } from '../../linux/socket.ts';
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
import { type Certificate, type TlsFailure, tlsConnect } from '../tls.ts';

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
  /** Speak TLS, asking for this name; the server's certificate is not looked at. `certificate`: what the client shows of its own. */
  tls?: { sni: string | null; alpn?: string[]; certificate?: Certificate };
  /** Of the host's own addresses, the one to come from. */
  from?: Ip;
}

/** What went wrong: the connection could not be made (errno), or nothing came in time, or it ended before the answer. */
export type UpstreamFailure = { failed: 'connect'; errno: Errno } | { failed: 'timeout' } | { failed: 'closed'; tls?: TlsFailure };

export interface UpstreamAnswer {
  head: HttpResponse;
  body: Uint8Array;
  /** This end of the connection. */
  local: { ip: Ip; port: number };
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
    const refused = o.from ? bind(s, o.from, 0) : null;
    const error = refused ?? (yield* connect(s, address, port, o.connectMs));
    if (error) return { failed: 'connect', errno: error };
    const local = { ip: s.local as Ip, port: s.localPort };
    let stream = plainStream(s);
    if (o.tls) {
      const { sni, alpn, certificate } = o.tls;
      const t = yield* tlsConnect(s, { sni, alpn: alpn ?? ['http/1.1'], ...(certificate ? { certificate } : {}) }, o.connectMs);
      if (typeof t === 'string') return { failed: 'closed', tls: t };
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
    return { head, body, local };
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
