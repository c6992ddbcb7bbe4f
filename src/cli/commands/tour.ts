// The first thing a newcomer sees: a shop on a cluster of its own, a look around, then the same commands at a prompt.

import { join } from 'node:path';
import chalk from 'chalk';
import type { Command } from 'commander';
import { runScript, shellPlace } from '../../shell/programs.ts';
import { newPipe } from '../../sim/pipe.ts';
import { runUntil, settle } from '../../sim/sim.ts';
import { startTask } from '../../sim/task.ts';
import { drive } from '../drive.ts';
import { interactiveShell } from '../interactive.ts';
import { ended } from '../own.ts';
import { shellHost } from '../shell-host.ts';
import { newStreams } from '../streams.ts';
import { openThrowaway } from '../throwaway.ts';

const STEPS = [
  'kubectl get pods -o wide',
  'kubectl get svc',
  'kubectl get endpoints',
  'kubectl exec deploy/frontend -- curl -s http://cart/',
  'kubectl exec deploy/frontend -- curl -s http://localhost:8080/products/',
  'kubectl run look --rm -i --quiet --restart=Never --image=busybox:1.36 -- nslookup product.default.svc.cluster.local',
  'podnet node node-1 -- iptables -t nat -L KUBE-SERVICES -n',
];

export function declare(command: Command): void {
  command.option('--no-prompt', 'end after the look around').action(async (flags: { prompt: boolean }) => ended(await tour(flags.prompt)));
}

async function tour(prompt: boolean): Promise<number> {
  const interactive = prompt && process.stdin.isTTY && process.stdout.isTTY;
  const manifest = join(__dirname, '..', '..', 'manifests', 'shop.yaml');
  const spinner = interactive
    ? (await import('ora')).default({ text: 'a cluster with a shop on it', isEnabled: !!process.stderr.columns }).start()
    : null;
  const machine = await openThrowaway(process.env, [manifest]);
  spinner?.succeed('a cluster of four machines, with a shop on it');
  const streams = newStreams();
  streams.live = true;
  const at = shellPlace(await shellHost(machine, streams, process.env));
  const run = (script: string): number => {
    settle(machine.sim, 30_000);
    const task = startTask(machine.sim, runScript(at, ['bash', '-c', script], { ...streams, stdin: newPipe(), tty: false }));
    runUntil(machine.sim, () => task.done, machine.sim.nowMs + 600_000);
    return task.done ? (task.result as number) : 124;
  };
  let worst = 0;
  for (const step of STEPS) {
    process.stdout.write(`${chalk.bold(`$ ${step}`)}\n`);
    worst ||= run(step);
    process.stdout.write('\n');
  }
  if (!interactive) return worst;
  process.stdout.write('The cluster is yours: kubectl, podnet (try "podnet --help"), curl … work here. Leave with Ctrl-D.\n');
  const shell = await interactiveShell(machine, streams, process.env, ['bash'], new Map([['PS1', chalk.green('podnet$ ')]]));
  await drive([machine.sim], startTask(machine.sim, shell), {
    streams,
    patienceMs: 300_000,
    realtime: process.env.PODNET_REALTIME === '1',
    shared: false,
    publish: () => true,
    follow: () => {},
  });
  return 0;
}
