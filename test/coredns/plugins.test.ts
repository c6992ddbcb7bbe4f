import { beforeEach, describe, expect, it } from 'vitest';
import { putObject } from '../../src/apiserver/put.ts';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { runUntil } from '../../src/sim/sim.ts';
import type { RrType } from '../../src/wire/dns.ts';
import { type Hosts, twoHosts } from '../userland/hosts.ts';
import { ask as askAt, bootCoredns, mistake, texts } from './boot.ts';

let h: Hosts;
let server: ApiServer;

beforeEach(() => {
  h = twoHosts();
  server = newApiServer(h.sim, newRandom(1));
});

const boot = (corefile: string, files?: Record<string, string>) => bootCoredns(h, server, corefile, files);
const ask = (name: string, type?: RrType) => askAt(h, name, type);

const ZONE = `$TTL 1h
@ IN SOA ns hostmaster ( 7 ; serial
   2h 30m 1w 60 )
  IN NS ns
ns IN A 192.0.2.53
www IN CNAME host
host 5 IN A 192.0.2.80
  IN TXT "one two" three
@ MX 10 host
_ldap._tcp SRV 0 0 389 host
*.any IN A 192.0.2.7
child IN NS ns.child
ns.child A 192.0.2.99
`;

describe('file', () => {
  beforeEach(() => void boot('zone.test {\n file /zone.db\n}\n', { '/zone.db': ZONE }));

  it('answers with the zone’s name servers, follows aliases, adds addresses of targets', () => {
    const www = ask('www.zone.test.');
    expect(texts(www.answers)).toEqual(['www.zone.test. CNAME host.zone.test.', 'host.zone.test. A 192.0.2.80']);
    expect(www.answers.map(r => r.ttl)).toEqual([3600, 5]);
    expect(texts(www.authority)).toEqual(['zone.test. NS ns.zone.test.']);
    const mx = ask('zone.test.', 'MX');
    expect([texts(mx.answers), texts(mx.additional)]).toEqual([['zone.test. MX 10 host.zone.test.'], ['host.zone.test. A 192.0.2.80']]);
    expect(texts(ask('_ldap._tcp.zone.test.', 'SRV').answers)).toEqual(['_ldap._tcp.zone.test. SRV 389 host.zone.test.']);
    expect(texts(ask('host.zone.test.', 'TXT').answers)).toEqual(['host.zone.test. TXT one two three']);
  });

  it('tells no name, no data, an empty non-terminal, a wildcard and a delegation apart', () => {
    const none = ask('nobody.zone.test.');
    expect([none.rcode, none.aa, texts(none.authority)]).toEqual(['NXDOMAIN', true, ['zone.test. SOA']]);
    expect(none.authority[0].data).toMatchObject({ serial: 7, refresh: 7200, retry: 1800, expire: 604800, minimum: 60 });
    expect(ask('host.zone.test.', 'AAAA').rcode).toBe('NOERROR');
    expect(ask('_tcp.zone.test.').rcode).toBe('NOERROR');
    expect(texts(ask('x.y.any.zone.test.').answers)).toEqual(['x.y.any.zone.test. A 192.0.2.7']);
    const child = ask('deep.child.zone.test.');
    expect([child.aa, child.answers, texts(child.authority), texts(child.additional)]).toEqual([
      false,
      [],
      ['child.zone.test. NS ns.child.zone.test.'],
      ['ns.child.zone.test. A 192.0.2.99'],
    ]);
  });
});

describe('hosts', () => {
  it('answers names of its file and its lines, both ways, and hands on the rest', () => {
    boot('. {\n hosts /table lan.test {\n  192.0.2.2 b.lan.test\n  ttl 9\n  fallthrough\n }\n whoami\n}\n', {
      '/table': '192.0.2.1 A.lan.test # here\n2001:db8::1 a.lan.test\nnonsense a.lan.test\n192.0.2.3 other.test\n',
    });
    expect(texts(ask('a.lan.test.').answers)).toEqual(['a.lan.test. A 192.0.2.1']);
    expect(texts(ask('a.lan.test.', 'AAAA').answers)).toEqual(['a.lan.test. AAAA 2001:db8::1']);
    expect(ask('b.lan.test.').answers[0].ttl).toBe(9);
    expect(ask('b.lan.test.', 'TXT')).toMatchObject({ rcode: 'NOERROR', answers: [], additional: [] });
    expect(texts(ask('1.2.0.192.in-addr.arpa.', 'PTR').answers)).toEqual(['1.2.0.192.in-addr.arpa. PTR a.lan.test.']);
    expect(ask('c.lan.test.').additional.map(r => r.type)).toEqual(['A', 'SRV']); // whoami
  });

  it('fails for an unknown name without fallthrough: it has no SOA', () => {
    boot('. {\n hosts {\n  192.0.2.2 b.test\n }\n}\n');
    expect(ask('c.test.').rcode).toBe('SERVFAIL');
  });
});

describe('template', () => {
  it('makes records of the question’s parts', () => {
    boot(`. {
  template IN A dyn.test {
    match "^v(?P<last>[0-9]+)[.]dyn[.]test[.]$"
    answer "{{ .Name }} 60 IN A 192.0.2.{{ .Group.last }}"
    fallthrough
  }
  template ANY ANY {
    rcode NXDOMAIN
    authority "test. 30 IN SOA ns.test. root.test. 1 2 3 4 5"
  }
}
`);
    expect(texts(ask('v9.dyn.test.').answers)).toEqual(['v9.dyn.test. A 192.0.2.9']);
    const none = ask('w.dyn.test.');
    expect([none.rcode, texts(none.authority)]).toEqual(['NXDOMAIN', ['test. SOA']]);
    expect(ask('v999.dyn.test.').rcode).toBe('SERVFAIL');
  });
});

describe('mistakes in a Corefile', () => {
  const at = (line: number, plugin: string, text: string) => `plugin/${plugin}: /Corefile:${line} - Error during parsing: ${text}`;
  const inBlock = (name: string, ...lines: string[]) => `.:53 {\n ${name} {\n${lines.map(l => `  ${l}\n`).join('')} }\n}\n`;

  it.each([
    ['noendpoints x', at(3, 'kubernetes', "Wrong argument count or unexpected line ending after 'x'")],
    ['kubeconfig', at(3, 'kubernetes', "Wrong argument count or unexpected line ending after 'kubeconfig'")],
    ['pods some', 'plugin/kubernetes: wrong value for pods: some,  must be one of: disabled, verified, insecure'],
    ['ignore all', "plugin/kubernetes: unable to parse ignore value: 'all'"],
    ['multicluster set.test', at(4, 'kubernetes', 'is not authoritative for the multicluster zone set.test.')],
    [
      'labels a in (b',
      `plugin/kubernetes: unable to parse label selector value: 'a in (b': couldn't parse the selector string "a in (b": unable to parse requirement: found '', expected: ',' or ')'`,
    ],
  ])('kubernetes: %s', (line, expected) => {
    expect(mistake(h, server, inBlock('kubernetes cluster.test', line))).toBe(expected);
  });

  it('hosts, template, file', () => {
    expect(mistake(h, server, inBlock('hosts', 'ttl 0'))).toBe(at(3, 'hosts', 'ttl provided is invalid'));
    expect(mistake(h, server, inBlock('template IN A', 'match ('))).toBe(
      at(3, 'template', 'could not parse regex: (, error parsing regexp: missing closing ): `(`'),
    );
    expect(mistake(h, server, 'a.test {\n file /z\n}\n', { '/z': 'x A 1.2.3.4\n' })).toBe(
      'plugin/file: file "/z" has no SOA record for origin a.test.',
    );
  });

  it('takes prefixes as the zones of their reverse names', () => {
    expect(boot('10.2.0.0/15 2001:db8::/30 {\n whoami\n}\n').err()).toBe('');
    for (const name of ['9.2.10.in-addr.arpa.', '9.3.10.in-addr.arpa.', '8.b.d.0.1.0.0.2.ip6.arpa.', 'b.b.d.0.1.0.0.2.ip6.arpa.'])
      expect(ask(name).rcode).toBe('NOERROR');
    for (const name of ['4.10.in-addr.arpa.', 'c.b.d.0.1.0.0.2.ip6.arpa.']) expect(ask(name).rcode).toBe('REFUSED');
  });
});

describe('rewrite', () => {
  const hosts = 'hosts {\n 192.0.2.9 real.test x.inner.test\n}\n';
  const withRule = (...rules: string[]) => void boot(`. {\n${rules.map(r => ` rewrite ${r}\n`).join('')} ${hosts}}\n`);

  it('asks for another name and answers for the one that was asked', () => {
    withRule('name exact old.test real.test');
    expect(texts(ask('old.test.').answers)).toEqual(['old.test. A 192.0.2.9']);
  });

  it('leaves the names of answers alone, unless told to change them', () => {
    withRule('name suffix .outer.test .inner.test');
    expect(texts(ask('x.outer.test.').answers)).toEqual(['x.inner.test. A 192.0.2.9']);
  });

  it('changes names back: by suffix, by expression', () => {
    withRule(
      'name suffix .outer.test .inner.test answer auto',
      'name regex (.*)\\.re\\.test {1}.inner.test answer name (.*)\\.inner\\.test {1}.re.test',
    );
    expect(texts(ask('x.outer.test.').answers)).toEqual(['x.outer.test. A 192.0.2.9']);
    expect(texts(ask('x.re.test.').answers)).toEqual(['x.re.test. A 192.0.2.9']);
  });

  it('changes types and TTLs, and goes on to the next rule when told to', () => {
    withRule('continue ttl real.test 10-20', 'type AAAA A');
    const m = ask('real.test.', 'AAAA');
    expect([m.questions[0].type, texts(m.answers), m.answers[0].ttl]).toEqual(['AAAA', ['real.test. A 192.0.2.9'], 20]);
  });

  it.each([
    ['name a', 'too few arguments for a name rule'],
    ['name glob a b', 'name rule supports only exact, prefix, suffix, substring, and regex name matching, received: glob'],
    ['type A', 'type rules must have exactly two arguments'],
    ['ttl a 9-1', "invalid TTL '9-1' for a ttl rule"],
    [
      'name regex (a) {1}{2}',
      'the rewrite regex pattern ({1}{2}) uses more subexpressions than its corresponding matching regex pattern ((a))',
    ],
  ])('%s', (rule, why) => {
    expect(mistake(h, server, `. {\n rewrite ${rule}\n}\n`)).toBe(`plugin/rewrite: ${why}`);
  });
});

describe('autopath', () => {
  it('walks the search path of the pod that asks', () => {
    const put = (o: Partial<KubeObject> & { kind: string }) => putObject(server, { apiVersion: 'v1', ...o } as KubeObject);
    put({ kind: 'Namespace', metadata: { name: 'shop' } });
    put({ kind: 'Pod', metadata: { name: 'p', namespace: 'shop' }, status: { phase: 'Running', podIPs: [{ ip: '10.0.0.2' }] } });
    boot('. {\n autopath @kubernetes\n kubernetes c.test {\n  pods verified\n }\n hosts {\n 192.0.2.9 out.test\n}\n}\n');
    expect(texts(ask('out.test.shop.svc.c.test.').answers)).toEqual(['out.test.shop.svc.c.test. CNAME out.test.', 'out.test. A 192.0.2.9']);
  });
});

describe('outside names and clustersets', () => {
  const put = (o: Partial<KubeObject> & { kind: string }, apiVersion = 'v1') => putObject(server, { apiVersion, ...o } as KubeObject);

  it('k8s_external answers external IPs, load balancers and the apex', () => {
    put({ kind: 'Namespace', metadata: { name: 'shop' } });
    const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
    put({
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], externalIPs: ['192.0.2.1'], ports },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } },
    });
    boot('. {\n kubernetes c.test\n k8s_external out.test\n}\n');
    expect(texts(ask('web.shop.out.test.').answers)).toEqual(['web.shop.out.test. A 192.0.2.1', 'web.shop.out.test. A 192.0.2.2']);
    expect(texts(ask('_http._tcp.web.shop.out.test.', 'SRV').answers)).toEqual(['_http._tcp.web.shop.out.test. SRV 80 web.shop.out.test.']);
    expect(texts(ask('out.test.', 'NS').answers)).toEqual(['out.test. NS ns1.dns.out.test.']);
    expect([ask('shop.out.test.').rcode, ask('db.shop.out.test.').rcode]).toEqual(['NOERROR', 'NXDOMAIN']);
  });
});

describe('loop', () => {
  it('ends a server that forwards to itself', () => {
    const dns = boot('. {\n loop\n forward . 127.0.0.1\n}\n');
    runUntil(h.sim, () => dns.process.exitCode !== null, h.sim.nowMs + 10_000);
    expect(dns.process.exitCode).toBe(1);
    expect(dns.out()).toMatch(
      /\[FATAL\] plugin\/loop: Loop \(127\.0\.0\.1:\d+ -> :53\) detected for zone "\.", see https:\/\/coredns\.io\/plugins\/loop#troubleshooting\. Query: "HINFO \d+\.\d+\."\n$/,
    );
  });
});

describe('mistakes in the directives of every Corefile', () => {
  it.each([
    ['cache -1', 'plugin/cache: cache TTL can not be zero or negative: -1'],
    ['cache {\n  success x\n }', 'plugin/cache: strconv.Atoi: parsing "x": invalid syntax'],
    ['reload 1s', 'plugin/reload: interval value must be greater or equal to 2s'],
    ['errors\n errors', 'plugin/errors: this plugin can only be used once per Server Block'],
    ['ready 8181', 'plugin/ready: address 8181: missing port in address'],
    ['loadbalance foo', 'plugin/loadbalance: unknown policy: foo'],
    ['forward . nobody', 'plugin/forward: not an IP address or file: "nobody"'],
    ['forward . 192.0.2.1 {\n  policy best\n }', "plugin/forward: /Corefile:3 - Error during parsing: unknown policy 'best'"],
    ['erratic {\n  drop -1\n }', 'plugin/erratic: illegal amount value given "-1"'],
  ])('%s', (line, why) => {
    expect(mistake(h, server, `. {\n ${line}\n}\n`)).toBe(why);
  });
});
