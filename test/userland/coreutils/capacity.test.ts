import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

const out = (image: string, script: string) => runIn(image, ['sh', '-c', script]);

describe('memory and disks', () => {
  it('free, top and /proc/meminfo tell of the same memory', () => {
    const total = Number(out('debian:12', "awk '/MemTotal/{print $2}' /proc/meminfo; :").out || 0);
    const free = out('debian:12', 'free').out.split('\n');
    expect(free[0]).toBe('               total        used        free      shared  buff/cache   available');
    expect(free[2]).toBe('Swap:              0           0           0');
    const shown = Number(/^Mem:\s+(\d+)/.exec(free[1])?.[1]);
    expect(shown).toBeGreaterThan(1_000_000);
    if (total) expect(shown).toBe(total);
    expect(out('debian:12', 'top -b -n1').out).toContain(`MiB Mem : ${(shown / 1024).toFixed(1).padStart(8)} total`);
    expect(out('debian:12', 'free -h').out).toMatch(/\nSwap: +0B +0B +0B\n$/);
  });

  it('df sizes its columns, finds the mount of a path and names what is not there', () => {
    const all = out('debian:12', 'df -h').out.split('\n');
    expect(all[0]).toBe('Filesystem      Size  Used Avail Use% Mounted on');
    expect(all[1]).toMatch(/^overlay +\d+G +\d+G +\d+G +\d+% \/$/);
    expect(out('debian:12', 'df -T /dev/shm').out.split('\n')[1]).toMatch(/^shm +tmpfs +65536 +0 +65536 +0% \/dev\/shm$/);
    expect(out('debian:12', 'df nope')).toMatchObject({ code: 1, out: '', err: 'df: nope: No such file or directory\n' });
    expect(out('busybox:1.35', 'df').out.split('\n')[0]).toBe('Filesystem           1K-blocks      Used Available Use% Mounted on');
    expect(out('busybox:1.35', 'df nope').err).toBe("df: nope: can't find mount point\n");
  });
});
