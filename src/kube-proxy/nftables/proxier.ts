// One family's nftables proxier: full and partial syncs (k8s.io/kubernetes v1.36.3 pkg/proxy/nftables/proxier.go).
import { runNft } from '../../linux/netfilter/nft/commands.ts';
import { intervalText } from '../../linux/netfilter/nft/datatypes.ts';
import { tablesOf } from '../../linux/netfilter/nft/hooks.ts';
import type { NftChain, NftSet, NftTable, NftVerdict } from '../../linux/netfilter/nft/types.ts';
import { verdictText } from '../../linux/netfilter/nft/values.ts';
import type { Netns } from '../../linux/types.ts';
import { selectedAddresses } from '../iptables/addresses.ts';
import type { FamilyProxier, ProxiedService } from '../types.ts';
import { claim, giveUp, holder } from './claims.ts';
import { type Container, type NftSection, nftSection } from './service-rules.ts';
import { setupText } from './setup.ts';

/** Kernels before 6.2 notice late that nothing leads to a chain any more: it is emptied at once and deleted by a later sync. */
const STALE_MS = 1000;

const familyName = (p: FamilyProxier): 'ip' | 'ip6' => (p.family === 4 ? 'ip' : 'ip6');

export const proxyTable = (ns: Netns, p: FamilyProxier): NftTable | undefined =>
  tablesOf(ns).find(t => t.family === familyName(p) && t.name === 'kube-proxy');

function sectionsOf(p: FamilyProxier, s: ProxiedService): NftSection[] {
  return (s.nft ??= s.ports.map((port, i) => nftSection(port, s.endpoints[i], p.settings, s.order)));
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

/** Commands that make of what a container holds (key -> value) what is claimed in it. */
function elementChanges(p: FamilyProxier, container: Container, held: Map<string, string | undefined>): { gone: string; added: string } {
  const t = `${familyName(p)} kube-proxy`;
  const out = { gone: '', added: '' };
  const claims = p.nft.claims.get(container);
  for (const [key, was] of held) {
    const e = holder(claims, key);
    if (was === e?.value) continue;
    if (was !== undefined) out.gone += `delete element ${t} ${container} { ${key} }\n`;
    const comment = e?.comment ? ` comment "${e.comment}"` : '';
    if (e) out.added += `add element ${t} ${container} { ${key}${comment}${e.value ? ` : ${e.value}` : ''} }\n`;
  }
  return out;
}

const CONTAINERS: Container[] = [
  'cluster-ips',
  'service-ips',
  'firewall-ips',
  'no-endpoint-services',
  'no-endpoint-nodeports',
  'service-nodeports',
  'hairpin-connections',
];

function deleteStaleChains(ns: Netns, p: FamilyProxier, nowMs: number): void {
  const chains = proxyTable(ns, p)?.chains ?? new Map<string, NftChain>();
  // Those of an earlier process: nothing but staleness makes such a chain empty.
  if (!p.nft.known) {
    for (const c of chains.values())
      if (isServiceChain(c.name) && !c.rules.length && !p.staleChains.has(c.name)) p.staleChains.set(c.name, Number.NEGATIVE_INFINITY);
  }
  let text = '';
  for (const [name, since] of p.staleChains) {
    if (nowMs - since <= STALE_MS) continue;
    p.staleChains.delete(name);
    if (chains.has(name)) text += `delete chain ${familyName(p)} kube-proxy ${name}\n`;
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

/** What is written now of a Service, instead of what was. -> what was */
function takeSections(p: FamilyProxier, key: string): { before: NftSection[]; after: NftSection[] } {
  const { services, claims } = p.nft;
  const service = p.services.get(key);
  const before = services.get(key) ?? [];
  const after = service ? sectionsOf(p, service) : [];
  for (const e of before.flatMap(section => section.elements)) giveUp(claims.get(e.container)!, e);
  for (const e of after.flatMap(section => section.elements)) claim(claims.get(e.container)!, e);
  if (service) services.set(key, after);
  else services.delete(key);
  return { before, after };
}

/** What a sync finds to be no longer needed or other than it was. */
interface Differences {
  chains: string[];
  affinitySets: string[];
  /** By container, what it holds at keys that may have to change. */
  held: Map<Container, Map<string, string | undefined>>;
}

/** Everything in the kernel's table that differs from what all Services want. */
function readAll(p: FamilyProxier, table: NftTable | undefined): Differences {
  p.nft = { known: true, services: new Map(), claims: new Map(CONTAINERS.map(c => [c, new Map()])) };
  const chains = new Set<string>();
  const sets = new Set<string>();
  for (const key of p.services.keys()) {
    for (const section of takeSections(p, key).after) {
      for (const chain of section.chains) chains.add(chain);
      for (const [name] of section.affinitySets) sets.add(name);
    }
  }
  for (const chain of chains) p.staleChains.delete(chain);
  const held = new Map<Container, Map<string, string | undefined>>();
  for (const [container, claims] of p.nft.claims) {
    const there: Map<string, string | undefined> = heldBy(table?.sets.get(container));
    for (const key of claims.keys()) if (!there.has(key)) there.set(key, undefined);
    held.set(container, there);
  }
  return {
    chains: [...(table?.chains.keys() ?? [])].filter(name => isServiceChain(name) && !chains.has(name)),
    affinitySets: [...(table?.sets.keys() ?? [])].filter(name => name.startsWith('affinity-') && !sets.has(name)),
    held,
  };
}

/** The same for what has changed since it was last written, by this process's own notes. */
function takeChanged(p: FamilyProxier, table: NftTable | undefined, keys: Iterable<string>): Differences {
  const chains = new Set<string>();
  const sets = new Set<string>();
  const held = new Map(CONTAINERS.map(c => [c, new Map<string, string | undefined>()]));
  const note = (section: NftSection) => {
    for (const { container, key } of section.elements) {
      const there = held.get(container)!;
      if (!there.has(key)) there.set(key, holder(p.nft.claims.get(container), key)?.value);
    }
  };
  for (const key of keys) {
    const service = p.services.get(key);
    for (const section of [...(p.nft.services.get(key) ?? []), ...(service ? sectionsOf(p, service) : [])]) note(section);
    const { before, after } = takeSections(p, key);
    for (const section of before) {
      for (const chain of section.chains) chains.add(chain);
      for (const [name] of section.affinitySets) sets.add(name);
    }
    for (const section of after) {
      for (const chain of section.chains) {
        chains.delete(chain);
        p.staleChains.delete(chain);
      }
      for (const [name] of section.affinitySets) sets.delete(name);
    }
  }
  for (const chain of p.staleChains.keys()) chains.add(chain);
  return {
    chains: [...chains].filter(name => table?.chains.has(name)),
    affinitySets: [...sets].filter(name => table?.sets.has(name)),
    held,
  };
}

/** Chains, sets and rules of a Service's own. */
function sectionText(p: FamilyProxier, sections: NftSection[]): { made: string; rules: string } {
  const t = `${familyName(p)} kube-proxy`;
  const type = p.family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const out = { made: '', rules: '' };
  for (const section of sections) {
    for (const chain of section.chains) out.made += `add chain ${t} ${chain}\nflush chain ${t} ${chain}\n`;
    for (const [name, seconds] of section.affinitySets)
      out.made += `add set ${t} ${name} { type ${type} ; size 65535 ; flags dynamic,timeout ; timeout ${seconds}s ; }\n`;
    out.rules += section.rules;
  }
  return out;
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
  const keys = [...(full ? p.services.keys() : (p.dirty ?? []))];
  const { chains: stale, affinitySets, held } = full || !p.nft.known ? readAll(p, table) : takeChanged(p, table, keys);
  let rules = '';
  for (const key of keys) {
    const written = sectionText(p, p.nft.services.get(key) ?? []);
    text += written.made;
    rules += written.rules;
  }
  text += rules;
  for (const chain of stale) text += `flush chain ${t} ${chain}\n`;
  const elements = [...held].map(([container, there]) => elementChanges(p, container, there));
  text += elements.map(e => e.gone).join('') + elements.map(e => e.added).join('');
  for (const set of affinitySets) text += `delete set ${t} ${set}\n`;
  const ok = runNft(ns, text).error === null;
  for (const chain of stale) if (ok) p.staleChains.set(chain, nowMs);
  p.dirty = ok ? new Set() : null;
  if (ok) p.syncedAtMs = nowMs;
  else p.nft.known = false;
  return ok;
}
