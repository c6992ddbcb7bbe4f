// What `ss` and `netstat` both need to know of a socket.

import { leaderOf, seenPid } from '../../linux/pids.ts';
import { isAny } from '../../linux/route.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Netns, Process } from '../../linux/types.ts';
import { formatIp } from '../../wire/ip.ts';

const SERVICES: Record<string, string> = {
  '20/tcp': 'ftp-data',
  '21/tcp': 'ftp',
  '22/tcp': 'ssh',
  '23/tcp': 'telnet',
  '25/tcp': 'smtp',
  '53/tcp': 'domain',
  '53/udp': 'domain',
  '67/udp': 'bootps',
  '68/udp': 'bootpc',
  '80/tcp': 'http',
  '110/tcp': 'pop3',
  '123/udp': 'ntp',
  '143/tcp': 'imap2',
  '179/tcp': 'bgp',
  '443/tcp': 'https',
  '443/udp': 'https',
  '3306/tcp': 'mysql',
  '5432/tcp': 'postgresql',
  '8080/tcp': 'http-alt',
};

/** /etc/services as Debian ships it, as far as clusters meet it. */
export const serviceName = (port: number, proto: string): string => SERVICES[`${port}/${proto}`] ?? String(port);

/** The port of a service's name, or null. */
export function servicePort(name: string): number | null {
  const key = Object.keys(SERVICES).find(k => SERVICES[k] === name);
  return key ? Number.parseInt(key, 10) : null;
}

export const ofType = (ns: Netns, type: Socket['type']): Socket[] =>
  [...ns.sockets.all].filter(s => s.type === type && (s.state !== 'UNCONN' || (type !== 'tcp' && type !== 'sctp' && s.localPort > 0)));

export const isListening = (s: Socket): boolean => s.state === 'LISTEN' || (s.state === 'UNCONN' && s.type !== 'tcp');

export const queues = (s: Socket): [number, number] => {
  if (s.state === 'LISTEN') return [s.tcp?.accepted.length ?? 0, s.tcp?.backlog ?? 0];
  if (s.tcp) return [s.tcp.inboxLength, s.tcp.out.length];
  return [s.datagrams.reduce((n, d) => n + d.data.length, 0), 0];
};

/** The local or remote address: `null` is the wildcard. */
export function addressText(s: Socket, which: 'local' | 'remote', style: 'ss' | 'netstat'): string {
  const ip = s[which];
  if (!ip || (isAny(ip) && ip.length === (s.family === 6 ? 16 : 4))) {
    if (s.family === 4) return '0.0.0.0';
    if (style === 'netstat') return '::';
    return s.v6only ? '[::]' : '*';
  }
  const text = s.family === 6 && ip.length === 4 ? `::ffff:${formatIp(ip)}` : formatIp(ip);
  const device = which === 'local' && style === 'ss' ? s.options.get('bindtodevice') : undefined;
  return `${text.includes(':') && style === 'ss' ? `[${text}]` : text}${device ? `%${device}` : ''}`;
}

/** The process that holds it, by the number that `viewer` sees, and its descriptor there; null where /proc shows no such process. */
export function holder(s: Socket, viewer: Process): { pid: number; fd: number; name: string } | null {
  const p = s.owner && leaderOf(s.owner);
  const pid = p && seenPid(p, viewer);
  if (!p || !pid || s.closed) return null;
  const own = [...p.netns.sockets.all].filter(x => x.owner && leaderOf(x.owner) === p);
  return { pid, fd: 3 + Math.max(0, own.indexOf(s)), name: (p.argv[0] ?? '').split('/').pop() ?? '' };
}
