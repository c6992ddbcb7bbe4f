import type { Command } from 'commander';
import { nodePlace, runAt } from '../../cluster/exec.ts';
import { currentCluster, engineOf } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';

export function declare(command: Command): void {
  command
    .argument('<node>', "the node's name")
    .argument('<cmd...>', 'command and arguments, behind --')
    .passThroughOptions()
    .action(async (name: string, argv: string[]) => ended(await runOnNode(() => name, behindDashes(argv))));
}

/** The arguments of a command behind `--`. */
export const behindDashes = (argv: string[]): string[] => (argv[0] === '--' ? argv.slice(1) : argv);

/** `pick` names the node once the cluster is known. */
export function runOnNode(pick: (nodes: string[]) => string, argv: string[]): Promise<number> {
  return runCommand(
    {
      time: 'settle',
      engine: true,
      patienceMs: 300_000,
      prepare: async (machine, streams) => {
        const engine = engineOf(machine, currentCluster(machine));
        const name = pick([...engine.nodes.keys()]);
        const place = nodePlace(engine, name);
        if (!place) throw new SessionError(`there is no node "${name}"; there are ${[...engine.nodes.keys()].join(', ')}`);
        return runAt(place, argv, { ...streams, tty: streams.stdin.tty && streams.stdout.tty });
      },
    },
    process.env,
    opener(),
  );
}
