// What iptables 1.8.9 and ipset 7.17 say to command lines that they do not take, and in which order they look: found by giving drawn command
// lines to both (`npm run kernel -- words`).
import { describe, expect, it } from 'vitest';
import type { Flavour } from '../../../src/userland/netfilter/arguments.ts';
import { ipsetProgram } from '../../../src/userland/netfilter/ipset.ts';
import { iptablesProgram } from '../../../src/userland/netfilter/iptables.ts';
import { DEBIAN_12, run, twoHosts } from '../hosts.ts';

const FOUR: Flavour = { family: 4, backend: 'nft', version: '1.8.9' };

function tools() {
  const h = twoHosts();
  return {
    iptables: (words: string) => run(h, () => iptablesProgram(FOUR), `iptables ${words}`, { u: DEBIAN_12 }),
    ipset: (words: string) => run(h, () => ipsetProgram('7.17'), `ipset ${words}`, { u: DEBIAN_12 }),
  };
}

const USAGE: [words: string, said: string][] = [
  ['-A INPUT -i  -j ACCEPT', 'Empty interface is likely to be undesired\n'],
  ['-t nat -A PREROUTING -j DROP', '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n'],
  ['-t nat -P OUTPUT DROP', '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n'],
  ['-A INPUT -m ttl --ttl-lt 3 --ttl-gt 5', 'ttl: option "--ttl-lt" cannot be used together with "--ttl-gt".\n'],
  ['-A INPUT -m statistic --mode nth --every 3', 'statistic: option "--every" also requires "--packet".\n'],
  ['-A INPUT -m string --algo bm --algo kmp --string x', 'string: option "--algo" can only be used once.\n'],
  ['-A INPUT -j LOG ! --log-level 7', 'LOG: option "--log-level" cannot be inverted.\n'],
  ['-A INPUT -j LOG --log-prefix=', 'Argument must have a minimum length of 1 characters\n'],
  ['-A INPUT -m connlimit', 'You must specify "--connlimit-above" or "--connlimit-upto".\n'],
  ['-A INPUT -m dscp --dscp-class nosuch', "Invalid DSCP value `nosuch'\n"],
  ['-A INPUT -s 10.1.2.x/33', "invalid mask `33' specified\n"],
  [`-X ${'c'.repeat(29)}`, `chain name \`${'c'.repeat(29)}' too long (must be under 29 chars)\n`],
  // The extensions first, then addresses, devices, chains, and the table last of all.
  ['-A INPUT -s nosuch/99 -m limit --limit-burst x', 'limit: bad value for option "--limit-burst", or out of range (0-10000).\n'],
  ['-A INPUT -s 10.1.2.3/99 -o eth0 -j absent', "invalid mask `99' specified\n"],
  ['-A INPUT -o eth0 -j absent', "Can't use -o with INPUT\n"],
  ['-A absent -j absent2', "Chain 'absent2' does not exist\n"],
  ['-t nosuch -A INPUT -m limit --limit-burst x', 'limit: bad value for option "--limit-burst", or out of range (0-10000).\n'],
];

describe('iptables', () => {
  it.each(USAGE)('%s', (words, said) => {
    const r = tools().iptables(words.replace('-i  ', "-i '' "));
    expect(r).toMatchObject({ code: 2, err: expect.stringContaining(`iptables v1.8.9 (nf_tables): ${said}`) });
  });

  it('finds no chain in a table that nobody has used', () => {
    const { iptables } = tools();
    const none = { code: 1, err: 'iptables: No chain/target/match by that name.\n' };
    for (const words of ['-t raw -Z OUTPUT', '-t raw -D OUTPUT 3', '-t raw -R OUTPUT 3 -j DROP', '-t raw -X OUTPUT'])
      expect(iptables(words)).toMatchObject(none);
    expect(iptables('-t raw -F')).toMatchObject({ code: 0 });
  });

  it('inserts the rules of several addresses at one place, so that the last stands first', () => {
    const { iptables } = tools();
    iptables('-I INPUT -s 10.0.0.1,10.0.0.2 -j DROP');
    expect(iptables('-S INPUT').out).toBe('-P INPUT ACCEPT\n-A INPUT -s 10.0.0.2/32 -j DROP\n-A INPUT -s 10.0.0.1/32 -j DROP\n');
  });

  it('looks for a number before the kernel is asked about the rule', () => {
    const { iptables } = tools();
    iptables('-A INPUT -j ACCEPT');
    expect(iptables('-R INPUT 2 -m rpfilter').err).toBe('iptables: Index of replacement too big.\n');
    expect(iptables('-C INPUT -m rpfilter').err).toBe('iptables: Bad rule (does a matching rule exist in that chain?).\n');
  });
});

describe('ipset', () => {
  const { ipset } = tools();
  ipset('create s hash:ip');

  it.each([
    [`add ${'n'.repeat(32)} 10.0.0.1`, 1, `Syntax error: setname '${'n'.repeat(32)}' is longer than 31 characters\n`],
    ['add s 0.0.0.0', 1, 'Null-valued element, cannot be stored in a hash type of set\n'],
    ['add s 10.0.0.1,80', 1, 'Syntax error: Elem separator in 10.0.0.1,80, but settype hash:ip supports none.\n'],
    ['create b bitmap:port', 2, "Mandatory option `range' is missing\n"],
    ['create b bitmap:ip range 10.0.0.0/8', 1, 'The range you specified exceeds the size limit of the set type\n'],
    ['create t hash:ip timeout 2147484', 1, "Syntax error: '2147484' is out of range 0-2147483\n"],
    ['create t hash:ip,port,ip netmask 24', 2, "Unknown argument: `netmask'\n"],
    ['flush s t', 2, 'Unknown argument t\n'],
    ['destroy absent', 1, 'The set with the given name does not exist\n'],
  ])('%s', (words, code, said) => {
    expect(ipset(words)).toMatchObject({ code, err: expect.stringContaining(`ipset v7.17: ${said}`) });
  });

  it('-exist takes a set that is not there for destroyed', () => expect(ipset('-exist destroy absent').code).toBe(0));
});
