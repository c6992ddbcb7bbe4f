import type { ProgramTable } from '../programs.ts';

/** Servers that images start: package, directory, programs. */
export const SERVER_PROGRAMS: ProgramTable = [];
