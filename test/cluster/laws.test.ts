// The rules decide: what is taken away from them is missing from the traffic, with no word to anybody.
import { beforeAll, describe, expect, it } from 'vitest';
import { serverPod, service, type TestCluster, testCluster, toolPod } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
  c.apply(
    serverPod('web-0', { app: 'web' }, { nodeName: 'node-2' }),
    serverPod('web-1', { app: 'web' }, { nodeName: 'node-3' }),
    toolPod('tool', { nodeName: 'node-1' }),
    service('web', { app: 'web' }),
  );
  c.must('wait --for=condition=Ready pod --all');
});

const curl = (target: string) => c.exec('tool', ['curl', '-s', '-m', '3', target]);
const clusterIp = () => c.must(['get', 'svc', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
const podIp = (name: string) => c.must(['get', 'pod', name, '-o', 'jsonpath={.status.podIP}']);

describe('hosts outside', () => {
  it('may be several at once: each has a network card of its own', () => {
    for (const address of [undefined, '192.168.1.77', '192.168.1.78'])
      expect(c.external('ping -c 1 -W 1 192.168.1.20', address)).toMatchObject({ code: 0 });
    const macs = [undefined, '192.168.1.77'].map(a => /ether (\S+)/.exec(c.external('ip link show eth0', a).out)?.[1]);
    expect(new Set(macs).size).toBe(2);
  });
});

describe('traffic works only because of rules and records', () => {
  it('reaches a Service by its name', () => {
    expect(curl('http://web/hostname')).toMatchObject({ code: 0, out: expect.stringMatching(/^web-[01]$/) });
  });

  it('ends when KUBE-SERVICES is flushed on the client’s node, and nowhere else', () => {
    const ip = clusterIp();
    expect(curl(`http://${ip}/hostname`).code).toBe(0);
    expect(c.node('node-1', 'iptables -t nat -F KUBE-SERVICES').code).toBe(0);
    expect(curl(`http://${ip}/hostname`).code).toBe(28);
    expect(curl(`http://${podIp('web-0')}:8080/hostname`)).toMatchObject({ code: 0, out: 'web-0' });
    expect(c.node('node-2', ['curl', '-s', '-m', '3', `http://${ip}/hostname`]).code).toBe(0);
    // kube-proxy writes its top chains again with the next change of any Service.
    c.must('create service clusterip other --tcp=80');
    expect(curl(`http://${ip}/hostname`).code).toBe(0);
  });

  it('resolves no name without CoreDNS pods, while addresses go on working', () => {
    c.must('-n kube-system scale deployment coredns --replicas=0');
    // The refusals reach the resolver, or it waits for its time: either way there is no name.
    expect(c.exec('tool', ['curl', '-s', '-m', '60', 'http://web/hostname']).code).toBe(6);
    expect(curl(`http://${clusterIp()}/hostname`).code).toBe(0);
    c.must('-n kube-system scale deployment coredns --replicas=2');
    expect(curl('http://web/hostname').code).toBe(0);
  });

  it('loses a pod when the route to its node is deleted, and finds it again with the route', () => {
    const target = `http://${podIp('web-0')}:8080/hostname`;
    const route = c
      .node('node-1', 'ip route show')
      .out.split('\n')
      .find(l => l.startsWith('10.244.2.')) as string;
    expect(route).toMatch(/via 192\.168\.1\.20/);
    expect(curl(target).code).toBe(0);
    expect(c.node('node-1', ['ip', 'route', 'del', ...route.trim().split(/\s+/)]).code).toBe(0);
    expect(curl(target).code).not.toBe(0);
    expect(c.node('node-1', ['ip', 'route', 'add', ...route.trim().split(/\s+/)]).code).toBe(0);
    expect(curl(target).code).toBe(0);
  });

  it('lets a policy drop, and stops allowing when the set behind it is emptied', () => {
    c.must('label pod tool role=friend');
    c.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'web', namespace: 'default' },
      spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ podSelector: { matchLabels: { role: 'friend' } } }] }] },
    });
    const target = `http://${podIp('web-0')}:8080/hostname`;
    expect(curl(target).code).toBe(0);
    const sets = c.node('node-2', 'ipset save').out;
    const holder = sets.split('\n').find(l => l.startsWith('add cali40s') && l.includes(podIp('tool'))) as string;
    expect(c.node('node-2', ['ipset', 'flush', holder.split(' ')[1]]).code).toBe(0);
    expect(curl(target).code).toBe(28);
    c.must('delete networkpolicy web');
    expect(curl(target).code).toBe(0);
  });
});

describe('the API from inside a pod', () => {
  const token = '/var/run/secrets/kubernetes.io/serviceaccount/token';
  const ask = (path: string, ...more: string[]) =>
    c.exec('tool', ['curl', '-sk', '-m', '3', ...more, `https://kubernetes.default.svc${path}`]);
  const asMe = () => ['-H', `Authorization: Bearer ${c.exec('tool', ['cat', token]).out}`];

  it('knows who asks by the token, and answers by the bindings', () => {
    const pods = '/api/v1/namespaces/default/pods';
    expect(ask('/healthz').out).toBe('ok');
    expect(JSON.parse(ask(pods).out).message).toContain('User "system:anonymous" cannot list resource "pods"');
    expect(JSON.parse(ask(pods, ...asMe()).out).message).toContain('User "system:serviceaccount:default:default" cannot list');
    c.must('create rolebinding look --clusterrole=view --serviceaccount=default:default');
    expect(JSON.parse(ask(pods, ...asMe()).out).items.map((p: any) => p.metadata.name)).toEqual(['tool', 'web-0', 'web-1']);
    expect(ask(pods, '-H', 'Authorization: Bearer nonsense', '-o', '/dev/null', '-w', '%{http_code}').out).toBe('401');
  });
});
