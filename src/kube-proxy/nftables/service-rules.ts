// The chains, sets and elements of one Service port, as k8s.io/kubernetes v1.36.3 pkg/proxy/nftables/proxier.go writes them.
import { formatCidr, formatIp, inCidr, network, parseCidr, parseIp } from '../../wire/ip.ts';
import { chainHash } from '../names.ts';
import { type Endpoint, externallyAccessible, type ServicePort } from '../serviceport.ts';
import type { RuleSettings } from '../settings.ts';
import { type Categorized, categorizeEndpoints } from '../topology.ts';

export type Container =
  | 'cluster-ips'
  | 'service-ips'
  | 'firewall-ips'
  | 'no-endpoint-services'
  | 'no-endpoint-nodeports'
  | 'service-nodeports'
  | 'hairpin-connections';

export interface Element {
  container: Container;
  key: string;
  value: string;
  comment: string;
  /** The Service's: of two that want one key the later has it. */
  order: number;
}

export interface NftSection {
  chains: string[];
  /** Name -> timeout in seconds. */
  affinitySets: [string, number][];
  /** What a partial sync writes only after a change. */
  rules: string;
  elements: Element[];
}

const NAME_MAX = 240;

/** hashAndTruncate */
function hashed(name: string): string {
  const full = `${chainHash(name).slice(0, 8)}-${name}`;
  return full.length > NAME_MAX ? `${full.slice(0, NAME_MAX - 3)}...` : full;
}

const portPath = (p: ServicePort): string => `${p.namespace}/${p.service}/${p.protocol.toLowerCase()}/${p.portName}`;
const endpointBase = (p: ServicePort, e: Endpoint): string => hashed(`${portPath(p)}__${e.ip.replaceAll(':', '.')}/${e.port}`);

interface Plan extends Categorized {
  port: ServicePort;
  protocol: string;
  ipX: string;
  service: string;
  localChain: string;
  external: string;
  firewall: string;
  hasInternal: boolean;
  hasExternal: boolean;
  usesFirewall: boolean;
  rule: (chain: string, text: string, comment?: string) => string;
}

function plan(port: ServicePort, endpoints: Endpoint[], s: RuleSettings): Plan {
  const c = categorizeEndpoints(endpoints, port, s.nodeName, s.zone);
  const base = hashed(portPath(port));
  const ipX = s.family === 4 ? 'ip' : 'ip6';
  return {
    ...c,
    port,
    protocol: port.protocol.toLowerCase(),
    ipX,
    service: `service-${base}`,
    localChain: `local-${base}`,
    external: `external-${base}`,
    firewall: `firewall-${base}`,
    hasInternal: c.hasAny && (!port.internalLocal || c.local.length > 0),
    hasExternal: c.hasAny && (!port.externalLocal || c.local.length > 0),
    usesFirewall: port.loadBalancerVIPs.length > 0 && port.sourceRanges.length > 0,
    rule: (chain, text, comment) => `add rule ${ipX} kube-proxy ${chain} ${text}${comment ? ` comment "${comment}"` : ''}\n`,
  };
}

function elementsOf(p: Plan, nodeName: string, order: number): Element[] {
  const { port, protocol } = p;
  const out: Element[] = [];
  const put = (container: Container, key: string, value = '', comment = '') => out.push({ container, key, value, comment, order });
  const at = (ip: string) => `${ip} . ${protocol} . ${port.port}`;
  const refuse = p.hasAny ? 'drop' : 'goto reject-chain';
  for (const e of p.reachable) if (e.node === nodeName) put('hairpin-connections', `${e.ip} . ${e.ip} . ${protocol} . ${e.port}`);
  put('cluster-ips', port.clusterIP);
  if (p.hasInternal) put('service-ips', at(port.clusterIP), `goto ${port.internalLocal ? p.localChain : p.service}`);
  else put('no-endpoint-services', at(port.clusterIP), refuse, port.name);
  for (const ip of [...port.externalIPs, ...port.loadBalancerVIPs]) {
    if (p.hasAny) put('service-ips', at(ip), `goto ${p.external}`);
    if (!p.hasExternal) put('no-endpoint-services', at(ip), refuse, port.name);
  }
  if (p.usesFirewall) for (const ip of port.loadBalancerVIPs) put('firewall-ips', at(ip), `goto ${p.firewall}`);
  if (port.nodePort) {
    const key = `${protocol} . ${port.nodePort}`;
    if (p.hasAny) put('service-nodeports', key, `goto ${p.external}`);
    if (!p.hasExternal) put('no-endpoint-nodeports', key, refuse, port.name);
  }
  return out;
}

function externalRules(p: Plan, s: RuleSettings): string {
  const masquerade = masqueradeRule(s);
  let out = '';
  if (!p.port.externalLocal) out += p.rule(p.external, masquerade, 'masquerade');
  else {
    // The short cut: who is inside the cluster reaches every endpoint also through an external address.
    if (s.nft.local) out += p.rule(p.external, `${s.nft.local} goto ${p.service}`, 'short-circuit pod traffic');
    out += p.rule(p.external, `fib saddr type local ${masquerade}`, 'masquerade local traffic');
    out += p.rule(p.external, `fib saddr type local goto ${p.service}`, 'short-circuit local traffic');
  }
  return p.hasExternal ? out + p.rule(p.external, `goto ${p.port.externalLocal ? p.localChain : p.service}`) : out;
}

export const masqueradeRule = (s: RuleSettings): string => `meta mark set meta mark | ${s.mark}`;

function firewallRules(p: Plan, s: RuleSettings): string {
  const sources = p.port.sourceRanges.map(network);
  // A request of this node to the address comes back with that address as its source, never having left.
  const nodeIP = s.nodeIP ? parseIp(s.nodeIP) : null;
  if (nodeIP && sources.some(r => inCidr(r, nodeIP))) sources.push(...p.port.loadBalancerVIPs.map(ip => parseCidr(ip)!));
  // The kernel merges what another range contains.
  const kept = sources.filter(
    (r, i) => !sources.some((o, k) => k !== i && inCidr(o, r.ip) && (o.bits < r.bits || (o.bits === r.bits && k < i))),
  );
  const texts = kept.map(r => (r.bits === r.ip.length * 8 ? formatIp(r.ip) : formatCidr(r)));
  return p.rule(p.firewall, `${p.ipX} saddr != ${sources.length === 1 ? texts[0] : `{ ${texts.join(', ')} }`} drop`);
}

function endpointChoice(p: Plan, chain: string, endpoints: Endpoint[]): string {
  const n = endpoints.length;
  if (!p.port.clientIPAffinity) {
    const map = endpoints.map((e, i) => `${i} : ${e.ip} . ${e.port}`).join(', ');
    return p.rule(chain, `meta l4proto ${p.protocol} dnat ${p.ipX} to numgen random mod ${n} map { ${map} }`);
  }
  let out = '';
  const names = endpoints.map(e => endpointBase(p.port, e));
  for (const name of names) out += p.rule(chain, `${p.ipX} saddr @affinity-${name} goto endpoint-${name}`);
  return out + p.rule(chain, `numgen random mod ${n} vmap { ${names.map((name, i) => `${i} : goto endpoint-${name}`).join(', ')} }`);
}

/** `order`: the Service's. */
export function nftSection(port: ServicePort, endpoints: Endpoint[], s: RuleSettings, order: number): NftSection {
  const p = plan(port, endpoints, s);
  const section: NftSection = { chains: [], affinitySets: [], rules: '', elements: elementsOf(p, s.nodeName, order) };
  const use = (chain: string, rules: string) => {
    section.chains.push(chain);
    section.rules += rules;
  };
  if (p.hasAny && externallyAccessible(port)) use(p.external, externalRules(p, s));
  if (p.usesFirewall) use(p.firewall, firewallRules(p, s));
  if (p.cluster.length) use(p.service, endpointChoice(p, p.service, p.cluster));
  if (p.local.length) use(p.localChain, endpointChoice(p, p.localChain, p.local));
  if (!port.clientIPAffinity) return section;
  for (const e of p.reachable) {
    const name = endpointBase(port, e);
    section.affinitySets.push([`affinity-${name}`, port.stickyMaxAgeSeconds]);
    const update = p.rule(`endpoint-${name}`, `update @affinity-${name} { ${p.ipX} saddr }`);
    use(`endpoint-${name}`, update + p.rule(`endpoint-${name}`, `meta l4proto ${p.protocol} dnat to ${e.text}`));
  }
  return section;
}
