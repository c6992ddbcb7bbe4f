import type { ProgramTable } from '../programs.ts';

/** Network tools: package, directory, programs. */
export const NET_PROGRAMS: ProgramTable = [];
