// A frame enters a bridge by a port: learning, br_netfilter (net/bridge/br_netfilter_hooks.c, v6.12), forwarding and flooding.

import { formatIp, sameIp } from '../wire/ip.ts';
import type { Frame } from '../wire/packet.ts';
import { isGroupMac, learn, lookupPort, portsOf } from './bridge-fdb.ts';
import { countIn, tap, tooLong, transmit } from './device.ts';
import { resolve } from './neigh.ts';
import { runHook } from './netfilter/hooks.ts';
import { lookupRoute } from './route.ts';
import { conf4, sysctl } from './sysctl.ts';
import { addStep, dropped } from './trace.ts';
import type { Link, Skb } from './types.ts';

/** Up to the machine's own stack, as if the bridge device had received it. `prerouted`: PREROUTING has been run for it. */
export type PassUp = (bridge: Link, frame: Frame, skb: Skb | null, prerouted: boolean) => void;

const callsIptables = (bridge: Link, family: 4 | 6): boolean =>
  sysctl(bridge.netns, family === 4 ? 'net.bridge.bridge-nf-call-iptables' : 'net.bridge.bridge-nf-call-ip6tables') !== '0';

export function bridgeInput(bridge: Link, port: Link, frame: Frame, skb: Skb | null, up: PassUp): void {
  if (!bridge.up) {
    port.counters.rxDropped++;
    if (skb) dropped(skb, bridge.netns, `${bridge.name} is down`, { dev: bridge.name });
    return;
  }
  learn(bridge, port, frame.src);
  if (!skb || !callsIptables(bridge, skb.packet.family)) {
    finish(bridge, port, frame, skb, false, up);
    return;
  }
  prerouting(bridge, port, frame, skb, up);
}

/** br_nf_pre_routing and br_nf_pre_routing_finish. */
function prerouting(bridge: Link, port: Link, frame: Frame, skb: Skb, up: PassUp): void {
  const before = skb.packet.dst;
  const family = skb.packet.family;
  skb.iif = bridge;
  skb.physin = port;
  if (runHook(bridge.netns, family, 'PREROUTING', skb, { in: bridge, out: null }) !== 'ACCEPT') return;
  const translated: Frame = { ...frame, payload: skb.packet };
  if (sameIp(before, skb.packet.dst)) {
    finish(bridge, port, translated, skb, true, up);
    return;
  }
  const route = lookupRoute(bridge.netns, skb.packet.dst, { src: skb.packet.src, mark: skb.mark, iif: bridge });
  if (typeof route === 'string' && family === 6) {
    dropped(skb, bridge.netns, `no route to ${formatIp(skb.packet.dst)} after DNAT`);
    return;
  }
  const forwards = family === 6 || conf4(bridge, 'forwarding') !== 0;
  if (typeof route !== 'string' && route.kind === 'unicast' && route.dev === bridge && forwards) {
    // Bridged DNAT: the new destination is behind this bridge too; only the frame's address has to change.
    if (skb.trace)
      addStep(skb.trace, bridge.netns, 'route', `${formatIp(skb.packet.dst)} is behind ${bridge.name} too: bridged`, skb.packet);
    skb.resolved = mac => {
      skb.resolved = undefined;
      finish(bridge, port, { ...translated, dst: mac, payload: skb.packet }, skb, true, up);
    };
    resolve(bridge, route.via ?? skb.packet.dst, skb);
    return;
  }
  // Whatever else the routing says, martians and missing routes too, the stack above says it again.
  finish(bridge, port, { ...translated, dst: bridge.mac }, skb, true, up);
}

/** br_handle_frame_finish. */
function finish(bridge: Link, port: Link, frame: Frame, skb: Skb | null, prerouted: boolean, up: PassUp): void {
  if (frame.dst === bridge.mac) {
    passUp(bridge, frame, skb, prerouted, up);
    return;
  }
  if (!isGroupMac(frame.dst)) {
    const to = lookupPort(bridge, frame.dst);
    if (to) {
      forward(bridge, port, to, frame, skb, prerouted);
      return;
    }
    if (portsOf(bridge).some(p => p.mac === frame.dst)) {
      passUp(bridge, { ...frame, dst: bridge.mac }, skb, prerouted, up);
      return;
    }
  }
  for (const to of portsOf(bridge))
    if (to !== port || port.hairpin) forward(bridge, port, to, frame, skb ? { ...skb } : null, prerouted, true);
  if (isGroupMac(frame.dst) || bridge.promisc) passUp(bridge, frame, skb, prerouted, up);
}

function passUp(bridge: Link, frame: Frame, skb: Skb | null, prerouted: boolean, up: PassUp): void {
  countIn(bridge, frame);
  tap(bridge, frame, 'in');
  up(bridge, frame, skb, prerouted);
}

/** br_forward, br_nf_forward, br_nf_post_routing: out of another port (or the same one, hairpin). */
function forward(bridge: Link, port: Link, to: Link, frame: Frame, skb: Skb | null, filtered: boolean, flood = false): void {
  const ns = bridge.netns;
  if (to === port && !port.hairpin) {
    if (skb && !flood)
      dropped(skb, ns, `it would leave ${bridge.name} by the port it came in, ${port.name}, which has no hairpin mode`, { dev: port.name });
    return;
  }
  if (!to.up || (port.isolated && to.isolated)) {
    if (skb && !flood) dropped(skb, ns, `port ${to.name} is ${to.up ? 'isolated' : 'down'}`, { dev: to.name });
    return;
  }
  if (skb && filtered) {
    skb.physout = to;
    const family = skb.packet.family;
    const dev = { in: bridge, out: bridge };
    if (runHook(ns, family, 'FORWARD', skb, dev) !== 'ACCEPT') return;
    if (runHook(ns, family, 'POSTROUTING', skb, dev) !== 'ACCEPT') return;
    frame = { ...frame, payload: skb.packet };
  }
  if (tooLong(frame, to)) {
    if (skb) dropped(skb, ns, `longer than the MTU ${to.mtu} of ${to.name}`, { dev: to.name });
    return;
  }
  if (skb?.trace && !flood)
    addStep(skb.trace, ns, 'forward', `${bridge.name} passes it from ${port.name} to ${to.name}`, skb.packet, { dev: to.name });
  transmit(to, frame, skb);
}
