import { describe, expect, it } from 'vitest';
import { writeKubeletChains } from '../../src/kube-proxy/iptables/proxier.ts';
import { chainHash } from '../../src/kube-proxy/names.ts';
import { newKubeProxy, stopKubeProxy, syncProxyRules } from '../../src/kube-proxy/proxy.ts';
import { lookAt } from '../../src/linux/due.ts';
import { insertEntry, liveEntries } from '../../src/linux/netfilter/conntrack.ts';
import { restore } from '../../src/linux/netfilter/restore.ts';
import { runUntil, settle } from '../../src/sim/sim.ts';
import { ip } from '../../src/wire/ip.ts';
import { allRules, fixture, NODE, put, rules, SLICES, service, slice } from './cluster.ts';

const CONFIG = { clusterCIDR: '10.50.0.0/16' };

function proxied(svc: ReturnType<typeof service>, ...slices: ReturnType<typeof slice>[]) {
  const f = fixture();
  writeKubeletChains(f.ns);
  put(f.server, 'services', svc);
  for (const s of slices) put(f.server, SLICES, s);
  return { ...f, proxy: newKubeProxy(f.server, NODE, f.ns, CONFIG) };
}

describe('the names of chains', () => {
  it('are those of upstream (pkg/proxy/iptables/proxier_test.go)', () => {
    expect(chainHash('ns1/svc1:p80tcp')).toBe('XPGD46QRK7WJZT7O');
    expect(chainHash('ns1/svc1:p80tcp10.180.0.1:80')).toBe('SXIVWICOYRO3J4NJ');
  });
});

describe('a ClusterIP Service', () => {
  it('spreads its endpoints by probabilities, sorted as text', () => {
    const { ns } = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }, { ip: '10.50.1.10' }, { ip: '10.50.2.3' }]));
    const hash = chainHash('shop/cart:webtcp');
    expect(rules(ns, new RegExp(`^-A KUBE-SVC-${hash}`)).map(l => l.replace(/KUBE-SEP-\w+/, 'SEP'))).toEqual([
      `-A KUBE-SVC-${hash} ! -s 10.50.0.0/16 -d 10.60.0.10/32 -p tcp -m comment --comment "shop/cart:web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`,
      `-A KUBE-SVC-${hash} -m comment --comment "shop/cart:web -> 10.50.1.10:8080" -m statistic --mode random --probability 0.33333333349 -j SEP`,
      `-A KUBE-SVC-${hash} -m comment --comment "shop/cart:web -> 10.50.1.9:8080" -m statistic --mode random --probability 0.50000000000 -j SEP`,
      `-A KUBE-SVC-${hash} -m comment --comment "shop/cart:web -> 10.50.2.3:8080" -j SEP`,
    ]);
  });

  it('refuses when it has no endpoints, and has no chains then', () => {
    const { ns } = proxied(service('cart', {}));
    expect(rules(ns, /shop\/cart/)).toEqual([
      '-A KUBE-SERVICES -d 10.60.0.10/32 -p tcp -m comment --comment "shop/cart:web has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    ]);
  });

  it('keeps clients to their endpoint with sessionAffinity', () => {
    const affinity = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 90 } } };
    const { ns } = proxied(service('cart', affinity), slice('cart', [{ ip: '10.50.1.9' }]));
    const sep = `KUBE-SEP-${chainHash('shop/cart:webtcp10.50.1.9:8080')}`;
    expect(rules(ns, /-m recent/).map(l => l.replaceAll(sep, 'SEP'))).toEqual([
      '-A SEP -p tcp -m comment --comment "shop/cart:web" -m recent --set --name SEP --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.50.1.9:8080',
      expect.stringContaining('-m recent --rcheck --seconds 90 --reap --name SEP --mask 255.255.255.255 --rsource -j SEP'),
    ]);
  });

  it('is not seen with a service-proxy-name label', () => {
    const svc = service('cart', {});
    svc.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'other' };
    expect(rules(proxied(svc, slice('cart', [{ ip: '10.50.1.9' }])).ns, /cart/)).toEqual([]);
  });
});

describe('external traffic', () => {
  const lb = (spec = {}) =>
    service(
      'web',
      { type: 'LoadBalancer', ports: [{ name: '', protocol: 'TCP', port: 443, nodePort: 31000 }], ...spec },
      { status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }, { ip: '198.51.100.8', ipMode: 'Proxy' }] } } },
    );
  const ports = [{ name: '', protocol: 'TCP', port: 8443 }];

  it('drops at nodes without endpoints under the Local policy, but serves the node and its pods', () => {
    const { ns } = proxied(
      lb({ externalTrafficPolicy: 'Local', healthCheckNodePort: 32000 }),
      slice('web', [{ ip: '10.50.2.3', node: 'other' }], ports),
    );
    const ext = `KUBE-EXT-${chainHash('shop/webtcp')}`;
    expect(rules(ns, new RegExp(`^-A ${ext}`)).map(l => l.replace(/KUBE-SVC-\w+/, 'SVC'))).toEqual([
      `-A ${ext} -s 10.50.0.0/16 -m comment --comment "pod traffic for shop/web external destinations" -j SVC`,
      `-A ${ext} -m comment --comment "masquerade LOCAL traffic for shop/web external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
      `-A ${ext} -m comment --comment "route LOCAL traffic for shop/web external destinations" -m addrtype --src-type LOCAL -j SVC`,
    ]);
    expect(rules(ns, /has no local endpoints/)).toHaveLength(2);
    expect(rules(ns, /health check node port/)).toHaveLength(1);
  });

  it('goes through the firewall chain with source ranges; a mode Proxy address has no rules', () => {
    const { ns } = proxied(
      lb({ loadBalancerSourceRanges: [' 203.0.113.0/24', '172.20.0.0/16'] }),
      slice('web', [{ ip: '10.50.2.3' }], ports),
    );
    const fw = `KUBE-FW-${chainHash('shop/webtcp')}`;
    expect(rules(ns, new RegExp(`^-A ${fw}`)).map(l => / (-s \S+ )?-m/.exec(l)?.[1] ?? '')).toEqual([
      '-s 203.0.113.0/24 ',
      '-s 172.20.0.0/16 ',
      '-s 198.51.100.7/32 ',
      '',
    ]);
    expect(rules(ns, /198\.51\.100\.8/)).toEqual([]);
    expect(rules(ns, /KUBE-PROXY-FIREWALL -d/)).toHaveLength(1);
  });
});

describe('keeping in step', () => {
  it('removes chains of a Service that is gone and leaves those of others alone', () => {
    const f = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }]));
    put(f.server, 'services', service('other', { clusterIP: '10.60.0.11' }));
    put(f.server, SLICES, slice('other', [{ ip: '10.50.1.20' }]));
    settle(f.sim, 10_000);
    const both = allRules(f.ns);
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.1.9' }, { ip: '10.50.3.3' }]));
    settle(f.sim, 10_000);
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.1.9' }]));
    settle(f.sim, 10_000);
    expect(allRules(f.ns)).toEqual(both);
  });

  it('ends in the same rules by partial syncs as by a full one', () => {
    const f = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }]));
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.4.4' }]));
    settle(f.sim, 10_000);
    const partial = allRules(f.ns);
    for (const p of f.proxy.proxiers) p.dirty = null;
    syncProxyRules(f.proxy);
    expect(allRules(f.ns)).toEqual(partial);
  });

  it('shows whoever looks late the rules as of the last sync, not what came since', () => {
    const f = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }]));
    runUntil(f.sim, () => false, f.sim.nowMs + 2000);
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.1.10' }]));
    runUntil(f.sim, () => false, f.sim.nowMs + 1);
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.1.11' }]));
    runUntil(f.sim, () => false, f.sim.nowMs + 500);
    const targets = () => rules(f.ns, /--to-destination/).map(l => l.replace(/.*destination /, ''));
    expect(targets()).toEqual(['10.50.1.10:8080']);
    runUntil(f.sim, () => false, f.sim.nowMs + 1000);
    expect(targets()).toEqual(['10.50.1.11:8080']);
  });

  it('leaves behind what was due when it is stopped, though nobody had looked', () => {
    const f = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }]));
    expect(f.ns.netfilter.xt[4].get('nat')?.chains.has('KUBE-SERVICES') ?? false).toBe(false);
    stopKubeProxy(f.proxy);
    expect(rules(f.ns, /10\.50\.1\.9:8080/).length).toBeGreaterThan(0);
  });

  it('writes everything again when someone flushed the tables', () => {
    const f = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }]));
    const before = allRules(f.ns);
    restore(f.ns, 4, '*nat\nCOMMIT\n');
    expect(rules(f.ns, /shop\/cart/)).toEqual([]);
    runUntil(f.sim, () => false, f.sim.nowMs + 31_000);
    expect(allRules(f.ns)).toEqual(before);
  });

  it('sees that they were flushed even when a change is to be written first', () => {
    const f = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }]));
    const before = allRules(f.ns);
    restore(f.ns, 4, '*mangle\nCOMMIT\n*nat\nCOMMIT\n*filter\nCOMMIT\n');
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.1.8' }]));
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.1.9' }]));
    runUntil(f.sim, () => false, f.sim.nowMs + 31_000);
    expect(allRules(f.ns).filter(l => /KUBE-(?:SERVICES|MARK|SVC|SEP|POSTROUTING)/.test(l))).toEqual(
      before.filter(l => /KUBE-(?:SERVICES|MARK|SVC|SEP|POSTROUTING)/.test(l)),
    );
  });

  it('stops touching the kernel when it is stopped', () => {
    const f = proxied(service('cart', {}), slice('cart', [{ ip: '10.50.1.9' }]));
    stopKubeProxy(f.proxy);
    const before = allRules(f.ns);
    put(f.server, SLICES, slice('cart', [{ ip: '10.50.4.4' }]));
    settle(f.sim, 10_000);
    expect(allRules(f.ns)).toEqual(before);
  });

  it('drops UDP connections to endpoints that no longer serve', () => {
    const dns = [{ name: 'dns', protocol: 'UDP', port: 53 }];
    const f = proxied(
      service('dns', { ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] }),
      slice('dns', [{ ip: '10.50.1.9' }, { ip: '10.50.2.2' }], dns),
    );
    for (const [to, port] of [
      ['10.50.1.9', 5001],
      ['10.50.2.2', 5002],
    ] as const) {
      const original = { family: 4 as const, proto: 17, src: ip('10.50.1.77'), dst: ip('10.60.0.10'), sport: port, dport: 53 };
      const reply = { family: 4 as const, proto: 17, src: ip(to), dst: ip('10.50.1.77'), sport: 53, dport: port };
      insertEntry(f.ns, original, reply, { timeoutSeconds: 600 });
    }
    put(f.server, SLICES, slice('dns', [{ ip: '10.50.2.2' }], dns));
    settle(f.sim, 10_000);
    lookAt(f.ns);
    expect(liveEntries(f.ns).map(e => e.original.sport)).toEqual([5002]);
  });
});
