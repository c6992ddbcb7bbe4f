// What kube-proxy's log says of the way it runs, or of why it does not.
import { expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { type TestCluster, testCluster } from './harness.ts';

const ON = '-n kube-system';
const log = (c: TestCluster, node: string) => {
  const pod = c.must(`${ON} get pods -l k8s-app=kube-proxy --field-selector spec.nodeName=${node} -o jsonpath={.items[0].metadata.name}`);
  return c.must(`${ON} logs ${pod}`).trim().split('\n');
};
const configured = (c: TestCluster, change: (text: string) => string) => {
  const map = JSON.parse(c.must(`${ON} get cm kube-proxy -o json`));
  map.data['config.conf'] = change(map.data['config.conf']);
  c.apply(map);
  c.must(`${ON} rollout restart ds kube-proxy`);
  c.external('sleep 60');
};

it.each([
  ['iptables', ['server_linux.go:137] "Using iptables Proxier"', 'err="nodePortAddresses is unset;']],
  ['nftables', ['server_linux.go:254] "Using nftables Proxier"']],
  ['ipvs', ['server_linux.go:194] "Using ipvs Proxier"', "Please use 'nftables' instead", 'proxier.go:351] "IPVS scheduler not specified']],
])('tells its mode: %s', async (mode, lines) => {
  const c = await testCluster(clusterConfig({ cni: 'bridge', nodes: 1, kubeProxy: { mode } }));
  const text = log(c, 'node-1');
  for (const l of lines) expect(text.some(x => x.includes(l))).toBe(true);
  expect(text.every(l => /^[IE]0101 12:\d\d:\d\d\.\d{6} {7}1 \S+\.go:\d+\] "/.test(l))).toBe(true);
  expect(text.some(l => l.includes('NodeIPs=["192.168.1.10"]'))).toBe(true);
  expect(text.some(l => l.includes('nodePortAddresses is unset'))).toBe(mode !== 'nftables');
  expect(text.some(l => l.includes('Setting route_localnet=1'))).toBe(mode === 'iptables');
});

it('says which fields it does not take, all of them, and ends', async () => {
  const c = await testCluster(clusterConfig({ cni: 'bridge', nodes: 1 }));
  configured(c, text => `${text.replace(/mode: .*/, 'mode: iptablez')}nodePortAddresses: ["10.0.0.0/40", "primary"]\n`);
  const pods = c.must(`${ON} get pods -l k8s-app=kube-proxy -o json`);
  const failed = JSON.parse(pods).items.find((p: any) => p.status.containerStatuses[0].lastState?.terminated);
  expect(failed.status.containerStatuses[0].lastState.terminated.exitCode).toBe(1);
  const text = c.must(`${ON} logs ${failed.metadata.name}`);
  expect(text).toMatch(
    /^E\S+ \S+ +1 run\.go:72\] "command failed" err="failed validate: \[KubeProxyConfiguration\.Mode\.ProxyMode: Invalid value: \\"iptablez\\": must be iptables, ipvs, nftables or blank /,
  );
  expect(text).toContain('KubeProxyConfiguration.NodePortAddresses[0]: Invalid value: \\"10.0.0.0/40\\": must be a valid CIDR');
  expect(text).toContain(`can't use both 'primary' and CIDRs]"`);
});
