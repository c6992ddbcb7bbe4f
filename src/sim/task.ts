import { cancel, type Sim, type SimEvent, schedule } from './sim.ts';

/**
 * A blocking operation: begins waiting, calls `wake` when the task may go on, and returns how to abandon the wait.
 * Waking is a hint, as on a kernel's wait queue: who waits looks again at its condition.
 */
export type Wait = (wake: () => void) => () => void;

/** What tasks, programs and verbs are: generators that yield waits and return a value. */
export type Co<T> = Generator<Wait, T, void>;

export interface Task<T = number> {
  sim: Sim;
  co: Co<T>;
  /** `undefined` while it runs. */
  result: T | undefined;
  done: boolean;
  ended: WaitQueue;
  /** Sleeps of a background task (a container's own) do not keep the cluster from being quiet. */
  background: boolean;
  abandon: (() => void) | null;
}

export type WaitQueue = Set<() => void>;

export function wakeAll(queue: WaitQueue): void {
  const waiting = [...queue];
  queue.clear();
  for (const wake of waiting) wake();
}

/** Start a generator; it runs at once up to its first wait. An exception is a bug and surfaces in the event loop. */
export function startTask<T>(sim: Sim, co: Co<T>, background = false, created?: (task: Task<T>) => void): Task<T> {
  const task: Task<T> = { sim, co, result: undefined, done: false, ended: new Set(), background, abandon: null };
  created?.(task); // before it runs: what it does at once may ask for its own task
  resume(task);
  return task;
}

/** The task that is running now: tells a sleep whether it is a background one. */
let current: Task<unknown> | null = null;

/** Tasks whose generator is on the stack: one that kills itself, or is killed by a child that it has just started. */
const running = new Set<Task<unknown>>();

function resume<T>(task: Task<T>): void {
  if (task.done) return;
  task.abandon = null;
  const outer = current;
  current = task as Task<unknown>;
  running.add(task as Task<unknown>);
  try {
    for (;;) {
      const r = task.co.next();
      if (task.done) {
        // It was killed by what it did itself: now that it waits, its `finally` blocks can run.
        running.delete(task as Task<unknown>);
        if (!r.done) task.co.return(task.result as T);
        return;
      }
      if (r.done) {
        finish(task, r.value);
        return;
      }
      // A wait that is over before it began continues in this loop instead of recursing.
      let armed = false;
      let woken = false;
      const abandon = r.value(() => {
        if (!armed) woken = true;
        else if (task.abandon === abandon) schedule(task.sim, 0, () => resume(task), task.background);
        task.abandon = task.abandon === abandon ? null : task.abandon;
      });
      if (woken) continue;
      armed = true;
      task.abandon = abandon;
      return;
    }
  } finally {
    current = outer;
    running.delete(task as Task<unknown>);
  }
}

function finish<T>(task: Task<T>, result: T): void {
  task.result = result;
  task.done = true;
  wakeAll(task.ended);
}

/** End a task from outside (a signal): its `finally` blocks run, its result is `result`. */
export function killTask<T>(task: Task<T>, result: T): void {
  if (task.done) return;
  task.abandon?.();
  task.abandon = null;
  task.done = true; // a pending resume finds nothing to do
  if (!running.has(task as Task<unknown>)) task.co.return(result);
  finish(task, result);
}

/** Wait for one wake-up of any of the queues, or until `timeoutMs` have passed. -> false: timed out */
export function* waitOn(sim: Sim, queues: WaitQueue[], timeoutMs = Number.POSITIVE_INFINITY): Co<boolean> {
  let timedOut = false;
  const background = current?.background ?? false;
  yield wake => {
    let timer: SimEvent | null = null;
    const stop = () => {
      cancel(sim, timer);
      for (const q of queues) q.delete(go);
    };
    const go = () => {
      stop();
      wake();
    };
    for (const q of queues) q.add(go);
    if (Number.isFinite(timeoutMs)) {
      const expire = () => {
        timedOut = true;
        go();
      };
      timer = schedule(sim, timeoutMs, expire, background);
    }
    return stop;
  };
  return !timedOut;
}

export function* sleep(sim: Sim, ms: number): Co<void> {
  yield* waitOn(sim, [], ms);
}

/** Wait until the task has ended. -> its result */
export function* join<T>(task: Task<T>): Co<T> {
  while (!task.done) yield* waitOn(task.sim, [task.ended]);
  return task.result as T;
}
