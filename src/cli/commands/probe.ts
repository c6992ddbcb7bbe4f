import * as fs from 'node:fs';
import type { Command } from 'commander';
import { type ProbeSpec, probe } from '../../cluster/probe.ts';
import { writePipe } from '../../sim/pipe.ts';
import { currentCluster, engineOf } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { SessionError } from '../session.ts';

export function declare(command: Command): void {
  command
    .requiredOption(
      '--file <probes.json>',
      '[{id, from, to, proto, port, count}] or {"probes": [...]}; from and to: pod:ns/name, node:name, external:client, address:port',
    )
    .option('-o, --output <format>', 'json', 'json')
    .action(async (flags: { file: string }) => {
      const specs = read(flags.file);
      ended(
        await runCommand(
          {
            time: 'settle',
            engine: true,
            patienceMs: 0,
            prepare: async (machine, streams) => {
              // Looking must not change what is looked at: nothing of these attempts is kept.
              machine.throwaway = true;
              const engine = engineOf(machine, currentCluster(machine));
              const probes = specs.map(s => probe(engine, s));
              return (function* () {
                writePipe(streams.stdout, `${JSON.stringify({ probes }, null, 1)}\n`);
                return 0;
              })();
            },
          },
          process.env,
          opener(),
        ),
      );
    });
}

function read(path: string): ProbeSpec[] {
  let doc: unknown;
  try {
    doc = JSON.parse(fs.readFileSync(path, 'utf8'));
  } catch (e) {
    throw new SessionError(`${path}: ${(e as Error).message}`);
  }
  const list = Array.isArray(doc) ? doc : (doc as { probes?: unknown })?.probes;
  if (!Array.isArray(list)) throw new SessionError(`${path}: expected a list of probes`);
  return list as ProbeSpec[];
}
