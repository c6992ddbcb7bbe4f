// Chains and their rules: what the programs change and the walk reads.
import type { Netns } from '../types.ts';
import { parseRuleLine } from './parse.ts';
import { newChainRecord } from './state.ts';
import type { Chain, Rule, Table } from './types.ts';
import { isProblem } from './values.ts';

/** The text that nobody has parsed yet. */
export function linesOf(chain: Chain): string[] {
  if (typeof chain.lines === 'function') chain.lines = chain.lines();
  return chain.lines ?? [];
}

/** A component's own chain becomes this: text that is made when a packet or a listing first asks for it. */
export function writeChain(table: Table, name: string, lines: () => string[]): void {
  table.chains.set(name, { ...newChainRecord(name, null), rules: null, lines });
}

/** A chain's rules; those that restore took unparsed are parsed now. */
export function rulesOf(ns: Netns, table: Table, chain: Chain): Rule[] {
  if (chain.rules) return chain.rules;
  const rules: Rule[] = [];
  for (const line of linesOf(chain)) {
    const parsed = parseRuleLine(ns, table, line, true);
    if (isProblem(parsed)) throw new Error(`rule of a program of the cluster: -A ${chain.name} ${line}: ${parsed.problem}`);
    for (const rule of parsed) rules.push(rule);
  }
  chain.rules = rules;
  chain.lines = null;
  return rules;
}

const changed = (chain: Chain): void => {
  chain.compiled = null;
};

export function appendRule(ns: Netns, table: Table, chain: Chain, rule: Rule): void {
  rulesOf(ns, table, chain).push(rule);
  changed(chain);
}

/** `at` counts from 0. */
export function insertRule(ns: Netns, table: Table, chain: Chain, rule: Rule, at: number): void {
  rulesOf(ns, table, chain).splice(at, 0, rule);
  changed(chain);
}

export function deleteRule(ns: Netns, table: Table, chain: Chain, at: number): void {
  rulesOf(ns, table, chain).splice(at, 1);
  changed(chain);
}

export function replaceRule(ns: Netns, table: Table, chain: Chain, at: number, rule: Rule): void {
  rulesOf(ns, table, chain)[at] = rule;
  changed(chain);
}

export function flushChain(chain: Chain): void {
  chain.rules = [];
  chain.lines = null;
  changed(chain);
}

export function newChain(table: Table, name: string): Chain | 'EEXIST' {
  if (table.chains.has(name)) return 'EEXIST';
  const chain = newChainRecord(name, null);
  table.chains.set(name, chain);
  return chain;
}

export function zeroChain(ns: Netns, table: Table, chain: Chain): void {
  chain.packets = 0;
  chain.bytes = 0;
  for (const rule of rulesOf(ns, table, chain)) {
    rule.packets = 0;
    rule.bytes = 0;
  }
}

/** How many rules jump to each chain. */
export function references(ns: Netns, table: Table): Map<string, number> {
  const out = new Map<string, number>();
  for (const chain of table.chains.values()) {
    for (const rule of rulesOf(ns, table, chain)) {
      if (rule.target && !rule.target.run && table.chains.has(rule.target.name))
        out.set(rule.target.name, (out.get(rule.target.name) ?? 0) + 1);
    }
  }
  return out;
}

/** Built-in chains first, in their own order, then the users' by name in byte order, as both backends print them. */
export function chainsInOrder(table: Table): Chain[] {
  const builtin: Chain[] = [];
  const users: Chain[] = [];
  for (const chain of table.chains.values()) (chain.policy === null ? users : builtin).push(chain);
  return [...builtin, ...users.sort((a, b) => (a.name < b.name ? -1 : 1))];
}
