// nftables' commands: tables, chains, sets, maps, elements, rules and lists (parser_bison.y and rule.c of nftables 1.0.6).

import type { Netns } from '../../types.ts';
import type { Token } from './lex.ts';
import { lex } from './lex.ts';
import { listCommand, optionalFamily } from './list.ts';
import { type ListOptions, priorityOf } from './print.ts';
import {
  atEnd,
  expectSymbol,
  expectWord,
  isRefusal,
  isSymbol,
  isWord,
  type NftError,
  name,
  next,
  number,
  peek,
  quotedOrWord,
  type Reader,
  refuse,
  skipNewlines,
  takeSymbol,
  takeWord,
  unexpected,
} from './reader.ts';
import { chainNamed, family, MISSING, type Run, tableNamed } from './run.ts';
import { defineSet, elementCommand, setCommand } from './sets.ts';
import { parseLimit, statement } from './statements.ts';
import { commit, findTable, isReferred, newTable, newWork, noteRule, ownChain, ownTable, removeTable, type Work } from './store.ts';
import type { NftChain, NftObject, NftRule, NftTable } from './types.ts';

// Tables

function tableCommand(x: Run, verb: string): void {
  const f = family(x.r);
  const token = name(x.r);
  const old = findTable(x.w, f, token.text);
  if (verb === 'delete' || verb === 'destroy' || verb === 'flush') {
    if (verb === 'delete' && takeHandle(x.r) !== null) return;
    if (!old) {
      if (verb === 'destroy') return;
      refuse(token, MISSING, MISSING);
    } else if (verb === 'flush') for (const c of old.chains.values()) ownChain(x.w, ownTable(x.w, old), c).rules = [];
    else removeTable(x.w, old);
    return;
  }
  if (old && verb === 'create') refuse(token, 'File exists', 'File exists');
  const table = old ? ownTable(x.w, old) : newTable(x.w, f, token.text);
  x.r.table = table;
  if (takeSymbol(x.r, '{')) tableBlock(x, table);
}

function tableBlock(x: Run, table: NftTable): void {
  const { r } = x;
  for (;;) {
    skipNewlines(r);
    if (takeSymbol(r, '}')) return;
    const word = name(r);
    switch (word.text) {
      case 'comment':
        table.comment = quotedOrWord(r);
        break;
      case 'flags':
        do table.flags.push(name(r).text);
        while (takeSymbol(r, ','));
        break;
      case 'chain': {
        const chain = makeChain(x, table, name(r));
        expectSymbol(r, '{');
        chainBlock(x, table, chain);
        break;
      }
      case 'set':
      case 'map':
        defineSet(x, table, word.text, name(r), false);
        break;
      case 'counter':
      case 'quota':
      case 'limit':
        defineObject(x, table, word.text, name(r));
        break;
      default:
        unexpected(word);
    }
  }
}

// Chains

function makeChain(x: Run, table: NftTable, token: Token): NftChain {
  const old = table.chains.get(token.text);
  if (old) return ownChain(x.w, table, old);
  const chain: NftChain = { name: token.text, handle: table.nextHandle++, comment: null, base: null, rules: [] };
  table.chains.set(chain.name, chain);
  x.w.ownChains.add(chain);
  return chain;
}

const HOOKS: Record<string, string[]> = {
  filter: ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress', 'egress'],
  nat: ['prerouting', 'input', 'output', 'postrouting'],
  route: ['output'],
};

/** `type T hook H [device D] priority P;` */
function baseSpec(x: Run, chain: NftChain, start: Token): void {
  const { r } = x;
  const type = name(r);
  if (!(type.text in HOOKS)) refuse(type, 'unknown chain type');
  expectWord(r, 'hook');
  const hook = name(r);
  if (!HOOKS.filter.includes(hook.text)) refuse(hook, 'unknown chain hook');
  const device = takeWord(r, 'device') ? quotedOrWord(r) : null;
  expectWord(r, 'priority');
  const priority = parsePriority(r, hook.text);
  if (!HOOKS[type.text].includes(hook.text)) {
    const end = r.text.indexOf('\n', start.at);
    refuse({ ...start, text: r.text.slice(start.at, end < 0 ? undefined : end) }, 'Operation not supported', 'Operation not supported');
  }
  chain.base = { type: type.text as 'filter', hook: hook.text, priority, policy: chain.base?.policy ?? 'accept', device };
  x.w.hooksChanged = true;
  if (type.text === 'nat') x.w.conntrack = true;
}

function parsePriority(r: Reader, hook: string): number {
  const t = peek(r);
  let base = 0;
  let sign = 1;
  if (t.kind === 'word') {
    r.at++;
    const known = priorityOf(t.text, hook);
    if (known === undefined) {
      const m = /^([a-z]+)-(\d+)$/.exec(t.text);
      const value = m ? priorityOf(m[1], hook) : undefined;
      return m && value !== undefined ? value - Number(m[2]) : refuse(t, `invalid priority expression ${t.text} in this context.`);
    }
    base = known;
    if (!isSymbol(r, '+') && !isSymbol(r, '-')) return base;
  }
  if (takeSymbol(r, '-')) sign = -1;
  else takeSymbol(r, '+');
  return base + sign * number(r);
}

function chainBlock(x: Run, table: NftTable, chain: NftChain): void {
  const { r } = x;
  for (;;) {
    skipNewlines(r);
    const t = peek(r);
    if (takeSymbol(r, '}')) return;
    if (t.kind === 'end') unexpected(t);
    if (takeWord(r, 'type')) baseSpec(x, chain, r.tokens[r.start]);
    else if (takeWord(r, 'policy')) {
      const policy = expectWord(r, 'accept', 'drop');
      if (chain.base) chain.base = { ...chain.base, policy: policy as 'accept' };
    } else if (isWord(r, 'comment') && peek(r, 1).kind === 'string') {
      r.at++;
      chain.comment = quotedOrWord(r);
    } else if (takeWord(r, 'device')) quotedOrWord(r);
    else chain.rules.push(parseRule(x, table));
  }
}

function chainCommand(x: Run, verb: string): void {
  const { r, w } = x;
  const { table: found } = tableNamed(x, true);

  const token = name(r);
  const old = found.chains.get(token.text);
  if (verb === 'add' || verb === 'create') {
    if (old && verb === 'create') refuse(token, 'File exists', 'File exists');
    const table = ownTable(w, found);
    x.r.table = table;
    const chain = makeChain(x, table, token);
    if (takeSymbol(r, '{')) chainBlock(x, table, chain);

    return;
  }
  if (!old) {
    if (verb === 'destroy') return;
    refuse(token, MISSING, MISSING);
    return;
  }
  const table = ownTable(w, found);
  if (verb === 'flush') ownChain(w, table, old).rules = [];
  else if (verb === 'rename') {
    const to = name(r).text;
    table.chains.delete(old.name);
    table.chains.set(to, { ...old, name: to });
    w.hooksChanged = true;
  } else {
    if (isReferred(table, old.name)) refuse(token, 'Device or resource busy', 'Device or resource busy');
    table.chains.delete(old.name);
    if (old.base) w.hooksChanged = true;
  }
}

// Rules

const TERMINAL = new Set([
  'accept',
  'drop',
  'return',
  'continue',
  'jump',
  'goto',
  'reject',
  'dnat',
  'snat',
  'masquerade',
  'redirect',
  'queue',
]);

function parseRule(x: Run, table: NftTable): NftRule {
  const { r } = x;
  r.table = table;
  r.proto = null;
  const rule: NftRule = { handle: table.nextHandle++, statements: [], comment: null };
  let terminal: Token | null = null;
  while (!atEnd(r)) {
    if (isWord(r, 'comment') && (peek(r, 1).kind === 'string' || peek(r, 1).kind === 'word')) {
      r.at++;
      rule.comment = quotedOrWord(r);
      continue;
    }
    const t = peek(r);
    if (terminal) refuse(t, 'Statement after terminal statement has no effect', null, terminal);
    const s = statement(r);
    for (const chain of s.chains ?? []) x.w.wanted.push({ table, chain, token: r.tokens[r.at - 1] });
    rule.statements.push(s);
    if (TERMINAL.has(t.text)) terminal = t;
  }
  if (!rule.statements.length && rule.comment === null) unexpected(peek(r));
  noteRule(x.w, rule);
  return rule;
}

function takeHandle(r: Reader): { n: number; token: Token } | null {
  if (!takeWord(r, 'handle', 'position')) return null;
  const token = peek(r);
  return { n: number(r), token };
}

function ruleCommand(x: Run, verb: string): void {
  const { r, w } = x;
  const found = chainNamed(x, true);
  const table = ownTable(w, found.table);
  const chain = ownChain(w, table, found.chain);
  const handle = takeHandle(r);
  const index = !handle && takeWord(r, 'index') ? { n: number(r), token: r.tokens[r.at - 1] } : null;
  let at = handle ? chain.rules.findIndex(rule => rule.handle === handle.n) : (index?.n ?? -1);
  const place = handle ?? index;
  if (place && (at < 0 || at >= chain.rules.length)) refuse(place.token, MISSING, MISSING);
  if (verb === 'delete' || verb === 'destroy') {
    if (!handle) unexpected(peek(r));
    chain.rules.splice(at, 1);
    return;
  }
  const rule = parseRule(x, table);
  if (verb === 'replace') {
    rule.handle = chain.rules[at].handle;
    chain.rules[at] = rule;
  } else if (verb === 'insert') chain.rules.splice(place ? at : 0, 0, rule);
  else {
    if (!place) at = chain.rules.length - 1;
    chain.rules.splice(at + 1, 0, rule);
  }
}

function defineObject(x: Run, table: NftTable, kind: 'counter' | 'quota' | 'limit', token: Token): void {
  const { r } = x;
  const object: NftObject = { kind, name: token.text, handle: table.nextHandle++, comment: null, packets: 0, bytes: 0, spec: '' };
  if (takeSymbol(r, '{')) {
    for (;;) {
      skipNewlines(r);
      if (takeSymbol(r, '}')) break;
      if (takeWord(r, 'comment')) object.comment = quotedOrWord(r);
      else objectBody(r, object);
    }
  }
  if (!table.objects.has(`${kind} ${object.name}`)) table.objects.set(`${kind} ${object.name}`, object);
}

function objectBody(r: Reader, object: NftObject): void {
  if (object.kind === 'counter') {
    const word = expectWord(r, 'packets', 'bytes');
    object[word as 'packets'] = number(r);
  } else if (object.kind === 'limit') object.spec = parseLimit(r).text;
  else {
    let spec = '';
    while (!atEnd(r)) spec += `${spec ? ' ' : ''}${next(r).text}`;
    object.spec = spec;
  }
}

function objectCommand(x: Run, verb: string, kind: 'counter' | 'quota' | 'limit'): void {
  const { table: found } = tableNamed(x, true);
  const token = name(x.r);
  const table = ownTable(x.w, found);
  const key = `${kind} ${token.text}`;
  if (verb === 'add' || verb === 'create') defineObject(x, table, kind, token);
  else if (!table.objects.delete(key) && verb !== 'destroy') refuse(token, MISSING, MISSING);
}

function flushCommand(x: Run): void {
  const { r } = x;
  if (takeWord(r, 'ruleset')) {
    const f = optionalFamily(r);
    for (const table of [...x.w.tables]) if (f === null || table.family === f) removeTable(x.w, table);
    return;
  }
  objectOf(x, 'flush', name(r));
}

function objectOf(x: Run, verb: string, t: Token): void {
  switch (t.text) {
    case 'table':
      tableCommand(x, verb);
      return;
    case 'chain':
      chainCommand(x, verb);
      return;
    case 'rule':
      ruleCommand(x, verb);
      return;
    case 'set':
    case 'map':
      setCommand(x, verb, t.text);
      return;
    case 'element':
      elementCommand(x, verb);
      return;
    case 'counter':
    case 'quota':
    case 'limit':
      objectCommand(x, verb, t.text);
      return;
    default:
      // `add` may leave out `rule`: the word is then a family or a table.
      if (verb !== 'add') unexpected(t);
      x.r.at--;
      ruleCommand(x, verb);
      return;
  }
}

const VERBS = new Set(['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'get', 'rename']);

function command(x: Run): void {
  const { r } = x;
  r.start = r.at;
  const t = next(r);
  if (t.kind === 'word' && VERBS.has(t.text)) {
    objectOf(x, t.text, name(r));
    return;
  }
  if (t.text === 'list' || t.text === 'reset') {
    listCommand(x, t.text === 'reset');
    return;
  }
  if (t.text === 'flush') {
    flushCommand(x);
    return;
  }
  if (t.text === 'table' || t.text === 'chain' || t.text === 'rule') {
    objectOf(x, 'add', t);
    return;
  }
  if (t.kind !== 'word') unexpected(t);
  r.at--;
  ruleCommand(x, 'add');
}

/** Chains that verdicts name must be there when the transaction ends. */
function checkJumps(w: Work): void {
  for (const { table, chain, token } of w.wanted) {
    const now = findTable(w, table.family, table.name);
    if (now && !now.chains.has(chain)) refuse(token, MISSING, MISSING);
  }
}

interface NftResult {
  out: string;
  error: NftError | null;
}

const DEFAULT_LIST = { handles: false, stateless: false, terse: false };

/** Run nftables' commands. On an error nothing has changed; `check` (-c) changes nothing either. */
export function runNft(ns: Netns, text: string, o: Partial<ListOptions> & { check?: boolean } = {}): NftResult {
  const w = newWork(ns);
  const r: Reader = { ns, text, tokens: lex(text.endsWith('\n') ? text : `${text}\n`), at: 0, table: null, proto: null, start: 0 };
  const x: Run = { r, w, list: { ...DEFAULT_LIST, nowMs: ns.kernel.sim.nowMs, ...o }, out: [] };
  try {
    for (;;) {
      skipNewlines(r);
      if (peek(r).kind === 'end') break;
      command(x);
      if (peek(r).kind !== 'newline' && peek(r).kind !== 'end') unexpected(peek(r));
    }
    checkJumps(w);
  } catch (refusal) {
    if (!isRefusal(refusal)) throw refusal;
    return { out: '', error: refusal.nftError };
  }
  if (w.changed && !o.check) commit(w);
  return { out: x.out.join(''), error: null };
}

/** Where an error stands: line and columns from 1, and the line itself. */
export function placeOf(text: string, e: NftError): { line: number; from: number; to: number; source: string } {
  const start = text.lastIndexOf('\n', e.from - 1) + 1;
  const end = text.indexOf('\n', start);
  const line = text.slice(0, start).split('\n').length;
  const source = text.slice(start, end < 0 ? text.length : end);
  return { line, from: e.from - start + 1, to: Math.max(e.from - start + 1, Math.min(e.to - start, source.length + 1)), source };
}
