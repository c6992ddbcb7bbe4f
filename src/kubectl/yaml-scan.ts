import {
  char,
  indicator,
  isBlank,
  isBlankZ,
  isBreak,
  keyValid,
  noKey,
  removeKey,
  type Scanner,
  saveKey,
  skip,
  skipLine,
  type Token,
  type TokenType,
  top,
  wrong,
} from './yaml-cursor.ts';
import { fetchAnchor, fetchBlock, fetchPlain, fetchQuoted, fetchTag } from './yaml-scalars.ts';

function rollIndent(s: Scanner, column: number, type: TokenType, line: number, at = -1): void {
  if (s.flow || s.indent >= column) return;
  s.indents.push(s.indent);
  s.indent = column;
  const token = { type, line, text: '' };
  if (at < 0) s.tokens.push(token);
  else s.tokens.splice(at - s.parsed, 0, token);
}

function unrollIndent(s: Scanner, column: number): void {
  if (s.flow) return;
  while (s.indent > column) {
    s.tokens.push({ type: 'BLOCK-END', line: s.line, text: '' });
    s.indent = s.indents.pop() as number;
  }
}

export function peekToken(s: Scanner): Token {
  for (;;) {
    if (s.tokens.length) {
      const k = s.keys.find(x => x.possible && x.token === s.parsed);
      if (!k || !keyValid(s, k)) return s.tokens[0];
    }
    fetch(s);
  }
}

export function takeToken(s: Scanner): Token {
  const t = peekToken(s);
  s.tokens.shift();
  s.parsed++;
  return t;
}

function toNextToken(s: Scanner): void {
  for (;;) {
    if (s.column === 0 && char(s) === '\ufeff') skip(s);
    while (char(s) === ' ' || ((s.flow > 0 || !s.keyAllowed) && char(s) === '\t')) skip(s);
    if (char(s) === '#') while (s.at < s.text.length && !isBreak(char(s))) skip(s);
    if (s.at >= s.text.length || !isBreak(char(s))) return;
    skipLine(s);
    if (!s.flow) s.keyAllowed = true;
  }
}

function fetch(s: Scanner): void {
  toNextToken(s);
  unrollIndent(s, s.column);
  const c = char(s);
  const next = char(s, 1);
  const special = '-?:,[]{}#&*!|>\'"%@`'.includes(c);
  if (s.at >= s.text.length) fetchEnd(s);
  else if (s.column === 0 && c === '%') fetchDirective(s);
  else if (indicator(s, '---')) fetchDocument(s, 'DOCUMENT-START');
  else if (indicator(s, '...')) fetchDocument(s, 'DOCUMENT-END');
  else if (c === '[' || c === '{') fetchOpen(s, c);
  else if (c === ']' || c === '}') fetchClose(s, c);
  else if (c === ',') fetchComma(s);
  else if (c === '-' && isBlankZ(next)) fetchEntry(s);
  else if (c === '?' && (s.flow || isBlankZ(next))) fetchKey(s);
  else if (c === ':' && (s.flow || isBlankZ(next))) fetchValue(s);
  else if (c === '*' || c === '&') fetchAnchor(s, c);
  else if (c === '!') fetchTag(s);
  else if ((c === '|' || c === '>') && !s.flow) fetchBlock(s);
  else if (c === "'" || c === '"') fetchQuoted(s, c);
  else if ((!isBlankZ(c) && !special) || (c === '-' && !isBlank(next)) || (!s.flow && (c === '?' || c === ':') && !isBlankZ(next)))
    fetchPlain(s);
  else wrong(s, 'found character that cannot start any token', s.line);
}

function fetchEnd(s: Scanner): void {
  if (s.column) {
    s.column = 0;
    s.line++;
  }
  unrollIndent(s, -1);
  removeKey(s);
  s.keyAllowed = false;
  s.tokens.push({ type: 'STREAM-END', line: s.line, text: '' });
}

function fetchDirective(s: Scanner): void {
  unrollIndent(s, -1);
  removeKey(s);
  s.keyAllowed = false;
  s.tokens.push({ type: 'DIRECTIVE', line: s.line, text: '' });
  while (s.at < s.text.length && !isBreak(char(s))) skip(s);
}

function fetchDocument(s: Scanner, type: TokenType): void {
  unrollIndent(s, -1);
  removeKey(s);
  s.keyAllowed = false;
  s.tokens.push({ type, line: s.line, text: '' });
  for (let i = 0; i < 3; i++) skip(s);
}

function one(s: Scanner, type: TokenType): void {
  s.tokens.push({ type, line: s.line, text: '' });
  skip(s);
}

function fetchOpen(s: Scanner, c: '[' | '{'): void {
  saveKey(s);
  s.keys.push(noKey());
  s.flow++;
  s.keyAllowed = true;
  one(s, c);
}

function fetchClose(s: Scanner, c: ']' | '}'): void {
  removeKey(s);
  if (s.flow) {
    s.flow--;
    s.keys.pop();
  }
  s.keyAllowed = false;
  one(s, c);
}

function fetchComma(s: Scanner): void {
  removeKey(s);
  s.keyAllowed = true;
  one(s, ',');
}

function fetchEntry(s: Scanner): void {
  if (!s.flow) {
    if (!s.keyAllowed) wrong(s, 'block sequence entries are not allowed in this context', s.line);
    rollIndent(s, s.column, 'BLOCK-SEQUENCE-START', s.line);
  }
  removeKey(s);
  s.keyAllowed = true;
  one(s, 'BLOCK-ENTRY');
}

function fetchKey(s: Scanner): void {
  if (!s.flow) {
    if (!s.keyAllowed) wrong(s, 'mapping keys are not allowed in this context', s.line);
    rollIndent(s, s.column, 'BLOCK-MAPPING-START', s.line);
  }
  removeKey(s);
  s.keyAllowed = s.flow === 0;
  one(s, 'KEY');
}

function fetchValue(s: Scanner): void {
  const k = top(s);
  if (keyValid(s, k)) {
    s.tokens.splice(k.token - s.parsed, 0, { type: 'KEY', line: k.line, text: '' });
    rollIndent(s, k.column, 'BLOCK-MAPPING-START', k.line, k.token);
    k.possible = false;
    s.keyAllowed = false;
  } else {
    if (!s.flow) {
      if (!s.keyAllowed) wrong(s, 'mapping values are not allowed in this context', s.line);
      rollIndent(s, s.column, 'BLOCK-MAPPING-START', s.line);
    }
    s.keyAllowed = s.flow === 0;
  }
  one(s, 'VALUE');
}
