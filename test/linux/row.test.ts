// Three machines in a row, and what the real kernel was found to do with their packets where podnet did otherwise (`npm run kernel -- rules`).
import { expect, it } from 'vitest';
import type { Place } from '../kernel/draw-rules.ts';
import { newRow } from '../kernel/row.ts';
import { say } from '../kernel/say.ts';

function row() {
  const { places } = newRow(1);
  return (at: Place, words: string) => say(places.get(at)!, { argv: words.split(' '), stdin: '' });
}

/** Packets that a rule has seen. */
const seen = (saved: string, rule: string): number => {
  const line = saved.split('\n').find(l => l.endsWith(rule));
  return Number(/^\[(\d+):/.exec(line ?? '')?.[1]);
};

it('an echo reply that OUTPUT rejects causes no error: the socket of ICMP is sending already', () => {
  const on = row();
  on('router', 'iptables -A OUTPUT -j REJECT');
  expect(on('client', 'ping -n -c 3 -i 0.2 -W 1 10.1.0.1').out).toContain('3 packets transmitted, 0 received, 100% packet loss');
  expect(seen(on('router', 'iptables-save -c').out, '-A OUTPUT -j REJECT --reject-with icmp-port-unreachable')).toBe(3);
  // Its own request does: the error is the second packet.
  on('router', 'ping -n -c 1 -W 1 10.1.0.2');
  expect(seen(on('router', 'iptables-save -c').out, '-A OUTPUT -j REJECT --reject-with icmp-port-unreachable')).toBe(5);
});

it('ping says nothing of packets that OUTPUT drops, traceroute says which call failed', () => {
  const on = row();
  on('client', 'iptables -A OUTPUT -j DROP');
  expect(on('client', 'ping -n -c 1 -W 1 10.2.0.2')).toMatchObject({ code: 1, err: '' });
  for (const how of ['', ' -I', ' -T', ' -U'])
    expect(on('client', `traceroute -n${how} 10.2.0.2`)).toEqual({
      code: 1,
      out: 'traceroute to 10.2.0.2 (10.2.0.2), 30 hops max, 60 byte packets',
      err: '\nsend: Operation not permitted\n',
    });
});

it('traceroute connects its ICMP and TCP sockets before it writes', () => {
  const on = row();
  on('client', 'ip route add prohibit 10.3.0.0/24');
  const head = 'traceroute to 10.3.0.1 (10.3.0.1), 30 hops max, 60 byte packets';
  const err = '\nconnect: Permission denied\n';
  expect(['', ' -U', ' -I', ' -T'].map(how => on('client', `traceroute -n${how} 10.3.0.1`))).toEqual([
    { code: 1, out: head, err },
    { code: 1, out: head, err },
    { code: 1, out: '', err },
    { code: 1, out: '', err },
  ]);
});

it('traceroute -I asks by one identifier: one flow', () => {
  const on = row();
  on('router', 'iptables -A FORWARD -m conntrack --ctstate NEW');
  on('client', 'traceroute -n -I -q 2 10.2.0.2');
  expect(on('router', 'conntrack -L -p icmp').out.trim().split('\n')).toHaveLength(1);
});

it('a router tells of missing ways five times at once, then once a second', () => {
  const on = row();
  const told = (words: string) => Number(/\+(\d+) errors/.exec(on('client', words).out)?.[1]);
  expect(told('ping -n -c 9 -i 0.2 -W 1 10.3.0.9')).toBe(6);
  on('client', 'ping -n -c 1 -W 9 10.1.0.77');
  expect(told('ping -n -c 9 -i 1 -W 1 10.3.0.9')).toBe(9);
});

it('a packet is of the type of the frame it came in, not of its address', () => {
  const on = row();
  on('router', 'iptables -t raw -A PREROUTING -d 10.1.0.255 -m pkttype --pkt-type unicast');
  on('server', 'ping -n -b -c 2 -i 0.2 -W 1 10.1.0.255');
  expect(seen(on('router', 'iptables-save -c').out, '-m pkttype --pkt-type unicast')).toBe(2);
});

it('--ctstatus NONE holds for no flow', () => {
  const on = row();
  on('router', 'iptables -A FORWARD -m conntrack --ctstatus NONE');
  on('client', 'ping -n -c 2 -i 0.2 10.2.0.2');
  expect(seen(on('router', 'iptables-save -c').out, '--ctstatus NONE')).toBe(0);
});

it('extensions of some hooks are refused where a chain leads to others', () => {
  const on = row();
  const refused = { code: 4, err: expect.stringContaining('RULE_APPEND failed (Invalid argument)') };
  on('router', 'iptables -t nat -N own');
  expect(on('router', 'iptables -t nat -A own -j DNAT --to-destination 10.2.0.2').code).toBe(0);
  expect(on('router', 'iptables -t nat -A POSTROUTING -j own')).toMatchObject(refused);
  expect(on('router', 'iptables -t nat -A PREROUTING -j own').code).toBe(0);
  expect(on('router', 'iptables -t nat -A own -j MASQUERADE')).toMatchObject(refused);
  expect(on('router', 'iptables -t mangle -A FORWARD -m rpfilter')).toMatchObject(refused);
  expect(on('router', 'iptables -t mangle -A PREROUTING -m rpfilter').code).toBe(0);
});
