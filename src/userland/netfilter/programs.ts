import type { ProgramTable } from '../programs.ts';
import type { Userland } from '../userland.ts';
import type { Flavour } from './arguments.ts';
import { conntrackProgram } from './conntrack.ts';
import { ipsetProgram } from './ipset.ts';
import { iptablesProgram } from './iptables.ts';
import { restoreProgram, saveProgram } from './iptables-save.ts';
import { ipvsadmProgram } from './ipvsadm.ts';
import { nftProgram } from './nft.ts';

const version = (u: Userland): string => (u.tools >= 13 ? '1.8.11' : '1.8.9');

/** The plain names are the nf_tables variant, as Debian's and Alpine's alternatives have them. */
function family(family: 4 | 6): Record<string, (u: Userland) => ReturnType<typeof iptablesProgram>> {
  const tool = family === 4 ? 'iptables' : 'ip6tables';
  const out: Record<string, (u: Userland) => ReturnType<typeof iptablesProgram>> = {};
  for (const [suffix, backend] of [
    ['', 'nft'],
    ['-nft', 'nft'],
    ['-legacy', 'legacy'],
  ] as const) {
    const flavour = (u: Userland): Flavour => ({ family, backend, version: version(u) });
    out[tool + suffix] = u => iptablesProgram(flavour(u));
    out[`${tool}${suffix}-save`] = u => saveProgram(flavour(u));
    out[`${tool}${suffix}-restore`] = u => restoreProgram(flavour(u));
  }
  return out;
}

/** iptables, ipset, conntrack and their relatives: package, directory, programs. */
export const NETFILTER_PROGRAMS: ProgramTable = [
  ['iptables', '/usr/sbin', { ...family(4), ...family(6) }],
  ['ipset', '/usr/sbin', { ipset: u => ipsetProgram(u.tools >= 13 ? '7.22' : '7.17') }],
  ['nftables', '/usr/sbin', { nft: u => nftProgram(u.tools >= 13 ? '1.1.3 (Commodore Bullmoose #4)' : '1.0.6 (Lester Gooch #5)') }],
  ['conntrack', '/usr/sbin', { conntrack: u => conntrackProgram(u.tools >= 13 ? '1.4.8' : '1.4.7') }],
  ['ipvsadm', '/usr/sbin', { ipvsadm: u => ipvsadmProgram(u) }],
];
