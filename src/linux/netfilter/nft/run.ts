import type { Token } from './lex.ts';
import type { ListOptions } from './print.ts';
import { name, type Reader, refuse, takeWord } from './reader.ts';
import { findTable } from './store.ts';
import type { NftChain, NftFamily, NftSet, NftTable } from './types.ts';
import type { Work } from './work.ts';

export const FAMILIES = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'];

export const MISSING = 'No such file or directory';

export interface Run {
  r: Reader;
  w: Work;
  list: ListOptions;
  out: string[];
}

export const family = (r: Reader): NftFamily => (takeWord(r, ...FAMILIES) as NftFamily | null) ?? 'ip';

/** The table that is named next; `kernel`: the complaint is the kernel's. */
export function tableNamed(x: Run, kernel: boolean): { table: NftTable; token: Token } {
  const f = family(x.r);
  const token = name(x.r);
  const table = findTable(x.w, f, token.text);
  if (!table) return refuse(token, MISSING, kernel ? MISSING : null);
  x.r.table = table;
  return { table, token };
}

/** `table chain` for a rule: both must be there. */
export function chainNamed(x: Run, kernel: boolean): { table: NftTable; chain: NftChain; token: Token } {
  const { table } = tableNamed(x, kernel);
  const token = name(x.r);
  const chain = table.chains.get(token.text);
  return chain ? { table, chain, token } : refuse(token, MISSING, kernel ? MISSING : null);
}

export function setNamed(x: Run, kernel: boolean): { table: NftTable; set: NftSet; token: Token } {
  const { table } = tableNamed(x, kernel);
  const token = name(x.r);
  const set = table.sets.get(token.text);
  return set ? { table, set, token } : refuse(token, MISSING, kernel ? MISSING : null);
}
