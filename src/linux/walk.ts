// The one packet walk. receive → (bridge) → PREROUTING → routing → INPUT and sockets, or FORWARD → POSTROUTING → neighbour → device;
// sendPacket → OUTPUT → POSTROUTING → neighbour → device. Every drop says why when a trace is on.
import { familyOf, formatIp, type Ip, ipKey, sameIp } from '../wire/ip.ts';
import { type Frame, type Packet, packetLength } from '../wire/packet.ts';
import { bridgeInput } from './bridge.ts';
import { isGroupMac } from './bridge-fdb.ts';
import { isPointToPoint } from './carrier.ts';
import { deliver } from './deliver.ts';
import { arrivedSkb, countIn, groupMac, tap, transmit, transmitFlat } from './device.ts';
import { lookAt } from './due.ts';
import { icmpError } from './icmp.ts';
import { arpReceive, resolve } from './neigh.ts';
import { runHook } from './netfilter/hooks.ts';
import { isAny, isBroadcast, isLinkLocal, isLoopback, isMulticast, lookupRoute, type RouteResult } from './route.ts';
import { martianSource, sourceFault } from './source-check.ts';
import { newSkb, type SendOptions, stack } from './stack.ts';
import { conf4, conf6, orConf4 } from './sysctl.ts';
import { classify } from './tc.ts';
import { addStep, dropped } from './trace.ts';
import type { Errno, Link, Netns, Skb } from './types.ts';

/** Bind the modules below to the walk (see stack.ts). */
export function assembleStack(): void {
  stack.receive = receive;
  stack.sendPacket = sendPacket;
  stack.sendOn = sendOn;
  stack.deliver = deliver;
  stack.icmpError = icmpError;
}

/** A frame arrives at a device. */
export function receive(link: Link, given: Frame, from: Skb | null = null): void {
  const ns = link.netns;
  const skb = arrivedSkb(link, given, from);
  if (!link.up) {
    link.counters.rxDropped++;
    if (skb) dropped(skb, ns, `${link.name} is down`, { dev: link.name });
    return;
  }
  countIn(link, given);
  tap(link, given, 'in');
  const frame = link.tc?.ingress.length ? classify(link.tc.ingress, 'ingress', link, given, skb, transmit) : given;
  if (!frame) return;
  if (link.master !== null) {
    if (skb) lookAt(ns);
    const bridge = ns.links.get(link.master);
    if (bridge) {
      bridgeInput(bridge, link, frame, skb, passUp);
      return;
    }
  }
  passUp(link, frame, skb, false);
}

function passUp(link: Link, frame: Frame, skb: Skb | null, prerouted: boolean): void {
  const flat = link.kind === 'loopback' || isPointToPoint(link);
  const group = !flat && isGroupMac(frame.dst);
  if (!flat && !group && frame.dst !== link.mac) return; // PACKET_OTHERHOST
  if (frame.payload.kind === 'arp') {
    arpReceive(link, frame.payload, !group, null);
    return;
  }
  if (!skb) return;
  lookAt(link.netns);
  skb.iif = link;
  if (skb.packet.family === 6 && conf6(link.netns, link.name, 'disable_ipv6') !== 0) {
    dropped(skb, link.netns, `IPv6 is disabled on ${link.name}`);
    return;
  }
  if (!prerouted && runHook(link.netns, skb.packet.family, 'PREROUTING', skb, { in: link, out: null }) !== 'ACCEPT') return;
  if (skb.packet.family === 4) routeInput4(link, skb, group);
  else routeInput6(link, skb);
}

/** ip_route_input_slow: is it for us, to be passed on, or nonsense? */
function routeInput4(link: Link, skb: Skb, group: boolean): void {
  const ns = link.netns;
  const { src, dst } = skb.packet;
  if (link.kind !== 'loopback') {
    const fault = martianSource(link, src, dst);
    if (fault) {
      dropped(skb, ns, fault.why);
      return;
    }
    if (dst[0] === 0) {
      martian(skb, ns, 'destination');
      return;
    }
    if (isLoopback(dst) && !orConf4(link, 'route_localnet')) {
      martian(skb, ns, 'destination');
      return;
    }
  }
  if (isBroadcast(dst)) {
    input(link, skb);
    return;
  }
  const route = lookupRoute(ns, dst, { src, mark: skb.mark, iif: link, flow: skb.packet });
  if (isMulticast(dst)) {
    dropped(skb, ns, `no one here listens to group ${formatIp(dst)}`);
    return;
  }
  if (typeof route === 'string') {
    if (conf4(link, 'forwarding') === 0) {
      dropped(skb, ns, `${formatIp(dst)} is not ours and ${link.name} does not forward`);
      return;
    }
    dropped(skb, ns, `no route to ${formatIp(dst)} (${route})`);
    if (!mayTell(ns, src)) return;
    if (route === 'ENETUNREACH') icmpError(ns, skb, 3, 0);
    else if (route === 'EHOSTUNREACH') icmpError(ns, skb, 3, 1);
    else if (route === 'EACCES') icmpError(ns, skb, 3, 13);
    return;
  }
  if (route.kind === 'broadcast') {
    validSource(link, skb) ? input(link, skb) : undefined;
    return;
  }
  if (route.kind === 'local') {
    if (link.kind !== 'loopback' && !validSource(link, skb)) return;
    input(link, skb);
    return;
  }
  if (group) {
    dropped(skb, ns, 'a broadcast frame is not forwarded');
    return;
  }
  if (conf4(link, 'forwarding') === 0) {
    dropped(skb, ns, `${formatIp(dst)} is not ours and ${link.name} does not forward`);
    return;
  }
  if (!validSource(link, skb)) return;
  forward(link, skb, route);
}

const TELL_COST_MS = 1000;
const TELL_BURST_MS = 5000;

/** ip_error: of missing ways each sender is told five times, then once a second. */
function mayTell(ns: Netns, src: Ip): boolean {
  ns.told ??= new Map();
  const { nowMs } = ns.kernel.sim;
  const peer = ns.told.get(ipKey(src));
  const credit = peer ? Math.min(TELL_BURST_MS, peer.creditMs + nowMs - peer.atMs) : TELL_BURST_MS;
  const tell = credit >= TELL_COST_MS;
  ns.told.set(ipKey(src), { creditMs: tell ? credit - TELL_COST_MS : credit, atMs: nowMs });
  return tell;
}

function martian(skb: Skb, ns: Netns, what: 'source' | 'destination'): void {
  dropped(skb, ns, `martian ${what}: ${formatIp(skb.packet.src)} to ${formatIp(skb.packet.dst)}`);
}

function validSource(link: Link, skb: Skb): boolean {
  const fault = sourceFault(link, skb.packet.src, skb.packet.dst, skb.mark);
  if (fault) dropped(skb, link.netns, fault.why, fault.detail);
  return !fault;
}

function routeInput6(link: Link, skb: Skb): void {
  const ns = link.netns;
  const { src, dst } = skb.packet;
  if (isMulticast(src) || (isLoopback(src) && link.kind !== 'loopback')) {
    martian(skb, ns, 'source');
    return;
  }
  if (isMulticast(dst)) {
    input(link, skb);
    return;
  }
  if (isLoopback(dst) && link.kind !== 'loopback') {
    martian(skb, ns, 'destination');
    return;
  }
  const oif = isLinkLocal(dst) ? link : null;
  const route = lookupRoute(ns, dst, { src, mark: skb.mark, iif: link, oif, flow: skb.packet });
  if (typeof route !== 'string' && route.kind === 'local') {
    input(link, skb);
    return;
  }
  // Without a way it is answered whether we forward or not (ip6_pkt_discard stands where a route would).
  if (typeof route === 'string') {
    dropped(skb, ns, `no route to ${formatIp(dst)} (${route})`);
    // An unreachable route says the same as none (ip6_pkt_discard).
    if (route !== 'EINVAL') icmpError(ns, skb, 1, route === 'EACCES' ? 1 : 0);
    return;
  }
  if (conf6(ns, 'all', 'forwarding') === 0) {
    dropped(skb, ns, `${formatIp(dst)} is not ours and forwarding is off`);
    return;
  }
  if (isLinkLocal(src)) {
    dropped(skb, ns, 'a link-local source is not forwarded');
    return;
  }
  forward(link, skb, route);
}

function input(link: Link, skb: Skb): void {
  if (runHook(link.netns, skb.packet.family, 'INPUT', skb, { in: link, out: null }) !== 'ACCEPT') return;
  deliver(link.netns, skb);
}

/** ip_forward. */
function forward(link: Link, skb: Skb, route: RouteResult): void {
  const ns = link.netns;
  const packet = skb.packet;
  const four = packet.family === 4;
  if (packet.ttl <= 1) {
    dropped(skb, ns, 'TTL exceeded in transit');
    icmpError(ns, skb, four ? 11 : 3, 0);
    return;
  }
  if (packetLength(packet) > route.mtu && (packet.df || !four)) {
    dropped(skb, ns, `longer than the MTU ${route.mtu} of ${route.dev.name}, and must not be fragmented`);
    icmpError(ns, skb, four ? 3 : 2, four ? 4 : 0, route.mtu);
    return;
  }
  skb.packet = { ...packet, ttl: packet.ttl - 1 };
  skb.oif = route.dev;
  skb.nexthop = route.via ?? packet.dst;
  if (skb.trace) traceRoute(skb, ns, route, 'forward');
  if (runHook(ns, packet.family, 'FORWARD', skb, { in: link, out: route.dev }) !== 'ACCEPT') return;
  output(ns, skb, route);
}

/** __ip_vs_get_out_rt and dst_output: a packet that came in is passed on, so its TTL and length count. */
function sendOn(ns: Netns, skb: Skb): void {
  const { packet } = skb;
  const four = packet.family === 4;
  const route = lookupRoute(ns, packet.dst, { mark: skb.mark, flow: packet });
  if (typeof route === 'string') {
    dropped(skb, ns, `no route to ${formatIp(packet.dst)} (${route})`);
    return;
  }
  if (skb.iif && packet.ttl <= 1) {
    dropped(skb, ns, 'TTL exceeded in transit');
    icmpError(ns, skb, four ? 11 : 3, 0);
    return;
  }
  if (packetLength(packet) > route.mtu && (packet.df || !four)) {
    dropped(skb, ns, `longer than the MTU ${route.mtu} of ${route.dev.name}, and must not be fragmented`);
    icmpError(ns, skb, four ? 3 : 2, four ? 4 : 0, route.mtu);
    return;
  }
  if (skb.iif) skb.packet = { ...packet, ttl: packet.ttl - 1 };
  skb.oif = route.dev;
  if (skb.trace) traceRoute(skb, ns, route, 'forward');
  if (runHook(ns, packet.family, 'OUTPUT', skb, { in: null, out: route.dev }) === 'ACCEPT') output(ns, skb, route);
}

function traceRoute(skb: Skb, ns: Netns, route: RouteResult, kind: 'forward' | 'route'): void {
  const via = route.via ? ` via ${formatIp(route.via)}` : '';
  const text =
    route.kind === 'local'
      ? `${formatIp(skb.packet.dst)} is one of our own addresses`
      : `${formatIp(skb.packet.dst)}${via} dev ${route.dev.name}`;
  addStep(skb.trace, ns, kind, text, skb.packet, { dev: route.dev.name, via: route.via ? formatIp(route.via) : null, table: route.table });
}

/** ip_output: POSTROUTING, then the neighbour and the device. EPERM: POSTROUTING dropped it. */
function output(ns: Netns, skb: Skb, route: RouteResult): Errno | null {
  const dev = route.dev;
  skb.oif = dev;
  const target = route.via ?? skb.packet.dst;
  skb.nexthop = target;
  const verdict = runHook(ns, skb.packet.family, 'POSTROUTING', skb, { in: skb.iif, out: dev });
  if (verdict !== 'ACCEPT') return verdict === 'DROP' ? 'EPERM' : null;
  if (dev.kind === 'loopback' || isPointToPoint(dev)) {
    transmitFlat(dev, skb);
    return null;
  }
  if (route.kind === 'broadcast' || isMulticast(target) || isBroadcast(target)) {
    transmit(dev, { src: dev.mac, dst: groupMac(route.kind === 'broadcast' ? BROADCAST : target), payload: skb.packet }, skb);
    return null;
  }
  if (familyOf(target) !== skb.packet.family) {
    dropped(skb, ns, 'gateway of another family');
    return null;
  }
  resolve(dev, target, skb);
  return null;
}

const BROADCAST = Uint8Array.from([255, 255, 255, 255]);

/** __mkroute_output: 127.0.0.0/8 does not leave the machine unless route_localnet lets it. */
const loopbackEscapes = (src: Ip | null, route: RouteResult): boolean =>
  src !== null && src.length === 4 && src[0] === 127 && route.dev.kind !== 'loopback' && !orConf4(route.dev, 'route_localnet');

/**
 * The machine sends a packet of its own. An unspecified source is filled in from the route. ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL: as the
 * route says; EPERM: OUTPUT or POSTROUTING dropped it.
 */
export function sendPacket(ns: Netns, packet: Packet, o: SendOptions = {}): Errno | null {
  lookAt(ns);
  const known = isAny(packet.src) ? null : packet.src;
  const key = { src: known, mark: o.mark ?? 0, oif: o.oif ?? null, flow: packet };
  const route = lookupRoute(ns, packet.dst, key);
  if (typeof route === 'string') {
    if (o.trace) addStep(o.trace, ns, 'drop', `no route to ${formatIp(packet.dst)} (${route})`, packet);
    return route;
  }
  if (loopbackEscapes(known, route)) return 'EINVAL';
  if (!known && !route.src) return packet.family === 6 ? 'EADDRNOTAVAIL' : 'ENETUNREACH';
  ns.nextIpId = ((ns.nextIpId ?? 0x1000) + 1) & 0xffff;
  const full: Packet = { ...packet, src: known ?? (route.src as Uint8Array), id: packet.id || ns.nextIpId };
  const skb = newSkb(full, o.trace ?? null);
  skb.mark = o.mark ?? 0;
  skb.uid = o.uid ?? null;
  skb.ct = o.ct ?? null;
  if (o.confirm) skb.confirm = true;
  skb.oif = route.dev;
  skb.nexthop = route.via ?? full.dst;
  if (skb.trace) {
    addStep(skb.trace, ns, 'send', `${formatIp(full.src)} to ${formatIp(full.dst)}`, full);
    traceRoute(skb, ns, route, 'route');
  }
  const verdict = runHook(ns, full.family, 'OUTPUT', skb, { in: null, out: route.dev });
  if (verdict === 'STOLEN') return null;
  if (verdict === 'DROP') return 'EPERM';
  // ip_route_me_harder: the destination or the mark is another now.
  if (skb.mark !== key.mark || !sameIp(skb.packet.dst, full.dst)) {
    const again = lookupRoute(ns, skb.packet.dst, { src: skb.packet.src, mark: skb.mark, oif: o.oif ?? null, flow: skb.packet });
    if (typeof again === 'string') {
      dropped(skb, ns, `no route to ${formatIp(skb.packet.dst)} after OUTPUT (${again})`);
      return again === 'ENETUNREACH' || again === 'EHOSTUNREACH' ? again : 'EPERM';
    }
    if (loopbackEscapes(skb.packet.src, again)) {
      dropped(skb, ns, `${formatIp(skb.packet.src)} may not leave by ${again.dev.name} (route_localnet is 0)`);
      return 'EINVAL';
    }
    if (skb.trace) traceRoute(skb, ns, again, 'route');
    return output(ns, skb, again);
  }
  return output(ns, skb, route);
}
