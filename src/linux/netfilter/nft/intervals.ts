// What may stand beside what in a set of intervals: src/interval.c of nftables 1.0.6, and nft_set_rbtree.c and nft_set_pipapo.c (Linux 6.18)
// for what only the kernel looks at.
import { compareVal, inInterval } from './datatypes.ts';
import { isSingle, merge, sizeOf } from './elements.ts';
import type { Token } from './lex.ts';
import { type Reader, refuse } from './reader.ts';
import type { NftElement, NftSet } from './types.ts';

export const isIntervalSet = (set: NftSet): boolean => set.flags.includes('interval');

/** Where an element's key stands in the input. */
export const placeOf = (r: Reader, e: NftElement): Token => r.places.get(e) as Token;

const sameInterval = (a: NftElement, b: NftElement): boolean =>
  a.key.every((p, i) => compareVal(p.low, b.key[i].low) === 0 && compareVal(p.high, b.key[i].high) === 0);

/** set_overlap: of two that meet, the one that was there is not named. `kernel`: elements that are there already. */
function refuseOverlap(r: Reader, kernel: Iterable<NftElement>, added: NftElement[]): void {
  // Of those that begin together the later one comes first, as list_expr_sort leaves them.
  const all = [...added.map(e => ({ e, old: false })), ...[...kernel].map(e => ({ e, old: true }))].reverse();
  all.sort((a, b) => compareVal(a.e.key[0].low, b.e.key[0].low));
  for (let i = 1; i < all.length; i++) {
    const [before, here] = [all[i - 1], all[i]];
    if (sameInterval(before.e, here.e) || compareVal(here.e.key[0].low, before.e.key[0].high) > 0) continue;
    if (before.old && here.old) continue;
    if (!before.old && !here.old) refuse(placeOf(r, here.e), 'conflicting intervals specified', null, placeOf(r, before.e));
    refuse(placeOf(r, before.old ? here.e : before.e), 'interval overlaps with an existing one');
  }
}

/** nft_pipapo_insert: an end of a new element lies in an old one. */
function overlapsPart(old: NftElement, e: NftElement): boolean {
  return !sameInterval(old, e) && (['low', 'high'] as const).some(end => e.key.every((p, i) => inInterval(p[end], old.key[i])));
}

/** Elements that are to join a named set. */
export function checkIntervals(r: Reader, set: NftSet, added: NftElement[]): void {
  if (!isIntervalSet(set) || set.autoMerge || !added.length) return;
  const there = [...set.exact.values(), ...set.ranges];
  if (set.keys.length === 1) {
    refuseOverlap(r, there, added);
    return;
  }
  added.forEach((e, i) => {
    if ([...there, ...added.slice(0, i)].some(old => overlapsPart(old, e))) refuse(placeOf(r, e), 'File exists', 'File exists');
  });
}

/** An anonymous set with its elements: what overlaps or touches becomes one, but in a map. */
export function settleAnonymous(r: Reader, set: NftSet, elements: NftElement[]): void {
  if (elements.every(e => e.key.every(isSingle))) {
    if (set.kind === 'map' && sizeOf(set) < elements.length) refuseDouble(r, elements);
    return;
  }
  if (set.keys.length > 1) checkIntervals(r, { ...set, flags: ['interval'], exact: new Map(), ranges: [] }, elements);
  else if (set.kind === 'map') refuseOverlap(r, [], elements);
  else merge(set);
}

/** The kernel takes one value for a key. */
function refuseDouble(r: Reader, elements: NftElement[]): void {
  elements.forEach((e, i) => {
    const first = elements.slice(0, i).find(x => sameInterval(x, e));
    if (first && JSON.stringify(first.data) !== JSON.stringify(e.data)) refuse(placeOf(r, e), 'File exists', 'File exists');
  });
}

/** The element that an interval lies in. */
export function enclosing(set: NftSet, e: NftElement): NftElement | undefined {
  for (const old of [...set.exact.values(), ...set.ranges])
    if (e.key.every((p, i) => inInterval(p.low, old.key[i]) && inInterval(p.high, old.key[i]))) return old;
  return undefined;
}
