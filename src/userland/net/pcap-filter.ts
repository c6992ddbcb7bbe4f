// The capture filter language (pcap-filter(7)) as predicates over frames: the primitives that people write by hand.
import { type Cidr, type Ip, inCidr, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';
import { type Frame, frameLength, type Packet } from '../../wire/packet.ts';
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

class FilterError extends Error {}

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
    return p.at < p.words.length ? "can't parse filter expression: syntax error" : f;
  } catch (e) {
    if (e instanceof FilterError) return e.message;
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
  if (w === undefined) throw new FilterError("can't parse filter expression: syntax error");
  if (w === 'not' || w === '!') {
    p.at++;
    const inner = factor(p);
    return f => !inner(f);
  }
  if (w === '(') {
    p.at++;
    const inner = orTerm(p);
    if (p.words[p.at++] !== ')') throw new FilterError("can't parse filter expression: syntax error");
    return inner;
  }
  return primitive(p);
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
    if (next === '[') return bytesTest(p);
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
  }
  const value = p.words[p.at++];
  if (value === undefined) throw new FilterError("can't parse filter expression: syntax error");
  const q = kind || dir || !p.last ? { kind: kind ?? 'host', dir: dir ?? 'either', proto } : p.last;
  p.last = q;
  return test(q.kind, q.dir, q.proto, value, p);
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
    const n = Number(value.replace('\\', ''));
    const named = PROTOCOLS[value.replace('\\', '')];
    return named ?? (f => packetOf(f)?.proto === n);
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
  const range = kind === 'portrange' || /^\d+-\d+$/.test(value) ? value.split('-').map(Number) : null;
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

const FLAGS: Record<string, number> = { 'tcp-fin': 1, 'tcp-syn': 2, 'tcp-rst': 4, 'tcp-push': 8, 'tcp-ack': 16, 'tcp-urg': 32 };
const ICMP: Record<string, number> = {
  'icmp-echoreply': 0,
  'icmp-unreach': 3,
  'icmp-redirect': 5,
  'icmp-echo': 8,
  'icmp-timxceed': 11,
  'icmp6-echo': 128,
  'icmp6-echoreply': 129,
};

/** `tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn`, `icmp[icmptype] != icmp-echo`. */
function bytesTest(p: Parser): FramePredicate {
  const proto = p.words[p.at];
  const field = p.words[p.at + 2];
  if (p.words[p.at + 3] !== ']') throw new FilterError("can't parse filter expression: syntax error");
  p.at += 4;
  const read = fieldOf(proto, field);
  let mask = 0xff;
  if (peek(p) === '&') {
    p.at++;
    mask = numberTerm(p);
  }
  const op = p.words[p.at++];
  const wanted = numberTerm(p);
  return f => {
    const v = read(f);
    if (v === null) return false;
    const x = v & mask;
    if (op === '!=') return x !== wanted;
    if (op === '>') return x > wanted;
    if (op === '<') return x < wanted;
    return x === wanted;
  };
}

function fieldOf(proto: string, field: string): (f: Frame) => number | null {
  if (proto === 'tcp' && (field === 'tcpflags' || field === '13')) {
    return f => {
      const b = packetOf(f)?.body;
      return b?.kind === 'tcp' ? b.flags : null;
    };
  }
  if ((proto === 'icmp' || proto === 'icmp6') && /^(?:icmp6?type|icmp6?code|0|1)$/.test(field)) {
    const code = /code|^1$/.test(field);
    return f => {
      const b = packetOf(f)?.body;
      return b?.kind === 'icmp' ? (code ? b.code : b.type) : null;
    };
  }
  if (proto === 'ip' && field === '8') return f => packetOf(f)?.ttl ?? null;
  throw new FilterError(`podnet's filters do not look at ${proto}[${field}]`);
}

function numberTerm(p: Parser): number {
  if (peek(p) === '(') {
    p.at++;
    let v = numberTerm(p);
    while (peek(p) === '|' || peek(p) === '+') {
      p.at++;
      v |= numberTerm(p);
    }
    if (p.words[p.at++] !== ')') throw new FilterError("can't parse filter expression: syntax error");
    return v;
  }
  const w = p.words[p.at++] ?? '';
  let v = FLAGS[w] ?? ICMP[w] ?? Number(w);
  if (Number.isNaN(v)) throw new FilterError("can't parse filter expression: syntax error");
  while (peek(p) === '|' && p.words[p.at + 1] in FLAGS) {
    p.at++;
    v |= FLAGS[p.words[p.at++]];
  }
  return v;
}
