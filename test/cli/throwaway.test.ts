// `podnet --with`: clusters of one command.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Home, newHome, removeHome, run } from './machine.ts';

let home: Home;
beforeAll(() => {
  home = newHome();
});
afterAll(() => removeHome(home));

describe('a cluster of one command', () => {
  it('takes kinds that client and server do not have by themselves, and leaves nothing behind', async () => {
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { name } },
      spec: { containers: [{ name: 'c', image: 'registry.k8s.io/pause:3.10' }] },
    });
    const policy = {
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'no-talk' },
      spec: {
        tier: 'Admin',
        priority: 5,
        subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { name: 'left' } } } },
        egress: [{ action: 'Deny', to: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { name: 'right' } } } }] }],
      },
    };
    const folder = join(home.path, 'fleet');
    fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, 'all.yaml'), [pod('left'), pod('right'), policy].map(o => JSON.stringify(o)).join('\n---\n'));
    const asked = await run(home, ['podnet', '--with', folder, 'connectivity', '-o', 'json']);
    expect(asked.stderr).toBe('');
    const { connections } = JSON.parse(asked.stdout) as { connections: { from: string; to: string; allowed: object; denied: object[] }[] };
    const verdict = (from: string, to: string) => connections.find(c => c.from === `default/${from}` && c.to === `default/${to}`);
    expect(verdict('left', 'right')?.allowed).toEqual({ TCP: [], UDP: [], SCTP: [] });
    expect(verdict('left', 'right')?.denied[0]).toMatchObject({ at: 'egress', tier: 'Admin', policies: ['no-talk'], rule: 0 });
    expect(verdict('right', 'left')?.denied).toEqual([]);
    expect(fs.existsSync(join(home.path, 'state'))).toBe(false);
  });
});
