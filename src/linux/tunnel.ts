// VXLAN (RFC 7348) and IP in IP (RFC 2003): encapsulation is a new packet of this machine, which takes the whole way out again.
import type { Ip } from '../wire/ip.ts';
import { familyOf, formatIp, sameIp } from '../wire/ip.ts';
import { ETHERTYPE, type Frame, type Packet, PROTO, type Udp } from '../wire/packet.ts';
import { NO_MAC } from './link.ts';
import { ANY4, anyOf, isAny } from './route.ts';
import { stack } from './stack.ts';
import { sysctl } from './sysctl.ts';
import { addStep, dropped } from './trace.ts';
import type { Link, Netns, Skb } from './types.ts';

/** udp_flow_src_port: one source port per inner flow, so that the network can spread flows. */
function flowPort(ns: Netns, frame: Frame): number {
  const [low, high] = sysctl(ns, 'net.ipv4.ip_local_port_range').split(/\s+/).map(Number);
  let h = 0x811c9dc5;
  const mix = (x: number) => {
    h = Math.imul(h ^ (x & 0xffff), 0x01000193);
  };
  const p = frame.payload;
  if (p.kind === 'ip') {
    for (const b of p.src) mix(b);
    for (const b of p.dst) mix(b);
    mix(p.proto);
    if (p.body.kind === 'tcp' || p.body.kind === 'udp') {
      mix(p.body.sport);
      mix(p.body.dport);
    }
  } else mix(ETHERTYPE.ARP);
  return low + ((h >>> 0) % (high - low + 1));
}

const FALLBACK = NO_MAC;

export function vxlanTransmit(link: Link, frame: Frame, skb: Skb | null): void {
  const v = link.vxlan;
  if (!v) return;
  const exact = link.fdb.filter(e => e.mac === frame.dst && e.dst);
  const to = exact.length ? exact : link.fdb.filter(e => e.mac === FALLBACK && e.dst);
  if (!to.length) {
    if (skb) dropped(skb, link.netns, `${link.name} has no forwarding entry for ${frame.dst}`, { dev: link.name });
    return;
  }
  for (const e of to) {
    const dst = e.dst as Ip;
    const body: Udp = {
      kind: 'udp',
      sport: flowPort(link.netns, frame),
      dport: v.port,
      data: new Uint8Array(0),
      vxlan: { vni: v.vni, frame },
    };
    const outer: Packet = {
      kind: 'ip',
      family: dst.length === 4 ? 4 : 6,
      src: v.local ?? anyOf(dst.length === 4 ? 4 : 6),
      dst,
      proto: PROTO.UDP,
      ttl: 64,
      tos: 0,
      id: 0,
      df: false,
      body,
    };
    if (skb?.trace)
      addStep(skb.trace, link.netns, 'encap', `${link.name} wraps it in VXLAN ${v.vni} to ${formatIp(dst)}`, outer, { dev: link.name });
    const oif = v.dev ? link.netns.links.get(v.dev) : null;
    stack.sendPacket(link.netns, outer, { mark: skb?.mark ?? 0, trace: skb?.trace ?? null, oif: oif ?? null });
  }
}

/** A UDP packet for a VXLAN port. -> false: no such device here. Devices of IPv4 and IPv6 have a socket each, on the same port. */
export function vxlanReceive(ns: Netns, skb: Skb, udp: Udp): boolean {
  const inner = udp.vxlan;
  if (!ns.kernelPorts?.has(udp.dport)) return false;
  let listens = false;
  for (const link of ns.links.values()) {
    const v = link.vxlan;
    if (!v || v.port !== udp.dport || !link.up || (v.local && familyOf(v.local) !== skb.packet.family)) continue;
    listens = true;
    if (v.vni !== inner?.vni) continue;
    const frame = (inner as { frame: Frame }).frame;
    if (v.learning) {
      const known = link.fdb.find(e => e.mac === frame.src);
      if (!known) link.fdb.push({ mac: frame.src, port: null, dst: skb.packet.src, permanent: false, seenAtMs: ns.kernel.sim.nowMs });
      else if (!known.permanent) known.dst = skb.packet.src;
    }
    if (skb.trace)
      addStep(skb.trace, ns, 'decap', `${link.name} unwraps VXLAN ${v.vni} from ${formatIp(skb.packet.src)}`, undefined, {
        dev: link.name,
      });
    stack.receive(link, frame, { ...skb, oif: link, mark: 0 });
    return true;
  }
  if (!listens) return false;
  dropped(skb, ns, `no VXLAN device for VNI ${inner?.vni ?? '?'}`);
  return true;
}

/** ipip_tunnel_xmit: the route's next hop is the other end of a tunnel without a fixed one. */
export function tunnelTransmit(link: Link, frame: Frame, skb: Skb | null): void {
  const inner = frame.payload;
  if (inner.kind !== 'ip' || inner.family !== 4) return;
  const remote = link.ipip?.remote ?? skb?.nexthop ?? inner.dst;
  const outer: Packet = {
    kind: 'ip',
    family: 4,
    src: link.ipip?.local ?? ANY4,
    dst: remote,
    proto: PROTO.IPIP,
    ttl: inner.ttl,
    tos: inner.tos,
    id: 0,
    df: true,
    body: { kind: 'ipip', inner },
  };
  if (skb?.trace) addStep(skb.trace, link.netns, 'encap', `${link.name} wraps it in IP to ${formatIp(remote)}`, outer, { dev: link.name });
  stack.sendPacket(link.netns, outer, { mark: skb?.mark ?? 0, trace: skb?.trace ?? null });
}

/** An IP-in-IP packet for this machine. -> false: no tunnel takes it */
export function tunnelReceive(ns: Netns, skb: Skb): boolean {
  if (skb.packet.body.kind !== 'ipip') return false;
  const { src, dst } = skb.packet;
  let best: Link | null = null;
  for (const link of ns.links.values()) {
    if (link.kind !== 'ipip' || !link.up) continue;
    const { local, remote } = link.ipip ?? { local: null, remote: null };
    if ((local && !isAny(local) && !sameIp(local, dst)) || (remote && !isAny(remote) && !sameIp(remote, src))) continue;
    if (!best || remote) best = link;
  }
  if (!best) return false;
  if (skb.trace) addStep(skb.trace, ns, 'decap', `${best.name} unwraps IP in IP from ${formatIp(src)}`, undefined, { dev: best.name });
  stack.receive(best, { src: NO_MAC, dst: NO_MAC, payload: skb.packet.body.inner }, { ...skb, oif: best, mark: 0 });
  return true;
}
