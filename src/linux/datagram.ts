// UDP, echo ("ping") and raw sockets: what they send, what they are given, and the ICMP errors they hear of.
import { wakeAll } from '../sim/task.ts';
import { type Ip, sameIp } from '../wire/ip.ts';
import { type Icmp, type Packet, PROTO, type Udp } from '../wire/packet.ts';
import { errorOf, learnPmtu, pathMtu, sendOwnIcmp } from './icmp.ts';
import { lookupRoute } from './route.ts';
import type { Datagram, SendToOptions, Socket } from './socket.ts';
import { boundTo, findBound } from './socket-table.ts';
import { type SendOptions, stack } from './stack.ts';
import { numberSysctl } from './sysctl.ts';
import type { Errno, Netns, Skb } from './types.ts';

/** net.core.rmem_default holds a few hundred small datagrams. */
const QUEUE_LENGTH = 256;

function ipHeader(s: Socket, to: Ip, src: Ip, proto: number, o: SendToOptions): Omit<Packet, 'body'> {
  const family = to.length === 4 ? 4 : 6;
  return {
    kind: 'ip',
    family,
    src,
    dst: to,
    proto,
    ttl: o.ttl ?? s.ttl ?? (family === 4 ? numberSysctl(s.netns, 'net.ipv4.ip_default_ttl') : 64),
    tos: o.tos ?? Number(s.options.get('tos') ?? 0),
    id: 0,
    df: o.df ?? Number(s.options.get('mtu_discover') ?? 1) !== 0,
  };
}

export function sendUdp(s: Socket, data: Uint8Array, to: Ip, port: number, src: Ip, o: SendToOptions, out: SendOptions): Errno | null {
  if (data.length > 65_507) return 'EMSGSIZE';
  const header = ipHeader(s, to, src, PROTO.UDP, o);
  const route = lookupRoute(s.netns, to, { src, oif: out.oif, mark: out.mark });
  const mtu = pathMtu(s.netns, to, typeof route === 'string' ? 1500 : route.mtu);
  if (data.length + 8 + (to.length === 4 ? 20 : 40) > mtu) {
    // IP_PMTUDISC_WANT sends longer ones as fragments, IP_PMTUDISC_DO refuses them.
    if (Number(s.options.get('mtu_discover') ?? 1) === 2 || o.df) return 'EMSGSIZE';
    header.df = false;
  }
  const body: Udp = { kind: 'udp', sport: s.localPort, dport: port, data };
  return stack.sendPacket(s.netns, { ...header, body }, out);
}

export function sendEcho(
  s: Socket,
  m: { type: number; code: number; id?: number; data: Uint8Array },
  seq: number,
  to: Ip,
  src: Ip,
  o: SendToOptions,
  out: SendOptions,
): Errno | null {
  const header = ipHeader(s, to, src, to.length === 4 ? PROTO.ICMP : PROTO.ICMPV6, o);
  const route = lookupRoute(s.netns, to, { src, oif: out.oif, mark: out.mark });
  const mtu = pathMtu(s.netns, to, typeof route === 'string' ? 1500 : route.mtu);
  if (m.data.length + 8 + (to.length === 4 ? 20 : 40) > mtu) {
    if (Number(s.options.get('mtu_discover') ?? 1) === 2 || o.df) return 'EMSGSIZE';
    header.df = false;
  }
  const id = s.type === 'icmp' ? s.localPort : (m.id ?? 0);
  const body: Icmp = { kind: 'icmp', type: m.type, code: m.code, id, seq, data: m.data };
  return stack.sendPacket(s.netns, { ...header, body }, out);
}

function queue(s: Socket, d: Datagram): void {
  if (s.datagrams.length >= QUEUE_LENGTH) return;
  s.datagrams.push(d);
  wakeAll(s.readable);
}

/** -> false: no socket takes it */
export function udpInput(ns: Netns, skb: Skb): boolean {
  const p = skb.packet;
  const u = p.body as Udp;
  const s = findBound(ns, 'udp', p.dst, u.dport, p.src, u.sport, skb.iif);
  if (!s) return false;
  if (skb.trace) s.trace = skb.trace;
  queue(s, { data: u.data, from: p.src, fromPort: u.sport, to: p.dst, ttl: p.ttl, skb });
  return true;
}

/** Echo replies go to the ping socket with their id; everything goes to raw sockets. */
export function icmpInput(ns: Netns, skb: Skb): void {
  const p = skb.packet;
  const m = p.body as Icmp;
  if (m.type !== (p.family === 4 ? 0 : 129)) return;
  const s = findBound(ns, 'icmp', p.dst, m.id, p.src, 0, skb.iif);
  if (s) queue(s, { data: m.data, from: p.src, fromPort: m.seq, to: p.dst, ttl: p.ttl, skb });
}

/** raw_local_deliver: a copy for every raw socket of the protocol. */
export function rawInput(ns: Netns, skb: Skb): boolean {
  let taken = false;
  for (const s of ns.sockets.all) {
    if (s.type !== 'raw' || s.closed) continue;
    const p = skb.packet;
    const proto = Number(s.options.get('ipproto') ?? (p.family === 4 ? PROTO.ICMP : PROTO.ICMPV6));
    if (proto !== p.proto || (s.family === 4) !== (p.family === 4)) continue;
    if ((s.local && !sameIp(s.local, p.dst)) || (s.remote && !sameIp(s.remote, p.src))) continue;
    const data = p.body.kind === 'icmp' || p.body.kind === 'udp' || p.body.kind === 'tcp' ? p.body.data : new Uint8Array(0);
    queue(s, { data, from: p.src, fromPort: p.body.kind === 'icmp' ? p.body.seq : 0, to: p.dst, ttl: p.ttl, skb });
    taken = true;
  }
  return taken;
}

/** An ICMP error about a datagram of ours (udp_err, ping_err, raw_err). */
export function datagramError(ns: Netns, skb: Skb, original: Packet, type: number, code: number, mtu?: number): void {
  const e = errorOf(skb.packet.family, type, code);
  if (!e) return;
  if (e.errno === 'EMSGSIZE' && mtu) learnPmtu(ns, original.dst, mtu);
  const b = original.body;
  const sockets: Socket[] = [];
  if (b.kind === 'udp') {
    const s = findBound(ns, 'udp', original.src, b.sport, original.dst, b.dport, skb.iif);
    if (s) sockets.push(s);
  } else if (b.kind === 'icmp') {
    for (const s of boundTo(ns, 'icmp', b.id) ?? []) sockets.push(s);
  }
  for (const s of ns.sockets.all) {
    if (s.type === 'raw' && Number(s.options.get('ipproto') ?? PROTO.ICMP) === original.proto && original.proto !== PROTO.ICMP)
      sockets.push(s);
  }
  for (const s of sockets) {
    s.heard = { type, code, from: skb.packet.src, mtu };
    const listens = s.options.get('recverr');
    if (!listens && !(e.fatal && s.state === 'ESTAB')) continue;
    if (!listens) {
      s.error = e.errno;
      wakeAll(s.readable);
      continue;
    }
    const error = { errno: e.errno, type, code, from: skb.packet.src, mtu };
    const sent = b.kind === 'icmp' || b.kind === 'udp' ? b : null;
    const fromPort = sent?.kind === 'icmp' ? sent.seq : (sent?.dport ?? 0);
    queue(s, { data: sent?.data ?? new Uint8Array(0), from: original.dst, fromPort, to: original.src, ttl: skb.packet.ttl, skb, error });
  }
}

/** The kernel's own answer to a ping. */
export function echoReply(ns: Netns, skb: Skb): void {
  const p = skb.packet;
  const m = p.body as Icmp;
  const key = p.family === 4 ? 'net.ipv4.icmp_echo_ignore_all' : 'net.ipv6.icmp.echo_ignore_all';
  if (numberSysctl(ns, key)) return;
  const body: Icmp = { ...m, type: p.family === 4 ? 0 : 129 };
  const ttl = p.family === 4 ? numberSysctl(ns, 'net.ipv4.ip_default_ttl') : 64;
  sendOwnIcmp(ns, { ...p, src: p.dst, dst: p.src, ttl, id: 0, df: false, body }, { trace: skb.trace });
}
