// The whole cluster's connectivity: every pod with every pod, and with what lies outside, in the form of `podnet connectivity -o json`.
import { getObject, listObjects } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { type Cidr, formatIp, inCidr, network, parseIp } from '../wire/ip.ts';
import { type ConnectionVerdict, type DeniedPorts, evaluateConnection } from './evaluate.ts';
import { type Party, type Policy, policiesOf } from './policies.ts';
import { allPorts, type PortSet, type Protocol } from './ports.ts';

export interface Connectivity {
  endpoints: ({ id: string; workload: string; ip: string; hostNetwork: boolean } | { id: string; external: true })[];
  connections: { from: string; to: string; self: boolean; allowed: PortSet; denied: DeniedPorts[]; via: string[] }[];
}

const POLICY_BUCKETS = [
  'networkpolicies.networking.k8s.io',
  'adminnetworkpolicies.policy.networking.k8s.io',
  'baselineadminnetworkpolicies.policy.networking.k8s.io',
  'clusternetworkpolicies.policy.networking.k8s.io',
];

interface Endpoint extends Party {
  /** Parties of one class get the same verdicts. */
  group: number;
}

export function connectivity(server: ApiServer): Connectivity {
  const policies = policiesOf(POLICY_BUCKETS.flatMap(b => listObjects(server, b)));
  const networks = policies.flatMap(p => p.networks);
  const pods = listObjects(server, 'pods').filter(p => p.status?.phase !== 'Succeeded' && p.status?.phase !== 'Failed');
  const inside = pods.map(p => podParty(server, p));
  const classes = new Map<string, number>();
  const group = (p: Party): Endpoint => {
    const key = JSON.stringify([
      p.pod && [p.pod.namespace, p.pod.labels, p.pod.namespaceLabels, p.pod.namedPorts],
      p.hostNetwork,
      networks.map(n => (p.ips.some(ip => inCidr(n, ip)) ? 1 : 0)).join(''),
    ]);
    const index = classes.get(key) ?? classes.size;
    classes.set(key, index);
    return { ...p, group: index };
  };
  const known = inside.map(group);
  const families = new Set(inside.flatMap(p => p.ips.map(ip => ip.length)));
  const outside = [4, 16].filter(f => f === 4 || families.has(f)).flatMap(f => externalRanges(networks, f as 4 | 16));
  const verdicts = verdictTable(policies);
  const merged = mergeRanges(
    outside.map(r => ({ ...r, party: group(r.party) })),
    known,
    verdicts,
  );
  return report(server, pods, known, merged, verdicts);
}

type Verdicts = (a: Endpoint, b: Endpoint) => ConnectionVerdict;

function verdictTable(policies: Policy[]): Verdicts {
  const memo = new Map<string, ConnectionVerdict>();
  return (a, b) => {
    const key = `${a.group} ${b.group}`;
    let v = memo.get(key);
    if (!v) {
      v = evaluateConnection(policies, a, b);
      memo.set(key, v);
    }
    return v;
  };
}

function podParty(server: ApiServer, pod: KubeObject): Party {
  const namespace = pod.metadata.namespace ?? '';
  const ns = getObject(server, 'namespaces', undefined, namespace);
  const containers = [
    ...(pod.spec?.initContainers ?? []).filter((c: any) => c.restartPolicy === 'Always'),
    ...(pod.spec?.containers ?? []),
  ];
  const namedPorts = containers.flatMap((c: any) =>
    (c.ports ?? [])
      .filter((p: any) => p.name)
      .map((p: any) => ({ name: p.name as string, protocol: (p.protocol ?? 'TCP') as Protocol, port: p.containerPort as number })),
  );
  const ips = (pod.status?.podIPs ?? (pod.status?.podIP ? [{ ip: pod.status.podIP }] : []))
    .map((i: any) => parseIp(i.ip))
    .filter((i: unknown) => i !== null);
  return {
    id: `${namespace}/${pod.metadata.name}`,
    pod: { namespace, labels: pod.metadata.labels ?? {}, namespaceLabels: ns?.metadata.labels ?? {}, namedPorts },
    hostNetwork: pod.spec?.hostNetwork === true,
    ips,
  };
}

/** `namespace/Kind/name` of what a person would call the workload. */
export function workloadOf(server: ApiServer, pod: KubeObject): string {
  const { namespace } = pod.metadata;
  const controller = (o: KubeObject) => o.metadata.ownerReferences?.find(r => r.controller);
  const owner = controller(pod);
  if (!owner) return `${namespace}/Pod/${pod.metadata.name}`;
  if (owner.kind === 'ReplicaSet' || owner.kind === 'Job') {
    const bucket = owner.kind === 'Job' ? 'jobs.batch' : 'replicasets.apps';
    const above = controller(getObject(server, bucket, namespace, owner.name) ?? pod);
    if (above && above.uid !== owner.uid) return `${namespace}/${above.kind}/${above.name}`;
  }
  return `${namespace}/${owner.kind}/${owner.name}`;
}

interface Range {
  lo: Uint8Array;
  hi: Uint8Array;
  party: Party;
}

const toBig = (ip: Uint8Array) => ip.reduce((n, b) => (n << 8n) | BigInt(b), 0n);

function fromBig(n: bigint, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let i = bytes - 1; i >= 0; i--, n >>= 8n) out[i] = Number(n & 255n);
  return out;
}

/** The whole address space of a family, cut at every border of every network. */
function externalRanges(networks: Cidr[], bytes: 4 | 16): Range[] {
  const end = 1n << BigInt(bytes * 8);
  const cuts = new Set<bigint>([0n, end]);
  for (const c of networks) {
    if (c.ip.length !== bytes) continue;
    const first = toBig(network(c).ip);
    cuts.add(first);
    cuts.add(first + (1n << BigInt(bytes * 8 - c.bits)));
  }
  const sorted = [...cuts].sort((a, b) => (a < b ? -1 : 1));
  return sorted.slice(0, -1).map((at, i) => {
    const lo = fromBig(at, bytes);
    const hi = fromBig(sorted[i + 1] - 1n, bytes);
    return { lo, hi, party: { id: '', pod: null, hostNetwork: false, ips: [lo] } };
  });
}

/** Neighbouring ranges that fare alike with every pod become one. */
function mergeRanges(ranges: (Range & { party: Endpoint })[], pods: Endpoint[], verdicts: Verdicts): Endpoint[] {
  const representatives = [...new Map(pods.map(p => [p.group, p])).values()];
  const fate = (e: Endpoint) => JSON.stringify(representatives.map(p => [verdicts(e, p), verdicts(p, e)]));
  const out: { lo: Uint8Array; hi: Uint8Array; party: Endpoint; fate: string }[] = [];
  for (const r of ranges) {
    const last = out[out.length - 1];
    const mine = fate(r.party);
    if (last && last.fate === mine && last.lo.length === r.lo.length) last.hi = r.hi;
    else out.push({ ...r, fate: mine });
  }
  return out.map(r => ({ ...r.party, id: `${formatIp(r.lo)}-${formatIp(r.hi)}` }));
}

function report(server: ApiServer, pods: KubeObject[], inside: Endpoint[], outside: Endpoint[], verdicts: Verdicts): Connectivity {
  const connections: Connectivity['connections'] = [];
  const row = (a: Endpoint, b: Endpoint) => {
    const self = a.id === b.id;
    // A pod's traffic to itself never leaves it: no policy sees it.
    const v = self ? { allowed: allPorts(), denied: [] } : verdicts(a, b);
    connections.push({ from: a.id, to: b.id, self, allowed: v.allowed, denied: v.denied, via: [] });
  };
  for (const a of inside) for (const b of inside) row(a, b);
  for (const a of inside) for (const b of outside) row(a, b);
  for (const a of outside) for (const b of inside) row(a, b);
  return {
    endpoints: [
      ...pods.map((p, i) => ({
        id: inside[i].id,
        workload: workloadOf(server, p),
        ip: inside[i].ips[0] ? formatIp(inside[i].ips[0]) : '',
        hostNetwork: inside[i].hostNetwork,
      })),
      ...outside.map(o => ({ id: o.id, external: true as const })),
    ],
    connections,
  };
}
