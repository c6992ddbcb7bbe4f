// go-yaml v2's scanner, kept for its mistakes: which words and which line it finds wrong (go.yaml.in/yaml/v2 v2.4.3, scannerc.go).

export type TokenType =
  | 'STREAM-END'
  | 'DOCUMENT-START'
  | 'DOCUMENT-END'
  | 'BLOCK-SEQUENCE-START'
  | 'BLOCK-MAPPING-START'
  | 'BLOCK-END'
  | '['
  | ']'
  | '{'
  | '}'
  | 'BLOCK-ENTRY'
  | ','
  | 'KEY'
  | 'VALUE'
  | 'ALIAS'
  | 'ANCHOR'
  | 'TAG'
  | 'SCALAR'
  | 'DIRECTIVE';

export interface Token {
  type: TokenType;
  /** Where it begins, counted from nought. */
  line: number;
  text: string;
}

interface SimpleKey {
  possible: boolean;
  required: boolean;
  token: number;
  index: number;
  line: number;
  column: number;
}

export interface Scanner {
  text: string;
  at: number;
  line: number;
  column: number;
  tokens: Token[];
  parsed: number;
  indent: number;
  indents: number[];
  flow: number;
  keyAllowed: boolean;
  keys: SimpleKey[];
  ended: boolean;
}

/** Thrown; `line` counts from one, 0: it is not said. */
export interface YamlMistake {
  yaml: string;
  line: number;
}
export const isMistake = (e: unknown): e is YamlMistake => typeof e === 'object' && e !== null && 'yaml' in e;

const noKey = (): SimpleKey => ({ possible: false, required: false, token: 0, index: 0, line: 0, column: 0 });

export const newScanner = (text: string): Scanner => ({
  text,
  at: 0,
  line: 0,
  column: 0,
  tokens: [],
  parsed: 0,
  indent: -1,
  indents: [],
  flow: 0,
  keyAllowed: true,
  keys: [noKey()],
  ended: false,
});

function wrong(s: Scanner, yaml: string, contextLine = 0): never {
  throw { yaml, line: s.line ? s.line + 1 : contextLine } satisfies YamlMistake;
}

const char = (s: Scanner, ahead = 0): string => s.text[s.at + ahead] ?? '\0';
const isBreak = (c: string): boolean => c === '\n' || c === '\r' || c === '\x85' || c === '\u2028' || c === '\u2029';
const isBlank = (c: string): boolean => c === ' ' || c === '\t';
const isBlankZ = (c: string): boolean => isBlank(c) || isBreak(c) || c === '\0';

function skip(s: Scanner): void {
  s.at++;
  s.column++;
}

function skipLine(s: Scanner): void {
  if (char(s) === '\r' && char(s, 1) === '\n') s.at++;
  s.at++;
  s.column = 0;
  s.line++;
}

const top = (s: Scanner): SimpleKey => s.keys[s.keys.length - 1];

/** A key must be followed by its colon on its own line. */
function keyValid(s: Scanner, k: SimpleKey): boolean {
  if (!k.possible) return false;
  if (k.line < s.line || k.index + 1024 < s.at) {
    if (k.required) wrong(s, "could not find expected ':'", k.line);
    k.possible = false;
    return false;
  }
  return true;
}

function removeKey(s: Scanner): void {
  const k = top(s);
  if (k.possible && k.required) wrong(s, "could not find expected ':'", k.line);
  k.possible = false;
}

function saveKey(s: Scanner): void {
  const required = s.flow === 0 && s.indent === s.column;
  if (!s.keyAllowed) return;
  removeKey(s);
  s.keys[s.keys.length - 1] = { possible: true, required, token: s.parsed + s.tokens.length, index: s.at, line: s.line, column: s.column };
}

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

const indicator = (s: Scanner, mark: string): boolean => s.column === 0 && s.text.startsWith(mark, s.at) && isBlankZ(char(s, 3));

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

function fetchAnchor(s: Scanner, c: string): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  skip(s);
  const from = s.at;
  while (/[0-9A-Za-z_-]/.test(char(s))) skip(s);
  if (s.at === from || !(isBlankZ(char(s)) || '?:,]}%@`'.includes(char(s))))
    wrong(s, 'did not find expected alphabetic or numeric character', start);
  s.tokens.push({ type: c === '*' ? 'ALIAS' : 'ANCHOR', line: start, text: s.text.slice(from, s.at) });
}

function fetchTag(s: Scanner): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  while (!isBlankZ(char(s)) && !(s.flow && ',[]{}'.includes(char(s)))) skip(s);
  if (!isBlankZ(char(s))) wrong(s, 'did not find expected whitespace or line break', start);
  s.tokens.push({ type: 'TAG', line: start, text: '' });
}

function fetchBlock(s: Scanner): void {
  removeKey(s);
  s.keyAllowed = true;
  const start = s.line;
  skip(s);
  let increment = 0;
  for (let i = 0; i < 2; i++) {
    const c = char(s);
    if (c === '0') wrong(s, 'found an indentation indicator equal to 0', start);
    if (/[1-9]/.test(c) && !increment) increment = Number(c);
    else if (c !== '+' && c !== '-') break;
    skip(s);
  }
  while (isBlank(char(s))) skip(s);
  if (char(s) === '#') while (s.at < s.text.length && !isBreak(char(s))) skip(s);
  if (s.at < s.text.length && !isBreak(char(s))) wrong(s, 'did not find expected comment or line break', start);
  if (s.at < s.text.length) skipLine(s);
  let indent = increment ? (s.indent >= 0 ? s.indent + increment : increment) : 0;
  const breaks = (): void => {
    let max = 0;
    for (;;) {
      while ((!indent || s.column < indent) && char(s) === ' ') skip(s);
      max = Math.max(max, s.column);
      if ((!indent || s.column < indent) && char(s) === '\t')
        wrong(s, 'found a tab character where an indentation space is expected', start);
      if (s.at >= s.text.length || !isBreak(char(s))) break;
      skipLine(s);
    }
    if (!indent) indent = Math.max(max, s.indent + 1, 1);
  };
  breaks();
  while (s.column === indent && s.at < s.text.length) {
    while (s.at < s.text.length && !isBreak(char(s))) skip(s);
    if (s.at < s.text.length) skipLine(s);
    breaks();
  }
  s.tokens.push({ type: 'SCALAR', line: start, text: '' });
}

const ESCAPES = '0abt\tnvfre "\'/\\N_LP';

function fetchQuoted(s: Scanner, quote: string): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  skip(s);
  for (;;) {
    if (indicator(s, '---') || indicator(s, '...')) wrong(s, 'found unexpected document indicator', start);
    if (s.at >= s.text.length) wrong(s, 'found unexpected end of stream', start);
    while (!isBlankZ(char(s))) {
      if (quote === "'" && char(s) === "'" && char(s, 1) === "'") {
        skip(s);
        skip(s);
      } else if (char(s) === quote) break;
      else if (quote === '"' && char(s) === '\\' && isBreak(char(s, 1))) {
        skip(s);
        skipLine(s);
        break;
      } else if (quote === '"' && char(s) === '\\') skipEscape(s, start);
      else skip(s);
    }
    if (char(s) === quote) break;
    while (isBlank(char(s)) || (s.at < s.text.length && isBreak(char(s)))) {
      if (isBlank(char(s))) skip(s);
      else skipLine(s);
    }
  }
  skip(s);
  s.tokens.push({ type: 'SCALAR', line: start, text: '' });
}

function skipEscape(s: Scanner, start: number): void {
  const c = char(s, 1);
  const digits = { x: 2, u: 4, U: 8 }[c] ?? 0;
  if (!digits && (c === '\0' || !ESCAPES.includes(c))) wrong(s, 'found unknown escape character', start);
  skip(s);
  skip(s);
  for (let i = 0; i < digits; i++) if (!/[0-9a-fA-F]/.test(char(s, i))) wrong(s, 'did not find expected hexdecimal number', start);
  for (let i = 0; i < digits; i++) skip(s);
}

function fetchPlain(s: Scanner): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  const indent = s.indent + 1;
  let leading = false;
  for (;;) {
    if (indicator(s, '---') || indicator(s, '...') || char(s) === '#') break;
    while (!isBlankZ(char(s))) {
      const c = char(s);
      if ((c === ':' && isBlankZ(char(s, 1))) || (s.flow && ',?[]{}'.includes(c))) break;
      leading = false;
      skip(s);
    }
    if (s.at >= s.text.length || !(isBlank(char(s)) || isBreak(char(s)))) break;
    while (s.at < s.text.length && (isBlank(char(s)) || isBreak(char(s)))) {
      if (isBlank(char(s))) {
        if (leading && s.column < indent && char(s) === '\t') wrong(s, 'found a tab character that violates indentation', start);
        skip(s);
      } else {
        skipLine(s);
        leading = true;
      }
    }
    if (!s.flow && s.column < indent) break;
  }
  if (leading) s.keyAllowed = true;
  s.tokens.push({ type: 'SCALAR', line: start, text: '' });
}
