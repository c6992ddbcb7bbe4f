import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

const pod = (app: string, version: string, image: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${app}-${version}`, labels: { app, version } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: app, image: `docker.io/istio/${image}:1.20.3`, ...more }] },
});
const service = (app: string, version?: string, port = 9080) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: app },
  spec: { selector: { app, ...(version ? { version } : {}) }, ports: [{ port }] },
});
const book = (name: string, version: string) => pod(name, version, `examples-bookinfo-${name}-${version}`);
const page = (...words: string[]) => c.exec('ratings-v1', ['curl', '-sS', ...words, 'productpage:9080/productpage']).out;
const use = (version: string) => c.apply(service('reviews', version));

beforeAll(async () => {
  c = await testCluster(clusterConfig({ nodes: 1 }));
  for (const [name, versions] of Object.entries({ details: ['v1'], ratings: ['v1'], reviews: ['v1', 'v2', 'v3'], productpage: ['v1'] })) {
    c.apply(service(name));
    for (const v of versions) c.apply(book(name, v));
  }
  c.rest();
});

describe('bookinfo', () => {
  it('has a page of what its services say, in three versions of the reviews', () => {
    use('v1');
    expect(page()).toMatch(/<title>Simple Bookstore App<\/title>[\s\S]*<td>1234567890<\/td><td>PublisherA<\/td>[\s\S]*slapstick humour/);
    expect(page()).not.toMatch(/text-\w+-500">\n<svg/);
    use('v2');
    expect(page().match(/text-black-500">\n(<svg class="h-5 w-5 flex-none" fill="currentColor"><\/svg>\n){5}/)).not.toBeNull();
    use('v3');
    expect(page()).toMatch(/text-red-500">\n<svg[\s\S]*Reviews served by:\nreviews-v3/);
  });

  it('remembers who is signed in', () => {
    const signed = c.exec('ratings-v1', ['curl', '-s', '-i', '-d', 'username=jason&passwd=', 'productpage:9080/login']).out;
    const cookie = /set-cookie: (session=[^;]+)/i.exec(signed)?.[1] ?? '';
    expect(page('-b', cookie)).toContain('>jason</p>');
    expect(page()).toContain('Sign in');
  });

  it('says which part is missing', () => {
    use('v3');
    c.must('delete pod ratings-v1 details-v1');
    c.apply(book('ratings', 'v1'));
    c.rest();
    expect(page()).toMatch(
      /Error fetching product details<\/p>\n<p class="\S+ \S+">Sorry, product details are currently unavailable for this book\.<\/p>/,
    );
    c.apply(service('ratings', 'v9'));
    expect(page()).toContain('Ratings service is currently unavailable');
    use('v9');
    expect(page()).toContain('Sorry, product reviews are currently unavailable for this book.');
  });
});

it('the TCP echo of the tutorials puts its prefix before each line, on all of its ports', () => {
  c.apply(pod('tcp-echo', 'v1', 'tcp-echo-server', { args: ['9000,9001', 'hey'] }), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'box' },
    spec: { containers: [{ name: 'b', image: 'busybox', command: ['sleep', 'infinity'] }] },
  });
  c.rest();
  const ip = c.must('get pod tcp-echo-v1 -o jsonpath={.status.podIP}');
  for (const port of [9000, 9001])
    expect(c.exec('box', ['sh', '-c', `echo port ${port} | nc ${ip} ${port}`]).out).toBe(`hey port ${port}\n`);
  expect(c.must('logs tcp-echo-v1')).toContain('request: port 9001\n');
});
