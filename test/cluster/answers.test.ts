// What servers of images answer over a cluster's network, by their tags.
import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;
const run = (name: string, image: string, ...more: string[]) => c.must(['run', name, `--image=${image}`, ...more]);
const ask = (pod: string, port: number) =>
  c.exec('tool', ['curl', '-s', '-m', '5', `http://${c.must(['get', 'pod', pod, '-o', 'jsonpath={.status.podIP}'])}:${port}/`]).out;

beforeAll(async () => {
  c = await testCluster(clusterConfig({ nodes: 1, ipFamily: 'dual' }));
  run('tool', 'curlimages/curl', '--', 'sleep', 'infinity');
  run('db', 'mysql:8', '--env=MYSQL_ROOT_PASSWORD=x', '--expose', '--port=3306');
  run('reader', 'bmuschko/web-app:1.0.1', '--env=DB_HOST=db');
  run('lost', 'bmuschko/web-app:1.0.1', '--env=DB_HOST=nobody');
  run('echo-old', 'registry.k8s.io/echoserver:1.4');
  run('echo-new', 'registry.k8s.io/echoserver:1.10');
  run('hello-two', 'gcr.io/google-samples/hello-app:2.0');
  run('simple', 'dgkanatsios/simpleapp');
  run('hello', 'someone/nodejs-hello-world:1.0.0');
  run('hello-json', 'gcr.io/google-samples/hello-go-gke:1.0');
  c.must('expose pod hello-json --name=hello --port=80');
  run('front', 'gcr.io/google-samples/hello-frontend:1.0');
  run('echo-e2e', 'registry.k8s.io/ingress-nginx/e2e-test-echo:v1.2.5');
  run('old-tools', 'gcr.io/google-containers/busybox', '--', 'sleep', 'infinity');
  run('net-old', 'registry.k8s.io/e2e-test-images/agnhost:2.39', '--', 'netexec');
  run('net-new', 'registry.k8s.io/e2e-test-images/agnhost:2.53', '--', 'netexec');
  c.must('wait --for=condition=Ready pod --all --timeout=60s');
}, 60_000);

describe('servers of images', () => {
  it('differ by their tags', () => {
    expect(ask('echo-old', 8080)).toMatch(/^CLIENT VALUES:\nclient_address=10\.244\./);
    expect(ask('echo-new', 8080)).toContain('Request Information:');
    expect(ask('hello-two', 8080)).toContain('Version: 2.0.0');
    expect(c.must('logs net-old')).toContain('log.go:195] Started HTTP server on port 8080');
    expect(c.must('logs net-new')).toContain('log.go:245] Started HTTP server on port 8080');
  });

  it('greet as their authors wrote it', () => {
    expect(ask('simple', 8080)).toBe('Hello world from simple and version 2.0\n');
    expect(ask('hello', 3000)).toBe('Hello World');
  });

  it('stand behind one another', () => {
    expect(ask('front', 80)).toBe('{"message":"Hello"}\n');
    expect(ask('echo-e2e', 80)).toContain('Hostname: echo-e2e\n');
  });

  it('have the tools of their time', () => {
    expect(c.exec('old-tools', ['nslookup', 'hello']).out).toMatch(
      /\nName: {6}hello\nAddress 1: \S+ hello\.default\.svc\.cluster\.local\n$/,
    );
  });

  it('say whether they reach their database', () => {
    expect(ask('reader', 3000)).toBe('Successfully connected to database!');
    expect(ask('lost', 3000)).toMatch(/^Failed to connect to database: Error: getaddrinfo E\w+ nobody$/);
  });
});

describe('the outside', () => {
  it('knows the machines by their names', () => {
    expect(c.external('getent hosts node-1').out).toMatch(/^192\.168\.1\.\d+ +node-1\n$/);
  });

  it('gives IPv6 Services an address of their family', () => {
    const spec = { type: 'LoadBalancer', ipFamilies: ['IPv6'], selector: { run: 'simple' }, ports: [{ port: 80, targetPort: 8080 }] };
    c.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'six' }, spec });
    c.rest();
    const ip = c.must('get svc six -o jsonpath={.status.loadBalancer.ingress[0].ip}');
    expect(ip).toContain(':');
    expect(c.external(['curl', '-s', '-m', '5', `http://[${ip}]/`]).out).toContain('Hello world');
    c.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'both' },
      spec: { ...spec, ipFamilies: ['IPv6', 'IPv4'], ipFamilyPolicy: 'PreferDualStack' },
    });
    c.rest();
    expect(c.must('get svc both -o jsonpath={.status.loadBalancer.ingress[*].ip}')).toMatch(/^[0-9a-f:]+$/);
  });
});
