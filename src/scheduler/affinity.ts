// Pod affinity terms and topology spread: what they count (pkg/scheduler/framework/plugins/{interpodaffinity,podtopologyspread} v1.36).
import { matchLabelSelector } from '../apiserver/labels.ts';
import { matchesNode, untoleratedTaint } from '../apiserver/scheduling.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import type { Cache, NodeInfo } from './nodes.ts';

/** A term's selector, with matchLabelKeys taken from the pod that has the term. */
function selectorOf(term: any, owner: KubeObject): any {
  const selector = term.labelSelector;
  if (!selector || !(term.matchLabelKeys?.length || term.mismatchLabelKeys?.length)) return selector;
  const extra: any[] = [];
  for (const [keys, operator] of [
    [term.matchLabelKeys, 'In'],
    [term.mismatchLabelKeys, 'NotIn'],
  ]) {
    for (const key of keys ?? []) {
      const value = owner.metadata.labels?.[key];
      if (value !== undefined) extra.push({ key, operator, values: [value] });
    }
  }
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...extra] };
}

/** Does `term` of `owner` mean `other`? */
export function termMatches(cache: Cache, term: any, owner: KubeObject, other: KubeObject): boolean {
  const namespace = other.metadata.namespace as string;
  const named: string[] = term.namespaces ?? [];
  const bySelector = term.namespaceSelector;
  let here = named.includes(namespace) || (!named.length && !bySelector && namespace === owner.metadata.namespace);
  if (!here && bySelector) here = matchLabelSelector(bySelector, getObject(cache.server, 'namespaces', '', namespace)?.metadata.labels);
  return here && matchLabelSelector(selectorOf(term, owner), other.metadata.labels);
}

export const topologyValue = (info: NodeInfo, key: string): string | undefined => info.node?.metadata.labels?.[key];

export const requiredTerms = (p: KubeObject, kind: 'podAffinity' | 'podAntiAffinity'): any[] =>
  p.spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

/** Topology values in which the term's pods are, with their number. */
function domains(cache: Cache, nodes: NodeInfo[], owner: KubeObject, term: any): Map<string, number> {
  const out = new Map<string, number>();
  for (const info of nodes) {
    const value = topologyValue(info, term.topologyKey);
    if (value === undefined) continue;
    let n = 0;
    for (const p of info.pods.values()) if (termMatches(cache, term, owner, p)) n++;
    if (n) out.set(value, (out.get(value) ?? 0) + n);
  }
  return out;
}

export interface AffinityState {
  affinity: { term: any; domains: Map<string, number> }[];
  antiAffinity: { term: any; domains: Map<string, number> }[];
  /** `key value` pairs that the anti-affinity of pods already there rules out. */
  forbidden: Set<string>;
  /** The first of a series may stand anywhere when it matches its own terms. */
  first: boolean;
}

export function affinityState(cache: Cache, nodes: NodeInfo[], pod: KubeObject): AffinityState {
  const forbidden = new Set<string>();
  for (const info of nodes) {
    for (const key of info.antiAffinity) {
      const p = info.pods.get(key) as KubeObject;
      for (const term of requiredTerms(p, 'podAntiAffinity')) {
        const value = topologyValue(info, term.topologyKey);
        if (value !== undefined && termMatches(cache, term, p, pod)) forbidden.add(`${term.topologyKey} ${value}`);
      }
    }
  }
  const of = (kind: 'podAffinity' | 'podAntiAffinity') =>
    requiredTerms(pod, kind).map(term => ({ term, domains: domains(cache, nodes, pod, term) }));
  const affinity = of('podAffinity');
  const first = affinity.length > 0 && affinity.every(a => !a.domains.size && termMatches(cache, a.term, pod, pod));
  return { affinity, antiAffinity: of('podAntiAffinity'), forbidden, first };
}

export interface SpreadState {
  constraint: any;
  counts: Map<string, number>;
  min: number;
  self: number;
}

/** Per constraint: matching pods by topology value, over the nodes that the pod could be on at all. */
export function spreadState(nodes: NodeInfo[], pod: KubeObject, constraints: any[]): SpreadState[] {
  const keys = constraints.map(c => c.topologyKey);
  const counted = nodes.filter(info => keys.every(k => topologyValue(info, k) !== undefined));
  return constraints.map(constraint => {
    const selector = selectorOf(constraint, pod);
    const counts = new Map<string, number>();
    for (const info of counted) {
      const node = info.node as KubeObject;
      if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !matchesNode(pod.spec, node)) continue;
      if (constraint.nodeTaintsPolicy === 'Honor' && untoleratedTaint(node.spec?.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']))
        continue;
      const value = topologyValue(info, constraint.topologyKey) as string;
      let n = 0;
      for (const p of info.pods.values()) {
        if (
          p.metadata.namespace === pod.metadata.namespace &&
          !p.metadata.deletionTimestamp &&
          matchLabelSelector(selector, p.metadata.labels)
        )
          n++;
      }
      counts.set(value, (counts.get(value) ?? 0) + n);
    }
    let min = counts.size ? Math.min(...counts.values()) : 0;
    if (constraint.minDomains && counts.size < constraint.minDomains) min = 0;
    return { constraint, counts, min, self: matchLabelSelector(selector, pod.metadata.labels) ? 1 : 0 };
  });
}
