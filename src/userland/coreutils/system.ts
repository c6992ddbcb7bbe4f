// Tools about the machine: free, df, mount, dmesg, uname, uptime …
import { complain } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { civilTime, clockText, twoDigits } from '../../sim/time.ts';
import { strftime } from '../strftime.ts';
import { mountLines } from './capacity.ts';
import { hostName } from './host-name.ts';
import { error, has, out, type ToolSpec, usage } from './tool.ts';

export const MOUNT: ToolSpec = {
  short: 'alt:o:rwnv',
  *run(r) {
    if (r.args.length) {
      if (r.p.caps.has('SYS_ADMIN')) return 0;
      complain(r.p, r.bb ? `mount: permission denied (are you root?)\n` : `mount: ${r.args.at(-1)}: permission denied.\n`);
      return r.bb ? 1 : 32;
    }
    out(r, `${mountLines(r).join('\n')}\n`);
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

export const UNAME: ToolSpec = {
  short: 'asnrvmpio',
  long: {
    all: 'a',
    'kernel-name': 's',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-version': 'v',
    machine: 'm',
    processor: 'p',
    'hardware-platform': 'i',
    'operating-system': 'o',
  },
  *run(r) {
    if (r.args.length) return usage(r, `extra operand '${r.args[0]}'`, 'uname [-amnrspvio]');
    const fields: [string, string][] = [
      ['s', 'Linux'],
      ['n', hostName(r.p)],
      ['r', r.p.kernel.release],
      ['v', r.p.kernel.version],
      ['m', 'x86_64'],
      ['p', 'unknown'],
      ['i', 'unknown'],
      ['o', r.bb && r.u.distro === 'alpine' ? 'Linux' : 'GNU/Linux'],
    ];
    const all = has(r, 'a');
    const chosen = fields.filter(([letter]) =>
      all ? letter !== 'p' && letter !== 'i' : has(r, letter) || (!r.options.size && letter === 's'),
    );
    out(r, `${chosen.map(f => f[1]).join(' ')}\n`);
    return 0;
  },
};

export const NPROC: ToolSpec = {
  short: '',
  long: { all: 'a', ignore: 'i' },
  *run(r) {
    out(r, '2\n');
    return 0;
  },
};

const upMinutes = (p: Process): number => Math.floor((p.kernel.sim.nowMs - p.kernel.bootedAtMs) / 60_000);

/** `1 day,  3:02` or `5 min`: procps' and BusyBox' words. */
function upText(p: Process): string {
  const up = upMinutes(p);
  const days = Math.floor(up / 1440);
  const hours = Math.floor(up / 60) % 24;
  return `${days ? `${days} day${days > 1 ? 's' : ''}, ` : ''}${hours ? `${String(hours).padStart(2)}:${twoDigits(up % 60)}` : `${up % 60} min`}`;
}

/** The line of uptime, w and top. Nobody is logged in, and nothing that counts as load runs. */
export const uptimeLine = (p: Process): string =>
  ` ${clockText(civilTime(p.kernel.sim.nowMs))} up ${upText(p)},  0 users,  load average: 0.00, 0.00, 0.00\n`;

export const UPTIME: ToolSpec = {
  short: 'ps',
  long: { pretty: 'p', since: 's' },
  *run(r) {
    const up = upMinutes(r.p);
    const counted = (n: number, unit: string) => (n ? [`${n} ${unit}${n > 1 ? 's' : ''}`] : []);
    const parts = [
      ...counted(Math.floor(up / 10_080), 'week'),
      ...counted(Math.floor(up / 1440) % 7, 'day'),
      ...counted(Math.floor(up / 60) % 24, 'hour'),
    ];
    if (has(r, 'p'))
      out(
        r,
        `up ${[...parts, ...(counted(up % 60, 'minute').length || parts.length ? counted(up % 60, 'minute') : ['0 minutes'])].join(', ')}\n`,
      );
    else if (has(r, 's')) out(r, `${strftime('%Y-%m-%d %H:%M:%S', r.p.kernel.bootedAtMs)}\n`);
    else out(r, uptimeLine(r.p));
    return 0;
  },
};
