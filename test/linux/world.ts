import { newKernel, newNetns } from '../../src/linux/kernel.ts';
import { addAddress, addLink, addVeth, linkByName, newSegment, plug, setMaster, setUp } from '../../src/linux/link.ts';
import { addRoute } from '../../src/linux/route.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import type { Kernel, Link, Netns, Segment } from '../../src/linux/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil, type Sim } from '../../src/sim/sim.ts';
import { type Co, startTask } from '../../src/sim/task.ts';
import { parseCidr, parseIp } from '../../src/wire/ip.ts';

export const ip = (s: string) => parseIp(s)!;
export const cidr = (s: string) => parseCidr(s)!;

export const newWorld = (): Sim => newSim(1_700_000_000_000, newRandom(7));

/** Run a coroutine to its end in virtual time. */
export function run<T>(sim: Sim, co: Co<T>, limitMs = 1_000_000): T {
  const task = startTask(sim, co);
  if (!runUntil(sim, () => task.done, sim.nowMs + limitMs)) throw new Error('still waiting');
  return task.result as T;
}

export function address(link: Link, text: string): void {
  const c = cidr(text);
  addAddress(link, c.ip, c.bits);
}

/** A machine with eth0 on the segment. */
export function machine(sim: Sim, name: string, segment: Segment, addr: string): { kernel: Kernel; ns: Netns; eth0: Link } {
  const kernel = newKernel(sim, name);
  const ns = kernel.netns.get('')!;
  const eth0 = addLink(ns, { name: 'eth0', kind: 'ethernet' });
  plug(eth0, segment);
  setUp(eth0, true);
  address(eth0, addr);
  return { kernel, ns, eth0 };
}

/** A namespace behind a port of `bridge`. */
export function bridged(kernel: Kernel, bridge: Link, name: string, addr: string, gateway?: string): { ns: Netns; eth0: Link; port: Link } {
  const ns = newNetns(kernel, name);
  setUp(linkByName(ns, 'lo')!, true);
  const [eth0, port] = addVeth({ netns: ns, name: 'eth0' }, { netns: bridge.netns, name: `veth-${name}` });
  setMaster(port, bridge);
  setUp(port, true);
  setUp(eth0, true);
  address(eth0, addr);
  if (gateway) addRoute(ns, { dst: cidr('0.0.0.0/0'), via: ip(gateway) });
  return { ns, eth0, port };
}

export function bridge(ns: Netns, name: string, addr: string): Link {
  const link = addLink(ns, { name, kind: 'bridge' });
  setUp(link, true);
  address(link, addr);
  return link;
}

/** A namespace behind a routed veth with proxy ARP, as Calico wires pods. */
export function routed(kernel: Kernel, name: string, addr: string): { ns: Netns; eth0: Link; host: Link } {
  const init = kernel.netns.get('')!;
  const ns = newNetns(kernel, name);
  setUp(linkByName(ns, 'lo')!, true);
  const [eth0, host] = addVeth({ netns: ns, name: 'eth0' }, { netns: init, name: `cali-${name}`, mac: 'ee:ee:ee:ee:ee:ee' });
  setSysctl(init, `net.ipv4.conf.${host.name}.proxy_arp`, '1');
  setSysctl(init, `net.ipv4.conf.${host.name}.forwarding`, '1');
  setSysctl(init, `net.ipv4.neigh.${host.name}.proxy_delay`, '0');
  setUp(host, true);
  setUp(eth0, true);
  address(eth0, `${addr}/32`);
  addRoute(ns, { dst: cidr('169.254.1.1/32'), dev: eth0.ifindex });
  addRoute(ns, { dst: cidr('0.0.0.0/0'), via: ip('169.254.1.1'), dev: eth0.ifindex });
  addRoute(init, { dst: cidr(`${addr}/32`), dev: host.ifindex });
  return { ns, eth0, host };
}

export { newSegment };
