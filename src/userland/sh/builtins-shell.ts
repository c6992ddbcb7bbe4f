// Builtins about the shell itself: flow, scripts, tests, limits.
import { strerror } from '../../linux/process.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import type { Builtin } from './builtins.ts';
import { onPath } from './builtins-commands.ts';
import { fail, say } from './messages.ts';
import { runText } from './script.ts';
import { isSet, TEST_MESSAGES, testArguments } from './test.ts';
import { bashLike, type Flow, type Shell } from './types.ts';

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
  eval: evaluate,
  '.': source,
  source: { ...source, only: ['bash', 'ash'] },
  hash: always(0),
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
