// A node as its administrator meets it: units, journal, the runtime's client, manifests, ssh, and what each of them does to the cluster.
import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { saveEngine, startEngine } from '../../src/cluster/engine.ts';
import { ago, klogTime, systemdTime, timespan } from '../../src/cluster/host/time-text.ts';
import { wakeNode } from '../../src/cluster/node.ts';
import { lookAt } from '../../src/linux/due.ts';
import { serverPod, type TestCluster, testCluster, toolPod } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
});

const on = (node: string, script: string) => c.node(node, ['sh', '-c', script]);
const ready = (node: string) =>
  c.must(['get', 'node', node, '-o', 'jsonpath={.status.conditions[3].status} {.status.conditions[3].message}']);

describe('the kubelet as a unit', () => {
  it('stops, and its node with it; its journal and status say so', () => {
    expect(on('node-1', 'systemctl is-active kubelet')).toMatchObject({ out: 'active\n', code: 0 });
    expect(on('node-1', 'ps aux | grep -c "[/]usr/bin/kubelet "').out).toBe('1\n');
    const stopped = on(
      'node-1',
      'systemctl stop kubelet; sleep 60; systemctl status kubelet; ps aux | grep -c "[/]usr/bin/kubelet "; ss -tln',
    );
    expect(stopped.out).toMatch(/^○ kubelet\.service - kubelet: The Kubernetes Node Agent\n/);
    expect(stopped.out).toMatch(/Active: inactive \(dead\) since Thu 2026-01-01 12:0\d:\d\d UTC; 1min ago\n/);
    expect(stopped.out).toMatch(/\n0\n/);
    expect(stopped.out).not.toContain(':10250');
    expect(c.must('get node node-1')).toContain('NotReady');
    expect(on('node-1', 'journalctl -u kubelet -n 1 -o cat').out).toBe('Stopped kubelet.service - kubelet: The Kubernetes Node Agent.\n');
    on('node-1', 'systemctl start kubelet; sleep 12');
    expect(ready('node-1')).toBe('True kubelet is posting ready status');
    expect(on('node-1', 'ss -tln').out).toContain(':10250');
    expect(on('node-1', 'systemctl show kubelet -p ActiveState,SubState; systemctl show -p MainPID --value containerd').out).toBe(
      'ActiveState=active\nSubState=running\n612\n',
    );
    expect(on('node-1', 'systemctl status -n 5 --no-pager kubelet').code).toBe(0);
    expect(on('node-1', 'systemctl status nosuch')).toMatchObject({ code: 4, err: 'Unit nosuch.service could not be found.\n' });
  });

  it('writes down why pods do not start', () => {
    c.must('run crash --image=busybox --overrides={"spec":{"nodeName":"node-2"}} --command -- false');
    const log = on('node-2', 'journalctl -xeu kubelet --no-pager').out;
    expect(log).toMatch(
      /node-2 kubelet\[845\]: E0101 12:\d\d:\d\d\.\d{6} +845 pod_workers\.go:\d+\] "Error syncing pod, skipping" err="failed to .*CrashLoopBackOff/,
    );
    expect(on('node-2', 'journalctl -u kubelet --grep CrashLoop --since "1 hour ago" -o cat').out.split('\n')).toHaveLength(2);
    expect(on('node-2', 'journalctl -u kubelet --since 2030-01-01').out).toBe('-- No entries --\n');
  });
});

describe('containerd', () => {
  it('once stopped takes the node with it; nothing starts until it is back', () => {
    const [out] = [on('node-2', 'systemctl stop containerd; sleep 45; crictl ps')];
    expect(out).toMatchObject({ code: 1, err: expect.stringContaining('dial unix /run/containerd/containerd.sock') });
    expect(ready('node-2')).toBe('False container runtime is down');
    c.apply(serverPod('late', {}, { nodeName: 'node-2' }));
    c.rest();
    expect(c.must('get pod late')).toContain('ContainerCreating');
    on('node-2', 'systemctl start containerd; sleep 30');
    expect(c.must('get pod late')).toContain('Running');
    expect(ready('node-2')).toMatch(/^True/);
  });

  it('answers crictl', () => {
    c.apply(serverPod('web', { app: 'web' }, { nodeName: 'node-1' }));
    c.rest();
    const [head, row] = on('node-1', 'crictl pods --name ^web').out.split('\n');
    expect(head).toMatch(/^POD ID {14}CREATED {13}STATE {15}NAME {16}NAMESPACE {11}ATTEMPT {13}RUNTIME$/);
    expect(row).toMatch(/^[0-9a-f]{13} {7}.* ago +Ready +web +default +0 +\(default\)$/);
    const id = on('node-1', 'crictl pods -q --name ^web').out.trim();
    expect(JSON.parse(on('node-1', `crictl inspectp ${id}`).out).status.network.ip).toBe(
      c.must(['get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}']),
    );
    expect(on('node-1', `crictl ps --pod ${id} --name c`).out).toMatch(/^[0-9a-f]{13} .* Running +c +0 +[0-9a-f]{13} +web +default$/m);
    const container = on('node-1', `crictl ps -q --pod ${id}`).out.trim();
    expect(on('node-1', `crictl exec ${container} cat /etc/hostname`).out).toBe('web\n');
    expect(on('node-1', `crictl logs ${container}`).err).toBe(c.must('logs web'));
    expect(on('node-1', `cat /var/log/containers/web_default_c-${container}.log`).out).toMatch(/^\S+Z std(out|err) F /);
    on('node-1', `crictl stop ${container}; sleep 5`);
    expect(c.must(['get', 'pod', 'web', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])).toBe('1');
    expect(on('node-1', 'crictl inspectp 0123').code).toBe(1);
  });
});

describe('files of a node', () => {
  it('without a CNI configuration it is NotReady and tainted; with it, it is back', () => {
    on('node-3', 'mv /etc/cni/net.d/*.conflist /root; sleep 12');
    expect(ready('node-3')).toMatch(/^False container runtime network not ready: .*cni plugin not initialized$/);
    expect(c.must(['get', 'node', 'node-3', '-o', 'jsonpath={.spec.taints[*].key}'])).toContain('node.kubernetes.io/not-ready');
    on('node-3', 'mv /root/*.conflist /etc/cni/net.d; sleep 12');
    expect(ready('node-3')).toMatch(/^True/);
  });

  it('the scheduler works as long as its manifest stands there', () => {
    const at = '/etc/kubernetes/manifests/kube-scheduler.yaml';
    expect(on('control-plane', `cat ${at}`).out).toContain('image: registry.k8s.io/kube-scheduler:');
    on('control-plane', `mv ${at} /root; sleep 15`);
    expect(c.must('get pods -n kube-system -l component=kube-scheduler')).toBe('');
    c.must('run stray --image=nginx');
    c.rest();
    expect(c.must('get pod stray')).toContain('Pending');
    on('control-plane', `mv /root/kube-scheduler.yaml ${at}; sleep 15`);
    c.rest();
    expect(c.must('get pod stray')).toContain('Running');
  });

  it('without the API server’s manifest nobody is answered, and nobody schedules', () => {
    const at = '/etc/kubernetes/manifests/kube-apiserver.yaml';
    on('control-plane', `mv ${at} /root; sleep 20`);
    expect(c.kubectl('get nodes')).toMatchObject({
      code: 1,
      err: 'The connection to the server 192.168.1.2:6443 was refused - did you specify the right host or port?\n',
    });
    expect(on('node-1', 'curl -sk -m 3 https://192.168.1.2:6443/healthz').code).toBe(7);
    on('control-plane', `mv /root/kube-apiserver.yaml ${at}; sleep 20`);
    expect(c.must('get pods -n kube-system -l component=kube-apiserver')).toContain('Running');
    expect(on('node-1', 'curl -sk -m 3 https://192.168.1.2:6443/healthz').out).toBe('ok');
  });

  it('a manifest put there becomes a pod of that node, a changed one another, a broken one a line in the journal', () => {
    const pod = (image: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: own}\nspec: {containers: [{name: c, image: ${image}}]}\n`;
    on('node-1', `printf '${pod('nginx:1.27').replaceAll('\n', '\\n')}' > /etc/kubernetes/manifests/own.yaml; sleep 15`);
    expect(c.must('get pod own-node-1')).toContain('Running');
    on('node-1', "sed -i 's/1.27/1.26/' /etc/kubernetes/manifests/own.yaml; sleep 20");
    expect(c.must(['get', 'pod', 'own-node-1', '-o', 'jsonpath={.spec.containers[0].image}'])).toBe('nginx:1.26');
    on('node-1', 'echo "kind: [" > /etc/kubernetes/manifests/own.yaml; sleep 20');
    expect(c.kubectl('get pod own-node-1').code).toBe(1);
    expect(on('node-1', 'journalctl -u kubelet -o cat').out).toContain('Could not process manifest file');
  });
});

describe('a CNI of the reference plugins', () => {
  it.each(['kindnet', 'ptp', 'bridge', 'flannel'])('%s leaves its list and reservations on the node', async name => {
    const k = await testCluster(clusterConfig({ cni: name, nodes: [{ name: 'a', role: 'worker', ip: '192.168.1.10' }] }));
    k.apply(serverPod('web', {}, { nodeName: 'a' }));
    k.must('wait --for=condition=Ready pod/web --timeout=60s');
    const ip = k.must(['get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}']);
    const list = JSON.parse(k.node('a', ['sh', '-c', 'cat /etc/cni/net.d/*.conflist']).out);
    expect(list.plugins.at(-1)).toEqual({ type: 'portmap', capabilities: { portMappings: true } });
    const folder = `/var/lib/cni/networks/${list.name}`;
    expect(k.node('a', ['cat', `${folder}/${ip}`]).out).toMatch(/^[0-9a-f]{64}\r\neth0$/);
    k.must('delete pod web --now');
    expect(k.node('a', ['cat', `${folder}/${ip}`]).code).toBe(1);
    k.node('a', ['sh', '-c', 'mv /etc/cni/net.d/*.conflist /root; sleep 12']);
    expect(k.must('get node a')).toContain('NotReady');
  });
});

describe('ssh', () => {
  it('runs words on the other machine, by name or address, with their exit code', () => {
    expect(on('node-1', "ssh node-2 'hostname; exit 3'")).toMatchObject({ out: 'node-2\n', code: 3 });
    expect(on('node-1', 'ssh -o StrictHostKeyChecking=no root@192.168.1.30 hostname').out).toBe('node-3\n');
    expect(on('node-1', 'ssh nowhere true')).toMatchObject({
      code: 255,
      err: expect.stringContaining('Could not resolve hostname nowhere'),
    });
    on('node-2', 'ip link set eth0 down');
    expect(on('node-1', 'ssh node-2 true')).toMatchObject({
      code: 255,
      err: expect.stringMatching(/connect to host node-2 port 22: (No route|Conn)/),
    });
  });
});

describe('a session that is taken up again', () => {
  it('asks no machine for anything before it is there', () => {
    // node-2 has no link, node-1 another manifest: both are known from what was kept.
    const saved = saveEngine(c.engine);
    expect(saved.has('netns:node-2:')).toBe(true);
    const again = startEngine(c.engine.server, c.engine.config, saved);
    expect([...again.nodes.keys()]).toEqual(['control-plane', 'node-1', 'node-2', 'node-3']);
  });

  it('a pod that has come back under its name has nothing of what was done in the old one', async () => {
    const k = await testCluster(clusterConfig({ cni: 'bridge' }));
    // What a session keeps, with the names of the pod's devices when it is taken up again.
    const kept = new Map<string, unknown>();
    const devices = () => {
      for (const [key, value] of JSON.parse(JSON.stringify([...saveEngine(k.engine)]))) kept.set(key, value);
      const node = startEngine(k.engine.server, k.engine.config, kept).nodes.get('node-1');
      const ns = node && wakeNode(node).kernel.netns.get('default/box');
      if (ns) lookAt(ns);
      return [...(ns?.links.values() ?? [])].map(l => l.name);
    };
    const box = toolPod('box', { nodeName: 'node-1' });
    box.spec.containers[0] = { ...box.spec.containers[0], securityContext: { privileged: true } } as (typeof box.spec.containers)[0];
    k.apply(box);
    k.rest();
    expect(k.exec('box', 'ip link set eth0 name eth1').code).toBe(0);
    expect(devices()).toEqual(['lo', 'eth1']);
    k.must('delete pod box --now');
    k.apply(box);
    k.rest();
    expect(devices()).toEqual(['lo', 'eth0']);
  });
});

describe('times', () => {
  it('are systemd’s and klog’s', () => {
    const at = Date.UTC(2026, 1, 3, 4, 5, 6, 70);
    expect([klogTime(at), systemdTime(at)]).toEqual(['0203 04:05:06.070000', 'Tue 2026-02-03 04:05:06 UTC']);
    expect([5_000, 65_000, 3_600_000, 90_000_000].map(ago)).toEqual(['5s ago', '1min 5s ago', '1h ago', '1 day ago']);
    expect([800, 65_000, 90_061_000].map(ms => timespan(ms))).toEqual(['800ms', '1min 5s', '1day 1h 1min']);
  });
});

describe('what a guide has one look at', () => {
  it('sysctl --system applies the files by name, whatever cannot be is passed over', () => {
    expect(on('node-2', 'cat /etc/modules-load.d/k8s.conf; sysctl -w net.ipv4.ip_forward=0; sysctl --system; echo $?').out).toBe(
      `overlay
br_netfilter
net.ipv4.ip_forward = 0
* Applying /etc/sysctl.d/k8s.conf ...
* Applying /etc/sysctl.conf ...
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
0
`,
    );
    expect(on('node-2', 'echo net.nope=1 > /etc/sysctl.d/a.conf; sysctl --system -q; echo $?')).toMatchObject({ out: '0\n', err: '' });
  });

  it('journalctl writes times as it is asked to', () => {
    const last = (output: string) => on('control-plane', `journalctl -u containerd -n 1 --no-pager -o ${output}`).out;
    expect(last('short-iso')).toMatch(/^2026-01-01T\d\d:\d\d:\d\d\+0000 control-plane systemd\[1\]: Started containerd\.service/);
    expect(last('short-precise')).toMatch(/^Jan 01 \d\d:\d\d:\d\d\.\d{6} control-plane /);
    expect(on('control-plane', 'journalctl -o json')).toMatchObject({ code: 1, err: 'podnet: journalctl -o json is not modelled\n' });
  });
});
