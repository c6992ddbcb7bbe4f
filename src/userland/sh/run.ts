// Running the tree: lists, pipelines, compound commands. Simple commands are in simple.ts.
import type {
  AndOr,
  Case,
  Command,
  CommandNode,
  CompoundList,
  Function as FunctionNode,
  If,
  Pipeline,
  PipelineNode,
  Redirected,
  Statement,
} from 'unbash';
import { localPid } from '../../linux/pids.ts';
import { waitFor } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { closePipe, newPipe, type Pipe, pipeOf } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { onClose } from '../fifo.ts';
import { evaluate, expandArithmetic } from './arith.ts';
import { commandText } from './command-text.ts';
import { expandPattern, expandString } from './expand.ts';
import { matches } from './glob.ts';
import { runArithmeticFor, runFor, runSelect, runWhile } from './loops.ts';
import { fail, say } from './messages.ts';
import { redirect, restoreDescriptors } from './redirect.ts';
import { lineOf, runText } from './script.ts';
import { runSimple } from './simple.ts';
import { spawnShell } from './subshell.ts';
import { testExpression } from './test.ts';
import { runHook, runTraps } from './traps.ts';
import { bashLike, type Job, type Shell } from './types.ts';
import { getParam } from './vars.ts';
import { trace, tracing } from './xtrace.ts';

/** Commands one after the other. -> the last one's status */
export function* runStatements(sh: Shell, statements: readonly Statement[]): Co<number> {
  for (const statement of statements) {
    sh.line = lineOf(sh, statement.pos);
    if (statement.background) {
      startBackground(sh, statement);
      sh.status = 0;
    } else yield* runNode(sh, statement.command);
    if (sh.pending.length) yield* runTraps(sh);
    if (sh.flow) break;
  }
  return sh.status;
}

export const runList = (sh: Shell, list: CompoundList): Co<number> => runStatements(sh, list.commands);

function startBackground(sh: Shell, statement: Statement): void {
  const fds = new Map(sh.fds);
  if (!sh.interactive && !sh.options.has('m')) fds.set(0, pipeOf());
  const node = statement.command;
  const child = spawnShell(sh, fds, function* (sub) {
    // A simple command takes the subshell's place, so that $! is its own number.
    if (node.type === 'Command') return yield* runSimple(sub, node, true);
    return yield* runNode(sub, node);
  });
  sh.lastBackground = child;
  const text = sh.source.slice(node.pos, node.end);
  addJob(sh, [child], text);
}

function addJob(sh: Shell, processes: Process[], text: string): Job {
  const number = Math.max(0, ...sh.jobs.filter(j => !j.reported).map(j => j.number)) + 1;
  const job: Job = { number, processes, text, reported: false };
  sh.jobs.push(job);
  if (sh.interactive) say(sh, 2, `[${number}] ${localPid(processes[processes.length - 1])}\n`);
  return job;
}

function* runNode(sh: Shell, node: PipelineNode | AndOr): Co<number> {
  if (node.type === 'AndOr') return yield* runAndOr(sh, node);
  if (node.type === 'Pipeline') return yield* runPipeline(sh, node);
  const status = yield* runCommand(sh, node);
  if (node.type !== 'If' && node.type !== 'While' && node.type !== 'For' && node.type !== 'BraceGroup' && node.type !== 'Case')
    yield* checkErrexit(sh);
  return status;
}

/** `set -e`: a command that failed where nobody asked ends the shell. */
function* checkErrexit(sh: Shell): Co<void> {
  if (sh.status !== 0 && !sh.guarded && !sh.flow && sh.traps.has('ERR') && (!sh.calls.length || sh.options.has('E'))) {
    yield* runHook(sh, 'ERR');
  }
  if (sh.status !== 0 && sh.options.has('e') && !sh.guarded && !sh.flow) sh.flow = { kind: 'exit', levels: 0 };
}

function* runAndOr(sh: Shell, node: AndOr): Co<number> {
  for (let i = 0; i < node.commands.length; i++) {
    if (i > 0 && (node.operators[i - 1] === '&&') !== (sh.status === 0)) continue;
    const last = i === node.commands.length - 1;
    if (!last) sh.guarded++;
    yield* runNode(sh, node.commands[i]);
    if (!last) sh.guarded--;
    if (sh.flow) break;
  }
  return sh.status;
}

/** Run a list as a condition: its failure is an answer. */
export function* condition(sh: Shell, list: CompoundList): Co<number> {
  sh.guarded++;
  const status = yield* runList(sh, list);
  sh.guarded--;
  return status;
}

function* runPipeline(sh: Shell, node: Pipeline): Co<number> {
  const negated = node.prefixes.filter(x => x.type === 'Negation').length % 2 === 1;
  const timed = node.prefixes.find(x => x.type === 'Time');
  // dash has no such keyword: `time` is a program there, if anything.
  if (timed && sh.kind === 'dash') return yield* runText(sh, `\\${sh.source.slice(timed.pos, node.end)}`);
  const started = sh.p.kernel.sim.nowMs;
  if (negated) sh.guarded++;
  if (node.commands.length === 1) yield* runCommand(sh, node.commands[0]);
  else if (node.commands.length) yield* runStages(sh, node);
  if (negated) {
    sh.guarded--;
    if (!sh.flow) sh.status = sh.status === 0 ? 1 : 0;
  }
  if (timed) printTimes(sh, sh.p.kernel.sim.nowMs - started, timed.posix !== undefined);
  if (!negated) yield* checkErrexit(sh);
  return sh.status;
}

/** TIMEFORMAT: %[p][l]R, U, S and P. */
function timeFormat(format: string, seconds: number): string {
  return `${format.replace(/%(?:(\d?)(l?)([RUS])|(P)|(%))/g, (_, places: string, long: string, letter: string, percent: string) => {
    if (percent) return '0.00';
    if (!letter) return '%';
    const s = letter === 'R' ? seconds : 0;
    const digits = places === '' ? 3 : Math.min(3, Number(places));
    return long ? `${Math.floor(s / 60)}m${(s % 60).toFixed(digits)}s` : s.toFixed(digits);
  })}\n`;
}

function printTimes(sh: Shell, ms: number, posix: boolean): void {
  const format = posix || !bashLike(sh) ? undefined : getParam(sh, 'TIMEFORMAT');
  if (format !== undefined) {
    if (format) say(sh, 2, timeFormat(format, ms / 1000));
    return;
  }
  const seconds = ms / 1000;
  const minutes = Math.floor(seconds / 60);
  const rest = seconds - minutes * 60;
  if (posix) say(sh, 2, `real ${seconds.toFixed(2)}\nuser 0.00\nsys 0.00\n`);
  else if (sh.kind === 'ash') say(sh, 2, `real\t${minutes}m ${rest.toFixed(2)}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n`);
  else say(sh, 2, `\nreal\t${minutes}m${rest.toFixed(3)}s\nuser\t0m0.000s\nsys\t0m0.000s\n`);
}

/** Each stage is a subshell; all run at the same time. */
function* runStages(sh: Shell, node: Pipeline): Co<void> {
  const children: Process[] = [];
  let input = sh.fds.get(0);
  for (let i = 0; i < node.commands.length; i++) {
    const last = i === node.commands.length - 1;
    const fds = new Map(sh.fds);
    if (input) fds.set(0, input);
    const pipe = last ? null : newPipe();
    if (pipe) fds.set(1, pipe);
    if (pipe && node.operators[i] === '|&') fds.set(2, pipe);
    const command = node.commands[i];
    const inner = i > 0 ? input : undefined;
    if (last && sh.shopt.has('lastpipe') && !sh.options.has('m')) {
      // The last part runs in the shell itself.
      const saved = sh.fds;
      sh.fds = fds;
      const code = yield* runCommand(sh, command);
      if (inner) inner.broken = true;
      sh.fds = saved;
      const codes: number[] = [];
      for (const child of children) codes.push(yield* waitFor(child));
      return finish(sh, [...codes, code]);
    }
    const child = spawnShell(sh, fds, sub => stage(sub, command, inner, pipe));
    children.push(child);
    input = pipe ?? input;
  }
  const codes: number[] = [];
  for (const child of children) codes.push(yield* waitFor(child));
  finish(sh, codes);
  const lastCommand = node.commands[node.commands.length - 1];
  if (!sh.inTrap && lastCommand.type === 'Command') sh.command = commandText(sh, lastCommand);
  reportSignal(sh, children[children.length - 1]);
}

function finish(sh: Shell, codes: number[]): void {
  sh.pipestatus = codes;
  sh.status = codes[codes.length - 1];
  if (sh.options.has('pipefail')) for (const code of codes) if (code !== 0) sh.status = code;
}

function* stage(sub: Shell, command: CommandNode, input: Pipe | undefined, output: Pipe | null): Co<number> {
  const { p } = sub;
  // When the process ends, by itself or by a signal, its neighbours see end of file or a broken pipe.
  p.cleanup.push(() => {
    if (input) input.broken = true;
    if (output && ![...p.children].some(c => c.exitCode === null && c.stdout === output)) closePipe(output);
  });
  let status: number;
  if (command.type === 'Command') status = yield* runSimple(sub, command, true);
  else status = yield* runCommand(sub, command);
  for (const child of [...p.children]) if (output && child.stdout === output) yield* waitFor(child);
  return status;
}

export const BROKEN_PIPE = 141;

/** What the shell says about a foreground child that a signal ended. */
export function reportSignal(sh: Shell, child: Process | undefined): void {
  const words: Record<string, string> = {
    KILL: 'Killed',
    TERM: 'Terminated',
    HUP: 'Hangup',
    QUIT: 'Quit',
    ALRM: 'Alarm clock',
    USR1: 'User defined signal 1',
    USR2: 'User defined signal 2',
  };
  const word = child?.signal ? words[child.signal] : undefined;
  if (!word || !child) return;
  if (bashLike(sh) && !sh.interactive) fail(sh, `${String(localPid(child)).padStart(5)} ${word.padEnd(23)} ${child.argv.join(' ')}`);
  else say(sh, 2, `${word}\n`);
}

export function* runCommand(sh: Shell, node: CommandNode): Co<number> {
  switch (node.type) {
    case 'Command':
      return yield* runSimple(sh, node as Command, false);
    case 'Redirected':
      return yield* runRedirected(sh, node);
    case 'BraceGroup':
      return yield* runList(sh, node.body);
    case 'Subshell': {
      const child = spawnShell(sh, new Map(sh.fds), sub => runList(sub, node.body));
      sh.status = yield* waitFor(child);
      const { source } = sh;
      if (!sh.inTrap) sh.command = () => `( ${source.slice(node.body.pos, node.body.end).replace(/[\s;]+$/, '')} )`;
      reportSignal(sh, child);
      return sh.status;
    }
    case 'If':
      return yield* runIf(sh, node);
    case 'While':
      return yield* runWhile(sh, node);
    case 'For':
      return yield* runFor(sh, node);
    case 'ArithmeticFor':
      return yield* runArithmeticFor(sh, node);
    case 'Case':
      return yield* runCase(sh, node);
    case 'Select':
      return yield* runSelect(sh, node);
    case 'Function':
      return defineFunction(sh, node);
    case 'TestCommand':
      if (sh.kind === 'dash') {
        fail(sh, '[[: not found');
        sh.status = 127;
        return 127;
      }
      sh.status = yield* testExpression(sh, node.expression);
      return sh.status;
    case 'ArithmeticCommand': {
      if (tracing(sh) && bashLike(sh)) yield* trace(sh, `(( ${yield* expandArithmetic(sh, node.body)} ))`);
      if (bashLike(sh)) sh.arithmetic ||= '((';
      const value = yield* evaluate(sh, node.expression, `$((${node.body}))`);
      sh.arithmetic = '';
      if (value === null) {
        sh.flow = sh.interactive || bashLike(sh) ? null : sh.flow;
        sh.status = 1;
      } else sh.status = value === 0n ? 1 : 0;
      return sh.status;
    }
    case 'Coproc':
      return startCoproc(sh, node);
  }
}

/** coproc: its standard input and output are descriptors of the shell, in an array of its name. */
function startCoproc(sh: Shell, node: Extract<CommandNode, { type: 'Coproc' }>): number {
  const { body } = node;
  const name = node.name?.text ?? 'COPROC';
  const [input, output] = [newPipe(), newPipe()];
  const fds = new Map(sh.fds).set(0, input).set(1, output);
  const child = spawnShell(sh, fds, function* (sub) {
    sub.p.cleanup.push(() => {
      input.broken = true;
      closePipe(output);
    });
    if (body.type === 'CompoundList') return yield* runList(sub, body);
    return body.type === 'Command' ? yield* runSimple(sub, body, true) : yield* runCommand(sub, body);
  });
  const free = [63, 62, 61, 60, 59, 58].filter(n => !sh.fds.has(n));
  const [from, to] = [free[0], free[1]];
  sh.fds.set(from, output).set(to, input);
  onClose.set(input, () => closePipe(input));
  sh.vars.set(name, {
    value: null,
    array: new Map([
      [0, String(from)],
      [1, String(to)],
    ]),
  });
  sh.vars.set(`${name}_PID`, { value: String(localPid(child)) });
  sh.lastBackground = child;
  addJob(sh, [child], sh.source.slice(node.pos, node.end));
  sh.status = 0;
  return 0;
}

function defineFunction(sh: Shell, node: FunctionNode): number {
  sh.functions.set(node.name.text, { body: node.body, source: sh.source, pos: node.pos, end: node.end });
  sh.status = 0;
  return 0;
}

function* runRedirected(sh: Shell, node: Redirected): Co<number> {
  const saved = new Map(sh.fds);
  const ok = yield* redirect(sh, node.redirects);
  if (ok) yield* runCommand(sh, node.command);
  restoreDescriptors(sh, saved);
  return sh.status;
}

function* runIf(sh: Shell, node: If): Co<number> {
  for (const branch of [node, ...node.elif]) {
    const status = yield* condition(sh, branch.clause);
    if (sh.flow) return sh.status;
    if (status === 0) return yield* runList(sh, branch.then);
  }
  if (node.else) return yield* runList(sh, node.else);
  sh.status = 0;
  return 0;
}

function* runCase(sh: Shell, node: Case): Co<number> {
  if (bashLike(sh)) yield* trace(sh, `case ${node.word.text} in`);
  const subject = yield* expandString(sh, node.word);
  if (sh.flow) return sh.status;
  sh.status = 0;
  let falling = false;
  for (const item of node.items) {
    let hit = falling;
    for (const pattern of hit ? [] : item.pattern) {
      if (matches(subject, yield* expandPattern(sh, pattern), bashLike(sh), sh.shopt.has('nocasematch'))) {
        hit = true;
        break;
      }
    }
    if (!hit) continue;
    yield* runList(sh, item.body);
    if (sh.flow || item.terminator === ';;' || item.terminator === undefined) break;
    falling = item.terminator === ';&';
  }
  return sh.status;
}
