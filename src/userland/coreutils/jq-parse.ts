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
  | { t: 'call'; name: string; args: Filter[] }
  | { t: 'def'; name: string; params: string[]; body: Filter; rest: Filter };

export class JqError extends Error {}

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

export function parseJq(source: string): Filter {
  const tokens = tokenize(source);
  let at = 0;
  const peek = (v: string): boolean => tokens[at].v === v && (tokens[at].k === 'op' || tokens[at].k === 'name');
  const take = (v: string): boolean => {
    if (!peek(v)) return false;
    at++;
    return true;
  };
  const bad = (): never => {
    const t = tokens[at];
    throw new JqError(
      `syntax error, unexpected ${t.k === 'end' ? 'end of file' : t.v || 'QQSTRING_START'} (Unix shell quoting issues?) at <top-level>, line 1:\n${source}`,
    );
  };
  const expect = (v: string) => {
    if (!take(v)) bad();
  };

  function pipe(): Filter {
    if (take('def')) {
      const name = tokens[at++].v;
      const params: string[] = [];
      if (take('(')) {
        do params.push(tokens[at++].v);
        while (take(';'));
        expect(')');
      }
      expect(':');
      const body = pipe();
      expect(';');
      return { t: 'def', name, params, body, rest: pipe() };
    }
    const a = comma();
    if (take('as')) {
      const name = tokens[at++].v;
      expect('|');
      return { t: 'bind', source: a, name, body: pipe() };
    }
    return take('|') ? { t: 'pipe', a, b: pipe() } : a;
  }
  function comma(): Filter {
    let a = assignment();
    while (take(',')) a = { t: 'comma', a, b: assignment() };
    return a;
  }
  function assignment(): Filter {
    const a = binary(0);
    if (tokens[at].k === 'op' && ASSIGN.has(tokens[at].v)) {
      const op = tokens[at++].v;
      return { t: 'assign', op, a, b: assignment() };
    }
    return a;
  }
  function binary(level: number): Filter {
    if (level === BINARY.length) return unary();
    let a = binary(level + 1);
    while (BINARY[level].some(peek)) {
      const op = tokens[at++].v;
      // `//` binds to the right.
      a = { t: 'binary', op, a, b: op === '//' ? binary(level) : binary(level + 1) };
    }
    return a;
  }
  function unary(): Filter {
    if (take('-')) return { t: 'negate', e: unary() };
    return postfix(primary());
  }
  function postfix(start: Filter): Filter {
    let e = start;
    for (;;) {
      if (tokens[at].k === 'field') e = { t: 'index', of: e, key: { t: 'literal', v: tokens[at++].v } };
      else if (peek('.') && tokens[at + 1].k === 'str') {
        at++;
        e = { t: 'index', of: e, key: primary() };
      } else if (peek('.') && tokens[at + 1].v === '[') at++;
      else if (take('[')) e = bracket(e);
      else if (take('?')) e = { t: 'try', body: e, handler: null };
      else return e;
    }
  }
  function bracket(of: Filter): Filter {
    if (take(']')) return { t: 'iterate', of };
    if (take(':')) {
      const to = pipe();
      expect(']');
      return { t: 'slice', of, from: null, to };
    }
    const key = pipe();
    if (take(':')) {
      const to = peek(']') ? null : pipe();
      expect(']');
      return { t: 'slice', of, from: key, to };
    }
    expect(']');
    return { t: 'index', of, key };
  }
  function object(): Filter {
    const entries: { key: Filter; value: Filter }[] = [];
    while (!peek('}')) {
      const t = tokens[at];
      let key: Filter;
      let value: Filter | null = null;
      if (t.k === 'var') {
        at++;
        key = { t: 'literal', v: t.v };
        value = { t: 'variable', name: t.v };
      } else if (take('(')) {
        key = pipe();
        expect(')');
      } else if (t.k === 'str' || t.k === 'format') key = primary();
      else if (t.k === 'name' || t.k === 'num') {
        at++;
        key = { t: 'literal', v: t.v };
      } else key = bad();
      if (take(':')) value = objectValue();
      entries.push({ key, value: value ?? { t: 'index', of: { t: 'identity' }, key } });
      if (!take(',')) break;
    }
    expect('}');
    return { t: 'object', entries };
  }
  function objectValue(): Filter {
    let a = binary(0);
    while (take('|')) a = { t: 'pipe', a, b: binary(0) };
    return a;
  }
  function condition(): Filter {
    const test = pipe();
    expect('then');
    const then = pipe();
    if (take('elif')) return { t: 'if', test, then, otherwise: condition() };
    const otherwise = take('else') ? pipe() : null;
    expect('end');
    return { t: 'if', test, then, otherwise };
  }
  function primary(): Filter {
    const t = tokens[at++];
    if (t.k === 'num') return { t: 'literal', v: Number(t.v) };
    if (t.k === 'str') return { t: 'string', parts: t.parts ?? [], format: null };
    if (t.k === 'format') {
      if (tokens[at].k === 'str') return { t: 'string', parts: tokens[at++].parts ?? [], format: t.v };
      return { t: 'format', name: t.v };
    }
    if (t.k === 'field') return { t: 'index', of: { t: 'identity' }, key: { t: 'literal', v: t.v } };
    if (t.k === 'var') return { t: 'variable', name: t.v };
    if (t.k === 'op') {
      if (t.v === '.') {
        if (tokens[at].k === 'str') return { t: 'index', of: { t: 'identity' }, key: primary() };
        return { t: 'identity' };
      }
      if (t.v === '..') return { t: 'recurse' };
      if (t.v === '(') {
        const e = pipe();
        expect(')');
        return e;
      }
      if (t.v === '[') {
        if (take(']')) return { t: 'array', e: null };
        const e = pipe();
        expect(']');
        return { t: 'array', e };
      }
      if (t.v === '{') return object();
    }
    if (t.k === 'name') {
      if (t.v === 'if') return condition();
      if (t.v === 'try') {
        const body = postfix(primary());
        return { t: 'try', body, handler: take('catch') ? postfix(primary()) : null };
      }
      if (t.v === 'reduce') {
        const source = postfix(primary());
        expect('as');
        const name = tokens[at++].v;
        expect('(');
        const start = pipe();
        expect(';');
        const update = pipe();
        expect(')');
        return { t: 'reduce', source, name, start, update };
      }
      const constants: Record<string, unknown> = { null: null, true: true, false: false };
      if (t.v in constants) return { t: 'literal', v: constants[t.v] };
      if (!KEYWORDS.has(t.v)) {
        const args: Filter[] = [];
        if (take('(')) {
          do args.push(pipe());
          while (take(';'));
          expect(')');
        }
        return { t: 'call', name: t.v, args };
      }
    }
    at--;
    return bad();
  }

  if (tokens.length === 1) return { t: 'identity' };
  const result = pipe();
  if (tokens[at].k !== 'end') bad();
  return result;
}
