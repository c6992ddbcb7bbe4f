import type { Command } from 'commander';
import { externalPlace, runAt } from '../../cluster/exec.ts';
import { parseIp } from '../../wire/ip.ts';
import { currentCluster, engineOf } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';
import { behindDashes } from './node.ts';

export function declare(command: Command): void {
  command
    .option('--ip <address>', "the host's address on the nodes' network")
    .argument('<cmd...>', 'command and arguments, behind --')
    .passThroughOptions()
    .action(async (argv: string[], options: { ip?: string }) => {
      if (options.ip !== undefined && !parseIp(options.ip)) throw new SessionError(`--ip: "${options.ip}" is not an IP address`);
      ended(
        await runCommand(
          {
            time: 'settle',
            engine: true,
            patienceMs: 300_000,
            prepare: async (machine, streams) => {
              const place = externalPlace(engineOf(machine, currentCluster(machine)), options.ip);
              return runAt(place, behindDashes(argv), { ...streams, tty: streams.stdin.tty && streams.stdout.tty });
            },
          },
          process.env,
          opener(),
        ),
      );
    });
}
