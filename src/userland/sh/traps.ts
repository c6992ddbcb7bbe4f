// trap: what a shell does when a signal arrives, and when it ends.
import type { Co } from '../../sim/task.ts';
import { type WaitQueue, wakeAll } from '../../sim/task.ts';
import { runText } from './script.ts';
import type { Shell } from './types.ts';

const arrivals = new WeakMap<object, WaitQueue>();

/** Woken when a trapped signal arrives: `wait` and `read` end then. */
export function signalQueue(sh: Shell): WaitQueue {
  let queue = arrivals.get(sh.p);
  if (!queue) {
    queue = new Set();
    arrivals.set(sh.p, queue);
  }
  return queue;
}

export function setTrap(sh: Shell, signal: string, action: string | null): void {
  if (action === null) {
    sh.traps.delete(signal);
    sh.p.onSignal.delete(signal);
    return;
  }
  sh.traps.set(signal, action);
  if (signal === 'EXIT' || signal === 'ERR' || signal === 'DEBUG' || signal === 'RETURN') return;
  sh.p.onSignal.set(signal, () => {
    if (!action) return;
    sh.pending.push(signal);
    wakeAll(signalQueue(sh));
  });
}

/** Run the actions of the signals that have arrived, between two commands. */
export function* runTraps(sh: Shell): Co<void> {
  while (sh.pending.length && !sh.flow) {
    const action = sh.traps.get(sh.pending.shift() as string);
    if (!action) continue;
    yield* runAction(sh, action);
  }
}

/** A trap's commands: they leave $? as it was. */
function* runAction(sh: Shell, action: string): Co<void> {
  const { status, line, inTrap, lastWord } = sh;
  sh.inTrap = true;
  sh.depth++;
  yield* runText(sh, action);
  sh.depth--;
  sh.inTrap = inTrap;
  sh.lastWord = lastWord;
  sh.line = line;
  if (!sh.flow) sh.status = status;
}

/** ERR, DEBUG and RETURN: what happens in the action does not call it again. */
export function* runHook(sh: Shell, name: 'ERR' | 'DEBUG' | 'RETURN'): Co<void> {
  const action = sh.traps.get(name);
  if (!action || sh.inTrap) return;
  sh.guarded++;
  yield* runAction(sh, action);
  sh.guarded--;
}

/** The end of a shell: its EXIT trap may change the status. */
export function* runExitTrap(sh: Shell, code: number): Co<number> {
  const action = sh.traps.get('EXIT');
  if (!action) return code;
  sh.traps.delete('EXIT');
  sh.flow = null;
  sh.status = code;
  sh.inTrap = true;
  yield* runText(sh, action);
  return (sh.flow as Shell['flow'])?.kind === 'exit' ? sh.status : code;
}
