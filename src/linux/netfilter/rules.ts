// Chains and their rules: what the programs change and the walk reads.
import type { Netns } from '../types.ts';
import { parseRuleLine } from './parse.ts';
import { needsConntrack } from './rule-build.ts';
import { enableConntrack, newChainRecord } from './state.ts';
import type { Chain, ChainPart, Rule, Table } from './types.ts';
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

function parseLines(ns: Netns, table: Table, chain: string, lines: string[]): Rule[] {
  const rules: Rule[] = [];
  for (const line of lines) {
    const parsed = parseRuleLine(ns, table, line, true);
    if (isProblem(parsed)) throw new Error(`rule of a program of the cluster: -A ${chain} ${line}: ${parsed.problem}`);
    for (const rule of parsed) rules.push(rule);
  }
  noteConntrack(ns, rules);
  return rules;
}

const NO_LINES: string[] = [];

export function rulesOfPart(ns: Netns, table: Table, chain: Chain, part: ChainPart): Rule[] {
  if (!part.rules) {
    part.rules = parseLines(ns, table, chain.name, part.lines);
    part.lines = NO_LINES;
  }
  return part.rules;
}

const inOrder = (chain: Chain): ChainPart[] => [...(chain.parts?.byKey.values() ?? [])].sort((a, b) => a.order - b.order);

/** A chain's rules; those that restore took unparsed are parsed now. For reading: `changeable` gives those that may be added to. */
export function rulesOf(ns: Netns, table: Table, chain: Chain): Rule[] {
  const { parts } = chain;
  if (parts) return (parts.all ??= inOrder(chain).flatMap(part => rulesOfPart(ns, table, chain, part)));
  if (chain.rules) return chain.rules;
  chain.rules = parseLines(ns, table, chain.name, linesOf(chain));
  chain.lines = null;
  return chain.rules;
}

/** What a chain holds, in order: rules, or the text of those that nobody has parsed yet. */
export function contentsOf(chain: Chain): (Rule | string)[] {
  if (chain.parts) return inOrder(chain).flatMap((part): (Rule | string)[] => part.rules ?? part.lines);
  return chain.rules ?? linesOf(chain);
}

/** The rules of a chain that is about to change: its parts, if it had any, are its writer's no longer. */
function changeable(ns: Netns, table: Table, chain: Chain): Rule[] {
  const rules = rulesOf(ns, table, chain);
  chain.compiled = null;
  if (chain.parts) {
    chain.parts = null;
    chain.rules = [...rules];
  }
  return chain.rules as Rule[];
}

/** Rules that now stand in the kernel. */
export function noteConntrack(ns: Netns, rules: Rule[]): void {
  if (!ns.netfilter.conntrack.enabled && rules.some(needsConntrack)) enableConntrack(ns);
}

export function appendRule(ns: Netns, table: Table, chain: Chain, rule: Rule): void {
  noteConntrack(ns, [rule]);
  changeable(ns, table, chain).push(rule);
}

/** `at` counts from 0. */
export function insertRule(ns: Netns, table: Table, chain: Chain, rule: Rule, at: number): void {
  noteConntrack(ns, [rule]);
  changeable(ns, table, chain).splice(at, 0, rule);
}

export function deleteRule(ns: Netns, table: Table, chain: Chain, at: number): void {
  changeable(ns, table, chain).splice(at, 1);
}

export function replaceRule(ns: Netns, table: Table, chain: Chain, at: number, rule: Rule): void {
  noteConntrack(ns, [rule]);
  changeable(ns, table, chain)[at] = rule;
}

export function flushChain(chain: Chain): void {
  chain.rules = [];
  chain.lines = null;
  chain.parts = null;
  chain.compiled = null;
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
