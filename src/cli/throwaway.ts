// `podnet --with PATH ...`: a machine in memory, made of manifests, gone after one command.
import { type ClusterConfig, clusterConfig } from '../cluster/config.ts';
import { prepareKubectl } from '../kubectl/main.ts';
import { newRandom } from '../sim/random.ts';
import { newSim, runUntil, settle } from '../sim/sim.ts';
import { startTask } from '../sim/task.ts';
import { bornCluster } from './create.ts';
import { podnetHome } from './home.ts';
import { kubectlHost } from './kubectl-host.ts';
import { defaultKubeconfig, loadEngine, type Machine, seedOf, wallClock } from './machine.ts';
import { SessionError } from './session.ts';
import { newStreams } from './streams.ts';

export async function openThrowaway(env: NodeJS.ProcessEnv, paths: string[], config: ClusterConfig = clusterConfig()): Promise<Machine> {
  await loadEngine();
  const wallMs = wallClock(env);
  const random = newRandom(seedOf(env));
  const sim = newSim(wallMs, random);
  const handle = bornCluster(sim, config);
  const machine: Machine = {
    home: podnetHome(env),
    session: { dir: '', epoch: '', generation: 0, seq: 0, bytes: 0, overlay: new Map(), snapshots: new Map() },
    meta: { offsetMs: 0, lastMs: sim.nowMs, random },
    sim,
    wallNowMs: () => wallClock(env),
    clusters: new Map([[handle.name, handle]]),
    kubeconfig: defaultKubeconfig(config),
    kubeconfigChanged: false,
    discovery: new Map(),
    before: { nowMs: 0, random: '' },
    throwaway: true,
  };
  for (const path of paths) {
    const streams = newStreams();
    const host = { ...kubectlHost(machine, streams, env), places: true };
    const task = startTask(sim, await prepareKubectl(['apply', '-R', '-f', path], host));
    runUntil(sim, () => task.done);
    if (task.result !== 0) {
      const errors = streams.held.filter(h => h.fd === 2).map(h => Buffer.from(h.chunk).toString());
      throw new SessionError(`--with ${path}: ${errors.join('').trim()}`);
    }
  }
  settle(sim, 30_000);
  return machine;
}
