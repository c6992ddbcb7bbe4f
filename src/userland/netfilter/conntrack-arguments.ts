import type { CtEntry } from '../../linux/netfilter/types.ts';
import { parseMark, parseUint } from '../../linux/netfilter/values.ts';
import { type Cidr, type Family, familyOf, type Ip, inCidr, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';

export interface Arguments {
  command: string;
  family: Family | null;
  proto: number | null;
  output: Set<string>;
  status: string[];
  mark: [number, number] | null;
  zone: number | null;
  timeout: number | null;
  state: string | null;
  /** Addresses by option: orig-src, orig-dst, reply-src, reply-dst. */
  nets: Map<string, Cidr>;
  /** --mask-src, --mask-dst: networks were given. */
  masks: Set<string>;
  /** Ports and ICMP fields by option: sport, dport, reply-port-src … */
  numbers: Map<string, number>;
  srcNat: { ip: Ip | null; port: number } | null;
  dstNat: { ip: Ip | null; port: number } | null;
  anyNat: boolean;
  events: Set<string>;
}

const PROTOS: Record<string, number> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, sctp: 132 };

/** libnetfilter_conntrack's names. */
const TCP_STATES = ['NONE', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'SYN_SENT2'];

export const COMMANDS: Record<string, string> = {
  '-L': 'L',
  '--dump': 'L',
  '-D': 'D',
  '--delete': 'D',
  '-G': 'G',
  '--get': 'G',
  '-I': 'I',
  '--create': 'I',
  '-U': 'U',
  '--update': 'U',
  '-F': 'F',
  '--flush': 'F',
  '-C': 'C',
  '--count': 'C',
  '-S': 'S',
  '--stats': 'S',
  '-E': 'E',
  '--event': 'E',
};

const NETS: Record<string, string> = {
  '-s': 'orig-src',
  '--src': 'orig-src',
  '--orig-src': 'orig-src',
  '-d': 'orig-dst',
  '--dst': 'orig-dst',
  '--orig-dst': 'orig-dst',
  '-r': 'reply-src',
  '--reply-src': 'reply-src',
  '-q': 'reply-dst',
  '--reply-dst': 'reply-dst',
};

/** Options of protocols with ports; they are known only after -p. */
export const PORTS: Record<string, string> = {
  '--sport': 'sport',
  '--orig-port-src': 'sport',
  '--dport': 'dport',
  '--orig-port-dst': 'dport',
  '--reply-port-src': 'reply-sport',
  '--reply-port-dst': 'reply-dport',
};

export const ICMP: Record<string, string> = { '--icmp-type': 'icmp-type', '--icmp-code': 'icmp-code', '--icmp-id': 'icmp-id' };

export const STATUSES = ['ASSURED', 'SEEN_REPLY', 'UNSET', 'FIXED_TIMEOUT', 'EXPECTED', 'OFFLOAD', 'HW_OFFLOAD', 'UNREPLIED'];

export interface Reader {
  words: string[];
  at: number;
}

export function parse(argv: string[]): Arguments | string {
  const a: Arguments = {
    command: '',
    family: null,
    proto: null,
    output: new Set(),
    status: [],
    mark: null,
    zone: null,
    timeout: null,
    state: null,
    nets: new Map(),
    masks: new Set(),
    numbers: new Map(),
    srcNat: null,
    dstNat: null,
    anyNat: false,
    events: new Set(),
  };
  const r: Reader = { words: argv, at: 0 };
  while (r.at < argv.length) {
    const word = argv[r.at++];
    const command = COMMANDS[word];
    if (command) {
      if (a.command) return 'Invalid commands combination';
      a.command = command;
      const next = argv[r.at];
      if (next !== undefined && !next.startsWith('-')) {
        if (!['conntrack', 'expect', 'dying', 'unconfirmed'].includes(next)) return `unknown type \`${next}'`;
        if (next !== 'conntrack') a.command = next;
        r.at++;
      }
      continue;
    }
    if (!word.startsWith('-')) return `unknown argument \`${word}'`;
    const bad = option(a, word, r);
    if (bad !== null) return bad;
  }
  return a;
}

/** The error, or null. */
export function option(a: Arguments, word: string, r: Reader): string | null {
  if (word === '-n' || word === '--src-nat' || word === '-g' || word === '--dst-nat' || word === '-j' || word === '--any-nat')
    return natOption(a, word, r);
  const known =
    word in NETS ||
    '-p -f -t -m -u -o -e -w -c -l -b -i --proto --family --timeout --mark --status --output --zone --event-mask --orig-zone --reply-zone --label --buffer-size --id --secmark'
      .split(' ')
      .includes(word); // prettier-ignore
  const ported = word in PORTS && a.proto !== null && a.proto !== 1 && a.proto !== 58;
  const icmp = word in ICMP && (a.proto === 1 || a.proto === 58);
  const tcpState = word === '--state' && a.proto === 6;
  const vtag = (word === '--orig-vtag' || word === '--reply-vtag') && a.proto === 132;
  if (!known && !ported && !icmp && !vtag && !tcpState) return `unknown option \`${word}'`;
  const value = r.words[r.at++];
  if (value === undefined) return `option \`${word}' requires an argument`;
  if (word in NETS) {
    const net = parseCidr(value);
    if (!net) return `Invalid IP address \`${value}'`;
    a.nets.set(NETS[word], net);
    if (net.bits < net.ip.length * 8 && /-(s|src|d|dst)$/.test(word)) a.masks.add(NETS[word] === 'orig-src' ? '--mask-src' : '--mask-dst');
    return setFamily(a, familyOf(net.ip));
  }
  if (ported || icmp) {
    a.numbers.set((ported ? PORTS : ICMP)[word], parseUint(value, 0, 65535) ?? 0);
    return null;
  }
  return plainOption(a, word, value);
}

/** All addresses and -f are of one family. */
function setFamily(a: Arguments, family: Family): string | null {
  if (a.family !== null && a.family !== family) return 'mismatched address family';
  a.family = family;
  return null;
}

function plainOption(a: Arguments, word: string, value: string): string | null {
  switch (word) {
    case '-p':
    case '--proto':
      a.proto = PROTOS[value] ?? parseUint(value, 0, 255);
      return a.proto === null ? `\`${value}' unsupported protocol` : null;
    case '-f':
    case '--family':
      if (value !== 'ipv4' && value !== 'ipv6') return `\`${value}' unsupported protocol`;
      return setFamily(a, value === 'ipv4' ? 4 : 6);
    case '-m':
    case '--mark':
      a.mark = parseMark(value);
      return null;
    case '-t':
    case '--timeout':
      a.timeout = parseUint(value) ?? 0;
      return null;
    case '-u':
    case '--status':
      for (const s of value.split(',')) {
        if (!STATUSES.includes(s.toUpperCase())) return `Bad parameter \`${s}'`;
        a.status.push(s.toUpperCase());
      }
      return null;
    case '-o':
    case '--output':
      for (const s of value.split(',')) {
        if (!['xml', 'extended', 'timestamp', 'id', 'ktimestamp', 'labels', 'userspace', 'save'].includes(s))
          return `Bad parameter \`${s}'`;
        a.output.add(s);
      }
      return null;
    case '-e':
    case '--event-mask':
      for (const s of value.split(',')) a.events.add(s.toUpperCase());
      return null;
    case '--state':
      a.state = value;
      return TCP_STATES.includes(value) ? null : `unknown TCP state \`${value}'`;
    case '-w':
    case '--zone':
      a.zone = parseUint(value, 0, 65535) ?? 0;
      return null;
    default:
      return null;
  }
}

function natOption(a: Arguments, word: string, r: Reader): string | null {
  if (word === '-j' || word === '--any-nat') a.anyNat = true;
  const next = r.words[r.at];
  let nat: { ip: Ip | null; port: number } = { ip: null, port: 0 };
  if (next !== undefined && !next.startsWith('-')) {
    r.at++;
    const m = /^([^:]+|\[[^\]]+\]):(\d+)$/.exec(next);
    const ip = parseIp(next) ?? (m ? parseIp(m[1].replace(/[[\]]/g, '')) : null);
    if (!ip) return `Invalid IP address \`${next}'`;
    nat = { ip, port: m && !parseIp(next) ? Number(m[2]) : 0 };
  }
  if (word === '-n' || word === '--src-nat') a.srcNat = nat;
  else if (word === '-g' || word === '--dst-nat') a.dstNat = nat;
  return null;
}

function natMatches(a: Arguments, e: CtEntry): boolean {
  if (a.anyNat && !e.snat && !e.dnat) return false;
  if (a.srcNat) {
    if (!e.snat || (a.srcNat.ip && !sameIp(a.srcNat.ip, e.reply.dst))) return false;
    if (a.srcNat.port && a.srcNat.port !== e.reply.dport) return false;
  }
  if (!a.dstNat) return true;
  if (!e.dnat || (a.dstNat.ip && !sameIp(a.dstNat.ip, e.reply.src))) return false;
  return !a.dstNat.port || a.dstNat.port === e.reply.sport;
}

const STATUS_TEST: Record<string, (e: CtEntry) => boolean> = {
  ASSURED: e => e.assured,
  SEEN_REPLY: e => e.seenReply,
  UNREPLIED: e => !e.seenReply,
  UNSET: e => !e.assured && !e.seenReply,
  EXPECTED: e => e.master !== null,
};

export function matches(a: Arguments, e: CtEntry): boolean {
  const { original: o, reply: r } = e;
  if (a.family !== null && o.family !== a.family) return false;
  if (a.proto !== null && o.proto !== a.proto) return false;
  const ends: Record<string, Ip> = { 'orig-src': o.src, 'orig-dst': o.dst, 'reply-src': r.src, 'reply-dst': r.dst };
  for (const [name, net] of a.nets) if (!inCidr(net, ends[name])) return false;
  const fields: Record<string, number | undefined> = {
    sport: o.sport,
    dport: o.dport,
    'reply-sport': r.sport,
    'reply-dport': r.dport,
    'icmp-type': o.icmpType,
    'icmp-code': o.icmpCode,
    'icmp-id': o.icmpId,
  };
  for (const [name, n] of a.numbers) if (fields[name] !== n) return false;
  if (a.state !== null && e.state !== a.state) return false;
  if (a.mark && (e.mark & a.mark[1]) >>> 0 !== a.mark[0]) return false;
  if (a.zone !== null && e.zone !== a.zone) return false;
  if (a.status.some(s => !(STATUS_TEST[s]?.(e) ?? false))) return false;
  return natMatches(a, e);
}
