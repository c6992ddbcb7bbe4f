// Parties that no policy tells apart are one group, so a fleet of thousands has a few hundred times a few hundred verdicts to find, and most
// of those are the same again.
import { type ConnectionVerdict, combineSides, type Direction, decideSide, type SideVerdict } from './evaluate.ts';
import { type Party, type Policy, portsAt, type Rule } from './policies.ts';
import { allPorts } from './ports.ts';

const DIRECTIONS = ['ingress', 'egress'] as const;
const OPEN: SideVerdict = { allowed: allPorts(), denied: [] };

/** Policies that select the same parties in one direction, and what they may ask about the other end. */
interface Selection {
  here: Policy[];
  direction: Direction;
  rules: Rule[];
  /** By the index of the other end's group. */
  matched: Map<Group, string>;
  /** By which rules match, and the destination's ports of a name if any rule names one. */
  verdicts: Map<string, SideVerdict>;
  named: boolean;
}

export interface Group {
  index: number;
  /** Any of them: they fare alike. */
  party: Party;
  /** Of each rule, whether a party of the group is its peer. */
  peer: Set<Rule>;
  /** Its ports that some rule names, as text. */
  namedPorts: string;
  /** null: no policy says anything about that direction. */
  sides: Record<Direction, Selection | null>;
}

export interface Verdicts {
  /** The group of a party: equal parties, the same group. */
  groupOf: (p: Party) => Group;
  /** Equal verdicts are one object. */
  verdict: (from: Group, to: Group) => ConnectionVerdict;
}

/** Bits as text, 16 to a character. */
function bitText(count: number, bit: (i: number) => boolean): string {
  let text = '';
  for (let i = 0; i < count; i += 16) {
    let word = 0;
    for (let k = i; k < Math.min(i + 16, count); k++) if (bit(k)) word |= 1 << (k - i);
    text += String.fromCharCode(word);
  }
  return text;
}

const namesPorts = (r: Rule): boolean => !!r.ports?.some(p => 'named' in p);

export function verdictsOf(policies: Policy[]): Verdicts {
  const rules = policies.flatMap(p => DIRECTIONS.flatMap(d => p[d] ?? []));
  const names = new Set(rules.flatMap(r => (r.ports ?? []).flatMap(p => ('named' in p ? [p.named] : []))));
  const groups = new Map<string, Group>();
  const selections = new Map<string, Selection>();
  const sides = new Map<string, SideVerdict>();
  const connections = new Map<SideVerdict, Map<SideVerdict, ConnectionVerdict>>();
  const texts = new Map<string, ConnectionVerdict>();
  const table: ConnectionVerdict[][] = [];

  /** The policies of `direction` that select the party. */
  const selection = (p: Party, selects: boolean[], direction: Direction): Selection | null => {
    if (!p.pod || p.hostNetwork) return null;
    const key = direction + bitText(policies.length, i => selects[i] && policies[i][direction] !== null);
    let found = selections.get(key);
    if (!found) {
      const here = policies.filter((q, i) => selects[i] && q[direction] !== null);
      const own = here.flatMap(q => q[direction]!);
      found = { here, direction, rules: own, matched: new Map(), verdicts: new Map(), named: own.some(namesPorts) };
      selections.set(key, found);
    }
    return found;
  };

  const groupOf = (p: Party): Group => {
    const selects = policies.map(q => q.selects(p));
    const peer = rules.map(r => !r.peers || r.peers.some(m => m(p)));
    const named = (p.pod?.namedPorts ?? []).filter(n => names.has(n.name)).map(n => `${n.name} ${n.protocol} ${n.port}`);
    const namedPorts = [...new Set(named)].sort().join(',');
    const kind = p.pod && !p.hostNetwork ? 'pod' : '';
    const bits = bitText(policies.length, i => selects[i]) + bitText(rules.length, i => peer[i]);
    const key = `${kind} ${namedPorts} ${bits}`;
    let group = groups.get(key);
    if (!group) {
      group = {
        index: groups.size,
        party: p,
        peer: new Set(rules.filter((_, i) => peer[i])),
        namedPorts,
        sides: { ingress: selection(p, selects, 'ingress'), egress: selection(p, selects, 'egress') },
      };
      groups.set(key, group);
      table.push([]);
    }
    return group;
  };

  const side = (s: Selection | null, other: Group, to: Group): SideVerdict => {
    if (!s) return OPEN;
    let matched = s.matched.get(other);
    if (matched === undefined) s.matched.set(other, (matched = bitText(s.rules.length, i => other.peer.has(s.rules[i]))));
    const key = s.named ? `${matched} ${to.namedPorts}` : matched;
    let found = s.verdicts.get(key);
    if (!found) {
      const fresh = decideSide(s.here, s.direction, { matches: r => other.peer.has(r), ports: r => portsAt(r, to.party) });
      found = theOne(sides, fresh);
      s.verdicts.set(key, found);
    }
    return found;
  };

  const connection = (out: SideVerdict, into: SideVerdict): ConnectionVerdict => {
    let row = connections.get(out);
    if (!row) connections.set(out, (row = new Map()));
    let found = row.get(into);
    if (!found) row.set(into, (found = theOne(texts, combineSides(out, into))));
    return found;
  };

  const verdict = (from: Group, to: Group): ConnectionVerdict =>
    (table[from.index][to.index] ??= connection(side(from.sides.egress, to, to), side(to.sides.ingress, from, to)));

  return { groupOf, verdict };
}

/** The first of equal values. */
function theOne<T>(known: Map<string, T>, value: T): T {
  const text = JSON.stringify(value);
  const first = known.get(text);
  if (first === undefined) known.set(text, value);
  return first ?? value;
}
