// kubectl on the cluster's machines: their files, their kubeconfigs, their network.
import { beforeAll, describe, expect, it } from 'vitest';
import { connectionFor } from '../../src/cli/machine.ts';
import { placeOnMachines } from '../../src/shell/machine-kubectl.ts';
import { type TestCluster, testCluster } from '../cluster/harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
  placeOnMachines(c.engine, connectionFor(c.engine.server));
});

const on = (node: string, script: string) => c.node(node, ['sh', '-c', script]);
const REFUSED = 'The connection to the server localhost:8080 was refused - did you specify the right host or port?\n';

describe('kubectl on a machine', () => {
  it("is the administrator's on the control plane, and nobody's on a worker", () => {
    expect(on('control-plane', 'kubectl get nodes').out).toBe(c.must('get nodes'));
    expect(on('control-plane', 'k config current-context').out).toBe('kubernetes-admin@kubernetes\n');
    const worker = on('node-1', 'kubectl get nodes');
    expect(worker).toMatchObject({ code: 1, out: '' });
    expect(worker.err.endsWith(REFUSED)).toBe(true);
    expect(on('node-1', 'ssh control-plane kubectl get node node-1 -o name').out).toBe('node/node-1\n');
  });

  it("reads and writes the machine's files", () => {
    const made = on(
      'control-plane',
      'cd /tmp; kubectl create configmap a --from-literal=x=1 --dry-run=client -o yaml > a.yaml; kubectl apply -f a.yaml',
    );
    expect(made).toMatchObject({ out: 'configmap/a created\n', err: '', code: 0 });
    expect(c.must(['get', 'cm', 'a', '-o', 'jsonpath={.data.x}'])).toBe('1');
    expect(on('node-1', 'kubectl apply -f /tmp/a.yaml').err).toContain('error: the path "/tmp/a.yaml" does not exist');
    expect(on('control-plane', 'kubectl config set-context --current --namespace kube-system; cat /root/.kube/config').out).toMatch(
      /^Context "kubernetes-admin@kubernetes" modified\.\n(?:.*\n)* {4}namespace: kube-system\n/,
    );
    expect(on('control-plane', 'kubectl get deploy coredns -o name').out).toBe('deployment.apps/coredns\n');
    expect(c.must('config view --minify')).not.toContain('kube-system');
  });

  it('asks as whom the kubeconfig names', () => {
    const name = "-o jsonpath='{.status.userInfo.username}'";
    expect(on('node-2', `kubectl --kubeconfig /etc/kubernetes/kubelet.conf auth whoami ${name}`).out).toBe('system:node:node-2');
    expect(on('node-2', `export KUBECONFIG=/etc/kubernetes/kubelet.conf; kubectl auth whoami ${name}`).out).toBe('system:node:node-2');
    expect(on('node-2', 'KUBECONFIG=/nope kubectl config view').err).toMatch(
      /^W\d{4} \S+ +\d+ loader\.go:\d+\] Config not found: \/nope\n$/,
    );
    const stranger = on(
      'control-plane',
      'sed "/client-/d; s/^  user:$/  user: {}/" /etc/kubernetes/admin.conf > /tmp/s; kubectl --kubeconfig /tmp/s get pods',
    );
    expect(stranger).toMatchObject({
      code: 1,
      err: 'Error from server (Forbidden): pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"\n',
    });
  });

  it('believes only whom the kubeconfig has the authority of, by a name of its', () => {
    const conf = '--kubeconfig /etc/kubernetes/admin.conf';
    expect(on('control-plane', `kubectl ${conf} -s https://127.0.0.1:6443 get ns`).err).toMatch(
      /\nUnable to connect to the server: tls: failed to verify certificate: x509: certificate is valid for 10\.96\.0\.1, 192\.168\.1\.2, not 127\.0\.0\.1\n$/,
    );
    expect(on('control-plane', `kubectl ${conf} -s https://10.96.0.1 get ns default -o name`).out).toBe('namespace/default\n');
    const named = `${conf} --tls-server-name kubernetes.default`;
    expect(on('control-plane', `kubectl ${named} -s https://127.0.0.1:6443 get ns default -o name`).out).toBe('namespace/default\n');
    const other = 'grep -v authority /etc/kubernetes/admin.conf > /tmp/o; kubectl --kubeconfig /tmp/o get ns';
    expect(on('control-plane', other).err).toBe(
      'Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority\n',
    );
    expect(on('control-plane', `${other} default -o name --insecure-skip-tls-verify`).out).toBe('namespace/default\n');
  });

  it('reads what a server shows in the handshake, whoever it is', () => {
    const conf = '--kubeconfig /etc/kubernetes/admin.conf';
    const asked = (words: string) => on('control-plane', `kubectl ${conf} ${words}`).err.split('\n').at(-2);
    const failed = 'Unable to connect to the server: tls: failed to verify certificate: x509:';
    expect(asked('-s https://192.168.1.10:10250 get ns')).toBe(
      `${failed} cannot validate certificate for 192.168.1.10 because it doesn't contain any IP SANs`,
    );
    expect(asked('-s https://127.0.0.1:10249 get ns')).toBe(
      'Unable to connect to the server: http: server gave HTTP response to HTTPS client',
    );
    // An authority of the right name that has not signed: what is left of a cluster that was made before.
    const signer = 'U=$(base64 -w0 < /etc/kubernetes/pki/front-proxy-ca.crt)';
    on('control-plane', `${signer}; sed "s/authority-data: .*/authority-data: $U/" /etc/kubernetes/admin.conf > /tmp/front`);
    expect(on('control-plane', 'kubectl --kubeconfig /tmp/front get ns').err).toBe(`${failed} certificate signed by unknown authority\n`);
    const served = '/etc/kubernetes/pki/apiserver.crt';
    on('control-plane', `cp ${served} /tmp/kept; cp /etc/kubernetes/pki/front-proxy-client.crt ${served}`);
    expect(asked('get ns')).toBe(`${failed} cannot validate certificate for 192.168.1.2 because it doesn't contain any IP SANs`);
    on('control-plane', `cp /tmp/kept ${served}`);
    expect(on('control-plane', `kubectl ${conf} get ns default -o name`).out).toBe('namespace/default\n');
  });

  it("goes through the machine's network", () => {
    const conf = '--kubeconfig /etc/kubernetes/kubelet.conf';
    const [drop, reset] = ['-j DROP', '-j REJECT --reject-with tcp-reset'].map(j => `OUTPUT -p tcp --dport 6443 ${j}`);
    on('node-3', `iptables -I ${drop}`);
    const began = c.sim.nowMs;
    expect(on('node-3', `kubectl ${conf} get nodes`)).toMatchObject({
      code: 1,
      err: 'Unable to connect to the server: dial tcp 192.168.1.2:6443: i/o timeout\n',
    });
    expect(c.sim.nowMs - began).toBeGreaterThanOrEqual(30_000);
    on('node-3', `iptables -D ${drop}; iptables -I ${reset}`);
    expect(on('node-3', `kubectl ${conf} get nodes`).err).toBe(
      'The connection to the server 192.168.1.2:6443 was refused - did you specify the right host or port?\n',
    );
    on('node-3', `iptables -D ${reset}`);
    expect(on('node-3', `kubectl ${conf} get nodes`).code).toBe(0);
    expect(on('node-3', `kubectl ${conf} -s https://nowhere.example get nodes`).err).toMatch(
      /\nUnable to connect to the server: dial tcp: lookup nowhere\.example on \S+:53: no such host\n$/,
    );
  });
});
