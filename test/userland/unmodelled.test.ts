import { describe, expect, it } from 'vitest';
import { programNames } from '../../src/userland/programs.ts';
import { testCluster } from '../cluster/harness.ts';

describe('programs that podnet has not', () => {
  it('are nowhere among those that it has', () => {
    const { modelled, unmodelled } = programNames();
    expect(unmodelled.length).toBeGreaterThan(0);
    expect(unmodelled.filter(n => modelled.includes(n))).toEqual([]);
  });

  it('are found where the image has them, and say that they are not modelled', async () => {
    const c = await testCluster();
    c.must(['run', 'kit', '--image=nicolaka/netshoot', '--', 'sleep', '1d']);
    c.must(['wait', '--for=condition=Ready', 'pod/kit']);
    expect(c.exec('kit', ['which', 'iperf3']).out).toBe('/usr/bin/iperf3\n');
    expect(c.exec('kit', ['iperf3', '-c', 'x'])).toMatchObject({
      out: '',
      err: expect.stringContaining('podnet: iperf3 is here, but podnet does not model it\n'),
      code: 126,
    });
    // What is in no image is still not found.
    expect(c.exec('kit', ['sh', '-c', 'nosuch']).code).toBe(127);
  });
});
