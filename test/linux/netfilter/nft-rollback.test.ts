import { describe, expect, it } from 'vitest';
import { runNft } from '../../../src/linux/netfilter/nft/commands.ts';
import { below, newRandom } from '../../../src/sim/random.ts';
import { newWorld, pass, tcp } from './world.ts';

const BEFORE = `
add table ip t { comment "mine" ; }
add counter ip t seen
add set ip t hosts { type ipv4_addr ; }
add set ip t nets { type ipv4_addr ; flags interval ; }
add map ip t ways { type inet_service : verdict ; }
add set ip t last { type inet_service ; }
add chain ip t first
add chain ip t second
add chain ip t in { type filter hook prerouting priority 0 ; }
add chain ip t third
add element ip t hosts { 10.0.0.1, 10.0.0.2, 10.0.0.3 }
add element ip t nets { 10.1.0.0/16 }
add element ip t ways { 80 : goto first }
add rule ip t second counter accept
add rule ip t in tcp dport vmap @ways
add rule ip t in ip saddr @hosts drop
`;

const CHANGES = `
delete chain ip t third
add chain ip t third
rename chain ip t second other
delete set ip t last
add set ip t more { type mark ; }
delete element ip t hosts { 10.0.0.2 }
add element ip t hosts { 10.0.0.7 }
add element ip t nets { 10.3.0.0/16 }
delete element ip t ways { 80 }
delete chain ip t first
flush chain ip t in
add rule ip t other drop
delete counter ip t seen
add table ip other
`;

describe("nftables' transactions", () => {
  const world = () => {
    const w = newWorld();
    expect(runNft(w.ns, BEFORE).error).toBeNull();
    return w;
  };
  const listed = (w: ReturnType<typeof world>) => runNft(w.ns, 'list ruleset\n', { handles: true }).out;

  it('leave everything in its place when a later command fails, or with -c', () => {
    const w = world();
    const before = listed(w);
    expect(runNft(w.ns, `${CHANGES}delete chain ip t nowhere\n`).error?.message).toContain('No such file');
    expect(listed(w)).toBe(before);
    expect(runNft(w.ns, CHANGES, { check: true }).error).toBeNull();
    expect(listed(w)).toBe(before);
    const packet = () => pass(w, tcp('10.0.0.2', 4000, '192.168.7.9', 81), ['PREROUTING'], { in: w.inside, out: w.outside });
    expect(packet().verdict).toBe('DROP');
    expect(runNft(w.ns, CHANGES).error).toBeNull();
    expect(packet().verdict).toBe('ACCEPT');
  });

  it('list a chain that has another name now where it stood', () => {
    const w = world();
    expect(runNft(w.ns, 'rename chain ip t second middle\n').error).toBeNull();
    expect([...listed(w).matchAll(/chain (\w+) \{/g)].map(m => m[1])).toEqual(['first', 'middle', 'in', 'third']);
  });

  it('know who names a chain through all of their commands', () => {
    const w = world();
    const busy = (text: string) => runNft(w.ns, text).error?.message ?? null;
    expect(busy('delete chain ip t third\ndelete chain ip t first\n')).toContain('busy');
    expect(busy('delete element ip t ways { 80 }\ndelete chain ip t first\n')).toBeNull();
    expect(busy('delete set ip t hosts\n')).toContain('busy');
    expect(busy('delete chain ip t third\nadd rule ip t second ip saddr @nets drop\ndelete set ip t nets\n')).toContain('busy');
  });

  it('count who names what as one who has only just seen the table does', () => {
    let [failed, busy] = [0, 0];
    for (let seed = 1; seed <= 8; seed++) {
      const r = newRandom(seed);
      const w = newWorld();
      const n = (many: number) => below(r, many);
      const commands = [
        () => `add chain ip t c${n(4)}`,
        () => `delete chain ip t c${n(4)}`,
        () => `flush chain ip t c${n(4)}`,
        () => `rename chain ip t c${n(4)} c${n(4)}`,
        () => `add rule ip t c${n(4)} tcp dport ${n(9)} jump c${n(4)}`,
        () => `add rule ip t c${n(4)} tcp dport vmap @m${n(2)}`,
        () => `insert rule ip t c${n(4)} ip saddr @s${n(2)} drop`,
        () => `add map ip t m${n(2)} { type inet_service : verdict ; flags interval ; }`,
        () => `add set ip t s${n(2)} { type ipv4_addr ; }`,
        () => `delete ${n(2) ? 'map' : 'set'} ip t ${n(2) ? 'm' : 's'}${n(2)}`,
        () => `flush map ip t m${n(2)}`,
        () => `add element ip t m${n(2)} { ${n(5)} : goto c${n(4)} }`,
        () => `add element ip t m${n(2)} { ${10 * (1 + n(3))}-${10 * (1 + n(3)) + 9} : jump c${n(4)} }`,
        () => `delete element ip t m${n(2)} { ${n(5)} }`,
      ];
      runNft(w.ns, 'add table ip t\n');
      for (let round = 0; round < 40; round++) {
        const text = Array.from({ length: 1 + n(3) }, () => `${commands[n(commands.length)]()}\n`).join('');
        if (runNft(w.ns, text).error) failed++;
        const fresh = newWorld();
        expect(runNft(fresh.ns, runNft(w.ns, 'list ruleset\n').out).error).toBeNull();
        for (const name of [
          'chain ip t c0',
          'chain ip t c1',
          'chain ip t c2',
          'chain ip t c3',
          'map ip t m0',
          'map ip t m1',
          'set ip t s0',
        ]) {
          const [known, now] = [w, fresh].map(x => runNft(x.ns, `delete ${name}\n`, { check: true }).error?.message ?? null);
          expect(known, `seed ${seed}, round ${round}: ${name}\n${text}`).toBe(now);
          if (now?.includes('busy')) busy++;
        }
      }
    }
    expect(failed).toBeGreaterThan(25);
    expect(busy).toBeGreaterThan(25);
  });
});
