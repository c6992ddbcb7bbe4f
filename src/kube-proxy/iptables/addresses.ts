import type { Netns } from '../../linux/types.ts';
import { formatIp, inCidr, parseCidr } from '../../wire/ip.ts';
import type { RuleSettings } from '../settings.ts';

/** Addresses of the node that its nodePortAddresses select, in the order of those. */
export function selectedAddresses(ns: Netns, s: RuleSettings): string[] {
  const out = new Set<string>();
  for (const cidr of s.nodePortCIDRs ?? []) {
    const range = parseCidr(cidr);
    if (!range) continue;
    for (const link of ns.links.values()) {
      for (const a of link.addresses) {
        if (!inCidr(range, a.ip)) continue;
        const loopback = a.ip.length === 4 ? a.ip[0] === 127 : formatIp(a.ip) === '::1';
        if (!loopback || s.localhostNodePorts) out.add(formatIp(a.ip));
      }
    }
  }
  return [...out];
}
