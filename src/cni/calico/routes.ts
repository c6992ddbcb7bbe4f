// Routes between nodes: BIRD's (proto bird) without VXLAN, Felix's with it (felix/dataplane/linux/vxlan_mgr.go, route_manager.go v3.32).
import { addLink, linkByName, setUp } from '../../linux/link.ts';
import { setNeigh } from '../../linux/neigh.ts';
import { addRoute, removeRoute } from '../../linux/route.ts';
import type { Link, Route } from '../../linux/types.ts';
import { compareBytes, hex, stringToBytes } from '../../sim/bytes.ts';
import { sha1 } from '../../sim/sha1.ts';
import { type Cidr, type Family, formatCidr, inCidr, ip, parseCidr, parseIp } from '../../wire/ip.ts';
import { allNodes, type NodeInfo, ofFamily } from '../nodes.ts';
import { address } from '../plumbing.ts';
import type { CniNode, Encapsulation } from '../types.ts';
import { blocksOf, ensureNodeBlock, tunnelAddress } from './ipam.ts';

const VNI = 4096;
const VXLAN_PORT = 4789;
/** Protocol of the routes that Felix owns (DeviceRouteProtocol). */
const FELIX = '80';

export const isVxlan = (e: Encapsulation): boolean => e === 'vxlan' || e === 'vxlan-cross-subnet';
export const isIpip = (e: Encapsulation): boolean => e === 'ipip' || e === 'ipip-cross-subnet';

/** The pods' MTU: the interface's less what the encapsulation adds. */
export function nodeMtu(node: CniNode): number {
  const { mtu, encapsulation, interface: name } = node.cluster.config;
  if (mtu !== null) return mtu;
  const underlay = linkByName(node.netns, name)?.mtu ?? 1500;
  return underlay - (isVxlan(encapsulation) ? 50 : isIpip(encapsulation) ? 20 : 0);
}

/** felix/calc/vxlan_resolver.go: `f` and five bytes of the name's SHA-1. */
export function vtepMac(nodeName: string, family: Family): string {
  const h = hex(sha1(stringToBytes(family === 4 ? nodeName : `${nodeName}-v6`)));
  return ['66', ...[0, 2, 4, 6, 8].map(i => h.slice(i, i + 2))].join(':');
}

export const vxlanName = (family: Family): string => (family === 4 ? 'vxlan.calico' : 'vxlan-v6.calico');

interface Wanted {
  dst: Cidr;
  route: Partial<Route>;
}

/** Bring devices and routes to what the blocks and nodes say. */
export function syncRoutes(node: CniNode): void {
  const { config, server } = node.cluster;
  const nodes = allNodes(server);
  for (const family of config.families) {
    for (const n of nodes) ensureNodeBlock(node.cluster, n.name, family);
    const wanted = wantedRoutes(node, nodes, family);
    replaceRoutes(node, family, wanted);
  }
}

function wantedRoutes(node: CniNode, nodes: NodeInfo[], family: Family): Wanted[] {
  const { config } = node.cluster;
  // Calico has no IPIP for IPv6: those routes are BIRD's plain ones.
  const encapsulation = family === 6 && isIpip(config.encapsulation) ? 'none' : config.encapsulation;
  const tunnel = isVxlan(encapsulation) ? vxlanDevice(node, nodes, family) : isIpip(encapsulation) ? ipipDevice(node) : null;
  const eth0 = linkByName(node.netns, config.interface);
  const out: Wanted[] = [];
  for (const block of blocksOf(node.cluster, family)) {
    const dst = parseCidr(block.cidr) as Cidr;
    if (block.node === node.nodeName) {
      if (isVxlan(encapsulation) && dst.bits < dst.ip.length * 8) out.push({ dst, route: { kind: 'blackhole', proto: FELIX, dev: null } });
      continue;
    }
    const other = nodes.find(n => n.name === block.node);
    const via = parseIp(ofFamily(other?.ips ?? [], family) ?? '');
    if (!other || !via || !eth0) continue;
    const direct = sameSubnet(eth0, via);
    if (isVxlan(encapsulation)) {
      const vtep = parseIp(tunnelAddress(node.cluster, other.name, family) ?? '');
      if (encapsulation === 'vxlan-cross-subnet' && direct) {
        out.push({ dst, route: { via, dev: eth0.ifindex, proto: FELIX, onlink: true } });
      } else if (vtep && tunnel) {
        out.push({ dst, route: { via: vtep, dev: tunnel.ifindex, proto: 'boot', onlink: true, mtu: tunnel.mtu } });
      }
    } else if (tunnel && !(encapsulation === 'ipip-cross-subnet' && direct)) {
      out.push({ dst, route: { via, dev: tunnel.ifindex, proto: 'bird', onlink: true } });
    } else {
      out.push({ dst, route: { via, dev: eth0.ifindex, proto: 'bird' } });
    }
  }
  return out;
}

const sameSubnet = (link: Link, other: Uint8Array): boolean =>
  link.addresses.some(a => a.ip.length === other.length && inCidr({ ip: a.ip, bits: a.bits }, other));

function replaceRoutes(node: CniNode, family: Family, wanted: Wanted[]): void {
  const table = node.netns.tables.get(254) ?? [];
  const keys = new Set(wanted.map(w => formatCidr(w.dst)));
  const mine = (r: Route) =>
    r.proto === 'bird' || r.proto === FELIX || (r.dev !== null && r.dev === linkByName(node.netns, vxlanName(family))?.ifindex);
  for (const r of [...table]) {
    if (r.dst.ip.length === (family === 4 ? 4 : 16) && mine(r) && r.proto !== 'kernel' && !keys.has(formatCidr(r.dst)))
      removeRoute(node.netns, r);
  }
  for (const { dst, route } of wanted) addRoute(node.netns, { dst, ...route }, 254, 'replace');
}

function vxlanDevice(node: CniNode, nodes: NodeInfo[], family: Family): Link | null {
  const { config } = node.cluster;
  const eth0 = linkByName(node.netns, config.interface);
  const local = eth0?.addresses.find(a => a.ip.length === (family === 4 ? 4 : 16) && a.scope === 'global')?.ip;
  const own = tunnelAddress(node.cluster, node.nodeName, family);
  if (!eth0 || !local || !own) return null;
  const name = vxlanName(family);
  let link = linkByName(node.netns, name);
  if (!link) {
    const vxlan = { vni: VNI, local, port: VXLAN_PORT, dev: eth0.ifindex, learning: false };
    const mtu = config.mtu ?? eth0.mtu - (family === 4 ? 50 : 70);
    link = addLink(node.netns, { name, kind: 'vxlan', mac: vtepMac(node.nodeName, family), mtu, vxlan });
    setUp(link, true);
    address(link, own);
  }
  const peers = nodes.filter(n => n.name !== node.nodeName);
  link.fdb = peers.flatMap(n => {
    const dst = parseIp(ofFamily(n.ips, family) ?? '');
    return dst ? [{ mac: vtepMac(n.name, family), port: null, dst, permanent: true, seenAtMs: node.cluster.sim.nowMs }] : [];
  });
  link.fdb.sort((a, b) => compareBytes(a.mac, b.mac));
  const wanted = new Map<string, string>();
  for (const n of peers) {
    const vtep = tunnelAddress(node.cluster, n.name, family);
    if (vtep) wanted.set(vtep, vtepMac(n.name, family));
  }
  const { ifindex } = link;
  node.netns.neigh = node.netns.neigh.filter(n => n.dev !== ifindex || n.state !== 'PERMANENT');
  for (const [vtep, mac] of wanted) setNeigh(node.netns, ip(vtep), link, mac, 'PERMANENT');
  return link;
}

function ipipDevice(node: CniNode): Link | null {
  const own = tunnelAddress(node.cluster, node.nodeName, 4);
  let link = linkByName(node.netns, 'tunl0');
  if (!link) {
    link = addLink(node.netns, { name: 'tunl0', kind: 'ipip', mtu: nodeMtu(node) });
    setUp(link, true);
    if (own) address(link, own);
  }
  return link;
}
