// tcp, udp, sctp, multiport, icmp, icmp6 (libxt_tcp.c, libxt_udp.c, libxt_sctp.c, libxt_multiport.c, libipt_icmp.c, libip6t_icmp6.c 1.8.9).
import { PROTO, TCP_FLAG } from '../../../wire/packet.ts';
import type { Skb } from '../../types.ts';
import { needsOption } from '../problems.ts';
import {
  isProblem,
  kernelRefuses,
  type Option,
  type ParseContext,
  type Problem,
  parsePort,
  parsePortRange,
  parseUint,
  portName,
  rangeText,
  usage,
} from '../values.ts';
import { ICMP_TYPES, ICMP6_TYPES } from './icmp-names.ts';
import { type Built, bang, last, type MatchRow } from './row.ts';

const PORT_ALIASES = { '--source-port': '--sport', '--destination-port': '--dport' };

interface PortTest {
  range: [number, number];
  invert: boolean;
}

const FULL: PortTest = { range: [0, 65535], invert: false };

function portTest(options: Option[], name: string, long: string, proto: number): PortTest | Problem {
  const given = options.filter(o => o.name === name);
  if (given.length > 1) return usage(`Only one \`--${long}' allowed`);
  if (!given.length) return FULL;
  const range = parsePortRange(given[0].value, proto);
  if (isProblem(range)) return range;
  // All but a range from 0 is the range after it: so it is kept by the nf_tables variant.
  if (given[0].invert && range[0] === 0 && range[1] > 0 && range[1] < 65_535 && isNative(options, proto))
    return { range: [range[1] + 1, 65_535], invert: false };
  return { range, invert: given[0].invert };
}

/** Ports and flags are the kernel's own expressions; with --tcp-option the whole match stays x_tables'. */
const isNative = (options: Option[], proto: number) => proto !== 132 && !options.some(o => o.name === '--tcp-option');

/** Source and destination ports; the one that stands first is complained about first. */
function portTests(options: Option[], proto: number): [PortTest, PortTest] | Problem {
  const dportFirst = options.find(o => o.name === '--sport' || o.name === '--dport')?.name === '--dport';
  const early = dportFirst ? portTest(options, '--dport', 'destination-port', proto) : null;
  if (isProblem(early)) return early;
  const sport = portTest(options, '--sport', 'source-port', proto);
  if (isProblem(sport)) return sport;
  const dport = portTest(options, '--dport', 'destination-port', proto);
  return isProblem(dport) ? dport : [sport, dport];
}

const isFull = (t: PortTest) => t.range[0] === 0 && t.range[1] === 65535 && !t.invert;
const portOk = (t: PortTest, port: number) => (port >= t.range[0] && port <= t.range[1]) !== t.invert;
const savePort = (t: PortTest, option: string) => (isFull(t) ? '' : `${bang(t)} ${option} ${rangeText(t.range)}`);

function listPort(t: PortTest, name: string, proto: number, numeric: boolean): string {
  if (isFull(t)) return '';
  const text = (n: number) => (numeric ? String(n) : portName(n, proto));
  const not = t.invert ? '!' : '';
  return t.range[0] === t.range[1] ? ` ${name}:${not}${text(t.range[0])}` : ` ${name}s:${not}${text(t.range[0])}:${text(t.range[1])}`;
}

const FLAGS: [string, number][] = [
  ['FIN', TCP_FLAG.FIN],
  ['SYN', TCP_FLAG.SYN],
  ['RST', TCP_FLAG.RST],
  ['PSH', TCP_FLAG.PSH],
  ['ACK', TCP_FLAG.ACK],
  ['URG', TCP_FLAG.URG],
];

function parseFlags(text: string): number | Problem {
  let flags = 0;
  for (const word of text.split(',')) {
    const upper = word.toUpperCase();
    const flag = FLAGS.find(([name]) => name === upper);
    if (flag) flags |= flag[1];
    else if (upper === 'ALL') flags |= 63;
    else if (upper !== 'NONE') return usage(`Unknown TCP flag \`${word}'`);
  }
  return flags;
}

const flagNames = (flags: number) =>
  FLAGS.filter(([, bit]) => flags & bit)
    .map(([name]) => name)
    .join(',') || 'NONE'; // prettier-ignore
const hexByte = (n: number) => `0x${n.toString(16).toUpperCase().padStart(2, '0')}`;

interface FlagTest {
  mask: number;
  comp: number;
  invert: boolean;
}

function flagTest(options: Option[]): FlagTest | null | Problem {
  const syn = last(options, '--syn');
  if (syn) return { mask: 0x17, comp: TCP_FLAG.SYN, invert: syn.invert };
  const o = last(options, '--tcp-flags');
  if (!o) return null;
  if (!o.value2) return usage('--tcp-flags requires two args.');
  const mask = parseFlags(o.value);
  if (isProblem(mask)) return mask;
  const comp = parseFlags(o.value2);
  return isProblem(comp) ? comp : { mask, comp, invert: o.invert };
}

function buildTcp(options: Option[], c: ParseContext): Built | Problem {
  if (c.proto !== PROTO.TCP || c.protoInvert) return usage("TCP match requires '-p tcp'");
  const ports = portTests(options, 6);
  if (isProblem(ports)) return ports;
  const [sport, dport] = ports;
  const flags = flagTest(options);
  if (isProblem(flags)) return flags;
  const option = last(options, '--tcp-option');
  const number = option ? parseUint(option.value, 1, 255) : null;
  if (option && number === null) return usage(`Bad TCP option \`${option.value}'`);
  return {
    test: skb => {
      const b = skb.packet.body;
      if (b.kind !== 'tcp') return false;
      if (flags && ((b.flags & flags.mask) === flags.comp) === flags.invert) return false;
      if (option && hasTcpOption(b.flags, b.mss !== undefined, number as number) === option.invert) return false;
      return portOk(sport, b.sport) && portOk(dport, b.dport);
    },
    dport: dport.range[0] === dport.range[1] && !dport.invert ? dport.range[0] : undefined,
    save:
      savePort(sport, '--sport') +
      savePort(dport, '--dport') +
      (option ? `${bang(option)} --tcp-option ${number}` : '') +
      (flags ? `${bang(flags)} --tcp-flags ${flagNames(flags.mask)} ${flagNames(flags.comp)}` : ''),
    list: numeric =>
      ` tcp${listPort(sport, 'spt', 6, numeric)}${listPort(dport, 'dpt', 6, numeric)}` +
      (option ? ` option=${option.invert ? '!' : ''}${number}` : '') +
      (flags
        ? ` flags:${flags.invert ? '!' : ''}${
            numeric ? `${hexByte(flags.mask)}/${hexByte(flags.comp)}` : `${flagNames(flags.mask)}/${flagNames(flags.comp)}`
          }`
        : ''),
  };
}

/** What this kernel's segments carry: timestamps always; MSS, SACK-permitted and window scale with SYN. */
const hasTcpOption = (flags: number, mss: boolean, kind: number) =>
  kind === 8 || (kind === 2 && mss) || ((kind === 3 || kind === 4) && (flags & TCP_FLAG.SYN) !== 0);

function buildUdp(options: Option[], c: ParseContext): Built | Problem {
  if (c.proto !== PROTO.UDP || c.protoInvert) return usage("UDP match requires '-p udp'");
  const ports = portTests(options, 17);
  if (isProblem(ports)) return ports;
  const [sport, dport] = ports;
  return {
    test: skb => {
      const b = skb.packet.body;
      return b.kind === 'udp' && portOk(sport, b.sport) && portOk(dport, b.dport);
    },
    dport: dport.range[0] === dport.range[1] && !dport.invert ? dport.range[0] : undefined,
    save: savePort(sport, '--sport') + savePort(dport, '--dport'),
    list: numeric => ` udp${listPort(sport, 'spt', 17, numeric)}${listPort(dport, 'dpt', 17, numeric)}`,
  };
}

const CHUNKS: [string, number][] = [
  ['DATA', 0],
  ['INIT', 1],
  ['INIT_ACK', 2],
  ['SACK', 3],
  ['HEARTBEAT', 4],
  ['HEARTBEAT_ACK', 5],
  ['ABORT', 6],
  ['SHUTDOWN', 7],
  ['SHUTDOWN_ACK', 8],
  ['ERROR', 9],
  ['COOKIE_ECHO', 10],
  ['COOKIE_ACK', 11],
  ['ECN_ECNE', 12],
  ['ECN_CWR', 13],
  ['SHUTDOWN_COMPLETE', 14],
  ['ASCONF_ACK', 128],
  ['FORWARD_TSN', 192],
  ['ASCONF', 193],
];

function buildSctp(options: Option[], c: ParseContext): Built | Problem {
  if (c.proto !== PROTO.SCTP || c.protoInvert) return usage("SCTP match requires '-p sctp'");
  const ports = portTests(options, 132);
  if (isProblem(ports)) return ports;
  const [sport, dport] = ports;
  const o = last(options, '--chunk-types');
  const wanted: [string, number][] = [];
  if (o) {
    if (!o.value2) return usage('--chunk-types requires two args');
    if (!['all', 'any', 'only'].includes(o.value.toLowerCase())) return usage(`Match type has to be one of "ALL", "ANY" or "ONLY"`);
    for (const word of o.value2.split(',')) {
      const chunk = CHUNKS.find(([name]) => name === word.toUpperCase());
      if (!chunk) return usage(`Unknown sctp chunk \`${word}'`);
      wanted.push(chunk);
    }
    wanted.sort((a, b) => a[1] - b[1]);
  }
  const names = wanted.map(w => w[0]);
  return {
    test: skb => {
      const b = skb.packet.body;
      if (b.kind !== 'sctp' || !portOk(sport, b.sport) || !portOk(dport, b.dport)) return false;
      if (!o) return true;
      // One chunk a packet: `all` of several types cannot hold.
      const hit = o.value === 'all' ? names.length === 1 && names[0] === b.chunk : names.includes(b.chunk);
      return hit !== o.invert;
    },
    dport: !o && dport.range[0] === dport.range[1] && !dport.invert ? dport.range[0] : undefined,
    save: savePort(sport, '--sport') + savePort(dport, '--dport') + (o ? `${bang(o)} --chunk-types ${o.value} ${names.join(',')}` : ''),
    list: numeric =>
      ` sctp${listPort(sport, 'spt', 132, numeric)}${listPort(dport, 'dpt', 132, numeric)}` +
      (o
        ? `${bang(o)} ${o.value} ${numeric ? wanted.map(w => `0x${w[1].toString(16).toUpperCase().padStart(4, '0')}`).join(',') : names.join(',')}`
        : ''),
  };
}

const MULTI_PROTO = [6, 17, 33, 132, 136];

function buildMultiport(options: Option[], c: ParseContext): Built | Problem {
  const o = options[0];
  if (!o) return usage('multiport expection an option');
  if (options.length > 1) return usage('multiport can only have one option');
  if (c.protoInvert || !MULTI_PROTO.includes(c.proto))
    return usage("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'");
  const ranges: [number, number][] = [];
  let slots = 0;
  for (const word of o.value.split(',')) {
    const colon = word.indexOf(':');
    const low = parsePort(colon < 0 ? word : word.slice(0, colon), c.proto, true);
    const high = colon < 0 ? low : parsePort(word.slice(colon + 1), c.proto, true);
    if (low === null) return usage(`invalid port/service \`${colon < 0 ? word : word.slice(0, colon)}' specified`);
    if (high === null) return usage(`invalid port/service \`${word.slice(colon + 1)}' specified`);
    if (colon >= 0 && low >= high) return usage('invalid portrange specified');
    slots += colon < 0 ? 1 : 2;
    if (slots > 15) return usage('too many ports specified');
    ranges.push([low, high]);
  }
  const hit = (port: number) => ranges.some(r => port >= r[0] && port <= r[1]);
  const side = o.name;
  const kind = side.slice(2);
  const text = (numeric: boolean) =>
    ranges.map(r => (r[0] === r[1] ? [r[0]] : r).map(n => (numeric ? String(n) : portName(n, c.proto))).join(':')).join(','); // prettier-ignore
  return {
    test: skb => {
      const b = skb.packet.body;
      if (b.kind !== 'tcp' && b.kind !== 'udp' && b.kind !== 'sctp') return false;
      const found = (side !== '--dports' && hit(b.sport)) || (side !== '--sports' && hit(b.dport));
      return found !== o.invert;
    },
    save: `${bang(o)} ${side} ${text(true)}`,
    list: numeric => ` multiport ${kind} ${bang(o)}${text(numeric)}`,
  };
}

interface IcmpTest {
  type: number;
  low: number;
  high: number;
}

function parseIcmp(text: string, names: [string, number, number, number][], label: string): IcmpTest | Problem {
  const lower = text.toLowerCase();
  const hits = names.filter(n => n[0].startsWith(lower));
  const exact = hits.find(n => n[0] === lower);
  if (exact || hits.length === 1) {
    const n = exact ?? hits[0];
    return { type: n[1], low: n[2], high: n[3] };
  }
  if (hits.length > 1) return usage(`Ambiguous ${label} type \`${text}': \`${hits[0][0]}' or \`${hits[1][0]}'?`);
  const slash = text.indexOf('/');
  const type = parseUint(slash < 0 ? text : text.slice(0, slash), 0, 255);
  if (type === null)
    return usage(label === 'ICMP' ? `Unknown ICMP type \`${slash < 0 ? text : text.slice(0, slash)}'` : `Invalid ICMPv6 type \`${text}'`);
  if (slash < 0) return { type, low: 0, high: 255 };
  const code = parseUint(text.slice(slash + 1), 0, 255);
  return code === null ? usage(`Invalid ${label} code \`${text.slice(slash + 1)}'`) : { type, low: code, high: code };
}

function icmpRow(v6: boolean): MatchRow {
  const option = v6 ? '--icmpv6-type' : '--icmp-type';
  const names = v6 ? ICMP6_TYPES : ICMP_TYPES;
  const any = v6 ? -1 : 255;
  const build = (options: Option[], c: ParseContext): Built | Problem => {
    if (c.proto !== (v6 ? PROTO.ICMPV6 : PROTO.ICMP) || c.protoInvert) return kernelRefuses();
    const o = last(options, option);
    if (!o) return v6 ? needsOption('icmp6', option) : icmpAny();
    const t = parseIcmp(o.value, names, v6 ? 'ICMPv6' : 'ICMP');
    if (isProblem(t)) return t;
    const codes = t.low === 0 && t.high === 255 ? '' : `/${t.low}${t.low === t.high ? '' : `-${t.high}`}`;
    return {
      test: skb => icmpOf(skb, t, any) !== o.invert,
      save: t.type === any ? `${bang(o)} ${option} any` : `${bang(o)} ${option} ${t.type}${codes}`,
      list: numeric => ` ${v6 ? 'ipv6-icmp' : 'icmp'}${icmpText(t, o.invert, numeric, names)}`,
    };
  };
  return { name: v6 ? 'icmp6' : 'icmp', family: v6 ? 6 : 4, proto: v6 ? 58 : 1, options: { [option]: 1 }, build };
}

/** `-m icmp` alone: any type. */
const icmpAny = (): Built => ({
  test: skb => skb.packet.body.kind === 'icmp',
  save: ' --icmp-type any',
  list: numeric => (numeric ? ' icmptype 255' : ' icmp any'),
});

function icmpOf(skb: Skb, t: IcmpTest, any: number): boolean {
  const b = skb.packet.body;
  return b.kind === 'icmp' && (t.type === any || (b.type === t.type && b.code >= t.low && b.code <= t.high));
}

function icmpText(t: IcmpTest, invert: boolean, numeric: boolean, names: [string, number, number, number][]): string {
  const name = numeric ? undefined : names.find(n => n[1] === t.type && n[2] === t.low && n[3] === t.high);
  if (name) return ` ${invert ? '!' : ''}${name[0]}`;
  const code = t.low === t.high ? ` code ${t.low}` : t.low !== 0 || t.high !== 255 ? ` codes ${t.low}-${t.high}` : '';
  return `${invert ? ' !' : ''}type ${t.type}${code}`;
}

export const PORT_MATCHES: MatchRow[] = [
  {
    name: 'tcp',
    proto: 6,
    options: { '--sport': 1, '--dport': 1, '--tcp-flags': 2, '--syn': 0, '--tcp-option': 1 },
    aliases: PORT_ALIASES,
    build: buildTcp,
  },
  { name: 'udp', proto: 17, options: { '--sport': 1, '--dport': 1 }, aliases: PORT_ALIASES, build: buildUdp },
  { name: 'sctp', proto: 132, options: { '--sport': 1, '--dport': 1, '--chunk-types': 2 }, aliases: PORT_ALIASES, build: buildSctp },
  {
    name: 'multiport',
    options: { '--sports': 1, '--dports': 1, '--ports': 1 },
    aliases: { '--source-ports': '--sports', '--destination-ports': '--dports' },
    build: buildMultiport,
  },
  icmpRow(false),
  icmpRow(true),
];
