import { nextFloat, type Random } from './random.ts';

/** Something that will happen. `background` events (periodic resyncs, a container's own sleep) do not keep a cluster from being quiet. */
export interface SimEvent {
  atMs: number;
  seq: number;
  background: boolean;
  run: (() => void) | null;
}

/** One virtual timeline: a clock (epoch milliseconds, fractions allowed), dice, and what is still to happen. */
export interface Sim {
  nowMs: number;
  random: Random;
  /** Every decision of chance in the data plane asks here; replaced to enumerate all outcomes instead of rolling. */
  chance: (probability: number) => boolean;
  /** Which of several equal ways a flow takes; null: its hash decides. Set to enumerate them all. -> index of `weights` */
  spread: ((weights: number[], flow: number) => number) | null;
  heap: SimEvent[];
  seq: number;
  /** Foreground events still to run: 0 means quiet. */
  foreground: number;
  /** Of programs that go on until somebody stops them: does the command wait for it, so that nothing but time can come of it? */
  endless: Set<() => boolean>;
}

export function newSim(nowMs: number, random: Random): Sim {
  const sim: Sim = {
    nowMs,
    random,
    chance: p => nextFloat(sim.random) < p,
    spread: null,
    heap: [],
    seq: 0,
    foreground: 0,
    endless: new Set(),
  };
  return sim;
}

const before = (x: SimEvent, y: SimEvent) => x.atMs < y.atMs || (x.atMs === y.atMs && x.seq < y.seq);

/** Run `run` after `delayMs`; events of one instant run in the order they were scheduled. */
export function schedule(sim: Sim, delayMs: number, run: () => void, background = false): SimEvent {
  const event: SimEvent = { atMs: sim.nowMs + Math.max(0, delayMs), seq: sim.seq++, background, run };
  if (!background) sim.foreground++;
  push(sim.heap, event);
  return event;
}

function push(heap: SimEvent[], event: SimEvent): void {
  let i = heap.length;
  heap.push(event);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(event, heap[parent])) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = event;
}

export function cancel(sim: Sim, event: SimEvent | null | undefined): void {
  if (!event?.run) return;
  event.run = null; // stays in the heap until its turn
  if (!event.background) sim.foreground--;
}

function pop(sim: Sim): SimEvent | undefined {
  const heap = sim.heap;
  const top = heap[0];
  const last = heap.pop();
  if (!top || !last || top === last) return top;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
    if (!before(heap[child], last)) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = last;
  return top;
}

/** When the next event is due, or undefined: nothing will ever happen by itself. */
export function nextAtMs(sim: Sim): number | undefined {
  while (sim.heap.length && !sim.heap[0].run) pop(sim);
  return sim.heap[0]?.atMs;
}

/** Run the next event, moving the clock to it. */
export function step(sim: Sim): boolean {
  for (;;) {
    const event = pop(sim);
    if (!event) return false;
    if (!event.run) continue;
    const run = event.run;
    event.run = null;
    if (!event.background) sim.foreground--;
    if (event.atMs > sim.nowMs) sim.nowMs = event.atMs;
    run();
    return true;
  }
}

/** Run `start`, and what it sets off in this very instant, before anything else that is due. */
export function runAtOnce(sim: Sim, start: () => void): void {
  const others = sim.heap;
  sim.heap = [];
  try {
    start();
    for (let at = nextAtMs(sim); at !== undefined && at <= sim.nowMs; at = nextAtMs(sim)) step(sim);
  } finally {
    const later = sim.heap;
    sim.heap = others;
    for (const event of later) if (event.run) push(others, event);
  }
}

/** Run events until `done()` or the clock would pass `deadlineMs` (it then stands there). -> done() */
export function runUntil(sim: Sim, done: () => boolean, deadlineMs = Number.POSITIVE_INFINITY): boolean {
  while (!done()) {
    const at = nextAtMs(sim);
    if (at === undefined || at > deadlineMs) {
      if (Number.isFinite(deadlineMs) && deadlineMs > sim.nowMs) sim.nowMs = deadlineMs;
      return done();
    }
    step(sim);
  }
  return true;
}

/** Let the cluster come to rest: no foreground event is left, or `limitMs` have passed. */
export function settle(sim: Sim, limitMs: number): boolean {
  const deadline = sim.nowMs + limitMs;
  while (sim.foreground > 0) {
    const at = nextAtMs(sim);
    if (at === undefined || at > deadline) {
      sim.nowMs = deadline;
      return false;
    }
    step(sim);
  }
  return true;
}
