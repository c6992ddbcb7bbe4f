// The annotation that `apply` keeps what it was given in (k8s.io/kubectl v0.36.3, pkg/util/apply.go).

import type { KubeObject } from '../apiserver/types.ts';
import { goJson } from './go-json.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object as JSON, without the annotation itself. */
export function configurationOf(object: KubeObject): string {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata?.annotations ?? {};
  // GetModifiedConfiguration leaves an empty map of annotations behind.
  const metadata = { ...object.metadata, annotations };
  return `${goJson({ ...object, metadata })}\n`;
}

export function withLastApplied(object: KubeObject): KubeObject {
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata?.annotations, [LAST_APPLIED]: configurationOf(object) } },
  };
}

export const lastAppliedOf = (object: KubeObject): string | undefined => object.metadata?.annotations?.[LAST_APPLIED];

/** util.CreateOrUpdateAnnotation */
export function saveConfig(object: KubeObject, create: boolean): KubeObject {
  return create || lastAppliedOf(object) !== undefined ? withLastApplied(object) : object;
}
