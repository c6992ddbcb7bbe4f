// dnat, snat, masquerade and redirect as nftables writes them (nft_nat.c, nft_masq.c, nft_redir.c of Linux 6.18).
import { formatIp, type Ip } from '../../../wire/ip.ts';
import { type NatRange, setupNat } from '../nat.ts';
import { masquerade, redirect } from '../targets/nat.ts';
import { binary, concatenation, type Expr } from './expr.ts';
import { isSymbol, isWord, next, number, peek, type Reader, refuse, takeSymbol, takeWord, unexpected } from './reader.ts';
import type { NftOutcome, NftStatement, NftVerdict, Val } from './types.ts';
import { valueMap } from './value-map.ts';
import { parseInterval } from './values.ts';

const verdictOf = (v: 'ACCEPT' | 'DROP'): NftVerdict => ({ kind: v === 'ACCEPT' ? 'accept' : 'drop', chain: null });

interface Flags {
  random: boolean;
  randomFully: boolean;
  persistent: boolean;
}

function flags(r: Reader): Flags {
  const f: Flags = { random: false, randomFully: false, persistent: false };
  do {
    const word = takeWord(r, 'random', 'fully-random', 'persistent');
    if (word === 'random') f.random = true;
    else if (word === 'fully-random') f.randomFully = true;
    else if (word === 'persistent') f.persistent = true;
    else break;
  } while (takeSymbol(r, ','));
  return f;
}

function flagText(f: Flags): string {
  const words = [f.random && 'random', f.randomFully && 'fully-random', f.persistent && 'persistent'].filter(Boolean);
  return words.length ? ` ${words.join(',')}` : '';
}

/** `:80` or `:80-90` */
function ports(r: Reader): [number, number] | null {
  if (!takeSymbol(r, ':')) return null;
  const t = peek(r);
  const low = number(r);
  if (!r.proto) refuse(t, 'transport protocol mapping is only valid after transport protocol match');
  return takeSymbol(r, '-') ? [low, number(r)] : [low, low];
}

const portText = (p: [number, number] | null) => (p ? `:${p[0]}${p[0] === p[1] ? '' : `-${p[1]}`}` : '');

const blank: NatRange = { min: null, max: null, portMin: 0, portMax: 0, random: false, randomFully: false, persistent: false };

function simple(r: Reader, kind: 'masquerade' | 'redirect'): NftStatement {
  let p: [number, number] | null = null;
  if (takeWord(r, 'to')) p = ports(r) ?? unexpected(peek(r));
  const f = flags(r);
  const range: NatRange = { ...blank, ...f, portMin: p?.[0] ?? 0, portMax: p?.[1] ?? 0 };
  const text = `${kind}${p ? ` to ${portText(p)}` : ''}${flagText(f)}`;
  return {
    text: () => text,
    conntrack: true,
    run: (skb, ctx) => verdictOf(kind === 'masquerade' ? masquerade(skb, ctx, range) : redirect(skb, ctx, range)),
  };
}

interface Target {
  text: string;
  get: (...a: Parameters<Expr['get']>) => Val[] | null;
  max: Ip | null;
  ports: [number, number] | null;
  sets?: string[];
}

/** The address after `to`: a constant, a range, `[v6]`, or what a map gives. */
function target(r: Reader, family: 4 | 6): Target {
  const type = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  if (isSymbol(r, ':')) {
    const p = ports(r);
    return { text: portText(p), get: () => [], max: null, ports: p };
  }
  const bracket = takeSymbol(r, '[');
  const t = peek(r);
  if (t.kind === 'ip4' || t.kind === 'ip6') {
    const range = parseInterval(r, type);
    if (bracket) takeSymbol(r, ']');
    const p = ports(r);
    const one = (ip: Ip) => (p && family === 6 ? `[${formatIp(ip)}]` : formatIp(ip));
    const low = range.low as Ip;
    const high = range.high as Ip;
    const same = formatIp(low) === formatIp(high);
    return { text: `${one(low)}${same ? '' : `-${one(high)}`}${portText(p)}`, get: () => [low], max: high, ports: p };
  }
  const key = isSymbol(r, '(') ? binary(r) : concatenation(r);
  if (!takeWord(r, 'map')) unexpected(peek(r));
  const pair = isSymbol(r, '{') ? pairs(r) : false;
  const m = valueMap(r, key, pair ? [type, 'inet_service'] : [type]);
  return { text: m.text, get: m.get, max: null, ports: null, sets: m.sets };
}

/** Do the values of the anonymous map that follows name a port too (`10.0.0.1 . 80`)? */
function pairs(r: Reader): boolean {
  let sawColon = false;
  for (let i = r.at; i < r.tokens.length; i++) {
    const t = r.tokens[i];
    if (t.kind !== 'symbol') continue;
    if (t.text === ':') sawColon = true;
    else if (t.text === '.' && sawColon) return true;
    else if (t.text === ',' || t.text === '}') return false;
  }
  return false;
}

export function natStatement(r: Reader, kind: string): NftStatement {
  if (kind === 'masquerade' || kind === 'redirect') return simple(r, kind);
  const named = isWord(r, 'ip') || isWord(r, 'ip6') ? next(r).text : null;
  if (takeWord(r, 'prefix')) refuse(peek(r), 'prefix NAT is not supported', 'Operation not supported');
  if (!takeWord(r, 'to')) unexpected(peek(r));
  const at = r.tokens[r.at - (named ? 3 : 2)];
  if (!named && r.table?.family === 'inet' && !isSymbol(r, ':')) refuse(at, 'ip or ip6 must be specified with address for inet tables.');
  const family: 4 | 6 = (named ?? r.table?.family) === 'ip6' ? 6 : 4;
  const to = target(r, family);
  const f = flags(r);
  const concatenated = / \. /.test(to.text) || (to.sets && r.table?.sets.get(to.sets[0])?.data?.length === 2);
  const shown = named && (r.table?.family === 'inet' || concatenated) ? ` ${named}` : '';
  const text = `${kind}${shown} to ${to.text}${flagText(f)}`;
  const manip = kind === 'dnat' ? 'dst' : 'src';
  return {
    text: () => text,
    conntrack: true,
    sets: to.sets,
    run: (skb, ctx): NftOutcome => {
      if (skb.packet.family !== family) return 'break';
      const vals = to.get(skb, ctx);
      if (!vals) return 'break';
      const ip = typeof vals[0] === 'object' ? vals[0] : null;
      const port = typeof vals[1] === 'number' ? vals[1] : 0;
      const range: NatRange = {
        ...f,
        min: ip,
        max: to.max ?? ip,
        portMin: to.ports?.[0] ?? port,
        portMax: to.ports?.[1] ?? port,
      };
      return verdictOf(setupNat(ctx.netns, skb, manip, range));
    },
  };
}
