// Plugins that look at queries and answers on their way: who may ask, what is changed, what is left out.
import { beforeEach, describe, expect, it } from 'vitest';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer } from '../../src/apiserver/types.ts';
import type { Process, Program } from '../../src/linux/types.ts';
import { bytesToString } from '../../src/sim/bytes.ts';
import { newRandom } from '../../src/sim/random.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { exchangeTcp, exchangeUdp, failed } from '../../src/userland/net/dns-client.ts';
import type { DnsMessage, RrType } from '../../src/wire/dns.ts';
import { newMessage } from '../../src/wire/dns-codec.ts';
import { formatIp, ip } from '../../src/wire/ip.ts';
import { type Hosts, run, twoHosts } from '../userland/hosts.ts';
import { bootCoredns, mistake, texts } from './boot.ts';

let h: Hosts;
let server: ApiServer;

beforeEach(() => {
  h = twoHosts();
  server = newApiServer(h.sim, newRandom(1));
});

const boot = (corefile: string, files?: Record<string, string>) => bootCoredns(h, server, corefile, files);

/** null: nobody answered. */
function send(change: (m: DnsMessage) => DnsMessage, name: string, type: RrType = 'A', tcp = false, port = 53): DnsMessage | null {
  let reply: DnsMessage | null = null;
  const program = (): Program =>
    function* (p: Process) {
      const query = change(newMessage(9, name, type));
      const got = yield* (tcp ? exchangeTcp : exchangeUdp)(p, ip('10.0.0.1'), query, { timeoutMs: 1500, port });
      if (!failed(got)) reply = got.message;
      return 0;
    };
  run(h, program, 'send');
  return reply;
}

const ask = (name: string, type?: RrType, tcp?: boolean) => send(m => m, name, type, tcp) as DnsMessage;

const withOpt =
  (...codes: number[]) =>
  (m: DnsMessage): DnsMessage => ({
    ...m,
    edns: { udpSize: 1400, dnssecOk: false, version: 0, options: codes.map(code => ({ code, data: new Uint8Array(0) })) },
  });

const HOSTS = 'hosts {\n 192.0.2.1 a.test\n 192.0.2.1 b.test\n}\n';

describe('acl', () => {
  it('blocks, filters and drops by network and type; the first line that matches decides', () => {
    boot(
      `. {\n acl a.test {\n allow type TXT\n filter type AAAA net 10.0.0.0/8\n block net 10.0.0.2\n }\n acl b.test {\n drop\n }\n ${HOSTS}}\n`,
    );
    const blocked = send(withOpt(), 'a.test.') as DnsMessage;
    expect([blocked.rcode, blocked.aa, blocked.edns?.options.map(o => [o.code, ...o.data])]).toEqual(['REFUSED', false, [[15, 0, 15]]]);
    const filtered = send(withOpt(), 'a.test.', 'AAAA') as DnsMessage;
    expect([filtered.rcode, filtered.edns?.options.map(o => [...o.data])]).toEqual(['NOERROR', [[0, 17]]]);
    expect(ask('a.test.', 'TXT').aa).toBe(true);
    expect(send(m => m, 'b.test.')).toBeNull();
  });

  it.each([
    ['block net 1.2.3', '/Corefile:3 - Error during parsing: illegal CIDR notation "1.2.3/32"'],
    ['block type NONSENSE', '/Corefile:3 - Error during parsing: unexpected token "NONSENSE"; expect legal QTYPE'],
  ])('%s', (line, why) => {
    expect(mistake(h, server, `. {\n acl {\n ${line}\n }\n}\n`)).toBe(`plugin/acl: ${why}`);
  });
});

describe('what becomes of an OPT record', () => {
  it('known options come back, unknown ones do not; an unknown version is refused at once', () => {
    boot(`. {\n ${HOSTS}}\n`);
    const reply = send(withOpt(10, 100), 'a.test.') as DnsMessage;
    expect([reply.edns?.udpSize, reply.edns?.options.map(o => o.code)]).toEqual([1400, [10]]);
    const version = send(m => ({ ...m, edns: { udpSize: 1400, dnssecOk: false, version: 1, options: [] } }), 'a.test.') as DnsMessage;
    expect([version.rcode, version.edns?.version, version.answers]).toEqual(['RCODE16', 0, []]);
  });

  it('bufsize lowers what is offered, nsid names the server to those who ask', () => {
    boot(`. {\n bufsize 600\n nsid ns of mine\n ${HOSTS}}\n`);
    const reply = send(withOpt(3), 'a.test.') as DnsMessage;
    expect(reply.edns?.udpSize).toBe(600);
    expect(reply.edns?.options.map(o => [o.code, bytesToString(o.data)])).toEqual([[3, 'ns of mine']]);
    expect((send(withOpt(), 'a.test.') as DnsMessage).edns?.options).toEqual([]);
    expect(mistake(h, server, '.:54 {\n bufsize 100\n}\n')).toBe('plugin/bufsize: bufsize must be within 512 - 4096');
  });

  it('rewrite puts options into the query', () => {
    boot(`. {\n rewrite continue edns0 local set 0xffee 0x6869\n rewrite edns0 local set 65000 {client_ip}\n ${HOSTS}}\n`);
    const reply = send(withOpt(), 'a.test.') as DnsMessage;
    expect(reply.edns?.options.map(o => [o.code, ...o.data])).toEqual([
      [0xffee, 0x68, 0x69],
      [65000, 10, 0, 0, 2],
    ]);
    expect(mistake(h, server, '.:54 {\n rewrite edns0 subnet set 40 10\n}\n')).toBe('plugin/rewrite: invalid IPv4 bit mask length 40');
  });
});

describe('rewrite of answers', () => {
  it('changes codes, and follows an alias elsewhere', () => {
    const zone = '@ 60 IN SOA ns. me. 1 2 3 4 5\nwww 60 IN CNAME old\nold 60 IN A 192.0.2.1\nnew 60 IN A 192.0.2.2\n';
    boot(
      'z.test {\n rewrite continue rcode suffix none.z.test NXDOMAIN NOERROR\n rewrite cname exact old.z.test. new.z.test.\n file /z\n}\n',
      {
        '/z': zone,
      },
    );
    expect(ask('none.z.test.').rcode).toBe('NOERROR');
    expect(ask('nobody.z.test.').rcode).toBe('NXDOMAIN');
    expect(texts(ask('www.z.test.').answers)).toEqual(['www.z.test. CNAME new.z.test.', 'new.z.test. A 192.0.2.2']);
    expect(mistake(h, server, '.:54 {\n rewrite rcode a FOO NOERROR\n}\n')).toBe(
      "plugin/rewrite: invalid matching RCODE 'FOO' for a rcode rule",
    );
  });

  it('rules that all go on, and have no say in the answer, leave the changed question in it: no client takes that', () => {
    boot(`. {\n rewrite continue name suffix .x .test\n ${HOSTS}}\n`);
    expect(send(m => m, 'a.x.')).toBeNull();
    expect(texts(ask('a.test.').answers)).toEqual(['a.test. A 192.0.2.1']);
  });

  it('header sets and clears flags, minimal leaves the answers alone', () => {
    boot(`. {\n header {\n response set ra\n response clear aa\n }\n minimal\n file /z z.test\n}\n`, {
      '/z': '@ 60 IN SOA ns. me. 1 2 3 4 5\n@ 60 IN NS ns\nns 60 IN A 192.0.2.9\n',
    });
    const reply = ask('ns.z.test.');
    expect([reply.ra, reply.aa, reply.authority, reply.additional]).toEqual([true, false, [], []]);
    expect(ask('none.z.test.').authority).toHaveLength(1);
    expect(mistake(h, server, '.:54 {\n header {\n response set zz\n }\n}\n')).toBe(
      'plugin/header: setting up rule: unknown/unsupported flag=zz',
    );
  });

  it('loadbalance puts heavy addresses first', () => {
    boot('. {\n loadbalance weighted /w\n hosts {\n 192.0.2.1 a.test\n 192.0.2.2 a.test\n}\n}\n', { '/w': 'a.test\n192.0.2.2 255\n' });
    const first = Array.from({ length: 12 }, () => texts(ask('a.test.').answers)[0]);
    expect(first.filter(t => t.endsWith('192.0.2.2')).length).toBeGreaterThan(9);
    expect(mistake(h, server, '.:54 {\n loadbalance weighted /v\n}\n', { '/v': '192.0.2.2 0\n' })).toBe(
      'plugin/loadbalance: wrong weight value:"0" in weight file /v',
    );
  });
});

describe('answers of its own', () => {
  it('any, chaos and local', () => {
    boot('. {\n any\n local\n chaos v1 b@x a@x\n whoami\n}\n');
    expect(ask('x.test.', 'ANY', true).answers.map(r => [r.type, r.ttl])).toEqual([['TYPE13', 8482]]);
    const chaos = (name: string) => send(m => ({ ...m, questions: [{ name, type: 'TXT', class: 'CH' }] }), name) as DnsMessage;
    expect(texts(chaos('version.bind.').answers)).toEqual(['version.bind. TXT v1']);
    expect(texts(chaos('authors.bind.').answers)).toEqual(['authors.bind. TXT a@x', 'authors.bind. TXT b@x']);
    expect(texts(ask('localhost.lan.').answers)).toEqual(['localhost.lan. A 127.0.0.1']);
    expect(ask('9.127.in-addr.arpa.', 'PTR').rcode).toBe('NXDOMAIN');
    expect(texts(ask('1.0.0.127.in-addr.arpa.', 'PTR').answers)).toEqual(['1.0.0.127.in-addr.arpa. PTR localhost.']);
  });

  it('another class than IN is refused where nobody speaks it', () => {
    boot('. {\n whoami\n}\n');
    const reply = send(m => ({ ...m, questions: [{ name: 'version.bind.', type: 'TXT', class: 'CH' }] }), 'x.') as DnsMessage;
    expect(reply.rcode).toBe('REFUSED');
  });

  it('dns64 makes IPv6 addresses of IPv4 ones', () => {
    boot(`. {\n dns64 {\n prefix 2001:db8::/64\n allow_ipv4\n }\n ${HOSTS}}\n`);
    expect(texts(ask('a.test.', 'AAAA').answers)).toEqual(['a.test. AAAA 2001:db8::c0:2:100:0']);
    expect(mistake(h, server, '.:54 {\n dns64 {\n prefix 2001:db8::/47\n }\n}\n')).toBe(
      'plugin/dns64: /Corefile:3 - Error during parsing: invalid prefix length "2001:db8::/47"',
    );
  });

  it('transfer gives a whole zone to whom it may concern', () => {
    const zone = '@ 60 IN SOA ns. me. 7 2 3 4 5\n@ 60 IN NS ns\na 60 IN A 192.0.2.1\n';
    boot('z.test {\n file /z\n transfer {\n to 10.0.0.2\n }\n}\ny.test {\n file /z\n transfer {\n to 10.0.0.9\n }\n}\n', { '/z': zone });
    expect(ask('z.test.', 'AXFR', true).answers.map(r => r.type)).toEqual(['SOA', 'NS', 'A', 'SOA']);
    expect(ask('y.test.', 'AXFR', true).rcode).toBe('REFUSED');
    expect(mistake(h, server, '.:54 {\n transfer {\n to nobody\n }\n}\n')).toBe("plugin/transfer: must specify an IP address: `nobody'");
  });

  it('view chooses the block by an expression', () => {
    boot(`. {\n view t {\n expr proto() == 'tcp' && type() in ['A', 'TXT']\n }\n hosts {\n 192.0.2.7 a.test\n}\n}\n. {\n ${HOSTS}}\n`);
    expect(formatIp((ask('a.test.', 'A', true).answers[0].data as { ip: Uint8Array }).ip)).toBe('192.0.2.7');
    expect(formatIp((ask('a.test.').answers[0].data as { ip: Uint8Array }).ip)).toBe('192.0.2.1');
    expect(mistake(h, server, '.:54 {\n view a {\n expr nobody()\n }\n}\n')).toBe(
      'plugin/view: unknown name nobody (1:1)\n | nobody()\n | ^',
    );
  });
});

describe('errors', () => {
  it('are told one by one, or counted over a while', () => {
    const bad = 'template IN A bad.test {\n answer "{{ .Name }} 60 IN A nothing"\n }\n';
    const dns = boot(`. {\n errors\n ${bad}}\n.:54 {\n errors {\n consolidate 2s ".*nothing.*" warning show_first\n }\n ${bad}}\n`);
    ask('x.bad.test.');
    const lines = () =>
      dns
        .out()
        .split('\n')
        .filter(l => /^\[(ERROR|WARNING)/.test(l));
    expect(lines()).toEqual(['[ERROR] plugin/errors: 2 x.bad.test. A: dns: bad A A: "nothing" at line: 1:27']);
    for (let i = 0; i < 3; i++) send(m => m, 'y.bad.test.', 'A', false, 54);
    runUntil(h.sim, () => false, h.sim.nowMs + 3000);
    expect(lines().slice(1)).toEqual([
      '[WARNING] plugin/errors: 2 y.bad.test. A: dns: bad A A: "nothing" at line: 1:27',
      "[WARNING] plugin/errors: 3 errors like '.*nothing.*' occurred in last 2s",
    ]);
  });
});

describe('log', () => {
  it('takes formats, names and classes', () => {
    const dns = boot(`. {\n log a.test "{name} {rcode} {nothing}"\n log b.test {\n class denial\n }\n ${HOSTS}}\n`);
    ask('a.test.');
    ask('b.test.');
    expect(
      dns
        .out()
        .split('\n')
        .filter(l => l.startsWith('[INFO]')),
    ).toEqual(['[INFO] a.test. NOERROR {nothing}']);
    expect(mistake(h, server, '.:54 {\n log {\n class some\n }\n}\n')).toBe('plugin/log: invalid Class: some');
  });
});

it('a template that Go cannot read ends the program in Go’s words', () => {
  const wrong = (text: string) => mistake(h, server, `. {\n template IN A . {\n  answer "${text}"\n }\n}\n`);
  expect(wrong('{{ Name }}')).toContain('could not compile template: {{ Name }}, template: answer:1: function "Name" not defined');
  expect(wrong('{{ exists .Name }}')).toContain('function "exists" not defined');
  expect(wrong('{{ if .Name }}x')).toContain('template: answer:1: unexpected EOF');
});

it('rewrite cname turns the alias that matches and keeps those that lead to it', () => {
  const zone = '@ IN SOA ns h 1 2 3 4 60\n  IN NS ns\na IN CNAME b\nb IN CNAME c\nc IN CNAME d\nd IN A 192.0.2.1\nother IN A 192.0.2.2\n';
  bootCoredns(h, server, '. {\n rewrite cname exact c.z.test. other.z.test.\n file /z.db z.test\n}\n', { '/z.db': `$TTL 60\n${zone}` });
  expect(texts(ask('a.z.test.').answers)).toEqual([
    'a.z.test. CNAME b.z.test.',
    'b.z.test. CNAME other.z.test.',
    'other.z.test. A 192.0.2.2',
  ]);
});
