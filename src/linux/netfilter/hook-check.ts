// Extensions that only some hooks may use are looked for along jumps as well: a chain may hold what it likes until a built-in one leads to it
// (nft_chain_validate and the hook masks of x_tables in Linux 6.18).
import type { Netns } from '../types.ts';
import { matchRow } from './matches.ts';
import { rulesOf } from './rules.ts';
import { targetRow } from './targets.ts';
import type { Chain, Rule, Table } from './types.ts';

const jumpOf = (table: Table, r: Rule): Chain | undefined => (r.target && !r.target.run ? table.chains.get(r.target.name) : undefined);

/** Chains that a chain leads to, itself first. */
function reached(ns: Netns, table: Table, from: Chain, seen = new Set<Chain>()): Set<Chain> {
  if (seen.has(from)) return seen;
  seen.add(from);
  for (const r of rulesOf(ns, table, from)) {
    const to = jumpOf(table, r);
    if (to) reached(ns, table, to, seen);
  }
  return seen;
}

function mayStand(r: Rule, table: Table, hook: string): boolean {
  const fits = (hooks: string[] | undefined) => !hooks || hooks.includes(hook);
  if (!r.matches.every(m => fits(matchRow(m.module, table.family)?.hooks))) return false;
  return !r.target?.run || fits(targetRow(r.target.name, table.family)?.hooks);
}

/** Whether these rules, put into the chain, would bring an extension to a hook that it is not for. */
export function meetsWrongHook(ns: Netns, table: Table, chain: Chain, rules: Rule[]): boolean {
  const critical = rules.some(r => jumpOf(table, r) !== undefined || r.target?.run || r.matches.length > 0);
  if (!critical) return false;
  const hooks = [...table.chains.values()].filter(c => c.policy !== null && reached(ns, table, c).has(chain)).map(c => c.name);
  if (!hooks.length) return false;
  return rules.some(rule => {
    const to = jumpOf(table, rule);
    const all = [rule, ...(to ? [...reached(ns, table, to)].flatMap(c => rulesOf(ns, table, c)) : [])];
    return all.some(r => hooks.some(hook => !mayStand(r, table, hook)));
  });
}
