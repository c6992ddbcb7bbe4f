import { expect, it } from 'vitest';
import { runNft } from '../../../src/linux/netfilter/nft/commands.ts';
import { restore } from '../../../src/linux/netfilter/restore.ts';
import { restoreNetns, snapshotNetns } from '../../../src/linux/snapshot.ts';
import { newWorld, out, pass, tcp, type World } from './world.ts';

const nft = (w: World, text: string) => {
  const { error } = runNft(w.ns, text);
  if (error) throw new Error(error.message);
};
const iptables = (w: World, text: string) => expect(restore(w.ns, 4, text, { noflush: true })).toBeNull();

const MARK = 'table ip own { chain fwd { type filter hook forward priority filter; tcp dport 80 meta mark set 7; } }';
const DROP = '*filter\n-I FORWARD -p tcp --dport 80 -j DROP\nCOMMIT\n';
/** Which of the two a packet meets first: it goes no further than DROP. */
const first = (w: World) => (out(w, tcp('10.0.0.9', 4000, '192.168.7.9', 80)).skb.mark === 7 ? 'nftables' : 'iptables');

it('of base chains with one priority the newest is first', () => {
  const later = newWorld();
  nft(later, MARK);
  iptables(later, DROP);
  expect(first(later)).toBe('iptables');
  const earlier = newWorld();
  iptables(earlier, DROP);
  nft(earlier, MARK);
  expect(first(earlier)).toBe('nftables');
});

it('a built-in chain is there from its first rule on, not from another chain of its table', () => {
  const w = newWorld();
  iptables(w, '*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n');
  nft(w, MARK);
  // A packet that has passed in between changes nothing of it.
  first(w);
  iptables(w, DROP);
  expect(first(w)).toBe('iptables');
});

it('the order is kept with the rules', () => {
  const orders: ((w: World) => void)[][] = [
    [w => nft(w, MARK), w => iptables(w, DROP)],
    [w => iptables(w, DROP), w => nft(w, MARK)],
  ];
  const seen = orders.map(steps => {
    const [w, again] = [newWorld(), newWorld()];
    for (const step of steps) step(w);
    restoreNetns(again.ns, snapshotNetns(w.ns, ['netfilter']));
    return first(again);
  });
  expect(seen).toEqual(['iptables', 'nftables']);
});

it('a packet of the machine itself has come by no device: no name is its name', () => {
  const w = newWorld();
  nft(
    w,
    `table ip t {
      chain o {
        type filter hook output priority filter;
        tcp dport 1 iifname != "eth*" drop
        tcp dport 2 iif != "eth0" drop
        tcp dport 3 iifname "eth*" drop
        tcp dport 4 meta iiftype != 772 drop
      }
    }`,
  );
  const send = (port: number) => pass(w, tcp('10.0.0.1', 4000, '192.168.7.9', port), ['OUTPUT'], { in: null, out: w.outside }).verdict;
  // Of a type there is none to compare.
  expect([1, 2, 3, 4].map(send)).toEqual(['DROP', 'DROP', 'ACCEPT', 'ACCEPT']);
});
