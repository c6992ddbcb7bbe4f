import { expect, test } from 'vitest';
import { ping } from '../../../src/userland/net/ping.ts';
import { iptablesProgram } from '../../../src/userland/netfilter/iptables.ts';
import { DEBIAN_13, run, twoHosts } from '../hosts.ts';

const FOUR = { family: 4, backend: 'nft', version: '1.8.9' } as const;

test('ping refuses what it cannot read, each in its own words', () => {
  const h = twoHosts();
  const err = (words: string) => run(h, ping, words);
  expect(err('ping')).toMatchObject({ code: 1, err: 'ping: usage error: Destination address required\n' });
  expect(run(h, ping, 'ping', { u: DEBIAN_13 }).code).toBe(2);
  expect(err('ping -c 0 server').err).toBe("ping: invalid argument: '0': out of range: 1 <= value <= 9223372036854775807\n");
  expect(err('ping -t 300 server').err).toBe("ping: invalid argument: '300': out of range: 0 <= value <= 255\n");
  expect(err('ping -s 5k server')).toMatchObject({ code: 1, err: "ping: invalid argument: '5k'\n" });
  expect(err('ping -M maybe server')).toMatchObject({ code: 2, err: 'ping: invalid -M argument: maybe\n' });
  expect(err('ping -Q 999 server').err).toBe('ping: the decimal value of TOS bits must be in range 0-255: 999\n');
  expect(err('ping -p xyz server').err).toBe('ping: patterns must be specified as hex digits: xyz\n');
  expect(err('ping -6 10.0.0.1').err).toBe('ping: 10.0.0.1: Address family for hostname not supported\n');
  expect(err('ping -I wlan7 -c 1 10.0.0.1').err).toBe('ping: SO_BINDTODEVICE wlan7: No such device\n');
  expect(err('ping --count 1 server').err).toMatch(/^ping: invalid option -- '-'\n\nUsage\n/);
  expect(err('ping -c 1 -i x server').err).toContain('ping: option argument contains garbage: x\n');
});

test('ping shows times only when a time stamp fits, and the bell, pattern and flood as they are', () => {
  const h = twoHosts();
  const small = run(h, ping, 'ping -n -c 1 -s 8 server').out;
  expect(small).toContain('16 bytes from 10.0.0.1: icmp_seq=1 ttl=64\n');
  expect(small).not.toContain('rtt');
  expect(run(h, ping, 'ping -n -c 1 -s 16 server').out).toContain('rtt min/avg/max/mdev');
  expect(run(h, ping, 'ping -a -n -c 1 server').out).toMatch(/ms\x07\n/);
  expect(run(h, ping, 'ping -p 0aff -c 1 server').out).toMatch(/^PATTERN: 0x0aff\nPING /);
  const flood = run(h, ping, 'ping -f -c 3 server').out;
  expect(flood).toMatch(/data\.\n\.\x08 \x08\.\x08 \x08\.\x08 \x08\n---/);
  expect(flood).toMatch(/, ipg\/ewma [\d.]+\/[\d.]+ ms\n$/);
});

test('ping names a host twice when nobody knows its name, and sends preloaded requests at once', () => {
  const h = twoHosts();
  expect(run(h, ping, 'ping -c 1 0').out).toMatch(/^PING 0 \(127\.0\.0\.1\) 56\(84\)/);
  expect(run(h, ping, 'ping -B -c 1 10.0.0.1').out).toMatch(/^PING 10\.0\.0\.1 \(10\.0\.0\.1\) from 10\.0\.0\.2 : 56/);
  expect(run(h, ping, 'ping -c 3 -l 3 10.0.0.1').out).toMatch(/ms, pipe 3\n$/);
  expect(run(h, ping, 'ping -c 1 -W 1 10.0.0.255')).toMatchObject({
    code: 2,
    err: 'ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules\n',
  });
  expect(run(h, ping, 'ping -c 1 -M do -s 1473 -W 1 10.0.0.1').err).toBe('ping: local error: message too long, mtu=1500\n');
});

test('ping tells what sendto said only after an error that its own machine sent', () => {
  const h = twoHosts();
  const rule = (words: string) => run(h, () => iptablesProgram(FOUR), words);
  expect(rule('iptables -A OUTPUT -p icmp --icmp-type echo-request -j REJECT --reject-with icmp-admin-prohibited').code).toBe(0);
  const rejected = run(h, ping, 'ping -n -c 1 -W 1 10.0.0.1');
  expect(rejected.out).toContain('From 10.0.0.2 icmp_seq=1 Packet filtered\n');
  expect(rejected.err).toBe('ping: sendmsg: Operation not permitted\n');
  expect(rule('iptables -R OUTPUT 1 -p icmp -j DROP').code).toBe(0);
  expect(run(h, ping, 'ping -n -c 1 -W 1 10.0.0.1').err).toBe('');
});

test('ping rounds what was lost as %g does', () => {
  const h = twoHosts();
  for (const loss of ['--every 3 --packet 2', '--every 3 --packet 0']) {
    run(h, () => iptablesProgram(FOUR), 'iptables -F');
    run(h, () => iptablesProgram(FOUR), `iptables -A OUTPUT -m statistic --mode nth ${loss} -j DROP`);
    expect(run(h, ping, 'ping -n -c 3 -i 0.2 -W 1 10.0.0.1').out).toContain(' 33.3333% packet loss');
  }
});

test('ping shows the identifier that it was given, and no packet goes with a TTL of 0', () => {
  const h = twoHosts();
  expect(run(h, ping, 'ping -c 1 -v -e 7 10.0.0.1').out).toContain(' icmp_seq=1 ident=7 ttl=64 ');
  expect(run(h, ping, 'ping -c 1 -t 0 10.0.0.1')).toMatchObject({
    code: 2,
    out: '',
    err: 'ping: cannot set unicast time-to-live: Invalid argument\n',
  });
});
