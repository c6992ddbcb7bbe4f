import { parseIp } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import { isAlive, typeOfSet } from './ipset-types.ts';
import type { IpSet, IpSetEntry } from './types.ts';

export const hex8 = (n: number) => `0x${(n >>> 0).toString(16).padStart(8, '0')}`;

/** Creation options as `save` and the header of `list` print them. */
export function headerText(set: IpSet): string {
  const tail = `${set.timeout === null ? '' : ` timeout ${set.timeout}`}${set.counters ? ' counters' : ''}${set.comment ? ' comment' : ''}${set.skbinfo ? ' skbinfo' : ''}`;
  if (typeOfSet(set).method !== 'hash') return set.extra + tail;
  const family = set.type === 'hash:mac' ? '' : `family ${set.family === 4 ? 'inet' : 'inet6'} `;
  return `${family}hashsize ${set.hashsize} maxelem ${set.maxelem}${set.extra}${tail} bucketsize ${set.bucketsize} initval ${hex8(set.initval)}`;
}

export function entryText(ns: Netns, set: IpSet, e: IpSetEntry): string {
  let s = e.text;
  if (set.timeout !== null)
    s += ` timeout ${e.timeoutAtMs === null ? 0 : Math.max(0, Math.ceil((e.timeoutAtMs - ns.kernel.sim.nowMs) / 1000) - 1)}`;
  if (e.nomatch) s += ' nomatch';
  if (set.counters) s += ` packets ${e.packets} bytes ${e.bytes}`;
  if (e.comment !== null) s += ` comment "${e.comment}"`;
  return s + e.skb;
}

/** A set's live entries in the order they are listed: bitmaps ascend, lists keep theirs, hashes show the newest first. */
export function entriesOf(ns: Netns, set: IpSet): IpSetEntry[] {
  const alive = [...set.entries.values()].filter(e => isAlive(ns, e));
  const { method } = typeOfSet(set);
  if (method === 'list') return alive;
  if (method === 'hash') return alive.reverse();
  const rank = (e: IpSetEntry) => parseIp(e.text.split(',')[0])?.reduce((n, b) => n * 256 + b, 0) ?? Number(e.text);
  return alive.sort((a, b) => rank(a) - rank(b));
}

/** Sets in the order the kernel dumps them: lists of sets after what they may hold. */
export function setsInOrder(ns: Netns): IpSet[] {
  const all = [...ns.netfilter.ipsets.values()];
  return [...all.filter(s => s.type !== 'list:set'), ...all.filter(s => s.type === 'list:set')];
}

/** `ipset save`, of one set or all. */
export function saveSets(ns: Netns, name: string | null = null): string {
  let out = '';
  for (const set of setsInOrder(ns)) {
    if (name !== null && set.name !== name) continue;
    out += `create ${set.name} ${set.type} ${headerText(set)}\n`;
    for (const e of entriesOf(ns, set)) out += `add ${set.name} ${entryText(ns, set, e)}\n`;
  }
  return out;
}
