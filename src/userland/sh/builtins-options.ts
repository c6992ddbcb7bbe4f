// Builtins about the shell's options and positional parameters: set, shift, shopt.
import type { Builtin } from './builtins.ts';
import { fail, say } from './messages.ts';
import { shellQuote } from './param.ts';
import { bashLike, type Shell } from './types.ts';

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

export const OPTION_BUILTINS: Record<string, Builtin> = {
  set,
  shift,
  shopt,
};
