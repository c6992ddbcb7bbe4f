// The three machines that rules are drawn for.
import { newKernel } from '../../src/linux/kernel.ts';
import { addAddress, addLink, newSegment, plug, setUp } from '../../src/linux/link.ts';
import { addRoute } from '../../src/linux/route.ts';
import { bind, kernelSocket, listen, recvFrom, sendTo } from '../../src/linux/socket.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import type { Netns, Segment } from '../../src/linux/types.ts';
import { stringToBytes } from '../../src/sim/bytes.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';
import { startTask } from '../../src/sim/task.ts';
import { formatIp, ip, parseCidr } from '../../src/wire/ip.ts';
import { OPEN, PLACES, type Place } from './draw-rules.ts';

const cidr = (text: string) => parseCidr(text)!;

/** The server's sockets, as agent.ts has them. */
function serve(ns: Netns): void {
  const tcp = kernelSocket(ns, 'tcp');
  bind(tcp, null, OPEN.tcp);
  listen(tcp, 100);
  const udp = kernelSocket(ns, 'udp');
  bind(udp, null, OPEN.udp);
  startTask(
    ns.kernel.sim,
    (function* () {
      for (;;) {
        const d = yield* recvFrom(udp);
        if (typeof d !== 'string') sendTo(udp, stringToBytes(`server ${formatIp(d.from)}\n`), d.from, d.fromPort);
      }
    })(),
  );
}

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
  // One retry of a handshake, so that nobody waits for long; none of its answer, which would race with that.
  for (const [key, value] of [
    ['syn_retries', 1],
    ['syn_linear_timeouts', 0],
    ['synack_retries', 0],
    ['orphan_retries', 1],
  ])
    for (const ns of places.values()) setSysctl(ns, `net.ipv4.tcp_${key}`, String(value));
  serve(places.get('server')!);
  return { places, segments };
}
