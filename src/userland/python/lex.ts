// Python's tokens: lines, indentation, strings with their prefixes (The Python Language Reference 3.11, section 2).

export interface Token {
  kind: 'name' | 'number' | 'string' | 'op' | 'newline' | 'indent' | 'dedent' | 'end';
  text: string;
  line: number;
  /** Of a string: its prefix letters in lower case. */
  prefix: string;
}

/** What the interpreter refuses; the text is Python's where it is Python's mistake. */
export class PyError extends Error {
  type: string;
  line: number;
  constructor(type: string, message: string, line = 0) {
    super(message);
    this.type = type;
    this.line = line;
  }
}

export const unmodelled = (what: string, line = 0): PyError => new PyError('NotImplementedError', `podnet's Python has no ${what}`, line);

const OPS = /^(\*\*=|\/\/=|>>=|<<=|\.\.\.|\*\*|\/\/|>>|<<|<=|>=|==|!=|->|:=|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|[+\-*/%@&|^~<>()[\]{},:.;=])/;
const STRING = /^([rbfuRBFU]{0,2})("""|'''|"|')/;
const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '0': '\0',
  a: '\x07',
  b: '\b',
  '\n': '',
};

export function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[\s\S])/g, (all, e: string) => {
    if (/^[uUx]./.test(e)) return String.fromCodePoint(Number.parseInt(e.slice(1), 16));
    return ESCAPES[e] ?? all;
  });
}

export function lex(source: string): Token[] {
  const out: Token[] = [];
  const indents = [0];
  let depth = 0;
  let line = 1;
  let at = 0;
  let fresh = true;
  const push = (kind: Token['kind'], text = '', prefix = '') => out.push({ kind, text, line, prefix });
  while (at < source.length) {
    if (fresh && depth === 0) {
      const [, blanks, rest] = /^([ \t]*)([^\n]?)/.exec(source.slice(at)) as RegExpExecArray;
      if (rest === '' || rest === '#' || rest === '\r') {
        const end = source.indexOf('\n', at);
        at = end < 0 ? source.length : end + 1;
        line++;
        continue;
      }
      const width = blanks.replaceAll('\t', '        ').length;
      at += blanks.length;
      if (width > (indents.at(-1) as number)) {
        indents.push(width);
        push('indent');
      }
      while (width < (indents.at(-1) as number)) {
        indents.pop();
        push('dedent');
      }
      if (width !== indents.at(-1)) throw new PyError('IndentationError', 'unindent does not match any outer indentation level', line);
      fresh = false;
    }
    const rest = source.slice(at, at + 200);
    const c = rest[0];
    if (c === '\n') {
      if (depth === 0) {
        push('newline');
        fresh = true;
      }
      line++;
      at++;
    } else if (/[ \t\r\f]/.test(c)) at++;
    else if (c === '#') while (at < source.length && source[at] !== '\n') at++;
    else if (c === '\\' && /^\\\r?\n/.test(rest)) {
      at = source.indexOf('\n', at) + 1;
      line++;
    } else if (STRING.test(rest)) {
      const [all, prefix, quote] = STRING.exec(rest) as RegExpExecArray;
      let end = at + all.length;
      while (end < source.length && !source.startsWith(quote, end)) end += source[end] === '\\' ? 2 : 1;
      if (end >= source.length) throw new PyError('SyntaxError', 'unterminated string literal', line);
      const text = source.slice(at + all.length, end);
      push('string', text, prefix.toLowerCase());
      line += text.split('\n').length - 1;
      at = end + quote.length;
    } else if (/[A-Za-z_\u0080-\uffff]/.test(c)) {
      const [word] = /^[\w\u0080-\uffff]+/.exec(rest) as RegExpExecArray;
      push('name', word);
      at += word.length;
    } else if (/\d/.test(c) || /^\.\d/.test(rest)) {
      const [number] = /^(0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(\.\d*)?([eE][+-]?\d+)?|\.\d+)/.exec(rest) as RegExpExecArray;
      push('number', number.replaceAll('_', ''));
      at += number.length;
    } else {
      const op = OPS.exec(rest)?.[0];
      if (!op) throw new PyError('SyntaxError', `invalid character '${c}'`, line);
      if ('([{'.includes(op)) depth++;
      if (')]}'.includes(op)) depth--;
      push('op', op);
      at += op.length;
    }
  }
  if (!fresh) push('newline');
  while (indents.length > 1) {
    indents.pop();
    push('dedent');
  }
  push('end');
  return out;
}
