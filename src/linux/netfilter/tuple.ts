// Conntrack's tuples: what identifies one direction of a connection (nf_conntrack_core.c, nf_conntrack_proto_*.c, Linux 6.18).
import { ipKey } from '../../wire/ip.ts';
import { type Icmp, type Packet, PROTO } from '../../wire/packet.ts';
import type { CtTuple } from './types.ts';

/** Requests and their replies; -1: no connection can be made of this type. */
const INVERSE4: Record<number, number> = { 8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17 };
const INVERSE6: Record<number, number> = { 128: 129, 129: 128, 139: 140, 140: 139 };
const REQUESTS4 = new Set([8, 13, 15, 17]);
const REQUESTS6 = new Set([128, 139]);

export const isIcmpRequest = (family: 4 | 6, type: number): boolean => (family === 4 ? REQUESTS4 : REQUESTS6).has(type);

export function isIcmpError(p: Packet, b: Icmp): boolean {
  if (p.family === 6) return b.type < 128;
  return b.type === 3 || b.type === 4 || b.type === 5 || b.type === 11 || b.type === 12;
}

/** Neighbour discovery and group management are not tracked (nf_conntrack_proto_icmpv6.c). */
export const isUntrackedIcmp6 = (b: Icmp): boolean => (b.type >= 130 && b.type <= 137) || b.type === 143;

/** null: an ICMP message that belongs to no tuple. */
export function tupleOf(p: Packet): CtTuple | null {
  const base = { family: p.family, proto: p.proto, src: p.src, dst: p.dst };
  const b = p.body;
  switch (b.kind) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return { ...base, sport: b.sport, dport: b.dport };
    case 'icmp': {
      const known = (p.family === 4 ? INVERSE4 : INVERSE6)[b.type];
      return known === undefined ? null : { ...base, sport: 0, dport: 0, icmpType: b.type, icmpCode: b.code, icmpId: b.id };
    }
    default:
      return { ...base, sport: 0, dport: 0 };
  }
}

export function invert(t: CtTuple): CtTuple {
  const out: CtTuple = { family: t.family, proto: t.proto, src: t.dst, dst: t.src, sport: t.dport, dport: t.sport };
  if (t.icmpType !== undefined) {
    out.icmpType = (t.family === 4 ? INVERSE4 : INVERSE6)[t.icmpType];
    out.icmpCode = t.icmpCode;
    out.icmpId = t.icmpId;
  }
  return out;
}

export function tupleKey(t: CtTuple, zone: number): string {
  const l4 = t.icmpType === undefined ? `${t.sport}>${t.dport}` : `${t.icmpId}t${t.icmpType}c${t.icmpCode}`;
  return `${t.proto} ${ipKey(t.src)}>${ipKey(t.dst)} ${l4}${zone ? ` z${zone}` : ''}`;
}

export const hasPorts = (proto: number): boolean => proto === PROTO.TCP || proto === PROTO.UDP || proto === PROTO.SCTP;
