// awk's grammar (POSIX, and mawk's and BusyBox' small additions) as a tree.
import { posixToJs, RegexError } from './regex.ts';

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

export class AwkError extends Error {}

interface Token {
  k: 'num' | 'str' | 'regex' | 'name' | 'func' | 'builtin' | 'key' | 'op' | 'nl' | 'end';
  v: string;
  line: number;
}

const KEYWORDS = new Set([
  'BEGIN',
  'END',
  'function',
  'func',
  'if',
  'else',
  'while',
  'for',
  'do',
  'break',
  'continue',
  'next',
  'nextfile',
  'exit',
  'return',
  'delete',
  'in',
  'getline',
  'print',
  'printf',
]);
export const AWK_BUILTINS = new Set([
  'length',
  'substr',
  'index',
  'split',
  'sub',
  'gsub',
  'match',
  'sprintf',
  'sin',
  'cos',
  'atan2',
  'exp',
  'log',
  'sqrt',
  'int',
  'rand',
  'srand',
  'tolower',
  'toupper',
  'system',
  'close',
  'fflush',
  'strftime',
  'systime',
  'mktime',
  'gensub',
  'and',
  'or',
  'xor',
  'lshift',
  'rshift',
]);

export function unescapeAwk(s: string): string {
  return s.replace(/\\([0-7]{1,3}|[\s\S])/g, (_, e) => {
    if (/^[0-7]/.test(e)) return String.fromCharCode(Number.parseInt(e, 8) & 255);
    const plain: Record<string, string> = {
      n: '\n',
      t: '\t',
      r: '\r',
      a: '\x07',
      b: '\b',
      f: '\f',
      v: '\v',
      '\\': '\\',
      '"': '"',
      '/': '/',
      '\n': '',
    };
    return plain[e] ?? `\\${e}`;
  });
}

function tokenize(s: string): Token[] {
  const out: Token[] = [];
  let i = 0;
  let line = 1;
  const push = (k: Token['k'], v: string) => out.push({ k, v, line });
  const operand = () => {
    const last = out.at(-1);
    return (
      last !== undefined &&
      (last.k === 'num' ||
        last.k === 'str' ||
        last.k === 'regex' ||
        last.k === 'name' ||
        last.k === 'builtin' ||
        (last.k === 'op' && (last.v === ')' || last.v === ']' || last.v === '$' || last.v === '++' || last.v === '--')))
    );
  };
  while (i < s.length) {
    const rest = s.slice(i);
    const space = /^(?:[ \t\r]|\\\r?\n)+/.exec(rest);
    if (space) {
      i += space[0].length;
      continue;
    }
    if (s[i] === '#') {
      while (i < s.length && s[i] !== '\n') i++;
      continue;
    }
    if (s[i] === '\n') {
      push('nl', '\n');
      line++;
      i++;
      continue;
    }
    const number = /^(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/.exec(rest);
    if (number) {
      push('num', number[0]);
      i += number[0].length;
      continue;
    }
    const name = /^[A-Za-z_]\w*/.exec(rest);
    if (name) {
      const v = name[0];
      i += v.length;
      push(KEYWORDS.has(v) ? 'key' : AWK_BUILTINS.has(v) ? 'builtin' : s[i] === '(' ? 'func' : 'name', v);
      continue;
    }
    if (s[i] === '"') {
      const m = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(rest);
      if (!m) throw new AwkError(`line ${line}: runaway string constant ${rest.slice(0, 20)}`);
      push('str', unescapeAwk(m[1]));
      i += m[0].length;
      continue;
    }
    if (s[i] === '/' && !operand()) {
      let j = i + 1;
      let bracket = false;
      for (; j < s.length && (s[j] !== '/' || bracket); j++) {
        if (s[j] === '\\') j++;
        else if (s[j] === '[') bracket = true;
        else if (s[j] === ']' && s[j - 1] !== '[') bracket = false;
        if (s[j] === '\n') break;
      }
      if (s[j] !== '/') throw new AwkError(`line ${line}: regular expression compile failed (missing operand)\n/`);
      push('regex', s.slice(i + 1, j).replace(/\\\//g, '/'));
      i = j + 1;
      continue;
    }
    const op = /^(?:\*\*=|\*\*|&&|\|\||==|!=|<=|>=|\+\+|--|\+=|-=|\*=|\/=|%=|\^=|>>|!~|[-+*/%^!<>|?:~$=,;(){}[\]])/.exec(rest);
    if (!op) throw new AwkError(`line ${line}: syntax error at or near ${s[i]}`);
    push('op', op[0] === '**' ? '^' : op[0] === '**=' ? '^=' : op[0]);
    i += op[0].length;
  }
  push('end', '');
  return out;
}

export function awkRegex(source: string): RegExp {
  try {
    return new RegExp(posixToJs(source, true, true));
  } catch (e) {
    if (e instanceof RegexError || e instanceof SyntaxError)
      throw new AwkError(`regular expression compile failed (${e.message})\n${source}`);
    throw e;
  }
}

export function parseAwk(source: string): AwkProgram {
  const tokens = tokenize(source);
  let at = 0;
  const functions = new Map<string, AwkFunction>();
  const rules: Rule[] = [];

  const peek = (v?: string): boolean => v === undefined || (tokens[at].v === v && (tokens[at].k === 'op' || tokens[at].k === 'key'));
  const bad = (): never => {
    const t = tokens[at];
    throw new AwkError(`line ${t.line}: syntax error at or near ${t.k === 'end' ? 'end of file' : t.k === 'nl' ? '\n' : t.v}`);
  };
  const take = (v: string): boolean => {
    if (!peek(v)) return false;
    at++;
    return true;
  };
  const expect = (v: string) => {
    if (!take(v)) bad();
  };
  const newlines = () => {
    while (tokens[at].k === 'nl') at++;
  };
  const separators = () => {
    while (tokens[at].k === 'nl' || peek(';')) at++;
  };

  /** `noIn`: inside for(…), where `in` belongs to the loop. `noGreater`: in print's list, where > redirects. */
  interface Mode {
    noIn: boolean;
    noGreater: boolean;
  }
  const plain: Mode = { noIn: false, noGreater: false };

  const isLvalue = (e: Node) => e.t === 'var' || e.t === 'field' || e.t === 'index';

  function expression(m: Mode = plain): Node {
    const left = ternary(m);
    if (isLvalue(left) && tokens[at].k === 'op' && /^([-+*/%^]?=)$/.test(tokens[at].v)) {
      const op = tokens[at++].v;
      newlines();
      return { t: 'assign', op, left, right: expression(m) };
    }
    return left;
  }
  function ternary(m: Mode): Node {
    const test = or(m);
    if (!take('?')) return test;
    newlines();
    const a = expression(m);
    newlines();
    expect(':');
    newlines();
    return { t: 'cond', test, a, b: expression(m) };
  }
  function or(m: Mode): Node {
    let a = and(m);
    while (take('||')) {
      newlines();
      a = { t: 'bin', op: '||', a, b: and(m) };
    }
    return a;
  }
  function and(m: Mode): Node {
    let a = membership(m);
    while (take('&&')) {
      newlines();
      a = { t: 'bin', op: '&&', a, b: membership(m) };
    }
    return a;
  }
  function membership(m: Mode): Node {
    let a = match(m);
    while (!m.noIn && peek('in')) {
      at++;
      a = { t: 'in', keys: a.t === 'group' ? a.list : [a], name: tokens[at++].v };
    }
    return a;
  }
  function match(m: Mode): Node {
    let a = comparison(m);
    while (peek('~') || peek('!~')) {
      const op = tokens[at++].v;
      a = { t: 'bin', op, a, b: comparison(m) };
    }
    return a;
  }
  function comparison(m: Mode): Node {
    const a = concatenation(m);
    if (tokens[at].k === 'op' && ['<', '<=', '==', '!=', '>=', '>'].includes(tokens[at].v) && !(m.noGreater && tokens[at].v === '>')) {
      const op = tokens[at++].v;
      return { t: 'bin', op, a, b: concatenation(m) };
    }
    // cmd | getline
    if (peek('|') && tokens[at + 1].v === 'getline' && tokens[at + 1].k === 'key') return pipedGetline(a, m);
    return a;
  }
  function pipedGetline(source: Node, m: Mode): Node {
    let e = source;
    while (peek('|') && tokens[at + 1].v === 'getline') {
      at += 2;
      e = { t: 'getline', from: 'cmd', source: e, into: optionalLvalue(m) };
    }
    if (tokens[at].k === 'op' && ['<', '<=', '==', '!=', '>=', '>'].includes(tokens[at].v) && !(m.noGreater && tokens[at].v === '>')) {
      const op = tokens[at++].v;
      return { t: 'bin', op, a: e, b: concatenation(m) };
    }
    return e;
  }
  function startsOperand(): boolean {
    const t = tokens[at];
    if (t.k === 'num' || t.k === 'str' || t.k === 'regex' || t.k === 'name' || t.k === 'func' || t.k === 'builtin') return true;
    return t.k === 'op' && ['$', '!', '(', '-', '+', '++', '--'].includes(t.v);
  }
  function concatenation(m: Mode): Node {
    let a = additive(m);
    while (startsOperand() && !peek('in')) {
      const b = additive(m);
      a = { t: 'bin', op: ' ', a, b };
    }
    return a;
  }
  function additive(m: Mode): Node {
    let a = multiplicative(m);
    while (peek('+') || peek('-')) {
      const op = tokens[at++].v;
      a = { t: 'bin', op, a, b: multiplicative(m) };
    }
    return a;
  }
  function multiplicative(m: Mode): Node {
    let a = unary(m);
    while (peek('*') || peek('/') || peek('%')) {
      const op = tokens[at++].v;
      a = { t: 'bin', op, a, b: unary(m) };
    }
    return a;
  }
  function unary(m: Mode): Node {
    if (peek('!') || peek('-') || peek('+')) {
      const op = tokens[at++].v;
      return { t: 'unary', op, e: unary(m) };
    }
    return power(m);
  }
  function power(m: Mode): Node {
    const a = postfix(m);
    if (!take('^')) return a;
    // -: `2^-1`
    return { t: 'bin', op: '^', a, b: peek('-') || peek('+') || peek('!') ? unary(m) : power(m) };
  }
  function postfix(m: Mode): Node {
    const e = primary(m);
    if (isLvalue(e) && (peek('++') || peek('--'))) return { t: 'incr', op: tokens[at++].v, prefix: false, e };
    return e;
  }
  function optionalLvalue(m: Mode): Node | null {
    if (peek('$') || tokens[at].k === 'name') return primary(m);
    return null;
  }
  function list(end: string): Node[] {
    const out: Node[] = [];
    newlines();
    while (!peek(end)) {
      out.push(expression());
      newlines();
      if (!take(',')) break;
      newlines();
    }
    expect(end);
    return out;
  }
  function primary(m: Mode): Node {
    const t = tokens[at++];
    if (t.k === 'num') return { t: 'num', v: Number(t.v) };
    if (t.k === 'str') return { t: 'str', v: t.v };
    if (t.k === 'regex') return { t: 'regex', re: awkRegex(t.v) };
    if (t.k === 'func') {
      expect('(');
      return { t: 'call', name: t.v, args: list(')'), builtin: false };
    }
    if (t.k === 'builtin') {
      if (take('(')) return { t: 'call', name: t.v, args: list(')'), builtin: true };
      if (t.v !== 'length') bad();
      return { t: 'call', name: 'length', args: [], builtin: true };
    }
    if (t.k === 'name') {
      if (take('[')) return { t: 'index', name: t.v, keys: list(']') };
      return { t: 'var', name: t.v };
    }
    if (t.k === 'key' && t.v === 'getline') {
      const into = optionalLvalue(m);
      if (take('<')) return { t: 'getline', from: 'file', source: postfix(m), into };
      return { t: 'getline', from: 'main', source: null, into };
    }
    if (t.k === 'op') {
      if (t.v === '$') {
        if (peek('++') || peek('--')) {
          const op = tokens[at++].v;
          return { t: 'field', e: { t: 'incr', op, prefix: true, e: primary(m) } };
        }
        if (take('-')) return { t: 'field', e: { t: 'unary', op: '-', e: primary(m) } };
        return { t: 'field', e: primary(m) };
      }
      if (t.v === '++' || t.v === '--') return { t: 'incr', op: t.v, prefix: true, e: primary(m) };
      if (t.v === '!' || t.v === '-' || t.v === '+') return { t: 'unary', op: t.v, e: unary(m) };
      if (t.v === '(') {
        const inner = list(')');
        if (!inner.length) {
          at--;
          bad();
        }
        return { t: 'group', list: inner };
      }
    }
    at--;
    return bad();
  }

  function simple(): Statement {
    if (peek('print') || peek('printf')) return printStatement();
    if (take('delete')) {
      const name = tokens[at++].v;
      return { t: 'delete', name, keys: take('[') ? list(']') : null };
    }
    return { t: 'expr', e: expression() };
  }
  function printStatement(): Statement {
    const format = tokens[at++].v === 'printf';
    const mode: Mode = { noIn: false, noGreater: true };
    let args: Node[] = [];
    const ends = () => tokens[at].k === 'nl' || tokens[at].k === 'end' || peek(';') || peek('}') || peek('>') || peek('>>') || peek('|');
    if (!ends()) {
      args.push(expression(mode));
      while (take(',')) {
        newlines();
        args.push(expression(mode));
      }
      if (args.length === 1 && args[0].t === 'group') args = args[0].list;
    }
    let to: { op: string; e: Node } | null = null;
    if (peek('>') || peek('>>') || peek('|')) {
      const op = tokens[at++].v;
      to = { op, e: concatenation(mode) };
    }
    return { t: 'print', args, to, format };
  }
  function block(): Statement {
    expect('{');
    const out: Statement[] = [];
    separators();
    while (!peek('}')) {
      if (tokens[at].k === 'end') bad();
      out.push(statement());
      separators();
    }
    at++;
    return { t: 'block', list: out };
  }
  function ending(): void {
    if (tokens[at].k === 'nl' || peek(';')) at++;
    else if (!peek('}') && tokens[at].k !== 'end') bad();
  }
  function body(): Statement {
    newlines();
    if (take(';')) return { t: 'block', list: [] };
    return statement();
  }
  function statement(): Statement {
    if (peek('{')) return block();
    if (take('if')) {
      expect('(');
      const test = expression();
      expect(')');
      const a = body();
      const mark = at;
      separators();
      if (take('else')) return { t: 'if', test, a, b: body() };
      at = mark;
      return { t: 'if', test, a, b: null };
    }
    if (take('while')) {
      expect('(');
      const test = expression();
      expect(')');
      return { t: 'while', test, body: body(), atEnd: false };
    }
    if (take('do')) {
      const b = body();
      separators();
      expect('while');
      expect('(');
      const test = expression();
      expect(')');
      return { t: 'while', test, body: b, atEnd: true };
    }
    if (take('for')) return forStatement();
    for (const kind of ['next', 'nextfile', 'break', 'continue'] as const) {
      if (!take(kind)) continue;
      ending();
      return { t: 'jump', kind, e: null };
    }
    for (const kind of ['exit', 'return'] as const) {
      if (!take(kind)) continue;
      const e = tokens[at].k === 'nl' || tokens[at].k === 'end' || peek(';') || peek('}') ? null : expression();
      ending();
      return { t: 'jump', kind, e };
    }
    const s = simple();
    ending();
    return s;
  }
  function forStatement(): Statement {
    expect('(');
    if (tokens[at].k === 'name' && tokens[at + 1].v === 'in' && tokens[at + 2].k === 'name' && tokens[at + 3].v === ')') {
      const name = tokens[at].v;
      const array = tokens[at + 2].v;
      at += 4;
      return { t: 'forin', name, array, body: body() };
    }
    const init = peek(';') ? null : simple();
    expect(';');
    newlines();
    const test = peek(';') ? null : expression();
    expect(';');
    newlines();
    const step = peek(')') ? null : simple();
    expect(')');
    return { t: 'for', init, test, step, body: body() };
  }

  separators();
  while (tokens[at].k !== 'end') {
    if (take('function') || take('func')) {
      const name = tokens[at++].v;
      expect('(');
      const params: string[] = [];
      while (!peek(')')) {
        params.push(tokens[at++].v);
        newlines();
        if (!take(',')) break;
        newlines();
      }
      expect(')');
      newlines();
      functions.set(name, { params, body: block() });
    } else if (take('BEGIN')) {
      newlines();
      rules.push({ kind: 'begin', pattern: null, until: null, body: block(), inside: false });
    } else if (take('END')) {
      newlines();
      rules.push({ kind: 'end', pattern: null, until: null, body: block(), inside: false });
    } else {
      const pattern = peek('{') ? null : expression();
      let until: Node | null = null;
      if (take(',')) {
        newlines();
        until = expression();
      }
      rules.push({ kind: until ? 'range' : 'pattern', pattern, until, body: peek('{') ? block() : null, inside: false });
    }
    separators();
  }
  return { rules, functions };
}
