// A cluster drawn from a seed: machines, network, rules, faults, and what to ask. Data only; compare.ts builds it on both sides.
import { below, newRandom, type Random } from '../../src/sim/random.ts';
import { HOST, LABELS, maybe, NAMESPACES, pick } from './chance.ts';
import { drawCalico } from './draw-calico.ts';
import { drawPolicies } from './draw-policies.ts';
import { drawServices } from './draw-services.ts';

export interface Pod {
  /** `namespace/name` */
  key: string;
  node: string;
  labels: Record<string, string>;
  /** It has a server on these; a client has none. */
  tcp: number | null;
  udp: number | null;
  hostNetwork: boolean;
  /** It is also reached at its node's address, by TCP here and by UDP one above; `hostIP`: by TCP at this one alone. */
  hostPort?: number;
  hostIP?: string;
}

export interface Drawing {
  seed: number;
  /** The cluster configuration file's fields. */
  config: Record<string, any>;
  pods: Pod[];
  /** Applied one after another; a rest between them. */
  objects: object[][];
  /** kubectl's words, after everything runs. */
  commands: string[][];
  /** What is broken then, by node. A command that its node does not know is no fault. */
  faults: { node: string; argv: string[] }[];
  random: Random;
}

const NETWORKS: Record<string, any>[] = [
  { cni: 'calico' },
  { cni: 'calico', encapsulation: 'vxlan' },
  { cni: 'calico', encapsulation: 'ipip' },
  { cni: 'calico', dataplane: 'nftables' },
  { cni: 'flannel' },
  { cni: 'flannel', encapsulation: 'host-gw' },
  { cni: 'kindnet' },
  { cni: 'bridge' },
  { cni: 'ptp' },
];

/** `ipip`: whether the kernel that all is built in has IP-in-IP. */
export function draw(seed: number, ipip = true): Drawing {
  const r = newRandom(seed);
  const network = { ...pick(r, NETWORKS) };
  if (network.encapsulation === 'ipip' && !ipip) network.encapsulation = 'vxlan';
  const names = ['control-plane', 'node-1', 'node-2', 'node-3'].slice(0, 1 + below(r, 4));
  const mode = maybe(r, 0.6) ? 'iptables' : 'nftables';
  const ipFamily = pick(r, ['ipv4', 'ipv4', 'dual', 'ipv6']);
  const config = {
    ...network,
    nodes: names.map((name, i) => ({ name, role: i ? 'worker' : 'control-plane' })),
    ipFamily,
    ...(maybe(r, 0.2) ? { natOutgoing: false } : {}),
    ...(maybe(r, 0.3) ? { natOutgoing6: true } : {}),
    kubeProxy: kubeProxy(r, mode, network.cni),
    world: { unknown: maybe(r, 0.7) ? 'drop' : 'unreachable', hosts: [{ ...HOST, listen: [{ port: 80, banner: 'host' }] }] },
  };
  const pods = drawPods(r, names);
  const families = ipFamily === 'dual' ? [4, 6] : [ipFamily === 'ipv6' ? 6 : 4];
  const services = drawServices(r, pods, families as (4 | 6)[]);
  const policies = maybe(r, 0.6) ? drawPolicies(r, network.cni === 'calico') : [];
  if (network.cni === 'calico' && maybe(r, 0.5)) policies.push(...drawCalico(r, names));
  const namespaces = NAMESPACES.filter(n => n !== 'default').map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  return {
    seed,
    config,
    pods,
    objects: [namespaces, pods.map(p => manifest(r, p)), services, policies].filter(l => l.length),
    commands: maybe(r, 0.3) ? pods.filter(p => p.tcp && maybe(r, 0.2)).map(leaving) : [],
    faults: maybe(r, 0.4) ? drawFaults(r, names) : [],
    random: r,
  };
}

function kubeProxy(r: Random, mode: string, cni: string): object {
  const local: object[] =
    cni === 'calico' || cni === 'ptp'
      ? [{}, { detectLocalMode: 'NodeCIDR' }, { detectLocalMode: 'InterfaceNamePrefix', detectLocal: { interfaceNamePrefix: 'cali' } }]
      : [{}, { detectLocalMode: 'NodeCIDR' }, { detectLocalMode: 'BridgeInterface', detectLocal: { bridgeInterface: 'cni0' } }];
  const own = { ...(maybe(r, 0.15) ? { masqueradeAll: true } : {}), ...(maybe(r, 0.1) ? { masqueradeBit: 20 } : {}) };
  return {
    mode,
    ...pick(r, local),
    ...(maybe(r, 0.2) ? { nodePortAddresses: pick(r, [['primary'], ['192.168.1.0/28'], ['127.0.0.0/8', '192.168.0.0/16']]) } : {}),
    [mode]: { ...own, ...(mode === 'iptables' && maybe(r, 0.2) ? { localhostNodePorts: maybe(r) } : {}) },
  };
}

function drawPods(r: Random, nodes: string[]): Pod[] {
  const out: Pod[] = [];
  const servers = 2 + below(r, 4);
  for (let i = 0; i < servers; i++) {
    const hostNetwork = maybe(r, 0.15);
    out.push({
      key: `${pick(r, NAMESPACES)}/server-${i}`,
      node: pick(r, nodes),
      labels: { color: pick(r, LABELS), role: 'server' },
      // On a node, ports are everybody's.
      tcp: hostNetwork ? 18080 + i : 8080,
      udp: hostNetwork ? 18180 + i : 8081,
      hostNetwork,
      ...(!hostNetwork && maybe(r, 0.25)
        ? { hostPort: 5000 + 10 * i, hostIP: pick(r, [undefined, undefined, '127.0.0.1', '0.0.0.0']) }
        : {}),
    });
  }
  const clients = 1 + below(r, 3);
  for (let i = 0; i < clients; i++) {
    const labels = { color: pick(r, LABELS), role: 'client' };
    out.push({ key: `${pick(r, NAMESPACES)}/client-${i}`, node: pick(r, nodes), labels, tcp: null, udp: null, hostNetwork: false });
  }
  return out;
}

function manifest(r: Random, p: Pod): object {
  const [namespace, name] = p.key.split('/');
  const server = {
    name: 'server',
    image: 'registry.k8s.io/e2e-test-images/agnhost:2.53',
    args: ['netexec', `--http-port=${p.tcp}`, `--udp-port=${p.udp}`],
    ports: [
      { name: 'web', containerPort: p.tcp, ...(p.hostPort ? { hostPort: p.hostPort, hostIP: p.hostIP } : {}) },
      { name: 'query', containerPort: p.udp, protocol: 'UDP', ...(p.hostPort ? { hostPort: p.hostPort + 1 } : {}) },
    ],
    // Not ready for ever: nobody listens there.
    ...(p.tcp && maybe(r, 0.2) ? { readinessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 1 } } : {}),
    lifecycle: { preStop: { exec: { command: ['sleep', '600'] } } },
  };
  const client = { name: 'client', image: 'busybox:1.36', command: ['sleep', 'infinity'] };
  const spec = { nodeName: p.node, terminationGracePeriodSeconds: 900, hostNetwork: p.hostNetwork || undefined };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: p.labels },
    spec: { ...spec, containers: [p.tcp ? server : client] },
  };
}

function leaving(p: Pod): string[] {
  const [namespace, name] = p.key.split('/');
  return ['-n', namespace, 'delete', 'pod', name, '--wait=false'];
}

const FAULTS: ((r: Random) => string[])[] = [
  r => ['iptables', '-t', 'nat', '-F', pick(r, ['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ', 'POSTROUTING'])],
  r => ['iptables', '-t', 'filter', '-F', pick(r, ['FORWARD', 'KUBE-FORWARD', 'cali-FORWARD', 'cali-INPUT', 'cali-from-wl-dispatch'])],
  r => ['iptables', '-P', pick(r, ['FORWARD', 'INPUT', 'OUTPUT']), 'DROP'],
  r => [
    'nft',
    'flush',
    'chain',
    'ip',
    'kube-proxy',
    pick(r, ['services', 'nat-prerouting', 'nat-postrouting', 'masquerading', 'nodeports']),
  ],
  r => ['nft', 'flush', 'map', 'ip', 'kube-proxy', pick(r, ['service-ips', 'service-nodeports', 'no-endpoint-services'])],
  () => ['ip', 'route', 'del', 'default'],
  r => ['ip', 'route', 'del', `10.244.${below(r, 4)}.0/24`],
  r => ['ip', 'route', 'del', `10.244.${below(r, 4)}.0/26`],
  r => ['ip', 'link', 'set', pick(r, ['eth0', 'cni0', 'flannel.1', 'vxlan.calico']), 'down'],
  r => ['sysctl', '-w', `net.ipv4.ip_forward=${pick(r, [0, 0, 1])}`],
  r => ['sysctl', '-w', `net.ipv4.conf.all.rp_filter=${pick(r, [1, 2])}`],
  () => ['sysctl', '-w', 'net.ipv6.conf.all.forwarding=0'],
  () => ['sysctl', '-w', 'net.bridge.bridge-nf-call-iptables=0'],
  () => ['sysctl', '-w', 'net.ipv4.conf.all.route_localnet=0'],
  () => ['ipset', 'flush'],
  r => [
    'iptables',
    '-t',
    'raw',
    '-I',
    'PREROUTING',
    '-p',
    pick(r, ['tcp', 'udp']),
    '-m',
    'statistic',
    '--mode',
    'random',
    '--probability',
    '0.5',
    '-j',
    'DROP',
  ],
  r => ['iptables', '-I', 'FORWARD', '-p', 'tcp', '-j', 'REJECT', '--reject-with', pick(r, REJECTS)],
  r => [
    'iptables',
    '-I',
    pick(r, ['INPUT', 'OUTPUT']),
    '-p',
    pick(r, ['tcp', 'udp']),
    '--dport',
    pick(r, ['8080', '8081', '80']),
    '-j',
    pick(r, ['REJECT', 'DROP']),
  ],
  () => ['ip6tables', '-I', 'FORWARD', '-j', 'REJECT', '--reject-with', 'icmp6-adm-prohibited'],
];

const REJECTS = ['icmp-host-unreachable', 'icmp-port-unreachable', 'icmp-admin-prohibited', 'icmp-net-unreachable', 'tcp-reset'];

const drawFaults = (r: Random, nodes: string[]) =>
  Array.from({ length: 1 + below(r, 2) }, () => ({ node: pick(r, nodes), argv: pick(r, FAULTS)(r) }));
