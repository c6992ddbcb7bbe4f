import { type Sim, schedule } from '../sim/sim.ts';
import type { Ip } from '../wire/ip.ts';
import { type Frame, frameLength, packetLength } from '../wire/packet.ts';
import { bridgeTransmit, isGroupMac } from './bridge-fdb.ts';
import { hasCarrier } from './carrier.ts';
import { BROADCAST_MAC, NO_MAC } from './link.ts';
import { newSkb, stack } from './stack.ts';
import { classify } from './tc.ts';
import { dropped } from './trace.ts';
import { tunnelTransmit, vxlanTransmit } from './tunnel.ts';
import type { Link, Skb } from './types.ts';

/** One crossing of a virtual cable inside a machine, and of the loopback device. */
const VETH_MS = 0.02;
const LOOPBACK_MS = 0.01;

export type FrameObserver = (frame: Frame, link: Link, direction: 'in' | 'out', atMs: number) => void;

/** Who is told of every frame of a timeline's machines; null: there has never been one. */
let observers: WeakMap<Sim, FrameObserver> | null = null;

export function setFrameObserver(sim: Sim, observer: FrameObserver): void {
  observers ??= new WeakMap();
  observers.set(sim, observer);
}

export function tap(link: Link, frame: Frame, direction: 'in' | 'out'): void {
  const { sim } = link.netns.kernel;
  if (observers) observers.get(sim)?.(frame, link, direction, sim.nowMs);
  const taps = link.netns.taps;
  if (!taps.size) return;
  for (const t of taps) if (t.ifindex === null || t.ifindex === link.ifindex) t.seen(frame, link, direction, sim.nowMs);
}

export function countIn(link: Link, frame: Frame): void {
  link.counters.rxPackets++;
  link.counters.rxBytes += frameLength(frame);
}

function lose(link: Link, skb: Skb | null, text: string): void {
  link.counters.txDropped++;
  if (skb) dropped(skb, link.netns, text, { dev: link.name });
}

/** dev_queue_xmit: the frame leaves by the device. `skb` is what the sender notes beside it. */
export function transmit(link: Link, given: Frame, skb: Skb | null): void {
  const frame = link.tc?.egress.length ? classify(link.tc.egress, 'egress', link, given, skb, transmit) : given;
  if (!frame) return;
  if (!link.up) {
    lose(link, skb, `${link.name} is down`);
    return;
  }
  if (!hasCarrier(link) && link.kind !== 'bridge') {
    lose(link, skb, `${link.name} has no carrier`);
    return;
  }
  link.counters.txPackets++;
  link.counters.txBytes += frameLength(frame);
  tap(link, frame, 'out');
  switch (link.kind) {
    case 'loopback':
      loopback(link, frame, skb);
      return;
    case 'veth':
      veth(link, frame, skb);
      return;
    case 'ethernet':
      ethernet(link, frame, skb);
      return;
    case 'bridge':
      bridgeTransmit(link, frame, skb, transmit);
      return;
    case 'vxlan':
      vxlanTransmit(link, frame, skb);
      return;
    case 'ipip':
      tunnelTransmit(link, frame, skb);
      return;
    default:
      if (skb) dropped(skb, link.netns, `${link.name} (${link.kind}) leads nowhere`, { dev: link.name });
  }
}

function loopback(link: Link, frame: Frame, skb: Skb | null): void {
  schedule(link.netns.kernel.sim, LOOPBACK_MS, () => stack.receive(link, frame, skb));
}

function veth(link: Link, frame: Frame, skb: Skb | null): void {
  const peer = link.peer as Link;
  if (tooLong(frame, peer)) {
    lose(link, skb, `longer than the MTU ${peer.mtu} of ${peer.name}`);
    return;
  }
  schedule(link.netns.kernel.sim, VETH_MS, () => {
    if (link.peer === peer) stack.receive(peer, frame, skb);
  });
}

/** is_skb_forwardable; packets without DF went as fragments, which are modelled as one packet. */
export const tooLong = (frame: Frame, to: Link): boolean =>
  frame.payload.kind === 'ip' && packetLength(frame.payload) > to.mtu + 4 && (frame.payload.df || frame.payload.family === 6);

const isGroup = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

function ethernet(link: Link, frame: Frame, skb: Skb | null): void {
  const segment = link.segment;
  if (!segment) return;
  segment.populate?.();
  const sim = link.netns.kernel.sim;
  if (segment.loss > 0 && sim.chance(segment.loss)) {
    lose(link, skb, `lost on ${segment.name}`);
    return;
  }
  const deliver = (port: Link) => schedule(sim, segment.delayMs, () => port.segment === segment && stack.receive(port, frame, skb));
  if (!isGroup(frame.dst)) {
    for (const port of segment.ports) {
      if (port !== link && port.mac === frame.dst) {
        deliver(port);
        return;
      }
    }
  }
  // Unknown unicast is flooded, but only bridge ports and listeners take what is not theirs.
  for (const port of segment.ports) if (port !== link && (isGroup(frame.dst) || port.master !== null || port.promisc)) deliver(port);
}

/** Send a packet on a device without link-layer addresses. */
export function transmitFlat(link: Link, skb: Skb): void {
  transmit(link, { src: NO_MAC, dst: NO_MAC, payload: skb.packet }, skb);
}

/** 01:00:5e…, 33:33… or ff:ff…: the frame address of a group. */
export function groupMac(ip: Ip): string {
  const hex = (x: number) => x.toString(16).padStart(2, '0');
  if (ip.length === 16) return `33:33:${hex(ip[12])}:${hex(ip[13])}:${hex(ip[14])}:${hex(ip[15])}`;
  if (ip[0] >= 224 && ip[0] < 240) return `01:00:5e:${hex(ip[1] & 0x7f)}:${hex(ip[2])}:${hex(ip[3])}`;
  return 'ff:ff:ff:ff:ff:ff';
}

/** What is noted of a packet once it has crossed to another device: the mark survives only within a namespace (skb_scrub_packet). */
export function arrivedSkb(link: Link, frame: Frame, from: Skb | null): Skb | null {
  if (frame.payload.kind !== 'ip') return null;
  const skb = newSkb(frame.payload, from?.trace ?? null);
  skb.iif = link;
  if (link.kind !== 'loopback' && frame.src !== NO_MAC) skb.srcMac = frame.src;
  if (link.kind !== 'loopback' && isGroupMac(frame.dst)) skb.group = frame.dst === BROADCAST_MAC ? 'broadcast' : 'multicast';
  if (from && from.oif?.netns === link.netns) {
    skb.mark = from.mark;
    if (link.kind === 'loopback') skb.ct = from.ct;
  }
  return skb;
}
