import type { Command } from 'commander';
import { parseTarget, travel } from '../../cluster/journey.ts';
import { writePipe } from '../../sim/pipe.ts';
import { formatIp } from '../../wire/ip.ts';
import { journeyText } from '../journey-text.ts';
import { currentCluster, currentNamespace, engineOf } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { podOfWord } from '../pod-word.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';

export function declare(command: Command): void {
  command
    .argument('<pod>', 'the pod that connects: NAME, NAMESPACE/NAME, or TYPE/NAME as deploy/web')
    .argument('<target>', 'http://HOST[:PORT]/PATH or HOST:PORT')
    .option('-n, --namespace <name>', "the pod's namespace (default: the current context's)")
    .option('-o, --output <format>', 'json: the journey as a value')
    .option('--all', 'every rule and packet, not only what decided and the first packet with its answer')
    .action(async (pod: string, target: string, flags: { namespace?: string; output?: string; all?: boolean }) => {
      const to = parseTarget(target);
      if (!to) throw new SessionError(`"${target}" is neither http://HOST[:PORT]/PATH nor HOST:PORT`);
      if (flags.output !== undefined && flags.output !== 'json')
        throw new SessionError(`unknown output format "${flags.output}", allowed: json`);
      ended(
        await runCommand(
          {
            time: 'settle',
            engine: true,
            patienceMs: 300_000,
            prepare: async (machine, streams) => {
              const cluster = currentCluster(machine);
              const engine = engineOf(machine, cluster);
              const from = podOfWord(cluster.server, flags.namespace ?? currentNamespace(machine), pod);
              return (function* () {
                const journey = typeof from === 'string' ? from : yield* travel(engine, from.namespace, from.name, to);
                if (typeof journey === 'string') {
                  writePipe(streams.stderr, `podnet: ${journey}\n`);
                  return 1;
                }
                writePipe(
                  streams.stdout,
                  flags.output === 'json' ? `${JSON.stringify(journey, plain, 1)}\n` : journeyText(journey, flags.all ?? false),
                );
                return journey.verdict === 'connected' ? 0 : 1;
              })();
            },
          },
          process.env,
          opener(),
        ),
      );
    });
}

/** Addresses as text, payloads as their length. */
function plain(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return key === 'data' ? value.length : formatIp(value);
  return value;
}
