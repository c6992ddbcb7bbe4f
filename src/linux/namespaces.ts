// Namespaces as /proc shows them and as files under /run/netns name them (kernel fs/nsfs.c, iproute2 ip/ipnetns.c).
import { pidNamespaceOf, processByLocalPid } from './pids.ts';
import type { Kernel, Netns, Process } from './types.ts';
import { absolute, type DirNode, type Filesystem, lookup, newDir, newFile } from './vfs.ts';

export const NETNS_DIR = '/run/netns';

export type NamespaceKind = 'cgroup' | 'ipc' | 'mnt' | 'net' | 'pid' | 'time' | 'user' | 'uts';

/** The first namespaces' inode numbers (include/linux/proc_ns.h; net and mnt are the first that are allocated). */
const FIRST: Record<NamespaceKind, number> = {
  time: 4_026_531_834,
  cgroup: 4_026_531_835,
  pid: 4_026_531_836,
  user: 4_026_531_837,
  uts: 4_026_531_838,
  ipc: 4_026_531_839,
  net: 4_026_531_840,
  mnt: 4_026_531_841,
};

export const NAMESPACE_KINDS = Object.keys(FIRST) as NamespaceKind[];

const inodes = new WeakMap<object, Map<NamespaceKind, number>>();
const used = new WeakMap<Kernel, number>();

function inodeOf(kernel: Kernel, kind: NamespaceKind, of: object): number {
  const known = inodes.get(of) ?? new Map<NamespaceKind, number>();
  inodes.set(of, known);
  let n = known.get(kind);
  if (n === undefined) {
    n = (used.get(kernel) ?? 4_026_532_300) + 1;
    used.set(kernel, n);
    known.set(kind, n);
  }
  return n;
}

/** A pod's network namespace: numbered by its order of birth, so that a look in between changes nothing. */
const netnsInode = (ns: Netns): number => FIRST.net + (ns.id ? 360 + ns.id : 0);

/** The number of the namespace that a process is in. Of a pod, IPC and UTS are the sandbox's as the network is; mounts are a container's. */
export function namespaceInode(q: Process, kind: NamespaceKind): number {
  const machine = q.kernel.rootfs;
  if (kind === 'net') return netnsInode(q.netns);
  if (kind === 'ipc' || kind === 'uts') return q.netns.name.includes('/') ? inodeOf(q.kernel, kind, q.netns) : FIRST[kind];
  if (kind === 'mnt' || kind === 'cgroup') return q.fs === machine ? FIRST[kind] : inodeOf(q.kernel, kind, q.fs);
  if (kind === 'pid') {
    const own = pidNamespaceOf(q.fs);
    return own === machine ? FIRST.pid : inodeOf(q.kernel, kind, own);
  }
  return FIRST[kind];
}

/** What /run/netns of a machine holds: an empty file for every namespace that has a name there. */
export function netnsDir(kernel: Kernel): DirNode {
  const dir = newDir();
  dir.dynamic = () => {
    const named = [...kernel.netns.values()].filter(ns => ns.file !== undefined);
    named.sort((a, b) => (a.file! < b.file! ? -1 : 1));
    return new Map(named.map(ns => [ns.file!, newFile('', 0o444)]));
  };
  return dir;
}

/** Namespaces of which a program sees the names: its own `ip netns add` ones, and a runtime's where its files are in sight. */
export function namedNetns(kernel: Kernel, fs: Filesystem): Netns[] {
  const out = [...kernel.netns.values()].filter(ns => ns.file !== undefined);
  const hasDir = out.some(isRuntimes) && typeof lookup(fs, NETNS_DIR) !== 'string';
  return out.filter(ns => !isRuntimes(ns) || hasDir);
}

/** Of a pod: called `namespace/pod` inside, and by the runtime's file outside. */
const isRuntimes = (ns: Netns): boolean => ns.name.includes('/');

export const netnsByFile = (kernel: Kernel, fs: Filesystem, name: string): Netns | undefined =>
  name === '' ? undefined : namedNetns(kernel, fs).find(ns => ns.file === name);

/** The namespace behind a path: `/run/netns/NAME` or `/proc/PID/ns/net`. undefined: there is none. */
export function netnsAtPath(p: Process, path: string): Netns | undefined {
  const at = absolute(path, p.cwd);
  const name = /^(?:\/var)?\/run\/netns\/([^/]+)$/.exec(at)?.[1];
  if (name !== undefined) return netnsByFile(p.kernel, p.fs, name);
  const pid = /^\/proc\/(self|\d+)\/ns\/net$/.exec(at)?.[1];
  if (pid === undefined) return undefined;
  return pid === 'self' ? p.netns : processByLocalPid(p, Number(pid))?.netns;
}
