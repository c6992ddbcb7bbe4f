// What every ping does: send at intervals, match what comes back, count.
import { goesOn } from '../../linux/process.ts';
import { type Datagram, recvFrom, type Socket, sendTo } from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { type Co, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import type { Ip } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';

export interface Run {
  p: Process;
  u: Userland;
  s: Socket;
  to: Ip;
  /** 0: without end. */
  count: number;
  intervalMs: number;
  /** How long to wait for the last answers. */
  lingerMs: number;
  deadlineMs: number;
  size: number;
  sent: number;
  received: Set<number>;
  duplicates: number;
  errors: number;
  sentAtMs: Map<number, number>;
  rtts: number[];
  startMs: number;
  lastSendMs: number;
  /** So many go out at once at the start. */
  preload: number;
  /** The next one goes out as soon as the last was answered. */
  eager: boolean;
  /** Most echo requests that were on their way at once. */
  pipe: number;
  interrupted: boolean;
  interruption: WaitQueue;
}

export function newRun(p: Process, u: Userland, s: Socket, to: Ip): Run {
  const run: Run = {
    p,
    u,
    s,
    to,
    count: 0,
    intervalMs: 1000,
    lingerMs: 10_000,
    deadlineMs: Number.POSITIVE_INFINITY,
    size: 56,
    sent: 0,
    received: new Set(),
    duplicates: 0,
    errors: 0,
    sentAtMs: new Map(),
    rtts: [],
    startMs: p.kernel.sim.nowMs,
    lastSendMs: p.kernel.sim.nowMs,
    preload: 1,
    eager: false,
    pipe: 1,
    interrupted: false,
    interruption: new Set(),
  };
  p.onSignal.set('INT', () => {
    run.interrupted = true;
    wakeAll(run.interruption);
  });
  return run;
}

export interface Reports {
  reply: (seq: number, d: Datagram, ms: number | null, duplicate: boolean) => Co<void>;
  error: (seq: number, d: Datagram) => Co<void>;
  /** What sendto said; a number ends the program with it. */
  failed: (e: Errno, seq: number) => number | null;
  missing?: (seq: number) => void;
  /** One has been sent. */
  sent?: () => void;
  firstSeq: number;
}

/** Send every interval and take what comes, until the count is answered, time is up or somebody interrupts. */
export function* pingLoop(r: Run, report: Reports): Co<number | null> {
  const { sim } = r.p.kernel;
  if (!r.count && r.deadlineMs === Number.POSITIVE_INFINITY) goesOn(r.p);
  let nextMs = sim.nowMs;
  for (;;) {
    const now = sim.nowMs;
    if (r.interrupted || now >= r.deadlineMs) return null;
    const more = !r.count || r.sent < r.count;
    if (more && now >= nextMs) {
      const seq = report.firstSeq + r.sent;
      if (r.sent > 0 && !r.received.has(seq - 1)) report.missing?.(seq - 1);
      const error = sendTo(r.s, payload(r.size), r.to, seq & 0xffff);
      r.sentAtMs.set(seq, now);
      r.sent++;
      r.lastSendMs = now;
      report.sent?.();
      nextMs = r.sent < r.preload ? now : now + r.intervalMs;
      if (error) {
        const code = report.failed(error, seq);
        if (code !== null) return code;
      }
      continue;
    }
    if (!more && r.received.size + r.errors >= r.sent) return null;
    const linger = r.rtts.length ? Math.max(r.lingerMs === 10_000 ? 2 * Math.max(...r.rtts) : r.lingerMs, 1) : r.lingerMs;
    const untilMs = Math.min(r.deadlineMs, more ? nextMs : r.lastSendMs + linger);
    if (untilMs <= now) return null;
    const answered = r.received.size;
    yield* take(r, report, untilMs - now);
    if (r.eager && r.received.size > answered) nextMs = Math.min(nextMs, sim.nowMs + Math.min(r.intervalMs, 1));
  }
}

function* take(r: Run, report: Reports, waitMs: number): Co<void> {
  const { sim } = r.p.kernel;
  if (!r.s.datagrams.length && !r.s.error) {
    yield* waitOn(sim, [r.s.readable, r.interruption], waitMs);
    if (!r.s.datagrams.length && !r.s.error) return;
  }
  const d = yield* recvFrom(r.s, 0);
  if (typeof d === 'string') return;
  const seq = d.fromPort;
  // acknowledge(): how many were on their way when word of this one came.
  r.pipe = Math.max(r.pipe, r.sent - (seq - report.firstSeq));
  if (d.error) {
    r.errors++;
    yield* report.error(seq, d);
    return;
  }
  const at = r.sentAtMs.get(seq);
  const ms = at === undefined ? null : sim.nowMs - at;
  const duplicate = r.received.has(seq);
  if (duplicate) r.duplicates++;
  else {
    r.received.add(seq);
    if (ms !== null) r.rtts.push(ms);
  }
  yield* report.reply(seq, d, ms, duplicate);
}

/** iputils' pattern: a time stamp, then bytes that count. */
function payload(size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let i = 0; i < size; i++) out[i] = i & 0xff;
  return out;
}

export function deviceError(p: Process, s: Socket, name: string): Errno | null {
  if (![...p.netns.links.values()].some(l => l.name === name)) return 'ENODEV';
  s.options.set('bindtodevice', name);
  return null;
}
