// awk's grammar (POSIX, and mawk's and BusyBox' small additions): statements, rules and functions.
import { concatenation, expression, list, type Mode, type Node } from './expression.ts';
import { bad, expect, newlines, type Parser, peek, separators, take, tokenize } from './lex.ts';

export type Statement =
  | { t: 'expr'; e: Node }
  | { t: 'print'; args: Node[]; to: { op: string; e: Node } | null; format: boolean }
  | { t: 'if'; test: Node; a: Statement; b: Statement | null }
  | { t: 'while'; test: Node; body: Statement; atEnd: boolean }
  | { t: 'for'; init: Statement | null; test: Node | null; step: Statement | null; body: Statement }
  | { t: 'forin'; name: string; array: string; body: Statement }
  | { t: 'block'; list: Statement[] }
  | { t: 'jump'; kind: 'next' | 'nextfile' | 'exit' | 'return' | 'break' | 'continue'; e: Node | null }
  | { t: 'delete'; name: string; keys: Node[] | null };

export interface Rule {
  kind: 'begin' | 'end' | 'pattern' | 'range';
  pattern: Node | null;
  until: Node | null;
  body: Statement | null;
  inside: boolean;
}

export interface AwkFunction {
  params: string[];
  body: Statement;
}

export interface AwkProgram {
  rules: Rule[];
  functions: Map<string, AwkFunction>;
}

function simple(p: Parser): Statement {
  if (peek(p, 'print') || peek(p, 'printf')) return printStatement(p);
  if (take(p, 'delete')) {
    const name = p.tokens[p.at++].v;
    return { t: 'delete', name, keys: take(p, '[') ? list(p, ']') : null };
  }
  return { t: 'expr', e: expression(p) };
}

function printStatement(p: Parser): Statement {
  const format = p.tokens[p.at++].v === 'printf';
  const mode: Mode = { noIn: false, noGreater: true };
  let args: Node[] = [];
  const ends = () =>
    p.tokens[p.at].k === 'nl' ||
    p.tokens[p.at].k === 'end' ||
    peek(p, ';') ||
    peek(p, '}') ||
    peek(p, '>') ||
    peek(p, '>>') ||
    peek(p, '|');
  if (!ends()) {
    args.push(expression(p, mode));
    while (take(p, ',')) {
      newlines(p);
      args.push(expression(p, mode));
    }
    if (args.length === 1 && args[0].t === 'group') args = args[0].list;
  }
  let to: { op: string; e: Node } | null = null;
  if (peek(p, '>') || peek(p, '>>') || peek(p, '|')) {
    const op = p.tokens[p.at++].v;
    to = { op, e: concatenation(p, mode) };
  }
  return { t: 'print', args, to, format };
}

function block(p: Parser): Statement {
  expect(p, '{');
  const out: Statement[] = [];
  separators(p);
  while (!peek(p, '}')) {
    if (p.tokens[p.at].k === 'end') bad(p);
    out.push(statement(p));
    separators(p);
  }
  p.at++;
  return { t: 'block', list: out };
}

function ending(p: Parser): void {
  if (p.tokens[p.at].k === 'nl' || peek(p, ';')) p.at++;
  else if (!peek(p, '}') && p.tokens[p.at].k !== 'end') bad(p);
}

function body(p: Parser): Statement {
  newlines(p);
  if (take(p, ';')) return { t: 'block', list: [] };
  return statement(p);
}

function statement(p: Parser): Statement {
  if (peek(p, '{')) return block(p);
  if (take(p, 'if')) {
    expect(p, '(');
    const test = expression(p);
    expect(p, ')');
    const a = body(p);
    const mark = p.at;
    separators(p);
    if (take(p, 'else')) return { t: 'if', test, a, b: body(p) };
    p.at = mark;
    return { t: 'if', test, a, b: null };
  }
  if (take(p, 'while')) {
    expect(p, '(');
    const test = expression(p);
    expect(p, ')');
    return { t: 'while', test, body: body(p), atEnd: false };
  }
  if (take(p, 'do')) {
    const b = body(p);
    separators(p);
    expect(p, 'while');
    expect(p, '(');
    const test = expression(p);
    expect(p, ')');
    return { t: 'while', test, body: b, atEnd: true };
  }
  if (take(p, 'for')) return forStatement(p);
  for (const kind of ['next', 'nextfile', 'break', 'continue'] as const) {
    if (!take(p, kind)) continue;
    ending(p);
    return { t: 'jump', kind, e: null };
  }
  for (const kind of ['exit', 'return'] as const) {
    if (!take(p, kind)) continue;
    const e = p.tokens[p.at].k === 'nl' || p.tokens[p.at].k === 'end' || peek(p, ';') || peek(p, '}') ? null : expression(p);
    ending(p);
    return { t: 'jump', kind, e };
  }
  const s = simple(p);
  ending(p);
  return s;
}

function forStatement(p: Parser): Statement {
  expect(p, '(');
  if (p.tokens[p.at].k === 'name' && p.tokens[p.at + 1].v === 'in' && p.tokens[p.at + 2].k === 'name' && p.tokens[p.at + 3].v === ')') {
    const name = p.tokens[p.at].v;
    const array = p.tokens[p.at + 2].v;
    p.at += 4;
    return { t: 'forin', name, array, body: body(p) };
  }
  const init = peek(p, ';') ? null : simple(p);
  expect(p, ';');
  newlines(p);
  const test = peek(p, ';') ? null : expression(p);
  expect(p, ';');
  newlines(p);
  const step = peek(p, ')') ? null : simple(p);
  expect(p, ')');
  return { t: 'for', init, test, step, body: body(p) };
}

export function parseAwk(source: string): AwkProgram {
  const p: Parser = { tokens: tokenize(source), at: 0 };
  const functions = new Map<string, AwkFunction>();
  const rules: Rule[] = [];
  separators(p);
  while (p.tokens[p.at].k !== 'end') {
    if (take(p, 'function') || take(p, 'func')) {
      const name = p.tokens[p.at++].v;
      expect(p, '(');
      const params: string[] = [];
      while (!peek(p, ')')) {
        params.push(p.tokens[p.at++].v);
        newlines(p);
        if (!take(p, ',')) break;
        newlines(p);
      }
      expect(p, ')');
      newlines(p);
      functions.set(name, { params, body: block(p) });
    } else if (take(p, 'BEGIN')) {
      newlines(p);
      rules.push({ kind: 'begin', pattern: null, until: null, body: block(p), inside: false });
    } else if (take(p, 'END')) {
      newlines(p);
      rules.push({ kind: 'end', pattern: null, until: null, body: block(p), inside: false });
    } else {
      const pattern = peek(p, '{') ? null : expression(p);
      let until: Node | null = null;
      if (take(p, ',')) {
        newlines(p);
        until = expression(p);
      }
      rules.push({ kind: until ? 'range' : 'pattern', pattern, until, body: peek(p, '{') ? block(p) : null, inside: false });
    }
    separators(p);
  }
  return { rules, functions };
}
