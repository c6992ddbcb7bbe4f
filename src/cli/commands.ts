// podnet's own commands, in the order `podnet --help` shows them. Everything else on the command line is kubectl's.
import type { Command } from 'commander';
import type { Process } from '../linux/types.ts';
import type { Co } from '../sim/task.ts';
import type { Machine } from './machine.ts';

export interface CommandRow {
  name: string;
  summary: string;
  load: () => Promise<{ declare: (command: Command) => void }>;
}

/** One that can also be run inside of a podnet shell, over its machine and clock. */
export interface Inside {
  words: (command: Command) => Command;
  run: (machine: Machine, args: any[], p: Process) => Co<number>;
}

export const COMMANDS: CommandRow[] = [
  { name: 'tour', summary: 'start a shop on a fresh cluster, look around, and stay at a prompt', load: () => import('./commands/tour.ts') },
  { name: 'cluster', summary: 'create, reset or delete a cluster', load: () => import('./commands/cluster.ts') },
  { name: 'addon', summary: 'install an add-on: metallb, ingress-nginx …', load: () => import('./commands/addon.ts') },
  { name: 'node', summary: 'run a command on a node: podnet node node-1 -- ip route', load: () => import('./commands/node.ts') },
  { name: 'iptables', summary: 'iptables on the first worker', load: () => import('./commands/iptables.ts') },
  { name: 'external', summary: 'run a command on a host outside the cluster', load: () => import('./commands/external.ts') },
  { name: 'fault', summary: 'break something as it breaks in reality, and mend it again', load: () => import('./commands/fault.ts') },
  { name: 'trace', summary: 'tell the journey of one connection, hop by hop', load: () => import('./commands/trace.ts') },
  { name: 'connectivity', summary: 'what the policies allow between all pods', load: () => import('./commands/connectivity.ts') },
  { name: 'probe', summary: 'ask for every possible outcome of many connections', load: () => import('./commands/probe.ts') },
  { name: 'debug', summary: 'show what podnet has built (topology)', load: () => import('./commands/debug.ts') },
  { name: 'env', summary: 'what your shell needs: eval "$(podnet env)"', load: () => import('./commands/env.ts') },
  { name: 'lab', summary: "run a lab in killercoda's layout, with a report", load: () => import('./commands/lab.ts') },
  { name: 'sh', summary: 'run a shell script over one cluster, in one process and one clock', load: () => import('./commands/sh.ts') },
  { name: 'serve', summary: 'the API over HTTPS on the loopback, for a real kubectl', load: () => import('./commands/serve.ts') },
  {
    name: 'support',
    summary: 'what is modelled, what is kept without acting, what is not there',
    load: () => import('./commands/support.ts'),
  },
];
