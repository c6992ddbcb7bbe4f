// crictl's further words and ctr: what containerd has of a node's pods.
import { beforeAll, expect, it } from 'vitest';
import { serverPod, type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;
const on = (node: string, script: string) => c.node(node, ['sh', '-c', script]);
const status = (text: string) => JSON.parse(text).status;

beforeAll(async () => {
  c = await testCluster();
  c.apply(serverPod('web', { app: 'web' }, { nodeName: 'node-1' }));
  c.rest();
});

it('crictl info tells whether there is a CNI', () => {
  const network = () => status(on('node-3', 'crictl info').out).conditions[1];
  expect(network()).toEqual({ message: '', reason: '', status: true, type: 'NetworkReady' });
  on('node-3', 'mkdir /root/away; mv /etc/cni/net.d/*.conflist /root/away');
  expect(network()).toMatchObject({ status: false, reason: 'NetworkPluginNotReady' });
  expect(network().message).toBe('Network plugin returns error: cni plugin not initialized');
  on('node-3', 'mv /root/away/* /etc/cni/net.d; sleep 12');
  expect(network().status).toBe(true);
});

it('crictl stats and statsp have what runs, and what it wrote', () => {
  const id = on('node-1', 'crictl ps -q --name ^c$').out.trim();
  const [head, row] = on('node-1', `crictl stats ${id}`).out.split('\n');
  expect(head).toMatch(/^CONTAINER +NAME +CPU % +MEM +DISK +INODES +SWAP$/);
  expect(row).toMatch(new RegExp(`^${id.slice(0, 13)} +c +\\d+\\.\\d\\d +[\\d.]+MB +0B +0 +0B$`));
  c.exec('web', ['sh', '-c', 'echo hello > /tmp/x']);
  expect(on('node-1', `crictl stats ${id}`).out).toMatch(/ 4\.1kB +1 +0B\n$/);
  expect(on('node-1', 'crictl statsp').out).toMatch(/^POD +POD ID +CPU % +MEM\n(.*\n)*web +[0-9a-f]{13} +\d/);
  on('node-1', `crictl stop ${id}`);
  expect(on('node-1', `crictl stats ${id}`).out.split('\n')).toHaveLength(2);
  expect(on('node-1', 'crictl stats -o json').code).toBe(1);
});

it('crictl inspecti knows the images of crictl images', () => {
  const [, first] = on('node-2', 'crictl images').out.split('\n');
  const [repository, tag, id] = first.split(/ +/);
  const image = status(on('node-2', `crictl inspecti ${id}`).out);
  expect(image.repoTags).toContain(`${repository}:${tag}`);
  expect(image.id.slice(7, 20)).toBe(id);
  expect(on('node-2', 'crictl inspecti nosuch').err).toBe('FATA[0000] no such image "nosuch" present\n');
  expect(on('node-2', 'crictl rmi nosuch')).toMatchObject({ code: 1, err: expect.stringContaining('not modelled') });
});

it('ctr lists what crictl lists, in its own namespace', () => {
  const containers = on('node-2', 'crictl ps -q --no-trunc').out.trim().split('\n');
  const sandboxes = on('node-2', 'crictl pods -q').out.trim().split('\n');
  const listed = on('node-2', 'ctr -n k8s.io c ls -q').out.trim().split('\n');
  expect(listed).toEqual(expect.arrayContaining([...containers, ...sandboxes]));
  expect(on('node-2', 'ctr c ls').out).toBe('CONTAINER    IMAGE    RUNTIME    \n');
  const tasks = on('node-2', 'ctr -n k8s.io tasks ls').out;
  const pid = JSON.parse(on('node-2', `crictl inspect ${containers[0]}`).out).info.pid;
  expect(tasks).toMatch(new RegExp(`^${containers[0]} +${pid} +RUNNING$`, 'm'));
  expect(on('node-2', 'ctr -n k8s.io images ls -q').out).toContain('registry.k8s.io/kube-proxy:');
  expect(on('node-2', 'ctr -n k8s.io images pull x')).toMatchObject({ code: 1, out: '' });
});
