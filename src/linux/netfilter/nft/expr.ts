// What a rule looks at in a packet: payload, meta, ct, fib, numgen, jhash, and concatenations and bit operations of them.
import { below } from '../../../sim/random.ts';
import type { Packet } from '../../../wire/packet.ts';
import { PROTO, packetLength } from '../../../wire/packet.ts';
import { addressType, lookupRoute } from '../../route.ts';
import type { Link, Skb } from '../../types.ts';
import { datatype, keyOf } from './datatypes.ts';
import { lookupData } from './elements.ts';
import { isSymbol, next, number, peek, type Reader, refuse, takeSymbol, takeWord, unexpected } from './reader.ts';
import type { NftContext, NftSet, Val } from './types.ts';
import { parseValue } from './values.ts';

export interface Expr {
  text: string;
  /** One datatype, or the parts of a concatenation. */
  types: string[];
  /** null: the packet has no such thing, the rule does not match. */
  get: (skb: Skb, ctx: NftContext) => Val[] | null;
  /** Written by rules: `meta mark set`, `ct mark set`. */
  target?: string;
  conntrack?: boolean;
  sets?: string[];
}

type Get = (p: Packet, skb: Skb, ctx: NftContext) => Val | null;

const one = (text: string, type: string, get: Get, extra: Partial<Expr> = {}): Expr => ({
  text,
  types: [type],
  get: (skb, ctx) => {
    const v = get(skb.packet, skb, ctx);
    return v === null ? null : [v];
  },
  ...extra,
});

const IP: Record<string, [string, (p: Packet) => Val]> = {
  saddr: ['ipv4_addr', p => p.src],
  daddr: ['ipv4_addr', p => p.dst],
  protocol: ['inet_proto', p => p.proto],
  ttl: ['integer', p => p.ttl],
  dscp: ['dscp', p => p.tos >> 2],
  length: ['integer', p => packetLength(p)],
  id: ['integer', p => p.id],
  version: ['integer', () => 4],
  hdrlength: ['integer', () => 5],
  'frag-off': ['integer', p => (p.df ? 0x4000 : 0)],
};
const IP6: Record<string, [string, (p: Packet) => Val]> = {
  saddr: ['ipv6_addr', p => p.src],
  daddr: ['ipv6_addr', p => p.dst],
  nexthdr: ['inet_proto', p => p.proto],
  hoplimit: ['integer', p => p.ttl],
  dscp: ['dscp', p => p.tos >> 2],
  length: ['integer', p => packetLength(p) - 40],
  version: ['integer', () => 6],
  flowlabel: ['integer', () => 0],
};

function payload(r: Reader, proto: string): Expr {
  const t = next(r);
  const field = t.text;
  const text = `${proto} ${field}`;
  if (proto === 'ip' || proto === 'ip6') {
    const known = (proto === 'ip' ? IP : IP6)[field];
    if (!known) unexpected(t);
    const family = proto === 'ip' ? 4 : 6;
    return one(text, known[0], p => (p.family === family ? known[1](p) : null));
  }
  if (proto === 'icmp' || proto === 'icmpv6') return icmpField(proto, field, t);
  if (proto === 'ether' || proto === 'arp') return frameField(r, proto, field, t);
  return transport(proto, field, t);
}

function transport(proto: string, field: string, t: ReturnType<typeof next>): Expr {
  const text = `${proto} ${field}`;
  const body = (p: Packet) =>
    proto === 'th'
      ? p.body.kind === 'tcp' || p.body.kind === 'udp' || p.body.kind === 'sctp'
        ? p.body
        : null
      : p.body.kind === proto
        ? p.body
        : null; // prettier-ignore
  if (field === 'sport' || field === 'dport') {
    return one(text, 'inet_service', p => {
      const b = body(p);
      return b && 'sport' in b ? b[field] : null;
    });
  }
  if (proto === 'tcp' && field === 'flags') return one(text, 'tcp_flag', p => (p.body.kind === 'tcp' ? p.body.flags : null));
  if (proto === 'tcp' && (field === 'sequence' || field === 'ackseq' || field === 'window'))
    return one(text, 'integer', p =>
      p.body.kind === 'tcp' ? p.body[field === 'sequence' ? 'seq' : field === 'ackseq' ? 'ack' : 'window'] : null,
    );
  if (proto === 'udp' && field === 'length') return one(text, 'integer', p => (p.body.kind === 'udp' ? 8 + p.body.data.length : null));
  return unexpected(t);
}

function icmpField(proto: string, field: string, t: ReturnType<typeof next>): Expr {
  const v6 = proto === 'icmpv6';
  const number = v6 ? PROTO.ICMPV6 : PROTO.ICMP;
  const types: Record<string, string> = {
    type: `${proto}_type`,
    code: `${proto}_code`,
    id: 'integer',
    sequence: 'integer',
    mtu: 'integer',
  };
  const type = types[field];
  if (!type) unexpected(t);
  return one(`${proto} ${field}`, type, p => {
    const b = p.body;
    if (b.kind !== 'icmp' || p.proto !== number) return null;
    return field === 'type' ? b.type : field === 'code' ? b.code : field === 'id' ? b.id : field === 'mtu' ? (b.mtu ?? 0) : b.seq;
  });
}

/** Frames are not kept beside the packet: only the sender's address is; ARP never passes these hooks. */
function frameField(r: Reader, proto: string, field: string, t: ReturnType<typeof next>): Expr {
  if (proto === 'ether') {
    if (field === 'type') return one('ether type', 'ether_type', p => (p.family === 4 ? 0x0800 : 0x86dd));
    if (field !== 'saddr' && field !== 'daddr') unexpected(t);
    return one(`ether ${field}`, 'ether_addr', (_p, skb) => (field === 'saddr' ? (skb.srcMac ?? null) : null));
  }
  if (field === 'operation') return one('arp operation', 'arp_op', () => null);
  if (field === 'saddr' || field === 'daddr') {
    const kind = takeWord(r, 'ip', 'ether');
    if (!kind) unexpected(peek(r));
    return one(`arp ${field} ${kind}`, kind === 'ip' ? 'ipv4_addr' : 'ether_addr', () => null);
  }
  return unexpected(t);
}

/** ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_TUNNEL; a rule about the type of no device ends there. */
const deviceType = (dev: Link | null): number | null =>
  dev === null ? null : dev.kind === 'loopback' ? 772 : dev.kind === 'ipip' ? 768 : 1;

const META: Record<string, [string, Get]> = {
  mark: ['mark', (_p, skb) => skb.mark],
  // Without a device the name is empty and the index 0, which differ from every other (nft_meta_store_ifname).
  iifname: ['ifname', (_p, _s, ctx) => ctx.in?.name ?? ''],
  oifname: ['ifname', (_p, _s, ctx) => ctx.out?.name ?? ''],
  iif: ['iface_index', (_p, _s, ctx) => ctx.in?.name ?? ''],
  oif: ['iface_index', (_p, _s, ctx) => ctx.out?.name ?? ''],
  l4proto: ['inet_proto', p => p.proto],
  nfproto: ['nf_proto', p => (p.family === 4 ? 2 : 10)],
  protocol: ['ether_type', p => (p.family === 4 ? 0x0800 : 0x86dd)],
  length: ['integer', p => packetLength(p)],
  skuid: ['uid', (_p, skb) => skb.uid],
  skgid: ['gid', (_p, skb) => skb.uid],
  pkttype: ['pkt_type', (_p, skb) => (skb.group === 'multicast' ? 2 : skb.group ? 1 : 0)],
  priority: ['integer', () => 0],
  cgroup: ['integer', () => 0],
  cpu: ['integer', () => 0],
  iifgroup: ['integer', (_p, _s, ctx) => (ctx.in ? 0 : null)],
  oifgroup: ['integer', (_p, _s, ctx) => (ctx.out ? 0 : null)],
  nftrace: ['integer', () => 0],
  random: ['integer', (_p, _s, ctx) => below(ctx.netns.kernel.sim.random, 0x1_0000_0000)],
  iiftype: ['integer', (_p, _s, ctx) => deviceType(ctx.in)],
  oiftype: ['integer', (_p, _s, ctx) => deviceType(ctx.out)],
};
/** Keys that may stand without `meta` before them, and are printed so. */
const UNQUALIFIED = new Set(['iif', 'iifname', 'iiftype', 'iifgroup', 'oif', 'oifname', 'oiftype', 'oifgroup']);
const BARE = new Set(['mark', 'skuid', 'skgid', 'nftrace', 'pkttype', 'cpu', 'cgroup', ...UNQUALIFIED]);

function meta(key: string, t: ReturnType<typeof next>): Expr {
  const known = META[key];
  if (!known) unexpected(t);
  return one(UNQUALIFIED.has(key) ? key : `meta ${key}`, known[0], known[1], { target: `meta ${key}` });
}

const STATE_BITS = { NEW: 8, ESTABLISHED: 2, RELATED: 4, INVALID: 1, UNTRACKED: 64 } as const;

/** enum ip_conntrack_status, with the bits that have no name here: whether NAT was set up for either end. */
function ctStatus(skb: Skb): number | null {
  const e = skb.ct && skb.ct.info !== 'UNTRACKED' ? skb.ct.entry : null;
  if (!e) return null;
  const known =
    (e.master ? 1 : 0) | (e.seenReply ? 2 : 0) | (e.assured ? 4 : 0) | (e.confirmed ? 8 : 0) | (e.snat ? 16 : 0) | (e.dnat ? 32 : 0);
  return known | (e.natDone.postrouting ? 0x80 : 0) | (e.natDone.prerouting ? 0x100 : 0);
}

const CT: Record<string, [string, Get]> = {
  state: ['ct_state', (_p, skb) => (skb.ct ? STATE_BITS[skb.ct.info] : 1)],
  status: ['ct_status', (_p, skb) => ctStatus(skb)],
  mark: ['mark', (_p, skb) => (skb.ct && skb.ct.info !== 'UNTRACKED' ? skb.ct.entry.mark : null)],
  direction: ['ct_dir', (_p, skb) => (skb.ct && skb.ct.info !== 'UNTRACKED' ? (skb.ct.direction === 'original' ? 0 : 1) : null)],
  zone: ['integer', (_p, skb) => skb.ct?.entry.zone ?? 0],
  expiration: ['time', (_p, skb, ctx) => (skb.ct ? Math.max(0, skb.ct.entry.expiresAtMs - ctx.netns.kernel.sim.nowMs) : null)],
  l3proto: ['nf_proto', (_p, skb) => (skb.ct ? (skb.ct.entry.original.family === 4 ? 2 : 10) : null)],
  protocol: ['inet_proto', (_p, skb) => skb.ct?.entry.original.proto ?? null],
};

function ct(r: Reader): Expr {
  const t = next(r);
  if (t.text === 'original' || t.text === 'reply') return ctTuple(r, t.text);
  const known = CT[t.text];
  if (!known) unexpected(t);
  return one(`ct ${t.text}`, known[0], known[1], { target: `ct ${t.text}`, conntrack: true });
}

function ctTuple(r: Reader, direction: 'original' | 'reply'): Expr {
  const t = next(r);
  if (t.text === 'ip' || t.text === 'ip6') {
    const side = takeWord(r, 'saddr', 'daddr') ?? unexpected(peek(r));
    const type = t.text === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
    return one(`ct ${direction} ${t.text} ${side}`, type, (_p, skb) => skb.ct?.entry[direction][side === 'saddr' ? 'src' : 'dst'] ?? null, {
      conntrack: true,
    });
  }
  if (t.text !== 'proto-src' && t.text !== 'proto-dst') unexpected(t);
  const side = t.text === 'proto-src' ? 'sport' : 'dport';
  return one(`ct ${direction} ${t.text}`, 'inet_service', (_p, skb) => skb.ct?.entry[direction][side] ?? null, { conntrack: true });
}

const FIB_TYPES: Record<string, number> = {
  UNSPEC: 0,
  UNICAST: 1,
  LOCAL: 2,
  BROADCAST: 3,
  ANYCAST: 4,
  MULTICAST: 5,
  BLACKHOLE: 6,
  UNREACHABLE: 7,
  PROHIBIT: 8,
};

function fib(r: Reader): Expr {
  const flags: string[] = [];
  do flags.push(takeWord(r, 'saddr', 'daddr', 'mark', 'iif', 'oif') ?? unexpected(peek(r)));
  while (takeSymbol(r, '.'));
  const result = takeWord(r, 'type', 'oif', 'oifname', 'check') ?? unexpected(peek(r));
  const text = `fib ${flags.join(' . ')} ${result}`;
  const address = (p: Packet) => (flags.includes('saddr') ? p.src : p.dst);
  if (result === 'type') {
    return one(text, 'fib_addrtype', (p, _skb, ctx) => {
      const ip = address(p);
      const type = FIB_TYPES[addressType(ctx.netns, ip)] ?? 1;
      const dev = flags.includes('iif') ? ctx.in : flags.includes('oif') ? ctx.out : null;
      // With a device only its own addresses are local.
      return type === 2 && dev && !dev.addresses.some(a => keyOf(a.ip) === keyOf(ip)) ? 1 : type;
    });
  }
  const route = (p: Packet, skb: Skb, ctx: NftContext) => {
    const found = lookupRoute(ctx.netns, address(p), {
      src: flags.includes('saddr') ? p.dst : p.src,
      mark: flags.includes('mark') ? skb.mark : 0,
    });
    if (typeof found === 'string') return null;
    const hops = found.route?.nexthops?.map(h => h.dev) ?? [];
    const wanted = flags.includes('iif') ? ctx.in : flags.includes('oif') ? ctx.out : null;
    if (wanted && found.dev !== wanted && !hops.includes(wanted.ifindex))
      return found.kind === 'local' && wanted.kind === 'loopback' ? wanted : null;
    return wanted ?? found.dev;
  };
  if (result === 'oifname') return one(text, 'ifname', (p, skb, ctx) => route(p, skb, ctx)?.name ?? '');
  return one(text, 'fib_oif', (p, skb, ctx) => route(p, skb, ctx)?.ifindex ?? 0);
}

/** Every outcome of a random choice is asked of the dice one by one, so that they can be enumerated instead of rolled. */
function choose(ctx: NftContext, n: number): number {
  for (let i = 0; i < n - 1; i++) if (ctx.netns.kernel.sim.chance(1 / (n - i))) return i;
  return n - 1;
}

function numgen(r: Reader): Expr {
  const mode = takeWord(r, 'random', 'inc') ?? unexpected(peek(r));
  if (!takeWord(r, 'mod')) unexpected(peek(r));
  const mod = number(r);
  const offset = takeWord(r, 'offset') ? number(r) : 0;
  let count = -1;
  const text = `numgen ${mode} mod ${mod}${offset ? ` offset ${offset}` : ''}`;
  return one(text, 'integer', (_p, _s, ctx) => {
    if (mode === 'random') return offset + choose(ctx, mod);
    count = (count + 1) % mod;
    return offset + count;
  });
}

function hashed(r: Reader, kind: string): Expr {
  const inner = kind === 'jhash' ? concatenation(r) : null;
  if (!takeWord(r, 'mod')) unexpected(peek(r));
  const mod = number(r);
  const seed = takeWord(r, 'seed') ? number(r) : null;
  const offset = takeWord(r, 'offset') ? number(r) : 0;
  const text = `${kind}${inner ? ` ${inner.text}` : ''} mod ${mod}${seed === null ? '' : ` seed 0x${seed.toString(16)}`}${offset ? ` offset ${offset}` : ''}`;
  return one(text, 'integer', (p, skb, ctx) => {
    const vals = inner ? inner.get(skb, ctx) : [p.src, p.dst, p.proto];
    if (!vals) return null;
    let h = (seed ?? 0) ^ 0x811c9dc5;
    for (const ch of vals.map(keyOf).join('|')) h = Math.imul(h ^ ch.charCodeAt(0), 0x01000193);
    return offset + ((h >>> 0) % mod);
  });
}

const PAYLOADS = new Set(['ip', 'ip6', 'tcp', 'udp', 'sctp', 'th', 'icmp', 'icmpv6', 'ether', 'arp', 'udplite', 'dccp']);

function primary(r: Reader): Expr {
  const t = next(r);
  if (t.kind === 'symbol' && t.text === '(') {
    const inner = binary(r);
    if (!takeSymbol(r, ')')) unexpected(peek(r));
    return inner;
  }
  if (t.kind !== 'word') unexpected(t);
  if (t.text === 'meta') {
    const key = next(r);
    return meta(key.text, key);
  }
  if (BARE.has(t.text)) return meta(t.text, t);
  if (PAYLOADS.has(t.text)) return payload(r, t.text);
  if (t.text === 'ct') return ct(r);
  if (t.text === 'fib') return fib(r);
  if (t.text === 'numgen') return numgen(r);
  if (t.text === 'jhash' || t.text === 'symhash') return hashed(r, t.text);
  return refuse(t, 'syntax error, unexpected string');
}

/** `a . b . c` */
export function concatenation(r: Reader): Expr {
  const parts = [primary(r)];
  while (isSymbol(r, '.')) {
    r.at++;
    parts.push(primary(r));
  }
  if (parts.length === 1) return parts[0];
  return {
    text: parts.map(p => p.text).join(' . '),
    types: parts.flatMap(p => p.types),
    get: (skb, ctx) => {
      const out: Val[] = [];
      for (const p of parts) {
        const v = p.get(skb, ctx);
        if (!v) return null;
        out.push(...v);
      }
      return out;
    },
    conntrack: parts.some(p => p.conntrack),
  };
}

const OPERATORS: Record<string, [string, (a: number, b: number) => number]> = {
  '&': ['&', (a, b) => a & b],
  and: ['&', (a, b) => a & b],
  '|': ['|', (a, b) => a | b],
  or: ['|', (a, b) => a | b],
  '^': ['^', (a, b) => a ^ b],
  xor: ['^', (a, b) => a ^ b],
  '<<': ['<<', (a, b) => a << b],
  lshift: ['<<', (a, b) => a << b],
  '>>': ['>>', (a, b) => a >>> b],
  rshift: ['>>', (a, b) => a >>> b],
};

export interface Masked extends Expr {
  /** Constants that were folded: (x & and) ^ xor, as the kernel keeps marks. */
  mask?: number;
  plain?: Expr;
}

/** Bit operations with constants after an expression: `meta mark & 0xff | 1`. */
export function binary(r: Reader): Masked {
  let left: Masked = concatenation(r);
  for (;;) {
    const t = peek(r);
    const operator = t.kind === 'symbol' || t.kind === 'word' ? OPERATORS[t.text] : undefined;
    if (!operator) return left;
    r.at++;
    const [symbol, apply] = operator;
    const type = left.types[0];
    const [constant, text] = maskConstant(r, type);
    const before: Masked = left;
    left = {
      text: `${before.text} ${symbol} ${text}`,
      types: before.types,
      get: (skb, ctx) => {
        const v = before.get(skb, ctx);
        return v && typeof v[0] === 'number' ? [apply(v[0], constant) >>> 0] : null;
      },
      target: before.target,
      conntrack: before.conntrack,
      mask: symbol === '&' ? constant : undefined,
      plain: before,
    };
  }
}

function maskConstant(r: Reader, type: string): [number, string] {
  const open = takeSymbol(r, '(');
  const v = parseValue(r, type, true);
  if (open && !takeSymbol(r, ')')) unexpected(peek(r));
  const t = datatype(type);
  return [typeof v === 'number' ? v : 0, t ? t.print(v) : String(v)];
}

/** `EXPR map { … }` or `map @name`: the value a map gives. */
export function mapped(key: Expr, set: NftSet, text: string): Expr {
  return {
    text: `${key.text} map ${text}`,
    types: set.data ?? [],
    get: (skb, ctx) => {
      const vals = key.get(skb, ctx);
      const data = vals ? lookupData(set, vals, ctx.netns.kernel.sim.nowMs) : null;
      return Array.isArray(data) ? (data as Val[]) : null;
    },
    conntrack: key.conntrack,
  };
}
