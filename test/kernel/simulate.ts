// The simulated side of a drawn cluster: built, broken and then standing still, with everything in it that the real side is made from.
import { listObjects } from '../../src/apiserver/store.ts';
import { clusterConfig } from '../../src/cluster/config.ts';
import { wakeNode } from '../../src/cluster/node.ts';
import type { addToPlaces } from '../../src/cluster/places.ts';
import { clientKernel } from '../../src/cluster/world.ts';
import { lookAt } from '../../src/linux/due.ts';
import { deleteEntries } from '../../src/linux/netfilter/conntrack.ts';
import type { Netns } from '../../src/linux/types.ts';
import { settle } from '../../src/sim/sim.ts';
import { formatIp, sameIp } from '../../src/wire/ip.ts';
import { type TestCluster, testCluster } from '../cluster/harness.ts';
import type { Drawing } from './draw.ts';
import type { Serving } from './orders.ts';

/** The simulated side, broken where the drawing says so, and with its clock's events gone: nothing changes any more but by packets. */
export async function simulate(d: Drawing): Promise<TestCluster> {
  const c = await testCluster(clusterConfig(d.config), d.seed);
  for (const batch of d.objects) {
    c.apply(...batch.flatMap(o => withAddresses(c, o)));
    c.rest();
  }
  for (const words of d.commands) c.kubectl(words);
  c.rest();
  for (const f of d.faults) c.node(f.node, f.argv);
  settle(c.sim, 5_000);
  for (const ns of places(c).keys()) lookAt(ns);
  settle(c.sim, 5_000);
  c.sim.heap = [];
  c.sim.foreground = 0;
  for (const ns of places(c).keys()) forgetTraffic(ns);
  return c;
}

/** What earlier packets left: the real side has had none. */
function forgetTraffic(ns: Netns): void {
  ns.neigh = ns.neigh.filter(n => n.state === 'PERMANENT' || n.proxy);
  for (const l of ns.links.values()) l.fdb = l.fdb.filter(e => e.permanent);
  deleteEntries(ns, () => true);
  ns.netfilter.recent.clear();
  ns.pmtu?.clear();
}

/** EndpointSlices that name pods become one of each family with the pods' addresses. */
function withAddresses(c: TestCluster, o: any): object[] {
  if (o.kind !== 'EndpointSlice') return [o];
  const ipsOf = (key: string): string[] => {
    const pod = listObjects(c.engine.server, 'pods').find(p => `${p.metadata.namespace}/${p.metadata.name}` === key.slice(1));
    return (pod?.status?.podIPs ?? []).map((i: any) => i.ip);
  };
  return c.engine.config.families.map(f => ({
    ...o,
    metadata: { ...o.metadata, name: `${o.metadata.name}-${f}` },
    addressType: `IPv${f}`,
    endpoints: o.endpoints
      .map((e: any) => ({ ...e, addresses: ipsOf(e.addresses[0]).filter(a => a.includes(':') === (f === 6)) }))
      .filter((e: any) => e.addresses.length),
  }));
}

/** Every namespace that takes part, under a name for people. */
export function places(c: TestCluster): Map<Netns, string> {
  const out = new Map<Netns, string>();
  const { engine } = c;
  for (const n of engine.nodes.values()) {
    const { cni } = wakeNode(n);
    out.set(cni.netns, n.spec.name);
    for (const [key, s] of cni.sandboxes) out.set(s.netns, key);
  }
  out.set(clientKernel(engine.world).netns.get('')!, 'client');
  out.set(engine.world.gateway.netns.get('')!, 'gateway');
  for (const [name, k] of engine.world.hosts) out.set(k.netns.get('')!, name);
  return out;
}

/** The sockets that wait in a namespace, each bound to one address: an answer then comes from the address that was asked. */
export function serving(c: TestCluster, ns: Netns, names: ReturnType<typeof addToPlaces>, name: string): Serving[] {
  const out = new Map<string, Serving>();
  const own = [...ns.links.values()].flatMap(l => l.addresses.filter(a => a.scope !== 'link').map(a => a.ip));
  for (const s of ns.sockets.all) {
    if (s.closed || !s.localPort || s.remote) continue;
    if (s.type === 'tcp' ? s.state !== 'LISTEN' : s.type !== 'udp' || s.localPort >= 32768) continue;
    const known = names.ownerName(ns, s, s.localPort);
    const owner = known.includes('/') || c.engine.nodes.has(known) ? known : name;
    const any = !s.local || s.local.every(b => b === 0);
    const known4or6 = (a: Uint8Array) => (s.family === 6 && !s.v6only) || a.length === (s.family === 6 ? 16 : 4);
    // A device that went down took its IPv6 addresses along, whoever was bound to them.
    const local = own.filter(a => (any ? known4or6(a) : sameIp(a, s.local!)));
    for (const a of local) {
      const entry = { name: owner, proto: s.type as 'tcp' | 'udp', address: formatIp(a), port: s.localPort };
      out.set(`${entry.proto} ${entry.address} ${entry.port}`, entry);
    }
  }
  return [...out.values()];
}
