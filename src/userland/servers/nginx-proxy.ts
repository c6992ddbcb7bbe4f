// nginx's proxy_pass: one upstream request per client request, HTTP/1.0 and Connection: close unless told otherwise.
import { complain } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import {
  type Headers,
  header,
  newReader,
  parseResponseHead,
  plainStream,
  readBody,
  readHead,
  responseFraming,
  serialiseHead,
} from '../http.ts';
import type { Reply } from '../http-server.ts';
import { getaddrinfo } from '../net/resolver.ts';
import { parseUrl } from '../url.ts';
import { slashTime } from './daemon.ts';
import type { Directive } from './nginx-conf.ts';
import { errorPage, errorText } from './nginx-pages.ts';
import { expand, plain, type Scope, setting, settings } from './nginx-scope.ts';

const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'server', 'date', 'content-length']);

const seconds = (text: string | undefined, otherwise: number): number => {
  const m = /^(\d+)(ms|s|m)?$/.exec(text ?? '');
  return m ? Number(m[1]) * (m[2] === 'ms' ? 1 : m[2] === 'm' ? 60_000 : 1000) : otherwise;
};

function failure(s: Scope, status: number): Reply {
  return { status, reason: errorText(status), headers: [['Content-Type', 'text/html']], body: errorPage(status, s.n.version) };
}

function log(s: Scope, why: string, upstream: string): void {
  const { p } = s.n;
  const request = `request: "${s.req.method} ${s.req.target} ${s.req.version}"`;
  const where = `client: ${formatIp(plain(s.req.remote))}, server: , ${request}, upstream: "${upstream}", host: "${header(s.req.headers, 'Host') ?? ''}"`;
  complain(p, `${slashTime(p.kernel.sim.nowMs)} [error] 29#29: *${s.n.requests} ${why}, ${where}\n`);
}

function* addressesOf(s: Scope, host: string): Co<Ip[]> {
  const r = yield* getaddrinfo(s.n.p, host, { libc: 'glibc' });
  return typeof r === 'string' ? [] : r.addresses;
}

/** The group's members in this request's order, or the one host of the URL. */
function members(s: Scope, host: string, port: number | null, usual: number): [string, number][] {
  const group = s.n.upstreams.get(host);
  if (!group) return [[host, port ?? usual]];
  const turn = s.n.turns.get(host) ?? 0;
  s.n.turns.set(host, turn + 1);
  return group.map((_, i) => {
    const [h, n] = group[(turn + i) % group.length].split(':');
    return [h, Number(n ?? 80)];
  });
}

export function* proxyPass(s: Scope, d: Directive): Co<Reply | null> {
  const text = expand(s, d.args[0]);
  const url = parseUrl(text);
  if (!url) return failure(s, 500);
  const { p } = s.n;
  // With a path in proxy_pass the location's prefix is replaced by it.
  const hasPath = /^[a-z]+:\/\/[^/]+\//i.test(text);
  const prefix = s.location?.args[s.location.args.length - 1] ?? '/';
  const target = hasPath && !d.args[0].includes('$') ? url.path + s.req.target.slice(prefix.length) : hasPath ? url.path : s.req.target;
  let last: Reply | null = null;
  for (const [host, port] of members(s, url.host, url.port, url.scheme === 'https' ? 443 : 80)) {
    const addresses = yield* addressesOf(s, host);
    if (!addresses.length) log(s, `${host} could not be resolved (3: Host not found)`, text);
    for (const address of addresses) {
      const upstream = `http://${formatIp(address)}:${port}${target}`;
      const sock = socket(p, 'tcp', address.length === 4 ? 4 : 6);
      if (typeof sock === 'string') return failure(s, 500);
      try {
        const error = yield* connect(sock, address, port, seconds(setting(s, 'proxy_connect_timeout')?.args[0], 60_000));
        if (!error) return yield* forward(s, sock, target, upstream, d);
        const timedOut = error === 'ETIMEDOUT' || error === 'EINPROGRESS';
        const why =
          { ECONNREFUSED: '111: Connection refused', EHOSTUNREACH: '113: Host is unreachable' }[error as string] ??
          `110: Connection timed out`;
        log(
          s,
          timedOut ? `upstream timed out (${why}) while connecting to upstream` : `connect() failed (${why}) while connecting to upstream`,
          upstream,
        );
        last = failure(s, timedOut ? 504 : 502);
      } finally {
        close(sock);
      }
    }
  }
  return last;
}

function* forward(s: Scope, sock: Parameters<typeof close>[0], target: string, upstream: string, d: Directive): Co<Reply> {
  const { req } = s;
  const version = setting(s, 'proxy_http_version')?.args[0] ?? '1.0';
  const passed = /^[a-z]+:\/\/([^/]+)/i.exec(d.args[0])?.[1] ?? '';
  const sets = settings(s, 'proxy_set_header').map(x => [x.args[0], expand(s, x.args[1] ?? '')] as [string, string]);
  const overridden = new Set([
    ...sets.map(([n]) => n.toLowerCase()),
    'host',
    'connection',
    'keep-alive',
    'transfer-encoding',
    'upgrade',
    'content-length',
  ]);
  const headers: Headers = [];
  if (!sets.some(([n]) => n.toLowerCase() === 'host')) headers.push(['Host', expand(s, passed)]);
  headers.push(...sets.filter(([, v]) => v !== ''));
  if (!sets.some(([n]) => n.toLowerCase() === 'connection')) headers.push(['Connection', 'close']);
  if (req.body.length) headers.push(['Content-Length', String(req.body.length)]);
  headers.push(...req.headers.filter(([n]) => !overridden.has(n.toLowerCase())));
  const stream = plainStream(sock);
  const sent = yield* stream.send(concat([stringToBytes(serialiseHead(`${req.method} ${target} HTTP/${version}`, headers)), req.body]));
  const reader = newReader(stream);
  const timeout = seconds(setting(s, 'proxy_read_timeout')?.args[0], 60_000);
  const lines = typeof sent === 'string' ? sent : yield* readHead(reader, timeout);
  if (lines === 'EAGAIN') {
    log(s, 'upstream timed out (110: Connection timed out) while reading response header from upstream', upstream);
    return failure(s, 504);
  }
  const res = Array.isArray(lines) ? parseResponseHead(lines) : null;
  if (!res) {
    const why = lines === null ? 'upstream prematurely closed connection' : 'recv() failed (104: Connection reset by peer)';
    log(s, `${why} while reading response header from upstream`, upstream);
    return failure(s, 502);
  }
  const body = yield* readBody(reader, responseFraming(req.method, res), timeout);
  if (typeof body === 'string') return failure(s, 502);
  const kept = res.headers.filter(([n]) => !HOP.has(n.toLowerCase()));
  const length = header(res.headers, 'Content-Length');
  if (req.method === 'HEAD' && length !== undefined) kept.push(['Content-Length', length]);
  return { status: res.status, reason: res.reason, headers: kept, body };
}
