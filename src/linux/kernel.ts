import type { Sim } from '../sim/sim.ts';
import { addLink, removeLink, setUp } from './link.ts';
import { newNetfilterState } from './netfilter/state.ts';
import { defaultRules } from './route.ts';
import { newSocketTable } from './socket-table.ts';
import { inheritNetns } from './sysctl.ts';
import type { Kernel, Netns } from './types.ts';
import { assembleStack } from './walk.ts';

export interface KernelOptions {
  release?: string;
  bootedAtMs?: number;
}

/** A machine with its init namespace '' and `lo` up in it. */
export function newKernel(sim: Sim, hostname: string, o: KernelOptions = {}): Kernel {
  assembleStack();
  const kernel: Kernel = {
    sim,
    hostname,
    release: o.release ?? '6.8.0-87-generic',
    version: '#88-Ubuntu SMP PREEMPT_DYNAMIC Sat Oct 11 09:28:41 UTC 2025',
    bootedAtMs: o.bootedAtMs ?? sim.nowMs,
    netns: new Map(),
    processes: new Map(),
    nextPid: 1,
    nextNetnsId: 0,
  };
  const init = newNetns(kernel, '');
  setUp(init.links.get(1)!, true);
  return kernel;
}

/** A namespace with a loopback device that is down; `file`: its name under /run/netns, for `a/b` none by itself. EEXIST is the caller's to ask (kernel.netns.has). */
export function newNetns(kernel: Kernel, name: string, file = name && !name.includes('/') ? name : undefined): Netns {
  if (kernel.netns.has(name)) throw new Error(`network namespace ${name} exists on ${kernel.hostname}`);
  const ns: Netns = {
    kernel,
    name,
    ...(file === undefined ? {} : { file }),
    id: kernel.nextNetnsId++,
    links: new Map(),
    nextIfindex: 1,
    rules: defaultRules(),
    tables: new Map(),
    neigh: [],
    netfilter: newNetfilterState(),
    sockets: newSocketTable(),
    sysctls: new Map(),
    taps: new Set(),
    dirty: new Set(),
    due: new Set(),
  };
  const init = kernel.netns.get('');
  if (init) inheritNetns(ns, init);
  kernel.netns.set(name, ns);
  addLink(ns, { name: 'lo', kind: 'loopback', ifindex: 1 });
  return ns;
}

/** Remove a namespace: its virtual devices go, with their other ends. */
export function deleteNetns(ns: Netns): void {
  for (const link of [...ns.links.values()]) removeLink(link);
  ns.taps.clear();
  ns.kernel.netns.delete(ns.name);
}
