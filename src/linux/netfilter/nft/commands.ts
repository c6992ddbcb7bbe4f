// nftables' commands: tables, chains, sets, maps, elements, rules and lists (parser_bison.y and rule.c of nftables 1.0.6).
import type { Netns } from '../../types.ts';
import { chainBlock, chainCommand, makeChain } from './chains.ts';
import { lexCommand, type Token } from './lex.ts';
import { listCommand, optionalFamily } from './list.ts';
import { defineObject, objectCommand } from './objects.ts';
import type { ListOptions } from './print.ts';
import {
  expectSymbol,
  isRefusal,
  type NftError,
  name,
  next,
  peek,
  quotedOrWord,
  type Reader,
  refuse,
  skipNewlines,
  takeSymbol,
  takeWord,
  unexpected,
} from './reader.ts';
import { ruleCommand, takeHandle } from './rules.ts';
import { family, MISSING, noTable, type Run } from './run.ts';
import { defineSet, elementCommand, setCommand } from './sets.ts';
import { commit, findTable, newTable, newWork, ownChain, ownTable, removeTable, rollBack } from './store.ts';
import type { NftTable } from './types.ts';
import type { Work } from './work.ts';

// Tables

function tableCommand(x: Run, verb: string): void {
  const f = family(x.r);
  const token = name(x.r);
  const old = findTable(x.w, f, token.text);
  if (verb === 'delete' || verb === 'destroy' || verb === 'flush') {
    if (verb === 'delete' && takeHandle(x.r) !== null) return;
    if (!old) {
      if (verb === 'destroy') return;
      noTable(x, token, true);
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
        x.w.hooksChanged = true;
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
    // Base chains are for hooks alone (nft_verdict_init).
    if (now?.chains.get(chain)?.base) refuse(token, 'Operation not supported', 'Operation not supported');
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
  const r: Reader = {
    ns,
    text,
    tokens: [],
    at: 0,
    table: null,
    proto: null,
    start: 0,
    addresses: new Map(),
    singles: new Map(),
    places: new WeakMap(),
  };
  const x: Run = { r, w, list: { ...DEFAULT_LIST, nowMs: ns.kernel.sim.nowMs, ...o }, out: [] };
  try {
    const lines = text.endsWith('\n') ? text : `${text}\n`;
    for (let at = 0; at < lines.length; ) {
      const { tokens, end } = lexCommand(lines, at);
      at = end;
      r.tokens = tokens;
      r.at = 0;
      if (peek(r).kind === 'newline' || peek(r).kind === 'end') continue;
      command(x);
      if (peek(r).kind !== 'newline' && peek(r).kind !== 'end') unexpected(peek(r));
    }
    checkJumps(w);
  } catch (refusal) {
    rollBack(w);
    if (!isRefusal(refusal)) throw refusal;
    return { out: '', error: refusal.nftError };
  }
  if (o.check) rollBack(w);
  else if (w.changed) commit(w);
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
