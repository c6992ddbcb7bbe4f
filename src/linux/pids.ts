// Process numbers as a container sees them: its PID namespace is that of its file system, unless the pod asks for another
// (hostPID, shareProcessNamespace).
import { lookAt } from './due.ts';
import type { Kernel, Process } from './types.ts';
import type { Filesystem } from './vfs.ts';

interface PidNamespace {
  next: number;
  numbers: WeakMap<Process, number>;
}

const namespaces = new WeakMap<object, PidNamespace>();

/** What names the PID namespace of a file system's processes. */
export const pidNamespaceOf = (fs: Filesystem): object => fs.pidNamespace ?? fs;

/** On the machine itself: its PID namespace is the first, which sees all others. */
const isMachine = (p: Process): boolean => p.kernel.rootfs !== undefined && pidNamespaceOf(p.fs) === pidNamespaceOf(p.kernel.rootfs);

/** Pods whose programs wait for somebody to look have somebody now. */
function lookAtAll(kernel: Kernel): void {
  for (const ns of [...kernel.netns.values()]) lookAt(ns);
}

/** The processes that `p` sees, by their numbers there: its container's, or all of its machine. */
export function containerProcesses(p: Process): Process[] {
  const machine = isMachine(p);
  if (machine) lookAtAll(p.kernel);
  const own = pidNamespaceOf(p.fs);
  const out: Process[] = [];
  for (const q of p.kernel.processes.values()) if (!q.thread && (machine || pidNamespaceOf(q.fs) === own)) out.push(q);
  return out.sort((a, b) => localPid(a, p) - localPid(b, p));
}

/** `p`'s number as `viewer` sees it (default: as itself). */
export function localPid(p: Process, viewer: Process = p): number {
  if (isMachine(viewer)) return p.pid;
  const own = pidNamespaceOf(p.fs);
  let ns = namespaces.get(own);
  if (!ns) {
    ns = { next: 1, numbers: new WeakMap() };
    namespaces.set(own, ns);
  }
  const known = ns.numbers.get(p);
  if (known !== undefined) return known;
  for (const q of p.kernel.processes.values())
    if (pidNamespaceOf(q.fs) === own && !q.thread && !ns.numbers.has(q)) ns.numbers.set(q, ns.next++);
  const mine = ns.numbers.get(p);
  if (mine !== undefined) return mine;
  ns.numbers.set(p, ns.next); // it has ended already
  return ns.next++;
}

/** `p`'s number for `viewer`, or null where it does not see it: in a PID namespace that is not below its own. */
export function seenPid(p: Process, viewer: Process): number | null {
  return isMachine(viewer) || pidNamespaceOf(p.fs) === pidNamespaceOf(viewer.fs) ? localPid(p, viewer) : null;
}

/** The process that a number means inside `p`'s container. */
export function processByLocalPid(p: Process, pid: number): Process | undefined {
  return containerProcesses(p).find(q => localPid(q, p) === pid);
}

/** The process that a thread belongs to: the one of the same command line. */
export function leaderOf(p: Process): Process {
  if (!p.thread) return p;
  const line = p.argv.join(' ');
  for (const q of p.kernel.processes.values()) if (!q.thread && q.netns === p.netns && q.argv.join(' ') === line) return q;
  return p;
}
