// What a kubectl command needs that goes on until it is interrupted: it listens on the user's machine, or looks on.
import { newSim } from '../sim/sim.ts';
import { killTask, type Task } from '../sim/task.ts';
import type { Staying } from './kubectl-host.ts';
import { drained, hostListen } from './listen.ts';
import type { OwnWatch } from './live.ts';
import { liveConnection, newLive, runLive } from './live.ts';
import { type OwnLog, showLogs } from './live-logs.ts';
import type { Machine } from './machine.ts';
import { followCommits, lookOn } from './onlooker.ts';
import { newHistory } from './serve/history.ts';
import { hostServeApi } from './serve/proxy.ts';

export interface Stay {
  staying: Staying;
  until: (task: Task<number>) => Promise<void>;
}

/** What a shell calls the end by these signals. */
const INTERRUPTED = 130;
const TERMINATED = 143;

/** `listens`: kubectl port-forward takes an interrupt for the end of its work, not for a failure (pkg/cmd/portforward v0.36.3). */
export async function beginStay(machine: Machine, env: NodeJS.ProcessEnv, listens: boolean): Promise<Stay> {
  const client = newSim(machine.sim.nowMs, { ...machine.sim.random });
  const live = await newLive(machine, client, env);
  const watches = new Set<OwnWatch>();
  const logs = new Set<OwnLog>();
  const until = async (task: Task<number>) => {
    const stop = (code: number) => () => {
      killTask(task, code);
      live.kick();
    };
    const [interrupt, terminate] = [stop(listens ? 0 : INTERRUPTED), stop(TERMINATED)];
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', terminate);
    if (!listens) {
      const looker = { history: newHistory(machine.session), restless: false, aheadMs: 0 };
      followCommits(live, looker.history, watches);
      live.turn = () => {
        lookOn(live, looker, false);
        showLogs(logs);
      };
    }
    await runLive(live, () => task.done);
    await drained();
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', terminate);
  };
  return {
    staying: {
      sim: client,
      connect: name => liveConnection(live, name, watches, logs),
      listen: hostListen(live),
      serveApi: hostServeApi(live),
    },
    until,
  };
}
