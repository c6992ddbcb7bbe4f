// The kernel's state as plain data. Behaviour lives in the modules beside this file, one concept each.

import type { Pipe } from '../sim/pipe.ts';
import type { Sim } from '../sim/sim.ts';
import type { Task, WaitQueue } from '../sim/task.ts';
import type { Cidr, Family, Ip } from '../wire/ip.ts';
import type { Frame, Mac, Packet } from '../wire/packet.ts';
import type { NetfilterState } from './netfilter/types.ts';
import type { SocketTable } from './socket.ts';
import type { Filesystem } from './vfs.ts';

export type Errno =
  | 'EPERM'
  | 'ENOENT'
  | 'EINTR'
  | 'EIO'
  | 'EBADF'
  | 'EAGAIN'
  | 'ENOMEM'
  | 'EACCES'
  | 'EBUSY'
  | 'EEXIST'
  | 'ENODEV'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'EINVAL'
  | 'ENOSPC'
  | 'EROFS'
  | 'EPIPE'
  | 'ENOTEMPTY'
  | 'ELOOP'
  | 'EMSGSIZE'
  | 'EPROTONOSUPPORT'
  | 'EOPNOTSUPP'
  | 'EAFNOSUPPORT'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ECONNABORTED'
  | 'ECONNRESET'
  | 'ENOBUFS'
  | 'EISCONN'
  | 'ENOTCONN'
  | 'ETIMEDOUT'
  | 'ECONNREFUSED'
  | 'EHOSTDOWN'
  | 'EHOSTUNREACH'
  | 'EALREADY'
  | 'EINPROGRESS'
  | 'ENOSYS'
  | 'ENOEXEC'
  | 'ESRCH'
  | 'ECHILD'
  | 'EDESTADDRREQ'
  | 'EPROTO'
  | 'ENAMETOOLONG'
  | 'EXDEV'
  | 'ENOPROTOOPT'
  | 'ENXIO';

/** One machine: a node, or a host outside the cluster. Its pods' network namespaces belong to it too. */
export interface Kernel {
  sim: Sim;
  hostname: string;
  /** `uname -r` and friends. */
  release: string;
  /** `uname -v`: of the build. */
  version: string;
  bootedAtMs: number;
  /** By name; '' is the machine's own (init) namespace. */
  netns: Map<string, Netns>;
  processes: Map<number, Process>;
  /** The machine's own root, once it has one: processes on it see those of all containers. */
  rootfs?: Filesystem;
  /** Modules that somebody has loaded by hand. */
  modules?: string[];
  nextPid: number;
  nextNetnsId: number;
  /** The kernel's own ICMP socket is sending (icmp_xmit_lock): what would send another error meanwhile does not. */
  icmpSends?: boolean;
}

export interface Netns {
  kernel: Kernel;
  name: string;
  /** Its name under /run/netns; none: nobody has given it one (namespaces.ts). */
  file?: string;
  id: number;
  links: Map<number, Link>;
  nextIfindex: number;
  /** `ip rule`, by priority. */
  rules: PolicyRule[];
  /** Routing tables by number: 255 local, 254 main. */
  tables: Map<number, Route[]>;
  neigh: Neigh[];
  netfilter: NetfilterState;
  sockets: SocketTable;
  /** IP Virtual Server, once something used it. */
  ipvs?: import('./ipvs/types.ts').IpvsState;
  /** Dotted keys: `net.ipv4.ip_forward` -> "1". What is absent has the kernel's default (sysctl.ts). */
  sysctls: Map<string, string>;
  /** Packet sockets (tcpdump): called for every frame that a link of this namespace sends or receives. */
  taps: Set<Tap>;
  /** What its owner put off until somebody looks (due.ts): a node's rules, a pod's programs. */
  due: Set<() => void>;
  /** Next IP identification; per namespace so that captures of one place count up. */
  nextIpId?: number;
  /** Path MTUs learned from ICMP, by destination (`net.ipv4.route.mtu_expires`: ten minutes). */
  pmtu?: Map<string, { mtu: number; expiresAtMs: number }>;
  /** How much each sender may still be told of ways that are missing (ip_error); gone with the process, as peers are that are not heard of. */
  told?: Map<string, { creditMs: number; atMs: number }>;
  /** VXLAN and other kernel-owned UDP ports. */
  kernelPorts?: Map<number, Link>;
  /** Parts that a user's command changed: they can no longer be derived and are kept by the session. */
  dirty: Set<'netfilter' | 'ipset' | 'routes' | 'links' | 'neigh' | 'sysctl' | 'conntrack'>;
}

export interface Tap {
  ifindex: number | null;
  seen: (frame: Frame, link: Link, direction: 'in' | 'out', atMs: number) => void;
}

export type LinkKind = 'loopback' | 'ethernet' | 'veth' | 'bridge' | 'vxlan' | 'ipip' | 'dummy' | 'tun';

export interface LinkAddress {
  ip: Ip;
  bits: number;
  scope: 'global' | 'link' | 'host';
  broadcast?: Ip;
  /** `peer` of a point-to-point address. */
  peer?: Ip;
  label?: string;
}

export interface Link {
  netns: Netns;
  ifindex: number;
  name: string;
  kind: LinkKind;
  mac: Mac;
  mtu: number;
  /** Administratively up. Carrier: `up` and the other end `up`. */
  up: boolean;
  addresses: LinkAddress[];
  /** The bridge this link is a port of. */
  master: number | null;
  hairpin: boolean;
  txqlen: number;
  /** veth: the other end. ethernet: the segment it is plugged into. */
  peer: Link | null;
  segment: Segment | null;
  vxlan: { vni: number; local: Ip; port: number; dev: number; learning: boolean } | null;
  /** Bridges and VXLAN devices: the forwarding table. */
  fdb: { mac: Mac; port: number | null; dst: Ip | null; permanent: boolean; seenAtMs: number }[];
  counters: { rxPackets: number; rxBytes: number; rxDropped: number; txPackets: number; txBytes: number; txDropped: number };
  promisc: boolean;
  /** ipip: the tunnel's fixed ends; null remote means the route's next hop decides. */
  ipip?: { local: Ip | null; remote: Ip | null } | null;
  /** Given by hand: a bridge then no longer takes its lowest port's address. */
  macSet?: boolean;
  /** Of a bridge: it has had a port or got an address, and since then its carrier is that of its ports. */
  portsSelected?: boolean;
  /** Bridge ports: isolated ports do not talk to each other. */
  isolated?: boolean;
  /** `ip link set dev X alias TEXT` */
  alias?: string;
  /** `ip link set X arp off` */
  noarp?: boolean;
  /** A program that answers ARP and neighbour discovery for addresses that are not the kernel's, on a packet socket of this link. */
  answersFor?: (ip: Ip) => boolean;
  /** Programs of its clsact hooks, in their order. */
  tc?: { ingress: TcProgram[]; egress: TcProgram[] };
}

/** What a program says of a frame. `why` is for the trace; `frame` replaces the one that came; `last`: no further program is asked. */
export type TcVerdict = { frame?: Frame } & (
  | { action: 'ok'; why?: string; last?: boolean }
  | { action: 'shot'; why: string }
  /** Out of another device of this namespace, or into one, of whichever namespace (bpf_redirect, bpf_redirect_peer). */
  | { action: 'redirect'; to: Link; into: 'ingress' | 'egress' }
);

export interface TcProgram {
  name: string;
  /** `skb` is null for what is no IP packet; its mark is the program's to set. */
  run: (frame: Frame, skb: Skb | null, link: Link) => TcVerdict;
}

/** A cable or switch between machines: frames go to the port with the destination's address, or to all. */
export interface Segment {
  name: string;
  ports: Link[];
  delayMs: number;
  /** Share of frames lost, by the sim's dice: a fault. */
  loss: number;
  /** Plugs in machines that nobody can tell from ones that were there, before the first frame. */
  populate?: () => void;
}

export interface PolicyRule {
  priority: number;
  from: Cidr | null;
  to: Cidr | null;
  fwmark: { value: number; mask: number } | null;
  table: number;
  family: Family;
  iif?: string;
  oif?: string;
}

export interface Route {
  dst: Cidr;
  kind: 'unicast' | 'local' | 'broadcast' | 'blackhole' | 'unreachable' | 'prohibit' | 'throw';
  via: Ip | null;
  dev: number | null;
  src: Ip | null;
  scope: 'global' | 'link' | 'host' | 'nowhere';
  /** kernel, boot, static, bird, dhcp, ra … or a number's text. */
  proto: string;
  metric: number;
  onlink: boolean;
  mtu?: number;
  /** More than one next hop (ECMP). */
  nexthops?: { via: Ip | null; dev: number; weight: number }[];
}

export interface Neigh {
  ip: Ip;
  dev: number;
  mac: Mac | null;
  state: 'PERMANENT' | 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE' | 'INCOMPLETE' | 'FAILED' | 'NOARP';
  atMs: number;
  /** Packets that wait for the answer. */
  queue: Skb[];
  probes: number;
  /** `ip neigh add proxy`: not a neighbour but one this machine answers for. */
  proxy?: boolean;
}

/** A packet in a machine: the wire's part and what the kernel notes beside it. */
export interface Skb {
  packet: Packet;
  mark: number;
  /** Where it came in, null for the machine's own. */
  iif: Link | null;
  oif: Link | null;
  /** Bridge port it came in by, when the bridge handed it up (physdev). */
  physin: Link | null;
  physout: Link | null;
  /** Source of the frame it came in (`-m mac`). */
  srcMac?: Mac;
  /** The frame it came in was for a group of machines (skb->pkt_type); the machine's own packets are for a host, whatever their address. */
  group?: 'broadcast' | 'multicast';
  /** Conntrack entry and its direction; set by the netfilter hooks. */
  ct: import('./netfilter/types.ts').CtRef | null;
  /** Where TPROXY sends it instead of to its destination's socket. */
  tproxy?: { ip: Ip | null; port: number };
  /** The socket that sent it: `-m owner`. */
  uid: number | null;
  /** Shared by everything one traced connection causes; null when nobody looks. */
  trace: Trace | null;
  /** Route chosen so far; cleared when NAT or a mark changes what it depends on. */
  nexthop: Ip | null;
  /** The IPVS connection that has handled it: it is not looked at again. */
  ipvs?: import('./ipvs/types.ts').IpvsConnection;
  /** The transport has just heard from the other end: its neighbour is alive (dst_confirm). */
  confirm?: boolean;
  /** What to do once the neighbour is known, instead of sending (bridged packets whose destination NAT changed). */
  resolved?: (mac: Mac) => void;
}

/** The journey of packets as a value: `podnet trace`, and the reason of every drop. */
export interface Trace {
  steps: TraceStep[];
}

export interface TraceStep {
  atMs: number;
  /** Machine and namespace: `node-1`, `node-1/default/web-0`. */
  at: string;
  kind:
    | 'send'
    | 'rule'
    | 'policy'
    | 'nat'
    | 'route'
    | 'neigh'
    | 'forward'
    | 'transmit'
    | 'deliver'
    | 'reply'
    | 'drop'
    | 'reject'
    | 'encap'
    | 'decap'
    | 'socket'
    | 'note';
  /** One sentence in the field's words. */
  text: string;
  packet?: Packet;
  /** `iptables` rule, chain, route, device … as the real tool prints it. */
  detail?: Record<string, string | number | boolean | null>;
}

/** A running program. Files and sockets it holds are let go when it ends. */
export interface Process {
  kernel: Kernel;
  netns: Netns;
  pid: number;
  ppid: number;
  argv: string[];
  env: Map<string, string>;
  cwd: string;
  fs: Filesystem;
  uid: number;
  stdin: Pipe;
  stdout: Pipe;
  stderr: Pipe;
  tty: boolean;
  /** Capabilities that programs ask for: NET_RAW, NET_ADMIN, SYS_ADMIN … */
  caps: Set<string>;
  task: Task<number> | null;
  exitCode: number | null;
  /** Name of the signal that ended it. */
  signal: string | null;
  startedAtMs: number;
  /** It sleeps, until then. */
  wakesAtMs?: number;
  children: Set<Process>;
  parent: Process | null;
  /** Its parent does nothing else before it has ended. */
  awaited: boolean;
  ended: WaitQueue;
  /** Called at the end, newest first: close sockets, stop taps. */
  cleanup: (() => void)[];
  /** Signal handlers (shell traps, nginx's SIGQUIT). */
  onSignal: Map<string, () => void>;
  /** Extra descriptors of shells: 3 and up. */
  fds: Map<number, Pipe>;
  /** Sockets made while it is set put it on every packet they send (`podnet trace`). */
  trace?: Trace | null;
  /** A component of the cluster: it never reads what the kernel holds, so nothing has to be derived for it (due.ts). */
  blind: boolean;
  /** A part of another process, with no number of its own. */
  thread: boolean;
  /** Of a program that goes on from one command to the next: what it knew, and how to ask for what it knows by now (plain JSON) and when it will do something by itself. */
  memory?: { left?: unknown; save?: () => unknown; dueMs?: () => number | undefined };
}

/** A program: runs as a process, returns its exit code. */
export type Program = (p: Process) => import('../sim/task.ts').Co<number>;
