// TCP (RFC 9293) with Linux's timers: what is sent, retransmission, closing. What arrives is tcp-input.ts, the calls are in socket.ts.
import { concat } from '../sim/bytes.ts';
import { nextU32 } from '../sim/random.ts';
import { cancel, type SimEvent, schedule } from '../sim/sim.ts';
import { wakeAll } from '../sim/task.ts';
import { formatIp, type Ip } from '../wire/ip.ts';
import { type Packet, PROTO, TCP_FLAG, type Tcp } from '../wire/packet.ts';
import { pathMtu } from './icmp.ts';
import { linkByName } from './link.ts';
import { lookupRoute } from './route.ts';
import type { Socket } from './socket.ts';
import { addConnected, removeBound, removeConnected } from './socket-table.ts';
import { stack } from './stack.ts';
import { numberSysctl } from './sysctl.ts';
import { addStep } from './trace.ts';
import type { Errno } from './types.ts';

const { FIN, SYN, RST, PSH, ACK } = TCP_FLAG;

/** A connection's sequence space, buffers and timers (tcp.ts). */
export interface TcpState {
  iss: number;
  sndUna: number;
  sndNxt: number;
  sndWnd: number;
  rcvNxt: number;
  /** Largest data segment to send. */
  mss: number;
  /** Bytes from sndUna on: sent and not acknowledged, then not sent yet. */
  out: Uint8Array;
  finQueued: boolean;
  finSent: boolean;
  /** The other side's FIN has come and everything before it. */
  finReceived: boolean;
  readClosed: boolean;
  inbox: Uint8Array[];
  inboxLength: number;
  outOfOrder: Map<number, { data: Uint8Array; fin: boolean }>;
  timer: SimEvent | null;
  rtoMs: number;
  retries: number;
  sentAtMs: number;
  softError: Errno | null;
  /** Nobody holds it any more: the kernel finishes it alone. */
  orphan: boolean;
  listener: Socket | null;
  backlog: number;
  /** Established and not accepted yet; connections being made count with them. */
  accepted: Socket[];
  pending: number;
  advertised: number;
  /** After a loss: the end of what has to be sent again. */
  recover: number | null;
  /** Something new was acknowledged since the last segment went out. */
  confirmed: boolean;
}

export const SYN_RTO_MS = 1000;
export const MIN_RTO_MS = 200;
const MAX_RTO_MS = 120_000;
/** The receive window and its scale, as a connection starts with them under default tcp_rmem. */
export const RECEIVE_WINDOW = 64_512;
export const WINDOW_SCALE = 10;
export const TIMESTAMP_BYTES = 12;

export const diff = (a: number, b: number): number => (a - b) | 0;
export const plus = (a: number, n: number): number => (a + n) >>> 0;

export function newTcpState(): TcpState {
  return {
    iss: 0,
    sndUna: 0,
    sndNxt: 0,
    sndWnd: 65_535,
    rcvNxt: 0,
    mss: 536,
    out: new Uint8Array(0),
    finQueued: false,
    finSent: false,
    finReceived: false,
    readClosed: false,
    inbox: [],
    inboxLength: 0,
    outOfOrder: new Map(),
    timer: null,
    rtoMs: SYN_RTO_MS,
    retries: 0,
    sentAtMs: 0,
    softError: null,
    orphan: false,
    listener: null,
    backlog: 0,
    accepted: [],
    pending: 0,
    advertised: RECEIVE_WINDOW,
    recover: null,
    confirmed: false,
  };
}

export const tcpOf = (s: Socket): TcpState => s.tcp as TcpState;

/** Wake whoever waits on the socket: readers, writers, connectors. */
export const wake = (s: Socket): void => wakeAll(s.readable);

/** MTU minus headers, by the route to the peer and what ICMP taught about the path. */
export function mssOf(s: Socket, withOptions: boolean): number {
  const remote = s.remote as Ip;
  const route = lookupRoute(s.netns, remote, { src: s.local, oif: deviceOf(s) });
  const mtu = pathMtu(s.netns, remote, typeof route === 'string' ? 1500 : route.mtu);
  return Math.min(mtu, 65_535) - (remote.length === 4 ? 40 : 60) - (withOptions ? TIMESTAMP_BYTES : 0);
}

export const deviceOf = (s: Socket) => {
  const name = s.options.get('bindtodevice');
  return name ? (linkByName(s.netns, String(name)) ?? null) : null;
};

function ttlOf(s: Socket, family: 4 | 6): number {
  return s.ttl ?? (family === 4 ? numberSysctl(s.netns, 'net.ipv4.ip_default_ttl') : 64);
}

function windowField(s: Socket, flags: number): number {
  const t = tcpOf(s);
  if (flags & SYN) {
    // A whole number of segments within 16 bits: 64240 and, once timestamps are agreed, 65160 on Ethernet.
    const unit = Math.max(536, flags & ACK ? t.mss : t.mss + TIMESTAMP_BYTES);
    return unit > 65_535 ? 65_535 : Math.floor(65_535 / unit) * unit;
  }
  t.advertised = Math.max(0, RECEIVE_WINDOW - t.inboxLength);
  return t.advertised >> WINDOW_SCALE;
}

export const EMPTY = new Uint8Array(0);

export function transmitSegment(s: Socket, flags: number, seq: number, data: Uint8Array = EMPTY): Errno | null {
  const t = tcpOf(s);
  const remote = s.remote as Ip;
  const family = remote.length === 4 ? 4 : 6;
  const body: Tcp = {
    kind: 'tcp',
    sport: s.localPort,
    dport: s.remotePort,
    seq,
    ack: flags & ACK ? t.rcvNxt : 0,
    flags,
    window: windowField(s, flags),
    data,
  };
  if (flags & SYN) body.mss = mssOf(s, false);
  const packet: Packet = {
    kind: 'ip',
    family,
    src: s.local as Ip,
    dst: remote,
    proto: PROTO.TCP,
    ttl: ttlOf(s, family),
    tos: Number(s.options.get('tos') ?? 0),
    id: 0,
    df: true,
    body,
  };
  t.sentAtMs = s.netns.kernel.sim.nowMs;
  return stack.sendPacket(s.netns, packet, {
    socket: s,
    uid: s.uid,
    mark: Number(s.options.get('mark') ?? 0),
    trace: s.trace,
    oif: deviceOf(s),
    confirm: takeConfirmation(t),
  });
}

function takeConfirmation(t: TcpState): boolean {
  const was = t.confirmed;
  t.confirmed = false;
  return was;
}

/** Begin a connection: SYN-SENT. The addresses are set. */
export function startConnect(s: Socket): void {
  const t = tcpOf(s);
  t.iss = nextU32(s.netns.kernel.sim.random);
  t.sndUna = t.iss;
  t.sndNxt = plus(t.iss, 1);
  t.mss = mssOf(s, true);
  s.state = 'SYN-SENT';
  addConnected(s);
  transmitSegment(s, SYN, t.iss); // a local DROP is like a loss (tcp_connect)
  arm(s, SYN_RTO_MS);
}

export function arm(s: Socket, ms: number): void {
  const t = tcpOf(s);
  cancel(s.netns.kernel.sim, t.timer);
  t.timer = schedule(s.netns.kernel.sim, ms, () => expire(s), true);
}

export function disarm(s: Socket): void {
  const t = tcpOf(s);
  cancel(s.netns.kernel.sim, t.timer);
  t.timer = null;
}

/** The retransmission timer (tcp_write_timeout, tcp_retransmit_timer), or the end of TIME-WAIT and FIN-WAIT-2. */
function expire(s: Socket): void {
  const t = tcpOf(s);
  t.timer = null;
  const ns = s.netns;
  switch (s.state) {
    case 'SYN-SENT': {
      // Linux 6.5 and later: the first tcp_syn_linear_timeouts retransmissions come a second apart, then the wait doubles.
      const linear = numberSysctl(ns, 'net.ipv4.tcp_syn_linear_timeouts');
      if (t.retries >= numberSysctl(ns, 'net.ipv4.tcp_syn_retries') + linear) {
        done(s, t.softError ?? 'ETIMEDOUT');
        return;
      }
      t.retries++;
      transmitSegment(s, SYN, t.iss);
      arm(s, t.retries <= linear ? SYN_RTO_MS : SYN_RTO_MS * 2 ** (t.retries - linear));
      return;
    }
    case 'SYN-RECV':
      if (t.retries >= numberSysctl(ns, 'net.ipv4.tcp_synack_retries')) {
        done(s, null);
        return;
      }
      t.retries++;
      transmitSegment(s, SYN | ACK, t.iss);
      arm(s, SYN_RTO_MS * 2 ** t.retries);
      return;
    case 'TIME-WAIT':
    case 'FIN-WAIT-2':
      done(s, null);
      return;
  }
  if (!inFlight(t) && !(t.out.length && t.sndWnd === 0)) return;
  // tcp_orphan_retries: 0 stands for eight, with the least timeout a little more than 100 s.
  const most = t.orphan ? numberSysctl(ns, 'net.ipv4.tcp_orphan_retries') || 8 : numberSysctl(ns, 'net.ipv4.tcp_retries2');
  if (t.retries >= most) {
    done(s, t.softError ?? 'ETIMEDOUT');
    return;
  }
  t.retries++;
  t.rtoMs = Math.min(MAX_RTO_MS, t.rtoMs * 2);
  t.recover = t.sndNxt;
  retransmit(s);
  arm(s, t.rtoMs);
}

export const inFlight = (t: TcpState): number => diff(t.sndNxt, t.sndUna);

/** The first unacknowledged segment again; into a closed window, a probe. */
export function retransmit(s: Socket): void {
  const t = tcpOf(s);
  const sent = Math.min(t.out.length, inFlight(t) - (t.finSent ? 1 : 0));
  if (sent > 0) transmitSegment(s, ACK | PSH, t.sndUna, t.out.subarray(0, Math.min(sent, t.mss)));
  else if (t.finSent) transmitSegment(s, ACK | FIN, t.sndUna);
  else transmitSegment(s, ACK, plus(t.sndUna, -1));
}

/** Send what the window allows, and the FIN after the last byte (tcp_write_xmit). */
export function push(s: Socket): void {
  const t = tcpOf(s);
  if (s.state !== 'ESTAB' && s.state !== 'CLOSE-WAIT' && s.state !== 'FIN-WAIT-1' && s.state !== 'LAST-ACK' && s.state !== 'CLOSING')
    return;
  while (!t.finSent) {
    const sent = inFlight(t);
    const left = t.out.length - sent;
    const room = t.sndWnd - sent;
    if (left <= 0) break;
    if (room <= 0) {
      if (!t.timer) arm(s, t.rtoMs);
      return;
    }
    const n = Math.min(left, t.mss, room);
    const data = t.out.subarray(sent, sent + n);
    const seq = t.sndNxt;
    t.sndNxt = plus(t.sndNxt, n);
    if (!t.timer) arm(s, t.rtoMs);
    transmitSegment(s, ACK | (n === left ? PSH : 0), seq, data);
  }
  if (t.finQueued && !t.finSent && t.out.length <= inFlight(t)) {
    t.finSent = true;
    const seq = t.sndNxt;
    t.sndNxt = plus(t.sndNxt, 1);
    if (!t.timer) arm(s, t.rtoMs);
    transmitSegment(s, ACK | FIN, seq);
  }
}

/** The application will send no more. */
export function closeWriting(s: Socket): void {
  const t = tcpOf(s);
  if (t.finQueued) return;
  t.finQueued = true;
  if (s.state === 'ESTAB') s.state = 'FIN-WAIT-1';
  else if (s.state === 'CLOSE-WAIT') s.state = 'LAST-ACK';
  push(s);
}

/** The connection is over: out of the tables, waiters woken. */
export function done(s: Socket, error: Errno | null): void {
  const t = tcpOf(s);
  disarm(s);
  if (error) s.error = error;
  if (s.state === 'SYN-RECV' && t.listener) {
    tcpOf(t.listener).pending--;
    t.orphan = true; // never accepted: nobody will close it
  }
  s.state = 'UNCONN';
  t.finReceived = true;
  removeConnected(s);
  if (t.orphan || t.listener) forget(s);
  if (error && s.trace)
    addStep(s.trace, s.netns, 'socket', `connection to ${s.remote ? formatIp(s.remote) : '?'}:${s.remotePort} ends: ${error}`);
  wake(s);
}

export function forget(s: Socket): void {
  if (!s.closed && !tcpOf(s).orphan) return;
  s.netns.sockets.all.delete(s);
  removeBound(s);
}

export function abort(s: Socket): void {
  if (s.state !== 'UNCONN' && s.state !== 'LISTEN' && s.state !== 'SYN-SENT' && s.state !== 'TIME-WAIT') {
    transmitSegment(s, RST | ACK, tcpOf(s).sndNxt);
  }
  done(s, null);
}

/** close() in FIN-WAIT-2: wait for the other side's FIN, but not for ever. */
function orphanWait(s: Socket): void {
  arm(s, numberSysctl(s.netns, 'net.ipv4.tcp_fin_timeout') * 1000);
}

export function acknowledge(s: Socket): void {
  transmitSegment(s, ACK, tcpOf(s).sndNxt);
}

/** The application has read: tell the other side when the window had nearly closed. */
export function windowUpdate(s: Socket): void {
  const t = tcpOf(s);
  const now = RECEIVE_WINDOW - t.inboxLength;
  if (t.advertised < 2 * t.mss && now - t.advertised >= 2 * t.mss && s.state !== 'UNCONN' && s.state !== 'TIME-WAIT') acknowledge(s);
}

export function queueData(s: Socket, data: Uint8Array): void {
  const t = tcpOf(s);
  t.out = t.out.length ? concat([t.out, data]) : data;
  push(s);
}

/** Its socket was let go. */
export function closeTcp(s: Socket): void {
  const t = tcpOf(s);
  t.orphan = true;
  t.readClosed = true;
  if (s.state === 'LISTEN') {
    s.state = 'UNCONN';
    for (const child of t.accepted.splice(0)) {
      child.closed = true;
      tcpOf(child).orphan = true;
      abort(child);
    }
  }
  if (s.state === 'UNCONN' || s.state === 'SYN-SENT') {
    done(s, null);
    return;
  }
  if (t.inboxLength || s.options.get('linger0')) {
    abort(s);
    return;
  }
  if (s.state === 'FIN-WAIT-2') {
    orphanWait(s);
    return;
  }
  closeWriting(s);
}
