// flanneld with --kube-subnet-mgr and the flannel plugin, which delegates to bridge (flannel v0.28.10 pkg/backend/{vxlan,hostgw}, pkg/trafficmngr).

import { watchBucket } from '../apiserver/store.ts';
import { addAddress, addLink, linkByName, setUp } from '../linux/link.ts';
import { setNeigh } from '../linux/neigh.ts';
import { removeRoute } from '../linux/route.ts';
import type { Link } from '../linux/types.ts';
import { newFile, place } from '../linux/vfs.ts';
import { compareBytes } from '../sim/bytes.ts';
import { type Family, formatCidr, formatIp, network, parseCidr, parseIp } from '../wire/ip.ts';
import { type BridgeOptions, plumbBridge, unplumbBridge } from './bridge.ts';
import { allocate, gatewayOf, rangeOf, release } from './host-local.ts';
import { applyRules, hasChain, hasJump } from './iptables.ts';
import { allNodes, type NodeInfo, ofFamily, poolOf } from './nodes.ts';
import { macFor, route, sysctls } from './plumbing.ts';
import type { CniAgent, CniNode, CniPlugin } from './types.ts';

const VXLAN_PORT = 8472;

interface Flannel {
  backend: 'vxlan' | 'host-gw';
  vni: number;
  mtu: number;
  ipMasq: boolean;
  networks: { family: Family; cidr: string }[];
}

const uplink = (node: CniNode): Link | undefined => linkByName(node.netns, node.cluster.config.interface);

/** net-conf.json and flanneld's flags; what they leave out follows from the cluster. */
function settings(node: CniNode): Flannel {
  const { config } = node.cluster;
  const conf = config.flannel.netConf;
  const backend = (conf?.Backend?.Type ?? (config.encapsulation === 'host-gw' ? 'host-gw' : 'vxlan')) as Flannel['backend'];
  const underlay = conf?.Backend?.MTU ?? uplink(node)?.mtu ?? 1500;
  const given: Record<Family, string | undefined> = { 4: conf?.Network, 6: conf?.EnableIPv6 ? conf?.IPv6Network : undefined };
  const networks = config.families.flatMap(family => {
    const cidr = conf ? given[family] : poolOf(config.podCIDRs, family, node.cluster.server);
    return cidr ? [{ family, cidr: formatCidr(network(parseCidr(cidr)!)) }] : [];
  });
  return {
    backend,
    vni: conf?.Backend?.VNI ?? 1,
    mtu: backend === 'vxlan' ? underlay - 50 : underlay,
    ipMasq: conf ? config.flannel.args.includes('--ip-masq') : true,
    networks,
  };
}

function setupNode(node: CniNode): void {
  const { mtu } = node.cluster.config;
  const eth0 = uplink(node);
  if (eth0 && mtu !== null) eth0.mtu = mtu;
  sysctls(node.netns, { 'net.ipv4.ip_forward': '1' });
  const f = settings(node);
  syncDevices(node, f);
  writeFiles(node, f);
}

function syncDevices(node: CniNode, f: Flannel): void {
  const nodes = allNodes(node.cluster.server);
  for (const { family } of f.networks) {
    const own = rangeOf(node.cluster, node.nodeName, family);
    const eth0 = uplink(node);
    if (!own || !eth0) continue;
    if (f.backend === 'vxlan') vxlan(node, f, family, nodes, eth0);
    else hostGateways(node, family, nodes, eth0);
  }
}

const deviceName = (f: Flannel, family: Family): string => (family === 4 ? `flannel.${f.vni}` : `flannel-v6.${f.vni}`);
const vtepMac = (node: string, name: string): string => macFor(`${node}/${name}`);

function vxlan(node: CniNode, f: Flannel, family: Family, nodes: NodeInfo[], eth0: Link): void {
  const own = rangeOf(node.cluster, node.nodeName, family)!;
  const name = deviceName(f, family);
  let link = linkByName(node.netns, name);
  if (!link) {
    const local = eth0.addresses.find(a => a.ip.length === own.ip.length && a.scope === 'global')?.ip;
    if (!local) return;
    const device = { vni: f.vni, local, port: VXLAN_PORT, dev: eth0.ifindex, learning: false };
    link = addLink(node.netns, { name, kind: 'vxlan', mac: vtepMac(node.nodeName, name), mtu: f.mtu, txqlen: 0, vxlan: device });
    setUp(link, true);
    addAddress(link, own.ip, own.ip.length * 8);
  }
  const { ifindex } = link;
  link.fdb = [];
  node.netns.neigh = node.netns.neigh.filter(n => n.dev !== ifindex || n.state !== 'PERMANENT');
  const wanted = new Set<string>();
  for (const other of nodes) {
    const dst = ofFamily(other.podCIDRs, family);
    const via = parseIp(ofFamily(other.ips, family) ?? '');
    if (other.name === node.nodeName || !dst || !via) continue;
    const subnet = network(parseCidr(dst)!);
    const mac = vtepMac(other.name, name);
    link.fdb.push({ mac, port: null, dst: via, permanent: true, seenAtMs: node.cluster.sim.nowMs });
    setNeigh(node.netns, subnet.ip, link, mac, 'PERMANENT');
    route(node.netns, formatCidr(subnet), { via: formatIp(subnet.ip), dev: link, onlink: true });
    wanted.add(formatCidr(subnet));
  }
  // The kernel's table is a hash with a salt: any order is as good as another.
  link.fdb.sort((a, b) => compareBytes(formatIp(a.dst!), formatIp(b.dst!)));
  dropOthers(node, family, ifindex, wanted);
}

function hostGateways(node: CniNode, family: Family, nodes: NodeInfo[], eth0: Link): void {
  const wanted = new Set<string>();
  for (const other of nodes) {
    const dst = ofFamily(other.podCIDRs, family);
    const via = ofFamily(other.ips, family);
    if (other.name === node.nodeName || !dst || !via) continue;
    const subnet = formatCidr(network(parseCidr(dst)!));
    route(node.netns, subnet, { via, dev: eth0 });
    wanted.add(subnet);
  }
  dropOthers(node, family, eth0.ifindex, wanted);
}

/** Routes of nodes that have left the cluster. */
function dropOthers(node: CniNode, family: Family, dev: number, wanted: Set<string>): void {
  for (const r of [...(node.netns.tables.get(254) ?? [])]) {
    const mine = r.dev === dev && r.via !== null && r.proto === 'boot' && r.dst.bits > 0 && r.dst.ip.length === (family === 4 ? 4 : 16);
    if (mine && !wanted.has(formatCidr(r.dst))) removeRoute(node.netns, r);
  }
}

/** pkg/trafficmngr/iptables/iptables.go: masqRules and forwardRules. */
function syncRules(node: CniNode, f: Flannel): void {
  for (const { family, cidr } of f.networks) {
    const own = rangeOf(node.cluster, node.nodeName, family);
    if (!own) continue;
    const subnet = formatCidr(own);
    const masq = (match: string, target: string) => `-A FLANNEL-POSTRTG ${match} -m comment --comment "flanneld masq" -j ${target}`;
    const multicast = family === 4 ? '224.0.0.0/4' : 'ff00::/8';
    if (f.ipMasq && !hasChain(node.netns, family, 'nat', 'FLANNEL-POSTRTG')) {
      applyRules(node.netns, family, 'nat', [
        ':FLANNEL-POSTRTG - [0:0]',
        // What kube-proxy marked is masqueraded by it.
        masq('-m mark --mark 0x4000/0x4000', 'RETURN'),
        masq(`-s ${subnet} -d ${cidr}`, 'RETURN'),
        masq(`-s ${cidr} -d ${subnet}`, 'RETURN'),
        masq(`! -s ${cidr} -d ${subnet}`, 'RETURN'),
        masq(`-s ${cidr} ! -d ${multicast}`, 'MASQUERADE --random-fully'),
        masq(`! -s ${cidr} -d ${cidr}`, 'MASQUERADE --random-fully'),
      ]);
    }
    if (f.ipMasq && !hasJump(node.netns, family, 'nat', 'POSTROUTING', 'FLANNEL-POSTRTG')) {
      applyRules(node.netns, family, 'nat', ['-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG']);
    }
    if (!hasChain(node.netns, family, 'filter', 'FLANNEL-FWD')) {
      applyRules(node.netns, family, 'filter', [
        ':FLANNEL-FWD - [0:0]',
        `-A FLANNEL-FWD -s ${cidr} -m comment --comment "flanneld forward" -j ACCEPT`,
        `-A FLANNEL-FWD -d ${cidr} -m comment --comment "flanneld forward" -j ACCEPT`,
      ]);
    }
    if (!hasJump(node.netns, family, 'filter', 'FORWARD', 'FLANNEL-FWD')) {
      applyRules(node.netns, family, 'filter', ['-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD']);
    }
  }
}

/** pkg/subnet/subnet.go WriteSubnetFile */
function subnetEnv(node: CniNode, f: Flannel): string {
  let text = '';
  for (const { family, cidr } of f.networks) {
    const own = rangeOf(node.cluster, node.nodeName, family);
    if (!own) continue;
    const prefix = family === 4 ? 'FLANNEL' : 'FLANNEL_IPV6';
    text += `${prefix}_NETWORK=${cidr}\n${prefix}_SUBNET=${gatewayOf(own)}/${own.bits}\n`;
  }
  return `${text}FLANNEL_MTU=${f.mtu}\nFLANNEL_IPMASQ=${f.ipMasq}\n`;
}

function writeFiles(node: CniNode, f: Flannel): void {
  if (!node.fs) return;
  place(node.fs, '/run/flannel/subnet.env', newFile(subnetEnv(node, f)));
  const plugins = [
    { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  const conf = { name: 'cbr0', cniVersion: '0.3.1', plugins };
  place(node.fs, '/etc/cni/net.d/10-flannel.conflist', newFile(`${JSON.stringify(conf, null, 2)}\n`));
}

function startFlanneld(node: CniNode): CniAgent {
  const sync = () => {
    const f = settings(node);
    syncDevices(node, f);
    syncRules(node, f);
  };
  sync();
  const stop = watchBucket(node.cluster.server, 'nodes', sync);
  return { sync, stop };
}

/** The delegate: flanneld masquerades, so the bridge must not. */
const delegate = (node: CniNode): BridgeOptions => ({
  network: 'cbr0',
  bridge: 'cni0',
  ipMasq: false,
  hairpin: true,
  mtu: settings(node).mtu,
});

export const flannel: CniPlugin = {
  name: 'flannel',
  allocate,
  release,
  setupNode,
  plumb: (node, sandbox) => {
    const error = plumbBridge(node, sandbox, delegate(node));
    const eth0 = error ? undefined : linkByName(sandbox.netns, 'eth0');
    // The delegate's IPAM has a route to the whole pod network beside the default one.
    for (const { family, cidr } of eth0 ? settings(node).networks : []) {
      const range = rangeOf(node.cluster, node.nodeName, family);
      if (range && sandbox.ips.some(ip => ip.includes(':') === (family === 6)))
        route(sandbox.netns, cidr, { via: gatewayOf(range), dev: eth0 });
    }
    return error;
  },
  unplumb: (node, sandbox) => unplumbBridge(node, sandbox, delegate(node)),
  startAgent: startFlanneld,
};
