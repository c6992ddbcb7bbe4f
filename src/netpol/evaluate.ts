// What policies say about a connection, by the specifications alone: no packet, no rule of any CNI. The walk is held equal to this.
import type { Party, Policy, Rule, Tier } from './policies.ts';
import { portsAt } from './policies.ts';
import { allPorts, type Interval, intersect, isEmpty, noPorts, type PortSet, PROTOCOLS, type Protocol, subtract, union } from './ports.ts';

export type Direction = 'ingress' | 'egress';

export interface Denial {
  ports: PortSet;
  tier: Tier;
  policies: string[];
  /** Index of the rule that denies; null: what no rule of the selecting policies allows. */
  rule: number | null;
}

export interface SideVerdict {
  allowed: PortSet;
  denied: Denial[];
}

/** What the rules of one side ask of a connection's two ends. */
export interface Ends {
  /** Is the other end a peer of the rule's? */
  matches: (r: Rule) => boolean;
  /** The rule's ports at the destination. */
  ports: (r: Rule) => PortSet;
}

/** One side of a connection: `subject`'s policies in `direction`, for the ports of `destination`. */
function evaluateSide(policies: Policy[], subject: Party, peer: Party, direction: Direction, destination: Party): SideVerdict {
  if (!subject.pod || subject.hostNetwork) return { allowed: allPorts(), denied: [] };
  const here = policies.filter(p => p[direction] && p.selects(subject));
  return decideSide(here, direction, { matches: r => !r.peers || r.peers.some(m => m(peer)), ports: r => portsAt(r, destination) });
}

/** `here`: the policies that select a pod and say something about `direction`, in the order of policiesOf. */
export function decideSide(here: Policy[], direction: Direction, ends: Ends): SideVerdict {
  const verdict: SideVerdict = { allowed: noPorts(), denied: [] };
  const open = tier(here, 'Admin', allPorts(), verdict, direction, ends);
  const selecting = here.filter(p => p.tier === 'NetworkPolicy');
  if (!selecting.length) {
    const rest = tier(here, 'Baseline', open, verdict, direction, ends);
    verdict.allowed = union(verdict.allowed, rest);
    return verdict;
  }
  let allows = noPorts();
  for (const p of selecting) {
    for (const r of p[direction]!) if (ends.matches(r)) allows = union(allows, ends.ports(r));
  }
  verdict.allowed = union(verdict.allowed, intersect(open, allows));
  const rest = subtract(open, allows);
  if (!isEmpty(rest)) verdict.denied.push({ ports: rest, tier: 'NetworkPolicy', policies: selecting.map(p => p.name), rule: null });
  return verdict;
}

/** Apply one tier's ordered rules to what is still open. -> what they leave to the next tier (passed, or matched by none) */
function tier(here: Policy[], name: Tier, open: PortSet, verdict: SideVerdict, direction: Direction, ends: Ends): PortSet {
  let undecided = open;
  let passed = noPorts();
  for (const p of here) {
    if (p.tier !== name) continue;
    p[direction]!.forEach((r, index) => {
      if (isEmpty(undecided) || !ends.matches(r)) return;
      const hit = intersect(undecided, ends.ports(r));
      if (isEmpty(hit)) return;
      undecided = subtract(undecided, hit);
      if (r.action === 'Allow') verdict.allowed = union(verdict.allowed, hit);
      else if (r.action === 'Pass') passed = union(passed, hit);
      else verdict.denied.push({ ports: hit, tier: name, policies: [p.name], rule: index });
    });
  }
  return union(undecided, passed);
}

export interface DeniedPorts {
  protocol: Protocol;
  ports: Interval[];
  at: 'ingress' | 'egress' | 'both';
  tier: Tier;
  policies: string[];
  rule: number | null;
}

export interface ConnectionVerdict {
  allowed: PortSet;
  denied: DeniedPorts[];
}

export function evaluateConnection(policies: Policy[], from: Party, to: Party): ConnectionVerdict {
  const out = evaluateSide(policies, from, to, 'egress', to);
  return combineSides(out, evaluateSide(policies, to, from, 'ingress', to));
}

/** A connection needs both sides' consent. `out`: the client's egress; `into`: the server's ingress. */
export function combineSides(out: SideVerdict, into: SideVerdict): ConnectionVerdict {
  const denied: DeniedPorts[] = [];
  const add = (at: DeniedPorts['at'], d: Denial, ports: PortSet, also: string[] = []) => {
    for (const protocol of PROTOCOLS) {
      const here = ports[protocol];
      if (here.length)
        denied.push({ protocol, ports: here, at, tier: d.tier, policies: [...new Set([...d.policies, ...also])], rule: d.rule });
    }
  };
  for (const e of out.denied) {
    let alone = e.ports;
    for (const i of into.denied) {
      const both = intersect(e.ports, i.ports);
      add('both', e, both, i.policies);
      alone = subtract(alone, both);
    }
    add('egress', e, alone);
  }
  for (const i of into.denied) {
    let alone = i.ports;
    for (const e of out.denied) alone = subtract(alone, e.ports);
    add('ingress', i, alone);
  }
  return { allowed: intersect(out.allowed, into.allowed), denied };
}
