// A network namespace as plain JSON and back. Links are matched by name, so that a derived namespace (its veth ends, its cables) can take over
// what a session kept of it, and an empty one becomes a copy.
import { fibOf } from './fib.ts';
import { addLink, linkByName, plug, removeLink } from './link.ts';
import { runNft } from './netfilter/nft/commands.ts';
import { noteBaseChains } from './netfilter/registered.ts';
import { restore } from './netfilter/restore.ts';
import { chainsInOrder, contentsOf } from './netfilter/rules.ts';
import { ruleText } from './netfilter/save.ts';
import { type Backend, enableConntrack, tablesOf } from './netfilter/state.ts';
import type { CtEntry, IpSet } from './netfilter/types.ts';
import { fromPlain, type Plain, toPlain } from './plain.ts';
import type { Kernel, Link, LinkAddress, LinkKind, Neigh, Netns, PolicyRule, Route, Segment } from './types.ts';

export type NetnsPart = 'links' | 'routes' | 'neigh' | 'sysctl' | 'netfilter' | 'ipset' | 'conntrack';
const NETNS_PARTS: readonly NetnsPart[] = ['links', 'routes', 'neigh', 'sysctl', 'netfilter', 'ipset', 'conntrack'];

export interface NetnsSnapshot {
  name: string;
  links?: Plain;
  routes?: Plain;
  neigh?: Plain;
  sysctl?: Plain;
  /** iptables-restore texts by family and backend; `order`: base chains as they were registered. */
  netfilter?: { [key: string]: string };
  ipset?: Plain;
  conntrack?: Plain;
  dirty: string[];
  /** The namespace's file: of two that have had one name, which it was. */
  file?: string;
}

const LINK_FIELDS = [
  'name',
  'kind',
  'ifindex',
  'mac',
  'macSet',
  'portsSelected',
  'mtu',
  'up',
  'addresses',
  'master',
  'hairpin',
  'txqlen',
  'vxlan',
  'ipip',
  'fdb',
  'counters',
  'promisc',
  'isolated',
  'noarp',
  'alias',
] as const;

function linkPlain(link: Link): Plain {
  const out: Record<string, unknown> = {};
  for (const k of LINK_FIELDS) if (link[k] !== undefined && link[k] !== null && link[k] !== false) out[k] = link[k];
  if (link.kind === 'veth' && link.peer) out.peer = { netns: link.peer.netns.name, name: link.peer.name };
  if (link.segment) out.segment = link.segment.name;
  return toPlain(out);
}

/** One table as iptables-restore takes it. Rules that nobody has parsed yet stay as the text they came as. */
function tablesText(ns: Netns, family: 4 | 6, backend: Backend): string {
  const out: string[] = [];
  for (const [name, table] of tablesOf(ns, family, backend)) {
    out.push(`*${name}`);
    const chains = chainsInOrder(table);
    for (const c of chains) out.push(`:${c.name} ${c.policy ?? '-'} [${c.packets}:${c.bytes}]`);
    for (const c of chains) {
      for (const r of contentsOf(c)) {
        // Counters of a line that was restored with them stand before it.
        if (typeof r === 'string') out.push(r.replace(/^(\[\d+:\d+\] )?/, (_, counters = '') => `${counters}-A ${c.name} `));
        else out.push(`[${r.packets}:${r.bytes}] ${ruleText(c.name, r)}`);
      }
    }
    out.push('COMMIT');
  }
  return out.length ? `${out.join('\n')}\n` : '';
}

const TEXTS: [string, 4 | 6, Backend][] = [
  ['nft4', 4, 'nft'],
  ['nft6', 6, 'nft'],
  ['legacy4', 4, 'legacy'],
  ['legacy6', 6, 'legacy'],
];

/** Connections with both keys, once each. */
function conntrackPlain(ns: Netns): Plain {
  const ct = ns.netfilter.conntrack;
  const keys = new Map<CtEntry, string[]>();
  for (const [key, e] of ct.byTuple) {
    const known = keys.get(e);
    if (known) known.push(key);
    else keys.set(e, [key]);
  }
  const { byTuple: _, ...rest } = ct;
  return toPlain({ ...rest, entries: [...keys].map(([e, k]) => [k, { ...e, master: null }]) });
}

/** Timers do not survive: a question that is under way is asked anew by the next packet. */
function settledState(n: Neigh): Neigh['state'] {
  if (n.state === 'INCOMPLETE') return 'FAILED';
  return n.state === 'DELAY' || n.state === 'PROBE' ? 'STALE' : n.state;
}

/** The namespace, or only the `parts` that are asked for. */
export function snapshotNetns(ns: Netns, parts: Iterable<NetnsPart> = NETNS_PARTS): NetnsSnapshot {
  const out: NetnsSnapshot = { name: ns.name, dirty: [...ns.dirty], ...(ns.file === undefined ? {} : { file: ns.file }) };
  for (const part of parts) {
    if (part === 'links') out.links = { nextIfindex: ns.nextIfindex, all: [...ns.links.values()].map(linkPlain) };
    else if (part === 'routes') out.routes = toPlain({ rules: ns.rules, tables: ns.tables });
    else if (part === 'neigh') out.neigh = toPlain(ns.neigh.map(n => ({ ...n, queue: [], state: settledState(n) })));
    else if (part === 'sysctl') out.sysctl = toPlain(ns.sysctls);
    else if (part === 'netfilter') {
      out.netfilter = {};
      for (const [key, family, backend] of TEXTS) {
        const text = tablesText(ns, family, backend);
        if (text) out.netfilter[key] = text;
      }
      const nft = runNft(ns, 'list ruleset').out;
      if (nft) out.netfilter.nft = nft;
      noteBaseChains(ns);
      const order = [...ns.netfilter.registered].sort((a, b) => a[1] - b[1]).map(([key]) => key);
      if (order.length) out.netfilter.order = order.join('\n');
    } else if (part === 'ipset') out.ipset = toPlain({ sets: ns.netfilter.ipsets, recent: ns.netfilter.recent });
    else out.conntrack = conntrackPlain(ns);
  }
  return out;
}

interface LinkPlain {
  name: string;
  kind: LinkKind;
  ifindex: number;
  peer?: { netns: string; name: string };
  segment?: string;
  master?: number;
  addresses?: LinkAddress[];
}

/** Make `ns` what the snapshot says, part by part; parts it does not have stay as they are. `segments`: cables by name. */
export function restoreNetns(ns: Netns, json: NetnsSnapshot, segments: Map<string, Segment> = new Map()): void {
  if (json.links) restoreLinks(ns, json.links, segments);
  if (json.routes) {
    const r = fromPlain(json.routes) as { rules: PolicyRule[]; tables: Map<number, Route[]> };
    ns.rules = r.rules;
    ns.tables = r.tables;
    for (const table of ns.tables.keys()) for (const family of [4, 6] as const) fibOf(ns, table, family);
  }
  if (json.neigh) ns.neigh = fromPlain(json.neigh) as Neigh[];
  if (json.sysctl) ns.sysctls = fromPlain(json.sysctl) as Map<string, string>;
  if (json.ipset) {
    const s = fromPlain(json.ipset) as { sets: Map<string, IpSet>; recent: Map<string, Map<string, number[]>> };
    ns.netfilter.ipsets = s.sets;
    ns.netfilter.recent = s.recent;
  }
  if (json.netfilter) restoreTables(ns, json.netfilter);
  if (json.conntrack) restoreConntrack(ns, json.conntrack);
  ns.dirty = new Set(json.dirty as unknown as [Netns['dirty'] extends Set<infer T> ? T : never]);
}

function restoreTables(ns: Netns, texts: { [key: string]: string }): void {
  runNft(ns, `flush ruleset\n${texts.nft ?? ''}`);
  for (const [key, family, backend] of TEXTS) {
    tablesOf(ns, family, backend).clear();
    ns.netfilter.hooks.clear();
    if (!texts[key]) continue;
    const wrong = restore(ns, family, texts[key], { counters: true, backend });
    if (wrong) throw new Error(`kept rules of ${ns.name || ns.kernel.hostname}, line ${wrong.line}: ${wrong.message}`);
  }
  ns.netfilter.registered = new Map((texts.order ?? '').split('\n').map((key, i) => [key, i + 1]));
  noteBaseChains(ns);
}

function restoreConntrack(ns: Netns, plain: Plain): void {
  const { entries, ...rest } = fromPlain(plain) as { entries: [string[], CtEntry][] } & Omit<Netns['netfilter']['conntrack'], 'byTuple'>;
  const ct = ns.netfilter.conntrack;
  if (rest.enabled) enableConntrack(ns);
  Object.assign(ct, rest);
  ct.byTuple.clear();
  for (const [keys, e] of entries) for (const key of keys) ct.byTuple.set(key, e);
}

function restoreLinks(ns: Netns, plain: Plain, segments: Map<string, Segment>): void {
  const { all, nextIfindex } = fromPlain(plain) as { all: LinkPlain[]; nextIfindex: number };
  const names = new Set(all.map(l => l.name));
  // A device that has another name by now is the same device, and its other end is still there.
  const renamed = (l: LinkPlain) => {
    const link = ns.links.get(l.ifindex);
    return link && link.kind === l.kind && !names.has(link.name) ? link : null;
  };
  for (const l of all) {
    const link = linkByName(ns, l.name) ? null : renamed(l);
    if (link) link.name = l.name;
  }
  for (const link of [...ns.links.values()]) if (!names.has(link.name)) removeLink(link);
  const found = all.map(l => {
    const known = linkByName(ns, l.name);
    if (known) ns.links.delete(known.ifindex);
    return known;
  });
  all.forEach((l, i) => {
    const { peer, segment, ...fields } = l;
    const known = found[i];
    if (known) ns.links.set(l.ifindex, known);
    const link = known ?? addLink(ns, { name: l.name, kind: l.kind, ifindex: l.ifindex });
    // What is absent was null, false or not there.
    Object.assign(link, { master: null, hairpin: false, up: false, promisc: false, vxlan: null, ipip: null }, fields);
    if (link.vxlan && link.up) {
      ns.kernelPorts ??= new Map();
      ns.kernelPorts.set(link.vxlan.port, link);
    }
    if (peer && !link.peer) joinVeth(ns.kernel, link, peer);
    const cable = segment ? segments.get(segment) : undefined;
    if (cable && link.segment !== cable) plugQuietly(link, cable);
  });
  ns.nextIfindex = nextIfindex;
}

/** The other end may not be there yet: whichever is restored last joins them. */
function joinVeth(kernel: Kernel, link: Link, peer: { netns: string; name: string }): void {
  const other = kernel.netns.get(peer.netns);
  const end = other && linkByName(other, peer.name);
  if (!end || end.peer) return;
  link.peer = end;
  end.peer = link;
}

function plugQuietly(link: Link, cable: Segment): void {
  const up = link.up;
  link.up = false; // no new addresses: the snapshot has them
  plug(link, cable);
  link.up = up;
}
