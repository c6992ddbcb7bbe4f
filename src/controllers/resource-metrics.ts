// What an autoscaler makes of the pods' resource metrics (pkg/controller/podautoscaler/replica_calculator.go v1.36).
import { parseQuantity } from '../apiserver/quantity.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import type { Controllers } from './context.ts';

/** Where metrics-server's answers are. */
export const POD_METRICS = 'pods.metrics.k8s.io';
/** --horizontal-pod-autoscaler-tolerance */
const TOLERANCE = 0.1;

export interface Proposal {
  replicas: number;
  /** As the condition and the events name the metric. */
  name: string;
  current: Record<string, unknown>;
}

const milli = (text: unknown): number => {
  const q = parseQuantity(String(text ?? '0'));
  return typeof q === 'string' ? 0 : Number(q.nano) / 1e6;
};

/** Pods of the target that count: not on their way out, not failed, ready. */
function counted(c: Controllers, namespace: string, selector: string): KubeObject[] {
  const pairs = selector.split(',').map(p => p.split('='));
  return listObjects(c.server, 'pods', namespace).filter(
    p => pairs.every(([k, v]) => p.metadata.labels?.[k] === v) && !p.metadata.deletionTimestamp && p.status?.phase !== 'Failed',
  );
}

const ready = (p: KubeObject): boolean => (p.status?.conditions ?? []).some((x: any) => x.type === 'Ready' && x.status === 'True');

/** `metric`: a Resource or ContainerResource metric's source. -> a text: why nothing can be said */
export function propose(
  c: Controllers,
  o: { namespace: string; selector: string; replicas: number; source: any; container?: string },
): Proposal | string {
  const { source, container } = o;
  const resource: string = source.name;
  const of = (x: any) => !container || x.name === container;
  const pods = counted(c, o.namespace, o.selector).filter(ready);
  let used = 0;
  let asked = 0;
  let measured = 0;
  for (const pod of pods) {
    const m = getObject(c.server, POD_METRICS, o.namespace, pod.metadata.name);
    if (!m) continue;
    measured++;
    for (const x of m.containers.filter(of)) used += milli(x.usage?.[resource]);
    for (const x of pod.spec.containers.filter(of)) {
      const request = x.resources?.requests?.[resource];
      if (request === undefined && source.target.type === 'Utilization')
        return `missing request for ${resource} in container ${x.name} of Pod ${pod.metadata.name}`;
      asked += milli(request);
    }
  }
  if (!measured) return `unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`;
  const average = used / measured;
  const averageValue = resource === 'memory' ? String(Math.round(average / 1000)) : `${Math.round(average)}m`;
  if (source.target.type === 'Utilization') {
    const percent = Math.trunc((used * 100) / asked);
    return {
      replicas: scaledBy(percent / source.target.averageUtilization, measured, o.replicas),
      name: `${resource} ${container ? `container resource` : 'resource'} utilization (percentage of request)`,
      current: { averageUtilization: percent, averageValue },
    };
  }
  return {
    replicas: scaledBy(average / milli(source.target.averageValue), measured, o.replicas),
    name: `${resource} ${container ? 'container resource' : 'resource'}`,
    current: { averageValue },
  };
}

const scaledBy = (ratio: number, pods: number, now: number): number => (Math.abs(1 - ratio) <= TOLERANCE ? now : Math.ceil(ratio * pods));
