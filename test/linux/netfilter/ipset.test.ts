import { describe, expect, it } from 'vitest';
import { addEntry, delEntry, destroySet, restoreSets, swapSets, testEntry } from '../../../src/linux/netfilter/ipset.ts';
import { createSet } from '../../../src/linux/netfilter/ipset-create.ts';
import { saveSets } from '../../../src/linux/netfilter/ipset-text.ts';
import { restore } from '../../../src/linux/netfilter/restore.ts';
import { newWorld, out, tcp, udp } from './world.ts';

const error = (r: { error: string } | null) => r?.error ?? null;
const text = (ns: Parameters<typeof saveSets>[0], name?: string) => saveSets(ns, name ?? null).replace(/ initval 0x[0-9a-f]{8}/g, '');

describe('ipset', () => {
  it('prints sets as ipset 7.17 does', () => {
    const { ns } = newWorld();
    createSet(ns, 'a', 'hash:ip');
    createSet(ns, 'b', 'hash:net', ['family', 'inet6', 'timeout', '60', 'counters', 'comment']);
    createSet(ns, 'p', 'bitmap:port', ['range', '0-1000']);
    createSet(ns, 'l', 'list:set', ['size', '4']);
    createSet(ns, 'c', 'hash:ip,port', ['hashsize', '100']);
    addEntry(ns, 'a', '10.0.0.0/31');
    addEntry(ns, 'b', '2001:db8::/32', ['timeout', '5', 'comment', 'two words']);
    addEntry(ns, 'p', '7-8');
    addEntry(ns, 'l', 'a');
    addEntry(ns, 'c', '1.2.3.4,icmp:8/0');
    expect(text(ns)).toBe(
      'create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12\nadd a 10.0.0.1\nadd a 10.0.0.0\n' +
        'create b hash:net family inet6 hashsize 1024 maxelem 65536 timeout 60 counters comment bucketsize 12\n' +
        'add b 2001:db8::/32 timeout 4 packets 0 bytes 0 comment "two words"\n' +
        'create p bitmap:port range 0-1000\nadd p 7\nadd p 8\n' +
        'create c hash:ip,port family inet hashsize 128 maxelem 65536 bucketsize 12\nadd c 1.2.3.4,icmp:echo-request\n' +
        'create l list:set size 4\nadd l a\n',
    );
  });

  it('reads back what it printed', () => {
    const { ns } = newWorld();
    restoreSets(
      ns,
      'create s hash:net,port\nadd s 10.0.0.0/8,tcp:80\nadd s 10.1.0.0/16,tcp:80 nomatch\ncreate t hash:ip,port,net\nadd t 1.1.1.1,udp:53,10.0.0.0/8\n',
    );
    const other = newWorld().ns;
    expect(restoreSets(other, saveSets(ns))).toBeNull();
    expect(saveSets(other).split('\n').sort()).toEqual(saveSets(ns).split('\n').sort());
  });

  it("complains in the tool's words", () => {
    const { ns } = newWorld();
    expect(error(createSet(ns, 'x', 'foo:bar'))).toBe("Syntax error: typename 'foo:bar' is unknown");
    expect(error(addEntry(ns, 'x', '1.1.1.1'))).toBe('The set with the given name does not exist');
    createSet(ns, 'x', 'hash:ip', ['maxelem', '1']);
    expect(error(createSet(ns, 'x', 'hash:ip'))).toBe('Set cannot be created: set with the same name already exists');
    expect(error(addEntry(ns, 'x', 'foo'))).toBe('Syntax error: cannot parse foo: resolving to IPv4 address failed');
    expect(error(addEntry(ns, 'x', '1.1.1.1'))).toBeNull();
    expect(error(addEntry(ns, 'x', '1.1.1.1'))).toBe("Element cannot be added to the set: it's already added");
    expect(error(addEntry(ns, 'x', '1.1.1.1', [], true))).toBeNull();
    expect(error(addEntry(ns, 'x', '2.2.2.2'))).toBe('Hash is full, cannot add more elements');
    expect(error(delEntry(ns, 'x', '3.3.3.3'))).toBe("Element cannot be deleted from the set: it's not added");
    createSet(ns, 'n', 'hash:net');
    expect(error(addEntry(ns, 'n', '0.0.0.0/0'))).toBe('The value of the CIDR parameter of the IP address is invalid');
    expect(error(swapSets(ns, 'x', 'n'))).toBe('The sets cannot be swapped: their type does not match');
    expect(restoreSets(ns, 'create y hash:ip\nadd y 1.1.1.1\nadd y 1.1.1.1\n')).toEqual({
      line: 3,
      error: "Element cannot be added to the set: it's already added",
      usage: false,
    });
  });

  it('keeps a set that a rule uses', () => {
    const { ns } = newWorld();
    createSet(ns, 'used', 'hash:ip');
    restore(ns, 4, '*filter\n-A INPUT -m set --match-set used src -j DROP\nCOMMIT\n');
    expect(error(destroySet(ns, 'used'))).toBe('Set cannot be destroyed: it is in use by a kernel component');
    restore(ns, 4, '*filter\nCOMMIT\n');
    expect(error(destroySet(ns, 'used'))).toBeNull();
  });

  it('finds hosts in networks, the longest first, nomatch excepted', () => {
    const { ns } = newWorld();
    restoreSets(ns, 'create s hash:net\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch\nadd s 10.1.2.3\n');
    const found = (ip: string) => {
      const r = testEntry(ns, 's', ip);
      return 'found' in r && r.found;
    };
    expect(['10.9.9.9', '10.1.9.9', '10.1.2.3', '11.0.0.1'].map(found)).toEqual([true, false, true, false]);
  });

  it('matches packets by the directions of its parts', () => {
    const w = newWorld();
    restoreSets(w.ns, 'create s hash:ip,port\nadd s 1.1.1.1,tcp:80\ncreate n hash:net timeout 10\nadd n 10.0.0.0/24\n');
    restore(w.ns, 4, '*filter\n-A FORWARD -m set --match-set s dst,dst -m set --match-set n src -j DROP\nCOMMIT\n', { check: true });
    expect(out(w, tcp('10.0.0.2', 9, '1.1.1.1', 80)).verdict).toBe('DROP');
    expect(out(w, tcp('10.0.0.2', 80, '1.1.1.1', 81)).verdict).toBe('ACCEPT');
    expect(out(w, udp('10.0.0.2', 9, '1.1.1.1', 80)).verdict).toBe('ACCEPT');
    w.ns.kernel.sim.nowMs += 11_000;
    expect(out(w, tcp('10.0.0.2', 9, '1.1.1.1', 80)).verdict).toBe('ACCEPT');
  });
});
