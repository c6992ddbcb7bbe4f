// A shell's state: plain data, copied for a subshell.
import type { CompoundCommand, CompoundList, Redirected } from 'unbash';
import type { Process } from '../../linux/types.ts';
import type { Pipe } from '../../sim/pipe.ts';

/** dash is Debian's sh, ash BusyBox'; bash also stands for zsh where only its prompt and messages differ. */
export type ShellKind = 'dash' | 'bash' | 'ash' | 'zsh';

export interface Variable {
  /** null: declared without a value (`local x`, `export X`). */
  value: string | null;
  array?: Map<number, string>;
  assoc?: Map<string, string>;
  /** An array that got its elements by an assignment, if only none. */
  assigned?: boolean;
  exported?: boolean;
  readonly?: boolean;
  integer?: boolean;
  letters?: 'lower' | 'upper';
  nameref?: boolean;
}

export interface ShellFunction {
  body: CompoundCommand | Redirected | CompoundList;
  /** The text it was parsed from: its positions, and `type`, refer to it. */
  source: string;
  pos: number;
  end: number;
}

export interface Alias {
  text: string;
  /** Where it was defined; -1: in a startup file. */
  line: number;
}

/** Why the commands that follow are not run. */
export interface Flow {
  kind: 'break' | 'continue' | 'return' | 'exit';
  levels: number;
}

export interface Job {
  number: number;
  processes: Process[];
  text: string;
  /** `wait` has taken its status, or the user was told. */
  reported: boolean;
}

export interface Shell {
  kind: ShellKind;
  p: Process;
  /** $0 */
  name: string;
  args: string[];
  vars: Map<string, Variable>;
  /** What `local` hid, one map per function that runs; undefined: it was unset. */
  scopes: Map<string, Variable | undefined>[];
  functions: Map<string, ShellFunction>;
  aliases: Map<string, Alias>;
  /** Letters of `set -e` and names of `set -o`. */
  options: Set<string>;
  shopt: Set<string>;
  status: number;
  pipestatus: number[];
  flow: Flow | null;
  /** Open descriptors; 0, 1 and 2 are the process's streams. */
  fds: Map<number, Pipe>;
  jobs: Job[];
  lastBackground: Process | null;
  traps: Map<string, string>;
  /** Signals that arrived and whose trap has not run yet. */
  pending: string[];
  /** Whose number is $$: a subshell keeps its parent's. */
  shellProcess: Process;
  source: string;
  /** Lines before `source` (commands read one by one). */
  lineBase: number;
  line: number;
  interactive: boolean;
  /** Run by -c. */
  commandString: boolean;
  /** `.` and `eval` nesting, functions, loops. */
  sourcing: number;
  calls: string[];
  loops: number;
  /** Inside a condition: `set -e` does not act. */
  guarded: number;
  /** Levels of `$(…)`, eval, `.` and traps: a trace shows them. */
  depth: number;
  /** The command whose arithmetic it is, for messages: `((`, `[[`, `let`; empty: an expansion's. */
  arithmetic: string;
  /** A trap's action runs: its commands are not $BASH_COMMAND. */
  inTrap: boolean;
  /** $BASH_COMMAND: the simple command that runs; written when somebody asks. */
  command: () => string;
  /** $_: the last word of the command before. */
  lastWord: string;
  /** Lines from which the functions that run were called; -1 for those of `source`. */
  callLines: number[];
  subshell: number;
  startedAtMs: number;
  /** Loop rounds since the clock last moved: work takes time, so that an endless loop passes it. */
  spins: number;
  optind: { at: number; within: number };
  /** Programs that have been found, and how often they ran. */
  hashed: Map<string, { path: string; hits: number }>;
  /** Builtins that `enable -n` has taken away. */
  disabled: Set<string>;
  umask: number;
  dirStack: string[];
}

export const bashLike = (sh: Shell): boolean => sh.kind === 'bash' || sh.kind === 'zsh';
