import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restore } from '../../../src/linux/netfilter/restore.ts';
import { save } from '../../../src/linux/netfilter/save.ts';
import { newWorld } from './world.ts';

/** The text without its two comment lines. */
const saved = (rules: string, check = true): string => {
  const { ns } = newWorld();
  ns.netfilter.ipsets.set('S', { type: 'hash:ip' } as never);
  const bad = restore(ns, 4, rules, { check });
  if (bad) throw new Error(`line ${bad.line}: ${bad.message}`);
  return save(ns, 4)
    .split('\n')
    .filter(l => !l.startsWith('#'))
    .join('\n');
};

const filter = (...rules: string[]) =>
  `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules.map(r => `${r}\n`).join('')}COMMIT\n`;

describe('rules as iptables-save 1.8.9 prints them (asked of the real tool)', () => {
  // What was given, and what the real iptables-save said then.
  const pairs: [string, string][] = [
    [
      '-A INPUT -m comment --comment "a b" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j ACCEPT',
      '-A INPUT -d 10.96.0.1/32 -p tcp -m comment --comment "a b" -m tcp --dport 80 -j ACCEPT',
    ],
    ['-A INPUT -p tcp --dport 80 -m comment --comment x -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 80 -m comment --comment x -j ACCEPT'],
    ['-A INPUT -p tcp --syn', '-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN'],
    ['-A INPUT -p udp --dport 90:', '-A INPUT -p udp -m udp --dport 90:65535'],
    ['-A INPUT -p icmp --icmp-type host-unreachable', '-A INPUT -p icmp -m icmp --icmp-type 3/1'],
    ['-A INPUT -m conntrack --ctstate DNAT,NEW,ESTABLISHED', '-A INPUT -m conntrack --ctstate NEW,ESTABLISHED,DNAT'],
    [
      '-A INPUT -m conntrack --ctproto tcp --ctdir ORIGINAL ! --ctstate NEW',
      '-A INPUT -m conntrack ! --ctstate NEW --ctproto 6 --ctdir ORIGINAL',
    ],
    ['-A INPUT -m mark --mark 1 -j MARK --or-mark 0x8', '-A INPUT -m mark --mark 0x1 -j MARK --set-xmark 0x8/0x8'],
    ['-A INPUT -j MARK --and-mark 0xfffeffff', '-A INPUT -j MARK --set-xmark 0x0/0x10000'],
    ['-A INPUT -m statistic --mode random --probability 0.3333333333', '-A INPUT -m statistic --mode random --probability 0.33333333349'],
    [
      '-A INPUT -m recent --rcheck --seconds 10 --reap --name R --rsource',
      '-A INPUT -m recent --rcheck --seconds 10 --reap --name R --mask 255.255.255.255 --rsource',
    ],
    ['-A INPUT -m limit --limit 60/hour', '-A INPUT -m limit --limit 1/min'],
    ['-A INPUT -j REJECT', '-A INPUT -j REJECT --reject-with icmp-port-unreachable'],
    ['-A INPUT -j LOG --log-level info --log-prefix "x: "', '-A INPUT -j LOG --log-prefix "x: " --log-level 6'],
    ['-A INPUT -p 47 -s 10.0.0.0/255.0.0.0', '-A INPUT -s 10.0.0.0/8 -p gre'],
    ['-A INPUT -m comment --comment "say \\"hi\\""', '-A INPUT -m comment --comment "say \\"hi\\""'],
    ['-A INPUT -i + -s 0.0.0.0/0 -p all -j DROP', '-A INPUT -j DROP'],
    ['-A INPUT -m u32 --u32 "0>>22&0x3C@4>>16=0x35"', '-A INPUT -m u32 --u32 "0x0>>0x16&0x3c@0x4>>0x10=0x35"'],
  ];
  for (const [given, said] of pairs) {
    it(given, () => {
      expect(saved(filter(given))).toBe(filter(said));
      expect(saved(filter(given), false)).toBe(filter(said)); // unparsed until printed: the same
    });
  }

  it('makes one rule of every pair of addresses', () => {
    expect(saved(filter('-A INPUT -s 1.1.1.1,2.2.2.2 -d 3.3.3.3 -j DROP'))).toBe(
      filter('-A INPUT -s 1.1.1.1/32 -d 3.3.3.3/32 -j DROP', '-A INPUT -s 2.2.2.2/32 -d 3.3.3.3/32 -j DROP'),
    );
  });
});

describe('iptables-restore', () => {
  const error = (text: string) => {
    const bad = restore(newWorld().ns, 4, text, { check: true });
    return bad && `${bad.line} ${bad.kind}: ${bad.message.trim()}`;
  };

  it('says what is wrong and where', () => {
    expect(error('*filter\n-A INPUT -m nosuch -j ACCEPT\nCOMMIT\n')).toBe(
      "2 usage: Couldn't load match `nosuch':No such file or directory",
    );
    expect(error('*filter\n-A INPUT -j NOSUCH\nCOMMIT\n')).toBe("3 usage: Chain 'NOSUCH' does not exist");
    expect(error('*filter\n-A NOSUCH -j ACCEPT\nCOMMIT\n')).toBe('2 other: No chain/target/match by that name');
    expect(error('*filter\n-A INPUT -j DNAT --to-destination 1.1.1.1\nCOMMIT\n')).toBe(
      '2 kernel: RULE_APPEND failed (Invalid argument): rule in chain INPUT',
    );
    expect(error('*filter\n-A INPUT -p tcp --dport http2000\nCOMMIT\n')).toBe("2 usage: invalid port/service `http2000' specified");
    expect(error('*filter\n-A INPUT -j ACCEPT\n')).toBe('2 other: COMMIT expected at line 3');
  });

  it('changes nothing when a line is wrong', () => {
    const { ns } = newWorld('*filter\n-A INPUT -j DROP\nCOMMIT\n');
    const before = save(ns, 4);
    expect(
      restore(ns, 4, '*filter\n:NEW - [0:0]\n-A NEW -j ACCEPT\n-A INPUT -m nosuch\nCOMMIT\n', { check: true, noflush: true }),
    ).not.toBeNull();
    expect(save(ns, 4)).toBe(before);
  });

  it('empties a named chain with --noflush and leaves the others', () => {
    const { ns } = newWorld('*filter\n:A - [0:0]\n:B - [0:0]\n-A A -j DROP\n-A B -j DROP\nCOMMIT\n');
    restore(ns, 4, '*filter\n:A - [0:0]\n-A A -j ACCEPT\nCOMMIT\n', { noflush: true });
    expect(save(ns, 4)).toContain('-A A -j ACCEPT\n-A B -j DROP\nCOMMIT');
    restore(ns, 4, '*filter\n:B - [0:0]\n-X B\n-D A -j ACCEPT\n-I A -j RETURN\nCOMMIT\n', { noflush: true });
    expect(save(ns, 4)).not.toContain(':B ');
    expect(save(ns, 4)).toContain(':A - [0:0]\n-A A -j RETURN\nCOMMIT');
  });

  it('keeps counters with -c', () => {
    const { ns } = newWorld();
    const text =
      '*filter\n:INPUT DROP [5:600]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[7:420] -A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n';
    restore(ns, 4, text, { counters: true });
    expect(save(ns, 4, { counters: true })).toContain('[7:420] -A INPUT -p tcp -m tcp --dport 80 -j ACCEPT');
    expect(save(ns, 4, { counters: true })).toContain(':INPUT DROP [5:600]');
  });
});

const byte = fc.integer({ min: 0, max: 255 });
const ip4 = fc.tuple(byte, byte, byte, byte).map(b => b.join('.'));
const bang = fc.constantFrom('', '! ');
const port = fc.integer({ min: 0, max: 65_535 });
const mark = fc.integer({ min: 0, max: 0xffffffff }).map(n => `0x${n.toString(16)}`);
const head = fc
  .tuple(bang, ip4, bang, ip4, fc.constantFrom('', '-i eth0 ', '! -i cali+ '))
  .map(([b1, a, b2, d, i]) => `${b1}-s ${a}/32 ${b2}-d ${d}/32 ${i}`);
const ported = fc.tuple(fc.constantFrom('tcp', 'udp', 'sctp'), bang, port).map(([p, b, n]) => `-p ${p} -m ${p} ${b}--dport ${n} `);
const pure = fc.oneof(
  fc
    .string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' })
    .map(s => `-m comment --comment "${s.replace(/[^\w :>./-]/g, 'x')} z" `),
  fc.tuple(bang, mark, mark).map(([b, v, m]) => `-m mark ${b}--mark ${v}/${m === '0xffffffff' ? '0x1' : m} `),
  fc.tuple(bang, fc.constantFrom('NEW', 'RELATED,ESTABLISHED', 'INVALID')).map(([b, s]) => `-m conntrack ${b}--ctstate ${s} `),
  fc.tuple(bang, fc.constantFrom('LOCAL', 'UNICAST,BROADCAST')).map(([b, t]) => `-m addrtype ${b}--dst-type ${t} `),
  fc.tuple(bang, fc.constantFrom('src', 'src,dst')).map(([b, d]) => `-m set ${b}--match-set S ${d} `),
);
const target = fc.oneof(
  fc.constantFrom('-j ACCEPT', '-j DROP', '-j RETURN', '-j REJECT --reject-with icmp-host-prohibited', '-g OTHER', '-j OTHER', ''),
  fc.tuple(mark, mark).map(([v, m]) => `-j MARK --set-xmark ${v}/${m}`),
);
const rule = fc
  .tuple(head, fc.option(ported, { nil: '' }), fc.array(pure, { maxLength: 3 }), target)
  .map(([h, p, ms, t]) => `-A INPUT ${h}${p}${ms.join('')}${t}`.trimEnd());

describe('save and restore', () => {
  it('print what they read', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), rules => {
        const text = `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:OTHER - [0:0]\n${rules.map(r => `${r}\n`).join('')}COMMIT\n`;
        const once = saved(text);
        expect(saved(once)).toBe(once);
        expect(once.split('\n').length).toBe(text.split('\n').length);
      }),
      { numRuns: 60 },
    );
  });
});
