import { describe, expect, it } from 'vitest';
import { createObject, deleteObject, patchObject, updateStatus } from '../../src/apiserver/client.ts';
import { getObject, listObjects, newApiServer } from '../../src/apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil, settle } from '../../src/sim/sim.ts';

function cluster(nodes: Record<string, { labels?: Record<string, string>; taints?: any[]; cpu?: string }>): ApiServer {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  createObject(server, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } });
  for (const [name, n] of Object.entries(nodes)) {
    const labels = { 'kubernetes.io/hostname': name, ...n.labels };
    const made = createObject(server, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
      spec: { ...(n.taints ? { taints: n.taints } : {}) },
    });
    const amounts = { cpu: n.cpu ?? '4', memory: '8Gi', pods: '110' };
    updateStatus(server, { ...(made as KubeObject), status: { capacity: amounts, allocatable: amounts } });
  }
  startScheduler(server);
  return server;
}

function add(server: ApiServer, name: string, spec: any = {}, labels: Record<string, string> = {}, owner?: string): void {
  const made = createObject(server, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      labels,
      ...(owner ? { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }] } : {}),
    },
    spec: { containers: [{ name: 'c', image: 'x:1', ...spec.container }], ...spec.pod },
  });
  if (made.kind === 'Status') throw new Error((made as any).message);
  settle(server.sim, 5000);
}

const pod = (s: ApiServer, name: string) => getObject(s, 'pods', 'default', name);
const nodeOf = (s: ApiServer, name: string) => pod(s, name)?.spec.nodeName;
const why = (s: ApiServer, name: string) => pod(s, name)?.status?.conditions?.find((c: any) => c.type === 'PodScheduled')?.message;
const requests = (cpu: string) => ({ container: { resources: { requests: { cpu } } } });
const TAINT = { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] };

describe('where a pod cannot go', () => {
  it('counts the reasons, sorted as texts', () => {
    const s = cluster({ m: TAINT, a: {}, b: {}, c: {} });
    add(s, 'huge', requests('64'));
    expect(why(s, 'huge')).toBe(
      '0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
    );
    const [event] = listObjects(s, 'events').filter(e => e.reason === 'FailedScheduling');
    expect(event).toMatchObject({ type: 'Warning', action: 'Scheduling', reportingComponent: 'default-scheduler', source: {} });
  });

  it("says when others' pods are in the way", () => {
    const s = cluster({ a: { cpu: '1' }, b: { cpu: '1' } });
    add(s, 'p1', requests('800m'));
    add(s, 'p2', requests('800m'));
    add(s, 'p3', requests('500m'));
    expect(why(s, 'p3')).toBe(
      '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
    );
    deleteObject(s, 'pods', 'default', 'p1', { gracePeriodSeconds: 0 });
    runUntil(s.sim, () => !!nodeOf(s, 'p3'), s.sim.nowMs + 10_000);
    expect(nodeOf(s, 'p3')).toBe('a');
  });

  it('takes cordoned nodes, selectors, ports and missing claims into account', () => {
    const s = cluster({ a: {}, b: {} });
    patchObject(s, 'nodes', '', 'a', 'merge', { spec: { unschedulable: true } });
    add(s, 'picky', { pod: { nodeSelector: { disk: 'ssd' } } });
    expect(why(s, 'picky')).toContain("1 node(s) didn't match Pod's node affinity/selector, 1 node(s) were unschedulable.");
    const ports = { container: { ports: [{ containerPort: 80, hostPort: 8080 }] } };
    add(s, 'first', ports);
    add(s, 'second', ports);
    expect(nodeOf(s, 'first')).toBe('b');
    expect(why(s, 'second')).toContain("1 node(s) didn't have free ports for the requested pod ports");
    add(s, 'claim', { pod: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] } });
    expect(why(s, 'claim')).toBe('0/2 nodes are available: persistentvolumeclaim "data" not found. not found');
  });

  it("leaves other schedulers' pods alone", () => {
    const s = cluster({ a: {} });
    add(s, 'other', { pod: { schedulerName: 'mine' } });
    expect(pod(s, 'other')?.status?.conditions).toBeUndefined();
  });
});

describe('where a pod goes', () => {
  it('spreads pods of one owner, and pods in general', () => {
    const s = cluster({ a: {}, b: {}, c: {} });
    for (let i = 0; i < 6; i++) add(s, `w${i}`, {}, { app: 'w' }, 'rs-w');
    const count = (n: string) => listObjects(s, 'pods').filter(p => p.spec.nodeName === n).length;
    expect([count('a'), count('b'), count('c')]).toEqual([2, 2, 2]);
  });

  it('keeps what must be apart apart, and together what belongs together', () => {
    const s = cluster({ a: {}, b: {} });
    const apart = {
      pod: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' },
            ],
          },
        },
      },
    };
    for (const n of ['db0', 'db1', 'db2']) add(s, n, apart, { app: 'db' });
    expect(new Set([nodeOf(s, 'db0'), nodeOf(s, 'db1')])).toEqual(new Set(['a', 'b']));
    expect(why(s, 'db2')).toContain("2 node(s) didn't match pod anti-affinity rules");
    const near = {
      pod: {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { labelSelector: { matchLabels: { app: 'cache' } }, topologyKey: 'kubernetes.io/hostname' },
            ],
          },
        },
      },
    };
    add(s, 'web', near);
    expect(why(s, 'web')).toContain("2 node(s) didn't match pod affinity rules");
    add(s, 'cache', { pod: { nodeSelector: { 'kubernetes.io/hostname': 'b' } } }, { app: 'cache' });
    runUntil(s.sim, () => !!nodeOf(s, 'web'), s.sim.nowMs + 15_000);
    expect(nodeOf(s, 'web')).toBe('b');
  });

  it('holds the skew of a topology', () => {
    const s = cluster({ a: { labels: { zone: 'x' } }, b: { labels: { zone: 'x' } }, c: { labels: { zone: 'y' } } });
    const pods = {
      pod: {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 's' } } },
        ],
      },
    };
    for (let i = 0; i < 4; i++) add(s, `s${i}`, pods, { app: 's' });
    expect(['s0', 's1', 's2', 's3'].filter(n => nodeOf(s, n) === 'c')).toHaveLength(2);
  });

  it('prefers what the pod prefers', () => {
    const s = cluster({ a: {}, b: {}, c: {} });
    const preference = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['c'] }] };
    add(s, 'p', {
      pod: { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] } } },
    });
    expect(nodeOf(s, 'p')).toBe('c');
  });
});
