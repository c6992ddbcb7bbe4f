import { expect, test } from 'vitest';
import { curl } from '../../../src/userland/net/curl.ts';
import { wget } from '../../../src/userland/net/wget.ts';
import { nginx } from '../../../src/userland/servers/nginx.ts';
import { DEBIAN_12, DEBIAN_13, files, run, start, twoHosts } from '../hosts.ts';

const CONF = (servers: string) => ({ '/etc/nginx/nginx.conf': `http { types { text/html html; } default_type text/plain;\n${servers}\n}` });

function site(servers: string, more: Record<string, string> = {}) {
  const h = twoHosts();
  files({ ...CONF(servers), ...more }, h.server.fs);
  return { h, server: start(h, h.server, nginx(DEBIAN_12), ['nginx', '-g', 'daemon off;'], { NGINX_VERSION: '1.25.5' }) };
}

test('files, headers in nginx order, error pages', () => {
  const { h } = site('server { listen 80; root /srv; }', { '/srv/index.html': '<p>hi</p>\n' });
  const ok = run(h, curl, 'curl -si http://server/');
  expect(ok.out).toMatch(
    /^HTTP\/1\.1 200 OK\r\nServer: nginx\/1\.25\.5\r\nDate: .* GMT\r\nContent-Type: text\/html\r\nContent-Length: 10\r\nLast-Modified: .*\r\nConnection: keep-alive\r\nETag: "\w+-a"\r\nAccept-Ranges: bytes\r\n\r\n<p>hi<\/p>\n$/,
  );
  const missing = run(h, curl, 'curl -s -w %{http_code} http://server/nope');
  expect(missing.out).toBe(
    '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.25.5</center>\r\n</body>\r\n</html>\r\n404',
  );
});

test('virtual hosts, locations by longest prefix and pattern, return with variables', () => {
  const { h } = site(`server { listen 80 default_server; return 200 "other\\n"; }
    server { listen 80; server_name a.test;
      location / { return 200 "$request_method $uri from $remote_addr\\n"; }
      location /x/ { return 200 "x\\n"; }
      location ~ \\.php$ { return 403; }
      location = /x/y { return 301 /z; } }`);
  expect(run(h, curl, 'curl -s http://server/').out).toBe('other\n');
  expect(run(h, curl, 'curl -s -H Host:a.test http://server/q').out).toBe('GET /q from 10.0.0.2\n');
  expect(run(h, curl, 'curl -s -H Host:a.test http://server/x/1').out).toBe('x\n');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{http_code} -H Host:a.test http://server/x/1.php').out).toBe('403');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{redirect_url} -H Host:a.test http://server/x/y').out).toBe('http://a.test/z');
});

test('proxy_pass forwards, and says 502 when nobody listens', () => {
  const { h } = site(`server { listen 8080; return 200 "behind $http_x_a $request_uri\\n"; }
    server { listen 80; location / { proxy_pass http://127.0.0.1:8080; proxy_set_header X-A yes; } location /dead { proxy_pass http://127.0.0.1:1; } }`);
  expect(run(h, curl, 'curl -s http://server/q?a=1').out).toBe('behind yes /q?a=1\n');
  expect(run(h, curl, 'curl -s http://server/dead -w %{http_code} -o /dev/null').out).toBe('502');
});

test('a broken configuration is refused', () => {
  const { server } = site('server { listen 80; nosuch on; }');
  expect(server.process.exitCode).toBe(1);
  expect(server.err()).toContain('nginx: [emerg] unknown directive "nosuch" in /etc/nginx/nginx.conf:2');
});

test('curl says what went wrong, in the words of its generation', () => {
  const { h } = site('server { listen 80; }');
  expect(run(h, curl, 'curl -sS http://server:81/')).toMatchObject({
    code: 7,
    err: expect.stringMatching(/^curl: \(7\) Failed to connect to server port 81 after \d+ ms: Couldn't connect to server\n$/),
  });
  expect(run(h, curl, 'curl -sS http://server:81/', { u: DEBIAN_13 }).err).toMatch(/Could not connect to server\n$/);
  expect(run(h, curl, 'curl -sS -m 2 http://10.0.0.9/').err).toMatch(/^curl: \(28\) Connection timed out after 200\d milliseconds\n$/);
  expect(run(h, curl, 'curl http://server:99999/')).toMatchObject({
    code: 3,
    err: 'curl: (3) URL using bad/illegal format or missing URL\n',
  });
  expect(run(h, curl, 'curl --nosuch')).toMatchObject({ code: 2 });
});

test('curl -v', () => {
  const { h } = site('server { listen 80; return 200 "hi\\n"; }');
  const v = run(h, curl, 'curl -sv http://server/')
    .err.split('\n')
    .map(l => l.trimEnd());
  expect(v.slice(0, 8)).toEqual([
    '*   Trying 10.0.0.1:80...',
    '* Connected to server (10.0.0.1) port 80 (#0)',
    '> GET / HTTP/1.1',
    '> Host: server',
    '> User-Agent: curl/7.88.1',
    '> Accept: */*',
    '>',
    '< HTTP/1.1 200 OK',
  ]);
  expect(v.slice(-3)).toEqual(['{ [3 bytes data]', '* Connection #0 to host server left intact', '']);
});

test('wget', () => {
  const { h } = site('server { listen 80; return 200 "hi\\n"; }');
  const w = run(h, wget, 'wget -O- http://server/');
  expect(w.out).toBe('hi\n');
  expect(w.err).toMatch(
    /\nConnecting to server \(server\)\|10\.0\.0\.1\|:80\.\.\. connected\.\nHTTP request sent, awaiting response\.\.\. 200 OK\nLength: 3 \[text\/plain\]\nSaving to: 'STDOUT'\n/,
  );
  expect(run(h, wget, 'wget -q http://server:81/').code).toBe(4);
});
