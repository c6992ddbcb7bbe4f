// The API server's proxy: what the network does decides what the client is told.
import { beforeAll, describe, expect, it } from 'vitest';
import { serverPod, service, type TestCluster, testCluster, toolPod } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
  c.apply(
    serverPod('web-0', { app: 'web' }, { nodeName: 'node-1' }),
    serverPod('web-1', { app: 'web' }, { nodeName: 'node-2' }),
    service('web', { app: 'web' }),
    service('none', { app: 'none' }),
  );
  c.must('wait --for=condition=Ready pod --all');
}, 60_000);

const NS = '/api/v1/namespaces/default';
const get = (path: string) => c.kubectl(['get', '--raw', path]);
/** What the client is told of a request that fails. */
const told = (path: string): string => {
  const r = get(path);
  expect([r.code, r.out]).toEqual([1, '']);
  return r.err.trimEnd();
};
const unreached = (why: string) => `Error from server (ServiceUnavailable): error trying to reach service: ${why}`;
const ipOf = (pod: string) => c.must(['get', 'pod', pod, '-o', 'jsonpath={.status.podIP}']);

describe('a Service', () => {
  it('is reached by the name of its port, by its number and behind the redirect of a path without slash', () => {
    for (const name of ['web:http', 'web:80', 'http:web:http']) {
      expect(get(`${NS}/services/${name}/proxy/hostname`).out).toMatch(/^web-[01]$/);
      expect(get(`${NS}/services/${name}/proxy`).out).toMatch(/^NOW: /);
    }
    expect(told(`${NS}/services/web/proxy/`)).toBe('Error from server (ServiceUnavailable): no endpoints available for service "web"');
    expect(told(`${NS}/services/web:81/proxy/`)).toBe('Error from server (ServiceUnavailable): no service port 81 found for service "web"');
    expect(told(`${NS}/services/none:80/proxy/`)).toBe('Error from server (ServiceUnavailable): no endpoints available for service "none"');
    expect(told(`${NS}/services/nosuch/proxy/`)).toBe('Error from server (NotFound): services "nosuch" not found');
    expect(told(`${NS}/services/nosuch:80/proxy/`)).toBe('Error from server (NotFound): services "nosuch" not found');
    expect(told(`${NS}/services/a:b:c:d/proxy/`)).toBe('Error from server (BadRequest): invalid service request "a:b:c:d"');
  });

  it('has the dice choose among its ready addresses', () => {
    const names = new Set(Array.from({ length: 20 }, () => get(`${NS}/services/web:80/proxy/hostname`).out));
    expect([...names].sort()).toEqual(['web-0', 'web-1']);
  });

  it('is told what the client has sent, and where it was asked for', () => {
    const header = (name: string) => get(`${NS}/services/web:80/proxy/header?key=${name}`).out;
    expect(header('X-Forwarded-Uri')).toBe(`${NS}/services/web:80/proxy/header`);
    expect(header('X-Forwarded-For')).toBe('192.168.1.2');
    expect(header('Authorization')).toBe('');
    expect(header('Kubectl-Command')).toBe('kubectl get');
    expect(c.kubectl(['create', `--raw=${NS}/services/web:80/proxy/echo?msg=a%20b`, '-f', '-'], 'x').out).toBe('a b');
  });

  it('that speaks no TLS, or closes without an answer, is not reached', () => {
    expect(told(`${NS}/services/https:web:http/proxy/`)).toBe(unreached('http: server gave HTTP response to HTTPS client'));
  });

  it('answers with a failure of its own: its code is what kubectl knows', () => {
    expect(told(`${NS}/services/web:80/proxy/nosuch/`)).toBe(
      'Error from server (NotFound): the server could not find the requested resource',
    );
    expect(told(`${NS}/pods/web-0/proxy/redirect?code=302`)).toBe(
      'Error from server: the server responded with the status code 302 but did not return more information',
    );
  });

  it('sends the client on to another of its paths', () => {
    expect(get(`${NS}/pods/web-1/proxy/redirect?location=/hostname&code=302`).out).toBe('web-1');
    const from = `${NS}/pods/web-1/proxy/redirect?code=302&location=%2Fheader%3Fkey%3DReferer`;
    expect(get(from).out).toBe(`https://192.168.1.2:6443${from}`);
  });
});

describe('a pod', () => {
  it('is reached at the first port it declares, or at the one that is asked for', () => {
    expect(get(`${NS}/pods/web-0/proxy/hostname`).out).toBe('web-0');
    expect(get(`${NS}/pods/web-0:8080/proxy/hostname`).out).toBe('web-0');
    expect(told(`${NS}/pods/web-0:81/proxy/`)).toBe(unreached(`dial tcp ${ipOf('web-0')}:81: connect: connection refused`));
    expect(told(`${NS}/pods/nosuch/proxy/`)).toBe('Error from server (NotFound): pods "nosuch" not found');
    c.apply(serverPod('waits', {}, { nodeName: 'nowhere' }));
    expect(told(`${NS}/pods/waits/proxy/`)).toBe('Error from server (BadRequest): address not allowed');
    c.must('delete pod waits --force');
    // Upstream's handler panics at a port's name.
    expect(told(`${NS}/pods/web-0:http/proxy/`)).toBe(
      'Unable to connect to the server: stream error: stream ID 1; INTERNAL_ERROR; received from peer',
    );
  });

  it('that its policies guard lets nobody in from another machine; its own may come in', () => {
    const guard = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'guard', namespace: 'default' },
      spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] },
    };
    c.apply(guard);
    const before = c.sim.nowMs;
    expect(told(`${NS}/pods/web-0:8080/proxy/hostname`)).toBe(unreached(`dial tcp ${ipOf('web-0')}:8080: i/o timeout`));
    expect(c.sim.nowMs - before).toBeGreaterThanOrEqual(30_000);
    c.must('delete networkpolicy guard');
    expect(get(`${NS}/pods/web-0:8080/proxy/hostname`).out).toBe('web-0');
  });

  it('has its answer lost with the route to it', () => {
    c.node('control-plane', 'ip route replace unreachable 10.244.1.0/26');
    expect(told(`${NS}/pods/web-0:8080/proxy/hostname`)).toBe(unreached(`dial tcp ${ipOf('web-0')}:8080: connect: no route to host`));
  });
});

describe('a node', () => {
  const kubelet = (path: string, node = 'node-2') => `/api/v1/nodes/${node}/proxy/${path}`;

  it('is its kubelet, or what listens at the port that is asked for', () => {
    expect(get(kubelet('healthz')).out).toBe('ok');
    expect(get(kubelet('healthz?verbose')).out).toMatch(/^\[\+\]ping ok\n.*healthz check passed\n$/s);
    expect(JSON.parse(get('/api/v1/nodes/node-2:10256/proxy/healthz').out)).toMatchObject({ nodeEligible: true });
    expect(told('/api/v1/nodes/node-2:4/proxy/')).toBe(unreached('dial tcp 192.168.1.20:4: connect: connection refused'));
    expect(told('/api/v1/nodes/node-9/proxy/healthz')).toBe('Error from server (NotFound): nodes "node-9" not found');
  });

  it('knows its own pods, their logs, and runs commands in them', () => {
    const { kind, items } = JSON.parse(get(kubelet('pods')).out);
    const names = items.map((x: any) => x.metadata.name);
    expect([kind, names.includes('web-1'), names.includes('web-0')]).toEqual(['PodList', true, false]);
    expect(items[0].metadata.annotations).toMatchObject({ 'kubernetes.io/config.source': 'api' });
    expect(get(kubelet('containerLogs/default/web-1/c?tailLines=1')).out).toBe(c.must('logs web-1 --tail=1'));
    expect(get(kubelet('logs/containers/')).out).toMatch(/<a href="web-1_default_c-[0-9a-f]{64}\.log">/);
    expect(c.kubectl(['create', `--raw=${kubelet('run/default/web-1/c?cmd=hostname')}`, '-f', '-'], '').out).toBe('web-1\n');
    expect(told(kubelet('containerLogs/default/web-0/c'))).toContain('(NotFound)');
    expect(told(kubelet('metrics/cadvisor'))).toContain("podnet's kubelet does not model /metrics");
  });

  it('knows a certificate by its signature, not by the names in it', () => {
    const asks = (certificate: string) =>
      c.node('control-plane', ['sh', '-c', `curl -sk --cert ${certificate} https://192.168.1.10:10250/healthz`]).out;
    expect(asks('/etc/kubernetes/pki/apiserver-kubelet-client.crt')).toBe('ok');
    // Of another authority.
    c.node('control-plane', ['sh', '-c', 'cp /etc/kubernetes/pki/front-proxy-client.crt /root/other.crt']);
    expect(asks('/root/other.crt')).toBe('Unauthorized');
    c.node('node-1', [
      'sh',
      '-c',
      'cp /etc/kubernetes/pki/ca.crt /root/ca.crt; cp /var/lib/kubelet/pki/kubelet.crt /etc/kubernetes/pki/ca.crt',
    ]);
    expect(asks('/etc/kubernetes/pki/apiserver-kubelet-client.crt')).toBe('Unauthorized');
    c.node('node-1', ['sh', '-c', 'cp /root/ca.crt /etc/kubernetes/pki/ca.crt']);
  });

  it('lets nobody in who is not known, and known ones do what their roles allow', () => {
    c.apply(toolPod('asks', { nodeName: 'node-2' }));
    const curl = (path: string, more = '') =>
      c.kubectl(['exec', 'asks', '--', 'sh', '-c', `curl -sk ${more} https://192.168.1.20:10250/${path}`]).out;
    const token = '-H "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)"';
    expect(curl('pods')).toBe('Unauthorized');
    expect(curl('pods', token)).toBe(
      'Forbidden (user=system:serviceaccount:default:default, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
    );
    c.must('create clusterrole look --verb=get --resource=nodes/pods');
    c.must('create clusterrolebinding look --clusterrole=look --serviceaccount=default:default');
    expect(JSON.parse(curl('pods', token)).kind).toBe('PodList');
    expect(curl('logs/', token)).toContain('subresource(s)=[log])');
  });

  it('whose kubelet does not run refuses', () => {
    c.node('node-2', 'systemctl stop kubelet');
    expect(told(kubelet('healthz'))).toBe(unreached('dial tcp 192.168.1.20:10250: connect: connection refused'));
    c.node('node-2', 'systemctl start kubelet');
    expect(get(kubelet('healthz')).out).toBe('ok');
  });
});

describe('a request', () => {
  it('from inside of the cluster goes the same way, if its account may', () => {
    c.apply(toolPod('tool', { nodeName: 'node-2' }));
    const curl = 'curl -sk -H "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)"';
    const ask = (path: string) => c.kubectl(['exec', 'tool', '--', 'sh', '-c', `${curl} https://kubernetes.default${path}`]).out;
    const to = `${NS}/pods/web-1/proxy/header?key=X-Forwarded-For`;
    expect(ask(to)).toContain('User \\"system:serviceaccount:default:default\\" cannot get resource \\"pods/proxy\\"');
    c.must('create role through --verb=get --resource=pods/proxy');
    c.must('create rolebinding through --role=through --serviceaccount=default:default');
    // Calico has pods go out of their network as their node.
    expect(ask(to)).toBe('192.168.1.20');
  });
});

describe("the server's own connection to a kubelet", () => {
  const exec = () => c.kubectl('exec web-1 -- hostname').err.trimEnd();
  const logs = () => c.kubectl('logs web-1 --tail=1 --timestamps').err.trimEnd();
  const dialled = (why: string) => [
    `error: unable to upgrade connection: error dialing backend: dial tcp 192.168.1.20:10250: ${why}`,
    `Error from server: Get "https://192.168.1.20:10250/containerLogs/default/web-1/c?tailLines=1&timestamps=true": dial tcp 192.168.1.20:10250: ${why}`,
  ];

  it('is refused where no kubelet runs', () => {
    expect([exec(), logs()]).toEqual(['', '']);
    c.node('node-2', 'systemctl stop kubelet');
    expect([exec(), logs()]).toEqual(dialled('connect: connection refused'));
    expect(c.kubectl('cp web-1:/etc/hosts /copy').err.trimEnd()).toBe(dialled('connect: connection refused')[0]);
    c.node('node-2', 'systemctl start kubelet');
    expect([exec(), logs()]).toEqual(['', '']);
  });

  it("goes through the machines' own rules and links", () => {
    const rule = (what: string) => c.node('node-2', `iptables ${what} INPUT -p tcp --dport 10250 -j DROP`);
    rule('-I');
    const before = c.sim.nowMs;
    expect([exec(), logs()]).toEqual(dialled('i/o timeout'));
    expect(c.sim.nowMs - before).toBeGreaterThanOrEqual(60_000);
    rule('-D');
    c.node('control-plane', 'iptables -I OUTPUT -p tcp --dport 10250 -j REJECT --reject-with tcp-reset');
    expect(exec()).toBe(dialled('connect: connection refused')[0]);
    c.node('control-plane', 'iptables -D OUTPUT -p tcp --dport 10250 -j REJECT --reject-with tcp-reset');
    c.node('node-2', 'ip link set eth0 down');
    expect([exec(), logs()]).toEqual(dialled('connect: no route to host'));
  });
});
