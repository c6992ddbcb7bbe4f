// The cluster as a topology of machines, links and listeners: `podnet debug topology -o json`. It describes the kernels as they are now,
// so that somebody else can build the same.
import { listObjects } from '../apiserver/store.ts';
import { lookAt } from '../linux/due.ts';
import { linkByName } from '../linux/link.ts';
import type { Socket } from '../linux/socket.ts';
import { sysctl } from '../linux/sysctl.ts';
import type { Netns } from '../linux/types.ts';
import { familyOf, formatCidr, formatIp, ip, network } from '../wire/ip.ts';
import { wakeNode } from './node.ts';
import { hostPodOf } from './places.ts';
import type { Engine, NodeRuntime } from './types.ts';
import { clientKernel, gatewayOf, loadBalancerRoutes, nodeBits } from './world.ts';

interface Listen {
  proto: 'tcp' | 'udp' | 'sctp';
  port: number;
  address?: string;
}

/** Sockets that wait for anybody: TCP in LISTEN, UDP bound to a fixed port. */
function listeners(ns: Netns, of: (s: Socket) => boolean = () => true): Listen[] {
  const out: Listen[] = [];
  for (const s of ns.sockets.all) {
    if (s.closed || !s.localPort || !of(s)) continue;
    if (
      s.type === 'tcp'
        ? s.state !== 'LISTEN'
        : s.type === 'udp'
          ? s.remote !== null || s.localPort >= 32768
          : s.type !== 'sctp' || s.state !== 'LISTEN'
    )
      continue;
    const any = !s.local || s.local.every(b => b === 0);
    out.push({ proto: s.type as Listen['proto'], port: s.localPort, ...(any ? {} : { address: formatIp(s.local!) }) });
  }
  const key = (l: Listen) => `${l.proto} ${String(l.port).padStart(5, '0')} ${l.address ?? ''}`;
  return [...new Map(out.map(l => [key(l), l])).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, l]) => l);
}

const byFamily = (list: string[], family: 4 | 6) => list.find(a => familyOf(ip(a.split('/')[0])) === family);

function families(list: string[], key4: string, key6: string): Record<string, string> {
  const [v4, v6] = [byFamily(list, 4), byFamily(list, 6)];
  return { ...(v4 ? { [key4]: v4 } : {}), ...(v6 ? { [key6]: v6 } : {}) };
}

const BASE_SYSCTLS: [string, string][] = [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv4.conf.all.route_localnet', '1'],
  ['net.ipv4.conf.all.rp_filter', '0'],
  ['net.ipv4.conf.default.rp_filter', '0'],
  ['net.bridge.bridge-nf-call-iptables', '1'],
  ['net.bridge.bridge-nf-call-ip6tables', '1'],
];

export function topology(engine: Engine): object {
  const { config, world } = engine;
  const cni = engine.config.cni;
  const live = new Set(listObjects(engine.server, 'nodes').map(n => n.metadata.name));
  const nodes = [...engine.nodes.values()].filter(n => live.has(n.spec.name) || n.built);
  for (const n of nodes) wakeNode(n);
  const client = clientKernel(world);
  const primary = config.nodes[0]?.ips ?? [];
  const gate6 = gatewayOf(config, 6);
  const v6 = byFamily(primary, 6);
  const v4 = byFamily(primary, 4);
  return {
    name: config.name,
    underlay: {
      ...(v4 ? { cidr: formatCidr(network({ ip: ip(v4), bits: nodeBits(4) })), gateway: gatewayOf(config, 4) } : {}),
      ...(v6 && gate6 ? { cidr6: formatCidr(network({ ip: ip(v6), bits: nodeBits(6) })), gateway6: gate6 } : {}),
      podRoutes: false,
      ...unknownRules(engine),
    },
    cni: {
      type: cni.name === 'bridge' || cni.name === 'flannel' ? 'bridge' : 'ptp',
      encap: cni.encapsulation.startsWith('vxlan') ? 'vxlan' : cni.name === 'none' ? 'off' : 'none',
      ...(podMtu(nodes) ? { mtu: podMtu(nodes) } : {}),
      ...vxlan(nodes),
    },
    nodes: nodes.map(n => nodeEntry(n)),
    pods: pods(engine, nodes),
    externals: [{ name: 'client', ...families(config.clientIPs, 'ip', 'ip6'), listen: listeners(client.netns.get('')!) }],
    loadBalancers: loadBalancerRoutes(world).filter(r => r.nodes.length),
  };
}

/** What the gateway does with packets for nobody: it has a blackhole where the other router would have no route. */
function unknownRules(engine: Engine): object {
  const { config, world } = engine;
  if (config.world.unknown !== 'drop') return {};
  const routed = loadBalancerRoutes(world).map(r => r.ip);
  const known = (family: 4 | 6) => [...config.nodes.slice(0, 1).flatMap(n => n.ips), ...routed].filter(a => familyOf(ip(a)) === family);
  const table = (family: 4 | 6) => {
    const own = config.nodes[0]?.ips.find(a => familyOf(ip(a)) === family);
    if (!own) return {};
    const nets = known(family).map(a => (a === own ? formatCidr(network({ ip: ip(a), bits: nodeBits(family) })) : a));
    const local = family === 6 ? ['fe80::/10', 'ff00::/8'] : [];
    const lines = [...nets, ...local].map(n => `-A PREROUTING -d ${n} -j ACCEPT\n`).join('');
    return {
      [family === 4 ? 'iptables' : 'ip6tables']:
        `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${lines}-A PREROUTING -j DROP\nCOMMIT\n`,
    };
  };
  return { rules: { ...table(4), ...table(6) } };
}

function podMtu(nodes: NodeRuntime[]): number | null {
  for (const n of nodes) {
    for (const s of n.built?.cni.sandboxes.values() ?? []) {
      const eth0 = linkByName(s.netns, 'eth0');
      if (eth0) return eth0.mtu;
    }
  }
  return null;
}

function vxlan(nodes: NodeRuntime[]): object {
  for (const n of nodes) {
    for (const l of n.kernel().netns.get('')!.links.values())
      if (l.vxlan) return { vni: l.vxlan.vni, vxlanPort: l.vxlan.port, vxlanDevice: l.name };
  }
  return {};
}

function nodeEntry(n: NodeRuntime): object {
  const ns = wakeNode(n).kernel.netns.get('')!;
  const changed = Object.fromEntries(BASE_SYSCTLS.map(([k, v]) => [k, sysctl(ns, k), v]).filter(([, now, base]) => now !== base));
  const commands: string[] = [];
  for (const l of ns.links.values()) if (!l.up && l.kind === 'ethernet') commands.push(`link set ${l.name} down`);
  const eth0 = linkByName(ns, n.engine.config.cni.interface);
  if (eth0 && eth0.mtu !== 1500) commands.push(`link set ${eth0.name} mtu ${eth0.mtu}`);
  return {
    name: n.spec.name,
    ...families(n.spec.ips, 'ip', 'ip6'),
    ...families(n.spec.podCIDRs, 'podCIDR', 'podCIDR6'),
    ...(n.spec.addresses.length ? { addresses: n.spec.addresses } : {}),
    listen: listeners(ns, s => hostPodOf(n.engine, ns, s) === null),
    ...(Object.keys(changed).length ? { sysctls: changed } : {}),
    ...(commands.length ? { ipCommands: commands } : {}),
  };
}

/** The node's end of the pod's veth, which rules name. */
function hostIf(ns: Netns | undefined): { hostIf?: string } {
  const peer = ns && linkByName(ns, 'eth0')?.peer;
  return peer ? { hostIf: peer.name } : {};
}

function pods(engine: Engine, nodes: NodeRuntime[]): object[] {
  const byName = new Map(nodes.map(n => [n.spec.name, n]));
  const out: object[] = [];
  for (const pod of listObjects(engine.server, 'pods')) {
    const node = byName.get(pod.spec?.nodeName);
    const ips: string[] = (pod.status?.podIPs ?? []).map((i: any) => i.ip);
    if (!node || !ips.length || pod.status?.phase !== 'Running') continue;
    const base = { namespace: pod.metadata.namespace, name: pod.metadata.name, node: node.spec.name };
    if (pod.spec.hostNetwork) {
      const ns = wakeNode(node).kernel.netns.get('')!;
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
      out.push({ ...base, hostNetwork: true, listen: listeners(ns, s => hostPodOf(engine, ns, s) === key) });
      continue;
    }
    const sandbox = node.built?.cni.sandboxes.get(`${pod.metadata.namespace}/${pod.metadata.name}`);
    if (sandbox) lookAt(sandbox.netns);
    out.push({ ...base, ...families(ips, 'ip', 'ip6'), ...hostIf(sandbox?.netns), listen: sandbox ? listeners(sandbox.netns) : [] });
  }
  return out;
}
