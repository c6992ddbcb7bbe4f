// Parts of the objects that a cluster is born with.
import type { KubeObject } from '../apiserver/types.ts';

/** Of an object's metadata what its author writes. */
export const meta = (name: string, namespace?: string, extra: Record<string, unknown> = {}): KubeObject['metadata'] => ({
  name,
  ...(namespace ? { namespace } : {}),
  ...extra,
});

export const serviceAccount = (name: string, namespace: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: meta(name, namespace),
});
