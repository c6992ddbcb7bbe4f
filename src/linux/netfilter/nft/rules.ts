// nftables' rules: statements one after the other, and where a rule goes.
import type { Token } from './lex.ts';
import { atEnd, isWord, number, peek, quotedOrWord, type Reader, refuse, takeWord, unexpected } from './reader.ts';
import { chainNamed, MISSING, type Run } from './run.ts';
import { statement } from './statements.ts';
import { noteRule, ownChain, ownTable } from './store.ts';
import type { NftRule, NftTable } from './types.ts';

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

export function parseRule(x: Run, table: NftTable): NftRule {
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

export function takeHandle(r: Reader): { n: number; token: Token } | null {
  if (!takeWord(r, 'handle', 'position')) return null;
  const token = peek(r);
  return { n: number(r), token };
}

export function ruleCommand(x: Run, verb: string): void {
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
