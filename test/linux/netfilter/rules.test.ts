import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rulesOf } from '../../../src/linux/netfilter/rules.ts';
import { formatIp } from '../../../src/wire/ip.ts';
import { FORWARDED, newWorld, out, pass, tcp, udp, type World } from './world.ts';

const counts = (w: World, table: 'filter' | 'nat', chain: string): number[] => {
  const t = w.ns.netfilter.xt[4].get(table);
  const c = t?.chains.get(chain);
  return t && c ? rulesOf(w.ns, t, c).map(r => r.packets) : [];
};

describe('a packet in a table', () => {
  it('goes through chains, back by RETURN and by their ends, and not back from a goto', () => {
    const w = newWorld(
      '*filter\n:FORWARD DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n-A FORWARD -j A\n-A FORWARD -p udp -g C\n-A FORWARD -p tcp -j ACCEPT\n-A A -j B\n-A A -j RETURN\n-A A -j DROP\n-A B -p icmp -j DROP\n-A C -j RETURN\nCOMMIT\n',
    );
    expect(out(w, tcp('10.0.0.2', 1, '1.1.1.1', 1)).verdict).toBe('ACCEPT');
    expect(out(w, udp('10.0.0.2', 1, '1.1.1.1', 1)).verdict).toBe('DROP');
    expect(counts(w, 'filter', 'A')).toEqual([2, 2, 0]);
    expect(w.ns.netfilter.xt[4].get('filter')?.chains.get('FORWARD')?.packets).toBe(1);
  });

  it('takes every third packet with nth', () => {
    const w = newWorld('*filter\n-A FORWARD -m statistic --mode nth --every 3 --packet 0 -j DROP\nCOMMIT\n');
    const verdicts = Array.from({ length: 6 }, (_, i) => out(w, udp('10.0.0.2', i, '1.1.1.1', 1)).verdict);
    expect(verdicts).toEqual(['DROP', 'ACCEPT', 'ACCEPT', 'DROP', 'ACCEPT', 'ACCEPT']);
  });

  it('asks the dice for random ones', () => {
    const w = newWorld('*filter\n-A FORWARD -m statistic --mode random --probability 0.25 -j DROP\nCOMMIT\n');
    const asked: number[] = [];
    w.ns.kernel.sim.chance = p => {
      asked.push(p);
      return true;
    };
    expect(out(w, udp('10.0.0.2', 1, '1.1.1.1', 1)).verdict).toBe('DROP');
    expect(asked).toEqual([0.25]);
  });

  it('remembers addresses with recent, for as long as it was told', () => {
    const w = newWorld(
      '*filter\n-A FORWARD -m recent --rcheck --seconds 10 --reap --name R --rsource -j DROP\n-A FORWARD -m recent --set --name R --rsource -j ACCEPT\nCOMMIT\n',
    );
    const go = () => out(w, udp('10.0.0.2', 1, '1.1.1.1', 1)).verdict;
    expect([go(), go()]).toEqual(['ACCEPT', 'DROP']);
    w.ns.kernel.sim.nowMs += 11_000;
    expect(go()).toBe('ACCEPT');
  });

  it('limits by a bucket that the clock refills', () => {
    const w = newWorld('*filter\n-A FORWARD -m limit --limit 1/sec --limit-burst 2 -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n');
    const go = () => out(w, udp('10.0.0.2', 1, '1.1.1.1', 1)).verdict;
    expect([go(), go(), go()]).toEqual(['ACCEPT', 'ACCEPT', 'DROP']);
    w.ns.kernel.sim.nowMs += 1000;
    expect([go(), go()]).toEqual(['ACCEPT', 'DROP']);
  });

  it('keeps the raw table before tracking', () => {
    const w = newWorld(
      '*raw\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n',
    );
    expect(out(w, udp('10.0.0.2', 1, '1.1.1.1', 1)).verdict).toBe('DROP');
    expect(out(w, tcp('10.0.0.2', 1, '1.1.1.1', 1)).verdict).toBe('ACCEPT');
  });

  it('drops packets whose way back is another device (rpfilter)', () => {
    const w = newWorld('*raw\n-A PREROUTING -m rpfilter --validmark --invert -j DROP\nCOMMIT\n');
    expect(pass(w, udp('10.0.0.2', 1, '1.1.1.1', 1), FORWARDED, { in: w.inside, out: w.outside }).verdict).toBe('ACCEPT');
    expect(pass(w, udp('10.0.0.2', 1, '1.1.1.1', 1), FORWARDED, { in: w.outside, out: w.inside }).verdict).toBe('DROP');
  });
});

describe('long chains', () => {
  // The same rules, with and without enough company for the chain to be indexed.
  const service = fc.record({
    ip: fc.integer({ min: 1, max: 6 }),
    port: fc.constantFrom(53, 80, 443),
    proto: fc.constantFrom('tcp', 'udp'),
    bare: fc.constantFrom('', 'd', 'p'),
  });
  const text = (s: { ip: number; port: number; proto: string; bare: string }) =>
    `-A FORWARD ${s.bare === 'd' ? '' : `-d 10.96.0.${s.ip}/32 `}-p ${s.proto} -m comment --comment "s ${s.ip}" -m ${s.proto} ${s.bare === 'p' ? '' : `--dport ${s.port} `}-j MARK --set-xmark 0x1/0x1`;
  const filler = Array.from({ length: 20 }, (_, i) => `-A FORWARD -d 172.16.0.${i}/32 -j DROP`);

  it('count and do the same as short ones', () => {
    fc.assert(
      fc.property(fc.array(service, { minLength: 1, maxLength: 8 }), fc.array(service, { maxLength: 10 }), (rules, packets) => {
        const short = newWorld(`*filter\n${rules.map(text).join('\n')}\nCOMMIT\n`);
        const long = newWorld(`*filter\n${[...rules.map(text), ...filler].join('\n')}\nCOMMIT\n`);
        for (const p of packets) {
          const packet = (p.proto === 'tcp' ? tcp : udp)('10.0.0.2', 999, `10.96.0.${p.ip}`, p.port);
          const a = out(short, packet);
          const b = out(long, packet);
          expect([b.verdict, b.skb.mark, formatIp(b.packet.dst)]).toEqual([a.verdict, a.skb.mark, formatIp(a.packet.dst)]);
        }
        expect(counts(long, 'filter', 'FORWARD').slice(0, rules.length)).toEqual(counts(short, 'filter', 'FORWARD'));
      }),
      { numRuns: 60 },
    );
  });
});
