import { expect, test } from 'vitest';
import { readFile } from '../../../src/linux/vfs.ts';
import { bytesToString } from '../../../src/sim/bytes.ts';
import { curl } from '../../../src/userland/net/curl.ts';
import { httpEcho } from '../../../src/userland/servers/echo.ts';
import { nginx } from '../../../src/userland/servers/nginx.ts';
import { DEBIAN_12, DEBIAN_13, files, run, start, twoHosts } from '../hosts.ts';

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
  expect(run(h, curl, words).err).toContain('Warning: Problem : connection refused. Will retry in 1 seconds. 1 retries \nWarning: left.\n');
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

/** A server of one answer, and what it was asked. */
function asked(words: string, files_: Record<string, string> = {}) {
  const h = twoHosts();
  files({ '/etc/nginx/nginx.conf': CONF, '/seen.log': '', '/var/log/nginx/error.log': '' }, h.server.fs);
  files(files_, h.client.fs);
  start(h, h.server, nginx(DEBIAN_12), ['nginx']);
  const r = run(h, curl, words);
  return { ...r, h, seen: bytesToString(readFile(h.server.fs, '/seen.log') as Uint8Array) };
}
const CONF = `events { } http { log_format seen escape=none '$request|$http_cookie|$http_authorization|$http_connection|$http_x_a|$http_user_agent|$request_body';
  server { listen 80; access_log /seen.log seen; client_max_body_size 0;
    location / { add_header Set-Cookie "s=1; Path=/; HttpOnly"; add_header Set-Cookie "late=2; Max-Age=60; Domain=server"; return 200 "hello\n"; }
    location /named { add_header Content-Disposition 'attachment; filename="given.txt"'; return 200 "file\n"; }
    location /away { return 302 /; } } }`;
const clientFile = (h: ReturnType<typeof twoHosts>, path: string) => bytesToString(readFile(h.client.fs, path) as Uint8Array);

test('--http2 offers to change over plain HTTP, and goes on with the answer that it gets', () => {
  const r = asked('curl -sv --http2 http://server/');
  expect(r.out).toBe('hello\n');
  expect(r.err).toContain('> Connection: Upgrade, HTTP2-Settings\r\n> Upgrade: h2c\r\n> HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n');
  expect(r.err).toContain('< HTTP/1.1 200 OK');
});

test('cookies: what a server sets is kept in the jar, and goes with what is asked next', () => {
  const { h } = asked('curl -s -c /jar http://server/');
  const jar = clientFile(h, '/jar').split('\n');
  expect(jar[0]).toBe('# Netscape HTTP Cookie File');
  expect(jar).toContain('#HttpOnly_server\tFALSE\t/\tFALSE\t0\ts\t1');
  expect(jar.find(l => l.startsWith('.server\tTRUE\t/\tFALSE\t'))).toMatch(/\tlate\t2$/);
  run(h, curl, 'curl -s -b /jar -b own=3 http://server/');
  run(h, curl, 'curl -s -b /jar http://10.0.0.1/');
  const seen = bytesToString(readFile(h.server.fs, '/seen.log') as Uint8Array)
    .trim()
    .split('\n');
  expect(seen[1].split('|')[1]).toBe('late=2; s=1; own=3');
  expect(seen[2].split('|')[1]).toBe('');
});

test('-K reads options from a file, ~/.curlrc too; --next begins anew', () => {
  const r = asked('curl -s -K /cfg http://server/a --next -d x http://server/b', {
    '/cfg': '# a comment\nuser-agent = "from file"\n--header "X-A: one"\n',
  });
  expect(r.seen.split('\n')[0]).toBe('GET /a HTTP/1.1||||one|from file|');
  expect(r.seen.split('\n')[1]).toMatch(/^POST \/b HTTP\/1\.1\|\|\|\|\|curl\/7\.88\.1\|/);
  expect(asked('curl -K /none http://server/')).toMatchObject({
    code: 26,
    err: expect.stringContaining("curl: cannot read config from '/none'\n"),
  });
  expect(asked('curl -K /bad', { '/bad': 'nosuch = 1\n' }).err).toContain("Warning: /bad:1: warning: 'nosuch' is unknown\n");
});

test('dot segments are taken out, --path-as-is leaves them; --url-query and --request-target', () => {
  const target = (words: string) => asked(words).seen.split(' ')[1];
  expect(target('curl -s http://server/a/../b/./c')).toBe('/b/c');
  expect(target('curl -s --path-as-is http://server/a/../b')).toBe('/a/../b');
  expect(target("curl -s --url-query 'q=a b' http://server/x")).toBe('/x?q=a%20b');
  expect(target('curl -s --request-target /other http://server/x')).toBe('/other');
});

test('forms: files with type and name of their own, strings that are no files', () => {
  const r = asked("curl -sv -F 'f=@/f.txt;type=text/x;filename=n.txt' --form-string a=@b http://server/", { '/f.txt': 'text' });
  expect(r.err).toMatch(/> Content-Length: \d+\r\n> Content-Type: multipart\/form-data; boundary=-{24}\w{16}\r\n/);
  expect(r.seen).toContain('name="f"; filename="n.txt"\r\nContent-Type: text/x\r\n\r\ntext\r\n');
  expect(r.seen).toContain('name="a"\r\n\r\n@b\r\n');
});

test('-OJ takes the name from the server, -o #1 from the pattern, --no-clobber leaves what is there', () => {
  const { h } = asked('curl -sOJ http://server/named');
  expect(clientFile(h, '/given.txt')).toBe('file\n');
  run(h, curl, 'curl -s http://server/[1-2] -o /p_#1');
  expect(clientFile(h, '/p_2')).toBe('hello\n');
  run(h, curl, 'curl -s --no-clobber -o /p_2 http://server/');
  expect(clientFile(h, '/p_2.1')).toBe('hello\n');
});

test('limits: sizes, protocols, what cannot be gone on with', () => {
  expect(asked('curl -sS --max-filesize 2 http://server/')).toMatchObject({ code: 63, err: 'curl: (63) Maximum file size exceeded\n' });
  expect(asked('curl -sS --proto =https http://server/').err).toBe('curl: (1) Protocol "http" not supported or disabled in libcurl\n');
  expect(asked('curl -sSL --proto-redir =https http://server/away').code).toBe(1);
  expect(asked('curl -sS -C 2 http://server/').code).toBe(33);
  const slow = asked('curl -s --limit-rate 2 -w %{time_total} http://server/');
  expect(Number(slow.out.slice('hello\n'.length))).toBeGreaterThan(2.9);
});

test('--trace-ascii; -Z; -#; netrc', () => {
  const t = asked('curl -s --trace-ascii - -o /dev/null http://server/');
  expect(t.out).toContain('=> Send header, 70 bytes (0x46)\n0000: GET / HTTP/1.1\n0010: Host: server\n001e: User-Agent: curl/7.88.1\n');
  expect(t.out).toContain('<= Recv data, 6 bytes (0x6)\n0000: hello.\n');
  const z = asked('curl -Z http://server/ http://server/x');
  expect(z.out).toBe('hello\nhello\n');
  expect(z.err).toMatch(/^DL% UL% {2}Dled {2}Uled {2}Xfers .*\n\r100 -- {5}12 {5}0 {5}2 {5}0 {2}/);
  expect(asked('curl -# -o /dev/null http://server/').err).toBe(`\r${'#'.repeat(72)} 100.0%\n`);
  const auth = asked('curl -s --netrc-file /rc http://server/', {
    '/rc': 'machine other login x password y\nmachine server login me password pw\n',
  });
  expect(auth.seen.split('|')[2]).toBe('Basic bWU6cHc=');
});

test('what podnet does not speak is refused as by a curl built without it', () => {
  for (const words of ['--http3', '--socks5 a:1', '--unix-socket /x'])
    expect(asked(`curl ${words} http://server/`)).toMatchObject({
      code: 2,
      err: expect.stringContaining("the installed libcurl version doesn't support this"),
    });
  expect(asked('curl --tls-max 1.2 --ciphers X -s http://server/').out).toBe('hello\n');
});
