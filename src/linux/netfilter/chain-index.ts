// Which rules of a long chain a packet can match at all. A rule that tests `-d 10.96.0.1/32` cannot touch packets to other addresses, and
// the address is the first thing tested, so leaving it out changes nothing, not even counters.
import { ipKey, parseIp } from '../../wire/ip.ts';
import type { Packet } from '../../wire/packet.ts';
import type { ChainPart, HookContext, Rule } from './types.ts';

/** One rule: the `i`th of its part. */
export interface Place {
  /** Where it stands in the chain: lower ones come first. */
  at: number;
  part: ChainPart;
  i: number;
}

export interface ChainIndex {
  byKey: Map<string, Place[]>;
  /** Rules that any packet may match. */
  rest: Place[];
}

export const newChainIndex = (): ChainIndex => ({ byKey: new Map(), rest: [] });

function keyOf(rule: Rule): string | null {
  const { dst, src, out } = rule;
  if (dst && !dst.invert && dst.bits === dst.ip.length * 8) return `d${ipKey(dst.ip)}`;
  if (out && !out.invert && !out.name.endsWith('+')) return `o${out.name}`;
  if (rule.in && !rule.in.invert && !rule.in.name.endsWith('+')) return `i${rule.in.name}`;
  if (src && !src.invert && src.bits === src.ip.length * 8) return `s${ipKey(src.ip)}`;
  if (rule.proto && !rule.protoInvert) {
    for (const m of rule.matches) {
      if (m.dport !== undefined) return `p${rule.proto}:${m.dport}`;
      if (m.module !== 'comment') break; // what is tested before may have effects of its own
    }
  }
  return null;
}

/** The key of a rule that nobody has parsed: of those with one plain destination, which is most of a long chain's. */
function keyOfLine(line: string): string | null {
  const plain = line.includes('"') ? line.replace(/"[^"]*"/g, '') : line;
  const m = /(?:^|[^!]) -d ([\da-f.:]+) /.exec(plain);
  const ip = m && parseIp(m[1]);
  return ip ? `d${ipKey(ip)}` : null;
}

/** The keys of a part's rules, in their order; null: it has to be parsed first. */
export function keysOf(part: ChainPart): (string | null)[] | null {
  if (part.rules) return part.rules.map(keyOf);
  const keys = part.lines.map(keyOfLine);
  return keys.includes(null) ? null : keys;
}

/** Places are kept in order; a new one is mostly the last. */
function insert(list: Place[], place: Place): void {
  let i = list.length;
  while (i > 0 && list[i - 1].at > place.at) i--;
  if (i === list.length) list.push(place);
  else list.splice(i, 0, place);
}

/** `from`: where the part's first rule stands. */
export function addToIndex(index: ChainIndex, part: ChainPart, keys: (string | null)[], from: number): void {
  keys.forEach((key, i) => {
    const place = { at: from + i, part, i };
    const list = key === null ? index.rest : index.byKey.get(key);
    if (list) insert(list, place);
    else index.byKey.set(key as string, [place]);
  });
}

export function removeFromIndex(index: ChainIndex, part: ChainPart, keys: (string | null)[]): void {
  const left = (list: Place[]) => list.filter(p => p.part !== part);
  for (const key of new Set(keys)) {
    if (key === null) {
      index.rest = left(index.rest);
      continue;
    }
    const list = left(index.byKey.get(key) ?? []);
    if (list.length) index.byKey.set(key, list);
    else index.byKey.delete(key);
  }
}

const NONE: Place[] = [];

/** In the order of the chain. */
export function candidates(index: ChainIndex, p: Packet, ctx: HookContext): Place[] {
  const b = p.body;
  const found: Place[][] = index.rest.length ? [index.rest] : [];
  const add = (key: string) => {
    const list = index.byKey.get(key);
    if (list) found.push(list);
  };
  add(`d${ipKey(p.dst)}`);
  add(`s${ipKey(p.src)}`);
  if (ctx.out) add(`o${ctx.out.name}`);
  if (ctx.in) add(`i${ctx.in.name}`);
  if (b.kind === 'tcp' || b.kind === 'udp' || b.kind === 'sctp') add(`p${p.proto}:${b.dport}`);
  if (!found.length) return NONE;
  return found.length === 1 ? found[0] : found.flat().sort((x, y) => x.at - y.at);
}
