// Simple commands: assignments, functions, builtins, programs.
import type { Assignment, Command, CommandArgument, Redirection, Word } from 'unbash';
import { findExecutable, spawn, spawnProgram, strerror, waitFor } from '../../linux/process.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import type { FileNode } from '../../linux/vfs.ts';
import { newPipe, type Pipe, pipeOf } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { evaluateText } from './arith.ts';
import { type Builtin, builtins, DECLARATIONS, SPECIAL } from './builtins.ts';
import { commandText } from './command-text.ts';
import { expandAssigned, expandString, expandWords, wordOf } from './expand.ts';
import { fail } from './messages.ts';
import { notFound } from './not-found.ts';
import { redirect, restoreDescriptors, takeWriteError } from './redirect.ts';
import { BROKEN_PIPE, reportSignal, runCommand, runStatements } from './run.ts';
import { lineOf, parseScript } from './script.ts';
import { runHook } from './traps.ts';
import { type Alias, bashLike, type Shell, type ShellFunction, type Variable } from './types.ts';
import { environment, getParam, leaveScope, setVar, variable } from './vars.ts';
import { trace, traced, tracing } from './xtrace.ts';

/** `takesPlace`: nothing follows in this process, so a program may replace the shell in it. */
export function* runSimple(sh: Shell, node: Command, takesPlace: boolean): Co<number> {
  sh.line = lineOf(sh, node.pos);
  const alias = aliasFor(sh, node);
  if (alias !== null) return yield* runAlias(sh, node, alias);
  const before = sh.status;
  if (bashLike(sh)) {
    if (!sh.inTrap) sh.command = commandText(sh, node);
    if (sh.traps.has('DEBUG')) yield* runHook(sh, 'DEBUG');
  }
  sh.status = 0;
  const argv = yield* argumentsOf(sh, node, before);
  if (sh.flow) return afterFlow(sh);
  const assignments = node.prefix.filter((x): x is Assignment => x.type === 'Assignment');
  if (!argv.length) sh.lastWord = '';
  if (!argv.length) return yield* assignOnly(sh, assignments, node.redirects, before);
  sh.status = before;
  sh.lastWord = argv[argv.length - 1];
  if (tracing(sh) && !bashLike(sh)) yield* trace(sh, [...assignments.map(a => a.text), ...argv.map(w => traced(sh, w))].join(' '));
  return yield* dispatch(sh, argv, assignments, node.redirects, takesPlace);
}

/** An error in an expansion ends a script; at a terminal it ends the line. */
function afterFlow(sh: Shell): number {
  return sh.status;
}

function aliasFor(sh: Shell, node: Command): string | null {
  if (!sh.aliases.size || !node.name || node.name.parts) return null;
  if (bashLike(sh) && !sh.interactive && !sh.shopt.has('expand_aliases')) return null;
  const alias = sh.aliases.get(node.name.text);
  // A line is read as a whole: an alias acts from the next one on.
  return alias && alias.line < sh.line ? alias.text : null;
}

function* runAlias(sh: Shell, node: Command, text: string): Co<number> {
  const name = node.name as Word;
  const rest = sh.source.slice(name.end, node.end);
  const head = sh.source.slice(node.pos, name.pos);
  const source = `${head}${text}${rest}`;
  const script = parseScript(sh, source);
  if (!script) return sh.status;
  const saved = { source: sh.source, lineBase: sh.lineBase, alias: sh.aliases.get(name.text) as Alias };
  sh.source = source;
  sh.lineBase = sh.line - 1;
  sh.aliases.delete(name.text); // an alias does not expand within itself
  yield* runStatements(sh, script.commands);
  sh.aliases.set(name.text, saved.alias);
  sh.source = saved.source;
  sh.lineBase = saved.lineBase;
  return sh.status;
}

function* argumentsOf(sh: Shell, node: Command, before: number): Co<string[]> {
  if (!node.name) return [];
  // $? in the words is the status of the command before.
  sh.status = before;
  const argv = yield* expandWords(sh, [node.name]);
  if (sh.flow) return [];
  const declares = DECLARATIONS.has(node.name.text);
  for (const arg of node.args) {
    if (arg.type === 'Word') argv.push(...(yield* expandWords(sh, [arg])));
    else if (declares) argv.push(yield* declaration(sh, arg));
    else argv.push(...(yield* expandWords(sh, [wordOf(arg.text)])));
    if (sh.flow) return [];
  }
  if (!argv.length) sh.status = 0;
  return argv;
}

/** `export A=$b`: one word, not split. Arrays keep their source: `declare -a x=(1 2)`. */
function* declaration(sh: Shell, arg: Extract<CommandArgument, { type: 'Assignment' }>): Co<string> {
  if (arg.value.type === 'ArrayValue') return arg.text;
  return `${arg.name}${arg.index ? `[${arg.index.text}]` : ''}${arg.append ? '+' : ''}=${yield* expandAssigned(sh, arg.value)}`;
}

/** One `name=value`, `name+=value`, `name[i]=value`, `name=(…)`. */
export function* assign(sh: Shell, a: Assignment): Co<boolean> {
  if (a.value.type === 'ArrayValue') yield* trace(sh, a.text);
  if (a.value.type === 'ArrayValue') return yield* assignArray(sh, a.name, a.value.elements, a.append === true);
  const text = yield* expandAssigned(sh, a.value);
  if (sh.flow) return false;
  if (tracing(sh)) yield* trace(sh, assignmentText(sh, a, text));
  return yield* assignText(sh, a.name, text, a.index ? yield* expandString(sh, a.index) : undefined, a.append === true);
}

function assignmentText(sh: Shell, a: Assignment, value: string): string {
  return `${a.name}${a.index ? `[${a.index.text}]` : ''}${a.append ? '+' : ''}=${value === '' ? '' : traced(sh, value)}`;
}

export function* assignText(sh: Shell, name: string, text: string, index: string | undefined, append: boolean): Co<boolean> {
  const v = variable(sh, name);
  let key: string | number | undefined = index;
  if (index !== undefined && !v?.assoc) {
    const at = yield* evaluateText(sh, index);
    if (at === null) return false;
    key = Number(at);
  }
  if (v?.integer) {
    const n = yield* evaluateText(sh, append ? `(${getParam(sh, name) || '0'})+(${text})` : text);
    return n !== null && setVar(sh, name, String(n), key);
  }
  if (!append) return setVar(sh, name, text, key);
  const old = key === undefined ? getParam(sh, name) : v?.assoc ? v.assoc.get(String(key)) : v?.array?.get(Number(key));
  return setVar(sh, name, (old ?? '') + text, key);
}

export function* assignArray(sh: Shell, name: string, elements: readonly Word[], append: boolean): Co<boolean> {
  const old = variable(sh, name);
  const v: Variable = append && (old?.array || old?.assoc) ? old : { ...old, value: null };
  if (!append || !(v.array || v.assoc)) {
    if (old?.assoc) v.assoc = new Map();
    else v.array = new Map(append && old?.value ? [[0, old.value]] : []);
  }
  v.assigned = true;
  let next = v.array ? Math.max(-1, ...v.array.keys()) + 1 : 0;
  for (const element of elements) {
    const keyed = /^\[([^\]]*)\]=/.exec(element.text);
    if (keyed) {
      const value = yield* expandString(sh, wordOf(element.text.slice(keyed[0].length) || "''"));
      const key = yield* expandString(sh, wordOf(keyed[1] || "''"));
      if (v.assoc) v.assoc.set(key, value);
      else {
        next = Number((yield* evaluateText(sh, key)) ?? 0n);
        v.array?.set(next++, value);
      }
    } else for (const value of yield* expandWords(sh, [element])) v.array?.set(next++, value);
    if (sh.flow) return false;
  }
  sh.vars.set(name, v);
  return true;
}

/** `before`: what `$?` says in the values. Without a command in one of them the whole succeeds. */
function* assignOnly(sh: Shell, assignments: Assignment[], redirects: readonly Redirection[], before: number): Co<number> {
  const runsCommands = assignments.some(a => /\$\((?!\()|`/.test(a.text));
  if (assignments.length) sh.status = before;
  for (const a of assignments) {
    if (!(yield* assign(sh, a))) {
      if (sh.status === 0 || sh.status === before) sh.status = 1;
      return sh.status;
    }
  }
  if (!runsCommands) sh.status = 0;
  if (redirects.length) {
    const saved = new Map(sh.fds);
    const status = sh.status;
    if (yield* redirect(sh, redirects)) sh.status = status;
    restoreDescriptors(sh, saved);
  }
  return sh.status;
}

function* dispatch(
  sh: Shell,
  argv: string[],
  assignments: Assignment[],
  redirects: readonly Redirection[],
  takesPlace: boolean,
): Co<number> {
  const name = argv[0];
  const f = sh.functions.get(name);
  const builtin = f ? undefined : builtinOf(sh, name);
  const saved = new Map(sh.fds);
  if (!(yield* redirect(sh, redirects))) {
    if (builtin && SPECIAL.has(name) && !bashLike(sh) && !sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
    restoreDescriptors(sh, saved);
    return sh.status;
  }
  if (f || builtin) {
    const undo = yield* temporary(sh, assignments);
    if (bashLike(sh)) yield* trace(sh, argv.map(w => traced(sh, w)).join(' '));
    if (!sh.flow) yield* f ? callFunction(sh, f, argv) : runBuiltin(sh, builtin as Builtin, argv);
    undo();
    // `exec` with redirections only keeps them.
    if (name !== 'exec' || argv.length > 1) restoreDescriptors(sh, saved);
    return sh.status;
  }
  const env = yield* environmentWith(sh, assignments);
  if (bashLike(sh)) yield* trace(sh, argv.map(w => traced(sh, w)).join(' '));
  if (sh.flow) return sh.status;
  sh.status = yield* runProgram(sh, argv, env, takesPlace);
  restoreDescriptors(sh, saved);
  return sh.status;
}

export const builtinOf = (sh: Shell, name: string): Builtin | undefined => {
  const all = builtins();
  const b = Object.hasOwn(all, name) && !sh.disabled.has(name) ? all[name] : undefined;
  return b && (!b.only || b.only.includes(sh.kind === 'zsh' ? 'bash' : sh.kind)) ? b : undefined;
};

export function* runBuiltin(sh: Shell, builtin: Builtin, argv: string[]): Co<number> {
  const status = yield* builtin.run(sh, argv);
  const out = sh.fds.get(1);
  const e = takeWriteError(out);
  if (e) {
    fail(sh, `${argv[0]}: ${sh.kind === 'bash' ? 'write error: ' : 'I/O error: '}${strerror(e)}`);
    sh.status = 1;
    return 1;
  }
  sh.status = status;
  if (status === BROKEN_PIPE) sh.flow = { kind: 'exit', levels: 0 };
  return status;
}

/** `A=1 cmd` for what runs in the shell itself: set now, put back afterwards. */
function* temporary(sh: Shell, assignments: Assignment[]): Co<() => void> {
  const old: [string, Variable | undefined][] = [];
  for (const a of assignments) {
    const before = sh.vars.get(a.name);
    old.push([a.name, before && { ...before }]);
    // The others have traced the whole command.
    const quiet = tracing(sh) && !bashLike(sh);
    if (quiet) sh.options.delete('x');
    yield* assign(sh, a);
    if (quiet) sh.options.add('x');
    const v = sh.vars.get(a.name);
    if (v) v.exported = true;
  }
  return () => {
    for (const [name, v] of old.reverse()) {
      if (v) sh.vars.set(name, v);
      else sh.vars.delete(name);
    }
  };
}

function* environmentWith(sh: Shell, assignments: Assignment[]): Co<Map<string, string>> {
  const env = environment(sh);
  for (const a of assignments) {
    if (a.value.type !== 'Word') continue;
    const text = yield* expandAssigned(sh, a.value);
    if (bashLike(sh)) yield* trace(sh, assignmentText(sh, a, text));
    env.set(a.name, text);
  }
  return env;
}

function* callFunction(sh: Shell, f: ShellFunction, argv: string[]): Co<number> {
  if (sh.calls.length > 800) {
    fail(sh, `${argv[0]}: maximum function nesting level exceeded (800)`);
    sh.status = 1;
    return 1;
  }
  const saved = { args: sh.args, source: sh.source, loops: sh.loops, line: sh.line };
  sh.args = argv.slice(1);
  sh.source = f.source;
  sh.loops = 0;
  sh.calls.push(argv[0]);
  sh.callLines.push(saved.line);
  const hooks = ['DEBUG', 'RETURN'].filter(h => sh.traps.has(h) && !sh.options.has('T'));
  const held = hooks.map(h => [h, sh.traps.get(h) as string]);
  for (const h of hooks) sh.traps.delete(h);
  sh.scopes.push(new Map());
  const body = f.body;
  if (body.type === 'CompoundList') yield* runStatements(sh, body.commands);
  else yield* runCommand(sh, body);
  if (sh.flow?.kind === 'return') sh.flow = null;
  if (sh.traps.has('RETURN') && !sh.flow) yield* runHook(sh, 'RETURN');
  for (const [h, action] of held) sh.traps.set(h, action);
  leaveScope(sh);
  sh.calls.pop();
  sh.callLines.pop();
  sh.args = saved.args;
  sh.source = saved.source;
  sh.loops = saved.loops;
  sh.line = saved.line;
  return sh.status;
}

const none = () => newPipe({ sink: () => {} });

function* runProgram(sh: Shell, argv: string[], env: Map<string, string>, takesPlace: boolean): Co<number> {
  const { p } = sh;
  const found = argv[0] === '' ? 'ENOENT' : findExecutable(p.fs, argv[0], env.get('PATH') ?? getParam(sh, 'PATH'), p.cwd);
  if (typeof found === 'string') return notFound(sh, argv[0], found);
  if (!argv[0].includes('/')) sh.hashed.set(argv[0], { path: found.path, hits: (sh.hashed.get(argv[0])?.hits ?? 0) + 1 });
  if (takesPlace && found.node.program) return yield* become(sh, found.node.program, argv, env);
  const child = start(sh, found, argv, env);
  const status = yield* waitFor(child);
  reportSignal(sh, child);
  return status;
}

/** This process runs `program` from here on. */
export function* become(sh: Shell, program: Program, argv: string[], env: Map<string, string>): Co<number> {
  const { p } = sh;
  p.argv = argv;
  p.env = env;
  p.stdin = sh.fds.get(0) ?? pipeOf();
  p.stdout = sh.fds.get(1) ?? none();
  p.stderr = sh.fds.get(2) ?? none();
  p.fds = extraDescriptors(sh);
  for (const [signal, action] of sh.traps) if (action) p.onSignal.delete(signal);
  return yield* program(p);
}

const extraDescriptors = (sh: Shell): Map<number, Pipe> => new Map([...sh.fds].filter(([fd]) => fd > 2));

function start(sh: Shell, found: { path: string; node: FileNode }, argv: string[], env: Map<string, string>): Process {
  const { p } = sh;
  const options = {
    netns: p.netns,
    fs: p.fs,
    argv,
    env,
    parent: p,
    stdin: sh.fds.get(0) ?? pipeOf(),
    stdout: sh.fds.get(1) ?? none(),
    stderr: sh.fds.get(2) ?? none(),
  };
  const withDescriptors = (program: Program): Program =>
    sh.fds.size > 3
      ? q => {
          q.fds = extraDescriptors(sh);
          return program(q);
        }
      : program;
  if (found.node.program) return spawnProgram(p.kernel, withDescriptors(found.node.program), options);
  const child = spawn(p.kernel, { ...options, argv: [found.path, ...argv.slice(1)] });
  if (typeof child !== 'string') return child;
  return spawnProgram(p.kernel, scriptOrError(sh, found, argv, child), options);
}

/** A text without #! is run by the shell itself; a missing interpreter is an error. */
function scriptOrError(sh: Shell, found: { path: string; node: FileNode }, argv: string[], e: Errno): Program {
  return function* (q) {
    if (e !== 'ENOEXEC') {
      fail(sh, bashLike(sh) ? `${argv[0]}: cannot execute: required file not found` : `${argv[0]}: not found`);
      return 127;
    }
    const data = typeof found.node.data === 'function' ? found.node.data(q) : found.node.data;
    const self = findExecutable(q.fs, sh.kind === 'bash' ? 'bash' : 'sh', undefined, '/');
    if (data.includes(0) || typeof self === 'string' || !self.node.program) {
      fail(sh, `${argv[0]}: ${bashLike(sh) ? 'cannot execute binary file: Exec format error' : 'Exec format error'}`);
      return 126;
    }
    q.argv = [sh.kind === 'bash' ? 'bash' : 'sh', found.path, ...argv.slice(1)];
    return yield* self.node.program(q);
  };
}

/** `exec CMD`: -> null: it cannot be run. */
export function* execReplace(sh: Shell, argv: string[]): Co<number> {
  const { p } = sh;
  const env = environment(sh);
  const found = findExecutable(p.fs, argv[0], env.get('PATH') ?? getParam(sh, 'PATH'), p.cwd);
  if (typeof found === 'string') {
    if (bashLike(sh)) {
      fail(sh, `exec: ${argv[0]}: ${argv[0].includes('/') ? strerror(found) : 'not found'}`);
      if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
      return found === 'ENOENT' ? 127 : 126;
    }
    fail(sh, sh.kind === 'dash' ? `exec: ${argv[0]}: not found` : `exec: ${argv[0]}: not found`);
    sh.flow = { kind: 'exit', levels: 0 };
    return 127;
  }
  let status: number;
  if (found.node.program) status = yield* become(sh, found.node.program, argv, env);
  else {
    const child = start(sh, found, argv, env);
    status = yield* waitFor(child);
  }
  sh.traps.delete('EXIT'); // the shell is gone
  sh.status = status;
  sh.flow = { kind: 'exit', levels: 0 };
  return status;
}
