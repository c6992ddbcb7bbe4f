// The statements of rules: matches, verdicts, NAT, marks, sets, counters. Each is compiled to what it does and what it prints.

import type { Skb } from '../../types.ts';
import { untrack } from '../conntrack.ts';
import { logPacket } from '../reject.ts';
import { datatype } from './datatypes.ts';
import { addElement, findElement, inlineText, lookupData, newSet, parseElements, sizeOf } from './elements.ts';
import { binary, concatenation, type Expr, type Masked } from './expr.ts';
import { settleAnonymous } from './intervals.ts';
import { conflict, match } from './match.ts';
import { live, namedSet, now } from './named.ts';
import { natStatement } from './nat.ts';
import {
  expectWord,
  isSymbol,
  isWord,
  name,
  next,
  number,
  peek,
  quotedOrWord,
  type Reader,
  refuse,
  takeSymbol,
  takeWord,
  unexpected,
} from './reader.ts';
import { rejectStatement } from './reject.ts';
import type { Interval, NftContext, NftElement, NftSet, NftStatement, Val } from './types.ts';
import { valueMap } from './value-map.ts';
import { parseValue, parseVerdict, verdictText } from './values.ts';

function counter(r: Reader): NftStatement {
  if (takeWord(r, 'name')) {
    const object = quotedOrWord(r);
    return {
      text: () => `counter name "${object}"`,
      run: (_skb, ctx) => {
        const o = ctx.nft.objects.get(`counter ${object}`);
        if (o) {
          o.packets++;
          o.bytes += ctx.length;
        }
        return null;
      },
    };
  }
  const c = { packets: 0, bytes: 0 };
  if (takeWord(r, 'packets')) c.packets = number(r);
  if (takeWord(r, 'bytes')) c.bytes = number(r);
  return {
    text: () => `counter packets ${c.packets} bytes ${c.bytes}`,
    run: (_skb, ctx) => {
      c.packets++;
      c.bytes += ctx.length;
      return null;
    },
    counter: c,
  };
}

interface Limit {
  text: string;
  take: (state: { credit: number; atMs: number }, ctx: NftContext) => boolean;
  burst: number;
}

/** `rate [over] N[ UNIT]/TIME [burst N packets]` */
export function parseLimit(r: Reader): Limit {
  expectWord(r, 'rate');
  const over = takeWord(r, 'over') !== null;
  takeWord(r, 'until');
  const n = number(r);
  // `10 mbytes/second` is one word to the scanner, `10/second` a number, a slash and a word.
  const joined = /^([km]?bytes)\/([a-z]+)$/.exec(peek(r).text);
  if (joined) r.at++;
  const unit = joined ? joined[1] : null;
  if (!joined && !takeSymbol(r, '/')) unexpected(peek(r));
  const time = joined ? joined[2] : expectWord(r, 'second', 'minute', 'hour', 'day', 'week');
  let burst: number | null = null;
  if (takeWord(r, 'burst')) {
    burst = number(r);
    takeWord(r, 'packets', 'bytes', 'kbytes', 'mbytes');
  }
  const standard = unit ? 0 : 5;
  const size = burst ?? standard;
  const perSecond = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 }[time] ?? 1;
  const scale = unit === 'kbytes' ? 1024 : unit === 'mbytes' ? 1_048_576 : 1;
  const rate = (n * scale) / (perSecond * 1000);
  const capacity = unit ? Math.max(n * scale, size * scale) : Math.max(1, size);
  const text = `rate ${over ? 'over ' : ''}${n}${unit ? ` ${unit}` : ''}/${time}${size === standard ? '' : ` burst ${size} ${unit ?? 'packets'}`}`;
  return {
    text,
    burst: capacity,
    take: (state, ctx) => {
      const at = now(ctx);
      state.credit = Math.min(capacity, state.credit + (at - state.atMs) * rate);
      state.atMs = at;
      const cost = unit ? ctx.length : 1;
      const within = state.credit >= cost;
      if (within) state.credit -= cost;
      return within !== over;
    },
  };
}

function limit(r: Reader): NftStatement {
  if (takeWord(r, 'name')) {
    const object = quotedOrWord(r);
    return { text: () => `limit name "${object}"`, run: () => null };
  }
  const l = parseLimit(r);
  let state: { credit: number; atMs: number } | null = null;
  return {
    text: () => `limit ${l.text}`,
    run: (_skb, ctx) => {
      state ??= { credit: l.burst, atMs: now(ctx) };
      return l.take(state, ctx) ? null : 'break';
    },
  };
}

const QUOTA: Record<string, number> = { bytes: 1, kbytes: 1024, mbytes: 1_048_576 };

function quota(r: Reader): NftStatement {
  if (takeWord(r, 'name')) {
    const object = quotedOrWord(r);
    return { text: () => `quota name "${object}"`, run: () => null };
  }
  const over = takeWord(r, 'over') !== null;
  takeWord(r, 'until');
  const n = number(r);
  const unit = expectWord(r, 'bytes', 'kbytes', 'mbytes');
  let used = 0;
  return {
    text: () => `quota ${over ? 'over ' : ''}${n} ${unit}${used ? ` used ${used} bytes` : ''}`,
    run: (_skb, ctx) => {
      used += ctx.length;
      return used > n * QUOTA[unit] === over ? null : 'break';
    },
  };
}

function log(r: Reader): NftStatement {
  let prefix: string | null = null;
  let rest = '';
  for (;;) {
    const word = takeWord(r, 'prefix', 'level', 'group', 'snaplen', 'queue-threshold', 'flags');
    if (!word) break;
    if (word === 'prefix') prefix = quotedOrWord(r);
    else if (word === 'flags') rest += ` flags ${name(r).text}${isWord(r, 'sequence') || isWord(r, 'options') ? ` ${next(r).text}` : ''}`;
    else rest += ` ${word} ${next(r).text}`;
  }
  const text = `log${prefix === null ? '' : ` prefix "${prefix}"`}${rest.replace(' level warn', '')}`;
  return {
    text: () => text,
    run: (skb, ctx) => {
      logPacket(skb, ctx, prefix ?? '');
      return null;
    },
  };
}

/** `add|update|delete @set { EXPR [timeout T] [limit …] }` */
function setStatement(r: Reader, op: string): NftStatement {
  takeSymbol(r, '@');
  const { name: set } = namedSet(r);
  if (!takeSymbol(r, '{')) unexpected(peek(r));
  const key = concatenation(r);
  let timeout: number | null = null;
  let timeoutWord = '';
  if (takeWord(r, 'timeout')) {
    const t = next(r);
    timeoutWord = ` timeout ${t.text}`;
    timeout = Number((datatype('time')?.parse(t.text) as number | null) ?? 0);
  }
  const guard = takeWord(r, 'limit') ? parseLimit(r) : null;
  const counting = takeWord(r, 'counter') !== null;
  let data: Expr | null = null;
  if (takeSymbol(r, ':')) data = concatenation(r);
  if (!takeSymbol(r, '}')) unexpected(peek(r));
  const text = `${op} @${set} { ${key.text}${timeoutWord}${guard ? ` limit ${guard.text}` : ''}${counting ? ' counter' : ''}${data ? ` : ${data.text}` : ''} }`;
  return {
    text: () => text,
    sets: [set],
    run: (skb, ctx) => {
      const target = live(ctx, set);
      const vals = key.get(skb, ctx);
      if (!target || !vals) return 'break';
      const parts: Interval[] = vals.map(v => ({ low: v, high: v }));
      if (op === 'delete') {
        target.exact.delete(parts.map(p => p.low).join('|'));
        return null;
      }
      const e = touch(target, parts, timeout ?? target.timeoutMs, op === 'update', now(ctx), data?.get(skb, ctx) ?? null);
      if (!e) return 'break';
      e.packets++;
      e.bytes += ctx.length;
      if (!guard) return null;
      e.state ??= { credit: guard.burst, atMs: now(ctx) };
      return guard.take(e.state as { credit: number; atMs: number }, ctx) ? null : 'break';
    },
  };
}

function touch(
  set: NftSet,
  key: Interval[],
  timeout: number | null,
  refresh: boolean,
  nowMs: number,
  data: Val[] | null,
): NftElement | null {
  const old = findElement(set, key);
  if (old && (old.expiresAtMs === null || old.expiresAtMs > nowMs)) {
    if (refresh && timeout) old.expiresAtMs = nowMs + timeout;
    return old;
  }
  if (old) old.expiresAtMs = timeout ? nowMs + timeout : null;
  if (old) return old;
  if (set.size !== null && sizeOf(set) >= set.size) return null;
  const e: NftElement = {
    key,
    data: data ? data.map(v => ({ low: v, high: v })) : null,
    timeoutMs: timeout,
    expiresAtMs: timeout ? nowMs + timeout : null,
    comment: null,
    packets: 0,
    bytes: 0,
    state: null,
  };
  addElement(set, e);
  return e;
}

function verdict(r: Reader): NftStatement {
  const v = parseVerdict(r);
  return { text: () => verdictText(v), run: () => v, chains: v.chain === null ? [] : [v.chain] };
}

/** `EXPR vmap { … }` or `vmap @name` */
function vmap(r: Reader, key: Expr): NftStatement {
  if (takeSymbol(r, '@')) {
    const { name: set } = namedSet(r);
    return {
      text: () => `${key.text} vmap @${set}`,
      sets: [set],
      conntrack: key.conntrack,
      run: (skb, ctx) => {
        const vals = key.get(skb, ctx);
        const target = live(ctx, set);
        const data = vals && target ? lookupData(target, vals, now(ctx)) : null;
        return data && !Array.isArray(data) ? data : 'break';
      },
    };
  }
  const set = newSet('', 'map', key.types, ['verdict']);
  const elements = parseElements(r, set);
  for (const e of elements) addElement(set, e);
  settleAnonymous(r, set, elements);
  const chains = [...set.exact.values(), ...set.ranges].flatMap(e =>
    e.data && !Array.isArray(e.data) && e.data.chain ? [e.data.chain] : [],
  );
  return {
    text: () => `${key.text} vmap ${inlineText(set)}`,
    chains,
    conntrack: key.conntrack,
    run: (skb, ctx) => {
      const vals = key.get(skb, ctx);
      const data = vals ? lookupData(set, vals, now(ctx)) : null;
      return data && !Array.isArray(data) ? data : 'break';
    },
  };
}

/** The right side of `meta mark set …` and `ct mark set …`: a constant, another mark with bit operations, or a map. */
function setTarget(r: Reader, left: Expr): NftStatement {
  const type = left.types[0];
  const t = peek(r);
  let value: (skb: Skb, ctx: NftContext) => number | null;
  let text: string;
  if (t.kind === 'number' || (left.target === 'meta priority' && t.kind !== 'word')) {
    const v = parseValue(r, type);
    if (left.target === 'meta priority' && takeSymbol(r, ':')) {
      const minor = number(r);
      return { text: () => `${left.target} set ${v}:${minor}`, run: () => null };
    }
    value = () => Number(v);
    text = datatype(type)?.print(v) ?? String(v);
  } else {
    const e = binary(r);
    const m = takeWord(r, 'map') ? valueMap(r, e) : null;
    const source = m ?? e;
    value = (skb, ctx) => Number(source.get(skb, ctx)?.[0] ?? Number.NaN);
    text = m ? m.text : foldMask(e, type);
  }
  return {
    text: () => `${left.target} set ${text}`,
    conntrack: left.conntrack,
    run: (skb, ctx) => {
      const v = value(skb, ctx);
      if (v === null || Number.isNaN(v)) return 'break';
      if (left.target === 'meta mark') skb.mark = v >>> 0;
      else if (left.target === 'ct mark' && skb.ct && skb.ct.info !== 'UNTRACKED') skb.ct.entry.mark = v >>> 0;
      return null;
    },
  };
}

/**
 * The kernel keeps (mark & mask) ^ xor. What comes back is `& m | o ^ x`: bits of xor that the mask clears are set, the others turned
 * (netlink_delinearize.c).
 */
function foldMask(e: Masked, type: string): string {
  const m = /^(.*) & (0x[0-9a-f]+) ([|^]) (0x[0-9a-f]+)$/.exec(e.text);
  const print = datatype(type)?.print;
  if (!m || !print) return e.text;
  const [, what, , operator] = m;
  const xor = Number(m[4]);
  const mask = operator === '|' ? Number(m[2]) & ~xor : Number(m[2]);
  const [set, turned] = [xor & ~mask, xor & mask].map(n => n >>> 0);
  const tail = [set ? ` | ${print(set)}` : '', turned ? ` ^ ${print(turned)}` : ''].join('');
  return `${what} & ${print((mask | set) >>> 0)}${tail}`;
}

const SIMPLE: Record<string, (r: Reader) => NftStatement> = {
  counter,
  limit,
  quota,
  log,
  notrack: () => ({
    text: () => 'notrack',
    run: skb => {
      if (!skb.ct) untrack(skb);
      return null;
    },
  }),
};

/** The rule's next statement. */
export function statement(r: Reader): NftStatement {
  const t = peek(r);
  if (t.kind !== 'word' && !isSymbol(r, '@') && !isSymbol(r, '(')) unexpected(t);
  if (['accept', 'drop', 'return', 'continue', 'jump', 'goto'].includes(t.text)) return verdict(r);
  if (Object.hasOwn(SIMPLE, t.text)) {
    r.at++;
    return SIMPLE[t.text](r);
  }
  if (t.text === 'reject') {
    r.at++;
    return rejectStatement(r);
  }
  if (['dnat', 'snat', 'masquerade', 'redirect'].includes(t.text)) {
    r.at++;
    return natStatement(r, t.text);
  }
  if (['add', 'update', 'delete'].includes(t.text) && isSymbol(r, '@', 1)) {
    r.at++;
    return setStatement(r, t.text);
  }
  if (['queue', 'dup', 'fwd', 'tproxy', 'flow', 'synproxy'].includes(t.text))
    refuse(t, 'No such file or directory', 'No such file or directory');
  const at = r.at;
  conflict(r, t.text, at);
  const left = binary(r);
  if (takeWord(r, 'vmap')) return vmap(r, left);
  if (left.target && takeWord(r, 'set')) return setTarget(r, left);
  return match(r, left);
}
