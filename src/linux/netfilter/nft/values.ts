// Constants on the right: values, ranges, prefixes, lists of flags, sets in braces.
import type { Ip } from '../../../wire/ip.ts';
import { compareVal, datatype, prefixInterval } from './datatypes.ts';
import type { Token } from './lex.ts';
import { isSymbol, next, number, peek, type Reader, refuse, takeSymbol, unexpected } from './reader.ts';
import type { Interval, NftVerdict, Val } from './types.ts';

/** Types for which an address's host may be cut: prefixes. */
const isAddress = (type: string) => type === 'ipv4_addr' || type === 'ipv6_addr';

const WRONG: Record<string, string> = {
  ipv4_addr: 'Could not resolve hostname: Name or service not known',
  ipv6_addr: 'Could not resolve hostname: Name or service not known',
  inet_service: 'Could not resolve service: Servname not supported for ai_socktype',
  inet_proto: 'Could not resolve protocol name',
};

/** One value; `list`: flags may be joined by `,` and `|`. */
export function parseValue(r: Reader, type: string, list = false): Val {
  const t = next(r);
  const known = datatype(type === 'fib_oif' ? 'integer' : type);
  if (t.kind === 'symbol' || t.kind === 'newline' || t.kind === 'end' || !known) unexpected(t);
  let text = t.text;
  if (known?.flags && list) {
    while ((isSymbol(r, ',') || isSymbol(r, '|')) && (peek(r, 1).kind === 'word' || peek(r, 1).kind === 'number')) {
      r.at++;
      text += `,${next(r).text}`;
    }
  }
  if (type === 'fib_oif' && text === 'missing') return 0;
  const address = isAddress(type) ? r.addresses.get(text) : undefined;
  const v = address ?? known?.parse(text) ?? null;
  if (v === null) return refuse(t, complaint(t, type));
  if (!address && isAddress(type)) r.addresses.set(text, v as Ip);
  return v;
}

/** Of equal values the same record: sets of a large cluster name each address and port many times. */
function single(r: Reader, v: Val): Interval {
  const known = r.singles.get(v);
  if (known) return known;
  const fresh = { low: v, high: v };
  r.singles.set(v, fresh);
  return fresh;
}

function complaint(t: Token, type: string): string {
  if (t.kind === 'ip4' || t.kind === 'ip6') return 'Could not resolve hostname: Address family for hostname not supported';
  return WRONG[type] ?? `Could not parse ${type.replace('_', ' ')}`;
}

/** `v`, `v/24`, `v-w` */
export function parseInterval(r: Reader, type: string, list = false): Interval {
  const low = parseValue(r, type, list);
  if (isAddress(type) && takeSymbol(r, '/')) {
    const from = r.tokens[r.at - 2];
    const bits = number(r);
    const max = (low as Ip).length * 8;
    const whole = { ...from, text: r.text.slice(from.at, r.tokens[r.at - 1].at + r.tokens[r.at - 1].text.length) };
    if (bits > max) refuse(whole, `Prefix length ${bits} is invalid for type of ${max} bits width`);
    return prefixInterval(low as Ip, bits);
  }
  if (isSymbol(r, '-')) {
    const from = r.tokens[r.at - 1];
    r.at++;
    const high = parseValue(r, type);
    const last = r.tokens[r.at - 1];
    if (compareVal(low, high) > 0)
      refuse({ ...from, text: r.text.slice(from.at, last.at + last.text.length) }, 'Range has zero or negative size');
    return { low, high };
  }
  return single(r, low);
}

/** The parts of a key: `a . b . c`. */
export function parseKey(r: Reader, types: string[]): Interval[] {
  const out: Interval[] = [];
  for (let i = 0; i < types.length; i++) {
    if (i && !takeSymbol(r, '.')) refuse(peek(r), 'datatype mismatch, expected concatenation');
    if (isSymbol(r, '*') && types.length === 1) r.at++;
    out.push(parseInterval(r, types[i]));
  }
  return out;
}

export function parseVerdict(r: Reader): NftVerdict {
  const t = next(r);
  if (t.text === 'jump' || t.text === 'goto') {
    const to = next(r);
    return { kind: t.text, chain: to.text };
  }
  if (['accept', 'drop', 'return', 'continue'].includes(t.text)) return { kind: t.text as NftVerdict['kind'], chain: null };
  return unexpected(t);
}

export const verdictText = (v: NftVerdict): string => (v.chain === null ? v.kind : `${v.kind} ${v.chain}`);
