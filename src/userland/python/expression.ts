// Python's expressions -> trees.
import { stringToBytes } from '../../sim/bytes.ts';
import { lex, PyError, type Token, unescaped, unmodelled } from './lex.ts';

export interface Param {
  name: string;
  usual: Expr | null;
  star: '' | '*' | '**';
}

export type Expr =
  | { k: 'const'; value: unknown }
  | { k: 'joined'; parts: (string | { value: Expr; spec: string; repr: boolean })[] }
  | { k: 'name'; name: string; line: number }
  | { k: 'list' | 'tuple' | 'set'; items: Expr[] }
  | { k: 'dict'; items: [Expr | null, Expr][] }
  | { k: 'comp'; of: 'list' | 'dict' | 'set'; key: Expr | null; value: Expr; target: Expr; source: Expr; tests: Expr[] }
  | { k: 'attr'; of: Expr; name: string; line: number }
  | { k: 'index'; of: Expr; at: Expr; line: number }
  | { k: 'slice'; from: Expr | null; to: Expr | null }
  | { k: 'call'; fn: Expr; args: { name: string | null; star: string; value: Expr }[]; line: number }
  | { k: 'unary'; op: string; of: Expr }
  | { k: 'binary'; op: string; a: Expr; b: Expr; line: number }
  | { k: 'compare'; first: Expr; rest: [string, Expr][] }
  | { k: 'and' | 'or'; a: Expr; b: Expr }
  | { k: 'if'; test: Expr; a: Expr; b: Expr }
  | { k: 'lambda'; params: Param[]; body: Expr };

export interface Parser {
  t: Token[];
  i: number;
}

export const peek = (p: Parser): Token => p.t[p.i];
export const is = (p: Parser, text: string): boolean => (peek(p).kind === 'op' || peek(p).kind === 'name') && peek(p).text === text;
export function take(p: Parser, text: string): boolean {
  if (!is(p, text)) return false;
  p.i++;
  return true;
}
export function need(p: Parser, text: string): void {
  if (!take(p, text)) throw new PyError('SyntaxError', peek(p).kind === 'newline' ? `expected '${text}'` : 'invalid syntax', peek(p).line);
}
export function name(p: Parser): string {
  const t = peek(p);
  if (t.kind !== 'name') throw new PyError('SyntaxError', 'invalid syntax', t.line);
  p.i++;
  return t.text;
}

export function parameters(p: Parser, end: string): Param[] {
  const out: Param[] = [];
  while (!is(p, end)) {
    const star = take(p, '**') ? '**' : take(p, '*') ? '*' : '';
    if (star === '*' && is(p, ',')) {
      p.i++;
      continue;
    }
    if (take(p, '/')) {
      take(p, ',');
      continue;
    }
    const own = name(p);
    if (end === ')' && take(p, ':')) expression(p);
    out.push({ name: own, usual: take(p, '=') ? expression(p) : null, star });
    if (!take(p, ',')) break;
  }
  return out;
}

/** Expressions up to a closing bracket. */
export function closing(p: Parser, end: string): Expr[] {
  const out: Expr[] = [];
  while (!is(p, end)) {
    out.push(expression(p));
    if (!take(p, ',')) break;
  }
  need(p, end);
  return out;
}

export function targetList(p: Parser): Expr {
  const items = [postfix(p)];
  while (take(p, ',')) if (!is(p, 'in') && !is(p, ':')) items.push(postfix(p));
  return items.length === 1 ? items[0] : { k: 'tuple', items };
}

export function tupleOr(p: Parser): Expr {
  const first = expression(p);
  if (!is(p, ',')) return first;
  const items = [first];
  while (take(p, ','))
    if (!['newline', 'end'].includes(peek(p).kind) && !is(p, '=') && !is(p, ':') && !is(p, ')')) items.push(expression(p));
  return { k: 'tuple', items };
}

export function expression(p: Parser): Expr {
  if (take(p, 'lambda')) {
    const params = parameters(p, ':');
    need(p, ':');
    return { k: 'lambda', params, body: expression(p) };
  }
  const a = or(p);
  if (!take(p, 'if')) return a;
  const test = or(p);
  need(p, 'else');
  return { k: 'if', test, a, b: expression(p) };
}

function or(p: Parser): Expr {
  let a = and(p);
  while (take(p, 'or')) a = { k: 'or', a, b: and(p) };
  return a;
}

function and(p: Parser): Expr {
  let a = not(p);
  while (take(p, 'and')) a = { k: 'and', a, b: not(p) };
  return a;
}

const not = (p: Parser): Expr => (take(p, 'not') ? { k: 'unary', op: 'not', of: not(p) } : comparison(p));

function comparison(p: Parser): Expr {
  const first = binary(p, 0);
  const rest: [string, Expr][] = [];
  for (;;) {
    let op = '';
    if (peek(p).kind === 'op' && /^(<|>|==|!=|<=|>=)$/.test(peek(p).text)) op = p.t[p.i++].text;
    else if (is(p, 'not') && p.t[p.i + 1].text === 'in') {
      p.i += 2;
      op = 'not in';
    } else if (take(p, 'in')) op = 'in';
    else if (take(p, 'is')) op = take(p, 'not') ? 'is not' : 'is';
    else return rest.length ? { k: 'compare', first, rest } : first;
    rest.push([op, binary(p, 0)]);
  }
}

const LEVELS = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '//', '%']];

function binary(p: Parser, level: number): Expr {
  if (level === LEVELS.length) return unary(p);
  let a = binary(p, level + 1);
  while (peek(p).kind === 'op' && LEVELS[level].includes(peek(p).text)) {
    const { text: op, line } = p.t[p.i++];
    a = { k: 'binary', op, a, b: binary(p, level + 1), line };
  }
  return a;
}

function unary(p: Parser): Expr {
  for (const op of ['-', '+', '~']) if (take(p, op)) return { k: 'unary', op, of: unary(p) };
  const a = postfix(p);
  const { line } = peek(p);
  return take(p, '**') ? { k: 'binary', op: '**', a, b: unary(p), line } : a;
}

function postfix(p: Parser): Expr {
  let e = atom(p);
  for (;;) {
    const { line } = peek(p);
    if (take(p, '.')) e = { k: 'attr', of: e, name: name(p), line };
    else if (take(p, '[')) {
      const from = is(p, ':') ? null : tupleOr(p);
      if (take(p, ':')) e = { k: 'index', of: e, at: { k: 'slice', from, to: is(p, ']') ? null : expression(p) }, line };
      else e = { k: 'index', of: e, at: from as Expr, line };
      need(p, ']');
    } else if (take(p, '(')) {
      const args: Extract<Expr, { k: 'call' }>['args'] = [];
      while (!is(p, ')')) {
        const star = take(p, '**') ? '**' : take(p, '*') ? '*' : '';
        const keyword = peek(p).kind === 'name' && p.t[p.i + 1].text === '=' ? name(p) : null;
        if (keyword) need(p, '=');
        const value = expression(p);
        args.push({ name: keyword, star, value: is(p, 'for') ? comprehension(p, 'list', null, value) : value });
        if (!take(p, ',')) break;
      }
      need(p, ')');
      e = { k: 'call', fn: e, args, line };
    } else return e;
  }
}

function comprehension(p: Parser, of: 'list' | 'dict' | 'set', key: Expr | null, value: Expr): Expr {
  need(p, 'for');
  const target = targetList(p);
  need(p, 'in');
  const source = or(p);
  const tests: Expr[] = [];
  while (take(p, 'if')) tests.push(or(p));
  if (is(p, 'for')) throw unmodelled('nested comprehensions', peek(p).line);
  return { k: 'comp', of, key, value, target, source, tests };
}

function atom(p: Parser): Expr {
  const t = peek(p);
  p.i++;
  if (t.kind === 'number') return { k: 'const', value: Number(t.text) };
  if (t.kind === 'string') return strings(p, t);
  if (t.kind === 'name') {
    if (t.text === 'None') return { k: 'const', value: null };
    if (t.text === 'True' || t.text === 'False') return { k: 'const', value: t.text === 'True' };
    if (t.text === 'yield' || t.text === 'await') throw unmodelled(`"${t.text}"`, t.line);
    return { k: 'name', name: t.text, line: t.line };
  }
  if (t.text === '(') {
    if (take(p, ')')) return { k: 'tuple', items: [] };
    const first = tupleOr(p);
    const e = is(p, 'for') ? comprehension(p, 'list', null, first) : first;
    need(p, ')');
    return e;
  }
  if (t.text === '[') {
    if (take(p, ']')) return { k: 'list', items: [] };
    const first = expression(p);
    if (is(p, 'for')) {
      const c = comprehension(p, 'list', null, first);
      need(p, ']');
      return c;
    }
    if (take(p, ',')) return { k: 'list', items: [first, ...closing(p, ']')] };
    need(p, ']');
    return { k: 'list', items: [first] };
  }
  if (t.text === '{') return braces(p);
  if (t.text === '...') return { k: 'const', value: null };
  throw new PyError('SyntaxError', 'invalid syntax', t.line);
}

function braces(p: Parser): Expr {
  const items: [Expr | null, Expr][] = [];
  const set: Expr[] = [];
  while (!is(p, '}')) {
    if (take(p, '**')) items.push([null, expression(p)]);
    else {
      const key = expression(p);
      if (take(p, ':')) {
        const value = expression(p);
        if (is(p, 'for')) {
          const c = comprehension(p, 'dict', key, value);
          need(p, '}');
          return c;
        }
        items.push([key, value]);
      } else set.push(key);
    }
    if (!take(p, ',')) break;
  }
  need(p, '}');
  return set.length ? { k: 'set', items: set } : { k: 'dict', items };
}

/** Adjacent literals are one. */
function strings(p: Parser, first: Token): Expr {
  const all = [first];
  while (peek(p).kind === 'string') all.push(p.t[p.i++]);
  const cook = (t: Token, text: string) => (t.prefix.includes('r') ? text : unescaped(text));
  if (all[0].prefix.includes('b')) return { k: 'const', value: stringToBytes(all.map(t => cook(t, t.text)).join('')) };
  const parts = all.flatMap(t => (t.prefix.includes('f') ? formatted(t, text => cook(t, text)) : [cook(t, t.text)]));
  if (parts.every(x => typeof x === 'string')) return { k: 'const', value: parts.join('') };
  return { k: 'joined', parts };
}

function formatted(t: Token, cook: (text: string) => string): Extract<Expr, { k: 'joined' }>['parts'] {
  const out: Extract<Expr, { k: 'joined' }>['parts'] = [];
  let text = '';
  for (let i = 0; i < t.text.length; i++) {
    const c = t.text[i];
    if ((c === '{' || c === '}') && t.text[i + 1] === c) {
      text += c;
      i++;
    } else if (c !== '{') text += c;
    else {
      if (text) out.push(cook(text));
      text = '';
      let depth = 0;
      let end = i + 1;
      let colon = -1;
      for (; end < t.text.length && (t.text[end] !== '}' || depth); end++) {
        if ('([{'.includes(t.text[end])) depth++;
        else if (')]}'.includes(t.text[end])) depth--;
        else if (t.text[end] === ':' && !depth && colon < 0) colon = end;
      }
      const source = t.text.slice(i + 1, colon < 0 ? end : colon);
      const repr = source.endsWith('!r');
      const inner: Parser = { t: lex(source.replace(/![rs]$/, '')), i: 0 };
      out.push({ value: tupleOr(inner), spec: colon < 0 ? '' : t.text.slice(colon + 1, end), repr });
      i = end;
    }
  }
  if (text) out.push(cook(text));
  return out;
}
