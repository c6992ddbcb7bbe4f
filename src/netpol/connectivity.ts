// The whole cluster's connectivity: every pod with every pod, and with what lies outside.
import { getObject, listObjects } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { type Cidr, formatIp, network, parseIp } from '../wire/ip.ts';
import type { ConnectionVerdict } from './evaluate.ts';
import { type Group, type Verdicts, verdictsOf } from './groups.ts';
import { type Party, policiesOf } from './policies.ts';
import { allPorts, type Protocol } from './ports.ts';

export interface Connectivity {
  endpoints: ({ id: string; workload: string; ip: string; hostNetwork: boolean } | { id: string; external: true })[];
  /** Endpoints before this index are pods, the others lie outside. */
  pods: number;
  /** What holds from one endpoint to another, by their indexes: equal verdicts are one object. */
  verdict: (from: number, to: number) => ConnectionVerdict;
}

const POLICY_BUCKETS = [
  'networkpolicies.networking.k8s.io',
  'adminnetworkpolicies.policy.networking.k8s.io',
  'baselineadminnetworkpolicies.policy.networking.k8s.io',
  'clusternetworkpolicies.policy.networking.k8s.io',
];

/** A pod's traffic to itself never leaves it: no policy sees it. */
const TO_ITSELF: ConnectionVerdict = { allowed: allPorts(), denied: [] };

export function connectivity(server: ApiServer): Connectivity {
  const policies = policiesOf(POLICY_BUCKETS.flatMap(b => listObjects(server, b)));
  const networks = policies.flatMap(p => p.networks);
  const pods = listObjects(server, 'pods').filter(p => p.status?.phase !== 'Succeeded' && p.status?.phase !== 'Failed');
  const inside = pods.map(p => podParty(server, p));
  const verdicts = verdictsOf(policies);
  const groups = inside.map(verdicts.groupOf);
  const families = new Set(inside.flatMap(p => p.ips.map(ip => ip.length)));
  const ranges = [4, 16].filter(f => f === 4 || families.has(f)).flatMap(f => externalRanges(networks, f as 4 | 16));
  const outside = mergeRanges(ranges, new Set(groups), verdicts);
  const all = [...groups, ...outside.map(r => r.group)];
  return {
    endpoints: [
      ...pods.map((p, i) => ({
        id: inside[i].id,
        workload: workloadOf(server, p),
        ip: inside[i].ips[0] ? formatIp(inside[i].ips[0]) : '',
        hostNetwork: inside[i].hostNetwork,
      })),
      ...outside.map(r => ({ id: `${formatIp(r.lo)}-${formatIp(r.hi)}`, external: true as const })),
    ],
    pods: pods.length,
    verdict: (from, to) => (from === to ? TO_ITSELF : verdicts.verdict(all[from], all[to])),
  };
}

/** Every pair of pods, then every pod to what lies outside, then from there; as indexes of endpoints. */
export function eachConnection(c: Connectivity, visit: (from: number, to: number, verdict: ConnectionVerdict) => void): void {
  const { endpoints, pods, verdict } = c;
  for (let a = 0; a < pods; a++) for (let b = 0; b < pods; b++) visit(a, b, verdict(a, b));
  for (let a = 0; a < pods; a++) for (let b = pods; b < endpoints.length; b++) visit(a, b, verdict(a, b));
  for (let a = pods; a < endpoints.length; a++) for (let b = 0; b < pods; b++) visit(a, b, verdict(a, b));
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
function mergeRanges(ranges: Range[], pods: Set<Group>, { groupOf, verdict }: Verdicts): (Range & { group: Group })[] {
  const alike = (a: Group, b: Group) => a === b || [...pods].every(p => verdict(a, p) === verdict(b, p) && verdict(p, a) === verdict(p, b));
  const out: (Range & { group: Group })[] = [];
  for (const r of ranges) {
    const last = out[out.length - 1];
    const group = groupOf(r.party);
    if (last && last.lo.length === r.lo.length && alike(last.group, group)) last.hi = r.hi;
    else out.push({ ...r, group });
  }
  return out;
}
