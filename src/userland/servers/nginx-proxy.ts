// nginx's proxy_pass: one upstream request per client request, HTTP/1.0 and Connection: close unless told otherwise
// (src/http/modules/ngx_http_proxy_module.c, src/http/ngx_http_upstream.c 1.22).
import { strerror } from '../../linux/process.ts';
import { close, connect, type Socket, socket } from '../../linux/socket.ts';
import type { Errno } from '../../linux/types.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import {
  type Headers,
  type HttpResponse,
  header,
  newReader,
  parseResponseHead,
  plainStream,
  readBody,
  readHead,
  responseFraming,
  type Stream,
  serialiseHead,
} from '../http.ts';
import { tlsConnect } from '../tls.ts';
import type { Directive } from './nginx-directives.ts';
import { requestLog } from './nginx-log.ts';
import { type Answer, absoluteUrl, errorAnswer } from './nginx-pages.ts';
import type { Peer, Peers } from './nginx-scope.ts';
import { durationMs, isOn, locationName, pattern, plain, type Scope, setting, settings } from './nginx-scope.ts';
import { freePeer, newPeer, nextPeer, peerText, resolveNow, splitPort } from './nginx-upstream.ts';
import { expand } from './nginx-variables.ts';

/** Of the upstream's answer, what never goes on (ngx_http_proxy_hide_headers), and what belongs to one connection. */
const HIDDEN = new Set(
  'date server x-pad x-accel-expires x-accel-redirect x-accel-limit-rate x-accel-buffering x-accel-charset connection keep-alive'.split(
    ' ',
  ),
);
/** Headers of the client's that are not passed on unless proxy_set_header says so (ngx_http_proxy_headers). */
const OWN = ['host', 'connection', 'content-length', 'transfer-encoding', 'te', 'keep-alive', 'expect', 'upgrade'];

const NUMBERS: Partial<Record<Errno, number>> = {
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  ENETUNREACH: 101,
  ECONNRESET: 104,
  EPERM: 1,
  EACCES: 13,
};
export const errnoText = (e: Errno): string => `${NUMBERS[e] ?? 110}: ${NUMBERS[e] ? strerror(e) : 'Connection timed out'}`;

/** `http://host:port/path` of proxy_pass, with its variables filled in. */
export interface Target {
  scheme: 'http' | 'https';
  /** With the port, as it was written: what Host says. */
  authority: string;
  host: string;
  port: number;
  /** null: no path was given, and the request's own goes on. */
  uri: string | null;
}

export function targetOf(text: string): Target | null {
  const m = /^(https?):\/\/([^/?]*)([/?].*)?$/is.exec(text);
  if (!m) return null;
  const scheme = m[1].toLowerCase() as Target['scheme'];
  const [host, port] = splitPort(m[2], scheme === 'https' ? 443 : 80);
  return { scheme, authority: m[2], host, port, uri: m[3] ?? null };
}

const escapePath = (path: string): string =>
  encodeURI(path)
    .replace(/[?#]/g, c => (c === '?' ? '%3F' : '%23'))
    .replaceAll('%25', '%');

/** ngx_http_proxy_create_request: what is asked of the upstream. */
function uriFor(s: Scope, d: Directive, target: Target): string {
  const query = s.args ? `?${s.args}` : '';
  const own = s.untouched ? s.req.target : escapePath(s.path) + query;
  if (target.uri === null) return own;
  if (d.args[0].includes('$')) return target.uri.startsWith('?') ? `/${target.uri}` : target.uri;
  if (!s.validLocation) return own;
  const [, prefix] = s.chain.length ? locationName(s.chain[0]) : ['', '/'];
  return target.uri + escapePath(s.path.slice(prefix.length)) + query;
}

/** The servers that the host stands for: a group, what it resolved to at the start, or what it resolves to now. A text is the error. */
function* peersFor(s: Scope, target: Target): Co<Peers | string> {
  const known = s.n.peers.get(target.authority) ?? s.n.peers.get(`${target.host}:${target.port}`);
  if (known) return known;
  const r = yield* resolveNow(s, target.host);
  if (typeof r === 'string') return r;
  return { name: target.authority, list: r.map(a => newPeer(a, target.port)), method: 'round_robin', key: '' };
}

interface Outcome {
  answer: Answer;
  /** What proxy_next_upstream calls it; null: nothing was wrong. */
  failed: string | null;
  sent: boolean;
}

export function* proxyPass(s: Scope, d: Directive): Co<Answer> {
  const text = expand(s, d.args[0]);
  const target = targetOf(text);
  if (!target) {
    requestLog(s, 'error', `invalid URL prefix in "${text}"`);
    return errorAnswer(s, 500);
  }
  const uri = uriFor(s, d, target);
  const peers = yield* peersFor(s, target);
  if (typeof peers === 'string') {
    requestLog(s, 'error', peers);
    return errorAnswer(s, 502);
  }
  const { p } = s.n;
  const tried = new Set<Peer>();
  const next = setting(s, 'proxy_next_upstream')?.args ?? ['error', 'timeout'];
  const most = Number(setting(s, 'proxy_next_upstream_tries')?.args[0] ?? 0) || Number.POSITIVE_INFINITY;
  const key = peers.method === 'hash' ? expand(s, peers.key) : '';
  for (;;) {
    const peer = nextPeer(p, peers, s.realIp ?? plain(s.req.remote), key, tried);
    if (!peer) {
      requestLog(s, 'error', 'no live upstreams while connecting to upstream', `upstream: "${target.scheme}://${peers.name}${uri}"`);
      s.upstreams.push({ addr: peers.name, status: 502, connectMs: -1, headerMs: -1, responseMs: 0, length: 0, headers: [] });
      return errorAnswer(s, 502);
    }
    peer.active++;
    const r = yield* attempt(s, target, uri, peer);
    peer.active--;
    const counts =
      r.failed !== null && !/^http_40[34]$/.test(r.failed) && (next.includes(r.failed) || ['error', 'timeout'].includes(r.failed));
    if (freePeer(p, peers, peer, !counts))
      requestLog(
        s,
        'warn',
        'upstream server temporarily disabled while connecting to upstream',
        `upstream: "${target.scheme}://${peerText(peer)}${uri}"`,
      );
    const repeatable = !r.sent || !['POST', 'LOCK', 'PATCH'].includes(s.req.method) || next.includes('non_idempotent');
    const left = peers.list.some(x => !tried.has(x) && !x.down);
    if (!r.failed || !next.includes(r.failed) || !repeatable || !left || tried.size >= most) return r.answer;
  }
}

function* attempt(s: Scope, target: Target, uri: string, peer: Peer): Co<Outcome> {
  const { p } = s.n;
  const startMs = p.kernel.sim.nowMs;
  const record = { addr: peerText(peer), status: 502, connectMs: -1, headerMs: -1, responseMs: 0, length: 0, headers: [] as Headers };
  s.upstreams.push(record);
  const shown = `upstream: "${target.scheme}://${peerText(peer)}${uri}"`;
  const fail = (status: number, failed: string, why: string, sent = false): Outcome => {
    record.status = status;
    record.responseMs = p.kernel.sim.nowMs - startMs;
    requestLog(s, 'error', why, shown);
    return { answer: errorAnswer(s, status), failed, sent };
  };
  const sock = socket(p, 'tcp', peer.address.length === 4 ? 4 : 6);
  if (typeof sock === 'string') return fail(500, 'error', `socket() failed (${errnoText(sock)}) while connecting to upstream`);
  try {
    const error = yield* connect(sock, peer.address, peer.port, durationMs(setting(s, 'proxy_connect_timeout')?.args[0], 60_000));
    if (error === 'ETIMEDOUT' || error === 'EINPROGRESS')
      return fail(504, 'timeout', 'upstream timed out (110: Connection timed out) while connecting to upstream');
    if (error) return fail(502, 'error', `connect() failed (${errnoText(error)}) while connecting to upstream`);
    record.connectMs = p.kernel.sim.nowMs - startMs;
    const stream = target.scheme === 'https' ? yield* secured(s, sock, target) : plainStream(sock);
    if (typeof stream === 'string') return fail(502, 'error', stream);
    const r = yield* exchange(s, stream, target, uri);
    if ('why' in r) return fail(r.status, r.failed, r.why, true);
    const nowMs = p.kernel.sim.nowMs;
    Object.assign(record, {
      status: r.head.status,
      headerMs: r.headMs - startMs,
      responseMs: nowMs - startMs,
      length: r.body.length,
      headers: r.head.headers,
    });
    const failed = r.head.status >= 400 ? `http_${r.head.status}` : null;
    return { answer: answerFrom(s, r.head, r.body, target), failed, sent: true };
  } finally {
    close(sock);
  }
}

function* secured(s: Scope, sock: Socket, target: Target): Co<Stream | string> {
  const name = expand(s, setting(s, 'proxy_ssl_name')?.args[0] ?? target.host);
  const sni = isOn(s, 'proxy_ssl_server_name') ? name : null;
  const t = yield* tlsConnect(sock, { sni, alpn: ['http/1.1'] }, 60_000);
  if (t === 'wrong version number')
    return 'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream';
  if (typeof t === 'string') return 'peer closed connection in SSL handshake while SSL handshaking to upstream';
  return t.stream;
}

/** The request's head, as proxy_set_header and the defaults make it. */
function requestHead(s: Scope, target: Target, uri: string, body: Uint8Array): string {
  const sets = settings(s, 'proxy_set_header').map(d => [d.args[0], expand(s, d.args[1])] as [string, string]);
  const given = new Set(sets.map(([name]) => name.toLowerCase()));
  const headers: Headers = sets.filter(([, value]) => value !== '');
  if (!given.has('host')) headers.push(['Host', target.authority]);
  if (!given.has('connection')) headers.push(['Connection', 'close']);
  if (body.length && !given.has('content-length')) headers.push(['Content-Length', String(body.length)]);
  if (setting(s, 'proxy_pass_request_headers')?.args[0] !== 'off')
    headers.push(...s.req.headers.filter(([name]) => !given.has(name.toLowerCase()) && !OWN.includes(name.toLowerCase())));
  const method = expand(s, setting(s, 'proxy_method')?.args[0] ?? s.method);
  return serialiseHead(`${method} ${uri} HTTP/${setting(s, 'proxy_http_version')?.args[0] ?? '1.0'}`, headers);
}

type Exchanged = { head: HttpResponse; body: Uint8Array; headMs: number } | { why: string; status: number; failed: string };

function* exchange(s: Scope, stream: Stream, target: Target, uri: string): Co<Exchanged> {
  const own = setting(s, 'proxy_set_body');
  const passes = setting(s, 'proxy_pass_request_body')?.args[0] !== 'off';
  const body = own ? stringToBytes(expand(s, own.args[0])) : passes ? s.req.body : new Uint8Array(0);
  const timeoutMs = durationMs(setting(s, 'proxy_read_timeout')?.args[0], 60_000);
  const sent = yield* stream.send(concat([stringToBytes(requestHead(s, target, uri, body)), body]));
  const reader = newReader(stream);
  let head: HttpResponse | null = null;
  while (!head) {
    const lines = typeof sent === 'string' ? sent : yield* readHead(reader, timeoutMs);
    if (lines === 'EAGAIN')
      return {
        status: 504,
        failed: 'timeout',
        why: 'upstream timed out (110: Connection timed out) while reading response header from upstream',
      };
    if (lines === null || lines === 'EOF')
      return { status: 502, failed: 'error', why: 'upstream prematurely closed connection while reading response header from upstream' };
    if (typeof lines === 'string')
      return { status: 502, failed: 'error', why: `recv() failed (${errnoText(lines)}) while reading response header from upstream` };
    head = parseResponseHead(lines);
    if (!head)
      return {
        status: 502,
        failed: 'invalid_header',
        why: 'upstream sent no valid HTTP/1.0 header while reading response header from upstream',
      };
    if (head.status === 100) head = null;
  }
  const headMs = s.n.p.kernel.sim.nowMs;
  const got = yield* readBody(reader, responseFraming(s.req.method, head), timeoutMs);
  if (got === 'EAGAIN')
    return { status: 504, failed: 'timeout', why: 'upstream timed out (110: Connection timed out) while reading upstream' };
  if (typeof got === 'string')
    return { status: 502, failed: 'error', why: 'upstream prematurely closed connection while reading upstream' };
  return { head, body: got, headMs };
}

function answerFrom(s: Scope, head: HttpResponse, body: Uint8Array, target: Target): Answer {
  const hidden = new Set(settings(s, 'proxy_hide_header').map(d => d.args[0].toLowerCase()));
  const shown = new Set(settings(s, 'proxy_pass_header').map(d => d.args[0].toLowerCase()));
  const kept: Headers = head.headers.filter(([name]) => {
    const n = name.toLowerCase();
    return n !== 'transfer-encoding' && !hidden.has(n) && (!HIDDEN.has(n) || shown.has(n));
  });
  const headers = kept.map(([n, v]) =>
    n.toLowerCase() === 'location' ? ([n, redirected(s, v, target)] as [string, string]) : ([n, v] as [string, string]),
  );
  const bodiless = s.req.method === 'HEAD' || head.status === 204 || head.status === 304;
  if (!bodiless && header(headers, 'Content-Length') === undefined && s.req.version === 'HTTP/1.1' && !s.http2)
    headers.push(['Transfer-Encoding', 'chunked']);
  const special = head.status >= 300 && isOn(s, 'proxy_intercept_errors');
  return { status: head.status, reason: head.reason, headers, body, special, ...(s.req.version === 'HTTP/1.0' ? { close: true } : {}) };
}

/** proxy_redirect: the upstream's own address in Location becomes this server's. */
function redirected(s: Scope, location: string, target: Target): string {
  const rules = settings(s, 'proxy_redirect');
  for (const { args } of rules.length ? rules : [{ args: ['default'] }]) {
    const [from, to] = args;
    if (from === 'off') return location;
    if (from === 'default') {
      const d = s.chain[0]?.block?.find(x => x.name === 'proxy_pass');
      if (!d || d.args[0].includes('$')) continue;
      const url = target.uri === null ? `${d.args[0]}/` : d.args[0];
      const name = target.uri === null ? '/' : locationName(s.chain[0])[1];
      if (location.startsWith(url)) return absoluteUrl(s, name + location.slice(url.length));
      continue;
    }
    const m = from.startsWith('~') ? pattern(from.replace(/^~\*?/, ''), from.startsWith('~*'))?.exec(location) : null;
    if (m)
      return absoluteUrl(
        s,
        expand(
          s,
          to.replace(/\$(\d)/g, (_, k) => m[Number(k)] ?? ''),
        ) + location.slice(m.index + m[0].length),
      );
    const prefix = expand(s, from);
    if (!from.startsWith('~') && location.startsWith(prefix)) return absoluteUrl(s, expand(s, to) + location.slice(prefix.length));
  }
  return location;
}
