// The cluster configuration: what `podnet cluster create` takes, with every default filled in. Plain JSON: a session keeps it.
import type { CniConfig, Encapsulation } from '../cni/types.ts';
import type { KubeProxyConfiguration } from '../kube-proxy/configuration.ts';
import { addToIp, type Cidr, type Family, familyOf, formatCidr, formatIp, network, parseCidr, parseIp } from '../wire/ip.ts';
import { RAW_FILES } from './world-files.ts';

export interface NodeSpec {
  name: string;
  role: 'control-plane' | 'worker';
  /** InternalIPs, the primary family first. */
  ips: string[];
  podCIDRs: string[];
  /** Further addresses, on lo. */
  addresses: string[];
}

export interface WorldListener {
  port: number;
  protocol: 'TCP' | 'UDP';
  http?: { path: string; status?: number; headers?: Record<string, string>; body?: string }[];
  accept?: 'silent';
  banner?: string;
  echo?: boolean;
  /** TLS in front of `http` or `app`, by a certificate that everybody trusts. */
  tls?: boolean;
  /** A server that answers in the place of `http`. */
  app?: 'httpbin';
}

export interface WorldHost {
  name: string;
  addresses: string[];
  dns: string[];
  icmp: boolean;
  closed: 'reset' | 'drop';
  listen: WorldListener[];
}

export interface WorldConfig {
  gateway: string;
  unknown: 'drop' | 'unreachable';
  hosts: WorldHost[];
  dns: {
    server: string;
    ttl: number;
    soa: string;
    records: string[];
    faults: Record<string, 'servfail' | 'refused' | 'drop' | 'nxdomain'>;
  };
}

export interface ClusterConfig {
  name: string;
  version: string;
  nodes: NodeSpec[];
  podCIDRs: string[];
  serviceCIDRs: string[];
  families: Family[];
  cni: CniConfig;
  kubeProxy: KubeProxyConfiguration;
  /** Address pools of the LoadBalancer provider, separated by commas, or null: Services of that type stay pending. */
  loadBalancerPool: string | null;
  searchDomains: string[];
  osImage: string;
  /** `podnet external` without --ip. */
  clientIPs: string[];
  world: WorldConfig;
}

/** A configuration that cannot be: the message names the field. */
export class ConfigError extends Error {}

const VERSION = 'v1.36.3';
const DEFAULT_POOL = '172.18.255.0/24,fd00:172:18:255::/112';

const list = (v: unknown): string[] =>
  v === undefined || v === null
    ? []
    : Array.isArray(v)
      ? v.map(String)
      : String(v)
          .split(',')
          .map(s => s.trim())
          .filter(Boolean);

function cidrs(v: unknown, field: string, fallback: string[]): string[] {
  const all = list(v);
  for (const c of all) if (!c.includes('/') || !parseCidr(c)) throw new ConfigError(`${field}: "${c}" is not a network in CIDR notation`);
  return all.length ? all : fallback;
}

function address(v: unknown, field: string): string {
  const ip = parseIp(String(v));
  if (!ip) throw new ConfigError(`${field}: "${v}" is not an IP address`);
  return formatIp(ip);
}

const KNOWN = new Set(
  'name nodes cni encapsulation dataplane natOutgoing natOutgoing6 mtu interface flannel podCIDR serviceCIDR ipFamily searchDomains osImage loadBalancer kubeProxy proxyMode world'.split(
    ' ',
  ),
);

/** `raw`: the parsed YAML document, or the same fields from flags. */
export function clusterConfig(raw: Record<string, any> = {}): ClusterConfig {
  for (const key of Object.keys(raw)) if (!KNOWN.has(key)) throw new ConfigError(`unknown field "${key}"`);
  const families = familiesOf(raw);
  const podCIDRs = cidrs(
    raw.podCIDR,
    'podCIDR',
    families.map(f => (f === 4 ? '10.244.0.0/16' : 'fd00:10:244::/56')),
  );
  const serviceCIDRs = cidrs(
    raw.serviceCIDR,
    'serviceCIDR',
    families.map(f => (f === 4 ? '10.96.0.0/12' : 'fd00:10:96::/112')),
  );
  const nodes = nodesOf(raw.nodes, families, podCIDRs);
  const primary = nodes[0]?.ips[0] ?? '192.168.1.2';
  const firstOf = (text: string) => {
    const net = network({ ip: parseIp(text)!, bits: familyOf(parseIp(text)!) === 4 ? 24 : 64 });
    return (n: number) => formatIp(addToIp(net.ip, n));
  };
  const at = firstOf(primary);
  const used = new Set(nodes.flatMap(n => n.ips));
  const world = worldOf(raw.world, at(1));
  const client: string[] = [];
  for (const ips of [primary, nodes[0]?.ips.find(i => familyOf(parseIp(i)!) !== familyOf(parseIp(primary)!))]) {
    if (!ips) continue;
    for (let n = 100; ; n++) {
      const candidate = firstOf(ips)(n);
      if (used.has(candidate)) continue;
      client.push(candidate);
      break;
    }
  }
  const mode = raw.kubeProxy?.mode ?? raw.proxyMode ?? 'iptables';
  if (!['iptables', 'ipvs', 'nftables', ''].includes(mode))
    throw new ConfigError(`kubeProxy.mode: "${mode}" must be iptables, ipvs or nftables`);
  return {
    name: raw.name ?? 'kubernetes',
    version: VERSION,
    nodes,
    podCIDRs,
    serviceCIDRs,
    families,
    cni: cniConfig(raw, podCIDRs, serviceCIDRs, families),
    kubeProxy: { clusterCIDR: podCIDRs.join(','), ...raw.kubeProxy, mode: mode || 'iptables' },
    loadBalancerPool: raw.loadBalancer === 'none' ? null : list(raw.loadBalancer ?? DEFAULT_POOL).join(','),
    searchDomains: list(raw.searchDomains),
    osImage: raw.osImage ?? 'Debian GNU/Linux 12 (bookworm)',
    clientIPs: client,
    world,
  };
}

function familiesOf(raw: Record<string, any>): Family[] {
  const named = raw.ipFamily;
  if (named !== undefined && !['ipv4', 'ipv6', 'dual'].includes(named))
    throw new ConfigError(`ipFamily: "${named}" must be ipv4, ipv6 or dual`);
  if (named === 'dual') {
    const given = list(raw.podCIDR)[0] ?? list(raw.serviceCIDR)[0];
    return given?.includes(':') ? [6, 4] : [4, 6];
  }
  if (named) return [named === 'ipv6' ? 6 : 4];
  const given = [...new Set(list(raw.podCIDR).map(c => (c.includes(':') ? 6 : 4) as Family))];
  return given.length ? given : [4];
}

const DEFAULT_NODES = [
  { name: 'control-plane', role: 'control-plane', ip: '192.168.1.2' },
  { name: 'node-1', role: 'worker', ip: '192.168.1.10' },
  { name: 'node-2', role: 'worker', ip: '192.168.1.20' },
  { name: 'node-3', role: 'worker', ip: '192.168.1.30' },
];

/** The n-th subnet of the given size inside `net`. */
function subnet(net: Cidr, bits: number, n: number): string {
  const ip = Uint8Array.from(network(net).ip);
  for (let bit = bits - 1, v = n; v > 0 && bit >= 0; bit--, v >>= 1) if (v & 1) ip[bit >> 3] |= 0x80 >> (bit & 7);
  return formatCidr({ ip, bits });
}

function nodesOf(raw: unknown, families: Family[], podCIDRs: string[]): NodeSpec[] {
  const given: any[] = Array.isArray(raw) ? raw : defaultNodes(typeof raw === 'number' ? raw : 3);
  const names = new Set<string>();
  return given.map((n, i) => {
    if (!n?.name || typeof n.name !== 'string') throw new ConfigError(`nodes[${i}].name: required`);
    if (names.has(n.name)) throw new ConfigError(`nodes[${i}].name: "${n.name}" is there twice`);
    names.add(n.name);
    const role = n.role ?? (i === 0 ? 'control-plane' : 'worker');
    if (role !== 'control-plane' && role !== 'worker')
      throw new ConfigError(`nodes[${i}].role: "${n.role}" must be control-plane or worker`);
    const ips =
      n.ip === undefined
        ? families.map(f => (f === 4 ? `192.168.1.${10 * (i + 1)}` : `fd00:192:168:1::${(10 * (i + 1)).toString(16)}`))
        : list(n.ip);
    ips.forEach(ip => {
      address(ip, `nodes[${i}].ip`);
    });
    // A node of a dual-stack cluster that names one address only gets a second one, so that its other family has a path.
    for (const f of families) {
      if (!ips.some(ip => familyOf(parseIp(ip)!) === f))
        ips.push(f === 4 ? `192.168.1.${10 * (i + 1)}` : `fd00:192:168:1::${(i + 1).toString(16)}`);
    }
    const own = cidrs(n.podCIDR, `nodes[${i}].podCIDR`, []);
    const podNets = own.length
      ? own
      : podCIDRs.map(c => {
          const net = parseCidr(c)!;
          const bits = net.ip.length === 4 ? Math.max(24, Math.min(30, net.bits + 2)) : 64;
          return subnet(net, net.ip.length === 4 && net.bits < 24 ? 24 : bits, i);
        });
    return {
      name: n.name,
      role,
      ips: ips.filter(ip => families.includes(familyOf(parseIp(ip)!)) || ips.length === 1).map(ip => address(ip, 'ip')),
      podCIDRs: podNets,
      addresses: list(n.addresses).map(a => address(a, `nodes[${i}].addresses`)),
    };
  });
}

/** `--nodes N`: so many workers beside the control plane. */
function defaultNodes(n: number) {
  if (!Number.isInteger(n) || n < 0 || n > 250) throw new ConfigError(`nodes: ${n} must be between 0 and 250`);
  return Array.from(
    { length: n + 1 },
    (_, i) => DEFAULT_NODES[i] ?? { name: `node-${i}`, role: 'worker', ip: `192.168.1.${i < 10 ? i * 10 : 100 + i}` },
  );
}

const ENCAPSULATIONS: Record<string, Encapsulation> = {
  none: 'none',
  vxlan: 'vxlan',
  vxlancrosssubnet: 'vxlan-cross-subnet',
  ipip: 'ipip',
  ipipcrosssubnet: 'ipip-cross-subnet',
  hostgw: 'host-gw',
};

function cniConfig(raw: Record<string, any>, podCIDRs: string[], serviceCIDRs: string[], families: Family[]): CniConfig {
  const name = raw.cni ?? 'calico';
  const known = ['calico', 'kindnet', 'flannel', 'bridge', 'ptp', 'none'];
  const later = ['cilium', 'weave', 'azure', 'aws-vpc'];
  if (later.includes(name)) throw new ConfigError(`cni: "${name}" is not modelled yet; podnet has ${known.join(', ')}`);
  if (!known.includes(name)) throw new ConfigError(`cni: "${name}" is unknown; podnet has ${known.join(', ')}`);
  const asked =
    raw.encapsulation === undefined
      ? name === 'flannel'
        ? 'vxlan'
        : 'none'
      : ENCAPSULATIONS[String(raw.encapsulation).toLowerCase().replace(/-/g, '')];
  if (!asked) throw new ConfigError(`encapsulation: "${raw.encapsulation}" must be none, vxlan, vxlan-cross-subnet, ipip or host-gw`);
  if (raw.dataplane !== undefined && !['iptables', 'nftables'].includes(raw.dataplane))
    throw new ConfigError(`dataplane: "${raw.dataplane}" must be iptables or nftables`);
  return {
    name,
    encapsulation: asked,
    dataplane: raw.dataplane ?? 'iptables',
    natOutgoing: raw.natOutgoing ?? true,
    natOutgoing6: raw.natOutgoing6 ?? false,
    mtu: raw.mtu ?? null,
    interface: raw.interface ?? 'eth0',
    podCIDRs,
    serviceCIDRs,
    families,
    flannel: { netConf: raw.flannel?.['net-conf'] ?? null, args: raw.flannel?.args ?? [] },
  };
}

const SOA = 'a.root-servers.net. nstld.verisign-grs.com. 2026112100 1800 900 604800 86400';

const page = (name: string) => [
  {
    path: '/*',
    status: 200,
    headers: { 'Content-Type': 'text/html' },
    body: `<!doctype html>\n<title>${name}</title>\n<h1>${name}</h1>\n`,
  },
];

/** A site that sends who comes without TLS to where it is. */
function secureOnly() {
  const moved = [{ path: '/*', status: 301, headers: { Location: 'https://$host$path' }, body: '' }];
  return [
    { port: 80, http: moved },
    { port: 443, tls: true, http: page('cnn.com') },
  ];
}

/** The internet of a cluster whose configuration says nothing: a few well-known names, on documentation and real resolver addresses. */
const DEFAULT_HOSTS = [
  { name: 'example', addresses: ['93.184.215.14'], dns: ['example.com', 'www.example.com', 'example.org', 'example.net'] },
  { name: 'kubernetes-io', addresses: ['147.75.40.148'], dns: ['kubernetes.io', 'k8s.io'] },
  { name: 'google', addresses: ['142.250.74.46'], dns: ['google.com', 'www.google.com'] },
  { name: 'wikipedia', addresses: ['185.15.59.224'], dns: ['wikipedia.org', 'www.wikipedia.org', 'en.wikipedia.org', 'de.wikipedia.org'] },
  { name: 'cnn', addresses: ['151.101.3.5'], dns: ['cnn.com', 'www.cnn.com', 'edition.cnn.com'], listen: secureOnly() },
  {
    name: 'httpbin',
    addresses: ['54.243.106.191'],
    dns: ['httpbin.org'],
    listen: [
      { port: 80, app: 'httpbin' },
      { port: 443, tls: true, app: 'httpbin' },
    ],
  },
  { name: 'github', addresses: ['140.82.121.4'], dns: ['github.com', 'api.github.com'] },
  {
    name: 'github-raw',
    addresses: ['185.199.108.133'],
    dns: ['raw.githubusercontent.com'],
    listen: [{ port: 443, tls: true, http: RAW_FILES }],
  },
  {
    name: 'packages',
    addresses: ['151.101.2.132'],
    dns: [
      'deb.debian.org',
      'security.debian.org',
      'archive.ubuntu.com',
      'security.ubuntu.com',
      'dl-cdn.alpinelinux.org',
      'pypi.org',
      'registry.npmjs.org',
    ],
  },
  { name: 'google-dns', addresses: ['8.8.8.8', '8.8.4.4'], dns: ['dns.google'] },
  { name: 'cloudflare-dns', addresses: ['1.1.1.1', '1.0.0.1'], dns: ['one.one.one.one', 'cloudflare.com'] },
];

function worldOf(raw: any, gateway: string): WorldConfig {
  const hosts: any[] = raw?.hosts ?? DEFAULT_HOSTS;
  const gate = raw?.gateway ?? gateway;
  return {
    gateway: address(gate, 'world.gateway'),
    unknown: raw?.unknown ?? 'drop',
    hosts: hosts.map((h, i) => ({
      name: String(h.name ?? `host-${i}`),
      addresses: list(h.addresses).map(a => address(a, `world.hosts[${i}].addresses`)),
      dns: list(h.dns),
      icmp: h.icmp ?? true,
      closed: h.closed ?? 'reset',
      listen: (h.listen ?? (raw?.hosts ? [] : [80, 443].map(port => ({ port, tls: port === 443, http: page(h.dns?.[0] ?? h.name) })))).map(
        (l: any) => ({
          protocol: 'TCP',
          ...l,
        }),
      ),
    })),
    dns: {
      server: address(raw?.dns?.server ?? gate, 'world.dns.server'),
      ttl: raw?.dns?.ttl ?? 30,
      soa: raw?.dns?.soa ?? SOA,
      records: list(raw?.dns?.records),
      faults: raw?.dns?.faults ?? {},
    },
  };
}
