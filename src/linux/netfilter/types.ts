// Netfilter's state as plain data: x_tables, conntrack with NAT, ipset. Text forms are in save.ts, restore.ts and the programs.
import type { Cidr, Family, Ip } from '../../wire/ip.ts';
import type { Skb } from '../types.ts';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';
export type HookName = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

export interface NetfilterState {
  /** iptables and ip6tables: tables exist once something touched them. */
  xt: Record<Family, Map<TableName, Table>>;
  ipsets: Map<string, IpSet>;
  conntrack: Conntrack;
  /** nftables' own tables (nft list ruleset), in order; filled by the nft data plane. */
  nft: unknown[];
  /** `-m recent` lists: name -> address text -> when seen. */
  recent: Map<string, Map<string, number[]>>;
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
  /** Use `rulesOf(chain)`: rules written by restore are parsed when first needed. */
  rules: Rule[] | null;
  /** Unparsed rule arguments (after `-A CHAIN `) while `rules` is null. */
  lines: string[] | null;
}

export interface Rule {
  /** In the order they were given, which is the order they are tested and printed in. */
  matches: Match[];
  target: Target | null;
  /** `-g` instead of `-j`. */
  goto: boolean;
  packets: number;
  bytes: number;
}

/** One `-m` (or built-in -p, -s, -d, -i, -o) with its parsed arguments; modules are rows of the table in matches.ts. */
export interface Match {
  module: string;
  test: (skb: Skb, ctx: HookContext) => boolean;
  /** The arguments as iptables-save prints them. */
  save: string;
  /** The arguments as `iptables -L` prints them at the end of the line ('' for -s, -d …, which have columns of their own). */
  list: string;
  args: Record<string, unknown>;
}

export interface Target {
  /** A verdict, an extension, or a user chain. */
  name: string;
  run: ((skb: Skb, ctx: HookContext) => TargetResult) | null;
  save: string;
  list: string;
  args: Record<string, unknown>;
}

export type TargetResult = 'ACCEPT' | 'DROP' | 'CONTINUE' | 'RETURN' | 'STOLEN';

export interface HookContext {
  hook: HookName;
  family: Family;
  table: TableName;
  netns: import('../types.ts').Netns;
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
  max: number;
}

export interface IpSet {
  name: string;
  type: string;
  family: Family;
  /** Creation options beyond type and family, as `ipset save` prints them. */
  options: Record<string, string | number | boolean>;
  /** By the entry's text as `ipset save` prints it. */
  entries: Map<string, IpSetEntry>;
  references: number;
}

export interface IpSetEntry {
  text: string;
  cidr: Cidr | null;
  /** hash:ip,port and friends. */
  proto?: number;
  port?: number;
  cidr2?: Cidr | null;
  nomatch?: boolean;
  comment?: string;
  timeoutAtMs?: number;
}
