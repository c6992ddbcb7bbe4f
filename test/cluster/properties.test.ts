import { describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { probe } from '../../src/cluster/probe.ts';
import { connectivity, eachConnection } from '../../src/netpol/connectivity.ts';
import type { PortSet, Protocol } from '../../src/netpol/ports.ts';
import { below, newRandom, type Random } from '../../src/sim/random.ts';
import { serverPod, service, testCluster, toolPod } from './harness.ts';

const pick = <T>(r: Random, list: T[]): T => list[below(r, list.length)];
const maybe = (r: Random, p = 0.5) => below(r, 1000) < p * 1000;

const podSelector = (r: Random) =>
  pick(r, [
    {},
    { matchLabels: { tier: 'a' } },
    { matchLabels: { tier: 'b' } },
    { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['b'] }] },
  ]);

function peer(r: Random): object {
  if (maybe(r, 0.2)) return { ipBlock: maybe(r) ? { cidr: '10.244.0.0/16', except: ['10.244.2.0/24'] } : { cidr: '10.244.1.0/24' } };
  const ns = maybe(r, 0.6) ? { namespaceSelector: pick(r, [{}, { matchLabels: { 'kubernetes.io/metadata.name': 'blue' } }]) } : {};
  return { ...ns, ...(maybe(r, 0.7) || !('namespaceSelector' in ns) ? { podSelector: podSelector(r) } : {}) };
}

const port = (r: Random) =>
  pick<object>(r, [{ port: 8080 }, { port: 'http' }, { port: 8000, endPort: 8100 }, { protocol: 'UDP', port: 8080 }, { port: 9 }, {}]);

function rule(r: Random, side: 'from' | 'to'): object {
  return {
    ...(maybe(r, 0.8) ? { [side]: Array.from({ length: 1 + below(r, 2) }, () => peer(r)) } : {}),
    ...(maybe(r, 0.6) ? { ports: [port(r)] } : {}),
  };
}

function policy(r: Random, n: number): object {
  const types = pick(r, [['Ingress'], ['Egress'], ['Ingress', 'Egress']]);
  const rules = (side: 'from' | 'to') => Array.from({ length: below(r, 3) }, () => rule(r, side));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `random-${n}`, namespace: pick(r, ['default', 'blue']) },
    spec: {
      podSelector: podSelector(r),
      policyTypes: types,
      ...(types.includes('Ingress') ? { ingress: rules('from') } : {}),
      ...(types.includes('Egress') ? { egress: rules('to') } : {}),
    },
  };
}

const namespaces = (r: Random): object =>
  pick<object>(r, [
    {},
    { matchLabels: { 'kubernetes.io/metadata.name': 'blue' } },
    { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['blue'] }] },
  ]);

/** A cluster-wide policy of either tier. Named ports are left out: Calico has none there and fails closed (test/cni/calico.test.ts). */
function clusterPolicy(r: Random, n: number): object {
  const pods = () =>
    maybe(r) ? { namespaces: namespaces(r) } : { pods: { namespaceSelector: namespaces(r), podSelector: podSelector(r) } };
  const port = () =>
    pick<object>(r, [{ number: 8080 }, { range: { start: 8000, end: 8100 } }, { number: 9 }, { range: { start: 1, end: 100 } }]);
  const protocol = () => ({ [pick(r, ['tcp', 'udp', 'sctp'])]: { destinationPort: port() } });
  const peer = (side: 'from' | 'to') =>
    side === 'to' && maybe(r, 0.2) ? { networks: pick(r, [['10.244.1.0/24'], ['10.244.2.0/24', 'fd00::/8'], ['0.0.0.0/0']]) } : pods();
  const rules = (side: 'from' | 'to') =>
    Array.from({ length: 1 + below(r, 3) }, () => ({
      action: pick(r, ['Accept', 'Deny', 'Pass']),
      [side]: Array.from({ length: 1 + below(r, 2) }, () => peer(side)),
      ...(maybe(r, 0.6) ? { protocols: Array.from({ length: 1 + below(r, 2) }, protocol) } : {}),
    }));
  const both = below(r, 3);
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: `tiered-${n}` },
    spec: {
      tier: pick(r, ['Admin', 'Baseline']),
      priority: below(r, 4),
      subject: pods(),
      ...(both !== 1 ? { ingress: rules('from') } : {}),
      ...(both !== 0 ? { egress: rules('to') } : {}),
    },
  };
}

describe('policies', () => {
  it('decide on the wire what the specification says, for random clusters', async () => {
    const c = await testCluster();
    c.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'blue' } });
    c.apply(
      serverPod('one', { tier: 'a' }, { nodeName: 'node-1' }),
      serverPod('two', { tier: 'b' }, { nodeName: 'node-2' }),
      serverPod('three', { tier: 'a' }, { namespace: 'blue', nodeName: 'node-2' }),
      serverPod('four', { tier: 'c' }, { namespace: 'blue', nodeName: 'node-1' }),
    );
    c.must('wait --for=condition=Ready pod --all -A');
    const pods = ['default/one', 'default/two', 'blue/three', 'blue/four'];
    const ports: [Protocol, number][] = [
      ['TCP', 8080],
      ['TCP', 9],
      ['UDP', 9],
    ];
    for (let seed = 1; seed <= 8; seed++) {
      const r = newRandom(seed);
      const tiered = Array.from({ length: seed > 3 ? 1 + below(r, 4) : 0 }, (_, n) => clusterPolicy(r, n));
      // Baseline rules decide about pods that no NetworkPolicy selects.
      const namespaced = Array.from({ length: tiered.length ? below(r, 2) : 1 + below(r, 3) }, (_, n) => policy(r, n));
      c.apply(...namespaced, ...tiered);
      c.rest();
      const verdicts = new Map<string, PortSet>();
      const report = connectivity(c.engine.server);
      eachConnection(report, (a, b, v) => verdicts.set(`${report.endpoints[a].id} ${report.endpoints[b].id}`, v.allowed));
      const wrong: string[] = [];
      for (const from of pods) {
        for (const to of pods) {
          if (from === to) continue;
          const ip = c.must(['get', 'pod', to.split('/')[1], '-n', to.split('/')[0], '-o', 'jsonpath={.status.podIP}']);
          for (const [proto, n] of ports) {
            const allowed = verdicts.get(`${from} ${to}`)?.[proto].some(([lo, hi]) => lo <= n && n <= hi);
            const got = probe(c.engine, { id: '', from: `pod:${from}`, to: `${ip}:${n}`, proto: proto.toLowerCase() as 'tcp' | 'udp' });
            // A closed port that a policy lets through answers: refused, or port unreachable.
            if ((got.verdict !== 'timeout') !== allowed)
              wrong.push(
                `${from} -> ${to} ${proto}/${n}: the specification ${allowed ? 'allows' : 'denies'}, the walk says ${got.verdict}`,
              );
          }
        }
      }
      expect(wrong, `seed ${seed}`).toEqual([]);
      c.must('delete networkpolicy --all -A');
      if (tiered.length) c.must('delete clusternetworkpolicy --all');
    }
  }, 120_000);
});

describe('a Service', () => {
  it('spreads connections over its endpoints as chance would', async () => {
    const c = await testCluster();
    c.apply(
      serverPod('web-0', { app: 'web' }),
      serverPod('web-1', { app: 'web' }),
      serverPod('web-2', { app: 'web' }),
      toolPod('tool'),
      service('web', { app: 'web' }, { clusterIP: '10.96.7.7' }),
    );
    c.must('wait --for=condition=Ready pod --all');
    const script = 'for i in $(seq 300); do curl -s http://10.96.7.7/hostname; echo; done';
    const names = c.exec('tool', ['sh', '-c', script]).out.trim().split('\n');
    expect(names.length).toBe(300);
    const counts = new Map<string, number>();
    for (const n of names) counts.set(n, (counts.get(n) ?? 0) + 1);
    const chi2 = [...counts.values()].reduce((s, k) => s + (k - 100) ** 2 / 100, 0);
    expect(counts.size).toBe(3);
    expect(chi2).toBeLessThan(13.8); // two degrees of freedom, one in a thousand
    const all = probe(c.engine, { id: 'p', from: 'pod:default/tool', to: '10.96.7.7:80' });
    expect(all.backends).toEqual(['default/web-0', 'default/web-1', 'default/web-2']);
    for (const w of Object.values(all.weights ?? {})) expect(w).toBeCloseTo(1 / 3, 6);
  }, 120_000);
});

it.each(['iptables', 'nftables'])(
  'a sticky Service can send a new client to any endpoint (%s)',
  async mode => {
    const c = await testCluster(clusterConfig({ proxyMode: mode, nodes: 1 }));
    c.apply(
      serverPod('web-0', { app: 'web' }),
      serverPod('web-1', { app: 'web' }),
      toolPod('tool'),
      service('web', { app: 'web' }, { clusterIP: '10.96.7.8', sessionAffinity: 'ClientIP' }),
    );
    c.must('wait --for=condition=Ready pod --all');
    const asked = () => probe(c.engine, { id: 'p', from: 'pod:default/tool', to: '10.96.7.8:80' }).backends;
    // One answer must not decide the next: neither within a question nor from one to another.
    expect([asked(), asked()]).toEqual(Array(2).fill(['default/web-0', 'default/web-1']));
  },
  120_000,
);

describe('the same seed and the same commands', () => {
  it('give the same bytes', async () => {
    const script = async (seed: number) => {
      const c = await testCluster(undefined, seed);
      c.must('create deployment web --image=nginx --replicas=3');
      c.must('expose deployment web --port=80');
      return [
        c.must('get pods -o yaml'),
        c.must('get events -A'),
        c.node('node-1', 'iptables-save').out,
        c.must('get svc,endpointslices -o yaml'),
      ].join('\n');
    };
    const [a, b] = [await script(7), await script(7)];
    expect(a === b).toBe(true);
    expect((await script(8)) === a).toBe(false);
  }, 120_000);
});
