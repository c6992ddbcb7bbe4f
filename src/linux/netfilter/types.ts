// Netfilter's state as plain data: x_tables, conntrack with NAT, ipset. Text forms are in save.ts, restore.ts and the programs.
import type { Family, Ip } from '../../wire/ip.ts';
import type { Link, Netns, Skb } from '../types.ts';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';
export type HookName = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

export interface NetfilterState {
  /** iptables and ip6tables: tables exist once something touched them. */
  xt: Record<Family, Map<TableName, Table>>;
  /** Tables of the iptables-legacy tools, which live beside those of the nf_tables variant. */
  legacy: Record<Family, Map<TableName, Table>>;
  ipsets: Map<string, IpSet>;
  conntrack: Conntrack;
  /** nftables' own tables (nft list ruleset), in order; filled by the nft data plane. */
  nft: unknown[];
  /** `-m recent` lists: name -> address text -> when seen. */
  recent: Map<string, Map<string, number[]>>;
  /** Accounting objects that rules count into (`nfacct`). */
  nfacct: Set<string>;
  /** Elements that a loaded session has for nftables' dynamic sets, until the sets are there again. */
  kept: KeptElement[];
  /** When each base chain came (registered.ts). */
  registered: Map<string, number>;
  /** Which evaluators run at a hook, by family and hook; emptied when a table appears. */
  hooks: Map<string, unknown>;
}

export interface Table {
  name: TableName;
  family: Family;
  /** In the order iptables-save prints them: built-in first, then as created. */
  chains: Map<string, Chain>;
}

export interface Chain {
  name: string;
  /** Built-in chains only. */
  policy: 'ACCEPT' | 'DROP' | null;
  packets: number;
  bytes: number;
  /** What the walk made of the rules (traverse.ts); null after every change. */
  compiled: unknown;
  /** Use `rulesOf(chain)`: rules written by restore are parsed when first needed. */
  rules: Rule[] | null;
  /** Unparsed rule arguments (after `-A CHAIN `) while `rules` is null. */
  lines: string[] | (() => string[]) | null;
  /** Instead of both: rules of a component that changes a few of very many at a time (parts.ts). */
  parts: ChainParts | null;
}

export interface ChainParts {
  byKey: Map<string, ChainPart>;
  /** All rules in order; null after every change. */
  all: Rule[] | null;
}

/** Rules of one chain that stand together. */
export interface ChainPart {
  /** Lower ones come first. */
  order: number;
  /** As in a chain: text until somebody asks for the rules. */
  lines: string[];
  rules: Rule[] | null;
}

/** An address or interface test with its `!`. */
export interface AddrTest {
  ip: Ip;
  mask: Ip;
  /** Length of the mask, or -1: not contiguous. */
  bits: number;
  invert: boolean;
}

export interface Rule {
  src: AddrTest | null;
  dst: AddrTest | null;
  in: { name: string; invert: boolean } | null;
  out: { name: string; invert: boolean } | null;
  /** Protocol number, 0: any. */
  proto: number;
  protoInvert: boolean;
  /** -f: true second fragments, false (`! -f`) heads and whole packets. */
  fragment: boolean | null;
  /** In the order they were given, which is the order they are tested and printed in. */
  matches: Match[];
  target: Target | null;
  /** `-g` instead of `-j`. */
  goto: boolean;
  packets: number;
  bytes: number;
}

/** One `-m` with its parsed arguments; modules are rows of the table in matches.ts. */
export interface Match {
  module: string;
  test: (skb: Skb, ctx: HookContext) => boolean;
  /** The arguments as iptables-save prints them, with a leading blank: ` --dport 80`. */
  save: string;
  /** The arguments as `iptables -L` prints them at the end of the line, with a leading blank. */
  list: (numeric: boolean) => string;
  /** `tcp --dport`: what a chain's index may rely on. */
  dport?: number;
  /** ipset names, which this rule holds a reference to. */
  sets?: string[];
}

export interface Target {
  /** A verdict, an extension, or a user chain. */
  name: string;
  /** null: a verdict of its own name, or a jump to the chain of this name. */
  run: ((skb: Skb, ctx: HookContext) => TargetResult) | null;
  save: string;
  list: (numeric: boolean) => string;
  sets?: string[];
}

type TargetResult = 'ACCEPT' | 'DROP' | 'CONTINUE' | 'RETURN' | 'STOLEN';

export interface HookContext {
  hook: HookName;
  family: Family;
  table: TableName;
  netns: Netns;
  in: Link | null;
  out: Link | null;
}

/** An element that a rule added to a set of nftables. */
export interface KeptElement {
  /** `ip kube-proxy` */
  table: string;
  set: string;
  key: (string | number | { ip: string })[];
  timeoutMs: number | null;
  expiresAtMs: number | null;
}

export type HookVerdict = 'ACCEPT' | 'DROP' | 'STOLEN';

export type Step = (skb: Skb, ctx: HookContext) => HookVerdict;

/** A chain of any kind at a hook. `nat` ones are asked only for the first packet of a flow. */
export interface HookEntry {
  priority: number;
  /** Counts up; the newest comes first among equal priorities. */
  registered: number;
  nat: boolean;
  run: Step;
}

export interface CtTuple {
  family: Family;
  proto: number;
  src: Ip;
  dst: Ip;
  sport: number;
  dport: number;
  /** ICMP: type and code in dport's place are not part of the tuple's ports. */
  icmpType?: number;
  icmpId?: number;
  icmpCode?: number;
}

export interface CtEntry {
  id: number;
  original: CtTuple;
  reply: CtTuple;
  state: string;
  /** SEEN_REPLY, ASSURED, CONFIRMED, SRC_NAT, DST_NAT */
  seenReply: boolean;
  assured: boolean;
  confirmed: boolean;
  snat: boolean;
  dnat: boolean;
  natDone: { prerouting: boolean; postrouting: boolean };
  mark: number;
  expiresAtMs: number;
  counters: { packets: [number, number]; bytes: [number, number] };
  zone: number;
  master: CtEntry | null;
  createdAtMs: number;
  /** Removed from the table: a packet that still carries it must not bring it back. */
  dead: boolean;
  /** What the protocol's tracker notes: the last packet's kind and direction, when a UDP flow becomes a stream. */
  last: { index: number; direction: 0 | 1; streamAtMs: number };
  /** nf_conntrack_acct was on when the flow began. */
  acct: boolean;
  /** No flow: what the CT target says about the flow that will be looked for (IPS_TEMPLATE). */
  template?: boolean;
}

export interface CtRef {
  entry: CtEntry;
  direction: 'original' | 'reply';
  /** What `--ctstate` sees for this packet. */
  info: 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';
}

export interface Conntrack {
  /** By tuple key, both directions point at the entry. */
  byTuple: Map<string, CtEntry>;
  nextId: number;
  /** Entries in the table, without the second key of each. */
  count: number;
  /** The hooks run only once a rule needs them (nf_ct_netns_get). */
  enabled: boolean;
  /** When the table was last searched for entries whose time is over. */
  sweptAtMs: number;
  /** `conntrack -E` and whoever else wants to know. */
  listeners: Set<(kind: 'NEW' | 'UPDATE' | 'DESTROY', entry: CtEntry) => void>;
  stats: { found: number; invalid: number; insert: number; insertFailed: number; drop: number; earlyDrop: number };
}

export interface IpSet {
  name: string;
  /** hash:ip, hash:net, hash:ip,port … (ipset-types.ts). */
  type: string;
  family: Family;
  hashsize: number;
  maxelem: number;
  /** Further creation options, as `ipset save` prints them, in its order: `netmask 24`, `range 0-65535`. */
  extra: string;
  /** Seconds an entry lives when it says nothing else; null: no timeouts. */
  timeout: number | null;
  counters: boolean;
  comment: boolean;
  skbinfo: boolean;
  bucketsize: number;
  initval: number;
  /** hash:ip and friends: entries are cut to this length. */
  netmask: number;
  /** bitmap types: lowest and highest port, or address as a number. */
  range: [number, number] | null;
  /** By key: the parts of the entry joined by commas, networks always with their length. */
  entries: Map<string, IpSetEntry>;
  /** Prefix lengths in use in each dimension that holds networks: how many entries have it. */
  prefixes: Map<number, number>[];
}

export interface IpSetEntry {
  /** As `ipset save` prints it, without what follows. */
  text: string;
  nomatch: boolean;
  comment: string | null;
  timeoutAtMs: number | null;
  packets: number;
  bytes: number;
  /** skbmark and the like, as printed. */
  skb: string;
}
