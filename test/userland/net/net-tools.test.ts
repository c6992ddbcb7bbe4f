import { expect, test } from 'vitest';
import { arpProgram } from '../../../src/userland/net/arp.ts';
import { ifconfigProgram } from '../../../src/userland/net/ifconfig.ts';
import { ipProgram } from '../../../src/userland/net/ip/main.ts';
import { ping } from '../../../src/userland/net/ping.ts';
import { busyboxRouteProgram, routeProgram } from '../../../src/userland/net/route-tool.ts';
import { run, twoHosts } from '../hosts.ts';

test('arp lists by name or number, sets and deletes, and says what it misses', () => {
  const h = twoHosts();
  const arp = (words: string) => run(h, arpProgram, words);
  run(h, ping, 'ping -c 1 10.0.0.1');
  expect(arp('arp').out).toMatch(/\nserver {19}ether {3}[0-9a-f:]{17} {3}C {21}eth0\n$/);
  expect(arp('arp -n').out).toMatch(/\n10\.0\.0\.1 {17}ether /);
  expect(arp('arp -a').out).toMatch(/^server \(10\.0\.0\.1\) at [0-9a-f:]{17} \[ether\] on eth0\n$/);
  expect(arp('arp -an').out).toMatch(/^\? \(10\.0\.0\.1\) at /);
  expect(arp('arp -v').out).toMatch(/\nEntries: 1\tSkipped: 0\tFound: 1\n$/);
  expect(arp('arp -s 10.0.0.9 02:00:00:00:00:09').code).toBe(0);
  expect(arp('arp -n 10.0.0.9').out).toContain(' CM ');
  expect(arp('arp -d 10.0.0.9').code).toBe(0);
  expect(arp('arp 10.0.0.8')).toMatchObject({ code: 0, out: '10.0.0.8 (10.0.0.8) -- no entry\n' });
  expect(arp('arp -d 10.0.0.8')).toMatchObject({ code: 255, out: 'No ARP entry for 10.0.0.8\n' });
  expect(arp('arp -s 10.0.0.8')).toMatchObject({ code: 255, err: 'arp: need hardware address\n' });
  expect(arp('arp -s 10.0.0.8 foo')).toMatchObject({ code: 255, err: 'arp: invalid hardware address\n' });
  expect(arp('arp nosuch')).toMatchObject({ code: 255, err: 'nosuch: Host name lookup failure\n' });
  expect(arp('arp -Z')).toMatchObject({ code: 3, err: expect.stringMatching(/^arp: invalid option -- 'Z'\nUsage:\n/) });
});

test('ifconfig refuses values that make no sense and leaves the device as it is', () => {
  const h = twoHosts();
  const ifconfig = (words: string) => run(h, ifconfigProgram, words);
  for (const mtu of ['abc', '10', '70000'])
    expect(ifconfig(`ifconfig eth0 mtu ${mtu}`)).toMatchObject({ code: 1, err: 'SIOCSIFMTU: Invalid argument\n' });
  expect(ifconfig('ifconfig eth0').out).toContain(' mtu 1500\n');
  expect(ifconfig('ifconfig eth0 netmask 1.2')).toMatchObject({ code: 1, err: 'SIOCSIFNETMASK: Invalid argument\n' });
  expect(ifconfig('ifconfig eth0 netmask')).toMatchObject({ code: 3, err: expect.stringMatching(/^Usage:\n {2}ifconfig /) });
  expect(ifconfig('ifconfig eth0 foo').err).toBe("foo: Host name lookup failure\nifconfig: `--help' gives usage information.\n");
  expect(ifconfig('ifconfig eth0 hw ether zz').err).toBe('zz: invalid ether address.\n');
  expect(ifconfig('ifconfig nodev up')).toMatchObject({ code: 255, err: 'nodev: ERROR while getting interface flags: No such device\n' });
  expect(ifconfig('ifconfig --foo').err).toBe("ifconfig: option `--foo' not recognised.\nifconfig: `--help' gives usage information.\n");
  expect(ifconfig('ifconfig -s').out).toMatch(/^Iface {6}MTU .*\neth0 {13}1500 .* BMRU\nlo /);
});

test('an alias is a label of its own', () => {
  const h = twoHosts();
  const ifconfig = (words: string) => run(h, ifconfigProgram, words);
  expect(ifconfig('ifconfig eth0:0 10.9.9.1 netmask 255.255.255.0').code).toBe(0);
  expect(run(h, ipProgram, 'ip -4 -o addr show eth0').out).toMatch(
    /inet 10\.0\.0\.2\/24 .*\n.*inet 10\.9\.9\.1\/24 brd 10\.9\.9\.255 scope global eth0:0\\/,
  );
  expect(ifconfig('ifconfig eth0:0').out).toMatch(
    /^eth0:0: flags=.* mtu 1500\n {8}inet 10\.9\.9\.1 {2}netmask 255\.255\.255\.0 {2}broadcast 10\.9\.9\.255\n {8}ether .*\n\n$/,
  );
  expect(ifconfig('ifconfig eth0').out).toContain('inet 10.0.0.2 ');
  expect(ifconfig('ifconfig eth0:0 down').code).toBe(0);
  expect(ifconfig('ifconfig eth0:0').code).toBe(1);
  expect(run(h, ipProgram, 'ip -4 -br addr show eth0').out).toMatch(/ 10\.0\.0\.2\/24 \n$/);
});

test('route', () => {
  const h = twoHosts();
  const route = (words: string) => run(h, routeProgram, words);
  expect(route('route add -net 10.50.0.1/16 gw 10.0.0.1')).toMatchObject({
    code: 3,
    err: expect.stringMatching(/^route: netmask doesn't match route address\nUsage: inet_route /),
  });
  expect(run(h, busyboxRouteProgram, 'route add -net 10.50.0.1/16 gw 10.0.0.1')).toMatchObject({
    code: 1,
    err: 'route: netmask and route address conflict\n',
  });
  expect(route('route add foo')).toMatchObject({ code: 6, err: 'foo: Host name lookup failure\n' });
  expect(route('route foo')).toMatchObject({ code: 3, out: '' });
  expect(route('route add')).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: inet_route /) });
  expect(route('route -6')).toMatchObject({ code: 1, err: 'route: podnet does not model IPv6 routes: ip -6 route shows them\n' });
  expect(route('route add -net 10.60.0.0/16 reject').code).toBe(0);
  expect(route('route -n').out).toContain('10.60.0.0       -               255.255.0.0     !     0      -        0 -\n');
});
