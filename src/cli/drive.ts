// Running one command to its end: in virtual time as long as something is due, in real time when only the world outside can go on.

import { closePipe, writePipe } from '../sim/pipe.ts';
import { nextAtMs, type Sim, step } from '../sim/sim.ts';
import { killTask, type Task } from '../sim/task.ts';
import { flush, type Streams } from './streams.ts';

export interface DriveOptions {
  streams: Streams;
  /** Virtual time that may pass while nothing but periodic work is due; then the command waits for the real world. */
  patienceMs: number;
  /** Leave time to the wall clock. */
  realtime: boolean;
  /** A command that stays waits for the world outside in a way of its own. */
  stay?: (task: Task<number>) => Promise<void>;
  /** Several commands share the timeline: one that goes on for ever does not stop the others. */
  shared: boolean;
  /** Before the command begins to wait in real time: let others see what it did. -> false: it has to begin again */
  publish: () => boolean;
  /** Does it look at packets, whosever they are? Then it waits for those of other commands. */
  captures?: () => boolean;
  /** It waits in real time from now on. */
  begin?: () => Promise<void>;
  /** Called now and then in real time: take in what other commands did. */
  follow: () => void;
  /** A signal to this process goes to whom it is meant for. -> false: to nobody, it ends the command */
  signal?: (name: 'INT' | 'TERM') => boolean;
}

const POLL_MS = 100;

/** So long a shell's command may have the process to itself before keys are looked at again. */
const SLICE_MS = 50;

/**
 * Who writes line after line over such a time (virtual milliseconds), or so many, has no end of its own (ping, a loop), and somebody reads
 * along: from then on the clock goes with the wall. A person at a terminal is not made to read much at once.
 */
const READER = { terminal: { lines: 15, overMs: 15_000, most: 1000 }, script: { lines: 300, overMs: 300_000, most: 5000 } };

/** A command that has waited so long for others, all in all, is not skipped through any further (virtual milliseconds). */
const MOST_IDLE_MS = 900_000;

/** Who looks again and again over such a time and says nothing waits for something that others do: these are events of the foreground. */
const POLLER = { events: 15_000, overMs: 3_600_000, most: 1_000_000 };

/** -> whether the command goes on and on, asked after every event. */
function endlessness(sim: Sim, streams: Streams, shared: boolean): () => boolean {
  const begun = streams.writes;
  const { lines, overMs, most } = streams.stdout.tty ? READER.terminal : READER.script;
  const begunMs = sim.nowMs;
  let since: number | undefined;
  let events = 0;
  return () => {
    if (!shared && sim.endless.size && [...sim.endless].some(isWaitedFor => isWaitedFor())) return true;
    const written = streams.writes - begun;
    if (written && since === undefined) since = sim.nowMs;
    if (sim.heap[0]?.background === false) events++;
    if (events > POLLER.most || (events > POLLER.events && sim.nowMs - begunMs > POLLER.overMs)) return true;
    return written > most || (written > lines && sim.nowMs - (since as number) > overMs);
  };
}

/** `sims`: the command's timeline first; the cluster's, if that is another, second. -> its exit code, or null: begin again */
export async function drive(sims: Sim[], task: Task<number>, o: DriveOptions): Promise<number | null> {
  const [sim] = sims;
  const patienceEnds = () => sim.nowMs + o.patienceMs;
  let deadline = patienceEnds();
  if (!o.realtime) {
    let idleMs = 0;
    const endless = o.stay ? () => false : endlessness(sim, o.streams, o.shared);
    while (!task.done && !endless()) {
      const busy = sims.some(s => s.foreground > 0);
      if (busy) deadline = patienceEnds();
      const first = earliest(sims);
      if (first === undefined || (!busy && first.at > deadline)) break;
      // The cluster's own periodic work goes on for ever: what counts is the time in which nobody had anything to do.
      if (!busy) idleMs += Math.max(0, first.at - sim.nowMs);
      if (idleMs > MOST_IDLE_MS || (!busy && o.captures?.())) break;
      // Somebody at a terminal is asked for input, and nothing is under way: only the person can go on.
      if (!busy && (o.streams.asks?.() || (o.streams.stdin.tty && o.streams.stdin.readers.size))) break;
      step(first.sim);
      for (const s of sims) s.nowMs = Math.max(s.nowMs, first.sim.nowMs);
    }
    if (task.done) return task.result as number;
  }
  if (!o.stay) return await live(sim, task, o);
  if (!o.publish()) {
    killTask(task, 0);
    return null;
  }
  o.streams.live = true;
  flush(o.streams);
  await o.stay(task);
  return task.result as number;
}

/** Of several timelines the one on which the next thing happens. */
function earliest(sims: Sim[]): { sim: Sim; at: number } | undefined {
  let best: { sim: Sim; at: number } | undefined;
  for (const sim of sims) {
    const at = nextAtMs(sim);
    if (at !== undefined && (best === undefined || at < best.at)) best = { sim, at };
  }
  return best;
}

/** The clock now goes with the wall: keys are read, other commands' changes are taken in. */
async function live(sim: Sim, task: Task<number>, o: DriveOptions): Promise<number> {
  let wake = () => {};
  let typed = true;
  const onData = (chunk: Buffer) => {
    typed = true;
    writePipe(o.streams.stdin, new Uint8Array(chunk));
    wake();
  };
  const onEnd = () => {
    closePipe(o.streams.stdin);
    wake();
  };
  let signals = 0;
  const signalled = (name: 'INT' | 'TERM') => () => {
    if (signals++ || !o.signal?.(name)) killTask(task, name === 'INT' ? 130 : 143);
    wake();
  };
  const [interrupt, terminate] = [signalled('INT'), signalled('TERM')];
  // Whoever sees the first line may interrupt at once.
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  o.publish();
  await o.begin?.();
  o.streams.live = true;
  flush(o.streams);
  let aheadMs = sim.nowMs - performance.now();
  let endless = endlessness(sim, o.streams, o.shared);
  /** The person waits for what was typed: time that nobody needs is skipped. -> false: that is done, or there is no end to it */
  const hurry = (): boolean => {
    const until = performance.now() + SLICE_MS;
    while (!task.done && !o.streams.asks?.() && sim.foreground > 0 && !endless()) {
      if (performance.now() > until) return true;
      step(sim);
    }
    aheadMs = Math.max(aheadMs, sim.nowMs - performance.now());
    return false;
  };
  if (o.streams.stdin.tty) {
    process.stdin.on('data', onData);
    process.stdin.on('end', onEnd);
  }
  while (!task.done) {
    const asks = o.streams.asks?.() ?? false;
    // What the next command writes counts from its own beginning, not the keys that were typed for it.
    if (typed) endless = endlessness(sim, o.streams, o.shared);
    typed = asks;
    if (o.streams.asks && !asks && !o.realtime && hurry()) {
      await new Promise(setImmediate);
      continue;
    }
    if (task.done) break;
    const clock = aheadMs + performance.now();
    for (let at = nextAtMs(sim); !task.done && at !== undefined && at <= clock; at = nextAtMs(sim)) step(sim);
    if (task.done) break;
    if (clock > sim.nowMs) sim.nowMs = clock;
    o.follow();
    if (task.done) break;
    const due = nextAtMs(sim);
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, due === undefined ? POLL_MS : Math.max(0, Math.min(POLL_MS, due - clock)));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  process.removeListener('SIGINT', interrupt);
  process.removeListener('SIGTERM', terminate);
  if (o.streams.stdin.tty) {
    process.stdin.removeListener('data', onData);
    process.stdin.pause();
  }
  return task.result as number;
}
