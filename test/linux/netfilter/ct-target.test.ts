// What the raw table decides about tracking, and when there is tracking at all, as Linux 6.18 does it.
import { expect, test } from 'vitest';
import { settle } from '../../../src/sim/sim.ts';
import type { Place } from '../../kernel/draw-rules.ts';
import { newRow } from '../../kernel/row.ts';
import { say } from '../../kernel/say.ts';

function row() {
  const { places } = newRow(1);
  return (at: Place, words: string) => {
    const ns = places.get(at)!;
    const said = say(ns, { argv: words.split(' '), stdin: '' });
    settle(ns.kernel.sim, 10);
    return said;
  };
}

const PING = 'ping -n -c 1 -W 1 10.2.0.2';

test('nothing is tracked until a rule needs it, and a rule that is only looked for or refused needs nothing', () => {
  const run = row();
  run('router', 'iptables -t nat -N own');
  run('router', 'iptables -t nat -A POSTROUTING -j RETURN');
  run('router', 'iptables -t raw -A PREROUTING -p udp -j CT --notrack');
  expect(run('router', 'iptables -C INPUT -m conntrack --ctstate NEW').code).toBe(1);
  expect(run('router', 'iptables -t nat -A OUTPUT -m conntrack --ctstate NEW -j MASQUERADE').code).toBe(4);
  run('client', PING);
  expect(run('router', 'conntrack -L').out).toBe('');
  expect(run('router', 'iptables -t nat -L POSTROUTING -n -v -x').out).toContain('policy ACCEPT 0 packets, 0 bytes');
  run('router', 'iptables -A INPUT -m conntrack --ctstate NEW');
  run('client', PING);
  expect(run('router', 'conntrack -L').out).toContain('src=10.1.0.2 dst=10.2.0.2');
});

test('a zone is the template of a flow: a later CT leaves it alone, and until it is tracked it looks new and confirmed', () => {
  const run = row();
  for (const words of ['-j CT --zone 2', '-j CT --notrack', '-m conntrack --ctstate NEW', '-m conntrack --ctstatus CONFIRMED'])
    run('router', `iptables -t raw -A PREROUTING ${words}`);
  run('router', 'iptables -t mangle -A PREROUTING -m conntrack --ctstatus CONFIRMED');
  expect(run('client', PING).code).toBe(0);
  expect(run('router', 'conntrack -L').out).toMatch(/src=10\.1\.0\.2 dst=10\.2\.0\.2 type=8 .* zone=2 use=1/);
  const counts = run('router', 'iptables-save -c').out;
  expect(counts).toContain('[2:168] -A PREROUTING -m conntrack --ctstate NEW\n');
  expect(counts).toContain('[2:168] -A PREROUTING -m conntrack --ctstatus CONFIRMED\n');
  // mangle: the request's flow is not in the table yet, the reply's is.
  expect(counts).toContain('[1:84] -A PREROUTING -m conntrack --ctstatus CONFIRMED\n');
});

test('the raw table sees an ICMP error as part of a flow, but not the one about a closed UDP port', () => {
  const run = row();
  run('router', 'iptables -t raw -A OUTPUT -m conntrack --ctstate RELATED');
  run('router', 'iptables -A OUTPUT -m conntrack --ctstate RELATED');
  run('client', 'traceroute -n -N 1 -q 1 -w 1 -m 1 10.2.0.2');
  run('client', 'traceroute -n -N 1 -q 1 -w 1 -m 1 10.1.0.1');
  const counts = run('router', 'iptables-save -c').out;
  expect(counts.match(/\[\d+:\d+\] -A OUTPUT -m conntrack --ctstate RELATED/g)?.sort()).toEqual([
    '[1:88] -A OUTPUT -m conntrack --ctstate RELATED',
    '[2:176] -A OUTPUT -m conntrack --ctstate RELATED',
  ]);
});

test('the socket match knows the socket that an ICMP error is for', () => {
  const run = row();
  run('client', 'iptables -A INPUT -p icmp -m socket --nowildcard');
  run('client', 'traceroute -n -N 1 -q 1 -w 1 -m 1 10.2.0.2');
  run('client', PING);
  expect(run('client', 'iptables-save -c').out).toContain('[1:88] -A INPUT -p icmp -m socket --nowildcard');
});

test('the socket match ignores listeners on all addresses, but not with --nowildcard', () => {
  const run = row();
  run('server', 'iptables -t mangle -A PREROUTING -m socket');
  run('server', 'iptables -t mangle -A PREROUTING -m socket --nowildcard');
  expect(run('client', 'nc -n -z -w 5 10.2.0.2 80').code).toBe(0);
  const counts = run('server', 'iptables-save -c').out;
  // The handshake's first packet meets the listener, the others the connection.
  const [plain, any] = ['', ' --nowildcard'].map(o =>
    Number(new RegExp(`\\[(\\d+):\\d+\\] -A PREROUTING -m socket${o}\n`).exec(counts)?.[1]),
  );
  expect(any).toBe(plain + 1);
});
