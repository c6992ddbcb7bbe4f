import { describe, expect, it } from 'vitest';
import { loadFlows, saveFlows } from '../../../src/linux/netfilter/flows.ts';
import { runNft } from '../../../src/linux/netfilter/nft/commands.ts';
import { formatIp } from '../../../src/wire/ip.ts';
import { TCP_FLAG } from '../../../src/wire/packet.ts';
import { back, newWorld, out, tcp, udp } from './world.ts';

const load = (text: string) => {
  const w = newWorld();
  const r = runNft(w.ns, text);
  if (r.error) throw new Error(r.error.message);
  return w;
};
const listed = (text: string) => runNft(load(text).ns, 'list ruleset').out;

/** A small proxy of our own in the manner of kube-proxy's: a map of services, endpoints by numgen, affinity by a dynamic set. */
const PROXY = `
table ip proxy {
  set sticky { type ipv4_addr; flags dynamic, timeout; timeout 1h; }
  set known-ips { type ipv4_addr; elements = { 10.96.0.1, 10.96.0.2 } }
  map services {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.1 . tcp . 80 : goto web, 10.96.0.2 . tcp . 80 : goto sticky-web }
  }
  chain ep-a { update @sticky { ip saddr }; meta l4proto tcp dnat to 10.0.9.1:8080; }
  chain ep-b { meta l4proto tcp dnat to 10.0.9.2:8080; }
  chain web { meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.9.1 . 8080, 1 : 10.0.9.2 . 8080 }; }
  chain sticky-web {
    ip saddr @sticky goto ep-a
    numgen random mod 2 vmap { 0 : goto ep-a, 1 : goto ep-b }
  }
  chain check { ip daddr @known-ips counter drop comment "no such port"; }
  chain pre {
    type nat hook prerouting priority dstnat;
    ip daddr . meta l4proto . th dport vmap @services
  }
  chain fwd { type filter hook forward priority filter; ct state new jump check; }
}`;

describe('nftables', () => {
  it('translates by maps and verdict maps, and back', () => {
    const w = load(PROXY);
    const first = out(w, tcp('10.0.0.2', 4000, '10.96.0.1', 80));
    expect(formatIp(first.packet.dst)).toMatch(/^10\.0\.9\.[12]$/);
    const reply = back(w, tcp(formatIp(first.packet.dst), 8080, '10.0.0.2', 4000, TCP_FLAG.SYN | TCP_FLAG.ACK)).packet;
    expect(formatIp(reply.src)).toBe('10.96.0.1');
    expect(reply.body.kind === 'tcp' && reply.body.sport).toBe(80);
  });

  it('asks the dice so that every outcome can be enumerated', () => {
    const ends = new Set<string>();
    for (const answer of [true, false]) {
      const w = load(PROXY);
      w.ns.kernel.sim.chance = () => answer;
      ends.add(formatIp(out(w, tcp('10.0.0.2', 4000, '10.96.0.1', 80)).packet.dst));
    }
    expect([...ends].sort()).toEqual(['10.0.9.1', '10.0.9.2']);
  });

  it('keeps clients at their endpoint while the set remembers them', () => {
    const w = load(PROXY);
    w.ns.kernel.sim.chance = () => true;
    expect(formatIp(out(w, tcp('10.0.0.2', 1, '10.96.0.2', 80)).packet.dst)).toBe('10.0.9.1');
    w.ns.kernel.sim.chance = () => false;
    expect(formatIp(out(w, tcp('10.0.0.2', 2, '10.96.0.2', 80)).packet.dst)).toBe('10.0.9.1');
    w.ns.kernel.sim.nowMs += 3_601_000;
    expect(formatIp(out(w, tcp('10.0.0.2', 3, '10.96.0.2', 80)).packet.dst)).toBe('10.0.9.2');
  });

  it('remembers clients across a kept session, though the sets are made later', () => {
    const w = load(PROXY);
    w.ns.kernel.sim.chance = () => true;
    out(w, tcp('10.0.0.2', 1, '10.96.0.2', 80));
    const kept = JSON.parse(JSON.stringify(saveFlows(w.ns)));
    const after = newWorld();
    loadFlows(after.ns, kept);
    runNft(after.ns, PROXY);
    after.ns.kernel.sim.chance = () => false;
    expect(formatIp(out(after, tcp('10.0.0.2', 2, '10.96.0.2', 80)).packet.dst)).toBe('10.0.9.1');
  });

  it('drops and counts', () => {
    const w = load(PROXY);
    expect(out(w, udp('10.0.0.2', 1, '10.96.0.1', 99)).verdict).toBe('DROP');
    expect(runNft(w.ns, 'list chain ip proxy check').out).toContain(
      'ip daddr @known-ips counter packets 1 bytes 28 drop comment "no such port"',
    );
  });

  it('orders chains by priority, beside iptables', () => {
    const w = newWorld('*filter\n-A FORWARD -m mark --mark 0x7 -j DROP\nCOMMIT\n');
    runNft(w.ns, 'table ip m { chain c { type filter hook forward priority mangle; meta mark set 7; }; }');
    expect(out(w, udp('10.0.0.2', 1, '1.1.1.1', 9)).verdict).toBe('DROP');
  });

  it('prints as nft 1.0.6 (asked of the real tool)', () => {
    const text = `table inet t {
	set s {
		type ipv4_addr . inet_service
		elements = { 2.2.2.2 . 256,
			     1.1.1.1 . 80 }
	}

	set i {
		type inet_service
		flags interval
		elements = { 22, 53, 80, 443, 1000-2000,
			     8080 }
	}

	chain x {
		tcp flags syn,ack / fin,syn,rst,ack accept
		ct state established,new accept
		meta mark & 0x00004000 == 0x00004000 counter packets 0 bytes 0 return
		meta mark set meta mark | 0x00004000 comment "set it"
		iifname "cali*" ip saddr 10.0.0.0/8 tcp dport { 80, 443 } drop
		limit rate over 10/second burst 20 packets drop
		reject with tcp reset
	}

	chain in {
		type filter hook input priority filter - 5; policy drop;
	}
}
`;
    expect(listed(text)).toBe(text);
    const marked = (text: string) =>
      /set (.*) \n|set (.*)\n/.exec(listed(`add table ip a\nadd chain a c\nadd rule a c meta mark set mark ${text}`))?.slice(1);
    expect(marked('and 0xff0f xor 0x30')).toContain('meta mark & 0x0000ff3f | 0x00000030');
    expect(marked('and 0xff0f xor 0x31')).toContain('meta mark & 0x0000ff3f | 0x00000030 ^ 0x00000001');
    expect(marked('and 0xff0f or 0x30')).toContain('meta mark & 0x0000ff3f | 0x00000030');
    expect(listed('add table ip a\nadd chain a c\nadd rule a c tcp dport {443,80} meta mark set mark xor 0x10 accept')).toBe(
      'table ip a {\n\tchain c {\n\t\ttcp dport { 80, 443 } meta mark set meta mark ^ 0x00000010 accept\n\t}\n}\n',
    );
  });

  it('changes all or nothing', () => {
    const w = load('table ip a { chain c { accept; }; }');
    const before = runNft(w.ns, 'list ruleset').out;
    const r = runNft(w.ns, 'flush chain a c\nadd rule a c drop\nadd rule a nosuch accept');
    expect(r.error).toMatchObject({ message: 'No such file or directory', errno: 'No such file or directory' });
    expect(runNft(w.ns, 'list ruleset').out).toBe(before);
    expect(runNft(w.ns, 'delete chain a c').error).toBeNull();
    expect(runNft(w.ns, 'add rule a c jump gone').error?.message).toBe('No such file or directory');
  });
});
