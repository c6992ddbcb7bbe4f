import type { Command } from 'commander';
import { topology } from '../../cluster/topology.ts';
import { writePipe } from '../../sim/pipe.ts';
import { kubectlPlan } from '../kubectl-command.ts';
import { currentCluster, engineOf } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { preferring } from '../preferences.ts';
import { runCommand } from '../run.ts';

/** `podnet debug topology` is ours; every other `podnet debug ...` is kubectl's verb. */
export function declare(command: Command): void {
  command
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[args...]')
    .action(async (args: string[]) => {
      if (args[0] !== 'topology') {
        const { env } = process;
        return ended(await preferring(['debug', ...args], env, words => runCommand(kubectlPlan(words, env), env, opener())));
      }
      ended(
        await runCommand(
          {
            time: 'settle',
            engine: true,
            patienceMs: 0,
            prepare: async (machine, streams) => {
              machine.throwaway = true;
              const report = topology(engineOf(machine, currentCluster(machine)));
              return (function* () {
                writePipe(streams.stdout, `${JSON.stringify(report, null, 1)}\n`);
                return 0;
              })();
            },
          },
          process.env,
          opener(),
        ),
      );
    });
}
