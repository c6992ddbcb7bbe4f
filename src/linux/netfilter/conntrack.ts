// Connection tracking: which flow a packet belongs to, what state that flow is in, and when it is forgotten
// (nf_conntrack_core.c, nf_conntrack_proto_{tcp,udp,icmp,sctp,generic}.c of Linux 6.18).
import { type Ip, inCidr } from '../../wire/ip.ts';
import { packetLength, TCP_FLAG } from '../../wire/packet.ts';
import { sysctl } from '../sysctl.ts';
import { dropped } from '../trace.ts';
import type { Netns, Skb } from '../types.ts';
import { nextSctpState, SCTP_TIMEOUT } from './ct-sctp.ts';
import { nextTcpState, segmentKind, TCP_INDEX, TCP_TIMEOUT, validFlags } from './ct-tcp.ts';
import { invert, isIcmpError, isIcmpRequest, isUntrackedIcmp6, tupleKey, tupleOf } from './tuple.ts';
import type { Conntrack, CtEntry, CtRef, CtTuple } from './types.ts';

const PREFIX = 'net.netfilter.nf_conntrack_';

function setting(ns: Netns, name: string, fallback: number): number {
  const text = sysctl(ns, PREFIX + name);
  return text === '' ? fallback : Number(text);
}

export const maxEntries = (ns: Netns): number => {
  const machine = ns.kernel.netns.get('') ?? ns;
  return setting(machine, 'max', 262_144);
};

function newEntry(ns: Netns, original: CtTuple, reply: CtTuple, zone: number): CtEntry {
  const now = ns.kernel.sim.nowMs;
  return {
    id: ns.netfilter.conntrack.nextId++,
    original,
    reply,
    state: 'NONE',
    seenReply: false,
    assured: false,
    confirmed: false,
    snat: false,
    dnat: false,
    natDone: { prerouting: false, postrouting: false },
    mark: 0,
    expiresAtMs: now,
    counters: { packets: [0, 0], bytes: [0, 0] },
    zone,
    master: null,
    createdAtMs: now,
    dead: false,
    last: { index: -1, direction: 0, streamAtMs: now + 2000 },
    acct: sysctl(ns, `${PREFIX}acct`) === '1',
  };
}

const NOBODY: CtTuple = { family: 4, proto: 0, src: new Uint8Array(4), dst: new Uint8Array(4), sport: 0, dport: 0 };

const nobodys = (zone: number): CtEntry =>
  ({
    id: 0,
    original: NOBODY,
    reply: NOBODY,
    state: 'NONE',
    confirmed: true,
    natDone: { prerouting: true, postrouting: true },
    mark: 0,
    zone,
  }) as CtEntry;

/** The packet passes without being tracked (`CT --notrack`, neighbour discovery). */
export function untrack(skb: Skb): void {
  skb.ct = { entry: nobodys(0), direction: 'original', info: 'UNTRACKED' };
}

/**
 * xt_ct_target: the packet carries a template until it is tracked. Until then matches see a new, confirmed flow of nobody's, and another CT
 * target leaves the packet as it is.
 */
export function attachTemplate(skb: Skb, zone: number): void {
  skb.ct = { entry: { ...nobodys(zone), template: true }, direction: 'original', info: 'NEW' };
}

/** Take an entry out of the table; packets that carry it keep it to the end of their way. */
export function removeEntry(ct: Conntrack, entry: CtEntry): void {
  if (entry.dead) return;
  entry.dead = true;
  if (!entry.confirmed) return;
  for (const tuple of [entry.original, entry.reply]) {
    const key = tupleKey(tuple, entry.zone);
    if (ct.byTuple.get(key) === entry) ct.byTuple.delete(key);
  }
  ct.count--;
  tell(ct, 'DESTROY', entry);
}

function tell(ct: Conntrack, kind: 'NEW' | 'UPDATE' | 'DESTROY', entry: CtEntry): void {
  for (const listener of ct.listeners) listener(kind, entry);
}

/** The live entry that has this tuple. */
export function findEntry(ns: Netns, tuple: CtTuple, zone = 0): CtEntry | null {
  const ct = ns.netfilter.conntrack;
  const entry = ct.byTuple.get(tupleKey(tuple, zone));
  if (!entry) return null;
  if (entry.expiresAtMs > ns.kernel.sim.nowMs) return entry;
  removeEntry(ct, entry);
  return null;
}

/** Entries whose time is over go when somebody looks: nothing is scheduled for them. */
export function sweep(ns: Netns): void {
  const ct = ns.netfilter.conntrack;
  const now = ns.kernel.sim.nowMs;
  ct.sweptAtMs = now;
  for (const entry of ct.byTuple.values()) if (entry.expiresAtMs <= now) removeEntry(ct, entry);
}

/** All live entries, oldest first. */
export function liveEntries(ns: Netns): CtEntry[] {
  sweep(ns);
  const out: CtEntry[] = [];
  for (const [key, entry] of ns.netfilter.conntrack.byTuple) if (key === tupleKey(entry.original, entry.zone)) out.push(entry);
  return out;
}

export function deleteEntries(ns: Netns, filter: (e: CtEntry) => boolean): number {
  let n = 0;
  for (const entry of liveEntries(ns)) {
    if (!filter(entry)) continue;
    removeEntry(ns.netfilter.conntrack, entry);
    n++;
  }
  return n;
}

/** How many tracked flows come from (or go to) the network of `ip`, for connlimit. */
export function entriesFrom(ns: Netns, ip: Ip, bits: number, side: 'src' | 'dst', self: CtEntry | null): number {
  let n = self && !self.confirmed ? 1 : 0;
  for (const e of liveEntries(ns)) {
    if (e.state === 'TIME_WAIT' || e.state === 'CLOSE') continue;
    if (e.original[side].length === ip.length && inCidr({ ip, bits }, e.original[side])) n++;
  }
  return n;
}

/** nf_conntrack_in: before PREROUTING's and OUTPUT's later tables. */
export function conntrackIn(ns: Netns, skb: Skb): 'ACCEPT' | 'DROP' {
  const template = skb.ct?.entry.template ? skb.ct.entry : null;
  if (skb.ct && !template) return 'ACCEPT'; // loopback, or a reset that keeps its connection
  skb.ct = null;
  const { packet } = skb;
  const b = packet.body;
  const zone = template?.zone ?? 0;
  if (b.kind === 'icmp') {
    if (packet.family === 6 && isUntrackedIcmp6(b)) {
      untrack(skb);
      return 'ACCEPT';
    }
    if (isIcmpError(packet, b)) {
      skb.ct = relatedTo(ns, skb, zone);
      return 'ACCEPT';
    }
  }
  const tuple = tupleOf(packet);
  if (!tuple) {
    ns.netfilter.conntrack.stats.invalid++;
    return 'ACCEPT';
  }
  for (;;) {
    const found = findEntry(ns, tuple, zone);
    if (found) {
      const direction = tupleKey(found.original, zone) === tupleKey(tuple, zone) ? 'original' : 'reply';
      const info = direction === 'reply' || found.seenReply ? 'ESTABLISHED' : found.master ? 'RELATED' : 'NEW';
      const before = { state: found.state, seenReply: found.seenReply, assured: found.assured };
      const outcome = track(ns, skb, found, direction === 'original' ? 0 : 1);
      if (outcome === 'repeat') continue;
      if (outcome === 'invalid') {
        ns.netfilter.conntrack.stats.invalid++;
        return 'ACCEPT';
      }
      skb.ct = { entry: found, direction, info };
      if (direction === 'reply') found.seenReply = true;
      if (found.state !== before.state || found.seenReply !== before.seenReply || found.assured !== before.assured)
        tell(ns.netfilter.conntrack, 'UPDATE', found);
      return 'ACCEPT';
    }
    if (makesNothing(skb)) {
      ns.netfilter.conntrack.stats.invalid++;
      return 'ACCEPT';
    }
    if (isFull(ns)) {
      ns.netfilter.conntrack.stats.drop++;
      dropped(skb, ns, 'nf_conntrack: table full, dropping packet');
      return 'DROP';
    }
    const entry = newEntry(ns, tuple, invert(tuple), zone);
    if (track(ns, skb, entry, 0) === 'invalid') return 'ACCEPT';
    skb.ct = { entry, direction: 'original', info: 'NEW' };
    return 'ACCEPT';
  }
}

/** ICMP types that begin nothing: a reply nobody asked for. */
function makesNothing(skb: Skb): boolean {
  const b = skb.packet.body;
  return b.kind === 'icmp' && !isIcmpRequest(skb.packet.family, b.type);
}

function isFull(ns: Netns): boolean {
  const ct = ns.netfilter.conntrack;
  const max = maxEntries(ns);
  if (max === 0 || ct.count < max) return false;
  sweep(ns);
  if (ct.count < max) return false;
  // early_drop looks for a flow that is not assured in eight hash buckets; with few of them in many buckets it mostly finds none.
  const weak = liveEntries(ns).filter(e => !e.assured);
  const buckets = Math.max(1, setting(ns, 'buckets', 65_536));
  if (!weak.length || !ns.kernel.sim.chance(Math.min(1, (8 * weak.length) / buckets))) return true;
  removeEntry(ct, weak[0]);
  ct.stats.earlyDrop++;
  return false;
}

/** nf_conntrack_inet_error: whose packet does this error quote? */
function relatedTo(ns: Netns, skb: Skb, zone: number): CtRef | null {
  const b = skb.packet.body;
  const inner = b.kind === 'icmp' && b.original ? tupleOf(b.original) : null;
  const entry = inner ? findEntry(ns, invert(inner), zone) : null;
  if (!inner || !entry) {
    ns.netfilter.conntrack.stats.invalid++;
    return null;
  }
  // The quoted packet went the other way than the error does.
  const direction = tupleKey(entry.original, zone) === tupleKey(invert(inner), zone) ? 'original' : 'reply';
  return { entry, direction, info: 'RELATED' };
}

/** The protocol's own tracker: state and time to live. 'repeat': the old flow is over, look again. */
function track(ns: Netns, skb: Skb, e: CtEntry, direction: 0 | 1): 'ok' | 'invalid' | 'repeat' {
  const outcome = trackProtocol(ns, skb, e, direction);
  if (outcome === 'ok') count(skb, e, direction);
  return outcome;
}

function count(skb: Skb, e: CtEntry, direction: 0 | 1): void {
  if (!e.acct) return;
  e.counters.packets[direction]++;
  e.counters.bytes[direction] += packetLength(skb.packet);
}

function trackProtocol(ns: Netns, skb: Skb, e: CtEntry, direction: 0 | 1): 'ok' | 'invalid' | 'repeat' {
  const b = skb.packet.body;
  const now = ns.kernel.sim.nowMs;
  const keep = (name: string, seconds: number) => {
    e.expiresAtMs = now + setting(ns, name, seconds) * 1000;
  };
  switch (b.kind) {
    case 'tcp':
      return trackTcp(ns, skb, e, direction);
    case 'udp':
      if (e.seenReply) {
        const stream = now > e.last.streamAtMs;
        keep(stream ? 'udp_timeout_stream' : 'udp_timeout', stream ? 120 : 30);
        if (stream) e.assured = true;
      } else keep('udp_timeout', 30);
      return 'ok';
    case 'icmp':
      keep(skb.packet.family === 4 ? 'icmp_timeout' : 'icmpv6_timeout', 30);
      return 'ok';
    case 'sctp': {
      const next = nextSctpState(e.state, direction, b.chunk);
      if (next === 'invalid') return 'invalid';
      const old = e.state;
      e.state = next;
      const [name, seconds] = SCTP_TIMEOUT[next];
      keep(`sctp_timeout_${name}`, seconds);
      if (old === 'COOKIE_ECHOED' && direction === 1 && next === 'ESTABLISHED') e.assured = true;
      return 'ok';
    }
    default:
      keep('generic_timeout', 600);
      return 'ok';
  }
}

function trackTcp(ns: Netns, skb: Skb, e: CtEntry, direction: 0 | 1): 'ok' | 'invalid' | 'repeat' {
  const b = skb.packet.body;
  if (b.kind !== 'tcp' || !validFlags(b.flags)) return 'invalid';
  const kind = segmentKind(b);
  const old = e.state;
  const next = nextTcpState(old, direction, kind);
  if (next === 'invalid') return 'invalid';
  if (old === 'NONE' && next === 'ESTABLISHED' && setting(ns, 'tcp_loose', 1) === 0) return 'invalid';
  if (next === 'ignore') {
    e.last.index = kind;
    e.last.direction = direction;
    return 'ok';
  }
  if (next === 'SYN_SENT' && (old === 'TIME_WAIT' || old === 'CLOSE')) {
    removeEntry(ns.netfilter.conntrack, e); // the same ports are used again
    return 'repeat';
  }
  e.state = next;
  e.last.index = kind;
  e.last.direction = direction;
  const [name, seconds] = kind === TCP_INDEX.RST ? TCP_TIMEOUT.CLOSE : TCP_TIMEOUT[next];
  let timeout = setting(ns, `tcp_timeout_${name}`, seconds);
  if (!e.seenReply) {
    if (b.flags & TCP_FLAG.RST && direction === 1) {
      removeEntry(ns.netfilter.conntrack, e); // refused: nothing was established
      return 'ok';
    }
    if (next === 'ESTABLISHED' && direction === 0) timeout = Math.min(timeout, setting(ns, 'tcp_timeout_unacknowledged', 300));
  } else if (!e.assured && (old === 'SYN_RECV' || old === 'ESTABLISHED') && next === 'ESTABLISHED') e.assured = true;
  e.expiresAtMs = ns.kernel.sim.nowMs + timeout * 1000;
  return 'ok';
}

/** nf_confirm, last of INPUT and POSTROUTING: the flow enters the table. */
export function confirm(ns: Netns, skb: Skb): 'ACCEPT' | 'DROP' {
  const ref = skb.ct;
  if (!ref || ref.info === 'UNTRACKED' || ref.entry.confirmed || ref.entry.dead || ref.direction !== 'original') return 'ACCEPT';
  const ct = ns.netfilter.conntrack;
  const { entry } = ref;
  if (ns.kernel.sim.nowMs - ct.sweptAtMs > 60_000) sweep(ns);
  const first = findEntry(ns, entry.original, entry.zone);
  const clash = first ?? findEntry(ns, entry.reply, entry.zone);
  if (clash) {
    // Two packets of one flow raced (nf_ct_resolve_clash): the second joins, if it was translated alike.
    if (first && tupleKey(first.reply, entry.zone) === tupleKey(entry.reply, entry.zone)) {
      skb.ct = { entry: first, direction: 'original', info: ref.info };
      return 'ACCEPT';
    }
    ct.stats.insertFailed++;
    ct.stats.drop++;
    dropped(skb, ns, 'conntrack: another flow has the same tuple (insert_failed)');
    return 'DROP';
  }
  entry.confirmed = true;
  ct.byTuple.set(tupleKey(entry.original, entry.zone), entry);
  ct.byTuple.set(tupleKey(entry.reply, entry.zone), entry);
  ct.count++;
  tell(ct, 'NEW', entry);
  return 'ACCEPT';
}

/** A 32-bit id as `conntrack -o id` shows: a keyed hash of the entry in the kernel, steady here too. */
export const shownId = (e: CtEntry): number => {
  let h = 0x811c9dc5;
  const text = `${e.id} ${tupleKey(e.original, e.zone)}`;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** An entry put in from outside (`conntrack -I`, a restored session). */
export function insertEntry(ns: Netns, original: CtTuple, reply: CtTuple, o: Partial<CtEntry> & { timeoutSeconds: number }): CtEntry {
  const { timeoutSeconds, ...rest } = o;
  const entry: CtEntry = { ...newEntry(ns, original, reply, o.zone ?? 0), ...rest, confirmed: true };
  entry.expiresAtMs = ns.kernel.sim.nowMs + timeoutSeconds * 1000;
  const ct = ns.netfilter.conntrack;
  ct.enabled = true;
  ct.byTuple.set(tupleKey(original, entry.zone), entry);
  ct.byTuple.set(tupleKey(reply, entry.zone), entry);
  ct.count++;
  return entry;
}
