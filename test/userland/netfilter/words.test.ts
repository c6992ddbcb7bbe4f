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
