// A small HTTP server over the simulation's sockets, and the tasks that a server runs its connections in.
import { accept, bind, close, listen, type Socket, socket } from '../linux/socket.ts';
import type { Errno, Process } from '../linux/types.ts';
import { concat, stringToBytes } from '../sim/bytes.ts';
import { type Co, killTask, startTask, type Task } from '../sim/task.ts';
import type { Family, Ip } from '../wire/ip.ts';
import {
  framing,
  type Headers,
  type HttpRequest,
  header,
  newReader,
  parseRequestHead,
  plainStream,
  REASONS,
  readBody,
  readHead,
  type Stream,
  serialiseHead,
} from './http.ts';

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
  /** How long the next request is waited for; 0: each connection has one. */
  keepAliveMs?: number;
  opened?: Listening['opened'];
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

export interface Listening {
  family?: Family;
  address?: Ip | null;
  backlog?: number;
  /** Told of the listening socket: whoever closes it ends the server. */
  opened?: (s: Socket) => void;
}

/** Accept connections and run `each` on every one; it is closed when that ends. */
export function tcpServer(p: Process, port: number, each: (s: Socket) => Co<void>, o: Listening = {}): Errno | null {
  const s = socket(p, 'tcp', o.address ? (o.address.length === 4 ? 4 : 6) : (o.family ?? 6));
  if (typeof s === 'string') return s;
  if (o.address?.length === 16) s.v6only = true; // an explicit [::] beside 0.0.0.0, as servers configure it
  const error = bind(s, o.address ?? null, port) ?? listen(s, o.backlog);
  if (error) {
    close(s);
    return error;
  }
  o.opened?.(s);
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
  for (let first = true; ; first = false) {
    const lines = yield* readHead(r, first ? o.keepAliveMs || undefined : o.keepAliveMs);
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
  const keep = !reply.close && o.keepAliveMs !== 0 && wantsKeepAlive(req);
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
