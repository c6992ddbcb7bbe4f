// What is mounted, as /proc/mounts, mount and df tell it: a machine's disk and file systems, or a container's overlay.
import type { Process } from './types.ts';

export interface Mount {
  device: string;
  at: string;
  type: string;
  options: string;
  /** Absent: none, like proc. */
  totalKib?: number;
  usedKib?: number;
  availableKib?: number;
  inodes?: number;
  usedInodes?: number;
}

/** The machine's memory; the kubelet tells the same as its node's capacity. */
export const MEMORY = {
  totalKib: 4_005_636,
  freeKib: 812_004,
  availableKib: 2_824_592,
  sharedKib: 3104,
  buffersKib: 96_204,
  cachedKib: 1_916_384,
};

const DISK = { totalKib: 61_202_244, usedKib: 18_320_552, availableKib: 42_865_308, inodes: 3_907_584, usedInodes: 214_630 };
const half = Math.floor(MEMORY.totalKib / 2);
const memory = (totalKib: number, usedKib: number, usedInodes: number) => ({
  totalKib,
  usedKib,
  availableKib: totalKib - usedKib,
  inodes: Math.floor(MEMORY.totalKib / 4),
  usedInodes,
});

const MACHINE: Mount[] = [
  { device: 'sysfs', at: '/sys', type: 'sysfs', options: 'rw,nosuid,nodev,noexec,relatime' },
  { device: 'proc', at: '/proc', type: 'proc', options: 'rw,nosuid,nodev,noexec,relatime' },
  {
    device: 'udev',
    at: '/dev',
    type: 'devtmpfs',
    options: 'rw,nosuid,relatime,size=1976220k,nr_inodes=494055,mode=755,inode64',
    ...memory(1_976_220, 0, 379),
  },
  { device: 'devpts', at: '/dev/pts', type: 'devpts', options: 'rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000' },
  {
    device: 'tmpfs',
    at: '/run',
    type: 'tmpfs',
    options: 'rw,nosuid,nodev,noexec,relatime,size=400564k,mode=755,inode64',
    ...memory(400_564, 3104, 1012),
  },
  { device: '/dev/vda1', at: '/', type: 'ext4', options: 'rw,relatime', ...DISK },
  { device: 'tmpfs', at: '/dev/shm', type: 'tmpfs', options: 'rw,nosuid,nodev,inode64', ...memory(half, 0, 1) },
  { device: 'tmpfs', at: '/run/lock', type: 'tmpfs', options: 'rw,nosuid,nodev,noexec,relatime,size=5120k,inode64', ...memory(5120, 0, 2) },
  { device: 'cgroup2', at: '/sys/fs/cgroup', type: 'cgroup2', options: 'rw,nosuid,nodev,noexec,relatime' },
];

const CONTAINER: Mount[] = [
  { device: 'overlay', at: '/', type: 'overlay', options: 'rw,relatime', ...DISK },
  { device: 'proc', at: '/proc', type: 'proc', options: 'rw,nosuid,nodev,noexec,relatime' },
  { device: 'tmpfs', at: '/dev', type: 'tmpfs', options: 'rw,nosuid,size=65536k,mode=755', ...memory(65_536, 0, 17) },
  { device: 'devpts', at: '/dev/pts', type: 'devpts', options: 'rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666' },
  { device: 'shm', at: '/dev/shm', type: 'tmpfs', options: 'rw,relatime,size=65536k', ...memory(65_536, 0, 1) },
  { device: 'sysfs', at: '/sys', type: 'sysfs', options: 'ro,nosuid,nodev,noexec,relatime' },
  { device: '/dev/vda1', at: '/etc/hosts', type: 'ext4', options: 'rw,relatime', ...DISK },
  { device: '/dev/vda1', at: '/etc/resolv.conf', type: 'ext4', options: 'rw,relatime', ...DISK },
];

/** The mounts that a process sees. */
export const mountsOf = (p: Process): Mount[] => (p.kernel.rootfs === p.fs ? MACHINE : CONTAINER);

/** /proc/mounts */
export const mountsText = (p: Process): string =>
  mountsOf(p)
    .map(m => `${m.device} ${m.at} ${m.type} ${m.options} 0 0\n`)
    .join('');

/** Nothing swaps: the kubelet would not start. */
export function meminfo(): string {
  const rows: [string, number][] = [
    ['MemTotal', MEMORY.totalKib],
    ['MemFree', MEMORY.freeKib],
    ['MemAvailable', MEMORY.availableKib],
    ['Buffers', MEMORY.buffersKib],
    ['Cached', MEMORY.cachedKib],
    ['SwapCached', 0],
    ['Shmem', MEMORY.sharedKib],
    ['SwapTotal', 0],
    ['SwapFree', 0],
  ];
  return rows.map(([name, kib]) => `${`${name}:`.padEnd(16)}${String(kib).padStart(8)} kB\n`).join('');
}
