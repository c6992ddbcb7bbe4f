import type { Family, Ip } from './ip.ts';

/** 48 bits as the usual text; never computed on in the walk. */
export type Mac = string;

export const PROTO = { ICMP: 1, IPIP: 4, TCP: 6, UDP: 17, ICMPV6: 58, SCTP: 132 } as const;
export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806, IPV6: 0x86dd } as const;
export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;

export interface Frame {
  src: Mac;
  dst: Mac;
  payload: Arp | Packet;
}

/** RFC 826. */
export interface Arp {
  kind: 'arp';
  op: 'request' | 'reply';
  senderMac: Mac;
  senderIp: Ip;
  targetMac: Mac;
  targetIp: Ip;
}

/** An IP packet; treated as immutable: whoever changes a field makes a copy. */
export interface Packet {
  kind: 'ip';
  family: Family;
  src: Ip;
  dst: Ip;
  /** Protocol / next header number of `body`. */
  proto: number;
  ttl: number;
  tos: number;
  id: number;
  /** Don't fragment. */
  df: boolean;
  body: Tcp | Udp | Icmp | Sctp | Encapsulated | Opaque;
}

/** RFC 9293. Sequence numbers are real, so that a capture reads like one. */
export interface Tcp {
  kind: 'tcp';
  sport: number;
  dport: number;
  seq: number;
  ack: number;
  flags: number;
  window: number;
  /** Present on SYN. */
  mss?: number;
  data: Uint8Array;
}

export interface Udp {
  kind: 'udp';
  sport: number;
  dport: number;
  data: Uint8Array;
  /** VXLAN (RFC 7348) carries a frame instead of bytes. */
  vxlan?: { vni: number; frame: Frame };
}

/** RFC 792 and RFC 4443. `original`: the packet an error quotes. */
export interface Icmp {
  kind: 'icmp';
  type: number;
  code: number;
  id: number;
  seq: number;
  /** Next-hop MTU of "fragmentation needed" / "packet too big". */
  mtu?: number;
  data: Uint8Array;
  original?: Packet;
  /** Neighbour discovery (RFC 4861). */
  target?: Ip;
  linkAddress?: Mac;
}

export interface Sctp {
  kind: 'sctp';
  sport: number;
  dport: number;
  chunk: 'INIT' | 'INIT_ACK' | 'COOKIE_ECHO' | 'COOKIE_ACK' | 'DATA' | 'ABORT' | 'SHUTDOWN';
  data: Uint8Array;
}

export interface Encapsulated {
  kind: 'ipip';
  inner: Packet;
}

export interface Opaque {
  kind: 'opaque';
  data: Uint8Array;
}

/** Bytes of the IP packet on the wire: what an MTU is compared with. */
export function packetLength(p: Packet): number {
  return (p.family === 4 ? 20 : 40) + bodyLength(p.body);
}

function bodyLength(b: Packet['body']): number {
  switch (b.kind) {
    case 'tcp':
      // Timestamps, but for a reset; MSS, SACK and window scale on SYN.
      return 20 + (b.flags & TCP_FLAG.RST ? 0 : b.mss === undefined ? 12 : 20) + b.data.length;
    case 'udp':
      return 8 + (b.vxlan ? 8 + frameLength(b.vxlan.frame) : b.data.length);
    case 'icmp':
      return 8 + (b.original ? Math.min(packetLength(b.original), 548) : b.data.length);
    case 'sctp':
      return 28 + b.data.length;
    case 'ipip':
      return packetLength(b.inner);
    case 'opaque':
      return b.data.length;
  }
}

export const frameLength = (f: Frame): number => 14 + (f.payload.kind === 'arp' ? 28 : packetLength(f.payload));
