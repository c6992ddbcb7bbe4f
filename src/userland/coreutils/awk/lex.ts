// awk's words: numbers, strings, regular expressions, names and operators, each with its line.
import { posixToJs, RegexError } from '../regex.ts';

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

const AWK_BUILTINS = new Set([
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

/** What a division may follow: a slash behind anything else begins a regular expression. */
const isOperand = (t: Token | undefined): boolean =>
  t !== undefined &&
  (['num', 'str', 'regex', 'name', 'builtin'].includes(t.k) || (t.k === 'op' && [')', ']', '$', '++', '--'].includes(t.v)));

/** Where the slash is that ends a regular expression, or the line that it does not end on. */
function regexEnd(s: string, start: number): number {
  let j = start;
  let bracket = false;
  for (; j < s.length && (s[j] !== '/' || bracket); j++) {
    if (s[j] === '\\') j++;
    else if (s[j] === '[') bracket = true;
    else if (s[j] === ']' && s[j - 1] !== '[') bracket = false;
    if (s[j] === '\n') break;
  }
  return j;
}

export function tokenize(s: string): Token[] {
  const out: Token[] = [];
  let i = 0;
  let line = 1;
  const push = (k: Token['k'], v: string) => out.push({ k, v, line });
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
    if (s[i] === '/' && !isOperand(out.at(-1))) {
      const j = regexEnd(s, i + 1);
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

export interface Parser {
  tokens: Token[];
  /** The token to read next. */
  at: number;
}

export const peek = (p: Parser, v?: string): boolean =>
  v === undefined || (p.tokens[p.at].v === v && (p.tokens[p.at].k === 'op' || p.tokens[p.at].k === 'key'));
export const bad = (p: Parser): never => {
  const t = p.tokens[p.at];
  throw new AwkError(`line ${t.line}: syntax error at or near ${t.k === 'end' ? 'end of file' : t.k === 'nl' ? '\n' : t.v}`);
};

export const take = (p: Parser, v: string): boolean => {
  if (!peek(p, v)) return false;
  p.at++;
  return true;
};

export const expect = (p: Parser, v: string) => {
  if (!take(p, v)) bad(p);
};

export const newlines = (p: Parser) => {
  while (p.tokens[p.at].k === 'nl') p.at++;
};

export const separators = (p: Parser) => {
  while (p.tokens[p.at].k === 'nl' || peek(p, ';')) p.at++;
};
