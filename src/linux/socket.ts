// Sockets as programs see them. Calls that can block are coroutines; the rest answer at once. Errors are errno values, never exceptions.
import { concat } from '../sim/bytes.ts';
import { type Co, type WaitQueue, waitOn, wakeAll } from '../sim/task.ts';
import type { Family, Ip } from '../wire/ip.ts';
import type { Packet } from '../wire/packet.ts';
import { sendEcho, sendUdp } from './datagram.ts';
import { pathMtu } from './icmp.ts';
import { isAny, isBroadcast, isLocalAddress, isMulticast, lookupRoute } from './route.ts';
import { endAssociation, sendChunk, startAssociation } from './sctp.ts';
import { addBound, bindConflict, boundTo, ephemeralPort, removeBound, removeConnected } from './socket-table.ts';
import { chooseSource, target } from './source-address.ts';
import { stack } from './stack.ts';
import { numberSysctl, sysctl } from './sysctl.ts';
import { closeTcp, closeWriting, deviceOf, newTcpState, queueData, startConnect, type TcpState, tcpOf, windowUpdate } from './tcp.ts';
import type { Errno, Netns, Process, Skb, Trace } from './types.ts';

export type SocketType = 'tcp' | 'udp' | 'icmp' | 'raw' | 'sctp';

export interface SocketTable {
  all: Set<Socket>;
  /** Next ephemeral port to try; the range is net.ipv4.ip_local_port_range. */
  nextPort: number;
  /** Sockets with a local port of their own, by `type port`. */
  bound: Map<string, Set<Socket>>;
  /** TCP and SCTP connections by their four-tuple. */
  connected: Map<string, Socket>;
}

export interface Socket {
  netns: Netns;
  owner: Process | null;
  type: SocketType;
  /** 6 also takes IPv4 unless v6only (dual-stack listeners). */
  family: Family;
  v6only: boolean;
  local: Ip | null;
  localPort: number;
  remote: Ip | null;
  remotePort: number;
  /** As `ss` names it: LISTEN, SYN-SENT, ESTAB, FIN-WAIT-1, CLOSE-WAIT, TIME-WAIT, UNCONN … */
  state: string;
  uid: number;
  /** IP_TTL / IP_MTU_DISCOVER / SO_BINDTODEVICE / SO_REUSEPORT … */
  ttl: number | null;
  options: Map<string, number | string>;
  error: Errno | null;
  /** Received datagrams, newest last (udp, icmp, raw). */
  datagrams: Datagram[];
  readable: WaitQueue;
  /** TCP's own state (tcp.ts). */
  tcp: TcpState | null;
  closed: boolean;
  /** The last ICMP error about one of its packets, whoever it was reported to. */
  heard: { type: number; code: number; from: Ip; mtu?: number } | null;
  /** Put on every packet it sends and on those of the other side's answer. */
  trace: Trace | null;
}

export interface Datagram {
  data: Uint8Array;
  from: Ip;
  fromPort: number;
  to: Ip;
  ttl: number;
  /** For icmp and raw sockets, and errors queued for IP_RECVERR. */
  skb: Skb;
  error?: { errno: Errno; type: number; code: number; from: Ip; mtu?: number };
}

/* Options: `reuseaddr`, `reuseport`, `bindtodevice` (name), `mark`, `tos`, `recverr`, `mtu_discover` (0 never DF, 2 always), `ipproto` (raw: number),
   `linger0`, `broadcast`, `transparent`. Set them in `s.options`; `s.ttl` is IP_TTL. */

const sendOptions = (s: Socket) => ({ socket: s, uid: s.uid, mark: Number(s.options.get('mark') ?? 0), trace: s.trace, oif: deviceOf(s) });

function makeSocket(ns: Netns, owner: Process | null, type: SocketType, family: Family): Socket {
  const s: Socket = {
    netns: ns,
    owner,
    type,
    family,
    v6only: family === 6 && numberSysctl(ns, 'net.ipv6.bindv6only') === 1,
    local: null,
    localPort: 0,
    remote: null,
    remotePort: 0,
    state: 'UNCONN',
    uid: owner?.uid ?? 0,
    ttl: null,
    options: new Map(),
    error: null,
    datagrams: [],
    readable: new Set(),
    tcp: type === 'tcp' ? newTcpState() : null,
    closed: false,
    heard: null,
    trace: owner?.trace ?? null,
  };
  ns.sockets.all.add(s);
  return s;
}

const held = new WeakMap<Process, Set<Socket>>();

/** Sockets are let go when their process ends. */
function hold(p: Process, s: Socket): void {
  let set = held.get(p);
  if (!set) {
    const all = new Set<Socket>();
    set = all;
    held.set(p, all);
    p.cleanup.push(() => {
      for (const x of [...all]) close(x);
    });
  }
  set.add(s);
}

/** icmp needs net.ipv4.ping_group_range, raw needs NET_RAW: EACCES, EPERM. */
export function socket(p: Process, type: SocketType, family: Family = 4): Socket | Errno {
  if (type === 'raw' && !p.caps.has('NET_RAW')) return 'EPERM';
  if (type === 'icmp' && !p.caps.has('NET_RAW')) {
    const [low, high] = sysctl(p.netns, 'net.ipv4.ping_group_range').split(/\s+/).map(Number);
    if (!(low <= p.uid && p.uid <= high)) return 'EACCES';
  }
  const s = makeSocket(p.netns, p, type, family);
  hold(p, s);
  return s;
}

/** A socket of the machine itself, without a process (a kubelet's probe, a port forward). */
export function kernelSocket(ns: Netns, type: SocketType, family: Family = 4, trace: Trace | null = null): Socket {
  const s = makeSocket(ns, null, type, family);
  s.trace = trace;
  return s;
}

/** Give `s` to another process (a server that hands connections to its workers). */
export function adopt(p: Process, s: Socket): void {
  if (s.owner) held.get(s.owner)?.delete(s);
  s.owner = p;
  hold(p, s);
}

/** Port 0: an ephemeral one. EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL. */
export function bind(s: Socket, ip: Ip | null, port: number): Errno | null {
  if (s.closed) return 'EBADF';
  if (s.localPort && s.type !== 'raw') return 'EINVAL';
  if (ip && !isAny(ip)) {
    if (s.family === 4 && ip.length === 16) return 'EAFNOSUPPORT';
    if (s.family === 6 && ip.length === 4 && s.v6only) return 'EINVAL';
    const group = isMulticast(ip) || isBroadcast(ip);
    const free = s.options.get('transparent') || numberSysctl(s.netns, 'net.ipv4.ip_nonlocal_bind') === 1;
    if (!group && !free && !isLocalAddress(s.netns, ip)) return 'EADDRNOTAVAIL';
  }
  const start = numberSysctl(s.netns, 'net.ipv4.ip_unprivileged_port_start');
  const stream = s.type !== 'raw' && s.type !== 'icmp';
  if (stream && port && port < start && s.owner && (s.uid !== 0 || !s.owner.caps.has('NET_BIND_SERVICE'))) return 'EACCES';
  if (s.type === 'raw') {
    s.local = ip && !isAny(ip) ? ip : null;
    return null;
  }
  if (port && bindConflict(s, ip, port)) return 'EADDRINUSE';
  const at = port || ephemeralPort(s, ip, null, 0);
  if (typeof at === 'string') return at;
  // An explicit 0.0.0.0 on a dual-stack socket is kept: it takes IPv4 only.
  s.local = ip && !(isAny(ip) && (ip.length === 4) === (s.family === 4)) ? ip : null;
  s.localPort = at;
  addBound(s);
  return null;
}

/** `backlog` is cut to net.core.somaxconn. EADDRINUSE: another socket listens there. */
export function listen(s: Socket, backlog = 4096): Errno | null {
  if (s.type !== 'tcp' && s.type !== 'sctp') return 'EOPNOTSUPP';
  if (s.state === 'LISTEN') return null;
  if (s.state !== 'UNCONN' || s.remote) return 'EINVAL';
  if (!s.localPort) {
    const e = bind(s, null, 0);
    if (e) return e;
  }
  // SO_REUSEADDR lets two sockets bind to one port, but only one of them listen.
  const kept = s.options.get('reuseaddr');
  s.options.delete('reuseaddr');
  const clash =
    [...(boundTo(s.netns, s.type, s.localPort) ?? [])].some(o => o !== s && o.state === 'LISTEN') && bindConflict(s, s.local, s.localPort);
  if (kept !== undefined) s.options.set('reuseaddr', kept);
  if (clash) return 'EADDRINUSE';
  s.tcp ??= newTcpState();
  tcpOf(s).backlog = Math.min(backlog, numberSysctl(s.netns, 'net.core.somaxconn'));
  s.state = 'LISTEN';
  return null;
}

const isStream = (s: Socket): boolean => s.type === 'tcp' || s.type === 'sctp';

/**
 * TCP and SCTP: until established, refused, unreachable or timed out (ETIMEDOUT is the protocol's own; EINPROGRESS: `timeoutMs` have passed, the
 * attempt goes on until close). Datagram sockets: the peer is set at once.
 */
export function* connect(s: Socket, ip: Ip, port: number, timeoutMs = Number.POSITIVE_INFINITY): Co<Errno | null> {
  const sim = s.netns.kernel.sim;
  if (s.closed) return 'EBADF';
  if (s.family === 4 && ip.length === 16) return 'EAFNOSUPPORT';
  if (s.family === 6 && s.v6only && ip.length === 4) return 'ENETUNREACH';
  if (isStream(s) && s.state !== 'UNCONN') return s.state === 'SYN-SENT' ? 'EALREADY' : 'EISCONN';
  const to = target(ip);
  if (s.type === 'tcp' && s.remote) s.tcp = newTcpState();
  const e = chooseSource(s, to, port);
  if (e) return e;
  s.remote = to;
  s.remotePort = port;
  if (!isStream(s)) {
    s.state = 'ESTAB';
    return null;
  }
  s.error = null;
  if (s.type === 'tcp') startConnect(s);
  else startAssociation(s);
  const deadline = sim.nowMs + timeoutMs;
  while (s.state === 'SYN-SENT' || s.state === 'COOKIE-WAIT' || s.state === 'COOKIE-ECHOED') {
    const left = deadline - sim.nowMs;
    if (left <= 0) return 'EINPROGRESS';
    yield* waitOn(sim, [s.readable], left);
    if (s.closed) return 'EBADF';
  }
  // Established and reset again before this task ran is still a successful connect.
  return s.error === 'ECONNRESET' ? null : takeError(s);
}

/** SO_ERROR: read and cleared. */
function takeError(s: Socket): Errno | null {
  const e = s.error;
  s.error = null;
  return e;
}

/** EAGAIN: timed out; EINVAL: not listening. */
export function* accept(s: Socket, timeoutMs = Number.POSITIVE_INFINITY): Co<Socket | Errno> {
  const sim = s.netns.kernel.sim;
  const deadline = sim.nowMs + timeoutMs;
  for (;;) {
    if (s.closed) return 'EBADF';
    if (s.state !== 'LISTEN') return 'EINVAL';
    const child = tcpOf(s).accepted.shift();
    if (child) {
      child.owner = s.owner;
      if (s.owner) hold(s.owner, child);
      return child;
    }
    const left = deadline - sim.nowMs;
    if (left <= 0) return 'EAGAIN';
    yield* waitOn(sim, [s.readable], left);
  }
}

/** IP_MTU of a datagram socket connected to `to`: the longest IP packet that goes there unbroken, by device and what ICMP has told. */
export function pathMtuTo(p: Process, to: Ip): number {
  const route = lookupRoute(p.netns, to);
  return typeof route === 'string' ? 0 : pathMtu(p.netns, to, route.mtu);
}

/** The next bytes of a stream, all that is there; empty: the other side has closed. EAGAIN: timed out. */
export function* recv(s: Socket, timeoutMs = Number.POSITIVE_INFINITY): Co<Uint8Array | Errno> {
  if (!isStream(s)) {
    const d = yield* recvFrom(s, timeoutMs);
    return typeof d === 'string' ? d : d.error ? d.error.errno : d.data;
  }
  const sim = s.netns.kernel.sim;
  const deadline = sim.nowMs + timeoutMs;
  for (;;) {
    if (s.closed) return 'EBADF';
    const t = s.tcp;
    if (!t || s.state === 'LISTEN') return 'ENOTCONN';
    if (t.inbox.length) {
      const data = concat(t.inbox);
      t.inbox = [];
      t.inboxLength = 0;
      if (s.type === 'tcp') windowUpdate(s);
      return data;
    }
    if (s.error) return takeError(s) as Errno;
    if (t.readClosed || t.finReceived) return new Uint8Array(0);
    if (s.state === 'UNCONN') return 'ENOTCONN';
    const left = deadline - sim.nowMs;
    if (left <= 0) return 'EAGAIN';
    yield* waitOn(sim, [s.readable], left);
  }
}

/** Bytes that may wait for the other side before a sender blocks. */
const SEND_BUFFER = 262_144;

/** Send all of it; blocks while the buffer is full. EPIPE: this side has closed, or the connection is gone; EAGAIN: timed out. */
export function* send(s: Socket, data: Uint8Array, timeoutMs = Number.POSITIVE_INFINITY): Co<number | Errno> {
  if (!isStream(s)) return sendTo(s, data, null, 0) ?? data.length;
  const sim = s.netns.kernel.sim;
  const deadline = sim.nowMs + timeoutMs;
  for (;;) {
    if (s.closed) return 'EBADF';
    if (s.error) return takeError(s) as Errno;
    if (!s.tcp || !s.remote) return 'ENOTCONN';
    if (s.state === 'UNCONN' || s.tcp.finQueued) return 'EPIPE';
    if (s.tcp.out.length < SEND_BUFFER && s.state !== 'SYN-SENT') break;
    const left = deadline - sim.nowMs;
    if (left <= 0) return 'EAGAIN';
    yield* waitOn(sim, [s.readable], left);
  }
  if (s.type === 'tcp') queueData(s, data);
  else sendChunk(s, 'DATA', data);
  return data.length;
}

/** SHUT_WR. */
export function shutdown(s: Socket): void {
  if (s.type === 'tcp' && (s.state === 'ESTAB' || s.state === 'CLOSE-WAIT')) closeWriting(s);
  else if (s.type === 'sctp' && s.state === 'ESTAB') endAssociation(s);
}

/** Let go of the socket. A connection ends by itself with FIN, or with RST when something received was never read. */
export function close(s: Socket): void {
  if (s.closed) return;
  s.closed = true;
  if (s.owner) held.get(s.owner)?.delete(s);
  if (s.type === 'tcp') closeTcp(s);
  else {
    if (s.type === 'sctp') endAssociation(s);
    s.state = 'UNCONN';
    removeConnected(s);
    removeBound(s);
    s.netns.sockets.all.delete(s);
  }
  wakeAll(s.readable);
}

export interface SendToOptions {
  ttl?: number;
  tos?: number;
  df?: boolean;
  /** IP_PKTINFO: answer from the address that was asked (`Datagram.to`), not from the one the route prefers. */
  src?: Ip;
}

function ready(s: Socket, ip: Ip | null, port: number): { to: Ip; port: number; src: Ip } | Errno {
  if (s.closed) return 'EBADF';
  if (s.error) return takeError(s) as Errno;
  const to = ip ? target(ip) : s.remote;
  if (!to) return 'EDESTADDRREQ';
  if (s.family === 4 && to.length === 16) return 'EAFNOSUPPORT';
  if (s.remote && !ip) return { to, port: s.remotePort, src: s.local as Ip };
  const kept = s.local;
  const e = chooseSource(s, to, port);
  const src = s.local;
  s.local = kept;
  return e ?? { to, port, src: src as Ip };
}

/** A datagram; `ip` null: to the connected peer. Errors of the route and of OUTPUT (EPERM) come at once, ICMP's with a later call. */
export function sendTo(s: Socket, data: Uint8Array, ip: Ip | null, port: number, o: SendToOptions = {}): Errno | null {
  if (s.type === 'icmp' || s.type === 'raw')
    return sendIcmp(s, { type: (ip ?? s.remote)?.length === 16 ? 128 : 8, code: 0, data }, port, ip, o);
  const r = ready(s, ip, port);
  return typeof r === 'string' ? r : sendUdp(s, data, r.to, r.port, o.src ?? r.src, o, sendOptions(s));
}

/** icmp sockets: an echo request with `id` = s.localPort; raw sockets: any message, `id` as given. */
export function sendIcmp(
  s: Socket,
  m: { type: number; code: number; id?: number; data: Uint8Array },
  seq: number,
  ip: Ip | null,
  o: SendToOptions = {},
): Errno | null {
  const r = ready(s, ip, 0);
  return typeof r === 'string' ? r : sendEcho(s, m, seq, r.to, r.src, o, sendOptions(s));
}

/** raw sockets with IP_HDRINCL: the packet as given; an unspecified source is filled in. */
export function sendPacketFrom(s: Socket, packet: Packet): Errno | null {
  return stack.sendPacket(s.netns, packet, sendOptions(s));
}

/** The next datagram, or with `recverr` an ICMP error; without, errors of a connected socket come as errno. EAGAIN: timed out. */
export function* recvFrom(s: Socket, timeoutMs = Number.POSITIVE_INFINITY): Co<Datagram | Errno> {
  const sim = s.netns.kernel.sim;
  const deadline = sim.nowMs + timeoutMs;
  for (;;) {
    if (s.closed) return 'EBADF';
    if (s.error) return takeError(s) as Errno;
    const d = s.datagrams.shift();
    if (d) return d;
    const left = deadline - sim.nowMs;
    if (left <= 0) return 'EAGAIN';
    yield* waitOn(sim, [s.readable], left);
  }
}
