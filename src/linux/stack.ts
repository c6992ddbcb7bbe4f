// The walk is mutually recursive: a device hands frames to the stack, the stack routes them out of devices, tunnels are both. The modules
// below the walk call up through this table, which kernel.ts fills, so that imports stay a tree.
import type { Frame, Packet } from '../wire/packet.ts';
import type { Socket } from './socket.ts';
import type { Errno, Link, Netns, Skb, Trace } from './types.ts';

export interface SendOptions {
  socket?: Socket | null;
  mark?: number;
  uid?: number | null;
  trace?: Trace | null;
  /** Interface to leave by (SO_BINDTODEVICE, link-local destinations). */
  oif?: Link | null;
  /** The transport has just heard from the other end (dst_confirm). */
  confirm?: boolean;
  /** The connection this packet answers (REJECT's resets keep their conntrack entry, nf_ct_attach). */
  ct?: Skb['ct'];
}

export interface Stack {
  /** A frame arrives at a device from the wire; `from` is the sender's skb, for what survives the crossing. */
  receive: (link: Link, frame: Frame, from?: Skb | null) => void;
  /** ip_local_out: OUTPUT, routing, POSTROUTING, neighbour, device. */
  sendPacket: (ns: Netns, packet: Packet, options?: SendOptions) => Errno | null;
  /** A packet whose destination IPVS has chosen goes on to it: OUTPUT, routing, POSTROUTING, device. */
  sendOn: (ns: Netns, skb: Skb) => void;
  /** ip_local_deliver after INPUT: to sockets, tunnels and the kernel's own answers. */
  deliver: (ns: Netns, skb: Skb) => void;
  /** An ICMP error about `skb.packet`, by icmp_send's rules. */
  icmpError: (ns: Netns, skb: Skb, type: number, code: number, mtu?: number) => void;
}

const missing = (): never => {
  throw new Error('the network stack was used before newKernel');
};

export const stack: Stack = { receive: missing, sendPacket: missing, sendOn: missing, deliver: missing, icmpError: missing };

export function newSkb(packet: Packet, trace: Trace | null = null): Skb {
  return {
    packet,
    mark: 0,
    iif: null,
    oif: null,
    physin: null,
    physout: null,
    ct: null,
    uid: null,
    trace,
    nexthop: null,
  };
}
