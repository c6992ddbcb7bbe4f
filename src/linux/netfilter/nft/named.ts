import { name, type Reader, refuse } from './reader.ts';
import type { NftContext, NftSet } from './types.ts';

export const now = (ctx: NftContext) => ctx.netns.kernel.sim.nowMs;

/** A named set of the rule's table; looked up again when the rule runs, because a transaction may replace the record. */
export function namedSet(r: Reader): { name: string; set: NftSet } {
  const t = name(r);
  const set = r.table?.sets.get(t.text);
  // The @ before it belongs to the place.
  return set ? { name: t.text, set } : refuse({ ...t, at: t.at - 1, text: `@${t.text}` }, 'No such file or directory');
}

export const live = (ctx: NftContext, set: string): NftSet | undefined => ctx.nft.sets.get(set);
