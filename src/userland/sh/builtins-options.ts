// Builtins about the shell's options and positional parameters: set, shift, shopt.
import type { Builtin } from './builtins.ts';
import { fail, say } from './messages.ts';
import { LONG_OPTIONS, optionKey, optionNames, SHOPT_NAMES } from './option-tables.ts';
import { shellQuote } from './quote.ts';
import { bashLike, type Shell } from './types.ts';

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
        const key = name === undefined ? undefined : optionKey(sh.kind, name);
        if (name === undefined) return i;
        if (!key) {
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

function toggle(sh: Shell, key: string, on: boolean, among: Set<string> = sh.options): void {
  if (on) among.add(key);
  else among.delete(key);
}

const isOn = (sh: Shell, name: string): boolean =>
  name === 'interactive-comments' || sh.options.has(LONG_OPTIONS[name]) || (name === 'interactive' && sh.interactive);

/** One line of `set -o`, or the command that would set it again. */
function optionLine(sh: Shell, name: string, again: boolean): string {
  if (again) return `set ${isOn(sh, name) ? '-' : '+'}o ${name}\n`;
  return bashLike(sh) ? `${name.padEnd(15)}\t${isOn(sh, name) ? 'on' : 'off'}\n` : `${name.padEnd(16)}${isOn(sh, name) ? 'on' : 'off'}\n`;
}

const set: Builtin = {
  *run(sh, argv) {
    const args = argv.slice(1);
    if (!args.length) {
      printVariables(sh);
      return 0;
    }
    if (/^[-+]o$/.test(args[0]) && args.length === 1) {
      if (sh.kind === 'dash' && args[0] === '-o') say(sh, 1, 'Current option settings\n');
      for (const name of optionNames(sh.kind)) say(sh, 1, optionLine(sh, name, args[0] === '+o'));
      return 0;
    }
    const used = setOptions(sh, args, sh.kind === 'ash' && !sh.interactive ? `set: line ${Math.max(0, sh.line - 1)}: ` : 'set: ');
    if (used === null) {
      if (bashLike(sh) && !/^[-+]o/.test(args[0]))
        say(sh, 2, 'set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]\n');
      // BusyBox goes on after a name that it does not know.
      if (sh.kind === 'ash' && /^[-+]o/.test(args[0])) return 1;
      if (!bashLike(sh) && !sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
      return 2;
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
      const why = Number.isInteger(n) ? 'shift count out of range' : 'numeric argument required';
      fail(sh, bashLike(sh) ? `shift: ${argv[1]}: ${why}` : `shift: Illegal number: ${argv[1]}`);
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

function shoptError(sh: Shell, text: string, usage = false): number {
  fail(sh, `shopt: ${text}`);
  if (usage) say(sh, 2, 'shopt: usage: shopt [-pqsu] [-o] [optname ...]\n');
  return usage ? 2 : 1;
}

const isSet = (sh: Shell, name: string): boolean => sh.shopt.has(name) || (name === 'expand_aliases' && sh.interactive);
const shoptLine = (sh: Shell, name: string): string => `${name.padEnd(15)}\t${isSet(sh, name) ? 'on' : 'off'}\n`;

/** `shopt` and `bash -O` without a name. */
export const shoptLines = (sh: Shell): string => SHOPT_NAMES.map(name => shoptLine(sh, name)).join('');

const shopt: Builtin = {
  only: ['bash'],
  *run(sh, argv) {
    let i = 1;
    let flags = '';
    for (; /^-./.test(argv[i] ?? ''); i++) {
      const wrong = [...argv[i].slice(1)].find(c => !'pqsuo'.includes(c));
      if (wrong) return shoptError(sh, `-${wrong}: invalid option`, true);
      flags += argv[i].slice(1);
    }
    const [on, off, set] = ['s', 'u', 'o'].map(c => flags.includes(c));
    if (on && off) return shoptError(sh, 'cannot set and unset shell options simultaneously');
    const names = argv.slice(i);
    const has = (name: string) => (set ? isOn(sh, name) : isSet(sh, name));
    const all = set ? optionNames(sh.kind) : SHOPT_NAMES;
    const show = (name: string) => {
      if (flags.includes('q')) return;
      if (set) say(sh, 1, optionLine(sh, name, flags.includes('p')));
      else say(sh, 1, flags.includes('p') ? `shopt ${has(name) ? '-s' : '-u'} ${name}\n` : shoptLine(sh, name));
    };
    if (!names.length) {
      for (const name of all) if (on ? has(name) : off ? !has(name) : true) show(name);
      return 0;
    }
    let status = 0;
    for (const name of names) {
      if (!all.includes(name)) status = shoptError(sh, `${name}: invalid ${set ? '' : 'shell '}option name`);
      else if (on || off) toggle(sh, set ? LONG_OPTIONS[name] : name, on, set ? sh.options : sh.shopt);
      else {
        show(name);
        if (!has(name)) status = 1;
      }
    }
    return status;
  },
};

export const OPTION_BUILTINS: Record<string, Builtin> = {
  set,
  shift,
  shopt,
};
