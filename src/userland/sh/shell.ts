// A shell as a program: its command line, where its commands come from, and its end.
import { strerror } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { type Pipe, readLine } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { jobLine } from './builtins-jobs.ts';
import { setOptions, shoptLines } from './builtins-options.ts';
import { fail, say } from './messages.ts';
import { optionKey, SHOPT_DEFAULTS, SHOPT_NAMES } from './option-tables.ts';
import { expandPrompt } from './prompt.ts';
import { runStatements } from './run.ts';
import { incomplete, parseScript, runText } from './script.ts';
import { runExitTrap } from './traps.ts';
import { bashLike, type Shell, type ShellKind, type Variable } from './types.ts';
import { getParam, setVar } from './vars.ts';

/** bash 5.2 shell.c, show_shell_usage. */
const BASH_USAGE = `Usage:\tbash [GNU long option] [option] ...
\tbash [GNU long option] [option] script-file ...
GNU long options:
${[
  'debug',
  'debugger',
  'dump-po-strings',
  'dump-strings',
  'help',
  'init-file',
  'login',
  'noediting',
  'noprofile',
  'norc',
  'posix',
  'pretty-print',
  'rcfile',
  'restricted',
  'verbose',
  'version',
]
  .map(name => `\t--${name}\n`)
  .join('')}Shell options:
\t-ilrsD or -c command or -O shopt_option\t\t(invocation only)
\t-abefhkmnptuvxBCEHPT or -o option`;

const VERSION = 'GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n';

function newShell(p: Process, kind: ShellKind): Shell {
  const vars = new Map<string, Variable>();
  for (const [name, value] of p.env) if (/^[A-Za-z_]\w*$/.test(name)) vars.set(name, { value, exported: true });
  const sh: Shell = {
    kind,
    p,
    name: p.argv[0]?.replace(/^-/, '') ?? 'sh',
    args: [],
    vars,
    scopes: [],
    functions: new Map(),
    aliases: new Map(),
    options: new Set(kind === 'bash' || kind === 'zsh' ? ['h', 'B'] : []),
    shopt: new Set(kind === 'bash' || kind === 'zsh' ? SHOPT_DEFAULTS : []),
    status: 0,
    pipestatus: [],
    flow: null,
    fds: new Map<number, Pipe>([[0, p.stdin], [1, p.stdout], [2, p.stderr], ...p.fds]),
    jobs: [],
    lastBackground: null,
    traps: new Map(),
    pending: [],
    shellProcess: p,
    source: '',
    lineBase: 0,
    line: 1,
    interactive: false,
    commandString: false,
    sourcing: 0,
    calls: [],
    loops: 0,
    guarded: 0,
    depth: 0,
    inTrap: false,
    arithmetic: '',
    command: () => '',
    lastWord: p.argv[0] ?? '',
    callLines: [],
    subshell: 0,
    startedAtMs: p.kernel.sim.nowMs,
    spins: 0,
    optind: { at: 1, within: 0 },
    hashed: new Map(),
    disabled: new Set(),
    umask: 0o022,
    dirStack: [],
  };
  vars.set('IFS', { value: ' \t\n' });
  vars.set('OPTIND', { value: '1' });
  vars.set('PWD', { value: p.cwd, exported: true });
  vars.set('PS4', { value: '+ ' });
  if (kind === 'dash' || kind === 'ash') {
    for (const [name, value] of [
      ['PS1', kind === 'ash' ? '\\w \\$ ' : p.uid === 0 ? '# ' : '$ '],
      ['PS2', '> '],
    ] as const)
      if (!vars.has(name)) vars.set(name, { value });
  }
  if (!vars.has('PATH')) vars.set('PATH', { value: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' });
  if (kind !== 'dash') vars.set('SHLVL', { value: String(Number(p.env.get('SHLVL') ?? 0) + 1), exported: true });
  return sh;
}

/** A shell of this kind: `sh -c TEXT [NAME ARG...]`, `sh FILE [ARG...]`, or commands from stdin. */
export const shProgram = (kind: ShellKind): Program =>
  function* shell(p: Process): Co<number> {
    const sh = newShell(p, kind);
    const start = commandLine(sh, p.argv.slice(1));
    if (typeof start === 'number') return start;
    let code: number;
    if (start.text !== undefined) code = yield* runWhole(sh, start.text);
    else if (start.file !== undefined) code = yield* runFile(sh, start.file);
    else code = yield* runInput(sh, start.interactive);
    return yield* runExitTrap(sh, code);
  };

interface Start {
  text?: string;
  file?: string;
  interactive: boolean;
}

/** What is wrong with the shell's own options; no line has been read. */
function badOption(sh: Shell, text: string, code = 2): number {
  const at = sh.kind === 'dash' ? `${sh.name}: 0: ` : `${sh.name}: `;
  say(sh, 2, `${at}${text}\n`);
  return code;
}

function commandLine(sh: Shell, args: string[]): Start | number {
  let interactive = false;
  let command = false;
  let stdin = false;
  let i = 0;
  for (; i < args.length && /^[-+]./.test(args[i]); i++) {
    const arg = args[i];
    if (arg === '--') {
      i++;
      break;
    }
    if (bashLike(sh) && arg.startsWith('--')) {
      if (arg === '--version') {
        say(sh, 1, VERSION);
        return 0;
      }
      if (/^--(rcfile|init-file)$/.test(arg)) i++;
      else if (arg === '--verbose') sh.options.add('v');
      else if (!/^--(login|norc|noprofile|posix|noediting|debug|debugger|dump-strings|dump-po-strings|restricted|pretty-print)$/.test(arg))
        return badOption(sh, `${arg}: invalid option\n${BASH_USAGE}`);
      continue;
    }
    let rest = '';
    for (const letter of arg.slice(1)) {
      if (letter === 'c') command = true;
      else if (letter === 'i') interactive = true;
      else if (letter === 's') stdin = true;
      else if (bashLike(sh) && letter === 'O') {
        const name = args[++i];
        if (name === undefined) say(sh, 1, shoptLines(sh));
        else if (!SHOPT_NAMES.includes(name)) return badOption(sh, `${name}: invalid shell option name`, 2);
        else if (arg[0] === '-') sh.shopt.add(name);
        else sh.shopt.delete(name);
      } else if (letter === 'o') {
        const name = args[++i] ?? '';
        const key = optionKey(sh.kind, name);
        if (!key && bashLike(sh)) return badOption(sh, `line 0: ${sh.name}: ${name}: invalid option name`);
        if (!key) return badOption(sh, `${sh.kind === 'dash' ? 'I' : 'i'}llegal option -o ${name}`);
        if (arg[0] === '-') sh.options.add(key);
        else sh.options.delete(key);
      } else if (letter !== 'l' && !(bashLike(sh) && letter === 'D')) rest += letter;
    }
    if (!rest) continue;
    const wrong = [...rest].find(c => !'euxfnvCambhpBEHTkPrt'.includes(c));
    if (wrong)
      return badOption(
        sh,
        bashLike(sh)
          ? `${arg[0]}${wrong}: invalid option\n${BASH_USAGE}`
          : `${sh.kind === 'dash' ? 'I' : 'i'}llegal option ${arg[0]}${wrong}`,
      );
    setOptions(sh, [arg[0] + rest], '');
  }
  const words = args.slice(i);
  if (command) {
    sh.commandString = true;
    if (words[0] === undefined) return badOption(sh, bashLike(sh) ? '-c: option requires an argument' : '-c requires an argument');
    if (words[1] !== undefined) sh.name = words[1];
    sh.args = words.slice(2);
    return { text: words[0], interactive };
  }
  if (words.length && !stdin) {
    sh.args = words.slice(1);
    return { file: words[0], interactive };
  }
  sh.args = words;
  return { interactive: interactive || sh.p.tty };
}

function* runWhole(sh: Shell, text: string): Co<number> {
  const script = parseScript(sh, text);
  if (!script) return bashLike(sh) && sh.commandString ? 2 : 2;
  sh.source = text;
  // -n reads and does nothing.
  if (sh.options.has('n')) return 0;
  return yield* runStatements(sh, script.commands);
}

function* runFile(sh: Shell, path: string): Co<number> {
  const data = readFile(sh.p.fs, absolute(path, sh.p.cwd), sh.p);
  if (typeof data === 'string') {
    if (sh.kind === 'dash') fail({ ...sh, line: 0 }, `cannot open ${path}: ${data === 'ENOENT' ? 'No such file' : strerror(data)}`);
    else if (sh.kind === 'ash') say(sh, 2, `${sh.name}: can't open '${path}': ${strerror(data)}\n`);
    else say(sh, 2, `${sh.name}: ${path}: ${strerror(data)}\n`);
    return data === 'ENOENT' ? (sh.kind === 'ash' ? 2 : sh.kind === 'dash' ? 2 : 127) : 126;
  }
  sh.name = path;
  return yield* runWhole(sh, bytesToString(data));
}

/** Startup files: an interactive shell reads the one that ENV (POSIX) or bash names. */
function* readProfile(sh: Shell): Co<void> {
  const file = bashLike(sh) ? `${getParam(sh, 'HOME') ?? '/root'}/.bashrc` : getParam(sh, 'ENV');
  if (!file) return;
  const data = readFile(sh.p.fs, absolute(file, sh.p.cwd), sh.p);
  if (typeof data !== 'string') yield* runText(sh, bytesToString(data));
}

/** Commands from stdin, line by line, so that they can read the lines that follow. */
function* runInput(sh: Shell, interactive: boolean): Co<number> {
  sh.interactive = interactive;
  if (interactive) {
    for (const signal of ['QUIT', 'TERM']) sh.p.onSignal.set(signal, () => {});
    if (!sh.vars.has('PS1')) setVar(sh, 'PS1', defaultPrompt(sh));
    yield* readProfile(sh);
  }
  const stdin = sh.fds.get(0) as Pipe;
  let text = '';
  let line = 0;
  let asking = false;
  if (interactive) {
    // ^C gives up the line that is being typed; what runs in the foreground gets a signal of its own.
    sh.p.onSignal.set('INT', () => {
      text = '';
      if (asking) prompt(sh, false);
    });
  }
  for (;;) {
    if (interactive) prompt(sh, text !== '');
    asking = true;
    const next = yield* readLine(sh.p.kernel.sim, stdin);
    asking = false;
    if (next === null && !text) break;
    if (next !== null) {
      line++;
      text += `${next}\n`;
      if (incomplete(text)) continue;
    }
    const source = text;
    sh.lineBase = line - source.split('\n').length + 1;
    sh.line = line;
    text = '';
    const script = parseScript(sh, source);
    sh.source = source;
    if (script) yield* runStatements(sh, script.commands);
    else if (!interactive) return sh.status;
    if (sh.flow && !(interactive && sh.flow.kind !== 'exit') && !(interactive && recovers(sh))) return sh.status;
    sh.flow = null;
    if (next === null) break;
  }
  if (interactive) say(sh, 2, bashLike(sh) ? 'exit\n' : '\n');
  return sh.status;
}

/** An expansion error only ends the line at a terminal; `exit` ends the shell. */
const recovers = (sh: Shell): boolean => sh.flow?.levels === -1;

function defaultPrompt(sh: Shell): string {
  if (sh.kind === 'ash') return '\\w \\$ ';
  if (sh.kind === 'zsh') return '\\h\\$ ';
  if (sh.kind === 'dash') return sh.p.uid === 0 ? '# ' : '$ ';
  // Debian's /root/.bashrc and /etc/bash.bashrc.
  return '\\u@\\h:\\w\\$ ';
}

function prompt(sh: Shell, continued: boolean): void {
  for (const job of sh.jobs) {
    if (job.reported || job.processes.some(q => q.exitCode === null)) continue;
    say(sh, 2, jobLine(sh, job));
    job.reported = true;
  }
  const text = continued ? (getParam(sh, 'PS2') ?? '> ') : (getParam(sh, 'PS1') ?? '');
  say(sh, 2, expandPrompt(sh, text));
}
