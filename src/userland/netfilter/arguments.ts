// The command line of iptables (xshared.c do_parse, 1.8.9).
import { takeRuleWord } from '../../linux/netfilter/parse.ts';
import { newWords, type RuleWords } from '../../linux/netfilter/rule-build.ts';
import { type Backend, BUILTIN, isTableName, newChainRecord, tablesOf } from '../../linux/netfilter/state.ts';
import { targetRow, VERDICTS } from '../../linux/netfilter/targets.ts';
import type { Table, TableName } from '../../linux/netfilter/types.ts';
import { isProblem, type Problem, parseUint, usage } from '../../linux/netfilter/values.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import type { Family } from '../../wire/ip.ts';

export interface Flavour {
  family: Family;
  backend: Backend;
  /** 1.8.9 (Debian 12) or 1.8.11 (Debian 13). */
  version: string;
}

export const toolName = (f: Flavour): string => (f.family === 4 ? 'iptables' : 'ip6tables');

export const versionText = (f: Flavour): string => `v${f.version} (${f.backend === 'legacy' ? 'legacy' : 'nf_tables'})`;

export interface Command {
  letter: string;
  chain: string | null;
  number: number;
  newName: string;
  policy: string;
  table: string;
  verbose: boolean;
  numeric: boolean;
  exact: boolean;
  lineNumbers: boolean;
  zero: boolean;
  help: boolean;
  words: RuleWords;
  notes: string[];
}

export const COMMANDS: Record<string, string> = {
  '--append': 'A',
  '--check': 'C',
  '--delete': 'D',
  '--insert': 'I',
  '--replace': 'R',
  '--list': 'L',
  '--list-rules': 'S',
  '--flush': 'F',
  '--zero': 'Z',
  '--new-chain': 'N',
  '--new': 'N',
  '--delete-chain': 'X',
  '--policy': 'P',
  '--rename-chain': 'E',
};

const NEEDS_CHAIN = 'ACDIRNPE';

export const PLAIN: Record<string, keyof Command> = {
  '-v': 'verbose',
  '--verbose': 'verbose',
  '-n': 'numeric',
  '--numeric': 'numeric',
  '-x': 'exact',
  '--exact': 'exact',
  '--line-numbers': 'lineNumbers',
  '-h': 'help',
  '--help': 'help',
};

export interface Args {
  words: string[];
  at: number;
}

export const optional = (a: Args): string | null => {
  const next = a.words[a.at];
  return next === undefined || next.startsWith('-') || next === '!' ? null : a.words[a.at++];
};

function ruleNumber(text: string): number | Problem {
  const n = parseUint(text, 1);
  return n ?? usage(`Invalid rule number \`${text}'`);
}

function commandWord(c: Command, letter: string, word: string, a: Args, attached: string | null): Problem | null {
  if (c.letter && c.letter !== letter) {
    // -L and -S go together with -Z.
    if ('LS'.includes(c.letter) && letter === 'Z') {
      c.zero = true;
      const chain = optional(a);
      if (chain !== null) c.chain = chain;
      return null;
    }
    if (c.letter === 'Z' && 'LS'.includes(letter)) c.zero = true;
    else return usage(`Cannot use -${letter} with -${c.letter}`);
  } else if (c.letter === letter) return usage(`Cannot use -${letter} with -${letter}`);
  c.letter = letter;
  if (NEEDS_CHAIN.includes(letter)) {
    const chain = attached ?? a.words[a.at++];
    if (chain === undefined) return usage(`option "${word}" requires an argument`);
    c.chain = chain;
  } else c.chain = attached ?? optional(a) ?? c.chain;
  return commandRest(c, letter, a);
}

function commandRest(c: Command, letter: string, a: Args): Problem | null {
  if (letter === 'P') {
    const policy = optional(a);
    if (policy === null) return usage('-P requires a chain and a policy');
    c.policy = policy;
  } else if (letter === 'E') {
    const name = optional(a);
    if (name === null) return usage('-E requires old-chain-name and new-chain-name');
    c.newName = name;
  } else if (letter === 'N') return chainName(c.chain ?? '');
  else if ('IDRLSZ'.includes(letter)) {
    const text = optional(a);
    if (text === null) {
      if (letter === 'R') return usage('-R requires a rule number');
      if (letter === 'I') c.number = 1;
      return null;
    }
    const n = ruleNumber(text);
    if (isProblem(n)) return n;
    c.number = n;
  }
  return null;
}

/** XT_EXTENSION_MAXNAMELEN - 1 */
const LONGEST_CHAIN = 28;
const tooLong = (name: string): Problem => usage(`chain name \`${name}' too long (must be under 29 chars)`);

export function chainName(name: string): Problem | null {
  if (name.startsWith('-') || name.startsWith('!')) return usage(`chain name not allowed to start with \`${name[0]}'`);
  if (name.length > LONGEST_CHAIN) return tooLong(name);
  if (/\s/.test(name)) return usage(`Invalid chain name \`${name}'`);
  if (VERDICTS.has(name) || targetRow(name, 4) || targetRow(name, 6)) return usage('chain name may not clash with target name');
  return null;
}

/** Everything of a command line but the rule's own words, which need to know the table first. */
export function parseArguments(argv: string[], f: Flavour, p: Process): Command | Problem {
  const c: Command = {
    letter: '',
    chain: null,
    number: 0,
    newName: '',
    policy: '',
    table: 'filter',
    verbose: false,
    numeric: false,
    exact: false,
    lineNumbers: false,
    zero: false,
    help: false,
    words: newWords(),
    notes: [],
  };
  const at = argv.findIndex(w => w === '-t' || w === '--table' || w.startsWith('--table='));
  if (at >= 0) {
    const name = argv[at].includes('=') ? argv[at].slice(8) : argv[at + 1];
    if (name === undefined) return usage(`option "${argv[at]}" requires an argument`);
    c.table = name;
  }
  const known = isTableName(c.table) ? c.table : null;
  const table = viewOf(p, f, known ?? 'filter');
  const a: Args = { words: argv, at: 0 };
  let invert = false;
  while (a.at < argv.length) {
    const word = argv[a.at];
    if (word === '!') {
      if (invert) return usage('multiple consecutive ! not allowed');
      invert = true;
      a.at++;
      if (a.at >= argv.length) return usage('nothing appropriate following !');
      continue;
    }
    const bad = oneWord(c, word, a, invert, table, f, p);
    if (bad) return bad;
    invert = false;
  }
  if (!c.letter && !c.help) return usage('no command specified');
  if (c.chain !== null && c.chain.length > LONGEST_CHAIN) return tooLong(c.chain);
  // It is looked for when everything else has been read.
  return known || c.help ? c : noTable(c.table, f);
}

export const noTable = (name: string, f: Flavour): Problem => ({
  problem:
    f.backend === 'legacy'
      ? `can't initialize ${toolName(f)} table \`${name}': Table does not exist (do you need to insmod?)\nPerhaps ${toolName(f)} or your kernel needs to be upgraded.`
      : `table '${name}' does not exist\nPerhaps ${toolName(f)} or your kernel needs to be upgraded.`,
  kind: 'other',
});

/** The table as it is, or what it would be: looking at it alone makes nothing. */
export function viewOf(p: Process, f: Flavour, name: TableName): Table {
  const live = tablesOf(p.netns, f.family, f.backend).get(name);
  return live ?? { name, family: f.family, chains: new Map(BUILTIN[name].map(c => [c, newChainRecord(c, 'ACCEPT')])) };
}

/** Short options that stand together, as in `-nvL`: taken apart, the argument stays with the last. */
function splitShort(word: string): string[] | null {
  if (!/^-[vnxh46]+[A-Zvnxh46]?$/.test(word) || word.length < 3) return null;
  return [...word.slice(1)].map(ch => `-${ch}`);
}

function oneWord(c: Command, word: string, a: Args, invert: boolean, table: Table, f: Flavour, p: Process): Problem | null {
  const apart = splitShort(word);
  if (apart) {
    a.words.splice(a.at, 1, ...apart);
    return null;
  }
  const eq = word.startsWith('--') ? word.indexOf('=') : -1;
  const name = eq > 0 ? word.slice(0, eq) : word;
  const letter = COMMANDS[name] ?? (/^-[ACDIRLSFZNXPE]/.test(word) ? word[1] : null);
  if (letter !== null && (COMMANDS[name] || !word.startsWith('--'))) {
    if (invert) return usage(`unexpected ! flag before --${word.replace(/^-+/, '')}`);
    a.at++;
    return commandWord(c, letter, word, a, eq > 0 ? word.slice(eq + 1) : COMMANDS[name] ? null : word.slice(2) || null);
  }
  if (name in PLAIN) {
    a.at++;
    (c[PLAIN[name]] as boolean) = true;
    return null;
  }
  const other = otherOption(word, name, a, f, p);
  if (other !== undefined) return other;
  const cur = { words: a.words, at: a.at, invert };
  const taken = takeRuleWord(c.words, cur, table, p.netns);
  a.at = cur.at;
  if (taken === true) return null;
  if (taken) return taken;
  if (word.startsWith('-') && word.length > 1) return usage(`unknown option "${word}"`);
  return { problem: `Bad argument \`${word}'`, kind: 'other' };
}

/** undefined: not one of these. */
function otherOption(word: string, name: string, a: Args, f: Flavour, p: Process): Problem | null | undefined {
  switch (name) {
    case '-t':
    case '--table':
      a.at += word.includes('=') ? 1 : 2;
      return null;
    case '-w':
    case '--wait':
      a.at++;
      if (!word.includes('=') && a.words[a.at] !== undefined && !/^[-!]/.test(a.words[a.at])) {
        if (!/^\d+$/.test(a.words[a.at])) return usage('wait seconds not numeric');
        a.at++;
      }
      return null;
    case '-W':
    case '--wait-interval':
      a.at += word.includes('=') ? 1 : 2;
      complain(p, 'Ignoring deprecated --wait-interval option.\n');
      return null;
    case '--modprobe':
    case '-M':
      a.at += word.includes('=') ? 1 : 2;
      return null;
    case '-4':
    case '-6':
    case '--ipv4':
    case '--ipv6':
      a.at++;
      return null;
    case '-V':
    case '--version':
      print(p, `${toolName(f)} ${versionText(f)}\n`);
      return { problem: '', kind: 'other' };
    default:
      if (/^-w\d+$/.test(word)) {
        a.at++;
        return null;
      }
      return undefined;
  }
}
