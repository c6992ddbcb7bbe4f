// One request to a cluster: an endpoint by the balancer's choice, tried again as the route says (Envoy's router filter).
import { stringToBytes } from '../../sim/bytes.ts';
import { nextFloat } from '../../sim/random.ts';
import { sha256 } from '../../sim/sha256.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { type Headers, header } from '../../userland/http.ts';
import type { Reply } from '../../userland/http-server.ts';
import { getaddrinfo } from '../../userland/net/resolver.ts';
import { exchange, hasFailed, type UpstreamAnswer, type UpstreamFailure, type UpstreamOptions } from '../../userland/servers/upstream.ts';
import { splitTarget } from '../../userland/url.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { localReply, passedOn, resetReason, resetText } from '../envoy/local-reply.ts';
import { type Cluster, speaksMtls } from './destination.ts';
import { milliseconds } from './mesh-config.ts';
import { type EnvoyProxy, ownCertificate } from './proxy.ts';
import type { Endpoint } from './registry.ts';

export interface Target {
  ip: Ip;
  port: number;
  endpoint: Endpoint | null;
}

export interface Outgoing {
  method: string;
  target: string;
  headers: Headers;
  body: Uint8Array;
  /** Where the client had wanted to go: for clusters that go there. */
  original: { ip: Ip; port: number } | null;
  sourceIp: Ip;
}

export interface RetryPolicy {
  attempts: number;
  perTryMs: number | null;
  on: string[];
}

/** What came of it, with what a log tells of it. */
export interface Outcome {
  reply: Reply;
  flags: string;
  details: string;
  transport: string;
  upstream: { ip: Ip; port: number } | null;
  local: { ip: Ip; port: number } | null;
  /** Until the upstream's answer was there; null: there was none. */
  serviceMs: number | null;
}

export const outcome = (reply: Reply, flags: string, details: string): Outcome => ({
  reply,
  flags,
  details,
  transport: '',
  upstream: null,
  local: null,
  serviceMs: null,
});

const DEFAULT_ON = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', '503'];

/** pilot/pkg/networking/core/route/retry: two more attempts unless the route says otherwise. */
export function retriesOf(route: any): RetryPolicy {
  const r = route?.retries;
  if (!r) return { attempts: 2, perTryMs: null, on: DEFAULT_ON };
  const words = (r.retryOn ?? '')
    .split(',')
    .map((w: string) => w.trim())
    .filter(Boolean);
  return { attempts: r.attempts ?? 2, perTryMs: milliseconds(r.perTryTimeout), on: words.length ? words : DEFAULT_ON };
}

/** Envoy waits for an answer as long as the route's timeout says, which is none. */
const IDLE_MS = 3_600_000;

/** The alternatives of a cluster, as addresses; a name that cannot be resolved gives none. */
export function* targetsOf(x: EnvoyProxy, c: Cluster, original: Outgoing['original']): Co<Target[]> {
  if (c.resolution === 'none') return [];
  if (c.resolution === 'original') {
    if (!original) return [];
    const text = formatIp(original.ip);
    return [{ ...original, endpoint: c.endpoints.find(e => e.host === text) ?? null }];
  }
  const out: Target[] = [];
  for (const e of c.endpoints) {
    const ip = parseIp(e.host);
    if (ip) out.push({ ip, port: e.port, endpoint: e });
    else {
      const r = yield* getaddrinfo(x.p, e.host, { libc: 'glibc', family: 4 });
      if (typeof r !== 'string') for (const a of r.addresses) out.push({ ip: a, port: e.port, endpoint: e });
    }
  }
  return out;
}

function hashOf(c: Cluster, o: Outgoing): number | null {
  const { hash } = c;
  if (!hash) return null;
  const cookie = new RegExp(`(?:^|;\\s*)${hash.cookie ?? ''}=([^;]*)`).exec(header(o.headers, 'Cookie') ?? '')?.[1];
  const value = hash.header
    ? header(o.headers, hash.header)
    : hash.cookie
      ? cookie
      : hash.query
        ? splitTarget(o.target).query.get(hash.query)?.[0]
        : hash.sourceIp
          ? formatIp(o.sourceIp)
          : undefined;
  if (value === undefined) return null;
  const [a, b, d, e] = sha256(stringToBytes(value));
  return ((a << 24) | (b << 16) | (d << 8) | e) >>> 0;
}

/** By weight among equals; hosts that were tried are avoided while there are others. */
export function pick(x: EnvoyProxy, c: Cluster, list: Target[], tried: Set<Target>, o: Outgoing): Target | null {
  const fresh = list.filter(t => !tried.has(t));
  const from = fresh.length ? fresh : list;
  if (from.length < 2) return from[0] ?? null;
  const hash = hashOf(c, o);
  if (hash !== null) return from[hash % from.length];
  if (c.balance === 'ROUND_ROBIN') {
    const turn = x.turns.get(c.name) ?? Math.floor(nextFloat(x.p.kernel.sim.random) * from.length);
    x.turns.set(c.name, turn + 1);
    return from[turn % from.length];
  }
  const total = from.reduce((n, t) => n + (t.endpoint?.weight ?? 1), 0);
  let at = nextFloat(x.p.kernel.sim.random) * total;
  for (const t of from) if ((at -= t.endpoint?.weight ?? 1) < 0) return t;
  return from[from.length - 1];
}

/** How the connection to an endpoint is secured. */
export function tlsFor(x: EnvoyProxy, c: Cluster, t: Target): UpstreamOptions['tls'] {
  if (c.tls === 'SIMPLE' || c.tls === 'MUTUAL') return { sni: c.sni };
  if (t.endpoint ? !speaksMtls(x.server, c, t.endpoint) : c.tls !== 'ISTIO_MUTUAL') return undefined;
  return { sni: c.sni, alpn: ['istio-http/1.1', 'istio', 'http/1.1'], certificate: ownCertificate(x) };
}

function retriable(on: string[], status: number | null, failed: 'connect' | 'closed' | 'timeout' | null): boolean {
  const has = (w: string) => on.includes(w);
  if (failed === 'connect') return has('connect-failure') || has('5xx') || has('gateway-error');
  if (failed === 'closed') return has('reset') || has('5xx') || has('gateway-error') || has('reset-before-request');
  if (failed === 'timeout') return has('5xx') || has('gateway-error') || has('504');
  if (status === null) return false;
  if (has('5xx') && status >= 500) return true;
  if (has('gateway-error') && status >= 502 && status <= 504) return true;
  if (has('retriable-4xx') && status === 409) return true;
  return has(String(status));
}

/** Base interval of retries; Envoy rolls dice below it, here it is what it is. */
const BACKOFF_MS = 25;

export function* forward(x: EnvoyProxy, c: Cluster, o: Outgoing, retries: RetryPolicy, timeoutMs: number | null): Co<Outcome> {
  const sim = x.p.kernel.sim;
  const fromMs = sim.nowMs;
  const deadline = timeoutMs === null ? Number.POSITIVE_INFINITY : fromMs + timeoutMs;
  const targets = yield* targetsOf(x, c, o.original);
  if (c.resolution === 'none') return outcome(localReply(502, ''), '-', 'direct_response');
  const tried = new Set<Target>();
  for (let attempt = 1; ; attempt++) {
    const t = pick(x, c, targets, tried, o);
    if (!t) return outcome(localReply(503, 'no healthy upstream'), 'UH', 'no_healthy_upstream');
    tried.add(t);
    const left = Math.min(deadline - sim.nowMs, retries.perTryMs ?? Number.POSITIVE_INFINITY);
    const limits = { connectMs: Math.min(c.connectMs, left), readMs: Math.min(IDLE_MS, left) };
    const headers: Headers = o.headers.map(([n, v]) => [n, n === 'x-envoy-attempt-count' ? String(attempt) : v]);
    const tls = tlsFor(x, c, t);
    const got = yield* exchange(x.p, t.ip, t.port, { ...o, headers }, { ...limits, ...(tls ? { tls } : {}) });
    const late = sim.nowMs >= deadline;
    const again = attempt <= retries.attempts && !late;
    const failed = hasFailed(got) ? got.failed : null;
    // A hello that was answered with something else is a connection that was not made.
    const kind = failed === 'closed' && hasFailed(got) && got.failed === 'closed' && got.tls ? 'connect' : failed;
    if (again && retriable(retries.on, hasFailed(got) ? null : got.head.status, kind)) {
      yield* sleep(sim, Math.min(BACKOFF_MS * attempt, Math.max(0, deadline - sim.nowMs)));
      continue;
    }
    return finished(got, t, attempt, late, sim.nowMs - fromMs);
  }
}

function finished(got: UpstreamAnswer | UpstreamFailure, t: Target, attempt: number, late: boolean, tookMs: number): Outcome {
  const upstream = { ip: t.ip, port: t.port };
  const base = { transport: '', upstream, local: null, serviceMs: null };
  if (!hasFailed(got)) {
    const reply: Reply = { status: got.head.status, reason: got.head.reason, headers: passedOn(got.head.headers), body: got.body };
    return { ...base, reply, flags: '-', details: 'via_upstream', local: got.local, serviceMs: Math.round(tookMs) };
  }
  if (got.failed === 'timeout' || (late && got.failed === 'connect'))
    return { ...base, reply: localReply(504, 'upstream request timeout'), flags: 'UT', details: 'response_timeout' };
  const { flags, reason, transport } = resetReason(got);
  const words = reason.replace(/,? transport failure reason: .*/s, '').replaceAll(' ', '_');
  const details = `upstream_reset_before_response_started{${words}${transport ? `|${transport.replaceAll(' ', '_')}` : ''}}`;
  return {
    ...base,
    reply: localReply(503, resetText(reason, attempt > 1)),
    flags: attempt > 1 ? `${flags},URX` : flags,
    details,
    transport,
  };
}
