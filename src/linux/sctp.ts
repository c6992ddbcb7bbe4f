// As much SCTP (RFC 9260) as a connection attempt shows: the four-way handshake, ABORT from closed ports, data in order, SHUTDOWN.
import { cancel, schedule } from '../sim/sim.ts';
import { wakeAll } from '../sim/task.ts';
import { formatIp, type Ip } from '../wire/ip.ts';
import { type Packet, PROTO, type Sctp } from '../wire/packet.ts';
import { errorOf } from './icmp.ts';
import type { Socket } from './socket.ts';
import { addConnected, findBound, findConnected, removeConnected } from './socket-table.ts';
import { stack } from './stack.ts';
import { newTcpState, tcpOf } from './tcp.ts';
import { addStep } from './trace.ts';
import type { Errno, Netns, Skb } from './types.ts';

/** rto_initial and max_init_retransmits. */
const RTO_MS = 3000;
const MAX_RTO_MS = 60_000;
const RETRANSMITS = 8;

function packetTo(src: Ip, dst: Ip, body: Sctp): Packet {
  return { kind: 'ip', family: dst.length === 4 ? 4 : 6, src, dst, proto: PROTO.SCTP, ttl: 64, tos: 2, id: 0, df: true, body };
}

export function sendChunk(s: Socket, chunk: Sctp['chunk'], data: Uint8Array = new Uint8Array(0)): Errno | null {
  const body: Sctp = { kind: 'sctp', sport: s.localPort, dport: s.remotePort, chunk, data };
  const packet = packetTo(s.local as Ip, s.remote as Ip, body);
  return stack.sendPacket(s.netns, packet, { socket: s, uid: s.uid, trace: s.trace });
}

export function startAssociation(s: Socket): void {
  s.tcp = newTcpState();
  s.state = 'COOKIE-WAIT';
  addConnected(s);
  repeat(s, 'INIT', 'COOKIE-WAIT');
}

function repeat(s: Socket, chunk: Sctp['chunk'], state: string): void {
  const t = tcpOf(s);
  sendChunk(s, chunk);
  t.timer = schedule(
    s.netns.kernel.sim,
    Math.min(MAX_RTO_MS, RTO_MS * 2 ** t.retries),
    () => {
      if (s.state !== state) return;
      if (t.retries++ >= RETRANSMITS) end(s, 'ETIMEDOUT');
      else repeat(s, chunk, state);
    },
    true,
  );
}

function end(s: Socket, error: Errno | null): void {
  if (error) s.error = error;
  cancel(s.netns.kernel.sim, s.tcp?.timer);
  s.state = 'UNCONN';
  if (s.tcp) s.tcp.finReceived = true;
  removeConnected(s);
  if (s.closed) s.netns.sockets.all.delete(s);
  wakeAll(s.readable);
}

export function endAssociation(s: Socket): void {
  if (s.state === 'ESTAB') sendChunk(s, 'SHUTDOWN');
  if (s.state !== 'UNCONN' && s.state !== 'LISTEN') end(s, null);
}

/** A chunk arrives. */
export function sctpInput(ns: Netns, skb: Skb): void {
  const p = skb.packet;
  const c = p.body as Sctp;
  const s = findConnected(ns, 'sctp', p.dst, c.dport, p.src, c.sport);
  if (s) {
    associationInput(s, c);
    return;
  }
  const listener = findBound(ns, 'sctp', p.dst, c.dport, p.src, c.sport, skb.iif);
  const answer = (chunk: Sctp['chunk']) => {
    const body: Sctp = { kind: 'sctp', sport: c.dport, dport: c.sport, chunk, data: c.data };
    stack.sendPacket(ns, packetTo(p.dst, p.src, body), { trace: skb.trace });
  };
  if (!listener) {
    if (c.chunk === 'ABORT') return;
    if (skb.trace) addStep(skb.trace, ns, 'reply', `ABORT: nobody listens on ${formatIp(p.dst)}:${c.dport}`, p);
    answer('ABORT');
    return;
  }
  if (c.chunk === 'INIT') {
    answer('INIT_ACK');
    return;
  } // no state before the cookie comes back
  if (c.chunk !== 'COOKIE_ECHO') return;
  const child: Socket = {
    ...listener,
    local: p.dst,
    remote: p.src,
    remotePort: c.sport,
    state: 'ESTAB',
    options: new Map(listener.options),
    datagrams: [],
    readable: new Set(),
    tcp: newTcpState(),
    error: null,
    closed: false,
    heard: null,
    trace: skb.trace,
  };
  ns.sockets.all.add(child);
  addConnected(child);
  sendChunk(child, 'COOKIE_ACK');
  tcpOf(listener).accepted.push(child);
  wakeAll(listener.readable);
}

function associationInput(s: Socket, c: Sctp): void {
  const t = tcpOf(s);
  switch (c.chunk) {
    case 'INIT_ACK':
      if (s.state !== 'COOKIE-WAIT') return;
      cancel(s.netns.kernel.sim, t.timer);
      s.state = 'COOKIE-ECHOED';
      repeat(s, 'COOKIE_ECHO', 'COOKIE-ECHOED');
      return;
    case 'COOKIE_ACK':
      if (s.state !== 'COOKIE-ECHOED') return;
      cancel(s.netns.kernel.sim, t.timer);
      s.state = 'ESTAB';
      wakeAll(s.readable);
      return;
    case 'COOKIE_ECHO':
      sendChunk(s, 'COOKIE_ACK');
      return;
    case 'ABORT':
      end(s, s.state === 'ESTAB' ? 'ECONNRESET' : 'ECONNREFUSED');
      return;
    case 'SHUTDOWN':
      end(s, null);
      return;
    case 'DATA':
      t.inbox.push(c.data);
      t.inboxLength += c.data.length;
      wakeAll(s.readable);
  }
}

export function sctpError(s: Socket, family: 4 | 6, type: number, code: number): void {
  const e = errorOf(family, type, code);
  if (!e || (s.state !== 'COOKIE-WAIT' && s.state !== 'COOKIE-ECHOED')) return;
  // Protocol unreachable ends the attempt (sctp_v4_err); the rest is remembered until it times out, except what is fatal.
  if (e.fatal) end(s, e.errno === 'ENOPROTOOPT' ? 'ECONNREFUSED' : e.errno);
}
