// The shape of a row of the match table, and what most rows' build functions share.
import type { Family } from '../../../wire/ip.ts';
import type { HookName, Match } from '../types.ts';
import type { Option, ParseContext, Problem } from '../values.ts';

export type Built = Omit<Match, 'module'>;

export interface MatchRow {
  name: string;
  /** Only for this family. */
  family?: Family;
  /** Built-in chains that may use it; any when absent. */
  hooks?: HookName[];
  /** Loaded by itself when -p names this protocol and one of its options follows. */
  proto?: number;
  /** Option names with the number of their arguments. */
  options: Record<string, 0 | 1 | 2>;
  /** Other spellings: `--destination-port`. */
  aliases?: Record<string, string>;
  build: (options: Option[], c: ParseContext) => Built | Problem;
}

/** The last use of an option. */
export function last(options: Option[], name: string): Option | undefined {
  for (let i = options.length - 1; i >= 0; i--) if (options[i].name === name) return options[i];
  return undefined;
}

export const bang = (o: { invert: boolean } | undefined): string => (o?.invert ? ' !' : '');

/** The listing says the same with and without -n. */
export const always = (text: string) => () => text;
