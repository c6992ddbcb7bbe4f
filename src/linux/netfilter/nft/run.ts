import type { Token } from './lex.ts';
import { alike } from './misspell.ts';
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

/** Commands that name what the user may have meant (nft_cmd_enoent and the *_not_found functions of evaluate.c); the others only say no. */
const SUGGESTING = ['add', 'create', 'insert', 'replace', 'delete', 'rename', 'get'];

/** A name that is not there. `kernel`: the complaint is the kernel's, unless there is something alike. */
function missing(x: Run, token: Token, kernel: boolean, alike: string | null): never {
  if (alike && SUGGESTING.includes(x.r.tokens[x.r.start].text)) return refuse(token, `${MISSING}; did you mean ${alike}?`);
  return refuse(token, MISSING, kernel ? MISSING : null);
}

export function noTable(x: Run, token: Token, kernel: boolean): never {
  const t = alike(x.w.tables, t => t.name, token.text);
  return missing(x, token, kernel, t && `table ‘${t.name}’ in family ${t.family}`);
}

/** The table that is named next; `kernel`: the complaint is the kernel's. */
export function tableNamed(x: Run, kernel: boolean): { table: NftTable; token: Token } {
  const f = family(x.r);
  const token = name(x.r);
  const table = findTable(x.w, f, token.text);
  // What the kernel says of a rule's or chain's table is passed on as it is.
  if (!table) return kernel ? refuse(token, MISSING, MISSING) : noTable(x, token, false);
  x.r.table = table;
  return { table, token };
}

export function noChain(x: Run, token: Token, kernel: boolean): never {
  const all = x.w.tables.flatMap(table => [...table.chains.values()].map(chain => ({ table, name: chain.name })));
  const c = alike(all, c => c.name, token.text);
  return missing(x, token, kernel, c && `chain ‘${c.name}’ in table ${c.table.family} ‘${c.table.name}’`);
}

export function noSet(x: Run, token: Token, kernel: boolean): never {
  const all = x.w.tables.flatMap(table => [...table.sets.values()].map(({ name, kind }) => ({ table, name, kind })));
  const s = alike(all, s => s.name, token.text);
  return missing(x, token, kernel, s && `${s.kind} ‘${s.name}’ in table ${s.table.family} ‘${s.table.name}’`);
}

/** `table chain` for a rule: both must be there. */
export function chainNamed(x: Run, kernel: boolean): { table: NftTable; chain: NftChain; token: Token } {
  const { table } = tableNamed(x, kernel);
  const token = name(x.r);
  const chain = table.chains.get(token.text);
  return chain ? { table, chain, token } : noChain(x, token, kernel);
}

export function setNamed(x: Run, kernel: boolean): { table: NftTable; set: NftSet; token: Token } {
  const { table } = tableNamed(x, kernel);
  const token = name(x.r);
  const set = table.sets.get(token.text);
  return set ? { table, set, token } : noSet(x, token, kernel);
}
