import { describe, expect, it } from 'vitest';
import { deleteObject, patchObject } from '../../src/apiserver/client.ts';
import { getObject, listObjects } from '../../src/apiserver/store.ts';
import type { KubeObject } from '../../src/apiserver/types.ts';
import { startControllers } from '../../src/controllers/start.ts';
import { apply, getPod, newCluster, pod, run, type TestCluster } from '../kubelet/cluster.ts';

const service = (name: string, spec: any): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec,
});
const slices = (c: TestCluster, name: string) =>
  listObjects(c.server, 'endpointslices.discovery.k8s.io', 'default').filter(
    s => s.metadata.labels?.['kubernetes.io/service-name'] === name,
  );
const endpoints = (c: TestCluster, name: string) => getObject(c.server, 'endpoints', 'default', name);

describe('a settled cluster', () => {
  it('is not looked through at the start, but every change is seen', () => {
    const c = newCluster();
    apply(c, pod('web', { command: ['serve', '80'] }));
    apply(c, service('x', { selector: { app: 'web' }, ports: [{ port: 80 }] }));
    run(c);
    c.controllers.stop();
    for (const s of slices(c, 'x')) deleteObject(c.server, 'endpointslices.discovery.k8s.io', 'default', s.metadata.name);
    startControllers(c.server, { settled: true });
    run(c);
    expect(slices(c, 'x')).toEqual([]);
    patchObject(c.server, 'services', 'default', 'x', 'merge', { metadata: { labels: { seen: 'yes' } } });
    run(c);
    expect(slices(c, 'x')).toHaveLength(1);
    // Its dependents still go with their owner.
    deleteObject(c.server, 'services', 'default', 'x');
    run(c);
    expect(slices(c, 'x')).toEqual([]);
  });

  it('is looked through when something was under way', () => {
    const c = newCluster();
    apply(c, pod('web', { command: ['serve', '80'] }));
    apply(c, service('x', { selector: { app: 'web' }, ports: [{ port: 80 }] }));
    run(c);
    c.controllers.stop();
    for (const s of slices(c, 'x')) deleteObject(c.server, 'endpointslices.discovery.k8s.io', 'default', s.metadata.name);
    startControllers(c.server);
    run(c);
    expect(slices(c, 'x')).toHaveLength(1);
  });
});

describe('EndpointSlices and Endpoints', () => {
  it('follow readiness, and publish what is not ready when they are told to', () => {
    const c = newCluster();
    apply(c, pod('good', { command: ['serve', '80'] }));
    apply(c, pod('bad', { command: ['serve', '80'], readinessProbe: { httpGet: { path: '/bad', port: 80 }, periodSeconds: 1 } }));
    for (const p of ['good', 'bad']) patchObject(c.server, 'pods', 'default', p, 'merge', { metadata: { labels: { app: 'x' } } });
    apply(c, service('x', { selector: { app: 'x' }, ports: [{ port: 80 }] }));
    apply(c, service('all', { selector: { app: 'x' }, publishNotReadyAddresses: true, ports: [{ port: 80 }] }));
    run(c);
    const conditions = (name: string) => Object.fromEntries(slices(c, name)[0].endpoints.map((e: any) => [e.targetRef.name, e.conditions]));
    expect(conditions('x')).toEqual({
      good: { ready: true, serving: true, terminating: false },
      bad: { ready: false, serving: false, terminating: false },
    });
    expect(conditions('all').bad).toEqual({ ready: true, serving: false, terminating: false });
    const [subset] = endpoints(c, 'x')?.subsets ?? [];
    expect(subset.addresses.map((a: any) => a.ip)).toEqual([getPod(c, 'good')?.status.podIP]);
    expect(subset.notReadyAddresses.map((a: any) => a.ip)).toEqual([getPod(c, 'bad')?.status.podIP]);
  });

  it('resolve named ports pod by pod', () => {
    const c = newCluster();
    apply(c, pod('a', { ports: [{ name: 'web', containerPort: 8080 }] }));
    apply(c, pod('b', { ports: [{ name: 'web', containerPort: 9090 }] }));
    apply(c, pod('n', {}));
    for (const p of ['a', 'b', 'n']) patchObject(c.server, 'pods', 'default', p, 'merge', { metadata: { labels: { app: 'x' } } });
    apply(c, service('x', { selector: { app: 'x' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] }));
    run(c);
    const found = slices(c, 'x').map(s => [s.ports?.map((p: any) => p.port) ?? [], s.endpoints.map((e: any) => e.targetRef.name)]);
    expect(found).toEqual(
      expect.arrayContaining([
        [[8080], ['a']],
        [[9090], ['b']],
        [[], ['n']],
      ]),
    );
    expect(endpoints(c, 'x')?.subsets).toHaveLength(2);
  });

  it('are one empty slice when there is nobody, and go with their Service', () => {
    const c = newCluster();
    apply(c, service('x', { selector: { app: 'none' }, ports: [{ port: 80 }] }));
    run(c);
    expect(slices(c, 'x')).toHaveLength(1);
    expect(slices(c, 'x')[0].endpoints ?? []).toEqual([]);
    expect(endpoints(c, 'x')?.subsets).toBeUndefined();
    deleteObject(c.server, 'services', 'default', 'x');
    run(c);
    expect(slices(c, 'x')).toHaveLength(0);
    expect(endpoints(c, 'x')).toBeUndefined();
  });

  it('hold a hundred each', () => {
    const c = newCluster({
      nodes: 1,
      deps: () => ({ node: { addresses: ['192.168.1.10'], podCIDRs: [], cpu: 64, memoryBytes: 2 ** 38, maxPods: 500 } }),
    });
    apply(c, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'many', namespace: 'default' },
      spec: {
        replicas: 150,
        selector: { matchLabels: { app: 'many' } },
        template: { metadata: { labels: { app: 'many' } }, spec: { containers: [{ name: 'c', image: 'box:1' }] } },
      },
    });
    apply(c, service('many', { selector: { app: 'many' }, ports: [{ port: 80 }] }));
    run(c);
    const sizes = slices(c, 'many').map(s => s.endpoints.length);
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(150);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });

  it('mirror what people wrote by hand', () => {
    const c = newCluster();
    apply(c, service('db', { ports: [{ port: 5432 }] }));
    apply(c, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'db', namespace: 'default' },
      subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 5432 }] }],
    });
    run(c);
    expect(slices(c, 'db')).toHaveLength(1);
    expect(slices(c, 'db')[0]).toMatchObject({
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
    });
  });

  it('hint at the same zone, and the same node', () => {
    const c = newCluster({
      deps: n => ({
        node: { addresses: [`192.168.1.${n.at(-1)}0`], podCIDRs: [], labels: { 'topology.kubernetes.io/zone': `z${n.at(-1)}` } },
      }),
    });
    apply(c, pod('a'));
    apply(c, service('zone', { selector: { app: 'a' }, trafficDistribution: 'PreferClose', ports: [{ port: 80 }] }));
    apply(c, service('node', { selector: { app: 'a' }, trafficDistribution: 'PreferSameNode', ports: [{ port: 80 }] }));
    run(c);
    expect(slices(c, 'zone')[0].endpoints[0]).toMatchObject({ zone: 'z1', hints: { forZones: [{ name: 'z1' }] } });
    expect(slices(c, 'node')[0].endpoints[0].hints).toEqual({ forZones: [{ name: 'z1' }], forNodes: [{ name: 'node-1' }] });
  });
});
