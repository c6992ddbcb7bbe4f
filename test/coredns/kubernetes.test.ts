import { beforeEach, describe, expect, it } from 'vitest';
import { putObject } from '../../src/apiserver/put.ts';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { corednsProgram } from '../../src/coredns/program.ts';
import type { Process, Program } from '../../src/linux/types.ts';
import { newFile, place } from '../../src/linux/vfs.ts';
import { newRandom } from '../../src/sim/random.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { exchangeUdp, failed } from '../../src/userland/net/dns-client.ts';
import type { DnsMessage, RrType } from '../../src/wire/dns.ts';
import { newMessage } from '../../src/wire/dns-codec.ts';
import { formatIp, ip } from '../../src/wire/ip.ts';
import { type Hosts, run, start, twoHosts } from '../userland/hosts.ts';

const COREFILE = `.:53 {
    errors
    log
    kubernetes cluster.local in-addr.arpa {
       pods insecure
       fallthrough in-addr.arpa
       ttl 30
    }
    cache 30
    loadbalance
}
`;

let h: Hosts;
let server: ApiServer;
let dns: ReturnType<typeof start>;

const put = (o: Partial<KubeObject> & { kind: string }, apiVersion = 'v1') => putObject(server, { apiVersion, ...o } as KubeObject);

function service(name: string, spec: object) {
  put({ kind: 'Service', metadata: { name, namespace: 'shop' }, spec: { type: 'ClusterIP', ...spec } });
}

function slice(of: string, endpoints: object[], ports: object[] = [{ name: 'http', port: 8080, protocol: 'TCP' }]) {
  const metadata = { name: `${of}-abcde`, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } };
  put({ kind: 'EndpointSlice', metadata, addressType: 'IPv4', endpoints, ports }, 'discovery.k8s.io/v1');
}

beforeEach(() => {
  h = twoHosts();
  server = newApiServer(h.sim, newRandom(1));
  put({ kind: 'Namespace', metadata: { name: 'shop' } });
  service('cart', { clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] });
  service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] });
  slice(
    'db',
    [
      { addresses: ['10.244.1.5'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.244.2.6'], conditions: { ready: false } },
    ],
    [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  );
  service('empty', { clusterIP: 'None', clusterIPs: ['None'], ports: [] });
  service('elsewhere', { type: 'ExternalName', externalName: 'cart.shop.svc.cluster.local' });
});

function boot(corefile = COREFILE) {
  place(h.server.fs, '/Corefile', newFile(corefile));
  dns = start(h, h.server, corednsProgram(server), ['coredns', '-conf', '/Corefile']);
}

function ask(name: string, type: RrType = 'A'): DnsMessage {
  let reply: DnsMessage | null = null;
  const program = (): Program =>
    function* (p: Process) {
      const got = yield* exchangeUdp(p, ip('10.0.0.1'), newMessage(7, name, type), { timeoutMs: 2000 });
      if (!failed(got)) reply = got.message;
      return 0;
    };
  run(h, program, 'ask');
  if (!reply) throw new Error(`no reply for ${name}`);
  return reply;
}

const addresses = (m: DnsMessage) =>
  m.answers.map(r => ('ip' in r.data ? formatIp(r.data.ip) : 'host' in r.data ? r.data.host : JSON.stringify(r.data)));

describe('the kubernetes plugin', () => {
  it('answers a Service by its cluster IP, with authority and the plugin’s TTL', () => {
    boot();
    const m = ask('cart.shop.svc.cluster.local.');
    expect(addresses(m)).toEqual(['10.96.1.1']);
    expect([m.aa, m.rcode, m.answers[0].ttl]).toEqual([true, 'NOERROR', 30]);
  });

  it('follows the API at once: an address that changed, a Service that went', () => {
    boot(COREFILE.replace('cache 30', ''));
    service('cart', { clusterIP: '10.96.9.9', clusterIPs: ['10.96.9.9'], ports: [{ port: 80 }] });
    expect(addresses(ask('cart.shop.svc.cluster.local.'))).toEqual(['10.96.9.9']);
  });

  it('answers a headless Service by its ready endpoints and their names', () => {
    boot();
    expect(addresses(ask('db.shop.svc.cluster.local.'))).toEqual(['10.244.1.5']);
    expect(addresses(ask('db-0.db.shop.svc.cluster.local.'))).toEqual(['10.244.1.5']);
    const srv = ask('_sql._tcp.db.shop.svc.cluster.local.', 'SRV');
    expect(srv.answers[0].data).toEqual({ priority: 0, weight: 100, port: 5432, target: 'db-0.db.shop.svc.cluster.local.' });
    expect(addresses({ ...srv, answers: srv.additional })).toEqual(['10.244.1.5']);
  });

  it('knows what is not there from what has no such record', () => {
    boot();
    expect(ask('nobody.shop.svc.cluster.local.').rcode).toBe('NXDOMAIN');
    expect(ask('cart.nowhere.svc.cluster.local.').rcode).toBe('NXDOMAIN');
    const nodata = ask('cart.shop.svc.cluster.local.', 'AAAA');
    expect([nodata.rcode, nodata.answers.length, nodata.authority[0].type]).toEqual(['NOERROR', 0, 'SOA']);
    expect(ask('shop.svc.cluster.local.').rcode).toBe('NOERROR');
  });

  it('resolves names of pods, addresses backwards, and aliases', () => {
    boot();
    expect(addresses(ask('10-244-1-5.shop.pod.cluster.local.'))).toEqual(['10.244.1.5']);
    expect(addresses(ask('5.1.244.10.in-addr.arpa.', 'PTR'))).toEqual(['db-0.db.shop.svc.cluster.local.']);
    expect(addresses(ask('1.1.96.10.in-addr.arpa.', 'PTR'))).toEqual(['cart.shop.svc.cluster.local.']);
    expect(addresses(ask('elsewhere.shop.svc.cluster.local.'))).toEqual(['cart.shop.svc.cluster.local.', '10.96.1.1']);
  });

  it('refuses names that no zone of its takes', () => {
    boot(COREFILE.replace('.:53', 'cluster.local:53'));
    expect(ask('example.com.').rcode).toBe('REFUSED');
  });
});

describe('the process', () => {
  it('says where its zones are, and each query when asked to', () => {
    boot();
    ask('cart.shop.svc.cluster.local.');
    expect(dns.out()).toContain('.:53\nCoreDNS-1.14.2\n');
    expect(dns.out()).toMatch(
      /\[INFO\] 10\.0\.0\.2:\d+ - 7 "A IN cart\.shop\.svc\.cluster\.local\. udp 45 false 512" NOERROR qr,aa,rd \d+ [\d.]+s\n/,
    );
  });

  it('ends with the line of a mistake in its Corefile', () => {
    boot('.:53 {\n    errors\n    kubernets cluster.local\n}\n');
    runUntil(h.sim, () => dns.process.exitCode !== null, h.sim.nowMs + 1000);
    expect(dns.process.exitCode).toBe(1);
    expect(dns.err()).toBe("/Corefile:3 - Error during parsing: Unknown directive 'kubernets'\n");
  });

  it('takes a changed Corefile within a minute, when reload is on', () => {
    boot(`.:53 {\n    reload\n    ready\n    kubernetes cluster.local\n}\n`);
    expect(ask('10-244-1-5.shop.pod.cluster.local.').rcode).toBe('NXDOMAIN');
    place(h.server.fs, '/Corefile', newFile(`.:53 {\n    reload\n    ready\n    kubernetes cluster.local {\n pods insecure\n}\n}\n`));
    runUntil(h.sim, () => false, h.sim.nowMs + 60_000);
    expect(addresses(ask('10-244-1-5.shop.pod.cluster.local.'))).toEqual(['10.244.1.5']);
    // Neither the zones nor the version again, and the ports are free for the new instance.
    expect(dns.out().replace(/SHA512 = \w+/g, 'SHA512')).toMatch(
      /amd64, go[\d.]+, \n\[INFO\] Reloading\n\[INFO\] plugin\/reload: Running configuration SHA512\n\[INFO\] Reloading complete\n$/,
    );
  });
});
