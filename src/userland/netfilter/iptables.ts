// iptables, ip6tables and their nft and legacy names: the command line of xshared.c and xtables.c (1.8.9), errors and exit codes with it.

import { meetsWrongHook } from '../../linux/netfilter/hook-check.ts';
import { findRule } from '../../linux/netfilter/restore.ts';
import { buildRules, natDrop, noChain } from '../../linux/netfilter/rule-build.ts';
import {
  appendRule,
  chainsInOrder,
  deleteRule,
  flushChain,
  insertRule,
  newChain,
  references,
  replaceRule,
  rulesOf,
  zeroChain,
} from '../../linux/netfilter/rules.ts';
import { ruleText } from '../../linux/netfilter/save.ts';
import { ensureTable, tablesOf } from '../../linux/netfilter/state.ts';
import type { Chain, Rule, Table, TableName } from '../../linux/netfilter/types.ts';
import { isProblem, type Problem, usage } from '../../linux/netfilter/values.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Command, chainName, type Flavour, parseArguments, toolName, versionText, viewOf } from './arguments.ts';
import { listChains, needsName, ruleLine } from './listing.ts';
import { lookUpNames } from './names.ts';
import { IPTABLES_HELP } from './usage/iptables.ts';

/** Complain as the tool does. -> exit code */
export function report(p: Process, f: Flavour, problem: Problem): number {
  if (problem.problem === '') return 0;
  const tool = toolName(f);
  if (problem.kind === 'usage') {
    complain(p, `${tool} ${versionText(f)}: ${problem.problem}\nTry \`${tool} -h' or '${tool} --help' for more information.\n`);
    return 2;
  }
  if (problem.problem.startsWith('Bad argument')) {
    complain(p, `${problem.problem}\nTry \`${tool} -h' or '${tool} --help' for more information.\n`);
    return 2;
  }
  complain(p, `${tool} ${versionText(f)}: ${problem.problem}\n`);
  return problem.kind === 'kernel' ? 4 : problem.problem.includes('does not exist\nPerhaps') || problem.problem.includes('insmod') ? 3 : 1;
}

/** What the tool says of an errno after all arguments were right: exit 1. */
function refuse(p: Process, f: Flavour, text: string): number {
  complain(p, `${toolName(f)}: ${text}\n`);
  return 1;
}

const NO_CHAIN = 'No chain/target/match by that name.';

/** The kernel said no to a rule or chain: the two backends pass it on differently. */
function kernelError(p: Process, f: Flavour, action: string, errno: string, what: string): number {
  if (f.backend === 'legacy') {
    if (errno === 'Invalid argument') return refuse(p, f, "Invalid argument. Run `dmesg' for more information.");
    if (errno === 'No such file or directory') return refuse(p, f, NO_CHAIN);
    return refuse(p, f, `${errno === 'Device or resource busy' ? 'Too many links' : errno}.`);
  }
  complain(p, `${toolName(f)} ${versionText(f)}:  ${action} failed (${errno}): ${what}\n`);
  return 4;
}

const RULE_ACTION: Record<string, string> = { A: 'RULE_APPEND', I: 'RULE_INSERT', R: 'RULE_REPLACE', D: 'RULE_DELETE', C: 'RULE_CHECK' };

/** The nf_tables variant makes a table for the first rule, chain or policy in it, and finds nothing before; legacy tables are always there. */
const hasTable = (p: Process, f: Flavour, name: string): boolean =>
  f.backend === 'legacy' || tablesOf(p.netns, f.family, f.backend).has(name as TableName);

function ruleCommand(p: Process, f: Flavour, c: Command): number {
  const ns = p.netns;
  const table = viewOf(p, f, c.table as TableName);
  const name = c.chain ?? '';
  const chain = table.chains.get(name);
  const byNumber = c.letter === 'D' && c.number > 0;
  const rules = byNumber ? [] : buildRules(c.words, table, ns, false, name);
  const usable = !isProblem(rules) || rules.kind === 'kernel';
  if (rules === noChain || (usable && (!chain || (!'AI'.includes(c.letter) && !hasTable(p, f, c.table)))))
    return refuse(p, f, c.letter === 'C' && f.backend === 'nft' ? 'Bad rule (does a matching rule exist in that chain?).' : NO_CHAIN);
  // The kernel is asked about new rules only; others are looked for, and one that it refuses cannot be there.
  if (isProblem(rules) && rules.kind === 'kernel' && 'CD'.includes(c.letter))
    return refuse(p, f, 'Bad rule (does a matching rule exist in that chain?).');
  if (isProblem(rules) && rules.kind === 'kernel' && chain && 'RI'.includes(c.letter)) {
    const tooBig = numberProblem(c, rulesOf(ns, table, chain).length);
    if (tooBig) return refuse(p, f, tooBig);
  }
  if (isProblem(rules)) {
    if (rules.kind !== 'kernel') return report(p, f, legacyWording(rules, f, c));
    return kernelError(p, f, RULE_ACTION[c.letter], rules.problem, `rule in chain ${name}`);
  }
  if (!chain) return refuse(p, f, NO_CHAIN);
  const own = rulesOf(ns, table, chain);
  if (byNumber) {
    if (c.number > own.length) return refuse(p, f, 'Index of deletion too big.');
    deleteRule(ns, table, chain, c.number - 1);
    ns.dirty.add('netfilter');
    return 0;
  }
  const jump = jumpError(ns, table, chain, rules, f);
  if (jump) return kernelError(p, f, RULE_ACTION[c.letter], jump, `rule in chain ${name}`);
  if ('AIR'.includes(c.letter) && !numberProblem(c, own.length) && meetsWrongHook(ns, table, chain, rules))
    return kernelError(p, f, RULE_ACTION[c.letter], 'Invalid argument', `rule in chain ${name}`);
  return changeRules(p, f, c, table, chain, rules);
}

function legacyWording(problem: Problem, f: Flavour, c: Command): Problem {
  const m = /^Chain '(.*)' does not exist$/.exec(problem.problem);
  if (!m || f.backend !== 'legacy') return problem;
  return usage(c.words.goto ? `goto '${m[1]}' is not a chain` : `Couldn't load target \`${m[1]}':No such file or directory\n`);
}

/** Jumps to built-in chains and jumps in a circle. */
function jumpError(ns: Process['netns'], table: Table, chain: Chain, rules: Rule[], f: Flavour): string | null {
  for (const r of rules) {
    const to = r.target && !r.target.run ? table.chains.get(r.target.name) : undefined;
    if (!to) continue;
    if (to.policy !== null) return f.backend === 'legacy' ? 'Invalid argument' : 'Operation not supported';
    if (f.backend === 'nft' && reaches(ns, table, to, chain.name, new Set())) return 'Too many links';
  }
  return null;
}

function reaches(ns: Process['netns'], table: Table, from: Chain, name: string, seen: Set<string>): boolean {
  if (from.name === name) return true;
  if (seen.has(from.name)) return false;
  seen.add(from.name);
  return rulesOf(ns, table, from).some(r => {
    const next = r.target && !r.target.run ? table.chains.get(r.target.name) : undefined;
    return next !== undefined && reaches(ns, table, next, name, seen);
  });
}

function numberProblem(c: Command, count: number): string | null {
  if (c.letter === 'I' && c.number > count + 1) return 'Index of insertion too big.';
  return c.letter === 'R' && c.number > count ? 'Index of replacement too big.' : null;
}

function changeRules(p: Process, f: Flavour, c: Command, view: Table, viewChain: Chain, rules: Rule[]): number {
  const ns = p.netns;
  if (c.letter === 'C' || c.letter === 'D') {
    for (const rule of rules) {
      const at = findRule(ns, view, viewChain, rule);
      if (at < 0) return refuse(p, f, 'Bad rule (does a matching rule exist in that chain?).');
      if (c.letter === 'D') deleteRule(ns, view, viewChain, at);
    }
    if (c.letter === 'D') ns.dirty.add('netfilter');
    return 0;
  }
  const n = rulesOf(ns, view, viewChain).length;
  if (c.letter === 'R' && rules.length > 1) return report(p, f, usage('Replacement rule does not specify a unique address'));
  const tooBig = numberProblem(c, n);
  if (tooBig) return refuse(p, f, tooBig);
  const table = ensureTable(ns, f.family, view.name, f.backend);
  const chain = table.chains.get(viewChain.name) as Chain;
  rules.forEach(rule => {
    if (c.letter === 'A') appendRule(ns, table, chain, rule);
    // One after another at the same place: the last of several addresses comes to stand first.
    else if (c.letter === 'I') insertRule(ns, table, chain, rule, c.number - 1);
    else replaceRule(ns, table, chain, c.number - 1, rule);
  });
  ns.dirty.add('netfilter');
  return 0;
}

function* listCommand(p: Process, f: Flavour, c: Command): Co<number> {
  const ns = p.netns;
  const table = f.backend === 'legacy' ? ensureTable(ns, f.family, c.table as TableName, 'legacy') : viewOf(p, f, c.table as TableName);
  warnOfLegacy(p, f);
  if (c.chain !== null && !table.chains.has(c.chain)) {
    if (f.backend === 'legacy') return refuse(p, f, NO_CHAIN);
    complain(p, `${toolName(f)} ${versionText(f)}: chain \`${c.chain}' in table \`${c.table}' is incompatible, use 'nft' tool.\n`);
    return 1;
  }
  if (c.letter === 'S') listRules(p, table, c);
  else {
    const shown = chainsInOrder(table).filter(x => c.chain === null || x.name === c.chain);
    const rules = shown.flatMap(x => rulesOf(ns, table, x));
    const wanted = new Set(rules.flatMap(r => [needsName(r.src), needsName(r.dst)]).filter(x => x !== null));
    const names = c.numeric ? new Map<string, string>() : yield* lookUpNames(p, [...wanted]);
    const o = {
      numeric: c.numeric,
      verbose: c.verbose,
      exact: c.exact,
      lineNumbers: c.lineNumbers,
      numberProtocols: f.version === '1.8.9',
      names,
    };
    if (c.number > 0) {
      const rule = rules[c.number - 1];
      if (rule) print(p, `${ruleLine(rule, c.number, f.family === 6, o)}\n`);
    } else print(p, listChains(ns, table, c.chain, o));
  }
  if (c.zero) for (const chain of table.chains.values()) if (c.chain === null || chain.name === c.chain) zeroChain(ns, table, chain);
  return 0;
}

/** The nf_tables variant does not see legacy tables, and says so once they are there. */
export function warnOfLegacy(p: Process, f: Flavour): void {
  if (f.backend !== 'nft' || !p.netns.netfilter.legacy[f.family].size) return;
  const tool = toolName(f);
  complain(p, `# Warning: ${tool}-legacy tables present, use ${tool}-legacy${p.argv[0].endsWith('-save') ? '-save' : ''} to see them\n`);
}

function listRules(p: Process, table: Table, c: Command): void {
  const chains = chainsInOrder(table).filter(x => c.chain === null || x.name === c.chain);
  const counters = (packets: number, bytes: number) => (c.verbose ? ` -c ${packets} ${bytes}` : '');
  let out = '';
  if (!c.number) {
    for (const x of chains) if (x.policy !== null) out += `-P ${x.name} ${x.policy}${counters(x.packets, x.bytes)}\n`;
    for (const x of chains) if (x.policy === null) out += `-N ${x.name}\n`;
  }
  for (const x of chains) {
    rulesOf(p.netns, table, x).forEach((r, i) => {
      if (!c.number || c.number === i + 1) out += `${ruleText(x.name, r, c.verbose ? counters(r.packets, r.bytes) : null)}\n`;
    });
  }
  print(p, out);
}

function chainCommand(p: Process, f: Flavour, c: Command): number {
  const ns = p.netns;
  const view = viewOf(p, f, c.table as TableName);
  const chain = c.chain === null ? null : view.chains.get(c.chain);
  if (c.letter === 'N') {
    if (chain) return refuse(p, f, 'Chain already exists.');
    newChain(ensureTable(ns, f.family, view.name, f.backend), c.chain ?? '');
    ns.dirty.add('netfilter');
    return 0;
  }
  if (c.letter === 'P') return policyCommand(p, f, c, chain ?? null, view);
  if (chain === undefined) return refuse(p, f, NO_CHAIN);
  if (!hasTable(p, f, c.table) && !(c.letter === 'F' && chain)) return chain ? refuse(p, f, NO_CHAIN) : 0;
  const table = ensureTable(ns, f.family, view.name, f.backend);
  ns.dirty.add('netfilter');
  if (c.letter === 'E') return renameCommand(p, f, c, table, table.chains.get(c.chain ?? '') as Chain);
  if (c.letter === 'X') return deleteChains(p, f, c, table);
  for (const x of table.chains.values()) {
    if (c.chain !== null && x.name !== c.chain) continue;
    if (c.letter === 'F') flushChain(x);
    else if (c.number > 0) zeroRule(ns, table, x, c.number);
    else zeroChain(ns, table, x);
  }
  return 0;
}

function zeroRule(ns: Process['netns'], table: Table, chain: Chain, number: number): void {
  const rule = rulesOf(ns, table, chain)[number - 1];
  if (!rule) return;
  rule.packets = 0;
  rule.bytes = 0;
}

function policyCommand(p: Process, f: Flavour, c: Command, chain: Chain | null, view: Table): number {
  if (c.table === 'nat' && c.policy === 'DROP') return report(p, f, natDrop);
  if (c.policy !== 'ACCEPT' && c.policy !== 'DROP') return refuse(p, f, "Bad policy name. Run `dmesg' for more information.");
  if (!chain || chain.policy === null) return refuse(p, f, 'Bad built-in chain name.');
  const live = ensureTable(p.netns, f.family, view.name, f.backend).chains.get(chain.name) as Chain;
  live.policy = c.policy;
  p.netns.dirty.add('netfilter');
  return 0;
}

function renameCommand(p: Process, f: Flavour, c: Command, table: Table, chain: Chain): number {
  const bad = chainName(c.newName);
  if (bad) return report(p, f, bad);
  if (table.chains.has(c.newName)) return refuse(p, f, 'File exists.');
  if (chain.policy !== null) return refuse(p, f, "Invalid argument. Run `dmesg' for more information.");
  for (const x of table.chains.values()) {
    for (const r of rulesOf(p.netns, table, x)) if (r.target && !r.target.run && r.target.name === chain.name) r.target.name = c.newName;
  }
  table.chains.delete(chain.name);
  chain.name = c.newName;
  table.chains.set(c.newName, chain);
  return 0;
}

function deleteChains(p: Process, f: Flavour, c: Command, table: Table): number {
  const refs = references(p.netns, table);
  const doomed = c.chain === null ? chainsInOrder(table).filter(x => x.policy === null) : [table.chains.get(c.chain) as Chain];
  const legacy = f.backend === 'legacy';
  for (const x of doomed) {
    if (x.policy !== null)
      return kernelError(p, f, 'CHAIN_DEL', legacy ? 'Invalid argument' : 'Device or resource busy', `chain ${x.name}`);
    const full = rulesOf(p.netns, table, x).length > 0;
    if (refs.get(x.name)) return kernelError(p, f, 'CHAIN_DEL', 'Device or resource busy', `chain ${x.name}`);
    if (full)
      return legacy ? refuse(p, f, 'Directory not empty.') : kernelError(p, f, 'CHAIN_DEL', 'Device or resource busy', `chain ${x.name}`);
  }
  for (const x of doomed) table.chains.delete(x.name);
  return 0;
}

/** Programs that change the kernel need NET_ADMIN; so do those that only read it. */
export function mayNotAdminister(p: Process, f: Flavour): number | null {
  if (p.caps.has('NET_ADMIN')) return null;
  const tool = toolName(f);
  if (f.backend === 'nft') {
    complain(p, `${tool} ${versionText(f)}: Could not fetch rule set generation id: Permission denied (you must be root)\n`);
    return 4;
  }
  complain(
    p,
    `${tool} ${versionText(f)}: can't initialize ${tool} table \`filter': Permission denied (you must be root)\nPerhaps ${tool} or your kernel needs to be upgraded.\n`,
  );
  return 3;
}

/** The list of commands and options; the two families differ in which of -4 and -6 is an error, and in fragments. */
function helpText(six: boolean): string {
  if (!six) return IPTABLES_HELP;
  return IPTABLES_HELP.replace('-4\t\tNothing', '-4\t\tError')
    .replace('-6\t\tError', '-6\t\tNothing')
    .replace(/^\[!\] --fragment.*\n/m, '');
}

const usageText = (f: Flavour): string => {
  const t = toolName(f);
  return `${t} ${versionText(f)}

Usage: ${t} -[ACD] chain rule-specification [options]
       ${t} -I chain [rulenum] rule-specification [options]
       ${t} -R chain rulenum rule-specification [options]
       ${t} -D chain rulenum [options]
       ${t} -[LS] [chain [rulenum]] [options]
       ${t} -[FZ] [chain] [options]
       ${t} -[NX] chain
       ${t} -E old-chain-name new-chain-name
       ${t} -P chain target [options]
       ${t} -h (print this help information)

${helpText(t.startsWith('ip6'))}`;
};

export const iptablesProgram = (f: Flavour): Program =>
  function* iptables(p: Process): Co<number> {
    const argv = p.argv.slice(1);
    const c = parseArguments([...argv], f, p);
    if (isProblem(c)) return report(p, f, c);
    if (c.help) {
      print(p, usageText(f));
      return 0;
    }
    const refused = mayNotAdminister(p, f);
    if (refused !== null) return refused;
    if ('ACDIR'.includes(c.letter)) return ruleCommand(p, f, c);
    if (c.letter === 'L' || c.letter === 'S') return yield* listCommand(p, f, c);
    return chainCommand(p, f, c);
  };
