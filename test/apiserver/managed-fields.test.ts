import { describe, expect, it } from 'vitest';
import { createObject, updateStatus } from '../../src/apiserver/client.ts';
import { difference, pathsOf, printPath, union, without } from '../../src/apiserver/managed/fields.ts';
import type { Manager } from '../../src/apiserver/managed/managers.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import type { ApiRequest, KubeObject } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

function fresh() {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  const at = { namespace: 'default', version: 'v1' };
  const of = (o: { apiVersion: string; kind: string }) => ({
    ...at,
    group: o.apiVersion.includes('/') ? o.apiVersion.split('/')[0] : '',
    resource: `${o.kind.toLowerCase()}s`,
  });
  const send = (o: KubeObject, rest: Partial<ApiRequest> & { verb: ApiRequest['verb'] }): any =>
    handle(server, { ...of(o), name: o.metadata.name, body: o, ...rest }).body;
  const create = (o: KubeObject, fieldManager = 'maker') => send(o, { verb: 'create', name: undefined, query: { fieldManager } });
  const apply = (o: KubeObject, fieldManager = 'kubectl', force = false) =>
    send(o, { verb: 'patch', patchType: 'apply', query: { fieldManager, force } });
  const patch = (o: KubeObject, body: unknown, fieldManager = 'patcher', type: ApiRequest['patchType'] = 'merge') =>
    send(o, { verb: 'patch', patchType: type, body, query: { fieldManager } });
  const get = (o: KubeObject) => send(o, { verb: 'get' });
  return { server, send, create, apply, patch, get };
}

const map = (data: Record<string, string>, labels?: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', ...(labels && { labels }) },
  data,
});
const web = (spec: object): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec });
const managers = (o: KubeObject) => (o.metadata.managedFields ?? []) as Manager[];
const owned = (o: KubeObject, manager: string) => {
  const m = managers(o).find(x => x.manager === manager);
  return m && pathsOf(m.fieldsV1).map(printPath);
};

describe('sets of fields', () => {
  const a = { 'f:spec': { 'f:ports': { 'k:{"port":443}': { '.': {}, 'f:name': {} }, 'k:{"port":80}': { '.': {} } } } };

  it('combine, and print in the order of their elements', () => {
    const b = { 'f:spec': { 'f:ports': { 'k:{"port":443}': { 'f:name': {} } }, 'f:type': {} } };
    expect(pathsOf(union(a, b)).map(printPath)).toEqual([
      '.spec.type',
      '.spec.ports[port=80]',
      '.spec.ports[port=443]',
      '.spec.ports[port=443].name',
    ]);
    expect(difference(a, b)).toEqual({ 'f:spec': { 'f:ports': { 'k:{"port":443}': {}, 'k:{"port":80}': { '.': {} } } } });
    expect(without(b, [['f:spec', 'f:ports']])).toEqual({ 'f:spec': { 'f:type': {} } });
  });
});

describe('updates', () => {
  it('give each writer what it wrote last', () => {
    const { create, patch, get } = fresh();
    create(map({ a: '1', b: '2' }));
    patch(map({}), { data: { b: '3' }, metadata: { labels: { x: 'y' } } });
    const o = get(map({}));
    expect(managers(o)[0].fieldsV1).toEqual({ 'f:data': { '.': {}, 'f:a': {} } });
    expect(owned(o, 'patcher')).toEqual(['.data.b', '.metadata.labels', '.metadata.labels.x']);
    expect(managers(o).map(m => m.operation)).toEqual(['Update', 'Update']);
  });

  it('tell the status from the rest, and do not bother components with it', () => {
    const { server, create, get } = fresh();
    const o = create(web({ type: 'LoadBalancer', ports: [{ port: 80 }] }));
    const seen = updateStatus(server, { ...o, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }) as KubeObject;
    expect(seen.metadata.managedFields).toBeUndefined();
    const fieldsV1 = { 'f:status': { 'f:loadBalancer': { 'f:ingress': {} } } };
    const m = managers(get(web({}))).find(x => x.subresource === 'status');
    expect(m).toMatchObject({
      manager: 'kube-controller-manager',
      operation: 'Update',
      fieldsV1,
    });
  });

  it('may clear the list, which then stays empty', () => {
    const { create, patch, get } = fresh();
    create(map({ a: '1' }));
    patch(map({}), { metadata: { managedFields: [{}] } });
    patch(map({}), { data: { a: '2' } });
    expect(get(map({})).metadata.managedFields).toBeUndefined();
  });

  it('keep ten updaters and put the older ones together', () => {
    const { create, patch, get } = fresh();
    create(map({ a: '1' }));
    for (let i = 0; i < 12; i++) patch(map({}), { data: { [`k${i}`]: 'v' } }, `writer-${i}`);
    const names = managers(get(map({}))).map(m => m.manager);
    expect(names.length).toBe(10);
    expect(names).toContain('ancient-changes');
  });
});

describe('server-side apply', () => {
  it('refuses to take what others manage, unless it is forced', () => {
    const { apply, get } = fresh();
    apply(map({ a: '1', b: '2' }));
    const refused = apply(map({ a: 'other' }), 'bob');
    expect(refused).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl": .data.a',
    });
    expect(refused.details.causes[0]).toEqual({ reason: 'FieldManagerConflict', message: 'conflict with "kubectl"', field: '.data.a' });
    apply(map({ a: 'other' }), 'bob', true);
    const o = get(map({}));
    expect([owned(o, 'kubectl'), owned(o, 'bob')]).toEqual([['.data.b'], ['.data.a']]);
    expect(apply(map({ a: '1', b: '2' })).message).toContain('conflict with "bob": .data.a');
  });

  it('names every field, by managers', () => {
    const { create, patch, apply } = fresh();
    create(map({ a: '1' }));
    patch(map({}), { metadata: { labels: { x: 'y' } } });
    expect(apply(map({ a: '2' }, { x: 'z' })).message).toBe(
      'Apply failed with 2 conflicts: conflicts with "maker" using v1:\n- .data.a\nconflicts with "patcher" using v1:\n- .metadata.labels.x',
    );
  });

  it('takes away what its manager no longer applies and nobody shares', () => {
    const { apply } = fresh();
    apply(map({ a: '1', b: '2', c: '3' }, { x: 'y' }));
    apply(map({ b: '2' }), 'bob');
    const o = apply(map({ c: '3' }));
    expect(o.data).toEqual({ b: '2', c: '3' });
    expect(o.metadata.labels).toBeUndefined();
  });

  it('merges lists by their keys, defaults included', () => {
    const { create, apply } = fresh();
    create(web({ ports: [{ name: 'x', port: 80 }], selector: { a: 'b' } }));
    const o = apply(web({ ports: [{ name: 'y', port: 81 }] }));
    expect(o.spec.ports.map((p: { port: number }) => p.port)).toEqual([80, 81]);
    expect(owned(o, 'kubectl')).toContain('.spec.ports[port=81,protocol="TCP"].name');
    expect(o.spec.selector).toEqual({ a: 'b' });
  });

  it('takes over from client-side apply what its annotation still says', () => {
    const { create, apply } = fresh();
    const text = JSON.stringify({ ...map({ a: '1' }), metadata: { name: 'settings', annotations: {} } });
    const before = map({ a: '1', b: '2' });
    before.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': text };
    create(before, 'kubectl-client-side-apply');
    expect(apply(map({ a: '5', b: '7' })).message).toContain('1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.b');
    const o = apply(map({ a: '5' }));
    expect(o.data.a).toBe('5');
    expect(JSON.parse(o.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']).data).toEqual({ a: '5' });
  });

  it('checks the types first', () => {
    const { apply } = fresh();
    const why = (o: object) => apply({ ...web({}), ...o } as KubeObject).message;
    const start = 'failed to create typed patch object (/web; /v1, Kind=Service): ';
    expect(why({ foo: 1 })).toBe(`${start}.foo: field not declared in schema`);
    expect(why({ spec: { ports: [{ port: 80 }, { port: 80 }] } })).toBe(
      `${start}.spec.ports: duplicate entries for key [port=80,protocol="TCP"]`,
    );
    expect(why({ spec: { ports: 'x', selector: { a: 1 } } })).toBe(
      `${start}errors:\n  .spec.ports: expected list, got &{x}\n  .spec.selector.a: expected string, got &value.valueUnstructured{Value:1}`,
    );
    expect(apply(web({}), '').message).toContain('fieldManager: Required value: is required for apply patch');
  });

  it('loses track of replicas through scale as the real server does', () => {
    const { create, get, send } = fresh();
    const o: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    };
    const scale = (replicas: number) => {
      send(o, { verb: 'patch', patchType: 'merge', subresource: 'scale', query: { fieldManager: 'scaler' }, body: { spec: { replicas } } });
      const of = managers(get(o)).filter(m => (m.fieldsV1['f:spec'] as any)?.['f:replicas']);
      return of.map(m => `${m.manager} ${m.subresource ?? '-'} ${m.time ? 'timed' : 'untimed'}`);
    };
    create(o);
    expect(scale(3)).toEqual(['scaler scale untimed']);
    expect(scale(3)).toEqual(['scaler scale untimed']);
    // A Scale without replicas is nobody's, and stays so.
    expect(scale(0)).toEqual([]);
    expect(scale(1)).toEqual([]);
    const p = { ...o, metadata: { name: 'e' } };
    create(p);
    o.metadata.name = 'e';
    const versions = [2, 2, 2].map(n => {
      const of = scale(n);
      return [of, get(o).metadata.resourceVersion];
    });
    expect(versions.map(v => v[0])).toEqual([['maker - untimed'], [], []]);
    expect(versions[1][1]).not.toBe(versions[0][1]);
    expect(versions[2][1]).toBe(versions[1][1]);
  });

  it('leaves a scaled workload to whoever scaled it', () => {
    const { apply, send } = fresh();
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } };
    const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
    const o: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec };
    apply(o);
    send(o, { verb: 'patch', patchType: 'merge', subresource: 'scale', body: { spec: { replicas: 3 } } });
    expect(apply(o).message).toContain('conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas');
  });
});

describe('notices', () => {
  it('are given once, of the first object that nothing acts on', () => {
    const notice = (info: { kind: string }) => (info.kind === 'NetworkPolicy' ? 'nobody enforces these' : null);
    const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2), { notice });
    createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
    const create = (name: string, dryRun = false) =>
      handle(server, {
        verb: 'create',
        group: 'networking.k8s.io',
        version: 'v1',
        resource: 'networkpolicies',
        namespace: 'default',
        query: { dryRun },
        body: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name }, spec: { podSelector: {} } },
      }).warnings;
    expect([create('a', true), create('a'), create('b')]).toEqual([[], ['nobody enforces these'], []]);
  });
});
