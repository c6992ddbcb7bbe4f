// Programs at a device's clsact hooks (net/core/dev.c sch_handle_ingress, sch_handle_egress): the place where a data plane that is not
// netfilter handles a packet. Nothing else on a packet's way knows of it. Programs are an agent's, which attaches them whenever it starts:
// they are no part of a kept kernel.
import type { Frame } from '../wire/packet.ts';
import { stack } from './stack.ts';
import { addStep, dropped } from './trace.ts';
import type { Link, Skb, TcProgram } from './types.ts';

type Transmit = (link: Link, frame: Frame, skb: Skb | null) => void;

/** Runs them in order. -> the frame that goes on, rewritten perhaps; null: it was dropped, or went elsewhere */
export function classify(programs: TcProgram[], hook: 'ingress' | 'egress', link: Link, frame: Frame, skb: Skb | null, send: Transmit) {
  let now = frame;
  for (const program of programs) {
    const verdict = program.run(now, skb, link);
    if (verdict.frame) {
      now = verdict.frame;
      if (skb && now.payload.kind === 'ip') skb.packet = now.payload;
    }
    const where = `tc ${hook} ${program.name} on ${link.name}`;
    const detail = { dev: link.name, hook, program: program.name, action: verdict.action };
    if (verdict.action === 'shot') {
      if (hook === 'ingress') link.counters.rxDropped++;
      else link.counters.txDropped++;
      if (skb) dropped(skb, link.netns, `${where}: ${verdict.why}`, detail);
      return null;
    }
    if (verdict.action === 'redirect') {
      if (skb?.trace) addStep(skb.trace, link.netns, 'forward', `${where}: to ${verdict.to.name} (${verdict.into})`, skb.packet, detail);
      if (verdict.into === 'ingress') stack.receive(verdict.to, now, skb);
      else send(verdict.to, now, skb);
      return null;
    }
    if (skb?.trace && verdict.why) addStep(skb.trace, link.netns, 'policy', `${where}: ${verdict.why}`, skb.packet, detail);
    if (verdict.last) break;
  }
  return now;
}
