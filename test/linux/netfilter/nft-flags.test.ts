// Matches of flags: what each operator compares, and how nft 1.0.6 lists it again (`nft --debug=netlink` shows the expressions).
import { describe, expect, it } from 'vitest';
import { runNft } from '../../../src/linux/netfilter/nft/commands.ts';
import { TCP_FLAG } from '../../../src/wire/packet.ts';
import { newWorld, out, tcp } from './world.ts';

const LISTED: [given: string, listed: string][] = [
  ['tcp flags syn|ack', 'tcp flags syn,ack'],
  ['tcp flags != syn', 'tcp flags != syn'],
  ['tcp flags != syn,ack', 'tcp flags != 0x12'],
  ['tcp flags == syn,ack', 'tcp flags == 0x12'],
  ['tcp flags ! syn,ack', 'tcp flags ! syn,ack'],
  ['tcp flags & (syn|ack) != 0', 'tcp flags syn,ack'],
  ['tcp flags & (syn|ack) == 0', 'tcp flags ! syn,ack'],
  ['tcp flags & (syn|ack) == syn|ack', 'tcp flags syn,ack / syn,ack'],
  ['tcp flags & (fin|syn|rst|ack) != syn', 'tcp flags != syn / fin,syn,rst,ack'],
  ['tcp flags & syn == syn', 'tcp flags & syn == syn'],
  ['tcp flags and syn ne syn', 'tcp flags & syn != syn'],
  ['tcp flags & syn == 0', 'tcp flags ! syn'],
  ['ct state 0', 'ct state 0x0'],
  ['ct state != established,related', 'ct state != established | related'],
  ['ct state == established,related', 'ct state established | related'],
  ['ct state ! new', 'ct state ! new'],
  ['ct status & (dnat|snat) == dnat', 'ct status dnat / snat,dnat'],
  ['ct status & dnat != dnat', 'ct status & dnat != dnat'],
];

const withRule = (rule: string) => {
  const w = newWorld();
  const r = runNft(w.ns, `table ip t { chain c { type filter hook forward priority 0; ${rule} counter drop; } }`);
  return { w, error: r.error };
};

describe('flags in nft', () => {
  it.each(LISTED)('%s is listed as %s', (given, listed) => {
    const { w, error } = withRule(given);
    expect(error).toBeNull();
    expect(runNft(w.ns, 'list ruleset').out).toContain(`\t\t${listed} counter `);
  });

  it('ask for any bit, for none, or for exactly these', () => {
    const dropped = (rule: string, flags: number) => out(withRule(rule).w, tcp('10.0.0.2', 1, '192.168.7.9', 80, flags)).verdict === 'DROP';
    const { SYN, ACK } = TCP_FLAG;
    expect([SYN, ACK, SYN | ACK].map(f => dropped('tcp flags syn', f))).toEqual([true, false, true]);
    expect([SYN, ACK, SYN | ACK].map(f => dropped('tcp flags ! syn', f))).toEqual([false, true, false]);
    expect([SYN, ACK, SYN | ACK].map(f => dropped('tcp flags != syn', f))).toEqual([false, true, true]);
    expect([SYN, ACK, SYN | ACK].map(f => dropped('tcp flags == syn,ack', f))).toEqual([false, false, true]);
  });

  it('ct status != dnat holds for a translated flow as well: its status has more bits', () => {
    const w = newWorld();
    runNft(
      w.ns,
      `table ip t {
        chain pre { type nat hook prerouting priority dstnat; ip daddr 10.96.0.1 dnat to 192.168.7.9; }
        chain c { type filter hook forward priority 0; ct status != dnat drop; }
      }`,
    );
    expect(out(w, tcp('10.0.0.2', 1, '10.96.0.1', 80)).verdict).toBe('DROP');
  });

  it('refuses `!` before what is no flag', () => {
    expect(withRule('tcp dport ! 5').error?.message).toBe('negation can only be used with singleton bitmask values');
  });
});
