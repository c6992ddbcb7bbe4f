// A bridge's forwarding table and its sending side. The receiving side, with br_netfilter, is bridge.ts.
import type { Frame, Mac } from '../wire/packet.ts';
import { dropped } from './trace.ts';
import type { Link, Skb } from './types.ts';

/** bridge ageing_time: 300 s. */
const AGEING_MS = 300_000;

export const portsOf = (bridge: Link): Link[] => {
  const out: Link[] = [];
  for (const l of bridge.netns.links.values()) if (l.master === bridge.ifindex) out.push(l);
  return out;
};

/** br_fdb_update: who is behind which port. */
export function learn(bridge: Link, port: Link, mac: Mac): void {
  if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) return;
  const nowMs = bridge.netns.kernel.sim.nowMs;
  for (const e of bridge.fdb) {
    if (e.mac !== mac) continue;
    if (e.permanent) return;
    e.port = port.ifindex;
    e.seenAtMs = nowMs;
    return;
  }
  bridge.fdb.push({ mac, port: port.ifindex, dst: null, permanent: false, seenAtMs: nowMs });
}

/** The port of an address, or null: not known. */
export function lookupPort(bridge: Link, mac: Mac): Link | null {
  const nowMs = bridge.netns.kernel.sim.nowMs;
  for (let i = 0; i < bridge.fdb.length; i++) {
    const e = bridge.fdb[i];
    if (e.mac !== mac) continue;
    if (!e.permanent && nowMs - e.seenAtMs > AGEING_MS) {
      bridge.fdb.splice(i, 1);
      return null;
    }
    return e.port === null ? null : (bridge.netns.links.get(e.port) ?? null);
  }
  return null;
}

export const isGroupMac = (mac: Mac): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

/** br_dev_xmit: what the machine itself sends through the bridge device. */
export function bridgeTransmit(bridge: Link, frame: Frame, skb: Skb | null, transmit: (l: Link, f: Frame, s: Skb | null) => void): void {
  if (!isGroupMac(frame.dst)) {
    const port = lookupPort(bridge, frame.dst);
    if (port) {
      transmit(port, frame, skb);
      return;
    }
  }
  const ports = portsOf(bridge).filter(p => p.up);
  if (!ports.length && skb) dropped(skb, bridge.netns, `${bridge.name} has no port to flood to`, { dev: bridge.name });
  for (const port of ports) transmit(port, frame, skb);
}
