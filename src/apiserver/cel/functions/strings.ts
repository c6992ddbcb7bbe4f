// Strings and regular expressions (cel-go ext/strings.go version 2; k8s.io/apiserver/pkg/cel/library/regex.go v0.36.3). Positions are code points.

import { CelError, type Val } from '../values.ts';
import { formatText } from './format.ts';
import { matcher } from './matcher.ts';
import type { Row } from './row.ts';

const at = (s: string[], i: bigint): number => {
  const n = Number(i);
  if (n < 0 || n > s.length) throw new CelError(`index out of range: ${i}`);
  return n;
};

function indexOf(text: string, part: string, from = 0n): bigint {
  const s = [...text];
  const p = [...part];
  if (!p.length) return BigInt(at(s, from));
  for (let i = at(s, from); i + p.length <= s.length; i++) if (p.every((ch, k) => s[i + k] === ch)) return BigInt(i);
  return -1n;
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const s = [...text];
  const p = [...part];
  const last = from === undefined ? s.length : at(s, from);
  if (!p.length) return BigInt(last);
  for (let i = Math.min(last, s.length - p.length); i >= 0; i--) if (p.every((ch, k) => s[i + k] === ch)) return BigInt(i);
  return -1n;
}

function substring(text: string, from: bigint, to?: bigint): string {
  const s = [...text];
  const end = to === undefined ? s.length : at(s, to);
  const start = at(s, from);
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  return s.slice(start, end).join('');
}

function replace(s: string, from: string, to: string, limit = -1n): string {
  if (limit < 0n) return from === '' ? [...s, ''].map((ch, i) => (i <= s.length ? to : '') + ch).join('') : s.split(from).join(to);
  let out = '';
  let rest = s;
  for (let n = 0n; n < limit; n++) {
    const i = rest.indexOf(from);
    if (i < 0) break;
    out += rest.slice(0, i) + to;
    rest = rest.slice(i + from.length);
  }
  return out + rest;
}

function split(s: string, by: string, limit = -1n): Val[] {
  const parts = by === '' ? [...s] : s.split(by);
  if (limit < 0n || parts.length <= Number(limit)) return parts;
  if (limit === 0n) return [];
  const n = Number(limit) - 1;
  return [...parts.slice(0, n), parts.slice(n).join(by)];
}

function join(list: Val[], by = ''): string {
  for (const x of list) if (typeof x !== 'string') throw new CelError('no such overload');
  return list.join(by);
}

const lower = (s: string): string => s.replace(/[A-Z]/g, ch => ch.toLowerCase());
const upper = (s: string): string => s.replace(/[a-z]/g, ch => ch.toUpperCase());

const QUOTED: Record<string, string> = { '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' };
const quote = (s: string): string => `"${s.replace(/[\x07\b\f\n\r\t\v\\"]/g, ch => QUOTED[ch] ?? `\\${ch}`)}"`;

function charAt(text: string, i: bigint): string {
  const s = [...text];
  return s[at(s, i)] ?? '';
}

const find = (s: string, pattern: string): string => matcher(pattern).exec(s)?.[0] ?? '';

function findAll(s: string, pattern: string, limit = -1n): Val[] {
  const re = matcher(pattern);
  const all = [...s.matchAll(new RegExp(re.source, `${re.flags}g`))].map(m => m[0]);
  return limit < 0n ? all : all.slice(0, Number(limit));
}

export const STRINGS: Row[] = [
  ['string.charAt(int) string', charAt],
  ['string.indexOf(string) int', indexOf],
  ['string.indexOf(string,int) int', indexOf],
  ['string.lastIndexOf(string) int', lastIndexOf],
  ['string.lastIndexOf(string,int) int', lastIndexOf],
  ['list<string>.join() string', join],
  ['list<string>.join(string) string', join],
  ['string.lowerAscii() string', lower],
  ['string.upperAscii() string', upper],
  ['string.replace(string,string) string', replace],
  ['string.replace(string,string,int) string', replace],
  ['string.split(string) list<string>', split],
  ['string.split(string,int) list<string>', split],
  ['string.substring(int) string', substring],
  ['string.substring(int,int) string', substring],
  ['string.trim() string', (s: string) => s.trim()],
  ['string.format(list<dyn>) string', formatText],
  ['#strings.quote(string) string', quote],
  ['string.find(string) string', find],
  ['string.findAll(string) list<string>', findAll],
  ['string.findAll(string,int) list<string>', findAll],
];
