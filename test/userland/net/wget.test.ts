import { expect, test } from 'vitest';
import { lookup, readFile } from '../../../src/linux/vfs.ts';
import { bytesToString } from '../../../src/sim/bytes.ts';
import { wget } from '../../../src/userland/net/wget/main.ts';
import { nginx } from '../../../src/userland/servers/nginx.ts';
import { DEBIAN_12, files, run, start, twoHosts } from '../hosts.ts';

const SITE = `events {} http { types { text/html html; text/plain txt; } default_type application/octet-stream;
server { listen 80; root /srv;
  location = /204 { return 204; }
  location = /500 { return 500 "oops\\n"; }
  location = /old { return 302 /f.txt; }
  location = /say { return 200 "$request_method $http_user_agent $http_x\\n"; }
  location = /named { add_header Content-Disposition 'attachment; filename="b.bin"'; return 200 "x\\n"; }
  location = /secret { add_header WWW-Authenticate 'Basic realm="r"' always; if ($http_authorization = "") { return 401; } return 200 "$http_authorization\\n"; }
} }`;

function site() {
  const h = twoHosts();
  files(
    { '/etc/nginx/nginx.conf': SITE, '/srv/f.txt': 'hello\n', '/srv/big.txt': 'x'.repeat(3000), '/srv/index.html': '<p>\n' },
    h.server.fs,
  );
  start(h, h.server, nginx(DEBIAN_12), ['nginx', '-g', 'daemon off;'], { NGINX_VERSION: '1.22.1' });
  const text = (path: string) => {
    const data = readFile(h.client.fs, path);
    return typeof data === 'string' ? data : bytesToString(data);
  };
  return { h, text, go: (words: string) => run(h, wget, `wget ${words}`) };
}

const dateless = (s: string) => s.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'D').replace(/\([\d.]+ [KMG]?B\/s\)/g, '(R)');

test('a part of a file is gone on with, a whole one is left alone', () => {
  const { h, go, text } = site();
  files({ '/big.txt': 'x'.repeat(1500), '/f.txt': 'hello\n' }, h.client.fs);
  const part = go('-c http://server/big.txt');
  expect(part.err).toContain('206 Partial Content\nLength: 3000 (2.9K), 1500 (1.5K) remaining [text/plain]\n');
  expect(part.err).toMatch(/\n {5}0K ,\.\s/);
  expect(part.err).toContain("'big.txt' saved [3000/3000]");
  expect(text('/big.txt')).toHaveLength(3000);
  expect(go('-c http://server/f.txt')).toMatchObject({
    code: 0,
    err: expect.stringMatching(/416 .*\n\n {4}The file is already fully retrieved; nothing to do\.\n\n$/),
  });
  expect(go('--start-pos=2 -qO- http://server/f.txt').out).toBe('llo\n');
});

test('time stamps: the file gets the server’s, and is not fetched again until that is newer', () => {
  const { h, go, text } = site();
  expect(go('-q http://server/f.txt').code).toBe(0);
  const node = lookup(h.client.fs, '/f.txt');
  const there = lookup(h.server.fs, '/srv/f.txt');
  if (typeof node === 'string' || typeof there === 'string') throw new Error('no file');
  expect(node.mtimeMs).toBe(Math.floor(there.mtimeMs / 1000) * 1000);
  expect(go('-N http://server/f.txt').err).toContain("304 Not Modified\nFile 'f.txt' not modified on server. Omitting download.\n\n");
  files({ '/srv/f.txt': 'changed\n' }, h.server.fs);
  const changed = lookup(h.server.fs, '/srv/f.txt');
  if (typeof changed !== 'string') changed.mtimeMs = node.mtimeMs + 5000;
  expect(go('-q -N http://server/f.txt').code).toBe(0);
  expect(text('/f.txt')).toBe('changed\n');
  expect(go('-N --no-if-modified-since http://server/f.txt').err).toContain(
    "Server file no newer than local file 'f.txt' -- not retrieving.\n\n",
  );
  expect(go('-N -nc http://server/f.txt')).toMatchObject({
    code: 1,
    err: "Can't timestamp and not clobber old files at the same time.\nUsage: wget [OPTION]... [URL]...\n",
  });
});

test('names: taken ones, folders, queries, redirections, Content-Disposition', () => {
  const { go, text } = site();
  go('-q http://server/f.txt');
  expect(go('-nc http://server/f.txt').err).toBe("File 'f.txt' already there; not retrieving.\n\n");
  expect(go('-nv http://server/f.txt').err).toMatch(/ -> "f\.txt\.1" \[1\]\n$/);
  expect(go('-nv -x http://server/f.txt').err).toMatch(/ -> "server\/f\.txt" \[1\]\n$/);
  expect(text('/server/f.txt')).toBe('hello\n');
  expect(go('-nv -P d -x -nH http://server/f.txt').err).toMatch(/ -> "d\/f\.txt" \[1\]\n$/);
  expect(go('-nv http://server/f.txt?a=b%20c').err).toMatch(/ -> "f\.txt\?a=b c" \[1\]\n$/);
  expect(go('-nv http://server/?q').err).toMatch(/ -> "index\.html\?q" \[1\]\n$/);
  expect(go('-nv http://server/old').err).toMatch(/ -> "old" \[1\]\n$/);
  expect(go('-nv --trust-server-names http://server/old').err).toMatch(/ -> "f\.txt\.2" \[1\]\n$/);
  expect(go('-nv --content-disposition http://server/named').err).toMatch(/ -> "b\.bin" \[1\]\n$/);
  expect(go('-nv --delete-after http://server/big.txt').err).toMatch(/ -> "big\.txt\.tmp" \[1\]\n$/);
  expect(text('/big.txt.tmp')).toBe('ENOENT');
});

test('-O is opened before anything is asked for', () => {
  const { h, go, text } = site();
  expect(go('-O /nodir/x http://server/f.txt')).toMatchObject({ code: 1, err: '/nodir/x: No such file or directory\n' });
  files({ '/x': 'before' }, h.client.fs);
  expect(go('-qO x http://server/nope').code).toBe(8);
  expect(text('/x')).toBe('');
  expect(go('-qO x http://server/f.txt http://server/f.txt').code).toBe(0);
  expect(text('/x')).toBe('hello\nhello\n');
  expect(go('-P nowhere/deep -q http://server/f.txt').code).toBe(0);
  expect(text('/nowhere/deep/f.txt')).toBe('hello\n');
});

test('several URLs and lists of them end with a summary; of several failures the smallest code counts', () => {
  const { h, go } = site();
  const both = go('-nv http://server/f.txt http://server/index.html');
  expect(dateless(both.err).split('\n').slice(2)).toEqual([
    'FINISHED --D--',
    expect.stringMatching(/^Total wall clock time: [\d.]+s$/),
    expect.stringMatching(/^Downloaded: 2 files, 10 in [\d.]+s \(R\)$/),
    '',
  ]);
  files({ '/list': 'http://server/f.txt\n\nserver/index.html\n' }, h.client.fs);
  expect(go('-nv -i list').err).toContain('Downloaded: 2 files, 10 in ');
  expect(run(h, wget, 'wget -qO- -i -', { stdin: 'http://server/f.txt\n' }).out).toBe('hello\n');
  expect(go('-i nosuch')).toMatchObject({ code: 0, err: 'nosuch: No such file or directory\nNo URLs found in nosuch.\n' });
  expect(go('-q -t1 http://server/nope http://server:81/').code).toBe(4);
});

test('answers without a body, and bodies of errors', () => {
  const { go, text } = site();
  const none = dateless(go('http://server/204').err);
  expect(none).toContain("awaiting response... 204 No Content\nD (R) - '204' saved [0]\n\n");
  expect(text('/204')).toBe('ENOENT');
  expect(go('-qO- http://server/500')).toMatchObject({ code: 8, out: '' });
  const told = go('--content-on-error -O- http://server/500');
  expect(told).toMatchObject({ code: 8, out: 'oops\n' });
  expect(told.err).toMatch(/100% .*\n\n\S+ \S+ ERROR 500: Internal Server Error\.\n\n$/);
  expect(go('--save-headers -qO- http://server/f.txt').out).toMatch(/^HTTP\/1\.1 200 OK\r\nServer: (.*\r\n)+\r\nhello\n$/);
  const again = go('--retry-on-http-error=500,503 -t2 http://server/500');
  expect(again.code).toBe(4);
  expect(again.err).toMatch(
    /500 Internal Server Error\nRetrying\.\n\n--.*-- {2}\(try: 2\) {2}.*\nReusing existing connection to server:80\.\n.*\nGiving up\.\n\n$/,
  );
});

test('what is sent', () => {
  const { go } = site();
  expect(go('-qO- -U me --header=X:1 http://server/say').out).toBe('GET me 1\n');
  expect(go('-qO- --method=delete http://server/say').out).toBe('DELETE Wget/1.21.3 \n');
  expect(go('--header=Bad http://server/')).toMatchObject({ code: 2, err: "wget: --header: Invalid header 'Bad'.\n" });
  const asked = go('--user=u --password=p -O- http://server/secret');
  expect(asked.out).toBe('Basic dTpw\n');
  expect(asked.err).toContain('401 Unauthorized\nAuthentication selected: Basic realm="r"\nReusing existing connection to server:80.\n');
  expect(go('http://server/secret')).toMatchObject({
    code: 6,
    err: expect.stringMatching(/401 Unauthorized\n\nUsername\/Password Authentication Failed\.\n$/),
  });
  expect(go('--post-file nosuch http://server/')).toMatchObject({
    code: 3,
    err: expect.stringMatching(/^--.*\nBODY data file 'nosuch' missing: No such file or directory\n$/),
  });
});

test('a proxy of the environment is asked, unless it is spared', () => {
  const { h, go } = site();
  const env = { http_proxy: 'http://server:80' };
  expect(run(h, wget, 'wget -qO- http://nowhere.test/f.txt', { env }).out).toBe('hello\n');
  expect(run(h, wget, 'wget -t1 -O- http://nowhere.test/f.txt', { env }).err).toContain(
    'Proxy request sent, awaiting response... 200 OK\n',
  );
  expect(run(h, wget, 'wget --no-proxy -qO- http://10.0.0.1:81/', { env }).code).toBe(4);
  expect(go('-e use_proxy=on -e http_proxy=server:80 -qO- http://nowhere.test/f.txt').out).toBe('hello\n');
});

test('--limit-rate slows down what is longer than it', () => {
  const { h, go } = site();
  const from = h.sim.nowMs;
  expect(go('--limit-rate=1k -qO- http://server/big.txt').out).toHaveLength(3000);
  expect(h.sim.nowMs - from).toBeGreaterThan(1500);
});

test('mistakes, and options that podnet does not act on', () => {
  const { go } = site();
  const usage = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n";
  expect(go('--tr http://server/')).toMatchObject({
    code: 2,
    err: `wget: option '--tr' is ambiguous; possibilities: '--tries' '--trust-server-names'\n${usage}`,
  });
  expect(go('--limit-rate=foo http://server/')).toMatchObject({ code: 2, err: "wget: --limit-rate: Invalid byte value 'foo'\n" });
  expect(go('--spider=perhaps http://server/').err).toBe("wget: --spider: Invalid boolean 'perhaps'; use `on' or `off'.\n");
  expect(go('-nvq http://server/')).toMatchObject({ code: 1, err: `wget: illegal option -- \`-nq'\n${usage}` });
  expect(go('-v -q http://server/').err).toMatch(/^Can't be verbose and quiet at the same time\.\n/);
  expect(go('-e nosuch=1 http://server/')).toMatchObject({ code: 2, err: "wget: Invalid --execute command 'nosuch=1'\n" });
  expect(go('--body-data=x http://server/').code).toBe(1);
  expect(go('-r http://server/')).toMatchObject({ code: 2, err: 'wget: podnet does not model --recursive\n' });
  expect(go('-d http://server/')).toMatchObject({ code: 2, err: 'wget: podnet does not model --debug\n' });
  expect(go('-o /nodir/log http://server/')).toMatchObject({ code: 1, err: 'wget: /nodir/log: No such file or directory\n' });
  expect(go('--help').out).toMatch(
    /^GNU Wget 1\.21\.3, a non-interactive network retriever\.\nUsage: wget \[OPTION\]\.\.\. \[URL\]\.\.\.\n/,
  );
});
