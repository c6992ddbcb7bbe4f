// A transaction: `nft -f` changes all or nothing. Tables change in place, for one of a large cluster has a hundred thousand chains and
// elements; what was there before is noted and put back when a command fails.

import type { Netns } from '../../types.ts';
import { noteBaseChains } from '../registered.ts';
import { enableConntrack } from '../state.ts';
import { keepCounts } from './references.ts';
import type { NftChain, NftElement, NftFamily, NftRule, NftSet, NftTable } from './types.ts';
import type { Work } from './work.ts';

export const newWork = (ns: Netns): Work => ({
  ns,
  tables: [...(ns.netfilter.nft as NftTable[])],
  before: new Map(),
  ownChains: new Set(),
  ownSets: new Set(),
  named: new Map(),
  hooksChanged: false,
  conntrack: false,
  changed: false,
  wanted: [],
});

export const findTable = (w: Work, family: NftFamily, name: string): NftTable | undefined =>
  w.tables.find(t => t.family === family && t.name === name);

/** The table, to be changed; its chains and sets by the functions below. */
export function ownTable(w: Work, table: NftTable): NftTable {
  w.changed = true;
  if (w.before.has(table)) return table;
  const { comment, flags, nextHandle, objects } = table;
  const rest = { comment, flags: [...flags], nextHandle, objects: new Map(objects) };
  w.before.set(table, { rest, chains: new Map(), sets: new Map(), elements: new Map() });
  return table;
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
    named: null,
  };
  w.tables.push(table);
  w.hooksChanged = true;
  return ownTable(w, table);
}

function noteChain(w: Work, table: NftTable, name: string): void {
  const chains = w.before.get(ownTable(w, table))?.chains;
  if (!chains?.has(name)) chains?.set(name, table.chains.get(name) ?? null);
  w.named.delete(table);
}

/** A chain that is new under its name. */
export function addChain(w: Work, table: NftTable, chain: NftChain): void {
  noteChain(w, table, chain.name);
  table.chains.set(chain.name, chain);
  w.ownChains.add(chain);
}

export function removeChain(w: Work, table: NftTable, chain: NftChain): void {
  const known = w.named.get(table);
  noteChain(w, table, chain.name);
  table.chains.delete(chain.name);
  // Nothing that it named is named less: it had no rules.
  if (known && !chain.rules.length) w.named.set(table, known);
}

/** The chain, to be changed. */
export function ownChain(w: Work, table: NftTable, chain: NftChain): NftChain {
  noteChain(w, table, chain.name);
  if (w.ownChains.has(chain)) return chain;
  const copy: NftChain = { ...chain, rules: [...chain.rules] };
  addChain(w, table, copy);
  return copy;
}

function noteSet(w: Work, table: NftTable, name: string): void {
  const sets = w.before.get(ownTable(w, table))?.sets;
  if (!sets?.has(name)) sets?.set(name, table.sets.get(name) ?? null);
  w.named.delete(table);
}

/** A set that is new under its name. */
export function addSet(w: Work, table: NftTable, set: NftSet): void {
  noteSet(w, table, set.name);
  table.sets.set(set.name, set);
  w.ownSets.add(set);
}

export function removeSet(w: Work, table: NftTable, set: NftSet): void {
  noteSet(w, table, set.name);
  table.sets.delete(set.name);
}

/** The set, to be changed in any way. */
export function ownSet(w: Work, table: NftTable, set: NftSet): NftSet {
  noteSet(w, table, set.name);
  if (w.ownSets.has(set)) return set;
  const copy: NftSet = { ...set, exact: new Map(set.exact), ranges: [...set.ranges] };
  addSet(w, table, copy);
  return copy;
}

/** Before elements of single values come to the set or go, whoever else holds its record. */
export function noteElements(w: Work, table: NftTable, set: NftSet, keys: string[]): void {
  const all = w.before.get(ownTable(w, table))?.elements;
  const elements = all?.get(set) ?? new Map<string, NftElement | null>();
  all?.set(set, elements);
  for (const key of keys) if (!elements.has(key)) elements.set(key, set.exact.get(key) ?? null);
  w.named.delete(table);
}

function putBack<T>(map: Map<string, T>, before: Map<string, T | null>): void {
  for (const [name, value] of before) {
    if (value === null) map.delete(name);
    else map.set(name, value);
  }
}

/** A list of a table is in the order in which things came to it, as their handles are. */
export function orderByHandle<T extends { handle: number }>(map: Map<string, T>): void {
  const all = [...map].sort(([, a], [, b]) => a.handle - b.handle);
  map.clear();
  for (const [name, value] of all) map.set(name, value);
}

export function rollBack(w: Work): void {
  for (const [table, before] of w.before) {
    Object.assign(table, before.rest);
    for (const [set, elements] of before.elements) putBack(set.exact, elements);
    putBack(table.chains, before.chains);
    putBack(table.sets, before.sets);
    if (before.chains.size) orderByHandle(table.chains);
    if (before.sets.size) orderByHandle(table.sets);
  }
}

export function removeTable(w: Work, table: NftTable): void {
  w.tables.splice(w.tables.indexOf(table), 1);
  w.changed = true;
  w.hooksChanged = true;
}

export function noteRule(w: Work, rule: NftRule): void {
  if (rule.statements.some(s => s.conntrack)) w.conntrack = true;
}

export function commit(w: Work): void {
  const { netfilter } = w.ns;
  for (const table of w.before.keys()) keepCounts(w, table);
  if (w.hooksChanged) noteBaseChains(w.ns);
  netfilter.nft = w.tables;
  if (w.hooksChanged) noteBaseChains(w.ns);
  if (w.conntrack) enableConntrack(w.ns);
  if (w.hooksChanged) netfilter.hooks.clear();
}
