// A packet's way through one table's chains (ipt_do_table), with an index for long chains of rules that test one address or port.
import { packetLength } from '../../wire/packet.ts';
import { addStep } from '../trace.ts';
import type { Link, Netns, Skb } from '../types.ts';
import { addToIndex, type ChainIndex, candidates, keysOf, newChainIndex, type Place } from './chain-index.ts';
import { ifaceMatches } from './matches/meta.ts';
import { indexOfParts } from './parts.ts';
import { rulesOf, rulesOfPart } from './rules.ts';
import { ruleText } from './save.ts';
import type { Chain, ChainPart, HookContext, HookVerdict, Rule, Table } from './types.ts';
import { matchesMask } from './values.ts';

const INDEX_FROM = 12;

/** What the walk goes by: the rules, or for a chain of many the index of those. */
type Compiled = Rule[] | ChainIndex;

function compile(ns: Netns, table: Table, chain: Chain): Compiled {
  if (chain.parts) return indexOfParts(ns, table, chain);
  const rules = rulesOf(ns, table, chain);
  if (rules.length < INDEX_FROM) return rules;
  const index = newChainIndex();
  const whole: ChainPart = { order: 0, lines: [], rules };
  addToIndex(index, whole, keysOf(whole) ?? [], 0);
  return index;
}

const ruleAt = (ns: Netns, table: Table, chain: Chain, { part, i }: Place): Rule => (part.rules ?? rulesOfPart(ns, table, chain, part))[i];

const ifaceOk = (test: { name: string; invert: boolean }, link: Link | null): boolean =>
  ifaceMatches(test.name, link?.name ?? '') !== test.invert;

function ruleMatches(rule: Rule, skb: Skb, ctx: HookContext): boolean {
  const p = skb.packet;
  if (rule.src && matchesMask(p.src, rule.src.ip, rule.src.mask) === rule.src.invert) return false;
  if (rule.dst && matchesMask(p.dst, rule.dst.ip, rule.dst.mask) === rule.dst.invert) return false;
  if (rule.in && !ifaceOk(rule.in, ctx.in)) return false;
  if (rule.out && !ifaceOk(rule.out, ctx.out)) return false;
  if (rule.proto && (p.proto === rule.proto) === rule.protoInvert) return false;
  if (rule.fragment === true) return false; // every packet here is whole
  for (const m of rule.matches) if (!m.test(skb, ctx)) return false;
  return true;
}

function note(skb: Skb, ctx: HookContext, chain: Chain, rule: Rule): void {
  const target = rule.target?.name ?? null;
  addStep(skb.trace, ctx.netns, 'rule', `${ctx.table} ${chain.name}: ${ruleText(chain.name, rule)}`, skb.packet, {
    table: ctx.table,
    chain: chain.name,
    hook: ctx.hook,
    target,
    family: ctx.family,
  });
}

/** 'CONTINUE': the chain's end, or RETURN. */
function walkChain(table: Table, chain: Chain, skb: Skb, ctx: HookContext, length: number, depth: number): HookVerdict | 'CONTINUE' {
  let compiled = chain.compiled as Compiled | null;
  if (!compiled) chain.compiled = compiled = compile(ctx.netns, table, chain);
  const rules = Array.isArray(compiled) ? compiled : null;
  const places = rules ? null : candidates(compiled as ChainIndex, skb.packet, ctx);
  const n = (rules ?? places ?? []).length;
  for (let i = 0; i < n; i++) {
    const rule = rules ? rules[i] : ruleAt(ctx.netns, table, chain, places![i]);
    if (!ruleMatches(rule, skb, ctx)) continue;
    rule.packets++;
    rule.bytes += length;
    const { target } = rule;
    if (!target) continue;
    if (skb.trace) note(skb, ctx, chain, rule);
    if (target.run) {
      const result = target.run(skb, ctx);
      if (result === 'CONTINUE') continue;
      return result === 'RETURN' ? 'CONTINUE' : result;
    }
    if (target.name === 'ACCEPT' || target.name === 'DROP') return target.name;
    if (target.name === 'RETURN') return 'CONTINUE';
    const next = table.chains.get(target.name);
    if (!next || depth > 128) continue;
    const result = walkChain(table, next, skb, ctx, length, depth + 1);
    if (result !== 'CONTINUE' || rule.goto) return result;
  }
  return 'CONTINUE';
}

/** One table at one hook. The policy decides what no rule did. */
export function runTable(table: Table, skb: Skb, ctx: HookContext): HookVerdict {
  const chain = table.chains.get(ctx.hook);
  if (!chain) return 'ACCEPT';
  const length = packetLength(skb.packet);
  const result = walkChain(table, chain, skb, ctx, length, 0);
  if (result !== 'CONTINUE') return result;
  chain.packets++;
  chain.bytes += length;
  if (chain.policy === 'DROP') {
    if (skb.trace)
      addStep(skb.trace, ctx.netns, 'rule', `${ctx.table} ${chain.name}: policy DROP`, skb.packet, { table: ctx.table, chain: chain.name });
    return 'DROP';
  }
  return 'ACCEPT';
}
