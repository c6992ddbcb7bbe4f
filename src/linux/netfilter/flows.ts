// What packets leave behind in a namespace's netfilter, beside the rules: flows, addresses seen, elements that rules added to sets. A
// session keeps it between two commands without keeping (and so freezing) the rules themselves.
import { formatIp, ip } from '../../wire/ip.ts';
import { type KeptIpvs, loadIpvs, saveIpvs } from '../ipvs/kept.ts';
import type { Netns } from '../types.ts';
import { findEntry, insertEntry, liveEntries } from './conntrack.ts';
import { keepElement } from './nft/elements.ts';
import type { NftTable } from './nft/types.ts';
import type { CtEntry, CtTuple, KeptElement } from './types.ts';

interface TupleJson {
  family: 4 | 6;
  proto: number;
  src: string;
  dst: string;
  ports: [number, number];
  icmp?: [type: number, code: number, id: number];
}

interface EntryJson {
  original: TupleJson;
  reply: TupleJson;
  /** state, mark, zone, created, expires (epoch ms), stream since. */
  state: string;
  mark: number;
  zone: number;
  createdAtMs: number;
  expiresAtMs: number;
  streamAtMs: number;
  flags: string;
  counters: CtEntry['counters'] | null;
}

export interface Flows {
  entries: EntryJson[];
  nextId: number;
  enabled: boolean;
  recent: [string, [string, number[]][]][];
  elements: KeptElement[];
  ipvs?: KeptIpvs | null;
}

const FLAGS = ['seenReply', 'assured', 'snat', 'dnat', 'acct'] as const;

const tupleJson = (t: CtTuple): TupleJson => ({
  family: t.family,
  proto: t.proto,
  src: formatIp(t.src),
  dst: formatIp(t.dst),
  ports: [t.sport, t.dport],
  ...(t.icmpType === undefined ? {} : { icmp: [t.icmpType, t.icmpCode ?? 0, t.icmpId ?? 0] as [number, number, number] }),
});

const tupleFrom = (j: TupleJson): CtTuple => ({
  family: j.family,
  proto: j.proto,
  src: ip(j.src),
  dst: ip(j.dst),
  sport: j.ports[0],
  dport: j.ports[1],
  ...(j.icmp ? { icmpType: j.icmp[0], icmpCode: j.icmp[1], icmpId: j.icmp[2] } : {}),
});

function entryJson(e: CtEntry): EntryJson {
  return {
    original: tupleJson(e.original),
    reply: tupleJson(e.reply),
    state: e.state,
    mark: e.mark,
    zone: e.zone,
    createdAtMs: e.createdAtMs,
    expiresAtMs: e.expiresAtMs,
    streamAtMs: e.last.streamAtMs,
    flags: FLAGS.filter(f => e[f]).join(','),
    counters: e.acct ? e.counters : null,
  };
}

const tablesOf = (ns: Netns) => ns.netfilter.nft as NftTable[];

function elements(ns: Netns): KeptElement[] {
  const out: KeptElement[] = [];
  const now = ns.kernel.sim.nowMs;
  for (const t of tablesOf(ns)) {
    for (const set of t.sets.values()) {
      if (!set.flags.includes('dynamic')) continue;
      for (const e of set.exact.values()) {
        if (e.expiresAtMs !== null && e.expiresAtMs <= now) continue;
        const key = e.key.map(part => (typeof part.low === 'object' ? { ip: formatIp(part.low) } : part.low));
        out.push({ table: `${t.family} ${t.name}`, set: set.name, key, timeoutMs: e.timeoutMs, expiresAtMs: e.expiresAtMs });
      }
    }
  }
  return out;
}

/** null: nothing to keep. */
export function saveFlows(ns: Netns): Flows | null {
  const { conntrack, recent } = ns.netfilter;
  const kept: Flows = {
    entries: liveEntries(ns).map(entryJson),
    nextId: conntrack.nextId,
    enabled: conntrack.enabled,
    recent: [...recent].filter(([, seen]) => seen.size).map(([name, seen]) => [name, [...seen]]),
    elements: elements(ns),
    ipvs: saveIpvs(ns),
  };
  return kept.entries.length || kept.recent.length || kept.elements.length || kept.ipvs ? kept : null;
}

/** Put back what saveFlows gave, once the rules are there again. */
export function loadFlows(ns: Netns, kept: Flows): void {
  const { conntrack } = ns.netfilter;
  const now = ns.kernel.sim.nowMs;
  for (const j of kept.entries) {
    if (j.expiresAtMs <= now || findEntry(ns, tupleFrom(j.original), j.zone)) continue;
    const flags = j.flags.split(',');
    const has = (f: (typeof FLAGS)[number]) => flags.includes(f);
    const entry = insertEntry(ns, tupleFrom(j.original), tupleFrom(j.reply), {
      timeoutSeconds: 0,
      state: j.state,
      mark: j.mark,
      zone: j.zone,
      seenReply: has('seenReply'),
      assured: has('assured'),
      snat: has('snat'),
      dnat: has('dnat'),
      acct: has('acct'),
      natDone: { prerouting: true, postrouting: true },
      createdAtMs: j.createdAtMs,
      last: { index: -1, direction: 0, streamAtMs: j.streamAtMs },
    });
    entry.expiresAtMs = j.expiresAtMs;
    if (j.counters) entry.counters = j.counters;
  }
  conntrack.nextId = Math.max(conntrack.nextId, kept.nextId);
  conntrack.enabled ||= kept.enabled;
  if (kept.ipvs) loadIpvs(ns, kept.ipvs);
  ns.netfilter.recent = new Map(kept.recent.map(([name, seen]) => [name, new Map(seen)]));
  // Sets that are not there yet take theirs when they are made.
  ns.netfilter.kept = kept.elements.filter(e => {
    const set = tablesOf(ns)
      .find(t => `${t.family} ${t.name}` === e.table)
      ?.sets.get(e.set);
    if (set) keepElement(set, e);
    return !set;
  });
  ns.netfilter.hooks.clear();
}
