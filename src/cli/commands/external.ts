import type { Command } from 'commander';
import { externalPlace } from '../../cluster/exec.ts';
import { parseIp } from '../../wire/ip.ts';
import { currentCluster, engineOf } from '../machine.ts';
import { ended } from '../own.ts';
import { SessionError } from '../session.ts';
import { behindDashes, runOnMachine } from './node.ts';

export function declare(command: Command): void {
  command
    .option('--ip <address>', "the host's address on the nodes' network")
    .argument('<cmd...>', 'command and arguments, behind --')
    .passThroughOptions()
    .action(async (argv: string[], options: { ip?: string }) => {
      if (options.ip !== undefined && !parseIp(options.ip)) throw new SessionError(`--ip: "${options.ip}" is not an IP address`);
      ended(await runOnMachine(machine => externalPlace(engineOf(machine, currentCluster(machine)), options.ip), behindDashes(argv)));
    });
}
