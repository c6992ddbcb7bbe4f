// When each base chain was registered. Of those with one priority the kernel runs the newest first (nf_hook_entries_grow, net/netfilter/core.c),
// so that it counts whether kube-proxy's nftables or the CNI's iptables came earlier.
import type { Family } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import type { NftTable } from './nft/types.ts';
import type { Backend } from './state.ts';
import type { Chain, Table } from './types.ts';

export const xtKey = (backend: Backend, table: Table, chain: string): string => `${backend} ${table.family} ${table.name} ${chain}`;
export const nftKey = (table: NftTable, chain: string): string => `${table.family} ${table.name} ${chain}`;

/** The nf_tables variant makes a built-in chain with its first rule or policy; the legacy one all of a table's at once. */
const isThere = (backend: Backend, chain: Chain): boolean =>
  chain.policy !== null && (backend === 'legacy' || chain.policy === 'DROP' || chain.rules === null || chain.rules.length > 0);

function* baseChains(ns: Netns): Generator<string> {
  const { xt, legacy, nft } = ns.netfilter;
  for (const [backend, tables] of [
    ['legacy', legacy],
    ['nft', xt],
  ] as [Backend, Record<Family, Map<string, Table>>][])
    for (const family of [4, 6] as const)
      for (const table of tables[family].values())
        for (const chain of table.chains.values()) if (isThere(backend, chain)) yield xtKey(backend, table, chain.name);
  for (const table of nft as NftTable[]) for (const chain of table.chains.values()) if (chain.base) yield nftKey(table, chain.name);
}

/** Number those that are new since the last time; forget those that have gone. Called before and after base chains of nftables change. */
export function noteBaseChains(ns: Netns): void {
  const { registered } = ns.netfilter;
  const there = new Set(baseChains(ns));
  let next = Math.max(0, ...registered.values());
  for (const key of there) if (!registered.has(key)) registered.set(key, ++next);
  for (const key of registered.keys()) if (!there.has(key)) registered.delete(key);
}

/** A chain that nobody has counted yet is the newest once it is there. */
export const registeredAt = (ns: Netns, key: string): number => ns.netfilter.registered.get(key) ?? Number.POSITIVE_INFINITY;

/** Newest first within one priority. */
export const inHookOrder = (a: { priority: number; registered: number }, b: { priority: number; registered: number }): number =>
  a.priority - b.priority || (a.registered === b.registered ? 0 : a.registered > b.registered ? -1 : 1);
