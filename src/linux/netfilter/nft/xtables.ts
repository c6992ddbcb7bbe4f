// Tables of iptables-nft as `nft list …` shows them: the kernel holds them as nftables' own, with some expressions only iptables can read.
import type { Family } from '../../../wire/ip.ts';
import { formatIp } from '../../../wire/ip.ts';
import type { Netns } from '../../types.ts';
import { chainsInOrder, rulesOf } from '../rules.ts';
import type { AddrTest, Chain, Match, Rule, Table, TableName, Target } from '../types.ts';
import { protocolName } from '../values.ts';
import { priorityText } from './print.ts';

const PRIORITY: Record<TableName, number> = { raw: -300, mangle: -150, nat: 0, filter: 0, security: 50 };

const address = (side: string, family: Family, a: AddrTest | null): string => {
  if (!a) return '';
  const text = a.bits === a.ip.length * 8 ? formatIp(a.ip) : `${formatIp(a.ip)}/${a.bits}`;
  return `${family === 4 ? 'ip' : 'ip6'} ${side} ${a.invert ? '!= ' : ''}${text} `;
};

const iface = (word: string, x: Rule['in']): string => (x ? `${word} ${x.invert ? '!= ' : ''}"${x.name.replace(/\+$/, '*')}" ` : '');

const hex8 = (s: string) => `0x${Number(s).toString(16).padStart(8, '0')}`;

/** What the xtables library of nft turns a match into; others are shown as `xt match`. */
function matchText(m: Match, proto: string): string {
  const not = (bang: string | undefined) => (bang ? '!= ' : '');
  if (m.module === 'comment') return '';
  if (m.module === 'tcp' || m.module === 'udp' || m.module === 'sctp') {
    return [...m.save.matchAll(/( !)? --(sport|dport) (\S+)/g)]
      .map(x => `${proto} ${x[2]} ${not(x[1])}${x[3].replace(':', '-')}`)
      .join(' ');
  }
  const mark = /^( !)? --mark (0x[0-9a-f]+)(?:\/(0x[0-9a-f]+))?$/.exec(m.save);
  if (m.module === 'mark' && mark) {
    return mark[3] ? `meta mark & ${hex8(mark[3])} ${mark[1] ? '!=' : '=='} ${hex8(mark[2])}` : `meta mark ${not(mark[1])}${hex8(mark[2])}`;
  }
  const state = /^( !)? --(?:ct)?state (\S+)$/.exec(m.save);
  if (state && (m.module === 'conntrack' || m.module === 'state')) {
    const order = ['INVALID', 'ESTABLISHED', 'RELATED', 'NEW', 'UNTRACKED'];
    const words = state[2].split(',');
    const states = order.filter(w => words.includes(w)).map(w => w.toLowerCase());
    const status = words.filter(w => w === 'SNAT' || w === 'DNAT').map(w => w.toLowerCase());
    return [
      states.length ? `ct state ${not(state[1])}${states.join(',')}` : '',
      status.length ? `ct status ${not(state[1])}${status.join(',')}` : '',
    ]
      .filter(Boolean)
      .join(' '); // prettier-ignore
  }
  const limit = /^ --limit (\S+)(?: --limit-burst (\d+))?$/.exec(m.save);
  if (limit) return `limit rate ${limit[1].replace('min', 'minute').replace('sec', 'second')} burst ${limit[2] ?? 5} packets`;
  const type = /^( !)? --(src|dst)-type (\S+)$/.exec(m.save);
  if (m.module === 'addrtype' && type) return `fib ${type[2] === 'src' ? 's' : 'd'}addr type ${not(type[1])}${type[3].toLowerCase()}`;
  return `xt match "${m.module}"`;
}

function targetText(t: Target | null, table: Table): string {
  if (!t) return '';
  if (!t.run) return table.chains.has(t.name) ? `jump ${t.name}` : t.name.toLowerCase();
  const word = (re: RegExp) => re.exec(t.save)?.[1];
  const flags = [
    / --random(?!-)/.test(t.save) && 'random',
    t.save.includes('--random-fully') && 'fully-random',
    t.save.includes('--persistent') && 'persistent',
  ].filter(Boolean); // prettier-ignore
  const tail = flags.length ? ` ${flags.join(',')}` : '';
  switch (t.name) {
    case 'MASQUERADE':
      return `masquerade${word(/--to-ports (\S+)/) ? ` to :${word(/--to-ports (\S+)/)}` : ''}${tail}`;
    case 'DNAT':
      return `dnat to ${word(/--to-destination (\S+)/)}${tail}`;
    case 'SNAT':
      return `snat to ${word(/--to-source (\S+)/)}${tail}`;
    case 'REDIRECT':
      return `redirect${word(/--to-ports (\S+)/) ? ` to :${word(/--to-ports (\S+)/)}` : ''}${tail}`;
    case 'MARK':
      return markText(t.save);
    case 'REJECT':
      return rejectText(word(/--reject-with (\S+)/) ?? '');
    case 'NOTRACK':
      return 'notrack';
    case 'LOG':
      return `log${word(/--log-prefix ("[^"]*"|\S+)/) ? ` prefix ${word(/--log-prefix ("[^"]*"|\S+)/)}` : ''}`;
    default:
      return `xt target "${t.name}"`;
  }
}

function markText(save: string): string {
  const m = /--set-xmark (0x[0-9a-f]+)\/(0x[0-9a-f]+)/.exec(save);
  if (!m) return 'xt target "MARK"';
  const value = Number(m[1]);
  const mask = Number(m[2]);
  const hex = (n: number) => `0x${(n >>> 0).toString(16)}`;
  if (mask === 0xffffffff) return `meta mark set ${hex(value)}`;
  if (mask === 0) return `meta mark set mark xor ${hex(value)}`;
  if (mask === value) return `meta mark set mark or ${hex(value)}`;
  if (value === 0) return `meta mark set mark and ${hex(~mask)}`;
  return `meta mark set mark and ${hex(~mask)} xor ${hex(value)}`;
}

function rejectText(kind: string): string {
  if (kind === 'icmp-port-unreachable' || kind === 'icmp6-port-unreachable') return 'reject';
  if (kind === 'tcp-reset') return 'reject with tcp reset';
  const m = /^(icmp6?)-(.*)$/.exec(kind);
  return m ? `reject with ${m[1] === 'icmp6' ? 'icmpv6' : 'icmp'} ${m[2].replace('proto-', 'prot-').replace('adm-', 'admin-')}` : 'reject';
}

function ruleLine(r: Rule, table: Table): string {
  const v4 = table.family === 4;
  const name = protocolName(r.proto);
  const ported = r.matches.some(m => m.module === name && /--[sd]port/.test(m.save));
  let s = iface('iifname', r.in) + iface('oifname', r.out);
  // The protocol is left out where a port right after says it too.
  const first = r.matches[0]?.module === name && ported && !r.src && !r.dst;
  if (r.proto && !first) s += `meta l4proto ${r.protoInvert ? '!= ' : ''}${name} `;
  s += address('saddr', v4 ? 4 : 6, r.src) + address('daddr', v4 ? 4 : 6, r.dst);
  for (const m of r.matches) s += `${matchText(m, name)} `;
  s += `counter packets ${r.packets} bytes ${r.bytes}`;
  const target = targetText(r.target, table);
  return target ? `${s} ${r.goto ? target.replace('jump', 'goto') : target}` : s;
}

function chainText(ns: Netns, table: Table, chain: Chain): string {
  let s = `\tchain ${chain.name} {\n`;
  if (chain.policy !== null) {
    const hook = chain.name.toLowerCase();
    const nat = table.name === 'nat';
    const type = nat ? 'nat' : table.name === 'mangle' && hook === 'output' ? 'route' : 'filter';
    const priority = nat ? (hook === 'prerouting' || hook === 'output' ? -100 : 100) : PRIORITY[table.name];
    s += `\t\ttype ${type} hook ${hook} priority ${priorityText(priority, hook)}; policy ${chain.policy.toLowerCase()};\n`;
  }
  for (const rule of rulesOf(ns, table, chain)) s += `\t\t${ruleLine(rule, table)}\n`;
  return `${s}\t}\n`;
}

interface Shown {
  text: string;
  /** `ip filter` … for the warnings. */
  managed: string[];
  /** The command asked for such a table alone. */
  only: boolean;
}

/** What a list command has to show of them, or null: nothing. */
export function xtTablesText(ns: Netns, words: string[]): Shown | null {
  if (words[0] !== 'list') return null;
  const [, what, ...rest] = words;
  const family = ['ip', 'ip6', 'inet'].includes(rest[0]) ? rest.shift() : null;
  const all: [string, Table][] = ([4, 6] as Family[]).flatMap(f =>
    [...ns.netfilter.xt[f].values()].map(t => [`${f === 4 ? 'ip' : 'ip6'} ${t.name}`, t] as [string, Table]),
  );
  if (what === 'ruleset' || what === 'tables') {
    const shown = all.filter(([name]) => family === null || name.startsWith(`${family} `));
    if (!shown.length) return null;
    const text = what === 'tables' ? shown.map(([n]) => `table ${n}\n`).join('') : shown.map(([n, t]) => tableText(ns, n, t)).join('');
    return { text, managed: what === 'tables' ? [] : shown.map(([n]) => n), only: false };
  }
  if (what !== 'table' && what !== 'chain') return null;
  const name = `${family ?? 'ip'} ${rest[0]}`;
  const table = all.find(([n]) => n === name)?.[1];
  if (!table) return null;
  if (what === 'table') return { text: tableText(ns, name, table), managed: [name], only: true };
  const chain = table.chains.get(rest[1] ?? '');
  return chain ? { text: `table ${name} {\n${chainText(ns, table, chain)}}\n`, managed: [name], only: true } : null;
}

/** User chains come in the order they were made, after the built-in ones. */
const tableText = (ns: Netns, name: string, table: Table): string =>
  `table ${name} {\n${chainsInOrder(table)
    .map(c => chainText(ns, table, c))
    .join('\n')}}\n`; // prettier-ignore
