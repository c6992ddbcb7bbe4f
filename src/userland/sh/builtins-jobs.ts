// Builtins about processes: jobs, wait, kill, trap, fg, bg.

import { localPid, processByLocalPid } from '../../linux/pids.ts';
import { signalNumber, kill as signalProcess, waitFor } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { signalName } from '../signals.ts';
import type { Builtin } from './builtins.ts';
import { fail, say } from './messages.ts';
import { reportSignal } from './run.ts';
import { setTrap, signalQueue } from './traps.ts';
import { bashLike, type Job, type Shell } from './types.ts';
import { setVar } from './vars.ts';

const ended = (job: Job) => job.processes.every(q => q.exitCode !== null);

/** %1, %%, %-, %name, or a process number. */
function jobOf(sh: Shell, spec: string): Job | undefined {
  const live = sh.jobs.filter(j => !j.reported);
  if (spec === '%%' || spec === '%+' || spec === '%') return live[live.length - 1];
  if (spec === '%-') return live[live.length - 2] ?? live[live.length - 1];
  if (/^%\d+$/.test(spec)) return live.find(j => j.number === Number(spec.slice(1)));
  if (spec.startsWith('%')) return live.find(j => j.text.startsWith(spec.slice(1)));
  return sh.jobs.find(j => j.processes.some(q => localPid(q) === Number(spec)));
}

/** Wait for a process, or for a trapped signal. -> null: a signal came first */
function* waitOrSignal(sh: Shell, q: Process): Co<number | null> {
  while (q.exitCode === null) {
    if (sh.pending.length) return null;
    yield* waitOn(sh.p.kernel.sim, [q.ended, signalQueue(sh)]);
  }
  return q.exitCode;
}

const interrupted = (sh: Shell) => 128 + (signalNumber(sh.pending[0]) ?? 0);

const wait: Builtin = {
  *run(sh, argv) {
    let any = false;
    let into: string | null = null;
    let i = 1;
    for (; bashLike(sh) && /^-./.test(argv[i] ?? ''); i++) {
      if (argv[i] === '--') {
        i++;
        break;
      }
      const wrong = [...argv[i].slice(1)].find(c => !'nfp'.includes(c));
      if (wrong) {
        fail(sh, `wait: -${wrong}: invalid option`);
        say(sh, 2, 'wait: usage: wait [-fn] [-p var] [id ...]\n');
        return 2;
      }
      any ||= argv[i].includes('n');
      if (argv[i].endsWith('p')) into = argv[++i] ?? null;
    }
    const specs = argv.slice(i);
    if (into !== null) sh.vars.delete(into);
    if (any) return yield* waitAny(sh, specs, into);
    if (!specs.length) {
      for (const job of sh.jobs) {
        if (job.reported) continue;
        for (const q of job.processes) if ((yield* waitOrSignal(sh, q)) === null) return interrupted(sh);
        job.reported = true;
      }
      sh.jobs = [];
      return 0;
    }
    let status = 0;
    for (const spec of specs) {
      const job = jobOf(sh, spec);
      if (!job) {
        if (spec.startsWith('%')) fail(sh, bashLike(sh) ? `wait: ${spec}: no such job` : `wait: No such job: ${spec}`);
        else if (bashLike(sh))
          fail(sh, /^\d+$/.test(spec) ? `wait: pid ${spec} is not a child of this shell` : `wait: \`${spec}': not a pid or valid job spec`);
        else if (!/^\d+$/.test(spec)) fail(sh, `wait: Illegal number: ${spec}`);
        status = spec.startsWith('%') ? (bashLike(sh) ? 127 : 2) : /^\d+$/.test(spec) ? 127 : bashLike(sh) ? 1 : 2;
        continue;
      }
      const code = yield* waitOrSignal(sh, job.processes[job.processes.length - 1]);
      if (code === null) return interrupted(sh);
      status = code;
      if (into !== null) setVar(sh, into, String(localPid(job.processes[job.processes.length - 1])));
      if (!bashLike(sh)) reportSignal(sh, job.processes[job.processes.length - 1]);
      job.reported = true;
    }
    return status;
  },
};

/** wait -n: the first that ends, of all or of those that are named. */
function* waitAny(sh: Shell, specs: string[], into: string | null): Co<number> {
  const named = specs.map(spec => jobOf(sh, spec));
  const live = sh.jobs.filter(j => !j.reported && (!specs.length || named.includes(j)));
  if (!live.length) return 127;
  while (!live.some(ended)) {
    if (sh.pending.length) return interrupted(sh);
    yield* waitOn(sh.p.kernel.sim, [signalQueue(sh), ...live.flatMap(j => j.processes.map(q => q.ended))]);
  }
  const job = live.find(ended) as Job;
  job.reported = true;
  const last = job.processes[job.processes.length - 1];
  if (into !== null) setVar(sh, into, String(localPid(last)));
  return last.exitCode ?? 0;
}

const kill: Builtin = {
  *run(sh, argv) {
    let signal = 'TERM';
    let args = argv.slice(1);
    if (args[0] === '-l' || args[0] === '-L') {
      // A name asks for its number, a number (or a status above 128) for its name.
      const name = args[1] === undefined || /^\d+$/.test(args[1]) ? null : signalName(args[1]);
      if (name) say(sh, 1, `${signalNumber(name) ?? args[1]}\n`);
      else
        say(sh, 1, args[1] ? `${signalName(String(Number(args[1]) & 127)) ?? args[1]}\n` : bashLike(sh) ? signalTable() : signalLines(sh));
      return 0;
    }
    if (args[0] === '-s' || args[0] === '-n') {
      signal = signalName(args[1] ?? '') ?? '';
      args = args.slice(2);
    } else if (/^-./.test(args[0] ?? '') && args[0] !== '--') {
      const name = signalName(args[0].slice(1));
      if (name === null) {
        fail(
          sh,
          bashLike(sh)
            ? `kill: ${args[0].slice(1)}: invalid signal specification`
            : sh.kind === 'dash'
              ? `kill: Illegal option ${args[0].slice(0, 2)}`
              : `bad signal name '${args[0].slice(1)}'`,
        );
        return sh.kind === 'dash' ? 2 : 1;
      }
      signal = name;
      args = args.slice(1);
    }
    if (args[0] === '--') args = args.slice(1);
    if (!args.length) {
      if (bashLike(sh)) say(sh, 2, 'kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n');
      else if (sh.kind === 'ash') {
        fail(sh, 'you need to specify whom to kill');
        return 1;
      } else fail(sh, 'kill: Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]');
      return 2;
    }
    let status = 0;
    for (const arg of args) if (!killOne(sh, arg, signal)) status = sh.kind === 'dash' && !/^-?\d+$|^%/.test(arg) ? 2 : 1;
    // Nothing follows in a process that has killed itself.
    while (sh.p.exitCode !== null) yield* waitOn(sh.p.kernel.sim, []);
    return status;
  },
};

function killOne(sh: Shell, arg: string, signal: string): boolean {
  if (arg.startsWith('%')) {
    const job = jobOf(sh, arg);
    if (!job) {
      fail(sh, bashLike(sh) ? `kill: ${arg}: no such job` : `kill: No such job: ${arg}`);
      return false;
    }
    for (const q of job.processes) signalTo(q, signal);
    return true;
  }
  if (!/^-?\d+$/.test(arg)) {
    fail(
      sh,
      bashLike(sh)
        ? `kill: ${arg}: arguments must be process or job IDs`
        : sh.kind === 'dash'
          ? `kill: Illegal number: ${arg}`
          : `invalid number '${arg}'`,
    );
    return false;
  }
  const pid = Math.abs(Number(arg));
  const target = sh.jobs.flatMap(j => j.processes).find(q => q.exitCode === null && localPid(q) === pid) ?? processByLocalPid(sh.p, pid);
  if (pid === 0) {
    for (const q of [...sh.p.children]) signalTo(q, signal);
    signalTo(sh.p, signal);
    return true;
  }
  if (!target) {
    fail(
      sh,
      bashLike(sh)
        ? `kill: (${arg}) - No such process`
        : sh.kind === 'dash'
          ? 'kill: No such process\n'
          : `can't kill pid ${arg}: No such process`,
    );
    return false;
  }
  signalTo(target, signal);
  return true;
}

/** Signal 0 only asks. A container's first process gets no signal it has not asked for, not even KILL from inside (pid_namespaces(7)). */
function signalTo(q: Process, signal: string): void {
  if (signal === '0') return;
  if (localPid(q) === 1 && !q.onSignal.has(signal)) return;
  signalProcess(q, signal);
}

/** bash's `trap -l` and `kill -l`: five to a line; the real-time signals are counted from both ends. */
function signalTable(): string {
  const names: [number, string][] = [];
  for (let n = 1; n <= 64; n++) {
    const name = LINUX_SIGNALS[n - 1];
    const fromMin = n - 34;
    const realTime = n < 34 ? null : n === 34 ? 'RTMIN' : n === 64 ? 'RTMAX' : fromMin <= 15 ? `RTMIN+${fromMin}` : `RTMAX-${64 - n}`;
    if (name ?? realTime) names.push([n, `SIG${name ?? realTime}`]);
  }
  const cells = names.map(([n, name]) => `${String(n).padStart(2)}) ${name}`);
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 5) lines.push(`${cells.slice(i, i + 5).join('\t')}${i + 5 < cells.length ? '' : '\t'}\n`);
  return lines.join('');
}

/** One to a line: dash begins with 0, BusyBox numbers them. */
const signalLines = (sh: Shell): string =>
  sh.kind === 'dash'
    ? ['0', ...LINUX_SIGNALS].map(n => `${n}\n`).join('')
    : LINUX_SIGNALS.map((n, i) => `${String(i + 1).padStart(2)}) ${n}\n`).join('');

const LINUX_SIGNALS =
  `HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ
VTALRM PROF WINCH IO PWR SYS`.split(/\s/);

const trap: Builtin = {
  *run(sh, argv) {
    const args = argv.slice(argv[1] === '--' ? 2 : 1);
    if (args[0] === '-l') {
      say(sh, 1, bashLike(sh) ? signalTable() : signalLines(sh));
      return 0;
    }
    if (!args.length || args[0] === '-p') {
      const asked = args.slice(1).map(spec => signalName(spec));
      for (const [signal, action] of sh.traps) {
        if (asked.length && !asked.includes(signal)) continue;
        const name = bashLike(sh) && signal !== 'EXIT' && signal !== 'ERR' && signal !== 'DEBUG' ? `SIG${signal}` : signal;
        say(sh, 1, `trap -- '${action.replace(/'/g, "'\\''")}' ${name}\n`);
      }
      return 0;
    }
    // `trap 2` and `trap - INT` reset.
    const reset = args[0] === '-' || (args.length === 1 && signalName(args[0]) !== null) || /^\d+$/.test(args[0]);
    const action = reset ? null : args[0];
    let status = 0;
    for (const spec of reset && args[0] !== '-' ? args : args.slice(1)) {
      const name = signalName(spec);
      if (sh.kind === 'dash' && (name === null || /^(ERR|DEBUG|RETURN)$/.test(name))) {
        say(sh, 2, `trap: ${spec}: bad trap\n`);
        status = 1;
      } else if (name === null) {
        fail(sh, `trap: ${spec}: invalid signal specification`);
        status = 1;
      } else setTrap(sh, name === '0' ? 'EXIT' : name, action);
    }
    return status;
  },
};

/** `[1]+  Running                 sleep 10 &` */
export function jobLine(sh: Shell, job: Job): string {
  const live = sh.jobs.filter(j => !j.reported);
  const mark = job === live[live.length - 1] ? '+' : job === live[live.length - 2] ? '-' : ' ';
  const last = job.processes[job.processes.length - 1];
  const words: Record<string, string> = { KILL: 'Killed', TERM: 'Terminated', HUP: 'Hangup', INT: 'Interrupt' };
  const state =
    last.exitCode === null
      ? 'Running'
      : last.signal
        ? (words[last.signal] ?? last.signal)
        : last.exitCode
          ? bashLike(sh)
            ? `Exit ${last.exitCode}`
            : `Done(${last.exitCode})`
          : 'Done';
  if (bashLike(sh)) return `[${job.number}]${mark}  ${state.padEnd(23)} ${job.text}${last.exitCode === null ? ' &' : ''}\n`;
  return `[${job.number}] ${mark} ${state.padEnd(27 - 3)} ${job.text}\n`;
}

const jobs: Builtin = {
  *run(sh, argv) {
    for (const job of sh.jobs) {
      if (job.reported) continue;
      if (argv[1] === '-p') say(sh, 1, `${localPid(job.processes[0])}\n`);
      else say(sh, 1, jobLine(sh, job));
      if (ended(job)) job.reported = true;
    }
    return 0;
  },
};

const fg: Builtin = {
  *run(sh, argv) {
    if (bashLike(sh) && !sh.interactive && !sh.options.has('m')) {
      fail(sh, `${argv[0]}: no job control`);
      return 1;
    }
    const job = jobOf(sh, argv[1] ?? '%%');
    if (!job || job.reported) {
      fail(sh, bashLike(sh) ? `${argv[0]}: ${argv[1] ?? 'current'}: no such job` : `${argv[0]}: No current job`);
      return bashLike(sh) ? 1 : 2;
    }
    say(sh, 1, argv[0] === 'bg' ? `[${job.number}] ${job.text}\n` : `${job.text}\n`);
    if (argv[0] === 'bg') return 0;
    job.reported = true;
    return yield* waitFor(job.processes[job.processes.length - 1]);
  },
};

const disown: Builtin = {
  only: ['bash'],
  *run(sh) {
    sh.jobs = [];
    return 0;
  },
};

export const JOB_BUILTINS: Record<string, Builtin> = { wait, kill, trap, jobs, fg, bg: fg, disown };
