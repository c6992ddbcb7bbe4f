import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { engineDueMs } from '../../src/cluster/engine.ts';
import { type TestCluster, testCluster, toolPod } from './harness.ts';

let c: TestCluster;
const curl = (...words: string[]) => c.exec('tools', ['curl', '-s', ...words]);

beforeAll(async () => {
  c = await testCluster(clusterConfig({ nodes: 1 }));
  c.apply(toolPod('tools'));
  c.rest();
});

describe('the internet that a cluster has by default', () => {
  it('speaks HTTP/2 behind TLS, by a certificate that systems trust', () => {
    expect(curl('-I', 'https://www.google.com').out).toMatch(/^HTTP\/2 200 \r\ncontent-type: text\/html\r\ncontent-length: \d+\r\n\r\n$/);
    expect(curl('-I', '--http1.1', 'https://www.google.com').out).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: /);
    expect(curl('-o', '/dev/null', '-w', '%{http_version} %{ssl_verify_result}', 'https://example.com').out).toBe('2 0');
    expect(curl('-v', 'https://example.com').err).toMatch(
      /\[:authority: example\.com\]\n[\s\S]*\[accept: \*\/\*\]\n} \[5 bytes data\]\n> GET \/ HTTP\/2\r?\n> Host: example\.com/,
    );
  });

  it('has names in its certificates', () => {
    const r = curl('-S', '--connect-to', 'other.example:443:www.google.com:443', 'https://other.example');
    expect([r.code, r.err.split('\n')[0]]).toEqual([
      60,
      "curl: (60) SSL: no alternative certificate subject name matches target host name 'other.example'",
    ]);
  });

  it('has a site that sends everybody to TLS, and httpbin', () => {
    expect(curl('-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', 'http://edition.cnn.com/politics').out).toBe(
      '301 https://edition.cnn.com/politics',
    );
    expect(curl('-L', '-o', '/dev/null', '-w', '%{http_code}', 'http://edition.cnn.com/politics').out).toBe('200');
    expect(JSON.parse(curl('http://httpbin.org/headers').out)).toEqual({
      headers: { Accept: '*/*', Host: 'httpbin.org', 'User-Agent': 'curl/8.14.1' },
    });
    expect(curl('-o', '/dev/null', '-w', '%{http_code}', 'https://httpbin.org/status/404').out).toBe('404');
  });
});

it('a pod that sleeps for ever does nothing by itself', () => {
  curl('http://example.com');
  expect(engineDueMs(c.engine)).toBeUndefined();
});
