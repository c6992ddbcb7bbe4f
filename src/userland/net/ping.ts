// ping of iputils 20221126 (Debian 12) and 20240905 (13).

import { complain, print, strerror } from '../../linux/process.ts';
import { bind, close, connect, type Datagram, type Socket, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Family, familyOf, formatIp, type Ip, parseIp, sameIp } from '../../wire/ip.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { deviceError, newRun, pingLoop, type Reports, type Run } from './ping-loop.ts';
import { numericHost } from './resolv-conf.ts';
import { gaiStrerror, getaddrinfo, getnameinfo, type Resolved } from './resolver.ts';

const SHORT = 'aAbBc:dDe:fF:hHi:I:l:Lm:M:nOp:qQ:rRs:S:t:T:UvVw:W:46';

const USAGE = `
Usage
  ping [options] <destination>

Options:
  <destination>      DNS name or IP address
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
  -H                 force reverse DNS name resolution (useful for numeric
                     destinations or for -f), override -n
  -I <interface>     either interface name or address
  -i <interval>      seconds between sending each packet
  -L                 suppress loopback of multicast packets
  -l <preload>       send <preload> number of packages while waiting replies
  -m <mark>          tag the packets going out
  -M <pmtud opt>     define path MTU discovery, can be one of <do|dont|want|probe>
  -n                 no reverse DNS name resolution, override -H
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
  -N <nodeinfo opt>  use IPv6 node info query, try <help> as argument

For more details see ping(8).
`;

export const ping = (u: Userland): Program =>
  function* ping(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), SHORT);
    if (o.error) {
      complain(p, `ping: ${o.error}\n${USAGE}`);
      return 2;
    }
    if (o.flags.has('V')) {
      print(
        p,
        `ping from iputils ${u.tools >= 13 ? '20240905' : '20221126'}\nlibcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n`,
      );
      return 0;
    }
    if (o.flags.has('h')) {
      complain(p, USAGE);
      return 2;
    }
    const bad = badNumber(o);
    if (bad !== null) {
      complain(p, `ping: ${bad}\n`);
      return bad.startsWith('bad') ? 2 : 1;
    }
    const target = o.operands[0];
    if (target === undefined) {
      complain(p, 'ping: usage error: Destination address required\n');
      return 2;
    }
    const family: Family | null = o.flags.has('4') ? 4 : o.flags.has('6') || p.argv[0].endsWith('6') ? 6 : null;
    const found = yield* getaddrinfo(p, target, { libc: u.libc, family });
    if (typeof found === 'string') {
      complain(p, `ping: ${target}: ${gaiStrerror(u.libc, found)}\n`);
      return 2;
    }
    return yield* pingHost(p, u, o, target, found);
  };

function badNumber(o: Options): string | null {
  const limits: [string, number, number][] = [
    ['c', 1, Number.MAX_SAFE_INTEGER],
    ['s', 0, 65507],
    ['t', 0, 255],
    ['w', 0, 2_147_483_647],
  ];
  for (const [name, least, most] of limits) {
    const v = optionValue(o, name);
    if (v === undefined) continue;
    if (!/^-?\d+$/.test(v)) return `invalid argument: '${v}'`;
    if (Number(v) < least || Number(v) > most)
      return `invalid argument: '${v}': out of range: ${least} <= value <= ${most === Number.MAX_SAFE_INTEGER ? '9223372036854775807' : most}`;
  }
  const i = optionValue(o, 'i');
  return i !== undefined && !/^\d*\.?\d+$/.test(i) ? `bad timing interval: ${i}` : null;
}

function* pingHost(p: Process, u: Userland, o: Options, target: string, found: Resolved): Co<number> {
  const to = found.addresses[0];
  const s = socket(p, 'icmp', familyOf(to));
  if (typeof s === 'string') {
    complain(p, 'ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\nping: => missing cap_net_raw+p capability or setuid?\n');
    return 2;
  }
  s.options.set('recverr', 1);
  if (optionValue(o, 't')) s.ttl = Number(optionValue(o, 't'));
  const pmtu = optionValue(o, 'M');
  if (pmtu) s.options.set('mtu_discover', { do: 2, probe: 3, want: 1, dont: 0 }[pmtu] ?? 1);
  const from = optionValue(o, 'I');
  if (from) {
    const address = parseIp(from);
    const error = address ? bind(s, address, 0) : deviceError(p, s, from);
    if (error) {
      complain(p, address ? `ping: bind: ${strerror(error)}\n` : `ping: unknown iface: ${from}\n`);
      return 2;
    }
  }
  const source = yield* reachable(p, to, s);
  if (typeof source === 'string') {
    complain(p, `ping: connect: ${strerror(source)}\n`);
    return 2;
  }
  const r = newRun(p, u, s, to);
  r.count = Number(optionValue(o, 'c') ?? 0);
  r.size = Number(optionValue(o, 's') ?? 56);
  r.intervalMs = Number(optionValue(o, 'i') ?? 1) * 1000;
  if (optionValue(o, 'W')) r.lingerMs = Number(optionValue(o, 'W')) * 1000;
  if (optionValue(o, 'w')) r.deadlineMs = r.startMs + Number(optionValue(o, 'w')) * 1000;
  const numeric = o.flags.has('n') || (numericHost(target) !== null && !o.flags.has('H'));
  const name = numericHost(target) ? formatIp(to) : found.canonical;
  print(p, headline(u, name, to, r.size, from ? { ip: source, device: parseIp(from) ? '' : from } : null));
  const code = yield* pingLoop(r, iputilsReports(r, o, numeric));
  close(s);
  if (code !== null) return code;
  print(p, iputilsStatistics(r, name));
  return r.received.size === 0 || (r.count > 0 && r.deadlineMs < Number.POSITIVE_INFINITY && r.received.size < r.count) ? 1 : 0;
}

/** The address it will be sent from: iputils asks by connecting a UDP socket first. */
function* reachable(p: Process, to: Ip, like: Socket): Co<Ip | Errno> {
  const s = socket(p, 'udp', familyOf(to));
  if (typeof s === 'string') return s;
  const device = like.options.get('bindtodevice');
  if (device !== undefined) s.options.set('bindtodevice', device);
  const error = yield* connect(s, to, 1025);
  const source = s.local;
  close(s);
  return error ?? source ?? 'ENETUNREACH';
}

function headline(u: Userland, name: string, to: Ip, size: number, from: { ip: Ip; device: string } | null): string {
  const source = from ? ` from ${formatIp(from.ip)}${from.device ? ` ${from.device}` : ''}:` : '';
  if (familyOf(to) === 4) return `PING ${name} (${formatIp(to)})${source} ${size}(${size + 28}) bytes of data.\n`;
  if (u.tools >= 13) return `PING ${name} (${formatIp(to)})${source} ${size} data bytes\n`;
  const bare = name === formatIp(to);
  return bare
    ? `PING ${name}(${name})${source} ${size} data bytes\n`
    : `PING ${name}(${name} (${formatIp(to)}))${source} ${size} data bytes\n`;
}

/** Digits shrink as the time grows: 0.029, 1.23, 12.3, 123. */
function rttText(ms: number): string {
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

function errorText(family: Family, e: NonNullable<Datagram['error']>): string {
  if (family === 6) {
    if (e.type === 3) return 'Time exceeded: Hop limit';
    if (e.type === 2) return `Packet too big: mtu=${e.mtu ?? 0}`;
    return UNREACHABLE_6[e.code] ?? `Destination unreachable: Unknown code ${e.code}`;
  }
  if (e.type === 11) return e.code === 0 ? 'Time to live exceeded' : 'Frag reassembly time exceeded';
  if (e.type === 3 && e.code === 4) return `Frag needed and DF set (mtu = ${e.mtu ?? 0})`;
  return e.type === 3 ? (UNREACHABLE[e.code] ?? `Dest Unreachable, Bad Code: ${e.code}`) : `Bad ICMP type: ${e.type}`;
}

function iputilsReports(r: Run, o: Options, numeric: boolean): Reports {
  const quiet = o.flags.has('q');
  const stamp = () => (o.flags.has('D') ? `[${(r.p.kernel.sim.nowMs / 1000).toFixed(6)}] ` : '');
  function* named(address: Ip): Co<string> {
    const name = numeric ? null : yield* getnameinfo(r.p, address, r.u.libc);
    return name ? `${name} (${formatIp(address)})` : formatIp(address);
  }
  return {
    firstSeq: 1,
    *reply(seq, d, ms, duplicate) {
      if (quiet) return;
      const time = ms === null ? '' : ` time=${rttText(ms)} ms`;
      const from = yield* named(d.from);
      const differs = sameIp(d.from, r.to) ? '' : ' (DIFFERENT ADDRESS!)';
      print(
        r.p,
        `${stamp()}${d.data.length + 8} bytes from ${from}: icmp_seq=${seq} ttl=${d.ttl}${time}${duplicate ? ' (DUP!)' : ''}${differs}\n`,
      );
    },
    *error(seq, d) {
      if (quiet || !d.error) return;
      print(r.p, `${stamp()}From ${yield* named(d.error.from)} icmp_seq=${seq} ${errorText(familyOf(r.to), d.error)}\n`);
    },
    failed: e => {
      if (e === 'EMSGSIZE') {
        r.errors++;
        const mtu = r.p.netns.links.get(2)?.mtu ?? 1500;
        complain(r.p, `ping: local error: message too long, mtu=${mtu}\n`);
        return null;
      }
      complain(r.p, `ping: ${r.u.tools >= 13 ? 'sendmsg' : 'sendmsg'}: ${strerror(e)}\n`);
      return null;
    },
    missing: seq => {
      if (o.flags.has('O')) print(r.p, `${stamp()}no answer yet for icmp_seq=${seq}\n`);
    },
  };
}

function iputilsStatistics(r: Run, name: string): string {
  const loss = r.sent ? Math.floor(((r.sent - r.received.size) * 100_000) / r.sent) / 1000 : 0;
  const extra = `${r.duplicates ? `, +${r.duplicates} duplicates` : ''}${r.errors ? `, +${r.errors} errors` : ''}`;
  const percent = loss === Math.floor(loss) ? String(loss) : String(Number(loss.toPrecision(6)));
  const spent = Math.floor(r.lastSendMs - r.startMs);
  let out = `\n--- ${name} ping statistics ---\n${r.sent} packets transmitted, ${r.received.size} received${extra}, ${percent}% packet loss, time ${spent}ms\n`;
  if (r.rtts.length) {
    const avg = r.rtts.reduce((a, b) => a + b, 0) / r.rtts.length;
    const mdev = Math.sqrt(Math.max(0, r.rtts.reduce((a, b) => a + b * b, 0) / r.rtts.length - avg * avg));
    out += `rtt min/avg/max/mdev = ${[Math.min(...r.rtts), avg, Math.max(...r.rtts), mdev].map(x => x.toFixed(3)).join('/')} ms`;
  }
  if (r.pipe > 1) out += `${r.rtts.length ? ', ' : ''}pipe ${r.pipe}`;
  return `${out}\n`;
}
