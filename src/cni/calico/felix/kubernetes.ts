// Kubernetes' policies as rules of projectcalico.org/v3: libcalico-go/lib/backend/k8s/conversion/conversion.go v3.32.
import { compareBytes } from '../../../sim/bytes.ts';
import { formatCidr, network, parseCidr } from '../../../wire/ip.ts';

export interface ApiEntity {
  selector?: string;
  notSelector?: string;
  namespaceSelector?: string;
  serviceAccounts?: { names?: string[]; selector?: string };
  services?: { name: string; namespace?: string };
  nets?: string[];
  notNets?: string[];
  ports?: (number | string)[];
  notPorts?: (number | string)[];
}

/** projectcalico.org/v3 Rule. */
export interface ApiRule {
  action: string;
  ipVersion?: number;
  protocol?: string | number;
  notProtocol?: string | number;
  icmp?: { type?: number; code?: number };
  notICMP?: { type?: number; code?: number };
  source?: ApiEntity;
  destination?: ApiEntity;
  metadata?: { annotations?: Record<string, string> };
}

const ORCHESTRATOR = "projectcalico.org/orchestrator == 'k8s'";

/** k8sSelectorToCalico. For pods the orchestrator comes first; a namespace selector without terms means all(). */
export function podSelectorText(s: any, pods = true): string {
  const terms: string[] = pods ? [ORCHESTRATOR] : [];
  if (!s) return terms.join(' && ');
  for (const k of Object.keys(s.matchLabels ?? {}).sort(compareBytes)) terms.push(`${k} == '${s.matchLabels[k]}'`);
  for (const e of s.matchExpressions ?? []) {
    const values = `{ '${(e.values ?? []).join("', '")}' }`;
    if (e.operator === 'In') terms.push(`${e.key} in ${values}`);
    else if (e.operator === 'NotIn') terms.push(`${e.key} not in ${values}`);
    else terms.push(`${e.operator === 'Exists' ? '' : '! '}has(${e.key})`);
  }
  if (!pods && !terms.length) return 'all()';
  return terms.join(' && ');
}

const networkText = (text: string): string => {
  const c = parseCidr(text);
  return c ? formatCidr(network(c)) : text;
};

function peerEntity(peer: any): ApiEntity {
  if (!peer) return {};
  if (peer.ipBlock) return { nets: [networkText(peer.ipBlock.cidr)], notNets: (peer.ipBlock.except ?? []).map(networkText) };
  const namespaceSelector = peer.namespaceSelector ? podSelectorText(peer.namespaceSelector, false) : '';
  return { selector: podSelectorText(peer.podSelector), namespaceSelector };
}

/** Named ports as they are, numbers sorted, neighbours and duplicates merged into ranges. */
function simplifyPorts(ports: (number | string)[]): (number | string)[] {
  const ranges: [number, number][] = [];
  const named: string[] = [];
  for (const p of ports) {
    const m = /^(\d+)(?::(\d+))?$/.exec(String(p));
    if (m) ranges.push([Number(m[1]), Number(m[2] ?? m[1])]);
    else named.push(String(p));
  }
  if (ports.length <= 1 || ranges.reduce((n, [a, b]) => n + b - a + 1, 0) <= 1) return ports;
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const merged: [number, number][] = [];
  for (const [a, b] of ranges) {
    const last = merged[merged.length - 1];
    if (last && a <= last[1] + 1) last[1] = Math.max(last[1], b);
    else merged.push([a, b]);
  }
  return [...named, ...merged.map(([a, b]) => (a === b ? a : `${a}:${b}`))];
}

/** Ports by protocol; '' with null: everything, a protocol with null: all its ports. */
function byProtocol(ports: { protocol: string; port: number | string | null }[]): [string, (number | string)[] | null][] {
  if (!ports.length) return [['', null]];
  const out = new Map<string, (number | string)[] | null>();
  for (const { protocol, port } of ports) {
    const list = out.get(protocol);
    if (port === null) out.set(protocol, null);
    else if (list === undefined) out.set(protocol, [port]);
    else list?.push(port);
  }
  return [...out].sort((a, b) => compareBytes(a[0], b[0])).map(([k, v]) => [k, v && simplifyPorts(v)]);
}

const kubernetesPort = (p: any): { protocol: string; port: number | string | null } => ({
  protocol: p.protocol ?? 'TCP',
  port: p.port === undefined ? null : p.endPort !== undefined ? `${p.port}:${p.endPort}` : p.port,
});

export function kubernetesRules(rules: any[], direction: 'ingress' | 'egress'): ApiRule[] {
  const out: ApiRule[] = [];
  for (const r of rules) {
    const peers: any[] = (direction === 'ingress' ? r.from : r.to) ?? [];
    for (const [protocol, ports] of byProtocol((r.ports ?? []).map(kubernetesPort))) {
      for (const peer of peers.length ? peers : [null]) {
        const entity = peerEntity(peer);
        const rule: ApiRule = { action: 'Allow' };
        if (protocol) rule.protocol = protocol;
        if (direction === 'ingress') {
          rule.source = entity;
          rule.destination = ports ? { ports } : {};
        } else rule.destination = { ...entity, ...(ports ? { ports } : {}) };
        out.push(rule);
      }
    }
  }
  return out;
}

// -- policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy

const ACTIONS: Record<string, string> = { Accept: 'Allow', Allow: 'Allow', Deny: 'Deny', Pass: 'Pass' };

function clusterPeer(peer: any): ApiEntity {
  if (peer.networks) return { nets: peer.networks.map(networkText) };
  if (!peer.namespaces && !peer.pods) throw new Unconverted('no field of the peer is supported');
  if (peer.namespaces) return { namespaceSelector: podSelectorText(peer.namespaces, false) };
  const pods = peer.pods ?? {};
  return { selector: podSelectorText(pods.podSelector), namespaceSelector: podSelectorText(pods.namespaceSelector ?? {}, false) };
}

/** What Calico cannot turn into rules of its own: the rule is dropped, and one that would have held something back denies everything. */
class Unconverted extends Error {}

function clusterPorts(protocols: any[]): { protocol: string; port: number | string | null }[] {
  return protocols.flatMap(p => {
    const name = (['tcp', 'udp', 'sctp'] as const).find(n => n in p);
    if (!name) {
      if (p.destinationNamedPort) throw new Unconverted('named ports are not supported yet');
      return [];
    }
    const d = p[name]?.destinationPort;
    return [{ protocol: name.toUpperCase(), port: d?.number ?? (d?.range ? `${d.range.start}:${d.range.end}` : null) }];
  });
}

function clusterRule(r: any, direction: 'ingress' | 'egress'): ApiRule[] {
  const out: ApiRule[] = [];
  const peers: any[] = (direction === 'ingress' ? r.from : r.to) ?? [];
  const metadata = r.name ? { annotations: { name: r.name } } : undefined;
  for (const [protocol, ports] of byProtocol(clusterPorts(r.protocols ?? []))) {
    for (const peer of peers) {
      const entity = clusterPeer(peer);
      const rule: ApiRule = { action: ACTIONS[r.action] ?? 'Deny', ...(metadata ? { metadata } : {}) };
      if (protocol) rule.protocol = protocol;
      if (direction === 'ingress') {
        rule.source = entity;
        rule.destination = ports ? { ports } : {};
      } else rule.destination = { ...entity, ...(ports ? { ports } : {}) };
      out.push(rule);
    }
  }
  return out;
}

/** conversion/cluster_network_policy.go v3.32; null: nothing is left that says anything about this direction. */
export function clusterNetworkPolicyRules(rules: any[], direction: 'ingress' | 'egress'): ApiRule[] | null {
  const all = rules.flatMap(r => {
    try {
      return clusterRule(r, direction);
    } catch (e) {
      if (!(e instanceof Unconverted)) throw e;
      return r.action === 'Deny' || r.action === 'Pass' ? [{ action: 'Deny' }] : [];
    }
  });
  return all.length ? all : null;
}
