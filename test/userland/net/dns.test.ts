import { describe, expect, test } from 'vitest';
import { busyboxNslookup } from '../../../src/userland/net/busybox-nslookup.ts';
import { dig } from '../../../src/userland/net/dig.ts';
import { getent } from '../../../src/userland/net/getent.ts';
import { host } from '../../../src/userland/net/host.ts';
import { nslookup } from '../../../src/userland/net/nslookup.ts';
import { busyboxUserland } from '../../../src/userland/userland.ts';
import { ip } from '../../../src/wire/ip.ts';
import { type Asked, dnsServer } from '../dns.ts';
import { files, run, start, twoHosts } from '../hosts.ts';

const MUSL = busyboxUserland(37, 'musl');

function lab(resolvConf = 'nameserver 10.0.0.1\nsearch a.test b.test\noptions ndots:2\n') {
  const h = twoHosts();
  files({ '/etc/resolv.conf': resolvConf }, h.client.fs);
  const asked: Asked[] = [];
  const big = Array.from({ length: 60 }, (_, i) => ({ ip: Uint8Array.of(10, 9, 9, i) }));
  const records = {
    'web.b.test. A': [{ ip: ip('10.1.1.1') }],
    'x.y.z. A': [{ ip: ip('10.1.1.2') }],
    'x.y.z. AAAA': [{ ip: ip('fd00::2') }],
    'big.test. A': big,
    '_http._tcp.web. SRV': [{ priority: 0, weight: 50, port: 80, target: 'web.b.test.' }],
    '1.1.1.10.in-addr.arpa. PTR': [{ host: 'web.b.test.' }],
  };
  start(h, h.server, dnsServer(records, asked), ['dns']);
  return { h, asked };
}

test('glibc walks the search list with both questions at once', () => {
  const { h, asked } = lab();
  expect(run(h, getent, 'getent ahosts web').out).toBe(
    '10.1.1.1        STREAM web.b.test\n10.1.1.1        DGRAM  \n10.1.1.1        RAW    \n',
  );
  expect(asked.map(q => `${q.name} ${q.type}`)).toEqual(['web.a.test. A', 'web.a.test. AAAA', 'web.b.test. A', 'web.b.test. AAAA']);
});

test('enough dots: the name itself is first', () => {
  const { h, asked } = lab();
  expect(run(h, getent, 'getent ahostsv4 x.y.z').out).toContain('10.1.1.2');
  expect(asked).toEqual([{ name: 'x.y.z.', type: 'A', tcp: false }]);
});

test('nobody answers: two attempts of five seconds for each of two names', () => {
  const { h } = lab('nameserver 10.0.0.1\nsearch drop\n');
  const before = h.sim.nowMs;
  expect(run(h, getent, 'getent ahosts w.drop.').code).toBe(2);
  expect(Math.round((h.sim.nowMs - before) / 1000)).toBe(10);
});

test('musl waits five seconds where glibc is refused at once', () => {
  const { h } = lab('nameserver 10.0.0.2\n'); // nobody listens on the client itself
  let before = h.sim.nowMs;
  expect(run(h, getent, 'getent ahosts web').code).toBe(2);
  expect(h.sim.nowMs - before).toBeLessThan(50);
  before = h.sim.nowMs;
  expect(run(h, getent, 'getent ahosts web', { u: MUSL }).code).toBe(2);
  expect(Math.round((h.sim.nowMs - before) / 1000)).toBe(5);
});

test('a truncated answer is asked for again over TCP', () => {
  const { h, asked } = lab();
  expect(run(h, getent, 'getent ahostsv4 big.test.').out.match(/STREAM/g)).toHaveLength(60);
  expect(asked.map(q => q.tcp)).toEqual([false, true]);
});

test('dig: layout, columns by tab stops', () => {
  const { h } = lab();
  const out = run(h, dig, 'dig @10.0.0.1 x.y.z').out;
  expect(out.replace(/\d+(?= msec)|id: \d+|WHEN: .*|COOKIE: \w+/g, '#')).toBe(`
; <<>> DiG 9.18.49-1~deb12u3-Debian <<>> @10.0.0.1 x.y.z
; (1 server found)
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, #
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1
;; WARNING: recursion requested but not available

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
; # (echoed)
;; QUESTION SECTION:
;x.y.z.				IN	A

;; ANSWER SECTION:
x.y.z.			30	IN	A	10.1.1.2

;; Query time: # msec
;; SERVER: 10.0.0.1#53(10.0.0.1) (UDP)
;; #
;; MSG SIZE  rcvd: 62

`);
  expect(run(h, dig, 'dig +short -x 10.1.1.1').out).toBe('web.b.test.\n');
  expect(run(h, dig, 'dig +noall +answer SRV _http._tcp.web').out).toBe('_http._tcp.web.\t\t30\tIN\tSRV\t0 50 80 web.b.test.\n');
  expect(run(h, dig, 'dig +short +search web').out).toBe('10.1.1.1\n');
  expect(run(h, dig, 'dig +showsearch web').out.match(/; <<>> DiG/g)).toHaveLength(2);
  expect(run(h, dig, 'dig x.y.z web').out.match(/; <<>> DiG/g)).toHaveLength(1);
});

test('dig takes the answer to a name of more than plain characters', () => {
  const { h } = lab();
  for (const name of ['wéb.q', 'a\\\\.b.q', 'x\\\\032y.q']) expect(run(h, dig, `dig ${name}`).out, name).toContain('status: NXDOMAIN');
  expect(run(h, dig, 'dig wéb.q').out).toContain(';w\\195\\169b.q.');
});

test('dig without an answer', () => {
  const { h } = lab();
  const out = run(h, dig, 'dig +time=1 +tries=2 x.drop');
  expect(out.code).toBe(9);
  expect(out.out.match(/communications error to 10\.0\.0\.1#53: timed out/g)).toHaveLength(2);
  expect(run(h, dig, 'dig +tries=1 @10.0.0.2 a').out).toContain(';; communications error to 10.0.0.2#53: connection refused');
  expect(run(h, dig, 'dig +nosuch')).toMatchObject({ code: 1, err: expect.stringContaining('Invalid option: +nosuch') });
});

test('nslookup and host', () => {
  const { h } = lab();
  expect(run(h, nslookup, 'nslookup web').out).toBe(
    ';; Got recursion not available from 10.0.0.1\n;; Got recursion not available from 10.0.0.1\nServer:\t\t10.0.0.1\nAddress:\t10.0.0.1#53\n\nName:\tweb.b.test\nAddress: 10.1.1.1\n;; Got recursion not available from 10.0.0.1\n\n',
  );
  expect(run(h, nslookup, 'nslookup nosuch.q 10.0.0.1')).toMatchObject({
    code: 1,
    out: expect.stringContaining("** server can't find nosuch.q: NXDOMAIN"),
  });
  expect(run(h, host, 'host x.y.z').out).toBe('x.y.z has address 10.1.1.2\nx.y.z has IPv6 address fd00::2\n');
  expect(run(h, host, 'host -t MX x.y.z').out).toBe('x.y.z has no MX record\n');
  expect(run(h, host, 'host -t A x.y.z 10.0.0.1').out).toBe(
    'Using domain server:\nName: 10.0.0.1\nAddress: 10.0.0.1#53\nAliases: \n\nx.y.z has address 10.1.1.2\n',
  );
  expect(run(h, host, 'host -W 1 -R 1 w.drop. 10.0.0.1').out).toMatch(
    /^(;; communications error to 10\.0\.0\.1#53: timed out\n){2};; no servers could be reached\n$/,
  );
  expect(run(h, host, 'host -t MX web').out).toBe('web.b.test has no MX record\n');
  expect(run(h, host, 'host nosuch.q.').out).toBe('Host nosuch.q. not found: 3(NXDOMAIN)\n');
  expect(run(h, host, 'host -t A x.no.').out).toBe('Host x.no not found: 5(REFUSED)\n');
  expect(run(h, host, 'host nosuch')).toMatchObject({ code: 1, out: 'Host nosuch not found: 3(NXDOMAIN)\n' });
});

test("BusyBox' nslookup asks every search domain at once", () => {
  const { h } = lab();
  const r = run(h, busyboxNslookup, 'nslookup web', { u: MUSL });
  expect(r.code).toBe(1);
  expect(r.out).toBe(
    "Server:\t\t10.0.0.1\nAddress:\t10.0.0.1:53\n\n** server can't find web.a.test: NXDOMAIN\n\nName:\tweb.b.test\nAddress: 10.1.1.1\n\n** server can't find web.a.test: NXDOMAIN\n\n\n",
  );
});

describe("BusyBox' nslookup", () => {
  const asking = (words: string, conf?: string) => {
    const { h, asked } = lab(conf);
    const startMs = h.sim.nowMs;
    return { ...run(h, busyboxNslookup, `nslookup ${words}`, { u: MUSL }), asked, seconds: Math.round((h.sim.nowMs - startMs) / 1000) };
  };

  test('asks again at once after a SERVFAIL, twice for each question', () => {
    const r = asking('-type=a x.fail');
    expect(r.asked).toHaveLength(3);
    expect(r).toMatchObject({ code: 1, out: expect.stringMatching(/\n\*\* server can't find x\.fail: SERVFAIL\n\n$/) });
    expect(asking('x.fail').asked).toHaveLength(6);
  });

  test('says at the end what nobody answered, which is no failure', () => {
    const r = asking('web', 'nameserver 10.0.0.1\nsearch b.test drop\n');
    expect(r.out).toMatch(/Address: 10\.1\.1\.1\n\n\n(\*\*\* Can't find web\.drop: No answer\n){2}\n$/);
    expect(r).toMatchObject({ code: 0, seconds: 5 });
    expect(asking('-retry=4 -timeout=2 x.drop')).toMatchObject({ code: 1, seconds: 2, asked: { length: 8 } });
  });

  test('sends no name that is none, and knows a search list of the root alone', () => {
    expect(asking('web..b')).toMatchObject({
      code: 1,
      err: "nslookup: write to '10.0.0.1': Message too large\n",
      out: ';; connection timed out; no servers could be reached\n\n',
    });
    expect(asking('web', 'nameserver 10.0.0.1\nsearch .\n').asked.map(q => q.name)).toEqual(['web.', 'web.']);
    expect(asking('-type=srv -class=ch x.y.z').err).toContain('Usage');
    expect(asking('-type=nonsense x.y.z').err).toBe('nslookup: invalid query type "nonsense"\n');
  });

  test('reads an error of the socket where only one question is out', () => {
    const r = asking('10.9.9.9', 'nameserver 10.0.0.2\n');
    expect(r.err).toBe('nslookup: read: Connection refused\n'.repeat(2));
    expect(asking('web.b.test', 'nameserver 10.0.0.2\n').err).toBe("nslookup: write to '10.0.0.2': Connection refused\n");
  });
});

test('dig: a line of a file has its own banner, a type alone asks for the servers of the root, +yaml says all of it', () => {
  const { h } = lab();
  files({ '/q': 'x.y.z A\n+short x.y.z\n' }, h.client.fs);
  const batch = run(h, dig, 'dig -f /q').out;
  expect(batch.match(/^; <<>> DiG .*$/gm)).toEqual([expect.stringMatching(/<<>> x\.y\.z A$/)]);
  expect(batch.match(/global options/g)).toHaveLength(1);
  expect(batch.endsWith('\n\n10.1.1.2\n')).toBe(true);
  files({ '/odd': '# nothing\n\n;x.y.z\n+short x.y.z\n', '/none': '' }, h.client.fs);
  expect(run(h, dig, 'dig -f /odd').out).toBe('10.1.1.2\n');
  expect(run(h, dig, 'dig -f /none')).toMatchObject({ out: '', err: '', code: 0 });
  expect(run(h, dig, 'dig +opcode=15 x.y.z').out).toContain('opcode: RESERVED15');
  expect(run(h, dig, 'dig mx').out).toContain('\n;.\t\t\t\tIN\tNS\n');
  expect(run(h, dig, 'dig -t mx +noall +question').out).toBe(';.\t\t\t\tIN\tNS\n');
  const yaml = run(h, dig, 'dig x.y.z +yaml +noedns').out;
  expect(yaml).toMatch(/^- type: MESSAGE\n {2}message:\n {4}type: \w+_RESPONSE\n {4}query_time: !!timestamp \S+Z\n/);
  expect(yaml).toContain("      QUESTION_SECTION:\n        - 'x.y.z. IN A'\n      ANSWER_SECTION:\n");
  expect(run(h, dig, 'dig x.y.z +yaml -p 99 +tcp +tries=1')).toMatchObject({
    code: 9,
    out: '- type: DIG_ERROR\n  message: |\n    no servers could be reached\n',
  });
});

test('nslookup shows its settings and, when it debugs, whole answers', () => {
  const { h } = lab();
  const all = run(h, nslookup, 'nslookup', { stdin: 'set type=mx\nset timeout=3\nset all\n' });
  expect(all).toMatchObject({ code: 1 });
  expect(all.out).toContain(
    '  timeout = 3\t\tretry = 3\tport = 53\tndots = 2\n  querytype = mx      \tclass = IN\n  srchlist = a.test/b.test\n',
  );
  expect(run(h, nslookup, 'nslookup -debug -type=a x.y.z 10.0.0.1').out).toMatch(
    /------------\n {4}QUESTIONS:\n\tx\.y\.z, type = A, class = IN\n {4}ANSWERS:\n {4}-> {2}x\.y\.z\n\tinternet address = 10\.1\.1\.2\n\tttl = \d+\n {4}AUTHORITY RECORDS:\n {4}ADDITIONAL RECORDS:\n------------\n/,
  );
});

test('getent asks as glibc does: IPv6 first, inet_aton’s addresses by what was typed, ::1 for who wants IPv4', () => {
  const h = twoHosts();
  h.client.fs = files({
    '/etc/hosts': '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.244.3.2\town own.example\n',
    '/etc/resolv.conf': 'nameserver 10.0.0.9\noptions timeout:1 attempts:1\n',
  });
  const ask = (words: string) => run(h, getent, `getent ${words}`);
  const loopback = '::1             localhost ip6-localhost ip6-loopback\n';
  for (const name of ['localhost', 'ip6-localhost', '::1']) expect(ask(`hosts ${name}`)).toMatchObject({ code: 0, out: loopback });
  expect(ask('hosts 127.0.0.1').out).toBe('127.0.0.1       localhost\n');
  expect(ask('hosts own').out).toBe('10.244.3.2      own own.example\n');
  expect(ask('hosts 10.244.3.2').out).toBe('10.244.3.2      own own.example\n');
  expect(ask('hosts 10.1').out).toBe('10.0.0.1        10.1\n');
  expect(ask('hosts 010.1').out).toBe('8.0.0.1         010.1\n');
  expect(ask('hosts 10.0.0.256')).toMatchObject({ code: 2, out: '' });
  expect(ask('hosts 0x7f.1')).toMatchObject({ code: 2, out: '' });
  expect(ask('ahostsv4 localhost').out.match(/127\.0\.0\.1 +STREAM/g)).toHaveLength(2);
  expect(ask('ahosts localhost').out.match(/STREAM/g)).toHaveLength(2);
});
