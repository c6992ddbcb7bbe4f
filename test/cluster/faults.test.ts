// Faults are commands: each takes something away, and its healing brings it back.
import { beforeAll, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { FAULTS, faultSteps } from '../../src/cluster/faults.ts';
import { serverPod, type TestCluster, testCluster, toolPod } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
  c.apply(serverPod('web-0', { app: 'web' }, { nodeName: 'node-2' }), toolPod('tool', { nodeName: 'node-1' }));
  c.must('wait --for=condition=Ready pod --all');
});

function inflict(name: string, words: string[], heal = false, at = c): void {
  const { nodes, config } = at.engine;
  const cluster = { cni: config.cni.name, podCIDRs: (n: string) => nodes.get(n)!.spec.podCIDRs };
  const steps = faultSteps([...nodes.keys()], FAULTS.find(f => f.name === name)!, words, heal, cluster);
  if (typeof steps === 'string') throw new Error(steps);
  for (const { node, argv } of steps) expect((node ? at.node(node, argv) : at.kubectl(argv)).code).toBe(0);
  at.rest();
}

const reached = () => {
  const ip = c.must(['get', 'pod', 'web-0', '-o', 'jsonpath={.status.podIP}']);
  return c.exec('tool', ['curl', '-s', '-m', '3', `http://${ip}:8080/hostname`]).code === 0;
};

it.each([
  ['forwarding', ['node-2']],
  ['loss', ['node-1', '100', 'eth0']],
])('%s', (name, words) => {
  expect(reached()).toBe(true);
  inflict(name, words);
  expect(reached()).toBe(false);
  inflict(name, words, true);
  expect(reached()).toBe(true);
});

it('kube-proxy and Felix leave and come back', () => {
  const pods = (app: string) => c.must(`-n kube-system get pods -l k8s-app=${app} -o name`).split('\n').filter(Boolean).length;
  for (const [fault, app] of [
    ['kube-proxy', 'kube-proxy'],
    ['felix', 'calico-node'],
  ]) {
    const before = pods(app);
    inflict(fault, []);
    expect(pods(app)).toBe(0);
    inflict(fault, [], true);
    expect(pods(app)).toBe(before);
  }
});

it('a node without free addresses starts no pods, others do; healed, it does', async () => {
  const small = await testCluster(clusterConfig({ cni: 'bridge', nodes: 1 }));
  small.apply(toolPod('first', { nodeName: 'node-1' }));
  inflict('addresses', ['node-1'], false, small);
  small.apply(toolPod('late', { nodeName: 'node-1' }), toolPod('elsewhere', { nodeName: 'control-plane' }));
  small.rest();
  const phase = (name: string) => small.must(['get', 'pod', name, '-o', 'jsonpath={.status.phase}']);
  expect(['first', 'late', 'elsewhere'].map(phase)).toEqual(['Running', 'Pending', 'Running']);
  expect(small.must('get events')).toContain('no IP addresses available in range set: 10.244.1.1-10.244.1.254');
  inflict('addresses', ['node-1'], true, small);
  small.must('wait --for=condition=Ready pod/late --timeout=120s');
});

it('conntrack that is full takes no new connection', () => {
  expect(reached()).toBe(true);
  inflict('conntrack', ['node-2']);
  expect(reached()).toBe(false);
  inflict('conntrack', ['node-2'], true);
  expect(reached()).toBe(true);
});

it('says what is missing', () => {
  const of = (name: string) => FAULTS.find(f => f.name === name)!;
  expect(faultSteps(['n1'], of('link'), [], false)).toMatch(/^which node\? there are n1\nusage: podnet fault link NODE/);
  expect(faultSteps(['n1'], of('route'), ['n1'], false)).toMatch(/^something is missing/);
  expect(faultSteps(['n1'], of('route'), ['n1', '10.0.0.0/8'], true)).toMatch(/^nothing undoes "route"/);
  expect(faultSteps(['n1'], of('coredns'), ['n1'], false)).toMatch(/^"n1" is too much/);
  const calico = { cni: 'calico', podCIDRs: () => [] };
  expect(faultSteps(['n1'], of('addresses'), ['n1'], false, calico)).toMatch(/kindnet, flannel: this cluster's CNI is calico$/);
});
