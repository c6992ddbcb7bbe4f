import { COMMANDS } from './commands.ts';

export function printHelp(): number {
  const width = Math.max(...COMMANDS.map(c => c.name.length));
  const rows = COMMANDS.map(c => `  ${c.name.padEnd(width)}  ${c.summary}`).join('\n');
  process.stdout.write(`podnet: a flight simulator for Kubernetes networking.

Usage:
  podnet [--with PATH]... [--realtime] COMMAND [ARGS]
  podnet KUBECTL-VERB [ARGS]      get, apply, exec, describe … as kubectl has them ("podnet get --help")

Commands:
${rows}

Flags:
  --with PATH   a cluster in memory made of these manifests, for this command only; may be repeated
  --realtime    leave time to the wall clock instead of skipping what nobody waits for
  -V, --version

Environment: PODNET_HOME (where clusters are kept), PODNET_SEED (dice), PODNET_NOW (clock), PODNET_REALTIME=1
`);
  return 0;
}
