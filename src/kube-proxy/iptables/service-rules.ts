// The rules of one Service port, as k8s.io/kubernetes v1.36.3 pkg/proxy/iptables/proxier.go (syncProxyRules) writes them.
import { inCidr, parseIp } from '../../wire/ip.ts';
import { chainHash, endpointChainName } from '../names.ts';
import { type Endpoint, externallyAccessible, rangeText, type ServicePort } from '../serviceport.ts';
import type { RuleSettings } from '../settings.ts';
import { type Categorized, categorizeEndpoints } from '../topology.ts';

/** Text of one Service port, apart by what a partial sync writes always and what only after a change. */
export interface Section {
  /** Rules of KUBE-SERVICES and KUBE-NODEPORTS in nat (dispatch.ts). */
  dispatch: string;
  /** Rules of KUBE-SERVICES, KUBE-EXTERNAL-SERVICES, KUBE-NODEPORTS and KUBE-PROXY-FIREWALL in filter. */
  filter: string;
  /** The port's own chains in nat and their rules. */
  chains: string[];
  rules: string;
}

const LOCALHOST_COUNTER = 'localhost_nps_accepted_pkts';

/** `%0.10f` of 1/n. Go rounds the only tie, 1/2048, to even; toFixed rounds it up. */
const probabilities: string[] = [];
function probability(n: number): string {
  return (probabilities[n] ??= n === 2048 ? '0.0004882812' : (1 / n).toFixed(10));
}

interface Plan extends Categorized {
  port: ServicePort;
  protocol: string;
  svc: string;
  svl: string;
  ext: string;
  fw: string;
  internalChain: string;
  externalPolicyChain: string;
  lbChain: string;
  hasInternal: boolean;
  hasExternal: boolean;
  usesExt: boolean;
  usesFw: boolean;
}

function plan(port: ServicePort, endpoints: Endpoint[], s: RuleSettings): Plan {
  const c = categorizeEndpoints(endpoints, port, s.nodeName, s.zone);
  const protocol = port.protocol.toLowerCase();
  const hash = chainHash(port.name + protocol);
  const [svc, svl, ext, fw] = [`KUBE-SVC-${hash}`, `KUBE-SVL-${hash}`, `KUBE-EXT-${hash}`, `KUBE-FW-${hash}`];
  const usesFw = c.hasAny && port.loadBalancerVIPs.length > 0 && port.sourceRanges.length > 0;
  return {
    ...c,
    port,
    protocol,
    svc,
    svl,
    ext,
    fw,
    internalChain: port.internalLocal ? svl : svc,
    externalPolicyChain: port.externalLocal ? svl : svc,
    lbChain: usesFw ? fw : ext,
    hasInternal: c.hasAny && (!port.internalLocal || c.local.length > 0),
    hasExternal: c.hasAny && (!port.externalLocal || c.local.length > 0),
    usesExt: c.hasAny && externallyAccessible(port),
    usesFw,
  };
}

/** What leads to the port's chains from KUBE-SERVICES and KUBE-NODEPORTS. */
function dispatchRules(p: Plan, s: RuleSettings): string {
  const { port, protocol } = p;
  const to = (what: string, ip: string, chain: string) =>
    `-A KUBE-SERVICES -m comment --comment "${port.name} ${what}" -m ${protocol} -p ${protocol} -d ${ip} --dport ${port.port} -j ${chain}\n`;
  let out = '';
  if (p.hasInternal) out += to('cluster IP', port.clusterIP, p.internalChain);
  if (!p.hasAny) return out;
  for (const ip of port.externalIPs) out += to('external IP', ip, p.ext);
  for (const ip of port.loadBalancerVIPs) out += to('loadbalancer IP', ip, p.lbChain);
  if (port.nodePort) {
    const head = `-A KUBE-NODEPORTS -m comment --comment ${port.name} -m ${protocol} -p ${protocol}`;
    if (s.localhostNodePorts && s.family === 4) {
      out += `${head} -d 127.0.0.0/8 --dport ${port.nodePort} -m nfacct --nfacct-name ${LOCALHOST_COUNTER} -j ${p.ext}\n`;
    }
    out += `${head} --dport ${port.nodePort} -j ${p.ext}\n`;
  }
  return out;
}

/** Refusals: no endpoints at all is REJECT, none on this node for a Local policy is DROP. */
function filterRules(p: Plan): string {
  const { port, protocol } = p;
  const target = p.hasAny ? 'DROP' : 'REJECT';
  const comment = `"${port.name} has no ${p.hasAny ? 'local ' : ''}endpoints"`;
  const refuse = (chain: string, ip: string) =>
    `-A ${chain} -m comment --comment ${comment} -m ${protocol} -p ${protocol} -d ${ip} --dport ${port.port} -j ${target}\n`;
  let out = '';
  if (!p.hasInternal) out += refuse('KUBE-SERVICES', port.clusterIP);
  if (!p.hasExternal) for (const ip of port.externalIPs) out += refuse('KUBE-EXTERNAL-SERVICES', ip);
  if (p.usesFw) {
    for (const ip of port.loadBalancerVIPs) {
      const text = `"${port.name} traffic not accepted by ${p.fw}"`;
      out += `-A KUBE-PROXY-FIREWALL -m comment --comment ${text} -m ${protocol} -p ${protocol} -d ${ip} --dport ${port.port} -j DROP\n`;
    }
  }
  if (!p.hasExternal) {
    for (const ip of port.loadBalancerVIPs) out += refuse('KUBE-EXTERNAL-SERVICES', ip);
    if (port.nodePort) {
      const tail = `-m addrtype --dst-type LOCAL -m ${protocol} -p ${protocol} --dport ${port.nodePort} -j ${target}\n`;
      out += `-A KUBE-EXTERNAL-SERVICES -m comment --comment ${comment} ${tail}`;
    }
  }
  if (port.healthCheckNodePort) {
    const text = `"${port.name} health check node port"`;
    out += `-A KUBE-NODEPORTS -m comment --comment ${text} -m tcp -p tcp --dport ${port.healthCheckNodePort} -j ACCEPT\n`;
  }
  return out;
}

function externalRules(p: Plan, s: RuleSettings): string {
  const name = p.port.name;
  const rule = (comment: string, rest: string) => `-A ${p.ext} -m comment --comment "${comment} ${name} external destinations" ${rest}\n`;
  let out = '';
  if (!p.port.externalLocal) out += rule('masquerade traffic for', '-j KUBE-MARK-MASQ');
  else {
    // The short cut: who is inside the cluster reaches every endpoint also through an external address.
    if (s.detectLocal) out += rule('pod traffic for', `${s.detectLocal} -j ${p.svc}`);
    out += rule('masquerade LOCAL traffic for', '-m addrtype --src-type LOCAL -j KUBE-MARK-MASQ');
    out += rule('route LOCAL traffic for', `-m addrtype --src-type LOCAL -j ${p.svc}`);
  }
  if (p.hasExternal) out += `-A ${p.ext} -j ${p.externalPolicyChain}\n`;
  return out;
}

function firewallRules(p: Plan, s: RuleSettings): string {
  const head = `-A ${p.fw} -m comment --comment "${p.port.name} loadbalancer IP"`;
  let out = '';
  for (const range of p.port.sourceRanges) out += `${head} -s ${rangeText(range)} -j ${p.ext}\n`;
  // A request of this node to the address comes back with that address as its source, never having left.
  const nodeIP = s.nodeIP ? parseIp(s.nodeIP) : null;
  if (nodeIP && p.port.sourceRanges.some(r => inCidr(r, nodeIP))) {
    for (const ip of p.port.loadBalancerVIPs) out += `${head} -s ${ip} -j ${p.ext}\n`;
  }
  return `${out}-A ${p.fw} -m comment --comment "other traffic to ${p.port.name} will be dropped by KUBE-PROXY-FIREWALL"\n`;
}

function policyRules(p: Plan, chain: string, endpoints: Endpoint[], large: boolean): string {
  const { port } = p;
  const names = endpoints.map(e => endpointChainName(port.name, p.protocol, e.text));
  const heads = endpoints.map(e => (large ? `-A ${chain}` : `-A ${chain} -m comment --comment "${port.name} -> ${e.text}"`));
  let out = '';
  if (port.clientIPAffinity) {
    for (let i = 0; i < names.length; i++) {
      out += `${heads[i]} -m recent --name ${names[i]} --rcheck --seconds ${port.stickyMaxAgeSeconds} --reap -j ${names[i]}\n`;
    }
  }
  for (let i = 0; i < names.length; i++) {
    const left = names.length - i;
    const dice = left > 1 ? ` -m statistic --mode random --probability ${probability(left)}` : '';
    out += `${heads[i]}${dice} -j ${names[i]}\n`;
  }
  return out;
}

function endpointRules(p: Plan, e: Endpoint, chain: string, large: boolean): string {
  const head = large ? `-A ${chain}` : `-A ${chain} -m comment --comment ${p.port.name}`;
  const recent = p.port.clientIPAffinity ? ` -m recent --name ${chain} --set` : '';
  // Traffic that comes back to its own sender must be masqueraded, or the answer never passes the NAT.
  return `${head} -s ${e.ip} -j KUBE-MARK-MASQ\n${head}${recent} -m ${p.protocol} -p ${p.protocol} -j DNAT --to-destination ${e.text}\n`;
}

export function serviceSection(port: ServicePort, endpoints: Endpoint[], s: RuleSettings, large: boolean): Section {
  const p = plan(port, endpoints, s);
  const section: Section = { dispatch: dispatchRules(p, s), filter: filterRules(p), chains: [], rules: '' };
  const masquerade = s.masqueradeAll ? '' : s.detectLocal ? ` ${s.detectNotLocal}` : null;
  if (p.hasInternal && masquerade !== null) {
    const match = `-m ${p.protocol} -p ${p.protocol} -d ${port.clusterIP} --dport ${port.port}`;
    section.rules += `-A ${p.internalChain} -m comment --comment "${port.name} cluster IP" ${match}${masquerade} -j KUBE-MARK-MASQ\n`;
  }
  if (p.usesExt) {
    section.chains.push(p.ext);
    section.rules += externalRules(p, s);
  }
  if (p.usesFw) {
    section.chains.push(p.fw);
    section.rules += firewallRules(p, s);
  }
  if (p.cluster.length) {
    section.chains.push(p.svc);
    section.rules += policyRules(p, p.svc, p.cluster, large);
  }
  if (p.local.length) {
    section.chains.push(p.svl);
    section.rules += policyRules(p, p.svl, p.local, large);
  }
  for (const e of p.reachable) {
    const chain = endpointChainName(port.name, p.protocol, e.text);
    section.chains.push(chain);
    section.rules += endpointRules(p, e, chain, large);
  }
  return section;
}
