// What a transaction holds while its commands run.
import type { Netns } from '../../types.ts';
import type { Token } from './lex.ts';
import type { NftChain, NftElement, NftSet, NftTable } from './types.ts';

/** What a transaction changes of one table, as it was; null: not there. */
export interface Before {
  rest: Pick<NftTable, 'comment' | 'flags' | 'nextHandle' | 'objects'>;
  chains: Map<string, NftChain | null>;
  sets: Map<string, NftSet | null>;
  /** Elements of sets that change in place. */
  elements: Map<NftSet, Map<string, NftElement | null>>;
}

/** By the name of a chain, or `@` and that of a set. */
export type Counts = Map<string, number>;

export interface Work {
  ns: Netns;
  tables: NftTable[];
  before: Map<NftTable, Before>;
  /** Chains and sets that are copies of this transaction's own. */
  ownChains: Set<NftChain>;
  ownSets: Set<NftSet>;
  /** By how many more rules and elements name a chain or set (references.ts), where nothing has changed since it was asked. */
  named: Map<NftTable, Counts>;
  /** A base chain came or went, or something that needs conntrack. */
  hooksChanged: boolean;
  conntrack: boolean;
  changed: boolean;
  /** Chains that verdicts lead to, with the word that says so. */
  wanted: { table: NftTable; chain: string; token: Token }[];
}
