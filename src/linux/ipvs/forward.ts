// What IPVS does with packets at the hooks (ip_vs_core.c, ip_vs_xmit.c, ip_vs_nfct.c), in masquerading mode: to a service they get a
// destination, from a destination they get the service's address back. With conntrack the flow's reply is expected from the destination.
import { formatIp, sameIp } from '../../wire/ip.ts';
import { type Packet, TCP_FLAG } from '../../wire/packet.ts';
import type { HookContext, HookVerdict, Step } from '../netfilter/types.ts';
import { isLocalAddress } from '../route.ts';
import { stack } from '../stack.ts';
import { addStep, dropped } from '../trace.ts';
import type { Netns, Skb } from '../types.ts';
import { account, destIsThere, type Ends, endsOf, forget, fromClient, fromDest, newConnection, templateKey } from './connections.ts';
import { schedule } from './schedule.ts';
import { addressText, findDest, ipvsOf, serviceKey } from './table.ts';
import type { IpvsConnection, IpvsDest, IpvsService } from './types.ts';

function withPorts(p: Packet, side: 'src' | 'dst', ip: Packet['src'], port: number): Packet {
  const b = p.body;
  if (b.kind !== 'tcp' && b.kind !== 'udp' && b.kind !== 'sctp') return p;
  return { ...p, [side]: ip, body: side === 'src' ? { ...b, sport: port } : { ...b, dport: port } };
}

/** ip_vs_sched_persist: the client's template, or a new one for whom the scheduler chooses. */
function sticky(ns: Netns, s: IpvsService, e: Ends): IpvsDest | null {
  const { templates } = ipvsOf(ns);
  const key = templateKey(e.src, s);
  const now = ns.kernel.sim.nowMs;
  const known = templates.get(key);
  // expire_quiescent_template: a destination that takes no more connections is left.
  const usable = known && known.expiresAtMs > now && known.dest.weight > 0 && s.dests.includes(known.dest);
  const dest = usable ? known.dest : schedule(s, e);
  if (dest) templates.set(key, { client: e.src, service: s, dest, expiresAtMs: now + s.persistentSeconds * 1000 });
  return dest;
}

/** A flow that an earlier process left: conntrack knows where it went. */
function recalled(ns: Netns, s: IpvsService, e: Ends, skb: Skb): IpvsConnection | null {
  const entry = skb.ct?.info === 'UNTRACKED' ? null : skb.ct?.entry;
  if (!entry?.confirmed || entry.dnat || !entry.seenReply) return null;
  const dest = findDest(s, addressText(entry.reply.src, entry.reply.sport));
  return dest && !sameIp(entry.reply.src, e.dst) ? newConnection(ns, s, e, dest) : null;
}

function connectionFor(ns: Netns, s: IpvsService, e: Ends, skb: Skb): IpvsConnection | null | 'ignored' {
  const known = recalled(ns, s, e, skb);
  if (known) return known;
  const b = skb.packet.body;
  // Only a SYN begins a TCP connection (sloppy_tcp is 0).
  if (b.kind === 'tcp' && (!(b.flags & TCP_FLAG.SYN) || b.flags & TCP_FLAG.ACK)) return 'ignored';
  const dest = s.persistentSeconds ? sticky(ns, s, e) : schedule(s, e);
  return dest ? newConnection(ns, s, e, dest) : null;
}

/** ip_vs_leave: nobody to hand it to. */
function refuse(ns: Netns, skb: Skb, s: IpvsService): HookVerdict {
  stack.icmpError(ns, skb, skb.packet.family === 4 ? 3 : 1, skb.packet.family === 4 ? 3 : 4);
  dropped(skb, ns, `IPVS: no destination for ${serviceKey(s)}`);
  return 'DROP';
}

function toService(skb: Skb, ctx: HookContext): HookVerdict {
  const ns = ctx.netns;
  const e = skb.ipvs ? null : endsOf(skb.packet);
  if (!e) return 'ACCEPT';
  let c = fromClient(ns, e);
  const service = ipvsOf(ns).services.get(serviceKey({ protocol: e.protocol, ip: e.dst, port: e.dport }));
  if (c && !destIsThere(ns, c)) {
    // expire_nodest_conn: the packet that finds its destination gone ends the connection, and a new one may begin.
    forget(ipvsOf(ns), c);
    c = null;
  }
  if (!c) {
    if (!service) return 'ACCEPT';
    const found = connectionFor(ns, service, e, skb);
    if (found === 'ignored') return 'ACCEPT';
    if (!found) return refuse(ns, skb, service);
    c = found;
  }
  account(ns, c, skb.packet, true);
  return sendToDest(skb, ctx, c);
}

/** ip_vs_nat_xmit. */
function sendToDest(skb: Skb, ctx: HookContext, c: IpvsConnection): HookVerdict {
  const ns = ctx.netns;
  const { dest } = c;
  if (skb.trace) {
    const text = `IPVS ${addressText(c.virtual.ip, c.virtual.port)} -> ${addressText(dest.ip, dest.port)}`;
    addStep(skb.trace, ns, 'nat', text, skb.packet, { manip: 'IPVS', to: addressText(dest.ip, dest.port) });
  }
  skb.packet = withPorts(skb.packet, 'dst', dest.ip, dest.port);
  skb.ipvs = c;
  const entry = skb.ct?.info === 'UNTRACKED' ? null : skb.ct?.entry;
  // ip_vs_update_conntrack: only before the flow is in the table.
  if (entry && !entry.confirmed && skb.ct?.direction === 'original') entry.reply = { ...entry.reply, src: dest.ip, sport: dest.port };
  if (isLocalAddress(ns, dest.ip)) return 'ACCEPT';
  stack.sendOn(ns, skb);
  return 'STOLEN';
}

/** ip_vs_out_icmp: an error about what a destination was sent is about what the client had sent to the service. */
function errorFromDestination(skb: Skb, ctx: HookContext): void {
  const b = skb.packet.body;
  const inner = b.kind === 'icmp' ? b.original : undefined;
  const e = inner && endsOf(inner);
  const c = e && fromDest(ctx.netns, { protocol: e.protocol, src: e.dst, sport: e.dport, dst: e.src, dport: e.sport });
  if (!c || b.kind !== 'icmp') return;
  const original = withPorts(inner, 'dst', c.virtual.ip, c.virtual.port);
  skb.packet = { ...skb.packet, src: sameIp(skb.packet.src, c.dest.ip) ? c.virtual.ip : skb.packet.src, body: { ...b, original } };
  skb.ipvs = c;
}

/** ip_vs_out: the answer of a destination bears the service's address. */
function fromDestination(skb: Skb, ctx: HookContext): HookVerdict {
  if (!skb.ipvs && skb.packet.body.kind === 'icmp') errorFromDestination(skb, ctx);
  const e = skb.ipvs ? null : endsOf(skb.packet);
  const c = e && fromDest(ctx.netns, e);
  if (!c) return 'ACCEPT';
  account(ctx.netns, c, skb.packet, false);
  skb.packet = withPorts(skb.packet, 'src', c.virtual.ip, c.virtual.port);
  skb.ipvs = c;
  if (skb.trace)
    addStep(skb.trace, ctx.netns, 'nat', `IPVS answers as ${addressText(c.virtual.ip, c.virtual.port)}`, skb.packet, {
      manip: 'IPVS',
      to: formatIp(c.virtual.ip),
    });
  return 'ACCEPT';
}

/** ip_vs_ops4: just before NAT's rules for sources, just behind those for destinations. */
export function ipvsSteps(hook: HookContext['hook']): { priority: number; run: Step }[] {
  switch (hook) {
    case 'INPUT':
      return [
        { priority: 98, run: fromDestination },
        { priority: 99, run: toService },
      ];
    case 'OUTPUT':
      return [
        { priority: -99, run: fromDestination },
        { priority: -98, run: toService },
      ];
    case 'FORWARD':
      return [{ priority: 100, run: fromDestination }];
    default:
      return [];
  }
}
