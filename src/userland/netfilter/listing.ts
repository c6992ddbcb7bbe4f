// `iptables -L`: the columns of xshared.c (print_header, print_rule_details; iptables 1.8.9 and 1.8.11).
import { chainsInOrder, references, rulesOf } from '../../linux/netfilter/rules.ts';
import type { AddrTest, Chain, Rule, Table } from '../../linux/netfilter/types.ts';
import { maskSuffix, protocolName } from '../../linux/netfilter/values.ts';
import type { Netns } from '../../linux/types.ts';
import { formatIp } from '../../wire/ip.ts';

export interface ListOptions {
  numeric: boolean;
  verbose: boolean;
  exact: boolean;
  lineNumbers: boolean;
  /** 1.8.9 printed protocols as numbers with -n. */
  numberProtocols: boolean;
  /** Names of addresses found by a resolver, by address text. */
  names: ReadonlyMap<string, string>;
}

/** xtables_print_num: eight columns exactly, or five with K, M, G, T. */
function count(n: number, o: ListOptions): string {
  if (o.exact) return `${String(n).padStart(8)} `;
  if (n <= 99_999) return `${String(n).padStart(5)} `;
  let value = n;
  for (const unit of ['K', 'M', 'G']) {
    value = Math.floor((value + 500) / 1000);
    if (value <= 9999) return `${String(value).padStart(4)}${unit} `;
  }
  return `${String(Math.floor((value + 500) / 1000)).padStart(4)}T `;
}

/** The same in a sentence: no columns (FMT_NOTABLE). */
const inline = (n: number, o: ListOptions) => count(n, o).trim();

/** /etc/networks of Debian. */
const NETWORKS: Record<string, string> = { '127.0.0.0': 'loopback', '169.254.0.0': 'link-local', '0.0.0.0': 'default' };

/** The text to look a name up for, or null: it needs none. */
export function needsName(a: AddrTest | null): string | null {
  return a && !a.ip.every(b => b === 0) ? formatIp(a.ip) : null;
}

function address(a: AddrTest | null, v6: boolean, o: ListOptions): string {
  if (!a || (a.bits === 0 && !a.invert)) return o.numeric ? (v6 ? '::/0' : '0.0.0.0/0') : 'anywhere';
  const text = formatIp(a.ip);
  const name = o.numeric ? text : (o.names.get(text) ?? NETWORKS[text] ?? (text === '127.0.0.1' ? 'localhost' : text));
  return name + maskSuffix(a.mask, a.bits);
}

function iface(x: { name: string; invert: boolean } | null, o: ListOptions): string {
  return x ? `${x.invert ? '!' : ''}${x.name}` : o.numeric ? '*' : 'any';
}

/** One rule's line, without its newline. */
export function ruleLine(r: Rule, number: number, v6: boolean, o: ListOptions): string {
  let s = o.lineNumbers ? `${String(number).padEnd(4)} ` : '';
  if (o.verbose) s += count(r.packets, o) + count(r.bytes, o);
  // NOTRACK is an alias of the CT target.
  s += `${(r.target?.name === 'NOTRACK' ? 'CT' : (r.target?.name ?? '')).padEnd(9)} `;
  const proto = o.numeric && o.numberProtocols ? String(r.proto) : protocolName(r.proto);
  s += `${r.protoInvert ? '!' : ' '}${proto.padEnd(5)}`;
  s += `${r.fragment === false ? '!' : '-'}${r.fragment === null ? '-' : 'f'} `;
  if (o.verbose) s += ` ${iface(r.in, o).padEnd(6)} ${iface(r.out, o).padEnd(6)} `;
  s += `${r.src?.invert ? '!' : ' '}${address(r.src, v6, o).padEnd(19)} `;
  s += `${r.dst?.invert ? '!' : ' '}${address(r.dst, v6, o).padEnd(19)} `;
  if (r.goto) s += '[goto] ';
  for (const m of r.matches) s += m.list(o.numeric);
  return s + (r.target?.list(o.numeric) ?? '');
}

function header(chain: Chain, refs: number, o: ListOptions): string {
  let s = `Chain ${chain.name} (`;
  if (chain.policy === null) s += `${refs} references)\n`;
  else s += `policy ${chain.policy}${o.verbose ? ` ${inline(chain.packets, o)} packets, ${inline(chain.bytes, o)} bytes` : ''})\n`;
  if (o.lineNumbers) s += 'num  ';
  if (o.verbose) s += o.exact ? `${'pkts'.padStart(8)} ${'bytes'.padStart(10)} ` : `${'pkts'.padStart(5)} ${'bytes'.padStart(5)} `;
  s += `${'target'.padEnd(9)}  prot opt`;
  if (o.verbose) s += ` ${'in'.padEnd(6)} ${'out'.padEnd(6)} `;
  return `${s}${o.verbose ? '' : ''} ${'source'.padEnd(19)}  ${'destination'.padEnd(19)} \n`;
}

export function listChains(ns: Netns, table: Table, only: string | null, o: ListOptions): string {
  const refs = references(ns, table);
  const parts: string[] = [];
  for (const chain of chainsInOrder(table)) {
    if (only !== null && chain.name !== only) continue;
    let s = header(chain, refs.get(chain.name) ?? 0, o);
    rulesOf(ns, table, chain).forEach((r, i) => {
      s += `${ruleLine(r, i + 1, table.family === 6, o)}\n`;
    });
    parts.push(s);
  }
  return parts.join('\n');
}
