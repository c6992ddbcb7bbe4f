// iptables-restore's input (iptables 1.8.9 xtables-restore.c). Rules are split into chains at once and parsed when a packet or a listing
// first asks for them: kube-proxy writes hundreds of thousands of lines of which a packet meets a few.
import type { Family } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import { parseRuleLine } from './parse.ts';
import {
  appendRule,
  deleteRule,
  flushChain,
  insertRule,
  linesOf,
  newChain,
  noteConntrack,
  references,
  rulesOf,
  zeroChain,
} from './rules.ts';
import { ruleText } from './save.ts';
import { type Backend, BUILTIN, enableConntrack, ensureTable, isTableName, newChainRecord, tablesOf } from './state.ts';
import { VERDICTS } from './targets.ts';
import type { Chain, Rule, Table, TableName } from './types.ts';
import { isProblem } from './values.ts';

export interface RestoreOptions {
  noflush?: boolean;
  counters?: boolean;
  backend?: Backend;
  /** Only this table of the input (-T). */
  table?: TableName;
  /** Parse and check only (--test). */
  test?: boolean;
  /** Parse every rule now and report what is wrong with it, as for input a user wrote. */
  check?: boolean;
}

export interface RestoreError {
  line: number;
  message: string;
  /** `usage`: the tool's own complaint (exit 2); `kernel`: refused at COMMIT or by the line (exit 1, 4). */
  kind: 'usage' | 'kernel' | 'other';
}

const fail = (line: number, message: string, kind: RestoreError['kind'] = 'usage'): RestoreError => ({ line, message, kind });

/** What in a rule's text needs connection tracking. */
export const CONNTRACK_WORDS =
  /ctstate|-j (?:DNAT|SNAT|MASQUERADE|REDIRECT|NETMAP|CONNMARK|CT(?! --notrack))|-m (?:state|conntrack|connmark|connlimit)|ctorig/;

interface Work {
  ns: Netns;
  o: RestoreOptions;
  backend: Backend;
  family: Family;
  /** What is worked on until COMMIT: the live table, for a node of a large cluster has a hundred thousand chains. */
  table: Table | null;
  skip: boolean;
  /** Chains that this input has touched, as they were before: null, not there. An error or --test puts them back. */
  before: Map<string, Chain | null>;
  /** Lines given for a chain in this input, kept apart until COMMIT. */
  lines: Map<string, string[]>;
}

/** Before a chain comes, changes or goes. */
function remember(w: Work, table: Table, name: string): void {
  if (!w.before.has(name)) w.before.set(name, table.chains.get(name) ?? null);
}

/** The chain, to be changed. */
function ownChain(w: Work, table: Table, name: string): Chain | undefined {
  const chain = table.chains.get(name);
  if (!chain || w.before.has(name)) return chain;
  remember(w, table, name);
  const rules = chain.parts ? rulesOf(w.ns, table, chain) : chain.rules;
  const copy: Chain = {
    ...chain,
    compiled: null,
    rules: rules && [...rules],
    lines: chain.lines ? [...linesOf(chain)] : null,
    parts: null,
  };
  table.chains.set(name, copy);
  return copy;
}

function rollBack(w: Work): void {
  for (const [name, chain] of w.before) {
    if (chain) w.table?.chains.set(name, chain);
    else w.table?.chains.delete(name);
  }
  w.before = new Map();
}

/** `:NAME POLICY [packets:bytes]` */
function chainLine(w: Work, table: Table, line: string, n: number): RestoreError | null {
  const [name, policy, counters] = line.slice(1).split(/[ \t]+/);
  const tool = `${w.family === 4 ? 'iptables' : 'ip6tables'}-restore`;
  if (!name || name.length > 28) return fail(n, `Invalid chain name \`${name}' (28 chars max)`);
  if (!policy) return fail(n, `${tool}: line ${n} policy invalid`);
  const builtin = (BUILTIN[table.name] as string[]).includes(name);
  let packets = 0;
  let bytes = 0;
  if (w.o.counters && counters) {
    const m = /^\[(\d+):(\d+)\]$/.exec(counters);
    if (!m) return fail(n, `invalid policy counters for chain '${name}'`);
    packets = Number(m[1]);
    bytes = Number(m[2]);
  }
  if (builtin) {
    if (policy !== '-' && policy !== 'ACCEPT' && policy !== 'DROP') return fail(n, 'Bad policy name', 'other');
    const chain = ownChain(w, table, name);
    if (!chain) return null;
    if (policy !== '-') chain.policy = policy as 'ACCEPT' | 'DROP';
    if (w.o.counters) {
      chain.packets = packets;
      chain.bytes = bytes;
    }
    return null;
  }
  // A chain that is there is emptied, with --noflush too: that is how kube-proxy rewrites its own.
  const fresh = newChainRecord(name, null);
  fresh.packets = packets;
  fresh.bytes = bytes;
  remember(w, table, name);
  table.chains.set(name, fresh);
  w.lines.delete(name);
  return null;
}

function startTable(w: Work, name: string, n: number): RestoreError | null {
  if (!isTableName(name)) return fail(n, `${w.family === 4 ? 'iptables' : 'ip6tables'}-restore: line ${n} table name '${name}' invalid`);
  w.skip = w.o.table !== undefined && w.o.table !== name;
  w.table = ensureTableFor(w, name);
  w.before = new Map();
  w.lines = new Map();
  if (!w.o.noflush && !w.skip) {
    for (const chain of [...w.table.chains.values()]) {
      remember(w, w.table, chain.name);
      if (chain.policy === null) w.table.chains.delete(chain.name);
      else {
        // The nf_tables variant makes the table anew; legacy empties chains that keep policy and counters.
        const empty =
          w.backend === 'nft' ? newChainRecord(chain.name, 'ACCEPT') : { ...chain, rules: [], lines: null, parts: null, compiled: null };
        w.table.chains.set(chain.name, empty);
      }
    }
  }
  return null;
}

function ensureTableFor(w: Work, name: TableName): Table {
  const live = tablesOf(w.ns, w.family, w.backend).get(name);
  if (live) return live;
  if (w.o.test) return { name, family: w.family, chains: new Map(BUILTIN[name].map(c => [c, newChainRecord(c, 'ACCEPT')])) };
  return ensureTable(w.ns, w.family, name, w.backend);
}

function commit(w: Work, n: number): RestoreError | null {
  const table = w.table;
  if (!table || w.skip) return null;
  for (const [name, lines] of w.lines) appendLines(w, table, name, lines);
  const missing = w.o.check ? missingChain(w, table) : null;
  if (missing !== null) return fail(n, `Chain '${missing}' does not exist`);
  if (w.o.test) rollBack(w);
  return null;
}

/** The first jump to a chain that is not there: a chain may be made after the rule that jumps to it. */
function missingChain(w: Work, table: Table): string | null {
  for (const name of w.before.keys()) {
    const chain = table.chains.get(name);
    for (const rule of chain ? rulesOf(w.ns, table, chain) : []) {
      const t = rule.target;
      if (t && !t.run && (rule.goto || !VERDICTS.has(t.name)) && !table.chains.has(t.name)) return t.name;
    }
  }
  return null;
}

/** Rules given as text join the chain's text, or its rules when it has some already. */
function appendLines(w: Work, table: Table, name: string, lines: string[]): void {
  const chain = ownChain(w, table, name);
  if (!chain) return;
  chain.compiled = null;
  if (chain.lines) linesOf(chain).push(...lines);
  else if (chain.rules && chain.rules.length === 0) {
    chain.rules = null;
    chain.lines = lines;
  } else {
    for (const line of lines) {
      const parsed = parseRuleLine(w.ns, table, line, true);
      if (isProblem(parsed)) throw new Error(`rule of a program of the cluster: -A ${name} ${line}: ${parsed.problem}`);
      noteConntrack(w.ns, parsed);
      for (const rule of parsed) chain.rules?.push(rule);
    }
  }
}

/** The text of a rule, kept unparsed: the fast way. */
function keepLine(w: Work, name: string, line: string): void {
  const lines = w.lines.get(name);
  if (lines) lines.push(line);
  else w.lines.set(name, [line]);
}

/** Every command but a plain -A: -I, -D, -X, -F, -N, -P, -Z, and -A when all is checked at once. */
function otherLine(w: Work, table: Table, line: string, n: number, counters: string): RestoreError | null {
  const m = /^(-[A-Z]|--[a-z-]+)(?:\s+(\S+))?\s*(.*)$/.exec(line);
  const command = m ? (LONG_COMMANDS[m[1]] ?? m[1]) : '';
  if (!m || !'-A-I-D-R-X-F-N-P-Z-E-C'.includes(command) || command.length !== 2) return badCommand(line, n);
  const [, , name = '', rest = ''] = m;
  if (command === '-N') {
    remember(w, table, name);
    return newChain(table, name) === 'EEXIST' ? fail(n, 'Chain already exists', 'other') : null;
  }
  flushPending(w, table, name);
  if (name === '' && 'FZX'.includes(command[1])) return everyChain(w, table, command, n);
  if (command === '-X') return deleteChain(w, table, name, n);
  const chain = ownChain(w, table, name);
  if (!chain) return fail(n, 'No chain/target/match by that name', 'other');
  if (command === '-F') {
    flushChain(chain);
    return null;
  }
  if (command === '-Z') {
    zeroChain(w.ns, table, chain);
    return null;
  }
  if (command === '-P') {
    if (chain.policy === null || (rest !== 'ACCEPT' && rest !== 'DROP')) return fail(n, 'Bad policy name', 'other');
    chain.policy = rest;
    return null;
  }
  return ruleCommand(w, table, chain, command, rest, n, counters);
}

/** -F, -Z and -X without a chain. */
function everyChain(w: Work, table: Table, command: string, n: number): RestoreError | null {
  for (const name of [...table.chains.keys()]) {
    flushPending(w, table, name);
    const chain = ownChain(w, table, name);
    if (!chain) continue;
    if (command === '-F') flushChain(chain);
    else if (command === '-Z') zeroChain(w.ns, table, chain);
    else if (chain.policy === null) {
      const bad = deleteChain(w, table, name, n);
      if (bad) return bad;
    }
  }
  return null;
}

const LONG_COMMANDS: Record<string, string> = {
  '--append': '-A',
  '--insert': '-I',
  '--delete': '-D',
  '--delete-chain': '-X',
  '--flush': '-F',
  '--new-chain': '-N',
  '--new': '-N',
  '--policy': '-P',
  '--zero': '-Z',
  '--replace': '-R',
  '--check': '-C',
};

const badCommand = (line: string, n: number): RestoreError => {
  const word = line.split(/\s/)[0];
  if (word === '-t' || word.startsWith('--table')) return fail(n, 'The -t option cannot be used in iptables-restore.\n');
  if (word === '') return fail(n, 'no command specified');
  return fail(n, word.startsWith('-') ? `unknown option "${word}"` : `Bad argument \`${word}'`);
};

function flushPending(w: Work, table: Table, name: string): void {
  const lines = w.lines.get(name);
  if (!lines) return;
  w.lines.delete(name);
  appendLines(w, table, name, lines);
}

function deleteChain(w: Work, table: Table, name: string, n: number): RestoreError | null {
  const chain = table.chains.get(name);
  if (!chain) return fail(n, 'No chain/target/match by that name', 'other');
  if (chain.policy !== null) return fail(n, `CHAIN_DEL failed (Device or resource busy): chain ${name}`, 'kernel');
  if (w.o.check && (rulesOf(w.ns, table, chain).length || references(w.ns, table).get(name)))
    return fail(n, `CHAIN_DEL failed (Device or resource busy): chain ${name}`, 'kernel');
  remember(w, table, name);
  table.chains.delete(name);
  return null;
}

/** Where in the chain a rule like this one stands, or -1. */
export function findRule(ns: Netns, table: Table, chain: Chain, rule: Rule): number {
  const text = ruleText(chain.name, rule);
  return rulesOf(ns, table, chain).findIndex(r => ruleText(chain.name, r) === text);
}

function ruleCommand(w: Work, table: Table, chain: Chain, command: string, rest: string, n: number, counters: string): RestoreError | null {
  let at = 0;
  let text = rest;
  const numbered = command === '-A' || command === '-C' ? null : /^(\d+)(?:\s+(.*))?$/.exec(rest.trim());
  if (numbered) {
    at = Number(numbered[1]) - 1;
    text = numbered[2] ?? '';
    if (command === '-D') {
      if (at >= rulesOf(w.ns, table, chain).length) return fail(n, 'Index of deletion too big', 'other');
      deleteRule(w.ns, table, chain, at);
      return null;
    }
  }
  const parsed = parseRuleLine(w.ns, table, counters + text, !w.o.check, chain.name, true);
  if (isProblem(parsed))
    return fail(
      n,
      parsed.kind === 'kernel' ? `${ACTION[command]} failed (${parsed.problem}): rule in chain ${chain.name}` : parsed.problem,
      parsed.problem.startsWith('Bad argument') ? 'usage' : parsed.kind,
    );
  for (const rule of parsed) {
    if (command === '-A') appendRule(w.ns, table, chain, rule);
    else if (command === '-I') {
      if (at > rulesOf(w.ns, table, chain).length) return fail(n, 'Index of insertion too big', 'other');
      insertRule(w.ns, table, chain, rule, at);
    } else {
      const found = numbered ? at : findRule(w.ns, table, chain, rule);
      if (found < 0) return fail(n, 'Bad rule (does a matching rule exist in that chain?)', 'other');
      if (command === '-D') deleteRule(w.ns, table, chain, found);
    }
  }
  return null;
}

const ACTION: Record<string, string> = { '-A': 'RULE_APPEND', '-I': 'RULE_INSERT', '-R': 'RULE_REPLACE', '-D': 'RULE_DELETE' };

/** One line inside a table. */
function tableLine(w: Work, table: Table, line: string, n: number): RestoreError | null {
  if (line[0] === ':') return chainLine(w, table, line, n);
  let counters = '';
  if (line[0] === '[') {
    const end = line.indexOf('] ');
    const m = /^\[(\d+):(\d+)\]$/.exec(line.slice(0, end + 1));
    if (!m) return fail(n, `Bad line ${n}: need ${end < 0 ? ']' : ':'}`);
    if (w.o.counters) counters = line.slice(0, end + 2);
    line = line.slice(end + 2);
  }
  if (!w.o.check && line.startsWith('-A ')) {
    const space = line.indexOf(' ', 3);
    const name = space < 0 ? line.slice(3) : line.slice(3, space);
    if (!table.chains.has(name)) return fail(n, 'No chain/target/match by that name', 'other');
    keepLine(w, name, counters + (space < 0 ? '' : line.slice(space + 1)));
    return null;
  }
  return otherLine(w, table, line, n, counters);
}

/**
 * Load iptables-restore's input; each table changes at its COMMIT. `check` off (a component of the cluster writes): rules are taken as text.
 * null, or the first line that is wrong, with the tool's message.
 */
export function restore(ns: Netns, family: Family, text: string, o: RestoreOptions = {}): RestoreError | null {
  const w: Work = { ns, o, backend: o.backend ?? 'nft', family, table: null, skip: false, before: new Map(), lines: new Map() };
  const tracked = ns.netfilter.conntrack.enabled;
  const error = restoreText(w, text);
  if (error) rollBack(w);
  if ((error || o.test) && ns.netfilter.conntrack.enabled !== tracked) {
    ns.netfilter.conntrack.enabled = tracked;
    ns.netfilter.hooks.clear();
  }
  return error;
}

function restoreText(w: Work, text: string): RestoreError | null {
  const { o } = w;
  if (!o.check && !o.test && CONNTRACK_WORDS.test(text)) enableConntrack(w.ns);
  let n = 0;
  let at = 0;
  while (at < text.length) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    const line = text.slice(at, end);
    at = end + 1;
    n++;
    const first = line.charCodeAt(0);
    if (line === '' || first === 35) continue;
    if (line.startsWith('COMMIT') && w.table) {
      const bad = commit(w, n);
      if (bad) return bad;
      w.table = null;
      w.before = new Map();
      continue;
    }
    if (first === 42 && !w.table) {
      const bad = startTable(w, line.slice(1).trim(), n);
      if (bad) return bad;
      continue;
    }
    if (!w.table) return fail(n, '', 'other');
    if (w.skip) continue;
    const bad = tableLine(w, w.table, line, n);
    if (bad) return bad;
  }
  return w.table && !w.skip ? fail(n, `COMMIT expected at line ${n + 1}`, 'other') : null;
}
