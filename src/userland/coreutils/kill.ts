// Tools that signal processes, and find them by name: kill, killall, pkill, pgrep, pidof.

import { containerProcesses, localPid, processByLocalPid } from '../../linux/pids.ts';
import { kill as signalProcess } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { SIGNAL_LIST, signalName } from '../signals.ts';
import type { Userland } from '../userland.ts';
import { command, name } from './ps.ts';
import { error, out, type Run } from './tool.ts';

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
