import { expect, it } from 'vitest';
import { newKernel, newNetns } from '../../src/linux/kernel.ts';
import { addLink, linkByName, setUp } from '../../src/linux/link.ts';
import { setNeigh } from '../../src/linux/neigh.ts';
import { restore } from '../../src/linux/netfilter/restore.ts';
import { makeProc } from '../../src/linux/procfs.ts';
import { addRoute, addRule, lookupRoute } from '../../src/linux/route.ts';
import { restoreNetns, snapshotNetns } from '../../src/linux/snapshot.ts';
import { bind, connect, kernelSocket, listen } from '../../src/linux/socket.ts';
import { setSysctl, sysctl } from '../../src/linux/sysctl.ts';
import { makeSys } from '../../src/linux/sysfs.ts';
import { newFilesystem, place, readFile, writeFile } from '../../src/linux/vfs.ts';
import { bytesToString } from '../../src/sim/bytes.ts';
import { address, bridge, bridged, cidr, ip, machine, newSegment, newWorld, run } from './world.ts';

const built = () => {
  const sim = newWorld();
  const lan = newSegment('lan', 0.1);
  const a = machine(sim, 'a', lan, '192.168.1.1/24');
  machine(sim, 'b', lan, '192.168.1.2/24');
  const cni0 = bridge(a.ns, 'cni0', '10.244.1.1/24');
  const p = bridged(a.kernel, cni0, 'p', '10.244.1.5/24', '10.244.1.1');
  const vx = addLink(a.ns, {
    name: 'flannel.1',
    kind: 'vxlan',
    vxlan: { vni: 1, local: ip('192.168.1.1'), port: 8472, dev: 2, learning: false },
  });
  setUp(vx, true);
  vx.fdb.push({ mac: 'aa:bb:cc:dd:ee:ff', port: null, dst: ip('192.168.1.2'), permanent: true, seenAtMs: 0 });
  address(vx, '10.244.1.0/32');
  addRoute(a.ns, { dst: cidr('10.244.2.0/24'), via: ip('10.244.2.0'), dev: vx.ifindex, onlink: true });
  addRoute(a.ns, { dst: cidr('0.0.0.0/0'), via: ip('192.168.1.2') }, 100);
  addRule(a.ns, { family: 4, priority: 100, from: null, to: null, fwmark: { value: 1, mask: 1 }, table: 100 });
  setNeigh(a.ns, ip('10.244.2.0'), vx, 'aa:bb:cc:dd:ee:ff');
  setSysctl(a.ns, 'net.ipv4.ip_forward', '1');
  restore(a.ns, 4, '*nat\n:POSTROUTING ACCEPT [0:0]\n:X - [0:0]\n-A POSTROUTING -s 10.244.0.0/16 -j X\n-A X -j MASQUERADE\nCOMMIT\n');
  return { sim, lan, a, p };
};

it('a namespace comes back from its JSON, wherever it is put', () => {
  const { sim, lan, a, p } = built();
  const s = kernelSocket(p.ns, 'udp');
  run(sim, connect(s, ip('192.168.1.2'), 53));
  const text = JSON.stringify(snapshotNetns(a.ns));
  const inner = JSON.stringify(snapshotNetns(p.ns));
  const segments = new Map([['lan', lan]]);

  restoreNetns(a.ns, JSON.parse(text), segments);
  expect(JSON.stringify(snapshotNetns(a.ns))).toBe(text);

  const other = newKernel(sim, 'a');
  const init = other.netns.get('')!;
  restoreNetns(init, JSON.parse(text), segments);
  const pod = newNetns(other, 'p');
  restoreNetns(pod, JSON.parse(inner));
  expect(JSON.stringify(snapshotNetns(init))).toBe(text);
  expect(JSON.stringify(snapshotNetns(pod))).toBe(inner);
  expect(linkByName(pod, 'eth0')!.peer).toBe(linkByName(init, 'veth-p'));
  const route = lookupRoute(init, ip('10.244.2.7'));
  expect(typeof route === 'string' ? route : route.dev.name).toBe('flannel.1');
});

it('/proc and /sys answer for the namespace', () => {
  const { a } = built();
  const fs = newFilesystem();
  place(fs, '/proc', makeProc(a.kernel, a.ns));
  place(fs, '/sys', makeSys(a.kernel, a.ns));
  const cat = (path: string) => {
    const d = readFile(fs, path);
    return typeof d === 'string' ? d : bytesToString(d);
  };
  expect(cat('/proc/sys/net/ipv4/ip_forward')).toBe('1\n');
  expect(cat('/proc/sys/net/ipv4/conf/cni0/forwarding')).toBe('1\n');
  expect(writeFile(fs, '/proc/sys/net/ipv4/conf/all/rp_filter', '2\n')).toBeNull();
  expect(sysctl(a.ns, 'net.ipv4.conf.all.rp_filter')).toBe('2');
  expect(writeFile(fs, '/proc/sys/net/ipv4/ip_forward', 'maybe')).toBe('EINVAL');
  expect(cat('/sys/class/net/eth0/operstate')).toBe('up\n');
  expect(cat('/sys/class/net/veth-p/brport/hairpin_mode')).toBe('0\n');
  expect(cat('/proc/net/route')).toContain('cni0\t0001F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF');
  const l = kernelSocket(a.ns, 'tcp');
  bind(l, null, 80);
  listen(l);
  expect(cat('/proc/net/tcp').split('\n')[1]).toMatch(/^ {3}0: 00000000:0050 00000000:0000 0A /);
});
