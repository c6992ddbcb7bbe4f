import { resourceOfKind } from './resources.ts';
import { bucketName, commit, keyOf } from './store.ts';
import type { ApiServer, KubeObject } from './types.ts';

/** Write without admission, defaulting or validation: the control plane's own, as kube-apiserver makes them before it serves. */
export function putObject(server: ApiServer, object: KubeObject): KubeObject {
  const info = resourceOfKind(server, object.apiVersion, object.kind);
  if (!info) throw new Error(`unknown kind ${object.apiVersion} ${object.kind}`);
  const { namespace, name } = object.metadata;
  return commit(server, bucketName(info.group, info.resource), keyOf(namespace, name), { ...object, metadata: { ...object.metadata } });
}
