// What a device says of its own line: the carrier, and the state that follows from it.
import type { Link } from './types.ts';

/** Devices without link-layer addresses. */
export const isPointToPoint = (link: Link): boolean => link.kind === 'ipip' || link.kind === 'tun';

/** Whether frames can cross: the other end is there and up (netif_carrier_ok). */
export function hasCarrier(link: Link): boolean {
  if (!link.up) return false;
  switch (link.kind) {
    case 'veth':
      return link.peer?.up ?? false;
    case 'ethernet':
      return link.segment !== null;
    case 'bridge':
      // The carrier of a new device stays on until the states of ports are first gone through (br_port_state_selection).
      if (!link.portsSelected) return true;
      for (const l of link.netns.links.values()) if (l.master === link.ifindex && l.up && hasCarrier(l)) return true;
      return false;
    default:
      return true;
  }
}

/** IFLA_OPERSTATE as `ip` prints it. */
export function operState(link: Link): 'UP' | 'DOWN' | 'UNKNOWN' | 'LOWERLAYERDOWN' {
  if (!link.up) return 'DOWN';
  if (link.kind === 'loopback' || link.kind === 'dummy' || link.kind === 'vxlan' || isPointToPoint(link)) return 'UNKNOWN';
  if (link.kind === 'bridge' && !link.portsSelected) return 'UNKNOWN';
  if (hasCarrier(link)) return 'UP';
  return link.kind === 'veth' && link.peer ? 'LOWERLAYERDOWN' : 'DOWN';
}
