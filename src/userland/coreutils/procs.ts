// Tools about processes: ps, kill, timeout, env, nohup, watch, xargs, pgrep, free, df …
import {
  complain,
  findExecutable,
  print,
  runChild,
  kill as signalProcess,
  sleep,
  spawn,
  stdinAll,
  strerror,
  waitFor,
} from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, listDir } from '../../linux/vfs.ts';
import { pipeOf } from '../../sim/pipe.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { civilTime } from '../../sim/time.ts';
import { containerProcesses, localPid, processByLocalPid } from '../pids.ts';
import { SIGNAL_LIST, signalName } from '../signals.ts';
import { strftime } from '../strftime.ts';
import type { Userland } from '../userland.ts';
import { account, duration, hostName } from './plain.ts';
import { BROKEN, error, has, option, out, type Run, splitLines, type ToolSpec, toBinary, usage } from './tool.ts';

const userOf = (p: Process, q: Process): string => account(p, q.uid)?.name ?? String(q.uid);
const command = (q: Process): string => q.argv.join(' ');
const name = (q: Process): string => (q.argv[0] ?? '').replace(/.*\//, '').replace(/^-/, '').slice(0, 15);

function clock(r: Run, q: Process): string {
  const c = civilTime(q.startedAtMs);
  const today = Math.floor(q.startedAtMs / 86_400_000) === Math.floor(r.p.kernel.sim.nowMs / 86_400_000);
  const two = (n: number) => String(n).padStart(2, '0');
  return today ? `${two(c.hour)}:${two(c.minute)}` : strftime('%b%d', q.startedAtMs);
}

const PS_COLUMNS: Record<string, [string, boolean, (r: Run, q: Process) => string]> = {
  pid: ['PID', true, (r, q) => String(localPid(q, r.p))],
  ppid: ['PPID', true, (r, q) => String(q.parent ? localPid(q.parent, r.p) : 0)],
  user: ['USER', false, (r, q) => userOf(r.p, q)],
  uid: ['UID', true, (_, q) => String(q.uid)],
  comm: ['COMMAND', false, (_, q) => name(q)],
  args: ['COMMAND', false, (_, q) => command(q)],
  cmd: ['CMD', false, (_, q) => command(q)],
  command: ['COMMAND', false, (_, q) => command(q)],
  stat: ['STAT', false, (r, q) => (q === r.p ? 'R' : 'S')],
  tty: ['TT', false, (_, q) => (q.tty ? 'pts/0' : '?')],
  time: ['TIME', true, () => '00:00:00'],
  etime: ['ELAPSED', true, (r, q) => elapsed(r.p.kernel.sim.nowMs - q.startedAtMs)],
};

function elapsed(ms: number): string {
  const s = Math.floor(ms / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600) % 24;
  const d = Math.floor(s / 86_400);
  return `${d ? `${d}-` : ''}${d || h ? `${two(h)}:` : ''}${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function busyboxPs(r: Run, processes: Process[]): void {
  // The busybox image is built without FEATURE_PS_TIME, Alpine's package with it.
  const time = r.u.distro === 'busybox' ? '' : ' 0:00 ';
  out(r, `PID   USER     ${time ? 'TIME  ' : ''}COMMAND\n`);
  for (const q of processes)
    out(r, `${String(localPid(q, r.p)).padStart(5)} ${userOf(r.p, q).padEnd(8).slice(0, 8)} ${time}${command(q)}\n`);
}

/** procps' ps: BSD words (aux), UNIX options (-ef), or -o. */
export const ps =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p) {
      const r: Run = { p, u, bb, name: 'ps', options: new Map(), args: p.argv.slice(1) };
      const words = r.args;
      const at = words.findIndex(w => /^-?[A-Za-z]*o$/.test(w));
      const all = containerProcesses(p);
      const attached = words.findIndex(w => w === '-o' || w === 'o');
      const list = attached >= 0 ? words[attached + 1] : words.find(w => /^-o./.test(w))?.slice(2);
      if (list !== undefined || at >= 0) return columnsPs(r, list ?? words[at + 1] ?? 'pid,user,args', all);
      if (bb) {
        busyboxPs(r, all);
        return 0;
      }
      const flags = words.join('').replace(/-/g, '');
      if (/^a?u?x?w*$/.test(flags) && flags.includes('u')) {
        out(r, 'USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n');
        for (const q of all)
          out(
            r,
            `${userOf(p, q).padEnd(8)} ${String(localPid(q, p)).padStart(7)}  0.0  0.0   4480  3200 ${(q.tty ? 'pts/0' : '?').padEnd(8)} ${(q === p ? 'R' : localPid(q, p) === 1 ? 'Ss' : 'S').padEnd(4)} ${clock(r, q)}   0:00 ${command(q)}\n`,
          );
      } else if (flags.includes('f')) {
        out(r, 'UID          PID    PPID  C STIME TTY          TIME CMD\n');
        for (const q of all)
          out(
            r,
            `${userOf(p, q).padEnd(8)} ${String(localPid(q, p)).padStart(7)} ${String(q.parent ? localPid(q.parent, p) : 0).padStart(7)}  0 ${clock(r, q)} ${(q.tty ? 'pts/0' : '?').padEnd(8)} 00:00:00 ${command(q)}\n`,
          );
      } else if (/a?x/.test(flags)) {
        out(r, '    PID TTY      STAT   TIME COMMAND\n');
        for (const q of all)
          out(
            r,
            `${String(localPid(q, p)).padStart(7)} ${(q.tty ? 'pts/0' : '?').padEnd(8)} ${(q === p ? 'R' : 'S').padEnd(4)}   0:00 ${command(q)}\n`,
          );
      } else {
        out(r, '    PID TTY          TIME CMD\n');
        for (const q of /[eA]/.test(flags) ? all : all.filter(x => x.tty === p.tty))
          out(r, `${String(localPid(q, p)).padStart(7)} ${(q.tty ? 'pts/0' : '?').padEnd(8)} 00:00:00 ${name(q)}\n`);
      }
      return 0;
    };

function columnsPs(r: Run, list: string, processes: Process[]): number {
  const columns: { title: string; right: boolean; cell: (q: Process) => string }[] = [];
  for (const key of list.split(/[, ]+/)) {
    const [id, title] = key.split('=');
    const known = PS_COLUMNS[id];
    if (!known) {
      complain(
        r.p,
        r.bb
          ? `ps: bad -o argument '${id}', supported arguments: user,group,comm,args,pid,ppid,pgid,tty,vsz,stat,rss\n`
          : `error: unknown user-defined format specifier "${id}"\n`,
      );
      return 1;
    }
    columns.push({ title: title ?? known[0], right: known[1], cell: q => known[2](r, q) });
  }
  const rows = processes.map(q => columns.map(c => c.cell(q)));
  const minimum = (i: number) => (columns[i].right ? (r.bb ? 5 : 7) : r.bb && columns[i].title === 'USER' ? 8 : 8);
  const widths = columns.map((c, i) =>
    Math.max(c.title.length, c.title === 'PID' || c.title === 'PPID' ? minimum(i) : 0, ...rows.map(row => row[i].length)),
  );
  const line = (cells: string[]) =>
    `${cells.map((c, i) => (i === cells.length - 1 ? c : columns[i].right ? c.padStart(widths[i]) : c.padEnd(widths[i]))).join(' ')}\n`;
  if (columns.some(c => c.title))
    out(
      r,
      r.bb
        ? `${columns.map((c, i) => (i === columns.length - 1 ? c.title : c.title.padEnd(widths[i]))).join(' ')}\n`
        : line(columns.map(c => c.title)),
    );
  for (const row of rows) out(r, line(row));
  return 0;
}

/** Signal 0 only asks; a container's first process gets only what it handles (pid_namespaces(7)). */
function deliver(q: Process, signal: string): void {
  if (signal === '0' || (localPid(q) === 1 && !q.onSignal.has(signal))) return;
  signalProcess(q, signal);
}

export const kill =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p) {
      const r: Run = { p, u, bb, name: 'kill', options: new Map(), args: p.argv.slice(1) };
      let signal = 'TERM';
      let args = r.args;
      if (args[0] === '-l') {
        out(r, `${SIGNAL_LIST.join(' ')}\n`);
        return 0;
      }
      if (args[0] === '-s') {
        signal = signalName(args[1] ?? '') ?? '';
        args = args.slice(2);
      } else if (/^-./.test(args[0] ?? '') && args[0] !== '--') {
        const known = signalName(args[0].slice(1));
        if (known === null) return error(r, bb ? `bad signal name '${args[0].slice(1)}'` : `unknown signal ${args[0].slice(1)}`);
        signal = known;
        args = args.slice(1);
      }
      if (args[0] === '--') args = args.slice(1);
      if (!args.length) return error(r, bb ? 'you need to specify whom to kill' : 'not enough arguments');
      let status = 0;
      for (const arg of args) {
        if (!/^-?\d+$/.test(arg)) {
          status = error(r, bb ? `invalid number '${arg}'` : `failed to parse argument: '${arg}'`);
          continue;
        }
        const q = processByLocalPid(p, Math.abs(Number(arg)));
        if (q) deliver(q, signal);
        else status = error(r, bb ? `can't kill pid ${arg}: No such process` : `(${arg}) - No such process`);
      }
      return status;
    };

/** killall, pkill, pgrep, pidof: processes by name. */
export const byName =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p) {
      const tool = p.argv[0].replace(/.*\//, '');
      const r: Run = { p, u, bb, name: tool, options: new Map(), args: [] };
      let signal = 'TERM';
      const flags: string[] = [];
      for (const arg of p.argv.slice(1)) {
        if (!arg.startsWith('-')) r.args.push(arg);
        else if ((tool === 'pkill' || tool === 'killall') && signalName(arg.slice(1))) signal = signalName(arg.slice(1)) as string;
        else flags.push(arg);
      }
      const whole = flags.includes('-f');
      const others = containerProcesses(p).filter(q => q !== p);
      const pattern = r.args[0] ?? '';
      const hits = others.filter(q =>
        tool === 'pidof' || tool === 'killall'
          ? r.args.includes(name(q))
          : flags.includes('-x')
            ? name(q) === pattern
            : new RegExp(pattern).test(whole ? command(q) : name(q)),
      );
      if (!hits.length) {
        if (tool === 'killall') error(r, bb ? `${pattern}: no process killed` : `${pattern}: no process found`);
        return 1;
      }
      if (tool === 'pidof')
        out(
          r,
          `${hits
            .map(q => localPid(q, p))
            .reverse()
            .join(' ')}\n`,
        );
      else if (tool === 'pgrep')
        for (const q of hits)
          out(
            r,
            `${localPid(q, p)}${flags.some(f => /[la]/.test(f)) ? ` ${flags.some(f => f.includes('a')) ? command(q) : name(q)}` : ''}\n`,
          );
      else for (const q of hits) deliver(q, signal);
      return 0;
    };

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

export const TIMEOUT: ToolSpec = {
  short: '+s:k:t:fpv',
  long: { signal: 's', 'kill-after': 'k', 'preserve-status': 'p', foreground: 'f', verbose: 'v' },
  usage: 'timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS',
  usageStatus: 125,
  *run(r) {
    // BusyBox before 1.30 wanted `-t SECS`.
    const old = option(r, 't');
    const args = old === undefined ? r.args : [old, ...r.args];
    if (args.length < 2) return usage(r, 'missing operand', TIMEOUT.usage, 125);
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

export const FREE: ToolSpec = {
  short: 'bkmghts:c:',
  long: { human: 'h', mega: 'm', giga: 'g', kibi: 'k' },
  *run(r) {
    const kib = [4_028_904, 1_204_312, 812_004, 3104, 2_012_588, 2_824_592];
    const unit = (n: number) =>
      has(r, 'h')
        ? n > 1_048_576
          ? `${(n / 1_048_576).toFixed(1)}${r.bb ? 'G' : 'Gi'}`
          : `${Math.round(n / 1024)}${r.bb ? 'M' : 'Mi'}`
        : String(has(r, 'm') ? Math.floor(n / 1024) : has(r, 'g') ? Math.floor(n / 1_048_576) : has(r, 'b') ? n * 1024 : n);
    const width = r.bb ? 12 : 12;
    const row = (label: string, values: string[]) =>
      `${label.padEnd(r.bb ? 7 : 8)}${values.map(v => v.padStart(width - (r.bb ? 1 : 0))).join(r.bb ? ' ' : '')}\n`.replace(
        /^(.{7}) {1}/,
        '$1',
      );
    out(
      r,
      `${' '.repeat(r.bb ? 7 : 7)}${['total', 'used', 'free', 'shared', 'buff/cache', 'available'].map(h => h.padStart(12)).join('')}\n`,
    );
    out(r, row('Mem:', kib.map(unit)));
    out(r, row('Swap:', [0, 0, 0].map(unit)));
    return 0;
  },
};

export const DF: ToolSpec = {
  short: 'hkmTaiPHt:x:',
  long: { 'human-readable': 'h', 'print-type': 'T', all: 'a', inodes: 'i' },
  *run(r) {
    const rows: [string, string, number, number, string][] = [
      ['overlay', 'overlay', 61_202_244, 18_320_552, '/'],
      ['tmpfs', 'tmpfs', 65_536, 0, '/dev'],
      ['shm', 'tmpfs', 65_536, 0, '/dev/shm'],
      ['/dev/vda1', 'ext4', 61_202_244, 18_320_552, '/etc/hosts'],
    ];
    const show = (n: number) =>
      has(r, 'h')
        ? n === 0
          ? '0'
          : n >= 1_048_576
            ? `${(n / 1_048_576).toFixed(n < 10_485_760 ? 1 : 0)}G`
            : n >= 1024
              ? `${(n / 1024).toFixed(n < 10_240 ? 1 : 0)}M`
              : `${n}K`
        : String(has(r, 'm') ? Math.ceil(n / 1024) : n);
    const head = has(r, 'h') ? ['Size', 'Used', 'Avail'] : [r.bb ? '1K-blocks' : '1K-blocks', 'Used', 'Available'];
    out(r, `${'Filesystem'.padEnd(20)} ${head[0].padStart(9)} ${head[1].padStart(9)} ${head[2].padStart(9)} Use% Mounted on\n`);
    for (const [fs, , total, used, at] of rows)
      out(
        r,
        `${fs.padEnd(20)} ${show(total).padStart(9)} ${show(used).padStart(9)} ${show(total - used).padStart(9)} ${`${Math.ceil((used / total) * 100)}%`.padStart(4)} ${at}\n`,
      );
    return 0;
  },
};

export const MOUNT: ToolSpec = {
  short: 'alt:o:rwnv',
  *run(r) {
    if (r.args.length) {
      if (r.p.caps.has('SYS_ADMIN')) return 0;
      complain(r.p, r.bb ? `mount: permission denied (are you root?)\n` : `mount: ${r.args.at(-1)}: permission denied.\n`);
      return r.bb ? 1 : 32;
    }
    const lines = [
      'overlay on / type overlay (rw,relatime)',
      'proc on /proc type proc (rw,nosuid,nodev,noexec,relatime)',
      'tmpfs on /dev type tmpfs (rw,nosuid,size=65536k,mode=755)',
      'devpts on /dev/pts type devpts (rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666)',
      'sysfs on /sys type sysfs (ro,nosuid,nodev,noexec,relatime)',
      '/dev/vda1 on /etc/hosts type ext4 (rw,relatime)',
      '/dev/vda1 on /etc/resolv.conf type ext4 (rw,relatime)',
    ];
    const secrets = listDir(r.p.fs, '/var/run/secrets/kubernetes.io/serviceaccount', r.p);
    if (typeof secrets !== 'string') lines.push('tmpfs on /run/secrets/kubernetes.io/serviceaccount type tmpfs (ro,relatime)');
    out(r, `${lines.join('\n')}\n`);
    return 0;
  },
};

export const DMESG: ToolSpec = {
  short: 'cTHwxn:s:',
  *run(r) {
    if (!r.p.caps.has('SYS_ADMIN'))
      return error(r, r.bb ? 'klogctl: Operation not permitted' : 'read kernel buffer failed: Operation not permitted');
    return 0;
  },
};

export const TOP: ToolSpec = {
  short: 'bn:d:p:H',
  *run(r) {
    const once = has(r, 'b');
    for (let n = Number(option(r, 'n') ?? Number.POSITIVE_INFINITY); n > 0; n--) {
      const rows = containerProcesses(r.p);
      if (r.bb) {
        out(
          r,
          `Mem: 2016320K used, 2012584K free, 3104K shrd, 102400K buff, 1200000K cached\nCPU:   1% usr   1% sys   0% nic  98% idle   0% io   0% irq   0% sirq\nLoad average: 0.00 0.00 0.00 1/${rows.length} ${localPid(r.p)}\n  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n`,
        );
        for (const q of rows)
          out(
            r,
            `${String(localPid(q, r.p)).padStart(5)} ${String(q.parent ? localPid(q.parent, r.p) : 0).padStart(5)} ${userOf(r.p, q).padEnd(8)} ${(q === r.p ? 'R' : 'S').padEnd(4)}  4480   0%   0   0% ${command(q)}\n`,
          );
      } else {
        out(
          r,
          `top - ${strftime('%H:%M:%S', r.p.kernel.sim.nowMs)} up 1 day,  0 users,  load average: 0.00, 0.00, 0.00\nTasks: ${String(rows.length).padStart(3)} total,   1 running, ${String(rows.length - 1).padStart(3)} sleeping,   0 stopped,   0 zombie\n%Cpu(s):  0.3 us,  0.3 sy,  0.0 ni, 99.3 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st\nMiB Mem :   3934.5 total,    792.9 free,   1176.1 used,   1965.4 buff/cache\nMiB Swap:      0.0 total,      0.0 free,      0.0 used.   2758.4 avail Mem\n\n    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n`,
        );
        for (const q of rows)
          out(
            r,
            `${String(localPid(q, r.p)).padStart(7)} ${userOf(r.p, q).padEnd(9)} 20   0    4480   3200   2900 ${q === r.p ? 'R' : 'S'}   0.0   0.1   0:00.00 ${name(q)}\n`,
          );
      }
      if (!once && !r.p.tty) return 0;
      if (n > 1) yield* sleep(r.p, Number(option(r, 'd') ?? 3) * 1000);
    }
    return 0;
  },
};
