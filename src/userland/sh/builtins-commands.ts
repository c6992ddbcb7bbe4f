// Builtins that look commands up and run them: exec, type, command, builtin, alias.
import { findExecutable, spawnProgram, waitFor } from '../../linux/process.ts';
import { absolute, lookup } from '../../linux/vfs.ts';
import { pipeOf } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { type Builtin, builtins, SPECIAL } from './builtins.ts';
import { functionText } from './function-text.ts';
import { builtinFail, fail, say } from './messages.ts';
import { notFound } from './not-found.ts';
import { shellQuote } from './quote.ts';
import { runText } from './script.ts';
import { builtinOf, execReplace, runBuiltin } from './simple.ts';
import { bashLike, type Shell } from './types.ts';
import { environment, getParam } from './vars.ts';

export function onPath(sh: Shell, name: string): string {
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
  if (f) return verbose ? (bashLike(sh) ? `${name} is a function\n${functionText(name, f)}` : `${name} is a shell function`) : name;
  if (builtinOf(sh, name)) return verbose ? `${name} is a ${SPECIAL.has(name) && !bashLike(sh) ? 'special ' : ''}shell builtin` : name;
  const found = findExecutable(sh.p.fs, name, getParam(sh, 'PATH'), sh.p.cwd);
  if (typeof found === 'string') return null;
  return verbose ? `${name} is ${found.path}` : found.path;
}

const KEYWORDS = new Set(['if', 'then', 'else', 'elif', 'fi', 'do', 'done', 'case', 'esac', 'while', 'until', 'for', '{', '}', '!']);

const type: Builtin = {
  *run(sh, argv) {
    let status = 0;
    const flags = argv.slice(1).filter(a => /^-[tpaPf]+$/.test(a) && bashLike(sh));
    for (const name of argv.slice(1 + flags.length)) {
      if (flags.join('').includes('a')) {
        const texts = everything(sh, name, flags.join(''));
        if (texts.length) {
          say(sh, 1, texts.map(t => `${t}\n`).join(''));
          continue;
        }
      }
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

/** type -a: all that the name could mean, and with -t, -p what each is. */
function everything(sh: Shell, name: string, flags: string): string[] {
  const shown = (kind: string, text: string) => (flags.includes('t') ? kind : text);
  const list: string[] = [];
  if (!/[pP]/.test(flags)) {
    const alias = sh.aliases.get(name)?.text;
    if (alias !== undefined) list.push(shown('alias', `${name} is aliased to \`${alias}'`));
    if (KEYWORDS.has(name)) list.push(shown('keyword', `${name} is a shell keyword`));
    const f = sh.functions.get(name);
    if (f) list.push(shown('function', `${name} is a function\n${functionText(name, f)}`));
    if (builtinOf(sh, name)) list.push(shown('builtin', `${name} is a shell builtin`));
  }
  for (const dir of (getParam(sh, 'PATH') ?? '').split(':')) {
    const path = `${dir}/${name}`;
    const node = name.includes('/') ? 'ENOENT' : lookup(sh.p.fs, absolute(path, sh.p.cwd), sh.p);
    if (typeof node === 'string' || node.kind !== 'file' || !(node.mode & 0o111)) continue;
    list.push(shown('file', /[pP]/.test(flags) ? path : `${name} is ${path}`));
  }
  return list;
}

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
      // The POSIX shells look at the first name only.
      for (const name of bashLike(sh) ? args : args.slice(0, 1)) {
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
function* runWithoutFunctions(sh: Shell, args: string[]): Co<number> {
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

/** caller: who called the function that runs. With a number: which one further out, with its name. */
const caller: Builtin = {
  only: ['bash'],
  *run(sh, argv) {
    const source = sh.commandString ? 'environment' : sh.name;
    const n = argv[1] === undefined ? 0 : Number(argv[1]);
    if (!Number.isInteger(n)) {
      fail(sh, `caller: ${argv[1]}: invalid number`);
      return 2;
    }
    const line = sh.callLines[sh.callLines.length - 1 - n];
    if (line === undefined) return 1;
    const name = sh.calls[sh.calls.length - 2 - n] ?? (sh.commandString ? undefined : 'main');
    if (argv[1] === undefined) say(sh, 1, `${line} ${name === undefined && sh.commandString ? 'NULL' : source}\n`);
    else if (name === undefined) return 1;
    else say(sh, 1, `${line} ${name} ${source}\n`);
    return 0;
  },
};

const hash: Builtin = {
  *run(sh, argv) {
    const names = argv.slice(1).filter(a => !a.startsWith('-'));
    const flags = argv
      .slice(1)
      .filter(a => a.startsWith('-'))
      .join('');
    if (flags.includes('r')) sh.hashed.clear();
    if (!names.length && !flags.includes('r')) {
      if (!bashLike(sh)) for (const { path } of sh.hashed.values()) say(sh, 1, `${path}\n`);
      else if (!sh.hashed.size) say(sh, 1, 'hash: hash table empty\n');
      else {
        say(sh, 1, 'hits\tcommand\n');
        for (const { path, hits } of sh.hashed.values()) say(sh, 1, `${String(hits).padStart(4)}\t${path}\n`);
      }
      return 0;
    }
    let status = 0;
    for (const name of names) {
      if (flags.includes('d')) {
        sh.hashed.delete(name);
        continue;
      }
      if (builtinOf(sh, name) || sh.functions.has(name)) continue;
      const found = findExecutable(sh.p.fs, name, getParam(sh, 'PATH'), sh.p.cwd);
      if (typeof found === 'string') status = builtinFail(sh, 'hash', `${name}: not found`);
      else if (flags.includes('t')) say(sh, 1, `${found.path}\n`);
      else sh.hashed.set(name, { path: found.path, hits: 0 });
    }
    return status;
  },
};

const enable: Builtin = {
  only: ['bash'],
  *run(sh, argv) {
    const off = argv[1] === '-n';
    const names = argv.slice(1).filter(a => !a.startsWith('-'));
    const all = Object.keys(builtins())
      .filter(name => !builtins()[name].only || builtins()[name].only?.includes('bash'))
      .sort();
    if (!names.length) for (const name of all) if (sh.disabled.has(name) === off) say(sh, 1, `enable ${off ? '-n ' : ''}${name}\n`);
    let status = 0;
    for (const name of names) {
      if (!all.includes(name)) {
        fail(sh, `enable: ${name}: not a shell builtin`);
        status = 1;
      } else if (off) sh.disabled.add(name);
      else sh.disabled.delete(name);
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

export const COMMAND_BUILTINS: Record<string, Builtin> = {
  exec,
  type,
  command,
  builtin,
  alias,
  unalias,
  caller,
  hash,
  enable,
};
