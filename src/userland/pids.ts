// Process numbers as a container sees them: its PID namespace is the set of processes that share its file system.
import type { Process } from '../linux/types.ts';
import type { Filesystem } from '../linux/vfs.ts';

interface PidNamespace {
  next: number;
  numbers: WeakMap<Process, number>;
}

const namespaces = new WeakMap<Filesystem, PidNamespace>();

/** On the machine itself: its PID namespace is the first, which sees all others. */
const isMachine = (p: Process): boolean => p.kernel.rootfs === p.fs;

/** The processes that `p` sees, oldest first: its container's, or all of its machine. */
export function containerProcesses(p: Process): Process[] {
  const out: Process[] = [];
  for (const q of p.kernel.processes.values()) if (q.fs === p.fs || isMachine(p)) out.push(q);
  return out.sort((a, b) => a.pid - b.pid);
}

/** `p`'s number as `viewer` sees it (default: as itself). */
export function localPid(p: Process, viewer: Process = p): number {
  if (isMachine(viewer)) return p.pid;
  let ns = namespaces.get(p.fs);
  if (!ns) {
    ns = { next: 1, numbers: new WeakMap() };
    namespaces.set(p.fs, ns);
  }
  const known = ns.numbers.get(p);
  if (known !== undefined) return known;
  for (const q of containerProcesses(p)) if (!ns.numbers.has(q)) ns.numbers.set(q, ns.next++);
  const mine = ns.numbers.get(p);
  if (mine !== undefined) return mine;
  ns.numbers.set(p, ns.next); // it has ended already
  return ns.next++;
}

/** The process that a number means inside `p`'s container. */
export function processByLocalPid(p: Process, pid: number): Process | undefined {
  return containerProcesses(p).find(q => localPid(q, p) === pid);
}
