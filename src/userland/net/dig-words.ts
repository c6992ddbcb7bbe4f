// dig's command line (bin/dig/dig.c, dighost.c of 9.18 and 9.20): queries, their options, and what is refused.
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import type { EdnsOption, RrType } from '../../wire/dns.ts';
import { type Ip, parseIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { classNamed, type Lookup, type Server, serversNamed, typeNamed } from './bind-lookup.ts';
import { opcodeText } from './dns-text.ts';
import { numericHost, reverseName } from './resolv-conf.ts';
import { DIG_HELP } from './usage/dig.ts';

export interface Query {
  name: string | null;
  type: RrType | null;
  typeGiven: boolean;
  class: Lookup['class'];
  servers: Server[] | null;
  on: Record<string, boolean>;
  timeoutMs: number | null;
  tries: number;
  bufsize: number | null;
  ednsVersion: number;
  ednsFlags: number;
  /** +ednsopt and +subnet, as they are sent. */
  ednsOptions: EdnsOption[];
  padding: number;
  opcode: number;
  ndots: number | null;
  domain: string | null;
  port: number;
  source: Ip | null;
  family: 4 | 6 | null;
  /** Of a line of -f's file: its words, which a banner of its own names. */
  batch?: string[];
}

const DEFAULTS: Record<string, boolean> = {
  cmd: true,
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
  stats: true,
  short: false,
  search: false,
  showsearch: false,
  tcp: false,
  recurse: true,
  edns: true,
  cookie: true,
  dnssec: false,
  adflag: true,
  cdflag: false,
  ttlid: true,
  class: true,
  multiline: false,
  ignore: false,
  identify: false,
  qr: false,
  all: true,
  fail: true,
  badcookie: true,
  rrcomments: false,
  nssearch: false,
  idnout: true,
  idnin: true,
  onesoa: false,
  keepopen: false,
  unknownformat: false,
  ednsneg: true,
  coflag: false,
  'header-only': false,
  besteffort: true,
  aaonly: false,
  aaflag: false,
  raflag: false,
  tcflag: false,
  zflag: false,
  do: false,
  vc: false,
  nsid: false,
  expire: false,
  keepalive: false,
  mapped: true,
  crypto: true,
  split: true,
  rdflag: true,
  defname: false,
  ttlunits: false,
  yaml: false,
  dns64prefix: false,
  trace: false,
  expandaaaa: false,
  micro: false,
};
/** +options whose effect is not modelled. */
const UNMODELLED = new Set(['nssearch', 'https', 'http-plain', 'tls', 'dns64prefix']);

const newQuery = (): Query => ({
  name: null,
  type: null,
  typeGiven: false,
  class: 'IN',
  servers: null,
  on: { ...DEFAULTS },
  timeoutMs: null,
  tries: 3,
  bufsize: null,
  ednsVersion: 0,
  ednsFlags: 0,
  ednsOptions: [],
  padding: 0,
  opcode: 0,
  ndots: null,
  domain: null,
  port: 53,
  source: null,
  family: null,
});

/** Short forms that stand for a whole option. */
const ALIASES: Record<string, string> = {
  ad: 'adflag',
  cd: 'cdflag',
  aa: 'aaflag',
  do: 'dnssec',
  vc: 'tcp',
  rdflag: 'recurse',
  rd: 'recurse',
  defname: 'search',
  ttl: 'ttlid',
  cl: 'class',
};

const USAGE = `Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}
            {global-d-opt} host [@local-server] {local-d-opt}
            [ host [@local-server] {local-d-opt} [...]]

Use "dig -h" (or "dig -h | more") for complete list of options
`;

/** Ends dig with this code; its words have been written. */
class Ended extends Error {
  code: number;
  constructor(code: number) {
    super();
    this.code = code;
  }
}

function fatal(p: Process, text: string, code = 1): never {
  complain(p, text);
  throw new Ended(code);
}

/** The queries that a command line asks for, or the exit code of one that asks for none. */
export function* readQueries(p: Process, u: Userland): Co<Query[] | number> {
  try {
    const words = p.argv.slice(1);
    const fileAt = words.indexOf('-f');
    return fileAt >= 0 ? yield* fromFile(p, u, words, fileAt) : yield* parse(p, u, words);
  } catch (e) {
    if (e instanceof Ended) return e.code;
    throw e;
  }
}

function* fromFile(p: Process, u: Userland, words: string[], at: number): Co<Query[]> {
  const path = words[at + 1] ?? '';
  const data = readFile(p.fs, absolute(path, p.cwd), p);
  if (typeof data === 'string') fatal(p, `${path}: No such file or directory\ndig: couldn't open specified batch file\n`, 8);
  const rest = [...words.slice(0, at), ...words.slice(at + 2)];
  const all: Query[] = [];
  for (const line of bytesToString(data).split('\n')) {
    if (/^([\r#;]|$)/.test(line)) continue;
    const words = line.trim().split(/\s+/).filter(Boolean);
    const [first, ...more] = yield* parse(p, u, [...rest, ...words]);
    all.push({ ...first, batch: words }, ...more);
  }
  return all;
}

/** Options of one letter that take a value. */
const VALUED = 'bcfkpqtxy';

/** Words before the first name are for all queries, those after a name for it. */
function* parse(p: Process, u: Userland, words: string[]): Co<Query[]> {
  const defaults = newQuery();
  // Once a type or class was named by an option, bare words are names.
  let open = true;
  let short = false;
  const queries: Query[] = [];
  let q = defaults;
  const named = () => {
    if (queries.length && q.name === null) return;
    q = { ...defaults, on: { ...defaults.on }, ednsOptions: [...defaults.ednsOptions], name: null };
    queries.push(q);
  };
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    if (w.startsWith('@')) q.servers = (yield* serversNamed(p, u, w.slice(1), q.family)) ?? noServer(p, w.slice(1));
    else if (w.startsWith('+')) {
      q.on.short = short;
      plus(p, q, w.slice(1));
      short = q.on.short;
    } else if (!w.startsWith('-')) word(p, w, queries, () => q, named, defaults, open);
    else {
      const valued = VALUED.includes(w[1] ?? ' ');
      const value = w.length > 2 ? w.slice(2) : valued ? words[++i] : '';
      if (value === undefined || !/^-[46bcfhikmpqrtuvxy]/.test(w)) fatal(p, `Invalid option: ${w}\n${USAGE}`);
      if (w[1] === 'x' || w[1] === 'q') named();
      if (w[1] === 'c' || w[1] === 't') open = false;
      dash(p, q, w[1], value);
    }
  }
  const asked = queries.filter(x => x.name !== null);
  const only = queries[0] ?? defaults;
  // Without a name the servers of the root are asked for, whatever type was named.
  const all = asked.length ? asked : [{ ...only, name: '.', type: 'NS' as RrType }];
  // +short is dig's own, whichever query it stands at; the last one counts.
  for (const q of all) q.on.short = short;
  return all;
}

const noServer = (p: Process, name: string): never => fatal(p, `dig: couldn't get address for '${name}': not found\n`);

/** in-addr.arpa or ip6.arpa of an address; what is none has its labels turned round. */
function reverse(text: string): string {
  const at = text.includes(':') || /^\d+(\.\d+){3}$/.test(text) ? numericHost(text) : null;
  return at ? reverseName(at) : `${text.split('.').reverse().join('.')}.in-addr.arpa`;
}

/** An option of one letter, with its value. */
function dash(p: Process, q: Query, letter: string, value: string): void {
  const warn = (what: string) => complain(p, `;; Warning, ignoring invalid ${what} ${value}\n`);
  if (letter === '4' || letter === '6') {
    const family = letter === '4' ? 4 : 6;
    if (q.family && q.family !== family) fatal(p, 'dig: only one of -4 and -6 allowed\n');
    q.family = family;
  } else if (letter === 'x') {
    q.name = reverse(value);
    if (!q.typeGiven) q.type = 'PTR';
  } else if (letter === 't') {
    const type = typeNamed(value);
    if (!type) warn('type');
    else Object.assign(q, { type, typeGiven: true });
  } else if (letter === 'c') {
    const cls = classNamed(value);
    if (!cls) warn('class');
    else q.class = cls;
  } else if (letter === 'q') q.name = value;
  else if (letter === 'p') q.port = integer(p, 'port number', value, 0, 65_535, 1);
  else if (letter === 'b') q.source = parseIp(value.replace(/#.*/, '')) ?? fatal(p, `dig: invalid address ${value}\n`);
  else if (letter === 'u') q.on.micro = true;
  else if (letter === 'k') complain(p, `Couldn't read key from ${value}: file not found\n`);
  else if (letter === 'y') {
    if (!value.includes(':')) fatal(p, USAGE);
    fatal(p, 'dig: podnet does not model TSIG (-y)\n');
  } else if (letter === 'h') {
    print(p, DIG_HELP);
    throw new Ended(0);
  }
}

/** parse_uint's two lines. */
function integer(p: Process, what: string, text: string, least: number, most: number, code = 10): number {
  const bad = !/^\d+$/.test(text) ? 'not a valid number' : Number(text) > most || Number(text) < least ? 'out of range' : null;
  if (bad) {
    print(p, `invalid ${what} '${text}': ${bad}\n`);
    fatal(p, `dig: Couldn't parse ${what}\n`, code);
  }
  return Number(text);
}

/** A bare word is a type, a class, or a name. */
function word(p: Process, w: string, queries: Query[], current: () => Query, named: () => void, defaults: Query, open: boolean): void {
  const transfer = /^ixfr=(\d+)$/i.test(w);
  const type = !open ? null : transfer ? 'AXFR' : typeNamed(w);
  const cls = open ? classNamed(w) : null;
  const q = queries.length ? current() : defaults;
  if (type) {
    if (q.typeGiven && q.name !== null) complain(p, ';; Warning, extra type option\n');
    q.type = type;
    q.typeGiven = true;
  } else if (cls) q.class = cls;
  else {
    const had = queries.length > 0 && current().name !== null;
    named();
    const now = current();
    now.name = w;
    if (had) Object.assign(now, { type: defaults.type, typeGiven: defaults.typeGiven });
  }
}

/** +options with a number: what they are called, least, most, what they do. */
const NUMERIC: Record<string, [string, number, number, (q: Query, n: number) => void]> = {
  time: ['timeout', 0, 0xffff, (q, n) => (q.timeoutMs = Math.max(1, n) * 1000)],
  timeout: ['timeout', 0, 0xffff, (q, n) => (q.timeoutMs = Math.max(1, n) * 1000)],
  tries: ['tries', 0, 0xffff, (q, n) => (q.tries = Math.max(1, n))],
  retry: ['retries', 0, 0xfffffffe, (q, n) => (q.tries = n + 1)],
  // Kept in sixteen bits with a sign; less than nothing is as if it was not said.
  bufsize: ['buffer size', 0, 65_535, (q, n) => (q.bufsize = n < 0x8000 ? n : null)],
  ndots: ['ndots', 0, 0xffff, (q, n) => (q.ndots = n)],
  edns: ['edns', 0, 255, (q, n) => (q.ednsVersion = n)],
  split: ['split', 0, 1023, () => undefined],
  padding: ['padding', 0, 512, (q, n) => (q.padding = n)],
  opcode: ['opcode', 0, 15, (q, n) => (q.opcode = n)],
};

const OPCODES = Array.from({ length: 16 }, (_, n) => opcodeText(n).toLowerCase());

/** +options that put something into the query's EDNS record. */
const OPTIONS: Record<string, (p: Process, q: Query, value: string | null, all: string) => void> = {
  subnet: (p, q, value) => {
    q.ednsOptions = q.ednsOptions.filter(o => o.code !== SUBNET);
    if (value !== null) q.ednsOptions.push({ code: SUBNET, data: subnetBytes(p, value) });
  },
  ednsopt: (p, q, value) => {
    if (value === null) q.ednsOptions = [];
    else q.ednsOptions.push(givenOption(p, value));
  },
  ednsflags: (p, q, value) => {
    const n = value ? Number(value) : 0;
    if (!Number.isInteger(n)) fatal(p, `dig: Couldn't parse ednsflags\n`, 10);
    q.ednsFlags = value === null ? 0 : n & 0x7fff;
  },
};

const SUBNET = 8;
const OPTION_NAMES: Record<string, number> = {
  llq: 1,
  ul: 2,
  nsid: 3,
  dau: 5,
  dhu: 6,
  n3u: 7,
  ecs: 8,
  expire: 9,
  cookie: 10,
  keepalive: 11,
  pad: 12,
  padding: 12,
  chain: 13,
  'key-tag': 14,
  ede: 15,
};

/** `ADDRESS[/BITS]`, or 0 for none of it; only the bytes that the prefix takes are sent (RFC 7871). */
function subnetBytes(p: Process, text: string): Uint8Array {
  const [address, bits] = text.split('/');
  const ip = parseIp(
    address === '0' ? '0.0.0.0' : /^[\d.]+$/.test(address) ? [...address.split('.'), 0, 0, 0].slice(0, 4).join('.') : address,
  );
  if (!ip) return fatal(p, `dig: invalid address '${text}'\n`);
  const given = bits === undefined ? ip.length * 8 : integer(p, 'prefix length', bits, 0, 0xffffffff);
  const length = address === '0' ? 0 : Math.min(given, ip.length * 8);
  const bytes = ip.slice(0, Math.ceil(length / 8));
  if (length % 8) bytes[bytes.length - 1] &= 0xff << (8 - (length % 8));
  return Uint8Array.from([0, ip.length === 4 ? 1 : 2, length, 0, ...bytes]);
}

/** `CODE[:HEX]`, the code as a number or a name. */
function givenOption(p: Process, text: string): EdnsOption {
  const [code, digits = ''] = text.split(':');
  if (!code) fatal(p, 'ednsopt no code point specified\n');
  const number = OPTION_NAMES[code.toLowerCase()] ?? Number(code);
  if (!Number.isInteger(number) || number > 0xffff) fatal(p, `dig: bad edns code point: ${code}\n`);
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) fatal(p, `isc_hex_decodestring: bad hex encoding\n`);
  return { code: number, data: Uint8Array.from(digits.match(/../g) ?? [], x => Number.parseInt(x, 16)) };
}

/** One +option. */
function plus(p: Process, q: Query, text: string): void {
  const [full, value] = text.split('=');
  const off = full.startsWith('no');
  const numeric = NUMERIC[full];
  if (numeric && (value !== undefined || !(full in DEFAULTS))) {
    const [what, least, most, set] = numeric;
    if (value === undefined) fatal(p, `Invalid option: +${text}\n${USAGE}`);
    const named = full === 'opcode' ? OPCODES.indexOf(value.toLowerCase()) : -1;
    set(q, named >= 0 ? named : integer(p, what, value, least, most));
    return;
  }
  if (full === 'noopcode') {
    q.opcode = 0;
    return;
  }
  if (full === 'domain' && value !== undefined) {
    q.domain = value;
    q.on.search = true;
    return;
  }
  const bare = off ? full.slice(2) : full;
  if (OPTIONS[bare]) {
    OPTIONS[bare](p, q, off ? null : (value ?? ''), text.slice(full.length + 1));
    return;
  }
  if (UNMODELLED.has(bare) && !off) fatal(p, `dig: podnet does not model +${bare}\n`);
  if (bare === 'mapped') complain(p, ';; +mapped option is deprecated');
  if (bare === 'dscp') {
    complain(p, ';; +dscp option is obsolete and has no effect\n');
    return;
  }
  const known = Object.keys(DEFAULTS).filter(k => k === bare || (bare.length > 2 && k.startsWith(bare)));
  const name = ALIASES[bare] ?? known.find(k => k === bare) ?? known[0];
  if (!name) fatal(p, `Invalid option: +${text}\n${USAGE}`);
  const parts = ['question', 'answer', 'authority', 'additional', 'comments', 'stats', 'cmd'];
  if (name === 'all') for (const k of parts) q.on[k] = !off;
  else if (name === 'short') {
    q.on.short = !off;
    if (!off) for (const k of parts) if (k !== 'answer') q.on[k] = false;
  } else if (name === 'showsearch') Object.assign(q.on, { showsearch: !off, search: !off });
  else if (name === 'trace') Object.assign(q.on, { trace: !off, dnssec: !off });
  else q.on[name] = !off;
}
