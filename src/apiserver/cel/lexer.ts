// CEL's tokens (cel-spec, doc/langdef.md; cel-go parser/gen/CEL.g4 v0.26.0).

import { stringToBytes } from '../../sim/bytes.ts';

export interface Token {
  kind: 'ident' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'op' | 'end';
  /** Of the source; of strings and bytes without quotes, escapes resolved (bytes as one character each). */
  text: string;
  at: number;
  end: number;
}

/** A mistake at an offset of the source. */
export interface Issue {
  at: number;
  message: string;
}

export class SyntaxIssue extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

const OPS = ['==', '!=', '<=', '>=', '&&', '||', '.', ',', '[', ']', '{', '}', '(', ')', '<', '>', '+', '-', '*', '/', '%', '!', '?', ':'];
const NUMBER = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+[uU]?|\d+[uU]?)/y;
const STRING = /([bB][rR]?|[rR][bB]?)?("""|'''|"|')/y;

/** What is no token is told and left out, as ANTLR does. */
export function tokenize(source: string): { tokens: Token[]; issues: Issue[] } {
  const tokens: Token[] = [];
  const issues: Issue[] = [];
  let i = 0;
  while (i < source.length) {
    const ch = source[i];
    if (/\s/.test(ch)) i++;
    else if (source.startsWith('//', i)) i = lineEnd(source, i);
    else {
      const token = stringAt(source, i) ?? numberAt(source, i) ?? wordAt(source, i);
      if (typeof token !== 'number') {
        tokens.push(token);
        i = token.end;
      } else {
        issues.push({ at: i, message: `Syntax error: token recognition error at: '${source.slice(i, token)}'` });
        i = token;
      }
    }
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: source.length, end: source.length });
  return { tokens, issues };
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}

/** A number: there is none, and that is where the lexer gave up. */
function wordAt(source: string, at: number): Token | number {
  const word = /[A-Za-z_][A-Za-z0-9_]*/y;
  word.lastIndex = at;
  const m = word.exec(source);
  if (m) return { kind: m[0] === 'in' ? 'op' : 'ident', text: m[0], at, end: at + m[0].length };
  const op = OPS.find(x => source.startsWith(x, at));
  if (op) return { kind: 'op', text: op, at, end: at + op.length };
  // The beginning of `==`, `&&` or `||` is looked at with what follows it.
  return Math.min(source.length, at + ('=&|'.includes(source[at]) ? 2 : 1));
}

function numberAt(source: string, at: number): Token | null {
  NUMBER.lastIndex = at;
  const text = NUMBER.exec(source)?.[0];
  if (!text) return null;
  const hex = /^0[xX]/.test(text);
  const kind = /[uU]$/.test(text) ? 'uint' : !hex && /[.eE]/.test(text) ? 'double' : 'int';
  return { kind, text: kind === 'uint' ? text.slice(0, -1) : text, at, end: at + text.length };
}

function stringAt(source: string, at: number): Token | number | null {
  STRING.lastIndex = at;
  const m = STRING.exec(source);
  if (!m) return null;
  const prefix = (m[1] ?? '').toLowerCase();
  const quote = m[2];
  const raw = prefix.includes('r');
  const bytes = prefix.includes('b');
  let i = at + m[0].length;
  let text = '';
  while (!source.startsWith(quote, i)) {
    if (i >= source.length || (quote.length === 1 && source[i] === '\n')) return Math.min(source.length, i + 1);
    if (source[i] === '\\' && !raw) {
      const found = escapeAt(source, i, bytes);
      if (!found) return Math.min(source.length, i + 2);
      const [value, length] = found;
      text += value;
      i += length;
    } else {
      if (source[i] === '\\') text += source[i++];
      const ch = String.fromCodePoint(source.codePointAt(i) ?? 0);
      text += bytes ? utf8(ch) : ch;
      i += ch.length;
    }
  }
  return { kind: bytes ? 'bytes' : 'string', text, at, end: i + quote.length };
}

const utf8 = (text: string): string => String.fromCharCode(...stringToBytes(text));

const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** [what it stands for, its length in the source] */
function escapeAt(source: string, at: number, bytes: boolean): [string, number] | null {
  const ch = source[at + 1] ?? '';
  if (ESCAPES[ch]) return [ESCAPES[ch], 2];
  if ('\\"\'`?'.includes(ch) && ch) return [ch, 2];
  const number = /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;
  number.lastIndex = at;
  const m = number.exec(source);
  if (!m) return null;
  const code = m[5] ? Number.parseInt(m[5], 8) : Number.parseInt(m[1] ?? m[2] ?? m[3] ?? m[4], 16);
  const wide = bytes && (m[3] ?? m[4]);
  return [wide ? utf8(String.fromCodePoint(code)) : String.fromCodePoint(code), m[0].length];
}
