import { describe, expect, it } from 'vitest';
import { createObject, deleteObject, patchObject, updateObject, updateStatus } from '../../src/apiserver/client.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import { getObject, listObjects, viewOf, watchBucket } from '../../src/apiserver/store.ts';
import type { KubeList, KubeObject, Status } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

const fresh = () => {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  return server;
};
const configMap = (name: string, data: Record<string, string> = { a: '1' }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', labels: { n: name } },
  data,
});
const core = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' };

describe('a view of the store', () => {
  it('stays as it was, whatever comes, changes and goes', () => {
    const server = fresh();
    createObject(server, configMap('a'));
    createObject(server, configMap('b'));
    const then = viewOf(server, ['configmaps']);
    createObject(server, configMap('aa'));
    updateObject(server, { ...configMap('b'), data: { a: '2' } });
    deleteObject(server, 'configmaps', 'default', 'a');
    const names = (s: typeof server) => listObjects(s, 'configmaps').map(o => `${o.metadata.name} ${o.data.a}`);
    expect(names(then)).toEqual(['a 1', 'b 1']);
    expect(names(server)).toEqual(['aa 1', 'b 2']);
    expect(names(viewOf(server, ['configmaps']))).toEqual(['aa 1', 'b 2']);
  });
});

describe('generic registry', () => {
  it('creates, conflicts, updates under optimistic concurrency and deletes', () => {
    const server = fresh();
    const made = createObject(server, configMap('one')) as KubeObject;
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect((createObject(server, configMap('one')) as Status).message).toBe('configmaps "one" already exists');
    const next = updateObject(server, { ...made, data: { a: '2' } }) as KubeObject;
    expect(Number(next.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
    expect((updateObject(server, { ...made, data: { a: '3' } }) as Status).reason).toBe('Conflict');
    expect((updateObject(server, next) as KubeObject).metadata.resourceVersion).toBe(next.metadata.resourceVersion);
    expect((deleteObject(server, 'configmaps', 'default', 'one') as Status).status).toBe('Success');
    expect((deleteObject(server, 'configmaps', 'default', 'one') as Status).message).toBe('configmaps "one" not found');
  });

  it('lists by selector in pages', () => {
    const server = fresh();
    for (const n of ['c', 'a', 'b', 'a-1']) createObject(server, configMap(n));
    const page = handle(server, { verb: 'list', ...core, query: { limit: 3 } }).body as KubeList;
    expect(page.items.map(o => o.metadata.name)).toEqual(['a', 'a-1', 'b']);
    const rest = handle(server, { verb: 'list', ...core, query: { limit: 3, continue: page.metadata.continue } }).body as KubeList;
    expect(rest.items.map(o => o.metadata.name)).toEqual(['c']);
    const some = handle(server, { verb: 'list', ...core, query: { labelSelector: 'n in (a,c),!x' } }).body as KubeList;
    expect(some.items.map(o => o.metadata.name)).toEqual(['a', 'c']);
  });

  it('tells watchers in commit order, also of writes made by a watcher', () => {
    const server = fresh();
    const seen: string[] = [];
    watchBucket(server, 'configmaps', e => {
      if (e.type === 'ADDED' && e.object.metadata.name === 'x') createObject(server, configMap('y'));
    });
    watchBucket(server, 'configmaps', e => seen.push(`${e.type} ${e.object.metadata.name}`));
    createObject(server, configMap('x'));
    deleteObject(server, 'configmaps', 'default', 'x');
    expect(seen).toEqual(['ADDED x', 'ADDED y', 'DELETED x']);
  });

  it('keeps what has finalizers until they are gone', () => {
    const server = fresh();
    createObject(server, { ...configMap('held'), metadata: { name: 'held', namespace: 'default', finalizers: ['example.com/x'] } });
    deleteObject(server, 'configmaps', 'default', 'held');
    expect(getObject(server, 'configmaps', 'default', 'held')?.metadata.deletionTimestamp).toBeDefined();
    patchObject(server, 'configmaps', 'default', 'held', 'merge', { metadata: { finalizers: null } });
    expect(listObjects(server, 'configmaps', 'default')).toEqual([]);
  });

  it('keeps spec and status apart', () => {
    const server = fresh();
    const d = createObject(server, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
      },
      status: { replicas: 7 },
    }) as KubeObject;
    expect(d.status?.replicas).toBeUndefined();
    expect(d.metadata.generation).toBe(1);
    const s = updateStatus(server, { ...d, spec: { ...d.spec, replicas: 9 }, status: { replicas: 1 } }) as KubeObject;
    expect([s.spec.replicas, s.status.replicas, s.metadata.generation]).toEqual([1, 1, 1]);
    const u = patchObject(server, 'deployments.apps', 'default', 'web', 'merge', { spec: { replicas: 3 } }) as KubeObject;
    expect([u.spec.replicas, u.status.replicas, u.metadata.generation]).toEqual([3, 1, 2]);
  });
});
