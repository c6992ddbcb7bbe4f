// Score plugins with the default profile's weights (pkg/scheduler/apis/config/v1/default_plugins.go v1.36).
import { matchNodeSelectorTerm, tolerates } from '../apiserver/scheduling.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { spreadState, termMatches, topologyValue } from './affinity.ts';
import type { Cache, NodeInfo } from './nodes.ts';
import { requestsOf } from './resources.ts';

/** The best of the nodes that passed: of equals the first by name. */
export function bestNode(cache: Cache, pod: KubeObject, all: NodeInfo[], feasible: NodeInfo[]): NodeInfo {
  if (feasible.length === 1) return feasible[0];
  const total = feasible.map(() => 0);
  const add = (weight: number, scores: number[]) => {
    scores.forEach((s, i) => {
      total[i] += weight * s;
    });
  };
  add(
    3,
    upTo100(
      feasible.map(n => preferNoSchedule(pod, n)),
      true,
    ),
  );
  add(
    2,
    upTo100(
      feasible.map(n => preferredNode(pod, n)),
      false,
    ),
  );
  add(
    1,
    feasible.map(n => leastAllocated(pod, n)),
  );
  add(2, spreading(pod, all, feasible));
  add(2, podAffinity(cache, pod, all, feasible));
  add(
    1,
    feasible.map(n => balanced(pod, n)),
  );
  let best = 0;
  for (let i = 1; i < feasible.length; i++) if (total[i] > total[best]) best = i;
  return feasible[best];
}

/** DefaultNormalizeScore. */
function upTo100(scores: number[], reverse: boolean): number[] {
  const max = Math.max(...scores);
  if (max === 0) return scores.map(() => (reverse ? 100 : 0));
  return scores.map(s => (reverse ? 100 - Math.floor((100 * s) / max) : Math.floor((100 * s) / max)));
}

const preferNoSchedule = (pod: KubeObject, n: NodeInfo): number =>
  (n.node?.spec?.taints ?? []).filter(
    (t: any) => t.effect === 'PreferNoSchedule' && !pod.spec.tolerations?.some((x: any) => tolerates(x, t)),
  ).length;

function preferredNode(pod: KubeObject, n: NodeInfo): number {
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.reduce((sum: number, t: any) => sum + (matchNodeSelectorTerm(t.preference, n.node as KubeObject) ? t.weight : 0), 0);
}

function leastAllocated(pod: KubeObject, n: NodeInfo): number {
  const asked = requestsOf(pod).nonZero;
  const score = (used: number, have: number) => (have === 0 || used > have ? 0 : Math.floor(((have - used) * 100) / have));
  const cpu = score(n.nonZero.cpu + asked.cpu, n.allocatable.cpu ?? 0);
  const memory = score(n.nonZero.memory + asked.memory, n.allocatable.memory ?? 0);
  return Math.floor((cpu + memory) / 2);
}

/** How alike the shares of CPU and memory are: by real requests, and only for pods that have some. */
function balanced(pod: KubeObject, n: NodeInfo): number {
  const r = requestsOf(pod).requests;
  if (!r.cpu && !r.memory) return 0;
  const share = (name: string) => Math.min(1, ((n.requested[name] ?? 0) + (r[name] ?? 0)) / (n.allocatable[name] || 1));
  return Math.floor((1 - Math.abs(share('cpu') - share('memory')) / 2) * 100);
}

/** ScheduleAnyway constraints; without any, pods of one owner are spread over the nodes (the system's default constraints). */
function spreading(pod: KubeObject, all: NodeInfo[], feasible: NodeInfo[]): number[] {
  const soft = (pod.spec.topologySpreadConstraints ?? []).filter((c: any) => c.whenUnsatisfiable === 'ScheduleAnyway');
  let counts: number[];
  if (pod.spec.topologySpreadConstraints?.length) {
    if (!soft.length) return feasible.map(() => 0);
    const states = spreadState(all, pod, soft);
    counts = feasible.map(n =>
      states.reduce(
        (sum, s) => sum + (s.counts.get(topologyValue(n, s.constraint.topologyKey) ?? '') ?? 0) * Math.log(s.counts.size + 2),
        0,
      ),
    );
  } else {
    const owner = pod.metadata.ownerReferences?.find(r => r.controller)?.uid;
    if (!owner) return feasible.map(() => 0);
    const zones = new Map<string, number>();
    const zoneOf = (n: NodeInfo) => topologyValue(n, 'topology.kubernetes.io/zone');
    for (const n of all) {
      const zone = zoneOf(n);
      if (zone) zones.set(zone, (zones.get(zone) ?? 0) + (n.byOwner.get(owner) ?? 0));
    }
    const nodeWeight = Math.log(feasible.length + 2);
    const zoneWeight = Math.log(zones.size + 2);
    counts = feasible.map(n => {
      const zone = zoneOf(n);
      return (n.byOwner.get(owner) ?? 0) * nodeWeight + (zone ? (zones.get(zone) ?? 0) * zoneWeight : 0);
    });
  }
  const max = Math.max(...counts);
  const min = Math.min(...counts);
  return max === 0 ? counts.map(() => 100) : counts.map(x => Math.floor((100 * (max + min - x)) / max));
}

function podAffinity(cache: Cache, pod: KubeObject, all: NodeInfo[], feasible: NodeInfo[]): number[] {
  const values = new Map<string, number>();
  const bump = (info: NodeInfo, key: string, weight: number) => {
    const value = topologyValue(info, key);
    if (value !== undefined) values.set(`${key} ${value}`, (values.get(`${key} ${value}`) ?? 0) + weight);
  };
  const kinds = [
    ['podAffinity', 1],
    ['podAntiAffinity', -1],
  ] as const;
  let used = false;
  for (const [kind, sign] of kinds) {
    for (const t of pod.spec.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      used = true;
      for (const info of all)
        for (const p of info.pods.values())
          if (termMatches(cache, t.podAffinityTerm, pod, p)) bump(info, t.podAffinityTerm.topologyKey, sign * t.weight);
    }
  }
  if (!used) return feasible.map(() => 0);
  const raw = feasible.map(n => {
    let sum = 0;
    for (const [pair, weight] of values) {
      const at = pair.indexOf(' ');
      if (topologyValue(n, pair.slice(0, at)) === pair.slice(at + 1)) sum += weight;
    }
    return sum;
  });
  const min = Math.min(...raw);
  const max = Math.max(...raw);
  return max === min ? raw.map(() => 0) : raw.map(x => Math.floor((100 * (x - min)) / (max - min)));
}
