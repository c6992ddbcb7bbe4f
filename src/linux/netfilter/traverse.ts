// A packet's way through one table's chains (ipt_do_table), with an index for long chains of rules that test one address or port.
import { ipKey } from '../../wire/ip.ts';
import { type Packet, packetLength } from '../../wire/packet.ts';
import { addStep } from '../trace.ts';
import type { Link, Skb } from '../types.ts';
import { ifaceMatches } from './matches/meta.ts';
import { rulesOf } from './rules.ts';
import { ruleText } from './save.ts';
import type { Chain, HookContext, HookVerdict, Rule, Table } from './types.ts';
import { matchesMask } from './values.ts';

/**
 * For a chain of many rules: under which of a packet's keys each rule can match at all. A rule that tests `-d 10.96.0.1/32` cannot touch
 * packets to other addresses, and the address is the first thing tested, so leaving it out changes nothing, not even counters.
 */
interface Compiled {
  rules: Rule[];
  index: Map<string, number[]> | null;
  /** Rules that any packet may match. */
  rest: number[];
}

const INDEX_FROM = 12;

function keyOf(rule: Rule): string | null {
  const { dst, src, out } = rule;
  if (dst && !dst.invert && dst.bits === dst.ip.length * 8) return `d${ipKey(dst.ip)}`;
  if (out && !out.invert && !out.name.endsWith('+')) return `o${out.name}`;
  if (rule.in && !rule.in.invert && !rule.in.name.endsWith('+')) return `i${rule.in.name}`;
  if (src && !src.invert && src.bits === src.ip.length * 8) return `s${ipKey(src.ip)}`;
  if (rule.proto && !rule.protoInvert) {
    for (const m of rule.matches) {
      if (m.dport !== undefined) return `p${rule.proto}:${m.dport}`;
      if (m.module !== 'comment') break; // what is tested before may have effects of its own
    }
  }
  return null;
}

function compile(rules: Rule[]): Compiled {
  if (rules.length < INDEX_FROM) return { rules, index: null, rest: [] };
  const index = new Map<string, number[]>();
  const rest: number[] = [];
  rules.forEach((rule, i) => {
    const key = keyOf(rule);
    if (key === null) rest.push(i);
    else {
      const list = index.get(key);
      if (list) list.push(i);
      else index.set(key, [i]);
    }
  });
  return { rules, index, rest };
}

function candidates(c: Compiled, index: Map<string, number[]>, p: Packet, ctx: HookContext): number[] {
  const b = p.body;
  const found: number[][] = c.rest.length ? [c.rest] : [];
  const add = (key: string) => {
    const list = index.get(key);
    if (list) found.push(list);
  };
  add(`d${ipKey(p.dst)}`);
  add(`s${ipKey(p.src)}`);
  if (ctx.out) add(`o${ctx.out.name}`);
  if (ctx.in) add(`i${ctx.in.name}`);
  if (b.kind === 'tcp' || b.kind === 'udp' || b.kind === 'sctp') add(`p${p.proto}:${b.dport}`);
  if (!found.length) return [];
  return found.length === 1 ? found[0] : found.flat().sort((x, y) => x - y);
}

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
  if (!compiled) chain.compiled = compiled = compile(rulesOf(ctx.netns, table, chain));
  const { rules, index } = compiled;
  const order = index ? candidates(compiled, index, skb.packet, ctx) : null;
  const n = order ? order.length : rules.length;
  for (let i = 0; i < n; i++) {
    const rule = rules[order ? order[i] : i];
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
