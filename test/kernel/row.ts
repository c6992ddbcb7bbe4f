// The three machines that rules are drawn for.
import { newKernel } from '../../src/linux/kernel.ts';
import { addAddress, addLink, newSegment, plug, setUp } from '../../src/linux/link.ts';
import { addRoute } from '../../src/linux/route.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import type { Netns, Segment } from '../../src/linux/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';
import { ip, parseCidr } from '../../src/wire/ip.ts';
import { PLACES, type Place } from './draw-rules.ts';

const cidr = (text: string) => parseCidr(text)!;

/** client 10.1.0.2 – 10.1.0.1 router 10.2.0.1 – 10.2.0.2 server, without IPv6: its own packets would be counted as well. */
export function newRow(seed: number): { places: Map<Place, Netns>; segments: Segment[] } {
  const sim = newSim(Date.UTC(2026, 0, 1), newRandom(seed));
  const segments = [newSegment('near', 0.05), newSegment('far', 0.05)];
  const places = new Map<Place, Netns>();
  for (const name of PLACES) {
    const ns = newKernel(sim, name).netns.get('')!;
    for (const at of ['all', 'default']) setSysctl(ns, `net.ipv6.conf.${at}.disable_ipv6`, '1');
    for (const at of ['all', 'default', 'lo']) setSysctl(ns, `net.ipv4.conf.${at}.rp_filter`, '0');
    places.set(name, ns);
  }
  const device = (at: Place, name: string, segment: Segment, address: string) => {
    const link = addLink(places.get(at)!, { name, kind: 'ethernet' });
    plug(link, segment);
    setSysctl(places.get(at)!, `net.ipv4.conf.${name}.rp_filter`, '0');
    // The rebuilt devices ask for neighbours as quickly (rebuild.ts).
    setSysctl(places.get(at)!, `net.ipv4.neigh.${name}.retrans_time_ms`, '60');
    setUp(link, true);
    const c = cidr(address);
    addAddress(link, c.ip, c.bits);
  };
  device('client', 'eth0', segments[0], '10.1.0.2/24');
  device('router', 'eth0', segments[0], '10.1.0.1/24');
  device('router', 'eth1', segments[1], '10.2.0.1/24');
  device('server', 'eth0', segments[1], '10.2.0.2/24');
  setSysctl(places.get('router')!, 'net.ipv4.ip_forward', '1');
  addRoute(places.get('client')!, { dst: cidr('0.0.0.0/0'), via: ip('10.1.0.1') });
  addRoute(places.get('server')!, { dst: cidr('0.0.0.0/0'), via: ip('10.2.0.1') });
  return { places, segments };
}
