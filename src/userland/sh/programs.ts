import type { ProgramTable } from '../programs.ts';
import { shProgram } from './shell.ts';

/** Shells: package, directory, programs. */
export const SHELL_PROGRAMS: ProgramTable = [
  ['dash', '/bin', { sh: () => shProgram('dash'), dash: () => shProgram('dash') }],
  ['bash', '/bin', { bash: () => shProgram('bash'), rbash: () => shProgram('bash') }],
  ['zsh', '/bin', { zsh: () => shProgram('zsh') }],
  ['busybox', '/bin', { sh: () => shProgram('ash'), ash: () => shProgram('ash') }],
];
