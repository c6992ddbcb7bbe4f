// Making a cluster: boot it from nothing in virtual time, and take what it has become as the session's first state.
import type { Change } from '../apiserver/types.ts';
import { type ClusterConfig, clusterConfig } from '../cluster/config.ts';
import { bootCluster, saveEngine } from '../cluster/engine.ts';
import { fork, newRandom } from '../sim/random.ts';
import { newSim } from '../sim/sim.ts';
import { type ClusterHandle, machineChanges, newServer } from './machine.ts';

/** A cluster that was made this long ago: nodes and system pods have an age, as on a machine one comes back to. */
const BORN_BEFORE_MS = 10 * 60_000;

export function newMachineChanges(wallMs: number, seed: number, config: ClusterConfig = clusterConfig()): Change[] {
  const random = newRandom(seed);
  const sim = newSim(wallMs - BORN_BEFORE_MS, random);
  const handle = bornCluster(sim, config);
  sim.nowMs = Math.max(sim.nowMs, wallMs);
  return machineChanges(sim, wallMs, handle, saveEngine(handle.engine!));
}

export function bornCluster(sim: ReturnType<typeof newSim>, config: ClusterConfig): ClusterHandle {
  const server = newServer(sim, config, fork(sim.random, `apiserver ${config.name}`));
  const engine = bootCluster(server, config);
  return {
    name: config.name,
    record: { config, random: server.random, revision: server.store.revision, quiet: sim.foreground === 0 },
    server,
    engine,
  };
}
