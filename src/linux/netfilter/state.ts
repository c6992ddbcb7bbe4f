// Where netfilter's state begins: empty tables, the built-in chains, and who needs connection tracking.
import type { Family } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import type { Chain, HookName, NetfilterState, Table, TableName } from './types.ts';

/** Built-in chains in the order the tools print them (iptables 1.8.9, nft.c xtables_ipv4). */
export const BUILTIN: Record<TableName, HookName[]> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** nf_ip_hook_priorities; nat's is -100 where destinations change and 100 where sources do. */
export const PRIORITY: Record<Exclude<TableName, 'nat'>, number> = { raw: -300, mangle: -150, filter: 0, security: 50 };

export type Backend = 'nft' | 'legacy';

export function newNetfilterState(): NetfilterState {
  return {
    xt: { 4: new Map(), 6: new Map() },
    legacy: { 4: new Map(), 6: new Map() },
    ipsets: new Map(),
    conntrack: {
      byTuple: new Map(),
      nextId: 1,
      count: 0,
      enabled: false,
      sweptAtMs: 0,
      listeners: new Set(),
      stats: { found: 0, invalid: 0, insert: 0, insertFailed: 0, drop: 0, earlyDrop: 0 },
    },
    nft: [],
    recent: new Map(),
    nfacct: new Set(),
    kept: [],
    registered: new Map(),
    hooks: new Map(),
  };
}

export const isTableName = (name: string): name is TableName => Object.hasOwn(BUILTIN, name);

export const tablesOf = (ns: Netns, family: Family, backend: Backend): Map<TableName, Table> =>
  (backend === 'legacy' ? ns.netfilter.legacy : ns.netfilter.xt)[family];

export function newChainRecord(name: string, policy: 'ACCEPT' | 'DROP' | null): Chain {
  return { name, policy, packets: 0, bytes: 0, compiled: null, rules: [], lines: null, parts: null };
}

/** The table, made with its empty built-in chains if nothing had touched it yet. */
export function ensureTable(ns: Netns, family: Family, name: TableName, backend: Backend = 'nft'): Table {
  const tables = tablesOf(ns, family, backend);
  let table = tables.get(name);
  if (!table) {
    table = { name, family, chains: new Map(BUILTIN[name].map(c => [c, newChainRecord(c, 'ACCEPT')])) };
    tables.set(name, table);
    ns.netfilter.hooks.clear();
  }
  return table;
}

/** Something in this namespace looks at connections or translates: track them from now on (nf_ct_netns_get). */
export function enableConntrack(ns: Netns): void {
  if (ns.netfilter.conntrack.enabled) return;
  ns.netfilter.conntrack.enabled = true;
  ns.netfilter.hooks.clear();
}
