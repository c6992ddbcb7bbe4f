import type { ProgramTable } from '../programs.ts';

/** Shells: package, directory, programs. */
export const SHELL_PROGRAMS: ProgramTable = [];
