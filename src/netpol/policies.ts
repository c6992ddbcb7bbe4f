// Policies of every API in one form: NetworkPolicy (networking.k8s.io/v1), AdminNetworkPolicy and BaselineAdminNetworkPolicy
// (policy.networking.k8s.io/v1alpha1), ClusterNetworkPolicy (v1alpha2).
import { type LabelSelector, matchLabelSelector } from '../apiserver/labels.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Cidr, inCidr, parseCidr } from '../wire/ip.ts';
import { addPorts, allPorts, noPorts, type PortSet, type Protocol } from './ports.ts';

export type Tier = 'Admin' | 'NetworkPolicy' | 'Baseline';

/** A pod, or a range of addresses outside the cluster that no policy's networks divide. */
export interface Party {
  id: string;
  /** null outside the cluster. */
  pod: {
    namespace: string;
    labels: Record<string, string>;
    namespaceLabels: Record<string, string>;
    namedPorts: { name: string; protocol: Protocol; port: number }[];
  } | null;
  /** Traffic of these pods is the node's: no policy selects it, no selector matches it. */
  hostNetwork: boolean;
  /** Its addresses; of a range, the first one. */
  ips: Uint8Array[];
}

type PortSpec = { protocol: Protocol | null; lo: number; hi: number } | { protocol: Protocol | null; named: string };

export interface Rule {
  action: 'Allow' | 'Deny' | 'Pass';
  /** null: everybody. */
  peers: ((p: Party) => boolean)[] | null;
  /** null: every port of every protocol. */
  ports: PortSpec[] | null;
}

export interface Policy {
  tier: Tier;
  /** As verdicts name it: `namespace/name`, or the name alone. */
  name: string;
  priority: number;
  selects: (p: Party) => boolean;
  /** null: the policy says nothing about that direction. */
  ingress: Rule[] | null;
  egress: Rule[] | null;
  /** Networks that its rules name, for splitting what lies outside. */
  networks: Cidr[];
}

export function policiesOf(objects: KubeObject[]): Policy[] {
  const all = objects.map(o => (o.kind === 'NetworkPolicy' ? networkPolicy(o) : tieredPolicy(o)));
  const order = { Admin: 0, NetworkPolicy: 1, Baseline: 2 };
  // Equal priorities are undefined by the specification; the name makes them stable.
  return all.sort((a, b) => order[a.tier] - order[b.tier] || a.priority - b.priority || (a.name < b.name ? -1 : 1));
}

const isPod = (p: Party) => p.pod !== null && !p.hostNetwork;
const selectsPod = (s: LabelSelector | null | undefined, p: Party) => matchLabelSelector(s ?? {}, p.pod!.labels);
const selectsNamespace = (s: LabelSelector | null | undefined, p: Party) => matchLabelSelector(s ?? {}, p.pod!.namespaceLabels);

function network(text: string, seen: Cidr[]): (p: Party) => boolean {
  const cidr = parseCidr(text);
  if (!cidr) return () => false;
  seen.push(cidr);
  return p => p.ips.some(ip => inCidr(cidr, ip));
}

function networkPolicy(o: KubeObject): Policy {
  const { namespace } = o.metadata;
  const spec = o.spec ?? {};
  const networks: Cidr[] = [];
  const types: string[] = spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])];
  const peer = (raw: any): ((p: Party) => boolean) => {
    if (raw.ipBlock) {
      const inside = network(raw.ipBlock.cidr, networks);
      const except = (raw.ipBlock.except ?? []).map((e: string) => network(e, networks));
      return p => inside(p) && !except.some((e: (p: Party) => boolean) => e(p));
    }
    return p =>
      isPod(p) &&
      (raw.namespaceSelector ? selectsNamespace(raw.namespaceSelector, p) : p.pod!.namespace === namespace) &&
      selectsPod(raw.podSelector, p);
  };
  const rule = (raw: any, side: 'from' | 'to'): Rule => ({
    action: 'Allow',
    peers: raw?.[side]?.length ? raw[side].map(peer) : null,
    ports: raw?.ports?.length ? raw.ports.map(networkPolicyPort) : null,
  });
  return {
    tier: 'NetworkPolicy',
    name: `${namespace}/${o.metadata.name}`,
    priority: 0,
    selects: p => isPod(p) && p.pod!.namespace === namespace && selectsPod(spec.podSelector, p),
    ingress: types.includes('Ingress') ? (spec.ingress ?? []).map((r: any) => rule(r, 'from')) : null,
    egress: types.includes('Egress') ? (spec.egress ?? []).map((r: any) => rule(r, 'to')) : null,
    networks,
  };
}

function networkPolicyPort(raw: any): PortSpec {
  const protocol: Protocol = raw.protocol ?? 'TCP';
  if (raw.port === undefined || raw.port === null) return { protocol, lo: 1, hi: 65535 };
  if (typeof raw.port === 'string') return { protocol, named: raw.port };
  return { protocol, lo: raw.port, hi: raw.endPort ?? raw.port };
}

function tieredPolicy(o: KubeObject): Policy {
  const spec = o.spec ?? {};
  const networks: Cidr[] = [];
  const baseline = o.kind === 'BaselineAdminNetworkPolicy' || spec.tier === 'Baseline';
  const matcher = (raw: any): ((p: Party) => boolean) => {
    if (raw?.namespaces) return p => isPod(p) && selectsNamespace(raw.namespaces, p);
    if (raw?.pods) return p => isPod(p) && selectsNamespace(raw.pods.namespaceSelector, p) && selectsPod(raw.pods.podSelector, p);
    if (raw?.networks) {
      const nets: ((p: Party) => boolean)[] = raw.networks.map((n: string) => network(n, networks));
      return p => nets.some(n => n(p));
    }
    return () => false;
  };
  const rule = (raw: any, side: 'from' | 'to'): Rule => ({
    action: raw.action === 'Accept' ? 'Allow' : raw.action,
    peers: (raw[side] ?? []).map(matcher),
    ports: raw.ports?.length ? raw.ports.map(adminPort) : raw.protocols?.length ? raw.protocols.map(clusterProtocol) : null,
  });
  return {
    tier: baseline ? 'Baseline' : 'Admin',
    name: o.metadata.name,
    priority: spec.priority ?? 0,
    selects: matcher(spec.subject),
    ingress: spec.ingress?.length ? spec.ingress.map((r: any) => rule(r, 'from')) : null,
    egress: spec.egress?.length ? spec.egress.map((r: any) => rule(r, 'to')) : null,
    networks,
  };
}

/** v1alpha1: portNumber, portRange or namedPort. */
function adminPort(raw: any): PortSpec {
  if (raw.namedPort !== undefined) return { protocol: null, named: raw.namedPort };
  if (raw.portRange) return { protocol: raw.portRange.protocol ?? 'TCP', lo: raw.portRange.start, hi: raw.portRange.end };
  return { protocol: raw.portNumber.protocol ?? 'TCP', lo: raw.portNumber.port, hi: raw.portNumber.port };
}

/** v1alpha2: one of tcp, udp, sctp with a destinationPort, or destinationNamedPort. */
function clusterProtocol(raw: any): PortSpec {
  if (raw.destinationNamedPort !== undefined) return { protocol: null, named: raw.destinationNamedPort };
  const [key] = Object.keys(raw);
  const protocol = key.toUpperCase() as Protocol;
  const port = raw[key]?.destinationPort;
  if (!port) return { protocol, lo: 1, hi: 65535 };
  if (port.range) return { protocol, lo: port.range.start, hi: port.range.end };
  return { protocol, lo: port.number, hi: port.number };
}

/** The ports of a rule at a destination: names are the destination's own, so they mean nothing outside the cluster. */
export function portsAt(rule: Rule, destination: Party): PortSet {
  if (!rule.ports) return allPorts();
  const set = noPorts();
  for (const spec of rule.ports) {
    if (!('named' in spec)) {
      addPorts(set, spec.protocol!, spec.lo, spec.hi);
      continue;
    }
    for (const n of destination.pod?.namedPorts ?? []) {
      if (n.name === spec.named && (!spec.protocol || n.protocol === spec.protocol)) addPorts(set, n.protocol, n.port, n.port);
    }
  }
  return set;
}
