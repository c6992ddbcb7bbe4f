import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { podnetHome } from '../home.ts';
import { ended } from '../own.ts';
import { NETWORK_TOOLS, writeShims } from '../shims.ts';

export function declare(command: Command): void {
  command
    .description('what a shell needs: eval "$(podnet env)"; podnet_off takes it back')
    .option('--tools', `also ${NETWORK_TOOLS.join(', ')}: those of a host outside the cluster, unless they name localhost`)
    .action((flags: { tools?: boolean }) => ended(printEnv(!!flags.tools)));
}

const quote = (s: string): string => `'${s.replaceAll("'", "'\\''")}'`;

/** POSIX words, for sh, bash and zsh. Once more changes nothing. */
function printEnv(tools: boolean): number {
  const home = resolve(podnetHome(process.env));
  const bin = writeShims(join(home, tools ? 'env-tools' : 'env'), tools ? NETWORK_TOOLS : []);
  process.stdout.write(`if [ -z "\${PODNET_ENV:-}" ]; then
  PODNET_OLD_PATH=$PATH
  PODNET_OLD_PS1=\${PS1-}
  PODNET_OLD_HOME=\${PODNET_HOME-}
fi
export PODNET_ENV=1
export PODNET_HOME=${quote(home)}
export PATH=${quote(bin)}":$PODNET_OLD_PATH"
if [ -n "$PODNET_OLD_PS1" ]; then PS1="(podnet simulation) $PODNET_OLD_PS1"; fi
alias k=kubectl 2>/dev/null || true
podnet_off() {
  export PATH="$PODNET_OLD_PATH"
  PS1=$PODNET_OLD_PS1
  if [ -n "$PODNET_OLD_HOME" ]; then export PODNET_HOME="$PODNET_OLD_HOME"; else unset PODNET_HOME; fi
  unset PODNET_ENV PODNET_OLD_PATH PODNET_OLD_PS1 PODNET_OLD_HOME
  unalias k 2>/dev/null
  unset -f podnet_off
}
`);
  return 0;
}
