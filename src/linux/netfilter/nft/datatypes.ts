// Datatypes: how values are written and printed, and in which order their bytes compare (datatype.c, proto.c, ct.c, fib.c of nftables 1.0.6).
import { compareIp, formatIp, type Ip, ipKey, parseIp } from '../../../wire/ip.ts';
import { parseUint, protocolName, protocolNumber, SERVICES_BY_NAME } from '../values.ts';
import type { Interval, Val } from './types.ts';

interface Datatype {
  name: string;
  /** Bytes in a key. */
  size: number;
  parse: (text: string) => Val | null;
  print: (v: Val) => string;
  /** Bits that are named: `a,b` is a list, and a match asks for any of them. */
  flags?: boolean;
  /** Elements of a named set on one line. */
  perLine: number;
}

const num = (v: Val): number => (typeof v === 'number' ? v : 0);
const hex = (width: number) => (v: Val) => `0x${num(v).toString(16).padStart(width, '0')}`;
const plain = (v: Val) => String(v);

/** Named numbers; the first name of a number is the one printed. */
function symbols(
  name: string,
  size: number,
  table: [string, number][],
  other: (v: Val) => string,
  perLine: number,
  flags = false,
): Datatype {
  const one = (text: string) => table.find(([n]) => n === text)?.[1] ?? parseUint(text);
  return {
    name,
    size,
    perLine,
    flags,
    parse: text => {
      if (!flags) return one(text);
      let bits = 0;
      for (const word of text.split(',')) {
        const bit = one(word);
        if (bit === null) return null;
        bits |= bit;
      }
      return bits;
    },
    print: v => {
      if (!flags) return table.find(([, n]) => n === v)?.[0] ?? other(v);
      const names = table.filter(([, bit]) => num(v) & bit).map(([n]) => n);
      return names.length ? names.join(',') : other(v);
    },
  };
}

const CT_STATE: [string, number][] = [
  ['invalid', 1],
  ['established', 2],
  ['related', 4],
  ['new', 8],
  ['untracked', 64],
];
const CT_STATUS: [string, number][] = [
  ['expected', 1],
  ['seen-reply', 2],
  ['assured', 4],
  ['confirmed', 8],
  ['snat', 16],
  ['dnat', 32],
  ['dying', 512],
];
const TCP_FLAGS: [string, number][] = [
  ['fin', 1],
  ['syn', 2],
  ['rst', 4],
  ['psh', 8],
  ['ack', 16],
  ['urg', 32],
  ['ecn', 64],
  ['cwr', 128],
];
const ADDRTYPE: [string, number][] = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
].map((n, i) => [n, i]);
const ICMP_TYPE: [string, number][] = [
  ['echo-reply', 0],
  ['destination-unreachable', 3],
  ['source-quench', 4],
  ['redirect', 5],
  ['echo-request', 8],
  ['router-advertisement', 9],
  ['router-solicitation', 10],
  ['time-exceeded', 11],
  ['parameter-problem', 12],
  ['timestamp-request', 13],
  ['timestamp-reply', 14],
  ['info-request', 15],
  ['info-reply', 16],
  ['address-mask-request', 17],
  ['address-mask-reply', 18],
];
export const ICMP_CODE: [string, number][] = [
  ['net-unreachable', 0],
  ['host-unreachable', 1],
  ['prot-unreachable', 2],
  ['port-unreachable', 3],
  ['frag-needed', 4],
  ['net-prohibited', 9],
  ['host-prohibited', 10],
  ['admin-prohibited', 13],
];
export const ICMPV6_CODE: [string, number][] = [
  ['no-route', 0],
  ['admin-prohibited', 1],
  ['addr-unreachable', 3],
  ['port-unreachable', 4],
  ['policy-fail', 5],
  ['reject-route', 6],
];
export const ICMPX_CODE: [string, number][] = [
  ['no-route', 0],
  ['port-unreachable', 1],
  ['host-unreachable', 2],
  ['admin-prohibited', 3],
];
const ICMPV6_TYPE: [string, number][] = [
  ['destination-unreachable', 1],
  ['packet-too-big', 2],
  ['time-exceeded', 3],
  ['parameter-problem', 4],
  ['echo-request', 128],
  ['echo-reply', 129],
  ['mld-listener-query', 130],
  ['mld-listener-report', 131],
  ['mld-listener-done', 132],
  ['mld-listener-reduction', 132],
  ['nd-router-solicit', 133],
  ['nd-router-advert', 134],
  ['nd-neighbor-solicit', 135],
  ['nd-neighbor-advert', 136],
  ['nd-redirect', 137],
  ['router-renumbering', 138],
  ['ind-neighbor-solicit', 141],
  ['ind-neighbor-advert', 142],
  ['mld2-listener-report', 143],
];
const DSCP: [string, number][] = [['cs0', 0]];
for (let i = 1; i < 8; i++) DSCP.push([`cs${i}`, i * 8]);
DSCP.push(['df', 0], ['be', 0], ['lephb', 1]);
for (let i = 1; i < 5; i++) for (let j = 1; j < 4; j++) DSCP.push([`af${i}${j}`, i * 8 + j * 2]);
DSCP.push(['va', 44], ['ef', 46]);

const address = (name: string, size: number, perLine: number): Datatype => ({
  name,
  size,
  perLine,
  parse: text => {
    const ip = parseIp(text);
    return ip && ip.length === size ? ip : null;
  },
  print: v => formatIp(v as Ip),
});

const integer = (name: string, size: number, perLine = 5): Datatype => ({ name, size, perLine, parse: t => parseUint(t), print: plain });

const TYPES: Datatype[] = [
  address('ipv4_addr', 4, 2),
  address('ipv6_addr', 16, 1),
  { name: 'ether_addr', size: 6, perLine: 1, parse: t => (/^(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(t) ? mac(t) : null), print: plain },
  {
    name: 'inet_proto',
    size: 1,
    perLine: 5,
    parse: t => protocolNumber(t),
    print: v => (v === 0 ? 'ip' : protocolName(num(v))),
  },
  {
    name: 'inet_service',
    size: 2,
    perLine: 5,
    parse: t => parseUint(t, 0, 65_535) ?? SERVICES_BY_NAME.get(t) ?? null,
    print: plain,
  },
  { name: 'mark', size: 4, perLine: 5, parse: t => parseUint(t), print: hex(8) },
  { name: 'ifname', size: 16, perLine: 1, parse: t => t, print: v => `"${v}"` },
  { name: 'iface_index', size: 4, perLine: 1, parse: t => t, print: v => `"${v}"` },
  symbols('ct_state', 4, CT_STATE, hex(1), 5, true),
  symbols('ct_status', 4, CT_STATUS, hex(1), 5, true),
  symbols(
    'ct_dir',
    1,
    [
      ['original', 0],
      ['reply', 1],
    ],
    plain,
    5,
  ),
  symbols('tcp_flag', 1, TCP_FLAGS, hex(1), 5, true),
  symbols('fib_addrtype', 4, ADDRTYPE, plain, 5),
  symbols('icmp_type', 1, ICMP_TYPE, plain, 5),
  symbols('icmp_code', 1, ICMP_CODE, plain, 5),
  symbols('icmpv6_type', 1, ICMPV6_TYPE, plain, 5),
  symbols('icmpv6_code', 1, ICMPV6_CODE, plain, 5),
  symbols(
    'pkt_type',
    1,
    [
      ['host', 0],
      ['unicast', 0],
      ['broadcast', 1],
      ['multicast', 2],
      ['other', 3],
    ],
    plain,
    5,
  ),
  symbols(
    'nf_proto',
    1,
    [
      ['ipv4', 2],
      ['ipv6', 10],
    ],
    plain,
    5,
  ),
  symbols(
    'ether_type',
    2,
    [
      ['ip', 0x0800],
      ['arp', 0x0806],
      ['ip6', 0x86dd],
      ['8021q', 0x8100],
      ['vlan', 0x8100],
    ],
    hex(4),
    5,
  ),
  symbols(
    'arp_op',
    2,
    [
      ['request', 1],
      ['reply', 2],
    ],
    plain,
    5,
  ),
  symbols('dscp', 1, DSCP, hex(2), 5),
  symbols(
    'boolean',
    1,
    [
      ['exists', 1],
      ['missing', 0],
    ],
    plain,
    5,
  ),
  { ...integer('uid', 4), parse: t => (t === 'root' ? 0 : parseUint(t)) },
  { ...integer('gid', 4), parse: t => (t === 'root' ? 0 : parseUint(t)) },
  integer('integer', 4),
  integer('cgroupsv2', 8),
  { name: 'time', size: 8, perLine: 1, parse: t => parseTime(t), print: v => timeText(num(v)) },
  { name: 'verdict', size: 4, perLine: 1, parse: () => null, print: plain },
];

const mac = (t: string) =>
  t
    .toLowerCase()
    .split(':')
    .map(x => x.padStart(2, '0'))
    .join(':');

const byName = new Map(TYPES.map(t => [t.name, t]));
export const datatype = (name: string): Datatype | undefined => byName.get(name);

/** `1d2h3m4s5ms` or seconds -> milliseconds. */
export function parseTime(text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const m = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (!m || text === '') return null;
  const [d, h, min, s, ms] = m.slice(1).map(x => Number(x ?? 0));
  return (((d * 24 + h) * 60 + min) * 60 + s) * 1000 + ms;
}

export function timeText(ms: number): string {
  let left = Math.floor(ms);
  let out = '';
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const n = Math.floor(left / size);
    if (n) out += `${n}${unit}`;
    left -= n * size;
  }
  return out || '0s';
}

export const keyOf = (v: Val): string => (typeof v === 'object' ? ipKey(v) : String(v));

export function compareVal(a: Val, b: Val): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'object' && typeof b === 'object') return compareIp(a, b);
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** A value's bytes as they stand in a key. */
function bytesOf(v: Val, size: number): number[] {
  if (typeof v === 'object') return [...v];
  if (typeof v === 'string') {
    if (size === 6) return v.split(':').map(x => Number.parseInt(x, 16));
    return Array.from({ length: size }, (_, i) => (i < v.length ? v.charCodeAt(i) & 255 : 0));
  }
  return Array.from({ length: size }, (_, i) => Math.floor(v / 256 ** (size - 1 - i)) & 255);
}

/** Single big-endian values ascend; names and concatenations (parts padded to four bytes) compare from their last byte (expr_value_cmp). */
export function compareKeys(a: Interval[], b: Interval[], types: string[]): number {
  if (types.length === 1 && types[0] !== 'ifname') return compareVal(a[0].low, b[0].low);
  const bytes = (key: Interval[]) =>
    key.flatMap((part, i) => {
      const size = datatype(types[i])?.size ?? 4;
      const own = bytesOf(part.low, size);
      while (types.length > 1 && own.length % 4) own.push(0);
      return own;
    });
  const x = bytes(a);
  const y = bytes(b);
  for (let i = x.length - 1; i >= 0; i--) if (x[i] !== y[i]) return x[i] - y[i];
  return 0;
}

/** A range as nft prints it: value, prefix, or both ends. */
export function intervalText(type: string, part: Interval): string {
  const t = datatype(type);
  const print = t ? t.print : plain;
  if (compareVal(part.low, part.high) === 0) return print(part.low);
  if (typeof part.low === 'object' && typeof part.high === 'object') {
    const bits = prefixBits(part.low, part.high);
    if (bits !== null) return `${print(part.low)}/${bits}`;
  }
  return `${print(part.low)}-${print(part.high)}`;
}

function prefixBits(low: Ip, high: Ip): number | null {
  let bits = 0;
  while (bits < low.length * 8 && ((low[bits >> 3] ^ high[bits >> 3]) & (0x80 >> (bits & 7))) === 0) bits++;
  for (let i = bits; i < low.length * 8; i++) {
    const bit = 0x80 >> (i & 7);
    if (low[i >> 3] & bit || !(high[i >> 3] & bit)) return null;
  }
  return bits;
}

export function prefixInterval(ip: Ip, bits: number): Interval {
  const low = new Uint8Array(ip.length);
  const high = new Uint8Array(ip.length);
  for (let i = 0; i < ip.length; i++) {
    const mask = (0xff << (8 - Math.min(8, Math.max(0, bits - i * 8)))) & 0xff;
    low[i] = ip[i] & mask;
    high[i] = low[i] | (~mask & 0xff);
  }
  return { low, high };
}

export const inInterval = (v: Val, part: Interval): boolean => {
  if (typeof part.low === 'string' && part.low.endsWith('*')) return String(v).startsWith(part.low.slice(0, -1));
  return typeof v === typeof part.low && compareVal(v, part.low) >= 0 && compareVal(v, part.high) <= 0;
};
