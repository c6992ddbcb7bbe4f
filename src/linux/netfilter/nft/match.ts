import { compareVal, datatype, inInterval, intervalText } from './datatypes.ts';
import { addElement, inlineText, lookup, newSet, parseElements } from './elements.ts';
import type { Expr, Masked } from './expr.ts';
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
    for (const e of parseElements(r, set)) addElement(set, e);
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
function flagMask(r: Reader, left: Masked, right: Right, invert: boolean, value: number): NftStatement {
  r.at++;
  const mask = Number(parseValue(r, left.types[0], true));
  const t = datatype(left.types[0]);
  return flagsUnder(left, value, mask, invert, `${t?.print(value) ?? right.text} / ${t?.print(mask) ?? mask}`);
}

function flagsUnder(left: Expr, value: number, mask: number, invert: boolean, text: string): NftStatement {
  return {
    text: () => `${left.text} ${invert ? '!= ' : ''}${text}`,
    conntrack: left.conntrack,
    run: (skb, ctx) => {
      const v = left.get(skb, ctx);
      return v && ((Number(v[0]) & mask) === value) !== invert ? null : 'break';
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
  if (t.kind === 'symbol' && ['==', '!=', '<', '>', '<=', '>='].includes(t.text)) op = next(r).text;
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

/** Flags: any of them, unless a mask or == says which bits count. */
function flagMatch(r: Reader, left: Masked, right: Right, op: string, invert: boolean): NftStatement {
  const type = left.types[0];
  const value = Number(datatype(type)?.parse(right.text) ?? 0);
  if (isSymbol(r, '/')) return flagMask(r, left, right, invert, value);
  if (left.mask !== undefined && left.plain) {
    const t = datatype(type);
    const text = `${t?.print(value) ?? right.text} / ${t?.print(left.mask) ?? left.mask}`;
    return flagsUnder(left.plain, value, left.mask, invert, text);
  }
  if (op === '==') return flagsUnder(left, value, 0xffffffff, false, `== ${right.text}`);
  return {
    text: () => `${left.text} ${invert ? '!= ' : ''}${right.text}`,
    conntrack: left.conntrack,
    run: (skb, ctx) => {
      const v = left.get(skb, ctx);
      return v && ((Number(v[0]) & value) !== 0) !== invert ? null : 'break';
    },
  };
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
