// Where a socket's packets come from and go to: ip_route_connect of the kernel.
import type { Ip } from '../wire/ip.ts';
import { isAny, isBroadcast, lookupRoute } from './route.ts';
import type { Socket } from './socket.ts';
import { addBound, ephemeralPort } from './socket-table.ts';
import { deviceOf } from './tcp.ts';
import type { Errno } from './types.ts';

/** ip_route_connect: the source address and port that a connection to `ip` gets. */
export function chooseSource(s: Socket, ip: Ip, port: number): Errno | null {
  const own = s.local && !isAny(s.local) ? s.local : null;
  const route = lookupRoute(s.netns, ip, { src: own, mark: Number(s.options.get('mark') ?? 0), oif: deviceOf(s) });
  if (typeof route === 'string') return route;
  if ((route.kind === 'broadcast' || isBroadcast(ip)) && s.type !== 'tcp' && !s.options.get('broadcast')) return 'EACCES';
  if ((route.kind === 'broadcast' || route.kind === 'multicast') && s.type === 'tcp') return 'ENETUNREACH';
  const local = own ?? route.src;
  if (!local) return ip.length === 16 ? 'EADDRNOTAVAIL' : 'ENETUNREACH';
  if (!s.localPort && s.type !== 'raw') {
    const found = ephemeralPort(s, local, ip, port);
    if (typeof found === 'string') return found;
    s.localPort = found;
    if (s.type !== 'tcp' && s.type !== 'sctp') addBound(s);
  }
  s.local = local;
  return null;
}

/** 0.0.0.0 and :: mean this machine. */
export const target = (ip: Ip): Ip => (isAny(ip) ? Uint8Array.from(ip.length === 4 ? [127, 0, 0, 1] : [...ip.subarray(0, 15), 1]) : ip);
