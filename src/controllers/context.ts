// What all controllers share: the server, the indexes their informers would keep, and a recorder each.
import { newRecorder, type Recorder } from '../apiserver/recorder.ts';
import type { ApiServer, KubeObject, Status } from '../apiserver/types.ts';
import type { Sim } from '../sim/sim.ts';
import { controllerOf, type Index, newIndex, type Queue } from './queue.ts';

export interface Controllers {
  server: ApiServer;
  sim: Sim;
  /** By controlling owner's uid; pods without one by `orphan/NAMESPACE`. */
  podsByOwner: Index;
  podsByNode: Index;
  podsByNamespace: Index;
  replicaSetsByOwner: Index;
  jobsByOwner: Index;
  /** By `NAMESPACE/KEY=VALUE`, for each label. */
  podsByLabel: Index;
  /** By `NAMESPACE/KEY=VALUE` of the first pair of their selector. */
  servicesBySelector: Index;
  /** By `NAMESPACE/SERVICE`, whoever made them. */
  slicesByService: Index;
  recorders: Map<string, Recorder>;
  queues: Queue[];
  stops: (() => void)[];
  /** List what is there at the start: not needed when an earlier run left everything at rest. */
  initial: boolean;
  /** The same for controllers without deadlines: `initial`, unless nothing was under way when the session was kept. */
  unsettled: boolean;
  /** The cloud's addresses for Services of type LoadBalancer; null: there is no provider. */
  loadBalancerPool: string[] | null;
  /** Another implementation in the cluster takes Services that have no address yet. */
  loadBalancerElsewhere: () => boolean;
}

/** What an index finds the members of a selector by. */
export function firstPair(selector: Record<string, string> | undefined): string | undefined {
  for (const k in selector) return `${k}=${selector[k]}`;
  return undefined;
}

const byOwnerOrOrphan = (o: KubeObject): string[] => {
  const ref = controllerOf(o);
  return [ref ? ref.uid : `orphan/${o.metadata.namespace}`];
};

export function newControllers(
  server: ApiServer,
  options: Pick<Controllers, 'initial' | 'unsettled' | 'loadBalancerPool' | 'loadBalancerElsewhere'>,
): Controllers {
  const byNamespace = (o: KubeObject) => [o.metadata.namespace ?? ''];
  return {
    server,
    sim: server.sim,
    podsByOwner: newIndex(server, 'pods', byOwnerOrOrphan),
    podsByNode: newIndex(server, 'pods', o => (o.spec?.nodeName ? [o.spec.nodeName] : [])),
    podsByNamespace: newIndex(server, 'pods', byNamespace),
    replicaSetsByOwner: newIndex(server, 'replicasets.apps', byOwnerOrOrphan),
    jobsByOwner: newIndex(server, 'jobs.batch', byOwnerOrOrphan),
    podsByLabel: newIndex(server, 'pods', o =>
      Object.entries(o.metadata.labels ?? {}).map(([k, v]) => `${o.metadata.namespace}/${k}=${v}`),
    ),
    servicesBySelector: newIndex(server, 'services', o => {
      const first = firstPair(o.spec?.selector);
      return first ? [`${o.metadata.namespace}/${first}`] : [];
    }),
    slicesByService: newIndex(server, 'endpointslices.discovery.k8s.io', o => {
      const service = o.metadata.labels?.['kubernetes.io/service-name'];
      return service ? [`${o.metadata.namespace}/${service}`] : [];
    }),
    recorders: new Map(),
    queues: [],
    stops: [],
    ...options,
  };
}

export function recorderOf(c: Controllers, component: string): Recorder {
  let r = c.recorders.get(component);
  if (!r) c.recorders.set(component, (r = newRecorder(c.server, component)));
  return r;
}

export const isStatus = (o: KubeObject | Status): o is Status => o.kind === 'Status';

/** Semantic equality: absent, null and empty lists or maps are the same (apimachinery's equality.Semantic, k8s.io/api omitempty). */
export function same(a: any, b: any): boolean {
  if (a === b) return true;
  if (empty(a) && empty(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => same(x, b[i]));
  for (const k in a) if (!same(a[k], b[k])) return false;
  for (const k in b) if (!(k in a) && !empty(b[k])) return false;
  return true;
}

function empty(x: any): boolean {
  if (x === undefined || x === null) return true;
  if (typeof x !== 'object') return false;
  for (const _ in x) return false;
  return true;
}

/** intstr.GetScaledValueFromIntOrPercent. */
export function scaled(value: number | string | undefined, total: number, roundUp: boolean, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'number') return value;
  const m = /^(\d+)%$/.exec(value);
  if (!m) return Number(value) || 0;
  const exact = (Number(m[1]) * total) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}

/** A Condition that keeps its transition time while its status stays. null: nothing changes. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
  lastProbeTime?: string | null;
  [field: string]: any;
}

export const conditionOf = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find(c => c.type === type);
