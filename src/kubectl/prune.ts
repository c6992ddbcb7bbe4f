// Which live objects --prune takes for leftovers of the manifests (k8s.io/kubectl v0.36.3, pkg/util/prune, pkg/cmd/apply/prune.go).

import type { KubeObject, ResourceInfo } from '../apiserver/types.ts';
import { type Cmd, connect, klogWarning, list } from './command.ts';
import { fail, isFailure, wrapped } from './failure.ts';
import { lastAppliedOf } from './last-applied.ts';
import { groupVersion, noKindMatch, resourceOfKind } from './mapping.ts';
import { listObjects } from './requests.ts';

/** What --prune looks at when no allowlist is given. */
const PRUNED = [
  'v1/ConfigMap',
  'v1/Endpoints',
  'v1/PersistentVolumeClaim',
  'v1/Pod',
  'v1/ReplicationController',
  'v1/Secret',
  'v1/Service',
  'batch/v1/Job',
  'batch/v1/CronJob',
  'networking.k8s.io/v1/Ingress',
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'apps/v1/ReplicaSet',
  'apps/v1/StatefulSet',
  'v1/Namespace',
  'v1/PersistentVolume',
];

/** The rows of --prune-allowlist, or []: none is given. */
export function allowlist(cmd: Cmd): ResourceInfo[] {
  return list(cmd, 'prune-allowlist').map(row => {
    const parts = row.split('/');
    if (parts.length !== 3) fail(`invalid GroupVersionKind format: ${row}, please follow <group/version/kind>`);
    const [group, version, kind] = [parts[0] === 'core' ? '' : parts[0], parts[1], parts[2]];
    const apiVersion = group ? `${group}/${version}` : version;
    return resourceOfKind(connect(cmd), apiVersion, kind) ?? fail(noKindMatch(apiVersion, kind));
  });
}

function defaults(cmd: Cmd): ResourceInfo[] {
  // A namespace is always specified: the kubeconfig's or `default`, where --namespace is not given.
  klogWarning(
    cmd,
    'prune.go:71',
    'Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.',
  );
  return PRUNED.map(row => {
    const at = row.lastIndexOf('/');
    const [apiVersion, kind] = [row.slice(0, at), row.slice(at + 1)];
    return resourceOfKind(connect(cmd), apiVersion, kind) ?? fail(noKindMatch(apiVersion, kind));
  });
}

export interface Leftover {
  mapping: ResourceInfo;
  /** '' : of the cluster. */
  namespace: string;
  object: KubeObject;
}

/**
 * Objects that `apply` made once, that `selector` fits and that `visited` (uids) does not hold. `each` is called as they are found, so that
 * what has been pruned before something fails stays pruned.
 */
export function pruneLeftovers(
  cmd: Cmd,
  allowed: ResourceInfo[],
  of: { selector: string; namespaces: Iterable<string>; visited: Set<string> },
  each: (l: Leftover) => void,
): void {
  const rows = allowed.length ? allowed : defaults(cmd);
  const one = (mapping: ResourceInfo, namespace: string) => {
    try {
      for (const object of listObjects(cmd, mapping, namespace, { labelSelector: of.selector || undefined }))
        if (lastAppliedOf(object) !== undefined && !of.visited.has(object.metadata.uid ?? '')) each({ mapping, namespace, object });
    } catch (e) {
      if (!isFailure(e)) throw e;
      const scope = mapping.namespaced ? 'namespaced' : 'nonNamespaced';
      throw wrapped(`error pruning ${scope} object ${groupVersion(mapping).replace(/^v/, '/v')}, Kind=${mapping.kind}`, e);
    }
  };
  for (const namespace of of.namespaces) for (const m of rows) if (m.namespaced) one(m, namespace);
  for (const m of rows) if (!m.namespaced) one(m, '');
}
