// Python's grammar as far as small servers use it -> trees.
import {
  closing,
  type Expr,
  expression,
  is,
  name,
  need,
  type Param,
  type Parser,
  parameters,
  peek,
  take,
  targetList,
  tupleOr,
} from './expression.ts';
import { lex, PyError, unmodelled } from './lex.ts';

export type { Expr, Param } from './expression.ts';

export type Stmt =
  | { k: 'expr'; value: Expr }
  | { k: 'assign'; targets: Expr[]; value: Expr }
  | { k: 'aug'; target: Expr; op: string; value: Expr; line: number }
  | { k: 'if'; branches: [Expr | null, Stmt[]][] }
  | { k: 'while'; test: Expr; body: Stmt[] }
  | { k: 'for'; target: Expr; source: Expr; body: Stmt[] }
  | { k: 'def'; name: string; params: Param[]; body: Stmt[] }
  | { k: 'class'; name: string; bases: Expr[]; body: Stmt[] }
  | { k: 'return'; value: Expr | null }
  | { k: 'raise'; value: Expr | null; line: number }
  | { k: 'try'; body: Stmt[]; handlers: { type: Expr | null; name: string | null; body: Stmt[] }[]; orElse: Stmt[]; last: Stmt[] }
  | { k: 'with'; value: Expr; name: Expr | null; body: Stmt[] }
  | { k: 'import'; module: string; as: string | null; names: [string, string][] | null; line: number }
  | { k: 'global'; names: string[] }
  | { k: 'pass' | 'break' | 'continue' };

export function parse(source: string): Stmt[] {
  const p: Parser = { t: lex(source), i: 0 };
  const out: Stmt[] = [];
  while (peek(p).kind !== 'end') out.push(...statement(p));
  return out;
}

function block(p: Parser): Stmt[] {
  need(p, ':');
  if (peek(p).kind !== 'newline') return simpleLine(p);
  p.i++;
  if (peek(p).kind !== 'indent') throw new PyError('IndentationError', 'expected an indented block', peek(p).line);
  p.i++;
  const out: Stmt[] = [];
  while (peek(p).kind !== 'dedent') out.push(...statement(p));
  p.i++;
  return out;
}

function simpleLine(p: Parser): Stmt[] {
  const out = [simple(p)];
  while (take(p, ';')) if (peek(p).kind !== 'newline') out.push(simple(p));
  if (peek(p).kind !== 'newline') throw new PyError('SyntaxError', 'invalid syntax', peek(p).line);
  p.i++;
  return out;
}

function statement(p: Parser): Stmt[] {
  const { line } = peek(p);
  if (take(p, 'if')) {
    const branches: [Expr | null, Stmt[]][] = [[expression(p), block(p)]];
    while (take(p, 'elif')) branches.push([expression(p), block(p)]);
    if (take(p, 'else')) branches.push([null, block(p)]);
    return [{ k: 'if', branches }];
  }
  if (take(p, 'while')) return [{ k: 'while', test: expression(p), body: block(p) }];
  if (take(p, 'for')) {
    const target = targetList(p);
    need(p, 'in');
    return [{ k: 'for', target, source: tupleOr(p), body: block(p) }];
  }
  if (take(p, 'def')) {
    const fn = name(p);
    need(p, '(');
    const params = parameters(p, ')');
    need(p, ')');
    if (take(p, '->')) expression(p);
    return [{ k: 'def', name: fn, params, body: block(p) }];
  }
  if (take(p, 'class')) {
    const cls = name(p);
    const bases = take(p, '(') ? closing(p, ')') : [];
    return [{ k: 'class', name: cls, bases, body: block(p) }];
  }
  if (take(p, 'try')) return [tryStatement(p)];
  if (take(p, 'with')) {
    const value = expression(p);
    const as = take(p, 'as') ? targetList(p) : null;
    return [{ k: 'with', value, name: as, body: block(p) }];
  }
  if (is(p, '@') || is(p, 'async') || (is(p, 'match') && p.t[p.i + 1].kind === 'name')) throw unmodelled(`"${peek(p).text}"`, line);
  return simpleLine(p);
}

function tryStatement(p: Parser): Stmt {
  const body = block(p);
  const handlers: Extract<Stmt, { k: 'try' }>['handlers'] = [];
  while (take(p, 'except')) {
    const type = is(p, ':') ? null : expression(p);
    const as = take(p, 'as') ? name(p) : null;
    handlers.push({ type, name: as, body: block(p) });
  }
  const orElse = take(p, 'else') ? block(p) : [];
  return { k: 'try', body, handlers, orElse, last: take(p, 'finally') ? block(p) : [] };
}

function dotted(p: Parser): string {
  let out = name(p);
  while (take(p, '.')) out += `.${name(p)}`;
  return out;
}

function simple(p: Parser): Stmt {
  const { line } = peek(p);
  for (const k of ['pass', 'break', 'continue'] as const) if (take(p, k)) return { k };
  if (take(p, 'return')) return { k: 'return', value: peek(p).kind === 'newline' ? null : tupleOr(p) };
  if (take(p, 'raise')) return { k: 'raise', value: peek(p).kind === 'newline' ? null : expression(p), line };
  if (take(p, 'global') || take(p, 'nonlocal')) {
    const names = [name(p)];
    while (take(p, ',')) names.push(name(p));
    return { k: 'global', names };
  }
  if (take(p, 'import')) {
    const module = dotted(p);
    const as = take(p, 'as') ? name(p) : null;
    // `import a, b` is two statements; the second one is put in front of what follows.
    if (is(p, ',')) p.t[p.i] = { ...peek(p), kind: 'op', text: ';' };
    if (is(p, ';'))
      p.t.splice(p.i + 1, 0, ...(p.t[p.i + 1].text === 'import' ? [] : [{ kind: 'name' as const, text: 'import', line, prefix: '' }]));
    return { k: 'import', module, as, names: null, line };
  }
  if (take(p, 'from')) {
    const module = dotted(p);
    need(p, 'import');
    const open = take(p, '(');
    const names: [string, string][] = [];
    do {
      if (open && is(p, ')')) break;
      const own = name(p);
      names.push([own, take(p, 'as') ? name(p) : own]);
    } while (take(p, ','));
    if (open) need(p, ')');
    return { k: 'import', module, as: null, names, line };
  }
  const first = tupleOr(p);
  if (take(p, ':')) {
    expression(p); // an annotation
    if (!is(p, '=')) return { k: 'pass' };
  }
  const t = peek(p);
  if (t.kind === 'op' && /^(\*\*|\/\/|>>|<<|[+\-*/%&|^])=$/.test(t.text)) {
    p.i++;
    return { k: 'aug', target: first, op: t.text.slice(0, -1), value: tupleOr(p), line };
  }
  const chain = [first];
  while (take(p, '=')) chain.push(tupleOr(p));
  if (chain.length === 1) return { k: 'expr', value: first };
  return { k: 'assign', targets: chain.slice(0, -1), value: chain.at(-1) as Expr };
}
