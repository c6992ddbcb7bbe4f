// What a client sees: dig and getent against a CoreDNS with a kubernetes zone, a file zone and a cache.
import { beforeEach, describe, expect, it } from 'vitest';
import { putObject } from '../../src/apiserver/put.ts';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { linkByName } from '../../src/linux/link.ts';
import { setNeigh } from '../../src/linux/neigh.ts';
import { newRandom } from '../../src/sim/random.ts';
import { dig } from '../../src/userland/net/dig.ts';
import { getent } from '../../src/userland/net/getent.ts';
import { ip } from '../../src/wire/ip.ts';
import { files, type Hosts, run, twoHosts } from '../userland/hosts.ts';
import { bootCoredns } from './boot.ts';

let h: Hosts;
let server: ApiServer;

const put = (o: Partial<KubeObject> & { kind: string }, apiVersion = 'v1') => putObject(server, { apiVersion, ...o } as KubeObject);
const service = (name: string, spec: object) => put({ kind: 'Service', metadata: { name, namespace: 'shop' }, spec });

beforeEach(() => {
  h = twoHosts();
  server = newApiServer(h.sim, newRandom(1));
  put({ kind: 'Namespace', metadata: { name: 'shop' } });
  service('cart', { clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] });
  service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] });
  put(
    {
      kind: 'EndpointSlice',
      metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.244.1.5'], conditions: { ready: true } }],
      ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    },
    'discovery.k8s.io/v1',
  );
});

const corefile = (kubernetes = '', more = '') =>
  `. {\n acl {\n  block type NAPTR net *\n }\n nsid me\n ${more}\n kubernetes cluster.local {\n ${kubernetes}\n }\n file /z.db z.test\n}\n`;
const ZONE = `$TTL 300
@ IN SOA ns h 1 2 3 4 60
  IN NS ns
  IN CAA 0 issue "ca.test"
  IN HTTPS 1 . alpn="h2" port=8443 ipv4hint=192.0.2.1
now 0 IN A 192.0.2.4
www IN CNAME now
`;
const boot = (...more: string[]) => bootCoredns(h, server, corefile(...more), { '/z.db': ZONE });
const asked = (words: string) => run(h, dig, `dig ${words}`).out;
const section = (out: string, name: string) => new RegExp(`;; ${name} SECTION:\n((?:.+\n)*)`).exec(out)?.[1] ?? '';
const status = (out: string) => /status: (\w+)/.exec(out)?.[1];

describe('dig shows', () => {
  beforeEach(() => void boot());

  it('types by their names and data in their forms', () => {
    expect(section(asked('z.test CAA'), 'ANSWER')).toBe('z.test.\t\t\t300\tIN\tCAA\t0 issue "ca.test"\n');
    expect(section(asked('z.test HTTPS'), 'ANSWER')).toContain('HTTPS\t1 . alpn="h2" port=8443 ipv4hint=192.0.2.1');
    expect(section(asked('cart.shop.svc.cluster.local SVCB'), 'QUESTION')).toContain('\tSVCB\n');
    expect(section(asked('z.test CAA +unknownformat'), 'ANSWER')).toMatch(/CLASS1\tTYPE257\t\\# 14 0005697373756563612E74657374/);
  });

  it('extended errors, server names and padding', () => {
    expect(asked('z.test NAPTR')).toContain('; EDE: 15 (Blocked)\n');
    expect(asked('z.test SOA +nsid')).toContain('; NSID: 6d 65 ("me")\n');
    expect(asked('z.test SOA +padding=128')).toMatch(/; PAD: \(\d+ bytes\)\n/);
  });

  it('options that a query may carry, and refuses bad ones', () => {
    expect(asked('z.test SOA +qr +subnet=192.0.2.0/24 +ednsopt=100:beef +coflag')).toMatch(
      // BIND 9.18 puts the cookie behind the subnet and before what +ednsopt gives.
      /flags: co; udp: 1232\n(?:.*\n)*; CLIENT-SUBNET: 192\.0\.2\.0\/24\/0\n; COOKIE: \w+\n; OPT=100: be ef/,
    );
    expect(run(h, dig, 'dig z.test +ednsopt=:').err).toContain('no code point');
    expect(status(asked('z.test SOA +subnet=0'))).toBe('NOERROR');
  });

  it('words after -c or -t as names', () => {
    expect(asked('-c CH z.test SOA').match(/;; Got answer/g)).toHaveLength(2);
    expect(asked('-t SOA z.test').match(/;; Got answer/g)).toHaveLength(1);
  });

  it('nothing but data when +short stands anywhere, and sizes that fit sixteen bits with a sign', () => {
    expect(asked('-t SOA z.test now.z.test +short')).toBe(asked('-t SOA z.test +short') + asked('-t SOA now.z.test +short'));
    expect(asked('z.test SOA +short +noshort')).toContain('SOA');
    expect(['32767', '32768'].map(n => /udp: (\d+)/.exec(asked(`z.test SOA +bufsize=${n}`))?.[1])).toEqual(['32767', '1232']);
  });

  it('the statistics of a missing name twice when it was asked for as it is', () => {
    const times = (words: string) => asked(words).match(/;; MSG SIZE/g)?.length;
    expect(['no.such.z.test', 'nosuch', 'z.test'].map(n => times(`${n} +search +ndots=2`))).toEqual([2, 1, 1]);
    expect(times('no.such.z.test')).toBe(1);
  });

  it('versions of EDNS that nobody knows', () => {
    expect(asked('z.test SOA +edns=3')).toMatch(/^;; BADVERS, retrying with EDNS version 0\.\n(?:.*\n)*.*status: NOERROR/);
    expect(status(asked('z.test SOA +edns=3 +noednsneg'))).toBe('BADVERS');
  });
});

describe('CoreDNS answers by its header alone', () => {
  beforeEach(() => void boot());

  it.each([
    ['+opcode=status', 'STATUS', 'NOTIMP'],
    ['+opcode=update', 'UPDATE', 'NOTIMP'],
    ['+opcode=reserved9', 'RESERVED9', 'NOTIMP'],
    ['+header-only', 'QUERY', 'FORMERR'],
  ])('%s', (word, opcode, rcode) => {
    const out = asked(`z.test SOA ${word}`);
    expect(out).toContain(`opcode: ${opcode}, status: ${rcode}`);
    expect(out).toContain('QUERY: 0, ANSWER: 0');
    expect(out).toContain(`EDNS query returned status ${rcode} - retry with '+noedns'`);
  });

  it('and a notification without the flags of a question', () => {
    expect(asked('cart.shop.svc.cluster.local +opcode=notify')).toContain(';; flags: qr aa; QUERY: 1');
    expect(asked('z.test SOA +opcode=update +noopcode')).toContain('opcode: QUERY, status: NOERROR');
  });
});

describe('plugin kubernetes', () => {
  it('has no endpoints to name when it does not watch them', () => {
    boot('noendpoints');
    expect(['db', 'cart'].map(n => status(asked(`${n}.shop.svc.cluster.local`)))).toEqual(['NXDOMAIN', 'NOERROR']);
  });

  it('knows nothing while its API does not answer', () => {
    boot('endpoint https://192.0.2.9:6443');
    const out = asked('cart.shop.svc.cluster.local');
    expect([status(out), section(out, 'AUTHORITY').split(' ').includes('0')]).toEqual(['SERVFAIL', true]);
  });

  it('keeps the zone as it was asked for in targets, and TXT only where there is something', () => {
    boot();
    expect(section(asked('cart.shop.svc.Cluster.LOCAL SRV'), 'ANSWER')).toContain('80 cart.shop.svc.Cluster.LOCAL.');
    expect(['cart.shop.svc', 'svc', 'ns.dns'].map(n => status(asked(`${n}.cluster.local TXT`)))).toEqual([
      'NOERROR',
      'NXDOMAIN',
      'NXDOMAIN',
    ]);
  });
});

it('k8s_external counts changes of Services that have outside addresses, from its own start', () => {
  boot('', 'k8s_external out.test');
  const serial = () => Number(/\. (\d+) 7200/.exec(asked('out.test SOA'))?.[1]);
  expect(serial()).toBe(0);
  service('cart', { clusterIP: '10.96.1.1', ports: [] });
  expect(serial()).toBe(0);
  service('front', { clusterIP: '10.96.1.2', externalIPs: ['192.0.2.8'], ports: [{ port: 80 }] });
  expect(serial()).toBe(Math.floor(h.sim.nowMs / 1000));
});

it('forward gives a first connection to nowhere more time than the query has, and one over UDP five seconds', () => {
  bootCoredns(h, server, '. {\n errors\n forward . 10.0.0.77 {\n  force_tcp\n }\n}\nu.test {\n forward . 10.0.0.77\n}\n', {});
  // Packets to it go to a machine that is not there.
  const netns = h.server.kernel.netns.get('')!;
  setNeigh(netns, ip('10.0.0.77'), linkByName(netns, 'eth0')!, '02:00:00:00:00:77');
  const words = '+tries=1 +time=12 +tcp';
  expect(asked(`a.test ${words}`)).toContain('timed out');
  expect(status(asked(`a.u.test ${words.replace(' +tcp', '')}`))).toBe('SERVFAIL');
});

it('the cache keeps nothing for less than five seconds, and what has no time of its own for five', () => {
  boot('', 'cache 30');
  const ttl = (words: string) => Number(/\s(\d+)\sIN/.exec(section(asked(words), 'ANSWER') || section(asked(words), 'AUTHORITY'))?.[1]);
  expect([ttl('now.z.test'), ttl('z.test SOA')]).toEqual([5, 30]);
});

describe('glibc', () => {
  const conf = (options: string) =>
    files(
      { '/etc/resolv.conf': `nameserver 10.0.0.1\nsearch shop.svc.cluster.local\noptions ndots:2 attempts:1 ${options}\n` },
      h.client.fs,
    );

  it('names what led to an address, without final dots', () => {
    boot();
    conf('');
    expect(run(h, getent, 'getent hosts www.z.test.').out).toBe('192.0.2.4       now.z.test www.z.test\n');
    expect(run(h, getent, 'getent hosts cart.shop.svc.cluster.local.').out).toBe('10.96.1.1       cart.shop.svc.cluster.local\n');
  });

  it('gives IPv4 addresses in the form of IPv6 where there are no others', () => {
    boot();
    conf('');
    expect(run(h, getent, 'getent ahostsv6 cart').out).toContain('::ffff:10.96.1.1 STREAM cart.shop.svc.cluster.local\n');
  });

  it.each([
    ['edns0', 'cart', ['AAAA cart.shop.svc.cluster.local. 1200', 'AAAA cart. 1200', 'A cart.shop.svc.cluster.local. 1200']],
    ['no-aaaa', 'cart', ['A cart.shop.svc.cluster.local. 512', 'A cart. 512', 'A cart.shop.svc.cluster.local. 512']],
    ['no-tld-query', 'nobody', ['AAAA nobody.shop.svc.cluster.local. 512', 'A nobody.shop.svc.cluster.local. 512']],
  ])('option %s', (option, name, questions) => {
    const dns = boot('', 'log');
    conf(option);
    run(h, getent, `getent hosts ${name}`);
    const seen = [...dns.out().matchAll(/"(\w+) IN (\S+) udp \d+ false (\d+)"/g)].map(m => `${m[1]} ${m[2]} ${m[3]}`);
    expect(seen).toEqual(questions);
  });
});
