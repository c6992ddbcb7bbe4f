// Where etcd has the API's objects (pkg/registry's storage prefixes, cmd/kube-apiserver/app/…/storage_factory v1.36.3).
import { allResources } from '../../apiserver/resources.ts';
import { bucketName, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';

/** Resources that do not lie under their own name. */
const PLACES: Record<string, string> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
  replicationcontrollers: 'controllers',
  'ingresses.networking.k8s.io': 'ingress',
  'customresourcedefinitions.apiextensions.k8s.io': 'apiextensions.k8s.io/customresourcedefinitions',
  'apiservices.apiregistration.k8s.io': 'apiregistration.k8s.io/apiservices',
};

function* entries(server: ApiServer): Generator<[place: string, object: KubeObject]> {
  const seen = new Set<string>();
  for (const info of allResources(server)) {
    const bucket = bucketName(info.group, info.resource);
    if (seen.has(bucket)) continue;
    seen.add(bucket);
    const custom = info.group.includes('.') && !/(^|\.)k8s\.io$/.test(info.group);
    const place =
      PLACES[bucket] ?? (custom || info.group === 'policy.networking.k8s.io' ? `${info.group}/${info.resource}` : info.resource);
    for (const o of listObjects(server, bucket)) yield [place, o];
  }
}

/** All keys below /registry, in the order of their bytes. */
export function etcdKeys(server: ApiServer): string[] {
  const keys = new Set<string>();
  for (const [place, { metadata }] of entries(server)) {
    keys.add(`/registry/${place}/${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`);
  }
  return [...keys].sort();
}

/** What the objects have as JSON: a bbolt file's own pages are not modelled. */
export function etcdBytes(server: ApiServer): number {
  let n = 0;
  for (const [, o] of entries(server)) n += JSON.stringify(o).length;
  return n;
}
