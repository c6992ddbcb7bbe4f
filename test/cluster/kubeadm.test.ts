import { expect, it } from 'vitest';
import { kubeProxyConfig } from '../../src/cluster/bootstrap.ts';
import { clusterConfig } from '../../src/cluster/config.ts';
import { readConfiguration } from '../../src/kube-proxy/config-text.ts';
import { testCluster } from './harness.ts';

it('a cluster carries what kubeadm knows of itself, and who may read it', async () => {
  const c = await testCluster(clusterConfig({ podCIDR: '10.20.0.0/16', serviceCIDR: '10.30.0.0/16' }));
  const data = (namespace: string, name: string, key: string) =>
    c.must(['-n', namespace, 'get', 'cm', name, '-o', `jsonpath={.data.${key}}`]).split('\n');
  expect(data('kube-system', 'kubeadm-config', 'ClusterConfiguration')).toEqual(
    expect.arrayContaining(['kind: ClusterConfiguration', '  podSubnet: 10.20.0.0/16', '  serviceSubnet: 10.30.0.0/16', 'scheduler: {}']),
  );
  const kubelet = data('kube-system', 'kubelet-config', 'kubelet');
  expect(kubelet).toEqual(expect.arrayContaining(['- 10.30.0.10', 'containerRuntimeEndpoint: ""', 'kind: KubeletConfiguration']));
  // A node's own file names its runtime beside.
  expect(
    c
      .node('node-1', 'cat /var/lib/kubelet/config.yaml')
      .out.split('\n')
      .filter(l => !kubelet.includes(l)),
  ).toEqual(['containerRuntimeEndpoint: unix:///var/run/containerd/containerd.sock']);
  expect(data('kube-public', 'cluster-info', 'kubeconfig')).toContain('    server: https://192.168.1.2:6443');
  const read = (as: string, namespace: string, name: string) => c.kubectl(`get cm ${name} -n ${namespace} -o name --as ${as}`);
  expect(read('system:anonymous', 'kube-public', 'cluster-info').out).toBe('configmap/cluster-info\n');
  expect(read('system:node:node-1 --as-group system:nodes', 'kube-system', 'kubelet-config').out).toBe('configmap/kubelet-config\n');
  expect(read('system:anonymous', 'kube-system', 'kubeadm-config').err).toContain('cannot get resource "configmaps"');
});

it.each([
  {},
  { mode: 'nftables' },
  { ipFamily: 'dual', mode: 'ipvs' },
  { ipFamily: 'ipv6' },
  { mode: 'iptables', detectLocalMode: 'NodeCIDR', nodePortAddresses: ['primary'], iptables: { syncPeriod: '30s', masqueradeBit: 14 } },
])("what kube-proxy's file is made of is what is read there: %j", ({ ipFamily, ...kubeProxy }: Record<string, any>) => {
  const made = kubeProxyConfig(clusterConfig({ ...(ipFamily ? { ipFamily } : {}), kubeProxy }));
  expect(made.text.length).toBeGreaterThan(80);
  expect(readConfiguration(made.text)).toEqual(made.config);
});
