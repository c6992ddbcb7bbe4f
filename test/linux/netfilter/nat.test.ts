import { describe, expect, it } from 'vitest';
import { deleteEntries, liveEntries, maxEntries } from '../../../src/linux/netfilter/conntrack.ts';
import { entryText } from '../../../src/linux/netfilter/conntrack-text.ts';
import { loadFlows, saveFlows } from '../../../src/linux/netfilter/flows.ts';
import { formatIp } from '../../../src/wire/ip.ts';
import { type Packet, TCP_FLAG } from '../../../src/wire/packet.ts';
import { back, echo, newWorld, out, tcp, udp, unreachable } from './world.ts';

const { SYN, ACK, FIN, RST } = TCP_FLAG;
const text = (p: Packet) => {
  const b = p.body;
  if (b.kind === 'tcp' || b.kind === 'udp') return `${formatIp(p.src)}:${b.sport}>${formatIp(p.dst)}:${b.dport}`;
  return `${formatIp(p.src)}>${formatIp(p.dst)}${b.kind === 'icmp' ? ` id ${b.id}` : ''}`;
};
const nat = (...rules: string[]) => `*nat\n${rules.join('\n')}\nCOMMIT\n`;
const MASQ = '-A POSTROUTING -o eth0 -j MASQUERADE';

describe('source NAT', () => {
  it('takes the address of the way out, keeps the port, and undoes both for the reply', () => {
    const w = newWorld(nat(MASQ));
    expect(text(out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80)).packet)).toBe('192.168.7.1:4000>8.8.8.8:80');
    expect(text(back(w, tcp('8.8.8.8', 80, '192.168.7.1', 4000, SYN | ACK)).packet)).toBe('8.8.8.8:80>10.0.0.2:4000');
  });

  it('takes another port when two hosts use the same one', () => {
    const w = newWorld(nat(MASQ));
    out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80));
    const second = out(w, tcp('10.0.0.3', 4000, '8.8.8.8', 80)).packet;
    expect(text(second)).not.toBe('192.168.7.1:4000>8.8.8.8:80');
    expect(text(second)).toMatch(/^192\.168\.7\.1:\d+>8\.8\.8\.8:80$/);
    const port = second.body.kind === 'tcp' ? second.body.sport : 0;
    expect(port).toBeGreaterThanOrEqual(1024);
    expect(text(back(w, tcp('8.8.8.8', 80, '192.168.7.1', port, SYN | ACK)).packet)).toBe('8.8.8.8:80>10.0.0.3:4000');
  });

  it('picks any port with --random-fully', () => {
    const w = newWorld(nat(`${MASQ} --random-fully`));
    const ports = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const b = out(w, tcp('10.0.0.2', 5000 + i, '8.8.8.8', 80)).packet.body;
      if (b.kind === 'tcp') ports.add(b.sport);
    }
    expect(ports.size).toBeGreaterThan(15);
    expect([...ports].every(p => p >= 1024)).toBe(true);
  });

  it('gives pings their own ids', () => {
    const w = newWorld(nat(MASQ));
    expect(text(out(w, echo('10.0.0.2', '8.8.8.8', 7)).packet)).toBe('192.168.7.1>8.8.8.8 id 7');
    const other = out(w, echo('10.0.0.3', '8.8.8.8', 7)).packet;
    expect(text(other)).not.toContain('id 7');
    const id = other.body.kind === 'icmp' ? other.body.id : -1;
    expect(text(back(w, echo('8.8.8.8', '192.168.7.1', id, 0)).packet)).toBe('8.8.8.8>10.0.0.3 id 7');
  });
});

describe('destination NAT', () => {
  const rules = nat('-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.9.9:6443');

  it('sends both directions the right way and later packets without asking rules', () => {
    const w = newWorld(rules);
    expect(text(out(w, tcp('10.0.0.2', 4000, '10.96.0.1', 443)).packet)).toBe('10.0.0.2:4000>10.0.9.9:6443');
    expect(text(back(w, tcp('10.0.9.9', 6443, '10.0.0.2', 4000, SYN | ACK)).packet)).toBe('10.96.0.1:443>10.0.0.2:4000');
    w.ns.netfilter.xt[4].clear();
    w.ns.netfilter.hooks.clear();
    expect(text(out(w, tcp('10.0.0.2', 4000, '10.96.0.1', 443, ACK)).packet)).toBe('10.0.0.2:4000>10.0.9.9:6443');
  });

  it('translates what an ICMP error quotes, so that the sender knows it', () => {
    const w = newWorld(rules);
    const sent = out(w, tcp('10.0.0.2', 4000, '10.96.0.1', 443)).packet;
    const error = back(w, unreachable('10.0.9.1', sent));
    expect(error.skb.ct?.info).toBe('RELATED');
    const quoted = error.packet.body.kind === 'icmp' ? error.packet.body.original : undefined;
    expect(quoted && text(quoted)).toBe('10.0.0.2:4000>10.96.0.1:443');
  });

  it('spreads over a range, the same client to the same address when persistent', () => {
    const w = newWorld(nat('-A PREROUTING -j DNAT --to-destination 10.0.9.1-10.0.9.4 --persistent'));
    const to = (src: string, dst: string) => formatIp(out(w, udp(src, 9, dst, 53)).packet.dst);
    expect(to('10.0.0.2', '1.1.1.1')).toBe(to('10.0.0.2', '1.1.1.2'));
    const all = new Set(Array.from({ length: 40 }, (_, i) => to(`10.0.1.${i}`, '1.1.1.1')));
    expect(all.size).toBe(4);
  });
});

describe('conntrack', () => {
  const STATE =
    '*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -i eth1 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n';

  it('lets answers in and nothing else', () => {
    const w = newWorld(STATE);
    expect(back(w, tcp('8.8.8.8', 80, '10.0.0.2', 4000, SYN | ACK)).verdict).toBe('DROP');
    expect(out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80)).verdict).toBe('ACCEPT');
    expect(back(w, tcp('8.8.8.8', 80, '10.0.0.2', 4000, SYN | ACK)).verdict).toBe('ACCEPT');
    expect(back(w, tcp('8.8.8.8', 81, '10.0.0.2', 4000)).verdict).toBe('DROP');
  });

  it("follows TCP from SYN to TIME_WAIT with the kernel's timeouts", () => {
    const w = newWorld(STATE);
    const line = () =>
      liveEntries(w.ns).map(e =>
        entryText(w.ns, e)
          .slice(0, 30)
          .trim()
          .replace(/ src.*/, ''),
      )[0];
    out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80));
    expect(line()).toBe('tcp      6 119 SYN_SENT');
    back(w, tcp('8.8.8.8', 80, '10.0.0.2', 4000, SYN | ACK));
    expect(line()).toBe('tcp      6 59 SYN_RECV');
    out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80, ACK));
    expect(line()).toBe('tcp      6 431999 ESTABLISHED');
    expect(liveEntries(w.ns)[0].assured).toBe(true);
    out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80, FIN | ACK));
    expect(line()).toBe('tcp      6 119 FIN_WAIT');
    back(w, tcp('8.8.8.8', 80, '10.0.0.2', 4000, FIN | ACK));
    out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80, ACK));
    expect(line()).toBe('tcp      6 119 TIME_WAIT');
    w.ns.kernel.sim.nowMs += 121_000;
    expect(liveEntries(w.ns)).toHaveLength(0);
  });

  it('forgets a refused connection at once', () => {
    const w = newWorld(STATE);
    out(w, tcp('10.0.0.2', 4000, '8.8.8.8', 80));
    expect(back(w, tcp('8.8.8.8', 80, '10.0.0.2', 4000, RST | ACK)).verdict).toBe('ACCEPT');
    expect(liveEntries(w.ns)).toHaveLength(0);
  });

  it('calls a UDP exchange a stream only after two seconds', () => {
    const w = newWorld(STATE);
    const once = () => {
      out(w, udp('10.0.0.2', 4000, '8.8.8.8', 53));
      back(w, udp('8.8.8.8', 53, '10.0.0.2', 4000));
    };
    once();
    expect(entryText(w.ns, liveEntries(w.ns)[0])).toBe(
      'udp      17 29 src=10.0.0.2 dst=8.8.8.8 sport=4000 dport=53 src=8.8.8.8 dst=10.0.0.2 sport=53 dport=4000 mark=0 use=1',
    );
    w.ns.kernel.sim.nowMs += 3000;
    once();
    expect(entryText(w.ns, liveEntries(w.ns)[0])).toContain('udp      17 119 ');
    expect(liveEntries(w.ns)[0].assured).toBe(true);
  });

  it('drops new flows when the table is full of assured ones', () => {
    const w = newWorld(STATE);
    w.ns.sysctls.set('net.netfilter.nf_conntrack_max', '2');
    expect(maxEntries(w.ns)).toBe(2);
    for (const port of [1, 2]) {
      out(w, tcp('10.0.0.2', port, '8.8.8.8', 80));
      back(w, tcp('8.8.8.8', 80, '10.0.0.2', port, SYN | ACK));
      out(w, tcp('10.0.0.2', port, '8.8.8.8', 80, ACK));
    }
    expect(out(w, tcp('10.0.0.2', 3, '8.8.8.8', 80)).verdict).toBe('DROP');
    expect(w.ns.netfilter.conntrack.stats.drop).toBe(1);
    expect(deleteEntries(w.ns, e => e.original.sport === 1)).toBe(1);
    expect(out(w, tcp('10.0.0.2', 3, '8.8.8.8', 80)).verdict).toBe('ACCEPT');
  });

  it('goes on after a session was kept and loaded', () => {
    const rules = nat('-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.9.9:6443');
    const before = newWorld(rules);
    out(before, tcp('10.0.0.2', 4000, '10.96.0.1', 443));
    const kept = JSON.parse(JSON.stringify(saveFlows(before.ns)));
    const after = newWorld(rules);
    loadFlows(after.ns, kept);
    expect(text(back(after, tcp('10.0.9.9', 6443, '10.0.0.2', 4000, SYN | ACK)).packet)).toBe('10.96.0.1:443>10.0.0.2:4000');
    expect(saveFlows(newWorld().ns)).toBeNull();
  });

  it('is idle where no rule needs it', () => {
    const w = newWorld('*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n');
    out(w, tcp('10.0.0.2', 3, '8.8.8.8', 80));
    expect(liveEntries(w.ns)).toHaveLength(0);
  });
});
