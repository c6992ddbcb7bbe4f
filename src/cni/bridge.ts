// The bridge plugin with host-local, portmap and loopback: cni0, a veth per pod, masquerading of what leaves (plugins v1.9.1 plugins/main/bridge).

import { watchBucket } from '../apiserver/store.ts';
import { addAddress, addLink, broadcastOf, linkByName, removeLink, setMaster, setUp } from '../linux/link.ts';
import type { Link } from '../linux/types.ts';
import { hex, stringToBytes } from '../sim/bytes.ts';
import { sha1 } from '../sim/sha1.ts';
import { type Family, formatCidr, network, parseIp } from '../wire/ip.ts';
import { reserve, unreserve, writeConflist } from './conf-files.ts';
import { allocate, gatewayOf, rangeOf, release, withPrefix } from './host-local.ts';
import { applyRules, hasChain, hasJump } from './iptables.ts';
import { allNodes, ofFamily } from './nodes.ts';
import { loopbackUp, macFor, route, sysctls, toCidr, vethPair } from './plumbing.ts';
import { addPortMappings, chainName, removePortMappings } from './portmap.ts';
import type { CniAgent, CniNode, CniPlugin, PodSandbox } from './types.ts';

export interface BridgeOptions {
  network: string;
  bridge: string;
  ipMasq: boolean;
  hairpin: boolean;
  mtu: number;
}

/** `veth` + eight hex digits: random upstream, here they follow from the sandbox. */
export const vethName = (id: string): string => `veth${hex(sha1(stringToBytes(id))).slice(0, 8)}`;

export function ensureBridge(node: CniNode, name: string, mtu: number): Link {
  let link = linkByName(node.netns, name);
  if (!link) {
    link = addLink(node.netns, { name, kind: 'bridge', mtu, mac: macFor(`${node.nodeName}/${name}`) });
    setUp(link, true);
    for (const family of node.cluster.config.families) {
      const range = rangeOf(node.cluster, node.nodeName, family);
      if (!range) continue;
      const gateway = parseIp(gatewayOf(range)) as Uint8Array;
      addAddress(link, gateway, range.bits, { broadcast: broadcastOf(gateway, range.bits) });
      sysctls(node.netns, family === 4 ? { 'net.ipv4.ip_forward': '1' } : { 'net.ipv6.conf.all.forwarding': '1' });
    }
  }
  return link;
}

export function plumbBridge(node: CniNode, sandbox: PodSandbox, o: BridgeOptions): { error: string } | null {
  const bridge = ensureBridge(node, o.bridge, o.mtu);
  loopbackUp(sandbox.netns);
  const mac = macFor(sandbox.id);
  const [host, eth0] = vethPair(node.netns, vethName(sandbox.id), undefined, sandbox.netns, 'eth0', mac, o.mtu);
  setMaster(host, bridge);
  host.hairpin = o.hairpin;
  const addresses: string[] = [];
  for (const ip of sandbox.ips) {
    const range = rangeOf(node.cluster, node.nodeName, ip.includes(':') ? 6 : 4);
    const address = withPrefix(range, ip);
    const c = toCidr(address);
    addAddress(eth0, c.ip, c.bits, { broadcast: broadcastOf(c.ip, c.bits) });
    if (range) route(sandbox.netns, ip.includes(':') ? '::/0' : 'default', { via: gatewayOf(range), dev: eth0 });
    if (o.ipMasq) addMasquerade(node, sandbox, o.network, address);
    addresses.push(address);
  }
  addPortMappings(node, o.network, sandbox, addresses);
  reserve(node, o.network, sandbox);
  node.sandboxes.set(`${sandbox.namespace}/${sandbox.name}`, sandbox);
  return null;
}

export function unplumbBridge(node: CniNode, sandbox: PodSandbox, o: BridgeOptions): void {
  const link = linkByName(node.netns, vethName(sandbox.id));
  if (link) removeLink(link);
  removePortMappings(node, o.network, sandbox);
  unreserve(node, o.network, sandbox);
  for (const ip of sandbox.ips) removeMasquerade(node, sandbox, o.network, ip);
  node.sandboxes.delete(`${sandbox.namespace}/${sandbox.name}`);
}

const masqueradeComment = (name: string, id: string) => `-m comment --comment "name: \\"${name}\\" id: \\"${id}\\""`;

/** pkg/ip/ipmasq_iptables_linux.go: a chain per container, all but its own network and multicast is masqueraded. */
export function addMasquerade(node: CniNode, sandbox: PodSandbox, name: string, address: string): void {
  const c = toCidr(address);
  const family: Family = c.ip.length === 4 ? 4 : 6;
  const chain = chainName('', name, sandbox.id);
  const comment = masqueradeComment(name, sandbox.id);
  const ip = address.replace(/\/.*/, '');
  applyRules(node.netns, family, 'nat', [
    `:${chain} - [0:0]`,
    `-A ${chain} -d ${formatCidr(network(c))} -j ACCEPT ${comment}`,
    `-A ${chain} ! -d ${family === 4 ? '224.0.0.0/4' : 'ff00::/8'} -j MASQUERADE ${comment}`,
    `-A POSTROUTING -s ${ip} -j ${chain} ${comment}`,
  ]);
}

export function removeMasquerade(node: CniNode, sandbox: PodSandbox, name: string, ip: string): void {
  const family: Family = ip.includes(':') ? 6 : 4;
  const chain = chainName('', name, sandbox.id);
  if (!hasChain(node.netns, family, 'nat', chain)) return;
  const used = hasJump(node.netns, family, 'nat', 'POSTROUTING', chain);
  const jump = `-D POSTROUTING -s ${ip.replace(/\/.*/, '')} -j ${chain} ${masqueradeComment(name, sandbox.id)}`;
  applyRules(node.netns, family, 'nat', [...(used ? [jump] : []), `:${chain} - [0:0]`, `-X ${chain}`]);
}

const BRIDGE: BridgeOptions = { network: 'cbr0', bridge: 'cni0', ipMasq: true, hairpin: true, mtu: 1500 };

const optionsOf = (node: CniNode): BridgeOptions => ({
  ...BRIDGE,
  mtu: node.cluster.config.mtu ?? linkByName(node.netns, node.cluster.config.interface)?.mtu ?? 1500,
});

/** Nodes without an overlay: someone must have routed each podCIDR to its node; here it is this agent, as a cloud's route controller does. */
export function syncNodeRoutes(node: CniNode): void {
  const eth0 = linkByName(node.netns, node.cluster.config.interface);
  if (!eth0) return;
  for (const family of node.cluster.config.families) {
    for (const other of allNodes(node.cluster.server)) {
      const dst = ofFamily(other.podCIDRs, family);
      const via = ofFamily(other.ips, family);
      if (other.name !== node.nodeName && dst && via) route(node.netns, dst, { via, dev: eth0 });
    }
  }
}

export function startRouteAgent(node: CniNode): CniAgent {
  const sync = () => syncNodeRoutes(node);
  sync();
  const stop = watchBucket(node.cluster.server, 'nodes', sync);
  return { sync, stop };
}

export const bridge: CniPlugin = {
  name: 'bridge',
  allocate,
  release,
  setupNode: node => {
    const o = optionsOf(node);
    sysctls(node.netns, { 'net.ipv4.ip_forward': '1' });
    writeConflist(node, o.network, 'bridge', { bridge: o.bridge, isGateway: true, ipMasq: o.ipMasq, hairpinMode: o.hairpin, mtu: o.mtu });
    syncNodeRoutes(node);
  },
  plumb: (node, sandbox) => plumbBridge(node, sandbox, optionsOf(node)),
  unplumb: (node, sandbox) => unplumbBridge(node, sandbox, optionsOf(node)),
  startAgent: startRouteAgent,
};
