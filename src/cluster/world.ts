// What lies outside the nodes: the wire between them, the gateway, a host of the operator's, and a few hosts of the internet.
import { listObjects, watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { newKernel } from '../linux/kernel.ts';
import { addAddress, addLink, broadcastOf, newSegment, plug, setUp } from '../linux/link.ts';
import { restore } from '../linux/netfilter/restore.ts';
import { DEFAULT_CAPS, spawnProgram } from '../linux/process.ts';
import { addRoute, removeRoute } from '../linux/route.ts';
import { setSysctl } from '../linux/sysctl.ts';
import type { Kernel, Link, Program, Segment } from '../linux/types.ts';
import { type Filesystem, newFile, newFilesystem, place, readFile } from '../linux/vfs.ts';
import { bytesToString } from '../sim/bytes.ts';
import { type Cidr, cidr, type Family, familyOf, formatIp, ip, network, parseIp } from '../wire/ip.ts';
import type { ClusterConfig, WorldHost } from './config.ts';
import { machineRootfs } from './rootfs.ts';
import { worldDnsProgram } from './world-dns.ts';
import { worldHostProgram } from './world-host.ts';

export interface World {
  /** The nodes' network. */
  segment: Segment;
  internet: Segment;
  gateway: Kernel;
  /** Hosts on the nodes' network that are no nodes, by address: `podnet external [--ip ADDR]`. */
  clients: Map<string, Kernel>;
  /** The internet's, built when the first frame goes there or somebody asks for them. */
  readonly hosts: Map<string, Kernel>;
  config: ClusterConfig;
  server: ApiServer;
}

/** Prefix length of the nodes' network. */
export const nodeBits = (family: Family): number => (family === 4 ? 24 : 64);

const INTERNET: Record<Family, { net: string; router: string }> = {
  4: { net: '100.64.0.0/10', router: '100.64.0.1' },
  6: { net: 'fd00:64::/32', router: 'fd00:64::1' },
};

export function newWorld(server: ApiServer, config: ClusterConfig): World {
  const { sim } = server;
  const hosts = new Map<string, Kernel>();
  const internet = newSegment('internet', 8);
  const world: World = {
    segment: newSegment('nodes', 0.15),
    internet,
    gateway: newKernel(sim, 'gateway'),
    clients: new Map(),
    get hosts() {
      internet.populate?.();
      return hosts;
    },
    config,
    server,
  };
  internet.populate = () => {
    internet.populate = undefined;
    for (const h of config.world.hosts) buildHost(world, h);
  };
  buildGateway(world);
  routeLoadBalancers(world);
  return world;
}

/** As hypervisors do that number machines by their address. */
export const machineMac = (address: string): string =>
  ['02', '00', ...Array.from(ip(address).subarray(-4), x => x.toString(16).padStart(2, '0'))].join(':');

function attach(kernel: Kernel, segment: Segment, name: string, addresses: { text: string; bits: number }[], mac?: string): Link {
  const link = addLink(kernel.netns.get('')!, { name, kind: 'ethernet', ...(mac ? { mac } : {}) });
  plug(link, segment);
  for (const a of addresses) addAddress(link, ip(a.text), a.bits, { broadcast: broadcastOf(ip(a.text), a.bits) ?? undefined });
  setUp(link, true);
  return link;
}

const start = (kernel: Kernel, fs: Filesystem, name: string, program: Program) =>
  spawnProgram(kernel, program, { netns: kernel.netns.get('')!, fs, argv: [name], background: true, caps: new Set(DEFAULT_CAPS) });

function buildGateway(world: World): void {
  const { gateway: kernel, config } = world;
  const ns = kernel.netns.get('')!;
  const gate = config.world.gateway;
  const families: Family[] = config.families;
  const addresses = families.map(f => (familyOf(ip(gate)) === f ? gate : gatewayOf(config, f))).filter(a => a !== null);
  const eth0 = attach(
    kernel,
    world.segment,
    'eth0',
    addresses.map(text => ({ text, bits: nodeBits(familyOf(ip(text))) })),
  );
  const eth1 = attach(
    kernel,
    world.internet,
    'eth1',
    ([4, 6] as const).map(f => ({ text: INTERNET[f].router, bits: f === 4 ? 10 : 32 })),
  );
  setSysctl(ns, 'net.ipv4.ip_forward', '1');
  setSysctl(ns, 'net.ipv6.conf.all.forwarding', '1');
  // A router that spreads connections, not hosts.
  setSysctl(ns, 'net.ipv4.fib_multipath_hash_policy', '1');
  for (const h of config.world.hosts) for (const a of h.addresses) addRoute(ns, { dst: cidr(a), dev: eth1.ifindex, scope: 'link' });
  if (config.world.unknown === 'drop') {
    // A line that nothing comes back from. A blackhole route would swallow packets before their TTL is looked at.
    const nowhere = addLink(ns, { name: 'eth2', kind: 'dummy' });
    nowhere.noarp = true; // as dummy devices are: nobody is asked for, nobody is found missing
    setUp(nowhere, true);
    for (const all of ['0.0.0.0/0', '::/0']) addRoute(ns, { dst: cidr(all), dev: nowhere.ifindex, scope: 'link' });
  } else for (const all of ['0.0.0.0/0', '::/0']) addRoute(ns, { dst: cidr(all), kind: 'unreachable' });
  const server = config.world.dns.server;
  if (!addresses.includes(server)) {
    const known = config.world.hosts.some(h => h.addresses.includes(server));
    if (!known) addAddress(eth0, ip(server), server.includes(':') ? 128 : 32);
  }
  if (!config.world.hosts.some(h => h.addresses.includes(server))) start(kernel, newFilesystem(), 'dns', worldDnsProgram(config.world));
}

/** The gateway's address of a family: the configured one, or the first address of the nodes' network. */
export function gatewayOf(config: ClusterConfig, family: Family): string | null {
  if (familyOf(ip(config.world.gateway)) === family) return config.world.gateway;
  const other = config.nodes[0]?.ips.find(a => familyOf(ip(a)) === family);
  if (!other) return null;
  const net = network({ ip: ip(other), bits: nodeBits(family) });
  const first = Uint8Array.from(net.ip);
  first[first.length - 1] |= 1;
  return formatIp(first);
}

function buildHost(world: World, host: WorldHost): void {
  const kernel = newKernel(world.server.sim, host.name);
  const ns = kernel.netns.get('')!;
  const link = attach(
    kernel,
    world.internet,
    'eth0',
    host.addresses.map(text => ({ text, bits: text.includes(':') ? 128 : 32 })),
  );
  for (const f of [4, 6] as const) {
    if (!host.addresses.some(a => familyOf(ip(a)) === f)) continue;
    addRoute(ns, { dst: cidr(INTERNET[f].router), dev: link.ifindex, scope: 'link' });
    addRoute(ns, { dst: cidr(f === 4 ? '0.0.0.0/0' : '::/0'), via: ip(INTERNET[f].router), dev: link.ifindex });
  }
  if (!host.icmp) {
    setSysctl(ns, 'net.ipv4.icmp_echo_ignore_all', '1');
    setSysctl(ns, 'net.ipv6.icmp.echo_ignore_all', '1');
  }
  // A firewall in front of the host: what nobody listens on is dropped instead of refused.
  if (host.closed === 'drop') {
    const open = host.listen.map(l => `-A INPUT -p ${l.protocol.toLowerCase()} --dport ${l.port} -j ACCEPT\n`).join('');
    for (const f of [4, 6] as const) {
      restore(ns, f, `*filter\n:INPUT DROP [0:0]\n-A INPUT -p ${f === 4 ? 'icmp' : 'ipv6-icmp'} -j ACCEPT\n${open}COMMIT\n`, {});
    }
  }
  const fs = newFilesystem();
  for (const l of host.listen) start(kernel, fs, host.name, worldHostProgram(l, host.dns));
  if (host.addresses.includes(world.config.world.dns.server)) start(kernel, fs, 'dns', worldDnsProgram(world.config.world));
  world.hosts.set(host.name, kernel);
}

/** A host on the nodes' network with the tools of a workstation. */
export function clientKernel(world: World, address?: string): Kernel {
  const ips = address ? [address] : world.config.clientIPs;
  const known = world.clients.get(ips[0]);
  if (known) return known;
  const kernel = newKernel(world.server.sim, 'client');
  const eth0 = attach(
    kernel,
    world.segment,
    'eth0',
    ips.map(text => ({ text, bits: nodeBits(familyOf(ip(text))) })),
    // Several such hosts may be there at once, all of one name.
    machineMac(ips[0]),
  );
  defaultRoutes(kernel, eth0, world.config, ips);
  world.clients.set(ips[0], kernel);
  return kernel;
}

export function defaultRoutes(kernel: Kernel, eth0: Link, config: ClusterConfig, ips: string[]): void {
  const ns = kernel.netns.get('')!;
  for (const f of [4, 6] as const) {
    const gate = gatewayOf(config, f);
    if (!gate || !ips.some(a => familyOf(ip(a)) === f)) continue;
    const route = { dst: cidr(f === 4 ? '0.0.0.0/0' : '::/0'), via: ip(gate), dev: eth0.ifindex };
    if (addRoute(ns, route) === 'ENETUNREACH') addRoute(ns, { ...route, onlink: true }); // a gateway outside the nodes' network
  }
}

export function clientFilesystem(world: World, kernel: Kernel): Filesystem {
  const fs = machineRootfs(kernel);
  place(fs, '/etc/resolv.conf', newFile(`nameserver ${world.config.world.dns.server}\n`));
  // Whoever administers a cluster has its machines in the hosts file.
  const hosts = readFile(fs, '/etc/hosts');
  const nodes = world.config.nodes.map(n => `${n.ips[0]}\t${n.name}\n`).join('');
  place(fs, '/etc/hosts', newFile(`${typeof hosts === 'string' ? '' : bytesToString(hosts)}${nodes}`));
  return fs;
}

// -- the LoadBalancer provider's own part of the network: the addresses it gave out are routed to nodes that answer them

export interface LoadBalancerRoute {
  ip: string;
  nodes: string[];
}

/** Each assigned address and the nodes it is sent to: those that are ready, with Local policy those with a ready endpoint. */
export function loadBalancerRoutes(world: World): LoadBalancerRoute[] {
  const { server } = world;
  const ready = listObjects(server, 'nodes').filter(
    n =>
      n.status?.conditions?.some((c: any) => c.type === 'Ready' && c.status === 'True') &&
      !n.metadata.labels?.['node.kubernetes.io/exclude-from-external-load-balancers'],
  );
  const names = ready.map(n => n.metadata.name);
  const out: LoadBalancerRoute[] = [];
  for (const svc of listObjects(server, 'services')) {
    if (svc.spec?.type !== 'LoadBalancer') continue;
    let nodes = names;
    if (svc.spec.externalTrafficPolicy === 'Local') nodes = names.filter(n => hasLocalEndpoint(server, svc, n));
    for (const i of svc.status?.loadBalancer?.ingress ?? []) if (i.ip && parseIp(i.ip)) out.push({ ip: i.ip, nodes });
  }
  return out;
}

function hasLocalEndpoint(server: ApiServer, svc: KubeObject, node: string): boolean {
  return listObjects(server, 'endpointslices.discovery.k8s.io', svc.metadata.namespace).some(
    s =>
      s.metadata.labels?.['kubernetes.io/service-name'] === svc.metadata.name &&
      (s.endpoints ?? []).some((e: any) => e.nodeName === node && e.conditions?.ready !== false),
  );
}

function routeLoadBalancers(world: World): void {
  const ns = world.gateway.netns.get('')!;
  const dev = [...ns.links.values()].find(l => l.name === 'eth0')!.ifindex;
  let installed: Cidr[] = [];
  const sync = () => {
    for (const dst of installed) removeRoute(ns, { dst });
    installed = [];
    for (const r of loadBalancerRoutes(world)) {
      const dst = cidr(r.ip);
      const vias = r.nodes.flatMap(
        n =>
          world.config.nodes
            .find(s => s.name === n)
            ?.ips.filter(a => familyOf(ip(a)) === familyOf(dst.ip))
            .slice(0, 1) ?? [],
      );
      if (!vias.length) addRoute(ns, { dst, kind: 'blackhole' });
      else if (vias.length === 1) addRoute(ns, { dst, via: ip(vias[0]), dev });
      else addRoute(ns, { dst, nexthops: vias.map(v => ({ via: ip(v), dev, weight: 1 })) });
      installed.push(dst);
    }
  };
  sync();
  for (const bucket of ['services', 'endpointslices.discovery.k8s.io', 'nodes']) {
    watchBucket(world.server, bucket, e => {
      if (bucket !== 'nodes' || !e.old || readiness(e.object) !== readiness(e.old)) sync();
    });
  }
}

const readiness = (n: KubeObject) => n.status?.conditions?.find((c: any) => c.type === 'Ready')?.status;
