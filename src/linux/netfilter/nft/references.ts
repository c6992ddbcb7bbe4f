// Who names a chain or a set: such a one cannot be deleted. A table is counted once, when somebody first asks; a transaction adds what it
// changes.

import type { NftChain, NftElement, NftSet, NftTable } from './types.ts';
import type { Counts, Work } from './work.ts';

const count = (out: Counts, name: string, by: number) => out.set(name, (out.get(name) ?? 0) + by);

function countChain(out: Counts, chain: NftChain | null | undefined, by: number): void {
  for (const rule of chain?.rules ?? []) {
    for (const s of rule.statements) {
      for (const name of s.chains ?? []) count(out, name, by);
      for (const name of s.sets ?? []) count(out, `@${name}`, by);
    }
  }
}

function countElement(out: Counts, e: NftElement | null | undefined, by: number): void {
  if (e?.data && !Array.isArray(e.data) && e.data.chain) count(out, e.data.chain, by);
}

function countSet(out: Counts, set: NftSet | null | undefined, by: number): void {
  if (set?.data?.[0] !== 'verdict') return;
  for (const e of set.exact.values()) countElement(out, e, by);
  for (const e of set.ranges) countElement(out, e, by);
}

/** What the transaction has added to the counts, and taken from them. */
function changesOf(w: Work, table: NftTable): Counts {
  const known = w.named.get(table);
  if (known) return known;
  const out: Counts = new Map();
  const before = w.before.get(table);
  for (const [name, old] of before?.chains ?? []) {
    countChain(out, old, -1);
    countChain(out, table.chains.get(name), 1);
  }
  for (const [name, old] of before?.sets ?? []) {
    if (table.sets.get(name) === old) continue;
    countSet(out, old, -1);
    countSet(out, table.sets.get(name), 1);
  }
  // A set that was there before the transaction and has changed in place; its own ones are counted whole.
  for (const [set, elements] of before?.elements ?? []) {
    if (w.ownSets.has(set)) continue;
    for (const [key, old] of elements) {
      countElement(out, old, -1);
      countElement(out, set.exact.get(key), 1);
    }
  }
  w.named.set(table, out);
  return out;
}

/** The counts of the table as it was before the transaction. */
function countsBefore(w: Work, table: NftTable): Counts {
  if (table.named) return table.named;
  const out: Counts = new Map();
  for (const chain of table.chains.values()) countChain(out, chain, 1);
  for (const set of table.sets.values()) countSet(out, set, 1);
  for (const [name, n] of changesOf(w, table)) count(out, name, -n);
  table.named = out;
  return out;
}

const isNamed = (w: Work, table: NftTable, name: string): boolean =>
  (countsBefore(w, table).get(name) ?? 0) + (changesOf(w, table).get(name) ?? 0) > 0;

/** Do rules, or elements of maps, lead to a chain? */
export const isReferred = (w: Work, table: NftTable, chain: string): boolean => isNamed(w, table, chain);

export const isSetUsed = (w: Work, table: NftTable, set: string): boolean => isNamed(w, table, `@${set}`);

/** The transaction stands: its changes are in the counts from now on. */
export function keepCounts(w: Work, table: NftTable): void {
  if (!table.named) return;
  for (const [name, n] of changesOf(w, table)) {
    const left = (table.named.get(name) ?? 0) + n;
    if (left) table.named.set(name, left);
    else table.named.delete(name);
  }
}
