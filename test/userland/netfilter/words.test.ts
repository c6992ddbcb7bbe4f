import { expect, test } from 'vitest';
import type { Flavour } from '../../../src/userland/netfilter/arguments.ts';
import { conntrackProgram } from '../../../src/userland/netfilter/conntrack.ts';
import { iptablesProgram } from '../../../src/userland/netfilter/iptables.ts';
import { DEBIAN_12, run, twoHosts } from '../hosts.ts';

const FOUR: Flavour = { family: 4, backend: 'nft', version: '1.8.9' };

test('conntrack asks for what a command needs, and knows states of TCP only', () => {
  const h = twoHosts();
  const said = (words: string) => run(h, () => conntrackProgram('1.4.7'), words);
  expect(said('conntrack -G').err).toMatch(/You need to supply the `--protonum' option for this command\n/);
  expect(said('conntrack -G -p tcp').err).toMatch(/you have to specify `--src' and `--dst'\n/);
  expect(said('conntrack -L --state ESTABLISHED')).toMatchObject({ code: 2, err: expect.stringContaining("unknown option `--state'") });
  expect(said('conntrack -L -p tcp --state OPEN').err).toContain("unknown TCP state `OPEN'");
  expect(said('conntrack -L -p tcp --state ESTABLISHED').code).toBe(0);
  expect(said('conntrack -L -f ipx').err).toContain("`ipx' unsupported protocol");
  for (const words of ['-L -s 10.0.0.1 -d fd00::1', '-L -f ipv6 -s 10.0.0.1', '-G -p udp -s fd00::1 -d 10.0.0.1 --nosuch'])
    expect(said(`conntrack ${words}`)).toMatchObject({ code: 2, err: expect.stringContaining('mismatched address family\n') });
  const create = (more: string) => said(`conntrack -I -t 60 ${more}`);
  expect(create('-p tcp -s 10.0.0.0/24 -d 10.0.0.1').err).toContain("Illegal option `--mask-src' with this command\n");
  expect(create('-p tcp -d 10.0.0.1 --sport 1 --dport 2').err).toContain("you have to specify `--src' and `--dst'\n");
  expect(create('-p udp -s 10.0.0.2 -d 10.0.0.1 --sport 1').err).toContain("you have to specify `--sport' and `--dport'\n");
  expect(create('-p icmp -s 10.0.0.2 -d 10.0.0.1 --icmp-code 0').err).toContain("You need to supply the `--icmp-type' option");
  expect(create('-p icmp -s 10.0.0.2 -d 10.0.0.1 --icmp-type 8').err).toContain("You need to supply the `--icmp-code' option");
  expect(create('-p icmp -s 10.0.0.2 -d 10.0.0.1 --icmp-type 8 --icmp-code 0').code).toBe(0);
  expect(said('conntrack -U -d 10.9.9.9 -m 1').code).toBe(1);
  expect(said('conntrack').out).toMatch(/\nCommands:\n {2}-L \[table\]/);
});

test('iptables takes no chain with a blank in its name', () => {
  const h = twoHosts();
  const said = (words: string) => run(h, () => iptablesProgram(FOUR), words, { u: DEBIAN_12 });
  expect(said("iptables -N 'two words'")).toMatchObject({ code: 2, err: expect.stringContaining("Invalid chain name `two words'\n") });
  expect(said('iptables -S').out).not.toContain('two words');
  expect(said('iptables -h').out).toMatch(/--append {2}-A chain/);
});

test('iptables knows icmpv6 by that name, and waits for numbers only', () => {
  const h = twoHosts();
  const six = (words: string) => run(h, () => iptablesProgram({ ...FOUR, family: 6 }), words);
  expect(six('ip6tables -A INPUT -p icmpv6 -j ACCEPT').code).toBe(0);
  expect(six('ip6tables -S INPUT').out).toContain('-A INPUT -p ipv6-icmp -j ACCEPT\n');
  const four = (words: string) => run(h, () => iptablesProgram(FOUR), words);
  expect(four('iptables -w x -L')).toMatchObject({ code: 2, err: expect.stringContaining('wait seconds not numeric\n') });
  expect(four('iptables -w 5 -S INPUT').out).toBe('-P INPUT ACCEPT\n');
  expect(four('iptables -A INPUT -A OUTPUT').err).toContain('Cannot use -A with -A\n');
  expect(four('iptables -C NOSUCH -j DROP').err).toBe('iptables: Bad rule (does a matching rule exist in that chain?).\n');
});
