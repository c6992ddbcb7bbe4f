// PersistentVolumes and claims: binding, release, protection (pkg/controller/volume/{persistentvolume,pvcprotection,pvprotection} v1.36).
import { deleteObject, updateObject, updateStatus } from '../apiserver/client.ts';
import { matchLabelSelector } from '../apiserver/labels.ts';
import { quantity } from '../apiserver/quantity.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, isStatus, recorderOf, same } from './context.ts';
import { isTerminal } from './pods.ts';
import { enqueue, indexed, keyOf, newQueue, type Queue, splitKey, watchAll } from './queue.ts';

const COMPONENT = 'persistentvolume-controller';
const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BOUND_BY = 'pv.kubernetes.io/bound-by-controller';

export function startPersistentVolumes(c: Controllers): void {
  const claims = newQueue(c.sim, 10, key => syncClaim(c, key));
  const volumes: Queue = newQueue(c.sim, 10, name => syncVolume(c, name));
  c.queues.push(claims, volumes);
  const pending = () => {
    for (const p of listObjects(c.server, 'persistentvolumeclaims')) if (p.status?.phase !== 'Bound') enqueue(claims, keyOf(p));
  };
  c.stops.push(
    watchAll(c.server, 'persistentvolumeclaims', c.initial, e => {
      if (e.type !== 'DELETED') enqueue(claims, keyOf(e.object));
      if (e.object.spec?.volumeName) enqueue(volumes, e.object.spec.volumeName);
    }),
    watchAll(c.server, 'persistentvolumes', c.initial, e => {
      if (e.type !== 'DELETED') enqueue(volumes, e.object.metadata.name);
      pending();
    }),
    watchAll(c.server, 'storageclasses.storage.k8s.io', false, pending),
    watchAll(c.server, 'pods', false, e => {
      const over = e.type === 'DELETED' || isTerminal(e.object);
      const bound = !!e.object.spec?.nodeName && !e.old?.spec?.nodeName;
      if (!over && !bound && e.type !== 'ADDED') return;
      for (const v of e.object.spec?.volumes ?? []) {
        const name = v.persistentVolumeClaim?.claimName;
        if (name) enqueue(claims, `${e.object.metadata.namespace}/${name}`);
      }
    }),
  );
}

function classOf(c: Controllers, claim: KubeObject): KubeObject | undefined {
  const name = claim.spec.storageClassName;
  return name ? getObject(c.server, 'storageclasses.storage.k8s.io', '', name) : undefined;
}

const modesFit = (wanted: string[] | undefined, has: string[] | undefined): boolean => (wanted ?? []).every(m => has?.includes(m));

/** FindMatchingVolume: one that is made for the claim, else the smallest that is large enough. */
function matching(c: Controllers, claim: KubeObject): KubeObject | undefined {
  const wanted = quantity(String(claim.spec.resources?.requests?.storage ?? '0')).nano;
  let best: KubeObject | undefined;
  for (const pv of listObjects(c.server, 'persistentvolumes')) {
    const ref = pv.spec.claimRef;
    if (pv.metadata.deletionTimestamp) continue;
    if (claim.spec.volumeName && pv.metadata.name !== claim.spec.volumeName) continue;
    if (
      ref &&
      (ref.name !== claim.metadata.name || ref.namespace !== claim.metadata.namespace || (ref.uid && ref.uid !== claim.metadata.uid))
    )
      continue;
    if ((pv.spec.storageClassName ?? '') !== (claim.spec.storageClassName ?? '')) continue;
    if ((pv.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) continue;
    if (!modesFit(claim.spec.accessModes, pv.spec.accessModes)) continue;
    const size = quantity(String(pv.spec.capacity?.storage ?? '0')).nano;
    if (size < wanted) continue;
    if (ref) return pv;
    if (pv.status?.phase && pv.status.phase !== 'Available' && pv.status.phase !== 'Pending') continue;
    if (claim.spec.selector && !matchLabelSelector(claim.spec.selector, pv.metadata.labels)) continue;
    if (!best || size < quantity(String(best.spec.capacity?.storage ?? '0')).nano) best = pv;
  }
  return best;
}

const podsUsing = (c: Controllers, claim: KubeObject): KubeObject[] =>
  indexed(c.podsByNamespace, claim.metadata.namespace as string).filter(
    p => !isTerminal(p) && (p.spec.volumes ?? []).some((v: any) => v.persistentVolumeClaim?.claimName === claim.metadata.name),
  );

function syncClaim(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const claim = getObject(c.server, 'persistentvolumeclaims', namespace, name);
  if (!claim) return;
  if (claim.metadata.deletionTimestamp) {
    if (!podsUsing(c, claim).length) dropFinalizer(c, claim, CLAIM_FINALIZER);
    return;
  }
  if (claim.metadata.annotations?.[BIND_COMPLETED]) {
    const pv = getObject(c.server, 'persistentvolumes', '', claim.spec.volumeName ?? '');
    if (!pv && claim.status?.phase !== 'Lost') {
      updateStatus(c.server, { ...claim, status: { ...claim.status, phase: 'Lost' } });
      recordEvent(
        recorderOf(c, COMPONENT),
        claim,
        'Warning',
        'ClaimLost',
        'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
      );
    }
    return;
  }
  const storageClass = classOf(c, claim);
  const delayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && !podsUsing(c, claim).length && !claim.spec.volumeName;
  const pv = delayed ? undefined : matching(c, claim);
  if (pv) {
    bind(c, claim, pv);
    return;
  }
  const recorder = recorderOf(c, COMPONENT);
  if (delayed) recordEvent(recorder, claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
  else if (storageClass && storageClass.provisioner !== 'kubernetes.io/no-provisioner') {
    const text = `Waiting for a volume to be created either by the external provisioner '${storageClass.provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    recordEvent(recorder, claim, 'Normal', 'ExternalProvisioning', text);
  } else if (claim.spec.storageClassName && !storageClass) {
    recordEvent(recorder, claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${claim.spec.storageClassName}" not found`);
  } else if (!claim.spec.storageClassName) {
    recordEvent(recorder, claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
  }
}

function bind(c: Controllers, claim: KubeObject, pv: KubeObject): void {
  const { namespace, name, uid } = claim.metadata;
  const claimRef = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    name,
    namespace,
    uid,
    resourceVersion: claim.metadata.resourceVersion,
  };
  const given = !!pv.spec.claimRef;
  const volume = updateObject(c.server, {
    ...pv,
    metadata: { ...pv.metadata, annotations: { ...pv.metadata.annotations, ...(given ? {} : { [BOUND_BY]: 'yes' }) } },
    spec: { ...pv.spec, claimRef },
  });
  if (isStatus(volume)) return;
  updateStatus(c.server, { ...volume, status: { ...volume.status, phase: 'Bound' } });
  const byUs: Record<string, string> = claim.spec.volumeName ? {} : { [BOUND_BY]: 'yes' };
  const bound = updateObject(c.server, {
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [BIND_COMPLETED]: 'yes', ...byUs } },
    spec: { ...claim.spec, volumeName: pv.metadata.name },
  });
  if (isStatus(bound)) return;
  updateStatus(c.server, {
    ...bound,
    status: { ...bound.status, phase: 'Bound', accessModes: pv.spec.accessModes, capacity: pv.spec.capacity },
  });
}

function syncVolume(c: Controllers, name: string): void {
  const pv = getObject(c.server, 'persistentvolumes', '', name);
  if (!pv) return;
  const ref = pv.spec.claimRef;
  const claim = ref && getObject(c.server, 'persistentvolumeclaims', ref.namespace, ref.name);
  const held = claim && (!ref.uid || claim.metadata.uid === ref.uid);
  if (pv.metadata.deletionTimestamp) {
    if (!held) dropFinalizer(c, pv, VOLUME_FINALIZER);
    return;
  }
  let phase = 'Available';
  if (ref?.uid) phase = held ? 'Bound' : 'Released';
  if (pv.status?.phase !== phase && pv.status?.phase !== 'Failed') {
    updateStatus(c.server, { ...pv, status: { ...pv.status, phase } });
  }
  if (phase !== 'Released' || pv.spec.persistentVolumeReclaimPolicy !== 'Delete') return;
  // Only in-tree hostPath under /tmp deletes itself; the others wait for their driver, which is gone with the claim here.
  deleteObject(c.server, 'persistentvolumes', '', name);
}

function dropFinalizer(c: Controllers, o: KubeObject, finalizer: string): void {
  const old = o.metadata.finalizers;
  if (!old?.includes(finalizer)) return;
  const rest = old.filter(f => f !== finalizer);
  const finalizers = rest.length ? rest : undefined;
  if (!same(finalizers, old)) updateObject(c.server, { ...o, metadata: { ...o.metadata, finalizers } });
}
