import type { ProgramTable } from '../programs.ts';

/** iptables, ipset, conntrack and their relatives: package, directory, programs. */
export const NETFILTER_PROGRAMS: ProgramTable = [];
