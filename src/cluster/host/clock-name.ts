// hostnamectl and timedatectl (systemd 252): what a machine is and what its clock says. Both only tell; podnet's machines keep their names,
// and time is the cluster's.
import { getObject } from '../../apiserver/store.ts';
import { complain, print } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { listDir, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { NodeRuntime } from '../types.ts';
import { systemdTime } from './time-text.ts';

const right = (rows: [string, string][], width: number): string => rows.map(([k, v]) => `${k.padStart(width)}: ${v}\n`).join('');

export function hostnamectl(node: NodeRuntime): Program {
  return function* (p) {
    const [verb = 'status', ...rest] = p.argv.slice(1).filter(a => !a.startsWith('-'));
    if (verb === 'hostname' || verb === 'set-hostname') {
      if (rest.length) {
        complain(p, 'podnet: the machines of a cluster keep their names\n');
        return 1;
      }
      if (verb === 'set-hostname') complain(p, 'Too few arguments.\n');
      else print(p, `${p.kernel.hostname}\n`);
      return verb === 'hostname' ? 0 : 1;
    }
    if (verb !== 'status') {
      complain(p, `Unknown command verb ${verb}.\n`);
      return 1;
    }
    const release = readFile(p.fs, '/etc/os-release', p);
    const os = typeof release === 'string' ? '' : (/^PRETTY_NAME="?([^"\n]*)/m.exec(bytesToString(release))?.[1] ?? '');
    const info = nodeInfo(node);
    print(
      p,
      right(
        [
          ['Static hostname', p.kernel.hostname],
          ['Icon name', 'computer-vm'],
          ['Chassis', 'vm 🖴'],
          ...(info
            ? ([
                ['Machine ID', info.machineID],
                ['Boot ID', info.bootID.replace(/-/g, '')],
              ] as [string, string][])
            : []),
          ['Virtualization', 'kvm'],
          ['Operating System', os],
          ['Kernel', `Linux ${p.kernel.release}`],
          ['Architecture', 'x86-64'],
        ],
        16,
      ),
    );
    return 0;
  };
}

/** As the kubelet has told it in the node's status. */
function nodeInfo(node: NodeRuntime): { machineID: string; bootID: string } | null {
  return getObject(node.engine.server, 'nodes', '', node.spec.name)?.status?.nodeInfo ?? null;
}

/** Files whose presence says that something sets the clock. */
const TIME_SERVICES = ['systemd-timesyncd.service', 'chrony.service', 'ntp.service'];

export const timedatectl: Program = function* (p) {
  const [verb = 'status', value] = p.argv.slice(1).filter(a => !a.startsWith('-'));
  const now = p.kernel.sim.nowMs;
  const units = listDir(p.fs, '/usr/lib/systemd/system', p);
  const synced = typeof units !== 'string' && TIME_SERVICES.some(u => units.has(u));
  switch (verb) {
    case 'status': {
      const stamp = systemdTime(now);
      const rows: [string, string][] = [
        ['Local time', stamp],
        ['Universal time', stamp],
        ['RTC time', stamp.replace(/ UTC$/, '')],
        ['Time zone', 'Etc/UTC (UTC, +0000)'],
        ['System clock synchronized', 'yes'],
        ['NTP service', synced ? 'active' : 'n/a'],
        ['RTC in local TZ', 'no'],
      ];
      print(p, right(rows, 25));
      return 0;
    }
    case 'show':
      print(
        p,
        `Timezone=Etc/UTC\nLocalRTC=no\nCanNTP=${synced ? 'yes' : 'no'}\nNTP=${synced ? 'yes' : 'no'}\nNTPSynchronized=yes\nTimeUSec=${systemdTime(now)}\n`,
      );
      return 0;
    case 'list-timezones':
      print(p, 'Etc/UTC\nUTC\n');
      return 0;
    case 'set-timezone':
      if (value === 'UTC' || value === 'Etc/UTC') return 0;
      complain(p, value === undefined ? 'Too few arguments.\n' : `podnet: machines keep UTC: ${value} is not modelled\n`);
      return 1;
    case 'set-time':
    case 'set-ntp':
    case 'set-local-rtc':
      complain(p, `podnet: timedatectl ${verb}: the clock is the cluster's\n`);
      return 1;
    default:
      complain(p, `Unknown command verb ${verb}.\n`);
      return 1;
  }
};

/** No swap: the kubelet would not have started. */
export const swap: Program = function* (p) {
  const name = p.argv[0].replace(/.*\//, '');
  const operands = p.argv.slice(1).filter(a => !a.startsWith('-'));
  const flags = p.argv.slice(1).filter(a => a.startsWith('-'));
  if (flags.some(f => /^(-a|--all|-s|--summary|--show.*|-v)$/.test(f)) || (name === 'swapon' && !p.argv[1])) return 0;
  for (const path of operands) {
    const missing = typeof readFile(p.fs, path, p) === 'string';
    const why = missing ? 'No such file or directory' : 'Invalid argument';
    complain(p, name === 'swapon' && missing ? `swapon: cannot open ${path}: ${why}\n` : `${name}: ${path}: ${name} failed: ${why}\n`);
  }
  if (!operands.length) complain(p, `${name}: bad usage\nTry '${name} --help' for more information.\n`);
  return operands.length ? (name === 'swapon' ? 255 : 4) : 16;
};
