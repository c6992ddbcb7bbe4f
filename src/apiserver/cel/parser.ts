// From text to expression (cel-go parser v0.26.0): precedence climbing, then the macros.

import type { Expr } from './ast.ts';
import { type Issue, SyntaxIssue, type Token, tokenize } from './lexer.ts';
import { expandGlobal, expandMember } from './macros.ts';
import { Uint, type Val } from './values.ts';
import { RESERVED } from './words.ts';

interface Parser {
  tokens: Token[];
  i: number;
  depth: number;
}

const OPERAND = `{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`;

export function parse(source: string): { expr: Expr } | { issues: Issue[] } {
  const { tokens, issues } = tokenize(source);
  try {
    const p: Parser = { tokens, i: 0, depth: 0 };
    const expr = ternary(p);
    const t = peek(p);
    // One token too many is left out; with more after it the whole rest does not fit.
    if (t.kind !== 'end')
      fail(t, `${p.tokens[p.i + 1].kind === 'end' ? 'extraneous' : 'mismatched'} input '${source.slice(t.at, t.end)}' expecting <EOF>`);
    if (!issues.length) return { expr };
  } catch (e) {
    if (!(e instanceof SyntaxIssue)) throw e;
    issues.push({ at: e.at, message: e.message });
  }
  return { issues: issues.sort((a, b) => a.at - b.at) };
}

const peek = (p: Parser): Token => p.tokens[p.i];

function fail(t: Token, message: string): never {
  throw new SyntaxIssue(t.at, `Syntax error: ${message}`);
}

function accept(p: Parser, op: string): Token | null {
  const t = peek(p);
  if (t.kind !== 'op' || t.text !== op) return null;
  p.i++;
  return t;
}

function expect(p: Parser, op: string): Token {
  const t = peek(p);
  return accept(p, op) ?? fail(t, t.kind === 'end' ? `missing '${op}' at '<EOF>'` : `mismatched input '${t.text}' expecting '${op}'`);
}

const call = (t: Token, fn: string, ...args: Expr[]): Expr => ({ k: 'call', at: t.at, fn, target: null, args });

function ternary(p: Parser): Expr {
  if (++p.depth > 250) fail(peek(p), 'expression recursion limit exceeded: 250');
  const condition = binary(p, 0);
  const t = accept(p, '?');
  let e = condition;
  if (t) {
    const yes = binary(p, 0);
    expect(p, ':');
    e = call(t, '_?_:_', condition, yes, ternary(p));
  }
  p.depth--;
  return e;
}

/** From the loosest to the tightest. */
const LEVELS = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>=', 'in'], ['+', '-'], ['*', '/', '%']];

function binary(p: Parser, level: number): Expr {
  if (level === LEVELS.length) return unary(p);
  let left = binary(p, level + 1);
  for (;;) {
    const t = peek(p);
    if (t.kind !== 'op' || !LEVELS[level].includes(t.text)) return left;
    p.i++;
    left = call(t, t.text === 'in' ? '@in' : `_${t.text}_`, left, binary(p, level + 1));
  }
}

function unary(p: Parser): Expr {
  const t = peek(p);
  if (t.kind === 'op' && (t.text === '!' || t.text === '-')) {
    let n = 0;
    while (accept(p, t.text)) n++;
    const next = peek(p);
    // A sign before a number is part of it: the smallest int has no positive counterpart.
    if (t.text === '-' && n % 2 === 1 && (next.kind === 'int' || next.kind === 'double')) {
      p.i++;
      return member(p, { k: 'const', at: t.at, value: number(next, '-') });
    }
    const operand = member(p, primary(p));
    return n % 2 ? call(t, t.text === '!' ? '!_' : '-_', operand) : operand;
  }
  return member(p, primary(p));
}

function member(p: Parser, start: Expr): Expr {
  let e = start;
  for (;;) {
    const dot = accept(p, '.');
    if (dot) {
      const optional = accept(p, '?') !== null;
      const name = peek(p);
      if (name.kind !== 'ident') {
        fail(name, `no viable alternative at input '.${name.kind === 'end' ? '' : name.text}'`);
      }
      p.i++;
      const open = optional ? null : accept(p, '(');
      if (open) e = expandMember(open.at, e, name.text, list(p, ')'));
      else e = { k: 'select', at: dot.at, of: e, field: name.text, test: false, optional };
      continue;
    }
    const open = accept(p, '[');
    if (!open) return e;
    const optional = accept(p, '?') !== null;
    const index = ternary(p);
    expect(p, ']');
    e = call(open, optional ? '_[?_]' : '_[_]', e, index);
  }
}

/** Expressions up to the closing bracket. */
function list(p: Parser, close: string): Expr[] {
  const items: Expr[] = [];
  if (accept(p, close)) return items;
  do items.push(ternary(p));
  while (accept(p, ','));
  expect(p, close);
  return items;
}

function primary(p: Parser): Expr {
  const t = peek(p);
  p.i++;
  switch (t.kind) {
    case 'int':
    case 'uint':
    case 'double':
      return { k: 'const', at: t.at, value: number(t, '') };
    case 'string':
      return { k: 'const', at: t.at, value: t.text };
    case 'bytes':
      return { k: 'const', at: t.at, value: Uint8Array.from(t.text, ch => ch.charCodeAt(0)) };
    case 'ident':
      return identifier(p, t);
    case 'op':
      if (t.text === '(') {
        const e = ternary(p);
        expect(p, ')');
        return e;
      }
      if (t.text === '[') return listLiteral(p, t);
      if (t.text === '{') return mapLiteral(p, t);
      if (t.text === '.' && peek(p).kind === 'ident') return identifier(p, p.tokens[p.i++]);
  }
  return fail(t, `mismatched input '${t.text}' expecting ${OPERAND}`);
}

function identifier(p: Parser, t: Token): Expr {
  const literal: Record<string, Val> = { true: true, false: false, null: null };
  if (Object.hasOwn(literal, t.text)) return { k: 'const', at: t.at, value: literal[t.text] };
  if (RESERVED.has(t.text)) throw new SyntaxIssue(t.at, `reserved identifier: ${t.text}`);
  const open = accept(p, '(');
  if (open) return expandGlobal(open.at, t.text, list(p, ')'));
  const brace = accept(p, '{');
  if (!brace) return { k: 'ident', at: t.at, name: t.text };
  while (!accept(p, '}')) {
    if (peek(p).kind === 'end') fail(peek(p), `missing '}' at '<EOF>'`);
    p.i++;
  }
  return { k: 'struct', at: brace.at, name: t.text };
}

function listLiteral(p: Parser, open: Token): Expr {
  const items: Expr[] = [];
  const optional: number[] = [];
  while (!accept(p, ']')) {
    if (accept(p, '?')) optional.push(items.length);
    items.push(ternary(p));
    if (!accept(p, ',')) {
      expect(p, ']');
      break;
    }
  }
  return { k: 'list', at: open.at, items, optional };
}

function mapLiteral(p: Parser, open: Token): Expr {
  const entries: { key: Expr; value: Expr; optional: boolean }[] = [];
  while (!accept(p, '}')) {
    const optional = accept(p, '?') !== null;
    const key = ternary(p);
    expect(p, ':');
    entries.push({ key, value: ternary(p), optional });
    if (!accept(p, ',')) {
      expect(p, '}');
      break;
    }
  }
  return { k: 'map', at: open.at, entries };
}

function number(t: Token, sign: string): Val {
  if (t.kind === 'double') return Number(sign + t.text);
  const n = sign ? -BigInt(t.text) : BigInt(t.text);
  if (t.kind === 'uint') {
    if (n >= 1n << 64n) throw new SyntaxIssue(t.at, 'invalid uint literal');
    return new Uint(n);
  }
  if (n >= 1n << 63n || n < -(1n << 63n)) throw new SyntaxIssue(t.at, 'invalid int literal');
  return n;
}
