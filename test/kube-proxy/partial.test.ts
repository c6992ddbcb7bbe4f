// Syncs that write only what changed end where one that writes everything does.
import { describe, expect, it } from 'vitest';
import { commit } from '../../src/apiserver/store.ts';
import { newKubeProxy, syncProxyRules } from '../../src/kube-proxy/proxy.ts';
import type { KubeProxy } from '../../src/kube-proxy/types.ts';
import { lookAt } from '../../src/linux/due.ts';
import { runNft } from '../../src/linux/netfilter/nft/commands.ts';
import { restore } from '../../src/linux/netfilter/restore.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import type { Netns } from '../../src/linux/types.ts';
import { below, newRandom, type Random } from '../../src/sim/random.ts';
import { settle } from '../../src/sim/sim.ts';
import { formatIp } from '../../src/wire/ip.ts';
import { pass, tcp } from '../linux/netfilter/world.ts';
import { type Fixture, fixture, NODE, put, SLICES, service, slice } from './cluster.ts';

/** Without counters, and without what rules have put into sets. */
const text = (ns: Netns): string =>
  ([4, 6] as const)
    .map(f => save(ns, f))
    .join('')
    .replace(/^#.*\n/gm, '')
    .replace(/ \[\d+:\d+\]$/gm, '') + runNft(ns, 'list ruleset\n').out.replace(/^\t\telements = \{ 172\.20\.0\.9.*\n/gm, '');

/** A Service that came later stands later. */
const sorted = (ns: Netns): string[] => text(ns).split('\n').sort();

const COUNT = 30;
const clusterIP = (i: number) => `10.60.7.${i + 1}`;

/**
 * One Service and its endpoints as a throw of the dice makes them, or nothing of it. `few`: the cluster never becomes a large one;
 * `shared`: two Services may have one address, which is the later one's.
 */
function change(r: Random, f: Fixture, i: number, few: boolean, shared: boolean): void {
  const name = `svc-${i}`;
  if (f.server.store.buckets.get('services')?.objects.has(`shop/${name}`) && !below(r, 5)) {
    commit(f.server, 'services', `shop/${name}`, null);
    return;
  }
  const many = !few && !below(r, 3);
  const endpoints = Array.from({ length: many ? 60 : below(r, 4) }, (_, k) => ({
    ip: `10.50.${many ? 9 : 1 + below(r, 2)}.${many ? k : 1 + below(r, 6)}`,
    node: below(r, 2) ? NODE : 'other',
    conditions: { ready: below(r, 4) > 0, serving: true, terminating: false },
  }));
  put(
    f.server,
    SLICES,
    slice(name, endpoints, [
      { name: 'web', protocol: 'TCP', port: 8080 },
      { name: 'say', protocol: 'UDP', port: 53 },
    ]),
  );
  if (below(r, 2)) return;
  const ports = [
    { name: 'web', protocol: 'TCP', port: 80, nodePort: 30_000 + i },
    { name: 'say', protocol: 'UDP', port: 53, nodePort: 31_000 + i },
  ];
  const spec = {
    type: ['ClusterIP', 'NodePort', 'LoadBalancer'][below(r, 3)],
    clusterIP: clusterIP(i),
    ports: ports.slice(0, 1 + below(r, 2)),
    externalIPs: below(r, 3) ? undefined : [`198.51.100.${shared ? below(r, 4) : i + 10}`],
    internalTrafficPolicy: below(r, 3) ? 'Cluster' : 'Local',
    externalTrafficPolicy: below(r, 2) ? 'Cluster' : 'Local',
    healthCheckNodePort: 32_000 + i,
    loadBalancerSourceRanges: below(r, 2) ? ['203.0.113.0/24'] : undefined,
    ...(below(r, 3) ? {} : { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }),
  };
  const status = spec.type === 'LoadBalancer' ? { loadBalancer: { ingress: [{ ip: `198.51.100.${100 + i}` }] } } : undefined;
  put(f.server, 'services', service(name, spec, { status }));
}

/** How a connection from outside to a Service's address fares. */
function way(f: Fixture, to: string, sport: number): string {
  const link = [...f.ns.links.values()].find(l => l.name === 'eth0') ?? null;
  lookAt(f.ns);
  const inside = { ns: f.ns, inside: link!, outside: link! };
  const went = pass(inside, tcp('172.20.0.9', sport, to, 80), ['PREROUTING', 'FORWARD'], { in: link, out: link });
  return `${went.verdict} ${formatIp(went.packet.dst) === to ? 'there' : 'translated'}`;
}

/** Everything is written again, and then what waits for the sync after. */
function syncAll(f: Fixture, proxy: KubeProxy): void {
  for (const p of proxy.proxiers) p.dirty = null;
  for (let i = 0; i < 2; i++) {
    f.sim.nowMs += 40_000;
    syncProxyRules(proxy);
    lookAt(f.ns);
  }
}

/** Somebody writes into a chain of kube-proxy's, which is whole again after the next sync. */
function tamper(ns: Netns): void {
  const rule = '*nat\n-I KUBE-SERVICES 2 -d 192.0.2.7/32 -j RETURN\nCOMMIT\n';
  if (save(ns, 4).split('-A KUBE-SERVICES').length > 3) expect(restore(ns, 4, rule, { noflush: true, check: true })).toBeNull();
}

describe.each(['iptables', 'nftables'] as const)('partial syncs in %s mode', mode => {
  it.each([1, 2, 3, 4])('end where a full one does (%i)', seed => {
    const r = newRandom(seed);
    const f = fixture();
    for (let i = 0; i < COUNT; i++) if (below(r, 2)) change(r, f, i, seed < 3, seed % 2 === 0);
    const proxy = newKubeProxy(f.server, NODE, f.ns, { mode, clusterCIDR: '10.50.0.0/16' });
    lookAt(f.ns);
    for (let round = 0; round < 25; round++) {
      for (let n = 1 + below(r, 3); n > 0; n--) change(r, f, below(r, COUNT), seed < 3, seed % 2 === 0);
      if (below(r, 3)) settle(f.sim, 1000 + below(r, 3000));
      // Between a sync and the first look at what it wrote more may change.
      if (below(r, 3)) way(f, clusterIP(below(r, COUNT)), 1000 + round);
      if (mode === 'iptables' && !below(r, 8)) tamper(f.ns);
    }
    settle(f.sim, 5000);
    const ways = (sport: number) => Array.from({ length: COUNT }, (_, i) => way(f, clusterIP(i), sport));
    const before = ways(5000);
    f.sim.nowMs += 40_000;
    for (const p of proxy.proxiers) p.dirty ??= new Set();
    syncProxyRules(proxy);
    lookAt(f.ns);
    const partly = text(f.ns);
    // A process that knows nothing of what was.
    const full = { ...f, ns: fixture().ns };
    newKubeProxy(f.server, NODE, full.ns, { mode, clusterCIDR: '10.50.0.0/16' });
    lookAt(full.ns);
    if (seed % 2) expect(sorted(f.ns)).toEqual(sorted(full.ns));
    syncAll(f, proxy);
    expect(text(f.ns)).toBe(partly);
    expect(before).toContain('ACCEPT translated');
    expect(ways(6000)).toEqual(before);
  });
});
