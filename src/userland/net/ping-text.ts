// What iputils' ping prints (20221126, 20240905): usage, head line, errors, statistics.

import type { Datagram } from '../../linux/socket.ts';
import { type Family, familyOf, formatIp, type Ip } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import type { Run } from './ping-loop.ts';

export const pingUsage = (u: Userland): string => {
  const newer = u.tools >= 13;
  return `
Usage
  ping [options] <destination>

Options:
  <destination>      ${newer ? 'DNS name or IP' : 'dns name or ip'} address
  -a                 use audible ping
  -A                 use adaptive ping
  -B                 sticky source address
  -c <count>         stop after <count> replies
  -C                 call connect() syscall on socket creation
  -D                 print timestamps
  -d                 use SO_DEBUG socket option
  -e <identifier>    define identifier for ping session, default is random for
                     SOCK_RAW and kernel defined for SOCK_DGRAM
                     Imply using SOCK_RAW (for IPv4 only for identifier 0)
  -f                 flood ping
  -h                 print help and exit
${newer ? '  -H                 force reverse DNS name resolution (useful for numeric\n                     destinations or for -f), override -n\n' : ''}  -I <interface>     either interface name or address
  -i <interval>      seconds between sending each packet
  -L                 suppress loopback of multicast packets
  -l <preload>       send <preload> number of packages while waiting replies
  -m <mark>          tag the packets going out
  -M <pmtud opt>     define ${newer ? 'path MTU discovery, can be one of <do|dont|want|probe>' : 'mtu discovery, can be one of <do|dont|want>'}
  -n                 no ${newer ? 'reverse DNS name resolution, override -H' : 'dns name resolution'}
  -O                 report outstanding replies
  -p <pattern>       contents of padding byte
  -q                 quiet output
  -Q <tclass>        use quality of service <tclass> bits
  -s <size>          use <size> as number of data bytes to be sent
  -S <size>          use <size> as SO_SNDBUF socket option value
  -t <ttl>           define time to live
  -U                 print user-to-user latency
  -v                 verbose output
  -V                 print version and exit
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response

IPv4 options:
  -4                 use IPv4
  -b                 allow pinging broadcast
  -R                 record route
  -T <timestamp>     define timestamp, can be one of <tsonly|tsandaddr|tsprespec>

IPv6 options:
  -6                 use IPv6
  -F <flowlabel>     define flow label, default is random
  -N <nodeinfo opt>  use ${newer ? 'IPv6 node info query' : 'icmp6 node info query'}, try <help> as argument

For more details see ping(8).
`;
};

export const NODE_INFO_HELP = `ping -6 -N <nodeinfo opt>
Help:
  help
Query:
  name
  ipv6
  ipv6-all
  ipv6-compatible
  ipv6-global
  ipv6-linklocal
  ipv6-sitelocal
  ipv4
  ipv4-all
Subject:
  subject-ipv6=addr
  subject-ipv4=addr
  subject-name=name
  subject-fqdn=name
`;

/** `from`: shown because it was asked for, with the device if that was named. */
export function headline(u: Userland, name: string, to: Ip, size: number, from: { ip: Ip; device: string } | null): string {
  const source = from ? ` from ${formatIp(from.ip)} ${from.device}:` : '';
  if (familyOf(to) === 4) return `PING ${name} (${formatIp(to)})${source} ${size}(${size + 28}) bytes of data.\n`;
  if (u.tools >= 13) return `PING ${name} (${formatIp(to)})${source} ${size} data bytes\n`;
  const bare = name === formatIp(to);
  return bare
    ? `PING ${name}(${name})${source} ${size} data bytes\n`
    : `PING ${name}(${name} (${formatIp(to)}))${source} ${size} data bytes\n`;
}

/** Digits shrink as the time grows: 0.029, 1.23, 12.3, 123. */
export function rttText(ms: number): string {
  const us = Math.max(0, Math.round(ms * 1000));
  if (us >= 100_000 - 50) return (us / 1000).toFixed(0);
  if (us >= 10_000 - 5) return (us / 1000).toFixed(1);
  return us >= 1000 ? (us / 1000).toFixed(2) : (us / 1000).toFixed(3);
}

const UNREACHABLE: Record<number, string> = {
  0: 'Destination Net Unreachable',
  1: 'Destination Host Unreachable',
  2: 'Destination Protocol Unreachable',
  3: 'Destination Port Unreachable',
  5: 'Source Route Failed',
  6: 'Destination Net Unknown',
  7: 'Destination Host Unknown',
  8: 'Source Host Isolated',
  9: 'Destination Net Prohibited',
  10: 'Destination Host Prohibited',
  11: 'Destination Net Unreachable for Type of Service',
  12: 'Destination Host Unreachable for Type of Service',
  13: 'Packet filtered',
  14: 'Precedence Violation',
  15: 'Precedence Cutoff',
};
const UNREACHABLE_6: Record<number, string> = {
  0: 'Destination unreachable: No route',
  1: 'Destination unreachable: Administratively prohibited',
  2: 'Destination unreachable: Beyond scope of source address',
  3: 'Destination unreachable: Address unreachable',
  4: 'Destination unreachable: Port unreachable',
  5: 'Destination unreachable: Source address failed ingress/egress policy',
  6: 'Destination unreachable: Reject route to destination',
};

/** What an ICMP error means, in iputils' words. */
export function errorText(family: Family, e: NonNullable<Datagram['error']>): string {
  if (family === 6) {
    if (e.type === 3) return 'Time exceeded: Hop limit';
    if (e.type === 2) return `Packet too big: mtu=${e.mtu ?? 0}`;
    return UNREACHABLE_6[e.code] ?? `Destination unreachable: Unknown code ${e.code}`;
  }
  if (e.type === 11) return e.code === 0 ? 'Time to live exceeded' : 'Frag reassembly time exceeded';
  if (e.type === 3 && e.code === 4) return `Frag needed and DF set (mtu = ${e.mtu ?? 0})`;
  return e.type === 3 ? (UNREACHABLE[e.code] ?? `Dest Unreachable, Bad Code: ${e.code}`) : `Bad ICMP type: ${e.type}`;
}

export function statistics(r: Run, name: string, paced: boolean): string {
  const loss = r.sent ? Math.fround(((r.sent - r.received.size) * 100) / r.sent) : 0;
  const extra = `${r.duplicates ? `, +${r.duplicates} duplicates` : ''}${r.errors ? `, +${r.errors} errors` : ''}`;
  const percent = String(Number(loss.toPrecision(6))); // %g of a float
  const spent = Math.floor(r.lastSendMs - r.startMs);
  let out = `\n--- ${name} ping statistics ---\n${r.sent} packets transmitted, ${r.received.size} received${extra}, ${percent}% packet loss, time ${spent}ms\n`;
  const behind: string[] = [];
  if (r.rtts.length) {
    const avg = r.rtts.reduce((a, b) => a + b, 0) / r.rtts.length;
    const mdev = Math.sqrt(Math.max(0, r.rtts.reduce((a, b) => a + b * b, 0) / r.rtts.length - avg * avg));
    behind.push(`rtt min/avg/max/mdev = ${[Math.min(...r.rtts), avg, Math.max(...r.rtts), mdev].map(x => x.toFixed(3)).join('/')} ms`);
  }
  if (r.pipe > 1) behind.push(`pipe ${r.pipe}`);
  if (paced && r.received.size > 0 && r.sent > 1) {
    const ewma = r.rtts.reduce((mean, x, i) => (i ? mean + (x - mean) / 8 : x), 0);
    behind.push(`ipg/ewma ${((r.lastSendMs - r.startMs) / (r.sent - 1)).toFixed(3)}/${ewma.toFixed(3)} ms`);
  }
  out += behind.join(', ');
  return `${out}\n`;
}
