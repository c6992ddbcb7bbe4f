// What the tools of net-tools 2.10, and BusyBox' of the same names, have in common: netstat, route, arp, ifconfig.

import { maskBits, maskOf } from '../../linux/netfilter/values.ts';
import { print } from '../../linux/process.ts';
import { sortRoutes } from '../../linux/procfs.ts';
import type { Link, Process } from '../../linux/types.ts';
import { formatIp, parseIp } from '../../wire/ip.ts';

/** The length of a netmask's text. null: no netmask. */
export function netmaskBits(text: string): number | null {
  const ip = parseIp(text);
  const bits = ip?.length === 4 ? maskBits(ip) : -1;
  return bits < 0 ? null : bits;
}

export const sortedLinks = (p: Process): Link[] => [...p.netns.links.values()].sort((a, b) => a.ifindex - b.ifindex);

interface RouteRow {
  dst: string;
  via: string;
  mask: string;
  flags: string;
  metric: number;
  dev: string;
}

function routeRows(p: Process, numeric: boolean, busybox: boolean): RouteRow[] {
  const routes = sortRoutes((p.netns.tables.get(254) ?? []).filter(r => r.dst.ip.length === 4 && r.kind !== 'blackhole'));
  return routes.map(r => {
    const hop = r.nexthops?.[0] ?? { via: r.via, dev: r.dev };
    const reject = r.kind === 'unreachable' || r.kind === 'prohibit';
    const flags = `${reject ? '!' : 'U'}${hop.via ? 'G' : ''}${r.dst.bits === 32 ? 'H' : ''}`;
    return {
      dst: r.dst.bits === 0 && !numeric ? 'default' : formatIp(r.dst.ip),
      via: hop.via ? formatIp(hop.via) : reject ? '-' : numeric ? '0.0.0.0' : busybox ? '*' : '0.0.0.0',
      mask: formatIp(maskOf(r.dst.bits, 4)),
      flags,
      metric: r.metric,
      dev: p.netns.links.get(hop.dev ?? 0)?.name ?? '-',
    };
  });
}

/** `route -n` and, with MSS columns, `netstat -rn`. */
export function printRoutes(p: Process, numeric: boolean, extended: boolean, busybox: boolean): void {
  print(p, 'Kernel IP routing table\n');
  const tail = extended ? 'Flags   MSS Window  irtt Iface' : 'Flags Metric Ref    Use Iface';
  print(p, `Destination     Gateway         Genmask         ${tail}\n`);
  for (const r of routeRows(p, numeric, busybox)) {
    const head = `${r.dst.padEnd(15)} ${r.via.padEnd(15)} ${r.mask.padEnd(15)} `;
    if (extended) print(p, `${head}${r.flags.padEnd(9)} 0 0          0 ${r.dev}\n`);
    else
      print(
        p,
        `${head}${r.flags.padEnd(5)} ${String(r.metric).padEnd(6)} ${r.flags.startsWith('!') && !busybox ? '-' : '0'}        0 ${r.dev}\n`,
      );
  }
}

export const letters = (argv: string[]): string =>
  argv
    .slice(1)
    .filter(a => a.startsWith('-'))
    .map(a => {
      const long: Record<string, string> = {
        '--numeric': 'n',
        '--all': 'a',
        '--listening': 'l',
        '--tcp': 't',
        '--udp': 'u',
        '--program': 'p',
        '--programs': 'p',
        '--route': 'r',
        '--interfaces': 'i',
        '--statistics': 's',
      };
      return a.startsWith('--') ? (long[a] ?? '') : a.slice(1);
    })
    .join('');
