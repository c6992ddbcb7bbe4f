// Felix on one node: the model as chains and sets, and the kernel brought to them (felix/dataplane/linux, felix/iptables/table.go v3.32).

import { listObjects } from '../../../apiserver/store.ts';
import { restoreSets } from '../../../linux/netfilter/ipset.ts';
import { CONNTRACK_WORDS, restore } from '../../../linux/netfilter/restore.ts';
import { rulesOf, writeChain } from '../../../linux/netfilter/rules.ts';
import { enableConntrack, ensureTable, tablesOf } from '../../../linux/netfilter/state.ts';
import type { Netns } from '../../../linux/types.ts';
import { compareBytes } from '../../../sim/bytes.ts';
import type { Family } from '../../../wire/ip.ts';
import { formatIp } from '../../../wire/ip.ts';
import { allNodes, ofFamily } from '../../nodes.ts';
import type { CniNode } from '../../types.ts';
import { poolsOf } from '../pools.ts';
import { isIpip, isVxlan, vxlanName } from '../routes.ts';
import { type FelixConfig, felixConfig } from './config.ts';
import { type Endpoint, readModel } from './model.ts';
import { layered } from './nft-render.ts';
import {
  arpTable,
  baseChains,
  chainText,
  dispatchText,
  dropNftTables,
  type NftTableText,
  type NftWritten,
  restoreNftTable,
  setText,
  writeNftTable,
} from './nft-table.ts';
import { type Chain, hashComment, limitedName, type Rule, reachable, renderChain, ruleHashes, ruleText } from './rules.ts';
import { type SetSpec, setMembers } from './scanner.ts';
import { appendedRules, HOOKED, INSERTED, setName, staticChains, type TableChains } from './static.ts';
import { workloadChains } from './workloads.ts';

const TABLES = ['raw', 'mangle', 'nat', 'filter'] as const;
type TableName = (typeof TABLES)[number];

/** What was written last, to write only what changed. */
export interface FelixState {
  /** `family table chain` -> the source of its rules. */
  chains: Map<string, string>;
  /** Set name -> its entries. */
  sets: Map<string, Set<string>>;
  config: FelixConfig | null;
  nft: NftWritten;
  /** The tables of the nftables data plane as they should be. */
  nftTables: NftTableText[];
}

export const newFelixState = (): FelixState => ({ chains: new Map(), sets: new Map(), config: null, nft: new Map(), nftTables: [] });

/** One table's chains: their rules as text that is the same for the same rules. */
interface Wanted {
  family: Family;
  table: TableName;
  chains: Map<string, { chain: Chain; source: string }>;
}

interface WantedSet {
  name: string;
  type: string;
  family: Family;
  members: string[];
}

/** Bring one node's rules and sets to what the API says. Sets first: a rule may not name one that is not there. */
export function syncFelix(node: CniNode, state: FelixState, veth: (ns: string, name: string) => string): void {
  const { server, config } = node.cluster;
  const model = readModel(server, veth);
  const felix = felixConfig(listObjects(server, 'felixconfigurations.projectcalico.org'), node.nodeName, config.dataplane);
  state.config = felix;
  const sets: WantedSet[] = [];
  const texts: Wanted[] = [];
  for (const family of config.families) {
    const specs = new Map<string, SetSpec>();
    const tables = staticChains(staticInput(node, felix, family));
    workloadChains(node.nodeName, model, felix, family, specs, tables);
    for (const table of TABLES) texts.push({ family, table, chains: programmed(tables, table) });
    sets.push(...staticSets(node, family), ...policySets(specs, model.endpoints, family, texts));
  }
  if (felix.nftables) {
    dropIptables(node, state);
    const workloads = model.endpoints.filter(e => e.kind === 'workload' && e.node === node.nodeName);
    state.nftTables = nftTables(config.families, texts, sets, felix, workloads);
    for (const t of state.nftTables) writeNftTable(node.netns, state.nft, t);
    return;
  }
  dropNftTables(node.netns, state.nft);
  writeSets(node.netns, state, sets);
  for (const t of texts) writeTable(node.netns, state, felix, t);
  dropSets(node.netns, state, sets);
}

function staticInput(node: CniNode, config: FelixConfig, family: Family) {
  const { cluster } = node;
  const { encapsulation } = cluster.config;
  const vxlan = isVxlan(encapsulation);
  const ipip = isIpip(encapsulation);
  const bgp = listObjects(cluster.server, 'bgpconfigurations.projectcalico.org').find(o => o.metadata.name === 'default')?.spec ?? {};
  const blocked = ['serviceLoadBalancerIPs', 'serviceExternalIPs', 'serviceClusterIPs'].flatMap(f =>
    (bgp[f] ?? []).map((x: any) => x.cidr),
  );
  const tunnels = [...(ipip && family === 4 ? ['tunl0'] : []), ...(vxlan ? [vxlanName(family)] : [])];
  return {
    family,
    config,
    vxlan,
    ipip: ipip && family === 4,
    tunnels,
    natOutgoing: poolsOf(cluster, family).some(p => p.natOutgoing),
    blockedCIDRs: [...new Set<string>(blocked)],
  };
}

const ROOTS = ['cali-PREROUTING', 'cali-POSTROUTING', 'cali-INPUT', 'cali-FORWARD', 'cali-OUTPUT'];

function programmed(tables: TableChains, table: TableName): Wanted['chains'] {
  const chains = new Map(tables[table].map(c => [c.name, c]));
  return new Map(reachable(chains, ROOTS).map(chain => [chain.name, { chain, source: JSON.stringify(chain.rules) }]));
}

/** What Felix looks at between changes: whether its jumps still stand where they belong. */
export function checkJumps(node: CniNode, state: FelixState): void {
  const c = state.config;
  if (!c) return;
  if (c.nftables) {
    for (const t of state.nftTables) restoreNftTable(node.netns, state.nft, t);
    return;
  }
  for (const family of node.cluster.config.families) {
    for (const table of TABLES) {
      const own = ownRules(node.netns, c, family, table);
      if (own.length) restore(node.netns, family, `*${table}\n${[...own, 'COMMIT'].join('\n')}\n`, { noflush: true });
    }
  }
}

/** What the other data plane left, when Felix changes over. */
function dropIptables(node: CniNode, state: FelixState): void {
  const { netns } = node;
  for (const family of node.cluster.config.families) {
    for (const table of TABLES) {
      const live = tablesOf(netns, family, 'nft').get(table);
      const chains = [...(live?.chains.keys() ?? [])].filter(name => name.startsWith('cali-'));
      if (!chains.length) continue;
      const jumps = HOOKED[table].flatMap(chain => {
        const at = positions(netns, family, table, chain);
        return at.flatMap((hash, i) => (hash ? [`-D ${chain} ${i + 1}`] : [])).reverse();
      });
      const lines = [...chains.map(name => `:${name} - [0:0]`), ...jumps, ...chains.map(name => `-X ${name}`)];
      restore(netns, family, `*${table}\n${lines.join('\n')}\nCOMMIT\n`, { noflush: true });
    }
  }
  state.chains.clear();
  dropSets(netns, state, []);
}

const DISPATCH = /^cali-(?:from|to)-wl-dispatch/;

/** The same chains and sets as tables of nft. */
function nftTables(families: Family[], texts: Wanted[], sets: WantedSet[], c: FelixConfig, workloads: Endpoint[]): NftTableText[] {
  const devices = workloads.map(e => e.interfaceName).sort(compareBytes);
  const unknown: Rule[] = [{ match: [], action: c.filterDeny, comments: ['Unknown interface'] }];
  const tables = families.map((family): NftTableText => {
    const own = texts.filter(t => t.family === family);
    const chains = own.flatMap(({ table, chains: all }) =>
      [...all.values()]
        .filter(({ chain }) => !DISPATCH.test(chain.name))
        .map(({ chain }) => {
          const name = layered(table, chain.name);
          return { kind: 'chain' as const, name, head: '', content: chainText(name, chain.rules, family, table) };
        }),
    );
    const base = baseChains(family, (layer, chain) => {
      const target = INSERTED[layer as TableName][chain];
      const head: Rule[] = target ? [{ match: [], action: `--jump ${target}`, comments: [] }] : [];
      return { head, tail: appendedRules(layer as TableName, chain, c) };
    });
    const dispatch = [
      ...dispatchText('filter', 'cali-from-wl-dispatch', 'in', devices, d => limitedName('cali-fw-', d), unknown),
      ...dispatchText('filter', 'cali-to-wl-dispatch', 'out', devices, d => limitedName('cali-tw-', d), unknown),
    ];
    const members = sets.filter(x => x.family === family).map(x => setText(x.name, x.type, family, x.members));
    return { family: family === 4 ? 'ip' : 'ip6', name: 'calico', objects: [...members, ...dispatch, ...base, ...chains] };
  });
  const addresses = (e: Endpoint) => e.nets.filter(n => !n.includes(':')).map(n => n.replace(/\/32$/, ''));
  return families.includes(4) ? [...tables, arpTable(workloads.map(e => ({ device: e.interfaceName, ips: addresses(e) })))] : tables;
}

// -- sets

function staticSets(node: CniNode, family: Family): WantedSet[] {
  const { cluster, netns, nodeName } = node;
  const { config } = cluster;
  const pools = poolsOf(cluster, family);
  const make = (id: string, type: string, members: string[]): WantedSet => ({ name: setName(family, id), type, family, members });
  const out = [
    make('dscp-src-net', 'hash:net', []),
    make(
      'masq-ipam-pools',
      'hash:net',
      pools.filter(p => p.natOutgoing).map(p => p.cidr),
    ),
    make(
      'network-ip-pools',
      'hash:net',
      pools.map(p => p.cidr),
    ),
    make('this-host', 'hash:ip', localAddresses(netns, family)),
  ];
  const hosts = (own: boolean) =>
    allNodes(cluster.server).flatMap(n => (n.name === nodeName && !own ? [] : (ofFamily(n.ips, family) ?? [])));
  if (isIpip(config.encapsulation) && family === 4) out.push(make('all-hosts-net', 'hash:net', hosts(true)));
  if (isVxlan(config.encapsulation)) out.push(make('all-vxlan-net', 'hash:net', hosts(false)));
  return out;
}

/** All local addresses but those of workloads' links; 127.0.0.0 is one too, by the local table. */
function localAddresses(ns: Netns, family: Family): string[] {
  const out = new Set<string>(family === 4 ? ['127.0.0.0'] : []);
  for (const link of ns.links.values()) {
    if (link.name.startsWith('cali')) continue;
    for (const a of link.addresses) if (a.ip.length === (family === 4 ? 4 : 16)) out.add(formatIp(a.ip));
  }
  return [...out];
}

/** Only sets that a programmed rule names. */
function policySets(specs: Map<string, SetSpec>, endpoints: Endpoint[], family: Family, texts: Wanted[]): WantedSet[] {
  const named = new Set<string>();
  for (const t of texts) {
    if (t.family !== family) continue;
    for (const { source } of t.chains.values()) for (const m of source.matchAll(/--match-set (\S+)/g)) named.add(m[1]);
  }
  const out: WantedSet[] = [];
  for (const spec of specs.values()) {
    const name = setName(family, spec.id);
    if (named.has(name)) out.push({ name, type: spec.type, family, members: setMembers(spec, endpoints, family) });
  }
  return out;
}

function writeSets(ns: Netns, state: FelixState, wanted: WantedSet[]): void {
  let text = '';
  for (const s of wanted) {
    const there = ns.netfilter.ipsets.has(s.name);
    if (!there) text += `create ${s.name} ${s.type} family ${s.family === 4 ? 'inet' : 'inet6'} maxelem 1048576\n`;
    const before = there ? (state.sets.get(s.name) ?? new Set(ns.netfilter.ipsets.get(s.name)?.entries.keys())) : new Set<string>();
    const after = new Set(s.members);
    for (const m of after) if (!before.has(m)) text += `add ${s.name} ${m} -exist\n`;
    for (const m of before) if (!after.has(m)) text += `del ${s.name} ${m} -exist\n`;
    state.sets.set(s.name, after);
  }
  if (text) restoreSets(ns, text);
}

function dropSets(ns: Netns, state: FelixState, wanted: WantedSet[]): void {
  const keep = new Set(wanted.map(s => s.name));
  const gone = [...ns.netfilter.ipsets.keys()].filter(name => /^cali[46]0/.test(name) && !keep.has(name));
  for (const name of gone) state.sets.delete(name);
  if (gone.length) restoreSets(ns, gone.map(name => `destroy ${name}\n`).join(''));
}

// -- tables

const remembered = new Map<string, string[]>();
const REMEMBERED_MAX = 50_000;

/** Most nodes have most chains in common: each is hashed once. */
function rendered(chain: Chain, source: string): string[] {
  const key = `${chain.name} ${source}`;
  let lines = remembered.get(key);
  if (!lines) {
    lines = renderChain(chain);
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(key, lines);
  }
  return lines;
}

/** Rules are hashed and written down when somebody asks for them: of most chains nobody ever does. */
function writeTable(ns: Netns, state: FelixState, c: FelixConfig, { family, table, chains: wanted }: Wanted): void {
  const live = ensureTable(ns, family, table, 'nft');
  for (const [name, { chain, source }] of wanted) {
    const key = `${family} ${table} ${name}`;
    if (state.chains.get(key) === source && live.chains.has(name)) continue;
    state.chains.set(key, source);
    if (CONNTRACK_WORDS.test(source)) enableConntrack(ns);
    writeChain(live, name, () => rendered(chain, source));
  }
  const stale = [...live.chains.keys()].filter(name => name.startsWith('cali-') && !wanted.has(name));
  for (const name of stale) state.chains.delete(`${family} ${table} ${name}`);
  const own = ownRules(ns, c, family, table);
  if (!stale.length && !own.length) return;
  const gone = stale.flatMap(name => [`:${name} - [0:0]`, `-X ${name}`]);
  restore(ns, family, `*${table}\n${[...gone, ...own, 'COMMIT'].join('\n')}\n`, { noflush: true });
}

/** Where in a chain of the kernel's own a rule with this hash stands. */
function positions(ns: Netns, family: Family, table: TableName, chain: string): string[] {
  const t = tablesOf(ns, family, 'nft').get(table);
  const found = t?.chains.get(chain);
  if (!t || !found) return [];
  return rulesOf(ns, t, found).map(r => /cali:([\w-]{16})/.exec(r.matches.map(m => m.save).join(' '))?.[1] ?? '');
}

/** Jumps from the kernel's chains: at the top (or, by configuration, at the end), and put back there when something else came before. */
function ownRules(ns: Netns, c: FelixConfig, family: Family, table: TableName): string[] {
  const out: string[] = [];
  for (const chain of HOOKED[table]) {
    const target = INSERTED[table][chain];
    const head: Rule[] = target ? [{ match: [], action: `--jump ${target}`, comments: [] }] : [];
    const tail = appendedRules(table, chain, c);
    const headHashes = ruleHashes({ name: chain, rules: head });
    // felix/iptables/table.go: another seed, so that the same rule in both places has two hashes.
    const tailHashes = ruleHashes({ name: `${chain}*appends*`, rules: tail });
    const now = positions(ns, family, table, chain);
    const placed = headHashes.every((h, i) => (c.insert ? now[i] === h : now.includes(h)));
    const count = now.filter(h => h).length;
    if (placed && tailHashes.every(h => now.includes(h)) && count === head.length + tail.length) continue;
    for (let i = now.length; i > 0; i--) if (now[i - 1]) out.push(`-D ${chain} ${i}`);
    head.forEach((r, i) => {
      out.push(`${c.insert ? `-I ${chain} ${i + 1}` : `-A ${chain}`} ${ruleText(r, hashComment(headHashes[i]))}`);
    });
    tail.forEach((r, i) => {
      out.push(`-A ${chain} ${ruleText(r, hashComment(tailHashes[i]))}`);
    });
  }
  return out;
}
