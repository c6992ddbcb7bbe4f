// Felix's nftables data plane: one table `calico` per family with the chains of all of iptables' tables in it, sets and verdict maps, and a
// table of family arp (felix/nftables/{table,ipsets,maps}.go, felix/rules/{dispatch,arp}.go v3.32).
import { runNft } from '../../../linux/netfilter/nft/commands.ts';
import type { NftTable } from '../../../linux/netfilter/nft/types.ts';
import type { Netns } from '../../../linux/types.ts';
import { type Cidr, type Family, inCidr, parseCidr } from '../../../wire/ip.ts';
import { layered, legalName, nftComment, nftHashes, nftRule } from './nft-render.ts';
import type { Rule } from './rules.ts';

/** One object of a table: what makes it, what fills it, and by what it is known. */
export interface NftObjectText {
  kind: 'chain' | 'set' | 'map';
  name: string;
  /** In braces behind `add KIND FAMILY TABLE NAME`; empty for plain chains. */
  head: string;
  /** Rules, or elements. */
  content: string[];
}

export interface NftTableText {
  family: 'ip' | 'ip6' | 'arp';
  name: string;
  objects: NftObjectText[];
}

/** The base chains, whether there is something in them or not. */
const BASE: [name: string, head: string][] = [
  ['nat-INPUT', 'type nat hook input priority -100'],
  ['mangle-PREROUTING', 'type filter hook prerouting priority -150'],
  ['raw-PREROUTING', 'type filter hook prerouting priority -300'],
  ['raw-OUTPUT', 'type filter hook output priority -300'],
  ['filter-INPUT', 'type filter hook input priority 0'],
  ['nat-PREROUTING', 'type nat hook prerouting priority -100'],
  ['nat-OUTPUT', 'type nat hook output priority 110'],
  ['nat-POSTROUTING', 'type nat hook postrouting priority 110'],
  ['mangle-INPUT', 'type filter hook input priority -150'],
  ['mangle-FORWARD', 'type filter hook forward priority -150'],
  ['mangle-OUTPUT', 'type route hook output priority -150'],
  ['mangle-POSTROUTING', 'type filter hook postrouting priority -150'],
  ['filter-FORWARD', 'type filter hook forward priority 0'],
  ['filter-OUTPUT', 'type filter hook output priority 0'],
];

const commented = (text: string, hash: string, comments: string[]): string => `${text} comment "${nftComment(hash, comments)}"`;

/** `name`: with its table in front; `seed`: what the first hash begins with, when not the name. */
export function chainText(name: string, rules: Rule[], family: Family, layer: string, seed = name): string[] {
  const texts = rules.map(r => nftRule(r, family, layer));
  const hashes = nftHashes(
    seed,
    texts.map(t => t.said),
  );
  return texts.map((t, i) => commented(t.plain, hashes[i], rules[i].comments));
}

const ELEMENTS: Record<string, (family: Family) => string> = {
  'hash:ip': f => `type ipv${f}_addr`,
  'hash:net': f => `type ipv${f}_addr; flags interval`,
  'hash:ip,port': f => `type ipv${f}_addr . inet_proto . inet_service`,
};

/** `members` as ipset has them. */
export function setText(name: string, type: string, family: Family, members: string[]): NftObjectText {
  const element = (m: string) => m.replace(/^(.*),(\w+):(\d+)$/, '$1 . $2 . $3').replace(family === 4 ? /\/32$/ : /\/128$/, '');
  const own = type === 'hash:net' ? widest(members) : members;
  return { kind: 'set', name: legalName(name), head: ELEMENTS[type](family), content: own.map(element) };
}

/** Intervals of one set may not overlap: what lies within another is left out. */
function widest(members: string[]): string[] {
  const cidrs = members.map(m => ({ m, c: parseCidr(m) ?? parseCidr(`${m}/${m.includes(':') ? 128 : 32}`) }));
  const within = (a: Cidr | null, b: Cidr | null) => !!a && !!b && b.bits < a.bits && inCidr(b, a.ip);
  return cidrs.filter(({ c }) => !cidrs.some(other => within(c, other.c))).map(({ m }) => m);
}

/** A dispatch by device: one look-up where iptables has a tree of rules. `to`: the chain of a device's name. */
export function dispatchText(
  layer: string,
  name: string,
  side: 'in' | 'out',
  devices: string[],
  to: (device: string) => string,
  end: Rule[],
) {
  const full = layered(layer, name);
  const lookup = `${side === 'in' ? 'i' : 'o'}ifname vmap @${full}`;
  const rest = end.map(r => nftRule(r, 4, layer));
  const hashes = nftHashes(full, [lookup, ...rest.map(t => t.said)]);
  const map: NftObjectText = {
    kind: 'map',
    name: full,
    head: 'type ifname : verdict',
    content: devices.map(d => `"${d}" : goto ${layered(layer, to(d))}`),
  };
  const rules = [commented(lookup, hashes[0], []), ...rest.map((t, i) => commented(t.plain, hashes[i + 1], end[i].comments))];
  return [map, { kind: 'chain' as const, name: full, head: '', content: rules }];
}

/** The jumps out of the base chains. `tail`: rules that Felix appends, hashed from another seed. */
export function baseChains(family: Family, of: (layer: string, chain: string) => { head: Rule[]; tail: Rule[] }): NftObjectText[] {
  return BASE.map(([name, head]) => {
    const [layer, chain] = name.split('-');
    const own = of(layer, chain);
    const content = [...chainText(name, own.head, family, layer), ...chainText(name, own.tail, family, layer, `${name}*appends*`)];
    return { kind: 'chain', name, head: `${head}; policy accept`, content };
  });
}

/** What a pod's addresses are the node does not tell the pod itself, though it answers for everybody (proxy ARP). */
export function arpTable(workloads: { device: string; ips: string[] }[]): NftTableText {
  const name = 'filter-cali-arp-dispatch';
  const own = workloads.filter(w => w.ips.length);
  const [jump, lookup] = [`counter jump ${name}`, `oifname vmap @${name}`];
  return {
    family: 'arp',
    name: 'calico-arp',
    objects: [
      { kind: 'map', name, head: 'type ifname : verdict', content: own.map(w => `"${w.device}" : goto filter-cali-arp-${w.device}`) },
      {
        kind: 'chain',
        name: 'filter-OUTPUT',
        head: 'type filter hook output priority 0; policy accept',
        content: [commented(jump, nftHashes('filter-OUTPUT', [jump])[0], [])],
      },
      { kind: 'chain', name, head: '', content: [commented(lookup, nftHashes(name, [lookup])[0], [])] },
      ...own.map(({ device, ips }) => {
        const chain = `filter-cali-arp-${device}`;
        const texts = ips.map(ip => `oifname ${device} arp operation reply arp saddr ip ${ip} counter drop`);
        const hashes = nftHashes(chain, texts);
        return { kind: 'chain' as const, name: chain, head: '', content: texts.map((t, i) => commented(t, hashes[i], [])) };
      }),
    ],
  };
}

/** `FAMILY TABLE NAME` of each object -> its content as it was last written. */
export type NftWritten = Map<string, string>;

/** Bring a table to what it should be, in one transaction; what has not changed keeps its counters. */
export function writeNftTable(ns: Netns, written: NftWritten, table: NftTableText): void {
  const at = `${table.family} ${table.name}`;
  const live = (ns.netfilter.nft as NftTable[]).find(t => t.family === table.family && t.name === table.name);
  const known = (o: NftObjectText) => (o.kind === 'chain' ? live?.chains.has(o.name) : live?.sets.has(o.name));
  const textOf = (o: NftObjectText) => `${o.kind} ${o.head}\n${o.content.join('\n')}`;
  const changed = table.objects.filter(o => !known(o) || written.get(`${at} ${o.name} ${o.kind}`) !== textOf(o));
  const wanted = (kind: string) => new Set(table.objects.filter(o => (o.kind === 'chain') === (kind === 'chain')).map(o => o.name));
  const stale = (names: Iterable<string>, kind: string) => [...names].filter(n => !wanted(kind).has(n));
  const goneChains = stale(live?.chains.keys() ?? [], 'chain');
  const goneSets = stale(live?.sets.keys() ?? [], 'set');
  if (!changed.length && !goneChains.length && !goneSets.length) return;
  const lines = [`add table ${at}`];
  for (const o of changed) if (!known(o)) lines.push(`add ${o.kind} ${at} ${o.name}${o.head ? ` { ${o.head}; }` : ''}`);
  for (const o of changed) lines.push(`flush ${o.kind} ${at} ${o.name}`);
  for (const name of goneChains) lines.push(`flush chain ${at} ${name}`);
  for (const o of changed) {
    if (o.kind === 'chain') for (const rule of o.content) lines.push(`add rule ${at} ${o.name} ${rule}`);
    else if (o.content.length) lines.push(`add element ${at} ${o.name} { ${o.content.join(', ')} }`);
  }
  for (const name of goneSets) lines.push(`delete ${live!.sets.get(name)!.kind} ${at} ${name}`);
  for (const name of goneChains) lines.push(`delete chain ${at} ${name}`);
  const text = `${lines.join('\n')}\n`;
  const { error } = runNft(ns, text);
  if (error) throw new Error(`Felix' nft: ${error.message} at ${text.slice(error.from - 80, error.to + 20)}`);
  for (const o of changed) written.set(`${at} ${o.name} ${o.kind}`, textOf(o));
}

/** What somebody took away, or whose rules somebody flushed, is written again. */
export function restoreNftTable(ns: Netns, written: NftWritten, table: NftTableText): void {
  const live = (ns.netfilter.nft as NftTable[]).find(t => t.family === table.family && t.name === table.name);
  for (const o of table.objects)
    if (o.kind === 'chain' && live?.chains.get(o.name)?.rules.length !== o.content.length)
      written.delete(`${table.family} ${table.name} ${o.name} ${o.kind}`);
  writeNftTable(ns, written, table);
}

/** Tables of the other data plane go when Felix changes over. */
export function dropNftTables(ns: Netns, written: NftWritten): void {
  const own = (ns.netfilter.nft as NftTable[]).filter(t => /^calico(-arp)?$/.test(t.name));
  if (own.length) runNft(ns, own.map(t => `delete table ${t.family} ${t.name}\n`).join(''));
  written.clear();
}
