import { expect, test } from 'vitest';
import { readFile } from '../../../src/linux/vfs.ts';
import { bytesToString } from '../../../src/sim/bytes.ts';
import { curl } from '../../../src/userland/net/curl.ts';
import { wget } from '../../../src/userland/net/wget/main.ts';
import { nginx } from '../../../src/userland/servers/nginx.ts';
import { DEBIAN_12, DEBIAN_13, files, run, start, twoHosts } from '../hosts.ts';

const CONF = (servers: string) => ({
  '/etc/nginx/nginx.conf': `events {} http { types { text/html html; } default_type text/plain;\n${servers}\n}`,
});

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

/** What `nginx -t` says of a file in a container with this configuration. */
function tested(text: string, words = 'nginx -t'): { code: number | null; err: string } {
  const h = twoHosts();
  files({ '/etc/nginx/nginx.conf': text }, h.server.fs);
  const r = run(h, nginx, words, { host: h.server });
  return { code: r.code, err: r.err };
}

test.each([
  ['server { location / { proxy_pass http://backend:8080/x; } }', 'host not found in upstream "backend" in /etc/nginx/nginx.conf:2'],
  ['upstream u { server gone.test:80; }', 'host not found in upstream "gone.test:80" in /etc/nginx/nginx.conf:2'],
  [
    'server { location ~ ^/a { proxy_pass http://10.0.0.1/x; } }',
    '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block in /etc/nginx/nginx.conf:2',
  ],
  ['location / { }', '"location" directive is not allowed here in /etc/nginx/nginx.conf:2'],
  ['server { listen 80 }', 'unexpected "}" in /etc/nginx/nginx.conf:2'],
  ['server { listen 80;', 'unexpected end of file, expecting "}" in /etc/nginx/nginx.conf:3'],
  ['server { root; }', 'invalid number of arguments in "root" directive in /etc/nginx/nginx.conf:2'],
  ['server { sendfile yes; }', 'invalid value "yes" in "sendfile" directive, it must be "on" or "off" in /etc/nginx/nginx.conf:2'],
  ['server { return 200 $nosuch; }', 'unknown "nosuch" variable'],
  ['server { location / { } location / { } }', 'duplicate location "/" in /etc/nginx/nginx.conf:2'],
  ['server { listen 443 ssl; }', 'no "ssl_certificate" is defined for the "listen ... ssl" directive in /etc/nginx/nginx.conf:2'],
  ['server { error_page 200 /x; }', 'value "200" must be between 300 and 599 in /etc/nginx/nginx.conf:2'],
  ['server { location / { fastcgi_pass 127.0.0.1:9000; } }', 'podnet does not model "fastcgi_pass" in /etc/nginx/nginx.conf:2'],
])('nginx -t of %s', (text, expected) => {
  const r = tested(`events { } http {\n${text}\n}`);
  expect(r.code).toBe(1);
  expect(r.err).toContain(`nginx: [emerg] ${expected}\nnginx: configuration file /etc/nginx/nginx.conf test failed\n`);
});

test('nginx -t: what needs the machine comes behind a syntax that is all right', () => {
  expect(tested('http { server { } }').err).toMatch(
    /syntax is ok\n.*no "events" section in configuration\nnginx: configuration file .* test failed\n$/s,
  );
  expect(tested('events { } http { server { limit_req zone=one; } }').err).toMatch(/syntax is ok\n.*zero size shared memory zone "one"/s);
  expect(tested('events { } http { server { listen 80; } }')).toEqual({
    code: 0,
    err: 'nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n',
  });
  expect(tested('', 'nginx -s foo')).toEqual({ code: 1, err: 'nginx: invalid option: "-s foo"\n' });
});

test('rewrites: last looks for another location, break stays, a question mark drops the arguments', () => {
  const { h } = site(`server { listen 80;
    location /rw/ { rewrite ^/rw/(.*)$ /new/$1 last; }
    location /new/ { return 200 "new $uri args=$args was=$request_uri\\n"; }
    location /away { rewrite ^/away/(.*) https://other.test/$1? permanent; }
    location /back { rewrite ^/back/(.*)$ /$1 break; proxy_pass http://127.0.0.1:8080; }
    location /loop { rewrite ^ /loop last; } }
    server { listen 8080; return 200 "up $request_uri\\n"; }`);
  expect(run(h, curl, 'curl -s http://server/rw/a?b=1').out).toBe('new /new/a args=b=1 was=/rw/a?b=1\n');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{http_code}:%{redirect_url} http://server/away/x?y=1').out).toBe(
    '301:https://other.test/x',
  );
  expect(run(h, curl, 'curl -s http://server/back/q?r=1').out).toBe('up /q?r=1\n');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{http_code} http://server/loop').out).toBe('500');
});

test('if, set, map, geo: variables', () => {
  const { h } = site(`map $http_x_tier $pool { default blue; gold green; ~^sil(?<rest>.*)$ "silver-$rest"; }
    geo $lan { default no; 10.0.0.0/24 yes; }
    server { listen 80;
      if ($arg_block) { return 403 "blocked\\n"; }
      location / { set $v "<$arg_v>"; if ($request_method = POST) { return 405; } if ($arg_x ~ ^(\\d+)$) { return 200 "num $1\\n"; } return 200 "$pool $lan $v\\n"; } }`);
  expect(run(h, curl, 'curl -s http://server/?v=1').out).toBe('blue yes <1>\n');
  expect(run(h, curl, 'curl -s -H X-Tier:gold http://server/').out).toBe('green yes <>\n');
  expect(run(h, curl, 'curl -s -H X-Tier:silvery http://server/').out).toBe('silver-very yes <>\n');
  expect(run(h, curl, 'curl -s http://server/?x=12').out).toBe('num 12\n');
  expect(run(h, curl, 'curl -s -w %{http_code} http://server/?block=1').out).toBe('blocked\n403');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{http_code} -d a http://server/').out).toBe('405');
});

test('upstreams: weights, a backup, and a member that is given up for a while', () => {
  const { h, server } = site(
    `upstream app { server 127.0.0.1:8081 weight=2; server 127.0.0.1:8082; }
    upstream spare { server 127.0.0.1:8089 fail_timeout=30s; server 127.0.0.1:8081 backup; }
    upstream dead { server 127.0.0.1:8088; server 127.0.0.1:8089; }
    server { listen 8081; return 200 one; } server { listen 8082; return 200 two; }
    server { listen 80; location /app { proxy_pass http://app; } location /spare { proxy_pass http://spare; } location /dead { proxy_pass http://dead/; } }`,
    { '/var/log/nginx/error.log': '' },
  );
  const app = Array.from({ length: 6 }, () => run(h, curl, 'curl -s http://server/app').out);
  expect(app).toEqual(['one', 'two', 'one', 'one', 'two', 'one']);
  expect(run(h, curl, 'curl -s http://server/spare').out).toBe('one');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{http_code} http://server/dead').out).toBe('502');
  // Both have failed once, which is once too often: for ten seconds nobody is asked.
  expect(run(h, curl, 'curl -s -o /dev/null -w %{http_code} http://server/dead').out).toBe('502');
  const log = bytesToString(readFile(h.server.fs, '/var/log/nginx/error.log') as Uint8Array);
  expect(log.match(/connect\(\) failed \(111: Connection refused\) while connecting to upstream/g)).toHaveLength(3);
  expect(log).toContain(
    'no live upstreams while connecting to upstream, client: 10.0.0.2, server: , request: "GET /dead HTTP/1.1", upstream: "http://dead/", host: "server"',
  );
  expect(server.process.exitCode).toBeNull();
});

test('error_page, try_files, locations inside locations, a folder without its slash', () => {
  const { h } = site(
    `server { listen 80; root /srv; error_page 404 /404.html; error_page 403 =200 /ok.html;
      location / { try_files $uri $uri/ =404; }
      location /named { try_files /nope @back; } location @back { return 200 "back $uri\\n"; }
      location /no { return 403; } location /text { return 403 "own words\\n"; }
      location /in/ { location ~ \\.x$ { return 200 "x\\n"; } return 200 "in\\n"; }
      location /api/ { proxy_pass http://127.0.0.1:1; } }`,
    { '/srv/404.html': 'nothing\n', '/srv/ok.html': 'fine\n', '/srv/dir/index.html': 'index\n' },
  );
  const get = (path: string) => run(h, curl, `curl -s -w %{http_code} http://server${path}`).out;
  expect(get('/gone')).toBe('nothing\n404');
  expect(get('/no')).toBe('fine\n200');
  expect(get('/text')).toBe('own words\n403');
  expect(get('/named')).toBe('back /named\n200');
  expect(get('/dir/')).toBe('index\n200');
  expect(get('/in/a')).toBe('in\n200');
  expect(get('/in/a.x')).toBe('x\n200');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{redirect_url} http://server/dir').out).toBe('http://server/dir/');
  expect(run(h, curl, 'curl -s -o /dev/null -w %{redirect_url} http://server/api').out).toBe('http://server/api/');
});

test('who may: addresses, passwords, methods, rates, sizes', () => {
  const { h } = site(
    `limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;
    server { listen 80; root /srv; client_max_body_size 8;
      location /deny { allow 10.9.0.0/16; deny all; try_files /ok =404; }
      location /auth { auth_basic "top"; auth_basic_user_file /srv/users; try_files /ok =404; }
      location /rate { limit_req zone=one; limit_req_status 429; try_files /ok =404; }
      location /read { limit_except GET { deny all; } try_files /ok =404; }
      location / { try_files /ok =404; } }`,
    { '/srv/ok': 'ok', '/srv/users': 'bob:{PLAIN}secret\n' },
  );
  const code = (words: string) => run(h, curl, `curl -s -o /dev/null -w %{http_code} ${words}`).out;
  expect(code('http://server/deny')).toBe('403');
  expect(code('http://server/auth')).toBe('401');
  expect(code('-u bob:wrong http://server/auth')).toBe('401');
  expect(code('-u bob:secret http://server/auth')).toBe('200');
  expect([code('http://server/rate'), code('http://server/rate')]).toEqual(['200', '429']);
  expect(code('-X DELETE http://server/read')).toBe('403');
  expect(code('-d 123456789 http://server/')).toBe('413');
  expect(run(h, curl, 'curl -si http://server/auth').out).toContain('WWW-Authenticate: Basic realm="top"\r\n');
});

test('access_log in a format of its own; add_header and expires', () => {
  const { h } = site(`log_format mine '$remote_addr $status $body_bytes_sent "$http_user_agent" $upstream_addr';
    server { listen 80; access_log /mine.log mine; add_header X-A 1; add_header X-B 2 always;
      location / { expires 1h; return 200 hello; } location /gone { return 404; } }`);
  const ok = run(h, curl, 'curl -si -A me http://server/').out;
  expect(ok).toMatch(/Cache-Control: max-age=3600\r\nX-A: 1\r\nX-B: 2\r\n/);
  const gone = run(h, curl, 'curl -si -A me http://server/gone').out;
  expect(gone).toContain('X-B: 2');
  expect(gone).not.toContain('X-A');
  expect(bytesToString(readFile(h.server.fs, '/mine.log') as Uint8Array)).toBe('10.0.0.2 200 5 "me" -\n10.0.0.2 404 153 "me" -\n');
});

test('nginx -s reload: listeners come and go; a broken file changes nothing', () => {
  const { h, server } = site('server { listen 80; return 200 old; }');
  const say = (text: string) => {
    files({ '/etc/nginx/nginx.conf': `events { } http { ${text} }` }, h.server.fs);
    return run(h, nginx, 'nginx -s reload', { host: h.server }).code;
  };
  expect(say('server { listen 81; return 200 new; }')).toBe(0);
  expect(run(h, curl, 'curl -s http://server:81/').out).toBe('new');
  expect(run(h, curl, 'curl -s http://server/').code).toBe(7);
  expect(say('server { nosuch; }')).toBe(1);
  expect(run(h, curl, 'curl -s http://server:81/').out).toBe('new');
  expect(server.process.exitCode).toBeNull();
});

test('stream: bytes to the next server of the group, words to who connects', () => {
  const h = twoHosts();
  const conf = `events { } http { server { listen 8081; return 200 behind; } }
    stream { upstream u { server 127.0.0.1:8088; server 127.0.0.1:8081; } server { listen 9000; proxy_pass u; } server { listen 9001; return "hi $remote_addr\\n"; } }`;
  files({ '/etc/nginx/nginx.conf': conf }, h.server.fs);
  start(h, h.server, nginx(DEBIAN_12), ['nginx', '-g', 'daemon off;']);
  expect(run(h, curl, 'curl -s http://server:9000/').out).toBe('behind');
  expect(run(h, curl, 'curl -s --http0.9 http://server:9001/').code).not.toBe(7);
  expect(tested('events { } stream { server { proxy_pass 127.0.0.1:80; } }').err).toContain('no "listen" is defined for server in');
  expect(tested('events { } stream { server { listen 1; proxy_pass 127.0.0.1; } }').err).toContain('no port in upstream "127.0.0.1" in');
});

test('the last `if` that held is where a request is, also for the answer in it; what it does not set is its location’s', () => {
  const { h } = site(`server { listen 80; add_header X-A server;
    location /a { add_header X-A location; if ($arg_x) { add_header X-A if; return 200 "in\\n"; } return 200 "out\\n"; }
    location /b { add_header X-A location; if ($arg_x) { add_header X-A first; } if ($arg_y) { set $none 1; } return 200 "b\\n"; } }`);
  const said = (path: string) => {
    const { out } = run(h, curl, `curl -si http://server/${path}`);
    return [...out.matchAll(/^X-A: (\w+)\r$/gm)].map(m => m[1]).concat(out.trimEnd().split('\n').pop() as string);
  };
  expect(said('a')).toEqual(['location', 'out']);
  expect(said('a?x=1')).toEqual(['if', 'in']);
  expect(said('b?x=1')).toEqual(['first', 'b']);
  expect(said('b?x=1&y=1')).toEqual(['location', 'b']);
});
