// Subshells: a copy of the shell in a process of its own, and what `$(…)` reads of one.
import type { AndOr, CommandExpansionPart, PipelineNode, Statement } from 'unbash';
import { spawnProgram, waitFor } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { bytesToString, concat } from '../../sim/bytes.ts';
import { newPipe, type Pipe, pipeOf } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { fail, say } from './messages.ts';
import { redirect } from './redirect.ts';
import { runStatements } from './run.ts';
import { runSimple } from './simple.ts';
import { runExitTrap } from './traps.ts';
import { bashLike, type Shell } from './types.ts';
import { copyVars, environment } from './vars.ts';

/** A copy of the shell for a subshell's process. */
function forkShell(sh: Shell, p: Process, fds: Map<number, Pipe>): Shell {
  return {
    ...sh,
    p,
    vars: copyVars(sh.vars),
    scopes: sh.scopes.map(scope => new Map(scope)),
    functions: new Map(sh.functions),
    aliases: new Map(sh.aliases),
    args: [...sh.args],
    options: new Set(sh.options),
    shopt: new Set(sh.shopt),
    pipestatus: [...sh.pipestatus],
    calls: [...sh.calls],
    callLines: [...sh.callLines],
    dirStack: [...sh.dirStack],
    hashed: new Map(sh.hashed),
    disabled: new Set(sh.disabled),
    optind: { ...sh.optind },
    // Ignored signals stay ignored, traps are reset.
    traps: new Map(
      [...sh.traps].filter(
        ([name, action]) =>
          (action === '' && name !== 'EXIT') ||
          (name === 'ERR' && sh.options.has('E')) ||
          (/^(DEBUG|RETURN)$/.test(name) && sh.options.has('T')),
      ),
    ),
    pending: [],
    jobs: [],
    flow: null,
    fds,
    subshell: sh.subshell + 1,
    interactive: false,
  };
}

/** A subshell as a process of its own: runs `body`, then its EXIT trap. It begins at once. */
export function spawnShell(sh: Shell, fds: Map<number, Pipe>, body: (sub: Shell) => Co<number>): Process {
  const { p } = sh;
  const none = () => newPipe({ sink: () => {} });
  return spawnProgram(
    p.kernel,
    function* subshell(q): Co<number> {
      const sub = forkShell(sh, q, fds);
      for (const name of sub.traps.keys()) q.onSignal.set(name, () => {});
      const code = yield* body(sub);
      return yield* runExitTrap(sub, code);
    },
    {
      netns: p.netns,
      fs: p.fs,
      argv: p.argv,
      env: environment(sh),
      parent: p,
      stdin: fds.get(0) ?? pipeOf(),
      stdout: fds.get(1) ?? none(),
      stderr: fds.get(2) ?? none(),
    },
  );
}

/** `$(…)`: what the commands print, without the newlines at its end. */
export function* substitute(sh: Shell, part: Pick<CommandExpansionPart, 'script' | 'text'>): Co<string> {
  const script = part.script;
  if (!script) return '';
  if (script.errors?.length) {
    fail(sh, 'syntax error in command substitution');
    sh.status = 2;
    sh.flow = { kind: 'exit', levels: 0 };
    return '';
  }
  const chunks: Uint8Array[] = [];
  const stdout = newPipe({ sink: chunk => chunks.push(chunk) });
  const only = script.commands.length === 1 ? script.commands[0].command : undefined;
  const child = spawnShell(sh, new Map(sh.fds).set(1, stdout), function* (sub) {
    sub.depth++;
    if (script.source !== undefined) {
      sub.source = script.source;
      sub.lineBase = sub.line - 1;
    }
    if (!bashLike(sub) || sub.options.has('inherit_errexit')) return yield* fileOrStatements(sub, script.commands, only);
    sub.options.delete('e');
    return yield* fileOrStatements(sub, script.commands, only);
  });
  sh.status = yield* waitFor(child);
  for (const c of [...child.children]) if (c.stdout === stdout) yield* waitFor(c);
  const text = chunks.length ? bytesToString(concat(chunks)) : '';
  return text.replace(/\n+$/, '').replaceAll('\0', '');
}

/** `$(< file)` reads the file. */
function* fileOrStatements(sub: Shell, statements: readonly Statement[], only: PipelineNode | AndOr | undefined): Co<number> {
  if (
    only?.type === 'Command' &&
    !only.name &&
    !only.prefix.some(x => x.type === 'Assignment') &&
    only.redirects.length === 1 &&
    only.redirects[0].operator === '<'
  ) {
    if (!(yield* redirect(sub, only.redirects))) return sub.status;
    const pipe = sub.fds.get(0);
    for (const chunk of pipe?.chunks ?? []) say(sub, 1, chunk);
    return 0;
  }
  // The last command may take the subshell's place.
  if (only?.type === 'Command') return yield* runSimple(sub, only, true);
  return yield* runStatements(sub, statements);
}
