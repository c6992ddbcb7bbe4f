// Names of places (`pod:ns/name`, `node:name`, `external:name`) and the namespaces they stand for.
import { listObjects } from '../apiserver/store.ts';
import type { NftSet, NftTable } from '../linux/netfilter/nft/types.ts';
import type { Socket } from '../linux/socket.ts';
import { placeOf } from '../linux/trace.ts';
import type { Netns } from '../linux/types.ts';
import type { Ip } from '../wire/ip.ts';
import { wakeNode } from './node.ts';
import type { Engine } from './types.ts';
import { clientKernel } from './world.ts';

export interface PlaceIndex {
  byName: Map<string, Netns>;
  /** By the text that trace steps carry. */
  byPlace: Map<string, Netns>;
  addressOf: (ns: Netns, family: 4 | 6) => Ip | null;
  /** `ns/pod` for a pod's namespace; for a node's, the hostNetwork pod that holds the socket, or the node's name. */
  ownerName: (ns: Netns, socket: Socket | null, port: number) => string;
  /** Keep what `-m recent` and dynamic sets of nftables have seen: one attempt must not decide the next. -> how to put it back */
  rememberRecent: () => () => void;
}

export function addToPlaces(engine: Engine): PlaceIndex {
  const byName = new Map<string, Netns>();
  const names = new Map<Netns, string>();
  const add = (kind: string, name: string, ns: Netns | undefined) => {
    if (!ns) return;
    byName.set(`${kind}:${name}`, ns);
    if (kind !== 'pod' || ns.name) names.set(ns, name);
  };
  const live = new Set(listObjects(engine.server, 'nodes').map(n => n.metadata.name));
  for (const node of engine.nodes.values()) if (live.has(node.spec.name)) add('node', node.spec.name, wakeNode(node).cni.netns);
  add('external', 'client', clientKernel(engine.world).netns.get(''));
  for (const [name, kernel] of engine.world.hosts) add('external', name, kernel.netns.get(''));
  for (const pod of listObjects(engine.server, 'pods')) {
    const node = engine.nodes.get(pod.spec?.nodeName);
    if (!node || pod.status?.phase !== 'Running') continue;
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const { cni } = wakeNode(node);
    add('pod', name, pod.spec.hostNetwork ? cni.netns : cni.sandboxes.get(name)?.netns);
  }
  const all = [...names.keys()];
  return {
    byName,
    byPlace: new Map(all.map(ns => [placeOf(ns), ns])),
    addressOf: (ns, family) => {
      for (const l of ns.links.values()) {
        if (l.kind === 'loopback') continue;
        for (const a of l.addresses) if (a.scope === 'global' && a.ip.length === (family === 4 ? 4 : 16)) return a.ip;
      }
      return null;
    },
    ownerName: (ns, socket) => {
      const name = names.get(ns) ?? placeOf(ns);
      if (ns.name) return name;
      return hostPodOf(engine, ns, socket) ?? name;
    },
    rememberRecent: () => {
      const kept = all.map(
        ns => [ns, new Map([...ns.netfilter.recent].map(([k, v]) => [k, new Map([...v].map(([a, t]) => [a, [...t]]))]))] as const,
      );
      const sets = all.flatMap(ns => dynamicSets(ns).map(set => [set, new Map(set.exact)] as const));
      return () => {
        for (const [ns, recent] of kept) ns.netfilter.recent = recent;
        for (const [set, exact] of sets) set.exact = exact;
      };
    },
  };
}

/** Sets that rules write to. */
const dynamicSets = (ns: Netns): NftSet[] =>
  (ns.netfilter.nft as NftTable[]).flatMap(t => [...t.sets.values()].filter(s => s.flags.includes('dynamic')));

/** The hostNetwork pod whose process holds a node's socket. */
export function hostPodOf(engine: Engine, ns: Netns, socket: Socket | null): string | null {
  if (!socket?.owner) return null;
  const node = [...engine.nodes.values()].find(n => n.built?.kernel === ns.kernel);
  for (const runtime of node?.kubelet.pods.values() ?? []) {
    if (!runtime.hostNetwork) continue;
    for (const c of runtime.containers.values()) {
      for (let p: typeof socket.owner | null = socket.owner; p; p = p.parent) if (c.process === p) return runtime.key;
    }
  }
  return null;
}
