// VolumeBinding's PreFilter: claims that have to be there before a node is looked for (plugins/volumebinding v1.36).
import { getObject, listObjects } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';

/** Why a pod's claims keep it from being scheduled, or null. */
export function claimsProblem(server: ApiServer, pod: KubeObject): string | null {
  let unbound = false;
  for (const v of pod.spec.volumes ?? []) {
    const name = v.persistentVolumeClaim?.claimName ?? (v.ephemeral ? `${pod.metadata.name}-${v.name}` : null);
    if (!name) continue;
    const claim = getObject(server, 'persistentvolumeclaims', pod.metadata.namespace, name);
    if (!claim) {
      return v.ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`;
    }
    if (claim.status?.phase === 'Lost')
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName}"`;
    if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
    if (claim.status?.phase !== 'Bound' && !waitsForConsumer(server, claim)) unbound = true;
  }
  return unbound ? 'pod has unbound immediate PersistentVolumeClaims' : null;
}

function waitsForConsumer(server: ApiServer, claim: KubeObject): boolean {
  const name = claim.spec.storageClassName;
  const storageClass = name
    ? getObject(server, 'storageclasses.storage.k8s.io', '', name)
    : listObjects(server, 'storageclasses.storage.k8s.io').find(
        c => c.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true',
      );
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
}
