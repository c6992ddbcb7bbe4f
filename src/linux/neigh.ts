// Neighbours: ARP (RFC 826) and neighbour discovery (RFC 4861) with the kernel's states and timers (net/core/neighbour.c, net/ipv4/arp.c).
import { nextFloat } from '../sim/random.ts';
import { schedule } from '../sim/sim.ts';
import { familyOf, formatIp, type Ip, sameIp } from '../wire/ip.ts';
import { type Arp, type Mac, type Packet, PROTO } from '../wire/packet.ts';
import { transmit } from './device.ts';
import { toNumber } from './fib.ts';
import { BROADCAST_MAC, NO_MAC } from './link.ts';
import { ANY6, isAny, isLinkLocal, isLocalAddress, isLoopback, isMulticast, lookupRoute, selectSource } from './route.ts';
import { martianSource, sourceFault } from './source-check.ts';
import { stack } from './stack.ts';
import { conf4, conf6, maxConf4, orConf4, sysctl } from './sysctl.ts';
import { addStep, dropped } from './trace.ts';
import type { Link, Neigh, Netns, Skb } from './types.ts';

const REACHABLE_MS = 30_000;
const DELAY_MS = 5_000;
const QUEUE_LENGTH = 101;

const indexes = new WeakMap<Netns, { of: Neigh[]; count: number; map: Map<string, Neigh> }>();

const keyOf = (dev: number, ip: Ip): string => (ip.length === 4 ? `${dev} ${toNumber(ip)}` : `${dev} ${String.fromCharCode(...ip)}`);

function indexOf(ns: Netns): { of: Neigh[]; count: number; map: Map<string, Neigh> } {
  let index = indexes.get(ns);
  if (!index || index.of !== ns.neigh || index.count !== ns.neigh.length) {
    index = { of: ns.neigh, count: ns.neigh.length, map: new Map() };
    for (const n of ns.neigh) if (!n.proxy) index.map.set(keyOf(n.dev, n.ip), n);
    indexes.set(ns, index);
  }
  return index;
}

export const findNeigh = (ns: Netns, dev: number, ip: Ip): Neigh | undefined => indexOf(ns).map.get(keyOf(dev, ip));

function newNeigh(ns: Netns, dev: number, ip: Ip): Neigh {
  const n: Neigh = { ip: Uint8Array.from(ip), dev, mac: null, state: 'INCOMPLETE', atMs: ns.kernel.sim.nowMs, queue: [], probes: 0 };
  const index = indexOf(ns);
  ns.neigh.push(n);
  index.count++;
  index.map.set(keyOf(dev, ip), n);
  return n;
}

/** The state as it is now: what was REACHABLE is STALE after its time. */
export function neighState(ns: Netns, n: Neigh): Neigh['state'] {
  return n.state === 'REACHABLE' && ns.kernel.sim.nowMs - n.atMs > REACHABLE_MS ? 'STALE' : n.state;
}

/** `ip neigh replace`: packets that waited for it go out. */
export function setNeigh(ns: Netns, ip: Ip, dev: Link | number, mac: Mac | null, state: Neigh['state'] = 'PERMANENT'): Neigh {
  const link = typeof dev === 'number' ? ns.links.get(dev) : dev;
  const ifindex = typeof dev === 'number' ? dev : dev.ifindex;
  const n = findNeigh(ns, ifindex, ip) ?? newNeigh(ns, ifindex, ip);
  n.mac = mac?.toLowerCase() ?? null;
  n.state = state;
  n.atMs = ns.kernel.sim.nowMs;
  n.probes = 0;
  if (link) flushQueue(link, n);
  return n;
}

export function removeNeigh(ns: Netns, ip: Ip, dev: Link): boolean {
  const n = findNeigh(ns, dev.ifindex, ip);
  if (!n) return false;
  ns.neigh = ns.neigh.filter(x => x !== n);
  return true;
}

function flushQueue(link: Link, n: Neigh): void {
  if (!n.mac || !n.queue.length) return;
  const waiting = n.queue;
  n.queue = [];
  for (const skb of waiting) emit(link, n.mac, skb);
}

function emit(link: Link, mac: Mac, skb: Skb): void {
  if (skb.resolved) {
    skb.resolved(mac);
    return;
  }
  transmit(link, { src: link.mac, dst: mac, payload: skb.packet }, skb);
}

/** neigh_resolve_output: send the packet to the neighbour `ip`, or keep it until its address is known. */
export function resolve(link: Link, ip: Ip, skb: Skb): void {
  const ns = link.netns;
  const n = findNeigh(ns, link.ifindex, ip) ?? newNeigh(ns, link.ifindex, ip);
  const state = neighState(ns, n);
  if (n.mac && state !== 'FAILED' && state !== 'INCOMPLETE') {
    if (skb.confirm && state !== 'PERMANENT' && state !== 'NOARP') {
      n.state = 'REACHABLE';
      n.atMs = ns.kernel.sim.nowMs;
    } else if (state === 'STALE') delayProbe(link, n);
    emit(link, n.mac, skb);
    return;
  }
  if (link.noarp) {
    emit(link, NO_MAC, skb);
    return;
  }
  if (n.queue.length < QUEUE_LENGTH) n.queue.push(skb);
  else dropped(skb, ns, `the queue for ${formatIp(ip)} is full`);
  if (n.state === 'INCOMPLETE' && n.probes > 0) return;
  n.state = 'INCOMPLETE';
  n.mac = null;
  n.probes = 0;
  if (skb.trace) addStep(skb.trace, ns, 'neigh', `who has ${formatIp(ip)} on ${link.name}?`, undefined, { dev: link.name });
  probe(link, n);
}

const neighNumber = (link: Link, ip: Ip, name: string): number =>
  Number(sysctl(link.netns, `net.ipv${familyOf(ip)}.neigh.${link.name}.${name}`));

/** Ask, and ask again after retrans_time, until mcast_solicit questions are out. */
function probe(link: Link, n: Neigh): void {
  n.probes++;
  n.atMs = link.netns.kernel.sim.nowMs;
  const mine = n.probes;
  const unicast = n.state === 'PROBE' ? n.mac : null;
  solicit(link, n, unicast);
  schedule(
    link.netns.kernel.sim,
    neighNumber(link, n.ip, 'retrans_time_ms'),
    () => {
      if ((n.state !== 'INCOMPLETE' && n.state !== 'PROBE') || n.probes !== mine || link.netns.links.get(link.ifindex) !== link) return;
      const most = neighNumber(link, n.ip, n.state === 'PROBE' ? 'ucast_solicit' : 'mcast_solicit');
      if (n.probes >= most) fail(link, n);
      else probe(link, n);
    },
    true,
  );
}

/** neigh_timer_handler's end: what waited is answered with "host unreachable". */
function fail(link: Link, n: Neigh): void {
  const ns = link.netns;
  n.state = 'FAILED';
  n.mac = null;
  n.atMs = ns.kernel.sim.nowMs;
  const waiting = n.queue;
  n.queue = [];
  for (const skb of waiting) {
    dropped(skb, ns, `nobody answered for ${formatIp(n.ip)} on ${link.name}`, { dev: link.name, neigh: formatIp(n.ip) });
    if (skb.packet.family === 4) stack.icmpError(ns, skb, 3, 1);
    else stack.icmpError(ns, skb, 1, 3);
  }
}

/** A stale entry is used at once and verified five seconds later. */
function delayProbe(link: Link, n: Neigh): void {
  const ns = link.netns;
  n.state = 'DELAY';
  n.atMs = ns.kernel.sim.nowMs;
  const verify = () => {
    if (n.state !== 'DELAY' || ns.links.get(link.ifindex) !== link || findNeigh(ns, link.ifindex, n.ip) !== n) return;
    n.state = 'PROBE';
    n.probes = 0;
    probe(link, n);
  };
  schedule(ns.kernel.sim, DELAY_MS, verify, true);
}

/** The source of a question: the waiting packet's own if it is ours, else the device's (arp_announce). */
function questionSource(link: Link, n: Neigh): Ip | null {
  const ns = link.netns;
  const from = n.queue[0]?.packet.src;
  const announce = n.ip.length === 4 ? maxConf4(link, 'arp_announce') : 2;
  if (from && from.length === n.ip.length && announce < 2 && isLocalAddress(ns, from)) return from;
  if (from && from.length === 16 && link.addresses.some(a => sameIp(a.ip, from))) return from;
  return selectSource(ns, link, n.ip);
}

function solicit(link: Link, n: Neigh, unicast: Mac | null): void {
  const src = questionSource(link, n);
  if (n.ip.length === 4) {
    const arp: Arp = {
      kind: 'arp',
      op: 'request',
      senderMac: link.mac,
      senderIp: src ?? new Uint8Array(4),
      targetMac: NO_MAC,
      targetIp: n.ip,
    };
    transmit(link, { src: link.mac, dst: unicast ?? BROADCAST_MAC, payload: arp }, n.queue[0] ?? null);
    return;
  }
  if (!src) return;
  const dst = unicast ? n.ip : solicitedNode(n.ip);
  sendNd(link, 135, src, dst, n.ip, n.queue[0]?.trace ?? null);
}

/** ff02::1:ffXX:XXXX */
function solicitedNode(ip: Ip): Ip {
  return Uint8Array.from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ip[13], ip[14], ip[15]]);
}

function sendNd(link: Link, type: number, src: Ip, dst: Ip, target: Ip, trace: Skb['trace']): void {
  const packet: Packet = {
    kind: 'ip',
    family: 6,
    src,
    dst,
    proto: PROTO.ICMPV6,
    ttl: 255,
    tos: 0,
    id: 0,
    df: true,
    body: { kind: 'icmp', type, code: 0, id: 0, seq: 0, data: new Uint8Array(16), target, linkAddress: link.mac },
  };
  stack.sendPacket(link.netns, packet, { oif: link, trace });
}

/** Someone said where it is: `confirmed` by an answer to our question, otherwise by the way. */
function update(link: Link, ip: Ip, mac: Mac, confirmed: boolean, create: boolean): void {
  const ns = link.netns;
  let n = findNeigh(ns, link.ifindex, ip);
  if (!n && !create) return;
  n ??= newNeigh(ns, link.ifindex, ip);
  if (n.state === 'PERMANENT' || n.state === 'NOARP') return;
  if (confirmed || n.mac !== mac || n.state === 'INCOMPLETE' || n.state === 'FAILED') {
    n.state = confirmed ? 'REACHABLE' : 'STALE';
    n.atMs = ns.kernel.sim.nowMs;
  }
  n.mac = mac;
  n.probes = 0;
  flushQueue(link, n);
}

/** arp_process. */
export function arpReceive(link: Link, arp: Arp, toUs: boolean, from: Skb | null): void {
  const ns = link.netns;
  const { senderIp, targetIp } = arp;
  if (isMulticast(targetIp) || (isLoopback(targetIp) && !orConf4(link, 'route_localnet'))) return;
  if (arp.op === 'request') {
    const answer = () => {
      const reply: Arp = {
        kind: 'arp',
        op: 'reply',
        senderMac: link.mac,
        senderIp: targetIp,
        targetMac: arp.senderMac,
        targetIp: senderIp,
      };
      transmit(link, { src: link.mac, dst: arp.senderMac, payload: reply }, from);
    };
    if (link.answersFor?.(targetIp)) {
      update(link, senderIp, arp.senderMac, false, true);
      answer();
      return;
    }
    if (isAny(senderIp)) {
      if (isLocalAddress(ns, targetIp) && !ignoresArp(link, senderIp, targetIp)) answer();
      return;
    }
    // Who asks from where nothing may come is not answered; a route there is none for it.
    const strange = martianSource(link, senderIp, targetIp) ?? sourceFault(link, senderIp, targetIp, 0);
    const route = strange ? 'EINVAL' : lookupRoute(ns, targetIp, { src: senderIp, iif: link });
    if (typeof route !== 'string' && route.kind === 'local') {
      if (ignoresArp(link, senderIp, targetIp)) return;
      update(link, senderIp, arp.senderMac, false, true);
      answer();
      return;
    }
    if (typeof route !== 'string' && route.kind === 'unicast' && proxies(link, targetIp, route.dev)) {
      update(link, senderIp, arp.senderMac, false, true);
      const most = neighNumber(link, targetIp, 'proxy_delay') * 10;
      const delayMs = toUs || most === 0 ? 0 : nextFloat(ns.kernel.sim.random) * most;
      if (delayMs) schedule(ns.kernel.sim, delayMs, answer);
      else answer();
      return;
    }
  }
  update(link, senderIp, arp.senderMac, arp.op === 'reply' && toUs, false);
}

function ignoresArp(link: Link, senderIp: Ip, targetIp: Ip): boolean {
  const level = maxConf4(link, 'arp_ignore');
  if (level === 0) return false;
  if (level === 8) return true;
  const own = link.addresses.some(a => a.ip.length === 4 && sameIp(a.ip, targetIp));
  if (level === 1) return !own;
  if (level !== 2) return false;
  const near = lookupRoute(link.netns, senderIp);
  return !own || typeof near === 'string' || near.dev !== link;
}

/** arp_fwd_proxy and pneigh entries: the way on leads out of another device. */
function proxies(link: Link, target: Ip, out: Link): boolean {
  if (out === link || conf4(link, 'forwarding') === 0) return false;
  return orConf4(link, 'proxy_arp') || link.netns.neigh.some(n => n.proxy && n.dev === link.ifindex && sameIp(n.ip, target));
}

/** A neighbour solicitation or advertisement for this machine. */
export function ndReceive(link: Link, skb: Skb): void {
  const icmp = skb.packet.body;
  if (icmp.kind !== 'icmp' || !icmp.target || skb.packet.ttl !== 255) return;
  const ns = link.netns;
  const target = icmp.target;
  if (icmp.type === 136) {
    if (icmp.linkAddress) update(link, target, icmp.linkAddress, true, false);
    return;
  }
  const own = link.addresses.some(a => sameIp(a.ip, target)) || (link.answersFor?.(target) ?? false);
  const proxy =
    !own && conf6(ns, link.name, 'proxy_ndp') !== 0 && ns.neigh.some(n => n.proxy && n.dev === link.ifindex && sameIp(n.ip, target));
  if (!own && !proxy) return;
  const asker = skb.packet.src;
  if (icmp.linkAddress && !isAny(asker)) update(link, asker, icmp.linkAddress, false, true);
  const to = isAny(asker) ? ALL_NODES : asker;
  const src = own ? target : (link.addresses.find(a => a.ip.length === 16 && isLinkLocal(a.ip))?.ip ?? ANY6);
  sendNd(link, 136, src, to, target, skb.trace);
}

const ALL_NODES: Ip = Uint8Array.from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
