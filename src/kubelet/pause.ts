import { cancel, type Sim, schedule } from '../sim/sim.ts';
import type { Co, WaitQueue } from '../sim/task.ts';

/** Sleep. `background`: the cluster may be called quiet meanwhile (a back-off, the period of a probe). */
export function* pause(sim: Sim, ms: number, background: boolean, queue?: WaitQueue): Co<void> {
  yield wake => {
    let over = false;
    const go = () => {
      if (over) return;
      over = true;
      queue?.delete(go);
      cancel(sim, timer);
      wake();
    };
    const timer = schedule(sim, ms, go, background);
    queue?.add(go);
    return () => {
      over = true;
      queue?.delete(go);
      cancel(sim, timer);
    };
  };
}
