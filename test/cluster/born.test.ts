// What a new cluster holds before anybody has applied anything: by whom it was written, and what of it comes back.
import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
});

const manager = (what: string) =>
  c.must([...`get ${what} --show-managed-fields -o`.split(' '), 'jsonpath={.metadata.managedFields[*].manager}']);

describe('objects of a new cluster', () => {
  it.each([
    ['namespace kube-public', 'kube-apiserver'],
    ['clusterrole view', 'kube-apiserver'],
    ['service kubernetes', 'kube-apiserver'],
    ['endpoints kubernetes', 'kube-apiserver'],
    ['-n kube-system deployment coredns', 'kubeadm'],
    ['-n kube-system daemonset calico-node', 'kubectl-create'],
    ['configmap kube-root-ca.crt', 'kube-controller-manager'],
  ])('%s is of %s', (what, name) => {
    expect(manager(what).split(' ')).toContain(name);
  });

  it('have a uid and a time of birth', () => {
    for (const what of ['service', 'endpoints', 'endpointslice'])
      expect(c.must(['get', what, 'kubernetes', '-o', 'jsonpath={.metadata.uid} {.metadata.creationTimestamp}'])).toMatch(
        /^[0-9a-f-]{36} 2026-/,
      );
  });
});

describe('default/kubernetes', () => {
  const endpoints = () => c.must('get endpoints kubernetes -o jsonpath={.subsets}');

  it('comes back within ten seconds', () => {
    const before = c.must('get service kubernetes -o jsonpath={.metadata.uid}');
    const all = endpoints();
    c.must('delete service,endpointslice kubernetes');
    c.external('sleep 11');
    const [uid, ip] = c.must('get service kubernetes -o jsonpath={.metadata.uid},{.spec.clusterIP}').split(',');
    expect(uid).not.toBe(before);
    expect(ip).toBe('10.96.0.1');
    expect(endpoints()).toBe(all);
    expect(c.must('get endpointslice kubernetes -o jsonpath={.endpoints[*].addresses}')).toBe('["192.168.1.2"]');
  });

  it('is mended, what others have added to it stays', () => {
    const all = endpoints();
    c.must('label service kubernetes team=net');
    c.must([
      'patch',
      'endpoints',
      'kubernetes',
      '--type=merge',
      '-p',
      '{"subsets":[{"addresses":[{"ip":"192.0.2.1"}],"ports":[{"port":1}]}]}',
    ]);
    c.must(['patch', 'service', 'kubernetes', '--type=json', '-p', '[{"op":"replace","path":"/spec/ports/0/targetPort","value":1}]']);
    c.external('sleep 11');
    expect(endpoints()).toBe(all);
    expect(c.must('get service kubernetes -o jsonpath={.spec.ports[0].targetPort},{.metadata.labels.team}')).toBe('6443,net');
  });
});

describe('the control plane as static pods', () => {
  it('runs with the flags that kubeadm gives it', () => {
    const command = c.must([
      ...'-n kube-system get pod kube-apiserver-control-plane -o'.split(' '),
      'jsonpath={.spec.containers[0].command}',
    ]);
    expect(JSON.parse(command)).toEqual(
      expect.arrayContaining(['--etcd-servers=https://127.0.0.1:2379', '--service-cluster-ip-range=10.96.0.0/12']),
    );
    expect(c.node('control-plane', 'grep -A2 command: /etc/kubernetes/manifests/kube-scheduler.yaml').out).toBe(
      '  - command:\n    - kube-scheduler\n    - --authentication-kubeconfig=/etc/kubernetes/scheduler.conf\n',
    );
  });
});

describe('flannel', () => {
  it('has a namespace of its own and says what network it makes', async () => {
    const f = await testCluster(clusterConfig({ cni: 'flannel', nodes: 1, encapsulation: 'host-gw' }));
    expect(f.must('-n kube-flannel get daemonset kube-flannel-ds -o jsonpath={.status.numberReady}')).toBe('2');
    const network = JSON.parse(f.must(['-n', 'kube-flannel', 'get', 'cm', 'kube-flannel-cfg', '-o', 'jsonpath={.data.net-conf\\.json}']));
    expect(network).toMatchObject({ Network: '10.244.0.0/16', Backend: { Type: 'host-gw' } });
    expect(f.must('-n kube-flannel exec ds/kube-flannel-ds -- cat /etc/kube-flannel/net-conf.json')).toContain('"host-gw"');
  });
});
