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
