// One server that plugin/forward asks (coredns 1.14.2, plugin/pkg/proxy): exchanges over real sockets, and checks after one has failed.

import { close, type Socket } from '../../linux/socket.ts';
import { below } from '../../sim/random.ts';
import { type Co, sleep, startTask, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import {
  askTcp,
  askUdp,
  dialTcp,
  dialUdp,
  type Exchange,
  type ExchangeFailure,
  exchangeTcp,
  exchangeUdp,
  failed,
} from '../../userland/net/dns-client.ts';
import type { DnsMessage, Rcode } from '../../wire/dns.ts';
import { newMessage } from '../../wire/dns-codec.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { increase, observe } from '../metrics.ts';
import type { Instance, Request } from '../types.ts';

type Proto = 'udp' | 'tcp';

interface Connection {
  /** null: an earlier command had it; its port is known. */
  socket: Socket | null;
  port: number;
  usedMs: number;
}

export interface Options {
  except: string[];
  policy: 'random' | 'round_robin' | 'sequential';
  forceTcp: boolean;
  preferUdp: boolean;
  /** Answers with these codes are not the last word: the next upstream, or the next forward, is asked. */
  failover: Rcode[];
  next: Rcode[];
  /** 0: any number. */
  maxConcurrent: number;
  /** More failed checks than this in a row: the upstream is down. 0: nobody is checked. */
  maxFails: number;
  /** Failed attempts of one query; 0: any number. */
  maxAttempts: number;
  /** How long a connection may be idle, and how many may be (0: any number). */
  expireMs: number;
  maxIdle: number;
  /** When all are down, none is tried. */
  failFast: boolean;
  health: { everyMs: number; recursion: boolean; domain: string };
}

export interface Upstream {
  ip: Ip;
  port: number;
  /** Nobody speaks TLS here: connections are made, and end there. */
  tls: boolean;
  /** Connections that can be used again, the oldest first. */
  idle: Record<Proto, Connection[]>;
  /** How long connections took of late (plugin/pkg/proxy/connect.go: a running mean of weight 4). */
  dialMs: number;
  /** Failed checks in a row. */
  fails: number;
  /** It is checked until it answers. */
  checking: boolean;
  lastCheckMs: number;
  /** The first check since the process was woken is on its way: before it nothing is known. */
  waking: WaitQueue | null;
}

const [LEAST_DIAL_MS, MOST_DIAL_MS] = [1000, 30_000];
const DIAL_WEIGHT = 4;
const READ_TIMEOUT_MS = 2000;
const CHECK_TIMEOUT_MS = 1000;
/** An answer of somebody who is there comes sooner. */
const WAKING_MS = 20;

export const newUpstream = (ip: Ip, port: number, tls = false): Upstream => ({
  ip,
  port,
  tls,
  idle: { udp: [], tcp: [] },
  dialMs: MOST_DIAL_MS / 2,
  fails: 0,
  checking: false,
  lastCheckMs: 0,
  waking: null,
});

export const addressOf = (u: Upstream): string => hostPort(u.ip, u.port);

/** Proxy.Connect: by the protocol that the client came by, unless the block says otherwise. -> the message, or the error's text */
export function* exchange(instance: Instance, u: Upstream, r: Request, o: Options): Co<DnsMessage | string> {
  const { sim } = instance.server;
  const startMs = sim.nowMs;
  let tcp = o.forceTcp || u.tls || (r.proto === 'tcp' && !o.preferUdp);
  const query: DnsMessage = { ...r.query, id: below(sim.random, 65536) };
  let got = yield* once(instance, u, query, tcp, o);
  if (!tcp && o.preferUdp && typeof got !== 'string' && got.tc) {
    tcp = true;
    got = yield* once(instance, u, query, tcp, o);
  }
  if (typeof got === 'string') return got;
  observe(instance.metrics, 'coredns_proxy_request_duration_seconds', (sim.nowMs - startMs) / 1000, ['forward', addressOf(u), got.rcode]);
  return { ...got, id: r.query.id };
}

/** Transport.Dial: the connection that has been idle for longest, unless that is too long; else a new one. Failed ones are not given back. */
function* once(instance: Instance, u: Upstream, query: DnsMessage, tcp: boolean, o: Options): Co<DnsMessage | string> {
  const proto = tcp ? 'tcp' : 'udp';
  const labels = ['forward', addressOf(u), u.tls ? 'tcp-tls' : proto];
  for (;;) {
    let s = yield* idle(instance, u, proto, o.expireMs);
    const cached = s !== null;
    increase(instance.metrics, `coredns_proxy_conn_cache_${cached ? 'hits' : 'misses'}_total`, ...labels);
    if (!s) {
      const made = yield* dial(instance, u, tcp);
      if ('stage' in made) return describe(made, u, proto, null);
      s = made;
    }
    let got: Exchange | ExchangeFailure = { stage: 'io', error: 'eof' };
    if (!u.tls) got = yield* tcp ? askTcp(s, query, READ_TIMEOUT_MS) : askUdp(s, query, READ_TIMEOUT_MS);
    if (!failed(got)) {
      giveBack(instance, u, proto, s, o.maxIdle);
      return got.message;
    }
    const text = describe(got, u, proto, s);
    close(s);
    // The other side has closed it meanwhile.
    if (!(cached && got.error === 'eof')) return text;
  }
}

/** A connection may take twice the time that the last ones took, so that the first one to nowhere outlasts the query. */
function* dial(instance: Instance, u: Upstream, tcp: boolean): Co<Socket | ExchangeFailure> {
  const { sim } = instance.server;
  const startMs = sim.nowMs;
  const connectTimeoutMs = u.dialMs < LEAST_DIAL_MS ? LEAST_DIAL_MS : u.dialMs < MOST_DIAL_MS / 2 ? 2 * u.dialMs : MOST_DIAL_MS;
  const made = tcp
    ? yield* dialTcp(instance.p, u.ip, { port: u.port, timeoutMs: connectTimeoutMs })
    : yield* dialUdp(instance.p, u.ip, { port: u.port });
  u.dialMs += (sim.nowMs - startMs - u.dialMs) / DIAL_WEIGHT;
  return made;
}

function* idle(instance: Instance, u: Upstream, proto: Proto, expireMs: number): Co<Socket | null> {
  for (let c = u.idle[proto].shift(); c; c = u.idle[proto].shift()) {
    if (instance.server.sim.nowMs - c.usedMs > expireMs) {
      if (c.socket) close(c.socket);
      continue;
    }
    if (c.socket) return c.socket;
    // One that an earlier command left: the same port again.
    const again = yield* dialUdp(instance.p, u.ip, { port: u.port, sourcePort: c.port });
    if (!('stage' in again)) return again;
  }
  return null;
}

function giveBack(instance: Instance, u: Upstream, proto: Proto, socket: Socket, maxIdle: number): void {
  const list = u.idle[proto];
  if (instance.stopped || (maxIdle > 0 && list.length >= maxIdle)) close(socket);
  else list.push({ socket, port: socket.localPort, usedMs: instance.server.sim.nowMs });
}

const hostPort = (ip: Ip, port: number): string => (ip.length === 16 ? `[${formatIp(ip)}]:${port}` : `${formatIp(ip)}:${port}`);

/** net.OpError's words; `s`: what there was to ask over. */
function describe(f: ExchangeFailure, u: Upstream, proto: Proto, s: Socket | null): string {
  if (f.error === 'eof') return 'EOF';
  const what = f.error === 'timeout' ? 'i/o timeout' : (ERRORS[f.error] ?? f.error);
  if (!s) return `dial ${proto} ${addressOf(u)}: ${f.error === 'timeout' ? what : `connect: ${what}`}`;
  const op = f.sending ? 'write' : 'read';
  const way = `${op} ${proto} ${s.local ? hostPort(s.local, s.localPort) : ''}->${addressOf(u)}`;
  return `${way}: ${f.error === 'timeout' ? what : `${op}: ${what}`}`;
}

const ERRORS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EPERM: 'operation not permitted',
  EACCES: 'permission denied',
  EPIPE: 'broken pipe',
};

// -- checks

export const isDown = (u: Upstream, o: Options): boolean => o.maxFails > 0 && u.fails > o.maxFails;

/** up.Probe.Do: checked at once and then again and again until it answers. */
export function check(instance: Instance, u: Upstream, o: Options): void {
  if (u.checking) return;
  u.checking = true;
  startTask(instance.server.sim, checks(instance, u, o), true);
}

function* checks(instance: Instance, u: Upstream, o: Options): Co<void> {
  const { sim } = instance.server;
  while (!instance.stopped) {
    const query = { ...newMessage(below(sim.random, 65536), o.health.domain, 'NS'), rd: o.health.recursion };
    const options = { port: u.port, timeoutMs: CHECK_TIMEOUT_MS };
    const tcp = o.forceTcp || u.tls;
    u.lastCheckMs = sim.nowMs;
    const got = yield* tcp ? exchangeTcp(instance.p, u.ip, query, options) : exchangeUdp(instance.p, u.ip, query, options);
    const dead = failed(got) || u.tls;
    if (dead) {
      u.fails++;
      increase(instance.metrics, 'coredns_proxy_healthcheck_failures_total', 'forward', addressOf(u));
    } else u.fails = 0;
    if (u.waking) wakeAll(u.waking);
    u.waking = null;
    if (!dead) break;
    yield* sleep(sim, o.health.everyMs);
  }
  u.checking = false;
}

// -- between two commands

interface Kept {
  address: string;
  dialMs: number;
  fails: number;
  checking: boolean;
  lastCheckMs: number;
  /** UDP ports of idle connections; those over TCP do not outlive their other side. */
  idle: { port: number; usedMs: number }[];
}

export const keptUpstreams = (list: Upstream[]): Kept[] =>
  list.map(u => ({
    address: addressOf(u),
    dialMs: u.dialMs,
    fails: u.fails,
    checking: u.checking,
    lastCheckMs: u.lastCheckMs,
    idle: u.idle.udp.map(({ port, usedMs }) => ({ port, usedMs })),
  }));

export function closeIdle(u: Upstream): void {
  for (const c of [...u.idle.udp.splice(0), ...u.idle.tcp.splice(0)]) if (c.socket) close(c.socket);
}

/** One that was being checked has been checked all the while; what came of it the next check tells. */
export function restoreUpstreams(instance: Instance, list: Upstream[], o: Options, kept: Kept[]): void {
  for (const u of list) {
    const k = kept.find(x => x.address === addressOf(u));
    if (!k) continue;
    u.dialMs = k.dialMs;
    u.fails = k.fails;
    u.idle.udp = k.idle.map(c => ({ socket: null, ...c }));
    if (!k.checking) continue;
    u.fails += Math.floor((instance.server.sim.nowMs - k.lastCheckMs) / Math.max(1, o.health.everyMs));
    u.waking = new Set();
    instance.starts.push(function* () {
      check(instance, u, o);
    });
  }
}

export function* awake(instance: Instance, list: Upstream[]): Co<void> {
  for (const u of list) if (u.waking) yield* waitOn(instance.server.sim, [u.waking], WAKING_MS);
}
