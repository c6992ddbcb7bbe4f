// while, until, for and select.
import type { ArithmeticExpression, CommandNode, For, Select, While, Word } from 'unbash';
import { sleep } from '../../linux/process.ts';
import { pipeOf, readLine } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { evaluate } from './arith.ts';
import { expandWords } from './expand.ts';
import { say } from './messages.ts';
import { condition, runList } from './run.ts';
import { runHook } from './traps.ts';
import { bashLike, type Shell } from './types.ts';
import { getParam, setVar } from './vars.ts';
import { trace } from './xtrace.ts';

/** After a round: -> true: leave the loop. `break 2` and `continue 2` count outwards. */
function leaves(sh: Shell): boolean {
  if (!sh.flow) return false;
  if (sh.flow.kind !== 'break' && sh.flow.kind !== 'continue') return true;
  if (sh.flow.levels > 1) {
    sh.flow = { kind: sh.flow.kind, levels: sh.flow.levels - 1 };
    return true;
  }
  const stop = sh.flow.kind === 'break';
  sh.flow = null;
  return stop;
}

/** Ten rounds take a millisecond: a loop without a pause passes time as a real one does, and others get their turn. */
function* spin(sh: Shell): Co<void> {
  if (++sh.spins < 10) return;
  sh.spins = 0;
  yield* sleep(sh.p, 1);
}

export function* runWhile(sh: Shell, node: While): Co<number> {
  let status = 0;
  sh.loops++;
  for (;;) {
    const test = yield* condition(sh, node.clause);
    if (leaves(sh)) break;
    if (sh.flow || (test === 0) !== (node.kind === 'while')) break;
    status = yield* runList(sh, node.body);
    if (leaves(sh)) break;
    yield* spin(sh);
  }
  sh.loops--;
  if (!sh.flow) sh.status = status;
  return sh.status;
}

/** A loop's words as they stand; without any it goes through the arguments. */
const words = (list: readonly Word[] | undefined): string => (list ? list.map(w => w.text).join(' ') : '"$@"');

function* traceArithmetic(sh: Shell, e: ArithmeticExpression | undefined): Co<void> {
  if (e) yield* trace(sh, `(( ${sh.source.slice(e.pos, e.end)} ))`);
}

export function* runFor(sh: Shell, node: For): Co<number> {
  const values = node.wordlist ? yield* expandWords(sh, node.wordlist) : [...sh.args];
  if (sh.flow) return sh.status;
  sh.status = 0;
  sh.loops++;
  for (const value of values) {
    if (bashLike(sh)) yield* trace(sh, `for ${node.name.text} in ${words(node.wordlist)}`);
    if (sh.traps.has('DEBUG') && bashLike(sh)) {
      if (!sh.inTrap) sh.command = () => `for ${node.name.text} in ${words(node.wordlist)}`;
      yield* runHook(sh, 'DEBUG');
    }
    if (!setVar(sh, node.name.text, value)) break;
    yield* runList(sh, node.body);
    if (leaves(sh)) break;
    yield* spin(sh);
  }
  sh.loops--;
  return sh.status;
}

export function* runArithmeticFor(sh: Shell, node: Extract<CommandNode, { type: 'ArithmeticFor' }>): Co<number> {
  yield* traceArithmetic(sh, node.initialize);
  yield* evaluate(sh, node.initialize, '');
  sh.status = 0;
  sh.loops++;
  while (!sh.flow) {
    yield* traceArithmetic(sh, node.test);
    if (node.test && (yield* evaluate(sh, node.test, '')) === 0n) break;
    if (sh.flow) break;
    yield* runList(sh, node.body);
    if (leaves(sh)) break;
    yield* traceArithmetic(sh, node.update);
    yield* evaluate(sh, node.update, '');
    yield* spin(sh);
  }
  sh.loops--;
  return sh.status;
}

export function* runSelect(sh: Shell, node: Select): Co<number> {
  const values = node.wordlist ? yield* expandWords(sh, node.wordlist) : [...sh.args];
  yield* trace(sh, `select ${node.name.text} in ${words(node.wordlist)}`);
  sh.loops++;
  for (let menu = true; ; menu = false) {
    if (menu) for (const [i, v] of values.entries()) say(sh, 2, `${i + 1}) ${v}\n`);
    say(sh, 2, getParam(sh, 'PS3') ?? '#? ');
    const line = yield* readLine(sh.p.kernel.sim, sh.fds.get(0) ?? pipeOf());
    if (line === null) break;
    setVar(sh, 'REPLY', line);
    setVar(sh, node.name.text, values[Number(line) - 1] ?? '');
    yield* runList(sh, node.body);
    if (leaves(sh)) break;
  }
  sh.loops--;
  return sh.status;
}
