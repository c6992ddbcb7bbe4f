// TCP (RFC 9293) with Linux's timers: segments in and out, retransmission, closing. The calls that programs make are in socket.ts.
import { concat } from '../sim/bytes.ts';
import { nextU32 } from '../sim/random.ts';
import { cancel, schedule } from '../sim/sim.ts';
import { wakeAll } from '../sim/task.ts';
import { formatIp, type Ip } from '../wire/ip.ts';
import { type Packet, PROTO, TCP_FLAG, type Tcp } from '../wire/packet.ts';
import { errorOf, learnPmtu, pathMtu } from './icmp.ts';
import { linkByName } from './link.ts';
import { lookupRoute } from './route.ts';
import type { Socket, TcpState } from './socket.ts';
import { addConnected, removeBound, removeConnected } from './socket-table.ts';
import { stack } from './stack.ts';
import { numberSysctl } from './sysctl.ts';
import { addStep, dropped } from './trace.ts';
import type { Errno, Netns, Skb } from './types.ts';

const { FIN, SYN, RST, PSH, ACK } = TCP_FLAG;

const SYN_RTO_MS = 1000;
const MIN_RTO_MS = 200;
const MAX_RTO_MS = 120_000;
const TIME_WAIT_MS = 60_000;
/** The receive window and its scale, as a connection starts with them under default tcp_rmem. */
const RECEIVE_WINDOW = 64_512;
const WINDOW_SCALE = 10;
const TIMESTAMP_BYTES = 12;

const diff = (a: number, b: number): number => (a - b) | 0;
const plus = (a: number, n: number): number => (a + n) >>> 0;

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
function mssOf(s: Socket, withOptions: boolean): number {
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

const EMPTY = new Uint8Array(0);

function transmitSegment(s: Socket, flags: number, seq: number, data: Uint8Array = EMPTY): Errno | null {
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

function arm(s: Socket, ms: number): void {
  const t = tcpOf(s);
  cancel(s.netns.kernel.sim, t.timer);
  t.timer = schedule(s.netns.kernel.sim, ms, () => expire(s), true);
}

function disarm(s: Socket): void {
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
  const most = t.orphan ? 8 : numberSysctl(ns, 'net.ipv4.tcp_retries2');
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

const inFlight = (t: TcpState): number => diff(t.sndNxt, t.sndUna);

/** The first unacknowledged segment again; into a closed window, a probe. */
function retransmit(s: Socket): void {
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

/** A RST by RFC 9293 3.10.7.1, for a segment that belongs to no connection. */
export function sendReset(ns: Netns, skb: Skb): void {
  const p = skb.packet;
  const th = p.body as Tcp;
  if (th.flags & RST) return;
  const withAck = (th.flags & ACK) !== 0;
  const length = th.data.length + (th.flags & SYN ? 1 : 0) + (th.flags & FIN ? 1 : 0);
  const body: Tcp = {
    kind: 'tcp',
    sport: th.dport,
    dport: th.sport,
    seq: withAck ? th.ack : 0,
    ack: withAck ? 0 : plus(th.seq, length),
    flags: withAck ? RST : RST | ACK,
    window: 0,
    data: EMPTY,
  };
  const packet: Packet = { ...p, src: p.dst, dst: p.src, ttl: 64, tos: 0, id: 0, df: true, body };
  if (skb.trace) addStep(skb.trace, ns, 'reply', `RST: nobody listens on ${formatIp(p.dst)}:${th.dport}`, packet);
  stack.sendPacket(ns, packet, { trace: skb.trace });
}

/** A SYN reaches a listener (tcp_conn_request). */
export function listenerInput(listener: Socket, skb: Skb): void {
  const p = skb.packet;
  const th = p.body as Tcp;
  const ns = listener.netns;
  if (th.flags & RST) return;
  if (th.flags & ACK || !(th.flags & SYN)) {
    if (th.flags & ACK) sendReset(ns, skb);
    return;
  }
  const l = tcpOf(listener);
  if (l.accepted.length + l.pending > l.backlog) {
    dropped(skb, ns, `the backlog of port ${listener.localPort} is full`);
    return;
  }
  const t = newTcpState();
  const s: Socket = {
    ...listener,
    local: p.dst,
    remote: p.src,
    remotePort: th.sport,
    state: 'SYN-RECV',
    options: new Map(listener.options),
    datagrams: [],
    readable: new Set(),
    tcp: t,
    error: null,
    closed: false,
    heard: null,
    trace: skb.trace,
  };
  t.listener = listener;
  t.iss = nextU32(ns.kernel.sim.random);
  t.sndUna = t.iss;
  t.sndNxt = plus(t.iss, 1);
  t.rcvNxt = plus(th.seq, 1);
  t.mss = Math.min(mssOf(s, true), (th.mss ?? 536) - TIMESTAMP_BYTES);
  t.sndWnd = th.window;
  l.pending++;
  ns.sockets.all.add(s);
  addConnected(s);
  if (skb.trace) addStep(skb.trace, ns, 'deliver', `${formatIp(p.dst)}:${th.dport} is listened on: SYN, ACK`, p);
  transmitSegment(s, SYN | ACK, t.iss);
  arm(s, SYN_RTO_MS);
}

function acknowledge(s: Socket): void {
  transmitSegment(s, ACK, tcpOf(s).sndNxt);
}

/** A segment for a connection. -> false: treat it as if there were none (a SYN on an old TIME-WAIT) */
export function segmentInput(s: Socket, skb: Skb): boolean {
  const th = skb.packet.body as Tcp;
  const t = tcpOf(s);
  if (skb.trace) s.trace = skb.trace;
  if (s.state === 'SYN-SENT') {
    synSentInput(s, th, skb);
    return true;
  }
  if (s.state === 'TIME-WAIT') {
    if (th.flags & SYN && !(th.flags & ACK) && diff(th.seq, t.rcvNxt) > 0) {
      done(s, null);
      return false;
    }
    if (th.flags & RST) done(s, null);
    else if (th.flags & (FIN | SYN) || th.data.length) acknowledge(s);
    return true;
  }
  const length = th.data.length + (th.flags & FIN ? 1 : 0);
  if (th.flags & RST) {
    if (diff(th.seq, t.rcvNxt) >= 0 && diff(th.seq, t.rcvNxt) <= RECEIVE_WINDOW) reset(s);
    return true;
  }
  if (th.flags & SYN) {
    if (s.state === 'SYN-RECV' && plus(th.seq, 1) === t.rcvNxt) transmitSegment(s, SYN | ACK, t.iss);
    else acknowledge(s); // challenge ACK (RFC 5961)
    return true;
  }
  if (!(th.flags & ACK)) return true;
  if (s.state === 'SYN-RECV' && !establishChild(s, th, skb)) return true;
  ackInput(s, th);
  if (tcpOf(s).orphan && length && (s.state === 'FIN-WAIT-1' || s.state === 'FIN-WAIT-2') && th.data.length) {
    // Data for a socket nobody reads any more (tcp_rcv_state_process).
    sendReset(s.netns, skb);
    done(s, null);
    return true;
  }
  if (length) dataInput(s, th);
  return true;
}

function reset(s: Socket): void {
  if (s.state === 'SYN-RECV') {
    done(s, null);
    return;
  }
  done(s, s.state === 'CLOSE-WAIT' ? 'EPIPE' : 'ECONNRESET');
}

function synSentInput(s: Socket, th: Tcp, skb: Skb): void {
  const t = tcpOf(s);
  if (th.flags & ACK && th.ack !== t.sndNxt) {
    sendReset(s.netns, skb);
    return;
  }
  if (th.flags & RST) {
    if (th.flags & ACK) done(s, 'ECONNREFUSED');
    return;
  }
  if (!(th.flags & SYN) || !(th.flags & ACK)) return;
  t.rcvNxt = plus(th.seq, 1);
  t.sndUna = th.ack;
  t.sndWnd = th.window;
  t.mss = Math.min(t.mss, (th.mss ?? 536) - TIMESTAMP_BYTES);
  measure(s);
  s.state = 'ESTAB';
  disarm(s);
  if (skb.trace) addStep(skb.trace, s.netns, 'socket', `connected to ${formatIp(s.remote as Ip)}:${s.remotePort}`, skb.packet);
  acknowledge(s);
  push(s);
  wake(s);
}

/** A round trip that was not retransmitted sets the timeout (RFC 6298 with Linux's 200 ms floor). */
function measure(s: Socket): void {
  const t = tcpOf(s);
  const rtt = s.netns.kernel.sim.nowMs - t.sentAtMs;
  t.rtoMs = t.retries ? SYN_RTO_MS : Math.max(MIN_RTO_MS, MIN_RTO_MS + Math.ceil(rtt));
  t.retries = 0;
}

function establishChild(s: Socket, th: Tcp, skb: Skb): boolean {
  const t = tcpOf(s);
  const listener = t.listener as Socket;
  if (th.ack !== t.sndNxt) {
    sendReset(s.netns, skb);
    return false;
  }
  const l = tcpOf(listener);
  l.pending--;
  if (listener.closed || listener.state !== 'LISTEN') {
    l.pending++;
    sendReset(s.netns, skb);
    done(s, null);
    return false;
  }
  disarm(s);
  measure(s);
  s.state = 'ESTAB';
  l.accepted.push(s);
  wake(listener);
  return true;
}

function ackInput(s: Socket, th: Tcp): void {
  const t = tcpOf(s);
  t.sndWnd = th.window << WINDOW_SCALE;
  const acked = diff(th.ack, t.sndUna);
  if (acked > 0 && diff(t.sndNxt, th.ack) >= 0) {
    const bytes = Math.min(acked, t.out.length);
    t.out = t.out.subarray(bytes);
    t.sndUna = th.ack;
    t.softError = null;
    t.confirmed = true;
    if (t.retries) t.rtoMs = MIN_RTO_MS;
    t.retries = 0;
    disarm(s);
    if (inFlight(t)) arm(s, t.rtoMs);
    if (t.recover !== null) {
      // What was in flight at the time of the loss is taken to be lost too: the next segment follows at once.
      if (diff(t.recover, t.sndUna) > 0) retransmit(s);
      else t.recover = null;
    }
    if (t.finSent && t.sndUna === t.sndNxt) finAcknowledged(s);
    wake(s);
  }
  push(s);
}

function finAcknowledged(s: Socket): void {
  const t = tcpOf(s);
  if (s.state === 'FIN-WAIT-1') {
    s.state = 'FIN-WAIT-2';
    if (t.orphan) arm(s, numberSysctl(s.netns, 'net.ipv4.tcp_fin_timeout') * 1000);
  } else if (s.state === 'CLOSING') timeWait(s);
  else if (s.state === 'LAST-ACK') done(s, null);
}

/** close() in FIN-WAIT-2: wait for the other side's FIN, but not for ever. */
export function orphanWait(s: Socket): void {
  arm(s, numberSysctl(s.netns, 'net.ipv4.tcp_fin_timeout') * 1000);
}

function timeWait(s: Socket): void {
  s.state = 'TIME-WAIT';
  arm(s, TIME_WAIT_MS);
  wake(s);
}

/** Bytes and FIN in order; later ones wait for the gap to close. */
function dataInput(s: Socket, th: Tcp): void {
  const t = tcpOf(s);
  let data = th.data;
  let seq = th.seq;
  let fin = (th.flags & FIN) !== 0;
  const behind = diff(t.rcvNxt, seq);
  if (behind > 0) {
    if (behind >= data.length + (fin ? 1 : 0)) {
      acknowledge(s);
      return;
    } // all of it is old
    data = data.subarray(Math.min(behind, data.length));
    seq = t.rcvNxt;
  }
  if (diff(seq, t.rcvNxt) > 0) {
    t.outOfOrder.set(seq, { data, fin });
    acknowledge(s);
    return;
  }
  for (;;) {
    if (data.length) {
      t.rcvNxt = plus(t.rcvNxt, data.length);
      if (!t.readClosed) {
        t.inbox.push(data);
        t.inboxLength += data.length;
      }
    }
    if (fin) break;
    const next = t.outOfOrder.get(t.rcvNxt);
    if (!next) break;
    t.outOfOrder.delete(t.rcvNxt);
    ({ data, fin } = next);
  }
  if (fin) finInput(s);
  else acknowledge(s);
  wake(s);
}

function finInput(s: Socket): void {
  const t = tcpOf(s);
  t.rcvNxt = plus(t.rcvNxt, 1);
  t.finReceived = true;
  acknowledge(s);
  if (s.state === 'ESTAB') s.state = 'CLOSE-WAIT';
  else if (s.state === 'FIN-WAIT-1') s.state = 'CLOSING';
  else if (s.state === 'FIN-WAIT-2') timeWait(s);
}

/** The application has read: tell the other side when the window had nearly closed. */
export function windowUpdate(s: Socket): void {
  const t = tcpOf(s);
  const now = RECEIVE_WINDOW - t.inboxLength;
  if (t.advertised < 2 * t.mss && now - t.advertised >= 2 * t.mss && s.state !== 'UNCONN' && s.state !== 'TIME-WAIT') acknowledge(s);
}

/** An ICMP error about one of our segments (tcp_v4_err). */
export function errorInput(s: Socket, skb: Skb, type: number, code: number, mtu: number | undefined): void {
  const t = tcpOf(s);
  const family = skb.packet.family;
  if ((family === 4 && type === 3 && code === 4) || (family === 6 && type === 2)) {
    if (mtu) learnPmtu(s.netns, s.remote as Ip, mtu);
    t.mss = Math.min(t.mss, mssOf(s, true));
    if (s.state === 'ESTAB' || s.state === 'CLOSE-WAIT' || s.state === 'FIN-WAIT-1' || s.state === 'LAST-ACK') {
      t.recover = t.sndNxt;
      retransmit(s);
    }
    return;
  }
  const e = errorOf(family, type, code);
  if (!e) return;
  if (s.state === 'SYN-SENT') {
    done(s, e.errno);
    return;
  }
  if (s.state === 'SYN-RECV') {
    if (family === 4 ? type === 3 && code <= 1 : type === 1 && (code === 0 || code === 3)) done(s, null);
    return;
  }
  if (e.fatal && s.options.get('recverr')) {
    done(s, e.errno);
    return;
  }
  t.softError = e.errno;
}

export function queueData(s: Socket, data: Uint8Array): void {
  const t = tcpOf(s);
  t.out = t.out.length ? concat([t.out, data]) : data;
  push(s);
}
