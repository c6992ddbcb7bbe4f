import { expect, test } from 'vitest';
import { curl } from '../../../src/userland/net/curl.ts';
import { httpEcho } from '../../../src/userland/servers/echo.ts';
import { DEBIAN_13, run, start, twoHosts } from '../hosts.ts';

test('curl says what --resolve put into its cache, whatever is asked for', () => {
  const h = twoHosts();
  start(h, h.server, httpEcho(DEBIAN_13), ['http-echo', '-listen=:8080', '-text=hello']);
  const said = run(h, curl, 'curl -sv --resolve shop:8080:10.0.0.1 http://shop:8080/');
  expect(said.out).toBe('hello\n');
  expect(said.err).toMatch(/^\* Added shop:8080:10\.0\.0\.1 to DNS cache\n\* Hostname shop was found in DNS cache\n/);
});

test('curl announces its next try: 7.88 without counting, 8.14 in words of number', () => {
  const h = twoHosts();
  const words = 'curl --retry 1 --retry-delay 1 --retry-connrefused http://10.0.0.1:81/';
  expect(run(h, curl, words).err).toContain('Warning: Problem : connection refused. Will retry in 1 seconds. 1 retries left.\n');
  expect(run(h, curl, words, { u: DEBIAN_13 }).err).toContain(
    'Warning: Problem: connection refused. Will retry in 1 second. 1 retry left.\n',
  );
});

test('the scheme of a connection that never was is unknown to 7.88', () => {
  const h = twoHosts();
  expect(run(h, curl, "curl -s -w '<%{scheme}>' http://10.0.0.1:81/").out).toBe('<>');
});
