// Felix's rules as text and their hashes: felix/generictables/rules.go, felix/iptables/{renderer,match_builder,actions}.go v3.32.
import { base64, stringToBytes } from '../../../sim/bytes.ts';
import { sha224, sha256 } from '../../../sim/sha256.ts';

export interface Rule {
  /** Fragments as Felix renders them, which are what the hash is computed of: long options, marks in its own notation. */
  match: string[];
  /** null: a rule that only carries a comment. */
  action: string | null;
  comments: string[];
}

export interface Chain {
  name: string;
  rules: Rule[];
}

export const MAX_CHAIN_NAME = 28;
const HASH_LENGTH = 16;
const COMMENT_MAX = 256;

export const base64url = (b: Uint8Array): string => base64(b).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

/** libcalico-go/lib/hash GetLengthLimitedID: the name itself if it fits, else a hash that begins with `_`. */
export function limitedName(prefix: string, suffix: string, max = MAX_CHAIN_NAME): string {
  const whole = prefix + suffix;
  const clash = whole.length === max && suffix.startsWith('_');
  if (whole.length <= max && !clash) return whole;
  return `${prefix}_${base64url(sha256(stringToBytes(suffix))).slice(0, max - prefix.length - 1)}`;
}

const commentText = (c: string): string => `-m comment --comment "${c.replace(/[^\w @%+=:,./-]/g, '_').slice(0, COMMENT_MAX)}"`;

/** What stands behind the chain's name: `head` is the hash's comment, or the word HASH while it is computed. */
export function ruleText(rule: Rule, head: string): string {
  const parts = [head, ...rule.comments.map(commentText), ...rule.match];
  if (rule.action) parts.push(rule.action);
  return parts.filter(p => p).join(' ');
}

/** Each rule's hash covers all rules before it, so that Felix can tell from one comment what leads up to it. */
export function ruleHashes(chain: Chain): string[] {
  let state = sha224(stringToBytes(chain.name));
  return chain.rules.map(rule => {
    const text = stringToBytes(`-A ${chain.name} ${ruleText(rule, 'HASH')}`);
    const data = new Uint8Array(state.length + text.length);
    data.set(state);
    data.set(text, state.length);
    state = sha224(data);
    return base64url(state).slice(0, HASH_LENGTH);
  });
}

export const hashComment = (hash: string): string => `-m comment --comment "cali:${hash}"`;

/** The chain's rules as lines of iptables-restore, without `-A CHAIN`. */
export function renderChain(chain: Chain): string[] {
  const hashes = ruleHashes(chain);
  return chain.rules.map((rule, i) => ruleText(rule, hashComment(hashes[i])));
}

export const rule = (match: string[], action: string | null, ...comments: string[]): Rule => ({ match, action, comments });

const hex = (n: number): string => (n === 0 ? '0' : `0x${(n >>> 0).toString(16)}`);
/** `%#x` prints zero as 0x0. */
const hexAlways = (n: number): string => `0x${(n >>> 0).toString(16)}`;

export const match = {
  markSet: (mark: number) => `-m mark --mark ${hex(mark)}/${hex(mark)}`,
  markClear: (mark: number) => `-m mark --mark 0/${hex(mark)}`,
  markNotClear: (mark: number) => `-m mark ! --mark 0/${hex(mark)}`,
  in: (name: string) => `--in-interface ${name}`,
  out: (name: string) => `--out-interface ${name}`,
  rpfFailed: '-m rpfilter --invert --validmark',
  ctstate: (s: string) => `-m conntrack --ctstate ${s}`,
  notCtstate: (s: string) => `-m conntrack ! --ctstate ${s}`,
  protocol: (p: string | number) => `-p ${p}`,
  notProtocol: (p: string | number) => `! -p ${p}`,
  net: (side: Side, cidr: string) => `--${LONG[side]} ${cidr}`,
  notNet: (side: Side, cidr: string) => `! --${LONG[side]} ${cidr}`,
  set: (side: Side, name: string) => `-m set --match-set ${name} ${side}`,
  notSet: (side: Side, name: string) => `-m set ! --match-set ${name} ${side}`,
  portSet: (side: Side, name: string) => `-m set --match-set ${name} ${side},${side}`,
  notPortSet: (side: Side, name: string) => `-m set ! --match-set ${name} ${side},${side}`,
  ports: (side: Side, ports: string) => `-m multiport --${LONG[side]}-ports ${ports}`,
  notPorts: (side: Side, ports: string) => `-m multiport ! --${LONG[side]}-ports ${ports}`,
  destPort: (port: number) => `--dport ${port}`,
  srcLocal: '-m addrtype --src-type LOCAL',
  notSrcLocalOfOut: '-m addrtype ! --src-type LOCAL --limit-iface-out',
  destLocal: '-m addrtype --dst-type LOCAL',
  icmp: (v: 4 | 6, type: number, code: number | null, not: boolean) =>
    `-m ${v === 4 ? 'icmp' : 'icmp6'}${not ? ' !' : ''} --${v === 4 ? 'icmp-type' : 'icmpv6-type'} ${type}${code === null ? '' : `/${code}`}`,
};

export type Side = 'src' | 'dst';
const LONG: Record<Side, string> = { src: 'source', dst: 'destination' };

export const action = {
  accept: '--jump ACCEPT',
  drop: '--jump DROP',
  reject: '--jump REJECT',
  return: '--jump RETURN',
  notrack: '--jump NOTRACK',
  jump: (chain: string) => `--jump ${chain}`,
  goto: (chain: string) => `--goto ${chain}`,
  setMark: (mark: number) => `--jump MARK --set-mark ${hex(mark)}/${hex(mark)}`,
  clearMark: (mark: number) => `--jump MARK --set-mark 0/${hex(mark)}`,
  setMaskedMark: (mark: number, mask: number) => `--jump MARK --set-mark ${hexAlways(mark)}/${hexAlways(mask)}`,
  masquerade: (ports?: string) => `--jump MASQUERADE${ports ? ` --to-ports ${ports}` : ''} --random-fully`,
  snat: (to: string) => `--jump SNAT --to-source ${to} --random-fully`,
  log: (prefix: string) => `--jump LOG --log-prefix "${prefix}: " --log-level 5`,
};

const JUMP = /--(?:jump|goto) (cali-\S+)/;

/** Felix programs only chains that something leads to. */
export function reachable(chains: Map<string, Chain>, roots: string[]): Chain[] {
  const seen = new Set<string>();
  const todo = [...roots];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const chain = chains.get(name);
    if (!chain || seen.has(name)) continue;
    seen.add(name);
    for (const r of chain.rules) {
      const target = JUMP.exec(r.action ?? '')?.[1];
      if (target) todo.push(target);
    }
  }
  return [...chains.values()].filter(c => seen.has(c.name));
}
