// /proc as programs in a container or on a node see it. Formats: net/ipv4/tcp_ipv4.c, fib_trie.c, arp.c, net/core/net-procfs.c (v6.12).
import { bytesToString, hex, stringToBytes } from '../sim/bytes.ts';
import type { Ip } from '../wire/ip.ts';
import { formatIp } from '../wire/ip.ts';
import { hasCarrier } from './carrier.ts';
import { sortLinks } from './link.ts';
import { modulesText } from './modules.ts';
import { meminfo, mountsText } from './mounts.ts';
import { NAMESPACE_KINDS, type NamespaceKind, namespaceInode } from './namespaces.ts';
import { neighState } from './neigh.ts';
import { liveEntries } from './netfilter/conntrack.ts';
import { procText } from './netfilter/conntrack-text.ts';
import { containerProcesses, localPid } from './pids.ts';
import { TABLE } from './route.ts';
import type { Socket } from './socket.ts';
import { CONF_NAMES, NEIGH_NAMES, plainKeys, setSysctl, sysctl } from './sysctl.ts';
import type { Kernel, Link, Netns, Process, Route } from './types.ts';
import { type DirNode, type FileNode, type FsNode, newDir } from './vfs.ts';

type Make = (p: Process | null) => string;

const file = (make: Make, mode = 0o444): FileNode => ({ kind: 'file', data: p => stringToBytes(make(p)), mode, uid: 0, mtimeMs: 0 });

function dir(entries: Record<string, FsNode>): DirNode {
  const d = newDir(0o555);
  for (const [name, node] of Object.entries(entries)) d.entries.set(name, node);
  d.readOnly = true;
  return d;
}

function dynamic(list: (p: Process | null) => Map<string, FsNode>): DirNode {
  const d = newDir(0o555);
  d.dynamic = list;
  d.readOnly = true;
  return d;
}

const hexNumber = (n: number, width: number) => n.toString(16).toUpperCase().padStart(width, '0');

/** Network-order words printed as the machine's little-endian numbers. */
function hexIp(ip: Ip, six: boolean): string {
  let b: Uint8Array = ip;
  if (six && ip.length === 4) {
    b = new Uint8Array(16);
    b.set([255, 255], 10);
    b.set(ip, 12);
  }
  let out = '';
  for (let i = 0; i < b.length; i += 4) out += hexNumber(((b[i + 3] << 24) | (b[i + 2] << 16) | (b[i + 1] << 8) | b[i]) >>> 0, 8);
  return out;
}

const STATES: Record<string, number> = {
  ESTAB: 1,
  'SYN-SENT': 2,
  'SYN-RECV': 3,
  'FIN-WAIT-1': 4,
  'FIN-WAIT-2': 5,
  'TIME-WAIT': 6,
  UNCONN: 7,
  'CLOSE-WAIT': 8,
  'LAST-ACK': 9,
  LISTEN: 10,
  CLOSING: 11,
};

/** A number that names the socket: /proc/PID/fd and the tables agree on it. */
const inodes = new WeakMap<Socket, number>();
let nextInode = 20_000;

export function inodeOf(s: Socket): number {
  let n = inodes.get(s);
  if (!n) {
    n = ++nextInode;
    inodes.set(s, n);
  }
  return n;
}

const isSix = (s: Socket): boolean => s.family === 6;

function socketLines(ns: Netns, type: Socket['type'], six: boolean): string {
  const zero = (s: Socket) => s.local ?? new Uint8Array(six ? 16 : 4);
  const rows: string[] = [];
  let n = 0;
  for (const s of ns.sockets.all) {
    if (s.type !== type || isSix(s) !== six || (type === 'tcp' && s.state === 'UNCONN')) continue;
    if (type !== 'tcp' && !s.localPort) continue;
    const anyRemote = new Uint8Array(six ? 16 : 4);
    const local = s.local && s.local.length === 4 && six ? s.local : zero(s);
    const state = type === 'tcp' ? (STATES[s.state] ?? 7) : s.remote ? 1 : 7;
    const queue = s.state === 'LISTEN' ? [0, s.tcp?.accepted.length ?? 0] : [s.tcp?.out.length ?? 0, s.tcp?.inboxLength ?? 0];
    const timer = s.tcp?.timer?.run ? (s.state === 'TIME-WAIT' ? '03' : '01') : '00';
    const when = s.tcp?.timer?.run ? Math.max(0, Math.round((s.tcp.timer.atMs - ns.kernel.sim.nowMs) / 10)) : 0;
    const head = `${String(n).padStart(type === 'tcp' ? 4 : 5)}: ${hexIp(local, six)}:${hexNumber(s.localPort, 4)} ${hexIp(s.remote ?? anyRemote, six)}:${hexNumber(s.remotePort, 4)}`;
    const mid = ` ${hexNumber(state, 2)} ${hexNumber(queue[0], 8)}:${hexNumber(queue[1], 8)} ${timer}:${hexNumber(when, 8)} ${hexNumber(s.tcp?.retries ?? 0, 8)} ${String(s.uid).padStart(5)} ${'0'.padStart(8)} ${inodeOf(s)}`;
    const tail = type === 'tcp' ? ' 1 0000000000000000 100 0 0 10 0' : ' 2 0000000000000000 0';
    const line = head + mid + tail;
    rows.push(six ? line : line.padEnd(type === 'tcp' ? 149 : 127));
    n++;
  }
  return rows.map(r => `${r}\n`).join('');
}

const TCP_HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const UDP_HEAD = '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops';
const SIX_HEAD =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

/** ARPHRD and flags as /proc and SIOCGIFFLAGS have them. */
export function linkFlags(link: Link): number {
  let f = link.up ? 1 : 0;
  if (link.kind === 'loopback') f |= 8;
  else if (link.kind === 'ipip' || link.kind === 'tun') f |= 0x10 | 0x80;
  else f |= 2 | 0x1000;
  if (link.up && hasCarrier(link)) f |= 0x40;
  return f;
}

function routeLines(ns: Netns): string {
  const rows: string[] = [];
  for (const r of sortRoutes((ns.tables.get(TABLE.main) ?? []).filter(x => x.dst.ip.length === 4))) {
    const hops = r.nexthops ?? [{ via: r.via, dev: r.dev ?? 0 }];
    const dev = ns.links.get(hops[0].dev)?.name ?? '*';
    const reject = r.kind === 'unreachable' || r.kind === 'prohibit';
    const flags = 1 | (hops[0].via ? 2 : 0) | (r.dst.bits === 32 ? 4 : 0) | (reject ? 0x200 : 0);
    const mask = Uint8Array.from({ length: 4 }, (_, i) => (0xff00 >> Math.min(8, Math.max(0, r.dst.bits - 8 * i))) & 0xff);
    const via = hops[0].via ?? new Uint8Array(4);
    const cells = [
      dev,
      hexIp(r.dst.ip, false),
      hexIp(via, false),
      hexNumber(flags, 4),
      '0',
      '0',
      String(r.metric),
      hexIp(mask, false),
      '0',
      '0',
      '0',
    ];
    rows.push(cells.join('\t').padEnd(127));
  }
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
  return `${[head.padEnd(127), ...rows].join('\n')}\n`;
}

/** The order of the trie: by address, of one address the longer prefix first, then by metric. */
export function sortRoutes(routes: Route[]): Route[] {
  const cmp = (a: Route, b: Route) => {
    for (let i = 0; i < a.dst.ip.length; i++) if (a.dst.ip[i] !== b.dst.ip[i]) return a.dst.ip[i] - b.dst.ip[i];
    return b.dst.bits - a.dst.bits || a.metric - b.metric;
  };
  return [...routes].sort(cmp);
}

function devLines(ns: Netns): string {
  const pad = (n: number, w: number) => String(n).padStart(w);
  const rows = sortLinks(ns).map(l => {
    const c = l.counters;
    const rx = `${pad(c.rxBytes, 7)} ${pad(c.rxPackets, 7)} ${pad(0, 4)} ${pad(c.rxDropped, 4)} ${pad(0, 4)} ${pad(0, 5)} ${pad(0, 10)} ${pad(0, 9)}`;
    const tx = `${pad(c.txBytes, 8)} ${pad(c.txPackets, 7)} ${pad(0, 4)} ${pad(c.txDropped, 4)} ${pad(0, 4)} ${pad(0, 5)} ${pad(0, 7)} ${pad(0, 10)}`;
    return `${l.name.padStart(6)}: ${rx} ${tx}`;
  });
  const head = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
  ];
  return `${[...head, ...rows].join('\n')}\n`;
}

function arpLines(ns: Netns): string {
  const rows = ns.neigh
    .filter(n => n.ip.length === 4 && !n.proxy && neighState(ns, n) !== 'NOARP')
    .map(n => {
      const flags = n.state === 'PERMANENT' ? '0x6' : n.mac ? '0x2' : '0x0';
      const dev = ns.links.get(n.dev)?.name ?? '';
      return `${formatIp(n.ip).padEnd(16)} ${'0x1'.padEnd(12)}${flags.padEnd(12)}${(n.mac ?? '00:00:00:00:00:00').padEnd(17)}     ${'*'.padEnd(8)} ${dev}`;
    });
  return `${['IP address       HW type     Flags       HW address            Mask     Device', ...rows].join('\n')}\n`;
}

const SCOPES6 = { global: '00', link: '20', host: '10' } as const;

function ifInet6(ns: Netns): string {
  const rows: string[] = [];
  for (const l of sortLinks(ns)) {
    for (const a of l.addresses) {
      if (a.ip.length !== 16) continue;
      const bytes = hex(a.ip);
      const two = (n: number) => n.toString(16).padStart(2, '0');
      rows.push(`${bytes} ${two(l.ifindex)} ${two(a.bits)} ${SCOPES6[a.scope]} 80 ${l.name.padStart(8)}\n`);
    }
  }
  return rows.join('');
}

function sockstat(ns: Netns): string {
  const all = [...ns.sockets.all];
  const count = (type: string) => all.filter(s => s.type === type && s.state !== 'TIME-WAIT').length;
  const tw = all.filter(s => s.state === 'TIME-WAIT').length;
  return `sockets: used ${all.length}\nTCP: inuse ${count('tcp')} orphan 0 tw ${tw} alloc ${count('tcp')} mem 0\nUDP: inuse ${count('udp')} mem 0\nUDPLITE: inuse 0\nRAW: inuse ${count('raw')}\nFRAG: inuse 0 memory 0\n`;
}

const NAMES: Record<Route['kind'], string> = {
  unicast: 'UNICAST',
  local: 'LOCAL',
  broadcast: 'BROADCAST',
  blackhole: 'BLACKHOLE',
  unreachable: 'UNREACHABLE',
  prohibit: 'PROHIBIT',
  throw: 'THROW',
};

/** The tries' leaves in order; the inner nodes' shape, which depends on their history, is left flat. */
function fibTrie(ns: Netns): string {
  const rows = sortRoutes([...(ns.tables.get(TABLE.local) ?? []), ...(ns.tables.get(TABLE.main) ?? [])].filter(r => r.dst.ip.length === 4));
  const out: string[] = [];
  let last = '';
  for (const r of rows) {
    const leaf = `     |-- ${formatIp(r.dst.ip)}`;
    if (leaf !== last) out.push(leaf);
    last = leaf;
    out.push(`        /${r.dst.bits} ${r.scope === 'global' ? 'universe' : r.scope} ${NAMES[r.kind]}`);
  }
  const trie = `  +-- 0.0.0.0/0 3 0 5\n${out.map(l => `${l}\n`).join('')}`;
  return `Main:\n${trie}Local:\n${trie}`;
}

function ipv6Routes(ns: Netns): string {
  const rows: string[] = [];
  for (const table of [TABLE.main, TABLE.local]) {
    for (const r of ns.tables.get(table) ?? []) {
      if (r.dst.ip.length !== 16) continue;
      const flags = 1 | (r.via ? 2 : 0) | (r.kind === 'local' ? 0x8000_0000 : 0);
      const dev = ns.links.get(r.dev ?? 1)?.name ?? 'lo';
      const word = (n: number) => (n >>> 0).toString(16).padStart(8, '0');
      const zero = '0'.repeat(32);
      rows.push(
        `${hex(r.dst.ip)} ${r.dst.bits.toString(16).padStart(2, '0')} ${zero} 00 ${r.via ? hex(r.via) : zero} ${word(r.metric)} 00000001 00000000 ${word(flags)} ${dev.padStart(8)}\n`,
      );
    }
  }
  return rows.join('');
}

function procNet(netns: Netns): DirNode {
  const of = (make: (ns: Netns) => string) => file(p => make(p?.netns ?? netns));
  return dir({
    tcp: of(ns => `${TCP_HEAD.padEnd(149)}\n${socketLines(ns, 'tcp', false)}`),
    tcp6: of(ns => `${SIX_HEAD}\n${socketLines(ns, 'tcp', true)}`),
    udp: of(ns => `${UDP_HEAD.padEnd(127)}\n${socketLines(ns, 'udp', false)}`),
    udp6: of(ns => `${SIX_HEAD} ref pointer drops\n${socketLines(ns, 'udp', true)}`),
    raw: of(ns => `${UDP_HEAD.padEnd(127)}\n${socketLines(ns, 'raw', false)}`),
    route: of(routeLines),
    dev: of(devLines),
    arp: of(arpLines),
    if_inet6: of(ifInet6),
    sockstat: of(sockstat),
    nf_conntrack: of(ns =>
      liveEntries(ns)
        .map(e => `${procText(ns, e)}\n`)
        .join(''),
    ),
    fib_trie: of(fibTrie),
    ipv6_route: of(ipv6Routes),
    ip_tables_names: of(ns =>
      [...ns.netfilter.legacy[4].keys()]
        .reverse()
        .map(t => `${t}\n`)
        .join(''),
    ),
    ip6_tables_names: of(ns =>
      [...ns.netfilter.legacy[6].keys()]
        .reverse()
        .map(t => `${t}\n`)
        .join(''),
    ),
  });
}

/** One sysctl as a file. Without NET_ADMIN (and outside it, without SYS_ADMIN) /proc/sys is mounted read-only. */
function sysctlFile(netns: Netns, key: string): FileNode {
  const f = file(p => `${sysctl(p?.netns ?? netns, key)}\n`, 0o644);
  f.onWrite = (data, p) => {
    if (p && !p.caps.has('SYS_ADMIN')) return 'EROFS';
    const ns = p?.netns ?? netns;
    const e = setSysctl(ns, key, bytesToString(data));
    if (!e && p) ns.dirty.add('sysctl');
    return e;
  };
  return f;
}

function sysDir(netns: Netns, prefix: string): DirNode {
  return dynamic(p => {
    const ns = p?.netns ?? netns;
    const out = new Map<string, FsNode>();
    const start = prefix ? `${prefix}.` : '';
    for (const key of plainKeys(ns)) {
      if (!key.startsWith(start)) continue;
      const rest = key.slice(start.length);
      const dot = rest.indexOf('.');
      const name = dot < 0 ? rest : rest.slice(0, dot);
      if (!out.has(name)) out.set(name, dot < 0 ? sysctlFile(netns, key) : sysDir(netns, `${start}${name}`));
    }
    const m = /^net\.(ipv4|ipv6)$/.exec(prefix);
    if (m) {
      const family = m[1] as 'ipv4' | 'ipv6';
      out.set('conf', devicesDir(netns, `${prefix}.conf`, CONF_NAMES[family], true));
      out.set('neigh', devicesDir(netns, `${prefix}.neigh`, NEIGH_NAMES, false));
    }
    return out;
  });
}

function devicesDir(netns: Netns, prefix: string, names: readonly string[], all: boolean): DirNode {
  return dynamic(p => {
    const ns = p?.netns ?? netns;
    const devices = [...(all ? ['all'] : []), 'default', ...sortLinks(ns).map(l => l.name)];
    const one = (dev: string) => dynamic(() => new Map(names.map(n => [n, sysctlFile(netns, `${prefix}.${dev}.${n}`)])));
    return new Map(devices.map(d => [d, one(d)]));
  });
}

/** The namespaces that a process names in /proc/PID/ns, and what kind each is of. */
const NAMESPACES: [string, NamespaceKind][] = [
  ...NAMESPACE_KINDS.map((k): [string, NamespaceKind] => [k, k]),
  ['pid_for_children', 'pid'],
  ['time_for_children', 'time'],
];

/** Whether `p` may look through `q`'s eyes: the same user, and nothing that `q` may that `p` may not (__ptrace_may_access, cap_ptrace_access_check). */
function mayTrace(p: Process, q: Process): boolean {
  if (p === q || p.caps.has('SYS_PTRACE')) return true;
  return p.uid === q.uid && [...q.caps].every(c => p.caps.has(c));
}

/** `viewer`: who reads it, and by whose numbers. */
function processDir(q: Process, viewer: Process): DirNode {
  const pid = localPid(q, viewer);
  const ppid = q.parent ? localPid(q.parent, viewer) : viewer.kernel.rootfs === viewer.fs ? q.ppid : 0;
  const name = (q.argv[0] ?? '').split('/').pop() ?? '';
  const state = q.exitCode === null ? 'S (sleeping)' : 'Z (zombie)';
  return dir({
    cmdline: file(() => q.argv.map(a => `${a}\0`).join('')),
    comm: file(() => `${name.slice(0, 15)}\n`),
    environ: file(() => [...q.env].map(([k, v]) => `${k}=${v}\0`).join(''), 0o400),
    status: file(
      () => `Name:\t${name}\nState:\t${state}\nTgid:\t${pid}\nPid:\t${pid}\nPPid:\t${ppid}\nUid:\t${q.uid}\t${q.uid}\t${q.uid}\t${q.uid}\n`,
    ),
    stat: file(() => `${pid} (${name.slice(0, 15)}) S ${ppid} ${pid} ${pid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0\n`),
    cwd: { kind: 'symlink', target: q.cwd, mtimeMs: 0, leads: mayTrace(viewer, q) ? { fs: q.fs, path: q.cwd } : 'EACCES' },
    root: { kind: 'symlink', target: '/', mtimeMs: 0, leads: mayTrace(viewer, q) ? { fs: q.fs, path: '/' } : 'EACCES' },
    mounts: file(() => mountsText(q)),
    net: procNet(q.netns),
    ns: dir(
      Object.fromEntries(
        NAMESPACES.map(([name, kind]) => [name, { kind: 'symlink', target: `${kind}:[${namespaceInode(q, kind)}]`, mtimeMs: 0 } as const]),
      ),
    ),
  });
}

/** The tree to hang at /proc. Namespaced files answer for the reading process's namespace, else for `netns`. */
export function makeProc(kernel: Kernel, netns: Netns): DirNode {
  const uptime = () => (kernel.sim.nowMs - kernel.bootedAtMs) / 1000;
  const fixed: Record<string, FsNode> = {
    uptime: file(() => `${uptime().toFixed(2)} ${(uptime() * 2).toFixed(2)}\n`),
    loadavg: file(() => `0.08 0.03 0.01 1/${kernel.processes.size + 90} ${kernel.nextPid - 1}\n`),
    version: file(() => `Linux version ${kernel.release} (podnet) ${kernel.version}\n`),
    meminfo: file(meminfo),
    cpuinfo: file(() => 'processor\t: 0\nvendor_id\t: GenuineIntel\n\nprocessor\t: 1\nvendor_id\t: GenuineIntel\n\n'),
    filesystems: file(() => 'nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\n\text4\nnodev\toverlay\n'),
    mounts: file(p => (p ? mountsText(p) : '')),
    modules: file(() => modulesText(kernel)),
    swaps: file(() => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'),
    cmdline: file(() => `BOOT_IMAGE=/boot/vmlinuz-${kernel.release} root=/dev/vda1 ro\n`),
    net: procNet(netns),
    sys: sysDir(netns, ''),
  };
  return dynamic(p => {
    const out = new Map(Object.entries(fixed));
    if (!p) return out;
    for (const q of containerProcesses(p)) out.set(String(localPid(q, p)), processDir(q, p));
    const self = String(localPid(p, p));
    out.set('self', { kind: 'symlink', target: self, mtimeMs: 0 });
    if (!out.has(self)) out.set(self, processDir(p, p));
    return out;
  });
}
