import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newKubeProxy, stopKubeProxy } from '../../src/kube-proxy/proxy.ts';
import { restore } from '../../src/linux/netfilter/restore.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import { fixture, NODE, put, SLICES, service, slice } from './cluster.ts';

const port = fc.record({
  protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
  port: fc.integer({ min: 1, max: 65_535 }),
  nodePort: fc.option(fc.integer({ min: 30_000, max: 32_767 }), { nil: undefined }),
});
const endpoint = fc.record({
  host: fc.integer({ min: 2, max: 250 }),
  local: fc.boolean(),
  conditions: fc.record({ ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() }),
});
const anyService = fc.record({
  type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
  ports: fc.array(port, { minLength: 1, maxLength: 3 }),
  endpoints: fc.array(endpoint, { maxLength: 6 }),
  external: fc.boolean(),
  internalLocal: fc.boolean(),
  externalLocal: fc.boolean(),
  affinity: fc.boolean(),
  ranges: fc.subarray(['203.0.113.0/24', '172.20.0.0/16', '0.0.0.0/0']),
});

function build(services: any[]) {
  const f = fixture();
  services.forEach((s, i) => {
    const name = `s${i}`;
    const ports = s.ports.map((p: any, n: number) => ({ name: `p${n}`, ...p, nodePort: s.type === 'ClusterIP' ? undefined : p.nodePort }));
    const spec = {
      type: s.type,
      clusterIP: `10.60.1.${i + 1}`,
      ports,
      externalIPs: s.external ? [`198.51.100.${i + 1}`] : undefined,
      internalTrafficPolicy: s.internalLocal ? 'Local' : 'Cluster',
      externalTrafficPolicy: s.externalLocal ? 'Local' : 'Cluster',
      loadBalancerSourceRanges: s.ranges,
      ...(s.affinity ? { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } } : {}),
    };
    const status = s.type === 'LoadBalancer' ? { loadBalancer: { ingress: [{ ip: `198.51.100.${100 + i}` }] } } : undefined;
    put(f.server, 'services', service(name, spec, { status }));
    const endpoints = s.endpoints.map((e: any) => ({
      ip: `10.50.${e.local ? 1 : 2}.${e.host}`,
      node: e.local ? NODE : 'other',
      conditions: e.conditions,
    }));
    put(
      f.server,
      SLICES,
      slice(
        name,
        endpoints,
        ports.map((p: any) => ({ name: p.name, protocol: p.protocol, port: 8080 })),
      ),
    );
  });
  stopKubeProxy(newKubeProxy(f.server, NODE, f.ns, { clusterCIDR: '10.50.0.0/16' }));
  return f;
}

it('any Services give rules that restore cleanly, and the same ones every time', () => {
  fc.assert(
    fc.property(fc.array(anyService, { maxLength: 5 }), services => {
      const { ns } = build(services);
      const first = save(ns, 4);
      expect(save(build(services).ns, 4)).toBe(first);
      const other = fixture().ns;
      for (const counter of ns.netfilter.nfacct) other.netfilter.nfacct.add(counter);
      expect(restore(other, 4, first, { check: true })).toBeNull();
      expect(save(other, 4)).toBe(first);
      // Every jump leads somewhere, and every chain of a Service is reached.
      const chains = new Set([...first.matchAll(/^:(KUBE-(?:SVC|SVL|SEP|EXT|FW)-\S+)/gm)].map(m => m[1]));
      const jumps = new Set([...first.matchAll(/-j (KUBE-(?:SVC|SVL|SEP|EXT|FW)-\S+)/g)].map(m => m[1]));
      expect([...jumps].filter(j => !chains.has(j))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
