// IP sets: made, filled and printed as ipset 7.17 does. Errors are the tool's texts after `ipset v7.17: `.

import { formatCidr, network, parseCidr, parseIp } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import { createSet, err, nameProblem, noSuch, number, type SetResult, unknown } from './ipset-create.ts';
import { type Element, isAlive, parseElements, type SetType, typeOfSet } from './ipset-types.ts';
import { contentsOf } from './rules.ts';
import type { IpSet } from './types.ts';

interface EntryOptions {
  nomatch: boolean;
  comment: string | null;
  timeout: number | null;
  packets: number;
  bytes: number;
  skb: string;
  before: string | null;
  after: string | null;
}

function entryOptions(set: IpSet, type: SetType, words: string[]): EntryOptions | SetResult {
  const o: EntryOptions = { nomatch: false, comment: null, timeout: set.timeout, packets: 0, bytes: 0, skb: '', before: null, after: null };
  for (let i = 0; i < words.length; i++) {
    const word = words[i].replace(/^--/, '');
    if (word === 'nomatch' && type.parts.includes('net')) {
      o.nomatch = true;
      continue;
    }
    const value = words[i + 1];
    if (word === 'comment' || word === 'timeout' || word === 'packets' || word === 'bytes' || /^skb(?:mark|prio|queue)$/.test(word)) {
      if (value === undefined) return { error: `Missing mandatory argument of option \`${word}'`, usage: true };
      i++;
      const bad = entryOption(set, o, word, value);
      if (bad) return bad;
    } else if (type.method === 'list' && (word === 'before' || word === 'after')) {
      o[word] = value ?? null;
      i++;
    } else if (type.method !== 'list' && (word === 'before' || word === 'after')) return unknown(words[i]);
    else return unknown(words[i]);
  }
  return o;
}

function entryOption(set: IpSet, o: EntryOptions, word: string, value: string): SetResult {
  if (word === 'comment') {
    if (!set.comment) return err('Comment cannot be used: set was created without comment support');
    if (value.includes('"')) return err('Syntax error: "\\"" character is not permitted in comments');
    o.comment = value;
    return null;
  }
  if (word.startsWith('skb')) {
    if (!set.skbinfo) return err('Skbinfo mapping cannot be used: set was created without skbinfo support');
    o.skb += ` ${word} ${value}`;
    return null;
  }
  const n = number(value);
  if (typeof n === 'string') return err(n);
  if (word === 'timeout') {
    if (set.timeout === null) return err('Timeout cannot be used: set was created without timeout support');
    o.timeout = n;
    return null;
  }
  if (!set.counters) return err('Packet/byte counters cannot be used: set was created without counter support');
  o[word as 'packets' | 'bytes'] = n;
  return null;
}

function forget(set: IpSet, key: string, bits: number[]): void {
  if (!set.entries.delete(key)) return;
  bits.forEach((b, i) => {
    const n = (set.prefixes[i].get(b) ?? 1) - 1;
    if (n) set.prefixes[i].set(b, n);
    else set.prefixes[i].delete(b);
  });
}

/** Out of a bitmap's range? */
function outside(set: IpSet, e: Element): boolean {
  if (!set.range) return false;
  const first = e.key.split(',')[0];
  const ip = parseIp(first);
  const n = ip ? ip.reduce((a, x) => a * 256 + x, 0) : Number(first);
  return n < set.range[0] || n > set.range[1];
}

const NULL_ELEMENT = 'Null-valued element, cannot be stored in a hash type of set';
/** The unspecified address marks an empty place in a hash (hash_ip4_uadt, hash_ip6_uadt). */
const isNull = (type: SetType, e: Element): boolean => type.name === 'hash:ip' && (e.key === '0.0.0.0' || e.key === '::');

/** `ipset add NAME ENTRY …`: `words` are the options after the entry. */
export function addEntry(ns: Netns, name: string, text: string, words: string[] = [], exist = false): SetResult {
  const set = ns.netfilter.ipsets.get(name);
  if (!set) return noSuch();
  const type = typeOfSet(set);
  const o = entryOptions(set, type, words);
  if (o === null || 'error' in o) return o;
  const elements = parseElements(set, type, text);
  if (typeof elements === 'string') return err(elements);
  for (const e of elements) {
    if (isNull(type, e)) return err(NULL_ELEMENT);
    if (outside(set, e)) return err('Element is out of the range of the set');
    if (type.method === 'list' && !ns.netfilter.ipsets.has(e.key)) return err('Set to be added/deleted/tested as element does not exist.');
    const old = set.entries.get(e.key);
    if (old && isAlive(ns, old)) {
      if (!exist) return err("Element cannot be added to the set: it's already added");
    } else if (set.entries.size >= set.maxelem && type.method === 'hash' && !makeRoom(ns, set, type)) {
      return err('Hash is full, cannot add more elements');
    }
    put(ns, set, e, o, old !== undefined);
  }
  return null;
}

function makeRoom(ns: Netns, set: IpSet, type: SetType): boolean {
  for (const [key, e] of set.entries) if (!isAlive(ns, e)) forget(set, key, bitsOf(set, type, e.text));
  return set.entries.size < set.maxelem;
}

function bitsOf(set: IpSet, type: SetType, text: string): number[] {
  const parsed = parseElements(set, type, text, true);
  return typeof parsed === 'string' ? [] : (parsed[0]?.bits ?? []);
}

function put(ns: Netns, set: IpSet, e: Element, o: EntryOptions, known: boolean): void {
  if (!known)
    e.bits.forEach((b, i) => {
      set.prefixes[i].set(b, (set.prefixes[i].get(b) ?? 0) + 1);
    });
  const { timeout } = o;
  set.entries.set(e.key, {
    text: e.text,
    nomatch: o.nomatch,
    comment: o.comment,
    timeoutAtMs: timeout ? ns.kernel.sim.nowMs + timeout * 1000 : null,
    packets: o.packets,
    bytes: o.bytes,
    skb: o.skb,
  });
}

export function delEntry(ns: Netns, name: string, text: string, exist = false): SetResult {
  const set = ns.netfilter.ipsets.get(name);
  if (!set) return noSuch();
  const type = typeOfSet(set);
  const elements = parseElements(set, type, text);
  if (typeof elements === 'string') return err(elements);
  for (const e of elements) {
    if (isNull(type, e)) return err(NULL_ELEMENT);
    const old = set.entries.get(e.key);
    if ((!old || !isAlive(ns, old)) && !exist) return err("Element cannot be deleted from the set: it's not added");
    if (old) forget(set, e.key, e.bits);
  }
  return null;
}

/** `ipset test`: a host is looked up in the networks of the set, a network must be there itself. */
export function testEntry(ns: Netns, name: string, text: string): { error: string } | { found: boolean; text: string } {
  const set = ns.netfilter.ipsets.get(name);
  const long = nameProblem(name);
  if (long) return long;
  if (!set) return { error: 'The set with the given name does not exist' };
  const type = typeOfSet(set);
  const elements = parseElements(set, type, text, true);
  if (typeof elements === 'string') return { error: elements };
  const [e] = elements;
  if (isNull(type, e)) return { error: NULL_ELEMENT };
  const full = set.family === 4 ? 32 : 128;
  let keys: string[] = [''];
  let dimension = 0;
  e.key.split(',').forEach((part, i) => {
    let own = [part];
    if (type.parts[i] === 'net') {
      const lengths = [...set.prefixes[dimension++].keys()].sort((a, b) => b - a);
      const net = parseCidr(part);
      if (net?.bits === full) own = lengths.map(bits => formatCidr(network({ ip: net.ip, bits })));
    }
    keys = keys.flatMap(k => own.map(o => (i === 0 ? o : `${k},${o}`)));
  });
  for (const key of keys) {
    const hit = set.entries.get(key);
    if (hit && isAlive(ns, hit)) return { found: !hit.nomatch, text: e.text };
  }
  return { found: false, text: e.text };
}

/** `exist`: one that is not there is as good as destroyed. */
export function destroySet(ns: Netns, name: string | null, exist = false): SetResult {
  const sets = ns.netfilter.ipsets;
  if (name !== null) {
    if (!sets.has(name)) return exist ? null : noSuch();
    if (setReferences(ns, name)) return err('Set cannot be destroyed: it is in use by a kernel component');
    sets.delete(name);
    return null;
  }
  // All or none; lists of sets hold their members only as long as they are there themselves.
  for (const n of sets.keys()) if (ruleReferences(ns, n)) return err('Set cannot be destroyed: it is in use by a kernel component');
  sets.clear();
  return null;
}

function flushSet(ns: Netns, name: string | null): SetResult {
  const sets = ns.netfilter.ipsets;
  if (name !== null && !sets.has(name)) return noSuch();
  for (const set of name === null ? sets.values() : [sets.get(name) as IpSet]) {
    set.entries.clear();
    for (const p of set.prefixes) p.clear();
  }
  return null;
}

/** The contents change places; names and who refers to them stay. */
export function swapSets(ns: Netns, a: string, b: string): SetResult {
  const sets = ns.netfilter.ipsets;
  const x = sets.get(a);
  const y = sets.get(b);
  if (!x) return noSuch();
  if (!y) return err('Sets cannot be swapped: the second set does not exist');
  if (x.type !== y.type || x.family !== y.family) return err('The sets cannot be swapped: their type does not match');
  sets.set(a, { ...y, name: a });
  sets.set(b, { ...x, name: b });
  return null;
}

function renameSet(ns: Netns, from: string, to: string): SetResult {
  const sets = ns.netfilter.ipsets;
  const set = sets.get(from);
  if (!set) return noSuch();
  if (setReferences(ns, from)) return err('Set cannot be renamed: it is in use by another system');
  if (sets.has(to)) return err('Set cannot be renamed: a set with the new name already exists');
  const entries = [...sets];
  sets.clear();
  for (const [name, s] of entries) sets.set(name === from ? to : name, s);
  set.name = to;
  return null;
}

/** How many rules (parsed or not) and lists of sets name this set. */
export function setReferences(ns: Netns, name: string): number {
  let n = ruleReferences(ns, name);
  for (const set of ns.netfilter.ipsets.values()) if (set.type === 'list:set' && set.entries.has(name)) n++;
  return n;
}

function ruleReferences(ns: Netns, name: string): number {
  let n = 0;
  const { xt, legacy } = ns.netfilter;
  for (const tables of [xt[4], xt[6], legacy[4], legacy[6]]) {
    for (const table of tables.values()) {
      for (const chain of table.chains.values()) {
        for (const rule of contentsOf(chain)) {
          if (typeof rule === 'string') {
            if (rule.includes(`-set ${name} `)) n++;
            continue;
          }
          for (const m of rule.matches) if (m.sets?.includes(name)) n++;
          if (rule.target?.sets?.includes(name)) n++;
        }
      }
    }
  }
  return n;
}

/** Words of a line, with "…" around blanks. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(m => m[1] ?? m[2]);
}

/** One command of `ipset restore`'s input. */
export function setCommand(ns: Netns, words: string[], existAlways: boolean): SetResult {
  const exist = existAlways || words.some(w => w === '-exist' || w === '-!');
  const [command, name, third, ...rest] = words.filter(w => w !== '-exist' && w !== '-!');
  const verb = VERBS[command] ?? command;
  if (!Object.values(VERBS).includes(verb)) return { error: `No command specified: unknown argument ${command}`, usage: true };
  if (name === undefined && verb !== 'flush' && verb !== 'destroy')
    return { error: `Missing mandatory argument to command ${verb}`, usage: true };
  if (third === undefined && verb !== 'flush' && verb !== 'destroy')
    return { error: `Missing second mandatory argument to command ${verb}`, usage: true };
  const twoNames = verb === 'swap' || verb === 'rename';
  const bad = nameProblem(name) ?? (twoNames ? nameProblem(third) : null);
  if (bad) return bad;
  const extra = twoNames ? rest[0] : verb === 'flush' || verb === 'destroy' ? third : undefined;
  if (extra !== undefined) return { error: `Unknown argument ${extra}`, usage: true };
  switch (verb) {
    case 'create':
      return createSet(ns, name, third, rest, exist);
    case 'add':
      return addEntry(ns, name, third, rest, exist);
    case 'del':
      return delEntry(ns, name, third, exist);
    case 'flush':
      return flushSet(ns, name ?? null);
    case 'destroy':
      return destroySet(ns, name ?? null, exist);
    case 'swap':
      return swapSets(ns, name, third);
    default:
      return renameSet(ns, name, third);
  }
}

export const VERBS: Record<string, string> = {
  create: 'create',
  '-N': 'create',
  n: 'create',
  add: 'add',
  '-A': 'add',
  del: 'del',
  '-D': 'del',
  flush: 'flush',
  '-F': 'flush',
  destroy: 'destroy',
  '-X': 'destroy',
  x: 'destroy',
  swap: 'swap',
  '-W': 'swap',
  w: 'swap',
  rename: 'rename',
  '-E': 'rename',
  e: 'rename',
};

interface RestoreSetsError {
  line: number;
  error: string;
  usage: boolean;
}

/** `ipset restore`: null, or the first error with its line. What came before it is done. */
export function restoreSets(ns: Netns, text: string, exist = false): RestoreSetsError | null {
  let n = 0;
  for (const line of text.split('\n')) {
    n++;
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (line.trim() === 'COMMIT' || line.trim() === 'quit') continue;
    const bad = setCommand(ns, line.includes('"') ? splitWords(line) : line.trim().split(/\s+/), exist);
    if (bad) return { line: n, error: bad.error, usage: bad.usage ?? false };
  }
  return null;
}
