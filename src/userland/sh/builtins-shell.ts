// Builtins about the shell itself: flow, scripts, tests, limits.
import { strerror } from '../../linux/process.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { evaluateText } from './arith.ts';
import type { Builtin } from './builtins.ts';
import { onPath } from './builtins-commands.ts';
import { builtinFail, fail, say } from './messages.ts';
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
    builtinFail(sh, argv[0], `Illegal number: ${arg}`);
    sh.flow = { kind: 'exit', levels: 0 };
    return 2;
  }
  if (kind === 'break' || kind === 'continue') {
    if (!sh.loops) {
      if (bashLike(sh)) fail(sh, `${argv[0]}: only meaningful in a \`for', \`while', or \`until' loop`);
      return 0;
    }
    if (Number(arg ?? 1) < 1 && bashLike(sh)) {
      fail(sh, `${argv[0]}: ${arg}: loop count out of range`);
      sh.flow = { kind: 'break', levels: sh.loops };
      return 1;
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
    if (!text.trim()) return 0;
    sh.depth++;
    const status = yield* runText(sh, text, 'eval');
    sh.depth--;
    return status;
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
      const dash = name.includes('/') ? `cannot open ${name}: No such file` : `${name}: not found`;
      builtinFail(sh, argv[0], sh.kind === 'dash' ? dash : `can't open '${name}': ${strerror(data)}`);
      if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
      return 2;
    }
    const saved = sh.args;
    if (argv.length > 2 && sh.kind !== 'dash') sh.args = argv.slice(2);
    sh.sourcing++;
    sh.depth++;
    const status = yield* runText(sh, bytesToString(data));
    sh.sourcing--;
    sh.depth--;
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

/** `u=rwx,g=rx,o=` for a mask: what it lets through. */
const umaskWords = (mask: number): string =>
  ['u', 'g', 'o']
    .map((who, i) => {
      const bits = ~(mask >> (6 - 3 * i)) & 7;
      return `${who}=${bits & 4 ? 'r' : ''}${bits & 2 ? 'w' : ''}${bits & 1 ? 'x' : ''}`;
    })
    .join(',');

const umask: Builtin = {
  *run(sh, argv) {
    const args = argv.slice(1).filter(a => !/^-[pS]+$/.test(a));
    const flags = argv.slice(1).join(' ');
    const text = args[0];
    if (text === undefined) {
      const value = flags.includes('S') ? umaskWords(sh.umask) : sh.umask.toString(8).padStart(4, '0');
      say(sh, 1, `${flags.includes('p') && bashLike(sh) ? `umask ${flags.includes('S') ? '-S ' : ''}` : ''}${value}\n`);
      return 0;
    }
    if (/^\d/.test(text)) {
      if (/^[0-7]+$/.test(text)) sh.umask = Number.parseInt(text, 8) & 0o777;
      else {
        fail(
          sh,
          bashLike(sh) ? `umask: ${text}: octal number out of range` : `${sh.kind === 'dash' ? 'umask: I' : 'i'}llegal number: ${text}`,
        );
        return bashLike(sh) ? 1 : 2;
      }
      return 0;
    }
    let allowed = ~sh.umask & 0o777;
    for (const clause of text.split(',')) {
      const m = /^([ugoa]*)([-+=])([rwx]*)$/.exec(clause);
      if (!m) {
        fail(sh, bashLike(sh) ? `umask: \`${clause[0] ?? ''}': invalid symbolic mode operator` : `umask: Illegal mode: ${text}`);
        return bashLike(sh) ? 1 : 2;
      }
      const bits = (m[3].includes('r') ? 4 : 0) + (m[3].includes('w') ? 2 : 0) + (m[3].includes('x') ? 1 : 0);
      for (const [who, shift] of [
        ['u', 6],
        ['g', 3],
        ['o', 0],
      ] as const) {
        if (m[1] && !m[1].includes(who) && !m[1].includes('a')) continue;
        if (m[2] === '=') allowed = (allowed & ~(7 << shift)) | (bits << shift);
        else allowed = m[2] === '+' ? allowed | (bits << shift) : allowed & ~(bits << shift);
      }
    }
    sh.umask = ~allowed & 0o777;
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
    if (argv.length < 2) {
      fail(sh, 'let: expression expected');
      return 1;
    }
    let value: bigint | null = 0n;
    for (const text of argv.slice(argv[1] === '--' ? 2 : 1)) {
      sh.arithmetic = bashLike(sh) ? 'let' : '';
      value = yield* evaluateText(sh, text);
      sh.arithmetic = '';
      if (value !== null) continue;
      if (bashLike(sh)) sh.flow = null;
      return 1;
    }
    return value === 0n ? 1 : 0;
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
  test,
  '[': test,
  umask,
  ulimit,
  times,
  let: letBuiltin,
  history: { ...always(0), only: ['bash', 'ash'] },
  complete: { ...always(0), only: ['bash'] },
  compgen: { ...always(1), only: ['bash'] },
  bind: { ...always(0), only: ['bash'] },
  help: { ...always(0), only: ['bash', 'ash'] },
};
