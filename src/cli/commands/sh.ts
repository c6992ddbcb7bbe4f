import type { Command } from 'commander';
import { runScript, shellPlace } from '../../shell/programs.ts';
import { interactiveShell } from '../interactive.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { shellHost } from '../shell-host.ts';
import { isTerminal } from '../terminal.ts';

export function declare(command: Command): void {
  command
    .option('-c <script>', 'the script; without it standard input is read')
    .argument('[args...]', '$0, $1 …')
    .passThroughOptions()
    .action(async (args: string[], flags: { c?: string }) => {
      ended(
        await runCommand(
          {
            time: 'settle',
            engine: true,
            patienceMs: 300_000,
            shared: flags.c !== undefined || !isTerminal(0) || !isTerminal(1),
            prepare: async (machine, streams) => {
              const tty = streams.stdin.tty && streams.stdout.tty;
              if (tty && flags.c === undefined) return await interactiveShell(machine, streams, process.env, ['bash', '-s', ...args]);
              const at = shellPlace(await shellHost(machine, streams, process.env));
              const argv = flags.c === undefined ? ['bash', '-s', ...args] : ['bash', '-c', flags.c, ...args];
              return runScript(at, argv, { ...streams, tty });
            },
          },
          process.env,
          opener(),
        ),
      );
    });
}
