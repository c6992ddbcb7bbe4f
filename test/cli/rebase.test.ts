import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handle } from '../../src/apiserver/server.ts';
import { currentCluster, type Machine, openMachine, reopenMachine } from '../../src/cli/machine.ts';
import { commitRebased } from '../../src/cli/rebase.ts';
import { type Home, newHome, removeHome, sh } from './machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  // A process makes the cluster: here only the API is needed.
  expect((await sh(home, 'kubectl get namespaces')).code).toBe(0);
}, 60_000);
afterAll(() => removeHome(home));

const settings = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' };

function write(machine: Machine, name: string, value: string): void {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } };
  const { server } = currentCluster(machine);
  const there = handle(server, { ...settings, verb: 'get', name }).code === 200;
  expect(handle(server, { ...settings, verb: there ? 'update' : 'create', name, body }).code).toBeLessThan(300);
}

const read = (machine: Machine, name: string) => {
  const found = handle(currentCluster(machine).server, { ...settings, verb: 'get', name }).body;
  return { value: (found as { data?: { value: string } }).data?.value, revision: Number(found.metadata?.resourceVersion) };
};

describe('a commit of what was already shown', () => {
  it('is added to what others did meanwhile; what they have changed stays theirs', async () => {
    const mine = await openMachine(home.env);
    const theirs = reopenMachine(mine, home.env);
    write(theirs, 'both', 'theirs');
    write(theirs, 'only-theirs', 'theirs');
    expect(commitRebased(theirs)).toBe(true);
    write(mine, 'both', 'mine');
    write(mine, 'only-mine', 'mine');
    expect(commitRebased(mine)).toBe(false);
    const now = reopenMachine(mine, home.env);
    expect(['both', 'only-theirs', 'only-mine'].map(n => read(now, n).value)).toEqual(['theirs', 'theirs', 'mine']);
    // Revisions go on rising: nobody's is used twice.
    const revisions = ['both', 'only-theirs', 'only-mine'].map(n => read(now, n).revision);
    expect(new Set(revisions).size).toBe(3);
    expect(Math.max(...revisions)).toBe(revisions[2]);
    expect(currentCluster(now).server.store.revision).toBeGreaterThanOrEqual(revisions[2]);
  });

  it('changes nothing when nobody came in between', async () => {
    const machine = await openMachine(home.env);
    write(machine, 'alone', 'mine');
    expect(commitRebased(machine)).toBe(true);
    expect(read(reopenMachine(machine, home.env), 'alone').value).toBe('mine');
  });
});
