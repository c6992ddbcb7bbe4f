import type { Command } from 'commander';
import { connectivity } from '../../netpol/connectivity.ts';
import { writeConnectivity } from '../../netpol/connectivity-json.ts';
import { allPorts, isEmpty, type PortSet, PROTOCOLS, sameSet } from '../../netpol/ports.ts';
import { writePipe } from '../../sim/pipe.ts';
import { currentCluster } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';

export function declare(command: Command): void {
  command.option('-o, --output <format>', 'json; otherwise a table of workloads').action(async (flags: { output?: string }) => {
    if (flags.output !== undefined && flags.output !== 'json') {
      process.stderr.write(`podnet: unknown output format "${flags.output}", allowed: json\n`);
      return ended(1);
    }
    ended(
      await runCommand(
        {
          time: 'settle',
          engine: false,
          patienceMs: 0,
          prepare: async (machine, streams) => {
            const report = connectivity(currentCluster(machine).server);
            const table = flags.output === 'json' ? null : await import('../connectivity-table.ts');
            return (function* () {
              if (table) writePipe(streams.stdout, table.connectivityTable(report));
              else writeConnectivity(report, piece => writePipe(streams.stdout, piece));
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

export function portsText(s: PortSet): string {
  if (sameSet(s, allPorts())) return 'all';
  if (isEmpty(s)) return 'none';
  return PROTOCOLS.filter(p => s[p].length)
    .map(
      p =>
        `${p} ${s[p].length === 1 && s[p][0][0] === 1 && s[p][0][1] === 65535 ? 'all' : s[p].map(([a, b]) => (a === b ? a : `${a}-${b}`)).join(',')}`,
    )
    .join('; ');
}
