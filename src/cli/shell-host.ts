import type { Connection } from '../kubectl/host.ts';
import { loadAllVerbs } from '../kubectl/main.ts';
import { placeOnMachines } from '../shell/machine-kubectl.ts';
import type { ShellHost } from '../shell/programs.ts';
import { kubectlHost } from './kubectl-host.ts';
import { connectionFor, currentCluster, engineOf, type Machine } from './machine.ts';
import type { Streams } from './streams.ts';

/** kubectl and podnet for a shell inside the simulation; files are the user's own. */
export async function shellHost(
  machine: Machine,
  streams: Streams,
  env: NodeJS.ProcessEnv,
  rawTerminal?: (on: boolean) => void,
): Promise<ShellHost> {
  await loadAllVerbs();
  const { ownCommand } = await import('./inside.ts');
  return {
    own: p => ownCommand(machine, p),
    engine: () => engineOf(machine, currentCluster(machine)),
    connection: () => serverOf(machine),
    kubectlHost: p => ({
      ...kubectlHost(machine, { ...streams, stdin: p.stdin, stdout: p.stdout, stderr: p.stderr }, env),
      env: { ...env, ...Object.fromEntries(p.env) },
      ...(rawTerminal && { rawTerminal }),
    }),
  };
}

/** The current cluster's server as its machines reach it: what the user's kubectl remembers of it is not theirs. */
function serverOf(machine: Machine): Connection {
  const cluster = currentCluster(machine);
  return connectionFor(cluster.server, () => void engineOf(machine, cluster));
}

/** kubectl on the machines of the current cluster. */
export async function placeKubectl(machine: Machine): Promise<void> {
  await loadAllVerbs();
  placeOnMachines(engineOf(machine, currentCluster(machine)), serverOf(machine));
}
