// Tools about the machine: free, df, mount, dmesg, uname, uptime …
import { complain } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { listDir } from '../../linux/vfs.ts';
import { civilTime, clockText, twoDigits } from '../../sim/time.ts';
import { strftime } from '../strftime.ts';
import { hostName } from './host-name.ts';
import { error, has, out, type ToolSpec, usage } from './tool.ts';

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
    const version = '#1 SMP PREEMPT_DYNAMIC Debian 6.1.0-37 (2025-05-22)';
    const fields: [string, string][] = [
      ['s', 'Linux'],
      ['n', hostName(r.p)],
      ['r', r.p.kernel.release],
      ['v', version],
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
