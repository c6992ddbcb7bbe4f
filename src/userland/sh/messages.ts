// How each shell words its complaints.
import { writePipe } from '../../sim/pipe.ts';
import { bashLike, type Shell } from './types.ts';

/** `sh: 1: `, `bash: line 1: `, `./x.sh: line 3: `, `sh: ` — what stands before an error. */
export function prefix(sh: Shell): string {
  if (sh.kind === 'dash') return sh.interactive ? `${sh.name}: ${sh.line}: ` : `${sh.name}: ${sh.line}: `;
  if (sh.kind === 'zsh') return sh.interactive ? 'zsh: ' : `zsh:${sh.line}: `;
  if (bashLike(sh)) return sh.interactive ? `${sh.name}: ` : `${sh.name}: line ${sh.line}: `;
  // BusyBox ash names the line in scripts only (ash_vmsg, shell/ash.c 1.37).
  return sh.interactive || sh.commandString ? `${sh.name}: ` : `${sh.name}: line ${sh.line}: `;
}

/** A complaint of a builtin: ash puts the builtin's name before the line. */
function builtinPrefix(sh: Shell, builtin: string): string {
  if (sh.kind === 'ash') return sh.interactive ? `${sh.name}: ${builtin}: ` : `${sh.name}: ${builtin}: line ${Math.max(0, sh.line - 1)}: `;
  return `${prefix(sh)}${builtin}: `;
}

export const say = (sh: Shell, fd: 1 | 2, text: string | Uint8Array): 'EPIPE' | null => {
  const pipe = sh.fds.get(fd);
  return pipe ? writePipe(pipe, text) : null;
};

export function fail(sh: Shell, text: string): void {
  say(sh, 2, `${prefix(sh)}${text}\n`);
}

/** A builtin's complaint; -> its status */
export function builtinFail(sh: Shell, builtin: string, text: string, status = 1): number {
  say(sh, 2, `${builtinPrefix(sh, builtin)}${text}\n`);
  return status;
}
