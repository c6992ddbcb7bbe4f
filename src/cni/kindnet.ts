// kindnetd: routes to other nodes' podCIDRs and one masquerade chain for what leaves the cluster (sigs.k8s.io/kind images/kindnetd masq.go).
import { watchBucket } from '../apiserver/store.ts';
import type { Family } from '../wire/ip.ts';
import { syncNodeRoutes } from './bridge.ts';
import { applyRules, hasChain, hasJump } from './iptables.ts';
import { poolOf } from './nodes.ts';
import type { CniAgent, CniNode } from './types.ts';

const CHAIN = 'KIND-MASQ-AGENT';

function masquerade(node: CniNode, family: Family): void {
  const ns = node.netns;
  const pool = poolOf(node.cluster.config.podCIDRs, family);
  if (!pool) return;
  const lines: string[] = [];
  if (!hasChain(ns, family, 'nat', CHAIN)) {
    const local = '-m comment --comment "kind-masq-agent: local traffic is not subject to MASQUERADE" -j RETURN';
    const rest = '-m comment --comment "kind-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)" -j MASQUERADE';
    lines.push(`:${CHAIN} - [0:0]`, `-A ${CHAIN} -d ${pool} ${local}`, `-A ${CHAIN} ${rest}`);
  }
  if (!hasJump(ns, family, 'nat', 'POSTROUTING', CHAIN)) {
    const why = '"kind-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom KIND-MASQ-AGENT chain"';
    lines.push(`-A POSTROUTING -m addrtype ! --dst-type LOCAL -m comment --comment ${why} -j ${CHAIN}`);
  }
  applyRules(ns, family, 'nat', lines);
}

export function startKindnetd(node: CniNode): CniAgent {
  const sync = () => {
    syncNodeRoutes(node);
    for (const family of node.cluster.config.families) masquerade(node, family);
  };
  sync();
  const stop = watchBucket(node.cluster.server, 'nodes', sync);
  return { sync, stop };
}
