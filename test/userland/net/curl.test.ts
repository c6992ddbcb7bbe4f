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

test('curl reads files, but not those that are none', () => {
  const h = twoHosts();
  expect(run(h, curl, 'curl -s file:///etc/nowhere')).toMatchObject({ code: 37, out: '' });
  expect(run(h, curl, 'curl -sS file:///etc/nowhere').err).toBe("curl: (37) Couldn't open file /etc/nowhere\n");
});

test('a proxy gets the whole URL, and a server takes it for its own', () => {
  const h = twoHosts();
  start(h, h.server, httpEcho(DEBIAN_13), ['http-echo', '-listen=:3128', '-text=through']);
  const said = run(h, curl, 'curl -sv -x 10.0.0.1:3128 -U me:secret http://elsewhere.example:8080/page?x=1');
  expect(said.out).toBe('through\n');
  expect(said.err).toMatch(/^> GET http:\/\/elsewhere\.example:8080\/page\?x=1 HTTP\/1\.1\r?\n> Host: elsewhere\.example:8080\r?\n/m);
  expect(said.err).toContain('> Proxy-Authorization: Basic bWU6c2VjcmV0');
  expect(said.err).toContain('> Proxy-Connection: Keep-Alive');
  expect(run(h, curl, 'curl -s -x 10.0.0.1:3128 --noproxy 10.0.0.1 http://10.0.0.1:81/').code).toBe(7);
  expect(run(h, curl, 'curl -sS -x http://nobody:3128 http://10.0.0.1/').err).toBe('curl: (5) Could not resolve proxy: nobody\n');
});

test('--local-port takes the first of a range', () => {
  const h = twoHosts();
  start(h, h.server, httpEcho(DEBIAN_13), ['http-echo', '-listen=:80', '-text=x']);
  expect(run(h, curl, 'curl -s -o /dev/null -w %{local_port} --local-port 41000-41010 http://10.0.0.1/').out).toBe('41000');
  expect(run(h, curl, 'curl -s --local-port some http://10.0.0.1/').code).toBe(2);
});
