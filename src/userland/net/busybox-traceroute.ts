// BusyBox' traceroute (networking/traceroute.c).

import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp } from '../../wire/ip.ts';
import { busyboxUsage, getopt, libcError, optionValue } from '../busybox.ts';
import { type NumberOption, numberOptions, xatouRange } from '../busybox-number.ts';
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

const MOST_BYTES = 32_768;

/** In the order in which they are looked at (networking/traceroute.c common_traceroute_main 1.36). */
const NUMBERS: NumberOption[] = [
  ['t', 0, 1, 255],
  ['m', 30, 1, 255],
  ['p', 33_434, 0, 0xffff],
  ['q', 3, 1, 0x7fffffff],
  ['w', 5, 1, 86_400],
  ['z', 0, 0, 0x7fffffff],
];

export const busyboxTraceroute = (u: Userland): Program =>
  function* traceroute(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), '46FIlnrvf:m:q:p:t:w:s:i:z:g:x');
    if (o.error || !o.operands.length) return busyboxUsage(p, u, BUSYBOX_USAGE, o.error ?? undefined);
    const host = o.operands[0];
    const n = numberOptions(o, NUMBERS);
    const first = typeof n === 'string' ? n : xatouRange(optionValue(o, 'f') ?? '1', 1, n.m);
    if (typeof n === 'string' || typeof first === 'string') {
      complain(p, `${p.argv[0].replace(/.*\//, '')}: ${first}\n`);
      return 1;
    }
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family: o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null });
    if (typeof found === 'string') {
      complain(p, `traceroute: bad address '${host}'\n`);
      return 1;
    }
    const to = found.addresses[0];
    const least = to.length === 16 ? 72 : 46;
    const length = o.operands[1] === undefined ? least : xatouRange(o.operands[1], least, MOST_BYTES);
    if (typeof length === 'string') {
      complain(p, `${p.argv[0].replace(/.*\//, '')}: ${length}\n`);
      return 1;
    }
    print(p, `traceroute to ${host} (${formatIp(to)}), ${n.m} hops max, ${length} byte packets\n`);
    const failed = yield* walk({
      p,
      u,
      to,
      method: o.flags.has('I') ? 'icmp' : 'udp',
      port: n.p,
      size: length - 28,
      first,
      hops: n.m,
      queries: n.q,
      waitMs: n.w * 1000,
      numeric: o.flags.has('n'),
      df: o.flags.has('F'),
      gap: '  ',
      note: hop => (o.flags.has('l') ? ` (${hop.replyTtl})` : ''),
    });
    if (!failed) return 0;
    complain(p, `traceroute: sendto: ${libcError(u, failed.errno)}\n`);
    return 1;
  };
