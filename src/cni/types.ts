// The seam between the cluster and its CNI: allocation is bookkeeping that needs no kernel, plumbing builds what the kernel of one node sees.
import type { ApiServer } from '../apiserver/types.ts';
import type { Kernel, Netns } from '../linux/types.ts';
import type { Filesystem } from '../linux/vfs.ts';
import type { Sim } from '../sim/sim.ts';
import type { Family } from '../wire/ip.ts';

export type Encapsulation = 'none' | 'vxlan' | 'vxlan-cross-subnet' | 'ipip' | 'ipip-cross-subnet' | 'host-gw';

export interface CniConfig {
  /** Row of the table in plugins.ts. */
  name: string;
  encapsulation: Encapsulation;
  /** How the CNI writes its rules. */
  dataplane: 'iptables' | 'nftables';
  natOutgoing: boolean;
  natOutgoing6: boolean;
  /** null: derived from the interface and the encapsulation. */
  mtu: number | null;
  /** The node's interface towards the other nodes. */
  interface: string;
  podCIDRs: string[];
  serviceCIDRs: string[];
  families: Family[];
  flannel: { netConf: Record<string, any> | null; args: string[] };
}

/** A block of addresses with its owner, as Calico's IPAMBlock or host-local's range file keeps it; plain JSON. */
export interface IpamBlock {
  cidr: string;
  node: string;
  /** Address text -> `namespace/name` of the pod. */
  used: Record<string, string>;
  /** host-local's last_reserved_ip: the search goes on behind it. */
  last: string | null;
}

/** Who has which address, for the whole cluster. Plain JSON: a session keeps it as it is. */
export interface IpamState {
  /** By family; the order is the order of claiming. */
  blocks: Record<'4' | '6', IpamBlock[]>;
}

/** The CNI of one cluster: what all nodes share. */
export interface CniCluster {
  sim: Sim;
  server: ApiServer;
  config: CniConfig;
  ipam: IpamState;
  /** Called after blocks came or went: nodes' route agents look again. */
  blocksChanged: Set<() => void>;
}

export interface PodRef {
  namespace: string;
  name: string;
  nodeName: string;
  /** Addresses the pod had before or asks for (status.podIPs, annotations): honoured when free. */
  wanted?: string[];
  /** Addresses that files in host-local's folder say are taken: those that somebody else put there. */
  reserved?: ReadonlySet<string>;
}

export interface PortMapping {
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp' | 'sctp';
  hostIP?: string;
}

/** A pod's sandbox on its node: a network namespace that has nothing but lo until it is plumbed. */
export interface PodSandbox {
  /** Container id: 64 hex digits. */
  id: string;
  namespace: string;
  name: string;
  netns: Netns;
  /** As allocated: one address per family. */
  ips: string[];
  portMappings: PortMapping[];
}

/** One node whose kernel exists. */
export interface CniNode {
  cluster: CniCluster;
  nodeName: string;
  kernel: Kernel;
  /** The node's own namespace; its interface has its addresses already. */
  netns: Netns;
  /** Plumbed sandboxes by `namespace/name`. */
  sandboxes: Map<string, PodSandbox>;
  /** Called after a sandbox came or went, plumbed or not yet: the policy agent programs its chains. */
  sandboxesChanged: Set<() => void>;
  /** The node's files, for what plugins leave in /etc/cni/net.d, /run/flannel …; absent in tests. */
  fs?: Filesystem;
}

/** What runs on a node beside the plugin (calico-node, flanneld): keeps routes and rules up to date until stopped. */
export interface CniAgent {
  /** Bring the kernel up to date now instead of at the next event. */
  sync: () => void;
  stop: () => void;
}

/** One CNI: a file of its own and a row in plugins.ts. */
export interface CniPlugin {
  name: string;
  /** Addresses for a pod, one per family, or why there are none. Needs no kernel; the same state and order give the same addresses. */
  allocate: (cluster: CniCluster, pod: PodRef) => string[] | { error: string };
  release: (cluster: CniCluster, pod: { namespace: string; name: string }) => void;
  /** Devices, routes, sysctls and files that are there before the first pod. */
  setupNode: (node: CniNode) => void;
  /** Links and routes of an allocated pod; the sandbox is added to `node.sandboxes`. */
  plumb: (node: CniNode, sandbox: PodSandbox) => { error: string } | null;
  unplumb: (node: CniNode, sandbox: PodSandbox) => void;
  /**
   * `adopt`: the kernel already is as this agent left it (a session reload): nothing is written until something changes. `again`: an
   * agent that was at rest writes what it had written, on a machine that is built anew.
   */
  startAgent: ((node: CniNode, options?: { adopt?: boolean; again?: boolean }) => CniAgent) | null;
}
