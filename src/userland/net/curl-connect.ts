// From a URL to an open connection: curl's name resolution, connecting to one address after the other, TLS.
import { strerror } from '../../linux/process.ts';
import { bind, close, connect, socket } from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { type Co, killTask, startTask, waitOn } from '../../sim/task.ts';
import { familyOf, formatIp, type Ip, ip, parseIp } from '../../wire/ip.ts';
import { newReader, plainStream, type Reader, type Stream } from '../http.ts';
import type { Url } from '../url.ts';
import type { Userland } from '../userland.ts';
import type { CurlConfig } from './curl-config.ts';
import { connectionKey, openTunnel, proxyFor, sendProxyLine } from './curl-proxy.ts';
import { type CurlTls, startTls } from './curl-tls.ts';
import { numericHost } from './resolv-conf.ts';
import { getaddrinfo } from './resolver.ts';

export interface Connection {
  number: number;
  key: string;
  stream: Stream;
  reader: Reader;
  remote: Ip;
  remotePort: number;
  /** Agreed on in the handshake. The bytes inside are HTTP/1.1's all the same: what differs is what curl shows of them. */
  http2?: boolean;
  /** Streams opened of HTTP/2. */
  streams: number;
  tls?: CurlTls;
}

export interface CurlError {
  code: number;
  message: string;
}

/** One transfer's surroundings. */
export interface Session {
  p: Process;
  u: Userland;
  c: CurlConfig;
  /** Verbose lines: `* text`. */
  info: (text: string) => void;
  /** Teller's. */
  tls: (out: boolean, bytes: number) => void;
  /** The progress meter's first line belongs between resolving and connecting. */
  beforeConnect: () => void;
  connections: Connection[];
  nextNumber: number;
  startMs: number;
  deadlineMs: number;
  times: { namelookup: number; connect: number; appconnect: number };
  sslVerifyResult: number;
  /** What --resolve adds to the cache has been said. */
  announced?: boolean;
}

export const isError = (x: object): x is CurlError => 'code' in x && 'message' in x;

const since = (s: Session) => (s.p.kernel.sim.nowMs - s.startMs) / 1000;
const elapsed = (s: Session, fromMs = s.startMs) => Math.floor(s.p.kernel.sim.nowMs - fromMs);

/** Run `co`, but no longer than until `deadlineMs`. */
export function* withDeadline<T>(p: Process, co: Co<T>, deadlineMs: number): Co<T | 'deadline'> {
  if (!Number.isFinite(deadlineMs)) return yield* co;
  const task = startTask(p.kernel.sim, co, p.task?.background ?? false);
  try {
    while (!task.done) {
      const left = deadlineMs - p.kernel.sim.nowMs;
      if (left <= 0 || !(yield* waitOn(p.kernel.sim, [task.ended], left))) return 'deadline';
    }
    return task.result as T;
  } finally {
    if (!task.done) killTask(task, undefined as T);
  }
}

function* resolve(s: Session, host: string, port: number): Co<Ip[] | CurlError> {
  const { c } = s;
  for (const r of s.announced ? [] : c.resolve) s.info(`Added ${r.host}:${r.port}:${r.addresses.join(',')} to DNS cache`);
  s.announced = true;
  const fixed = c.resolve.findLast(r => (r.host === host.toLowerCase() || r.host === '*') && r.port === port);
  if (fixed) {
    const ips = fixed.addresses.map(a => parseIp(a)).filter(a => a !== null);
    s.info(`Hostname ${host} was found in DNS cache`);
    return ips;
  }
  const numeric = numericHost(host);
  if (numeric) {
    s.beforeConnect();
    if (c.family && familyOf(numeric) !== c.family) return { code: 6, message: `Could not resolve host: ${host}` };
    return [numeric];
  }
  const local = /^(?:.*\.)?localhost$/i.test(host);
  let found: Ip[] | CurlError;
  if (local) found = localhost(s);
  else {
    s.beforeConnect();
    found = yield* lookup(s, host);
  }
  if (!isError(found) && s.u.tools >= 13) showResolved(s, host, port, found);
  s.beforeConnect();
  return found;
}

/** RFC 6761: libcurl does not ask anybody for localhost; 8.x puts ::1 first (lib/hostip.c get_localhost). */
function localhost(s: Session): Ip[] {
  const both = s.u.tools >= 13 ? ['::1', '127.0.0.1'] : ['127.0.0.1', '::1'];
  return both.map(ip).filter(a => !s.c.family || familyOf(a) === s.c.family);
}

function* lookup(s: Session, host: string): Co<Ip[] | CurlError> {
  const connectBy = s.c.connectTimeoutMs ? s.startMs + s.c.connectTimeoutMs : Number.POSITIVE_INFINITY;
  const r = yield* withDeadline(s.p, getaddrinfo(s.p, host, { libc: s.u.libc, family: s.c.family }), Math.min(s.deadlineMs, connectBy));
  if (r === 'deadline') return { code: 28, message: `Resolving timed out after ${elapsed(s)} milliseconds` };
  if (typeof r === 'string') return { code: 6, message: `Could not resolve host: ${host}` };
  return r.addresses;
}

function showResolved(s: Session, host: string, port: number, addresses: Ip[]): void {
  const list = (family: number) =>
    addresses
      .filter(a => familyOf(a) === family)
      .map(formatIp)
      .join(', ') || '(none)';
  s.info(`Host ${host}:${port} was resolved.`);
  s.info(`IPv6: ${list(6)}`);
  s.info(`IPv4: ${list(4)}`);
}

const IMMEDIATE: Errno[] = ['ENETUNREACH', 'EINVAL', 'EACCES', 'EPERM', 'EADDRNOTAVAIL'];

function* connectOne(s: Session, address: Ip, port: number, deadlineMs: number): Co<Stream | Errno | CurlError> {
  const text = familyOf(address) === 6 ? `[${formatIp(address)}]:${port}` : `${formatIp(address)}:${port}`;
  s.info(`  Trying ${text}...`);
  const sock = socket(s.p, 'tcp', familyOf(address));
  if (typeof sock === 'string') return sock;
  const bound = bindTo(s, sock, address);
  if (bound) {
    close(sock);
    return bound;
  }
  const fromMs = s.p.kernel.sim.nowMs;
  const left = Math.max(0, deadlineMs - fromMs);
  const error = yield* connect(sock, address, port, Number.isFinite(left) ? left : undefined);
  if (!error) return plainStream(sock);
  const from = s.u.tools >= 13 && sock.local ? ` from ${formatIp(sock.local)} port ${sock.localPort}` : '';
  const at = `${formatIp(address)} port ${port}${from}`;
  if (s.p.kernel.sim.nowMs === fromMs && IMMEDIATE.includes(error))
    s.info(`Immediate connect fail for ${formatIp(address)}: ${strerror(error)}`);
  else if (error !== 'EINPROGRESS') s.info(`connect to ${at} failed: ${strerror(error)}`);
  close(sock);
  return error;
}

function bindTo(s: Session, sock: Parameters<typeof bind>[0], address: Ip): CurlError | null {
  const { c } = s;
  if (!c.interface && !c.localPort) return null;
  const name = c.interface?.replace(/^(?:if|host)!/, '') ?? '';
  let from: Ip | null = parseIp(name);
  if (name && !from) {
    const link = [...s.p.netns.links.values()].find(l => l.name === name);
    from = link?.addresses.find(a => familyOf(a.ip) === familyOf(address))?.ip ?? null;
    if (!from) return { code: 45, message: `Couldn't bind to '${name}'` };
    sock.options.set('SO_BINDTODEVICE', name);
  }
  const error = bind(sock, from, c.localPort);
  if (!error) return null;
  return { code: 45, message: `bind failed with errno ${error === 'EADDRNOTAVAIL' ? 99 : 98}: ${strerror(error)}` };
}

/** Connect to the first address that answers. */
export function* openConnection(s: Session, url: Url, port: number): Co<Connection | CurlError> {
  const proxy = proxyFor(s.p, s.c, url);
  if (proxy && isError(proxy)) return proxy;
  const key = connectionKey(proxy, url, port);
  const [host, toPort] = proxy ? [proxy.host, proxy.port] : redirected(s.c, url.host, port);
  const addresses = yield* resolve(s, host, toPort);
  if (isError(addresses)) return proxy && addresses.code === 6 ? { code: 5, message: `Could not resolve proxy: ${host}` } : addresses;
  s.times.namelookup = since(s);
  const connectBy = Math.min(s.deadlineMs, s.c.connectTimeoutMs ? s.startMs + s.c.connectTimeoutMs : s.startMs + 300_000);
  let last: Errno = 'ECONNREFUSED';
  const fromMs = s.p.kernel.sim.nowMs;
  for (let i = 0; i < addresses.length; i++) {
    const left = connectBy - s.p.kernel.sim.nowMs;
    const r = yield* connectOne(s, addresses[i], toPort, s.p.kernel.sim.nowMs + (i + 1 < addresses.length ? left / 2 : left));
    if (typeof r === 'string') {
      last = r;
      continue;
    }
    if (isError(r)) return r;
    s.times.connect = since(s);
    const connection: Connection = {
      number: s.nextNumber++,
      key,
      stream: r,
      reader: newReader(r),
      remote: addresses[i],
      remotePort: toPort,
      streams: 0,
    };
    if (s.c.haproxyProtocol) yield* sendProxyLine(connection);
    const suffix = s.u.tools >= 13 ? '' : ` (#${connection.number})`;
    if (url.scheme === 'http') {
      s.info(`Connected to ${host} (${formatIp(addresses[i])}) port ${toPort}${suffix}`);
      return connection;
    }
    if (s.u.tools < 13) s.info(`Connected to ${host} (${formatIp(addresses[i])}) port ${toPort}${suffix}`);
    const failed = (proxy && (yield* openTunnel(connection, proxy, url, port, s.u.tools))) ?? (yield* startTls(s, connection, url));
    if (failed) {
      close(r.socket);
      s.nextNumber--; // the one that is closed then
    } else if (s.u.tools >= 13) s.info(`Connected to ${host} (${formatIp(addresses[i])}) port ${toPort}${suffix}`);
    return failed ?? connection;
  }
  return connectFailure(s, host, toPort, last, fromMs);
}

function connectFailure(s: Session, host: string, port: number, last: Errno, fromMs: number): CurlError {
  const { nowMs } = s.p.kernel.sim;
  if (nowMs >= s.deadlineMs) return { code: 28, message: `Connection timed out after ${elapsed(s)} milliseconds` };
  const byTimeout = last === 'EINPROGRESS';
  const couldNot = s.u.tools >= 13 ? 'Could not connect to server' : "Couldn't connect to server";
  const why = byTimeout ? (s.u.tools >= 13 ? 'Timeout was reached' : 'Timeout was reached') : couldNot;
  const code = byTimeout || last === 'ETIMEDOUT' ? 28 : 7;
  return { code, message: `Failed to connect to ${host} port ${port} after ${elapsed(s, Math.min(fromMs, s.startMs))} ms: ${why}` };
}

function redirected(c: CurlConfig, host: string, port: number): [string, number] {
  for (const rule of c.connectTo) {
    const m = /^(\[[^\]]*\]|[^:]*):([^:]*):(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(rule);
    if (m && (!m[1] || m[1] === host) && (!m[2] || Number(m[2]) === port))
      return [m[3].replace(/^\[|\]$/g, '') || host, Number(m[4] || port)];
  }
  return [host, port];
}
