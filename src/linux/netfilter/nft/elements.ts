// Sets and maps: their elements, look-ups and text (segtree and rbtree aside, what set.c and datatype.c of nftables 1.0.6 show).
import { ip } from '../../../wire/ip.ts';
import type { KeptElement } from '../types.ts';
import { compareKeys, compareVal, datatype, inInterval, intervalText, keyOf, parseTime, timeText } from './datatypes.ts';
import { next, number, peek, quotedOrWord, type Reader, refuse, skipNewlines, takeSymbol, takeWord, unexpected } from './reader.ts';
import type { Interval, NftElement, NftSet, NftVerdict, Val } from './types.ts';
import { parseInterval, parseKey, parseVerdict, verdictText } from './values.ts';

export function newSet(name: string, kind: 'set' | 'map', keys: string[], data: string[] | null): NftSet {
  return {
    kind,
    name,
    handle: 0,
    keys,
    typeof: null,
    data,
    flags: [],
    timeoutMs: null,
    gcMs: null,
    size: null,
    policy: null,
    autoMerge: false,
    comment: null,
    counter: false,
    exact: new Map(),
    ranges: [],
  };
}

export const isSingle = (part: Interval) =>
  compareVal(part.low, part.high) === 0 && !(typeof part.low === 'string' && part.low.endsWith('*'));
export const keyText = (key: Interval[]): string => key.map(p => keyOf(p.low)).join('|');
const sameKey = (a: Interval[], b: Interval[]) =>
  a.every((p, i) => compareVal(p.low, b[i].low) === 0 && compareVal(p.high, b[i].high) === 0);

const isAlive = (e: NftElement, nowMs: number) => e.expiresAtMs === null || e.expiresAtMs > nowMs;

/** The element that holds these values. */
export function lookup(set: NftSet, vals: Val[], nowMs: number): NftElement | null {
  const hit = set.exact.get(vals.map(keyOf).join('|'));
  if (hit) {
    if (isAlive(hit, nowMs)) return hit;
    set.exact.delete(keyText(hit.key));
  }
  for (const e of set.ranges) if (isAlive(e, nowMs) && e.key.every((p, i) => inInterval(vals[i], p))) return e;
  return null;
}

/** A map's value: constants (single values) or a verdict. */
export function lookupData(set: NftSet, vals: Val[], nowMs: number): Val[] | NftVerdict | null {
  const e = lookup(set, vals, nowMs);
  if (!e?.data) return null;
  if (!Array.isArray(e.data)) return e.data;
  return (e.data as Interval[]).map(part => part.low);
}

export const sizeOf = (set: NftSet): number => set.exact.size + set.ranges.length;

export function findElement(set: NftSet, key: Interval[]): NftElement | undefined {
  return key.every(isSingle) ? set.exact.get(keyText(key)) : set.ranges.find(e => sameKey(e.key, key));
}

/** false: it is there already. */
export function addElement(set: NftSet, e: NftElement): boolean {
  if (findElement(set, e.key)) return false;
  if (e.key.every(isSingle)) set.exact.set(keyText(e.key), e);
  else set.ranges.push(e);
  if (set.autoMerge) merge(set);
  return true;
}

/** An element as a rule had made it, put back. */
export function keepElement(set: NftSet, e: KeptElement): void {
  const key = e.key.map(v => {
    const low: Val = typeof v === 'object' ? ip(v.ip) : v;
    return { low, high: low };
  });
  addElement(set, {
    key,
    data: null,
    timeoutMs: e.timeoutMs,
    expiresAtMs: e.expiresAtMs,
    comment: null,
    packets: 0,
    bytes: 0,
    state: null,
  });
}

export function deleteElement(set: NftSet, key: Interval[]): boolean {
  if (key.every(isSingle)) return set.exact.delete(keyText(key));
  const at = set.ranges.findIndex(e => sameKey(e.key, key));
  if (at < 0) return false;
  set.ranges.splice(at, 1);
  return true;
}

/** The value after `v`, for adjacency. */
function successor(v: Val): Val {
  if (typeof v === 'number') return v + 1;
  if (typeof v === 'string') return v;
  const out = Uint8Array.from(v);
  for (let i = out.length - 1; i >= 0; i--) {
    out[i] = (out[i] + 1) & 255;
    if (out[i]) break;
  }
  return out;
}

/** auto-merge: neighbours and overlaps become one range. */
export function merge(set: NftSet): void {
  if (set.keys.length !== 1) return;
  const all = elementsInOrder(set);
  const out: NftElement[] = [];
  for (const e of all) {
    const last = out[out.length - 1];
    const touches = last && compareVal(e.key[0].low, successor(last.key[0].high)) <= 0;
    if (!touches) out.push({ ...e, key: [{ ...e.key[0] }] });
    else if (compareVal(e.key[0].high, last.key[0].high) > 0) last.key[0].high = e.key[0].high;
  }
  set.exact = new Map();
  set.ranges = [];
  for (const e of out) {
    if (isSingle(e.key[0])) set.exact.set(keyText(e.key), e);
    else set.ranges.push(e);
  }
}

function elementsInOrder(set: NftSet): NftElement[] {
  return [...set.exact.values(), ...set.ranges].sort((a, b) => compareKeys(a.key, b.key, set.keys));
}

const dataText = (set: NftSet, e: NftElement): string => {
  if (!e.data) return '';
  if (!Array.isArray(e.data)) return ` : ${verdictText(e.data)}`;
  return ` : ${(e.data as Interval[]).map((p, i) => intervalText(set.data?.[i] ?? 'integer', p)).join(' . ')}`;
};

function elementText(set: NftSet, e: NftElement, nowMs: number): string {
  let s = e.key.map((p, i) => intervalText(set.keys[i], p)).join(' . ');
  if (set.counter) s += ` counter packets ${e.packets} bytes ${e.bytes}`;
  if (e.timeoutMs !== null && e.timeoutMs !== set.timeoutMs) s += ` timeout ${timeText(e.timeoutMs)}`;
  if (e.expiresAtMs !== null) s += ` expires ${timeText(Math.max(0, e.expiresAtMs - nowMs))}`;
  if (e.comment !== null) s += ` comment "${e.comment}"`;
  return s + dataText(set, e);
}

/** `{ a, b }` of an anonymous set. */
export const inlineText = (set: NftSet): string =>
  `{ ${elementsInOrder(set)
    .map(e => elementText(set, e, 0))
    .join(', ')} }`; // prettier-ignore

/** `{ a, b,\n c }` of a named one: as many on a line as its datatype says (calculate_delim). */
export function blockText(set: NftSet, nowMs: number): string {
  const live = elementsInOrder(set).filter(e => isAlive(e, nowMs));
  if (!live.length) return '';
  const perLine = set.keys.length > 1 ? 1 : (datatype(set.keys[0])?.perLine ?? 1);
  let out = '{ ';
  live.forEach((e, i) => {
    if (i) out += i % perLine ? ', ' : ',\n\t\t\t     ';
    out += elementText(set, e, nowMs);
  });
  return `${out} }`;
}

/** `{ key [timeout T] [comment "…"] [: value], … }`, the brace included. */
export function parseElements(r: Reader, set: NftSet): NftElement[] {
  const open = next(r);
  if (open.text !== '{') unexpected(open);
  const out: NftElement[] = [];
  skipNewlines(r);
  while (!takeSymbol(r, '}')) {
    out.push(parseElement(r, set));
    skipNewlines(r);
    if (takeSymbol(r, ',')) skipNewlines(r);
    else if (peek(r).text !== '}') unexpected(peek(r));
  }
  return out;
}

function parseElement(r: Reader, set: NftSet): NftElement {
  const at = peek(r);
  const e: NftElement = {
    key: parseKey(r, set.keys),
    data: null,
    timeoutMs: set.timeoutMs,
    expiresAtMs: null,
    comment: null,
    packets: 0,
    bytes: 0,
    state: null,
  };
  const place = { ...at, text: r.text.slice(at.at, lastEnd(r)) };
  if (at.kind === 'string') place.text = place.text.slice(0, -2); // its quotes are counted in
  r.places.set(e, place);
  if (set.name !== '' && !set.flags.includes('interval') && !set.flags.includes('dynamic') && !e.key.every(isSingle))
    refuse(
      place,
      `You must add 'flags interval' to your set declaration if you want to add ${place.text.includes('/') ? 'prefix' : 'range'} elements`,
    );
  elementOptions(r, e);
  if (takeSymbol(r, ':')) {
    skipNewlines(r);
    if (set.data?.[0] === 'verdict') e.data = parseVerdict(r);
    else e.data = (set.data ?? []).map((type, i) => dataPart(r, type, i));
  }
  const now = r.ns.kernel.sim.nowMs;
  if (e.expiresAtMs !== null) e.expiresAtMs += now;
  else if (e.timeoutMs) e.expiresAtMs = now + e.timeoutMs;
  return e;
}

/** Where the token before the cursor ends. */
function lastEnd(r: Reader): number {
  const t = r.tokens[r.at - 1];
  return t.at + t.text.length;
}

function dataPart(r: Reader, type: string, i: number): Interval {
  if (i && !takeSymbol(r, '.')) unexpected(peek(r));
  return parseInterval(r, type, true);
}

function elementOptions(r: Reader, e: NftElement): void {
  for (;;) {
    const word = takeWord(r, 'timeout', 'expires', 'comment', 'counter');
    if (!word) return;
    if (word === 'comment') e.comment = quotedOrWord(r);
    else if (word === 'counter') {
      if (takeWord(r, 'packets')) e.packets = number(r);
      if (takeWord(r, 'bytes')) e.bytes = number(r);
    } else {
      const t = next(r);
      const ms = parseTime(t.text);
      if (ms === null) refuse(t, 'Could not parse time');
      else if (word === 'timeout') e.timeoutMs = ms;
      else e.expiresAtMs = ms;
    }
  }
}
