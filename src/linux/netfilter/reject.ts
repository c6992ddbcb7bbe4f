// What REJECT and LOG do beside their verdicts (nf_reject_ipv4.c, nf_reject_ipv6.c, nf_log_syslog.c of Linux 6.18).
import type { Packet, Tcp } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/packet.ts';
import { transmit } from '../device.ts';
import { stack } from '../stack.ts';
import { addStep } from '../trace.ts';
import type { Skb } from '../types.ts';
import type { HookContext } from './types.ts';

/** The reset that answers a segment: it acknowledges what came, or continues where the other side asked to. */
function resetFor(p: Packet, b: Tcp): Packet {
  const ack = (b.flags & TCP_FLAG.ACK) !== 0;
  const length = b.data.length + (b.flags & TCP_FLAG.SYN ? 1 : 0) + (b.flags & TCP_FLAG.FIN ? 1 : 0);
  const body: Tcp = {
    kind: 'tcp',
    sport: b.dport,
    dport: b.sport,
    seq: ack ? b.ack : 0,
    ack: ack ? 0 : (b.seq + length) >>> 0,
    flags: ack ? TCP_FLAG.RST : TCP_FLAG.RST | TCP_FLAG.ACK,
    window: 0,
    data: new Uint8Array(0),
  };
  return { kind: 'ip', family: p.family, src: p.dst, dst: p.src, proto: p.proto, ttl: 64, tos: 0, id: 0, df: true, body };
}

/** `icmp` null: answer with a TCP reset. */
export function reject(skb: Skb, ctx: Pick<HookContext, 'netns'>, icmp: { type: number; code: number } | null): void {
  const { packet } = skb;
  const { netns } = ctx;
  if (icmp) {
    stack.icmpError(netns, skb, icmp.type, icmp.code);
    return;
  }
  const b = packet.body;
  if (b.kind !== 'tcp' || b.flags & TCP_FLAG.RST) return; // never a reset for a reset
  const out = resetFor(packet, b);
  if (skb.trace) addStep(skb.trace, netns, 'reject', 'TCP reset', out);
  // Of a frame that a bridge took, the reset leaves by the port that it came in by, past every hook: no address is translated back.
  if (skb.physin && skb.srcMac) {
    transmit(skb.physin, { src: skb.iif?.mac ?? skb.physin.mac, dst: skb.srcMac, payload: out }, { ...skb, packet: out, ct: null });
    return;
  }
  // nf_ct_attach: the reset belongs to the flow it ends, so that its addresses are translated back.
  const ref = skb.ct;
  const ct =
    ref && ref.info !== 'UNTRACKED'
      ? { entry: ref.entry, direction: ref.direction === 'original' ? ('reply' as const) : ('original' as const), info: 'RELATED' as const }
      : null;
  stack.sendPacket(netns, out, { trace: skb.trace, ct });
}

export function logPacket(skb: Skb, ctx: Pick<HookContext, 'netns' | 'hook' | 'table' | 'in' | 'out'>, prefix: string): void {
  if (!skb.trace) return;
  const text = `${prefix}IN=${ctx.in?.name ?? ''} OUT=${ctx.out?.name ?? ''}`;
  addStep(skb.trace, ctx.netns, 'note', `log: ${text}`, skb.packet, { hook: ctx.hook, table: ctx.table });
}
