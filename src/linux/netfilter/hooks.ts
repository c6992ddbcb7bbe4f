// The five hooks: everything that looks at a packet there, in the kernel's order of priorities (include/uapi/linux/netfilter_ipv4.h).
import type { Family } from '../../wire/ip.ts';
import { ipvsSteps } from '../ipvs/forward.ts';
import { dropped } from '../trace.ts';
import type { Link, Netns, Skb } from '../types.ts';
import { confirm, conntrackIn } from './conntrack.ts';
import { isNatDone, manipOf, natPacket, nullBinding } from './nat.ts';
import { nftHooks } from './nft/hooks.ts';
import { inHookOrder, noteBaseChains, registeredAt, xtKey } from './registered.ts';
import { BUILTIN, PRIORITY } from './state.ts';
import { runTable } from './traverse.ts';
import type { HookContext, HookEntry, HookName, HookVerdict, Step, Table, TableName } from './types.ts';

const CONNTRACK = -200;
const NAT_DST = -100;
const NAT_SRC = 100;
const CONFIRM = 0x7fffffff;

function tableEntries(ns: Netns, family: Family, hook: HookName): HookEntry[] {
  const out: HookEntry[] = [];
  for (const [backend, tables] of [
    ['legacy', ns.netfilter.legacy[family]],
    ['nft', ns.netfilter.xt[family]],
  ] as const) {
    for (const [name, table] of tables) {
      if (!BUILTIN[name].includes(hook)) continue;
      const nat = name === 'nat';
      const priority = nat ? (manipOf(hook) === 'dst' ? NAT_DST : NAT_SRC) : PRIORITY[name];
      const registered = registeredAt(ns, xtKey(backend, table, hook));
      out.push({ priority, registered, nat, run: tableStep(table, name) });
    }
  }
  return out;
}

function tableStep(table: Table, name: TableName): Step {
  return (skb, ctx) => {
    ctx.table = name;
    return runTable(table, skb, ctx);
  };
}

/** nf_nat_inet_fn: rules choose a mapping for a new flow, then the packet is rewritten as its flow says. */
function natStep(chains: HookEntry[]): Step {
  return (skb, ctx) => {
    const ref = skb.ct;
    if (!ref || ref.info === 'UNTRACKED') return 'ACCEPT';
    const manip = manipOf(ctx.hook);
    if (ref.info === 'NEW' && !isNatDone(ref.entry, manip)) {
      for (const chain of chains) {
        const verdict = chain.run(skb, ctx);
        if (verdict !== 'ACCEPT') return verdict;
        if (isNatDone(ref.entry, manip)) break;
      }
      nullBinding(ctx.netns, skb, manip);
    }
    natPacket(ctx.netns, skb, ctx.hook);
    return 'ACCEPT';
  };
}

/** What runs at a hook; made once and kept until a table or a base chain comes or goes. */
function stepsOf(ns: Netns, family: Family, hook: HookName): Step[] {
  const key = `${family}${hook}`;
  const known = ns.netfilter.hooks.get(key) as Step[] | undefined;
  if (known) return known;
  noteBaseChains(ns);
  const entries = [...tableEntries(ns, family, hook), ...nftHooks(ns, family, hook)].sort(inHookOrder);
  const all: { priority: number; run: Step }[] = entries.filter(e => !e.nat);
  if (ns.netfilter.conntrack.enabled) {
    const nat = natStep(entries.filter(e => e.nat));
    if (hook === 'PREROUTING' || hook === 'OUTPUT') {
      all.push({ priority: CONNTRACK, run: (skb, ctx) => conntrackIn(ctx.netns, skb) });
      all.push({ priority: NAT_DST, run: nat });
    } else if (hook === 'POSTROUTING' || hook === 'INPUT') {
      all.push({ priority: NAT_SRC, run: nat });
      all.push({ priority: CONFIRM, run: (skb, ctx) => confirm(ctx.netns, skb) });
    }
  }
  if (ns.ipvs) all.push(...ipvsSteps(hook));
  const steps = all.sort((a, b) => a.priority - b.priority).map(e => e.run);
  ns.netfilter.hooks.set(key, steps);
  return steps;
}

/**
 * Everything at one hook, for one packet. NAT replaces `skb.packet` by a copy; marks, conntrack and zone are noted in the skb. The caller
 * routes again when the destination or the mark changed in OUTPUT. A drop leaves its reason in the trace.
 */
export function runHook(ns: Netns, family: Family, hook: HookName, skb: Skb, dev: { in: Link | null; out: Link | null }): HookVerdict {
  const steps = stepsOf(ns, family, hook);
  if (!steps.length) return 'ACCEPT';
  const ctx: HookContext = { hook, family, table: 'filter', netns: ns, in: dev.in, out: dev.out };
  for (const step of steps) {
    const verdict = step(skb, ctx);
    if (verdict === 'ACCEPT') continue;
    if (verdict === 'DROP' && skb.trace) dropped(skb, ns, `dropped by netfilter in ${hook} (${ctx.table})`, { hook, table: ctx.table });
    return verdict;
  }
  return 'ACCEPT';
}
