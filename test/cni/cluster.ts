// Two nodes on one wire with a CNI of their own, as the composition builds them.
import { commit, keyOf, newApiServer } from '../../src/apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { pluginOf } from '../../src/cni/plugins.ts';
import type { CniAgent, CniCluster, CniConfig, CniNode, PodSandbox, PortMapping } from '../../src/cni/types.ts';
import { newKernel, newNetns } from '../../src/linux/kernel.ts';
import { addAddress, addLink, newSegment, plug, setUp } from '../../src/linux/link.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import { addRoute } from '../../src/linux/route.ts';
import { accept, bind, connect, kernelSocket, listen } from '../../src/linux/socket.ts';
import type { Netns, Segment } from '../../src/linux/types.ts';
import { newFilesystem } from '../../src/linux/vfs.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil, type Sim, settle } from '../../src/sim/sim.ts';
import { type Co, startTask } from '../../src/sim/task.ts';
import { cidr, ip } from '../../src/wire/ip.ts';

export interface TestCluster {
  sim: Sim;
  server: ApiServer;
  cni: CniCluster;
  segment: Segment;
  nodes: Map<string, CniNode>;
  agents: Map<string, CniAgent>;
}

const NODES: [string, string, string][] = [
  ['alpha', '172.20.0.11', '10.50.1.0/24'],
  ['beta', '172.20.0.12', '10.50.2.0/24'],
];

export function testCluster(config: Partial<CniConfig> = {}): TestCluster {
  const sim = newSim(1_700_000_000_000, newRandom(3));
  const server = newApiServer(sim, newRandom(3));
  const cni: CniCluster = {
    sim,
    server,
    config: {
      name: 'calico',
      encapsulation: 'none',
      dataplane: 'iptables',
      natOutgoing: true,
      natOutgoing6: false,
      mtu: null,
      interface: 'eth0',
      podCIDRs: ['10.50.0.0/16'],
      serviceCIDRs: ['10.60.0.0/16'],
      families: [4],
      flannel: { netConf: null, args: [] },
      ...config,
    },
    ipam: { blocks: { 4: [], 6: [] } },
    blocksChanged: new Set(),
  };
  for (const [name, address, podCIDR] of NODES) {
    const status = { addresses: [{ type: 'InternalIP', address }] };
    put({ server }, 'nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { podCIDRs: [podCIDR] }, status });
  }
  put({ server }, 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'red' } } });
  const c: TestCluster = { sim, server, cni, segment: newSegment('lan', 0.1), nodes: new Map(), agents: new Map() };
  for (const [name, address] of NODES) addNode(c, name, address);
  return c;
}

function addNode(c: TestCluster, name: string, address: string): void {
  const kernel = newKernel(c.sim, name);
  const netns = kernel.netns.get('')!;
  const eth0 = addLink(netns, { name: 'eth0', kind: 'ethernet' });
  plug(eth0, c.segment);
  addAddress(eth0, ip(address), 24);
  setUp(eth0, true);
  // Without one, proxy ARP does not answer for the pods' gateway (net/ipv4/arp.c arp_fwd_proxy).
  addRoute(netns, { dst: cidr('0.0.0.0/0'), via: ip('172.20.0.1'), dev: eth0.ifindex });
  const node: CniNode = {
    cluster: c.cni,
    nodeName: name,
    kernel,
    netns,
    sandboxes: new Map(),
    sandboxesChanged: new Set(),
    fs: newFilesystem(),
  };
  const plugin = pluginOf(c.cni.config.name);
  plugin.setupNode(node);
  const agent = plugin.startAgent?.(node);
  if (agent) c.agents.set(name, agent);
  c.nodes.set(name, node);
}

export const put = (c: { server: ApiServer }, bucket: string, o: KubeObject): KubeObject =>
  commit(c.server, bucket, keyOf(o.metadata.namespace, o.metadata.name), o);

export interface PodOptions {
  labels?: Record<string, string>;
  wanted?: string[];
  ports?: PortMapping[];
  containerPorts?: { name: string; containerPort: number; protocol?: string }[];
}

export function addPod(c: TestCluster, name: string, nodeName: string, o: PodOptions = {}): PodSandbox {
  const plugin = pluginOf(c.cni.config.name);
  const ips = plugin.allocate(c.cni, { namespace: 'shop', name, nodeName, wanted: o.wanted });
  if ('error' in ips) throw new Error(ips.error);
  const node = c.nodes.get(nodeName)!;
  const id = `${name}-`.padEnd(64, 'ab12');
  const sandbox: PodSandbox = { id, namespace: 'shop', name, netns: newNetns(node.kernel, name), ips, portMappings: o.ports ?? [] };
  const error = plugin.plumb(node, sandbox);
  if (error) throw new Error(error.error);
  put(c, 'pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name, labels: o.labels },
    spec: { nodeName, containers: [{ name: 'c', ports: o.containerPorts }] },
    status: { phase: 'Running', podIP: ips[0], podIPs: ips.map(x => ({ ip: x })) },
  });
  settle(c.sim, 5000);
  return sandbox;
}

export function removePod(c: TestCluster, sandbox: PodSandbox, nodeName: string): void {
  const plugin = pluginOf(c.cni.config.name);
  plugin.unplumb(c.nodes.get(nodeName)!, sandbox);
  plugin.release(c.cni, sandbox);
  commit(c.server, 'pods', `shop/${sandbox.name}`, null);
  settle(c.sim, 5000);
}

function* server(ns: Netns, port: number): Co<number> {
  const s = kernelSocket(ns, 'tcp', 4);
  bind(s, null, port);
  listen(s);
  for (;;) {
    const peer = yield* accept(s);
    if (typeof peer === 'string') return 1;
  }
}

export const serve = (c: TestCluster, ns: Netns, port: number): void => void startTask(c.sim, server(ns, port), true);

/** Try a TCP connection. -> 'connected', or the errno after at most three seconds. */
export function tryConnect(c: TestCluster, from: Netns, to: string, port: number): string {
  function* client(): Co<string> {
    const s = kernelSocket(from, 'tcp', to.includes(':') ? 6 : 4);
    return (yield* connect(s, ip(to), port, 3000)) ?? 'connected';
  }
  const task = startTask(c.sim, client());
  runUntil(c.sim, () => task.done, c.sim.nowMs + 10_000);
  return task.result ?? 'nothing';
}

export const rules = (ns: Netns, pattern: RegExp, family: 4 | 6 = 4): string[] =>
  save(ns, family)
    .split('\n')
    .filter(l => l.startsWith('-A ') && pattern.test(l));
