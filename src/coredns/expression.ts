// Expressions of the view plugin: the part of expr-lang (v1.17) that its documentation shows. Parsed and checked once, evaluated per query.
export type Value = string | number | boolean | Value[];
export type Functions = Record<string, (...args: Value[]) => Value>;
export type Evaluate = (f: Functions) => Value;

interface Token {
  kind: 'name' | 'string' | 'number' | 'operator' | 'end';
  text: string;
  at: number;
}

export class ExpressionError extends Error {}

/** expr's own form: the message, its place, the source and a mark below it. */
function failure(source: string, message: string, at: number): ExpressionError {
  return new ExpressionError(`${message} (1:${at + 1})\n | ${source}\n | ${'.'.repeat(at)}^`);
}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)|(&&|\|\||[!=<>]=|[-+*/%()[\],!<>]))/y;

function tokens(source: string): Token[] {
  const out: Token[] = [];
  TOKEN.lastIndex = 0;
  while (source.slice(TOKEN.lastIndex).trim()) {
    const from = TOKEN.lastIndex;
    const m = TOKEN.exec(source);
    if (!m)
      throw failure(
        source,
        `unrecognized character: U+${source.charCodeAt(from).toString(16).toUpperCase().padStart(4, '0')} '${source[from]}'`,
        from,
      );
    const text = m[1] ?? m[2] ?? m[3] ?? m[4];
    const at = TOKEN.lastIndex - text.length;
    const kind = m[1] ? 'number' : m[2] ? 'name' : m[3] ? 'string' : 'operator';
    out.push({ kind, text: kind === 'string' ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text, at });
  }
  out.push({ kind: 'end', text: 'EOF', at: Math.max(0, source.length - 1) });
  return out;
}

type Binary = (a: Value, b: Value) => Value;
const same: Binary = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const text = (v: Value) => String(v);

/** Operators by how tightly they bind. `not in` is read as one. */
const LEVELS: Record<string, Binary>[] = [
  {},
  {},
  {
    '==': same,
    '!=': (a, b) => !same(a, b),
    '<': (a, b) => a < b,
    '>': (a, b) => a > b,
    '<=': (a, b) => a <= b,
    '>=': (a, b) => a >= b,
    in: (a, b) => Array.isArray(b) && b.some(x => same(x, a)),
    matches: (a, b) => new RegExp(text(b)).test(text(a)),
    contains: (a, b) => text(a).includes(text(b)),
    startsWith: (a, b) => text(a).startsWith(text(b)),
    endsWith: (a, b) => text(a).endsWith(text(b)),
  },
  {
    '+': (a, b) => (typeof a === 'number' && typeof b === 'number' ? a + b : text(a) + text(b)),
    '-': (a, b) => Number(a) - Number(b),
  },
  { '*': (a, b) => Number(a) * Number(b), '/': (a, b) => Number(a) / Number(b), '%': (a, b) => Number(a) % Number(b) },
];
const OR = ['||', 'or'];
const AND = ['&&', 'and'];

/** -> the compiled expression. `known`: names that may be called. */
export function compileExpression(source: string, known: string[]): Evaluate {
  const list = tokens(source);
  let at = 0;
  const peek = () => list[at];
  const isOperator = (t: Token, s: string) => t.kind === 'operator' && t.text === s;
  const unexpected = (t: Token): ExpressionError =>
    t.kind === 'end'
      ? failure(source, 'unexpected token EOF', t.at)
      : failure(
          source,
          `unexpected token ${t.kind === 'name' ? 'Identifier' : t.kind[0].toUpperCase() + t.kind.slice(1)}("${t.text}")`,
          t.at,
        );
  const expect = (s: string) => {
    if (!isOperator(peek(), s)) throw unexpected(peek());
    at++;
  };

  function binary(level: number): Evaluate {
    if (level === LEVELS.length) return unary();
    let left = binary(level + 1);
    for (;;) {
      const t = peek();
      const negated = level === 2 && t.kind === 'name' && t.text === 'not' && list[at + 1]?.text === 'in';
      const word = negated ? 'in' : t.text;
      const logical = level === 0 ? OR : level === 1 ? AND : null;
      if (t.kind === 'string' || (logical ? !logical.includes(word) : !Object.hasOwn(LEVELS[level], word))) return left;
      at += negated ? 2 : 1;
      const [a, b] = [left, binary(level + 1)];
      if (logical) left = level === 0 ? f => a(f) === true || b(f) === true : f => a(f) === true && b(f) === true;
      else left = negated ? f => !LEVELS[level][word](a(f), b(f)) : f => LEVELS[level][word](a(f), b(f));
    }
  }

  function unary(): Evaluate {
    const t = peek();
    if (isOperator(t, '!') || (t.kind === 'name' && t.text === 'not')) {
      at++;
      const of = unary();
      return f => !of(f);
    }
    if (isOperator(t, '-')) {
      at++;
      const of = unary();
      return f => -Number(of(f));
    }
    return primary();
  }

  function commaList(close: string): Evaluate[] {
    const out: Evaluate[] = [];
    while (!isOperator(peek(), close)) {
      if (out.length) expect(',');
      out.push(binary(0));
    }
    at++;
    return out;
  }

  function primary(): Evaluate {
    const t = peek();
    at++;
    if (t.kind === 'string') return () => t.text;
    if (t.kind === 'number') return () => Number(t.text);
    if (t.kind === 'name' && (t.text === 'true' || t.text === 'false')) return () => t.text === 'true';
    if (isOperator(t, '(')) {
      const inner = binary(0);
      expect(')');
      return inner;
    }
    if (isOperator(t, '[')) {
      const items = commaList(']');
      return f => items.map(i => i(f));
    }
    if (t.kind !== 'name') throw unexpected(t);
    if (!known.includes(t.text)) throw failure(source, `unknown name ${t.text}`, t.at);
    expect('(');
    const args = commaList(')');
    return f => f[t.text](...args.map(a => a(f)));
  }

  const out = binary(0);
  if (peek().kind !== 'end') throw unexpected(peek());
  return out;
}
