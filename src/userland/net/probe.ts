// What traceroute, tracepath and mtr have in common: one probe with a TTL, and what it causes.

import {
  bind,
  close,
  connect,
  type Datagram,
  recvFrom,
  type Socket,
  sendIcmp,
  sendPacketFrom,
  sendTo,
  socket,
} from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { below, nextU32 } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { familyOf, type Ip, sameIp } from '../../wire/ip.ts';
import { type Packet, PROTO, TCP_FLAG } from '../../wire/packet.ts';
import { sourceFor } from './resolver.ts';

export type Method = 'udp' | 'icmp' | 'tcp';

/** The call that failed and its errno. */
export interface Failure {
  call: string;
  errno: Errno;
}

export interface Probe {
  method: Method;
  to: Ip;
  ttl: number;
  /** UDP and TCP: destination port; ICMP: sequence number. */
  port: number;
  size: number;
  timeoutMs: number;
  df: boolean;
  /** Sent from here (-s). */
  source?: Ip | null;
  /** One socket asks all ICMP probes: the identifier that the first got, 0 before. */
  echo?: { id: number };
  /** SO_BINDTODEVICE (-i). */
  device?: string;
  /** The UDP socket is connected before it sends. */
  connected?: boolean;
}

/** What came back: a router on the way, the target itself, or an error that ends the path there. */
export interface Hop {
  from: Ip;
  ms: number;
  final: boolean;
  /** `!H`, `!N`, `!X` … */
  mark: string;
  replyTtl: number;
  mtu?: number;
}

const UNREACHABLE: Record<number, string> = { 0: '!N', 1: '!H', 2: '!P', 5: '!S', 9: '!X', 10: '!X', 13: '!X' };

function hopOf(d: Datagram, ms: number): Hop {
  const e = d.error;
  if (!e) return { from: d.from, ms, final: true, mark: '', replyTtl: d.ttl };
  const exceeded = d.to.length === 16 ? e.type === 3 : e.type === 11;
  const port = d.to.length === 16 ? e.type === 1 && e.code === 4 : e.type === 3 && e.code === 3;
  const tooBig = d.to.length === 16 ? e.type === 2 : e.type === 3 && e.code === 4;
  if (tooBig) return { from: e.from, ms, final: false, mark: `!F-${e.mtu ?? 0}`, replyTtl: d.ttl, mtu: e.mtu };
  const mark = exceeded || port ? '' : (UNREACHABLE[e.code] ?? `!<${e.code}>`);
  return { from: e.from, ms, final: !exceeded, mark, replyTtl: d.ttl };
}

/** Send one probe and wait for what it causes. null: nothing in time. */
export function* probeOnce(p: Process, o: Probe): Co<Hop | null | Failure> {
  return o.method === 'tcp' ? yield* probeTcp(p, o) : yield* probeDatagram(p, o);
}

/** Sockets are connected before anything is sent: what has no route fails there, what a rule forbids only with the packet. */
const callOf = (errno: Errno): string => (errno === 'EPERM' ? 'send' : 'connect');

function* probeDatagram(p: Process, o: Probe): Co<Hop | null | Failure> {
  const s = socket(p, o.method === 'icmp' ? 'icmp' : 'udp', familyOf(o.to));
  if (typeof s === 'string') return { call: 'socket', errno: s };
  s.options.set('recverr', 1);
  if (o.df) s.options.set('mtu_discover', 2);
  s.ttl = o.ttl;
  const startMs = p.kernel.sim.nowMs;
  try {
    const refused = place(p, s, o);
    if (refused) return refused;
    const data = new Uint8Array(Math.max(0, o.size)).fill(64);
    const unreached = o.connected && o.method === 'udp' ? yield* connect(s, o.to, o.port) : null;
    if (unreached) return { call: 'connect', errno: unreached };
    const error =
      o.method === 'icmp'
        ? sendIcmp(s, { type: familyOf(o.to) === 4 ? 8 : 128, code: 0, data }, o.port, o.to)
        : sendTo(s, data, o.to, o.port);
    if (o.echo) o.echo.id = s.localPort;
    if (error) return { call: o.connected && o.method === 'udp' ? 'send' : callOf(error), errno: error };
    for (;;) {
      const left = startMs + o.timeoutMs - p.kernel.sim.nowMs;
      const d = left > 0 ? yield* recvFrom(s, left) : 'EAGAIN';
      if (typeof d === 'string') return d === 'EAGAIN' ? null : { call: 'recvmsg', errno: d };
      return hopOf(d, p.kernel.sim.nowMs - startMs);
    }
  } finally {
    close(s);
  }
}

function place(p: Process, s: Socket, o: Probe): Failure | null {
  if (o.device !== undefined) {
    if (![...p.netns.links.values()].some(l => l.name === o.device)) return { call: 'setsockopt SO_BINDTODEVICE', errno: 'ENODEV' };
    s.options.set('bindtodevice', o.device);
  }
  const id = o.method === 'icmp' ? (o.echo?.id ?? 0) : 0;
  const errno = o.source || id ? bind(s, o.source ?? null, id) : null;
  return errno ? { call: 'bind', errno } : null;
}

/** A half-open SYN from a raw socket; the target answers SYN,ACK or RST. */
function* probeTcp(p: Process, o: Probe): Co<Hop | null | Failure> {
  const s = socket(p, 'raw', familyOf(o.to));
  if (typeof s === 'string') return { call: 'socket', errno: s };
  s.options.set('ipproto', PROTO.TCP);
  s.options.set('recverr', 1);
  const refused = place(p, s, o);
  if (refused) {
    close(s);
    return refused;
  }
  const source = o.source ?? (yield* sourceFor(p, o.to));
  if (!source) {
    close(s);
    return { call: 'connect', errno: 'ENETUNREACH' };
  }
  const sport = 32768 + below(p.kernel.sim.random, 28000);
  const body = {
    kind: 'tcp' as const,
    sport,
    dport: o.port,
    seq: nextU32(p.kernel.sim.random),
    ack: 0,
    flags: TCP_FLAG.SYN,
    window: 5840,
    mss: 1460,
    data: new Uint8Array(0),
  };
  const packet: Packet = {
    kind: 'ip',
    family: familyOf(o.to),
    src: source,
    dst: o.to,
    proto: PROTO.TCP,
    ttl: o.ttl,
    tos: 0,
    id: 0,
    df: true,
    body,
  };
  const startMs = p.kernel.sim.nowMs;
  try {
    const error = sendPacketFrom(s, packet);
    if (error) return { call: callOf(error), errno: error };
    for (;;) {
      const left = startMs + o.timeoutMs - p.kernel.sim.nowMs;
      const d = left > 0 ? yield* recvFrom(s, left) : 'EAGAIN';
      if (typeof d === 'string') return null;
      if (isAnswer(d, sport, o)) return hopOf(d, p.kernel.sim.nowMs - startMs);
    }
  } finally {
    close(s);
  }
}

function isAnswer(d: Datagram, sport: number, o: Probe): boolean {
  const b = d.skb.packet.body;
  if (!d.error) return b.kind === 'tcp' && b.dport === sport && b.sport === o.port && sameIp(d.from, o.to);
  const inner = b.kind === 'icmp' ? b.original?.body : null;
  return inner?.kind === 'tcp' && inner.sport === sport;
}
