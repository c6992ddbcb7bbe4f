// Builtins about variables: export, local, declare, read-only, unset, getopts.
import { parse } from 'unbash';
import type { Co } from '../../sim/task.ts';
import type { Builtin } from './builtins.ts';
import { functionText } from './function-text.ts';
import { builtinFail, fail, say } from './messages.ts';
import { declared, declaredKey } from './quote.ts';
import { assignArray, assignText } from './simple.ts';
import { bashLike, type Shell, type Variable } from './types.ts';
import { getParam, makeLocal, readonlyError, setVar, unsetVar } from './vars.ts';

const NAME = /^[A-Za-z_]\w*$/;

interface Declaration {
  name: string;
  index?: string;
  append: boolean;
  value: string | undefined;
}

function split(arg: string): Declaration | null {
  const m = /^([A-Za-z_]\w*)(?:\[([^\]]*)\])?(?:(\+?)=([\s\S]*))?$/.exec(arg);
  return m ? { name: m[1], index: m[2], append: m[3] === '+', value: m[4] } : null;
}

function invalid(sh: Shell, builtin: string, arg: string): number {
  if (bashLike(sh)) {
    fail(sh, `${builtin}: \`${arg}': not a valid identifier`);
    return 1;
  }
  fail(
    sh,
    sh.kind === 'dash' ? `${builtin}: ${arg.split('=')[0]}: bad variable name` : `${builtin}: ${arg.split('=')[0]}: bad variable name`,
  );
  if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
  return 2;
}

/** Give a declared name its value; arrays come as source text. */
function* give(sh: Shell, d: Declaration): Co<boolean> {
  if (d.value === undefined) {
    if (!sh.vars.has(d.name)) sh.vars.set(d.name, { value: null });
    return true;
  }
  if (d.value.startsWith('(') && bashLike(sh)) {
    const command = parse(`x=${d.value}`).commands[0]?.command;
    const a = command?.type === 'Command' ? command.prefix[0] : undefined;
    if (a?.type === 'Assignment' && a.value.type === 'ArrayValue') return yield* assignArray(sh, d.name, a.value.elements, d.append);
  }
  return yield* assignText(sh, d.name, d.value, d.index, d.append);
}

function quoted(sh: Shell, value: string): string {
  if (bashLike(sh)) return declared(value);
  return `'${value.replace(/'/g, `'"'"'`)}'`;
}

function list(sh: Shell, flag: 'exported' | 'readonly'): void {
  for (const name of [...sh.vars.keys()].sort()) {
    const v = sh.vars.get(name) as Variable;
    if (!v[flag]) continue;
    const head = bashLike(sh)
      ? `declare -${v.readonly && flag === 'exported' ? 'rx' : flag === 'exported' ? 'x' : 'r'}`
      : flag === 'exported'
        ? 'export'
        : 'readonly';
    say(sh, 1, `${head} ${name}${v.value === null ? '' : `=${quoted(sh, v.value)}`}\n`);
  }
}

function marker(flag: 'exported' | 'readonly'): Builtin {
  return {
    *run(sh, argv) {
      const args = argv.slice(1).filter(a => a !== '--');
      const remove = args[0] === '-n';
      while (/^-[pnfa]+$/.test(args[0] ?? '')) args.shift();
      if (!args.length) list(sh, flag);
      let status = 0;
      for (const arg of args) {
        const d = split(arg);
        if (!d) {
          status = invalid(sh, argv[0], arg);
          if (sh.flow) return status;
          continue;
        }
        if (!(yield* give(sh, d))) return sh.status || 1;
        const v = sh.vars.get(d.name);
        if (v) v[flag] = !remove;
      }
      return status;
    },
  };
}

const local: Builtin = {
  *run(sh, argv) {
    if (!sh.scopes.length) {
      builtinFail(sh, 'local', bashLike(sh) ? 'can only be used in a function' : 'not in a function');
      if (!bashLike(sh)) sh.flow = { kind: 'exit', levels: 0 };
      return bashLike(sh) ? 1 : 2;
    }
    return yield* declareAll(sh, argv, true);
  },
};

function* declareAll(sh: Shell, argv: string[], inFunction: boolean): Co<number> {
  let flags = '';
  let remove = '';
  const args = argv.slice(1);
  while (/^[-+][A-Za-z]+$/.test(args[0] ?? '')) {
    const arg = args.shift() as string;
    if (arg[0] === '-') flags += arg.slice(1);
    else remove += arg.slice(1);
  }
  if (flags.includes('f') || flags.includes('F')) return listFunctions(sh, args, flags);
  if (flags.includes('p') || !args.length) return printDeclared(sh, args);
  let status = 0;
  for (const arg of args) {
    const d = split(arg);
    if (!d) {
      status = invalid(sh, argv[0], arg);
      continue;
    }
    if (inFunction && !flags.includes('g')) makeLocal(sh, d.name);
    const v = sh.vars.get(d.name) ?? { value: null };
    if (v.readonly && d.value !== undefined) {
      readonlyError(sh, d.name);
      return 1;
    }
    sh.vars.set(d.name, v);
    if (flags.includes('A') && !v.assoc) v.assoc = new Map();
    if (flags.includes('a') && !v.array) v.array = new Map(v.value === null ? [] : [[0, v.value]]);
    if (flags.includes('i')) v.integer = true;
    if (flags.includes('l')) v.letters = 'lower';
    if (flags.includes('u')) v.letters = 'upper';
    if (flags.includes('n')) v.nameref = false;
    if (!(yield* give(sh, d))) return sh.status || 1;
    const now = sh.vars.get(d.name) as Variable;
    if (flags.includes('x')) now.exported = true;
    if (remove.includes('x')) now.exported = false;
    if (flags.includes('n')) now.nameref = true;
    if (flags.includes('r')) now.readonly = true;
  }
  return status;
}

function listFunctions(sh: Shell, names: string[], flags: string): number {
  let status = 0;
  for (const name of names.length ? names : [...sh.functions.keys()].sort()) {
    const f = sh.functions.get(name);
    if (!f) status = 1;
    else if (flags.includes('F')) say(sh, 1, names.length ? `${name}\n` : `declare -f ${name}\n`);
    else say(sh, 1, `${functionText(name, f)}\n`);
  }
  return status;
}

/** The letters of declare that made the variable what it is. */
export const attributes = (v: Variable): string =>
  `${v.array ? 'a' : ''}${v.assoc ? 'A' : ''}${v.integer ? 'i' : ''}${v.nameref ? 'n' : ''}${v.readonly ? 'r' : ''}${v.exported ? 'x' : ''}${v.letters === 'lower' ? 'l' : v.letters === 'upper' ? 'u' : ''}`;

/** `([0]="a" [1]="b")`; an associative array has a blank before its end. */
export function arrayText(v: Variable): string {
  if (v.assoc) return `(${[...v.assoc].map(([k, x]) => `[${declaredKey(k)}]=${declared(x)} `).join('')})`;
  const entries = [...(v.array ?? [])].sort((a, b) => a[0] - b[0]);
  return `(${entries.map(([k, x]) => `[${k}]=${declared(x)}`).join(' ')})`;
}

function printDeclared(sh: Shell, names: string[]): number {
  let status = 0;
  for (const name of names.length ? names : [...sh.vars.keys()].sort()) {
    const v = sh.vars.get(name);
    if (!v) {
      fail(sh, `declare: ${name}: not found`);
      status = 1;
      continue;
    }
    const value = v.array || v.assoc ? `=${arrayText(v)}` : v.value === null ? '' : `=${quoted(sh, v.value)}`;
    say(sh, 1, `declare -${attributes(v) || '-'} ${name}${value === '=()' && !v.assigned ? '' : value}\n`);
  }
  return status;
}

const declare: Builtin = { only: ['bash'], run: (sh, argv) => declareAll(sh, argv, sh.scopes.length > 0) };

const unset: Builtin = {
  *run(sh, argv) {
    let status = 0;
    const functions = argv[1] === '-f';
    for (const name of argv.slice(/^-[fvn]$/.test(argv[1] ?? '') ? 2 : 1)) {
      const element = /^(\w+)\[([^\]]*)\]$/.exec(name);
      if (element && bashLike(sh)) {
        const v = sh.vars.get(element[1]);
        v?.assoc?.delete(element[2]);
        v?.array?.delete(Number(element[2]));
      } else if (functions) sh.functions.delete(name);
      else if (!NAME.test(name)) {
        fail(sh, bashLike(sh) ? `unset: \`${name}': not a valid identifier` : `unset: ${name}: bad variable name`);
        status = bashLike(sh) ? 1 : 2;
      } else if (sh.vars.has(name)) {
        if (!unsetVar(sh, name)) status = bashLike(sh) ? 1 : 2;
      } else if (bashLike(sh)) sh.functions.delete(name);
    }
    return status;
  },
};

const getopts: Builtin = {
  *run(sh, argv) {
    const [, spec, name] = argv;
    if (name === undefined) {
      fail(sh, bashLike(sh) ? 'getopts: usage: getopts optstring name [arg ...]' : 'getopts: Usage: getopts optstring var [arg]');
      return 2;
    }
    const args = argv.length > 3 ? argv.slice(3) : sh.args;
    const state = sh.optind;
    const finish = (status: number) => {
      const at = state.at;
      const within = state.within;
      setVar(sh, 'OPTIND', String(at));
      sh.optind = { at, within };
      return status;
    };
    const word = args[state.at - 1];
    if (state.within === 0 && (word === undefined || !word.startsWith('-') || word === '-' || word === '--')) {
      if (word === '--') state.at++;
      setVar(sh, name, '?');
      return finish(1);
    }
    const at = state.within || 1;
    const letter = word[at];
    const known = letter !== ':' && spec.replace(/^:/, '').includes(letter);
    const takes = known && spec[spec.indexOf(letter, spec.startsWith(':') ? 1 : 0) + 1] === ':';
    const next = () => {
      state.at++;
      state.within = 0;
    };
    if (!takes) {
      if (at + 1 < word.length) state.within = at + 1;
      else next();
    }
    const quiet = spec.startsWith(':') || getParam(sh, 'OPTERR') === '0';
    sh.vars.delete('OPTARG');
    if (!known) {
      setVar(sh, name, '?');
      if (spec.startsWith(':')) setVar(sh, 'OPTARG', letter);
      else if (!quiet) say(sh, 2, bashLike(sh) ? `${sh.name}: illegal option -- ${letter}\n` : `Illegal option -${letter}\n`);
      return finish(0);
    }
    setVar(sh, name, letter);
    if (!takes) return finish(0);
    if (at + 1 < word.length) {
      setVar(sh, 'OPTARG', word.slice(at + 1));
      next();
      return finish(0);
    }
    next();
    const value = args[state.at - 1];
    if (value === undefined) {
      setVar(sh, name, spec.startsWith(':') ? ':' : '?');
      if (spec.startsWith(':')) setVar(sh, 'OPTARG', letter);
      else if (!quiet)
        say(sh, 2, bashLike(sh) ? `${sh.name}: option requires an argument -- ${letter}\n` : `No arg for -${letter} option\n`);
      return finish(0);
    }
    setVar(sh, 'OPTARG', value);
    state.at++;
    return finish(0);
  },
};

export const VARIABLE_BUILTINS: Record<string, Builtin> = {
  export: marker('exported'),
  readonly: marker('readonly'),
  local,
  declare,
  typeset: declare,
  unset,
  getopts,
};
