import { describe, expect, it } from 'vitest';
import { newNetns } from '../../src/linux/kernel.ts';
import { linkByName, setUp } from '../../src/linux/link.ts';
import { arpReceive, findNeigh, neighState } from '../../src/linux/neigh.ts';
import { restore } from '../../src/linux/netfilter/restore.ts';
import { addRoute, lookupRoute, selectSource } from '../../src/linux/route.ts';
import { accept, bind, close, connect, kernelSocket, listen, recv, recvFrom, send, sendIcmp, sendTo } from '../../src/linux/socket.ts';
import { setSysctl, sysctl } from '../../src/linux/sysctl.ts';
import type { Netns } from '../../src/linux/types.ts';
import { bytesToString, stringToBytes } from '../../src/sim/bytes.ts';
import { type Sim, settle } from '../../src/sim/sim.ts';
import { join, startTask } from '../../src/sim/task.ts';
import { formatIp } from '../../src/wire/ip.ts';
import type { Arp } from '../../src/wire/packet.ts';
import { address, bridge, bridged, cidr, ip, machine, newSegment, newWorld, routed, run } from './world.ts';

/** A server that answers with what it got, upper case, and closes. */
function echoServer(sim: Sim, ns: Netns, port: number, family: 4 | 6 = 4) {
  const l = kernelSocket(ns, 'tcp', family);
  expect(bind(l, null, port)).toBeNull();
  expect(listen(l)).toBeNull();
  startTask(
    sim,
    (function* () {
      for (;;) {
        const c = yield* accept(l);
        if (typeof c === 'string') return 0;
        const data = yield* recv(c);
        if (typeof data !== 'string') yield* send(c, stringToBytes(bytesToString(data).toUpperCase()));
        close(c);
      }
    })(),
    true,
  );
  return l;
}

function* ask(ns: Netns, to: string, port: number, text: string, timeoutMs?: number) {
  const s = kernelSocket(ns, 'tcp', to.includes(':') ? 6 : 4);
  const e = yield* connect(s, ip(to), port, timeoutMs);
  if (e) {
    close(s);
    return e;
  }
  yield* send(s, stringToBytes(text));
  let out = '';
  for (;;) {
    const d = yield* recv(s);
    if (typeof d === 'string') return d;
    if (!d.length) break;
    out += bytesToString(d);
  }
  close(s);
  return out;
}

function* ping(ns: Netns, to: string, ttl?: number, size = 56, df = false) {
  const s = kernelSocket(ns, 'icmp', to.includes(':') ? 6 : 4);
  s.options.set('recverr', 1);
  const e = sendIcmp(s, { type: to.includes(':') ? 128 : 8, code: 0, data: new Uint8Array(size) }, 1, ip(to), { ttl, df });
  if (e) return e;
  const d = yield* recvFrom(s, 5000);
  close(s);
  if (typeof d === 'string') return d;
  return d.error
    ? `${d.error.errno} ${d.error.type}/${d.error.code} from ${formatIp(d.error.from)}`
    : `${d.data.length} from ${formatIp(d.from)} ttl=${d.ttl}`;
}

const arp = (op: Arp['op'], senderMac: string, senderIp: string, targetIp: string): Arp => ({
  kind: 'arp',
  op,
  senderMac,
  senderIp: ip(senderIp),
  targetMac: '00:00:00:00:00:00',
  targetIp: ip(targetIp),
});

const pair = () => {
  const sim = newWorld();
  const lan = newSegment('lan', 0.1);
  return { sim, lan, a: machine(sim, 'a', lan, '192.168.1.1/24'), b: machine(sim, 'b', lan, '192.168.1.2/24') };
};

describe('two machines on a segment', () => {
  it('ping each other after ARP', () => {
    const { sim, a, b } = pair();
    expect(run(sim, ping(a.ns, '192.168.1.2'))).toBe('56 from 192.168.1.2 ttl=64');
    expect(findNeigh(a.ns, a.eth0.ifindex, ip('192.168.1.2'))?.mac).toBe(b.eth0.mac);
    expect(neighState(a.ns, findNeigh(a.ns, a.eth0.ifindex, ip('192.168.1.2'))!)).toBe('REACHABLE');
  });
  it('do not answer who asks for them from where no packet may come', () => {
    const { sim, a, b } = pair();
    // A packet from 127.0.0.1 leaves a: a rule may have sent it to another machine.
    const asks = (from: string) => {
      arpReceive(b.eth0, arp('request', a.eth0.mac, from, '192.168.1.2'), false, null);
      settle(sim, 10);
      return findNeigh(b.ns, b.eth0.ifindex, ip(from))?.mac ?? null;
    };
    expect(asks('127.0.0.1')).toBeNull();
    expect(asks('192.168.1.2')).toBeNull();
    setSysctl(b.ns, 'net.ipv4.conf.eth0.rp_filter', '1');
    expect(asks('10.7.7.7')).toBeNull();
    setSysctl(b.ns, 'net.ipv4.conf.all.route_localnet', '1');
    setSysctl(b.ns, 'net.ipv4.conf.all.accept_local', '1');
    setSysctl(b.ns, 'net.ipv4.conf.eth0.rp_filter', '0');
    expect(asks('127.0.0.1')).toBe(a.eth0.mac);
    expect(asks('10.7.7.7')).toBe(a.eth0.mac);
  });
  it('ping over IPv6 by neighbour discovery', () => {
    const { sim, a, b } = pair();
    address(a.eth0, 'fd00::1/64');
    address(b.eth0, 'fd00::2/64');
    expect(run(sim, ping(a.ns, 'fd00::2'))).toBe('56 from fd00::2 ttl=64');
    echoServer(sim, b.ns, 80, 6);
    expect(run(sim, ask(a.ns, 'fd00::2', 80, 'six'))).toBe('SIX');
    expect(run(sim, ask(a.ns, '192.168.1.2', 80, 'mapped'))).toBe('MAPPED');
  });
  it('speak TCP, also more than a window', () => {
    const { sim, a, b } = pair();
    echoServer(sim, b.ns, 80);
    expect(run(sim, ask(a.ns, '192.168.1.2', 80, 'hello'))).toBe('HELLO');
    const big = 'x'.repeat(500_000);
    const l = kernelSocket(b.ns, 'tcp');
    bind(l, null, 81);
    listen(l);
    const sink = startTask(
      sim,
      (function* () {
        const c = yield* accept(l);
        let n = 0;
        if (typeof c === 'string') return -1;
        for (;;) {
          const d = yield* recv(c);
          if (typeof d === 'string' || !d.length) return n;
          n += d.length;
        }
      })(),
    );
    run(
      sim,
      (function* () {
        const s = kernelSocket(a.ns, 'tcp');
        yield* connect(s, ip('192.168.1.2'), 81);
        yield* send(s, stringToBytes(big));
        close(s);
        yield* join(sink);
        return 0;
      })(),
    );
    expect(sink.result).toBe(big.length);
  });
  it('survives losses by retransmission', () => {
    const { sim, lan, a, b } = pair();
    echoServer(sim, b.ns, 80);
    lan.loss = 0.3;
    expect(run(sim, ask(a.ns, '192.168.1.2', 80, 'y'.repeat(20_000)))).toMatch(/^Y+$/);
  });
  it('refuses closed ports and unreachable hosts', () => {
    const { sim, a } = pair();
    expect(run(sim, ask(a.ns, '192.168.1.2', 81, ''))).toBe('ECONNREFUSED');
    const t0 = sim.nowMs;
    expect(run(sim, ask(a.ns, '192.168.1.77', 80, ''))).toBe('EHOSTUNREACH');
    expect(Math.round(sim.nowMs - t0)).toBe(3000);
    expect(run(sim, ask(a.ns, '10.9.9.9', 80, ''))).toBe('ENETUNREACH');
    expect(run(sim, ping(a.ns, '192.168.1.77'))).toBe('EHOSTUNREACH 3/1 from 192.168.1.1');
  });
  it('gives up a connection nobody answers after 131 s', () => {
    const { sim, a, b } = pair();
    addRoute(a.ns, { dst: cidr('10.0.0.0/8'), via: ip('192.168.1.2') });
    const t0 = sim.nowMs;
    expect(run(sim, ask(a.ns, '10.1.1.1', 80, ''))).toBe('ETIMEDOUT');
    expect(Math.round((sim.nowMs - t0) / 1000)).toBe(131);
    expect(b.eth0.counters.rxPackets).toBeGreaterThan(10);
  });
  it('answers UDP to closed ports with port unreachable', () => {
    const { sim, a } = pair();
    const s = kernelSocket(a.ns, 'udp');
    const r = run(
      sim,
      (function* () {
        yield* connect(s, ip('192.168.1.2'), 53);
        sendTo(s, stringToBytes('q'), null, 0);
        return yield* recvFrom(s, 1000);
      })(),
    );
    expect(r).toBe('ECONNREFUSED');
  });
});

describe('binding', () => {
  it('holds ports', () => {
    const { a } = pair();
    const one = kernelSocket(a.ns, 'tcp');
    expect(bind(one, null, 80)).toBeNull();
    expect(listen(one)).toBeNull();
    expect(bind(kernelSocket(a.ns, 'tcp'), ip('192.168.1.1'), 80)).toBe('EADDRINUSE');
    expect(bind(kernelSocket(a.ns, 'tcp', 6), null, 80)).toBe('EADDRINUSE');
    const six = kernelSocket(a.ns, 'tcp', 6);
    six.v6only = true;
    expect(bind(six, null, 80)).toBeNull();
    expect(bind(kernelSocket(a.ns, 'tcp'), ip('10.1.1.1'), 81)).toBe('EADDRNOTAVAIL');
    close(one);
    expect(bind(kernelSocket(a.ns, 'tcp'), null, 80)).toBeNull();
  });
});

describe('inside a machine', () => {
  it('talks over lo', () => {
    const { sim, a } = pair();
    echoServer(sim, a.ns, 80);
    expect(run(sim, ask(a.ns, '127.0.0.1', 80, 'lo'))).toBe('LO');
    expect(run(sim, ask(a.ns, '192.168.1.1', 80, 'own'))).toBe('OWN');
    expect(run(sim, ask(a.ns, '127.0.0.1', 81, ''))).toBe('ECONNREFUSED');
    expect(linkByName(a.ns, 'lo')!.counters.rxPackets).toBeGreaterThan(8);
  });
  it('bridges and routes pods', () => {
    const { sim, a, b } = pair();
    setSysctl(a.ns, 'net.ipv4.ip_forward', '1');
    const cni0 = bridge(a.ns, 'cni0', '10.244.1.1/24');
    const p = bridged(a.kernel, cni0, 'p', '10.244.1.5/24', '10.244.1.1');
    const q = bridged(a.kernel, cni0, 'q', '10.244.1.6/24', '10.244.1.1');
    addRoute(b.ns, { dst: cidr('10.244.1.0/24'), via: ip('192.168.1.1') });
    echoServer(sim, q.ns, 80);
    expect(run(sim, ping(p.ns, '10.244.1.6'))).toBe('56 from 10.244.1.6 ttl=64');
    expect(run(sim, ask(p.ns, '10.244.1.6', 80, 'b'))).toBe('B');
    expect(run(sim, ping(b.ns, '10.244.1.5'))).toBe('56 from 10.244.1.5 ttl=63');
    expect(run(sim, ping(p.ns, '192.168.1.2'))).toBe('56 from 192.168.1.2 ttl=63');
    expect(run(sim, ping(p.ns, '192.168.1.2', 1))).toBe('EHOSTUNREACH 11/0 from 10.244.1.1');
    expect(run(sim, ping(p.ns, '8.8.8.8'))).toBe('ENETUNREACH 3/0 from 10.244.1.1');
    expect(run(sim, ping(b.ns, '10.244.1.99'))).toBe('EHOSTUNREACH 3/1 from 192.168.1.1');
    setUp(q.port, false);
    expect(run(sim, ping(p.ns, '10.244.1.6'))).toMatch(/EAGAIN|EHOSTUNREACH/);
  });
  it('resets what a bridge carries past address translation, so that only who asked for the very address hears of it', () => {
    const { sim, a } = pair();
    setSysctl(a.ns, 'net.ipv4.ip_forward', '1');
    setSysctl(a.ns, 'net.bridge.bridge-nf-call-iptables', '1');
    const cni0 = bridge(a.ns, 'cni0', '10.244.1.1/24');
    const p = bridged(a.kernel, cni0, 'p', '10.244.1.5/24', '10.244.1.1');
    const q = bridged(a.kernel, cni0, 'q', '10.244.1.6/24', '10.244.1.1');
    echoServer(sim, q.ns, 80);
    const rules = (table: string, rule: string) => restore(a.ns, 4, `*${table}\n${rule}\nCOMMIT\n`);
    expect(rules('filter', '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset')).toBeNull();
    expect(rules('nat', '-A PREROUTING -d 10.96.0.7 -p tcp -j DNAT --to-destination 10.244.1.6')).toBeNull();
    expect(run(sim, ask(p.ns, '10.244.1.6', 80, ''))).toBe('ECONNREFUSED');
    expect(run(sim, ask(p.ns, '10.96.0.7', 80, '', 3000))).toBe('EINPROGRESS');
    setSysctl(a.ns, 'net.bridge.bridge-nf-call-iptables', '0');
    expect(run(sim, ask(p.ns, '10.96.0.7', 80, '', 3000))).toBe('ECONNREFUSED');
  });
  it('tells a sender of datagrams that its own last hook dropped them', () => {
    const { sim, a } = pair();
    expect(restore(a.ns, 4, '*mangle\n-A POSTROUTING -p udp --dport 53 -j DROP\nCOMMIT\n')).toBeNull();
    const s = kernelSocket(a.ns, 'udp', 4);
    run(sim, connect(s, ip('192.168.1.2'), 53));
    expect(sendTo(s, new Uint8Array(3), null, 0)).toBe('EPERM');
    run(sim, connect(s, ip('192.168.1.2'), 54));
    expect(sendTo(s, new Uint8Array(3), null, 0)).toBeNull();
  });
  it('tells neighbours apart by the address that their frames come from', () => {
    const { sim, a, b } = pair();
    echoServer(sim, b.ns, 80);
    const only = (mac: string) => restore(b.ns, 4, `*filter\n-A INPUT -p tcp -m mac --mac-source ${mac} -j REJECT\nCOMMIT\n`);
    expect(only('02:00:00:00:77:77')).toBeNull();
    expect(run(sim, ask(a.ns, '192.168.1.2', 80, 'x'))).toBe('X');
    expect(only(a.eth0.mac)).toBeNull();
    expect(run(sim, ask(a.ns, '192.168.1.2', 80, 'x'))).toBe('ECONNREFUSED');
  });
  it('routes pods with proxy ARP', () => {
    const { sim, a, b } = pair();
    setSysctl(a.ns, 'net.ipv4.ip_forward', '1');
    const p = routed(a.kernel, 'p', '10.244.1.5');
    const q = routed(a.kernel, 'q', '10.244.1.6');
    addRoute(a.ns, { dst: cidr('0.0.0.0/0'), via: ip('192.168.1.2') });
    addRoute(b.ns, { dst: cidr('10.244.1.0/24'), via: ip('192.168.1.1') });
    echoServer(sim, q.ns, 80);
    expect(run(sim, ask(p.ns, '10.244.1.6', 80, 'c'))).toBe('C');
    expect(findNeigh(p.ns, p.eth0.ifindex, ip('169.254.1.1'))?.mac).toBe('ee:ee:ee:ee:ee:ee');
    expect(run(sim, ping(b.ns, '10.244.1.5'))).toBe('56 from 10.244.1.5 ttl=63');
    expect(run(sim, ping(p.ns, '10.244.1.6', 1))).toBe('EHOSTUNREACH 11/0 from 192.168.1.1');
  });
  it('says when a packet is too long', () => {
    const { sim, a, b } = pair();
    setSysctl(a.ns, 'net.ipv4.ip_forward', '1');
    const p = routed(a.kernel, 'p', '10.244.1.5');
    a.eth0.mtu = 1400;
    addRoute(a.ns, { dst: cidr('0.0.0.0/0'), via: ip('192.168.1.2') }); // proxy ARP needs a way on to 169.254.1.1
    addRoute(b.ns, { dst: cidr('10.244.1.0/24'), via: ip('192.168.1.1') });
    expect(run(sim, ping(p.ns, '192.168.1.2', undefined, 1440, true))).toBe('EMSGSIZE 3/4 from 192.168.1.1');
    echoServer(sim, b.ns, 80);
    expect(run(sim, ask(p.ns, '192.168.1.2', 80, 'z'.repeat(30_000)))).toMatch(/^Z+$/);
  });
});

describe('what the kernel was asked', () => {
  it('a device that is down still lends its address, lo never', () => {
    const { sim, a } = pair();
    setSysctl(a.ns, 'net.ipv4.ip_forward', '1');
    const p = routed(a.kernel, 'p', '10.244.1.5');
    addRoute(a.ns, { dst: cidr('0.0.0.0/0'), via: ip('192.168.1.2') });
    expect(run(sim, ping(p.ns, '192.168.1.2', 1))).toBe('EHOSTUNREACH 11/0 from 192.168.1.1'); // the pod knows its gateway now
    setUp(a.eth0, false);
    expect(run(sim, ping(p.ns, '8.8.8.8'))).toBe('ENETUNREACH 3/0 from 192.168.1.1');
    expect(selectSource(a.ns, linkByName(a.ns, 'lo')!, ip('192.168.1.1'))).toEqual(ip('192.168.1.1'));
  });
  it('br_netfilter can be off in one namespace and on in another', () => {
    const { a, b } = pair();
    const inner = newNetns(a.kernel, 'inner');
    setSysctl(inner, 'net.bridge.bridge-nf-call-iptables', '0');
    expect([a.ns, inner, b.ns].map(n => sysctl(n, 'net.bridge.bridge-nf-call-iptables'))).toEqual(['1', '0', '1']);
  });
  it('127.0.0.0/8 does not leave the machine', () => {
    const { sim, a } = pair();
    const s = kernelSocket(a.ns, 'udp');
    bind(s, ip('127.0.0.1'), 0);
    expect(sendTo(s, stringToBytes('x'), ip('192.168.1.2'), 53)).toBe('EINVAL');
    setSysctl(a.ns, 'net.ipv4.conf.eth0.route_localnet', '1');
    expect(sendTo(s, stringToBytes('x'), ip('192.168.1.2'), 53)).toBeNull();
    expect(sim.heap.length).toBeGreaterThan(0);
  });
  it('finds one of 30000 routes at once', () => {
    const { a } = pair();
    for (let i = 0; i < 30_000; i++) addRoute(a.ns, { dst: cidr(`10.${i >> 8}.${i & 255}.0/24`), via: ip('192.168.1.2') });
    const t0 = performance.now();
    for (let i = 0; i < 30_000; i++) {
      const r = lookupRoute(a.ns, ip(`10.${i >> 8}.${i & 255}.9`));
      if (typeof r === 'string') throw new Error(r);
    }
    expect(performance.now() - t0).toBeLessThan(3000);
  });
});
