import { describe, expect, it } from 'vitest';
import { newKernel, newNetns } from '../../src/linux/kernel.ts';
import { addAddress, addLink, addVeth, setMaster, setUp } from '../../src/linux/link.ts';
import { setNeigh } from '../../src/linux/neigh.ts';
import { ALL_CAPS, spawnProgram } from '../../src/linux/process.ts';
import { addRoute } from '../../src/linux/route.ts';
import { bind, kernelSocket, listen } from '../../src/linux/socket.ts';
import type { Netns, Program } from '../../src/linux/types.ts';
import { newFilesystem } from '../../src/linux/vfs.ts';
import { bytesToString } from '../../src/sim/bytes.ts';
import { newPipe } from '../../src/sim/pipe.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { programFor } from '../../src/userland/programs.ts';
import { DEBIAN_12, DEBIAN_13 } from '../../src/userland/userland.ts';
import { cidr, ip, newWorld } from './world.ts';

function lab() {
  const sim = newWorld();
  const kernel = newKernel(sim, 'n1');
  const ns = kernel.netns.get('')!;
  const br = addLink(ns, { name: 'br0', kind: 'bridge', mac: '02:00:00:00:00:01' });
  const pod = newNetns(kernel, 'default/p');
  const [eth0, port] = addVeth(
    { netns: pod, name: 'eth0', mac: '02:00:00:00:00:05' },
    { netns: ns, name: 'veth0', mac: '02:00:00:00:00:06' },
  );
  setUp(br, true);
  setMaster(port, br);
  setUp(port, true);
  setUp(eth0, true);
  addAddress(br, ip('10.9.0.1'), 24, { broadcast: ip('10.9.0.255') });
  addAddress(br, ip('10.9.0.2'), 24);
  addAddress(eth0, ip('10.9.0.5'), 24);
  return { sim, kernel, ns, pod };
}

function tool(ns: Netns, line: string, u = DEBIAN_12, caps: ReadonlySet<string> = ALL_CAPS): string {
  const argv = line.split(' ');
  const busybox = argv[0] === 'busybox';
  if (busybox) argv.shift();
  const pkgs = busybox ? ['busybox'] : ['iproute2', 'net-tools', 'procps'];
  const program = pkgs.map(k => programFor(k, argv[0], u)).find(Boolean) as Program;
  let text = '';
  const sink = newPipe({
    sink: c => {
      text += bytesToString(c);
    },
  });
  const p = spawnProgram(ns.kernel, program, { netns: ns, fs: newFilesystem(), argv, stdout: sink, stderr: sink, caps: new Set(caps) });
  runUntil(ns.kernel.sim, () => p.exitCode !== null);
  return p.exitCode ? `${text}rc=${p.exitCode}` : text;
}

describe('ip', () => {
  it('shows links and addresses', () => {
    const { ns, pod } = lab();
    expect(tool(ns, 'ip addr show br0')).toBe(
      [
        '2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000',
        '    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff',
        '    inet 10.9.0.1/24 brd 10.9.0.255 scope global br0',
        '       valid_lft forever preferred_lft forever',
        '    inet 10.9.0.2/24 scope global secondary br0',
        '       valid_lft forever preferred_lft forever',
        '    inet6 fe80::ff:fe00:1/64 scope link ',
        '       valid_lft forever preferred_lft forever',
        '',
      ].join('\n'),
    );
    expect(tool(pod, 'ip -o -4 addr')).toBe(
      '2: eth0    inet 10.9.0.5/24 scope global eth0\\       valid_lft forever preferred_lft forever\n',
    );
    expect(tool(pod, 'ip -6 addr', DEBIAN_13)).toContain('scope link proto kernel_ll \n');
    expect(tool(ns, 'ip -br link')).toContain('veth0@if2        UP             02:00:00:00:00:06 <BROADCAST,MULTICAST,UP,LOWER_UP> \n');
    expect(tool(pod, 'busybox ip link')).toContain(
      '2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue qlen 1000\n',
    );
    expect(tool(pod, 'ip link')).toContain('1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n');
  });
  it('changes links, and says what is wrong', () => {
    const { ns } = lab();
    expect(tool(ns, 'ip link set nosuch up')).toBe('Cannot find device "nosuch"\nrc=1');
    expect(tool(ns, 'ip addr show nosuch')).toBe('Device "nosuch" does not exist.\nrc=1');
    expect(tool(ns, 'ip addr add 10.9.0.1/24 dev br0')).toBe('Error: ipv4: Address already assigned.\nrc=2');
    expect(tool(ns, 'ip link add d0 type dummy', DEBIAN_12, new Set())).toBe('RTNETLINK answers: Operation not permitted\nrc=2');
    expect(tool(ns, 'ip link add a type veth peer name b')).toBe('');
    expect(tool(ns, 'ip link set a up')).toBe('');
    expect(tool(ns, 'ip link show a')).toContain(
      'a@b: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN mode DEFAULT',
    );
    expect(tool(ns, 'ip foo')).toBe('Object "foo" is unknown, try "ip help".\nrc=1');
    expect(tool(ns, 'ip link foo')).toBe('Command "foo" is unknown, try "ip link help".\nrc=255');
  });
  it('routes', () => {
    const { ns } = lab();
    expect(tool(ns, 'ip route add default via 10.9.0.9')).toBe('');
    expect(tool(ns, 'ip route add 10.1.0.0/16 via 1.2.3.4')).toBe('Error: Nexthop has invalid gateway.\nrc=2');
    expect(tool(ns, 'ip route add unreachable 10.3.0.0/16 proto bird')).toBe('');
    expect(tool(ns, 'ip route add 10.5.0.0/16 nexthop via 10.9.0.2 dev br0 weight 1 nexthop via 10.9.0.3 dev br0 weight 2')).toMatch(
      /^$|rc=/,
    );
    expect(tool(ns, 'ip route')).toContain('default via 10.9.0.9 dev br0 \n');
    expect(tool(ns, 'ip route')).toContain('10.9.0.0/24 dev br0 proto kernel scope link src 10.9.0.1 \n');
    expect(tool(ns, 'ip route')).toContain('unreachable 10.3.0.0/16 proto bird \n');
    expect(tool(ns, 'ip route get 10.9.0.1')).toBe('local 10.9.0.1 dev lo src 10.9.0.1 uid 0 \n    cache <local> \n');
    expect(tool(ns, 'ip route get 8.8.8.8')).toBe('8.8.8.8 via 10.9.0.9 dev br0 src 10.9.0.1 uid 0 \n    cache \n');
    expect(tool(ns, 'ip route get 10.3.1.1')).toBe('RTNETLINK answers: No route to host\nrc=2');
    expect(tool(ns, 'ip route del 10.77.0.0/16')).toBe('RTNETLINK answers: No such process\nrc=2');
    expect(tool(ns, 'ip route show dev br0 proto kernel')).toBe('10.9.0.0/24 scope link src 10.9.0.1 \n');
    expect(tool(ns, 'ip -j route show 10.9.0.0/24')).toBe(
      '[{"dst":"10.9.0.0/24","dev":"br0","protocol":"kernel","scope":"link","prefsrc":"10.9.0.1","flags":[]}]\n',
    );
    expect(tool(ns, 'ip -j -p route show default')).toBe(
      '[ {\n        "dst": "default",\n        "gateway": "10.9.0.9",\n        "dev": "br0",\n        "flags": [ ]\n    } ]\n',
    );
    expect(tool(ns, 'busybox ip route')).toContain('10.9.0.0/24 dev br0 scope link  src 10.9.0.1 \n');
    expect(tool(ns, 'route -n')).toContain('0.0.0.0         10.9.0.9        0.0.0.0         UG    0      0        0 br0\n');
  });
  it('rules and neighbours', () => {
    const { ns } = lab();
    expect(tool(ns, 'ip rule add fwmark 0x10000/0x10000 lookup 100')).toBe('');
    expect(tool(ns, 'ip rule add from 10.9.0.0/24 table 100 pref 50')).toBe('');
    expect(tool(ns, 'ip rule')).toBe(
      '0:\tfrom all lookup local\n50:\tfrom 10.9.0.0/24 lookup 100\n32765:\tfrom all fwmark 0x10000/0x10000 lookup 100\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n',
    );
    expect(tool(ns, 'ip rule del pref 51')).toBe('RTNETLINK answers: No such file or directory\nrc=2');
    setNeigh(ns, ip('10.9.0.7'), 2, '02:00:00:00:00:07', 'PERMANENT');
    expect(tool(ns, 'ip neigh show dev br0')).toBe('10.9.0.7 lladdr 02:00:00:00:00:07 PERMANENT \n');
    expect(tool(ns, 'arp -an')).toBe('? (10.9.0.7) at 02:00:00:00:00:07 [ether] PERM on br0\n');
  });
});

describe('sockets', () => {
  it('ss and netstat list listeners', () => {
    const { ns } = lab();
    const s = kernelSocket(ns, 'tcp');
    bind(s, null, 8080);
    listen(s, 511);
    const t = kernelSocket(ns, 'tcp', 6);
    bind(t, null, 81);
    listen(t, 16);
    expect(tool(ns, 'ss -tln')).toBe(
      [
        'State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess',
        'LISTEN 0      511          0.0.0.0:8080      0.0.0.0:*          ',
        'LISTEN 0      16                 *:81              *:*          ',
        '',
      ].join('\n'),
    );
    expect(tool(ns, 'busybox netstat -tln')).toContain(
      'tcp        0      0 0.0.0.0:8080            0.0.0.0:*               LISTEN      \n',
    );
    expect(tool(ns, 'netstat -tln')).toContain('tcp6       0      0 :::81                   :::*                    LISTEN     \n');
  });
  it('sysctl reads and writes', () => {
    const { ns } = lab();
    expect(tool(ns, 'sysctl -w net.ipv4.ip_forward=1')).toBe('net.ipv4.ip_forward = 1\n');
    expect(tool(ns, 'sysctl -n net.ipv4.conf.br0.forwarding')).toBe('1\n');
    expect(tool(ns, 'sysctl net.nosuch')).toBe('sysctl: cannot stat /proc/sys/net/nosuch: No such file or directory\nrc=1');
    addRoute(ns, { dst: cidr('0.0.0.0/0'), via: ip('10.9.0.9') });
  });
});
