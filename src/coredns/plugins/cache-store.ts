// Where plugin/cache keeps answers (coredns 1.14.2: plugin/pkg/cache, plugin/cache/item.go and freq): 256 shards of a fixed size, in each
// of which a new item drives out any other once it is full. An item whose time is over stays until then.
import { base64, unbase64 } from '../../sim/bytes.ts';
import { below, type Random } from '../../sim/random.ts';
import type { DnsMessage, DnsRecord } from '../../wire/dns.ts';
import { decodeMessage, encodeMessage, replyTo } from '../../wire/dns-codec.ts';

export interface Item {
  /** null: its time is over for good; it only takes up room. */
  reply: DnsMessage | null;
  ttlSeconds: number;
  storedAtMs: number;
  /** Queries in a row, the last one then: what prefetch goes by. */
  hits: number;
  lastMs: number;
}

const SHARDS = 256;
const LEAST_SHARD = 4;

export interface Store {
  shards: Map<string, Item>[];
  shardSize: number;
}

export const newStore = (capacity: number): Store => ({
  shards: Array.from({ length: SHARDS }, () => new Map()),
  shardSize: Math.max(Math.trunc(capacity / SHARDS), LEAST_SHARD),
});

/** The lowest byte of FNV-1 of the key, which takes nothing but the lowest bytes of what it is made of. */
function shardOf(s: Store, key: string): Map<string, Item> {
  let h = 0x25;
  for (let i = 0; i < key.length; i++) h = ((h * 0xb3) & 0xff) ^ (key.charCodeAt(i) & 0xff);
  return s.shards[h];
}

/** What is hashed: DO, CD, type, name. */
export const keyOf = (dnssecOk: boolean, cd: boolean, type: number, name: string): string =>
  `${dnssecOk ? 1 : 0}${cd ? 1 : 0}${String.fromCharCode(type >> 8, type & 255)}${name}`;

export const getItem = (s: Store, key: string): Item | undefined => shardOf(s, key).get(key);
export const removeItem = (s: Store, key: string): boolean => shardOf(s, key).delete(key);

/** -> whether another one had to go: Go's maps have no order */
export function addItem(s: Store, key: string, item: Item, dice: Random): boolean {
  const shard = shardOf(s, key);
  const full = shard.size >= s.shardSize && !shard.has(key);
  if (full) shard.delete([...shard.keys()][below(dice, shard.size)]);
  shard.set(key, item);
  return full;
}

export const sizeOfStore = (s: Store): number => s.shards.reduce((n, shard) => n + shard.size, 0);

/** Whole seconds left; below 0 when its time is over. */
export const secondsLeft = (i: Item, nowMs: number): number => i.ttlSeconds - Math.trunc((nowMs - i.storedAtMs) / 1000);

/** freq.Update: another query; those before it count when the last was not longer ago than that. */
export function noteHit(i: Item, withinMs: number, nowMs: number): void {
  i.hits = i.lastMs < nowMs - withinMs ? 1 : i.hits + 1;
  i.lastMs = nowMs;
}

/** item.toMsg: an answer to this query, with one TTL for all of it. */
export function answerFrom(reply: DnsMessage, query: DnsMessage, ttl: number): DnsMessage {
  const adWanted = query.ad || (query.edns?.dnssecOk ?? false);
  const kept = withTtl(reply, ttl);
  const { answers, authority, additional, ra } = kept;
  return { ...replyTo(query, kept.rcode), aa: true, ad: kept.ad && adWanted, ra, answers, authority, additional };
}

/** All records with this TTL; what belongs to one hop (EDNS) is left out. */
export function withTtl(reply: DnsMessage, ttl: number): DnsMessage {
  const each = (records: DnsRecord[]) => records.map(x => ({ ...x, ttl }));
  return { ...reply, edns: null, answers: each(reply.answers), authority: each(reply.authority), additional: each(reply.additional) };
}

// -- between two commands

/** key, message, TTL, stored, hits, last query */
type Kept = [string, string | null, number, number, number, number];

/** Plain JSON. Items older than `staleMs` beyond their time are never given again: their places alone are kept. */
export function keptItems(s: Store, nowMs: number, staleMs: number): Kept[] {
  const dead = (i: Item) => secondsLeft(i, nowMs) <= -staleMs / 1000;
  return s.shards.flatMap(shard =>
    [...shard].map(([key, i]): Kept => {
      const message = i.reply && !dead(i) ? base64(encodeMessage(i.reply)) : null;
      return [key, message, i.ttlSeconds, i.storedAtMs, i.hits, i.lastMs];
    }),
  );
}

export function restoreItems(s: Store, kept: unknown): void {
  for (const [key, message, ttlSeconds, storedAtMs, hits, lastMs] of (kept as Kept[] | undefined) ?? []) {
    const bytes = message === null ? null : unbase64(message);
    const reply = bytes && decodeMessage(bytes);
    shardOf(s, key).set(key, { reply, ttlSeconds, storedAtMs, hits, lastMs });
  }
}
