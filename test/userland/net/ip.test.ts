import { expect, test } from 'vitest';
import { busyboxIpProgram, ipProgram } from '../../../src/userland/net/ip/main.ts';
import { busyboxUserland } from '../../../src/userland/userland.ts';
import { run, twoHosts } from '../hosts.ts';

const refusals: [words: string, err: string, code: number][] = [
  ['ip link nosuch', 'Command "nosuch" is unknown, try "ip link help".\n', 255],
  ['ip addr nosuch', 'Command "nosuch" is unknown, try "ip address help".\n', 255],
  ['ip addr show scope nosuch', 'Error: argument "nosuch" is wrong: invalid "scope"\n\n', 255],
  ['ip addr show eth0 lo', 'Error: either "dev" is duplicate, or "lo" is a garbage.\n', 255],
  ['ip link show master nosuch', 'Error: argument "nosuch" is wrong: Device does not exist\n\n', 255],
  ['ip link set', 'Not enough information: "dev" argument is required.\n', 255],
  ['ip link add x0', 'Not enough information: "type" argument is required\n', 1],
  ['ip link set lo mtu x', 'Error: argument "x" is wrong: Invalid "mtu" value\n\n', 255],
  ['ip route show proto nosuch', 'Error: argument "nosuch" is wrong: invalid "protocol"\n\n', 255],
  ['ip route show type nosuch', 'Error: argument "nosuch" is wrong: node type value is invalid\n\n', 255],
  ['ip route get 10.0.0.1 mark x', 'Error: argument "x" is wrong: invalid mark value\n', 255],
  ['ip rule add', '"ip rule add" requires arguments.\n', 1],
  ['ip rule add pref x', 'Error: argument "x" is wrong: preference value is invalid\n\n', 255],
  ['ip neigh show nud nosuch', 'Error: argument "nosuch" is wrong: nud state is bad\n', 255],
  ['ip neigh get 10.0.0.99', 'Device and address are required arguments.\n', 1],
  ['ip neigh get 10.0.0.99 dev eth0', 'Error: Neighbour entry not found.\n', 2],
  ['ip netns add', 'No netns name specified\n', 1],
  ['ip -n nosuch addr', 'Cannot open network namespace "nosuch": No such file or directory\n', 255],
  ['ip -f nosuch addr', 'Error: argument "nosuch" is wrong: invalid protocol family\n', 255],
  ['ip link set lo name verylonginterfacename', 'Error: argument "verylonginterfacename" is wrong: "name" not a valid ifname\n', 255],
  ['ip link add verylonginterfacename type dummy', 'Error: argument "verylonginterfacename" is wrong: "dev" not a valid ifname\n', 255],
  ['ip route add 10.50.0.1/16 via 10.0.0.1', 'Error: Invalid prefix for given prefix length.\n', 2],
  ['ip route get 10.0.0.1 iif eth0', 'RTNETLINK answers: Invalid argument\n', 2],
  ['ip addr add dev lo', 'RTNETLINK answers: Operation not supported\n', 2],
  ['ip addr flush', 'Flush requires arguments.\n', 1],
  ['ip tunnel', 'podnet does not model "ip tunnel"\n', 1],
  ['ip mon', 'podnet does not model "ip monitor"\n', 1],
  ['ip nosuch', 'Object "nosuch" is unknown, try "ip help".\n', 1],
  ['ip netns del nosuch', 'Cannot remove namespace file "/run/netns/nosuch": No such file or directory\n', 1],
  ['ip -color=bad addr', 'Option "-color=bad" is unknown, try "ip -help".\n', 255],
];

test.each(refusals)('%s', (words, err, code) => {
  expect(run(twoHosts(), ipProgram, words)).toMatchObject({ out: '', err, code });
});

test('every object has a help of its own, and BusyBox one for all', () => {
  const h = twoHosts();
  for (const [object, first] of [
    ['addr', 'Usage: ip address {add'],
    ['link', 'Usage: ip link add'],
    ['route', 'Usage: ip route { list'],
    ['neigh', 'Usage: ip neigh { add'],
    ['rule', 'Usage: ip rule { add'],
    ['netns', 'Usage:\tip netns list'],
  ])
    expect(run(h, ipProgram, `ip ${object} help`)).toMatchObject({ code: 255, err: expect.stringContaining(first) });
  const busybox = run(h, busyboxIpProgram, 'ip addr nosuch', { u: busyboxUserland(37, 'musl') });
  expect(busybox).toMatchObject({ code: 1, err: "ip: invalid argument 'nosuch' to 'ip addr'\n" });
});

test('-0 shows no addresses; -6 shows a named device in full', () => {
  const h = twoHosts();
  expect(run(h, ipProgram, 'ip -0 addr show lo').out).not.toContain('inet');
  expect(run(h, ipProgram, 'ip -6 addr show dev lo').out).toMatch(
    /^1: lo: .* qdisc noqueue state UNKNOWN group default qlen 1000\n {4}inet6 ::1/,
  );
  expect(run(h, ipProgram, 'ip -6 route get ::1').out).toContain(' dev lo table local proto kernel ');
});

test('-c colours names, addresses and states', () => {
  const h = twoHosts();
  const e = (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`;
  const shown = run(h, ipProgram, 'ip -c addr show eth0').out;
  expect(shown.startsWith(`2: ${e(36, 'eth0: ')}<BROADCAST,`)).toBe(true);
  expect(shown).toContain(` state ${e(32, 'UP ')}group default `);
  expect(shown).toContain(` brd ${e(33, 'ff:ff:ff:ff:ff:ff')}\n`);
  expect(run(h, ipProgram, 'ip -c -4 -o addr show eth0').out).toContain(`inet ${e(35, '10.0.0.2')}/24 `);
  expect(run(h, ipProgram, 'ip -c route').out).toContain(`${e(35, '10.0.0.0/24 ')}dev ${e(36, 'eth0 ')}`);
  expect(run(h, ipProgram, 'ip -c -br link show lo').out).toBe(
    `${e(36, 'lo'.padEnd(17))}UNKNOWN        ${e(33, '00:00:00:00:00:00 ')}<LOOPBACK,UP,LOWER_UP> \n`,
  );
  expect(run(h, ipProgram, 'ip -c=auto route').out).not.toContain('\x1b');
});

test('addresses by label and by network; what goes to everybody has no gateway', () => {
  const h = twoHosts();
  const go = (words: string) => run(h, ipProgram, words);
  go('ip addr add 10.9.9.1/24 dev eth0 label eth0:1');
  go('ip route add default via 10.0.0.1');
  expect(go('ip -o addr show label eth0:*').out).toMatch(/^2: eth0 {4}inet 10\.9\.9\.1\/24 scope global eth0:1\\.*\n$/);
  expect(go('ip addr show to 10.9.9.0/24').out.split('\n')).toHaveLength(4);
  expect(go('ip addr del 10.9.9.1 dev eth0').err).toMatch(/^Warning: Executing wildcard deletion .*\n.*\(10\.9\.9\.1\/32\)/);
  go('ip addr add 10.9.9.1/24 dev eth0 label eth0:1');
  expect(go('ip addr flush label eth0:1').code).toBe(0);
  expect(go('ip -4 -br addr show eth0').out).toMatch(/ 10\.0\.0\.2\/24 \n$/);
  expect(go('ip route get 255.255.255.255').out).toMatch(/^broadcast 255\.255\.255\.255 dev eth0 .*\n {4}cache <local,brd> \n$/);
  expect(go('ip route get 239.1.1.1').out).toMatch(/^multicast 239\.1\.1\.1 dev eth0 .*\n {4}cache <mc> \n$/);
  expect(go('ip route get fibmatch 8.8.8.8').out).toBe('default via 10.0.0.1 dev eth0 \n');
  expect(go('ip route get 8.8.8.8 mark 15').out).toContain(' mark 15 ');
  expect(go('ip route get 8.8.8.8 mark 16').out).toContain(' mark 0x10 ');
  expect(go('ip rule list table main').out).toBe('32766:\tfrom all lookup main\n');
  expect(JSON.parse(go('ip -br -j link show lo').out)).toEqual([
    { ifname: 'lo', operstate: 'UNKNOWN', address: '00:00:00:00:00:00', flags: ['LOOPBACK', 'UP', 'LOWER_UP'] },
  ]);
});
