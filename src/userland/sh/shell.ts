// A shell as a program: its command line, where its commands come from, and its end.
import { strerror } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { type Pipe, readLine } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { jobLine } from './builtins-jobs.ts';
import { setOptions } from './builtins-options.ts';
import { fail, say } from './messages.ts';
import { runStatements } from './run.ts';
import { incomplete, parseScript, runText } from './script.ts';
import { runExitTrap } from './traps.ts';
import { bashLike, type Shell, type ShellKind, type Variable } from './types.ts';
import { getParam, hostnameOf, setVar } from './vars.ts';

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
    shopt: new Set(),
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
    subshell: 0,
    startedAtMs: p.kernel.sim.nowMs,
    spins: 0,
    optind: { at: 1, within: 0 },
    umask: 0o022,
    dirStack: [],
  };
  vars.set('IFS', { value: ' \t\n' });
  vars.set('OPTIND', { value: '1' });
  vars.set('PWD', { value: p.cwd, exported: true });
  vars.set('PS4', { value: '+ ' });
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
    if (arg === '--version' && bashLike(sh)) {
      say(sh, 1, VERSION);
      return 0;
    }
    if (/^--(login|norc|noprofile|posix)$/.test(arg)) continue;
    if (/^--(rcfile|init-file)$/.test(arg)) {
      i++;
      continue;
    }
    let rest = '';
    for (const letter of arg.slice(1)) {
      if (letter === 'c') command = true;
      else if (letter === 'i') interactive = true;
      else if (letter === 's') stdin = true;
      else if (letter !== 'l') rest += letter;
    }
    if (!rest) continue;
    const used = setOptions(sh, [arg[0] + rest, ...args.slice(i + 1, i + 2)], '');
    if (used === null) return 2;
    if (rest.endsWith('o')) i++;
  }
  const words = args.slice(i);
  if (command) {
    sh.commandString = true;
    if (words[0] === undefined) {
      fail(sh, bashLike(sh) ? '-c: option requires an argument' : '-c requires an argument');
      return 2;
    }
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

function userName(sh: Shell): string {
  const passwd = readFile(sh.p.fs, '/etc/passwd', sh.p);
  const lines = typeof passwd === 'string' ? [] : bytesToString(passwd).split('\n');
  return lines.find(l => l.split(':')[2] === String(sh.p.uid))?.split(':')[0] ?? (sh.p.uid === 0 ? 'root' : 'I have no name!');
}

function expandPrompt(sh: Shell, text: string): string {
  if (sh.kind === 'dash') return text;
  const home = getParam(sh, 'HOME');
  const cwd = home && home !== '/' && (sh.p.cwd === home || sh.p.cwd.startsWith(`${home}/`)) ? `~${sh.p.cwd.slice(home.length)}` : sh.p.cwd;
  return text.replace(/\\([uhHwW$n\\[\]e])/g, (_, c) => {
    switch (c) {
      case 'u':
        return userName(sh);
      case 'h':
        return hostnameOf(sh).split('.')[0];
      case 'H':
        return hostnameOf(sh);
      case 'w':
        return cwd;
      case 'W':
        return cwd === '~' ? '~' : cwd.slice(cwd.lastIndexOf('/') + 1) || '/';
      case '$':
        return sh.p.uid === 0 ? '#' : '$';
      case 'n':
        return '\n';
      case 'e':
        return '\x1b';
      case '\\':
        return '\\';
      default:
        return '';
    }
  });
}
