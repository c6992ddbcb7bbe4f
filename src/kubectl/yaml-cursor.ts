// Where go-yaml's scanner is in the text, the tokens that it has found, and the keys that may still become some (yaml.v2 scannerc.go).

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

export const noKey = (): SimpleKey => ({ possible: false, required: false, token: 0, index: 0, line: 0, column: 0 });

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

export function wrong(s: Scanner, yaml: string, contextLine = 0): never {
  throw { yaml, line: s.line ? s.line + 1 : contextLine } satisfies YamlMistake;
}

export const char = (s: Scanner, ahead = 0): string => s.text[s.at + ahead] ?? '\0';

export const isBreak = (c: string): boolean => c === '\n' || c === '\r' || c === '\x85' || c === '\u2028' || c === '\u2029';

export const isBlank = (c: string): boolean => c === ' ' || c === '\t';

export const isBlankZ = (c: string): boolean => isBlank(c) || isBreak(c) || c === '\0';

export function skip(s: Scanner): void {
  s.at++;
  s.column++;
}

export function skipLine(s: Scanner): void {
  if (char(s) === '\r' && char(s, 1) === '\n') s.at++;
  s.at++;
  s.column = 0;
  s.line++;
}

export const top = (s: Scanner): SimpleKey => s.keys[s.keys.length - 1];

/** A key must be followed by its colon on its own line. */
export function keyValid(s: Scanner, k: SimpleKey): boolean {
  if (!k.possible) return false;
  if (k.line < s.line || k.index + 1024 < s.at) {
    if (k.required) wrong(s, "could not find expected ':'", k.line);
    k.possible = false;
    return false;
  }
  return true;
}

export function removeKey(s: Scanner): void {
  const k = top(s);
  if (k.possible && k.required) wrong(s, "could not find expected ':'", k.line);
  k.possible = false;
}

export function saveKey(s: Scanner): void {
  const required = s.flow === 0 && s.indent === s.column;
  if (!s.keyAllowed) return;
  removeKey(s);
  s.keys[s.keys.length - 1] = { possible: true, required, token: s.parsed + s.tokens.length, index: s.at, line: s.line, column: s.column };
}

export const indicator = (s: Scanner, mark: string): boolean => s.column === 0 && s.text.startsWith(mark, s.at) && isBlankZ(char(s, 3));
