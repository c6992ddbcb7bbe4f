// The capture filter language (pcap-filter(7)) as predicates over frames: the primitives that people write by hand.
import { type Cidr, type Ip, inCidr, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';
import { type Frame, frameLength, type Packet } from '../../wire/packet.ts';
import { BeyondPacket, comparison, FilterError, mayCompare, SYNTAX } from './pcap-arithmetic.ts';
import { servicePort } from './services.ts';

export type FramePredicate = (f: Frame) => boolean;

const PROTOCOLS: Record<string, (f: Frame) => boolean> = {
  ip: f => packetOf(f)?.family === 4,
  ip6: f => packetOf(f)?.family === 6,
  arp: f => f.payload.kind === 'arp',
  tcp: f => packetOf(f)?.body.kind === 'tcp',
  udp: f => packetOf(f)?.body.kind === 'udp',
  sctp: f => packetOf(f)?.body.kind === 'sctp',
  icmp: f => packetOf(f)?.proto === 1,
  icmp6: f => packetOf(f)?.proto === 58,
};

const packetOf = (f: Frame): Packet | null => (f.payload.kind === 'ip' ? f.payload : null);

type Direction = 'src' | 'dst' | 'either' | 'both';

interface Parser {
  words: string[];
  at: number;
  /** `port 80 or 443`: qualifiers of the last primitive carry over. */
  last: { kind: string; dir: Direction; proto: string | null } | null;
}

const WORD = /\s*(&&|\|\||!=|==|<=|>=|[()![\]&|<>=:]|[^\s()![\]&|<>=]+)/gy;

function lex(text: string): string[] {
  const out: string[] = [];
  for (const m of text.matchAll(WORD)) out.push(m[1]);
  return out;
}

/** null: everything. A text is the complaint of the compiler. */
export function compileFilter(text: string): FramePredicate | string {
  const p: Parser = { words: lex(text), at: 0, last: null };
  if (!p.words.length) return () => true;
  try {
    const f = orTerm(p);
    return p.at < p.words.length ? SYNTAX : frame => whole(f, frame);
  } catch (e) {
    if (e instanceof FilterError) return e.message;
    throw e;
  }
}

function whole(test: FramePredicate, f: Frame): boolean {
  try {
    return test(f);
  } catch (e) {
    if (e instanceof BeyondPacket) return false;
    throw e;
  }
}

const peek = (p: Parser): string | undefined => p.words[p.at];
const isOr = (w: string | undefined) => w === 'or' || w === '||';
const isAnd = (w: string | undefined) => w === 'and' || w === '&&';

/** `and` and `or` have the same weight here, left to right, as in pcap's grammar. */
function orTerm(p: Parser): FramePredicate {
  let left = factor(p);
  for (;;) {
    const w = peek(p);
    if (!isOr(w) && !isAnd(w)) return left;
    p.at++;
    const right = factor(p);
    const before = left;
    left = isOr(w) ? f => before(f) || right(f) : f => before(f) && right(f);
  }
}

function factor(p: Parser): FramePredicate {
  const w = peek(p);
  if (w === undefined) throw new FilterError(SYNTAX);
  if (w === 'not' || w === '!') {
    p.at++;
    const inner = factor(p);
    return f => !inner(f);
  }
  const compared = mayCompare(p) ? tryComparison(p) : null;
  if (compared) return compared;
  if (w === '(') {
    p.at++;
    const inner = orTerm(p);
    if (p.words[p.at++] !== ')') throw new FilterError(SYNTAX);
    return inner;
  }
  return primitive(p);
}

/** Comparison or not shows only behind it: `(tcp[12] & 0xf0) >> 2 = 5`, `(tcp[0] = 1)`; `80` behind `port 443 or` is a port. */
function tryComparison(p: Parser): FramePredicate | null {
  const before = { words: [...p.words], at: p.at };
  try {
    const test = comparison(p);
    p.last = null;
    return test;
  } catch (e) {
    if (!(e instanceof FilterError)) throw e;
    if (before.words[before.at + 1] === '[') throw e;
    Object.assign(p, before);
    return null;
  }
}

function direction(p: Parser): Direction | null {
  const w = peek(p);
  if (w !== 'src' && w !== 'dst') return null;
  p.at++;
  if ((isOr(peek(p)) || isAnd(peek(p))) && (p.words[p.at + 1] === 'dst' || p.words[p.at + 1] === 'src')) {
    const both = isAnd(peek(p));
    p.at += 2;
    return both ? 'both' : 'either';
  }
  return w;
}

const KINDS = new Set(['host', 'net', 'port', 'portrange', 'proto']);

function primitive(p: Parser): FramePredicate {
  let proto: string | null = null;
  const w = peek(p) as string;
  if (w in PROTOCOLS || w === 'ether') {
    const next = p.words[p.at + 1];
    p.at++;
    proto = w;
    if (w !== 'ether' && (next === undefined || (!KINDS.has(next) && next !== 'src' && next !== 'dst'))) {
      p.last = null;
      return PROTOCOLS[w];
    }
  }
  const dir = direction(p);
  const kind = KINDS.has(peek(p) ?? '') ? (p.words[p.at++] as string) : null;
  if (!kind && !dir && !proto) {
    const simple = simpleWord(p);
    if (simple) return simple;
    const before = p.words[p.at - 1];
    if (!isOr(before) && !isAnd(before)) throw new FilterError(SYNTAX);
  }
  if (proto === 'ether' && !kind && !dir && (peek(p) === 'broadcast' || peek(p) === 'multicast')) return simpleWord(p) as FramePredicate;
  const q = kind || dir || !p.last ? { kind: kind ?? 'host', dir: dir ?? 'either', proto } : p.last;
  p.last = q;
  return identifier(p, q);
}

/** `port 80`, and `port (80 or 443)`: what stands in the parentheses has the qualifiers before them. */
function identifier(p: Parser, q: NonNullable<Parser['last']>): FramePredicate {
  const value = p.words[p.at++];
  if (value === undefined || value === ')') throw new FilterError(SYNTAX);
  if (value === 'not' || value === '!') {
    const inner = identifier(p, q);
    return f => !inner(f);
  }
  if (value !== '(') return test(q.kind, q.dir, q.proto, value, p);
  let left = identifier(p, q);
  while (isOr(peek(p)) || isAnd(peek(p))) {
    const or = isOr(p.words[p.at++]);
    const [a, b] = [left, identifier(p, q)];
    left = or ? f => a(f) || b(f) : f => a(f) && b(f);
  }
  if (p.words[p.at++] !== ')') throw new FilterError(SYNTAX);
  return left;
}

function simpleWord(p: Parser): FramePredicate | null {
  const w = peek(p);
  if (w === 'less' || w === 'greater') {
    p.at++;
    const n = Number(p.words[p.at++]);
    return w === 'less' ? f => frameLength(f) <= n : f => frameLength(f) >= n;
  }
  if (w === 'broadcast') {
    p.at++;
    return f => f.dst === 'ff:ff:ff:ff:ff:ff';
  }
  if (w === 'multicast') {
    p.at++;
    return f => (Number.parseInt(f.dst.slice(0, 2), 16) & 1) === 1;
  }
  if (w === 'vlan') {
    p.at++;
    return () => false;
  }
  return null;
}

function bySide(dir: Direction, src: boolean, dst: boolean): boolean {
  return dir === 'src' ? src : dir === 'dst' ? dst : dir === 'both' ? src && dst : src || dst;
}

function addresses(f: Frame): [Ip, Ip] | null {
  if (f.payload.kind === 'arp') return [f.payload.senderIp, f.payload.targetIp];
  return [f.payload.src, f.payload.dst];
}

function test(kind: string, dir: Direction, proto: string | null, value: string, p: Parser): FramePredicate {
  const allowed = proto && proto !== 'ether' ? PROTOCOLS[proto] : () => true;
  if (kind === 'proto') {
    // A protocol's name is a word of the language itself: behind `proto` it takes a backslash.
    if (value in PROTOCOLS) throw new FilterError(SYNTAX);
    const named = PROTOCOLS[value.replace(/^\\/, '')];
    const n = Number(value);
    if (!named && Number.isNaN(n))
      throw new FilterError(proto === 'ether' ? `unknown ether proto '${value}'` : `unknown ip proto '${value}'`);
    if (proto === 'ether') return named ?? (f => (f.payload.kind === 'arp' ? 0x0806 : f.payload.family === 4 ? 0x0800 : 0x86dd) === n);
    return f => allowed(f) && (named ? named(f) : packetOf(f)?.proto === n);
  }
  if (kind === 'port' || kind === 'portrange') return portTest(kind, dir, allowed, value);
  if (proto === 'ether') return f => bySide(dir, f.src === value.toLowerCase(), f.dst === value.toLowerCase());
  if (kind === 'net') {
    let net = netOf(value);
    if (peek(p) === 'mask') {
      p.at++;
      const mask = parseIp(p.words[p.at++]);
      if (net && mask) net = { ip: net.ip, bits: [...mask].reduce((n, b) => n + b.toString(2).replaceAll('0', '').length, 0) };
    }
    if (!net) throw new FilterError(`unknown network '${value}'`);
    const within = net;
    if (value.includes('/') && within.ip.some((b, i) => b & (0xff >> Math.min(8, Math.max(0, within.bits - i * 8)))))
      throw new FilterError(`non-network bits set in "${value}"`);
    return f => allowed(f) && sides(f, dir, a => inCidr(within, a));
  }
  const ip = parseIp(value);
  if (!ip) {
    if (value.includes('/')) return test('net', dir, proto, value, p);
    throw new FilterError(`unknown host '${value}'`);
  }
  return f => allowed(f) && sides(f, dir, a => sameIp(a, ip));
}

function sides(f: Frame, dir: Direction, match: (a: Ip) => boolean): boolean {
  const both = addresses(f);
  return both !== null && bySide(dir, match(both[0]), match(both[1]));
}

/** `10.244` is 10.244.0.0/16. */
function netOf(text: string): Cidr | null {
  if (text.includes('/') || text.includes(':')) return parseCidr(text);
  const parts = text.split('.');
  const full = [...parts, '0', '0', '0'].slice(0, 4).join('.');
  const ip = parseIp(full);
  return ip ? { ip, bits: parts.length * 8 } : null;
}

function portTest(kind: string, dir: Direction, allowed: FramePredicate, value: string): FramePredicate {
  const range = kind === 'portrange' ? value.split('-').map(Number) : null;
  const one = /^\d+$/.test(value) ? Number(value) : (servicePort(value, 'tcp') ?? servicePort(value, 'udp'));
  if (!range && one === null) throw new FilterError(`unknown port '${value}'`);
  if (!range && (one as number) > 65535) throw new FilterError(`illegal port number ${one} > 65535`);
  const hit = (n: number) => (range ? n >= range[0] && n <= range[1] : n === one);
  return f => {
    const b = packetOf(f)?.body;
    if (!b || (b.kind !== 'tcp' && b.kind !== 'udp' && b.kind !== 'sctp')) return false;
    return allowed(f) && bySide(dir, hit(b.sport), hit(b.dport));
  };
}
