// Every program of the simulation: one row each. An image has packages; a package has the rows that carry its name.
//
// To add a program: write `export const foo: Program` (or `fooProgram(u: Userland): Program` when its messages depend on the generation)
// in its room, and add a row to that room's table (`NET_PROGRAMS` in net/programs.ts, `SERVER_PROGRAMS` in servers/programs.ts …). The build
// loads a row's module when somebody first runs it: name what comes from there in a property or a function, in no spread and no constant.
import { complain } from '../linux/process.ts';
import type { Process, Program } from '../linux/types.ts';
import type { Co } from '../sim/task.ts';
import { COREUTILS_PROGRAMS } from './coreutils/programs.ts';
import { NET_PROGRAMS } from './net/programs.ts';
import { NETFILTER_PROGRAMS } from './netfilter/programs.ts';
import { SERVER_PROGRAMS } from './servers/programs.ts';
import { SHELL_PROGRAMS } from './sh/programs.ts';
import { UNMODELLED_PROGRAMS } from './unmodelled.ts';
import type { Userland } from './userland.ts';

/**
 * `package`: what has to be installed for it: `busybox`, `coreutils`, `curl`, `iproute2`, `iputils-ping`, `bind9-dnsutils`, `netcat-openbsd` …
 * `dir`: where the distributions put it; the busybox image puts every applet into /bin.
 * A name may have several rows: /bin/wget of package `busybox`, /usr/bin/wget of package `wget`.
 */
export interface ProgramRow {
  package: string;
  name: string;
  dir: string;
  make: (u: Userland) => Program;
}

/** `[package, directory, { name: make }]`: the compact form that rooms write their tables in. */
export type ProgramTable = [pkg: string, dir: string, programs: Record<string, (u: Userland) => Program>][];

const tables: ProgramTable[] = [SHELL_PROGRAMS, COREUTILS_PROGRAMS, NET_PROGRAMS, NETFILTER_PROGRAMS, SERVER_PROGRAMS, UNMODELLED_PROGRAMS];

let byPackage: Map<string, ProgramRow[]> | null = null;

function index(): Map<string, ProgramRow[]> {
  if (byPackage) return byPackage;
  byPackage = new Map();
  for (const table of tables) {
    for (const [pkg, dir, programs] of table) {
      const rows = byPackage.get(pkg) ?? [];
      for (const name of Object.keys(programs)) rows.push({ package: pkg, name, dir, make: u => programs[name](u) });
      byPackage.set(pkg, rows);
    }
  }
  return byPackage;
}

/** The programs of a package; none when nobody has written it. */
export const programsOf = (pkg: string): ProgramRow[] => index().get(pkg) ?? [];

const namesIn = (table: ProgramTable): string[] => table.flatMap(([, , programs]) => Object.keys(programs));

/** What podnet runs, and what only says that it is not modelled. */
export const programNames = (): { modelled: string[]; unmodelled: string[] } => ({
  modelled: tables.filter(t => t !== UNMODELLED_PROGRAMS).flatMap(namesIn),
  unmodelled: namesIn(UNMODELLED_PROGRAMS),
});

/** One program of a package, made for an image's generation. */
export function programFor(pkg: string, name: string, u: Userland): Program | null {
  return (
    programsOf(pkg)
      .find(row => row.name === name)
      ?.make(u) ?? null
  );
}

/** `busybox APPLET ARGS`, whose applets are the rows of package `busybox`. */
export const busyboxProgram = (u: Userland): Program =>
  function* busybox(p: Process): Co<number> {
    const name = p.argv[1];
    const program = name === undefined ? null : programFor('busybox', name, u);
    if (!program) {
      complain(p, `${name ?? 'busybox'}: applet not found\n`);
      return 127;
    }
    p.argv = p.argv.slice(1);
    return yield* program(p);
  };
