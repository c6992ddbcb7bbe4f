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
  /** Before the command begins to wait in real time: let others see what it did. -> false: it has to begin again */
  publish: () => boolean;
  /** Called now and then in real time: take in what other commands did. */
  follow: () => void;
  /** The process's interrupt ends the command like this. */
  interrupted?: () => void;
}

const POLL_MS = 100;

/** `sims`: the command's timeline first; the cluster's, if that is another, second. -> its exit code, or null: begin again */
export async function drive(sims: Sim[], task: Task<number>, o: DriveOptions): Promise<number | null> {
  const [sim] = sims;
  const patienceEnds = () => sim.nowMs + o.patienceMs;
  let deadline = patienceEnds();
  if (!o.realtime) {
    while (!task.done) {
      const busy = sims.some(s => s.foreground > 0);
      if (busy) deadline = patienceEnds();
      const first = earliest(sims);
      if (first === undefined || (!busy && first.at > deadline)) break;
      // Somebody at a terminal is asked for input, and nothing is under way: only the person can go on.
      if (!busy && o.streams.stdin.tty && o.streams.stdin.readers.size) break;
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
  o.publish();
  o.streams.live = true;
  flush(o.streams);
  const startedAt = performance.now();
  const simStart = sim.nowMs;
  let wake = () => {};
  const onData = (chunk: Buffer) => {
    writePipe(o.streams.stdin, new Uint8Array(chunk));
    wake();
  };
  const onEnd = () => {
    closePipe(o.streams.stdin);
    wake();
  };
  const interrupt = () => {
    o.interrupted?.();
    killTask(task, 130);
    wake();
  };
  if (o.streams.stdin.tty) {
    process.stdin.on('data', onData);
    process.stdin.on('end', onEnd);
  }
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  while (!task.done) {
    const clock = simStart + (performance.now() - startedAt);
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
  process.removeListener('SIGTERM', interrupt);
  if (o.streams.stdin.tty) {
    process.stdin.removeListener('data', onData);
    process.stdin.pause();
  }
  return task.result as number;
}
