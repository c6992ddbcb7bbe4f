// Builtins about the shell itself: flow, directories, looking up commands, options.
import { findExecutable, spawnProgram, strerror, waitFor } from '../../linux/process.ts';
import { absolute, lookup, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { pipeOf } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { type Builtin, builtins } from './builtins.ts';
import { builtinFail, fail, say } from './messages.ts';
import { shellQuote } from './param.ts';
import { runText } from './script.ts';
import { builtinOf, execReplace, notFound, runBuiltin } from './simple.ts';
import { isSet, TEST_MESSAGES, testArguments } from './test.ts';
import { bashLike, type Flow, type Shell } from './types.ts';
import { environment, getParam, setVar } from './vars.ts';

const always = (status: number): Builtin => ({
  *run() {
    return status;
  },
});

/** `break 2`, `return 1`, `exit 3` */
function* leave(sh: Shell, argv: string[], kind: Flow['kind']): Co<number> {
  const arg = argv[1];
  if (arg !== undefined && !/^[-+]?\d+$/.test(arg)) {
    if (bashLike(sh)) {
      fail(sh, `${argv[0]}: ${arg}: numeric argument required`);
      if (kind === 'exit' || kind === 'return') sh.flow = { kind, levels: 0 };
      return 2;
    }
    fail(sh, sh.kind === 'dash' ? `${argv[0]}: Illegal number: ${arg}` : `Illegal number: ${arg}`);
    sh.flow = { kind: 'exit', levels: 0 };
    return 2;
  }
  if (kind === 'break' || kind === 'continue') {
    if (!sh.loops) {
      if (bashLike(sh)) fail(sh, `${argv[0]}: only meaningful in a \`for', \`while', or \`until' loop`);
      return 0;
    }
    sh.flow = { kind, levels: Math.min(Number(arg ?? 1), sh.loops) };
    return 0;
  }
  if (kind === 'return' && !sh.calls.length && !sh.sourcing) {
    if (bashLike(sh)) {
      fail(sh, "return: can only `return' from a function or sourced script");
      return 2;
    }
    kind = 'exit';
  }
  sh.flow = { kind, levels: 0 };
  return arg === undefined ? sh.status : Number(arg) & 255;
}

const exit: Builtin = {
  *run(sh, argv) {
    if (sh.interactive && bashLike(sh) && !sh.subshell) say(sh, 2, 'exit\n');
    return yield* leave(sh, argv, 'exit');
  },
};

function cdPath(sh: Shell, argv: string[]): { target: string; show: boolean } | null {
  const args = argv.slice(1).filter(a => !/^-[LPe@]+$/.test(a) && a !== '--');
  const arg = args[0];
  if (args.length > 1 && bashLike(sh)) {
    fail(sh, 'cd: too many arguments');
    return null;
  }
  if (arg === '-') {
    const old = getParam(sh, 'OLDPWD');
    if (old === undefined && bashLike(sh)) {
      fail(sh, 'cd: OLDPWD not set');
      return null;
    }
    return { target: old ?? sh.p.cwd, show: true };
  }
  if (arg === undefined) {
    const home = getParam(sh, 'HOME');
    if (home === undefined && bashLike(sh)) {
      fail(sh, 'cd: HOME not set');
      return null;
    }
    return { target: home ?? sh.p.cwd, show: false };
  }
  return { target: arg, show: false };
}

function changeDirectory(sh: Shell, target: string): string | null {
  const path = absolute(target || '.', sh.p.cwd);
  const node = lookup(sh.p.fs, path, sh.p);
  if (typeof node === 'string') return node;
  if (node.kind !== 'dir') return 'ENOTDIR';
  setVar(sh, 'OLDPWD', sh.p.cwd);
  sh.p.cwd = path;
  setVar(sh, 'PWD', path);
  for (const name of ['PWD', 'OLDPWD']) (sh.vars.get(name) as { exported?: boolean }).exported = true;
  return null;
}

const cd: Builtin = {
  *run(sh, argv) {
    const to = cdPath(sh, argv);
    if (!to) return 1;
    const e = changeDirectory(sh, to.target);
    if (e) {
      if (sh.kind === 'dash') {
        fail(sh, `cd: can't cd to ${to.target}`);
        return 2;
      }
      if (sh.kind === 'ash') return builtinFail(sh, 'cd', `can't cd to ${to.target}: ${strerror(e as 'ENOENT')}`, 2);
      fail(sh, `cd: ${to.target}: ${strerror(e as 'ENOENT')}`);
      return 1;
    }
    if (to.show) say(sh, 1, `${sh.p.cwd}\n`);
    return 0;
  },
};

const dirs: Builtin = {
  only: ['bash'],
  *run(sh, argv) {
    if (argv[0] === 'pushd') {
      const here = sh.p.cwd;
      const e = changeDirectory(sh, argv[1] ?? sh.dirStack[0] ?? here);
      if (e) {
        fail(sh, `pushd: ${argv[1]}: ${strerror(e as 'ENOENT')}`);
        return 1;
      }
      sh.dirStack.unshift(here);
    } else if (argv[0] === 'popd') {
      const to = sh.dirStack.shift();
      if (to === undefined) {
        fail(sh, 'popd: directory stack empty');
        return 1;
      }
      changeDirectory(sh, to);
    }
    say(sh, 1, `${[sh.p.cwd, ...sh.dirStack].join(' ')}\n`);
    return 0;
  },
};

const pwd: Builtin = {
  *run(sh) {
    say(sh, 1, `${sh.p.cwd}\n`);
    return 0;
  },
};

const evaluate: Builtin = {
  *run(sh, argv) {
    const text = argv.slice(argv[1] === '--' ? 2 : 1).join(' ');
    return text.trim() ? yield* runText(sh, text) : 0;
  },
};

const source: Builtin = {
  *run(sh, argv) {
    const name = argv[1];
    if (name === undefined) {
      if (bashLike(sh)) fail(sh, `${argv[0]}: filename argument required`);
      return bashLike(sh) ? 2 : 0;
    }
    const found = name.includes('/') ? absolute(name, sh.p.cwd) : onPath(sh, name);
    const data = readFile(sh.p.fs, found, sh.p);
    if (typeof data === 'string') {
      if (bashLike(sh)) {
        fail(sh, `${name}: ${strerror(data)}`);
        return 1;
      }
      fail(
        sh,
        sh.kind === 'dash'
          ? `${argv[0]}: ${name.includes('/') ? `cannot open ${name}: No such file` : `${name}: not found`}`
          : `can't open '${name}': ${strerror(data)}`,
      );
      if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
      return 2;
    }
    const saved = sh.args;
    if (argv.length > 2 && sh.kind !== 'dash') sh.args = argv.slice(2);
    sh.sourcing++;
    const status = yield* runText(sh, bytesToString(data));
    sh.sourcing--;
    sh.args = saved;
    if ((sh.flow as Flow | null)?.kind === 'return') sh.flow = null;
    return status;
  },
};

function onPath(sh: Shell, name: string): string {
  for (const dir of (getParam(sh, 'PATH') ?? '').split(':')) {
    const path = absolute(`${dir}/${name}`, sh.p.cwd);
    const node = lookup(sh.p.fs, path, sh.p);
    if (typeof node !== 'string' && node.kind === 'file') return path;
  }
  return absolute(name, sh.p.cwd);
}

const exec: Builtin = {
  *run(sh, argv) {
    let args = argv.slice(1);
    if (args[0] === '--') args = args.slice(1);
    while (bashLike(sh) && /^-[cla]/.test(args[0] ?? '')) args = args.slice(args[0] === '-a' ? 2 : 1);
    return args.length ? yield* execReplace(sh, args) : 0;
  },
};

/** How `type` and `command -V` describe a name. */
function describe(sh: Shell, name: string, verbose: boolean): string | null {
  const alias = sh.aliases.get(name)?.text;
  if (alias !== undefined)
    return verbose ? (bashLike(sh) ? `${name} is aliased to \`${alias}'` : `${name} is an alias for ${alias}`) : `alias ${name}='${alias}'`;
  if (KEYWORDS.has(name)) return verbose ? `${name} is a shell keyword` : name;
  const f = sh.functions.get(name);
  if (f) return verbose ? (bashLike(sh) ? `${name} is a function\n${f.source.slice(f.pos, f.end)}` : `${name} is a shell function`) : name;
  if (builtinOf(sh, name))
    return verbose ? `${name} is a ${SPECIAL_NAMES.has(name) && !bashLike(sh) ? 'special ' : ''}shell builtin` : name;
  const found = findExecutable(sh.p.fs, name, getParam(sh, 'PATH'), sh.p.cwd);
  if (typeof found === 'string') return null;
  return verbose ? `${name} is ${found.path}` : found.path;
}

const SPECIAL_NAMES = new Set([
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
const KEYWORDS = new Set(['if', 'then', 'else', 'elif', 'fi', 'do', 'done', 'case', 'esac', 'while', 'until', 'for', '{', '}', '!']);

const type: Builtin = {
  *run(sh, argv) {
    let status = 0;
    const flags = argv.slice(1).filter(a => /^-[tpaPf]+$/.test(a) && bashLike(sh));
    for (const name of argv.slice(1 + flags.length)) {
      const text = describe(sh, name, true);
      if (text === null) {
        status = bashLike(sh) ? 1 : 127;
        if (flags.length) continue;
        if (bashLike(sh)) fail(sh, `type: ${name}: not found`);
        else say(sh, sh.kind === 'dash' ? 1 : 1, `${name}: not found\n`);
      } else if (flags.includes('-t')) say(sh, 1, `${kindOf(sh, name)}\n`);
      else if (flags.includes('-p') || flags.includes('-P'))
        say(sh, 1, kindOf(sh, name) === 'file' ? `${describe(sh, name, false)}\n` : '');
      else say(sh, 1, `${text}\n`);
    }
    return status;
  },
};

function kindOf(sh: Shell, name: string): string {
  if (sh.aliases.has(name)) return 'alias';
  if (KEYWORDS.has(name)) return 'keyword';
  if (sh.functions.has(name)) return 'function';
  return builtinOf(sh, name) ? 'builtin' : 'file';
}

const command: Builtin = {
  *run(sh, argv) {
    let args = argv.slice(1);
    let flag = '';
    while (/^-[vVp]+$/.test(args[0] ?? '')) {
      flag += args[0].slice(1);
      args = args.slice(1);
    }
    if (args[0] === '--') args = args.slice(1);
    if (/[vV]/.test(flag)) {
      let status = 0;
      for (const name of args) {
        const text = describe(sh, name, flag.includes('V'));
        if (text === null) {
          status = bashLike(sh) ? 1 : 127;
          if (flag.includes('V')) say(sh, 2, bashLike(sh) ? '' : `${name}: not found\n`);
        } else say(sh, 1, `${text}\n`);
      }
      return status;
    }
    if (!args.length) return 0;
    return yield* runWithoutFunctions(sh, args);
  },
};

/** A builtin or a program, never a function. */
export function* runWithoutFunctions(sh: Shell, args: string[]): Co<number> {
  const b = builtinOf(sh, args[0]);
  if (b) return yield* runBuiltin(sh, b, args);
  const env = environment(sh);
  const found = findExecutable(sh.p.fs, args[0], env.get('PATH'), sh.p.cwd);
  if (typeof found === 'string') return notFound(sh, args[0], found);
  if (!found.node.program) return yield* runText(sh, args.map(shellQuote).join(' '));
  const child = spawnProgram(sh.p.kernel, found.node.program, {
    netns: sh.p.netns,
    fs: sh.p.fs,
    argv: args,
    env,
    parent: sh.p,
    stdin: sh.fds.get(0) ?? pipeOf(),
    stdout: sh.fds.get(1),
    stderr: sh.fds.get(2),
  });
  return yield* waitFor(child);
}

const builtin: Builtin = {
  only: ['bash'],
  *run(sh, argv) {
    const b = argv[1] === undefined ? undefined : builtins()[argv[1]];
    if (argv[1] === undefined) return 0;
    if (!b) {
      fail(sh, `builtin: ${argv[1]}: not a shell builtin`);
      return 1;
    }
    return yield* b.run(sh, argv.slice(1));
  },
};

const LONG_OPTIONS: Record<string, string> = {
  errexit: 'e',
  nounset: 'u',
  xtrace: 'x',
  noglob: 'f',
  noexec: 'n',
  verbose: 'v',
  noclobber: 'C',
  allexport: 'a',
  monitor: 'm',
  notify: 'b',
  hashall: 'h',
  pipefail: 'pipefail',
  posix: 'posix',
  vi: 'vi',
  emacs: 'emacs',
  ignoreeof: 'ignoreeof',
  nolog: 'nolog',
  errtrace: 'E',
  functrace: 'T',
  braceexpand: 'B',
  histexpand: 'H',
  debug: 'debug',
};

/** Options at the head of `set` and of the shell's own command line. -> how many words they took, or null: one was wrong */
export function setOptions(sh: Shell, args: string[], builtinName: string): number | null {
  let i = 0;
  for (; i < args.length; i++) {
    const arg = args[i];
    if (!/^[-+]./.test(arg) || arg === '--') break;
    const on = arg[0] === '-';
    for (const letter of arg.slice(1)) {
      if (letter === 'o') {
        const name = args[++i];
        const key = name === undefined ? undefined : LONG_OPTIONS[name];
        if (name === undefined) return i;
        if (!key || (key === 'pipefail' && sh.kind === 'dash')) {
          fail(
            sh,
            bashLike(sh)
              ? `${builtinName}${name}: invalid option name`
              : sh.kind === 'dash'
                ? `${builtinName}Illegal option -o ${name}`
                : `${builtinName}illegal option -o ${name}`,
          );
          return null;
        }
        toggle(sh, key, on);
      } else if ('euxfnvCambhpBEHTk'.includes(letter)) toggle(sh, letter, on);
      else {
        fail(
          sh,
          bashLike(sh)
            ? `${builtinName}${arg}: invalid option`
            : `${builtinName}${sh.kind === 'dash' ? 'I' : 'i'}llegal option ${arg[0]}${letter}`,
        );
        return null;
      }
    }
  }
  return i;
}

function toggle(sh: Shell, key: string, on: boolean): void {
  if (on) sh.options.add(key);
  else sh.options.delete(key);
}

const set: Builtin = {
  *run(sh, argv) {
    const args = argv.slice(1);
    if (!args.length) {
      printVariables(sh);
      return 0;
    }
    if (args[0] === '-o' && args.length === 1) {
      for (const [name, key] of Object.entries(LONG_OPTIONS).sort())
        say(sh, 1, `${name.padEnd(15)}\t${sh.options.has(key) ? 'on' : 'off'}\n`);
      return 0;
    }
    const used = setOptions(sh, args, sh.kind === 'ash' ? '' : 'set: ');
    if (used === null) {
      if (!bashLike(sh) && !sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
      return bashLike(sh) ? (args[0].startsWith('-o') ? 1 : 2) : 2;
    }
    const rest = args.slice(used);
    if (rest[0] === '--') sh.args = rest.slice(1);
    else if (rest[0] === '-') {
      sh.options.delete('x');
      sh.options.delete('v');
      if (rest.length > 1) sh.args = rest.slice(1);
    } else if (rest.length) sh.args = rest;
    return 0;
  },
};

function printVariables(sh: Shell): void {
  for (const name of [...sh.vars.keys()].sort()) {
    const v = sh.vars.get(name);
    if (!v || (v.value === null && !v.array)) continue;
    if (v.array) {
      say(sh, 1, `${name}=(${[...v.array].map(([k, x]) => `[${k}]="${x}"`).join(' ')})\n`);
      continue;
    }
    const value = v.value ?? '';
    const quoted = bashLike(sh)
      ? /[\n\t]/.test(value)
        ? `$'${value.replace(/\n/g, '\\n').replace(/\t/g, '\\t')}'`
        : value === ''
          ? ''
          : shellQuote(value)
      : `'${value.replace(/'/g, `'"'"'`)}'`;
    say(sh, 1, `${name}=${quoted}\n`);
  }
}

const shift: Builtin = {
  *run(sh, argv) {
    const n = Number(argv[1] ?? 1);
    if (!Number.isInteger(n) || n < 0) {
      fail(sh, bashLike(sh) ? `shift: ${argv[1]}: numeric argument required` : `shift: Illegal number: ${argv[1]}`);
      return bashLike(sh) ? 1 : 2;
    }
    if (n > sh.args.length) {
      if (sh.kind !== 'dash') return 1;
      fail(sh, "shift: can't shift that many");
      if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
      return 2;
    }
    sh.args = sh.args.slice(n);
    return 0;
  },
};

const shopt: Builtin = {
  only: ['bash'],
  *run(sh, argv) {
    const names = argv.slice(1).filter(a => !a.startsWith('-'));
    const flags = argv
      .slice(1)
      .filter(a => a.startsWith('-'))
      .join('');
    for (const name of names) {
      if (flags.includes('s')) sh.shopt.add(name);
      else if (flags.includes('u')) sh.shopt.delete(name);
      else if (!flags.includes('q')) say(sh, 1, `${name.padEnd(15)}\t${sh.shopt.has(name) ? 'on' : 'off'}\n`);
    }
    return /[su]/.test(flags) || names.every(name => sh.shopt.has(name)) ? 0 : 1;
  },
};

const alias: Builtin = {
  *run(sh, argv) {
    if (argv.length === 1)
      for (const name of [...sh.aliases.keys()].sort())
        say(sh, 1, `${bashLike(sh) ? 'alias ' : ''}${name}='${sh.aliases.get(name)?.text}'\n`);
    let status = 0;
    for (const arg of argv.slice(1)) {
      const at = arg.indexOf('=');
      if (at > 0) sh.aliases.set(arg.slice(0, at), { text: arg.slice(at + 1), line: sh.line });
      else if (sh.aliases.has(arg)) say(sh, 1, `${bashLike(sh) ? 'alias ' : ''}${arg}='${sh.aliases.get(arg)?.text}'\n`);
      else {
        status = 1;
        if (arg !== '-p') fail(sh, `alias: ${arg} not found`.replace(`${arg} not`, bashLike(sh) ? `${arg}: not` : `${arg} not`));
      }
    }
    return status;
  },
};

const unalias: Builtin = {
  *run(sh, argv) {
    if (argv[1] === '-a') sh.aliases.clear();
    let status = 0;
    for (const name of argv.slice(1)) {
      if (name === '-a' || sh.aliases.delete(name)) continue;
      status = 1;
      fail(sh, bashLike(sh) ? `unalias: ${name}: not found` : `unalias: ${name} not found`);
    }
    return status;
  },
};

const test: Builtin = {
  *run(sh, argv) {
    let words = argv.slice(1);
    const wording = TEST_MESSAGES[sh.kind === 'zsh' ? 'bash' : sh.kind];
    if (argv[0] === '[') {
      if (words[words.length - 1] !== ']') {
        testError(sh, '[', bashLike(sh) ? "missing `]'" : 'missing ]');
        return 2;
      }
      words = words.slice(0, -1);
    }
    const r = testArguments(sh.p, words, wording, name => isSet(sh, name));
    if (typeof r === 'number') return r;
    testError(sh, argv[0], r.error);
    return 2;
  },
};

function testError(sh: Shell, name: string, text: string): void {
  // ash's test does not say which builtin it is.
  if (sh.kind === 'ash') say(sh, 2, `${sh.name}: ${text}\n`);
  else fail(sh, `${name}: ${text}`);
}

const umask: Builtin = {
  *run(sh, argv) {
    if (argv[1] === undefined) say(sh, 1, `${sh.umask.toString(8).padStart(4, '0')}\n`);
    else if (/^[0-7]+$/.test(argv[1])) sh.umask = Number.parseInt(argv[1], 8);
    return 0;
  },
};

const LIMITS: [string, string, string][] = [
  ['c', 'core file size (blocks)', '0'],
  ['d', 'data seg size (kb)', 'unlimited'],
  ['f', 'file size (blocks)', 'unlimited'],
  ['l', 'locked memory (kb)', '8192'],
  ['m', 'resident set size (kb)', 'unlimited'],
  ['n', 'nofiles', '1048576'],
  ['p', 'processes', 'unlimited'],
  ['s', 'stack size (kb)', '8192'],
  ['t', 'cpu time (seconds)', 'unlimited'],
  ['v', 'virtual memory (kb)', 'unlimited'],
];

const ulimit: Builtin = {
  *run(sh, argv) {
    const flags =
      argv
        .slice(1)
        .filter(a => a.startsWith('-'))
        .join('')
        .replace(/[-SH]/g, '') || 'f';
    if (argv.some((a, i) => i > 0 && !a.startsWith('-'))) return 0;
    if (flags.includes('a')) for (const [letter, text, value] of LIMITS) say(sh, 1, `-${letter}: ${text.padEnd(30)} ${value}\n`);
    else say(sh, 1, `${LIMITS.find(l => l[0] === flags[0])?.[2] ?? 'unlimited'}\n`);
    return 0;
  },
};

const times: Builtin = {
  *run(sh) {
    say(sh, 1, '0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n');
    return 0;
  },
};

const letBuiltin: Builtin = {
  only: ['bash', 'ash'],
  *run(sh, argv) {
    return yield* runText(
      sh,
      argv
        .slice(1)
        .map(a => `((${a}))`)
        .join(';'),
    );
  },
};

export const SHELL_BUILTINS: Record<string, Builtin> = {
  ':': always(0),
  true: always(0),
  false: always(1),
  break: { run: (sh, argv) => leave(sh, argv, 'break') },
  continue: { run: (sh, argv) => leave(sh, argv, 'continue') },
  return: { run: (sh, argv) => leave(sh, argv, 'return') },
  exit,
  logout: { ...exit, only: ['bash'] },
  cd,
  chdir: { ...cd, only: ['dash', 'ash'] },
  pushd: dirs,
  popd: dirs,
  dirs,
  pwd,
  eval: evaluate,
  '.': source,
  source: { ...source, only: ['bash', 'ash'] },
  exec,
  type,
  command,
  builtin,
  hash: always(0),
  set,
  shift,
  shopt,
  alias,
  unalias,
  test,
  '[': test,
  umask,
  ulimit,
  times,
  let: letBuiltin,
  history: { ...always(0), only: ['bash', 'ash'] },
  enable: { ...always(0), only: ['bash'] },
  complete: { ...always(0), only: ['bash'] },
  compgen: { ...always(1), only: ['bash'] },
  bind: { ...always(0), only: ['bash'] },
  help: { ...always(0), only: ['bash', 'ash'] },
};
