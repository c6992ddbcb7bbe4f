// nftables' objects as plain data; rules carry what the parser compiled (statements.ts).
import type { Ip } from '../../../wire/ip.ts';
import type { Skb } from '../../types.ts';
import type { HookContext } from '../types.ts';

export type NftFamily = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

/** One value of one datatype: addresses as bytes, names as text, everything else as a number. */
export type Val = number | string | Ip;

export interface NftTable {
  family: NftFamily;
  name: string;
  comment: string | null;
  flags: string[];
  handle: number;
  /** The next handle of what is in it. */
  nextHandle: number;
  /** Counters, quotas, limits by kind and name. */
  objects: Map<string, NftObject>;
  sets: Map<string, NftSet>;
  chains: Map<string, NftChain>;
  /** How many rules and elements name each chain and set (references.ts); null: nobody has asked yet. */
  named: Map<string, number> | null;
}

export interface NftObject {
  kind: 'counter' | 'quota' | 'limit';
  name: string;
  handle: number;
  comment: string | null;
  /** The body's text is made when printed: counters count. */
  packets: number;
  bytes: number;
  spec: string;
}

export interface NftSet {
  kind: 'set' | 'map';
  name: string;
  handle: number;
  /** Datatypes of the key's parts; how it was written when by `typeof`. */
  keys: string[];
  typeof: string | null;
  /** Maps: datatypes of the value's parts, or ['verdict']. */
  data: string[] | null;
  flags: string[];
  timeoutMs: number | null;
  gcMs: number | null;
  size: number | null;
  policy: string | null;
  autoMerge: boolean;
  comment: string | null;
  counter: boolean;
  /** Elements of single values by their key. */
  exact: Map<string, NftElement>;
  /** Elements with a range or prefix in a part. */
  ranges: NftElement[];
}

/** A part of a key: one value (low is high) or a range. A name that ends in `*` is a prefix. */
export interface Interval {
  low: Val;
  high: Val;
}

export interface NftElement {
  key: Interval[];
  /** Maps. */
  data: Val[] | Interval[] | NftVerdict | null;
  timeoutMs: number | null;
  expiresAtMs: number | null;
  comment: string | null;
  packets: number;
  bytes: number;
  /** State of a limit given with `add @set { … limit … }`. */
  state: unknown;
}

export interface NftVerdict {
  kind: 'accept' | 'drop' | 'return' | 'continue' | 'jump' | 'goto' | 'queue';
  chain: string | null;
}

export interface NftChain {
  name: string;
  handle: number;
  comment: string | null;
  base: { type: 'filter' | 'nat' | 'route'; hook: string; priority: number; policy: 'accept' | 'drop'; device: string | null } | null;
  rules: NftRule[];
}

export interface NftRule {
  handle: number;
  statements: NftStatement[];
  comment: string | null;
}

export interface NftContext extends HookContext {
  nft: NftTable;
  chain: NftChain;
  /** Bytes of the packet, counted once. */
  length: number;
}

/** null: go on with the next statement; 'break': the rule does not match; else the verdict. */
export type NftOutcome = null | 'break' | NftVerdict;

export interface NftStatement {
  text: () => string;
  run: (skb: Skb, ctx: NftContext) => NftOutcome;
  /** Chain it may lead to: a chain that is referred to cannot be deleted. */
  chains?: string[];
  sets?: string[];
  conntrack?: boolean;
  /** State that `reset` and counters work on. */
  counter?: { packets: number; bytes: number };
}
