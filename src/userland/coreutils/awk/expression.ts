// awk's expressions as a tree, by precedence.
import { awkRegex, bad, expect, newlines, type Parser, peek, take } from './lex.ts';

export type Node =
  | { t: 'num'; v: number }
  | { t: 'str'; v: string }
  | { t: 'regex'; re: RegExp }
  | { t: 'var'; name: string }
  | { t: 'field'; e: Node }
  | { t: 'index'; name: string; keys: Node[] }
  | { t: 'assign'; op: string; left: Node; right: Node }
  | { t: 'cond'; test: Node; a: Node; b: Node }
  | { t: 'bin'; op: string; a: Node; b: Node }
  | { t: 'unary'; op: string; e: Node }
  | { t: 'incr'; op: string; prefix: boolean; e: Node }
  | { t: 'in'; keys: Node[]; name: string }
  | { t: 'call'; name: string; args: Node[]; builtin: boolean }
  | { t: 'getline'; from: 'file' | 'cmd' | 'main'; source: Node | null; into: Node | null }
  | { t: 'group'; list: Node[] };

/** `noIn`: inside for(…), where `in` belongs to the loop. `noGreater`: in print's list, where > redirects. */
export interface Mode {
  noIn: boolean;
  noGreater: boolean;
}

const plain: Mode = { noIn: false, noGreater: false };

const isLvalue = (e: Node) => e.t === 'var' || e.t === 'field' || e.t === 'index';

export function expression(p: Parser, m: Mode = plain): Node {
  const left = ternary(p, m);
  if (isLvalue(left) && p.tokens[p.at].k === 'op' && /^([-+*/%^]?=)$/.test(p.tokens[p.at].v)) {
    const op = p.tokens[p.at++].v;
    newlines(p);
    return { t: 'assign', op, left, right: expression(p, m) };
  }
  return left;
}

function ternary(p: Parser, m: Mode): Node {
  const test = or(p, m);
  if (!take(p, '?')) return test;
  newlines(p);
  const a = expression(p, m);
  newlines(p);
  expect(p, ':');
  newlines(p);
  return { t: 'cond', test, a, b: expression(p, m) };
}

function or(p: Parser, m: Mode): Node {
  let a = and(p, m);
  while (take(p, '||')) {
    newlines(p);
    a = { t: 'bin', op: '||', a, b: and(p, m) };
  }
  return a;
}

function and(p: Parser, m: Mode): Node {
  let a = membership(p, m);
  while (take(p, '&&')) {
    newlines(p);
    a = { t: 'bin', op: '&&', a, b: membership(p, m) };
  }
  return a;
}

function membership(p: Parser, m: Mode): Node {
  let a = match(p, m);
  while (!m.noIn && peek(p, 'in')) {
    p.at++;
    a = { t: 'in', keys: a.t === 'group' ? a.list : [a], name: p.tokens[p.at++].v };
  }
  return a;
}

function match(p: Parser, m: Mode): Node {
  let a = comparison(p, m);
  while (peek(p, '~') || peek(p, '!~')) {
    const op = p.tokens[p.at++].v;
    a = { t: 'bin', op, a, b: comparison(p, m) };
  }
  return a;
}

function comparison(p: Parser, m: Mode): Node {
  const a = concatenation(p, m);
  if (
    p.tokens[p.at].k === 'op' &&
    ['<', '<=', '==', '!=', '>=', '>'].includes(p.tokens[p.at].v) &&
    !(m.noGreater && p.tokens[p.at].v === '>')
  ) {
    const op = p.tokens[p.at++].v;
    return { t: 'bin', op, a, b: concatenation(p, m) };
  }
  // cmd | getline
  if (peek(p, '|') && p.tokens[p.at + 1].v === 'getline' && p.tokens[p.at + 1].k === 'key') return pipedGetline(p, a, m);
  return a;
}

function pipedGetline(p: Parser, source: Node, m: Mode): Node {
  let e = source;
  while (peek(p, '|') && p.tokens[p.at + 1].v === 'getline') {
    p.at += 2;
    e = { t: 'getline', from: 'cmd', source: e, into: optionalLvalue(p, m) };
  }
  if (
    p.tokens[p.at].k === 'op' &&
    ['<', '<=', '==', '!=', '>=', '>'].includes(p.tokens[p.at].v) &&
    !(m.noGreater && p.tokens[p.at].v === '>')
  ) {
    const op = p.tokens[p.at++].v;
    return { t: 'bin', op, a: e, b: concatenation(p, m) };
  }
  return e;
}

function startsOperand(p: Parser): boolean {
  const t = p.tokens[p.at];
  if (t.k === 'num' || t.k === 'str' || t.k === 'regex' || t.k === 'name' || t.k === 'func' || t.k === 'builtin') return true;
  return t.k === 'op' && ['$', '!', '(', '-', '+', '++', '--'].includes(t.v);
}

export function concatenation(p: Parser, m: Mode): Node {
  let a = additive(p, m);
  while (startsOperand(p) && !peek(p, 'in')) {
    const b = additive(p, m);
    a = { t: 'bin', op: ' ', a, b };
  }
  return a;
}

function additive(p: Parser, m: Mode): Node {
  let a = multiplicative(p, m);
  while (peek(p, '+') || peek(p, '-')) {
    const op = p.tokens[p.at++].v;
    a = { t: 'bin', op, a, b: multiplicative(p, m) };
  }
  return a;
}

function multiplicative(p: Parser, m: Mode): Node {
  let a = unary(p, m);
  while (peek(p, '*') || peek(p, '/') || peek(p, '%')) {
    const op = p.tokens[p.at++].v;
    a = { t: 'bin', op, a, b: unary(p, m) };
  }
  return a;
}

function unary(p: Parser, m: Mode): Node {
  if (peek(p, '!') || peek(p, '-') || peek(p, '+')) {
    const op = p.tokens[p.at++].v;
    return { t: 'unary', op, e: unary(p, m) };
  }
  return power(p, m);
}

function power(p: Parser, m: Mode): Node {
  const a = postfix(p, m);
  if (!take(p, '^')) return a;
  // -: `2^-1`
  return { t: 'bin', op: '^', a, b: peek(p, '-') || peek(p, '+') || peek(p, '!') ? unary(p, m) : power(p, m) };
}

function postfix(p: Parser, m: Mode): Node {
  const e = primary(p, m);
  if (isLvalue(e) && (peek(p, '++') || peek(p, '--'))) return { t: 'incr', op: p.tokens[p.at++].v, prefix: false, e };
  return e;
}

function optionalLvalue(p: Parser, m: Mode): Node | null {
  if (peek(p, '$') || p.tokens[p.at].k === 'name') return primary(p, m);
  return null;
}

export function list(p: Parser, end: string): Node[] {
  const out: Node[] = [];
  newlines(p);
  while (!peek(p, end)) {
    out.push(expression(p));
    newlines(p);
    if (!take(p, ',')) break;
    newlines(p);
  }
  expect(p, end);
  return out;
}

function primary(p: Parser, m: Mode): Node {
  const t = p.tokens[p.at++];
  if (t.k === 'num') return { t: 'num', v: Number(t.v) };
  if (t.k === 'str') return { t: 'str', v: t.v };
  if (t.k === 'regex') return { t: 'regex', re: awkRegex(t.v) };
  if (t.k === 'func') {
    expect(p, '(');
    return { t: 'call', name: t.v, args: list(p, ')'), builtin: false };
  }
  if (t.k === 'builtin') {
    if (take(p, '(')) return { t: 'call', name: t.v, args: list(p, ')'), builtin: true };
    if (t.v !== 'length') bad(p);
    return { t: 'call', name: 'length', args: [], builtin: true };
  }
  if (t.k === 'name') {
    if (take(p, '[')) return { t: 'index', name: t.v, keys: list(p, ']') };
    return { t: 'var', name: t.v };
  }
  if (t.k === 'key' && t.v === 'getline') {
    const into = optionalLvalue(p, m);
    if (take(p, '<')) return { t: 'getline', from: 'file', source: postfix(p, m), into };
    return { t: 'getline', from: 'main', source: null, into };
  }
  if (t.k === 'op') {
    if (t.v === '$') {
      if (peek(p, '++') || peek(p, '--')) {
        const op = p.tokens[p.at++].v;
        return { t: 'field', e: { t: 'incr', op, prefix: true, e: primary(p, m) } };
      }
      if (take(p, '-')) return { t: 'field', e: { t: 'unary', op: '-', e: primary(p, m) } };
      return { t: 'field', e: primary(p, m) };
    }
    if (t.v === '++' || t.v === '--') return { t: 'incr', op: t.v, prefix: true, e: primary(p, m) };
    if (t.v === '!' || t.v === '-' || t.v === '+') return { t: 'unary', op: t.v, e: unary(p, m) };
    if (t.v === '(') {
      const inner = list(p, ')');
      if (!inner.length) {
        p.at--;
        bad(p);
      }
      return { t: 'group', list: inner };
    }
  }
  p.at--;
  return bad(p);
}
