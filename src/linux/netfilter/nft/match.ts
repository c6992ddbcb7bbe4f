import { compareVal, datatype, inInterval, intervalText } from './datatypes.ts';
import { addElement, inlineText, lookup, newSet, parseElements } from './elements.ts';
import type { Expr, Masked } from './expr.ts';
import { settleAnonymous } from './intervals.ts';
import { live, namedSet, now } from './named.ts';
import { isSymbol, next, peek, type Reader, refuse, takeSymbol } from './reader.ts';
import type { Interval, NftContext, NftStatement, Val } from './types.ts';
import { parseInterval, parseValue } from './values.ts';

export type Test = (vals: Val[]) => boolean;

export interface Right {
  text: string;
  test: (ctx: NftContext) => Test;
  sets?: string[];
}

/** `@set`, `{ … }`, a range, a list of flags, a value: what the left side is compared with. */
function rightSide(r: Reader, left: Masked): Right {
  if (takeSymbol(r, '@')) {
    const { name: set } = namedSet(r);
    return {
      text: `@${set}`,
      sets: [set],
      test: ctx => {
        const target = live(ctx, set);
        return vals => target !== undefined && lookup(target, vals, now(ctx)) !== null;
      },
    };
  }
  if (isSymbol(r, '{')) {
    const set = newSet('', 'set', left.types, null);
    const elements = parseElements(r, set);
    for (const e of elements) addElement(set, e);
    settleAnonymous(r, set, elements);
    return { text: inlineText(set), test: () => vals => lookup(set, vals, 0) !== null };
  }
  const open = takeSymbol(r, '(');
  const key: Interval[] = [];
  left.types.forEach((type, i) => {
    if (i && !takeSymbol(r, '.')) refuse(peek(r), 'datatype mismatch, expected concatenation');
    key.push(parseInterval(r, type, true));
  });
  if (open) takeSymbol(r, ')');
  return {
    text: key.map((p, i) => intervalText(left.types[i], p)).join(' . '),
    test: () => vals => vals.every((v, i) => inInterval(v, key[i])),
  };
}

/** `tcp flags syn / syn,ack`: the mask after the slash. */
function flagMask(r: Reader, left: Masked, invert: boolean, value: number): NftStatement {
  r.at++;
  return flagsUnder(left, value, Number(parseValue(r, left.types[0], true)), invert);
}

const oneBit = (n: number): boolean => n !== 0 && (n & (n - 1)) === 0;

/** (flags & mask) == value, as nft lists it again: any of the mask, none of it, one bit by its operator, or `value / mask`. */
function flagsUnder(left: Expr, value: number, mask: number, invert: boolean): NftStatement {
  const names = (n: number) => datatype(left.types[0])?.print(n) ?? String(n);
  let text = `${left.text} ${invert ? '!= ' : ''}${names(value)} / ${names(mask)}`;
  if (value === 0) text = `${left.text} ${invert ? '' : '! '}${names(mask)}`;
  else if (oneBit(mask)) text = `${left.text} & ${names(mask)} ${invert ? '!=' : '=='} ${names(value)}`;
  return flagStatement(left, text, v => ((v & mask) === value) !== invert);
}

function flagStatement(left: Expr, text: string, holds: (v: number) => boolean): NftStatement {
  return {
    text: () => text,
    conntrack: left.conntrack,
    run: (skb, ctx) => {
      const v = left.get(skb, ctx);
      return v && holds(Number(v[0])) ? null : 'break';
    },
  };
}

export const COMPARE: Record<string, (c: number) => boolean> = {
  '<': c => c < 0,
  '>': c => c > 0,
  '<=': c => c <= 0,
  '>=': c => c >= 0,
  lt: c => c < 0,
  gt: c => c > 0,
  le: c => c <= 0,
  ge: c => c >= 0,
};

export function match(r: Reader, left: Masked): NftStatement {
  const t = peek(r);
  let op = '';
  if (t.kind === 'symbol' && ['==', '!=', '<', '>', '<=', '>=', '!'].includes(t.text)) op = next(r).text;
  else if (t.kind === 'word' && ['eq', 'ne', 'lt', 'gt', 'le', 'ge'].includes(t.text))
    op = next(r).text.replace('eq', '==').replace('ne', '!=');
  if (op in COMPARE) {
    const v = parseValue(r, left.types[0]);
    const text = `${left.text} ${op} ${datatype(left.types[0])?.print(v) ?? v}`;
    return { text: () => text, run: (skb, ctx) => (COMPARE[op](compareVal(left.get(skb, ctx)?.[0] ?? Number.NaN, v)) ? null : 'break') };
  }
  const invert = op === '!=';
  const listed = datatype(left.types[0])?.flags === true;
  const from = r.at;
  const right = rightSide(r, left);
  if (op === '!' && !listed) refuseNegation(r, from, left);
  noteProtocol(r, left, right, invert);
  if (listed && left.types.length === 1 && r.tokens[from].text !== '{' && r.tokens[from].text !== '@')
    return flagMatch(r, left, right, op, invert);
  const shown =
    left.mask !== undefined || op === '==' ? (left.mask !== undefined && !invert ? '== ' : invert ? '!= ' : '') : invert ? '!= ' : '';
  return {
    text: () => `${left.text} ${shown}${right.text}`,
    sets: right.sets,
    conntrack: left.conntrack,
    run: (skb, ctx) => {
      const vals = left.get(skb, ctx);
      return vals && right.test(ctx)(vals) !== invert ? null : 'break';
    },
  };
}

function refuseNegation(r: Reader, from: number, left: Masked): never {
  const at = r.tokens[from].at;
  const end = r.tokens[r.at - 1];
  const before = r.text.lastIndexOf(left.text, at);
  const subject = before < 0 ? null : { ...r.tokens[from], at: before, text: left.text };
  const wrong = { ...r.tokens[from], text: r.text.slice(at, end.at + end.text.length) };
  return refuse(subject ?? wrong, 'negation can only be used with singleton bitmask values', null, subject ? wrong : null);
}

/**
 * Flags: any of them, `!` none of them; `==` and `!=` compare all bits, and say so: `ct status != dnat` holds for every flow that has any
 * further bit, translated or not (relational_expr_evaluate and rule.c of nftables 1.0.6).
 */
function flagMatch(r: Reader, left: Masked, right: Right, op: string, invert: boolean): NftStatement {
  const type = left.types[0];
  const value = Number(datatype(type)?.parse(right.text) ?? 0);
  if (isSymbol(r, '/')) return flagMask(r, left, invert, value);
  if (left.mask !== undefined && left.plain) return flagsUnder(left.plain, value, left.mask, invert);
  if (op === '==' || op === '!=') return flagStatement(left, exactText(left, right.text, op), v => (v === value) !== invert);
  return flagStatement(left, `${left.text} ${op === '!' ? '! ' : ''}${right.text}`, v => ((v & value) !== 0) === (op !== '!'));
}

/** Several bits at once come back as a number where they are a header's, and joined where they are not; `==` is then not told. */
function exactText(left: Masked, names: string, op: string): string {
  const several = names.includes(',');
  if (!several) return `${left.text} ${op} ${names}`;
  if (left.text.startsWith('ct ')) return `${left.text} ${op === '!=' ? '!= ' : ''}${names.replaceAll(',', ' | ')}`;
  return `${left.text} ${op} 0x${Number(datatype(left.types[0])?.parse(names) ?? 0).toString(16)}`;
}

const TRANSPORT = ['tcp', 'udp', 'sctp', 'icmp', 'icmpv6', 'udplite', 'dccp'];

function noteProtocol(r: Reader, left: Expr, right: Right, invert: boolean): void {
  const first = left.text.split(' ')[0];
  if (TRANSPORT.includes(first)) r.proto = first;
  else if (!invert && (left.text === 'meta l4proto' || left.text === 'ip protocol' || left.text === 'ip6 nexthdr')) r.proto = right.text;
}

export const conflict = (r: Reader, first: string, at: number): void => {
  if (!['tcp', 'udp', 'sctp'].includes(first) || !r.proto || !['tcp', 'udp', 'sctp'].includes(r.proto) || r.proto === first) return;
  const t = r.tokens[at];
  refuse({ ...t, text: `${t.text} ${r.tokens[at + 1].text}` }, `conflicting protocols specified: ${r.proto} vs. ${first}`);
};
