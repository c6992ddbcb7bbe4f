// What the comparison with the real kernel is made of; the comparison itself needs root (`npm run kernel`).
import { describe, expect, it } from 'vitest';
import { addLink } from '../../src/linux/link.ts';
import { MATCHES } from '../../src/linux/netfilter/matches.ts';
import { restore } from '../../src/linux/netfilter/restore.ts';
import { TARGETS } from '../../src/linux/netfilter/targets.ts';
import { addRoute } from '../../src/linux/route.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import { address, bridge, bridged, cidr, ip, machine, newSegment, newWorld } from '../linux/world.ts';
import { draw } from './draw.ts';
import { drawRules } from './draw-rules.ts';
import { drawWords } from './draw-words.ts';
import { blueprint, switchLines } from './rebuild.ts';
import { newRow } from './row.ts';
import { newPlace, say } from './say.ts';
import { difference, expected } from './verdicts.ts';

describe('a drawing', () => {
  const all = Array.from({ length: 60 }, (_, i) => draw(i + 1));

  it('is the same for the same seed, and another for another', () => {
    expect(JSON.stringify(draw(7))).toBe(JSON.stringify(draw(7)));
    expect(new Set(all.map(d => JSON.stringify(d.config))).size).toBeGreaterThan(20);
  });

  it('comes to every network, mode, family and kind of Service in a while', () => {
    const words = JSON.stringify(all);
    for (const w of ['calico', 'flannel', 'kindnet', 'bridge', 'ptp', 'ipip', 'vxlan', 'host-gw', 'nftables', 'iptables', 'dual', 'ipv6'])
      expect(words).toContain(`"${w}"`);
    for (const w of [
      'NodePort',
      'LoadBalancer',
      'Local',
      'ClientIP',
      'externalIPs',
      'loadBalancerSourceRanges',
      'endPort',
      'except',
      'terminating',
    ])
      expect(words).toContain(w);
    expect(all.some(d => d.faults.length) && all.some(d => d.commands.length)).toBe(true);
  });

  it('has no IP-in-IP where the kernel has none', () => {
    expect(JSON.stringify(Array.from({ length: 60 }, (_, i) => draw(i + 1, false).config))).not.toContain('ipip');
  });
});

describe('drawn command lines', () => {
  const none = new Set<string>();
  const lines = Array.from({ length: 40 }, (_, i) => drawWords(i + 1, 'all', none)).flat();

  it('are the same for the same seed', () => {
    expect(JSON.stringify(drawWords(7, 'all', none))).toBe(JSON.stringify(drawWords(7, 'all', none)));
  });

  it('come to every extension, command and type of set, and leave out what the kernel lacks', () => {
    const words = new Set(lines.flatMap(l => l.argv));
    for (const row of [...MATCHES, ...TARGETS]) expect(words).toContain(row.name);
    for (const w of [
      '-A',
      '-I',
      '-D',
      '-R',
      '-C',
      '-N',
      '-X',
      '-F',
      '-E',
      '-P',
      '-Z',
      '-L',
      '-S',
      'create',
      'add',
      'swap',
      'hash:net',
      'list:set',
    ])
      expect(words).toContain(w);
    expect(drawWords(7, 'all', new Set(['recent', 'LOG'])).some(l => l.argv.includes('recent') || l.argv.includes('LOG'))).toBe(false);
  });

  it('are answered by podnet, whatever they say', () => {
    const ns = newPlace(1);
    for (const line of lines.slice(0, 400)) expect(say(ns, line).code).toBeGreaterThanOrEqual(0);
  });
});

describe('drawn rules and packets', () => {
  const all = Array.from({ length: 40 }, (_, i) => drawRules(i + 1));

  it('are the same for the same seed, in every table and chain', () => {
    expect(drawRules(7)).toEqual(drawRules(7));
    const words = new Set(all.flatMap(d => [...d.setup, ...d.traffic]).flatMap(s => s.argv));
    for (const w of [
      'raw',
      'mangle',
      'nat',
      'PREROUTING',
      'FORWARD',
      'POSTROUTING',
      'DNAT',
      'SNAT',
      'CONNMARK',
      'recent',
      'ping',
      'traceroute',
    ])
      expect(words).toContain(w);
  });

  it('are taken by podnet, most of them', () => {
    let [taken, rules] = [0, 0];
    for (const d of all.slice(0, 10)) {
      const { places } = newRow(1);
      for (const { at, argv } of d.setup) {
        rules++;
        if (say(places.get(at)!, { argv, stdin: '' }).code === 0) taken++;
      }
    }
    expect(taken).toBeGreaterThan(rules / 2);
  });
});

describe('a blueprint', () => {
  const sim = newWorld();
  const lan = newSegment('lan', 0.1);
  const { kernel, ns, eth0 } = machine(sim, 'node', lan, '192.168.1.5/24');
  const cni0 = bridge(ns, 'cni0', '10.9.0.1/24');
  const pod = bridged(kernel, cni0, 'pod', '10.9.0.2/24', '10.9.0.1');
  pod.port.hairpin = true;
  addRoute(ns, { dst: cidr('0.0.0.0/0'), via: ip('192.168.1.1') });
  addRoute(ns, { dst: cidr('10.9.7.0/24'), kind: 'blackhole' });
  setSysctl(ns, 'net.ipv4.ip_forward', '1');
  restore(ns, 4, '*filter\n-A FORWARD -m nfacct --nfacct-name n -j ACCEPT\nCOMMIT\n', {});
  address(eth0, 'fd00:1::5/64');
  const names = new Map([
    [ns, 'z1'],
    [pod.ns, 'z2'],
  ]);
  const ports = new Map();
  const switches = switchLines([lan], names, ports);
  const plan = blueprint('z1', ns, names, ports);

  it('plugs machines into a switch and pods into their node', () => {
    expect(switches.filter(l => l.includes(' netns z1'))).toHaveLength(1);
    expect(plan.links.filter(l => l.startsWith(`link add ${pod.port.name} `) && l.endsWith('netns z2'))).toHaveLength(1);
    expect(blueprint('z2', pod.ns, names, ports).links).toEqual([]);
    expect(plan.settings).toContain(`link set ${pod.port.name} type bridge_slave hairpin on`);
  });

  it('has the routes, those on the link before those by a gateway', () => {
    const routes = plan.routes.filter(l => l.startsWith('-4 route append'));
    expect(routes.findIndex(l => l.includes('192.168.1.0/24'))).toBeLessThan(routes.findIndex(l => l.includes('via 192.168.1.1')));
    expect(routes.some(l => l.includes('blackhole 10.9.7.0/24'))).toBe(true);
    expect(plan.sysctls).toContainEqual(['net.ipv4.ip_forward', '1']);
  });

  it('takes the rules over, but for what only counts', () => {
    const text = plan.restores.map(r => r.stdin).join('');
    expect(text).toContain('-A FORWARD -j ACCEPT');
    expect(text).not.toContain('nfacct');
  });

  it('says what it cannot build', () => {
    addLink(ns, { name: 'tun9', kind: 'tun' });
    expect(() => blueprint('z1', ns, names, ports)).toThrow('tun9 is of kind tun');
  });
});

describe('the comparison', () => {
  const answer = (verdicts: string[], more = {}) => ({
    id: '',
    verdict: verdicts[0],
    verdicts,
    backends: [],
    pairs: [],
    icmp: [],
    ...more,
  });
  const tcp = { proto: 'tcp' as const, family: 4 as const, sequential: false };

  it('knows what a program hears of an ICMP error', () => {
    const rejected = answer(['icmp-unreachable'], { icmp: [{ name: 'admin-prohibited', from: '10.0.0.1' }] });
    expect([...expected(rejected, 'tcp', 4)]).toEqual(['EHOSTUNREACH']);
    expect([...expected(rejected, 'tcp', 6)]).toEqual(['EACCES']);
    // A soft error is none to a UDP socket that did not ask for them.
    const lost = answer(['icmp-unreachable'], { icmp: [{ name: 'no-route', from: 'fd00::1' }] });
    expect(expected(lost, 'udp', 6).has('timeout')).toBe(true);
  });

  it('finds another verdict, another server and a server that never answered', () => {
    const pairs = ['a', 'b'].map(backend => ({ backend, source: '10.0.0.9' }));
    const both = answer(['connected'], { pairs });
    const from = (backend: string, n: number) => Array.from({ length: n }, () => ({ verdict: 'connected', backend, source: '10.0.0.9' }));
    expect(difference(both, [...from('a', 20), ...from('b', 20)], tcp)).toBeNull();
    expect(difference(both, [{ verdict: 'timeout' }], tcp)).toContain('verdict');
    expect(difference(both, from('c', 2), tcp)).toContain('answers');
    expect(difference(both, from('a', 40), tcp)).toContain('answers');
    expect(difference(both, from('a', 3), tcp)).toBeNull();
  });
});
