// Network address translation: choosing a mapping for a new flow, and rewriting its packets both ways
// (nf_nat_core.c and nf_nat_proto.c of Linux 6.18).
import { below } from '../../sim/random.ts';
import { addToIp, compareIp, formatIp, type Ip, sameIp } from '../../wire/ip.ts';
import type { Icmp, Packet } from '../../wire/packet.ts';
import { addStep } from '../trace.ts';
import type { Netns, Skb } from '../types.ts';
import { hasPorts, invert, isIcmpError, tupleKey } from './tuple.ts';
import type { CtEntry, CtTuple, HookName } from './types.ts';

export interface NatRange {
  /** null: the address stays. */
  min: Ip | null;
  max: Ip | null;
  /** 0: the port stays if it can. */
  portMin: number;
  portMax: number;
  random: boolean;
  randomFully: boolean;
  persistent: boolean;
}

type Manip = 'src' | 'dst';

/** What a hook changes: destinations on the way in, sources on the way out (HOOK2MANIP). */
export const manipOf = (hook: HookName): Manip => (hook === 'PREROUTING' || hook === 'OUTPUT' ? 'dst' : 'src');

const doneKey = (manip: Manip): 'prerouting' | 'postrouting' => (manip === 'dst' ? 'prerouting' : 'postrouting');

export const isNatDone = (e: CtEntry, manip: Manip): boolean => e.natDone[doneKey(manip)];

/** A chosen tuple is taken when its reply would be found as another flow's. */
function isUsed(ns: Netns, tuple: CtTuple, self: CtEntry): boolean {
  const other = ns.netfilter.conntrack.byTuple.get(tupleKey(invert(tuple), self.zone));
  if (other === undefined || other === self || other.expiresAtMs <= ns.kernel.sim.nowMs) return false;
  // Packets of one flow that raced are the same flow: confirming them joins them (nf_conntrack_tuple_taken, nf_ct_resolve_clash).
  return tupleKey(other.original, other.zone) !== tupleKey(self.original, self.zone);
}

const portOf = (t: CtTuple, manip: Manip): number => (t.icmpId !== undefined ? t.icmpId : manip === 'src' ? t.sport : t.dport);

function withPort(t: CtTuple, manip: Manip, port: number): CtTuple {
  if (t.icmpId !== undefined) return { ...t, icmpId: port };
  return manip === 'src' ? { ...t, sport: port } : { ...t, dport: port };
}

const inRange = (t: CtTuple, manip: Manip, r: NatRange): boolean =>
  !(r.min && r.max && (compareIp(t[manip], r.min) < 0 || compareIp(t[manip], r.max) > 0)) &&
  (!r.portMin || (portOf(t, manip) >= r.portMin && portOf(t, manip) <= r.portMax));

function hash(ips: Ip[]): number {
  let h = 0x811c9dc5;
  for (const ip of ips) for (const b of ip) h = Math.imul(h ^ b, 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

/** find_best_ips_proto: the same client gets the same address of the range; --persistent leaves the server out of it. */
function chooseAddress(t: CtTuple, manip: Manip, r: NatRange): CtTuple {
  if (!r.min || !r.max) return t;
  if (sameIp(r.min, r.max)) return { ...t, [manip]: r.min };
  let size = 0;
  for (let i = 0; i < r.min.length; i++) size = size * 256 + (r.max[i] - r.min[i]);
  const at = Math.floor((hash(r.persistent ? [t.src] : [t.src, t.dst]) / 0x1_0000_0000) * (size + 1));
  return { ...t, [manip]: addToIp(r.min, at) };
}

/** nf_nat_l4proto_unique_tuple: another port (or ICMP id) until the tuple is nobody else's. */
function choosePort(ns: Netns, t: CtTuple, manip: Manip, r: NatRange, self: CtEntry): CtTuple {
  let min = r.portMin;
  let size = r.portMax - r.portMin + 1;
  if (!r.portMin) {
    if (t.icmpId !== undefined) {
      min = 0;
      size = 65_536;
    } else {
      if (!hasPorts(t.proto) || manip === 'dst') return t; // a destination's port cannot be another one
      const port = portOf(t, manip);
      [min, size] = port < 512 ? [1, 511] : port < 1024 ? [600, 424] : [1024, 64_512];
    }
  }
  const anyhow = r.random || r.randomFully;
  let offset = anyhow || manip === 'src' ? below(ns.kernel.sim.random, 65_536) : 0;
  let candidate = t;
  for (let attempts = Math.min(size, 128); ; attempts >>= 1) {
    for (let i = 0; i < attempts; i++, offset++) {
      candidate = withPort(t, manip, min + (offset % size));
      if (!isUsed(ns, candidate, self)) return candidate;
    }
    if (attempts >= size || attempts < 16) return candidate;
    offset = below(ns.kernel.sim.random, 65_536);
  }
}

function uniqueTuple(ns: Netns, current: CtTuple, manip: Manip, r: NatRange, self: CtEntry): CtTuple {
  const anyhow = r.random || r.randomFully;
  if (manip === 'src' && !anyhow && inRange(current, manip, r) && !isUsed(ns, current, self)) return current;
  const chosen = chooseAddress(current, manip, r);
  if (!anyhow) {
    if (r.portMin) {
      if (inRange(chosen, manip, { ...r, min: null }) && (r.portMin === r.portMax || !isUsed(ns, chosen, self))) return chosen;
    } else if (!isUsed(ns, chosen, self)) return chosen;
  }
  return choosePort(ns, chosen, manip, r, self);
}

const endpoint = (t: CtTuple, manip: Manip): string => {
  const ip = formatIp(t[manip]);
  return hasPorts(t.proto) ? `${ip.includes(':') ? `[${ip}]` : ip}:${portOf(t, manip)}` : ip;
};

/** nf_nat_setup_info: decide this flow's mapping, once for sources and once for destinations. */
export function setupNat(ns: Netns, skb: Skb, manip: Manip, range: NatRange): 'ACCEPT' | 'DROP' {
  const entry = skb.ct?.info === 'UNTRACKED' ? null : skb.ct?.entry;
  if (!entry) return 'DROP';
  if (entry.confirmed || isNatDone(entry, manip)) return 'ACCEPT';
  const current = invert(entry.reply);
  const chosen = uniqueTuple(ns, current, manip, range, entry);
  if (tupleKey(chosen, entry.zone) !== tupleKey(current, entry.zone)) {
    entry.reply = invert(chosen);
    if (manip === 'src') entry.snat = true;
    else entry.dnat = true;
    if (skb.trace) {
      const what = manip === 'dst' ? 'DNAT' : 'SNAT';
      addStep(skb.trace, ns, 'nat', `${what} ${endpoint(current, manip)} -> ${endpoint(chosen, manip)}`, skb.packet, {
        manip: what,
        from: endpoint(current, manip),
        to: endpoint(chosen, manip),
      });
    }
  }
  entry.natDone[doneKey(manip)] = true;
  return 'ACCEPT';
}

/** nf_nat_alloc_null_binding: no rule applied, but a clash of ports may still need another one. */
export function nullBinding(ns: Netns, skb: Skb, manip: Manip): void {
  const entry = skb.ct?.entry;
  if (!entry || entry.confirmed || isNatDone(entry, manip)) return;
  const own = invert(entry.reply)[manip];
  setupNat(ns, skb, manip, { min: own, max: own, portMin: 0, portMax: 0, random: false, randomFully: false, persistent: false });
}

/** nf_nat_manip_pkt: one end of the packet becomes what `target` has there. */
function manipulate(p: Packet, target: CtTuple, manip: Manip): Packet {
  const b = p.body;
  let body = b;
  if (b.kind === 'tcp' || b.kind === 'udp' || b.kind === 'sctp') {
    body = manip === 'src' ? { ...b, sport: target.sport } : { ...b, dport: target.dport };
  } else if (b.kind === 'icmp' && target.icmpId !== undefined && !isIcmpError(p, b)) body = { ...b, id: target.icmpId };
  return { ...p, [manip]: target[manip], body };
}

/** Does this flow translate what a packet of this direction shows at this end? */
function applies(entry: CtEntry, manip: Manip, direction: 'original' | 'reply'): boolean {
  // A reply undoes at the other end what was done to the original.
  const effective = direction === 'original' ? manip : manip === 'src' ? 'dst' : 'src';
  return effective === 'src' ? entry.snat : entry.dnat;
}

/** nf_nat_packet, and nf_nat_icmp_reply_translation for errors. Replaces skb.packet. */
export function natPacket(ns: Netns, skb: Skb, hook: HookName): void {
  const ref = skb.ct;
  if (!ref || ref.info === 'UNTRACKED') return;
  const manip = manipOf(hook);
  const { entry, direction } = ref;
  if (!applies(entry, manip, direction)) return;
  const opposite = direction === 'original' ? entry.reply : entry.original;
  const target = invert(opposite);
  const b = skb.packet.body;
  if (b.kind === 'icmp' && isIcmpError(skb.packet, b)) skb.packet = natError(skb.packet, b, opposite, target, manip);
  else skb.packet = manipulate(skb.packet, target, manip);
  if (skb.trace && direction === 'reply') {
    const undone = manip === 'src' ? 'un-DNAT' : 'un-SNAT';
    const [from, to] = [endpoint(entry.reply, manip), endpoint(target, manip)];
    addStep(skb.trace, ns, 'nat', `${undone} ${from} -> ${to}`, skb.packet, { manip: undone, from, to });
  }
}

/** The quoted packet is turned back too, at its other end: who sent it must recognise it. */
function natError(p: Packet, b: Icmp, opposite: CtTuple, target: CtTuple, manip: Manip): Packet {
  const other: Manip = manip === 'src' ? 'dst' : 'src';
  const original = b.original ? manipulate(b.original, opposite, other) : undefined;
  return { ...p, [manip]: target[manip], body: original ? { ...b, original } : b };
}
