// jq's language (jq 1.7 manual): the part that one-liners use, as a tree.

// jq's language (jq 1.7 manual): the part that one-liners use, as a tree.
export type Filter =
  | { t: 'identity' }
  | { t: 'recurse' }
  | { t: 'literal'; v: unknown }
  | { t: 'string'; parts: (string | Filter)[]; format: string | null }
  | { t: 'format'; name: string }
  | { t: 'index'; of: Filter; key: Filter }
  | { t: 'slice'; of: Filter; from: Filter | null; to: Filter | null }
  | { t: 'iterate'; of: Filter }
  | { t: 'try'; body: Filter; handler: Filter | null }
  | { t: 'pipe'; a: Filter; b: Filter }
  | { t: 'comma'; a: Filter; b: Filter }
  | { t: 'binary'; op: string; a: Filter; b: Filter }
  | { t: 'assign'; op: string; a: Filter; b: Filter }
  | { t: 'negate'; e: Filter }
  | { t: 'array'; e: Filter | null }
  | { t: 'object'; entries: { key: Filter; value: Filter }[] }
  | { t: 'if'; test: Filter; then: Filter; otherwise: Filter | null }
  | { t: 'variable'; name: string }
  | { t: 'bind'; source: Filter; name: string; body: Filter }
  | { t: 'reduce'; source: Filter; name: string; start: Filter; update: Filter }
  | { t: 'foreach'; source: Filter; name: string; start: Filter; update: Filter; extract: Filter | null }
  | { t: 'call'; name: string; args: Filter[] }
  | { t: 'def'; name: string; params: string[]; body: Filter; rest: Filter };

export class JqError extends Error {}

/** halt and halt_error: what is said last, and the exit code. */
export class JqHalt extends Error {
  constructor(
    readonly text: string | null,
    readonly code: number,
  ) {
    super('halt');
  }
}

interface Token {
  k: 'num' | 'str' | 'name' | 'field' | 'var' | 'format' | 'op' | 'end';
  v: string;
  parts?: (string | Filter)[];
}

function readString(source: string, start: number): { parts: (string | Filter)[]; end: number } {
  const parts: (string | Filter)[] = [];
  let text = '';
  let i = start + 1;
  while (i < source.length && source[i] !== '"') {
    if (source[i] !== '\\') {
      text += source[i++];
      continue;
    }
    const e = source[i + 1];
    if (e === '(') {
      let depth = 0;
      let j = i + 1;
      for (; j < source.length; j++) {
        if (source[j] === '"') j = readString(source, j).end - 1;
        else if (source[j] === '(') depth++;
        else if (source[j] === ')' && --depth === 0) break;
      }
      if (text) parts.push(text);
      text = '';
      parts.push(parseJq(source.slice(i + 2, j)));
      i = j + 1;
    } else if (e === 'u') {
      text += String.fromCharCode(Number.parseInt(source.slice(i + 2, i + 6), 16));
      i += 6;
    } else {
      const plain: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
      text += plain[e] ?? e;
      i += 2;
    }
  }
  if (i >= source.length) throw new JqError('syntax error, unexpected end of file (Unix shell quoting issues?)');
  if (text || !parts.length) parts.push(text);
  return { parts, end: i + 1 };
}

function tokenize(source: string): Token[] {
  const out: Token[] = [];
  let i = 0;
  while (i < source.length) {
    const rest = source.slice(i);
    const skip = /^(?:\s+|#[^\n]*)/.exec(rest);
    if (skip) {
      i += skip[0].length;
      continue;
    }
    if (source[i] === '"') {
      const { parts, end } = readString(source, i);
      out.push({ k: 'str', v: '', parts });
      i = end;
      continue;
    }
    const m =
      /^(?<num>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|^\.(?<field>[A-Za-z_]\w*)|^\$(?<var>[A-Za-z_]\w*|__loc__)|^@(?<format>[a-z0-9]+)|^(?<name>[A-Za-z_]\w*(?:::\w+)*)|^(?<op>\?\/\/=?|\/\/=|\|=|\+=|-=|\*=|\/=|%=|==|!=|<=|>=|\/\/|\.\.|[.[\]{}()|,:;=<>+\-*/%?])/.exec(
        rest,
      );
    if (!m?.groups)
      throw new JqError(`syntax error, unexpected INVALID_CHARACTER (Unix shell quoting issues?) at <top-level>, line 1:\n${source}`);
    const [k, v] = Object.entries(m.groups).find(([, text]) => text !== undefined) as [Token['k'], string];
    out.push({ k, v });
    i += m[0].length;
  }
  out.push({ k: 'end', v: '' });
  return out;
}

const BINARY: string[][] = [['//'], ['or'], ['and'], ['==', '!=', '<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']];

const ASSIGN = new Set(['=', '|=', '+=', '-=', '*=', '/=', '%=', '//=']);

const KEYWORDS = new Set(['if', 'then', 'elif', 'else', 'end', 'as', 'reduce', 'foreach', 'def', 'try', 'catch', 'and', 'or']);

interface Parser {
  source: string;
  tokens: Token[];
  /** The token to read next. */
  at: number;
}

const peek = (p: Parser, v: string): boolean => p.tokens[p.at].v === v && (p.tokens[p.at].k === 'op' || p.tokens[p.at].k === 'name');

const take = (p: Parser, v: string): boolean => {
  if (!peek(p, v)) return false;
  p.at++;
  return true;
};

const bad = (p: Parser): never => {
  const t = p.tokens[p.at];
  throw new JqError(
    `syntax error, unexpected ${t.k === 'end' ? 'end of file' : t.v || 'QQSTRING_START'} (Unix shell quoting issues?) at <top-level>, line 1:\n${p.source}`,
  );
};

const expect = (p: Parser, v: string) => {
  if (!take(p, v)) bad(p);
};

function pipe(p: Parser): Filter {
  if (take(p, 'def')) {
    const name = p.tokens[p.at++].v;
    const params: string[] = [];
    if (take(p, '(')) {
      do {
        const t = p.tokens[p.at++];
        params.push(t.k === 'var' ? `$${t.v}` : t.v);
      } while (take(p, ';'));
      expect(p, ')');
    }
    expect(p, ':');
    const body = pipe(p);
    expect(p, ';');
    return { t: 'def', name, params, body, rest: pipe(p) };
  }
  const a = comma(p);
  if (take(p, 'as')) {
    const binds = pattern(p, a, 0);
    expect(p, '|');
    let body = pipe(p);
    for (const b of binds.reverse()) body = { t: 'bind', ...b, body };
    return body;
  }
  return take(p, '|') ? { t: 'pipe', a, b: pipe(p) } : a;
}

/** `$x`, `[$a, $b]` or `{a: $x, $y}` behind `as`: which variables are bound to what, from outside in. */
function pattern(p: Parser, source: Filter, depth: number): { source: Filter; name: string }[] {
  const t = p.tokens[p.at++];
  if (t.k === 'var') return [{ source, name: t.v }];
  const whole = `*${depth}`;
  const part = (key: Filter): Filter => ({ t: 'index', of: { t: 'variable', name: whole }, key });
  const binds = [{ source, name: whole }];
  if (t.v === '[') {
    let i = 0;
    do binds.push(...pattern(p, part({ t: 'literal', v: i++ }), depth + 1));
    while (take(p, ','));
    expect(p, ']');
  } else if (t.v === '{') {
    do {
      const key = p.tokens[p.at++];
      const name = key.k === 'str' ? String(key.parts?.[0] ?? '') : key.v;
      const own = part({ t: 'literal', v: name });
      if (key.k === 'var') binds.push({ source: own, name });
      if (take(p, ':')) binds.push(...pattern(p, own, depth + 1));
    } while (take(p, ','));
    expect(p, '}');
  } else {
    p.at--;
    bad(p);
  }
  return binds;
}

function comma(p: Parser): Filter {
  let a = assignment(p);
  while (take(p, ',')) a = { t: 'comma', a, b: assignment(p) };
  return a;
}

function assignment(p: Parser): Filter {
  const a = binary(p, 0);
  if (p.tokens[p.at].k === 'op' && ASSIGN.has(p.tokens[p.at].v)) {
    const op = p.tokens[p.at++].v;
    return { t: 'assign', op, a, b: assignment(p) };
  }
  return a;
}

function binary(p: Parser, level: number): Filter {
  if (level === BINARY.length) return unary(p);
  let a = binary(p, level + 1);
  while (BINARY[level].some(v => peek(p, v))) {
    const op = p.tokens[p.at++].v;
    // `//` binds to the right.
    a = { t: 'binary', op, a, b: op === '//' ? binary(p, level) : binary(p, level + 1) };
  }
  return a;
}

function unary(p: Parser): Filter {
  if (take(p, '-')) return { t: 'negate', e: unary(p) };
  return postfix(p, primary(p));
}

function postfix(p: Parser, start: Filter): Filter {
  let e = start;
  for (;;) {
    if (p.tokens[p.at].k === 'field') e = { t: 'index', of: e, key: { t: 'literal', v: p.tokens[p.at++].v } };
    else if (peek(p, '.') && p.tokens[p.at + 1].k === 'str') {
      p.at++;
      e = { t: 'index', of: e, key: primary(p) };
    } else if (peek(p, '.') && p.tokens[p.at + 1].v === '[') p.at++;
    else if (take(p, '[')) e = bracket(p, e);
    else if (take(p, '?')) e = { t: 'try', body: e, handler: null };
    else return e;
  }
}

function bracket(p: Parser, of: Filter): Filter {
  if (take(p, ']')) return { t: 'iterate', of };
  if (take(p, ':')) {
    const to = pipe(p);
    expect(p, ']');
    return { t: 'slice', of, from: null, to };
  }
  const key = pipe(p);
  if (take(p, ':')) {
    const to = peek(p, ']') ? null : pipe(p);
    expect(p, ']');
    return { t: 'slice', of, from: key, to };
  }
  expect(p, ']');
  return { t: 'index', of, key };
}

function object(p: Parser): Filter {
  const entries: { key: Filter; value: Filter }[] = [];
  while (!peek(p, '}')) {
    const t = p.tokens[p.at];
    let key: Filter;
    let value: Filter | null = null;
    if (t.k === 'var') {
      p.at++;
      key = { t: 'literal', v: t.v };
      value = { t: 'variable', name: t.v };
    } else if (take(p, '(')) {
      key = pipe(p);
      expect(p, ')');
    } else if (t.k === 'str' || t.k === 'format') key = primary(p);
    else if (t.k === 'name' || t.k === 'num') {
      p.at++;
      key = { t: 'literal', v: t.v };
    } else key = bad(p);
    if (take(p, ':')) value = objectValue(p);
    entries.push({ key, value: value ?? { t: 'index', of: { t: 'identity' }, key } });
    if (!take(p, ',')) break;
  }
  expect(p, '}');
  return { t: 'object', entries };
}

function objectValue(p: Parser): Filter {
  let a = binary(p, 0);
  while (take(p, '|')) a = { t: 'pipe', a, b: binary(p, 0) };
  return a;
}

function condition(p: Parser): Filter {
  const test = pipe(p);
  expect(p, 'then');
  const then = pipe(p);
  if (take(p, 'elif')) return { t: 'if', test, then, otherwise: condition(p) };
  const otherwise = take(p, 'else') ? pipe(p) : null;
  expect(p, 'end');
  return { t: 'if', test, then, otherwise };
}

function primary(p: Parser): Filter {
  const t = p.tokens[p.at++];
  if (t.k === 'num') return { t: 'literal', v: Number(t.v) };
  if (t.k === 'str') return { t: 'string', parts: t.parts ?? [], format: null };
  if (t.k === 'format') {
    if (p.tokens[p.at].k === 'str') return { t: 'string', parts: p.tokens[p.at++].parts ?? [], format: t.v };
    return { t: 'format', name: t.v };
  }
  if (t.k === 'field') return { t: 'index', of: { t: 'identity' }, key: { t: 'literal', v: t.v } };
  if (t.k === 'var') return { t: 'variable', name: t.v };
  if (t.k === 'op') {
    if (t.v === '.') {
      if (p.tokens[p.at].k === 'str') return { t: 'index', of: { t: 'identity' }, key: primary(p) };
      return { t: 'identity' };
    }
    if (t.v === '..') return { t: 'recurse' };
    if (t.v === '(') {
      const e = pipe(p);
      expect(p, ')');
      return e;
    }
    if (t.v === '[') {
      if (take(p, ']')) return { t: 'array', e: null };
      const e = pipe(p);
      expect(p, ']');
      return { t: 'array', e };
    }
    if (t.v === '{') return object(p);
  }
  if (t.k === 'name') {
    if (t.v === 'if') return condition(p);
    if (t.v === 'try') {
      const body = postfix(p, primary(p));
      return { t: 'try', body, handler: take(p, 'catch') ? postfix(p, primary(p)) : null };
    }
    if (t.v === 'reduce' || t.v === 'foreach') {
      const source = postfix(p, primary(p));
      expect(p, 'as');
      const name = p.tokens[p.at++].v;
      expect(p, '(');
      const start = pipe(p);
      expect(p, ';');
      const update = pipe(p);
      const extract = t.v === 'foreach' && take(p, ';') ? pipe(p) : null;
      expect(p, ')');
      if (t.v === 'foreach') return { t: 'foreach', source, name, start, update, extract };
      return { t: 'reduce', source, name, start, update };
    }
    const constants: Record<string, unknown> = { null: null, true: true, false: false };
    if (t.v in constants) return { t: 'literal', v: constants[t.v] };
    if (!KEYWORDS.has(t.v)) {
      const args: Filter[] = [];
      if (take(p, '(')) {
        do args.push(pipe(p));
        while (take(p, ';'));
        expect(p, ')');
      }
      return { t: 'call', name: t.v, args };
    }
  }
  p.at--;
  return bad(p);
}

export function parseJq(source: string): Filter {
  const p: Parser = { source, tokens: tokenize(source), at: 0 };
  if (p.tokens.length === 1) return { t: 'identity' };
  const result = pipe(p);
  if (p.tokens[p.at].k !== 'end') bad(p);
  return result;
}
