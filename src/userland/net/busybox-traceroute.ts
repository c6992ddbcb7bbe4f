// BusyBox' traceroute (networking/traceroute.c).

import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp } from '../../wire/ip.ts';
import { busyboxUsage, getopt, libcError, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { getaddrinfo } from './resolver.ts';
import { walk } from './trip.ts';

const BUSYBOX_USAGE = `traceroute [-46FIlnrv] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-p PORT]
	[-t TOS] [-w WAIT_SEC] [-s SRC_IP] [-i IFACE]
	[-z PAUSE_MSEC] HOST [BYTES]

Trace the route to HOST

	-4,-6	Force IP or IPv6 name resolution
	-F	Set don't fragment bit
	-I	Use ICMP ECHO instead of UDP datagrams
	-l	Display TTL value of the returned packet
	-n	Print numeric addresses
	-r	Bypass routing tables, send directly to HOST
	-v	Verbose
	-f N	First number of hops (default 1)
	-m N	Max number of hops
	-q N	Number of probes per hop (default 3)
	-p N	Base UDP port number used in probes
		(default 33434)
	-s IP	Source address
	-i IFACE Source interface
	-t N	Type-of-service in probe packets (default 0)
	-w SEC	Wait for a response (default 3)
	-z MSEC	Wait before each send`;

export const busyboxTraceroute = (u: Userland): Program =>
  function* traceroute(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), '46FIlnrvf:m:q:p:t:w:s:i:z:g:x');
    if (o.error || !o.operands.length) return busyboxUsage(p, u, BUSYBOX_USAGE, o.error ?? undefined);
    const host = o.operands[0];
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family: o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null });
    if (typeof found === 'string') {
      complain(p, `traceroute: bad address '${host}'\n`);
      return 1;
    }
    const length = Number(o.operands[1] ?? 38) + 8;
    const hops = Number(optionValue(o, 'm') ?? 30);
    const to = found.addresses[0];
    print(p, `traceroute to ${host} (${formatIp(to)}), ${hops} hops max, ${length} byte packets\n`);
    const failed = yield* walk({
      p,
      u,
      to,
      method: o.flags.has('I') ? 'icmp' : 'udp',
      port: Number(optionValue(o, 'p') ?? 33434),
      size: length - 28,
      first: Number(optionValue(o, 'f') ?? 1),
      hops,
      queries: Number(optionValue(o, 'q') ?? 3),
      waitMs: Number(optionValue(o, 'w') ?? 5) * 1000,
      numeric: o.flags.has('n'),
      df: o.flags.has('F'),
      gap: '  ',
      note: hop => (o.flags.has('l') ? ` (${hop.replyTtl})` : ''),
    });
    if (!failed) return 0;
    complain(p, `traceroute: sendto: ${libcError(u, failed.errno)}\n`);
    return 1;
  };
