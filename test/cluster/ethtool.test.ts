// ethtool on a node: what the drivers of its devices say. Texts and codes are those of ethtool 6.1 on Linux 6.18.
import { beforeAll, expect, it } from 'vitest';
import { serverPod, type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;
const on = (script: string) => c.node('node-1', ['sh', '-c', script]);

beforeAll(async () => {
  c = await testCluster();
  c.apply(serverPod('web', {}, { nodeName: 'node-1' }));
  c.rest();
});

it('finds the other end of a pod’s device', () => {
  const veth = on('ip -br link show type veth').out.split('@')[0];
  expect(on(`ethtool -i ${veth}`).out).toMatch(/^driver: veth\nversion: 1\.0\n.*\n.*\nbus-info: \nsupports-statistics: yes\n/);
  const peer = /^NIC statistics:\n {5}peer_ifindex: (\d+)\n/.exec(on(`ethtool -S ${veth}`).out)?.[1];
  const id = on('crictl inspectp $(crictl pods -q) | grep -m1 -o "/var/run/netns/[^\\"]*"').out.trim();
  expect(peer).toMatch(/^\d+$/);
  expect(on(`ip netns exec ${id.split('/').at(-1)} ip -o link`).out).toMatch(new RegExp(`^${peer}: eth0@`, 'm'));
  expect(on(`ethtool ${veth}`).out).toMatch(/\tSpeed: 10000Mb\/s\n(.*\n)*\tLink detected: yes\n$/);
});

it('tells the carrier', () => {
  expect(on('ip link add br9 type bridge; ip link set br9 up; ethtool br9').out).toMatch(
    /^Settings for br9:\n(.*\n)*\tSpeed: Unknown!\n(.*\n)*\tLink detected: (yes|no)\n$/,
  );
  expect(on('ethtool lo').out).toBe('Settings for lo:\n\tLink detected: yes\n');
  expect(on('ip link set br9 down; ethtool br9 | tail -1').out).toBe('\tLink detected: no\n');
});

it('fails as it does', () => {
  expect(on('ethtool -i lo')).toMatchObject({ code: 71, err: 'Cannot get driver information: Operation not supported\n' });
  expect(on('ethtool -S lo')).toMatchObject({ code: 94, err: 'no stats available\n' });
  expect(on('ethtool nosuch')).toMatchObject({ code: 75, out: 'No data available\n' });
  expect(on('ethtool -K lo tx off')).toMatchObject({ code: 1, err: expect.stringContaining('podnet does not model') });
});
