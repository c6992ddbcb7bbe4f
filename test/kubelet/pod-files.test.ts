import { describe, expect, it } from 'vitest';
import {
  type DnsInput,
  fitLimits,
  hostNetworkHosts,
  managedHosts,
  parseResolvConf,
  podDns,
  resolvConf,
} from '../../src/kubelet/pod-files.ts';

const HOST = parseResolvConf('search corp.example.\nnameserver 192.0.2.1\noptions timeout:2\n');

function written(input: Partial<DnsInput>): string {
  const dns = podDns({ namespace: 'shop', policy: 'ClusterFirst', hostNetwork: false, ...input }, HOST, ['10.96.0.10'], 'cluster.local');
  fitLimits(dns);
  return resolvConf(dns);
}

describe('resolv.conf', () => {
  it('ClusterFirst asks the cluster, with the namespace first and the host behind', () => {
    expect(written({})).toBe(
      'search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.96.0.10\noptions ndots:5\n',
    );
  });

  it("is the host's for Default, and for ClusterFirst on the host network", () => {
    const host = 'search corp.example\nnameserver 192.0.2.1\noptions timeout:2\n';
    expect(written({ policy: 'Default' })).toBe(host);
    expect(written({ hostNetwork: true })).toBe(host);
    expect(written({ hostNetwork: true, policy: 'ClusterFirstWithHostNet' })).toContain('nameserver 10.96.0.10');
  });

  it('None has only what dnsConfig says', () => {
    expect(
      written({
        policy: 'None',
        dnsConfig: { nameservers: ['198.51.100.1'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
      }),
    ).toBe('nameserver 198.51.100.1\noptions ndots:2 edns0\n');
  });

  it('dnsConfig adds, and its options win', () => {
    const dnsConfig = {
      nameservers: ['198.51.100.1', '10.96.0.10'],
      searches: ['x.example', 'cluster.local'],
      options: [{ name: 'ndots', value: '1' }],
    };
    expect(written({ dnsConfig })).toBe(
      'search shop.svc.cluster.local svc.cluster.local cluster.local corp.example x.example\nnameserver 10.96.0.10\nnameserver 198.51.100.1\noptions ndots:1\n',
    );
  });

  it('takes three name servers, and says which', () => {
    const dns = { servers: ['1', '2', '3', '4'], searches: [], options: [] };
    expect(fitLimits(dns)).toEqual([
      'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1 2 3',
    ]);
    expect(dns.servers).toEqual(['1', '2', '3']);
  });
});

describe('hosts', () => {
  it('names the pod by all its addresses, with its domain and aliases', () => {
    const text = managedHosts({
      ips: ['10.1.0.2', 'fd00::2'],
      hostname: 'a',
      domain: 'sub.shop.svc.cluster.local',
      hostAliases: [{ ip: '192.0.2.9', hostnames: ['old', 'older'] }],
    });
    expect(text.split('\n').slice(7)).toEqual([
      '10.1.0.2\ta.sub.shop.svc.cluster.local\ta',
      'fd00::2\ta.sub.shop.svc.cluster.local\ta',
      '',
      '# Entries added by HostAliases.',
      '192.0.2.9\told\tolder',
      '',
    ]);
  });

  it("is the node's on the host network", () => {
    expect(hostNetworkHosts('127.0.0.1\tlocalhost\n')).toBe('# Kubernetes-managed hosts file (host network).\n127.0.0.1\tlocalhost\n');
  });
});
