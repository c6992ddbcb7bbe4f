// What is put off until somebody looks: a namespace's owner derives rules, routes and programs only when a packet, a process or a question
// comes that could tell whether they are there.
import type { Netns } from './types.ts';

/** A process that may read what the kernel holds: anybody's but those that stand for a component of the cluster. */
function watched(ns: Netns): boolean {
  for (const p of ns.kernel.processes.values()) if (p.netns === ns && !p.blind) return true;
  return false;
}

/** Do `job` before anybody can see that it was not done: at once when somebody is there, else once with `lookAt`. */
export function putOff(ns: Netns, job: () => void): void {
  if (watched(ns)) job();
  else ns.due.add(job);
}

/** Somebody looks: a packet that the namespace sends or receives, a process in it, a question about it. */
export function lookAt(ns: Netns): void {
  while (ns.due.size) {
    const jobs = [...ns.due];
    ns.due.clear();
    for (const job of jobs) job();
  }
}
