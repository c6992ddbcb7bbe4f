import type { Command } from 'commander';
import { nodePlace, type Place, runAt, signalAll } from '../../cluster/exec.ts';
import type { Process } from '../../linux/types.ts';
import { currentCluster, engineOf, type Machine } from '../machine.ts';
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

/** Tools that start no other program, nor show which there are: kubectl need not be loaded for them. */
const STARTS_NOTHING =
  /^(ip(?! netns exec)|ss|bridge|ip6?tables(-save|-restore)?|ipset|ipvsadm|nft|conntrack|tcpdump|sysctl|curl|ping|dig|nslookup|nc|cat|head|journalctl|systemctl|crictl) /;

/** Run a command on a machine of the cluster's surroundings, as its terminal would: interrupts reach it. */
export function runOnMachine(find: (machine: Machine) => Place, argv: string[]): Promise<number> {
  let running: Process | null = null;
  return runCommand(
    {
      time: 'settle',
      engine: true,
      patienceMs: 300_000,
      prepare: async (machine, streams) => {
        if (!STARTS_NOTHING.test(argv.join(' '))) await (await import('../shell-host.ts')).placeKubectl(machine);
        return runAt(find(machine), argv, {
          ...streams,
          tty: streams.stdin.tty && streams.stdout.tty,
          started: p => {
            running = p;
          },
        });
      },
      signal: name => {
        if (running) signalAll(running, name);
        return running !== null;
      },
    },
    process.env,
    opener(),
  );
}

/** `pick` names the node once the cluster is known. */
export const runOnNode = (pick: (nodes: string[]) => string, argv: string[]): Promise<number> =>
  runOnMachine(machine => {
    const engine = engineOf(machine, currentCluster(machine));
    const name = pick([...engine.nodes.keys()]);
    const place = nodePlace(engine, name);
    if (!place) throw new SessionError(`there is no node "${name}"; there are ${[...engine.nodes.keys()].join(', ')}`);
    return place;
  }, argv);
