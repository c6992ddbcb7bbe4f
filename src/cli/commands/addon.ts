import chalk from 'chalk';
import type { Command } from 'commander';
import { ADDONS, addonNamed } from '../../addons/table.ts';
import { kubectlPlan } from '../kubectl-command.ts';
import { currentCluster } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';

export function declare(command: Command): void {
  command
    .command('list')
    .description('the add-ons that podnet has')
    .action(() => {
      const width = Math.max(...ADDONS.map(a => a.name.length));
      for (const a of ADDONS) process.stdout.write(`${chalk.bold(a.name.padEnd(width))}  ${a.version.padEnd(9)}${a.summary}\n`);
    });
  command
    .command('enable')
    .argument('<name>', ADDONS.map(a => a.name).join(', '))
    .description('install one, as kubectl apply of its official manifest does')
    .action(async (name: string) => ended(await change('apply', name)));
  command
    .command('disable')
    .argument('<name>', ADDONS.map(a => a.name).join(', '))
    .description('delete what its manifest made')
    .action(async (name: string) => ended(await change('delete', name)));
}

async function change(verb: 'apply' | 'delete', name: string): Promise<number> {
  const addon = addonNamed(name);
  if (!addon) throw new SessionError(`there is no add-on "${name}"; podnet has ${ADDONS.map(a => a.name).join(', ')}`);
  const flags = verb === 'delete' ? ['--ignore-not-found'] : (addon.flags ?? []);
  const pending = addon.withoutBalancers && currentCluster(await opener()(process.env)).record.config.loadBalancerPool === null;
  const url = pending ? (addon.withoutBalancers as string) : addon.url;
  return runCommand(kubectlPlan([verb, ...flags, '-f', url], process.env), process.env, opener());
}
