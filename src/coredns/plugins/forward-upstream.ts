// One server that plugin/forward asks (coredns 1.14.2, plugin/pkg/proxy): exchanges over real sockets, and checks after one has failed.
import { below } from '../../sim/random.ts';
import { type Co, sleep, startTask, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import {
  type Exchange,
  type ExchangeFailure,
  type ExchangeOptions,
  exchangeTcp,
  exchangeUdp,
  failed,
} from '../../userland/net/dns-client.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { newMessage } from '../../wire/dns-codec.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { increase, observe } from '../metrics.ts';
import type { Instance, Request } from '../types.ts';
import type { Options } from './forward-setup.ts';

export interface Upstream {
  ip: Ip;
  port: number;
  /** Nobody speaks TLS here: connections are made, and end there. */
  tls: boolean;
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
  dialMs: MOST_DIAL_MS / 2,
  fails: 0,
  checking: false,
  lastCheckMs: 0,
  waking: null,
});

export const addressOf = (u: Upstream): string => (u.ip.length === 16 ? `[${formatIp(u.ip)}]:${u.port}` : `${formatIp(u.ip)}:${u.port}`);

/** Proxy.Connect: by the protocol that the client came by, unless the block says otherwise. -> the message, or the error's text */
export function* exchange(instance: Instance, u: Upstream, r: Request, o: Options): Co<DnsMessage | string> {
  const { sim } = instance.server;
  const startMs = sim.nowMs;
  let tcp = o.forceTcp || u.tls || (r.proto === 'tcp' && !o.preferUdp);
  const query: DnsMessage = { ...r.query, id: below(sim.random, 65536) };
  let got = yield* once(instance, u, query, tcp);
  if (!tcp && o.preferUdp && !failed(got) && got.message.tc) {
    tcp = true;
    got = yield* once(instance, u, query, tcp);
  }
  if (failed(got)) return describe(got, u, tcp ? 'tcp' : 'udp', instance);
  const { message } = got;
  observe(instance.metrics, 'coredns_proxy_request_duration_seconds', (sim.nowMs - startMs) / 1000, [
    'forward',
    addressOf(u),
    message.rcode,
  ]);
  return { ...message, id: r.query.id };
}

/** A connection may take twice the time that the last ones took, so that the first one to nowhere outlasts the query. */
function* once(instance: Instance, u: Upstream, query: DnsMessage, tcp: boolean): Co<Exchange | ExchangeFailure> {
  const { sim } = instance.server;
  const startMs = sim.nowMs;
  const options: ExchangeOptions = { port: u.port, timeoutMs: READ_TIMEOUT_MS };
  increase(instance.metrics, 'coredns_proxy_conn_cache_misses_total', 'forward', addressOf(u), u.tls ? 'tcp-tls' : tcp ? 'tcp' : 'udp');
  if (!tcp) {
    u.dialMs -= u.dialMs / DIAL_WEIGHT;
    return yield* exchangeUdp(instance.p, u.ip, query, options);
  }
  const connectTimeoutMs = u.dialMs < LEAST_DIAL_MS ? LEAST_DIAL_MS : u.dialMs < MOST_DIAL_MS / 2 ? 2 * u.dialMs : MOST_DIAL_MS;
  const got = yield* exchangeTcp(instance.p, u.ip, query, { ...options, connectTimeoutMs });
  u.dialMs += (sim.nowMs - startMs - u.dialMs) / DIAL_WEIGHT;
  return u.tls && !failed(got) ? { stage: 'io', error: 'eof' } : got;
}

function describe(f: ExchangeFailure, s: Upstream, proto: string, instance: Instance): string {
  const address = addressOf(s);
  const mine = [...instance.p.netns.links.values()]
    .flatMap(l => l.addresses)
    .find(a => a.scope === 'global' && a.ip.length === s.ip.length);
  const local = mine ? `${formatIp(mine.ip)}:${32768 + below(instance.server.sim.random, 28232)}` : '';
  if (f.error === 'ECONNREFUSED')
    return proto === 'tcp' ? `dial tcp ${address}: connect: connection refused` : `read udp ${local}->${address}: read: connection refused`;
  if (f.error === 'EHOSTUNREACH') return `read ${proto} ${local}->${address}: read: no route to host`;
  if (f.error === 'ENETUNREACH') return `dial ${proto} ${address}: connect: network is unreachable`;
  return proto === 'tcp' && f.stage === 'connect' ? `dial tcp ${address}: i/o timeout` : `read ${proto} ${local}->${address}: i/o timeout`;
}

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
}

export const keptUpstreams = (list: Upstream[]): Kept[] =>
  list.map(u => ({ address: addressOf(u), dialMs: u.dialMs, fails: u.fails, checking: u.checking, lastCheckMs: u.lastCheckMs }));

/** One that was being checked has been checked all the while; what came of it the next check tells. */
export function restoreUpstreams(instance: Instance, list: Upstream[], o: Options, kept: Kept[]): void {
  for (const u of list) {
    const k = kept.find(x => x.address === addressOf(u));
    if (!k) continue;
    u.dialMs = k.dialMs;
    u.fails = k.fails;
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
