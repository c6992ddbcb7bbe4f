import { beforeEach, describe, expect, it } from 'vitest';
import { deleteObject } from '../../src/apiserver/client.ts';
import type { KubeProxyConfiguration } from '../../src/kube-proxy/configuration.ts';
import { newKubeProxy, stopKubeProxy, syncProxyRules } from '../../src/kube-proxy/proxy.ts';
import { findDest, ipvsOf } from '../../src/linux/ipvs/table.ts';
import { linkByName } from '../../src/linux/link.ts';
import { addressType } from '../../src/linux/route.ts';
import { formatIp, ip } from '../../src/wire/ip.ts';
import { type Fixture, fixture, NODE, put, rules, SLICES, service, slice } from './cluster.ts';

let f: Fixture;

beforeEach(() => {
  f = fixture();
});

const start = (config: KubeProxyConfiguration = {}) =>
  newKubeProxy(f.server, NODE, f.ns, { mode: 'ipvs', clusterCIDR: '10.50.0.0/16', ...config });

/** `TCP 10.60.0.10:80 rr` with its destinations. */
const table = (): Record<string, string[]> =>
  Object.fromEntries(
    [...ipvsOf(f.ns).services].map(([key, s]) => [
      `${key} ${s.scheduler}${s.persistentSeconds ? ` persistent ${s.persistentSeconds}` : ''}`,
      s.dests.map(d => `${formatIp(d.ip)}:${d.port}*${d.weight}`).sort(),
    ]),
  );
const set = (name: string): string[] => [...(f.ns.netfilter.ipsets.get(name)?.entries.keys() ?? [])].map(e => e.replace(',6:', ',tcp:'));
const bound = (): string[] => linkByName(f.ns, 'kube-ipvs0')!.addresses.map(a => `${formatIp(a.ip)}/${a.bits}`);

describe('what it writes', () => {
  it('a Service is a virtual service, its address is the node’s own, and a set names it', () => {
    put(f.server, 'services', service('a', { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }));
    put(
      f.server,
      SLICES,
      slice('a', [
        { ip: '10.50.1.2', node: NODE },
        { ip: '10.50.2.2', conditions: { ready: false } },
      ]),
    );
    start({ ipvs: { scheduler: 'lc' } });
    expect(table()).toEqual({ 'TCP 10.60.0.10:80 lc persistent 60': ['10.50.1.2:8080*1'] });
    expect(bound()).toEqual(['10.60.0.10/32']);
    expect(linkByName(f.ns, 'kube-ipvs0')!.up).toBe(false);
    expect(addressType(f.ns, ip('10.60.0.10'))).toBe('LOCAL');
    expect(set('KUBE-CLUSTER-IP')).toEqual(['10.60.0.10,tcp:80']);
    expect(set('KUBE-LOOP-BACK')).toEqual(['10.50.1.2,tcp:8080,10.50.1.2']);
    expect(rules(f.ns, /KUBE-CLUSTER-IP/)).toEqual([
      '-A KUBE-IPVS-FILTER -m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN',
      '-A KUBE-SERVICES ! -s 10.50.0.0/16 -m comment --comment "Kubernetes service cluster ip + port for masquerade purpose" -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ',
      '-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT',
    ]);
  });

  it('node ports, load balancers and their source ranges have sets of their own', () => {
    const ports = [{ name: 'web', protocol: 'TCP', port: 80, nodePort: 30080 }];
    const spec = { type: 'LoadBalancer', ports, externalTrafficPolicy: 'Local', loadBalancerSourceRanges: ['203.0.113.0/24'] };
    put(f.server, 'services', service('a', spec, { status: { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } } }));
    put(f.server, SLICES, slice('a', [{ ip: '10.50.1.2', node: NODE }, { ip: '10.50.2.2' }]));
    start();
    expect(table()).toEqual({
      'TCP 10.60.0.10:80 rr': ['10.50.1.2:8080*1', '10.50.2.2:8080*1'],
      'TCP 198.51.100.9:80 rr': ['10.50.1.2:8080*1'],
      'TCP 172.20.0.11:30080 rr': ['10.50.1.2:8080*1'],
    });
    expect(set('KUBE-NODE-PORT-TCP')).toEqual(set('KUBE-NODE-PORT-LOCAL-TCP'));
    expect(set('KUBE-LOAD-BALANCER-SOURCE-CIDR')).toEqual(['198.51.100.9,tcp:80,203.0.113.0/24']);
    expect(set('KUBE-LOAD-BALANCER-SOURCE-IP')).toEqual([]);
    // The node itself is in none of the ranges.
    expect(rules(f.ns, /KUBE-IPVS-OUT-FILTER -s/)).toEqual([
      '-A KUBE-IPVS-OUT-FILTER -s 198.51.100.9/32 -m ipvs --vaddr 198.51.100.9 --vproto 6 --vport 80 -j DROP',
    ]);
  });

  it('what is gone goes: services, addresses, entries; a destination with connections gets no new ones first', () => {
    put(f.server, 'services', service('a', {}));
    put(f.server, SLICES, slice('a', [{ ip: '10.50.1.2' }, { ip: '10.50.1.3' }]));
    const proxy = start();
    const s = ipvsOf(f.ns).services.get('TCP 10.60.0.10:80')!;
    findDest(s, '10.50.1.3:8080')!.activeConns = 1;
    put(f.server, SLICES, slice('a', []));
    syncProxyRules(proxy);
    expect(table()).toEqual({ 'TCP 10.60.0.10:80 rr': ['10.50.1.3:8080*0'] });
    deleteObject(f.server, 'services', 'shop', 'a');
    syncProxyRules(proxy);
    expect([table(), bound(), set('KUBE-CLUSTER-IP')]).toEqual([{}, [], []]);
    stopKubeProxy(proxy);
  });
});
