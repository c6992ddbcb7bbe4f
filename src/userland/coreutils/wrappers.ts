// Tools that run another: timeout, env, nohup, nice, watch, xargs …
import {
  complain,
  findExecutable,
  goesOn,
  print,
  runChild,
  kill as signalProcess,
  sleep,
  spawn,
  stdinAll,
  strerror,
  waitFor,
} from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, writeFile } from '../../linux/vfs.ts';
import { pipeOf } from '../../sim/pipe.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { signalName } from '../signals.ts';
import { strftime } from '../strftime.ts';
import { duration } from './date.ts';
import { hostName } from './host-name.ts';
import { BROKEN, error, has, option, out, type Run, splitLines, type ToolSpec, toBinary, usage } from './tool.ts';

/** Start what the words name, as this tool's child. -> null: reported */
function start(
  r: Run,
  argv: string[],
  o: { env?: Map<string, string>; stdin?: Process['stdin']; stdout?: Process['stdout']; cwd?: string } = {},
): Process | number {
  const child = spawn(r.p.kernel, { netns: r.p.netns, fs: r.p.fs, parent: r.p, ...o, argv });
  if (typeof child !== 'string') return child;
  const text = r.bb
    ? `can't execute '${argv[0]}': ${strerror(child)}`
    : r.name === 'timeout' || r.name === 'nohup' || r.name === 'nice'
      ? `failed to run command '${argv[0]}': ${strerror(child)}`
      : r.name === 'env'
        ? `'${argv[0]}': ${strerror(child)}`
        : `${argv[0]}: ${strerror(child)}`;
  error(r, text);
  return child === 'ENOENT' ? 127 : 126;
}

/** What of a format podnet knows: seconds, and none of them a processor's (BusyBox' miscutils or procps time.c, 1.36). */
const clocked = (format: string, s: number): string => {
  const minutes = `${Math.floor(s / 60)}m ${(s % 60).toFixed(2)}s`;
  const known: Record<string, string> = { e: s.toFixed(2), E: minutes, U: '0.00', S: '0.00', T: '0m 0.00s', '%': '%' };
  return format
    .replace(/%(.)/g, (all, c) => known[c] ?? all)
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t');
};

export const TIME: ToolSpec = {
  short: '+vpaf:o:',
  usage:
    'time [-vpa] [-o FILE] PROG ARGS\n\nRun PROG, display resource usage when it exits\n\n\t-v\tVerbose\n\t-p\tPOSIX output format\n\t-f FMT\tCustom format\n\t-o FILE\tWrite result to FILE\n\t-a\tAppend (else overwrite)',
  *run(r) {
    if (!r.args.length) return usage(r, '', TIME.usage);
    if (has(r, 'v')) return error(r, 'verbose figures are not modelled by podnet', 126);
    const fromMs = r.p.kernel.sim.nowMs;
    const child = start(r, r.args);
    const code = typeof child === 'number' ? child : yield* waitFor(child);
    const s = (r.p.kernel.sim.nowMs - fromMs) / 1000;
    const format = option(r, 'f') ?? (has(r, 'p') ? 'real %e\nuser %U\nsys %S' : 'real\t%E\nuser\t0m 0.00s\nsys\t%T');
    const text = `${code ? `Command exited with non-zero status ${code}\n` : ''}${clocked(format, s)}\n`;
    const path = option(r, 'o');
    if (path === undefined) complain(r.p, text);
    else {
      const failed = writeFile(r.p.fs, absolute(path, r.p.cwd), text, r.p, has(r, 'a'));
      if (failed) return error(r, `can't open '${path}': ${strerror(failed)}`);
    }
    return code;
  },
};

export const TIMEOUT: ToolSpec = {
  short: '+s:k:t:fpv',
  long: { signal: 's', 'kill-after': 'k', 'preserve-status': 'p', foreground: 'f', verbose: 'v' },
  usage: 'timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS',
  usageStatus: 125,
  *run(r) {
    // BusyBox before 1.30 wanted `-t SECS`.
    const old = option(r, 't');
    const args = old === undefined ? r.args : [old, ...r.args];
    if (args.length < 2) {
      if (r.bb) return usage(r, '', TIMEOUT.usage, 125);
      complain(r.p, "Try 'timeout --help' for more information.\n");
      return 125;
    }
    const seconds = duration(args[0]);
    if (seconds === null)
      return r.bb ? error(r, `invalid number '${args[0]}'`) : usage(r, `invalid time interval '${args[0]}'`, undefined, 125);
    const signal = signalName(option(r, 's') ?? 'TERM');
    if (signal === null)
      return r.bb ? error(r, `unknown signal '${option(r, 's')}'`) : usage(r, `'${option(r, 's')}': invalid signal`, undefined, 125);
    const child = start(r, args.slice(1));
    if (typeof child === 'number') return child;
    r.p.onSignal.set('TERM', () => signalProcess(child, 'TERM'));
    const { sim } = r.p.kernel;
    const limit = seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
    const deadline = sim.nowMs + limit;
    while (child.exitCode === null) if (!(yield* waitOn(sim, [child.ended], deadline - sim.nowMs))) break;
    if (child.exitCode !== null) return child.exitCode;
    signalTree(child, signal);
    const grace = duration(option(r, 'k') ?? '');
    if (grace !== null && child.exitCode === null) {
      yield* waitOn(sim, [child.ended], grace * 1000);
      if (child.exitCode === null) {
        signalTree(child, 'KILL');
        return 137;
      }
    }
    const code = yield* waitFor(child);
    // BusyBox gives the child's own end: 143 for TERM.
    return r.bb || has(r, 'p') ? code : signal === 'KILL' ? 137 : 124;
  },
};

/** timeout signals its whole process group. */
function signalTree(q: Process, signal: string): void {
  const children = [...q.children];
  signalProcess(q, signal);
  for (const child of children) signalTree(child, signal);
}

export const ENV: ToolSpec = {
  short: '+iu:0C:S:',
  long: { 'ignore-environment': 'i', unset: 'u', null: '0', chdir: 'C', 'split-string': 'S' },
  *run(r) {
    const env = new Map(has(r, 'i') || r.args[0] === '-' ? [] : r.p.env);
    for (const key of r.options.get('u') ?? []) env.delete(key);
    const args = r.args.slice(r.args[0] === '-' ? 1 : 0);
    while (args.length && args[0].includes('=')) {
      const [word] = args.splice(0, 1);
      env.set(word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1));
    }
    if (!args.length) {
      const end = has(r, '0') ? '\0' : '\n';
      return print(r.p, [...env].map(([k, v]) => `${k}=${v}${end}`).join('')) ? BROKEN : 0;
    }
    const found = findExecutable(r.p.fs, args[0], env.get('PATH') ?? r.p.env.get('PATH'), r.p.cwd);
    if (typeof found !== 'string' && found.node.program) {
      r.p.argv = args;
      r.p.env = env;
      if (option(r, 'C')) r.p.cwd = absolute(option(r, 'C') as string, r.p.cwd);
      return yield* found.node.program(r.p);
    }
    const child = start(r, args, { env });
    return typeof child === 'number' ? child : yield* waitFor(child);
  },
};

/** Tools that only run another one: nohup, nice, setsid, stdbuf … */
export const WRAPPER: ToolSpec = {
  short: '+n:o:e:i:cfw',
  *run(r) {
    if (!r.args.length && r.name === 'nice') {
      out(r, '0\n');
      return 0;
    }
    if (!r.args.length) return usage(r, 'missing operand', `${r.name} PROG ARGS`, 125);
    if (r.name === 'nohup') r.p.onSignal.set('HUP', () => {});
    const child = start(r, r.args);
    return typeof child === 'number' ? child : yield* waitFor(child);
  },
};

export const WATCH: ToolSpec = {
  short: '+n:tdcegx',
  long: { interval: 'n', 'no-title': 't', differences: 'd', exec: 'x' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'watch [-n SEC] [-t] PROG ARGS');
    const seconds = Math.max(0.1, Number(option(r, 'n') ?? 2));
    const shell = typeof findExecutable(r.p.fs, 'sh') !== 'string';
    goesOn(r.p);
    for (;;) {
      const stamp = strftime('%a %b %e %H:%M:%S %Y', r.p.kernel.sim.nowMs);
      const title = `Every ${seconds.toFixed(1)}s: ${r.args.join(' ')}`;
      if (!has(r, 't'))
        out(
          r,
          `\x1b[H\x1b[J${r.bb ? `${title}${stamp.padStart(Math.max(1, 80 - title.length))}` : `${title}${`${hostName(r.p)}: ${stamp}`.padStart(Math.max(1, 80 - title.length))}`}\n\n`,
        );
      yield* runChild(r.p, shell ? ['sh', '-c', r.args.join(' ')] : r.args);
      if (r.p.stdout.broken) return BROKEN;
      yield* sleep(r.p, seconds * 1000);
    }
  },
};

/** Words of xargs' input: blanks separate, quotes and backslashes protect. */
function xargsWords(text: string): string[] | string {
  const words: string[] = [];
  let word: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (/[ \t\n]/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (c === '"' || c === "'") {
      const end = text.indexOf(c, i + 1);
      if (end < 0)
        return `unmatched ${c === '"' ? 'double' : 'single'} quote; by default quotes are special to xargs unless you use the -0 option`;
      word = (word ?? '') + text.slice(i + 1, end);
      i = end;
    } else if (c === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i];
    else word = (word ?? '') + c;
  }
  if (word !== null) words.push(word);
  return words;
}

export const XARGS: ToolSpec = {
  short: '+0I:n:L:P:d:rtpi:s:a:xE:e:',
  long: {
    null: '0',
    'max-args': 'n',
    replace: 'I',
    'no-run-if-empty': 'r',
    'max-procs': 'P',
    delimiter: 'd',
    verbose: 't',
    'max-lines': 'L',
    'arg-file': 'a',
  },
  *run(r) {
    const text = toBinary(yield* stdinAll(r.p));
    const template = r.args.length ? r.args : ['echo'];
    const marker = option(r, 'I');
    const delimiter = has(r, '0') ? '\0' : option(r, 'd')?.replace('\\n', '\n').replace('\\t', '\t');
    const lines = splitLines(text, delimiter ?? '\n');
    const words =
      delimiter !== undefined ? lines : marker !== undefined || has(r, 'L') ? lines.map(l => l.trim()).filter(Boolean) : xargsWords(text);
    if (typeof words === 'string') return error(r, words);
    const calls: string[][] = [];
    if (marker !== undefined) for (const w of words) calls.push(template.map(t => t.replaceAll(marker, w)));
    else {
      const size = Number(option(r, 'n') ?? option(r, 'L') ?? 5000);
      const one = (w: string[]) => [...template, ...(has(r, 'L') ? w.flatMap(x => x.split(/[ \t]+/)) : w)];
      for (let i = 0; i < words.length; i += size) calls.push(one(words.slice(i, i + size)));
      if (!words.length && !has(r, 'r') && !r.bb) calls.push(template);
      if (!words.length && !has(r, 'r') && r.bb) calls.push(template);
    }
    return yield* runCalls(r, calls, Math.max(0, Number(option(r, 'P') ?? 1)) || 1000);
  },
};

function* runCalls(r: Run, calls: string[][], parallel: number): Co<number> {
  let status = 0;
  const running: Process[] = [];
  const collect = function* (q: Process): Co<void> {
    const code = yield* waitFor(q);
    if (code) status = code === 255 ? 124 : code > 128 ? 125 : Math.max(status, 123);
  };
  for (const argv of calls) {
    if (has(r, 't')) complain(r.p, `${argv.join(' ')}\n`);
    const child = start(r, argv, { stdin: pipeOf() });
    if (typeof child === 'number') return child;
    running.push(child);
    if (running.length >= parallel) yield* collect(running.shift() as Process);
    if (status === 124) return error(r, `${argv[0]}: exited with status 255; aborting`, 124);
  }
  for (const q of running) yield* collect(q);
  return status;
}
