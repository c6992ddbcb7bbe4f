// A control plane whose manifests, files and flags somebody gets wrong: its components end as they do, and the cluster with them.
import { beforeAll, describe, expect, it } from 'vitest';
import { parseFlags } from '../../src/cluster/components/flags.ts';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
});

const MANIFESTS = '/etc/kubernetes/manifests';
const on = (script: string) => c.node('control-plane', ['sh', '-c', script]).out;
const edit = (component: string, expression: string, waitSeconds = 60) =>
  on(`cp ${MANIFESTS}/${component}.yaml /root; sed -i '${expression}' ${MANIFESTS}/${component}.yaml; sleep ${waitSeconds}`);
const undo = (component: string) => on(`cp /root/${component}.yaml ${MANIFESTS}; sleep 60`);
const last = (component: string) => on(`crictl logs $(crictl ps -aq --name ^${component}$ | head -1) 2>&1 | tail -1`);
const REFUSED = 'The connection to the server 192.168.1.2:6443 was refused - did you specify the right host or port?\n';

describe('kube-apiserver', () => {
  it('that looks for etcd elsewhere gives up after twenty seconds, again and again, and nobody is answered', () => {
    edit('kube-apiserver', 's/:2379/:2378/', 58);
    expect(c.kubectl('get nodes')).toMatchObject({ code: 1, err: REFUSED });
    expect(on('crictl ps -a --name kube-apiserver -q | wc -l; curl -sk -m 2 https://127.0.0.1:6443/livez; echo $?')).toBe('1\n7\n');
    on('sleep 18');
    expect(on('cat /var/log/pods/kube-system_kube-apiserver*/*/*.log')).toContain('dial tcp 127.0.0.1:2378: connect: connection refused');
    expect(on('cat /var/log/pods/kube-system_kube-apiserver*/*/*.log')).toContain(
      '"command failed" err="error creating storage factory: context deadline exceeded"',
    );
    undo('kube-apiserver');
    expect(c.must('get nodes')).toContain('control-plane');
  });

  it.each([
    ['s/--authorization-mode/--authorization-modus/', /^Error: unknown flag: --authorization-modus$/],
    ['s/Node,RBAC/Node,RBCA/', /"command failed" err="authorization-mode \\"RBCA\\" is not a valid mode"$/],
    [
      's#client-ca-file=.*ca.crt#client-ca-file=/etc/kubernetes/pki/root.crt#',
      /"command failed" err="open \/etc\/kubernetes\/pki\/root.crt: no such file or directory"$/,
    ],
    ['s/=NodeRestriction/=NodeRestrictions/', /err="enable-admission-plugins plugin \\"NodeRestrictions\\" is unknown"$/],
    ['s#etcd-cafile=.*#etcd-cafile=/none/ca.crt#', /err="error creating storage factory: open \/none\/ca.crt: no such file or directory"$/],
    // The folder is made, and empty.
    [
      's#path: /etc/kubernetes/pki#path: /etc/kubernetes/pkis#',
      /err="failed to parse service-account-issuer-key-file: open .*sa.key: no such file or directory"$/,
    ],
  ])('ends of %s', (expression, words) => {
    edit('kube-apiserver', expression);
    expect(last('kube-apiserver').trimEnd()).toMatch(words);
    expect(c.kubectl('get nodes').err).toBe(REFUSED);
    expect(on('crictl ps -a --name kube-apiserver')).toMatch(/Exited +kube-apiserver +[3-9]/);
    undo('kube-apiserver');
    expect(c.must('get nodes')).toContain('Ready');
  });

  it('on another port is not where kubeconfigs look for it', () => {
    edit('kube-apiserver', 's/--secure-port=6443/--secure-port=6444/', 30);
    expect(c.kubectl('get nodes').err).toBe(REFUSED);
    expect(on('curl -sk https://127.0.0.1:6444/livez')).toBe('ok');
    undo('kube-apiserver');
  });

  it('of an image that is not there is waited for', () => {
    edit('kube-apiserver', 's#k8s.io/kube-apiserver:#k8s.io/kube-apiservr:#');
    expect(c.kubectl('get nodes').err).toBe(REFUSED);
    expect(on('journalctl -u kubelet -o cat | tail -1')).toMatch(/(ErrImagePull|ImagePullBackOff).*kube-apiservr/);
    undo('kube-apiserver');
  });
});

describe('etcd', () => {
  it('without its certificate takes the API server with it', () => {
    edit('etcd', 's#--cert-file=.*#--cert-file=/etc/kubernetes/pki/etcd/none.crt#');
    expect(JSON.parse(last('etcd'))).toMatchObject({
      level: 'fatal',
      error: 'open /etc/kubernetes/pki/etcd/none.crt: no such file or directory',
    });
    expect(c.kubectl('get pods').err).toBe(REFUSED);
    undo('etcd');
    expect(c.must('get nodes')).toContain('Ready');
    expect(on('curl -s http://127.0.0.1:2381/health')).toBe('{"health":"true","reason":""}');
  });

  it('listens where its flags say', () => {
    expect(on("ss -Hlnt | awk '{print $4}' | grep :2379 | sort")).toBe('127.0.0.1:2379\n192.168.1.2:2379\n');
    edit('etcd', 's#--listen-client-urls=.*#--listen-client-urls=https://10.9.8.7:2379#');
    expect(JSON.parse(last('etcd')).error).toBe('listen tcp 10.9.8.7:2379: bind: cannot assign requested address');
    undo('etcd');
  });
});

describe('kube-scheduler and kube-controller-manager', () => {
  it('without the kubeconfig that their flag names crash, and pods wait', () => {
    edit('kube-scheduler', 's#--kubeconfig=.*#--kubeconfig=/etc/kubernetes/sched.conf#');
    expect(c.must('get pods -n kube-system -l component=kube-scheduler')).toMatch(/0\/1 +(CrashLoopBackOff|Error)/);
    expect(c.must('logs -n kube-system kube-scheduler-control-plane')).toMatch(
      /"command failed" err="stat \/etc\/kubernetes\/sched.conf: no such file or directory"\n$/,
    );
    c.must('run stray --image=nginx');
    c.rest();
    expect(c.must('get pod stray')).toContain('Pending');
    undo('kube-scheduler');
    expect(c.must('get pod stray')).toContain('Running');
  });

  it('that look for the API server at another port run, and are never elected', () => {
    on('sed -i s/:6443/:6553/ /etc/kubernetes/controller-manager.conf');
    edit('kube-controller-manager', 's/--controllers=/--v=2\\n    - --controllers=/');
    expect(c.must('get pods -n kube-system -l component=kube-controller-manager')).toContain('1/1     Running');
    expect(c.must('logs -n kube-system kube-controller-manager-control-plane --tail=1')).toContain(
      'dial tcp 192.168.1.2:6553: connect: connection refused',
    );
    c.must('create deployment web --image=nginx');
    c.rest();
    expect(c.must('get deployment web')).toContain('0/1');
    expect(c.must(['get', 'rs', '-o', 'name'])).toBe('');
  });
});

describe('flags', () => {
  it('are read as cobra reads them', () => {
    expect(parseFlags('kube-scheduler', ['--kubeconfig', '/a', '--leader-elect', '--v=2']).flags).toEqual(
      new Map([
        ['kubeconfig', '/a'],
        ['leader-elect', 'true'],
        ['v', '2'],
      ]),
    );
    expect(parseFlags('kube-scheduler', ['--nope=1'])).toMatchObject({ unknown: 'nope' });
    expect(parseFlags('etcd', ['data-dir=/x'])).toMatchObject({ stray: 'data-dir=/x' });
  });
});
