// The annotation that `apply` keeps what it was given in (k8s.io/kubectl v0.36.3, pkg/util/apply.go).

import { inGoOrder } from '../apiserver/go-order.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { goJson } from './go-json.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object as JSON, without the annotation itself. */
function configurationOf(object: KubeObject): string {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata?.annotations ?? {};
  // GetModifiedConfiguration leaves an empty map of annotations behind.
  const metadata = { ...object.metadata, annotations };
  return `${goJson({ ...object, metadata })}\n`;
}

/** What a generator made is a Go struct: its fields are written as they are declared, and an empty map not at all. */
const typedConfigurationOf = (object: KubeObject): string => `${goText(inGoOrder(object))}\n`;

const goText = (o: unknown): string => JSON.stringify(o).replace(/[<>&]/g, c => `\\u00${c.charCodeAt(0).toString(16)}`);

export function withLastApplied(object: KubeObject, text = configurationOf(object)): KubeObject {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata?.annotations, [LAST_APPLIED]: text } } };
}

export const lastAppliedOf = (object: KubeObject): string | undefined => object.metadata?.annotations?.[LAST_APPLIED];

/** util.CreateOrUpdateAnnotation */
export function saveConfig(object: KubeObject, create: boolean): KubeObject {
  return create || lastAppliedOf(object) !== undefined ? withLastApplied(object) : object;
}

/** The same for what a generator made. */
export const saveTypedConfig = (object: KubeObject, create: boolean): KubeObject =>
  create ? withLastApplied(object, typedConfigurationOf(object)) : object;
