// Chains that are there whatever the policies: felix/rules/static.go, nat.go v3.32.
import type { Family } from '../../../wire/ip.ts';
import type { FelixConfig, ProtoPort } from './config.ts';
import { action, type Chain, match, type Rule, rule } from './rules.ts';

export type TableChains = Record<'raw' | 'mangle' | 'nat' | 'filter', Chain[]>;

export interface StaticInput {
  family: Family;
  config: FelixConfig;
  vxlan: boolean;
  ipip: boolean;
  /** Devices whose local traffic must have their own address: tunl0, vxlan.calico. */
  tunnels: string[];
  natOutgoing: boolean;
  /** Service CIDRs (BGPConfiguration) that must not leave the node again. */
  blockedCIDRs: string[];
}

const WORKLOADS = 'cali+';
const UDP = 17;
const IPIP = 4;
const ICMPV6 = 58;
const OWN = 'Host endpoint policy accepted packet.';

export const setName = (family: Family, id: string): string => `cali${family}0${id}`.slice(0, 31);

const allMarks = (c: FelixConfig): number => (c.accept | c.pass | c.scratch0 | c.scratch1) >>> 0;
const destPorts = (port: number): string => match.ports('dst', String(port));

function filterInput({ family, config: c, vxlan, ipip }: StaticInput): Chain {
  const rules: Rule[] = [];
  if (family === 4 && ipip) {
    const hosts = match.set('src', setName(4, 'all-hosts-net'));
    rules.push(rule([match.protocol(IPIP), hosts, match.destLocal], c.filterAllow, 'Allow IPIP packets from Calico hosts'));
    rules.push(rule([match.protocol(IPIP)], c.filterDeny, `${c.denyWord} IPIP packets from non-Calico hosts`));
  }
  if (vxlan) {
    const to = [match.protocol(UDP), destPorts(c.vxlanPort)];
    const from = match.set('src', setName(family, 'all-vxlan-net'));
    rules.push(rule([...to, from, match.destLocal], c.filterAllow, `Allow IPv${family} VXLAN packets from allowed hosts`));
    const [deny, word] = family === 4 ? [action.drop, 'Drop'] : [c.filterDeny, c.denyWord];
    rules.push(rule([...to, match.destLocal], deny, `${word} IPv${family} VXLAN packets from non-allowed hosts`));
  }
  rules.push(
    rule([match.in(WORKLOADS)], action.goto('cali-wl-to-host')),
    rule([match.markSet(c.accept)], c.filterAllow),
    rule([], action.clearMark(allMarks(c))),
    rule([], action.jump('cali-from-host-endpoint')),
    rule([match.markSet(c.accept)], c.filterAllow, OWN),
  );
  return { name: 'cali-INPUT', rules };
}

function workloadToHost({ family, config: c }: StaticInput): Chain {
  const rules: Rule[] = [];
  if (family === 6) {
    // A router must hear multicast listeners, router solicitations and neighbour discovery whatever the pods' policy.
    for (const type of [130, 131, 132, 133, 135, 136]) {
      rules.push(rule([match.protocol(ICMPV6), match.icmp(6, type, null, false)], c.filterAllow));
    }
  }
  rules.push(rule([], action.jump('cali-from-wl-dispatch')));
  if (c.endpointToHost) rules.push(rule([], c.endpointToHost, 'Configured DefaultEndpointToHostAction'));
  return { name: 'cali-wl-to-host', rules };
}

function filterForward({ config: c }: StaticInput): Chain {
  return {
    name: 'cali-FORWARD',
    rules: [
      rule([], action.clearMark((allMarks(c) & ~c.accept) >>> 0)),
      rule([match.markClear(c.accept)], action.jump('cali-from-hep-forward')),
      rule([match.in(WORKLOADS)], action.jump('cali-from-wl-dispatch')),
      rule([match.out(WORKLOADS)], action.jump('cali-to-wl-dispatch')),
      rule([], action.jump('cali-to-hep-forward')),
      rule([], action.jump('cali-cidr-block')),
    ],
  };
}

function filterOutput({ family, config: c, vxlan, ipip }: StaticInput): Chain {
  const rules: Rule[] = [rule([match.markSet(c.accept)], c.filterAllow), rule([match.out(WORKLOADS)], action.return)];
  if (family === 4 && ipip) {
    const hosts = match.set('dst', setName(4, 'all-hosts-net'));
    rules.push(rule([match.protocol(IPIP), hosts, match.srcLocal], c.filterAllow, 'Allow IPIP packets to other Calico hosts'));
  }
  if (vxlan) {
    const to = match.set('dst', setName(family, 'all-vxlan-net'));
    const parts = [match.protocol(UDP), destPorts(c.vxlanPort), match.srcLocal, to];
    rules.push(rule(parts, c.filterAllow, `Allow IPv${family} VXLAN packets to other allowed hosts`));
  }
  rules.push(
    rule([], action.clearMark(allMarks(c))),
    rule([match.notCtstate('DNAT')], action.jump('cali-to-host-endpoint')),
    rule([match.markSet(c.accept)], c.filterAllow, OWN),
  );
  return { name: 'cali-OUTPUT', rules };
}

/** In raw, before conntrack, answers to the other direction's ports pass too. */
function failsafe(name: string, own: ProtoPort[], other: ProtoPort[], family: Family, raw: boolean): Chain {
  const side = name === 'cali-failsafe-in' ? 'src' : 'dst';
  const ofFamily = (p: ProtoPort) => !p.net || p.net.includes(':') === (family === 6);
  const parts = (p: ProtoPort, ports: string) => [match.protocol(p.protocol), ports, ...(p.net ? [match.net(side, p.net)] : [])];
  const rules = own.filter(ofFamily).map(p => rule(parts(p, destPorts(p.port)), action.accept));
  if (raw) for (const p of other.filter(ofFamily)) rules.push(rule(parts(p, match.ports('src', String(p.port))), action.accept));
  return { name, rules };
}

function natOutgoing({ family, config: c, natOutgoing: on }: StaticInput): Chain {
  const rules: Rule[] = [];
  const make = (protocol: string | null, target: string) => {
    const parts = [match.set('src', setName(family, 'masq-ipam-pools')), match.notSet('dst', setName(family, 'network-ip-pools'))];
    if (protocol) parts.push(match.protocol(protocol));
    if (c.natInterfaceFilter) parts.push(match.out(c.natInterfaceFilter));
    rules.push(rule(parts, target));
  };
  if (on) {
    const address = family === 4 ? c.natOutgoingAddress : null;
    if (c.natPortRange) {
      const target = address ? action.snat(`${address}:${c.natPortRange}`) : action.masquerade(c.natPortRange);
      for (const protocol of ['tcp', 'udp']) {
        make(protocol, target);
        make(protocol, action.return);
      }
    }
    make(null, address ? action.snat(address) : action.masquerade());
  }
  return { name: 'cali-nat-outgoing', rules };
}

function natChains(i: StaticInput): Chain[] {
  const postrouting = [rule([], action.jump('cali-fip-snat')), rule([], action.jump('cali-nat-outgoing'))];
  // A process that bound to the wrong local address, or whose Service address was translated after routing, gets the tunnel's as its source.
  for (const t of i.tunnels) postrouting.push(rule([match.out(t), match.notSrcLocalOfOut, match.srcLocal], action.masquerade()));
  return [
    { name: 'cali-PREROUTING', rules: [rule([], action.jump('cali-fip-dnat'))] },
    { name: 'cali-POSTROUTING', rules: postrouting },
    { name: 'cali-OUTPUT', rules: [rule([], action.jump('cali-fip-dnat'))] },
    { name: 'cali-fip-dnat', rules: [] },
    { name: 'cali-fip-snat', rules: [] },
    natOutgoing(i),
  ];
}

function mangleChains({ family, config: c }: StaticInput): Chain[] {
  const dscp = [
    match.set('src', setName(family, 'dscp-src-net')),
    match.notSet('dst', setName(family, 'network-ip-pools')),
    match.notSet('dst', setName(family, 'this-host')),
  ];
  return [
    failsafe('cali-failsafe-in', c.failsafeIn, c.failsafeOut, family, false),
    failsafe('cali-failsafe-out', c.failsafeOut, c.failsafeIn, family, false),
    {
      name: 'cali-PREROUTING',
      rules: [
        rule([match.ctstate('RELATED,ESTABLISHED')], c.mangleAllow),
        rule([match.markSet(c.accept)], c.mangleAllow),
        rule([], action.jump('cali-from-host-endpoint')),
        rule([match.markSet(c.accept)], c.mangleAllow, OWN),
      ],
    },
    {
      name: 'cali-POSTROUTING',
      rules: [
        rule(dscp, action.jump('cali-egress-dscp'), 'set dscp for traffic leaving cluster.'),
        rule([match.markSet(c.accept)], action.return),
        rule([], action.clearMark(allMarks(c))),
        rule([match.ctstate('DNAT')], action.jump('cali-to-host-endpoint')),
        rule([match.markSet(c.accept)], action.return, OWN),
      ],
    },
    { name: 'cali-egress-dscp', rules: [] },
  ];
}

function rawChains({ family, config: c, vxlan }: StaticInput): Chain[] {
  const untracked = vxlan ? [rule([match.protocol('udp'), match.destPort(c.vxlanPort)], action.notrack)] : [];
  return [
    failsafe('cali-failsafe-in', c.failsafeIn, c.failsafeOut, family, true),
    failsafe('cali-failsafe-out', c.failsafeOut, c.failsafeIn, family, true),
    {
      name: 'cali-PREROUTING',
      rules: [
        rule([], action.clearMark(allMarks(c))),
        ...untracked,
        rule([match.in(WORKLOADS)], action.setMark(c.scratch0)),
        rule([match.markSet(c.scratch0)], action.jump('cali-rpf-skip')),
        rule([match.markSet(c.scratch0), match.rpfFailed], c.filterDeny),
        rule([match.markClear(c.scratch0)], action.jump('cali-from-host-endpoint')),
        rule([match.markSet(c.accept)], action.accept),
      ],
    },
    { name: 'cali-rpf-skip', rules: [] },
    {
      name: 'cali-OUTPUT',
      rules: [
        rule([], action.clearMark(allMarks(c))),
        rule([], action.jump('cali-to-host-endpoint')),
        ...untracked,
        rule([match.markSet(c.accept)], action.accept),
      ],
    },
  ];
}

export function staticChains(i: StaticInput): TableChains {
  const c = i.config;
  const blocked = c.cidrBlock === null ? [] : [...i.blockedCIDRs].sort().filter(x => x.includes(':') === (i.family === 6));
  return {
    raw: rawChains(i),
    mangle: mangleChains(i),
    nat: natChains(i),
    filter: [
      filterForward(i),
      filterInput(i),
      workloadToHost(i),
      failsafe('cali-failsafe-in', c.failsafeIn, c.failsafeOut, i.family, false),
      filterOutput(i),
      failsafe('cali-failsafe-out', c.failsafeOut, c.failsafeIn, i.family, false),
      { name: 'cali-cidr-block', rules: blocked.map(cidr => rule([match.net('dst', cidr)], c.cidrBlock)) },
    ],
  };
}

/** Jumps that stand at the top of the kernel's own chains. */
export const INSERTED: Record<keyof TableChains, Record<string, string>> = {
  raw: { PREROUTING: 'cali-PREROUTING', OUTPUT: 'cali-OUTPUT' },
  mangle: { PREROUTING: 'cali-PREROUTING', POSTROUTING: 'cali-POSTROUTING' },
  nat: { PREROUTING: 'cali-PREROUTING', OUTPUT: 'cali-OUTPUT' },
  filter: { INPUT: 'cali-INPUT', FORWARD: 'cali-FORWARD', OUTPUT: 'cali-OUTPUT' },
};

/** Rules that stand at the end of one of the kernel's chains: others may accept or translate first. */
export function appendedRules(table: keyof TableChains, chain: string, c: FelixConfig): Rule[] {
  if (table === 'nat' && chain === 'POSTROUTING') return [rule([], action.jump('cali-POSTROUTING'))];
  if (table !== 'filter' || chain !== 'FORWARD') return [];
  return [rule([match.markSet(c.accept)], c.filterAllow, 'Policy explicitly accepted packet.'), rule([], action.setMark(c.accept))];
}

/** The kernel's chains in which Calico has rules. */
export const HOOKED: Record<keyof TableChains, string[]> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'POSTROUTING'],
  nat: ['PREROUTING', 'POSTROUTING', 'OUTPUT'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};
