// APIs that another server serves behind an APIService, of which the simulation has one: the resource metrics (k8s.io/metrics v1beta1).
import { bucketOf } from './store.ts';
import type { ApiServer, KubeObject, ResourceInfo } from './types.ts';

export const API_SERVICES = 'apiservices.apiregistration.k8s.io';

const metrics = (resource: string, kind: string, namespaced: boolean): ResourceInfo => ({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  resource,
  kind,
  singular: '',
  shortNames: [],
  namespaced,
  categories: [],
  subresources: [],
  verbs: ['get', 'list'],
});

const SERVED: Record<string, ResourceInfo[]> = {
  'v1beta1.metrics.k8s.io': [metrics('nodes', 'NodeMetrics', false), metrics('pods', 'PodMetrics', true)],
};

const available = (o: KubeObject): boolean =>
  (o.status?.conditions ?? []).some((c: { type: string; status: string }) => c.type === 'Available' && c.status === 'True');

/** Resources of the APIServices that are available. */
export function aggregatedResources(server: ApiServer): ResourceInfo[] {
  const out: ResourceInfo[] = [];
  for (const o of bucketOf(server, API_SERVICES).objects.values())
    if (SERVED[o.metadata.name] && available(o)) out.push(...SERVED[o.metadata.name]);
  return out;
}
