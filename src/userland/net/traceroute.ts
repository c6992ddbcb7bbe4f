// traceroute of Dmitry Butskoy (2.1), BusyBox' traceroute, tracepath of iputils and mtr's report: one probe engine, four ways to print.

import { complain, print, sleep } from '../../linux/process.ts';
import { close, type Datagram, recvFrom, sendIcmp, sendPacketFrom, sendTo, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { below, nextU32 } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { rfc3339 } from '../../sim/time.ts';
import { type Family, familyOf, formatIp, type Ip, sameIp } from '../../wire/ip.ts';
import { type Packet, PROTO, TCP_FLAG } from '../../wire/packet.ts';
import { busyboxUsage, getopt, libcError, type Options, optionValue } from '../busybox.ts';
import { hostnameOf } from '../servers/daemon.ts';
import type { Userland } from '../userland.ts';
import { gaiStrerror, getaddrinfo, getnameinfo, sourceFor } from './resolver.ts';

type Method = 'udp' | 'icmp' | 'tcp';

interface Probe {
  method: Method;
  to: Ip;
  ttl: number;
  /** UDP and TCP: destination port; ICMP: sequence number. */
  port: number;
  size: number;
  timeoutMs: number;
  df: boolean;
}

/** What came back: a router on the way, the target itself, or an error that ends the path there. */
interface Hop {
  from: Ip;
  ms: number;
  final: boolean;
  /** `!H`, `!N`, `!X` … */
  mark: string;
  replyTtl: number;
  mtu?: number;
}

const UNREACHABLE: Record<number, string> = { 0: '!N', 1: '!H', 2: '!P', 5: '!S', 9: '!X', 10: '!X', 13: '!X' };

function hopOf(d: Datagram, ms: number): Hop {
  const e = d.error;
  if (!e) return { from: d.from, ms, final: true, mark: '', replyTtl: d.ttl };
  const exceeded = d.to.length === 16 ? e.type === 3 : e.type === 11;
  const port = d.to.length === 16 ? e.type === 1 && e.code === 4 : e.type === 3 && e.code === 3;
  const tooBig = d.to.length === 16 ? e.type === 2 : e.type === 3 && e.code === 4;
  if (tooBig) return { from: e.from, ms, final: false, mark: `!F-${e.mtu ?? 0}`, replyTtl: d.ttl, mtu: e.mtu };
  const mark = exceeded || port ? '' : (UNREACHABLE[e.code] ?? `!<${e.code}>`);
  return { from: e.from, ms, final: !exceeded, mark, replyTtl: d.ttl };
}

/** Send one probe and wait for what it causes. null: nothing in time. */
function* probeOnce(p: Process, o: Probe): Co<Hop | null | { errno: Errno }> {
  return o.method === 'tcp' ? yield* probeTcp(p, o) : yield* probeDatagram(p, o);
}

function* probeDatagram(p: Process, o: Probe): Co<Hop | null | { errno: Errno }> {
  const s = socket(p, o.method === 'icmp' ? 'icmp' : 'udp', familyOf(o.to));
  if (typeof s === 'string') return { errno: s };
  s.options.set('recverr', 1);
  if (o.df) s.options.set('mtu_discover', 3);
  s.ttl = o.ttl;
  const startMs = p.kernel.sim.nowMs;
  try {
    const data = new Uint8Array(Math.max(0, o.size)).fill(64);
    const error =
      o.method === 'icmp'
        ? sendIcmp(s, { type: familyOf(o.to) === 4 ? 8 : 128, code: 0, data }, o.port, o.to)
        : sendTo(s, data, o.to, o.port);
    if (error) return { errno: error };
    for (;;) {
      const left = startMs + o.timeoutMs - p.kernel.sim.nowMs;
      const d = left > 0 ? yield* recvFrom(s, left) : 'EAGAIN';
      if (typeof d === 'string') return d === 'EAGAIN' ? null : { errno: d };
      return hopOf(d, p.kernel.sim.nowMs - startMs);
    }
  } finally {
    close(s);
  }
}

/** A half-open SYN from a raw socket; the target answers SYN,ACK or RST. */
function* probeTcp(p: Process, o: Probe): Co<Hop | null | { errno: Errno }> {
  const s = socket(p, 'raw', familyOf(o.to));
  if (typeof s === 'string') return { errno: s };
  s.options.set('ipproto', PROTO.TCP);
  s.options.set('recverr', 1);
  const source = yield* sourceFor(p, o.to);
  if (!source) {
    close(s);
    return { errno: 'ENETUNREACH' };
  }
  const sport = 32768 + below(p.kernel.sim.random, 28000);
  const body = {
    kind: 'tcp' as const,
    sport,
    dport: o.port,
    seq: nextU32(p.kernel.sim.random),
    ack: 0,
    flags: TCP_FLAG.SYN,
    window: 5840,
    mss: 1460,
    data: new Uint8Array(0),
  };
  const packet: Packet = {
    kind: 'ip',
    family: familyOf(o.to),
    src: source,
    dst: o.to,
    proto: PROTO.TCP,
    ttl: o.ttl,
    tos: 0,
    id: 0,
    df: true,
    body,
  };
  const startMs = p.kernel.sim.nowMs;
  try {
    const error = sendPacketFrom(s, packet);
    if (error) return { errno: error };
    for (;;) {
      const left = startMs + o.timeoutMs - p.kernel.sim.nowMs;
      const d = left > 0 ? yield* recvFrom(s, left) : 'EAGAIN';
      if (typeof d === 'string') return null;
      if (isAnswer(d, sport, o)) return hopOf(d, p.kernel.sim.nowMs - startMs);
    }
  } finally {
    close(s);
  }
}

function isAnswer(d: Datagram, sport: number, o: Probe): boolean {
  const b = d.skb.packet.body;
  if (!d.error) return b.kind === 'tcp' && b.dport === sport && b.sport === o.port && sameIp(d.from, o.to);
  const inner = b.kind === 'icmp' ? b.original?.body : null;
  return inner?.kind === 'tcp' && inner.sport === sport;
}

interface Trip {
  p: Process;
  u: Userland;
  to: Ip;
  method: Method;
  port: number;
  size: number;
  first: number;
  hops: number;
  queries: number;
  waitMs: number;
  numeric: boolean;
}

function* named(t: Trip, address: Ip): Co<string> {
  if (t.numeric) return formatIp(address);
  return `${(yield* getnameinfo(t.p, address, t.u.libc)) ?? formatIp(address)} (${formatIp(address)})`;
}

const ms = (x: number) => x.toFixed(3);

/** Row after row until the target answers; `star` is how a lost probe is drawn. */
function* walk(t: Trip, gap: string, failed: (e: Errno) => number): Co<number> {
  let n = 0;
  for (let ttl = t.first; ttl <= t.hops; ttl++) {
    print(t.p, `${String(ttl).padStart(2)}${gap === '  ' ? '' : ' '}`);
    let last: Ip | null = null;
    let done = false;
    let unreachable = 0;
    for (let q = 0; q < t.queries; q++) {
      const port = t.method === 'tcp' ? t.port : t.method === 'icmp' ? ++n : t.port + n++;
      const r = yield* probeOnce(t.p, { method: t.method, to: t.to, ttl, port, size: t.size, timeoutMs: t.waitMs, df: false });
      if (r && 'errno' in r) {
        print(t.p, '\n');
        return failed(r.errno);
      }
      if (!r) {
        print(t.p, `${gap}*`);
        continue;
      }
      if (!last || !sameIp(last, r.from)) print(t.p, `${gap === '  ' ? gap : ' '}${yield* named(t, r.from)}`);
      last = r.from;
      print(t.p, `  ${ms(r.ms)} ms${r.mark ? ` ${r.mark}` : ''}`);
      if (r.final && !r.mark) done = true;
      if (r.mark) unreachable++;
    }
    print(t.p, '\n');
    if (done || (unreachable && unreachable >= t.queries - 1)) return 0;
  }
  return 0;
}

export const traceroute = (u: Userland): Program =>
  function* traceroute(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), '46dFITnrUDeAf:g:i:m:N:p:t:l:w:q:s:z:M:O:P:', {
      'max-hops=': 'm',
      'queries=': 'q',
      'wait=': 'w',
      'port=': 'p',
      icmp: 'I',
      tcp: 'T',
      'first=': 'f',
      version: 'V',
    });
    if (o.flags.has('V')) {
      complain(p, 'Modern traceroute for Linux, version 2.1.2\nCopyright (c) 2016  Dmitry Butskoy,   License: GPL v2 or any later\n');
      return 0;
    }
    if (o.error) {
      complain(p, `Bad option \`${p.argv.find(w => w.startsWith('-')) ?? ''}' (argc 1)\n`);
      return 2;
    }
    const host = o.operands[0];
    if (host === undefined) {
      complain(
        p,
        `Usage:\n  traceroute [ -46dFITnreAUDV ] [ -f first_ttl ] [ -g gate,... ] [ -i device ] [ -m max_ttl ] [ -N squeries ] [ -p port ] [ -t tos ] [ -l flow_label ] [ -w MAX,HERE,NEAR ] [ -q nqueries ] [ -s src_addr ] [ -z sendwait ] [ --fwmark=num ] host [ packetlen ]\n`,
      );
      return 2;
    }
    const family: Family | null = o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null;
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family });
    if (typeof found === 'string') {
      const at = p.argv.indexOf(host);
      complain(p, `${host}: ${gaiStrerror(u.libc, found)}\nCannot handle "host" cmdline arg \`${host}' on position 1 (argc ${at})\n`);
      return 2;
    }
    const method: Method = o.flags.has('I') ? 'icmp' : o.flags.has('T') ? 'tcp' : 'udp';
    const length = Number(o.operands[1] ?? 60);
    const t = newTrip(p, u, o, found.addresses[0], method, { port: method === 'tcp' ? 80 : 33434, size: length - 28, waitMs: 5000 });
    print(p, `traceroute to ${host} (${formatIp(t.to)}), ${t.hops} hops max, ${length} byte packets\n`);
    return yield* walk(t, ' ', e => {
      complain(p, `connect: ${libcError(u, e)}\n`);
      return 1;
    });
  };

function newTrip(p: Process, u: Userland, o: Options, to: Ip, method: Method, d: { port: number; size: number; waitMs: number }): Trip {
  const wait = Number((optionValue(o, 'w') ?? '').split(',')[0]);
  return {
    p,
    u,
    to,
    method,
    port: Number(optionValue(o, 'p') ?? d.port),
    size: d.size,
    first: Number(optionValue(o, 'f') ?? 1),
    hops: Number(optionValue(o, 'm') ?? 30),
    queries: Number(optionValue(o, 'q') ?? 3),
    waitMs: wait ? wait * 1000 : d.waitMs,
    numeric: o.flags.has('n'),
  };
}

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
    const t = newTrip(p, u, o, found.addresses[0], o.flags.has('I') ? 'icmp' : 'udp', { port: 33434, size: length - 28, waitMs: 5000 });
    print(p, `traceroute to ${host} (${formatIp(t.to)}), ${t.hops} hops max, ${length} byte packets\n`);
    return yield* walk(t, '  ', e => {
      complain(p, `traceroute: sendto: ${libcError(u, e)}\n`);
      return 1;
    });
  };

/** iputils' tracepath: UDP probes that discover the path MTU on the way. */
export const tracepath = (u: Userland): Program =>
  function* tracepath(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), '46bnl:m:p:V');
    const host = o.operands[0];
    if (o.error || host === undefined) {
      complain(
        p,
        `\nUsage\n  tracepath [options] <destination>\n\nOptions:\n  -4             use IPv4\n  -6             use IPv6\n  -b             print both name and IP\n  -l <length>    use packet <length>\n  -m <hops>      use maximum <hops>\n  -n             no reverse DNS name resolution\n  -p <port>      use destination <port>\n  -V             print version and exit\n  <destination>  DNS name or IP address\n\nFor more details see tracepath(8).\n`,
      );
      return 1;
    }
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family: o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null });
    if (typeof found === 'string') {
      complain(p, `tracepath: ${host}: ${gaiStrerror(u.libc, found)}\n`);
      return 1;
    }
    const to = found.addresses[0];
    const t: Trip = {
      p,
      u,
      to,
      method: 'udp',
      port: Number(optionValue(o, 'p') ?? 44444),
      size: 0,
      first: 1,
      hops: Number(optionValue(o, 'm') ?? 30),
      queries: 1,
      waitMs: 1000,
      numeric: o.flags.has('n'),
    };
    let mtu = Number(optionValue(o, 'l') ?? 65535);
    const name = function* (a: Ip): Co<string> {
      return t.numeric ? formatIp(a) : ((yield* getnameinfo(p, a, u.libc)) ?? formatIp(a));
    };
    const dev = [...p.netns.links.values()].find(l => l.name !== 'lo');
    mtu = Math.min(mtu, dev?.mtu ?? 1500);
    print(p, ` 1?: ${'[LOCALHOST]'.padEnd(32)} pmtu ${mtu}\n`);
    for (let ttl = 1; ttl <= t.hops; ttl++) {
      let answered = false;
      for (let q = 0; q < 3 && !answered; q++) {
        const r = yield* probeOnce(p, { method: 'udp', to, ttl, port: t.port + ttl, size: mtu - 28, timeoutMs: t.waitMs, df: true });
        if (!r) continue;
        if ('errno' in r) {
          complain(p, `     send failed\n`);
          return 1;
        }
        answered = true;
        if (r.mtu) {
          mtu = r.mtu;
          print(p, `${String(ttl).padStart(2)}:  ${(yield* name(r.from)).padEnd(52)}${r.ms.toFixed(3).padStart(6)}ms pmtu ${mtu}\n`);
          q = -1;
          answered = false;
          continue;
        }
        const back = r.replyTtl > 128 ? 256 - r.replyTtl : r.replyTtl > 64 ? 129 - r.replyTtl : 65 - r.replyTtl;
        const note = r.final ? (r.mark ? `${r.mark} ` : 'reached') : back !== ttl ? `asymm ${back}` : '';
        print(p, `${String(ttl).padStart(2)}:  ${(yield* name(r.from)).padEnd(52)}${r.ms.toFixed(3).padStart(6)}ms ${note}\n`);
        if (r.final) {
          print(p, `     Resume: pmtu ${mtu} hops ${ttl} back ${back} \n`);
          return 0;
        }
      }
      if (!answered) print(p, `${String(ttl).padStart(2)}:  no reply\n`);
    }
    print(p, `     Too many hops: pmtu ${mtu}\n     Resume: pmtu ${mtu} \n`);
    return 0;
  };

interface MtrHop {
  from: Ip | null;
  sent: number;
  times: number[];
}

/** mtr's report mode (0.95); its interactive screen is not modelled. */
export const mtr = (u: Userland): Program =>
  function* mtr(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), 'rwnbc:i:m:f:uTP:s:46ezLvhG:', {
      report: 'r',
      'report-wide': 'w',
      'report-cycles=': 'c',
      'no-dns': 'n',
      'interval=': 'i',
      udp: 'u',
      tcp: 'T',
      'port=': 'P',
      'max-ttl=': 'm',
      'first-ttl=': 'f',
    });
    const host = o.operands[0];
    if (o.error || host === undefined) {
      complain(p, `mtr: ${o.error ?? 'no host'}\n`);
      return 1;
    }
    if (!o.flags.has('r') && !o.flags.has('w') && !o.flags.has('c')) {
      complain(p, 'mtr: podnet models the report only: use -r\n');
      return 1;
    }
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family: o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null });
    if (typeof found === 'string') {
      complain(p, `mtr: Failed to resolve host: ${host}: ${gaiStrerror(u.libc, found)}\n`);
      return 1;
    }
    const to = found.addresses[0];
    print(p, `Start: ${rfc3339(p.kernel.sim.nowMs).replace('Z', '+0000')}\n`);
    const cycles = Number(optionValue(o, 'c') ?? 10);
    const interval = Number(optionValue(o, 'i') ?? 1) * 1000;
    const hops: MtrHop[] = [];
    const method: Method = o.flags.has('u') ? 'udp' : o.flags.has('T') ? 'tcp' : 'icmp';
    let end = Number(optionValue(o, 'm') ?? 30);
    let n = 0;
    for (let cycle = 0; cycle < cycles; cycle++) {
      let silent = 0;
      for (let ttl = 1; ttl <= end && silent < 5; ttl++) {
        hops[ttl - 1] ??= { from: null, sent: 0, times: [] };
        const hop = hops[ttl - 1];
        const port = method === 'icmp' ? ++n : method === 'udp' ? 33000 + n++ : Number(optionValue(o, 'P') ?? 80);
        const r = yield* probeOnce(p, { method, to, ttl, port, size: 36, timeoutMs: 1000, df: false });
        hop.sent++;
        if (!r || 'errno' in r) {
          silent++;
          continue;
        }
        silent = 0;
        hop.from = r.from;
        hop.times.push(r.ms);
        if (r.final) end = ttl;
      }
      if (cycle < cycles - 1) yield* sleep(p, interval);
    }
    print(p, yield* mtrReport(p, u, hops.slice(0, end), o.flags.has('n'), o.flags.has('w')));
    return 0;
  };

function* mtrReport(p: Process, u: Userland, hops: MtrHop[], numeric: boolean, wide: boolean): Co<string> {
  const names: string[] = [];
  while (hops.length && hops[hops.length - 1].from === null && hops.filter(h => h.from === null).length > 1) hops = hops.slice(0, -1);
  for (const h of hops)
    names.push(h.from ? (numeric ? formatIp(h.from) : ((yield* getnameinfo(p, h.from, u.libc)) ?? formatIp(h.from))) : '???');
  const width = wide ? Math.max(hostnameOf(p).length - 2, ...names.map(n => n.length)) : 25;
  const cut = (s: string) => (wide ? s : s.slice(0, width));
  let out = `HOST: ${cut(hostnameOf(p)).padEnd(width + 2)} Loss%   Snt   Last   Avg  Best  Wrst StDev\n`;
  hops.forEach((h, i) => {
    const got = h.times.length;
    const loss = (((h.sent - got) * 100) / Math.max(1, h.sent)).toFixed(1);
    const avg = got ? h.times.reduce((a, b) => a + b, 0) / got : 0;
    const dev = got > 1 ? Math.sqrt(h.times.reduce((a, b) => a + (b - avg) ** 2, 0) / (got - 1)) : 0;
    const cells = [got ? h.times[got - 1] : 0, avg, got ? Math.min(...h.times) : 0, got ? Math.max(...h.times) : 0, dev].map(x =>
      x.toFixed(1),
    );
    const times = cells.map((c, k) => c.padStart(k ? 6 : 7)).join('');
    out += `${String(i + 1).padStart(3)}.|-- ${cut(names[i]).padEnd(width)}${`${loss}%`.padStart(6)}${String(h.sent).padStart(6)}${times}\n`;
  });
  return out;
}
