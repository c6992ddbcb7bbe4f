// A packet for this machine, after INPUT: sockets, tunnels, and the kernel's own answers.
import { formatIp } from '../wire/ip.ts';
import { type Icmp, PROTO, type Tcp, type Udp } from '../wire/packet.ts';
import { datagramError, echoReply, icmpInput, rawInput, udpInput } from './datagram.ts';
import { icmpError, isIcmpError } from './icmp.ts';
import { ndReceive } from './neigh.ts';
import { isBroadcast, isLocalAddress, isMulticast } from './route.ts';
import { sctpError, sctpInput } from './sctp.ts';
import { findBound, findConnected } from './socket-table.ts';
import { errorInput, listenerInput, segmentInput, sendReset } from './tcp-input.ts';
import { addStep, dropped } from './trace.ts';
import { tunnelReceive, vxlanReceive } from './tunnel.ts';
import type { Link, Netns, Skb } from './types.ts';

export function deliver(ns: Netns, skb: Skb): void {
  const packet = skb.packet;
  const raw = rawInput(ns, skb);
  switch (packet.body.kind) {
    case 'tcp':
      tcpInput(ns, skb, packet.body);
      return;
    case 'udp':
      udp(ns, skb, packet.body);
      return;
    case 'icmp':
      icmp(ns, skb, packet.body);
      return;
    case 'sctp':
      sctpInput(ns, skb);
      return;
    case 'ipip':
      if (tunnelReceive(ns, skb)) return;
  }
  if (raw) return;
  dropped(skb, ns, `protocol ${packet.proto} is not spoken here`);
  if (packet.family === 4) icmpError(ns, skb, 3, 2);
  else icmpError(ns, skb, 4, 1);
}

function tcpInput(ns: Netns, skb: Skb, th: Tcp): void {
  const { src, dst } = skb.packet;
  const s = findConnected(ns, 'tcp', dst, th.dport, src, th.sport);
  if (s && segmentInput(s, skb)) return;
  if (isMulticast(dst) || isBroadcast(dst)) return;
  const listener = findBound(ns, 'tcp', dst, th.dport, src, th.sport, skb.iif);
  if (listener) {
    listenerInput(listener, skb);
    return;
  }
  sendReset(ns, skb);
}

function udp(ns: Netns, skb: Skb, u: Udp): void {
  if (ns.kernelPorts?.size && vxlanReceive(ns, skb, u)) return;
  const { dst } = skb.packet;
  if (udpInput(ns, skb)) {
    if (skb.trace) addStep(skb.trace, ns, 'deliver', `${formatIp(dst)}:${u.dport} takes the datagram`, skb.packet);
    return;
  }
  dropped(skb, ns, `nobody has UDP port ${u.dport} open on ${formatIp(dst)}`);
  if (!isLocalAddress(ns, dst)) return;
  // nf_reset_ct in __udp4_lib_rcv and __udp6_lib_rcv: to the raw table the error is nobody's; conntrack finds its flow by what it quotes.
  skb.ct = null;
  if (skb.packet.family === 4) icmpError(ns, skb, 3, 3);
  else icmpError(ns, skb, 1, 4);
}

function icmp(ns: Netns, skb: Skb, m: Icmp): void {
  const packet = skb.packet;
  if (isIcmpError(packet)) {
    icmpErrorInput(ns, skb, m);
    return;
  }
  if (m.type === (packet.family === 4 ? 8 : 128)) {
    if (packet.family === 4 && !isLocalAddress(ns, packet.dst)) return; // icmp_echo_ignore_broadcasts
    if (skb.trace) addStep(skb.trace, ns, 'deliver', `echo request for ${formatIp(packet.dst)}`, packet);
    echoReply(ns, skb);
    return;
  }
  if (packet.proto === PROTO.ICMPV6 && (m.type === 135 || m.type === 136)) {
    ndReceive(skb.iif as Link, skb);
    return;
  }
  icmpInput(ns, skb);
}

/** An error: for the socket whose packet it quotes. */
function icmpErrorInput(ns: Netns, skb: Skb, m: Icmp): void {
  const o = m.original;
  if (!o) return;
  const b = o.body;
  if (b.kind === 'tcp') {
    datagramError(ns, skb, o, m.type, m.code, m.mtu); // raw sockets that sent it by hand (traceroute -T)
    const s = findConnected(ns, 'tcp', o.src, b.sport, o.dst, b.dport);
    if (!s) return;
    s.heard = { type: m.type, code: m.code, from: skb.packet.src, mtu: m.mtu };
    errorInput(s, skb, m.type, m.code, m.mtu);
    return;
  }
  if (b.kind === 'sctp') {
    const s = findConnected(ns, 'sctp', o.src, b.sport, o.dst, b.dport);
    if (!s) return;
    s.heard = { type: m.type, code: m.code, from: skb.packet.src };
    sctpError(s, skb.packet.family, m.type, m.code);
    return;
  }
  datagramError(ns, skb, o, m.type, m.code, m.mtu);
}
