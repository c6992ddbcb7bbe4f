// `nft list …`: the text of nftables 1.0.6.

import { timeText } from './datatypes.ts';
import { blockText } from './elements.ts';
import type { NftChain, NftObject, NftRule, NftSet, NftTable } from './types.ts';

export interface ListOptions {
  /** -a */
  handles: boolean;
  /** -s: no counters. */
  stateless: boolean;
  /** -t: no elements. */
  terse: boolean;
  /** -n: priorities as numbers. */
  numeric?: boolean;
  nowMs: number;
}

const PRIORITIES: [string, number, string[] | null][] = [
  ['raw', -300, null],
  ['mangle', -150, null],
  ['dstnat', -100, ['prerouting']],
  ['filter', 0, null],
  ['security', 50, null],
  ['srcnat', 100, ['postrouting']],
];

/** The value of a priority's name at a hook. */
export const priorityOf = (name: string, hook: string): number | undefined =>
  PRIORITIES.find(([n, , hooks]) => n === name && (hooks === null || hooks.includes(hook)))?.[1];

/** Named when a name is within ten of it (prio2str). */
export function priorityText(priority: number, hook: string): string {
  for (const [name, value, hooks] of PRIORITIES) {
    if (hooks && !hooks.includes(hook)) continue;
    const d = priority - value;
    if (Math.abs(d) > 10) continue;
    return d === 0 ? name : `${name} ${d < 0 ? '-' : '+'} ${Math.abs(d)}`;
  }
  return String(priority);
}

export function ruleText(rule: NftRule, stateless = false): string {
  const words = rule.statements.map(s => (stateless && s.counter ? 'counter' : s.text()));
  if (rule.comment !== null) words.push(`comment "${rule.comment}"`);
  return words.join(' ');
}

const handle = (o: ListOptions, n: number) => (o.handles ? ` # handle ${n}` : '');

export function chainText(chain: NftChain, o: ListOptions): string {
  let s = `\tchain ${chain.name} {${handle(o, chain.handle)}\n`;
  if (chain.comment !== null) s += `\t\tcomment "${chain.comment}"\n`;
  if (chain.base) {
    const { type, hook, priority, policy, device } = chain.base;
    const dev = device === null ? '' : ` device "${device}"`;
    s += `\t\ttype ${type} hook ${hook}${dev} priority ${o.numeric ? priority : priorityText(priority, hook)}; policy ${policy};\n`;
  }
  for (const rule of chain.rules) s += `\t\t${ruleText(rule, o.stateless)}${handle(o, rule.handle)}\n`;
  return `${s}\t}\n`;
}

export function setText(set: NftSet, o: ListOptions): string {
  const data = set.data ? ` : ${set.data.join(' . ')}` : '';
  let s = `\t${set.kind} ${set.name} {${handle(o, set.handle)}\n`;
  s += set.typeof === null ? `\t\ttype ${set.keys.join(' . ')}${data}\n` : `\t\ttypeof ${set.typeof}\n`;
  if (set.policy) s += `\t\tpolicy ${set.policy}\n`;
  if (set.size !== null) s += `\t\tsize ${set.size}\n`;
  if (set.flags.length) s += `\t\tflags ${set.flags.join(',')}\n`;
  if (set.timeoutMs !== null) s += `\t\ttimeout ${timeText(set.timeoutMs)}\n`;
  if (set.gcMs !== null) s += `\t\tgc-interval ${timeText(set.gcMs)}\n`;
  if (set.autoMerge) s += '\t\tauto-merge\n';
  if (set.comment !== null) s += `\t\tcomment "${set.comment}"\n`;
  if (set.counter) s += '\t\tcounter\n';
  const elements = o.terse ? '' : blockText(set, o.nowMs);
  if (elements) s += `\t\telements = ${elements}\n`;
  return `${s}\t}\n`;
}

function objectText(x: NftObject, o: ListOptions): string {
  let s = `\t${x.kind} ${x.name} {${handle(o, x.handle)}\n`;
  if (x.comment !== null) s += `\t\tcomment "${x.comment}"\n`;
  s += `\t\t${x.kind === 'counter' ? `packets ${x.packets} bytes ${x.bytes}` : x.spec}\n`;
  return `${s}\t}\n`;
}

/** One table, with only the parts that `keep` lets through. */
export function tableText(
  table: NftTable,
  o: ListOptions,
  keep: (part: 'object' | 'set' | 'chain', name: string) => boolean = () => true,
): string {
  const parts: string[] = [];
  for (const x of table.objects.values()) if (keep('object', x.name)) parts.push(objectText(x, o));
  for (const set of table.sets.values()) if (keep('set', set.name)) parts.push(setText(set, o));
  for (const chain of table.chains.values()) if (keep('chain', chain.name)) parts.push(chainText(chain, o));
  let head = '';
  if (table.comment !== null) head += `\tcomment "${table.comment}"\n`;
  if (table.flags.length) head += `\tflags ${table.flags.join(',')}\n`;
  return `table ${table.family} ${table.name} {${handle(o, table.handle)}\n${head}${parts.join('\n')}}\n`;
}
