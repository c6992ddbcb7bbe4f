// Felix's rules in the words of nft: felix/nftables/{renderer,match_builder,actions,table_layer}.go v3.32. What the calculation gives is one for
// both data planes; here its fragments are read and said again.
import { stringToBytes } from '../../../sim/bytes.ts';
import { sha224 } from '../../../sim/sha256.ts';
import type { Family } from '../../../wire/ip.ts';
import { base64url, type Rule } from './rules.ts';

/** Chains of all tables are in one: the table's name is in front of the chain's. */
export const layered = (layer: string, name: string): string => (name.startsWith(layer) ? name : `${layer}-${name}`);

/** Names of sets have no colon. */
export const legalName = (set: string): string => set.replaceAll(':', '-');

const COMMENT_MAX = 128;
const HASH_LENGTH = 16;

interface Said {
  /** As Felix says it, which its hashes cover. */
  said: string;
  /** As the kernel's side takes it back: without a protocol that a port says again, sets of one without braces. */
  plain: string;
}

const same = (text: string): Said => ({ said: text, plain: text });

type Reader = [RegExp, (m: RegExpExecArray, proto: string, family: Family) => Said];

const NUMBERS: Record<string, string> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };
const negated = (word: string | undefined) => (word ? '!= ' : '');
const mark = (text: string) => `0x${Number(text).toString(16)}`;
const device = (name: string) => name.replace(/\+$/, '*');
const of = (family: Family, side: string) => `${family === 4 ? 'ip' : 'ip6'} ${side.startsWith('s') ? 'saddr' : 'daddr'}`;

function portsOf(list: string): { braces: string; bare: string } {
  const ports = list.replaceAll(':', '-').split(',');
  const braces = `{ ${ports.join(', ')} }`;
  return { braces, bare: ports.length === 1 ? ports[0] : braces };
}

const READERS: Reader[] = [
  [/^-m mark --mark (0x\w+)\/\1$/, m => same(`meta mark & ${m[1]} == ${m[1]}`)],
  [/^-m mark (! )?--mark 0\/(0x\w+)$/, m => same(`meta mark & ${m[2]} ${m[1] ? '!=' : '=='} 0`)],
  [/^--(in|out)-interface (\S+)$/, m => same(`${m[1] === 'in' ? 'i' : 'o'}ifname ${device(m[2])}`)],
  [/^-m rpfilter/, () => same('fib saddr . mark . iif oif 0')],
  [/^-m conntrack (! )?--ctstate (\S+)$/, m => same(`ct ${m[2] === 'DNAT' ? 'status' : 'state'} ${negated(m[1])}${m[2].toLowerCase()}`)],
  [/^(! )?-p (\S+)$/, m => same(`meta l4proto ${negated(m[1])}${m[2]}`)],
  [/^(! )?--(source|destination) (\S+)$/, (m, _, f) => same(`${of(f, m[2])} ${negated(m[1])}${m[3]}`)],
  [/^-m set (! )?--match-set (\S+) (src|dst)$/, (m, _, f) => same(`${of(f, m[3])} ${negated(m[1])}@${legalName(m[2])}`)],
  [
    /^-m set (! )?--match-set (\S+) (src|dst),\3$/,
    (m, _, f) => same(`${of(f, m[3])} . meta l4proto . th ${m[3][0]}port ${negated(m[1])}@${legalName(m[2])}`),
  ],
  [
    /^-m multiport (! )?--(source|destination)-ports (\S+)$/,
    (m, proto) => {
      const head = `${proto} ${m[2][0]}port ${negated(m[1])}`;
      const { braces, bare } = portsOf(m[3]);
      return { said: head + braces, plain: head + bare };
    },
  ],
  [/^--dport (\d+)$/, (m, proto) => same(`${proto} dport ${m[1]}`)],
  [
    /^-m addrtype (! )?--(src|dst)-type LOCAL( --limit-iface-out)?$/,
    m => same(`fib ${m[2][0]}addr${m[3] ? ' . oif' : ''} type ${negated(m[1])}local`),
  ],
  [
    /^-m icmp(6)?( !)? --icmp(?:v6)?-type (\d+)(?:\/(\d+))?$/,
    m => same(`icmp${m[1] ? 'v6' : ''} type ${negated(m[2])}${m[3]}${m[4] ? ` code ${negated(m[2])}${m[4]}` : ''}`),
  ],
];

function saidOf(fragment: string, proto: string, family: Family): Said {
  for (const [pattern, say] of READERS) {
    const m = pattern.exec(fragment);
    if (m) return say(m, proto, family);
  }
  throw new Error(`no words of nft for ${fragment}`);
}

function actionOf(text: string, layer: string): string {
  const m = /^--(jump|goto) (\S+)(?: (.*))?$/.exec(text) as RegExpExecArray;
  const [, how, target, more = ''] = m;
  if (target.startsWith('cali-')) return `${how} ${layered(layer, target)}`;
  const masked = /--set-mark (0x\w+|0)\/(0x\w+)/.exec(more);
  switch (target) {
    case 'MARK': {
      const [value, mask] = masked!.slice(1).map(Number);
      if (value === mask) return `meta mark set mark or ${mark(masked![2])}`;
      const kept = `meta mark set mark & 0x${(~mask >>> 0).toString(16)}`;
      return masked![1] === '0' ? kept : `${kept} ^ ${masked![1]}`;
    }
    case 'MASQUERADE': {
      const ports = /--to-ports (\S+)/.exec(more)?.[1];
      return `masquerade ${ports ? `to :${ports} ` : ''}fully-random`;
    }
    case 'SNAT':
      return `snat to ${/--to-source (\S+)/.exec(more)![1]} fully-random`;
    case 'LOG':
      return `log prefix "${/--log-prefix "(.*)"/.exec(more)![1]}" level info`;
    default:
      return target.toLowerCase();
  }
}

/** One rule, as Felix says it and as it is kept. `action` null: only what was matched, or nothing to do at all. */
export function nftRule(rule: Rule, family: Family, layer: string): Said {
  let proto = '';
  const parts = rule.match.map(fragment => {
    const p = /^-p (\S+)$/.exec(fragment);
    if (p) proto = NUMBERS[p[1]] ?? p[1];
    return saidOf(fragment, proto, family);
  });
  const again = parts.some(p => p.plain.startsWith(`${proto} dport `) || p.plain.startsWith(`${proto} sport `));
  const matched = (key: keyof Said) =>
    parts.filter(p => key === 'said' || !again || !p.plain.startsWith('meta l4proto ') || p.plain.includes('!=')).map(p => p[key]);
  const action = rule.action ? ['counter', actionOf(rule.action, layer)] : [];
  const text = (key: keyof Said) => [...matched(key), ...action].join(' ') || 'continue';
  return { said: text('said'), plain: text('plain') };
}

/** Each hash covers the rules before it, and no comment. `name`: the chain's in its table. */
export function nftHashes(name: string, texts: string[]): string[] {
  let state = sha224(stringToBytes(name));
  return texts.map(text => {
    const bytes = stringToBytes(text);
    const data = new Uint8Array(state.length + bytes.length);
    data.set(state);
    data.set(bytes, state.length);
    state = sha224(data);
    return base64url(state).slice(0, HASH_LENGTH);
  });
}

/** The hash and the rule's own comments, cut so that all of them fit. */
export function nftComment(hash: string, comments: string[]): string {
  const head = `cali:${hash};`;
  const most = comments.length ? Math.floor((COMMENT_MAX - head.length) / comments.length) : 0;
  const own = comments.map(c => c.replace(/[^\w @%+=:,./-]/g, '_').slice(0, most));
  return [head, ...own].join(' ').slice(0, COMMENT_MAX);
}
