// ps and top: the processes of a container.

import { MEMORY } from '../../linux/mounts.ts';
import { containerProcesses, localPid } from '../../linux/pids.ts';
import { complain, goesOn, sleep } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { civilTime, twoDigits } from '../../sim/time.ts';
import { strftime } from '../strftime.ts';
import type { Userland } from '../userland.ts';
import { account } from './accounts.ts';
import { uptimeLine } from './system.ts';
import { has, option, out, type Run, type ToolSpec } from './tool.ts';

const userOf = (p: Process, q: Process): string => account(p, q.uid)?.name ?? String(q.uid);

export const command = (q: Process): string => q.argv.join(' ');

export const name = (q: Process): string => (q.argv[0] ?? '').replace(/.*\//, '').replace(/^-/, '').slice(0, 15);

function clock(r: Run, q: Process): string {
  const c = civilTime(q.startedAtMs);
  const today = Math.floor(q.startedAtMs / 86_400_000) === Math.floor(r.p.kernel.sim.nowMs / 86_400_000);
  return today ? `${twoDigits(c.hour)}:${twoDigits(c.minute)}` : strftime('%b%d', q.startedAtMs);
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
  const h = Math.floor(s / 3600) % 24;
  const d = Math.floor(s / 86_400);
  return `${d ? `${d}-` : ''}${d || h ? `${twoDigits(h)}:` : ''}${twoDigits(Math.floor(s / 60) % 60)}:${twoDigits(s % 60)}`;
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

/** top's two lines of memory. */
function memoryLines(): string {
  const mib = (kib: number) => (kib / 1024).toFixed(1).padStart(8);
  const { totalKib, freeKib, availableKib, buffersKib, cachedKib } = MEMORY;
  const used = totalKib - availableKib;
  return `MiB Mem : ${mib(totalKib)} total, ${mib(freeKib)} free, ${mib(used)} used, ${mib(buffersKib + cachedKib)} buff/cache\nMiB Swap: ${mib(0)} total, ${mib(0)} free, ${mib(0)} used. ${mib(availableKib)} avail Mem\n`;
}

export const TOP: ToolSpec = {
  short: 'bn:d:p:H',
  *run(r) {
    const once = has(r, 'b');
    if ((once || r.p.tty) && !has(r, 'n')) goesOn(r.p);
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
          `top -${uptimeLine(r.p)}Tasks: ${String(rows.length).padStart(3)} total,   1 running, ${String(rows.length - 1).padStart(3)} sleeping,   0 stopped,   0 zombie\n%Cpu(s):  0.3 us,  0.3 sy,  0.0 ni, 99.3 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st\n${memoryLines()}\n    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n`,
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
