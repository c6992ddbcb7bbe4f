// What a kubectl command needs that listens on the user's machine until it is interrupted.
import { newSim } from '../sim/sim.ts';
import { killTask, type Task } from '../sim/task.ts';
import type { Staying } from './kubectl-host.ts';
import { drained, hostListen } from './listen.ts';
import { liveConnection, newLive, runLive } from './live.ts';
import type { Machine } from './machine.ts';

export interface Stay {
  staying: Staying;
  until: (task: Task<number>) => Promise<void>;
}

/** What a shell calls the end by this signal. */
const TERMINATED = 143;

export async function beginStay(machine: Machine, env: NodeJS.ProcessEnv): Promise<Stay> {
  const client = newSim(machine.sim.nowMs, { ...machine.sim.random });
  const live = await newLive(machine, client, env);
  const until = async (task: Task<number>) => {
    // kubectl port-forward takes an interrupt for the end of its work, not for a failure (pkg/cmd/portforward v0.36.3).
    const stop = (code: number) => () => {
      killTask(task, code);
      live.kick();
    };
    const [interrupt, terminate] = [stop(0), stop(TERMINATED)];
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', terminate);
    await runLive(live, () => task.done);
    await drained();
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', terminate);
  };
  return { staying: { sim: client, connect: name => liveConnection(live, name), listen: hostListen(live) }, until };
}
