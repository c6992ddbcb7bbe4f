// ping of iputils 20221126 (Debian 12) and 20240905 (13): options and the run; ping-text.ts has what it prints.

import { complain, print, strerror } from '../../linux/process.ts';
import { bind, close, connect, pathMtuTo, type Socket, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Family, familyOf, formatIp, type Ip, ip, parseIp, sameIp } from '../../wire/ip.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { badInteger, iputilsVersion } from './iputils.ts';
import { deviceError, newRun, pingLoop, type Reports, type Run } from './ping-loop.ts';
import { errorText, headline, NODE_INFO_HELP, pingUsage, rttText, statistics } from './ping-text.ts';
import { numericHost } from './resolv-conf.ts';
import { gaiStrerror, getaddrinfo, getnameinfo, type Resolved } from './resolver.ts';

const shortOptions = (u: Userland) => `4bRT:6F:N:aABc:CdDe:fhi:I:l:Lm:M:nOp:qQ:rs:S:t:UvVw:W:${u.tools >= 13 ? 'H' : ''}`;

export const ping = (u: Userland): Program =>
  function* ping(p: Process): Co<number> {
    const say = (text: string, code: number) => {
      complain(p, `ping: ${text}\n`);
      return code;
    };
    const o = getopt(
      p.argv.slice(1).map(w => (/^--./.test(w) ? '--' : w)),
      shortOptions(u),
    );
    const dashed = p.argv.slice(1).find(w => /^--./.test(w));
    if (o.error || dashed) return say(`${o.error ?? "invalid option -- '-'"}\n${pingUsage(u)}`.replace(/\n$/, ''), 2);
    if (o.flags.has('V')) {
      print(p, iputilsVersion(u, 'ping'));
      return 0;
    }
    if (o.flags.has('h')) {
      complain(p, pingUsage(u));
      return 2;
    }
    if (optionValue(o, 'N') === 'help') {
      print(p, NODE_INFO_HELP);
      return 2;
    }
    const bad = refusal(o);
    if (bad) return say(bad.text, bad.code);
    for (const name of ['i', 'W']) {
      const garbage = /^(?:\d+\.?\d*|\.\d+)?(.*)$/s.exec((optionValue(o, name) ?? '').replace(/^-/, ''))?.[1];
      if (garbage) complain(p, `ping: option argument contains garbage: ${garbage}\nping: this will become fatal error in the future\n`);
    }
    const target = o.operands.at(-1);
    if (target === undefined) return say('usage error: Destination address required', u.tools >= 13 ? 2 : 1);
    if (o.operands.length > 1) return say('record route: Operation not permitted', 2);
    const name = p.argv[0].replace(/.*\//, '');
    const family: Family | null = o.flags.has('4') || name.endsWith('4') ? 4 : o.flags.has('6') || name.endsWith('6') ? 6 : null;
    const found = yield* getaddrinfo(p, target, { libc: u.libc, family });
    if (typeof found === 'string') {
      complain(p, `${name}: ${target}: ${gaiStrerror(u.libc, found)}\n`);
      return 2;
    }
    return yield* pingHost(p, u, o, target, found);
  };

interface Refusal {
  text: string;
  code: number;
}

const INTEGERS: [string, number, number][] = [
  ['c', 1, Number.POSITIVE_INFINITY],
  ['e', 0, 65_535],
  ['l', 1, 65_536],
  ['m', 0, 2 ** 31 - 1],
  ['s', 0, 2 ** 31 - 1],
  ['S', 1, 2 ** 31 - 1],
  ['t', 0, 255],
  ['w', 0, 2 ** 31 - 1],
];

/** strtod as ping uses it: what stands before the garbage, 0 without digits. */
const leadingNumber = (text: string): number => Number(/^-?(?:\d+\.?\d*|\.\d+)/.exec(text)?.[0] ?? 0);

function refusal(o: Options): Refusal | null {
  for (const [name, least, most] of INTEGERS) {
    const bad = badInteger(optionValue(o, name), least, most);
    if (bad) return { text: bad, code: 1 };
  }
  if (o.flags.has('4') && o.flags.has('6')) return { text: 'only one -4 or -6 option may be specified', code: 2 };
  if (o.flags.has('R') && o.flags.has('T')) return { text: 'only one of -T or -R may be used', code: 2 };
  const stamp = optionValue(o, 'T');
  if (stamp !== undefined && !['tsonly', 'tsandaddr', 'tsprespec'].includes(stamp))
    return { text: `invalid timestamp type: ${stamp}`, code: 2 };
  if (o.flags.has('R') || o.flags.has('T')) return { text: 'podnet does not model IP options (-R, -T)', code: 2 };
  if (o.flags.has('N')) return { text: 'podnet does not model node information queries (-N)', code: 2 };
  const pmtu = optionValue(o, 'M');
  if (pmtu !== undefined && !(pmtu in PMTU)) return { text: `invalid -M argument: ${pmtu}`, code: 2 };
  for (const [name, what] of [
    ['i', 'timing interval'],
    ['W', 'linger time'],
  ]) {
    const text = optionValue(o, name);
    if (text === undefined) continue;
    const value = leadingNumber(text);
    if ((value < 0 && name === 'W') || value > (2 ** 31 - 1) / 1000) return { text: `bad ${what}: ${text}`, code: 2 };
  }
  return badTos(optionValue(o, 'Q')) ?? badPattern(optionValue(o, 'p'));
}

function badTos(text: string | undefined): Refusal | null {
  if (text === undefined) return null;
  const value = /^0[xX]/.test(text) ? Number(text) : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) return { text: `bad TOS value: ${text}`, code: 2 };
  return value > 255 ? { text: `the decimal value of TOS bits must be in range 0-255: ${value}`, code: 2 } : null;
}

const badPattern = (text: string | undefined): Refusal | null =>
  text !== undefined && !/^[0-9a-fA-F]*$/.test(text) ? { text: `patterns must be specified as hex digits: ${text}`, code: 2 } : null;

const PMTU: Record<string, number> = { do: 2, probe: 3, want: 1, dont: 0 };

/** Socket options from words; a string is the complaint that ends the program. */
function prepare(s: Socket, o: Options): void {
  s.options.set('recverr', 1);
  if (optionValue(o, 't')) s.ttl = Number(optionValue(o, 't'));
  if (optionValue(o, 'Q')) s.options.set('tos', Number(optionValue(o, 'Q')));
  if (optionValue(o, 'm')) s.options.set('mark', Number(optionValue(o, 'm')));
  if (o.flags.has('b')) s.options.set('broadcast', 1);
  const pmtu = optionValue(o, 'M');
  if (pmtu !== undefined) s.options.set('mtu_discover', PMTU[pmtu]);
}

function* pingHost(p: Process, u: Userland, o: Options, target: string, found: Resolved): Co<number> {
  let to = found.addresses[0];
  const pattern = optionValue(o, 'p');
  if (pattern !== undefined) print(p, `PATTERN: 0x${pattern.slice(0, 32)}\n`);
  const s = socket(p, 'icmp', familyOf(to));
  if (typeof s === 'string') {
    complain(p, 'ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\nping: => missing cap_net_raw+p capability or setuid?\n');
    return 2;
  }
  if (optionValue(o, 't') !== undefined && Number(optionValue(o, 't')) === 0 && familyOf(to) === 4) {
    complain(p, 'ping: cannot set unicast time-to-live: Invalid argument\n');
    return 2;
  }
  prepare(s, o);
  const ident = Number(optionValue(o, 'e') ?? 0);
  const from = optionValue(o, 'I');
  const address = from === undefined ? null : parseIp(from);
  if (from !== undefined && (!address || familyOf(address) === familyOf(to))) {
    const error = address ? bind(s, address, ident) : deviceError(p, s, from);
    if (error) {
      complain(p, address ? `ping: bind: ${strerror(error)}\n` : unknownDevice(to, from));
      return 2;
    }
  }
  if (ident && !s.localPort) bind(s, null, ident);
  const source = yield* reachable(p, to, s);
  if (typeof source === 'string') {
    const broadcast = source === 'EACCES' && familyOf(to) === 4;
    complain(
      p,
      broadcast
        ? 'ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules\n'
        : `ping: connect: ${strerror(source)}\n`,
    );
    return 2;
  }
  if (o.flags.has('b') && familyOf(to) === 4 && isBroadcastHere(p, to)) complain(p, 'WARNING: pinging broadcast address\n');
  if (sameIp(to, ip('0.0.0.0'))) to = source;
  const r = newRun(p, u, s, to);
  timing(r, o);
  const numeric = (o.flags.has('n') || o.flags.has('f') || numericHost(target) !== null) && !o.flags.has('H');
  const name = numericHost(target) ? (familyOf(to) === 4 ? target : formatIp(to)) : found.canonical;
  const shown = from !== undefined ? { ip: source, device: address ? '' : from } : o.flags.has('B') ? { ip: source, device: '' } : null;
  if (o.flags.has('v')) verbose(p, to, found.canonical);
  print(p, headline(u, name, to, r.size, shown));
  const code = yield* pingLoop(r, reports(r, o, numeric));
  close(s);
  if (code !== null) return code;
  if (r.size < STAMP_BYTES) r.rtts = [];
  print(p, statistics(r, name, o.flags.has('f') || o.flags.has('A')));
  return r.received.size === 0 || (r.count > 0 && r.deadlineMs < Number.POSITIVE_INFINITY && r.received.size < r.count) ? 1 : 0;
}

/** A name that resolves twice is looked up as a device first; an IPv4 address meets SO_BINDTODEVICE itself. */
const unknownDevice = (to: Ip, name: string): string =>
  familyOf(to) === 4 ? `ping: SO_BINDTODEVICE ${name}: No such device\n` : `ping: unknown iface: ${name}\n`;

const isBroadcastHere = (p: Process, to: Ip): boolean =>
  sameIp(to, ip('255.255.255.255')) ||
  [...p.netns.links.values()].some(l =>
    l.addresses.some(a => a.broadcast !== null && a.broadcast !== undefined && sameIp(a.broadcast, to)),
  );

function verbose(p: Process, to: Ip, canonical: string): void {
  complain(p, 'ping: sock4.fd: 3 (socktype: SOCK_RAW), sock6.fd: 4 (socktype: SOCK_RAW), hints.ai_family: AF_UNSPEC\n\n');
  print(p, `ai->ai_family: AF_INET${familyOf(to) === 4 ? '' : '6'}, ai->ai_canonname: '${canonical}'\n`);
}

/** sizeof(struct timeval): with fewer bytes of data ping measures no times. */
const STAMP_BYTES = 16;
/** What a flood waits between two requests when nobody answers. */
const FLOOD_MS = 10;
/** An adaptive ping keeps at least this distance for anyone but root. */
const ADAPTIVE_MS = 1;

function timing(r: Run, o: Options): void {
  const seconds = (name: string) => leadingNumber(optionValue(o, name) as string);
  r.count = Number(optionValue(o, 'c') ?? 0);
  r.size = Number(optionValue(o, 's') ?? 56);
  r.preload = Number(optionValue(o, 'l') ?? 1);
  r.intervalMs = o.flags.has('i') ? Math.max(0, seconds('i') * 1000) : o.flags.has('f') ? FLOOD_MS : o.flags.has('A') ? ADAPTIVE_MS : 1000;
  r.eager = o.flags.has('f') || o.flags.has('A');
  if (o.flags.has('W')) r.lingerMs = seconds('W') * 1000;
  if (o.flags.has('w')) r.deadlineMs = r.startMs + Number(optionValue(o, 'w')) * 1000;
}

/** The address it will be sent from: iputils asks by connecting a UDP socket first. */
function* reachable(p: Process, to: Ip, like: Socket): Co<Ip | Errno> {
  const s = socket(p, 'udp', familyOf(to));
  if (typeof s === 'string') return s;
  for (const name of ['bindtodevice', 'broadcast', 'mark']) {
    const value = like.options.get(name);
    if (value !== undefined) s.options.set(name, value);
  }
  const error = yield* connect(s, to, 1025);
  const source = s.local;
  close(s);
  return error ?? like.local ?? source ?? 'ENETUNREACH';
}

function reports(r: Run, o: Options, numeric: boolean): Reports {
  const quiet = o.flags.has('q');
  const flood = o.flags.has('f');
  const stamp = () => (o.flags.has('D') ? `[${(r.p.kernel.sim.nowMs / 1000).toFixed(6)}] ` : '');
  function* named(address: Ip): Co<string> {
    if (numeric) return formatIp(address);
    return `${(yield* getnameinfo(r.p, address, r.u.libc)) ?? formatIp(address)} (${formatIp(address)})`;
  }
  let refused: { seq: number; errno: Errno } | null = null;
  return {
    firstSeq: 1,
    sent: () => {
      if (flood && !quiet) print(r.p, '.');
    },
    *reply(seq, d, ms, duplicate) {
      if (quiet) return;
      if (flood) {
        print(r.p, '\b \b');
        return;
      }
      const bell = o.flags.has('a') ? '\x07' : '';
      // The time stamp needs 16 bytes of data; without it there is nothing to measure.
      const time = ms === null || r.size < STAMP_BYTES ? '' : ` time=${rttText(ms)} ms`;
      const from = yield* named(d.from);
      const differs = sameIp(d.from, r.to) ? '' : ' (DIFFERENT ADDRESS!)';
      const ident = o.flags.has('v') ? ` ident=${r.s.localPort}` : '';
      print(
        r.p,
        `${stamp()}${d.data.length + 8} bytes from ${from}: icmp_seq=${seq}${ident} ttl=${d.ttl}${time}${duplicate ? ' (DUP!)' : ''}${differs}${bell}\n`,
      );
    },
    *error(seq, d) {
      if (quiet || !d.error) return;
      if (flood) print(r.p, '\bE');
      else print(r.p, `${stamp()}From ${yield* named(d.error.from)} icmp_seq=${seq} ${errorText(familyOf(r.to), d.error)}\n`);
      // Its own machine rejected the request: the error was there when sendto had failed, and is told before that.
      if (refused?.seq !== seq) return;
      if (flood) print(r.p, 'E');
      else complain(r.p, `ping: sendmsg: ${strerror(refused.errno)}\n`);
      refused = null;
    },
    failed: (e, seq) => {
      if (e === 'EMSGSIZE') {
        r.errors++;
        complain(r.p, `ping: local error: message too long, mtu=${pathMtuTo(r.p, r.to)}\n`);
        return null;
      }
      // Since 20210202 an empty error queue is itself counted as a local error, and then nothing is said of what sendto said
      // (ping4_receive_error_msg, pinger in ping_common.c): a packet that OUTPUT drops is only missing.
      refused = { seq, errno: e };
      return null;
    },
    missing: seq => {
      if (o.flags.has('O')) print(r.p, `${stamp()}no answer yet for icmp_seq=${seq}\n`);
    },
  };
}
