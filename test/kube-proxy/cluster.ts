// A node's kernel and an API store, as small as kube-proxy needs them.
import { commit, newApiServer } from '../../src/apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { newKernel } from '../../src/linux/kernel.ts';
import { addAddress, addLink, newSegment, plug, setUp } from '../../src/linux/link.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import type { Netns } from '../../src/linux/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, type Sim } from '../../src/sim/sim.ts';
import { ip } from '../../src/wire/ip.ts';

export interface Fixture {
  sim: Sim;
  server: ApiServer;
  ns: Netns;
}

export const NODE = 'worker-a';

export function fixture(): Fixture {
  const sim = newSim(1_700_000_000_000, newRandom(7));
  const server = newApiServer(sim, newRandom(7));
  const ns = newKernel(sim, NODE).netns.get('')!;
  const eth0 = addLink(ns, { name: 'eth0', kind: 'ethernet' });
  plug(eth0, newSegment('lan', 0.1));
  addAddress(eth0, ip('172.20.0.11'), 24);
  setUp(eth0, true);
  const status = { addresses: [{ type: 'InternalIP', address: '172.20.0.11' }] };
  commit(server, 'nodes', `/${NODE}`, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: NODE },
    spec: { podCIDRs: ['10.50.1.0/24'] },
    status,
  });
  return { sim, server, ns };
}

export function put(server: ApiServer, bucket: string, o: KubeObject): void {
  commit(server, bucket, `${o.metadata.namespace}/${o.metadata.name}`, o);
}

export function service(name: string, spec: Record<string, unknown>, extra: Record<string, unknown> = {}): KubeObject {
  const clusterIP = (spec['clusterIP'] as string) ?? '10.60.0.10';
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name },
    spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ports: [{ name: 'web', protocol: 'TCP', port: 80 }], ...spec },
    ...extra,
  };
}

export interface EndpointSpec {
  ip: string;
  node?: string;
  conditions?: Record<string, boolean>;
  hints?: Record<string, unknown>;
}

export function slice(
  name: string,
  endpoints: EndpointSpec[],
  ports: Record<string, unknown>[] = [{ name: 'web', protocol: 'TCP', port: 8080 }],
): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: endpoints.map(e => ({ addresses: [e.ip], nodeName: e.node, conditions: e.conditions ?? { ready: true }, hints: e.hints })),
    ports,
  };
}

export const SLICES = 'endpointslices.discovery.k8s.io';

export const rules = (ns: Netns, pattern: RegExp, family: 4 | 6 = 4): string[] =>
  save(ns, family)
    .split('\n')
    .filter(l => l.startsWith('-A ') && pattern.test(l));

/** Every rule of the family's tables, without the lines that carry the time. */
export const allRules = (ns: Netns): string[] => rules(ns, /./);
