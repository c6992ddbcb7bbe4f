import { describe, expect, it } from 'vitest';
import { deleteObject } from '../../src/apiserver/client.ts';
import { getObject } from '../../src/apiserver/store.ts';
import type { KubeObject } from '../../src/apiserver/types.ts';
import { apply, events, getPod, newCluster, pod, run } from '../kubelet/cluster.ts';

const volume = (name: string, storage: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage },
    accessModes: ['ReadWriteOnce'],
    hostPath: { path: `/data/${name}` },
    persistentVolumeReclaimPolicy: 'Retain',
  },
});
const claim = (name: string, storage: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
});

describe('PersistentVolumes', () => {
  it('go to the claims that they fit best, and hold pods up until then', () => {
    const c = newCluster();
    apply(c, claim('data', '1Gi'));
    apply(c, pod('db', {}, { terminationGracePeriodSeconds: 1, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }));
    run(c);
    expect(events(c, 'data')).toEqual(['Normal FailedBinding no persistent volumes available for this claim and no storage class is set']);
    expect(getPod(c, 'db')?.status.conditions[0].message).toMatch(/pod has unbound immediate PersistentVolumeClaims/);
    apply(c, volume('big', '10Gi'));
    apply(c, volume('small', '500Mi'));
    run(c);
    expect(getObject(c.server, 'persistentvolumeclaims', 'default', 'data')).toMatchObject({
      spec: { volumeName: 'big' },
      status: { phase: 'Bound' },
    });
    expect(getObject(c.server, 'persistentvolumes', '', 'small')?.status.phase).toBe('Available');
    run(c, 20_000);
    expect(getPod(c, 'db')?.status.phase).toBe('Running');
    deleteObject(c.server, 'pods', 'default', 'db');
    run(c);
    deleteObject(c.server, 'persistentvolumeclaims', 'default', 'data');
    run(c);
    expect(getObject(c.server, 'persistentvolumeclaims', 'default', 'data')).toBeUndefined();
    expect(getObject(c.server, 'persistentvolumes', '', 'big')?.status.phase).toBe('Released');
  });
});
