import { formatIp, type Ip } from '../wire/ip.ts';
import { type Icmp, type Packet, PROTO } from '../wire/packet.ts';
import { anyOf, isAny, isBroadcast, isLocalAddress, isMulticast, lookupRoute } from './route.ts';
import { type SendOptions, stack } from './stack.ts';
import { numberSysctl } from './sysctl.ts';
import { addStep } from './trace.ts';
import type { Errno, Netns, Skb } from './types.ts';

export const isIcmpError = (packet: Packet): boolean => {
  if (packet.body.kind !== 'icmp') return false;
  const t = packet.body.type;
  return packet.family === 6 ? t < 128 : t === 3 || t === 4 || t === 5 || t === 11 || t === 12;
};

/** Errors are not sent about errors, groups and broadcasts (RFC 1122 3.2.2, RFC 4443 2.4). */
function mayReport(packet: Packet, type: number): boolean {
  if (isIcmpError(packet)) return false;
  if (isAny(packet.src) || isMulticast(packet.src) || isBroadcast(packet.src)) return false;
  if (packet.family === 6 && isMulticast(packet.dst)) return type === 2;
  return !isMulticast(packet.dst) && !isBroadcast(packet.dst);
}

/** icmp_send: an error about a packet, from the address the asker knows us by. The rate limit (icmp_ratelimit) is not modelled. */
export function icmpError(ns: Netns, skb: Skb, type: number, code: number, mtu?: number): void {
  const packet = skb.packet;
  if (ns.kernel.icmpSends || !mayReport(packet, type)) return;
  if (skb.iif) {
    const route = isLocalAddress(ns, packet.dst) ? null : lookupRoute(ns, packet.dst);
    if (route && typeof route !== 'string' && route.kind === 'broadcast') return;
  }
  const own = isLocalAddress(ns, packet.dst);
  const body: Icmp = { kind: 'icmp', type, code, id: 0, seq: 0, data: new Uint8Array(0), original: packet };
  if (mtu !== undefined) body.mtu = mtu;
  const out: Packet = {
    kind: 'ip',
    family: packet.family,
    src: own ? packet.dst : anyOf(packet.family),
    dst: packet.src,
    proto: packet.family === 4 ? PROTO.ICMP : PROTO.ICMPV6,
    ttl: packet.family === 4 ? numberSysctl(ns, 'net.ipv4.ip_default_ttl') : 64,
    tos: packet.family === 4 ? (packet.tos & 0x1e) | 0xc0 : 0,
    id: 0,
    df: false,
    body,
  };
  const mark = numberSysctl(ns, 'net.ipv4.fwmark_reflect') ? skb.mark : 0;
  if (skb.trace) addStep(skb.trace, ns, 'reject', `ICMP ${icmpName(packet.family, type, code)} to ${formatIp(packet.src)}`, out);
  // icmp_glue_bits calls nf_ct_attach: the error belongs to the flow it is about, known to the table or not, and is translated like it.
  const ref = skb.ct;
  const back = ref?.direction === 'original' ? ('reply' as const) : ('original' as const);
  const ct =
    ref?.entry && ref.info !== 'UNTRACKED' && ref.info !== 'INVALID'
      ? { entry: ref.entry, direction: back, info: 'RELATED' as const }
      : null;
  sendOwnIcmp(ns, out, { trace: skb.trace, mark, ct });
}

/**
 * The kernel's own messages leave by one socket, which is locked until the packet has passed its hooks: an error that they would cause (a rule
 * of OUTPUT that rejects an echo reply) is not sent (icmp_xmit_lock).
 */
export function sendOwnIcmp(ns: Netns, packet: Packet, o: SendOptions): void {
  ns.kernel.icmpSends = true;
  try {
    stack.sendPacket(ns, packet, o);
  } finally {
    ns.kernel.icmpSends = false;
  }
}

const UNREACHABLE4 = [
  'net-unreachable',
  'host-unreachable',
  'proto-unreachable',
  'port-unreachable',
  'fragmentation-needed',
  'source-route-failed',
  'net-unknown',
  'host-unknown',
  'host-isolated',
  'net-prohibited',
  'host-prohibited',
  'tos-net-unreachable',
  'tos-host-unreachable',
  'admin-prohibited',
];
const UNREACHABLE6 = [
  'no-route',
  'adm-prohibited',
  'beyond-scope',
  'addr-unreachable',
  'port-unreachable',
  'failed-policy',
  'reject-route',
];

/** A name as iptables' --reject-with has it. */
export function icmpName(family: 4 | 6, type: number, code: number): string {
  if (family === 4) {
    if (type === 3) return UNREACHABLE4[code] ?? `unreachable ${code}`;
    if (type === 11) return code === 0 ? 'time-exceeded' : 'reassembly-timeout';
    return `type ${type} code ${code}`;
  }
  if (type === 1) return UNREACHABLE6[code] ?? `unreachable ${code}`;
  if (type === 2) return 'packet-too-big';
  return type === 3 ? 'time-exceeded' : `type ${type} code ${code}`;
}

/** icmp_err_convert: what a socket hears, and whether it ends a connection that is being made. */
const ERRORS4: [Errno, boolean][] = [
  ['ENETUNREACH', false],
  ['EHOSTUNREACH', false],
  ['ENOPROTOOPT', true],
  ['ECONNREFUSED', true],
  ['EMSGSIZE', false],
  ['EOPNOTSUPP', false],
  ['ENETUNREACH', true],
  ['EHOSTDOWN', true],
  ['ENETUNREACH', true], // ENONET, which no program here distinguishes
  ['ENETUNREACH', true],
  ['EHOSTUNREACH', true],
  ['ENETUNREACH', false],
  ['EHOSTUNREACH', false],
  ['EHOSTUNREACH', true],
  ['EHOSTUNREACH', true],
  ['EHOSTUNREACH', true],
];
const ERRORS6: [Errno, boolean][] = [
  ['ENETUNREACH', false],
  ['EACCES', true],
  ['EHOSTUNREACH', false],
  ['EHOSTUNREACH', false],
  ['ECONNREFUSED', true],
  ['EACCES', true],
  ['EACCES', true],
];

export interface SocketError {
  errno: Errno;
  fatal: boolean;
}

export function errorOf(family: 4 | 6, type: number, code: number): SocketError | null {
  if (family === 4) {
    if (type === 3) {
      const e = ERRORS4[code];
      return e ? { errno: e[0], fatal: e[1] } : { errno: 'EHOSTUNREACH', fatal: true };
    }
    if (type === 11) return { errno: 'EHOSTUNREACH', fatal: false };
    return type === 12 ? { errno: 'EPROTO', fatal: true } : null;
  }
  if (type === 1) {
    const e = ERRORS6[code];
    return e ? { errno: e[0], fatal: e[1] } : { errno: 'EPROTO', fatal: true };
  }
  if (type === 2) return { errno: 'EMSGSIZE', fatal: false };
  if (type === 3) return { errno: 'EHOSTUNREACH', fatal: false };
  return type === 4 ? { errno: 'EPROTO', fatal: true } : null;
}

const PMTU_EXPIRES_MS = 600_000;

/** "Fragmentation needed" and "packet too big": remember for ten minutes (ip_rt_update_pmtu). */
export function learnPmtu(ns: Netns, dst: Ip, mtu: number): void {
  ns.pmtu ??= new Map();
  const floor = dst.length === 4 ? 552 : 1280;
  ns.pmtu.set(formatIp(dst), { mtu: Math.max(mtu, floor), expiresAtMs: ns.kernel.sim.nowMs + PMTU_EXPIRES_MS });
}

export function pathMtu(ns: Netns, dst: Ip, linkMtu: number): number {
  if (!ns.pmtu?.size) return linkMtu;
  const known = ns.pmtu.get(formatIp(dst));
  return known && known.expiresAtMs > ns.kernel.sim.nowMs ? Math.min(known.mtu, linkMtu) : linkMtu;
}
