// The resources that CustomResourceDefinitions bring.

import { listObjects } from '../store.ts';
import type { ApiServer, KubeObject, ResourceInfo, Verb } from '../types.ts';
import type { CustomSchema } from './schema.ts';

export const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

const VERBS: Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

interface Known {
  /** Of the newest definition: any change of one makes the list anew. */
  stamp: string;
  resources: ResourceInfo[];
  versions: Map<ResourceInfo, { crd: KubeObject; version: any }>;
}

const known = new WeakMap<ApiServer, Known>();

function knownOf(server: ApiServer): Known {
  const crds = listObjects(server, CRDS);
  const stamp = crds.map(o => o.metadata.resourceVersion).join();
  let k = known.get(server);
  if (k?.stamp === stamp) return k;
  k = { stamp, resources: [], versions: new Map() };
  known.set(server, k);
  for (const crd of crds) {
    if (!isEstablished(crd)) continue;
    for (const version of [...(crd.spec.versions ?? [])].sort((a, b) => compareVersions(a.name, b.name))) {
      if (!version.served) continue;
      const info = infoOf(crd, version);
      k.resources.push(info);
      k.versions.set(info, { crd, version });
    }
  }
  return k;
}

export const isEstablished = (crd: KubeObject): boolean =>
  (crd.status?.conditions ?? []).some((c: any) => c.type === 'Established' && c.status === 'True');

function infoOf(crd: KubeObject, version: any): ResourceInfo {
  const { names, group, scope } = crd.spec;
  return {
    group,
    version: version.name,
    resource: names.plural,
    kind: names.kind,
    singular: names.singular,
    shortNames: names.shortNames ?? [],
    namespaced: scope === 'Namespaced',
    categories: names.categories ?? [],
    subresources: Object.keys(version.subresources ?? {}).filter(k => version.subresources[k]),
    verbs: VERBS,
  };
}

/** v2 before v1 before v1beta1 before v1alpha1 before what is no such name (k8s.io/apimachinery/pkg/version/helpers.go). */
export function compareVersions(a: string, b: string): number {
  const parse = (v: string) => {
    const m = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(v);
    return m && { major: Number(m[1]), stage: m[2] === 'alpha' ? 0 : m[2] === 'beta' ? 1 : 2, minor: Number(m[3] ?? 0) };
  };
  const [x, y] = [parse(a), parse(b)];
  if (!x || !y) return x ? -1 : y ? 1 : a < b ? -1 : 1;
  return y.stage - x.stage || y.major - x.major || y.minor - x.minor;
}

export const customResources = (server: ApiServer): ResourceInfo[] => knownOf(server).resources;

export const definitionOf = (server: ApiServer, info: ResourceInfo): { crd: KubeObject; version: any } | undefined =>
  knownOf(server).versions.get(info);

export function schemaOf(server: ApiServer, info: ResourceInfo): CustomSchema | undefined {
  return definitionOf(server, info)?.version.schema?.openAPIV3Schema;
}
