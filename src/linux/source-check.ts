// Whether a packet or an ARP question may come from where it says (net/ipv4/route.c ip_route_input_slow, fib_frontend.c fib_validate_source).
import { formatIp, type Ip } from '../wire/ip.ts';
import { isAny, isBroadcast, isLocalAddress, isLoopback, isMulticast, lookupRoute } from './route.ts';
import { conf4, maxConf4, orConf4 } from './sysctl.ts';
import type { Link } from './types.ts';

export interface SourceFault {
  why: string;
  detail?: Record<string, string | number | boolean | null>;
}

const martian = (src: Ip, dst: Ip): SourceFault => ({ why: `martian source: ${formatIp(src)} to ${formatIp(dst)}` });

/** No address that a machine could have, or 127.0.0.0/8 where it may not leave its own. Asked before there is a route; never of lo. */
export function martianSource(link: Link, src: Ip, dst: Ip): SourceFault | null {
  if (isMulticast(src) || isBroadcast(src)) return martian(src, dst);
  if (isLoopback(src) && !orConf4(link, 'route_localnet')) return martian(src, dst);
  return src[0] === 0 && !isBroadcast(dst) ? martian(src, dst) : null;
}

/** rp_filter, and no packet from outside may come from one of our own addresses. */
export function sourceFault(link: Link, src: Ip, dst: Ip, mark: number): SourceFault | null {
  const ns = link.netns;
  const mode = maxConf4(link, 'rp_filter');
  if (mode === 0) return orConf4(link, 'accept_local') || !isLocalAddress(ns, src) ? null : martian(src, dst);
  if (isAny(src) && isBroadcast(dst)) return null;
  const back = lookupRoute(ns, src, { src: dst, mark: conf4(link, 'src_valid_mark') ? mark : 0, iif: link });
  if (typeof back !== 'string' && back.kind === 'local' && !orConf4(link, 'accept_local')) return martian(src, dst);
  const same = typeof back !== 'string' && (back.dev === link || back.route?.nexthops?.some(h => h.dev === link.ifindex));
  if (same || (mode === 2 && typeof back !== 'string')) return null;
  return { why: `rp_filter ${mode} on ${link.name}: ${formatIp(src)} is not reached by it`, detail: { dev: link.name, rp_filter: mode } };
}
