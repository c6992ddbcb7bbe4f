import type { Command } from 'commander';
import { parseTarget, type Target, travel } from '../../cluster/journey.ts';
import { type Pipe, writePipe } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp } from '../../wire/ip.ts';
import type { Inside } from '../commands.ts';
import { journeyText } from '../journey-text.ts';
import { currentCluster, currentNamespace, engineOf, type Machine } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { podOfWord } from '../pod-word.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';

interface Flags {
  namespace?: string;
  output?: string;
  all?: boolean;
}

const words = (command: Command): Command =>
  command
    .argument('<pod>', 'the pod that connects: NAME, NAMESPACE/NAME, or TYPE/NAME as deploy/web')
    .argument('<target>', 'http://HOST[:PORT]/PATH or HOST:PORT')
    .option('-n, --namespace <name>', "the pod's namespace (default: the current context's)")
    .option('-o, --output <format>', 'json: the journey as a value')
    .option('--all', 'every rule and packet, not only what decided and the first packet with its answer');

export function declare(command: Command): void {
  words(command).action(async (pod: string, target: string, flags: Flags) => {
    const to = targetOf(target, flags);
    ended(
      await runCommand(
        {
          time: 'settle',
          engine: true,
          patienceMs: 300_000,
          prepare: async (machine, streams) => traced(machine, pod, to, flags, streams),
        },
        process.env,
        opener(),
      ),
    );
  });
}

export const inside: Inside = {
  words,
  run: (machine, [pod, target, flags], p) => traced(machine, pod, targetOf(target, flags), flags, p),
};

function targetOf(text: string, flags: Flags): Target {
  const to = parseTarget(text);
  if (!to) throw new SessionError(`"${text}" is neither http://HOST[:PORT]/PATH nor HOST:PORT`);
  if (flags.output !== undefined && flags.output !== 'json')
    throw new SessionError(`unknown output format "${flags.output}", allowed: json`);
  return to;
}

function* traced(machine: Machine, pod: string, to: Target, flags: Flags, io: { stdout: Pipe; stderr: Pipe }): Co<number> {
  const cluster = currentCluster(machine);
  const from = podOfWord(cluster.server, flags.namespace ?? currentNamespace(machine), pod);
  const journey = typeof from === 'string' ? from : yield* travel(engineOf(machine, cluster), from.namespace, from.name, to);
  if (typeof journey === 'string') {
    writePipe(io.stderr, `podnet: ${journey}\n`);
    return 1;
  }
  writePipe(
    io.stdout,
    flags.output === 'json' ? `${JSON.stringify(journey, plain, 1)}\n` : journeyText(journey, flags.all ?? false, io.stdout.tty),
  );
  return journey.verdict === 'connected' ? 0 : 1;
}

/** Addresses as text, payloads as their length. */
function plain(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return key === 'data' ? value.length : formatIp(value);
  return value;
}
