// traceroute of Dmitry Butskoy (2.1.2), with the complaints of its option parser (libsupp/clif.c).

import { complain, print, strerror } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Family, familyOf, formatIp, type Ip } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { gaiStrerror, getaddrinfo } from './resolver.ts';
import { hopsBack, type Trip, walk } from './trip.ts';
import { TRACEROUTE_USAGE } from './usage/traceroute.ts';

interface Option {
  short?: string;
  long?: string;
  /** What its argument is called in complaints; without: it takes none. */
  arg?: string;
  /** The argument must be such a number. */
  number?: 'integer' | 'real' | 'wait';
}

const OPTIONS: Option[] = [
  { short: '4' },
  { short: '6' },
  { short: 'd', long: 'debug' },
  { short: 'F', long: 'dont-fragment' },
  { short: 'f', long: 'first', arg: 'first_ttl', number: 'integer' },
  { short: 'g', long: 'gateway', arg: 'gate,...' },
  { short: 'I', long: 'icmp' },
  { short: 'T', long: 'tcp' },
  { short: 'i', long: 'interface', arg: 'device' },
  { short: 'm', long: 'max-hops', arg: 'max_ttl', number: 'integer' },
  { short: 'N', long: 'sim-queries', arg: 'squeries', number: 'integer' },
  { short: 'n' },
  { short: 'p', long: 'port', arg: 'port', number: 'integer' },
  { short: 't', long: 'tos', arg: 'tos', number: 'integer' },
  { short: 'l', long: 'flowlabel', arg: 'flow_label', number: 'integer' },
  { short: 'w', long: 'wait', arg: 'MAX,HERE,NEAR', number: 'wait' },
  { short: 'q', long: 'queries', arg: 'nqueries', number: 'integer' },
  { short: 'r' },
  { short: 's', long: 'source', arg: 'src_addr' },
  { short: 'z', long: 'sendwait', arg: 'sendwait', number: 'real' },
  { short: 'e', long: 'extensions' },
  { short: 'A', long: 'as-path-lookups' },
  { short: 'M', long: 'module', arg: 'name' },
  { short: 'O', long: 'options', arg: 'OPTS,...' },
  { long: 'sport', arg: 'num', number: 'integer' },
  { long: 'fwmark', arg: 'num', number: 'integer' },
  { short: 'U', long: 'udp' },
  { long: 'UL' },
  { short: 'D', long: 'dccp' },
  { short: 'P', long: 'protocol', arg: 'prot' },
  { long: 'mtu' },
  { long: 'back' },
  { short: 'V', long: 'version' },
  { long: 'help' },
];

const NUMBERS = {
  integer: /^(0[xX][0-9a-fA-F]+|\d+)$/,
  real: /^-?(\d+\.?\d*|\.\d+)$/,
  wait: /^-?(\d+\.?\d*|\.\d+)(,-?(\d+\.?\d*|\.\d+)){0,2}$/,
};

interface Words {
  values: Map<string, string>;
  operands: { text: string; at: number }[];
}

/** A command line that cannot be used: the complaint. */
class Complaint extends Error {}

const nameOf = (o: Option): string => o.short ?? (o.long as string);

function readWords(argv: string[]): Words {
  const w: Words = { values: new Map(), operands: [] };
  const take = (o: Option, shown: string, given: string | undefined, at: number): number => {
    if (!o.arg) {
      w.values.set(nameOf(o), '');
      return at;
    }
    const value = given ?? argv[at + 1];
    const here = given === undefined ? at + 1 : at;
    if (value === undefined) throw new Complaint(`Option \`${shown}' (argc ${at}) requires an argument: \`${shown} ${o.arg}'\n`);
    if (o.number && !NUMBERS[o.number].test(value))
      throw new Complaint(`Cannot handle \`${shown}' option with arg \`${value}' (argc ${here})\n`);
    w.values.set(nameOf(o), value);
    return here;
  };
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i];
    const long = /^--([^=]+)(?:=(.*))?$/s.exec(word);
    if (long) {
      const o = OPTIONS.find(x => x.long === long[1]);
      if (!o) throw new Complaint(`Bad option \`--${long[1]}' (argc ${i})\n`);
      i = take(o, `--${long[1]}`, long[2], i);
    } else if (word === '-UL') w.values.set('UL', '');
    else if (/^-./.test(word)) {
      for (let k = 1, at = i; k < word.length && at === i; k++) {
        const o = OPTIONS.find(x => x.short === word[k]);
        if (!o) throw new Complaint(`Bad option \`-${word[k]}' (argc ${i})\n`);
        const rest = o.arg ? word.slice(k + 1) : '';
        i = take(o, `-${word[k]}`, rest || undefined, i);
        if (o.arg) break;
        at = i;
      }
    } else w.operands.push({ text: word, at: i });
  }
  return w;
}

/** The limits that main() checks when all words are read, in its order. */
function badLimits(t: { first: number; hops: number; queries: number; wait: number[]; length: number }): string | null {
  if (t.hops > 255) return 'max hops cannot be more than 255';
  if (t.first < 1 || t.first > t.hops) return 'first hop out of range';
  if (t.queries < 1 || t.queries > 10) return 'no more than 10 probes per hop';
  if (t.wait.some(x => x < 0)) return `bad wait specifications \`${[...t.wait, 0, 0, 0].slice(0, 3).join(',')}' used`;
  if (t.length > 65_000) return `too big packetlen ${t.length} specified`;
  return null;
}

const NOT_MODELLED: [string, string][] = [
  ['g', 'source routes'],
  ['P', 'raw protocols'],
  ['UL', 'UDP-Lite'],
];

export const traceroute = (u: Userland): Program =>
  function* traceroute(p: Process): Co<number> {
    if (p.argv.length < 2 || p.argv.includes('--help')) {
      complain(p, TRACEROUTE_USAGE);
      return 0;
    }
    try {
      return yield* run(p, u, readWords(p.argv));
    } catch (e) {
      if (!(e instanceof Complaint)) throw e;
      complain(p, e.message);
      return 2;
    }
  };

function* run(p: Process, u: Userland, w: Words): Co<number> {
  const has = (name: string) => w.values.has(name);
  const number = (name: string, otherwise: number) => Number(w.values.get(name) ?? otherwise);
  if (has('V')) {
    complain(p, 'Modern traceroute for Linux, version 2.1.2\nCopyright (c) 2016  Dmitry Butskoy,   License: GPL v2 or any later\n');
    return 0;
  }
  const source = yield* sourceOf(p, u, w);
  const [host, length, extra] = w.operands;
  if (!host) throw new Complaint('Specify "host" missing argument.\n');
  const family: Family | null = p.argv[0].endsWith('6') || has('6') ? 6 : has('4') ? 4 : null;
  const found = yield* getaddrinfo(p, host.text, { libc: u.libc, family });
  if (typeof found === 'string')
    throw new Complaint(
      `${host.text}: ${gaiStrerror(u.libc, found)}\nCannot handle "host" cmdline arg \`${host.text}' on position 1 (argc ${host.at})\n`,
    );
  if (length && !NUMBERS.integer.test(length.text))
    throw new Complaint(`Cannot handle "packetlen" cmdline arg \`${length.text}' on position 2 (argc ${length.at})\n`);
  if (extra) throw new Complaint(`Extra arg \`${extra.text}' (position 3, argc ${extra.at})\n`);
  const module = w.values.get('M') ?? (has('I') ? 'icmp' : has('T') ? 'tcp' : has('U') ? 'udp' : 'default');
  if (!['icmp', 'tcp', 'udp', 'default'].includes(module)) throw new Complaint(`Unknown traceroute module ${module}\n`);
  const missing = NOT_MODELLED.find(([name]) => has(name));
  if (missing) throw new Complaint(`podnet does not model ${missing[1]}\n`);
  // IPv4 is preferred whatever RFC 6724 says.
  const to = found.addresses.find(a => a.length === 4) ?? found.addresses[0];
  const header = familyOf(to) === 4 ? 28 : 48;
  const asked = length ? Number(length.text) : has('mtu') ? 65_000 : header + 32;
  const wait = (w.values.get('w') ?? '5').split(',').map(Number);
  const limits = { first: number('f', 1), hops: number('m', 30), queries: number('q', 3), wait, length: asked };
  const bad = badLimits(limits);
  if (bad) throw new Complaint(`${bad}\n`);
  const shown = Math.max(header, asked);
  const method = module === 'default' ? 'udp' : (module as Trip['method']);
  const t: Trip = {
    p,
    u,
    to,
    method,
    port: number('p', module === 'tcp' ? 80 : module === 'udp' ? 53 : 33434) & 0xffff,
    samePort: module === 'udp',
    size: (has('mtu') ? Math.min(shown, 1500) : shown) - header,
    ...limits,
    waitMs: wait[0] * 1000,
    numeric: has('n'),
    df: has('F') || has('mtu'),
    source,
    device: w.values.get('i'),
    gap: ' ',
    endsLate: true,
    connected: true,
    note: (hop, ttl) => (has('back') && hopsBack(hop.replyTtl) !== ttl ? ` '-${hopsBack(hop.replyTtl)}` : ''),
  };
  // These two are connected before the first line is written (icmp_init, tcp_init).
  const early = method === 'udp' ? null : yield* connectProblem(p, to);
  if (early) {
    complain(p, `\nconnect: ${strerror(early)}\n`);
    return 1;
  }
  print(p, `traceroute to ${host.text} (${formatIp(to)}), ${t.hops} hops max, ${shown} byte packets`);
  const failed = yield* walk(t);
  if (!failed) return 0;
  complain(p, `\n${failed.call}: ${strerror(failed.errno)}\n`);
  return 1;
}

function* connectProblem(p: Process, to: Ip): Co<Errno | null> {
  const s = socket(p, 'udp', familyOf(to));
  if (typeof s === 'string') return s;
  const e = yield* connect(s, to, 1);
  close(s);
  return e;
}

function* sourceOf(p: Process, u: Userland, w: Words): Co<Ip | null> {
  const text = w.values.get('s');
  if (text === undefined) return null;
  const found = yield* getaddrinfo(p, text, { libc: u.libc });
  if (typeof found !== 'string') return found.addresses[0];
  throw new Complaint(
    `${text}: ${gaiStrerror(u.libc, found)}\nCannot handle \`-s' option with arg \`${text}' (argc ${p.argv.indexOf(text)})\n`,
  );
}
