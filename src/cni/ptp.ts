// ptp and kindnet: a routed veth per pod with host-local addresses (plugins v1.9.1 plugins/main/ptp; kindnetd v20251212 on top of it).
import { addAddress, broadcastOf, linkByName, removeLink } from '../linux/link.ts';
import { removeRoute } from '../linux/route.ts';
import { parseIp } from '../wire/ip.ts';
import { addMasquerade, removeMasquerade, startRouteAgent, syncNodeRoutes, vethName } from './bridge.ts';
import { reserve, unreserve, writeConflist } from './conf-files.ts';
import { allocate, gatewayOf, rangeOf, release, withPrefix } from './host-local.ts';
import { startKindnetd } from './kindnet.ts';
import { hostCidr, loopbackUp, macFor, route, sysctls, toCidr, vethPair } from './plumbing.ts';
import { addPortMappings, removePortMappings } from './portmap.ts';
import type { CniNode, CniPlugin, PodSandbox } from './types.ts';

interface PtpOptions {
  network: string;
  ipMasq: boolean;
}

const mtuOf = (node: CniNode): number => node.cluster.config.mtu ?? linkByName(node.netns, node.cluster.config.interface)?.mtu ?? 1500;

function plumbPtp(node: CniNode, sandbox: PodSandbox, o: PtpOptions): { error: string } | null {
  const mtu = mtuOf(node);
  loopbackUp(sandbox.netns);
  const name = vethName(sandbox.id);
  const [host, eth0] = vethPair(node.netns, name, undefined, sandbox.netns, 'eth0', macFor(sandbox.id), mtu);
  const addresses: string[] = [];
  for (const ip of sandbox.ips) {
    const six = ip.includes(':');
    const range = rangeOf(node.cluster, node.nodeName, six ? 6 : 4);
    if (!range) continue;
    const gateway = gatewayOf(range);
    const address = withPrefix(range, ip);
    const c = toCidr(address);
    addAddress(eth0, c.ip, c.bits, { broadcast: broadcastOf(c.ip, c.bits) });
    // The network's own route would ask for every neighbour on this link; all goes by way of the gateway instead.
    dropConnected(sandbox, address, eth0.ifindex);
    route(sandbox.netns, gateway, { dev: eth0, scope: 'link', src: six ? null : c.ip });
    route(sandbox.netns, address, { via: gateway, dev: eth0, src: six ? null : c.ip });
    route(sandbox.netns, six ? '::/0' : 'default', { via: gateway, dev: eth0 });
    const g = hostCidr(gateway);
    addAddress(host, g.ip, g.bits);
    route(node.netns, ip, { dev: host, scope: six ? 'global' : 'host' });
    sysctls(node.netns, six ? { 'net.ipv6.conf.all.forwarding': '1' } : { 'net.ipv4.ip_forward': '1' });
    if (o.ipMasq) addMasquerade(node, sandbox, o.network, address);
    addresses.push(address);
  }
  addPortMappings(node, o.network, sandbox, addresses);
  reserve(node, o.network, sandbox);
  node.sandboxes.set(`${sandbox.namespace}/${sandbox.name}`, sandbox);
  return null;
}

function dropConnected(sandbox: PodSandbox, address: string, dev: number): void {
  const c = toCidr(address);
  const table = sandbox.netns.tables.get(254) ?? [];
  const connected = table.find(r => r.proto === 'kernel' && r.dev === dev && r.dst.bits === c.bits && r.dst.ip.length === c.ip.length);
  if (connected) removeRoute(sandbox.netns, connected);
}

function unplumbPtp(node: CniNode, sandbox: PodSandbox, o: PtpOptions): void {
  const link = linkByName(node.netns, vethName(sandbox.id));
  if (link) removeLink(link);
  removePortMappings(node, o.network, sandbox);
  unreserve(node, o.network, sandbox);
  for (const ip of sandbox.ips) if (parseIp(ip)) removeMasquerade(node, sandbox, o.network, ip);
  node.sandboxes.delete(`${sandbox.namespace}/${sandbox.name}`);
}

const routed = (name: string, o: PtpOptions, startAgent: CniPlugin['startAgent']): CniPlugin => ({
  name,
  allocate,
  release,
  setupNode: node => {
    sysctls(node.netns, { 'net.ipv4.ip_forward': '1' });
    writeConflist(node, o.network, 'ptp', { ipMasq: o.ipMasq, mtu: mtuOf(node) });
    syncNodeRoutes(node);
  },
  plumb: (node, sandbox) => plumbPtp(node, sandbox, o),
  unplumb: (node, sandbox) => unplumbPtp(node, sandbox, o),
  startAgent,
});

export const ptp: CniPlugin = routed('ptp', { network: 'k8s-pod-network', ipMasq: true }, startRouteAgent);
export const kindnet: CniPlugin = routed('kindnet', { network: 'kindnet', ipMasq: false }, startKindnetd);
