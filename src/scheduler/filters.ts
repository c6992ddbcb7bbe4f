// Filter plugins in the default profile's order; the first that refuses a node says why (pkg/scheduler/framework/plugins v1.36).
import { matchesNode, untoleratedTaint } from '../apiserver/scheduling.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type AffinityState, affinityState, requiredTerms, type SpreadState, spreadState, topologyValue } from './affinity.ts';
import { type Cache, hostPorts, type NodeInfo } from './nodes.ts';
import { type Amounts, requestsOf } from './resources.ts';

/** Why a node is no choice. `unresolvable`: taking other pods away would not help. */
export interface Refusal {
  reasons: string[];
  unresolvable: boolean;
  plugin: string;
}

export interface FilterState {
  pod: KubeObject;
  requests: Amounts;
  ports: string[];
  affinity: AffinityState;
  spread: SpreadState[];
  /** Nodes that the pod's own affinity names (a DaemonSet's): all others are out before any filter runs. */
  only: Set<string> | null;
}

export function filterState(cache: Cache, nodes: NodeInfo[], pod: KubeObject): FilterState {
  const hard = (pod.spec.topologySpreadConstraints ?? []).filter((c: any) => c.whenUnsatisfiable === 'DoNotSchedule');
  return {
    pod,
    requests: requestsOf(pod).requests,
    ports: hostPorts(pod),
    affinity: affinityState(cache, nodes, pod),
    spread: hard.length ? spreadState(nodes, pod, hard) : [],
    only: namedNodes(pod),
  };
}

/** NodeAffinity's PreFilter: when every term names nodes, only those are looked at. */
function namedNodes(pod: KubeObject): Set<string> | null {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!terms?.length) return null;
  const out = new Set<string>();
  for (const t of terms) {
    const fields = (t.matchFields ?? []).filter((f: any) => f.key === 'metadata.name' && f.operator === 'In');
    if (!fields.length) return null;
    for (const f of fields) for (const v of f.values ?? []) out.add(v);
  }
  return out;
}

const no = (plugin: string, unresolvable: boolean, ...reasons: string[]): Refusal => ({ plugin, unresolvable, reasons });

type Filter = (s: FilterState, info: NodeInfo, node: KubeObject) => Refusal | null;

const FILTERS: Filter[] = [
  (s, _info, node) => {
    if (!node.spec?.unschedulable) return null;
    const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
    return untoleratedTaint([taint], s.pod.spec.tolerations, ['NoSchedule'])
      ? no('NodeUnschedulable', true, 'node(s) were unschedulable')
      : null;
  },
  (s, info) =>
    s.pod.spec.nodeName && s.pod.spec.nodeName !== info.name ? no('NodeName', true, "node(s) didn't match the requested node name") : null,
  (s, _info, node) =>
    untoleratedTaint(node.spec?.taints, s.pod.spec.tolerations, ['NoSchedule', 'NoExecute'])
      ? no('TaintToleration', true, 'node(s) had untolerated taint(s)')
      : null,
  (s, _info, node) =>
    matchesNode(s.pod.spec, node) ? null : no('NodeAffinity', true, "node(s) didn't match Pod's node affinity/selector"),
  portsFree,
  resourcesFit,
  spreads,
  podAffinity,
];

export function filterNode(s: FilterState, info: NodeInfo): Refusal | null {
  if (s.only && !s.only.has(info.name)) return no('NodeAffinity', true, "node(s) didn't satisfy plugin(s) [NodeAffinity]");
  for (const f of FILTERS) {
    const refusal = f(s, info, info.node as KubeObject);
    if (refusal) return refusal;
  }
  return null;
}

function portsFree(s: FilterState, info: NodeInfo): Refusal | null {
  for (const wanted of s.ports) {
    const [protocol, ip, port] = wanted.split(' ');
    for (const used of info.ports.keys()) {
      const [p, i, n] = used.split(' ');
      if (p !== protocol || n !== port || (i !== ip && i !== '0.0.0.0' && ip !== '0.0.0.0')) continue;
      return no('NodePorts', false, "node(s) didn't have free ports for the requested pod ports");
    }
  }
  return null;
}

function resourcesFit(s: FilterState, info: NodeInfo): Refusal | null {
  const reasons: string[] = [];
  let unresolvable = false;
  const have = info.allocatable;
  if (info.pods.size + 1 > (have.pods ?? 0)) reasons.push('Too many pods');
  for (const name in s.requests) {
    const wanted = s.requests[name];
    if (wanted === 0 || wanted <= (have[name] ?? 0) - (info.requested[name] ?? 0)) continue;
    reasons.push(`Insufficient ${name}`);
    if (wanted > (have[name] ?? 0)) unresolvable = true;
  }
  return reasons.length ? no('NodeResourcesFit', unresolvable, ...reasons) : null;
}

function spreads(s: FilterState, info: NodeInfo): Refusal | null {
  for (const { constraint, counts, min, self } of s.spread) {
    const value = topologyValue(info, constraint.topologyKey);
    const why = "node(s) didn't match pod topology spread constraints";
    if (value === undefined) return no('PodTopologySpread', true, `${why} (missing required label)`);
    if ((counts.get(value) ?? 0) + self - min > constraint.maxSkew) return no('PodTopologySpread', false, why);
  }
  return null;
}

function podAffinity(s: FilterState, info: NodeInfo): Refusal | null {
  const a = s.affinity;
  for (const { term, domains } of a.affinity) {
    const value = topologyValue(info, term.topologyKey);
    if (value === undefined || (!domains.get(value) && !a.first))
      return no('InterPodAffinity', true, "node(s) didn't match pod affinity rules");
  }
  for (const { term, domains } of a.antiAffinity) {
    const value = topologyValue(info, term.topologyKey);
    if (value !== undefined && domains.get(value)) return no('InterPodAffinity', false, "node(s) didn't match pod anti-affinity rules");
  }
  for (const pair of a.forbidden) {
    const at = pair.indexOf(' ');
    if (topologyValue(info, pair.slice(0, at)) === pair.slice(at + 1)) {
      return no('InterPodAffinity', false, "node(s) didn't satisfy existing pods anti-affinity rules");
    }
  }
  return null;
}

/** What may help a pod that was refused by these plugins. */
export const helpedByFewerPods = (plugins: Set<string>): boolean =>
  ['NodePorts', 'NodeResourcesFit', 'PodTopologySpread', 'InterPodAffinity'].some(p => plugins.has(p));

export const helpedByMorePods = (pod: KubeObject, plugins: Set<string>): boolean =>
  plugins.has('PodTopologySpread') || (plugins.has('InterPodAffinity') && requiredTerms(pod, 'podAffinity').length > 0);
