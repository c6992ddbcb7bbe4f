// One family's nftables proxier: full and partial syncs (k8s.io/kubernetes v1.36.3 pkg/proxy/nftables/proxier.go).
import { runNft } from '../../linux/netfilter/nft/commands.ts';
import { intervalText } from '../../linux/netfilter/nft/datatypes.ts';
import { tablesOf } from '../../linux/netfilter/nft/hooks.ts';
import type { NftSet, NftTable, NftVerdict } from '../../linux/netfilter/nft/types.ts';
import { verdictText } from '../../linux/netfilter/nft/values.ts';
import type { Netns } from '../../linux/types.ts';
import { selectedAddresses } from '../iptables/addresses.ts';
import type { FamilyProxier, ProxiedService } from '../types.ts';
import { type Element, type NftSection, nftSection } from './service-rules.ts';
import { setupText } from './setup.ts';

/** Kernels before 6.2 notice late that nothing leads to a chain any more: it is emptied at once and deleted by a later sync. */
const STALE_MS = 1000;

const familyName = (p: FamilyProxier): 'ip' | 'ip6' => (p.family === 4 ? 'ip' : 'ip6');

export const proxyTable = (ns: Netns, p: FamilyProxier): NftTable | undefined =>
  tablesOf(ns).find(t => t.family === familyName(p) && t.name === 'kube-proxy');

function sectionsOf(p: FamilyProxier, s: ProxiedService): NftSection[] {
  return (s.nft ??= s.ports.map((port, i) => nftSection(port, s.endpoints[i], p.settings)));
}

const isServiceChain = (name: string): boolean => name.includes('/');

/** What a set or map holds, as text: key -> value. */
function heldBy(set: NftSet | undefined): Map<string, string> {
  const out = new Map<string, string>();
  for (const e of set?.exact.values() ?? []) {
    const key = e.key.map((part, i) => intervalText(set!.keys[i], part)).join(' . ');
    out.set(key, set!.kind === 'map' && e.data && 'kind' in e.data ? verdictText(e.data as NftVerdict) : '');
  }
  return out;
}

function elementChanges(p: FamilyProxier, table: NftTable | undefined, wanted: Map<string, Map<string, Element>>): string {
  const t = `${familyName(p)} kube-proxy`;
  let gone = '';
  let added = '';
  for (const [container, elements] of wanted) {
    const held = heldBy(table?.sets.get(container));
    for (const [key, e] of elements) {
      const was = held.get(key);
      held.delete(key);
      if (was === e.value) continue;
      if (was !== undefined) gone += `delete element ${t} ${container} { ${key} }\n`;
      const comment = e.comment ? ` comment "${e.comment}"` : '';
      added += `add element ${t} ${container} { ${key}${comment}${e.value ? ` : ${e.value}` : ''} }\n`;
    }
    for (const key of held.keys()) gone += `delete element ${t} ${container} { ${key} }\n`;
  }
  return gone + added;
}

const CONTAINERS = [
  'cluster-ips',
  'service-ips',
  'firewall-ips',
  'no-endpoint-services',
  'no-endpoint-nodeports',
  'service-nodeports',
  'hairpin-connections',
];

function deleteStaleChains(ns: Netns, p: FamilyProxier, nowMs: number): void {
  let text = '';
  for (const chain of proxyTable(ns, p)?.chains.values() ?? []) {
    // Those of an earlier process: nothing but staleness makes such a chain empty.
    const since = p.staleChains.get(chain.name) ?? (isServiceChain(chain.name) && !chain.rules.length ? Number.NEGATIVE_INFINITY : null);
    if (since === null || nowMs - since <= STALE_MS) continue;
    p.staleChains.delete(chain.name);
    text += `delete chain ${familyName(p)} kube-proxy ${chain.name}\n`;
  }
  if (text && runNft(ns, text).error) p.dirty = null;
}

/** The Services' chains that there are, with the time since when they are empty. */
export const serviceChains = (ns: Netns, p: FamilyProxier): [name: string, sinceMs: number | null][] =>
  [...(proxyTable(ns, p)?.chains.keys() ?? [])].filter(isServiceChain).map(name => [name, p.staleChains.get(name) ?? null]);

/** Chains that an earlier process left or, by the sync that this one stands for, would have emptied. `synced`: there was such a sync. */
export function leaveEmptied(ns: Netns, p: FamilyProxier, before: [string, number | null][], synced: boolean, nowMs: number): void {
  const there = proxyTable(ns, p)?.chains;
  let text = '';
  for (const [name, since] of before) {
    if (there?.has(name) || (synced && since !== null && nowMs - since > STALE_MS)) continue;
    text += `add chain ${familyName(p)} kube-proxy ${name}\n`;
    p.staleChains.set(name, since ?? nowMs);
  }
  if (text) runNft(ns, text);
}

/** Write what changed (or, in a full sync, everything) to the kernel. -> false: nft failed */
export function syncFamilyNft(ns: Netns, p: FamilyProxier, nowMs: number): boolean {
  deleteStaleChains(ns, p, nowMs);
  const table = proxyTable(ns, p);
  const full = p.dirty === null || !table;
  const t = `${familyName(p)} kube-proxy`;
  let text = '';
  if (full) {
    for (const s of p.services.values()) s.nft = null;
    const { nodePortCIDRs } = p.settings;
    text += setupText(p.settings, nodePortCIDRs && selectedAddresses(ns, p.settings), table?.sets.has('nodeport-ips') ?? false);
  }
  const active = new Set<string>();
  const affinity = new Set<string>();
  const wanted = new Map(CONTAINERS.map(c => [c, new Map<string, Element>()]));
  let rules = '';
  for (const [key, service] of p.services) {
    const write = full || p.dirty?.has(key);
    for (const section of sectionsOf(p, service)) {
      for (const e of section.elements) wanted.get(e.container)?.set(e.key, e);
      for (const chain of section.chains) {
        active.add(chain);
        if (write) text += `add chain ${t} ${chain}\nflush chain ${t} ${chain}\n`;
      }
      for (const [name, seconds] of section.affinitySets) {
        affinity.add(name);
        const type = p.family === 4 ? 'ipv4_addr' : 'ipv6_addr';
        if (write) text += `add set ${t} ${name} { type ${type} ; size 65535 ; flags dynamic,timeout ; timeout ${seconds}s ; }\n`;
      }
      if (write) rules += section.rules;
    }
  }
  text += rules;
  const stale: string[] = [];
  for (const chain of table?.chains.keys() ?? []) {
    if (!isServiceChain(chain)) continue;
    if (active.has(chain)) p.staleChains.delete(chain);
    else stale.push(chain);
  }
  for (const chain of stale) text += `flush chain ${t} ${chain}\n`;
  text += elementChanges(p, table, wanted);
  for (const set of table?.sets.keys() ?? []) if (set.startsWith('affinity-') && !affinity.has(set)) text += `delete set ${t} ${set}\n`;
  const ok = runNft(ns, text).error === null;
  for (const chain of stale) if (ok) p.staleChains.set(chain, nowMs);
  p.dirty = ok ? new Set() : null;
  if (ok) p.syncedAtMs = nowMs;
  return ok;
}
