import type { Command } from 'commander';
import { FAULTS, type Fault, type FaultStep, faultSteps } from '../../cluster/faults.ts';
import { print, runChild } from '../../linux/process.ts';
import { runScript, shellPlace } from '../../shell/programs.ts';
import type { Inside } from '../commands.ts';
import { currentCluster, engineOf, type Machine } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';
import { shellHost } from '../shell-host.ts';

const words = (command: Command): Command =>
  command
    .argument('[fault]', 'its name; without one, the faults there are')
    .argument('[args...]', 'nodes, and what the fault is about')
    .option('--heal', 'end it');

export function declare(command: Command): void {
  words(command).action(async (name: string | undefined, args: string[], flags: { heal?: boolean }) => {
    if (name === undefined) process.stdout.write(listing());
    else ended(await runFault(name, args, flags.heal ?? false));
  });
}

/** In a shell its commands are that shell's. */
export const inside: Inside = {
  words,
  run: function* (machine, [name, args, flags], p) {
    if (name === undefined) {
      print(p, listing());
      return 0;
    }
    const script = scriptOf(stepsOf(machine, faultNamed(name), args, flags.heal ?? false));
    return yield* runChild(p, ['bash', '-c', script]);
  },
};

function listing(): string {
  const rows = FAULTS.map(f => [`podnet fault ${f.name}${f.usage ? ` ${f.usage}` : ''}`, f.summary]);
  const width = Math.max(...rows.map(r => r[0].length)) + 3;
  return `${rows.map(([head, summary]) => head.padEnd(width) + summary).join('\n')}\n\nWith --heal it is undone.\n`;
}

const quoted = (word: string): string => (/^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Each command is shown as it would be typed, then run: `node-1# ip link set eth0 down`. */
function scriptOf(steps: FaultStep[]): string {
  return steps
    .map(({ node, argv }) => {
      const words = argv.map(quoted).join(' ');
      const shown = node ? `${node}# ${words}` : `$ kubectl ${words}`;
      return `echo ${quoted(shown)}\n${node ? `podnet node ${node} -- ${words}` : `kubectl ${words}`} || exit $?\n`;
    })
    .join('');
}

function faultNamed(name: string): Fault {
  const fault = FAULTS.find(f => f.name === name);
  if (!fault) throw new SessionError(`there is no fault "${name}"; there are ${FAULTS.map(f => f.name).join(', ')}`);
  return fault;
}

function stepsOf(machine: Machine, fault: Fault, args: string[], heal: boolean): FaultStep[] {
  const { nodes, config } = engineOf(machine, currentCluster(machine));
  const podCIDRs = (name: string) => nodes.get(name)?.spec.podCIDRs ?? [];
  const steps = faultSteps([...nodes.keys()], fault, args, heal, { cni: config.cni.name, podCIDRs });
  if (typeof steps === 'string') throw new SessionError(steps);
  return steps;
}

function runFault(name: string, args: string[], heal: boolean): Promise<number> {
  const fault = faultNamed(name);
  return runCommand(
    {
      time: 'settle',
      engine: true,
      patienceMs: 300_000,
      prepare: async (machine, streams) => {
        const script = scriptOf(stepsOf(machine, fault, args, heal));
        const at = shellPlace(await shellHost(machine, streams, process.env));
        return runScript(at, ['bash', '-c', script], { ...streams, tty: false });
      },
    },
    process.env,
    opener(),
  );
}
