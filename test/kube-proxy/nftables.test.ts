import { expect, it } from 'vitest';
import { newKubeProxy, snapshotKubeProxy, stopKubeProxy } from '../../src/kube-proxy/proxy.ts';
import { runNft } from '../../src/linux/netfilter/nft/commands.ts';
import { tablesOf } from '../../src/linux/netfilter/nft/hooks.ts';
import type { Netns } from '../../src/linux/types.ts';
import { runUntil, settle } from '../../src/sim/sim.ts';
import { fixture, NODE, put, SLICES, service, slice } from './cluster.ts';

const CONFIG = { mode: 'nftables', clusterCIDR: '10.50.0.0/16' } as const;

const listed = (ns: Netns): string => runNft(ns, 'list table ip kube-proxy\n').out;
const block = (ns: Netns, head: string): string => new RegExp(`\\t${head} \\{\\n([^]*?)\\t\\}`).exec(listed(ns))?.[1] ?? '(none)';

function proxied(svc = service('cart', { ports: [{ name: 'web', protocol: 'TCP', port: 80, nodePort: 31000 }], type: 'NodePort' })) {
  const f = fixture();
  put(f.server, 'services', svc);
  put(f.server, SLICES, slice('cart', [{ ip: '10.50.1.9', node: NODE }, { ip: '10.50.2.3' }]));
  return { ...f, proxy: newKubeProxy(f.server, NODE, f.ns, CONFIG) };
}

it('dispatches by maps and chooses by one rule', () => {
  const { ns } = proxied();
  const chain = /chain (service-\w{8}-shop\/cart\/tcp\/web) \{\n\t\t(.*)\n/.exec(listed(ns));
  expect(chain?.[2]).toBe('meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.50.1.9 . 8080, 1 : 10.50.2.3 . 8080 }');
  expect(block(ns, 'map service-ips')).toContain(`10.60.0.10 . tcp . 80 : goto ${chain?.[1]}`);
  expect(block(ns, 'map service-nodeports')).toContain('tcp . 31000 : goto external-');
  expect(block(ns, 'set nodeport-ips')).toContain('172.20.0.11');
  expect(block(ns, 'set hairpin-connections')).toContain('10.50.1.9 . 10.50.1.9 . tcp . 8080');
});

it('empties the chains of a Service that is gone, and deletes them with the sync after', () => {
  const { ns, server, sim } = proxied();
  put(server, 'services', service('cart', { type: 'ExternalName' }));
  settle(sim, 5000);
  expect(block(ns, 'chain service-\\S+/\\S+')).toBe('');
  expect(listed(ns)).not.toContain('10.60.0.10');
  sim.nowMs += 5000;
  put(server, 'services', service('other', { clusterIP: '10.60.0.11' }));
  settle(sim, 5000);
  expect(listed(ns)).not.toContain('shop/cart');
  expect(block(ns, 'map no-endpoint-services')).toContain('10.60.0.11 . tcp . 80 comment "shop/other:web" : goto reject-chain');
});

it('ends a partial sync where a full one does', () => {
  const partial = proxied();
  const affine = service('cart', { sessionAffinity: 'ClientIP', internalTrafficPolicy: 'Local' });
  put(partial.server, 'services', affine);
  settle(partial.sim, 5000);
  partial.sim.nowMs += 5000;
  put(partial.server, 'services', service('spare', { clusterIP: '10.60.0.12' }));
  settle(partial.sim, 5000);
  const full = proxied(affine);
  put(full.server, 'services', service('spare', { clusterIP: '10.60.0.12' }));
  settle(full.sim, 5000);
  const blocks = (ns: Netns) =>
    listed(ns)
      .split('\n\n')
      .map(b => b.replace(/^table .*\n\tcomment .*\n|\n\}\n$/g, ''))
      .sort();
  expect(blocks(partial.ns)).toEqual(blocks(full.ns));
});

it('goes on where another process stopped', () => {
  const { ns, server, proxy } = proxied();
  const snapshot = snapshotKubeProxy(proxy);
  stopKubeProxy(proxy);
  const chain = /chain (service-\S+\/\S+)/.exec(listed(ns))?.[1];
  runNft(ns, `add rule ip kube-proxy ${chain} counter\n`);
  stopKubeProxy(newKubeProxy(server, NODE, ns, CONFIG, { adopt: snapshot }));
  expect(block(ns, `chain ${chain}`)).toContain('counter');
  put(server, 'services', service('cart', { clusterIP: '10.60.0.99' }));
  stopKubeProxy(newKubeProxy(server, NODE, ns, CONFIG, { adopt: snapshot }));
  expect(block(ns, `chain ${chain}`)).not.toContain('counter');
  expect(block(ns, 'set cluster-ips')).toContain('10.60.0.99');
});

it('a process that follows another leaves the chains that the sync between them emptied', () => {
  const f = fixture();

  put(f.server, 'services', service('gone', {}));
  put(f.server, SLICES, slice('gone', [{ ip: '10.50.1.2', node: NODE }]));
  const first = newKubeProxy(f.server, NODE, f.ns, CONFIG);
  const before = snapshotKubeProxy(first);
  stopKubeProxy(first);
  const chains = (ns: typeof f.ns) =>
    [
      ...(tablesOf(ns)
        .find(t => t.name === 'kube-proxy' && t.family === 'ip')
        ?.chains.values() ?? []),
    ]
      .filter(c => c.name.includes('shop/gone'))
      .map(c => c.rules.length > 0);
  expect(chains(f.ns)).toEqual([true]);
  const g = fixture();
  const second = newKubeProxy(g.server, NODE, g.ns, CONFIG, { before });
  expect(chains(g.ns)).toEqual([false]);
  // The next sync that comes more than a second later deletes them.
  runUntil(g.sim, () => false, g.sim.nowMs + 3000);
  put(g.server, 'services', service('other', {}));
  runUntil(g.sim, () => false, g.sim.nowMs + 3000);
  expect(chains(g.ns)).toEqual([]);
  stopKubeProxy(second);
});
