import { describe, expect, it } from 'vitest';
import { flannel } from '../../src/cni/flannel.ts';
import { linkByName } from '../../src/linux/link.ts';
import { readFile } from '../../src/linux/vfs.ts';
import { bytesToString } from '../../src/sim/bytes.ts';
import { addPod, removePod, rules, serve, testCluster, tryConnect } from './cluster.ts';

describe.each(['bridge', 'ptp', 'kindnet', 'flannel'])('%s', name => {
  const make = () => testCluster({ name, encapsulation: name === 'flannel' ? 'vxlan' : 'none' });

  it('gives addresses of the podCIDR behind its gateway, and starts over only at the end', () => {
    const c = make();
    const a = addPod(c, 'a', 'alpha');
    expect(a.ips).toEqual(['10.50.1.2']);
    removePod(c, a, 'alpha');
    expect(addPod(c, 'b', 'alpha').ips).toEqual(['10.50.1.3']);
  });

  it('connects pods of one node and across nodes, and hostPorts', () => {
    const c = make();
    const a = addPod(c, 'a', 'alpha');
    const b = addPod(c, 'b', 'alpha', { ports: [{ hostPort: 8081, containerPort: 80, protocol: 'tcp' }] });
    const far = addPod(c, 'far', 'beta');
    for (const s of [b, far]) serve(c, s.netns, 80);
    expect(tryConnect(c, a.netns, b.ips[0], 80)).toBe('connected');
    expect(tryConnect(c, a.netns, far.ips[0], 80)).toBe('connected');
    expect(tryConnect(c, far.netns, '172.20.0.11', 8081)).toBe('connected');
  });
});

it('the bridge plugin masquerades with a chain per container and takes it away again', () => {
  const c = testCluster({ name: 'bridge' });
  const a = addPod(c, 'a', 'alpha');
  const ns = c.nodes.get('alpha')!.netns;
  const jump = rules(ns, /^-A POSTROUTING -s 10\.50\.1\.2\/32/);
  expect(jump).toHaveLength(1);
  const chain = /-j (CNI-[0-9a-f]{24})$/.exec(jump[0])?.[1];
  expect(rules(ns, new RegExp(`^-A ${chain}`)).map(l => l.replace(/ -m comment.*-j/, ' -j'))).toEqual([
    `-A ${chain} -d 10.50.1.0/24 -j ACCEPT`,
    `-A ${chain} ! -d 224.0.0.0/4 -j MASQUERADE`,
  ]);
  removePod(c, a, 'alpha');
  expect(rules(ns, /CNI-[0-9a-f]{24}/)).toEqual([]);
});

it('flannel leaves its device, its file and no masquerading of its own traffic', () => {
  const c = testCluster({ name: 'flannel', encapsulation: 'vxlan' });
  const node = c.nodes.get('alpha')!;
  const env = readFile(node.fs!, '/run/flannel/subnet.env');
  expect(typeof env === 'string' ? env : bytesToString(env)).toBe(
    'FLANNEL_NETWORK=10.50.0.0/16\nFLANNEL_SUBNET=10.50.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
  );
  expect(linkByName(node.netns, 'flannel.1')?.mtu).toBe(1450);
  expect(rules(node.netns, /^-A FLANNEL-POSTRTG -s 10\.50\.0\.0\/16 ! -d 224/)).toHaveLength(1);
  expect(flannel.name).toBe('flannel');
});
