// Rules of the API as rules over networks, ports and IP sets, and what those sets hold: felix/calc/rule_scanner.go, felix/ipsets v3.32.
import { stringToBytes } from '../../../sim/bytes.ts';
import { sha224 } from '../../../sim/sha256.ts';
import { type Cidr, formatCidr, formatIp, network, parseCidr } from '../../../wire/ip.ts';
import type { ApiEntity, ApiRule } from './kubernetes.ts';
import { type Endpoint, labelLookup } from './model.ts';
import type { ProtoRule, ProtoSide, RuleAction } from './policy.ts';
import { base64url } from './rules.ts';
import { canonical, NAMESPACE_LABEL, parseSelector, type Selector, selectorText, selects } from './selector.ts';

export interface SetSpec {
  id: string;
  type: 'hash:net' | 'hash:ip,port';
  selector: Selector;
  /** hash:ip,port only. */
  port?: { name: string; protocol: string };
}

const uniqueId = (prefix: string, content: string): string => `${prefix}:${base64url(sha224(stringToBytes(`${prefix}:${content}`)))}`;

function selectorSet(sets: Map<string, SetSpec>, text: string): string {
  const selector = parseSelector(text) ?? { op: 'none' as const };
  const id = uniqueId('s', selectorText(selector));
  if (!sets.has(id)) sets.set(id, { id, type: 'hash:net', selector });
  return id;
}

function namedPortSet(sets: Map<string, SetSpec>, selector: string, protocol: string, name: string): string {
  const parsed = parseSelector(selector) ?? { op: 'none' as const };
  const id = uniqueId('n', `${uniqueId('s', selectorText(parsed))},${protocol},${name}`);
  if (!sets.has(id)) sets.set(id, { id, type: 'hash:ip,port', selector: parsed, port: { name, protocol } });
  return id;
}

function attachPrefix(text: string, prefix: string): string {
  const s = parseSelector(text, prefix);
  return s ? selectorText(s) : 'none()';
}

/** updateprocessors/rules.go getEndpointSelector: which endpoints a rule's side means. '' means any. */
function entitySelector(e: ApiEntity, policyNamespace: string): string {
  const accounts = e.serviceAccounts;
  if (!e.selector && !e.namespaceSelector && !accounts) return '';
  let namespaces = '';
  if (e.namespaceSelector) {
    namespaces = attachPrefix(e.namespaceSelector, 'pcns.')
      .replaceAll('all()', `has(${NAMESPACE_LABEL})`)
      .replaceAll('!has(projectcalico.org/namespace)', `!has(${NAMESPACE_LABEL})`);
  } else if (policyNamespace) namespaces = `${NAMESPACE_LABEL} == '${policyNamespace}'`;
  const parts: string[] = [];
  if (accounts?.names?.length) parts.push(`projectcalico.org/serviceaccount in {'${accounts.names.join("', '")}'}`);
  if (accounts?.selector) parts.push(attachPrefix(accounts.selector, 'pcsa.'));
  const account = parts.length > 1 ? parts.map(p => `(${p})`).join(' && ') : (parts[0] ?? '');
  const all = [namespaces, account, e.selector ?? ''].filter(x => x);
  return all.length === 1 ? all[0] : all.map(x => `(${x})`).join(' && ');
}

function portRange(p: number | string): [number, number] | null {
  const m = /^(\d+)(?::(\d+))?$/.exec(String(p));
  return m ? [Number(m[1]), Number(m[2] ?? m[1])] : null;
}

const netText = (n: string): string => {
  const c = parseCidr(n);
  return c ? formatCidr(network(c)) : n;
};

function side(e: ApiEntity, policyNamespace: string, protocol: string, sets: Map<string, SetSpec>): ProtoSide {
  const selector = entitySelector(e, policyNamespace);
  const numeric = (list: (number | string)[] | undefined) =>
    (list ?? []).flatMap(p => (portRange(p) ? [portRange(p) as [number, number]] : []));
  const named = (list: (number | string)[] | undefined) => (list ?? []).filter(p => !portRange(p)).map(String);
  const ports = numeric(e.ports);
  const names = named(e.ports);
  const nameSet = (n: string) => namedPortSet(sets, selector, protocol, n);
  return {
    nets: (e.nets ?? []).map(netText),
    notNets: (e.notNets ?? []).map(netText),
    ports,
    notPorts: numeric(e.notPorts),
    // Named ports are already those of the selected endpoints.
    sets: selector && (ports.length || !names.length) ? [selectorSet(sets, selector)] : [],
    notSets: e.notSelector ? [selectorSet(sets, e.notSelector)] : [],
    namedPortSets: names.map(nameSet),
    notNamedPortSets: named(e.notPorts).map(nameSet),
    ipPortSets: [],
  };
}

const protocolOf = (p: string | number | undefined): string | number | null =>
  p === undefined || p === null ? null : /^\d+$/.test(String(p)) ? Number(p) : String(p).toLowerCase();

const icmpOf = (i: { type?: number; code?: number } | undefined) => (i?.type === undefined ? null : { type: i.type, code: i.code ?? null });

export function protoRule(r: ApiRule, policyNamespace: string, sets: Map<string, SetSpec>): ProtoRule {
  const protocol = protocolOf(r.protocol);
  const portProtocol = protocol === 'udp' || protocol === 'sctp' ? protocol : 'tcp';
  return {
    action: r.action.toLowerCase() as RuleAction,
    ipVersion: r.ipVersion === 4 || r.ipVersion === 6 ? r.ipVersion : null,
    protocol,
    notProtocol: protocolOf(r.notProtocol),
    icmp: icmpOf(r.icmp),
    notIcmp: icmpOf(r.notICMP),
    src: side(r.source ?? {}, policyNamespace, portProtocol, sets),
    dst: side(r.destination ?? {}, policyNamespace, portProtocol, sets),
    annotations: r.metadata?.annotations ?? {},
  };
}

const memberText = (c: Cidr): string => (c.bits === c.ip.length * 8 ? formatIp(c.ip) : formatCidr(network(c)));

/** A set's entries of one family, as ipset prints them. */
export function setMembers(spec: SetSpec, endpoints: Endpoint[], family: 4 | 6): string[] {
  const out = new Set<string>();
  for (const e of endpoints) {
    if (!selects(spec.selector, labelLookup(e))) continue;
    for (const net of e.nets) {
      if (net.includes(':') !== (family === 6)) continue;
      const c = parseCidr(net);
      if (!c) continue;
      if (!spec.port) {
        // A hash:net set refuses a /0: upstream writes its two halves.
        if (c.bits === 0) for (const half of halves(family)) out.add(half);
        else out.add(memberText(c));
        continue;
      }
      for (const p of e.ports) {
        if (p.name === spec.port.name && p.protocol === spec.port.protocol) out.add(`${formatIp(c.ip)},${p.protocol}:${p.port}`);
      }
    }
  }
  return [...out];
}

const halves = (family: 4 | 6): string[] => (family === 4 ? ['0.0.0.0/1', '128.0.0.0/1'] : ['::/1', '8000::/1']);

export { canonical };
