// The table itself: chains, sets and maps that do not depend on any Service (pkg/proxy/nftables/proxier.go, setupNFTables).
import type { RuleSettings } from '../settings.ts';
import { masqueradeRule } from './service-rules.ts';

const BASE: [name: string, type: string, hook: string, priority: number][] = [
  ['filter-prerouting-pre-dnat', 'filter', 'prerouting', -110],
  ['filter-output-pre-dnat', 'filter', 'output', -110],
  ['filter-input', 'filter', 'input', 0],
  ['filter-forward', 'filter', 'forward', 0],
  ['filter-output', 'filter', 'output', 0],
  ['nat-prerouting', 'nat', 'prerouting', -100],
  ['nat-output', 'nat', 'output', -100],
  ['nat-postrouting', 'nat', 'postrouting', 100],
];

const JUMPS: [to: string, from: string, match: string][] = [
  ['nodeport-endpoints-check', 'filter-input', 'ct state new '],
  ['service-endpoints-check', 'filter-input', 'ct state new '],
  ['service-endpoints-check', 'filter-forward', 'ct state new '],
  ['service-endpoints-check', 'filter-output', 'ct state new '],
  ['firewall-check', 'filter-prerouting-pre-dnat', 'ct state new '],
  ['firewall-check', 'filter-output-pre-dnat', 'ct state new '],
  ['services', 'nat-output', ''],
  ['services', 'nat-prerouting', ''],
  ['masquerading', 'nat-postrouting', ''],
  ['cluster-ips-check', 'filter-forward', 'ct state new '],
  ['cluster-ips-check', 'filter-output', 'ct state new '],
];

/** `nodePortIPs`: where node ports answer; null: at every address. `hasNodePortIPs`: the set is there from another configuration. */
export function setupText(s: RuleSettings, nodePortIPs: string[] | null, hasNodePortIPs: boolean): string {
  const x = s.family === 4 ? 'ip' : 'ip6';
  const t = `${x} kube-proxy`;
  const addr = s.family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const service = `${x} daddr . meta l4proto . th dport`;
  let out = `add table ${t} { comment "rules for kube-proxy" ; }\n`;
  const rule = (chain: string, text: string, comment?: string) => {
    out += `add rule ${t} ${chain} ${text}${comment ? ` comment "${comment}"` : ''}\n`;
  };
  const container = (kind: 'set' | 'map', name: string, type: string, comment: string) => {
    out += `add ${kind} ${t} ${name} { type ${type} ; comment "${comment}" ; }\n`;
  };
  const chain = (name: string, body = '') => {
    out += `add chain ${t} ${name}${body}\nflush chain ${t} ${name}\n`;
  };
  for (const [name, type, hook, priority] of BASE) chain(name, ` { type ${type} hook ${hook} priority ${priority} ; }`);
  for (const name of new Set(JUMPS.map(j => j[0]))) chain(name);
  chain('reject-chain', ' { comment "helper for @no-endpoint-services / @no-endpoint-nodeports" ; }');
  for (const [to, from, match] of JUMPS) rule(from, `${match}jump ${to}`);

  container('set', 'hairpin-connections', `${addr} . ${addr} . inet_proto . inet_service`, 'service hairpin connections');
  rule('masquerading', `meta mark & ${s.mark} != 0 meta mark set meta mark ^ ${s.mark} masquerade fully-random`);
  const pair = `${x} saddr . ${x} daddr . meta l4proto . th dport`;
  rule('masquerading', `ct status dnat ${pair} @hairpin-connections masquerade fully-random`);

  container('set', 'cluster-ips', addr, 'Active ClusterIPs');
  rule('cluster-ips-check', `${x} daddr @cluster-ips reject`, 'Reject traffic to invalid ports of ClusterIPs');
  const { serviceCIDRs } = s.nft;
  if (serviceCIDRs.length) {
    const which = serviceCIDRs.length === 1 ? serviceCIDRs[0] : `{ ${serviceCIDRs.join(', ')} }`;
    rule('cluster-ips-check', `${x} daddr ${which} drop`, 'Drop traffic to unallocated ClusterIPs');
  }

  if (nodePortIPs || hasNodePortIPs) {
    container('set', 'nodeport-ips', addr, 'IPs that accept NodePort traffic');
    out += `${nodePortIPs ? 'flush' : 'delete'} set ${t} nodeport-ips\n`;
    for (const ip of nodePortIPs ?? []) out += `add element ${t} nodeport-ips { ${ip} }\n`;
  }
  const verdicts = `${addr} . inet_proto . inet_service : verdict`;
  const portVerdicts = 'inet_proto . inet_service : verdict';
  container('map', 'no-endpoint-services', verdicts, 'vmap to drop or reject packets to services with no endpoints');
  container('map', 'no-endpoint-nodeports', portVerdicts, 'vmap to drop or reject packets to service nodeports with no endpoints');
  rule('reject-chain', 'reject');
  rule('service-endpoints-check', `${service} vmap @no-endpoint-services`);
  const notLocalhost = s.family === 4 ? 'ip daddr != 127.0.0.0/8' : 'ip6 daddr != ::1';
  const atNodePort = nodePortIPs ? `${x} daddr @nodeport-ips` : notLocalhost;
  rule('nodeport-endpoints-check', `${atNodePort} meta l4proto . th dport vmap @no-endpoint-nodeports`);

  container('map', 'firewall-ips', verdicts, 'destinations that are subject to LoadBalancerSourceRanges');
  rule('firewall-check', `${service} vmap @firewall-ips`);
  container('map', 'service-ips', verdicts, 'ClusterIP, ExternalIP and LoadBalancer IP traffic');
  container('map', 'service-nodeports', portVerdicts, 'NodePort traffic');
  const masquerade = masqueradeRule(s);
  if (s.masqueradeAll) rule('services', `${x} daddr @cluster-ips ${masquerade}`, 'masquerade all clusterIP traffic');
  else if (s.nft.notLocal) {
    rule('services', `${x} daddr @cluster-ips ${s.nft.notLocal} ${masquerade}`, 'masquerade clusterIP traffic from outside cluster');
  }
  rule('services', `${service} vmap @service-ips`);
  rule('services', `${nodePortIPs ? atNodePort : `fib daddr type local ${notLocalhost}`} meta l4proto . th dport vmap @service-nodeports`);
  return out;
}
