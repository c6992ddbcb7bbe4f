import { describe, expect, it } from 'vitest';
import { runNft } from '../../../src/linux/netfilter/nft/commands.ts';
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
});
