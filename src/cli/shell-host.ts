import { loadAllVerbs } from '../kubectl/main.ts';
import type { ShellHost } from '../shell/programs.ts';
import { kubectlHost } from './kubectl-host.ts';
import { currentCluster, engineOf, type Machine } from './machine.ts';
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
    kubectlHost: p => ({
      ...kubectlHost(machine, { ...streams, stdin: p.stdin, stdout: p.stdout, stderr: p.stderr }, env),
      env: { ...env, ...Object.fromEntries(p.env) },
      ...(rawTerminal && { rawTerminal }),
    }),
  };
}
