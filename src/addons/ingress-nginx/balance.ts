// The endpoint that gets a request, what is sent to it, and what comes of its failures (rootfs/etc/nginx/lua/balancer.lua, nginx.tmpl).
import { complain, strerror } from '../../linux/process.ts';
import type { Errno } from '../../linux/types.ts';
import { hex, stringToBytes } from '../../sim/bytes.ts';
import { sha1 } from '../../sim/sha1.ts';
import type { Co } from '../../sim/task.ts';
import { type Headers, header } from '../../userland/http.ts';
import type { Reply, Served } from '../../userland/http-server.ts';
import { getaddrinfo } from '../../userland/net/resolver.ts';
import { slashTime } from '../../userland/servers/daemon.ts';
import { errorPage, errorText } from '../../userland/servers/nginx-pages.ts';
import { plain } from '../../userland/servers/nginx-scope.ts';
import { exchange, HOP_BY_HOP, hasFailed, type UpstreamFailure } from '../../userland/servers/upstream.ts';
import { formatIp } from '../../wire/ip.ts';
import type { Options, Upstream } from './config.ts';
import { cookieOf, type IngressProxy, type Trip } from './state.ts';

interface Errand {
  upstream: Upstream;
  secure: boolean;
  target: string;
  trip: Trip;
  options: Options | null;
}

/** A cookie's value names its endpoint. */
const stickyValue = (e: { host: string; port: number }) => hex(sha1(stringToBytes(`${e.host}:${e.port}`)).subarray(0, 16));

function first(x: IngressProxy, req: Served, e: Errand): { index: number; cookie: string | null } {
  const { endpoints, name, hashBy } = e.upstream;
  const sticky = e.options?.affinity;
  if (sticky) {
    const value = cookieOf(req, sticky.cookie)?.split('|')[1] ?? cookieOf(req, sticky.cookie);
    const index = endpoints.findIndex(p => stickyValue(p) === value);
    if (index >= 0) return { index, cookie: null };
  }
  const client = formatIp(plain(req.remote));
  if (hashBy) {
    const key = hashBy
      .replace(/\$(remote_addr|binary_remote_addr)/g, client)
      .replace(/\$request_uri|\$uri/g, req.target)
      .replace(/\$host/g, header(req.headers, 'Host') ?? '');
    const h = sha1(stringToBytes(key));
    return { index: ((h[0] << 16) | (h[1] << 8) | h[2]) % endpoints.length, cookie: null };
  }
  const turn = x.turns.get(name) ?? 0;
  x.turns.set(name, turn + 1);
  const index = turn % endpoints.length;
  return { index, cookie: sticky ? `${sticky.cookie}=${stickyValue(endpoints[index])}; Path=/; HttpOnly` : null };
}

function headersFor(req: Served, e: Errand): Headers {
  const host = header(req.headers, 'Host') ?? '';
  const client = formatIp(plain(req.remote));
  const name = host.replace(/:\d+$/, '');
  const port = e.secure ? '443' : '80';
  const out: Headers = [
    ['Host', e.options?.upstreamVhost ?? host],
    ['X-Request-ID', e.trip.id],
    ['X-Real-IP', client],
    ['X-Forwarded-For', client],
    ['X-Forwarded-Host', name],
    ['X-Forwarded-Port', port],
    ['X-Forwarded-Proto', e.secure ? 'https' : 'http'],
    ['X-Forwarded-Scheme', e.secure ? 'https' : 'http'],
    ['X-Scheme', e.secure ? 'https' : 'http'],
  ];
  if (e.options?.forwardedPrefix) out.push(['X-Forwarded-Prefix', e.options.forwardedPrefix]);
  const given = header(req.headers, 'X-Forwarded-For');
  if (given) out.push(['X-Original-Forwarded-For', given]);
  const set = new Set(out.map(([n]) => n.toLowerCase()));
  out.push(...req.headers.filter(([n]) => !set.has(n.toLowerCase()) && !HOP_BY_HOP.has(n.toLowerCase())));
  return out;
}

const page = (status: number): Reply => ({
  status,
  reason: errorText(status),
  headers: [['Content-Type', 'text/html']],
  body: errorPage(status, '').replace('nginx/', 'nginx'),
});

const NUMBERS: Partial<Record<Errno, number>> = { ECONNREFUSED: 111, EHOSTUNREACH: 113, ENETUNREACH: 101, ETIMEDOUT: 110, ECONNRESET: 104 };

function log(x: IngressProxy, req: Served, why: string, upstream: string): void {
  const { p } = x;
  const line = `client: ${formatIp(plain(req.remote))}, server: , request: "${req.method} ${req.target} ${req.version}", upstream: "${upstream}", host: "${header(req.headers, 'Host') ?? ''}"`;
  complain(p, `${slashTime(p.kernel.sim.nowMs)} [error] 25#25: *${x.requests} ${why}, ${line}\n`);
}

function why(f: UpstreamFailure): string {
  if (f.failed === 'timeout') return 'upstream timed out (110: Operation timed out) while reading response header from upstream';
  if (f.failed === 'closed') return 'upstream prematurely closed connection while reading response header from upstream';
  if (timedOut(f)) return 'upstream timed out (110: Operation timed out) while connecting to upstream';
  const words = f.errno === 'EHOSTUNREACH' ? 'Host is unreachable' : strerror(f.errno);
  return `connect() failed (${NUMBERS[f.errno] ?? 5}: ${words}) while connecting to upstream`;
}

const timedOut = (f: UpstreamFailure): boolean =>
  f.failed === 'timeout' || (f.failed === 'connect' && (f.errno === 'ETIMEDOUT' || f.errno === 'EINPROGRESS'));

/** Try endpoints until one answers. */
export function* balance(x: IngressProxy, req: Served, e: Errand): Co<Reply> {
  const { endpoints } = e.upstream;
  if (!endpoints.length) return page(503);
  const { p } = x;
  const start = first(x, req, e);
  const tries = Math.min(e.options?.tries ?? 3, Math.max(3, endpoints.length));
  const told = { addresses: [] as string[], statuses: [] as string[], times: [] as string[] };
  const tell = (address: string, status: number, fromMs: number) => {
    told.addresses.push(address);
    told.statuses.push(String(status));
    told.times.push(((p.kernel.sim.nowMs - fromMs) / 1000).toFixed(3));
    Object.assign(e.trip, { address: told.addresses.join(', '), status: told.statuses.join(', '), seconds: told.times.join(', ') });
  };
  let last = page(502);
  for (let i = 0; i < tries; i++) {
    const { host, port } = endpoints[(start.index + i) % endpoints.length];
    const fromMs = p.kernel.sim.nowMs;
    const found = yield* getaddrinfo(p, host, { libc: 'musl' });
    if (typeof found === 'string') {
      log(x, req, `${host} could not be resolved (3: Host not found)`, host);
      return page(503);
    }
    const shown = `${formatIp(found.addresses[0])}:${port}`;
    const request = { method: req.method, target: e.target, headers: headersFor(req, e), body: req.body };
    const tls = e.options?.secureUpstream ? { sni: null } : undefined;
    const got = yield* exchange(p, found.addresses[0], port, request, {
      connectMs: e.options?.connectMs ?? 5000,
      readMs: e.options?.readMs ?? 60_000,
      tls,
    });
    if (!hasFailed(got)) {
      tell(shown, got.head.status, fromMs);
      e.trip.length = String(got.body.length);
      const headers: Headers = got.head.headers.filter(([n]) => !HOP_BY_HOP.has(n.toLowerCase()) && !/^(server|date)$/i.test(n));
      const length = header(got.head.headers, 'Content-Length');
      if (length !== undefined) headers.push(['Content-Length', length]);
      if (start.cookie) headers.push(['Set-Cookie', start.cookie]);
      return { status: got.head.status, reason: got.head.reason, headers, body: got.body };
    }
    log(x, req, why(got), `${e.options?.secureUpstream ? 'https' : 'http'}://${shown}${e.target}`);
    last = page(timedOut(got) ? 504 : 502);
    tell(shown, last.status, fromMs);
    // A request that may have had its effect is not sent twice.
    if (got.failed !== 'connect' && !/^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(req.method)) break;
  }
  return last;
}
