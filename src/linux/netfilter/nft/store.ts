// A transaction: `nft -f` changes all or nothing, so it works on copies that are made when something is first touched.
import type { Netns } from '../../types.ts';
import { noteBaseChains } from '../registered.ts';
import { enableConntrack } from '../state.ts';
import type { Token } from './lex.ts';
import type { NftChain, NftFamily, NftRule, NftSet, NftTable } from './types.ts';

export interface Work {
  ns: Netns;
  tables: NftTable[];
  ownTables: Set<NftTable>;
  ownChains: Set<NftChain>;
  ownSets: Set<NftSet>;
  /** A base chain came or went, or something that needs conntrack. */
  hooksChanged: boolean;
  conntrack: boolean;
  changed: boolean;
  /** Chains that verdicts lead to, with the word that says so. */
  wanted: { table: NftTable; chain: string; token: Token }[];
}

export const newWork = (ns: Netns): Work => ({
  ns,
  tables: [...(ns.netfilter.nft as NftTable[])],
  ownTables: new Set(),
  ownChains: new Set(),
  ownSets: new Set(),
  hooksChanged: false,
  conntrack: false,
  changed: false,
  wanted: [],
});

export const findTable = (w: Work, family: NftFamily, name: string): NftTable | undefined =>
  w.tables.find(t => t.family === family && t.name === name);

/** The table, to be changed. */
export function ownTable(w: Work, table: NftTable): NftTable {
  w.changed = true;
  if (w.ownTables.has(table)) return table;
  const copy: NftTable = { ...table, objects: new Map(table.objects), sets: new Map(table.sets), chains: new Map(table.chains) };
  w.tables[w.tables.indexOf(table)] = copy;
  w.ownTables.add(copy);
  return copy;
}

export function newTable(w: Work, family: NftFamily, name: string): NftTable {
  const handles = w.tables.map(t => t.handle);
  const table: NftTable = {
    family,
    name,
    comment: null,
    flags: [],
    handle: Math.max(0, ...handles) + 1,
    nextHandle: 1,
    objects: new Map(),
    sets: new Map(),
    chains: new Map(),
  };
  w.tables.push(table);
  w.ownTables.add(table);
  w.changed = true;
  return table;
}

export function ownChain(w: Work, table: NftTable, chain: NftChain): NftChain {
  if (w.ownChains.has(chain)) return chain;
  const copy: NftChain = { ...chain, rules: [...chain.rules] };
  table.chains.set(chain.name, copy);
  w.ownChains.add(copy);
  return copy;
}

export function ownSet(w: Work, table: NftTable, set: NftSet): NftSet {
  if (w.ownSets.has(set)) return set;
  const copy: NftSet = { ...set, exact: new Map(set.exact), ranges: [...set.ranges] };
  table.sets.set(set.name, copy);
  w.ownSets.add(copy);
  return copy;
}

export function removeTable(w: Work, table: NftTable): void {
  w.tables.splice(w.tables.indexOf(table), 1);
  w.changed = true;
  w.hooksChanged = true;
}

export function noteRule(w: Work, rule: NftRule): void {
  if (rule.statements.some(s => s.conntrack)) w.conntrack = true;
}

/** Rules, and elements of maps, that lead to a chain. */
export function isReferred(table: NftTable, chain: string): boolean {
  for (const c of table.chains.values()) for (const rule of c.rules) if (rule.statements.some(s => s.chains?.includes(chain))) return true;
  for (const set of table.sets.values()) {
    if (set.data?.[0] !== 'verdict') continue;
    for (const e of set.exact.values()) if (e.data && !Array.isArray(e.data) && e.data.chain === chain) return true;
    for (const e of set.ranges) if (e.data && !Array.isArray(e.data) && e.data.chain === chain) return true;
  }
  return false;
}

export function isSetUsed(table: NftTable, set: string): boolean {
  for (const c of table.chains.values()) for (const rule of c.rules) if (rule.statements.some(s => s.sets?.includes(set))) return true;
  return false;
}

export function commit(w: Work): void {
  const { netfilter } = w.ns;
  if (w.hooksChanged) noteBaseChains(w.ns);
  netfilter.nft = w.tables;
  if (w.hooksChanged) noteBaseChains(w.ns);
  if (w.conntrack) enableConntrack(w.ns);
  // Entries hold the table's record: a replaced one has to be looked up again.
  if (w.hooksChanged || w.ownTables.size) netfilter.hooks.clear();
}
