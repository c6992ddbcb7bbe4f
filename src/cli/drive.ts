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
  /** Before the command begins to wait in real time: let others see what it did. */
  publish: () => void;
  /** Called now and then in real time: take in what other commands did. */
  follow: () => void;
  /** The process's interrupt ends the command like this. */
  interrupted?: () => void;
}

const POLL_MS = 100;

export async function drive(sim: Sim, task: Task<number>, o: DriveOptions): Promise<number> {
  const patienceEnds = () => sim.nowMs + o.patienceMs;
  let deadline = patienceEnds();
  if (!o.realtime) {
    while (!task.done) {
      if (sim.foreground > 0) deadline = patienceEnds();
      const at = nextAtMs(sim);
      if (at === undefined || (sim.foreground === 0 && at > deadline)) break;
      // Somebody at a terminal is asked for input, and nothing is under way: only the person can go on.
      if (sim.foreground === 0 && o.streams.stdin.tty && o.streams.stdin.readers.size) break;
      step(sim);
    }
    if (task.done) return task.result as number;
  }
  return await live(sim, task, o);
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
