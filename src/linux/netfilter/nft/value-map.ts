import { addElement, inlineText, lookupData, newSet, parseElements } from './elements.ts';
import { type Expr, mapped } from './expr.ts';
import { settleAnonymous } from './intervals.ts';
import { live, namedSet, now } from './named.ts';
import { type Reader, takeSymbol } from './reader.ts';
import type { Val } from './types.ts';

/** `map { … }` or `map @name` after a key, for values. */
export function valueMap(r: Reader, key: Expr, types: string[] | null = null): Expr & { sets?: string[] } {
  if (takeSymbol(r, '@')) {
    const { name: set, set: known } = namedSet(r);
    return {
      text: `${key.text} map @${set}`,
      types: known.data ?? [],
      get: (skb, ctx) => {
        const vals = key.get(skb, ctx);
        const target = live(ctx, set);
        const data = vals && target ? lookupData(target, vals, now(ctx)) : null;
        return Array.isArray(data) ? (data as Val[]) : null;
      },
      sets: [set],
    };
  }
  const set = newSet('', 'map', key.types, types ?? ['mark']);
  const elements = parseElements(r, set);
  for (const e of elements) addElement(set, e);
  settleAnonymous(r, set, elements);
  return mapped(key, set, inlineText(set));
}
