// One policy rule as iptables rules: felix/rules/policy.go v3.32 (ProtoRuleToIptablesRules).
import type { Family } from '../../../wire/ip.ts';
import type { FelixConfig } from './config.ts';
import { action, limitedName, match, type Rule, rule, type Side } from './rules.ts';
import { setName } from './static.ts';

export type RuleAction = 'allow' | 'deny' | 'pass' | 'log';

/** felix/proto Rule: everything resolved to networks, ports and names of IP sets. */
export interface ProtoRule {
  action: RuleAction;
  ipVersion: Family | null;
  protocol: string | number | null;
  notProtocol: string | number | null;
  icmp: { type: number; code: number | null } | null;
  notIcmp: { type: number; code: number | null } | null;
  src: ProtoSide;
  dst: ProtoSide;
  /** `name=…` and other annotations, as comments. */
  annotations: Record<string, string>;
}

export interface ProtoSide {
  nets: string[];
  notNets: string[];
  ports: [number, number][];
  notPorts: [number, number][];
  /** Ids without `cali40`. */
  sets: string[];
  notSets: string[];
  namedPortSets: string[];
  notNamedPortSets: string[];
  /** Sets of address and port (Services). */
  ipPortSets: string[];
}

export interface RuleOwner {
  kind: 'policy' | 'profile';
  /** For %k, %n, %p and %t of the log prefix. */
  shortKind: string;
  name: string;
  namespace: string;
  tier: string;
}

const SLOTS = 15;

/** Fifteen slots fit in a multiport match; a range takes two. */
function splitPorts(ports: [number, number][]): [number, number][][] {
  const out: [number, number][][] = [];
  let left = 0;
  for (const p of ports) {
    const need = p[0] === p[1] ? 1 : 2;
    if (left < need) {
      out.push([]);
      left = SLOTS;
    }
    out[out.length - 1].push(p);
    left -= need;
  }
  return out;
}

const portText = (ports: [number, number][]): string => ports.map(([a, b]) => (a === b ? `${a}` : `${a}:${b}`)).join(',');

/** Networks of this family; null: the rule named some, but none of this family (or negates everything). */
function ofFamily(nets: string[], family: Family, negated: boolean): string[] | null {
  if (!nets.length) return [];
  const mine = nets.filter(n => n.includes(':') === (family === 6));
  if (negated && mine.some(n => n === '0.0.0.0/0' || n === '::/0')) return null;
  return mine.length ? mine : null;
}

interface Block {
  rules: Rule[];
  used: boolean;
  donePositive: boolean;
}

function startBlock(b: Block, c: FelixConfig, initial: number): void {
  if (b.used) return;
  b.rules.push(rule([], action.setMaskedMark(initial, (c.scratch0 | c.scratch1) >>> 0)));
  b.used = true;
}

function positiveBlock(b: Block, c: FelixConfig, alternatives: string[][]): void {
  startBlock(b, c, 0);
  // The first block writes its result where the others' are anded into.
  const mark = b.donePositive ? c.scratch1 : c.scratch0;
  for (const parts of alternatives) b.rules.push(rule(parts, action.setMark(mark)));
  if (b.donePositive) b.rules.push(rule([match.markClear(c.scratch1)], action.clearMark(c.scratch0)));
  b.donePositive = true;
}

function negatedBlock(b: Block, c: FelixConfig, alternatives: string[][]): void {
  startBlock(b, c, c.scratch0);
  for (const parts of alternatives) b.rules.push(rule(parts, action.clearMark(c.scratch0)));
}

const protocolMatch = (p: string | number | null): string[] => (p === null ? [] : [match.protocol(p)]);

function sideMatches(r: ProtoRule, side: Side, family: Family): string[] {
  const s = r[side];
  const name = (id: string) => setName(family, id);
  const out: string[] = [];
  if (s.nets.length) out.push(match.net(side, s.nets[0]));
  for (const id of s.sets) out.push(match.set(side, name(id)));
  if (side === 'dst') for (const id of s.ipPortSets) out.push(match.portSet(side, name(id)));
  if (s.ports.length) out.push(match.ports(side, portText(s.ports)));
  for (const id of s.namedPortSets) out.push(match.portSet(side, name(id)));
  return out;
}

function negatedMatches(r: ProtoRule, side: Side, family: Family): string[] {
  const s = r[side];
  const name = (id: string) => setName(family, id);
  const out: string[] = [];
  if (s.notNets.length) out.push(match.notNet(side, s.notNets[0]));
  for (const id of s.notSets) out.push(match.notSet(side, name(id)));
  for (const split of splitPorts(s.notPorts)) out.push(match.notPorts(side, portText(split)));
  for (const id of s.notNamedPortSets) out.push(match.notPortSet(side, name(id)));
  return out;
}

function wholeMatch(r: ProtoRule, family: Family): string[] {
  const out = [...protocolMatch(r.protocol), ...sideMatches(r, 'src', family), ...sideMatches(r, 'dst', family)];
  if (r.icmp) out.push(match.icmp(family, r.icmp.type, r.icmp.code, false));
  if (r.notProtocol !== null) out.push(match.notProtocol(r.notProtocol));
  out.push(...negatedMatches(r, 'src', family), ...negatedMatches(r, 'dst', family));
  if (r.notIcmp) out.push(match.icmp(family, r.notIcmp.type, r.notIcmp.code, true));
  return out;
}

/** A copy with this family's networks, or null: the rule says nothing about this family. */
function forFamily(r: ProtoRule, family: Family): ProtoRule | null {
  if (r.ipVersion !== null && r.ipVersion !== family) return null;
  const out = { ...r, src: { ...r.src }, dst: { ...r.dst } };
  for (const side of ['src', 'dst'] as const) {
    const nets = ofFamily(r[side].nets, family, false);
    const notNets = ofFamily(r[side].notNets, family, true);
    if (nets === null || notNets === null) return null;
    out[side].nets = nets;
    out[side].notNets = notNets;
  }
  return out;
}

/** What does not fit in one rule (more than one network, fifteen ports, a named port) becomes blocks that mark the packet. */
function blocks(r: ProtoRule, family: Family, c: FelixConfig): Block {
  const b: Block = { rules: [], used: false, donePositive: false };
  for (const side of ['src', 'dst'] as const) {
    const s = r[side];
    const splits = splitPorts(s.ports);
    if (splits.length + s.namedPortSets.length <= 1) continue;
    positiveBlock(b, c, [
      ...splits.map(split => [...protocolMatch(r.protocol), match.ports(side, portText(split))]),
      ...s.namedPortSets.map(id => [match.portSet(side, setName(family, id))]),
    ]);
    s.ports = [];
    s.namedPortSets = [];
  }
  const cidrs = (side: Side, list: string[]) => list.map(cidr => [match.net(side, cidr)]);
  for (const side of ['src', 'dst'] as const) {
    if (r[side].nets.length <= 1) continue;
    positiveBlock(b, c, cidrs(side, r[side].nets));
    r[side].nets = [];
  }
  for (const side of ['src', 'dst'] as const) {
    if (r[side].nets.length + r[side].notNets.length <= 1) continue;
    negatedBlock(b, c, cidrs(side, r[side].notNets));
    r[side].notNets = [];
  }
  return b;
}

function logPrefix(c: FelixConfig, o: RuleOwner): string {
  const path = o.namespace ? `${o.namespace}/${o.name}` : o.name;
  return c.logPrefix.replace(/%[tknp]/g, s => ({ '%t': o.tier, '%k': o.shortKind, '%n': o.name, '%p': path })[s] ?? s);
}

function actions(r: ProtoRule, parts: string[], c: FelixConfig, o: RuleOwner): Rule[] {
  if (r.action === 'log') return [rule(parts, action.log(logPrefix(c, o)))];
  const mark = { allow: c.accept, pass: c.pass, deny: c.drop }[r.action];
  const then = r.action === 'deny' ? c.filterDeny : action.return;
  return [rule(parts, action.setMark(mark)), rule([match.markSet(mark)], then)];
}

export function policyRules(rules: ProtoRule[], family: Family, c: FelixConfig, o: RuleOwner, chainComment: string): Rule[] {
  const out: Rule[] = [];
  for (const given of rules) {
    const r = forFamily(given, family);
    if (!r) continue;
    const b = blocks(r, family, c);
    const parts = wholeMatch(r, family);
    if (b.used) parts.push(match.markSet(c.scratch0));
    const made = [...b.rules, ...actions(r, parts, c, o)];
    for (const x of made) for (const [k, v] of Object.entries(given.annotations)) x.comments.push(`${k}=${v}`);
    out.push(...made);
  }
  // RETURN at a chain's end does nothing, whatever it matches.
  while (out.length && out[out.length - 1].action === action.return) out.pop();
  if (!out.length) out.push(rule([], null));
  out[0].comments.push(chainComment);
  return out;
}

export const policyChainName = (direction: 'ingress' | 'egress', id: string, c: FelixConfig): string =>
  limitedName(direction === 'ingress' ? 'cali-pi-' : 'cali-po-', id, c.maxChainName);
export const profileChainName = (direction: 'ingress' | 'egress', name: string, c: FelixConfig): string =>
  limitedName(direction === 'ingress' ? 'cali-pri-' : 'cali-pro-', name, c.maxChainName);
