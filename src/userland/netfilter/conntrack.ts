// conntrack(8) of conntrack-tools 1.4.7: -L -D -G -I -U -F -C -S -E.

import { deleteEntries, findEntry, insertEntry, liveEntries, removeEntry, sweep } from '../../linux/netfilter/conntrack.ts';
import { entryCommand, entryText, entryXml } from '../../linux/netfilter/conntrack-text.ts';
import { invert } from '../../linux/netfilter/tuple.ts';
import type { CtEntry, CtTuple } from '../../linux/netfilter/types.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { sameIp } from '../../wire/ip.ts';
import { type Arguments, matches, parse } from './conntrack-arguments.ts';
import { CONNTRACK_HELP } from './usage/conntrack.ts';

const version = (v: string) => `conntrack v${v} (conntrack-tools)`;

function show(p: Process, a: Arguments, e: CtEntry, use = 1): void {
  if (a.output.has('save')) print(p, `${entryCommand(p.netns, e)}\n`);
  else if (a.output.has('xml')) print(p, `${entryXml(p.netns, e)}\n`);
  else print(p, `${entryText(p.netns, e, { extended: a.output.has('extended'), id: a.output.has('id'), use })}\n`);
}

function done(p: Process, v: string, n: number, what: string): void {
  complain(p, `${version(v)}: ${n} flow entries have been ${what}.\n`);
}

function list(p: Process, v: string, a: Arguments): number {
  const found = liveEntries(p.netns).filter(e => matches(a, e));
  if (a.output.has('xml') && found.length) print(p, '<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n');
  for (const e of found) show(p, a, e);
  if (a.output.has('xml') && found.length) print(p, '</conntrack>\n');
  done(p, v, found.length, 'shown');
  return 0;
}

function remove(p: Process, v: string, a: Arguments): number {
  const found = liveEntries(p.netns).filter(e => matches(a, e));
  for (const e of found) {
    show(p, a, e);
    removeEntry(p.netns.netfilter.conntrack, e);
  }
  if (found.length) p.netns.dirty.add('conntrack');
  done(p, v, found.length, 'deleted');
  return found.length ? 0 : 1;
}

/** The flow that -s, -d, -p and the ports describe. */
function tupleFrom(a: Arguments): CtTuple | null {
  const src = a.nets.get('orig-src')?.ip ?? a.nets.get('reply-dst')?.ip;
  const dst = a.nets.get('orig-dst')?.ip ?? a.nets.get('reply-src')?.ip;
  if (!src || !dst || a.proto === null) return null;
  const t: CtTuple = {
    family: src.length === 4 ? 4 : 6,
    proto: a.proto,
    src,
    dst,
    sport: a.numbers.get('sport') ?? 0,
    dport: a.numbers.get('dport') ?? 0,
  };
  if (a.proto === 1 || a.proto === 58) {
    t.icmpType = a.numbers.get('icmp-type') ?? (a.proto === 1 ? 8 : 128);
    t.icmpCode = a.numbers.get('icmp-code') ?? 0;
    t.icmpId = a.numbers.get('icmp-id') ?? 0;
  }
  return t;
}

const usage = (p: Process, v: string, text: string): number => {
  complain(p, `${version(v)}: ${text}\nTry \`conntrack -h' or 'conntrack --help' for more information.\n`);
  return 2;
};

const failed = (p: Process, v: string, text: string): number => {
  complain(p, `${version(v)}: Operation failed: ${text}\n`);
  return 1;
};

/** What -I does not take, and what it cannot do without, in the order in which it is looked for (generic_opt_check, the protocols' final_check). */
function lacks(a: Arguments): string | null {
  for (const mask of a.masks) return `Illegal option \`${mask}' with this command`;
  const both = (one: string, other: string) => `you have to specify \`${one}' and \`${other}'`;
  if (!a.nets.has('orig-src') || !a.nets.has('orig-dst')) return both('--src', '--dst');
  if (a.proto === 1 || a.proto === 58) {
    for (const name of ['icmp-type', 'icmp-code'])
      if (!a.numbers.has(name)) return `You need to supply the \`--${name}' option for this command`;
    return null;
  }
  const ported = a.proto === 6 || a.proto === 17 || a.proto === 132;
  return ported && (!a.numbers.has('sport') || !a.numbers.has('dport')) ? both('--sport', '--dport') : null;
}

function create(p: Process, v: string, a: Arguments): number {
  if (a.proto === null) return usage(p, v, "You need to supply the `--protonum' option for this command");
  if (a.timeout === null) return usage(p, v, "You need to supply the `--timeout' option for this command");
  const lacking = lacks(a);
  if (lacking) return usage(p, v, lacking);
  const t = tupleFrom(a);
  if (!t) return failed(p, v, 'invalid parameters');
  if (t.proto === 6 && a.state === null) return failed(p, v, 'invalid parameters');
  const reply = invert(t);
  const replySrc = a.dstNat?.ip ?? a.nets.get('reply-src')?.ip;
  const replyDst = a.srcNat?.ip ?? a.nets.get('reply-dst')?.ip;
  if (replySrc) reply.src = replySrc;
  if (replyDst) reply.dst = replyDst;
  reply.sport = a.dstNat?.port || (a.numbers.get('reply-sport') ?? reply.sport);
  reply.dport = a.srcNat?.port || (a.numbers.get('reply-dport') ?? reply.dport);
  if (findEntry(p.netns, t) || findEntry(p.netns, reply)) return failed(p, v, 'Such conntrack exists, try -U to update');
  insertEntry(p.netns, t, reply, {
    timeoutSeconds: a.timeout,
    state: a.state ?? 'NONE',
    seenReply: a.status.includes('SEEN_REPLY') || a.status.includes('ASSURED'),
    assured: a.status.includes('ASSURED'),
    snat: !sameIp(reply.dst, t.src) || (t.icmpId === undefined && reply.dport !== t.sport),
    dnat: !sameIp(reply.src, t.dst) || (t.icmpId === undefined && reply.sport !== t.dport),
    natDone: { prerouting: true, postrouting: true },
    mark: a.mark?.[0] ?? 0,
    zone: a.zone ?? 0,
  });
  p.netns.dirty.add('conntrack');
  done(p, v, 1, 'created');
  return 0;
}

function getOrUpdate(p: Process, v: string, a: Arguments): number {
  const t = tupleFrom(a);
  if (a.command === 'U' && !t) {
    const found = liveEntries(p.netns).filter(e => matches({ ...a, mark: null }, e));
    for (const e of found) update(p, a, e);
    done(p, v, found.length, 'updated');
    return found.length ? 0 : 1;
  }
  const e = t ? findEntry(p.netns, t, a.zone ?? 0) : null;
  if (!e) return failed(p, v, "such conntrack doesn't exist");
  if (a.command === 'U') update(p, a, e);
  else show(p, a, e, 2);
  done(p, v, 1, a.command === 'U' ? 'updated' : 'shown');
  return 0;
}

function update(p: Process, a: Arguments, e: CtEntry): void {
  if (a.mark) e.mark = ((e.mark & ~a.mark[1]) | a.mark[0]) >>> 0;
  if (a.timeout !== null) e.expiresAtMs = p.kernel.sim.nowMs + a.timeout * 1000;
  if (a.state !== null) e.state = a.state;
  p.netns.dirty.add('conntrack');
  show(p, a, e, 2);
}

function statistics(p: Process): number {
  const s = p.netns.netfilter.conntrack.stats;
  const line = (cpu: number, own: boolean) => {
    const n = (x: number) => (own ? x : 0);
    return `cpu=${cpu}   \tfound=${n(s.found)} invalid=${n(s.invalid)} insert=${n(s.insert)} insert_failed=${n(s.insertFailed)} drop=${n(s.drop)} early_drop=${n(s.earlyDrop)} error=0 search_restart=0 clash_resolve=0 chaintoolong=0 \n`;
  };
  print(p, line(0, true) + line(1, false));
  return 0;
}

/** Events until a signal: new flows, changes of state, ends. */
function* follow(p: Process, v: string, a: Arguments): Co<number> {
  const { conntrack } = p.netns.netfilter;
  let n = 0;
  const seen = (kind: 'NEW' | 'UPDATE' | 'DESTROY', e: CtEntry) => {
    if (!matches(a, e) || (a.events.size && !a.events.has('ALL') && !a.events.has(kind) && !a.events.has(`${kind}S`))) return;
    n++;
    const text = entryText(p.netns, e, { withoutTimeout: kind === 'DESTROY', extended: a.output.has('extended'), id: a.output.has('id') });
    print(p, `${`[${kind}]`.padStart(9)} ${text.replace(/ mark=0/, '').replace(/ use=\d+/, '')}\n`);
  };
  conntrack.listeners.add(seen);
  p.cleanup.push(() => {
    conntrack.listeners.delete(seen);
  });
  let stopped = false;
  const queue = new Set<() => void>();
  const stop = () => {
    stopped = true;
    for (const wake of [...queue]) wake();
  };
  p.onSignal.set('INT', stop);
  p.onSignal.set('TERM', stop);
  while (!stopped) yield* waitOn(p.kernel.sim, [queue]);
  complain(p, `${version(v)}: ${n} flow events have been shown.\n`);
  return 0;
}

export const conntrackProgram = (v: string): Program =>
  function* conntrack(p: Process): Co<number> {
    const argv = p.argv.slice(1);
    if (argv[0] === '-V' || argv[0] === '--version') {
      print(p, `${version(v)}\n`);
      return 0;
    }
    if (!argv.length || argv[0] === '-h' || argv[0] === '--help') {
      print(p, CONNTRACK_HELP.replace(/Version \S+/, `Version ${v}`));
      return 0;
    }
    const a = parse(argv);
    if (typeof a === 'string') return usage(p, v, a);
    if (!a.command) return usage(p, v, 'Invalid commands combination');
    if (!p.caps.has('NET_ADMIN')) return failed(p, v, 'Operation not permitted');
    if (a.command === 'G') {
      if (a.proto === null) return usage(p, v, "You need to supply the `--protonum' option for this command");
      for (const mask of a.masks) return usage(p, v, `Illegal option \`${mask}' with this command`);
      if (!a.nets.has('orig-src') || !a.nets.has('orig-dst')) return usage(p, v, "you have to specify `--src' and `--dst'");
    }
    sweep(p.netns);
    switch (a.command) {
      case 'L':
        return list(p, v, a);
      case 'D':
        return remove(p, v, a);
      case 'F':
        deleteEntries(p.netns, () => true);
        p.netns.dirty.add('conntrack');
        complain(p, `${version(v)}: connection tracking table has been emptied.\n`);
        return 0;
      case 'C':
        print(p, `${p.netns.netfilter.conntrack.count}\n`);
        return 0;
      case 'S':
        return statistics(p);
      case 'I':
        return create(p, v, a);
      case 'E':
        return yield* follow(p, v, a);
      case 'expect':
        complain(p, `${version(v)}: 0 expectations have been shown.\n`);
        return 0;
      case 'dying':
      case 'unconfirmed':
        done(p, v, 0, 'shown');
        return 0;
      default:
        return getOrUpdate(p, v, a);
    }
  };
