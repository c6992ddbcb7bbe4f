import type { ProgramTable } from '../programs.ts';

/** What every system has: coreutils, grep, sed, BusyBox' applets …: package, directory, programs. */
export const COREUTILS_PROGRAMS: ProgramTable = [];
