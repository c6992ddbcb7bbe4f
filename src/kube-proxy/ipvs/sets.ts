// The sets of the IPVS mode and the rules that match them (k8s.io/kubernetes v1.36.3 pkg/proxy/ipvs/{ipset,proxier}.go).
import { restoreSets } from '../../linux/netfilter/ipset.ts';
import { protocolName } from '../../linux/netfilter/values.ts';
import type { Netns } from '../../linux/types.ts';
import type { Family } from '../../wire/ip.ts';
import type { RuleSettings } from '../settings.ts';

const LONGEST_NAME = 31;

/** Name, type, comment of the rule. */
const SETS = {
  loopBack: ['KUBE-LOOP-BACK', 'hash:ip,port,ip', 'Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose'],
  clusterIP: ['KUBE-CLUSTER-IP', 'hash:ip,port', 'Kubernetes service cluster ip + port for masquerade purpose'],
  externalIP: ['KUBE-EXTERNAL-IP', 'hash:ip,port', 'Kubernetes service external ip + port for masquerade and filter purpose'],
  externalIPLocal: ['KUBE-EXTERNAL-IP-LOCAL', 'hash:ip,port', 'Kubernetes service external ip + port with externalTrafficPolicy=local'],
  loadBalancer: ['KUBE-LOAD-BALANCER', 'hash:ip,port', 'Kubernetes service lb portal'],
  loadBalancerFW: [
    'KUBE-LOAD-BALANCER-FW',
    'hash:ip,port',
    'Kubernetes service load balancer ip + port for load balancer with sourceRange',
  ],
  loadBalancerLocal: [
    'KUBE-LOAD-BALANCER-LOCAL',
    'hash:ip,port',
    'Kubernetes service load balancer ip + port with externalTrafficPolicy=local',
  ],
  sourceIP: [
    'KUBE-LOAD-BALANCER-SOURCE-IP',
    'hash:ip,port,ip',
    'Kubernetes service load balancer ip + port + source IP for packet filter purpose',
  ],
  sourceCIDR: [
    'KUBE-LOAD-BALANCER-SOURCE-CIDR',
    'hash:ip,port,net',
    'Kubernetes service load balancer ip + port + source cidr for packet filter purpose',
  ],
  nodePortTCP: ['KUBE-NODE-PORT-TCP', 'bitmap:port', 'Kubernetes nodeport TCP port for masquerade purpose'],
  nodePortLocalTCP: ['KUBE-NODE-PORT-LOCAL-TCP', 'bitmap:port', 'Kubernetes nodeport TCP port with externalTrafficPolicy=local'],
  nodePortUDP: ['KUBE-NODE-PORT-UDP', 'bitmap:port', 'Kubernetes nodeport UDP port for masquerade purpose'],
  nodePortLocalUDP: ['KUBE-NODE-PORT-LOCAL-UDP', 'bitmap:port', 'Kubernetes nodeport UDP port with externalTrafficPolicy=local'],
  nodePortSCTP: [
    'KUBE-NODE-PORT-SCTP-HASH',
    'hash:ip,port',
    "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
  ],
  nodePortLocalSCTP: [
    'KUBE-NODE-PORT-LOCAL-SCTP-HASH',
    'hash:ip,port',
    "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
  ],
  healthCheck: ['KUBE-HEALTH-CHECK-NODE-PORT', 'bitmap:port', 'Kubernetes health check node port'],
  bound: ['KUBE-IPVS-IPS', 'hash:ip', 'Used by the ipvs proxier to prevent access to host ports through service addresses'],
} as const;

export type SetId = keyof typeof SETS;
const SET_IDS = Object.keys(SETS) as SetId[];

/** Entries by set, as ipset takes them. */
export type SetEntries = Map<SetId, Set<string>>;

export const setName = (id: SetId, family: Family): string =>
  family === 4 ? SETS[id][0] : SETS[id][0].replace('KUBE-', 'KUBE-6-').slice(0, LONGEST_NAME);

/** The kernel keeps protocols by number. */
const named = (entry: string): string => entry.replace(/,(6|17|132):/, (_, n) => `,${protocolName(Number(n))}:`);

/** Make every set, and bring its entries to those that are wanted. */
export function syncSets(ns: Netns, family: Family, wanted: SetEntries): void {
  let text = '';
  for (const id of SET_IDS) {
    const name = setName(id, family);
    const type = SETS[id][1];
    const there = ns.netfilter.ipsets.get(name);
    if (!there)
      text += `create ${name} ${type} ${type === 'bitmap:port' ? 'range 0-65535' : `family ${family === 4 ? 'inet' : 'inet6'}`}\n`;
    const want = wanted.get(id) ?? new Set<string>();
    const have = new Set([...(there?.entries.keys() ?? [])].map(named));
    for (const e of have) if (!want.has(e)) text += `del ${name} ${e} -exist\n`;
    for (const e of want) if (!have.has(e)) text += `add ${name} ${e} -exist\n`;
  }
  if (text) restoreSets(ns, text);
}

type Row = [set: SetId, table: 'nat' | 'filter', from: string, to: string, match: string, protocol?: string];

/** ipsetWithIptablesChain: those for local traffic come before those that masquerade. */
const ROWS: Row[] = [
  ['loopBack', 'nat', 'KUBE-POSTROUTING', 'MASQUERADE', 'dst,dst,src'],
  ['loadBalancer', 'nat', 'KUBE-SERVICES', 'KUBE-LOAD-BALANCER', 'dst,dst'],
  ['loadBalancerLocal', 'nat', 'KUBE-LOAD-BALANCER', 'RETURN', 'dst,dst'],
  ['nodePortLocalTCP', 'nat', 'KUBE-NODE-PORT', 'RETURN', 'dst', 'tcp'],
  ['nodePortTCP', 'nat', 'KUBE-NODE-PORT', 'KUBE-MARK-MASQ', 'dst', 'tcp'],
  ['nodePortLocalUDP', 'nat', 'KUBE-NODE-PORT', 'RETURN', 'dst', 'udp'],
  ['nodePortUDP', 'nat', 'KUBE-NODE-PORT', 'KUBE-MARK-MASQ', 'dst', 'udp'],
  ['nodePortLocalSCTP', 'nat', 'KUBE-NODE-PORT', 'RETURN', 'dst,dst', 'sctp'],
  ['nodePortSCTP', 'nat', 'KUBE-NODE-PORT', 'KUBE-MARK-MASQ', 'dst,dst', 'sctp'],
  ['loadBalancerFW', 'filter', 'KUBE-PROXY-FIREWALL', 'KUBE-SOURCE-RANGES-FIREWALL', 'dst,dst'],
  ['sourceCIDR', 'filter', 'KUBE-SOURCE-RANGES-FIREWALL', 'RETURN', 'dst,dst,src'],
  ['sourceIP', 'filter', 'KUBE-SOURCE-RANGES-FIREWALL', 'RETURN', 'dst,dst,src'],
];

export const NAT_CHAINS = ['KUBE-SERVICES', 'KUBE-POSTROUTING', 'KUBE-NODE-PORT', 'KUBE-LOAD-BALANCER', 'KUBE-MARK-MASQ'];
export const FILTER_CHAINS = [
  'KUBE-FORWARD',
  'KUBE-NODE-PORT',
  'KUBE-PROXY-FIREWALL',
  'KUBE-SOURCE-RANGES-FIREWALL',
  'KUBE-IPVS-FILTER',
  'KUBE-IPVS-OUT-FILTER',
];

/** iptablesJumpChain: each is put first in its chain, so the last one ends up on top. */
export const JUMPS: [table: 'nat' | 'filter', from: string, to: string, comment: string][] = [
  ['nat', 'OUTPUT', 'KUBE-SERVICES', 'kubernetes service portals'],
  ['nat', 'PREROUTING', 'KUBE-SERVICES', 'kubernetes service portals'],
  ['nat', 'POSTROUTING', 'KUBE-POSTROUTING', 'kubernetes postrouting rules'],
  ['filter', 'FORWARD', 'KUBE-FORWARD', 'kubernetes forwarding rules'],
  ['filter', 'INPUT', 'KUBE-NODE-PORT', 'kubernetes health check rules'],
  ['filter', 'INPUT', 'KUBE-PROXY-FIREWALL', 'kube-proxy firewall rules'],
  ['filter', 'FORWARD', 'KUBE-PROXY-FIREWALL', 'kube-proxy firewall rules'],
  ['filter', 'INPUT', 'KUBE-IPVS-FILTER', 'kubernetes ipvs access filter'],
  ['filter', 'OUTPUT', 'KUBE-IPVS-OUT-FILTER', 'kubernetes ipvs access filter'],
];

/** A load balancer's address that this node's own processes may not use. */
export interface NoNodeAccess {
  ip: string;
  protocol: string;
  port: number;
}

/** writeIptablesRules: one rule for each set that has entries, whatever the number of Services. */
export function rulesText(s: RuleSettings, entries: SetEntries, closed: NoNodeAccess[]): string {
  const nat: string[] = [];
  const filter: string[] = [];
  const filled = (id: SetId) => (entries.get(id)?.size ?? 0) > 0;
  const name = (id: SetId) => setName(id, s.family);
  const commented = (chain: string, id: SetId, match: string) =>
    `-A ${chain} -m comment --comment "${SETS[id][2]}" -m set --match-set ${name(id)} ${match}`;
  nat.push(`-A KUBE-SERVICES -s ${s.family === 4 ? '127.0.0.0/8' : '::1/128'} -j RETURN`);
  for (const [id, table, from, to, match, protocol] of ROWS) {
    if (!filled(id)) continue;
    const head = commented(from, id, match);
    const rule = protocol ? head.replace(` ${from} `, ` ${from} -p ${protocol} `) : head;
    (table === 'nat' ? nat : filter).push(`${rule} -j ${to}`);
  }
  if (filled('clusterIP')) {
    if (s.masqueradeAll) nat.push(`${commented('KUBE-SERVICES', 'clusterIP', 'dst,dst')} -j KUBE-MARK-MASQ`);
    else if (s.detectLocal) nat.push(`${commented('KUBE-SERVICES', 'clusterIP', 'dst,dst')} ${s.detectNotLocal} -j KUBE-MARK-MASQ`);
    // What a process of the node sends to a Service has the Service's own address as its source.
    else nat.push(`${commented('KUBE-SERVICES', 'clusterIP', 'src,dst')} -j KUBE-MARK-MASQ`);
  }
  for (const id of ['externalIP', 'externalIPLocal'] as const) {
    if (!filled(id)) continue;
    const head = commented('KUBE-SERVICES', id, 'dst,dst');
    if (id === 'externalIP') nat.push(`${head} -j KUBE-MARK-MASQ`);
    nat.push(
      `${head} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT`,
      `${head} -m addrtype --dst-type LOCAL -j ACCEPT`,
    );
  }
  nat.push('-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT', '-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ');
  filter.push('-A KUBE-SOURCE-RANGES-FIREWALL -j DROP');
  for (const { ip, protocol, port } of closed)
    filter.push(`-A KUBE-IPVS-OUT-FILTER -s ${ip} -m ipvs --vaddr ${ip} --vproto ${protocol} --vport ${port} -j DROP`);
  for (const id of ['clusterIP', 'loadBalancer'] as const)
    if (filled(id)) nat.push(`-A KUBE-SERVICES -m set --match-set ${name(id)} dst,dst -j ACCEPT`);
  filter.push(
    `-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark ${s.mark}/${s.mark} -j ACCEPT`,
    '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    `${commented('KUBE-NODE-PORT', 'healthCheck', 'dst')} -j ACCEPT`,
  );
  for (const id of ['loadBalancer', 'clusterIP', 'externalIP', 'externalIPLocal'] as const)
    filter.push(`-A KUBE-IPVS-FILTER -m set --match-set ${name(id)} dst,dst -j RETURN`);
  filter.push(
    `-A KUBE-IPVS-FILTER -m set --match-set ${name('healthCheck')} dst -j RETURN`,
    `-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set ${name('bound')} dst -j REJECT`,
  );
  nat.push(
    `-A KUBE-POSTROUTING -m mark ! --mark ${s.mark}/${s.mark} -j RETURN`,
    `-A KUBE-POSTROUTING -j MARK --xor-mark ${s.mark}`,
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    `-A KUBE-MARK-MASQ -j MARK --or-mark ${s.mark}`,
  );
  const table = (tableName: string, chains: string[], rules: string[]) =>
    `*${tableName}\n${chains.map(c => `:${c} - [0:0]\n`).join('')}${rules.map(r => `${r}\n`).join('')}COMMIT\n`;
  return table('nat', NAT_CHAINS, nat) + table('filter', FILTER_CHAINS, filter);
}
