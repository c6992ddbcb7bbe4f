// From the words of a command to a rule, as iptables' own parser goes through them (xshared.c do_parse and libxtables, 1.8.9).

import type { Netns } from '../types.ts';
import { matchRow, protocolRow } from './matches.ts';
import { checkOption } from './option-entries.ts';
import { buildRules, newWords, type RuleWords } from './rule-build.ts';
import { targetRow, VERDICTS } from './targets.ts';
import type { Rule, Table } from './types.ts';
import { isProblem, type Option, type Problem, parseUint, protocolNumber, usage } from './values.ts';
import { splitLine } from './words.ts';

const SHORT: Record<string, string> = {
  '-s': '--source',
  '-d': '--destination',
  '-i': '--in-interface',
  '-o': '--out-interface',
  '-p': '--protocol',
  '-m': '--match',
  '-j': '--jump',
  '-g': '--goto',
  '-f': '--fragment',
  '-c': '--set-counters',
};
const LONG: Record<string, string> = {
  '--src': '--source',
  '--dst': '--destination',
  '--proto': '--protocol',
};
const BASE = new Set([...Object.values(SHORT), ...Object.keys(LONG), '--ipv4', '--ipv6', '--fragments']);

/** IFNAMSIZ - 1, and what xtables_parse_interface says. */
function interfaceName(name: string): string | Problem {
  if (name === '') return usage('Empty interface is likely to be undesired');
  if (name.length > 15) return usage(`interface name \`${name}' must be shorter than IFNAMSIZ (15)`);
  return name;
}

interface Cursor {
  words: string[];
  at: number;
  invert: boolean;
}

/** Take one word that belongs to a rule. null: it does not. */
export function takeRuleWord(w: RuleWords, cur: Cursor, table: Table, ns: Netns): true | null | Problem {
  const word = cur.words[cur.at];
  if (word[0] !== '-' || word.length < 2) return null;
  let name = word;
  let attached: string | null = null;
  if (word[1] !== '-') {
    const short = word.slice(0, 2);
    if (!(short in SHORT)) return takeExtension(w, cur, word, null, table, ns);
    name = SHORT[short];
    if (word.length > 2) attached = word.slice(2);
  } else {
    const eq = word.indexOf('=');
    if (eq > 0) {
      name = word.slice(0, eq);
      attached = word.slice(eq + 1);
    }
    name = LONG[name] ?? name;
    if (!BASE.has(name)) return takeExtension(w, cur, name, attached, table, ns);
  }
  if (name === '--ipv4' || name === '--ipv6') {
    cur.at++;
    return true;
  }
  if (name === '--fragment' || name === '--fragments') {
    cur.at++;
    w.fragment = !cur.invert;
    cur.invert = false;
    return true;
  }
  const value = attached ?? cur.words[cur.at + 1];
  if (value === undefined) return usage(`option "${word}" requires an argument`);
  cur.at += attached === null ? 2 : 1;
  return takeBase(w, cur, name, value, word, table, ns);
}

function takeBase(w: RuleWords, cur: Cursor, name: string, value: string, word: string, table: Table, ns: Netns): true | Problem {
  const { invert } = cur;
  cur.invert = false;
  switch (name) {
    case '--source':
      if (w.src) return usage('multiple -s flags not allowed');
      w.src = { text: value, invert };
      return true;
    case '--destination':
      if (w.dst) return usage('multiple -d flags not allowed');
      w.dst = { text: value, invert };
      return true;
    case '--in-interface':
    case '--out-interface': {
      const side = name === '--in-interface' ? 'in' : 'out';
      if (w[side]) return usage(`multiple -${side[0]} flags not allowed`);
      const iface = interfaceName(value);
      if (isProblem(iface)) return iface;
      w[side] = { name: iface, invert };
      return true;
    }
    case '--protocol': {
      if (w.proto || w.protoInvert) return usage('multiple -p flags not allowed');
      // xtables_parse_protocol knows these beside /etc/protocols' names.
      const number = value === 'icmpv6' ? 58 : value === 'ipv6-mh' ? 135 : protocolNumber(value);
      if (number === null) return usage(`unknown protocol "${value}" specified`);
      if (number === 0 && invert) return usage('rule would never match protocol');
      w.proto = number;
      w.protoInvert = invert;
      return true;
    }
    case '--match':
      if (invert) return usage('unexpected ! flag before --match');
      return takeModule(w, value, table, ns);
    case '--jump':
      if (invert) return usage(`cannot have ! before ${word.startsWith('--') ? '-j' : '-j'}`);
      return takeTarget(w, value, table);
    case '--goto':
      if (invert) return usage('cannot have ! before -g');
      w.goto = true;
      w.target = { name: value, row: null, options: [] };
      return true;
    default:
      return takeCounters(w, cur, value);
  }
}

/** `-c PACKETS BYTES` or `-c PACKETS,BYTES`. */
function takeCounters(w: RuleWords, cur: Cursor, value: string): true | Problem {
  let bytes: string | undefined;
  let packets = value;
  if (value.includes(',')) [packets, bytes] = value.split(',');
  else if (cur.words[cur.at] !== undefined && !cur.words[cur.at].startsWith('-')) bytes = cur.words[cur.at++];
  else return usage('-c requires packet and byte counter');
  const p = parseUint(packets, 0, Number.MAX_SAFE_INTEGER);
  const b = parseUint(bytes ?? '', 0, Number.MAX_SAFE_INTEGER);
  if (p === null) return usage('-c packet counter not numeric');
  if (b === null) return usage('-c byte counter not numeric');
  w.packets = p;
  w.bytes = b;
  w.counters = true;
  return true;
}

function takeModule(w: RuleWords, name: string, table: Table, _ns: Netns): true | Problem {
  const row = matchRow(name, table.family);
  if (!row) return usage(`Couldn't load match \`${name}':No such file or directory\n`);
  for (const m of w.modules) if (m.row === row) m.closed = true;
  w.modules.push({ row, name: row.name, options: [], closed: false });
  return true;
}

function takeTarget(w: RuleWords, name: string, table: Table): true | Problem {
  if (w.target) return usage('multiple -j flags not allowed');
  if (name === '') return usage('Invalid target name (too short)');
  const row = VERDICTS.has(name) || table.chains.has(name) ? null : (targetRow(name, table.family) ?? null);
  w.target = { name, row, options: [] };
  return true;
}

type Options = { name: string; options: Record<string, 0 | 1 | 2>; aliases?: Record<string, string> };

function optionOf(x: Options, name: string): string | null {
  if (Object.hasOwn(x.options, name)) return name;
  return x.aliases?.[name] ?? null;
}

/** getopt_long takes any unambiguous beginning of a name. */
function abbreviated(all: Options[], name: string): string | null {
  if (!name.startsWith('--') || name.length < 4) return null;
  const hits = new Set<string>();
  for (const x of all) for (const o of [...Object.keys(x.options), ...Object.keys(x.aliases ?? {})]) if (o.startsWith(name)) hits.add(o);
  return hits.size === 1 ? [...hits][0] : null;
}

function takeExtension(w: RuleWords, cur: Cursor, name: string, attached: string | null, table: Table, ns: Netns): true | null | Problem {
  const targetOption = w.target?.row ? optionOf(w.target.row, name) : null;
  if (targetOption && w.target?.row) return takeOption(w.target.options, w.target.row, targetOption, cur, attached);
  // What was loaded last comes first: `-m connmark … -m mark --mark` means mark's (xtables_merge_options).
  for (let i = w.modules.length - 1; i >= 0; i--) {
    const m = w.modules[i];
    if (m.closed) continue;
    const option = optionOf(m.row, name);
    if (option) return takeOption(m.options, m.row, option, cur, attached);
  }
  // The protocol's own match comes along with its first option.
  const row = w.proto && !w.protoInvert ? protocolRow(w.proto, table.family) : undefined;
  if (row && !w.modules.some(m => m.row === row) && (optionOf(row, name) || abbreviated([row], name))) {
    w.modules.push({ row, name: row.name, options: [], closed: false });
    return takeExtension(w, cur, name, attached, table, ns);
  }
  const open: Options[] = w.modules.filter(m => !m.closed).map(m => m.row);
  if (w.target?.row) open.push(w.target.row);
  const full = abbreviated(open, name);
  return full && full !== name ? takeExtension(w, cur, full, attached, table, ns) : null;
}

function takeOption(into: Option[], x: Options, name: string, cur: Cursor, attached: string | null): true | Problem {
  const arity = x.options[name];
  const word = cur.words[cur.at];
  const option: Option = { name, value: '', value2: '', invert: cur.invert };
  cur.invert = false;
  cur.at++;
  if (arity > 0) {
    if (attached !== null) option.value = attached;
    else if (cur.at < cur.words.length) option.value = cur.words[cur.at++];
    else return usage(`option "${word}" requires an argument`);
    if (arity === 2 && cur.at < cur.words.length && !cur.words[cur.at].startsWith('-') && cur.words[cur.at] !== '!')
      option.value2 = cur.words[cur.at++];
  }
  const bad = checkOption(x.name, option, into);
  if (bad) return bad;
  into.push(option);
  return true;
}

/** A rule from what follows `-A CHAIN ` in restore's input; counters may stand before as `[1:2] `. */
export function parseRuleLine(
  ns: Netns,
  table: Table,
  line: string,
  trusted: boolean,
  chain: string | null = null,
  laterChains = trusted,
): Rule[] | Problem {
  let packets = 0;
  let bytes = 0;
  if (line[0] === '[') {
    const end = line.indexOf('] ');
    const [p, b] = line.slice(1, end).split(':');
    packets = Number(p);
    bytes = Number(b);
    line = line.slice(end + 2);
  }
  const words = splitLine(line);
  if (!words) return usage('Unmatched quote');
  const w = newWords();
  w.packets = packets;
  w.bytes = bytes;
  const problem = takeAll(w, words, table, ns);
  return problem ?? buildRules(w, table, ns, trusted, chain, laterChains);
}

function takeAll(w: RuleWords, words: string[], table: Table, ns: Netns): Problem | null {
  const cur: Cursor = { words, at: 0, invert: false };
  while (cur.at < words.length) {
    const word = words[cur.at];
    if (word === '!') {
      cur.invert = true;
      cur.at++;
      continue;
    }
    const taken = takeRuleWord(w, cur, table, ns);
    if (taken === true) continue;
    if (taken) return taken;
    return word.startsWith('-') ? usage(`unknown option "${word}"`) : { problem: `Bad argument \`${word}'`, kind: 'other' };
  }
  return null;
}
