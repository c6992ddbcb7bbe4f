import type { Packet } from '../wire/packet.ts';
import type { Netns, Skb, Trace, TraceStep } from './types.ts';

/** `node-1` or `node-1/default/web-0`: where a step happened. */
export const placeOf = (ns: Netns): string => (ns.name ? `${ns.kernel.hostname}/${ns.name}` : ns.kernel.hostname);

export function addStep(
  trace: Trace | null | undefined,
  ns: Netns,
  kind: TraceStep['kind'],
  text: string,
  packet?: Packet,
  detail?: TraceStep['detail'],
): void {
  if (!trace) return;
  const step: TraceStep = { atMs: ns.kernel.sim.nowMs, at: placeOf(ns), kind, text };
  if (packet) step.packet = packet;
  if (detail) step.detail = detail;
  trace.steps.push(step);
}

/** A drop carries its reason into the trace; callers on the fast path test `skb.trace` before they build a text. */
export function dropped(skb: Skb, ns: Netns, text: string, detail?: TraceStep['detail']): void {
  if (skb.trace) addStep(skb.trace, ns, 'drop', text, skb.packet, detail);
}
