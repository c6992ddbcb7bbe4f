// Calico's IPPools decide: whose packets leave as their node's, and where new addresses come from.
import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { type TestCluster, testCluster, toolPod } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster(clusterConfig({ nodes: 2 }));
  c.apply(toolPod('tools'));
  c.rest();
});

const spec = (patch: object) => c.must(['patch', 'ippool', 'default-ipv4-ippool', '--type=merge', '-p', JSON.stringify({ spec: patch })]);
const status = () => c.exec('tools', ['curl', '-s', '-m', '3', '-o', '/dev/null', '-w', '%{http_code}', 'http://93.184.215.14/']).out;

describe("Calico's pools", () => {
  it('are there from the start, with the configuration of the agents that wrote them', () => {
    const fields = '{.spec.cidr} {.spec.blockSize} {.spec.ipipMode} {.spec.vxlanMode} {.spec.natOutgoing}';
    expect(c.must(['get', 'ippool', 'default-ipv4-ippool', '-o', `jsonpath=${fields}`])).toBe('10.244.0.0/16 26 Never Never true');
    expect(c.must('get felixconfigurations,clusterinformations,kubecontrollersconfigurations -o name').match(/\/default$/gm)).toHaveLength(
      3,
    );
    expect(c.must('get tiers -o name')).toBe(
      'tier.projectcalico.org/default\ntier.projectcalico.org/kube-admin\ntier.projectcalico.org/kube-baseline\n',
    );
  });

  it('without natOutgoing let pods leave as themselves, and nobody outside knows the way back', () => {
    const members = () => c.node('node-1', 'ipset list cali40masq-ipam-pools').out.replace(/^[\s\S]*Members:\n/, '');
    expect([status(), members()]).toEqual([expect.stringMatching(/^[234]/), '10.244.0.0/16\n']);
    spec({ natOutgoing: false });
    c.rest();
    expect([status(), members()]).toEqual(['000', '']);
    spec({ natOutgoing: true });
    c.rest();
    expect(members()).toBe('10.244.0.0/16\n');
  });

  it('that are disabled give no more addresses; another one does', () => {
    spec({ disabled: true });
    c.apply(toolPod('late'));
    c.rest();
    expect(c.must('get events')).toMatch(/pod\/late +Failed to create pod sandbox: .*no configured Calico pools for node node-\d\n/);
    c.apply({
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: 'more' },
      spec: { cidr: '10.10.0.0/16', natOutgoing: true },
    });
    c.must('wait --for=condition=Ready pod/late --timeout=60s');
    expect(c.must(['get', 'pod', 'late', '-o', 'jsonpath={.status.podIP}'])).toMatch(/^10\.10\./);
    const late = c.must(['get', 'pod', 'late', '-o', 'jsonpath={.status.podIP}']);
    expect(c.exec('tools', ['ping', '-c', '1', '-W', '1', late]).out).toContain('1 received');
  });
});
