// The table of builtins.
import type { Co } from '../../sim/task.ts';
import { COMMAND_BUILTINS } from './builtins-commands.ts';
import { DIRECTORY_BUILTINS } from './builtins-dirs.ts';
import { IO_BUILTINS } from './builtins-io.ts';
import { JOB_BUILTINS } from './builtins-jobs.ts';
import { mapfile } from './builtins-mapfile.ts';
import { OPTION_BUILTINS } from './builtins-options.ts';
import { SHELL_BUILTINS } from './builtins-shell.ts';
import { VARIABLE_BUILTINS } from './builtins-vars.ts';
import type { Shell } from './types.ts';

export interface Builtin {
  /** `argv[0]` is its name. -> status */
  run: (sh: Shell, argv: string[]) => Co<number>;
  /** Shells that have it; absent: all. */
  only?: ('dash' | 'bash' | 'ash')[];
}

let table: Record<string, Builtin> | null = null;

/** Put together at the first use: builtins run commands, and commands look up builtins. */
export function builtins(): Record<string, Builtin> {
  table ??= {
    ...SHELL_BUILTINS,
    ...DIRECTORY_BUILTINS,
    ...COMMAND_BUILTINS,
    ...OPTION_BUILTINS,
    ...VARIABLE_BUILTINS,
    ...IO_BUILTINS,
    mapfile,
    readarray: mapfile,
    ...JOB_BUILTINS,
  };
  return table;
}

/** POSIX's special builtins: their errors end a POSIX shell. */
export const SPECIAL = new Set([
  '.',
  ':',
  'break',
  'continue',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'times',
  'trap',
  'unset',
]);

/** Their arguments of the form name=value are assignments. */
export const DECLARATIONS = new Set(['export', 'readonly', 'local', 'declare', 'typeset', 'alias']);
