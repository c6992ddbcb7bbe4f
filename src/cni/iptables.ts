// Small changes to iptables, as plugins make them: chains and rules only where they are missing.
import { restore } from '../linux/netfilter/restore.ts';
import { rulesOf } from '../linux/netfilter/rules.ts';
import type { TableName } from '../linux/netfilter/types.ts';
import type { Netns } from '../linux/types.ts';
import type { Family } from '../wire/ip.ts';

export function hasChain(ns: Netns, family: Family, table: TableName, chain: string): boolean {
  return ns.netfilter.xt[family].get(table)?.chains.has(chain) ?? false;
}

export function hasJump(ns: Netns, family: Family, table: TableName, chain: string, target: string): boolean {
  const t = ns.netfilter.xt[family].get(table);
  const c = t?.chains.get(chain);
  return t && c ? rulesOf(ns, t, c).some(r => r.target?.name === target) : false;
}

/** Lines of one table for `iptables-restore --noflush`. -> false: refused */
export function applyRules(ns: Netns, family: Family, table: TableName, lines: string[]): boolean {
  if (!lines.length) return true;
  return restore(ns, family, `*${table}\n${lines.join('\n')}\nCOMMIT\n`, { noflush: true }) === null;
}
