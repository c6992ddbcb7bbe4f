// tcpdump 4.99.3 (Debian 12) and 4.99.5 (13): captures from the namespace's taps, filters, pcap files.
import { complain, goesOn, print } from '../../linux/process.ts';
import type { Link, Process, Program, Tap } from '../../linux/types.ts';
import { absolute, readFile, writeFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { type Co, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import { civilTime, clockText, twoDigits } from '../../sim/time.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import type { Frame } from '../../wire/packet.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { cookedBytes, decodeCooked, LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL2 } from './pcap-cooked.ts';
import { decodeFrame, decodePcap, encodePcapHeader, encodePcapPacket, etherType, frameBytes } from './pcap-file.ts';
import { compileFilter } from './pcap-filter.ts';
import { getnameinfo } from './resolver.ts';
import { describeFrame, newFlows, type PrintOptions } from './tcpdump-print.ts';

interface Captured {
  frame: Frame;
  /** On the `any` device: where it was seen. */
  on: { name: string; ifindex: number; loopback: boolean } | null;
  direction: string;
  atMs: number;
}

/** What is kept of a packet: all of it. -s is said and not done, since what reads a file here tells lengths by its bytes. */
const SNAPLEN = 262_144;

const snaplenOf = (o: Options): number => Number(optionValue(o, 's') ?? 0) || SNAPLEN;

/** What podnet does not act on; the other letters change nothing that can be seen here. */
const REFUSED: Record<string, string> = {
  C: '-C (file sizes)',
  d: '-d (the filter as instructions)',
  E: '-E (IPsec)',
  G: '-G (rotation)',
  I: '-I (monitor mode)',
  J: '-J (time stamp types)',
  L: '-L (data link types)',
  M: '-M (TCP-MD5)',
  T: '-T (a packet type by force)',
  V: '-V (lists of files)',
  y: '-y (another data link type)',
  z: '-z (a command after rotation)',
};

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
    const refused = Object.keys(REFUSED).find(letter => o.flags.has(letter));
    if (refused) {
      complain(p, `tcpdump: podnet does not model ${REFUSED[refused]}\n`);
      return 1;
    }
    const words = filterText(p, o);
    if (words === null) {
      complain(p, `tcpdump: can't open ${optionValue(o, 'F')}: No such file or directory\n`);
      return 1;
    }
    const filter = compileFilter(words);
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

export const refusedLetters = (): Record<string, string> => REFUSED;

/** -F: a file has the filter, and what stands on the command line is nothing. */
function filterText(p: Process, o: Options): string | null {
  const file = optionValue(o, 'F');
  const data = file === undefined ? null : readFile(p.fs, absolute(file, p.cwd), p);
  if (typeof data === 'string') return null;
  return data ? bytesToString(data).replace(/#.*/g, '').trim() : o.operands.join(' ');
}

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
      queue.push({ frame, on: device ? null : seenOn(link), direction: directionOf(frame, link, direction), atMs });
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

const seenOn = (l: Link) => ({ name: l.name, ifindex: l.ifindex, loopback: l.kind === 'loopback' });

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
  complain(p, `${prefix}listening on ${device?.name ?? 'any'}, link-type ${type}, snapshot length ${snaplenOf(o)} bytes\n`);
}

function newWriter(p: Process, u: Userland, o: Options, any: boolean, device: Link | null = null): (c: Captured, n: number) => Co<void> {
  const file = optionValue(o, 'w');
  const flows = newFlows();
  const numbers = times(p, 'n');
  const options: PrintOptions = {
    verbose: times(p, 'v'),
    quiet: o.flags.has('q'),
    link: o.flags.has('e') && !any,
    hosts: numbers ? null : new Map(),
    ports: numbers === 0,
    absoluteSeq: o.flags.has('S'),
    sums: !o.flags.has('K'),
    offload: device !== null && (device.kind === 'veth' || device.kind === 'loopback' || device.kind === 'bridge'),
  };
  const header = encodePcapHeader(any ? LINKTYPE_LINUX_SLL2 : LINKTYPE_ETHERNET, SNAPLEN);
  if (file !== undefined && file !== '-') writeFile(p.fs, absolute(file, p.cwd), header, p);
  else if (file === '-') print(p, header);
  let lastMs = 0;
  let firstMs = -1;
  return function* (c, n) {
    if (o.flags.has('count')) return;
    if (firstMs < 0) firstMs = c.atMs;
    if (file !== undefined) {
      const bytes = encodePcapPacket(c.on ? cookedBytes({ ...c, ...c.on }) : frameBytes(c.frame), c.atMs);
      if (file === '-') print(p, bytes);
      else writeFile(p.fs, absolute(file, p.cwd), bytes, p, true);
      return;
    }
    if (options.hosts) for (const a of addressesOf(c.frame)) yield* nameHost(p, u, options.hosts, a);
    const where = c.on
      ? `${c.on.name.padEnd(5)} ${c.direction.padEnd(3)} ${o.flags.has('e') ? cookedLink(c.frame, c.on.ifindex) : ''}`
      : '';
    const number = o.flags.has('#') ? `${String(n).padStart(5)}  ` : '';
    print(
      p,
      `${number}${stamp(o, c.atMs, times(p, 't') > 4 ? firstMs : lastMs, times(p, 't'))}${where}${shownBody(describeFrame(c.frame, options, flows, c.atMs), o.flags.has('e') && any)}\n${hexOf(p, o, c.frame)}`,
    );
    lastMs = c.atMs;
  };
}

const TYPE_NAMES: Record<number, string> = { 2048: 'IPv4', 2054: 'ARP', 34525: 'IPv6' };

/** -e on the `any` device: there is one address, and its header is longer than Ethernet's. */
function cookedLink(f: Frame, ifindex: number): string {
  const type = etherType(f);
  const length = cookedBytes({ frame: f, ifindex, loopback: false, direction: 'In' }).length;
  return `ifindex ${ifindex} ${f.src} ethertype ${TYPE_NAMES[type]} (0x${type.toString(16).padStart(4, '0')}), length ${length}: `;
}

/** Behind a link header the packet's own name is not said again. */
const shownBody = (text: string, headed: boolean): string => (headed ? text.replace(/^(IP6?|ARP,?) /, '') : text);

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
  const captured = decodePcap(data);
  const any = captured?.linktype === LINKTYPE_LINUX_SLL2;
  if (!captured || (!any && captured.linktype !== LINKTYPE_ETHERNET)) {
    complain(p, `tcpdump: unknown file format\n`);
    return 1;
  }
  const type = any ? 'LINUX_SLL2 (Linux cooked v2)' : 'EN10MB (Ethernet)';
  complain(p, `reading from file ${file}, link-type ${type}, snapshot length ${captured.snaplen}\n`);
  if (any) complain(p, 'Warning: interface names might be incorrect\n');
  if (typeof filter === 'string') {
    complain(p, `tcpdump: ${filter}\n`);
    return 1;
  }
  const out = newWriter(p, u, o, any);
  let n = 0;
  const limit = Number.parseInt(optionValue(o, 'c') ?? '0', 10) || Number.POSITIVE_INFINITY;
  for (const { bytes, atMs } of captured.records) {
    const cooked = any ? decodeCooked(bytes) : null;
    const frame = cooked?.frame ?? (any ? null : decodeFrame(bytes));
    if (!frame || !filter(frame) || n >= limit) continue;
    const name = cooked ? (p.netns.links.get(cooked.ifindex)?.name ?? '?') : '';
    yield* out({ frame, on: cooked ? { ...cooked, name } : null, direction: cooked?.direction ?? 'In', atMs }, ++n);
  }
  if (o.flags.has('count')) print(p, `${n} packet${n === 1 ? '' : 's'}\n`);
  return 0;
}
