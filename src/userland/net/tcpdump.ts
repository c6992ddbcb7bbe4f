// tcpdump 4.99.3 (Debian 12) and 4.99.5 (13): captures from the namespace's taps, filters, pcap files.
import { complain, goesOn, print } from '../../linux/process.ts';
import type { Link, Process, Program, Tap } from '../../linux/types.ts';
import { absolute, readFile, writeFile } from '../../linux/vfs.ts';
import { type Co, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import { civilTime, clockText, twoDigits } from '../../sim/time.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import type { Frame } from '../../wire/packet.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { decodePcap, encodePcapHeader, encodePcapPacket, frameBytes } from './pcap-file.ts';
import { compileFilter } from './pcap-filter.ts';
import { getnameinfo } from './resolver.ts';
import { describeFrame, newFlows, type PrintOptions } from './tcpdump-print.ts';

interface Captured {
  frame: Frame;
  link: string | null;
  direction: string;
  atMs: number;
}

const SHORT = 'AbB:c:C:dDeE:fF:G:hHi:Ij:JKlLm:M:nNOpP:qQ:r:s:StT:uUvV:w:W:xXy:Yz:Z:#';

export const tcpdump = (u: Userland): Program =>
  function* tcpdump(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), SHORT, {
      'interface=': 'i',
      'list-interfaces': 'D',
      number: '#',
      count: 'count',
      'absolute-tcp-sequence-numbers': 'S',
      'dont-verify-checksums': 'K',
      'snapshot-length=': 's',
      'direction=': 'Q',
      'no-promiscuous-mode': 'p',
      'packet-buffered': 'U',
      help: 'h',
      'immediate-mode': 'l',
      version: 'version',
    });
    if (o.flags.has('version') || o.flags.has('h')) {
      complain(
        p,
        `tcpdump version ${u.tools >= 13 ? '4.99.5' : '4.99.3'}\nlibpcap version 1.10.${u.tools >= 13 ? 5 : 3} (with TPACKET_V3)\n`,
      );
      return 0;
    }
    if (o.error) {
      complain(p, `tcpdump: ${o.error}\n`);
      return 1;
    }
    const wrong = badNumber(o);
    if (wrong) {
      complain(p, `tcpdump: ${wrong}\n`);
      return 1;
    }
    if (o.flags.has('D')) return listInterfaces(p);
    const filter = compileFilter(o.operands.join(' '));
    const file = optionValue(o, 'r');
    if (file !== undefined) return yield* replay(p, u, o, file, filter);
    const device = deviceFor(p, o);
    if (typeof device === 'number') return device;
    if (typeof filter === 'string') {
      complain(p, `tcpdump: ${filter}\n`);
      return 1;
    }
    return yield* capture(p, u, o, device, filter);
  };

function badNumber(o: Options): string | null {
  const count = optionValue(o, 'c');
  if (count !== undefined && !(Number.parseInt(count, 10) > 0)) return `invalid packet count ${count}`;
  const size = optionValue(o, 's');
  if (size !== undefined && !(/^\d+$/.test(size) && Number(size) <= 262_144)) return `invalid snaplen ${size} (must be >= 0 and <= 262144)`;
  return null;
}

function listInterfaces(p: Process): number {
  let n = 1;
  for (const l of p.netns.links.values()) if (l.name !== 'lo') print(p, `${n++}.${l.name} [${l.up ? 'Up, Running, Connected' : 'none'}]\n`);
  print(p, `${n++}.any (Pseudo-device that captures on all interfaces) [Up, Running]\n${n}.lo [Up, Running, Loopback]\n`);
  return 0;
}

/** The link to listen on, null for all. A number: it has been complained about. */
function deviceFor(p: Process, o: Options): Link | null | number {
  if (!p.caps.has('NET_RAW')) {
    const name = optionValue(o, 'i') ?? 'eth0';
    complain(p, `tcpdump: ${name}: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n`);
    return 1;
  }
  const name = optionValue(o, 'i');
  if (name === 'any') return null;
  const links = [...p.netns.links.values()];
  const link = name === undefined ? (links.find(l => l.kind !== 'loopback' && l.up) ?? links[0]) : links.find(l => l.name === name);
  if (!link) {
    complain(p, `tcpdump: ${name}: No such device exists\n(No such device exists)\n`);
    return 1;
  }
  if (!link.up) {
    complain(p, `tcpdump: ${link.name}: That device is not up\n`);
    return 1;
  }
  return link;
}

/** How often a letter stands in the options: -vv, -nn. */
function times(p: Process, letter: string): number {
  let n = 0;
  for (const w of p.argv.slice(1)) {
    if (!/^-[A-Za-z#]+$/.test(w)) continue;
    for (const c of w.slice(1)) {
      if (c === letter) n++;
      if (SHORT[SHORT.indexOf(c) + 1] === ':') break;
    }
  }
  return n;
}

function* capture(p: Process, u: Userland, o: Options, device: Link | null, filter: (f: Frame) => boolean): Co<number> {
  const queue: Captured[] = [];
  const readers: WaitQueue = new Set();
  let stopped = false;
  let received = 0;
  const limit = Number.parseInt(optionValue(o, 'c') ?? '0', 10) || Number.POSITIVE_INFINITY;
  const wanted = optionValue(o, 'Q');
  const tap: Tap = {
    ifindex: device?.ifindex ?? null,
    seen: (frame, link, direction, atMs) => {
      if (stopped || (device && link !== device) || (wanted && wanted !== 'inout' && wanted !== direction) || !filter(frame)) return;
      received++;
      queue.push({ frame, link: device ? null : link.name, direction: directionOf(frame, link, direction), atMs });
      wakeAll(readers);
    },
  };
  p.netns.taps.add(tap);
  p.cleanup.push(() => p.netns.taps.delete(tap));
  for (const signal of ['INT', 'TERM', 'HUP']) {
    p.onSignal.set(signal, () => {
      stopped = true;
      wakeAll(readers);
    });
  }
  announce(p, u, o, device);
  if (limit === Number.POSITIVE_INFINITY) goesOn(p);
  const out = newWriter(p, u, o, device === null, device);
  let shown = 0;
  while (shown < limit) {
    const next = queue.shift();
    if (next) {
      shown++;
      yield* out(next, shown);
    } else if (stopped) break;
    else yield* waitOn(p.kernel.sim, [readers]);
  }
  p.netns.taps.delete(tap);
  const plural = (n: number) => `${n} packet${n === 1 ? '' : 's'}`;
  if (shown < limit && !optionValue(o, 'w')) print(p, '\n');
  complain(p, `${plural(shown)} captured\n${plural(received)} received by filter\n0 packets dropped by kernel\n`);
  return 0;
}

/** What the kernel calls it on the `any` device: P is a frame for another machine that passes a bridge's port. */
function directionOf(f: Frame, link: Link, direction: 'in' | 'out'): string {
  if (direction === 'out') return 'Out';
  if (f.dst === 'ff:ff:ff:ff:ff:ff') return 'B';
  if (Number.parseInt(f.dst.slice(0, 2), 16) & 1) return 'M';
  return f.dst === link.mac || link.kind === 'loopback' ? 'In' : 'P';
}

function announce(p: Process, u: Userland, o: Options, device: Link | null): void {
  const verbose = times(p, 'v');
  if (!device) {
    if (u.tools >= 13)
      complain(
        p,
        'tcpdump: WARNING: any: That device doesn\'t support promiscuous mode\n(Promiscuous mode not supported on the "any" device)\n',
      );
    else complain(p, 'tcpdump: data link type LINUX_SLL2\n');
  }
  if (!verbose && !optionValue(o, 'w')) complain(p, 'tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n');
  const type = device ? 'EN10MB (Ethernet)' : 'LINUX_SLL2 (Linux cooked v2)';
  const prefix = verbose || optionValue(o, 'w') ? 'tcpdump: ' : '';
  complain(
    p,
    `${prefix}listening on ${device?.name ?? 'any'}, link-type ${type}, snapshot length ${optionValue(o, 's') && optionValue(o, 's') !== '0' ? optionValue(o, 's') : 262144} bytes\n`,
  );
}

function newWriter(p: Process, u: Userland, o: Options, any: boolean, device: Link | null = null): (c: Captured, n: number) => Co<void> {
  const file = optionValue(o, 'w');
  const flows = newFlows();
  const numbers = times(p, 'n');
  const options: PrintOptions = {
    verbose: times(p, 'v'),
    quiet: o.flags.has('q'),
    link: o.flags.has('e'),
    hosts: numbers ? null : new Map(),
    ports: numbers === 0,
    absoluteSeq: o.flags.has('S'),
    sums: !o.flags.has('K'),
    offload: device !== null && (device.kind === 'veth' || device.kind === 'loopback' || device.kind === 'bridge'),
  };
  if (file !== undefined && file !== '-') writeFile(p.fs, absolute(file, p.cwd), encodePcapHeader(), p);
  else if (file === '-') print(p, encodePcapHeader());
  let lastMs = 0;
  let firstMs = -1;
  return function* (c, n) {
    if (o.flags.has('count')) return;
    if (firstMs < 0) firstMs = c.atMs;
    if (file !== undefined) {
      const bytes = encodePcapPacket(c.frame, c.atMs);
      if (file === '-') print(p, bytes);
      else writeFile(p.fs, absolute(file, p.cwd), bytes, p, true);
      return;
    }
    if (options.hosts) for (const a of addressesOf(c.frame)) yield* nameHost(p, u, options.hosts, a);
    const where = any ? `${(c.link ?? '').padEnd(5)} ${c.direction.padEnd(3)} ` : '';
    const number = o.flags.has('#') ? `${String(n).padStart(5)}  ` : '';
    print(
      p,
      `${number}${stamp(o, c.atMs, times(p, 't') > 4 ? firstMs : lastMs, times(p, 't'))}${where}${describeFrame(c.frame, options, flows, c.atMs)}\n${hexOf(p, o, c.frame)}`,
    );
    lastMs = c.atMs;
  };
}

function addressesOf(f: Frame): Ip[] {
  if (f.payload.kind === 'arp') return [f.payload.senderIp, f.payload.targetIp];
  const inner = f.payload.body.kind === 'icmp' ? f.payload.body.original : undefined;
  return inner ? [f.payload.src, f.payload.dst, inner.dst] : [f.payload.src, f.payload.dst];
}

function* nameHost(p: Process, u: Userland, hosts: Map<string, string>, a: Ip): Co<void> {
  const key = formatIp(a);
  if (!hosts.has(key)) hosts.set(key, (yield* getnameinfo(p, a, u.libc)) ?? key);
}

function stamp(o: Options, atMs: number, lastMs: number, level: number): string {
  const c = civilTime(atMs);
  const micros = String(Math.floor(atMs * 1000) % 1_000_000).padStart(6, '0');
  if (level === 1) return '';
  if (level === 2) return `${Math.floor(atMs / 1000)}.${micros} `;
  if (level === 3 || level > 4) {
    const since = lastMs ? Math.round((atMs - lastMs) * 1000) : 0;
    const clock = [3600, 60, 1].map((unit, i) => twoDigits(Math.floor(since / 1e6 / unit) % (i ? 60 : 100))).join(':');
    return ` ${clock}.${String(since % 1_000_000).padStart(6, '0')} `;
  }
  const time = `${clockText(c)}.${micros}`;
  return level === 4 || o.flags.has('tttt') ? `${c.year}-${twoDigits(c.month)}-${twoDigits(c.day)} ${time} ` : `${time} `;
}

/** -x, -X and -A: the packet's bytes; given twice, with its Ethernet header. */
function hexOf(p: Process, o: Options, f: Frame): string {
  const letter = ['X', 'x', 'A'].find(l => o.flags.has(l));
  if (!letter) return '';
  const bytes = frameBytes(f).subarray(times(p, letter) > 1 ? 0 : 14);
  if (letter === 'A') return `${asciiOf(bytes)}\n`;
  let out = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    let hex = '';
    for (let i = 0; i < row.length; i += 2)
      hex += ` ${row[i].toString(16).padStart(2, '0')}${i + 1 < row.length ? row[i + 1].toString(16).padStart(2, '0') : ''}`;
    const text = o.flags.has('X')
      ? `${' '.repeat(42 - hex.length)}${Array.from(row, b => (b >= 33 && b < 127 ? String.fromCharCode(b) : '.')).join('')}`
      : '';
    out += `\t0x${at.toString(16).padStart(4, '0')}: ${hex}${text}\n`;
  }
  return out;
}

/** A carriage return before a line's end is left out (ascii_print of print-ascii.c). */
function asciiOf(bytes: Uint8Array): string {
  return Array.from(bytes, (b, i) => {
    if (b === 13) return bytes[i + 1] === 10 ? '' : '.';
    return b === 10 || b === 9 || (b >= 32 && b < 127) ? String.fromCharCode(b) : '.';
  }).join('');
}

/** -r: a capture file of ours printed again. */
function* replay(p: Process, u: Userland, o: Options, file: string, filter: ((f: Frame) => boolean) | string): Co<number> {
  const data = readFile(p.fs, absolute(file, p.cwd), p);
  if (typeof data === 'string') {
    complain(p, `tcpdump: ${file}: No such file or directory\n`);
    return 1;
  }
  const packets = decodePcap(data);
  if (!packets) {
    complain(p, `tcpdump: unknown file format\n`);
    return 1;
  }
  complain(p, `reading from file ${file}, link-type EN10MB (Ethernet), snapshot length 262144\n`);
  if (typeof filter === 'string') {
    complain(p, `tcpdump: ${filter}\n`);
    return 1;
  }
  const out = newWriter(p, u, o, false);
  let n = 0;
  const limit = Number.parseInt(optionValue(o, 'c') ?? '0', 10) || Number.POSITIVE_INFINITY;
  for (const { frame, atMs } of packets) {
    if (!filter(frame) || n >= limit) continue;
    yield* out({ frame, link: null, direction: 'In', atMs }, ++n);
  }
  if (o.flags.has('count')) print(p, `${n} packet${n === 1 ? '' : 's'}\n`);
  return 0;
}
