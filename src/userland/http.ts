// HTTP/1.1 (RFC 9112) over the simulation's sockets: messages as values, a buffered reader, and a small server.

import type { Socket } from '../linux/socket.ts';
import { accept, bind, close, listen, recv, send, socket } from '../linux/socket.ts';
import type { Errno, Process } from '../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import { type Co, killTask, startTask, type Task } from '../sim/task.ts';
import type { Family, Ip } from '../wire/ip.ts';

/** In the order they were sent, names as they were written. */
export type Headers = [name: string, value: string][];

export interface HttpRequest {
  method: string;
  /** As in the request line: path and query, or an absolute URL. */
  target: string;
  version: string;
  headers: Headers;
  body: Uint8Array;
}

export interface HttpResponse {
  version: string;
  status: number;
  reason: string;
  headers: Headers;
}

export function header(headers: Headers, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([n]) => n.toLowerCase() === wanted)?.[1];
}

export const REASONS: Record<number, string> = {
  100: 'Continue',
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  415: 'Unsupported Media Type',
  418: "I'm a teapot",
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** A connection as a byte stream: a bare socket, or TLS over one. */
export interface Stream {
  socket: Socket;
  send: (data: Uint8Array) => Co<number | Errno>;
  recv: (timeoutMs: number) => Co<Uint8Array | Errno>;
}

export const plainStream = (s: Socket): Stream => ({ socket: s, send: data => send(s, data), recv: ms => recv(s, ms) });

/** What has been received and not yet read. */
export interface Reader {
  stream: Stream;
  buffer: Uint8Array;
  ended: boolean;
}

export const newReader = (stream: Stream): Reader => ({ stream, buffer: new Uint8Array(0), ended: false });
const clockOf = (r: Reader) => r.stream.socket.netns.kernel.sim;

/** Wait for more bytes. 'EAGAIN': none within the time; null: the other side has closed. */
export function* fill(r: Reader, timeoutMs = Number.POSITIVE_INFINITY): Co<true | null | Errno> {
  if (r.ended) return null;
  const got = yield* r.stream.recv(timeoutMs);
  if (typeof got === 'string') return got;
  if (!got.length) {
    r.ended = true;
    return null;
  }
  r.buffer = r.buffer.length ? concat([r.buffer, got]) : got;
  return true;
}

const SP = 32;

function endOfHead(b: Uint8Array): [end: number, next: number] | null {
  for (let i = 0; i < b.length; i++) {
    if (b[i] !== 10) continue;
    if (b[i + 1] === 10) return [i, i + 2];
    if (b[i + 1] === 13 && b[i + 2] === 10) return [b[i - 1] === 13 ? i - 1 : i, i + 3];
  }
  return null;
}

/** The lines of a message's head, without the empty one. null: closed before any byte; 'EOF': in the middle. */
export function* readHead(r: Reader, timeoutMs = Number.POSITIVE_INFINITY): Co<string[] | null | 'EOF' | Errno> {
  const sim = clockOf(r);
  const until = sim.nowMs + timeoutMs;
  for (;;) {
    while (r.buffer.length && (r.buffer[0] === 13 || r.buffer[0] === 10)) r.buffer = r.buffer.subarray(1);
    if (r.buffer.length && r.buffer[0] < SP) return ['']; // no message starts so: a TLS hello, most likely
    const end = endOfHead(r.buffer);
    if (end) {
      const lines = bytesToString(r.buffer.subarray(0, end[0])).split(/\r?\n/);
      r.buffer = r.buffer.subarray(end[1]);
      return lines;
    }
    const more = yield* fill(r, until - sim.nowMs);
    if (more === null) return r.buffer.length ? 'EOF' : null;
    if (more !== true) return more;
  }
}

export function parseHeaders(lines: string[]): Headers | null {
  const out: Headers = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (/^[ \t]/.test(line) && out.length) out[out.length - 1][1] += ` ${line.trim()}`;
    else if (colon <= 0 || line.charCodeAt(colon - 1) === SP) return null;
    else out.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return out;
}

export function parseRequestHead(lines: string[]): Omit<HttpRequest, 'body'> | null {
  const m = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP\/\d\.\d)$/.exec(lines[0]);
  const headers = parseHeaders(lines.slice(1));
  return m && headers ? { method: m[1], target: m[2], version: m[3], headers } : null;
}

export function parseResponseHead(lines: string[]): HttpResponse | null {
  const m = /^(HTTP\/\d(?:\.\d)?) (\d{3})(?: (.*))?$/.exec(lines[0]);
  if (!m) return null;
  return { version: m[1], status: Number(m[2]), reason: m[3] ?? '', headers: parseHeaders(lines.slice(1)) ?? [] };
}

/** How a message's body ends. */
export type BodyFraming = { kind: 'none' } | { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'close' };

export function responseFraming(method: string, res: HttpResponse): BodyFraming {
  if (method === 'HEAD' || res.status === 204 || res.status === 304 || (res.status >= 100 && res.status < 200)) return { kind: 'none' };
  return framing(res.headers, { kind: 'close' });
}

export function framing(headers: Headers, otherwise: BodyFraming): BodyFraming {
  if (/\bchunked\b/i.test(header(headers, 'Transfer-Encoding') ?? '')) return { kind: 'chunked' };
  const length = header(headers, 'Content-Length');
  return length !== undefined && /^\d+$/.test(length) ? { kind: 'length', length: Number(length) } : otherwise;
}

/**
 * The next piece of a body; an empty array at its end. 'EOF': the connection closed before it was whole.
 * `state.left` counts down what is still to come of the length or the chunk.
 */
export interface BodyState {
  framing: BodyFraming;
  left: number;
  done: boolean;
}

export const bodyState = (f: BodyFraming): BodyState => ({
  framing: f,
  left: f.kind === 'length' ? f.length : 0,
  done: f.kind === 'none' || (f.kind === 'length' && f.length === 0),
});

export function* readBodyPart(r: Reader, state: BodyState, timeoutMs = Number.POSITIVE_INFINITY): Co<Uint8Array | 'EOF' | Errno> {
  const sim = clockOf(r);
  const until = sim.nowMs + timeoutMs;
  while (!state.done) {
    if (state.framing.kind === 'chunked' && state.left === 0) {
      const line = lineIn(r);
      if (line !== null) {
        const size = Number.parseInt(line, 16);
        if (Number.isNaN(size)) return 'EPROTO';
        state.left = size;
        if (size === 0) {
          takeLine(r); // the empty line behind the last chunk (trailers are not used)
          state.done = true;
        }
        continue;
      }
    } else if (r.buffer.length) {
      const n = state.framing.kind === 'close' ? r.buffer.length : Math.min(state.left, r.buffer.length);
      const part = r.buffer.subarray(0, n);
      r.buffer = r.buffer.subarray(n);
      if (state.framing.kind === 'close') return part;
      state.left -= n;
      if (state.left === 0) {
        if (state.framing.kind === 'length') state.done = true;
        else if (!r.buffer.length) yield* fill(r, until - sim.nowMs);
        if (state.framing.kind === 'chunked') takeLine(r);
      }
      return part;
    }
    const more = yield* fill(r, until - sim.nowMs);
    if (more === null) {
      if (state.framing.kind !== 'close') return 'EOF';
      state.done = true;
    } else if (more !== true) return more;
  }
  return new Uint8Array(0);
}

function lineIn(r: Reader): string | null {
  const nl = r.buffer.indexOf(10);
  if (nl < 0) return null;
  const line = bytesToString(r.buffer.subarray(0, nl)).trim();
  r.buffer = r.buffer.subarray(nl + 1);
  return line;
}

function takeLine(r: Reader): void {
  const nl = r.buffer.indexOf(10);
  if (nl >= 0 && nl <= 1) r.buffer = r.buffer.subarray(nl + 1);
}

/** The whole body. */
export function* readBody(r: Reader, f: BodyFraming, timeoutMs = Number.POSITIVE_INFINITY): Co<Uint8Array | 'EOF' | Errno> {
  const state = bodyState(f);
  const parts: Uint8Array[] = [];
  while (!state.done) {
    const part = yield* readBodyPart(r, state, timeoutMs);
    if (typeof part === 'string') return part;
    if (part.length) parts.push(part);
  }
  return concat(parts);
}

export function serialiseHead(first: string, headers: Headers): string {
  return `${first}\r\n${headers.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
}

// A small server.

export interface Served extends HttpRequest {
  remote: Ip;
  remotePort: number;
  local: Ip;
  localPort: number;
  socket: Socket;
}

export interface Reply {
  status: number;
  /** Default: the usual phrase. */
  reason?: string;
  /** Sent in this order; Content-Length is added behind them unless given. */
  headers?: Headers;
  body?: string | Uint8Array;
  /** Close the connection afterwards; also what HTTP/1.0 and `Connection: close` cause. */
  close?: boolean;
  /** Replaces everything: these bytes are sent as they are and the connection is closed. */
  raw?: string | Uint8Array;
}

export type Handler = (req: Served) => Co<Reply>;

export interface ServeOptions {
  family?: Family;
  address?: Ip | null;
  keepAliveMs?: number;
  /** What to say to something that is not HTTP; nothing: the connection is closed. */
  badRequest?: (line: string) => Reply;
  /** Last touch on a reply's headers: Server, Date, Connection in the order of the real server. */
  decorate?: (req: Served, reply: Reply, keepAlive: boolean) => Headers;
  /** After an answer was sent: access logs. */
  served?: (req: Served, reply: Reply, bodyBytes: number) => void;
}

/** Listen on a port and answer in tasks of their own until the process ends. -> what `bind` or `listen` said, or null */
export function httpServer(p: Process, port: number, handler: Handler, o: ServeOptions = {}): Errno | null {
  return tcpServer(p, port, s => serveStream(plainStream(s), handler, o), o);
}

/** Accept connections and run `each` on every one; it is closed when that ends. */
export function tcpServer(
  p: Process,
  port: number,
  each: (s: Socket) => Co<void>,
  o: { family?: Family; address?: Ip | null; backlog?: number } = {},
): Errno | null {
  const s = socket(p, 'tcp', o.address ? (o.address.length === 4 ? 4 : 6) : (o.family ?? 6));
  if (typeof s === 'string') return s;
  if (o.address?.length === 16) s.v6only = true; // an explicit [::] beside 0.0.0.0, as servers configure it
  const error = bind(s, o.address ?? null, port) ?? listen(s, o.backlog);
  if (error) {
    close(s);
    return error;
  }
  background(p, acceptLoop(p, s, each));
  return null;
}

function* acceptLoop(p: Process, s: Socket, each: (s: Socket) => Co<void>): Co<void> {
  for (;;) {
    const c = yield* accept(s);
    if (typeof c === 'string') return;
    background(p, connection(c, each));
  }
}

function* connection(c: Socket, each: (s: Socket) => Co<void>): Co<void> {
  try {
    yield* each(c);
  } finally {
    close(c);
  }
}

/** A thread of a process: ends with it. */
export function background<T>(p: Process, co: Co<T>): Task<T> {
  const task = startTask(p.kernel.sim, co, p.task?.background ?? true);
  if (!task.done) p.cleanup.push(() => killTask(task, undefined as T));
  return task;
}

/** Answer the requests of one connection until either side has enough of it. */
export function* serveStream(stream: Stream, handler: Handler, o: ServeOptions = {}): Co<void> {
  const s = stream.socket;
  const r = newReader(stream);
  for (;;) {
    const lines = yield* readHead(r, o.keepAliveMs);
    if (lines === null || typeof lines === 'string') return;
    const head = parseRequestHead(lines);
    const ends = { remote: s.remote as Ip, remotePort: s.remotePort, local: s.local as Ip, localPort: s.localPort, socket: s };
    if (!head) {
      const reply = o.badRequest?.(lines[0]);
      const req: Served = { method: '', target: '', version: 'HTTP/1.1', headers: [], body: new Uint8Array(0), ...ends };
      if (reply) yield* answer(stream, req, { ...reply, close: true }, o);
      return;
    }
    if (/^100-continue$/i.test(header(head.headers, 'Expect') ?? '')) yield* stream.send(stringToBytes('HTTP/1.1 100 Continue\r\n\r\n'));
    const body = yield* readBody(r, framing(head.headers, { kind: 'none' }));
    if (typeof body === 'string') return;
    const req: Served = { ...head, body, ...ends };
    const reply = yield* handler(req);
    if (!(yield* answer(stream, req, reply, o))) return;
  }
}

function wantsKeepAlive(req: HttpRequest): boolean {
  const said = (header(req.headers, 'Connection') ?? '').toLowerCase();
  return req.version === 'HTTP/1.0' ? said.includes('keep-alive') : !said.includes('close');
}

/** -> may the connection be used again? */
function* answer(s: Stream, req: Served, reply: Reply, o: ServeOptions): Co<boolean> {
  if (reply.raw !== undefined) {
    yield* s.send(typeof reply.raw === 'string' ? stringToBytes(reply.raw) : reply.raw);
    return false;
  }
  const body = typeof reply.body === 'string' ? stringToBytes(reply.body) : (reply.body ?? new Uint8Array(0));
  const keep = !reply.close && wantsKeepAlive(req);
  const headers: Headers = o.decorate ? o.decorate(req, { ...reply, body }, keep) : [...(reply.headers ?? [])];
  const bodyless = reply.status === 204 || reply.status === 304 || reply.status < 200;
  if (!bodyless && header(headers, 'Content-Length') === undefined && header(headers, 'Transfer-Encoding') === undefined) {
    headers.push(['Content-Length', String(body.length)]);
  }
  if (!o.decorate && !keep) headers.push(['Connection', 'close']);
  const head = serialiseHead(`HTTP/1.1 ${reply.status} ${reply.reason ?? REASONS[reply.status] ?? 'Unknown'}`, headers);
  const sends = req.method === 'HEAD' || bodyless ? new Uint8Array(0) : body;
  const chunked = /chunked/i.test(header(headers, 'Transfer-Encoding') ?? '') && sends.length > 0;
  const sent = yield* s.send(concat([stringToBytes(head), chunked ? oneChunk(sends) : sends]));
  o.served?.(req, reply, sends.length);
  return typeof sent !== 'string' && keep;
}

const oneChunk = (b: Uint8Array) => concat([stringToBytes(`${b.length.toString(16)}\r\n`), b, stringToBytes('\r\n0\r\n\r\n')]);

// URLs, as far as clients and servers here need them.

export interface Url {
  scheme: string;
  user: string | null;
  host: string;
  port: number | null;
  /** With the query, at least `/`. */
  path: string;
}

/** null: not a URL. Brackets of an IPv6 host are taken off. */
export function parseUrl(text: string): Url | null {
  const m = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?([^#]*)/.exec(text);
  if (!m) return null;
  const path = m[5].startsWith('?') ? `/${m[5]}` : m[5];
  if (m[4] && (!/^\d+$/.test(m[4]) || Number(m[4]) > 65535)) return null;
  return {
    scheme: (m[1] ?? 'http').toLowerCase(),
    user: m[2] ?? null,
    host: m[3].replace(/^\[|\]$/g, ''),
    port: m[4] ? Number(m[4]) : null,
    path: path || '/',
  };
}

/** `Location` against the URL it came from. */
export function resolveUrl(base: string, location: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(location)) return location;
  const m = /^([A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]*/.exec(base);
  const origin = m?.[0] ?? '';
  if (location.startsWith('//')) return `${m?.[1] ?? 'http:'}${location}`;
  if (location.startsWith('/')) return origin + location;
  const path = base.slice(origin.length).replace(/[?#].*/, '');
  return `${origin}${path.slice(0, path.lastIndexOf('/') + 1) || '/'}${location}`;
}

export function percentDecode(s: string): string {
  return bytesToString(
    concat(
      s
        .split(/(%[0-9A-Fa-f]{2})/)
        .map(x => (/^%[0-9A-Fa-f]{2}$/.test(x) ? Uint8Array.of(Number.parseInt(x.slice(1), 16)) : stringToBytes(x))),
    ),
  );
}

/** Path and the query's values, decoded. */
export function splitTarget(target: string): { path: string; query: Map<string, string[]> } {
  const at = target.indexOf('?');
  const query = new Map<string, string[]>();
  for (const pair of at < 0 ? [] : target.slice(at + 1).split('&')) {
    if (!pair) continue;
    const eq = pair.indexOf('=');
    const key = percentDecode((eq < 0 ? pair : pair.slice(0, eq)).replaceAll('+', ' '));
    query.set(key, [...(query.get(key) ?? []), eq < 0 ? '' : percentDecode(pair.slice(eq + 1).replaceAll('+', ' '))]);
  }
  return { path: percentDecode(at < 0 ? target : target.slice(0, at)), query };
}
