// TCP (RFC 9293): what a segment or an ICMP error about one does to listeners and connections.
import { nextU32 } from '../sim/random.ts';
import { formatIp, type Ip } from '../wire/ip.ts';
import { type Packet, TCP_FLAG, type Tcp } from '../wire/packet.ts';
import { errorOf, learnPmtu } from './icmp.ts';
import type { Socket } from './socket.ts';
import { addConnected } from './socket-table.ts';
import { stack } from './stack.ts';
import { numberSysctl } from './sysctl.ts';
import {
  acknowledge,
  arm,
  diff,
  disarm,
  done,
  EMPTY,
  inFlight,
  MIN_RTO_MS,
  mssOf,
  newTcpState,
  plus,
  push,
  RECEIVE_WINDOW,
  retransmit,
  SYN_RTO_MS,
  TIMESTAMP_BYTES,
  tcpOf,
  transmitSegment,
  WINDOW_SCALE,
  wake,
} from './tcp.ts';
import { addStep, dropped } from './trace.ts';
import type { Netns, Skb } from './types.ts';

const { FIN, SYN, RST, ACK } = TCP_FLAG;

const TIME_WAIT_MS = 60_000;

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
