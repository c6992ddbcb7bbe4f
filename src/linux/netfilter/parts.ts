// A chain of very many rules of which its component changes a few at a time: it is kept in parts, so that neither the change nor the next
// packet costs more than those few. Whoever else changes such a chain makes it one like any other (rules.ts).
import type { Netns } from '../types.ts';
import { addToIndex, type ChainIndex, keysOf, newChainIndex, removeFromIndex } from './chain-index.ts';
import { rulesOfPart } from './rules.ts';
import { newChainRecord } from './state.ts';
import type { Chain, ChainPart, Table } from './types.ts';

/** More than the rules of any part. */
const STEP = 2 ** 20;

/** The chain in parts, or null: there is none, or somebody else has changed it. */
export function chainInParts(table: Table, name: string): Chain | null {
  const chain = table.chains.get(name);
  return chain?.parts ? chain : null;
}

/** An empty chain in parts takes the place of the one of that name. */
export function beginParts(table: Table, name: string): Chain {
  const chain: Chain = { ...newChainRecord(name, null), rules: null, parts: { byKey: new Map(), all: null } };
  table.chains.set(name, chain);
  return chain;
}

/** What one part holds from now on: rule arguments after `-A CHAIN `; none, it is gone. `order` below 2^33. */
export function writePart(ns: Netns, table: Table, chain: Chain, key: string, order: number, lines: string[]): void {
  const { parts } = chain;
  const old = parts?.byKey.get(key);
  if (!parts || (!old && !lines.length)) return;
  const index = chain.compiled as ChainIndex | null;
  if (old && index) removeFromIndex(index, old, keysOfPart(ns, table, chain, old));
  parts.all = null;
  if (!lines.length) {
    parts.byKey.delete(key);
    return;
  }
  const part: ChainPart = { order, lines, rules: null };
  parts.byKey.set(key, part);
  if (index) indexPart(ns, table, chain, part, index);
}

function keysOfPart(ns: Netns, table: Table, chain: Chain, part: ChainPart): (string | null)[] {
  const keys = keysOf(part);
  if (keys) return keys;
  rulesOfPart(ns, table, chain, part);
  return keysOf(part) ?? [];
}

function indexPart(ns: Netns, table: Table, chain: Chain, part: ChainPart, index: ChainIndex): void {
  addToIndex(index, part, keysOfPart(ns, table, chain, part), part.order * STEP);
}

/** The index that the walk goes by. */
export function indexOfParts(ns: Netns, table: Table, chain: Chain): ChainIndex {
  const index = newChainIndex();
  for (const part of chain.parts?.byKey.values() ?? []) indexPart(ns, table, chain, part, index);
  return index;
}

/** As if every rule had been written again: nothing is counted yet. */
export function zeroParts(chain: Chain): void {
  for (const part of chain.parts?.byKey.values() ?? []) {
    if (!part.rules) continue;
    for (const rule of part.rules) {
      rule.packets = 0;
      rule.bytes = 0;
    }
  }
}
