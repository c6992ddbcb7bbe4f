// conntrack(8) of conntrack-tools 1.4.7: -L -D -G -I -U -F -C -S -E.
import { deleteEntries, findEntry, insertEntry, liveEntries, removeEntry, sweep } from '../../linux/netfilter/conntrack.ts';
import { entryCommand, entryText, entryXml } from '../../linux/netfilter/conntrack-text.ts';
import { invert } from '../../linux/netfilter/tuple.ts';
import type { CtEntry, CtTuple } from '../../linux/netfilter/types.ts';
import { parseMark, parseUint } from '../../linux/netfilter/values.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { type Cidr, type Family, type Ip, inCidr, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';

interface Arguments {
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
  /** Ports and ICMP fields by option: sport, dport, reply-port-src … */
  numbers: Map<string, number>;
  srcNat: { ip: Ip | null; port: number } | null;
  dstNat: { ip: Ip | null; port: number } | null;
  anyNat: boolean;
  events: Set<string>;
}

const PROTOS: Record<string, number> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, sctp: 132 };
const COMMANDS: Record<string, string> = {
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
const PORTS: Record<string, string> = {
  '--sport': 'sport',
  '--orig-port-src': 'sport',
  '--dport': 'dport',
  '--orig-port-dst': 'dport',
  '--reply-port-src': 'reply-sport',
  '--reply-port-dst': 'reply-dport',
};
const ICMP: Record<string, string> = { '--icmp-type': 'icmp-type', '--icmp-code': 'icmp-code', '--icmp-id': 'icmp-id' };
const STATUSES = ['ASSURED', 'SEEN_REPLY', 'UNSET', 'FIXED_TIMEOUT', 'EXPECTED', 'OFFLOAD', 'HW_OFFLOAD', 'UNREPLIED'];

const version = (v: string) => `conntrack v${v} (conntrack-tools)`;

interface Reader {
  words: string[];
  at: number;
}

function parse(argv: string[]): Arguments | string {
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
function option(a: Arguments, word: string, r: Reader): string | null {
  if (word === '-n' || word === '--src-nat' || word === '-g' || word === '--dst-nat' || word === '-j' || word === '--any-nat')
    return natOption(a, word, r);
  const known =
    word in NETS ||
    '-p -f -t -m -u -o -e -w -c -l -b -i --proto --family --timeout --mark --status --output --state --zone --event-mask --orig-zone --reply-zone --label --buffer-size --id --secmark'
      .split(' ')
      .includes(word); // prettier-ignore
  const ported = word in PORTS && a.proto !== null && a.proto !== 1 && a.proto !== 58;
  const icmp = word in ICMP && (a.proto === 1 || a.proto === 58);
  const vtag = (word === '--orig-vtag' || word === '--reply-vtag') && a.proto === 132;
  if (!known && !ported && !icmp && !vtag) return `unknown option \`${word}'`;
  const value = r.words[r.at++];
  if (value === undefined) return `option \`${word}' requires an argument`;
  if (word in NETS) {
    const net = parseCidr(value);
    if (!net) return `Invalid IP address \`${value}'`;
    a.nets.set(NETS[word], net);
    return null;
  }
  if (ported || icmp) {
    a.numbers.set((ported ? PORTS : ICMP)[word], parseUint(value, 0, 65535) ?? 0);
    return null;
  }
  return plainOption(a, word, value);
}

function plainOption(a: Arguments, word: string, value: string): string | null {
  switch (word) {
    case '-p':
    case '--proto':
      a.proto = PROTOS[value] ?? parseUint(value, 0, 255);
      return a.proto === null ? `\`${value}' unsupported protocol` : null;
    case '-f':
    case '--family':
      if (value !== 'ipv4' && value !== 'ipv6') return `Unknown \`${value}' protocol family`;
      a.family = value === 'ipv4' ? 4 : 6;
      return null;
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
      a.state = value.toUpperCase();
      return null;
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

function matches(a: Arguments, e: CtEntry): boolean {
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

function show(p: Process, a: Arguments, e: CtEntry, use = 1): void {
  if (a.output.has('save')) print(p, `${entryCommand(p.netns, e)}\n`);
  else if (a.output.has('xml')) print(p, `${entryXml(p.netns, e)}\n`);
  else print(p, `${entryText(p.netns, e, { extended: a.output.has('extended'), id: a.output.has('id'), use })}\n`);
}

function done(p: Process, v: string, n: number, what: string): void {
  complain(p, `${version(v)}: ${n} flow entries have been ${what}.\n`);
}

function list(p: Process, v: string, a: Arguments): number {
  const found = liveEntries(p.netns).filter(e => matches(a, e));
  if (a.output.has('xml') && found.length) print(p, '<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n');
  for (const e of found) show(p, a, e);
  if (a.output.has('xml') && found.length) print(p, '</conntrack>\n');
  done(p, v, found.length, 'shown');
  return 0;
}

function remove(p: Process, v: string, a: Arguments): number {
  const found = liveEntries(p.netns).filter(e => matches(a, e));
  for (const e of found) {
    show(p, a, e);
    removeEntry(p.netns.netfilter.conntrack, e);
  }
  if (found.length) p.netns.dirty.add('conntrack');
  done(p, v, found.length, 'deleted');
  return found.length ? 0 : 1;
}

/** The flow that -s, -d, -p and the ports describe. */
function tupleFrom(a: Arguments): CtTuple | null {
  const src = a.nets.get('orig-src')?.ip ?? a.nets.get('reply-dst')?.ip;
  const dst = a.nets.get('orig-dst')?.ip ?? a.nets.get('reply-src')?.ip;
  if (!src || !dst || a.proto === null) return null;
  const t: CtTuple = {
    family: src.length === 4 ? 4 : 6,
    proto: a.proto,
    src,
    dst,
    sport: a.numbers.get('sport') ?? 0,
    dport: a.numbers.get('dport') ?? 0,
  };
  if (a.proto === 1 || a.proto === 58) {
    t.icmpType = a.numbers.get('icmp-type') ?? (a.proto === 1 ? 8 : 128);
    t.icmpCode = a.numbers.get('icmp-code') ?? 0;
    t.icmpId = a.numbers.get('icmp-id') ?? 0;
  }
  return t;
}

const usage = (p: Process, v: string, text: string): number => {
  complain(p, `${version(v)}: ${text}\nTry \`conntrack -h' or 'conntrack --help' for more information.\n`);
  return 2;
};

const failed = (p: Process, v: string, text: string): number => {
  complain(p, `${version(v)}: Operation failed: ${text}\n`);
  return 1;
};

function create(p: Process, v: string, a: Arguments): number {
  if (a.timeout === null) return usage(p, v, "You need to supply the `--timeout' option for this command");
  if (a.proto === null) return usage(p, v, "You need to supply the `--proto' option for this command");
  const t = tupleFrom(a);
  if (!t) return failed(p, v, 'invalid parameters');
  if (t.proto === 6 && a.state === null) return failed(p, v, 'invalid parameters');
  const reply = invert(t);
  const replySrc = a.dstNat?.ip ?? a.nets.get('reply-src')?.ip;
  const replyDst = a.srcNat?.ip ?? a.nets.get('reply-dst')?.ip;
  if (replySrc) reply.src = replySrc;
  if (replyDst) reply.dst = replyDst;
  reply.sport = a.dstNat?.port || (a.numbers.get('reply-sport') ?? reply.sport);
  reply.dport = a.srcNat?.port || (a.numbers.get('reply-dport') ?? reply.dport);
  if (findEntry(p.netns, t) || findEntry(p.netns, reply)) return failed(p, v, 'Such conntrack exists, try -U to update');
  insertEntry(p.netns, t, reply, {
    timeoutSeconds: a.timeout,
    state: a.state ?? 'NONE',
    seenReply: a.status.includes('SEEN_REPLY') || a.status.includes('ASSURED'),
    assured: a.status.includes('ASSURED'),
    snat: !sameIp(reply.dst, t.src) || (t.icmpId === undefined && reply.dport !== t.sport),
    dnat: !sameIp(reply.src, t.dst) || (t.icmpId === undefined && reply.sport !== t.dport),
    natDone: { prerouting: true, postrouting: true },
    mark: a.mark?.[0] ?? 0,
    zone: a.zone ?? 0,
  });
  p.netns.dirty.add('conntrack');
  done(p, v, 1, 'created');
  return 0;
}

function getOrUpdate(p: Process, v: string, a: Arguments): number {
  const t = tupleFrom(a);
  if (a.command === 'U' && !t) {
    const found = liveEntries(p.netns).filter(e => matches({ ...a, mark: null }, e));
    for (const e of found) update(p, a, e);
    done(p, v, found.length, 'updated');
    return 0;
  }
  const e = t ? findEntry(p.netns, t, a.zone ?? 0) : null;
  if (!e) return failed(p, v, "such conntrack doesn't exist");
  if (a.command === 'U') update(p, a, e);
  else show(p, a, e, 2);
  done(p, v, 1, a.command === 'U' ? 'updated' : 'shown');
  return 0;
}

function update(p: Process, a: Arguments, e: CtEntry): void {
  if (a.mark) e.mark = ((e.mark & ~a.mark[1]) | a.mark[0]) >>> 0;
  if (a.timeout !== null) e.expiresAtMs = p.kernel.sim.nowMs + a.timeout * 1000;
  if (a.state !== null) e.state = a.state;
  p.netns.dirty.add('conntrack');
  show(p, a, e, 2);
}

function statistics(p: Process): number {
  const s = p.netns.netfilter.conntrack.stats;
  const line = (cpu: number, own: boolean) => {
    const n = (x: number) => (own ? x : 0);
    return `cpu=${cpu}   \tfound=${n(s.found)} invalid=${n(s.invalid)} insert=${n(s.insert)} insert_failed=${n(s.insertFailed)} drop=${n(s.drop)} early_drop=${n(s.earlyDrop)} error=0 search_restart=0 clash_resolve=0 chaintoolong=0 \n`;
  };
  print(p, line(0, true) + line(1, false));
  return 0;
}

/** Events until a signal: new flows, changes of state, ends. */
function* follow(p: Process, v: string, a: Arguments): Co<number> {
  const { conntrack } = p.netns.netfilter;
  let n = 0;
  const seen = (kind: 'NEW' | 'UPDATE' | 'DESTROY', e: CtEntry) => {
    if (!matches(a, e) || (a.events.size && !a.events.has('ALL') && !a.events.has(kind) && !a.events.has(`${kind}S`))) return;
    n++;
    const text = entryText(p.netns, e, { withoutTimeout: kind === 'DESTROY', extended: a.output.has('extended'), id: a.output.has('id') });
    print(p, `${`[${kind}]`.padStart(9)} ${text.replace(/ mark=0/, '').replace(/ use=\d+/, '')}\n`);
  };
  conntrack.listeners.add(seen);
  p.cleanup.push(() => {
    conntrack.listeners.delete(seen);
  });
  let stopped = false;
  const queue = new Set<() => void>();
  const stop = () => {
    stopped = true;
    for (const wake of [...queue]) wake();
  };
  p.onSignal.set('INT', stop);
  p.onSignal.set('TERM', stop);
  while (!stopped) yield* waitOn(p.kernel.sim, [queue]);
  complain(p, `${version(v)}: ${n} flow events have been shown.\n`);
  return 0;
}

export const conntrackProgram = (v: string): Program =>
  function* conntrack(p: Process): Co<number> {
    const argv = p.argv.slice(1);
    if (argv[0] === '-V' || argv[0] === '--version') {
      print(p, `${version(v)}\n`);
      return 0;
    }
    if (!argv.length || argv[0] === '-h' || argv[0] === '--help') {
      print(p, `Command line interface for the connection tracking system. Version ${v}\nUsage: conntrack [commands] [options]\n\n`);
      return 0;
    }
    const a = parse(argv);
    if (typeof a === 'string') return usage(p, v, a);
    if (!a.command) return usage(p, v, 'Invalid commands combination');
    if (!p.caps.has('NET_ADMIN')) return failed(p, v, 'Operation not permitted');
    sweep(p.netns);
    switch (a.command) {
      case 'L':
        return list(p, v, a);
      case 'D':
        return remove(p, v, a);
      case 'F':
        deleteEntries(p.netns, () => true);
        p.netns.dirty.add('conntrack');
        complain(p, `${version(v)}: connection tracking table has been emptied.\n`);
        return 0;
      case 'C':
        print(p, `${p.netns.netfilter.conntrack.count}\n`);
        return 0;
      case 'S':
        return statistics(p);
      case 'I':
        return create(p, v, a);
      case 'E':
        return yield* follow(p, v, a);
      case 'expect':
        complain(p, `${version(v)}: 0 expectations have been shown.\n`);
        return 0;
      case 'dying':
      case 'unconfirmed':
        done(p, v, 0, 'shown');
        return 0;
      default:
        return getOrUpdate(p, v, a);
    }
  };
