// One DNS exchange over a socket, as the resolvers and dig use it.
import { bind, close, connect, recv, type Socket, send, socket } from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { concat } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { decodeMessage, encodeMessage, frameForTcp } from '../../wire/dns-codec.ts';
import { familyOf, type Ip } from '../../wire/ip.ts';

export const newQueryId = (p: Process): number => below(p.kernel.sim.random, 65536);

/** Does `reply` answer `query`? As resolvers check it: the same id and question. */
export function answers(query: DnsMessage, reply: DnsMessage): boolean {
  const a = query.questions[0];
  const b = reply.questions[0];
  if (!reply.response || reply.id !== query.id) return false;
  if (!b) return reply.rcode !== 'NOERROR';
  return a.type === b.type && a.name.toLowerCase() === b.name.toLowerCase();
}

export interface Exchange {
  message: DnsMessage;
  bytes: Uint8Array;
}

/** Why no answer came: an errno of a stage, or `timeout`. */
export interface ExchangeFailure {
  stage: 'setup' | 'connect' | 'io';
  /** The question could not even be sent. */
  sending?: true;
  error: Errno | 'timeout' | 'eof';
}

export const failed = (r: Exchange | ExchangeFailure): r is ExchangeFailure => 'stage' in r;

export interface ExchangeOptions {
  port?: number;
  timeoutMs: number;
  source?: Ip | null;
  sourcePort?: number;
  /** For the connection alone; `timeoutMs` then begins once there is one. */
  connectTimeoutMs?: number;
  /** IP_RECVERR: an unreachable host is an error at once, too. */
  receiveErrors?: boolean;
}

/** A socket that asks one server, as often as one likes; the failure when there is none to be had. */
export function* dialUdp(p: Process, server: Ip, o: Omit<ExchangeOptions, 'timeoutMs'>): Co<Socket | ExchangeFailure> {
  const s = socket(p, 'udp', familyOf(server));
  if (typeof s === 'string') return { stage: 'setup', error: s };
  if (o.receiveErrors) s.options.set('recverr', 1);
  s.options.set('mtu_discover', 0); // IP_PMTUDISC_OMIT, as libuv's users ask for: never DF
  const bound = o.source || o.sourcePort ? bind(s, o.source ?? null, o.sourcePort ?? 0) : null;
  const error = bound ?? (yield* connect(s, server, o.port ?? 53));
  if (!error) return s;
  close(s);
  return { stage: 'setup', error };
}

/** One question over a socket of dialUdp, and the answer to it alone. */
export function* askUdp(s: Socket, query: DnsMessage, timeoutMs: number): Co<Exchange | ExchangeFailure> {
  const { sim } = s.netns.kernel;
  const sent = yield* send(s, encodeMessage(query));
  if (typeof sent === 'string') return { stage: 'io', sending: true, error: sent };
  const until = sim.nowMs + timeoutMs;
  for (;;) {
    const left = until - sim.nowMs;
    if (left <= 0) return { stage: 'io', error: 'timeout' };
    const got = yield* recv(s, left);
    if (got === 'EAGAIN') return { stage: 'io', error: 'timeout' };
    if (typeof got === 'string') return { stage: 'io', error: got };
    const message = decodeMessage(got);
    if (message && answers(query, message)) return { message, bytes: got };
  }
}

export function* exchangeUdp(p: Process, server: Ip, query: DnsMessage, o: ExchangeOptions): Co<Exchange | ExchangeFailure> {
  const s = yield* dialUdp(p, server, o);
  if ('stage' in s) return s;
  try {
    return yield* askUdp(s, query, o.timeoutMs);
  } finally {
    close(s);
  }
}

/** The same over TCP; a connection may take `connectTimeoutMs`. */
export function* dialTcp(p: Process, server: Ip, o: ExchangeOptions): Co<Socket | ExchangeFailure> {
  const s = socket(p, 'tcp', familyOf(server));
  if (typeof s === 'string') return { stage: 'setup', error: s };
  const bound = o.source ? bind(s, o.source, o.sourcePort ?? 0) : null;
  if (bound) {
    close(s);
    return { stage: 'setup', error: bound };
  }
  const connected = yield* connect(s, server, o.port ?? 53, o.connectTimeoutMs ?? o.timeoutMs);
  if (!connected) return s;
  close(s);
  return { stage: 'connect', error: connected === 'ETIMEDOUT' || connected === 'EINPROGRESS' ? 'timeout' : connected };
}

export function* askTcp(s: Socket, query: DnsMessage, timeoutMs: number): Co<Exchange | ExchangeFailure> {
  const { sim } = s.netns.kernel;
  const until = sim.nowMs + timeoutMs;
  const sent = yield* send(s, frameForTcp(encodeMessage(query)));
  if (typeof sent === 'string') return { stage: 'io', sending: true, error: sent };
  let buffer: Uint8Array = new Uint8Array(0);
  for (;;) {
    const left = until - sim.nowMs;
    const got = left > 0 ? yield* recv(s, left) : 'EAGAIN';
    if (got === 'EAGAIN') return { stage: 'io', error: 'timeout' };
    if (typeof got === 'string') return { stage: 'io', error: got };
    if (!got.length) return { stage: 'io', error: 'eof' };
    buffer = concat([buffer, got]);
    const size = buffer.length >= 2 ? (buffer[0] << 8) | buffer[1] : 65536;
    if (buffer.length < size + 2) continue;
    const bytes = buffer.subarray(2, size + 2);
    const message = decodeMessage(bytes);
    if (message && answers(query, message)) return { message, bytes };
    buffer = buffer.slice(size + 2);
  }
}

export function* exchangeTcp(p: Process, server: Ip, query: DnsMessage, o: ExchangeOptions): Co<Exchange | ExchangeFailure> {
  const startMs = p.kernel.sim.nowMs;
  const s = yield* dialTcp(p, server, o);
  if ('stage' in s) return s;
  try {
    return yield* askTcp(s, query, o.connectTimeoutMs ? o.timeoutMs : startMs + o.timeoutMs - p.kernel.sim.nowMs);
  } finally {
    close(s);
  }
}
