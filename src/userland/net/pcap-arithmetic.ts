// Comparisons of the capture filter language: `tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420`, `len > 100` (libpcap 1.10 grammar.y, arth).
import { type Frame, frameLength } from '../../wire/packet.ts';
import { frameBytes } from './pcap-file.ts';

export class FilterError extends Error {}
/** A load beyond the packet's end: the filter's program ends there and rejects the packet, whatever stands around the comparison. */
export class BeyondPacket extends Error {}

export const SYNTAX = "can't parse filter expression: syntax error";

/** null: the packet does not have the header that a load looks into. */
type Value = (f: Frame) => number | null;

export interface Words {
  words: string[];
  at: number;
}

const NAMES: Record<string, number> = {
  tcpflags: 13,
  'tcp-fin': 1,
  'tcp-syn': 2,
  'tcp-rst': 4,
  'tcp-push': 8,
  'tcp-ack': 16,
  'tcp-urg': 32,
  'tcp-ece': 64,
  'tcp-cwr': 128,
  icmptype: 0,
  icmpcode: 1,
  'icmp-echoreply': 0,
  'icmp-unreach': 3,
  'icmp-sourcequench': 4,
  'icmp-redirect': 5,
  'icmp-echo': 8,
  'icmp-routeradvert': 9,
  'icmp-routersolicit': 10,
  'icmp-timxceed': 11,
  'icmp-paramprob': 12,
  'icmp-tstamp': 13,
  'icmp-tstampreply': 14,
  icmp6type: 0,
  icmp6code: 1,
  'icmp6-destinationunreach': 1,
  'icmp6-packettoobig': 2,
  'icmp6-timeexceeded': 3,
  'icmp6-parameterproblem': 4,
  'icmp6-echo': 128,
  'icmp6-echoreply': 129,
  'icmp6-neighborsolicit': 135,
  'icmp6-neighboradvert': 136,
};

/** Transport headers are looked for behind IPv4 alone, ICMPv6 behind IPv6, as libpcap does (gen_load_internal). */
const TRANSPORT: Record<string, { family: 4 | 6; proto: number }> = {
  tcp: { family: 4, proto: 6 },
  udp: { family: 4, proto: 17 },
  sctp: { family: 4, proto: 132 },
  icmp: { family: 4, proto: 1 },
  icmp6: { family: 6, proto: 58 },
};
const LOADS = new Set([...Object.keys(TRANSPORT), 'ether', 'link', 'ip', 'ip6', 'arp']);

/** Where a protocol's header begins in the frame. */
function startOf(proto: string, f: Frame): number | null {
  if (proto === 'ether' || proto === 'link') return 0;
  const p = f.payload;
  if (p.kind === 'arp') return proto === 'arp' ? 14 : null;
  if (proto === 'ip' || proto === 'ip6') return p.family === (proto === 'ip' ? 4 : 6) ? 14 : null;
  const t = TRANSPORT[proto];
  return t && t.family === p.family && t.proto === p.proto ? 14 + (p.family === 4 ? 20 : 40) : null;
}

/** May a comparison begin at this word? A parenthesis may hold either; the caller tries. */
export function mayCompare(p: Words): boolean {
  const w = p.words[p.at] ?? '';
  return w === '(' || (LOADS.has(w) && p.words[p.at + 1] === '[') || /^(?:len$|len\W|-|\d+$|0x[\da-f]+$|\d+[-+*%^])/i.test(w);
}

/** Words of filters hold what operators are in arithmetic (`10-2`, `0:4`): they are taken apart where arithmetic reads them. */
function peek(p: Words): string | undefined {
  const w = p.words[p.at];
  if (w === undefined || w in NAMES) return w;
  const parts = w.match(/[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z]+)*|0x[\da-fA-F]+|\d+|[!=<>]=|./g) ?? [w];
  if (parts.length > 1) p.words.splice(p.at, 1, ...parts);
  const [one, two] = [p.words[p.at], p.words[p.at + 1]];
  if (one === two && (one === '<' || one === '>')) p.words.splice(p.at, 2, one + two);
  return p.words[p.at];
}

/** From the loosest to the tightest, all to the left. */
const LEVELS: Record<string, (a: number, b: number) => number>[] = [
  { '|': (a, b) => a | b, '&': (a, b) => a & b, '^': (a, b) => a ^ b },
  { '<<': (a, b) => (b > 31 ? 0 : a << b), '>>': (a, b) => (b > 31 ? 0 : a >>> b) },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => Math.imul(a, b), '/': (a, b) => Math.floor(a / divisor(b)), '%': (a, b) => a % divisor(b) },
];

function divisor(n: number): number {
  if (n === 0) throw new BeyondPacket();
  return n;
}

function arithmetic(p: Words, level = 0): Value {
  if (level === LEVELS.length) return operand(p);
  let left = arithmetic(p, level + 1);
  for (;;) {
    const op = LEVELS[level][peek(p) ?? ''];
    if (!op) return left;
    p.at++;
    const [a, b] = [left, arithmetic(p, level + 1)];
    left = f => {
      const [x, y] = [a(f), b(f)];
      return x === null || y === null ? null : op(x, y) >>> 0;
    };
  }
}

function expect(p: Words, word: string): void {
  if (peek(p) !== word) throw new FilterError(SYNTAX);
  p.at++;
}

function operand(p: Words): Value {
  const w = peek(p) ?? '';
  p.at++;
  if (w === '(') {
    const inner = arithmetic(p);
    expect(p, ')');
    return inner;
  }
  if (w === '-') {
    const inner = operand(p);
    return f => {
      const v = inner(f);
      return v === null ? null : -v >>> 0;
    };
  }
  if (w === 'len') return frameLength;
  if (w in NAMES) return () => NAMES[w];
  if (/^(?:0x[\da-f]+|\d+)$/i.test(w)) {
    const n = /^0\d/.test(w) ? Number.parseInt(w, 8) : Number(w);
    return () => n >>> 0;
  }
  if (LOADS.has(w) && peek(p) === '[') return load(p, w);
  throw new FilterError(SYNTAX);
}

function load(p: Words, proto: string): Value {
  p.at++;
  const index = arithmetic(p);
  let size = 1;
  if (peek(p) === ':') {
    p.at++;
    size = Number(peek(p));
    p.at++;
    if (Number.isNaN(size)) throw new FilterError(SYNTAX);
    if (![1, 2, 4].includes(size)) throw new FilterError('data size must be 1, 2, or 4');
  }
  expect(p, ']');
  return f => {
    const start = startOf(proto, f);
    const i = start === null ? null : index(f);
    if (start === null || i === null) return null;
    const bytes = frameBytes(f);
    if (start + i + size > bytes.length) throw new BeyondPacket();
    let v = 0;
    for (let k = 0; k < size; k++) v = v * 256 + bytes[start + i + k];
    return v;
  };
}

const RELATIONS: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

/** `arth relop arth`; throws FilterError when the words are none. */
export function comparison(p: Words): (f: Frame) => boolean {
  const left = arithmetic(p);
  const op = RELATIONS[peek(p) ?? ''];
  if (!op) throw new FilterError(SYNTAX);
  p.at++;
  const right = arithmetic(p);
  return f => {
    const [a, b] = [left(f), right(f)];
    return a !== null && b !== null && op(a, b);
  };
}
