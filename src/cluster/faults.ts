// Faults as the commands that bring them about, and those that end them. Nothing else in podnet knows of them: a fault is a state that a
// component or a table of the kernel is in, and its symptoms follow as they do on a machine.

import { RESERVATIONS } from '../cni/conf-files.ts';
import { cidrSize, network, parseCidr } from '../wire/ip.ts';

/** `node`: run there; without one, kubectl. */
export interface FaultStep {
  node?: string;
  argv: string[];
}

export interface FaultArguments {
  nodes: string[];
  /** Words behind the nodes: a device, a chain, a network, a number. */
  words: string[];
  /** Each node's pod networks. */
  podCIDRs: (node: string) => string[];
}

export interface Fault {
  name: string;
  /** Words that it takes behind its name. */
  usage: string;
  summary: string;
  /** Whether it is about nodes: at least one has to be named. */
  needsNodes: boolean;
  /** Words that must be there. */
  needsWords?: number;
  /** The CNIs that it is about; none: any. */
  cnis?: string[];
  inject: (a: FaultArguments) => FaultStep[];
  /** null: nothing undoes it but who made it (a restart of the component). */
  heal: ((a: FaultArguments) => FaultStep[]) | null;
}

const onEach =
  (argv: (words: string[]) => string[]) =>
  ({ nodes, words }: FaultArguments): FaultStep[] =>
    nodes.map(node => ({ node, argv: argv(words) }));

const kubectl = (...argv: string[]): FaultStep => ({ argv });

/** No node has this label: a DaemonSet that asks for it has no pods, and their rules stay where they were written. */
const NOWHERE = 'podnet.fault/nowhere';

const withoutPods = (daemonSet: string) => () => [
  kubectl(
    ...['-n', 'kube-system', 'patch', 'daemonset', daemonSet, '--type', 'merge', '-p'],
    JSON.stringify({ spec: { template: { spec: { nodeSelector: { 'kubernetes.io/os': 'linux', [NOWHERE]: 'true' } } } } }),
  ),
];

const withPods = (daemonSet: string) => () => [
  kubectl(
    ...['-n', 'kube-system', 'patch', 'daemonset', daemonSet, '--type', 'merge', '-p'],
    JSON.stringify({ spec: { template: { spec: { nodeSelector: { [NOWHERE]: null } } } } }),
  ),
];

const restarted = (daemonSet: string): FaultStep => kubectl('-n', 'kube-system', 'rollout', 'restart', `daemonset/${daemonSet}`);

/** Every packet that comes by a device, with this probability. */
const loss = (action: '-I' | '-D') =>
  onEach(([percent = '50', device = 'eth0']) => [
    ...['iptables', '-t', 'raw', action, 'PREROUTING', '-i', device],
    ...['-m', 'statistic', '--mode', 'random', '--probability', String(Number(percent) / 100), '-j', 'DROP'],
  ]);

/** Files as pods leave them that went without their CNI being told (host-local); what is there already is a pod's own. */
function leak(node: string, podCIDRs: string[]): FaultStep {
  const net = podCIDRs.map(c => parseCidr(c)).find(c => c?.ip.length === 4);
  const size = net ? Math.min(cidrSize(net), 256) : 0;
  const first = net ? network(net).ip : new Uint8Array(4);
  const prefix = first.subarray(0, 3).join('.');
  const script = `cd ${RESERVATIONS}/* && for i in $(seq ${first[3] + 2} ${first[3] + size - 2}); do test -e ${prefix}.$i || echo ${LEAKED} > ${prefix}.$i; done`;
  return { node, argv: ['sh', '-c', script] };
}

const LEAKED = 'leaked';

/** The number of entries that a table may hold, as the kernel sizes it on these machines. */
const CONNTRACK_MAX = '262144';

export const FAULTS: Fault[] = [
  {
    name: 'kube-proxy',
    usage: '',
    summary: 'kube-proxy runs nowhere: rules stay, and no longer follow Services',
    needsNodes: false,
    inject: withoutPods('kube-proxy'),
    heal: withPods('kube-proxy'),
  },
  {
    name: 'felix',
    usage: '',
    summary: "Calico's agent runs nowhere: rules stay, and no longer follow pods and policies",
    needsNodes: false,
    inject: withoutPods('calico-node'),
    heal: withPods('calico-node'),
  },
  {
    name: 'coredns',
    usage: '',
    summary: 'CoreDNS is scaled to nothing',
    needsNodes: false,
    inject: () => [kubectl('-n', 'kube-system', 'scale', 'deployment', 'coredns', '--replicas=0')],
    heal: () => [kubectl('-n', 'kube-system', 'scale', 'deployment', 'coredns', '--replicas=2')],
  },
  {
    name: 'kubelet',
    usage: 'NODE...',
    summary: 'the kubelet stops: the node becomes NotReady, its pods run on',
    needsNodes: true,
    inject: onEach(() => ['systemctl', 'stop', 'kubelet']),
    heal: onEach(() => ['systemctl', 'start', 'kubelet']),
  },
  {
    name: 'link',
    usage: 'NODE... [DEVICE]',
    summary: 'a device goes down (eth0)',
    needsNodes: true,
    inject: onEach(([device = 'eth0']) => ['ip', 'link', 'set', device, 'down']),
    heal: onEach(([device = 'eth0']) => ['ip', 'link', 'set', device, 'up']),
  },
  {
    name: 'chain',
    usage: 'NODE... CHAIN [TABLE]',
    summary: 'a chain of iptables is flushed (table nat)',
    needsNodes: true,
    needsWords: 1,
    inject: onEach(([chain, table = 'nat']) => ['iptables', '-t', table, '-F', chain]),
    heal: ({ words: [chain = ''] }) => [restarted(chain.startsWith('cali') ? 'calico-node' : 'kube-proxy')],
  },
  {
    name: 'route',
    usage: 'NODE... NETWORK',
    summary: 'a route is deleted',
    needsNodes: true,
    needsWords: 1,
    inject: onEach(([network]) => ['ip', 'route', 'del', network]),
    heal: null,
  },
  {
    name: 'forwarding',
    usage: 'NODE...',
    summary: 'the node forwards no packets (ip_forward 0)',
    needsNodes: true,
    inject: onEach(() => ['sysctl', '-w', 'net.ipv4.ip_forward=0']),
    heal: onEach(() => ['sysctl', '-w', 'net.ipv4.ip_forward=1']),
  },
  {
    name: 'addresses',
    usage: 'NODE...',
    summary: "every address of the node's pod network is taken, by pods that are long gone (CNIs with host-local)",
    needsNodes: true,
    cnis: ['bridge', 'ptp', 'kindnet', 'flannel'],
    inject: ({ nodes, podCIDRs }) => nodes.map(node => leak(node, podCIDRs(node))),
    heal: onEach(() => ['sh', '-c', `for f in ${RESERVATIONS}/*/*; do if grep -qx ${LEAKED} $f; then rm $f; fi; done`]),
  },
  {
    name: 'conntrack',
    usage: 'NODE... [ENTRIES]',
    summary: 'the connection table is full at so many entries (1)',
    needsNodes: true,
    inject: onEach(([entries = '1']) => ['sysctl', '-w', `net.netfilter.nf_conntrack_max=${entries}`]),
    heal: onEach(() => ['sysctl', '-w', `net.netfilter.nf_conntrack_max=${CONNTRACK_MAX}`]),
  },
  {
    name: 'loss',
    usage: 'NODE... [PERCENT] [DEVICE]',
    summary: 'some of the packets that come by a device are lost (50, eth0)',
    needsNodes: true,
    inject: loss('-I'),
    heal: loss('-D'),
  },
];

/** Nodes are named first; what is no node's name belongs to the fault. -> the steps, or what is wrong with the words */
export function faultSteps(
  nodes: string[],
  fault: Fault,
  words: string[],
  heal: boolean,
  cluster: { cni: string; podCIDRs: FaultArguments['podCIDRs'] } = { cni: '', podCIDRs: () => [] },
): FaultStep[] | string {
  const { cni, podCIDRs } = cluster;
  const named = fault.needsNodes ? words.filter(w => nodes.includes(w)) : [];
  const rest = words.filter(w => !named.includes(w));
  const usage = `usage: podnet fault ${heal ? '--heal ' : ''}${fault.name}${fault.usage ? ` ${fault.usage}` : ''}`;
  if (fault.needsNodes && !named.length) return `which node? there are ${nodes.join(', ')}\n${usage}`;
  if (rest.length < (fault.needsWords ?? 0)) return `something is missing\n${usage}`;
  if (!fault.usage && words.length) return `"${words[0]}" is too much\n${usage}`;
  if (fault.cnis && !fault.cnis.includes(cni))
    return `"${fault.name}" is a fault of ${fault.cnis.join(', ')}: this cluster's CNI is ${cni}`;
  if (!heal) return fault.inject({ nodes: named, words: rest, podCIDRs });
  return fault.heal ? fault.heal({ nodes: named, words: rest, podCIDRs }) : `nothing undoes "${fault.name}" but restarting what made it`;
}
