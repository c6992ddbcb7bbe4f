// The kubelet's own configuration, wrong: systemd starts it again and again, its node goes, and mending the file brings it back.
import { beforeEach, describe, expect, it } from 'vitest';
import { saveEngine, startEngine } from '../../src/cluster/engine.ts';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

beforeEach(async () => {
  c = await testCluster();
}, 60_000);

const on = (script: string, node = 'node-1') => c.node(node, ['sh', '-c', script]).out;
const DROP_IN = '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf';

describe('a kubelet that does not start', () => {
  it.each([
    [
      'sed -i s#pki/ca.crt#pki/none.crt# /var/lib/kubelet/config.yaml',
      'failed to run Kubelet: open /etc/kubernetes/pki/none.crt: no such file or directory',
    ],
    [
      'mv /var/lib/kubelet/config.yaml /root',
      'failed to load kubelet config file, path: /var/lib/kubelet/config.yaml, error: failed to load Kubelet config file /var/lib/kubelet/config.yaml, error failed to read kubelet config file \\"/var/lib/kubelet/config.yaml\\", error: open /var/lib/kubelet/config.yaml: no such file or directory',
    ],
    [
      'mv /etc/kubernetes/kubelet.conf /root',
      'failed to run Kubelet: unable to load bootstrap kubeconfig: stat /etc/kubernetes/bootstrap-kubelet.conf: no such file or directory',
    ],
    [`echo KUBELET_EXTRA_ARGS=--network-plugin=cni > /etc/default/kubelet`, 'failed to parse kubelet flag: unknown flag: --network-plugin'],
    [
      'sed -i s#/containerd.sock#/contained.sock# /var/lib/kubelet/config.yaml',
      'dial unix /var/run/containerd/contained.sock: connect: no such file or directory',
    ],
  ])('after %s', (script, words) => {
    on(`${script}; systemctl restart kubelet; sleep 25`);
    const status = on('systemctl status kubelet; systemctl is-active kubelet');
    expect(status).toMatch(/^● .*\n(.*\n)*? +Active: activating \(auto-restart\) \(Result: exit-code\) since /);
    expect(status).toContain('status=1/FAILURE');
    expect(status).toMatch(/\nactivating\n$/);
    expect(on('journalctl -u kubelet -o cat')).toContain(words);
    expect(on('journalctl -u kubelet -o cat')).toContain('Scheduled restart job, restart counter is at 2.');
    expect(on('ss -Hlnt; ps -e')).not.toMatch(/10250|kubelet/);
    on('sleep 60');
    expect(c.must('get node node-1')).toContain('NotReady');
  });

  it('comes back by itself once its file is mended', () => {
    on('sed -i s/ca.crt/none.crt/ /var/lib/kubelet/config.yaml; systemctl restart kubelet; sleep 60');
    expect(c.must('get node node-1')).toContain('NotReady');
    on('sed -i s/none.crt/ca.crt/ /var/lib/kubelet/config.yaml; sleep 12');
    expect(on('systemctl is-active kubelet; ss -Hlnt | grep -c 10250')).toBe('active\n1\n');
    expect(c.must('get node node-1')).toMatch(/ Ready/);
  });

  it('that somebody killed is started again', () => {
    on('kill -9 $(pidof kubelet); sleep 2');
    expect(on('systemctl status kubelet')).toMatch(
      /Active: activating \(auto-restart\) \(Result: signal\) since .*\n(.*\n)*.*\(code=killed, signal=KILL\)\n/,
    );
    expect(on('journalctl -u kubelet -n 2 -o cat')).toBe(
      "kubelet.service: Main process exited, code=killed, status=9/KILL\nkubelet.service: Failed with result 'signal'.\n",
    );
    on('sleep 12');
    expect(on('systemctl is-active kubelet; ss -Hlnt | grep -c 10250')).toBe('active\n1\n');
  });

  it('is tried again by the next command too', () => {
    on('mv /var/lib/kubelet/config.yaml /root; systemctl restart kubelet');
    const saved = saveEngine(c.engine);
    const next = startEngine(c.engine.server, c.engine.config, new Map([...c.engine.saved, ...saved]), true);
    expect(next.nodes.get('node-1')?.host.units.kubelet.failing).toMatchObject({ status: 1, restarts: 0 });
  });

  it('of another path needs daemon-reload to be seen', () => {
    const before = c.node('node-1', [
      'sh',
      '-c',
      `sed -i s#^ExecStart=/usr/bin#ExecStart=/usr/local/bin# ${DROP_IN}; systemctl restart kubelet`,
    ]);
    expect(before.err).toBe(
      "Warning: The unit file, source configuration file or drop-ins of kubelet.service changed on disk. Run 'systemctl daemon-reload' to reload units.\n",
    );
    expect(on('systemctl is-active kubelet')).toBe('active\n');
    expect(c.node('node-1', ['sh', '-c', 'systemctl daemon-reload; systemctl restart kubelet']).err).toBe('');
    expect(on('systemctl status kubelet')).toContain('(code=exited, status=203/EXEC)');
    expect(on('journalctl -u kubelet -o cat')).toContain('Failed at step EXEC spawning /usr/local/bin/kubelet: No such file or directory');
    expect(on('systemctl cat kubelet')).toContain('ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS');
    on(`sed -i s#/usr/local/bin#/usr/bin# ${DROP_IN}; systemctl daemon-reload; sleep 12`);
    expect(on('systemctl is-active kubelet; kubelet --version')).toBe('active\nKubernetes v1.36.3\n');
  });
});

describe('a kubelet with other settings', () => {
  it('that looks for the API server at another port runs, and its node is lost', () => {
    on('sed -i s/:6443/:6553/ /etc/kubernetes/kubelet.conf; systemctl restart kubelet; sleep 60');
    expect(on('systemctl is-active kubelet; journalctl -u kubelet -n 1 -o cat')).toContain(
      'dial tcp 192.168.1.2:6553: connect: connection refused',
    );
    expect(c.must('get node node-1')).toContain('NotReady');
    on('sed -i s/:6553/:6443/ /etc/kubernetes/kubelet.conf; systemctl restart kubelet; sleep 20');
    expect(c.must('get node node-1')).toMatch(/ Ready/);
  });

  it('gives new pods another resolver, and leaves those that run', () => {
    const pod = (name: string) =>
      c.must(['run', name, '--image=busybox:1.36', '--overrides', '{"spec":{"nodeName":"node-1"}}', '--command', '--', 'sleep', '9999']);
    const resolver = (name: string) => c.exec(name, ['cat', '/etc/resolv.conf']).out;
    pod('old');
    c.rest();
    on('sleep 5; sed -i s/10.96.0.10/10.96.0.99/ /var/lib/kubelet/config.yaml; systemctl restart kubelet; sleep 5');
    pod('new');
    c.rest();
    expect(resolver('new')).toContain('nameserver 10.96.0.99\n');
    expect(resolver('old')).toContain('nameserver 10.96.0.10\n');
  });

  it('looks for static pods where staticPodPath says', () => {
    on('sed -i s#/etc/kubernetes/manifests#/etc/just# /var/lib/kubelet/config.yaml; systemctl restart kubelet; sleep 40', 'control-plane');
    expect(c.kubectl('get nodes').err).toContain('was refused');
    on('mv /etc/kubernetes/manifests /etc/just; sleep 60', 'control-plane');
    expect(c.must('get nodes')).toContain('control-plane');
  });
});
