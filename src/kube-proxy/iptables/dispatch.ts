// The chains that lead to the Services' own. kube-proxy writes them whole at each sync (v1.36.3 pkg/proxy/iptables/proxier.go,
// syncProxyRules); of ten thousand Services all but a few lines are as they were, so here those few are written, and all counters reset.
import { beginParts, chainInParts, writePart, zeroParts } from '../../linux/netfilter/parts.ts';
import { ensureTable } from '../../linux/netfilter/state.ts';
import type { Chain, Table } from '../../linux/netfilter/types.ts';
import type { Netns } from '../../linux/types.ts';
import type { RuleSettings } from '../settings.ts';
import type { FamilyProxier } from '../types.ts';
import { selectedAddresses } from './addresses.ts';
import type { Section } from './service-rules.ts';

const DISPATCH = {
  nat: ['KUBE-SERVICES', 'KUBE-NODEPORTS'],
  filter: ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-NODEPORTS', 'KUBE-PROXY-FIREWALL'],
} as const;

/** The key of the last rules of KUBE-SERVICES, and where they stand: no Service comes after them. */
const TAIL = '';
const TAIL_ORDER = 2 ** 32;

/** The tail call to KUBE-NODEPORTS: one rule for all local addresses, or one for each that nodePortAddresses selects. */
function nodePortRules(ns: Netns, s: RuleSettings): string[] {
  const head = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"';
  if (s.nodePortCIDRs === null) {
    const except = s.family === 6 ? ' ! -d ::1/128' : s.localhostNodePorts ? '' : ' ! -d 127.0.0.0/8';
    return [`${head} -m addrtype --dst-type LOCAL${except} -j KUBE-NODEPORTS`];
  }
  return selectedAddresses(ns, s).map(ip => `${head} -d ${ip} -j KUBE-NODEPORTS`);
}

/** `-A CHAIN …` lines by chain, without their first two words. */
function byChain(text: string, out: Map<string, string[]>): void {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const space = text.indexOf(' ', at + 3);
    const chain = text.slice(at + 3, space);
    const rule = text.slice(space + 1, end);
    const list = out.get(chain);
    if (list) list.push(rule);
    else out.set(chain, [rule]);
    at = end + 1;
  }
}

/** `changed`: keys of the Services whose lines are others now; null: all. A chain that somebody else has changed is written whole. */
export function writeDispatch(ns: Netns, p: FamilyProxier, changed: string[] | null, sectionsOf: (key: string) => Section[]): void {
  for (const name of ['filter', 'nat'] as const) {
    const table = ensureTable(ns, p.family, name);
    const kept = changed && DISPATCH[name].every(chain => chainInParts(table, chain));
    const chains = new Map(
      DISPATCH[name].map(chain => [chain as string, kept ? (table.chains.get(chain) as Chain) : beginParts(table, chain)]),
    );
    if (kept) for (const chain of chains.values()) zeroParts(chain);
    for (const key of kept ? changed : p.services.keys()) writeService(ns, p, table, chains, key, sectionsOf(key));
    const services = chains.get('KUBE-SERVICES') as Chain;
    if (name === 'nat') writePart(ns, table, services, TAIL, TAIL_ORDER, nodePortRules(ns, p.settings));
  }
}

function writeService(ns: Netns, p: FamilyProxier, table: Table, chains: Map<string, Chain>, key: string, sections: Section[]): void {
  const lines = new Map<string, string[]>();
  for (const section of sections) byChain(table.name === 'nat' ? section.dispatch : section.filter, lines);
  const order = p.services.get(key)?.order ?? 0;
  for (const [name, chain] of chains) writePart(ns, table, chain, key, order, lines.get(name) ?? []);
}
