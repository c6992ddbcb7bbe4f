// Base chains of nftables as hook entries, and a packet's way through their rules (nf_tables_core.c).

import type { Family } from '../../../wire/ip.ts';
import { packetLength } from '../../../wire/packet.ts';
import { addStep } from '../../trace.ts';
import type { Netns, Skb, Trace } from '../../types.ts';
import { nftKey, registeredAt } from '../registered.ts';
import type { HookContext, HookEntry, HookName } from '../types.ts';
import { ruleText } from './print.ts';
import type { NftChain, NftContext, NftRule, NftTable, NftVerdict } from './types.ts';

const FAMILIES: Record<Family, string[]> = { 4: ['ip', 'inet'], 6: ['ip6', 'inet'] };

export const tablesOf = (ns: Netns): NftTable[] => ns.netfilter.nft as NftTable[];

export function nftHooks(ns: Netns, family: Family, hook: HookName): HookEntry[] {
  const out: HookEntry[] = [];
  for (const table of tablesOf(ns)) {
    if (!FAMILIES[family].includes(table.family) || table.flags.includes('dormant')) continue;
    for (const chain of table.chains.values()) {
      if (!chain.base || chain.base.hook.toUpperCase() !== hook) continue;
      const entry: HookEntry = {
        priority: chain.base.priority,
        registered: registeredAt(ns, nftKey(table, chain.name)),
        nat: chain.base.type === 'nat',
        run: (skb, ctx) => runBase(table, chain.name, skb, ctx),
      };
      out.push(entry);
    }
  }
  return out;
}

function runBase(table: NftTable, name: string, skb: Skb, ctx: HookContext): 'ACCEPT' | 'DROP' {
  const chain = table.chains.get(name);
  if (!chain?.base) return 'ACCEPT';
  const own: NftContext = { ...ctx, nft: table, chain, length: packetLength(skb.packet) };
  const verdict = runChain(chain, skb, own, 0);
  if (verdict?.kind === 'drop') return 'DROP';
  if (verdict || chain.base.policy === 'accept') return 'ACCEPT';
  if (skb.trace) addStep(skb.trace, ctx.netns, 'rule', `${table.family} ${table.name} ${name}: policy drop`, skb.packet, { chain: name });
  return 'DROP';
}

/** null: the end of the chain, or return. */
function runChain(chain: NftChain, skb: Skb, ctx: NftContext, depth: number): NftVerdict | null {
  for (const rule of chain.rules) {
    const before = skb.trace?.steps.length;
    const verdict = runRule(rule, skb, ctx);
    if (!verdict || verdict.kind === 'continue') continue;
    if (skb.trace) note(skb.trace, before as number, chain, rule, skb, ctx, verdict);
    if (verdict.kind === 'return') return null;
    if (verdict.kind !== 'jump' && verdict.kind !== 'goto') return verdict;
    const next = ctx.nft.chains.get(verdict.chain ?? '');
    if (!next || depth > 32) continue;
    const result = runChain(next, skb, ctx, depth + 1);
    if (result || verdict.kind === 'goto') return result;
  }
  return null;
}

function runRule(rule: NftRule, skb: Skb, ctx: NftContext): NftVerdict | null {
  for (const s of rule.statements) {
    const outcome = s.run(skb, ctx);
    if (outcome === null) continue;
    return outcome === 'break' ? null : outcome;
  }
  return null;
}

/** The rule comes before what it did, which is told by then: the trace's steps from `at` on. */
function note(trace: Trace, at: number, chain: NftChain, rule: NftRule, skb: Skb, ctx: NftContext, verdict: NftVerdict): void {
  const text = `${ctx.nft.family} ${ctx.nft.name} ${chain.name}: ${ruleText(rule)}`;
  const done = trace.steps.splice(at);
  addStep(trace, ctx.netns, 'rule', text, skb.packet, {
    table: ctx.nft.name,
    chain: chain.name,
    hook: ctx.hook,
    target: verdict.chain ?? verdict.kind,
    family: ctx.family,
  });
  trace.steps.push(...done);
}
