// A cluster without a CNI, and the manifests that bring one.
import { expect, it } from 'vitest';
import { officialManifest } from '../../src/cluster/cni-manifests.ts';
import { clusterConfig } from '../../src/cluster/config.ts';
import { serverPod, type TestCluster, testCluster, toolPod } from './harness.ts';

const bare = () => testCluster(clusterConfig({ nodes: 2, cni: 'none' }));
const apply = (c: TestCluster, cni: string) => {
  c.must(
    'apply -f -',
    officialManifest(cni)
      .map(o => JSON.stringify(o))
      .join('\n---\n'),
  );
  c.rest();
};
const states = (c: TestCluster) => c.must("get nodes -o jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}");
const phase = (c: TestCluster, pod: string) => c.must(['get', 'pod', pod, '-o', 'jsonpath={.status.phase}']);

for (const [cni, file, device] of [
  ['flannel', '10-flannel.conflist', 'flannel.1'],
  ['calico', '10-calico.conflist', 'cali'],
]) {
  it(`${cni}: machines are ready and pods reach each other once its agent runs there`, async () => {
    const c = await bare();
    c.apply(serverPod('oven', { app: 'oven' }));
    c.rest();
    expect([states(c), phase(c, 'oven')]).toEqual(['False False False', 'Pending']);
    expect(c.node('node-1', 'ls /etc/cni/net.d').out).toBe('');
    apply(c, cni);
    expect([states(c), phase(c, 'oven')]).toEqual(['True True True', 'Running']);
    expect(c.node('node-1', 'ls /etc/cni/net.d').out).toBe(`${file}\n`);
    const home = c.must('get pod oven -o jsonpath={.spec.nodeName}');
    c.apply(toolPod('guest', { nodeName: home === 'node-1' ? 'node-2' : 'node-1' }));
    c.rest();
    const address = c.must('get pod oven -o jsonpath={.status.podIP}');
    expect(c.must(['exec', 'guest', '--', 'curl', '-s', '-m', '2', `http://${address}:8080/hostname`])).toBe('oven');
    expect(c.must('exec guest -- getent hosts kubernetes.default')).toContain('10.96.0.1');
    expect(c.node(home, 'ip -br link').out).toContain(device);
  });
}

it('a machine whose agent does not run has no CNI yet, and one that had it keeps it', async () => {
  const c = await bare();
  const agent = officialManifest('flannel');
  const daemonSet = agent.find(o => o.kind === 'DaemonSet')!;
  daemonSet.spec.template.spec.nodeSelector = { 'kubernetes.io/hostname': 'node-1' };
  c.apply(...agent);
  c.rest();
  expect(states(c)).toBe('False True False');
  c.must('-n kube-flannel delete ds kube-flannel-ds');
  c.rest();
  expect(states(c)).toBe('False True False');
});

it('the init containers of its manifest put its files onto the machine first', async () => {
  const c = await bare();
  const objects = officialManifest('flannel');
  const pod = objects.find(o => o.kind === 'DaemonSet')!.spec.template.spec;
  const mount = (name: string, mountPath: string) => ({ name, mountPath });
  pod.initContainers = [
    { name: 'plugin', image: 'ghcr.io/flannel-io/flannel-cni-plugin:v1.8.0-flannel1', command: ['cp', '-f', '/flannel', '/to/flannel'] },
    { name: 'conf', image: pod.containers[0].image, command: ['cp', '-f', '/etc/kube-flannel/cni-conf.json', '/conf/10-flannel.conflist'] },
  ];
  pod.initContainers[0].volumeMounts = [mount('bin', '/to')];
  pod.initContainers[1].volumeMounts = [mount('conf', '/conf'), mount('flannel-cfg', '/etc/kube-flannel')];
  pod.volumes.push({ name: 'bin', hostPath: { path: '/opt/cni/bin' } }, { name: 'conf', hostPath: { path: '/etc/cni/net.d' } });
  c.apply(...objects);
  c.rest();
  expect(states(c)).toBe('True True True');
  expect(c.node('node-1', 'ls /opt/cni/bin').out.split('\n')).toContain('flannel');
  expect(c.must('-n kube-flannel get pods --no-headers')).not.toMatch(/Init|Crash/);
});

it('a second CNI beside the first one says that it does nothing', async () => {
  const c = await testCluster(clusterConfig({ nodes: 1, cni: 'calico' }));
  apply(c, 'flannel');
  expect(c.must('-n kube-flannel logs ds/kube-flannel-ds -c kube-flannel')).toContain(
    'the CNI of this cluster is calico; flannel beside it',
  );
  expect(c.node('node-1', 'ip link show flannel.1').code).not.toBe(0);
});
