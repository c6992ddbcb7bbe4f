// A machine with two links, and packets sent through its hooks by hand.
import { newKernel } from '../../../src/linux/kernel.ts';
import { addAddress, addLink, setUp } from '../../../src/linux/link.ts';
import { runHook } from '../../../src/linux/netfilter/hooks.ts';
import { restore } from '../../../src/linux/netfilter/restore.ts';
import type { HookName } from '../../../src/linux/netfilter/types.ts';
import { newSkb } from '../../../src/linux/stack.ts';
import type { Link, Netns, Skb } from '../../../src/linux/types.ts';
import { newRandom } from '../../../src/sim/random.ts';
import { newSim } from '../../../src/sim/sim.ts';
import { ip } from '../../../src/wire/ip.ts';
import { type Packet, PROTO, TCP_FLAG } from '../../../src/wire/packet.ts';

export interface World {
  ns: Netns;
  inside: Link;
  outside: Link;
}

export function newWorld(rules: string | null = null, seed = 1): World {
  const sim = newSim(1_800_000_000_000, newRandom(seed));
  const ns = newKernel(sim, 'router').netns.get('') as Netns;
  const inside = addLink(ns, { name: 'eth1', kind: 'dummy' });
  const outside = addLink(ns, { name: 'eth0', kind: 'dummy' });
  addAddress(inside, ip('10.0.0.1'), 24);
  addAddress(outside, ip('192.168.7.1'), 24);
  setUp(inside, true);
  setUp(outside, true);
  if (rules !== null) {
    const bad = restore(ns, 4, rules, { check: true });
    if (bad) throw new Error(`line ${bad.line}: ${bad.message}`);
  }
  return { ns, inside, outside };
}

const base = (src: string, dst: string, proto: number) => ({
  kind: 'ip' as const,
  family: src.includes(':') ? (6 as const) : (4 as const),
  src: ip(src),
  dst: ip(dst),
  proto,
  ttl: 64,
  tos: 0,
  id: 1,
  df: true,
});

export const EMPTY = new Uint8Array(0);

export const tcp = (src: string, sport: number, dst: string, dport: number, flags: number = TCP_FLAG.SYN): Packet => ({
  ...base(src, dst, PROTO.TCP),
  body: { kind: 'tcp', sport, dport, seq: 1, ack: 0, flags, window: 1000, data: EMPTY },
});

export const udp = (src: string, sport: number, dst: string, dport: number): Packet => ({
  ...base(src, dst, PROTO.UDP),
  body: { kind: 'udp', sport, dport, data: EMPTY },
});

export const echo = (src: string, dst: string, id: number, type = 8): Packet => ({
  ...base(src, dst, PROTO.ICMP),
  body: { kind: 'icmp', type, code: 0, id, seq: 1, data: EMPTY },
});

export const unreachable = (src: string, original: Packet): Packet => ({
  ...base(src, '0.0.0.0', PROTO.ICMP),
  dst: original.src,
  body: { kind: 'icmp', type: 3, code: 1, id: 0, seq: 0, data: EMPTY, original },
});

/** Through the given hooks; the verdict of the last one reached. */
export function pass(w: World, packet: Packet, hooks: HookName[], dev: { in: Link | null; out: Link | null }, skb: Skb = newSkb(packet)) {
  let verdict = 'ACCEPT';
  for (const hook of hooks) {
    verdict = runHook(w.ns, packet.family, hook, skb, {
      in: hook === 'POSTROUTING' || hook === 'OUTPUT' ? null : dev.in,
      out: hook === 'PREROUTING' || hook === 'INPUT' ? null : dev.out,
    });
    if (verdict !== 'ACCEPT') break;
  }
  return { verdict, skb, packet: skb.packet };
}

export const FORWARDED: HookName[] = ['PREROUTING', 'FORWARD', 'POSTROUTING'];

/** From the inside to the outside, and back. */
export const out = (w: World, p: Packet) => pass(w, p, FORWARDED, { in: w.inside, out: w.outside });
export const back = (w: World, p: Packet) => pass(w, p, FORWARDED, { in: w.outside, out: w.inside });
