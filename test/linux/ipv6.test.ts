// What differs from IPv4: which source is chosen, what a router says of an unreachable route, tunnels of both families side by side.
import { describe, expect, it } from 'vitest';
import { addLink, linkByName, setUp } from '../../src/linux/link.ts';
import { setNeigh } from '../../src/linux/neigh.ts';
import { addRoute, selectSource } from '../../src/linux/route.ts';
import { close, connect, kernelSocket, recvFrom, sendIcmp } from '../../src/linux/socket.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import type { Link, Netns } from '../../src/linux/types.ts';
import { formatIp } from '../../src/wire/ip.ts';
import { address, cidr, ip, machine, newSegment, newWorld, run } from './world.ts';

const world = () => {
  const sim = newWorld();
  const lan = newSegment('lan', 0.1);
  return { sim, lan, a: machine(sim, 'a', lan, '192.168.1.1/24'), b: machine(sim, 'b', lan, '192.168.1.2/24') };
};

describe('the source of an address', () => {
  const { a } = world();
  setUp(linkByName(a.ns, 'lo')!, true);
  address(a.eth0, 'fd00:1::1/64');
  address(a.eth0, '2001:db8::1/64');
  const source = (dev: string, dst: string) => formatIp(selectSource(a.ns, linkByName(a.ns, dev)!, ip(dst))!);

  it('is the address itself where it is our own', () => {
    expect(source('lo', 'fd00:1::1')).toBe('fd00:1::1');
    expect(source('lo', '::1')).toBe('::1');
  });

  it('is never the loopback for what lies elsewhere, whatever device is asked', () => {
    expect(source('lo', 'fd00:9::1')).toBe('fd00:1::1');
    expect(source('eth0', 'fd00:9::1')).toBe('fd00:1::1');
  });

  it('is of the same kind of network before it is of the longer prefix', () => {
    expect(source('eth0', '2600::1')).toBe('2001:db8::1');
    expect(source('eth0', 'fe80::9')).toMatch(/^fe80:/);
  });
});

function* ping(ns: Netns, to: string) {
  const s = kernelSocket(ns, 'icmp', 6);
  s.options.set('recverr', 1);
  sendIcmp(s, { type: 128, code: 0, data: new Uint8Array(8) }, 1, ip(to));
  const d = yield* recvFrom(s, 5000);
  close(s);
  return typeof d === 'string' ? d : d.error ? `${d.error.type}/${d.error.code}` : 'answered';
}

it('an unreachable route says that there is none, a prohibiting one that it is forbidden', () => {
  const { sim, a, b } = world();
  address(a.eth0, 'fd00:1::1/64');
  address(b.eth0, 'fd00:1::2/64');
  setSysctl(b.ns, 'net.ipv6.conf.all.forwarding', '1');
  addRoute(a.ns, { dst: cidr('::/0'), via: ip('fd00:1::2') });
  addRoute(b.ns, { dst: cidr('fd00:7::/64'), kind: 'unreachable' });
  addRoute(b.ns, { dst: cidr('fd00:8::/64'), kind: 'prohibit' });
  const asked = () => ['fd00:7::1', 'fd00:8::1', 'fd00:9::1'].map(to => run(sim, ping(a.ns, to)));
  expect(asked()).toEqual(['1/0', '1/1', '1/0']);
  // So does a machine that does not forward; what it has a way for it drops without a word.
  setSysctl(b.ns, 'net.ipv6.conf.all.forwarding', '0');
  expect(asked()).toEqual(['1/0', '1/1', '1/0']);
  addRoute(b.ns, { dst: cidr('fd00:9::/64'), via: ip('fd00:1::3') });
  expect(run(sim, ping(a.ns, 'fd00:9::1'))).toBe('EAGAIN');
});

describe('VXLAN of both families with one number and port', () => {
  const { sim, a, b } = world();
  for (const [m, own, other] of [
    [a, 1, 2],
    [b, 2, 1],
  ] as const) {
    address(m.eth0, `fd00:1::${own}/64`);
    for (const six of [false, true]) {
      const local = ip(six ? `fd00:1::${own}` : `192.168.1.${own}`);
      const vxlan = { vni: 7, local, port: 4789, dev: m.eth0.ifindex, learning: false };
      const [name, mac] = [six ? 'tun6' : 'tun4', (n: number) => `02:00:00:00:0${six ? 6 : 4}:0${n}`];
      const link: Link = addLink(m.ns, { name, kind: 'vxlan', mac: mac(own), mtu: 1450, vxlan });
      setUp(link, true);
      address(link, six ? `fd00:50::${own}/64` : `10.50.0.${own}/24`);
      const dst = ip(six ? `fd00:1::${other}` : `192.168.1.${other}`);
      link.fdb.push({ mac: mac(other), port: null, dst, permanent: true, seenAtMs: 0 });
      setNeigh(m.ns, ip(six ? `fd00:50::${other}` : `10.50.0.${other}`), link, mac(other), 'PERMANENT');
    }
  }
  const dial = (to: string) => {
    const s = kernelSocket(a.ns, 'tcp', to.includes(':') ? 6 : 4);
    return run(sim, connect(s, ip(to), 9, 2000));
  };

  it('each takes what came over its own family', () => {
    // Nobody listens, and the refusal comes back through the same tunnel.
    expect([dial('10.50.0.2'), dial('fd00:50::2')]).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
  });

  it('is no longer than its outer headers leave room', () => {
    expect(['tun4', 'tun6'].map(n => linkByName(a.ns, n)?.mtu)).toEqual([1450, 1430]);
  });
});
