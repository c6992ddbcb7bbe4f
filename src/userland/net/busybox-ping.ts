// BusyBox ping (networking/ping.c, 1.28 to 1.37).

import { complain, print } from '../../linux/process.ts';
import { bind, close, type Socket, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Family, familyOf, formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { busyboxUsage, getopt, libcError, type Options, optionValue } from '../busybox.ts';
import { type NumberOption, numberOptions } from '../busybox-number.ts';
import type { Userland } from '../userland.ts';
import { deviceError, newRun, pingLoop } from './ping-loop.ts';
import { getaddrinfo } from './resolver.ts';

const USAGE = `ping [OPTIONS] HOST

Send ICMP ECHO_REQUESTs to HOST

	-4,-6		Force IP or IPv6 name resolution
	-c CNT		Send only CNT pings
	-s SIZE		Send SIZE data bytes in packets (default 56)
	-i SECS		Interval
	-A		Ping as soon as reply is received
	-t TTL		Set TTL
	-I IFACE/IP	Source interface or IP address
	-W SEC		Seconds to wait for the first response (default 10)
			(after all -c CNT packets are sent)
	-w SEC		Seconds until ping exits (default:infinite)
			(can exit earlier with -c CNT)
	-q		Quiet, only display output at start/finish
	-p HEXBYTE	Payload pattern`;

/** As common_ping_main 1.36 has them. */
const NUMBERS: NumberOption[] = [
  ['c', 0, 0, 0x7fffffff],
  ['s', 56, 0, 0xffff],
  ['t', 64, 0, 0xffffffff],
  ['w', 0, 0, 0x7fffffff],
  ['W', 10, 0, 0x7fffffff],
];

export const busyboxPing = (u: Userland): Program =>
  function* ping(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), 'qvAc:i:s:t:w:W:I:np:46');
    if (o.error || !o.operands.length) return busyboxUsage(p, u, USAGE, o.error ?? undefined);
    const host = o.operands[0];
    const n = numberOptions(o, NUMBERS);
    const interval = optionValue(o, 'i') ?? '1';
    if (typeof n === 'string' || !/^(\d+\.?\d*|\.\d+)$/.test(interval)) {
      complain(p, `ping: ${typeof n === 'string' ? n : `invalid number '${interval}'`}\n`);
      return 1;
    }
    const family: Family | null = o.flags.has('4') ? 4 : o.flags.has('6') || p.argv[0].endsWith('6') ? 6 : null;
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family });
    if (typeof found === 'string') {
      complain(p, `ping: bad address '${host}'\n`);
      return 1;
    }
    const to = found.addresses[0];
    const s = socket(p, 'icmp', familyOf(to));
    if (typeof s === 'string') {
      complain(p, 'ping: permission denied (are you root?)\n');
      return 1;
    }
    if (optionValue(o, 't')) s.ttl = n.t;
    const from = optionValue(o, 'I');
    const address = from ? parseIp(from) : null;
    const error = !from ? null : address ? bind(s, address, 0) : deviceError(p, s, from);
    if (error) {
      complain(p, address ? `ping: bind: ${libcError(u, error)}\n` : `ping: can't bind to interface ${from}: ${libcError(u, error)}\n`);
      return 1;
    }
    return yield* busyboxRun(p, u, o, n, s, host, to);
  };

function* busyboxRun(p: Process, u: Userland, o: Options, n: Record<string, number>, s: Socket, host: string, to: Ip): Co<number> {
  const r = newRun(p, u, s, to);
  r.count = n.c;
  r.size = n.s;
  r.intervalMs = Number(optionValue(o, 'i') ?? 1) * 1000;
  r.lingerMs = n.W * 1000;
  if (n.w) r.deadlineMs = r.startMs + n.w * 1000;
  print(p, `PING ${host} (${formatIp(to)}): ${r.size} data bytes\n`);
  const ms = (x: number) => (Math.round(x * 1000) / 1000).toFixed(3);
  const code = yield* pingLoop(r, {
    firstSeq: 0,
    *reply(seq, d, time, duplicate) {
      if (o.flags.has('q')) return;
      const took = time === null ? '' : ` time=${ms(time)} ms`;
      print(p, `${d.data.length + 8} bytes from ${formatIp(d.from)}: seq=${seq} ttl=${d.ttl}${took}${duplicate ? ' (DUP!)' : ''}\n`);
    },
    *error() {},
    failed: e => {
      complain(p, `ping: sendto: ${libcError(u, e)}\n`);
      return 1;
    },
  });
  close(s);
  if (code !== null) return code;
  const lost = r.sent ? Math.floor(((r.sent - r.received.size) * 100) / r.sent) : 0;
  const dup = r.duplicates ? `${r.duplicates} duplicates, ` : '';
  print(
    p,
    `\n--- ${host} ping statistics ---\n${r.sent} packets transmitted, ${r.received.size} packets received, ${dup}${lost}% packet loss\n`,
  );
  if (r.rtts.length) {
    const avg = r.rtts.reduce((a, b) => a + b, 0) / r.rtts.length;
    print(p, `round-trip min/avg/max = ${ms(Math.min(...r.rtts))}/${ms(avg)}/${ms(Math.max(...r.rtts))} ms\n`);
  }
  return r.received.size ? 0 : 1;
}
