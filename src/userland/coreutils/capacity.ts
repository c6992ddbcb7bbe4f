// free and df: how much memory and disk there is (procps 4.0, coreutils 9.1, BusyBox).

import { MEMORY, type Mount, mountsOf } from '../../linux/mounts.ts';
import { strerror } from '../../linux/process.ts';
import { absolute, listDir, lookup } from '../../linux/vfs.ts';
import { error, has, option, out, type Run, type ToolSpec } from './tool.ts';

/** procps' -h: one decimal below ten, none above, cut off. */
function humanMemory(kib: number, si: boolean): string {
  const base = si ? 1000 : 1024;
  let n = kib * 1024;
  let i = 0;
  while (n >= base && i < 4) {
    n /= base;
    i++;
  }
  const unit = ['B', 'K', 'M', 'G', 'T'][i] + (i && !si ? 'i' : '');
  return `${i && n < 10 ? n.toFixed(1) : Math.floor(n)}${unit}`;
}

export const FREE: ToolSpec = {
  short: 'bkmghts:c:wlv',
  long: { bytes: 'b', kibi: 'k', mebi: 'm', gibi: 'g', human: 'h', si: 'S', total: 't', wide: 'w', seconds: 's:', count: 'c:' },
  *run(r) {
    const { totalKib, freeKib, availableKib, sharedKib, buffersKib, cachedKib } = MEMORY;
    const cache = buffersKib + cachedKib;
    const wide = has(r, 'w');
    const used = r.bb ? totalKib - freeKib - cache : totalKib - availableKib;
    const unit = (n: number) => {
      if (has(r, 'h')) return r.bb ? humanMemory(n, false).replace(/i?B?$/, '').replace(/i$/, '') : humanMemory(n, has(r, 'S'));
      const shift = has(r, 'b') ? 1 / 1024 : has(r, 'm') ? 1024 : has(r, 'g') ? 1_048_576 : 1;
      return String(Math.floor(n / shift));
    };
    const heads = ['total', 'used', 'free', 'shared', ...(wide ? ['buffers', 'cache'] : ['buff/cache']), 'available'];
    const memory = [totalKib, used, freeKib, sharedKib, ...(wide ? [buffersKib, cachedKib] : [cache]), availableKib];
    const label = r.bb ? 7 : 8;
    const row = (name: string, values: number[]) => `${name.padEnd(label)}${values.map(v => unit(v).padStart(12)).join('')}\n`;
    out(r, `${' '.repeat(label)}${heads.map(h => h.padStart(12)).join('')}\n`);
    out(r, row('Mem:', memory));
    out(r, row('Swap:', [0, 0, 0]));
    if (has(r, 't')) out(r, row('Total:', memory.slice(0, 3)));
    return 0;
  },
};

/** -h and -H: rounded up, one decimal below ten. */
function humanDisk(kib: number, base: number): string {
  let n = kib * 1024;
  let i = 0;
  while (n >= base && i < 5) {
    n /= base;
    i++;
  }
  if (i === 0) return String(n);
  const shown = n < 10 ? Math.ceil(n * 10) / 10 : Math.ceil(n);
  return `${n < 10 && shown < 10 ? shown.toFixed(1) : shown}${(base === 1000 ? ' kMGTP' : ' KMGTP')[i]}`;
}

/** The mount that a path lies in. */
const mountAt = (mounts: Mount[], path: string): Mount | undefined =>
  mounts.filter(m => m.at === '/' || path === m.at || path.startsWith(`${m.at}/`)).sort((a, b) => b.at.length - a.at.length)[0];

function chosenMounts(r: Run): { mounts: Mount[]; failed: boolean } {
  const all = mountsOf(r.p);
  let failed = false;
  if (!r.args.length) {
    const [only, but] = [r.options.get('t'), r.options.get('x')];
    // A container's disk is listed once: its files are mounts of the same device.
    const seen = new Set<string>();
    const first = (m: Mount) => !m.device.startsWith('/dev/') || (!seen.has(m.device) && !!seen.add(m.device));
    const mounts = all.filter(m => (has(r, 'a') || (m.totalKib && first(m))) && (!only || only.includes(m.type)) && !but?.includes(m.type));
    return { mounts, failed };
  }
  const mounts = r.args.flatMap(arg => {
    const path = absolute(arg, r.p.cwd);
    const node = lookup(r.p.fs, path, r.p);
    if (typeof node === 'string') {
      failed = true;
      error(r, r.bb ? `${arg}: can't find mount point` : `${arg}: ${strerror(node)}`);
      return [];
    }
    return mountAt(all, path) ?? [];
  });
  return { mounts, failed };
}

export const DF: ToolSpec = {
  short: 'hkmTaiPHlt:x:B:',
  long: {
    'human-readable': 'h',
    si: 'H',
    'print-type': 'T',
    all: 'a',
    inodes: 'i',
    portability: 'P',
    local: 'l',
    type: 't',
    'exclude-type': 'x',
    total: 'G',
  },
  *run(r) {
    const { mounts, failed } = chosenMounts(r);
    if (!mounts.length && !r.bb) return failed ? 1 : error(r, 'no file systems processed');
    const inodes = has(r, 'i');
    const human = has(r, 'h') || has(r, 'H');
    const block = { K: 1, M: 1024, G: 1_048_576 }[option(r, 'B')?.[0] ?? (has(r, 'm') ? 'M' : 'K')] ?? 1;
    const show = (n: number | undefined) => {
      if (n === undefined) return inodes || !has(r, 'a') ? '-' : '0';
      if (inodes) return human ? humanDisk(n / 1024, has(r, 'H') ? 1000 : 1024) : String(n);
      return human ? humanDisk(n, has(r, 'H') ? 1000 : 1024) : String(Math.ceil(n / block));
    };
    const size = human ? 'Size' : has(r, 'P') ? '1024-blocks' : `1${['K', 'M', 'G'][[1, 1024, 1_048_576].indexOf(block)]}-blocks`;
    const heads = inodes
      ? ['Inodes', r.bb ? 'Used' : 'IUsed', r.bb ? 'Available' : 'IFree', r.bb ? 'Use%' : 'IUse%']
      : [size, 'Used', human && !r.bb ? 'Avail' : 'Available', has(r, 'P') ? 'Capacity' : 'Use%'];
    const rows = mounts.map(m => {
      const [total, used, free] = inodes
        ? [m.inodes, m.usedInodes, m.inodes === undefined ? undefined : m.inodes - (m.usedInodes ?? 0)]
        : [m.totalKib, m.usedKib, m.availableKib];
      const share = total && used !== undefined && free !== undefined ? `${Math.ceil((used * 100) / (used + free))}%` : '-';
      return [m.device, ...(has(r, 'T') ? [m.type] : []), show(total), show(used), show(free), share, m.at];
    });
    const all = [['Filesystem', ...(has(r, 'T') ? ['Type'] : []), ...heads, 'Mounted on'], ...rows];
    // BusyBox' columns have widths of their own; GNU's fit what they hold.
    const least = r.bb ? [20, ...(has(r, 'T') ? [10] : []), human ? 9 : 9, 9, 9, 4] : [14, ...(has(r, 'T') ? [4] : []), 5, 5, 5, 4];
    const left = has(r, 'T') ? 2 : 1;
    const widths = least.map((w, i) => Math.max(w, ...(r.bb && i === 0 ? [0] : all.map(row => row[i].length))));
    for (const row of all) {
      const cells = row.map((cell, i) => (i === row.length - 1 ? cell : i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
      out(r, `${cells.join(' ')}\n`);
    }
    return failed ? 1 : 0;
  },
};

/** mount and umount: the list; root may mount, and nothing comes of it. */
export const mountLines = (r: Run): string[] => {
  const lines = mountsOf(r.p).map(m => `${m.device} on ${m.at} type ${m.type} (${m.options})`);
  const secrets = listDir(r.p.fs, '/var/run/secrets/kubernetes.io/serviceaccount', r.p);
  if (typeof secrets !== 'string') lines.push('tmpfs on /run/secrets/kubernetes.io/serviceaccount type tmpfs (ro,relatime)');
  return lines;
};
