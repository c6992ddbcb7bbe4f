// A connection whose program is gone, and whose FIN nobody hears.
import { expect, test } from 'vitest';
import { strerror } from '../../src/linux/process.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import { runUntil } from '../../src/sim/sim.ts';
import type { Place } from '../kernel/draw-rules.ts';
import { newRow } from '../kernel/row.ts';
import { say } from '../kernel/say.ts';

test('it is tried again as often as tcp_orphan_retries says, 0 standing for eight times', () => {
  for (const [retries, sent] of [
    ['1', 2],
    ['3', 4],
    ['0', 9],
  ] as const) {
    const { places } = newRow(1);
    const run = (at: Place, words: string) => say(places.get(at)!, { argv: words.split(' '), stdin: '' });
    setSysctl(places.get('client')!, 'net.ipv4.tcp_orphan_retries', retries);
    run('router', 'iptables -A FORWARD -p tcp --tcp-flags FIN FIN -j DROP');
    expect(run('client', 'nc -n -z -w 5 10.2.0.2 80').code).toBe(0);
    const { sim } = places.get('client')!.kernel;
    runUntil(sim, () => false, sim.nowMs + 300_000);
    expect(run('router', 'iptables -L FORWARD -n -v -x').out).toMatch(new RegExp(`^ +${sent} +\\d+ DROP`, 'm'));
  }
});

test('every errno has its words', () => {
  const { places } = newRow(1);
  const run = (at: Place, words: string) => say(places.get(at)!, { argv: words.split(' '), stdin: '' });
  run('router', 'iptables -A FORWARD -p tcp -j REJECT --reject-with icmp-proto-unreachable');
  expect(run('client', 'nc -n -z -v -w 5 10.2.0.2 80').err).toBe('nc: connect to 10.2.0.2 port 80 (tcp) failed: Protocol not available\n');
  expect(strerror('EINPROGRESS')).toBe('Operation now in progress');
});
