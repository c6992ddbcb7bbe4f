// The parser's cursor. Its one way out of a wrong input is `refuse`: the error travels as an exception to the parser's own entry
// (commands.ts) and leaves it as a value.
import type { Ip } from '../../../wire/ip.ts';
import type { Netns } from '../../types.ts';
import type { Token } from './lex.ts';
import type { Interval, NftElement, NftTable, Val } from './types.ts';

export interface NftError {
  message: string;
  /** Where it stands: offsets into the input. */
  from: number;
  to: number;
  /** What it is about, marked with tildes: the terminal statement before one that can have no effect. */
  about?: { from: number; to: number };
  /** null: the tool's own; else the errno's text, after `Could not process rule: `. */
  errno: string | null;
}

export interface Reader {
  ns: Netns;
  text: string;
  tokens: Token[];
  at: number;
  /** The table the rule belongs to, for names of sets and chains. */
  table: NftTable | null;
  /** Protocol that earlier matches of the rule fixed: what `th` and ports mean, and what kind of reject. */
  proto: string | null;
  /** Where the command begins. */
  start: number;
  /** What was read so far: addresses by their text, and single values. They are never changed. */
  addresses: Map<string, Ip>;
  singles: Map<Val, Interval>;
  /** Where the keys of elements stand. */
  places: WeakMap<NftElement, Token>;
}

export interface Refusal {
  nftError: NftError;
}

export const isRefusal = (x: unknown): x is Refusal => typeof x === 'object' && x !== null && 'nftError' in x;

export const peek = (r: Reader, ahead = 0): Token => r.tokens[Math.min(r.at + ahead, r.tokens.length - 1)];
export const next = (r: Reader): Token => r.tokens[Math.min(r.at++, r.tokens.length - 1)];

const lengthOf = (t: Token) => (t.kind === 'string' ? t.text.length + 2 : Math.max(1, t.text.length));

export function refuse(t: Token, message: string, errno: string | null = null, about: Token | null = null): never {
  const refusal: Refusal = { nftError: { message, from: t.at, to: t.at + lengthOf(t), errno } };
  if (about) refusal.nftError.about = { from: about.at, to: about.at + lengthOf(about) };
  throw refusal;
}

const describe = (t: Token): string => {
  if (t.kind === 'end') return 'end of file';
  if (t.kind === 'newline') return t.text === ';' ? 'semicolon' : 'newline';
  if (t.kind === 'symbol') return t.text === '{' || t.text === '}' ? `'${t.text}'` : t.text;
  if (t.kind === 'string') return 'quoted string';
  return KEYWORDS.has(t.text) ? t.text : 'string';
};

const KEYWORDS = new Set(
  'table chain rule set map element type hook priority policy accept drop jump goto return continue counter ip ip6 tcp udp meta ct list add delete flush saddr daddr dport sport'.split(
    ' ',
  ),
);

export const unexpected = (t: Token): never => refuse(t, `syntax error, unexpected ${describe(t)}`);

export const isSymbol = (r: Reader, text: string, ahead = 0): boolean => peek(r, ahead).kind === 'symbol' && peek(r, ahead).text === text;
export const isWord = (r: Reader, text: string, ahead = 0): boolean => peek(r, ahead).kind === 'word' && peek(r, ahead).text === text;

export function takeSymbol(r: Reader, text: string): boolean {
  if (!isSymbol(r, text)) return false;
  r.at++;
  return true;
}

export function takeWord(r: Reader, ...words: string[]): string | null {
  const t = peek(r);
  if (t.kind !== 'word' || !words.includes(t.text)) return null;
  r.at++;
  return t.text;
}

export function expectSymbol(r: Reader, text: string): void {
  if (!takeSymbol(r, text)) unexpected(peek(r));
}

export function expectWord(r: Reader, ...words: string[]): string {
  return takeWord(r, ...words) ?? unexpected(peek(r));
}

/** A name: a word, a string, or what looks like a number. */
export function name(r: Reader): Token {
  const t = next(r);
  return t.kind === 'word' || t.kind === 'string' || t.kind === 'number' || t.kind === 'time' ? t : unexpected(t);
}

export function quotedOrWord(r: Reader): string {
  const t = next(r);
  return t.kind === 'string' || t.kind === 'word' ? t.text : unexpected(t);
}

export function number(r: Reader): number {
  const t = next(r);
  return t.kind === 'number' ? Number(t.text) : unexpected(t);
}

export function skipNewlines(r: Reader): void {
  while (peek(r).kind === 'newline') r.at++;
}

export const atEnd = (r: Reader): boolean => peek(r).kind === 'newline' || peek(r).kind === 'end' || isSymbol(r, '}');
