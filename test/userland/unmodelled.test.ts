import { describe, expect, it } from 'vitest';
import { programFor, programNames } from '../../src/userland/programs.ts';
import type { Userland } from '../../src/userland/userland.ts';

const ALPINE: Userland = { distro: 'alpine', release: '3.22', libc: 'musl', busybox: 37, tools: 13 };

describe('programs that podnet has not', () => {
  it('are there all the same, and nowhere among those that it has', () => {
    const { modelled, unmodelled } = programNames();
    expect(unmodelled).toContain('iperf3');
    expect(unmodelled.filter(n => modelled.includes(n))).toEqual([]);
    expect(programFor('iperf3', 'iperf3', ALPINE)).not.toBeNull();
  });
});
