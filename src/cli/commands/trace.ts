import chalk from 'chalk';
import type { Command } from 'commander';
import { type Journey, parseTarget, travel } from '../../cluster/journey.ts';
import type { TraceStep } from '../../linux/types.ts';
import { writePipe } from '../../sim/pipe.ts';
import { formatIp } from '../../wire/ip.ts';
import { currentCluster, engineOf } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';

export function declare(command: Command): void {
  command
    .argument('<pod>', 'the pod that connects, as NAME or NAMESPACE/NAME')
    .argument('<target>', 'http://HOST[:PORT]/PATH or HOST:PORT')
    .option('-n, --namespace <name>', "the pod's namespace", 'default')
    .option('-o, --output <format>', 'json: the journey as a value')
    .option('--all', 'every packet, not only the first one and its answer')
    .action(async (pod: string, target: string, flags: { namespace: string; output?: string; all?: boolean }) => {
      const to = parseTarget(target);
      if (!to) throw new SessionError(`"${target}" is neither http://HOST[:PORT]/PATH nor HOST:PORT`);
      if (flags.output !== undefined && flags.output !== 'json')
        throw new SessionError(`unknown output format "${flags.output}", allowed: json`);
      const [namespace, name] = pod.includes('/') ? pod.split('/') : [flags.namespace, pod];
      ended(
        await runCommand(
          {
            time: 'settle',
            engine: true,
            patienceMs: 300_000,
            prepare: async (machine, streams) => {
              const engine = engineOf(machine, currentCluster(machine));
              return (function* () {
                const journey = yield* travel(engine, namespace, name, to);
                if (typeof journey === 'string') {
                  writePipe(streams.stderr, `podnet: ${journey}\n`);
                  return 1;
                }
                writePipe(
                  streams.stdout,
                  flags.output === 'json' ? `${JSON.stringify(journey, plain, 1)}\n` : told(journey, flags.all ?? false),
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

function told(j: Journey, all: boolean): string {
  const out: string[] = [];
  if (j.lookup) {
    const { name, addresses, error, steps } = j.lookup;
    out.push(chalk.bold(`name      ${name} -> ${error ?? addresses.join(', ')}`));
    out.push(...steps.filter(s => all || isTelling(s) || (error !== null && s.kind === 'send')).map(line));
  }
  if (j.address) {
    out.push(chalk.bold(`connect   ${j.address}:${j.to.port}`));
    const end = all ? j.steps.length : firstExchange(j.steps);
    out.push(...j.steps.slice(0, end).map(line));
    if (end < j.steps.length) out.push(chalk.dim(`          … ${j.steps.length - end} more steps of later packets (--all)`));
  }
  const odds = j.odds < 1 ? `, one of several ways it could have gone (${(100 * j.odds).toFixed(1)} %)` : '';
  out.push(chalk.bold(`verdict   ${j.verdict}${j.answer ? `: ${j.answer}` : ''}${odds}`));
  if (j.verdict !== 'connected') {
    const why = [...j.steps, ...(j.lookup?.steps ?? [])].reverse().find(s => s.kind === 'drop' || s.kind === 'reject');
    if (why) out.push(`because   ${why.at}: ${why.text}${why.detail?.rule ? ` (${why.detail.rule})` : ''}`);
  }
  return `${out.join('\n')}\n`;
}

const isTelling = (s: TraceStep) => s.kind === 'nat' || s.kind === 'deliver' || s.kind === 'drop' || s.kind === 'reject';

function firstExchange(steps: TraceStep[]): number {
  const at = steps.findIndex(s => s.kind === 'socket');
  return at < 0 ? steps.length : at + 1;
}

const line = (s: TraceStep) => `  ${s.kind.padEnd(8)}${s.at.padEnd(34)} ${s.text}`;
