import type { Command } from 'commander';
import { ended } from '../own.ts';
import { runOnNode } from './node.ts';

export function declare(command: Command): void {
  command
    .argument('[args...]', "iptables' own arguments")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => ended(await runOnNode(nodes => nodes[1] ?? nodes[0], ['iptables', ...args])));
}
