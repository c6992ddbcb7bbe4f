// The whole text for `iptables-restore --noflush`, in the order of k8s.io/kubernetes v1.36.3 pkg/proxy/iptables/proxier.go.

import type { RuleSettings } from '../settings.ts';
import type { Section } from './service-rules.ts';

export interface Jump {
  table: 'filter' | 'nat';
  from: string;
  to: string;
  /** Arguments between the chain and `-j`. */
  match: string;
}

const NEW = '-m conntrack --ctstate NEW ';
const jump = (table: Jump['table'], to: string, from: string, comment: string, match = ''): Jump => ({
  table,
  from,
  to,
  match: `${match}-m comment --comment "${comment}" `,
});

/** iptablesJumpChains: each is put first in its chain, so the last one ends up on top. */
export const JUMPS: Jump[] = [
  jump('filter', 'KUBE-EXTERNAL-SERVICES', 'INPUT', 'kubernetes externally-visible service portals', NEW),
  jump('filter', 'KUBE-EXTERNAL-SERVICES', 'FORWARD', 'kubernetes externally-visible service portals', NEW),
  jump('filter', 'KUBE-NODEPORTS', 'INPUT', 'kubernetes health check service ports'),
  jump('filter', 'KUBE-SERVICES', 'FORWARD', 'kubernetes service portals', NEW),
  jump('filter', 'KUBE-SERVICES', 'OUTPUT', 'kubernetes service portals', NEW),
  jump('filter', 'KUBE-FORWARD', 'FORWARD', 'kubernetes forwarding rules'),
  jump('filter', 'KUBE-PROXY-FIREWALL', 'INPUT', 'kubernetes load balancer firewall', NEW),
  jump('filter', 'KUBE-PROXY-FIREWALL', 'OUTPUT', 'kubernetes load balancer firewall', NEW),
  jump('filter', 'KUBE-PROXY-FIREWALL', 'FORWARD', 'kubernetes load balancer firewall', NEW),
  jump('nat', 'KUBE-SERVICES', 'OUTPUT', 'kubernetes service portals'),
  jump('nat', 'KUBE-SERVICES', 'PREROUTING', 'kubernetes service portals'),
  jump('nat', 'KUBE-POSTROUTING', 'POSTROUTING', 'kubernetes postrouting rules'),
  { table: 'filter', from: 'INPUT', to: 'KUBE-FIREWALL', match: '' },
  { table: 'filter', from: 'OUTPUT', to: 'KUBE-FIREWALL', match: '' },
];

export const CANARY_TABLES = ['mangle', 'nat', 'filter'] as const;

const MARTIANS =
  '-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8' +
  ' -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n';

const chainLine = (name: string): string => `:${name} - [0:0]\n`;

function forwardRules(s: RuleSettings): string {
  const head = '-A KUBE-FORWARD';
  const invalid = `${head} -m conntrack --ctstate INVALID -m nfacct --nfacct-name ct_state_invalid_dropped_pkts -j DROP\n`;
  return (
    (s.dropInvalid ? invalid : '') +
    `${head} -m comment --comment "kubernetes forwarding rules" -m mark --mark ${s.mark}/${s.mark} -j ACCEPT\n` +
    `${head} -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n`
  );
}

/**
 * What iptables-restore gets at each sync, but for the chains that lead to the Services' own (dispatch.ts). `changed`: Service ports whose
 * chains are written, all in a full sync; `stale`: chains in nat that no Service needs any more.
 */
export function restoreText(s: RuleSettings, changed: Section[], stale: string[]): string {
  const parts: string[] = ['*filter\n', chainLine('KUBE-FORWARD')];
  if (s.localhostNodePorts) parts.push(chainLine('KUBE-FIREWALL'), MARTIANS);
  parts.push(forwardRules(s), 'COMMIT\n*nat\n', chainLine('KUBE-POSTROUTING'), chainLine('KUBE-MARK-MASQ'));
  for (const section of changed) for (const name of section.chains) parts.push(chainLine(name));
  for (const name of stale) parts.push(chainLine(name));
  parts.push(
    `-A KUBE-POSTROUTING -m mark ! --mark ${s.mark}/${s.mark} -j RETURN\n`,
    // The mark is cleared so that the packet is not masqueraded again when it comes by a second time.
    `-A KUBE-POSTROUTING -j MARK --xor-mark ${s.mark}\n`,
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully\n',
    `-A KUBE-MARK-MASQ -j MARK --or-mark ${s.mark}\n`,
  );
  for (const section of changed) if (section.rules) parts.push(section.rules);
  for (const name of stale) parts.push(`-X ${name}\n`);
  parts.push('COMMIT\n');
  return parts.join('');
}

/** What kubelet writes for others before anything else runs: v1.36.3 pkg/kubelet/kubelet_network_linux.go (syncIPTablesRules). */
export function kubeletText(family: 4 | 6, has: (table: string, chain: string, target: string) => boolean): string {
  const canary = chainLine('KUBE-KUBELET-CANARY');
  let filter = `*filter\n${canary}`;
  if (family === 4) {
    filter += chainLine('KUBE-FIREWALL') + MARTIANS;
    for (const chain of ['OUTPUT', 'INPUT']) if (!has('filter', chain, 'KUBE-FIREWALL')) filter += `-I ${chain} -j KUBE-FIREWALL\n`;
  }
  return `*mangle\n${chainLine('KUBE-IPTABLES-HINT')}${canary}COMMIT\n*nat\n${canary}COMMIT\n${filter}COMMIT\n`;
}
