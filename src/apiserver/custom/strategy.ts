// How objects of custom resources are decoded and written (k8s.io/apiextensions-apiserver/pkg/registry/customresource v0.36.3).

import { decodeStruct, strictError } from '../decode.ts';
import { cloneJson, isMap } from '../json.ts';
import { validateMetadata, validateMetadataUpdate } from '../kinds/metadata.ts';
import { nameIsSubdomain } from '../kinds/rules.ts';
import { structOf } from '../schema.ts';
import type { KindStrategy, WriteContext } from '../strategy.ts';
import type { ApiServer, KubeObject, ResourceInfo } from '../types.ts';
import { definitionOf, schemaOf } from './resources.ts';
import { validateRules } from './rules.ts';
import { applyDefaults, duplicateItems, prune, validateValue } from './schema.ts';

/** The body as an object of the resource, or the error that decoding ends with. */
export function decodeCustom(c: WriteContext, body: Record<string, any>, trusted = false): KubeObject | string {
  const { server, info } = c;
  const o = cloneJson(body) as KubeObject;
  const unknown: string[] = [];
  if (o.metadata !== undefined && !isMap(o.metadata))
    return 'json: cannot unmarshal string into Go struct field .metadata of type v1.ObjectMeta';
  const meta = decodeStruct(structOf('meta/v1.ObjectMeta'), o.metadata ?? {});
  if (meta.error) return meta.error;
  unknown.push(...meta.strict.map(f => `metadata.${f}`));
  o.metadata = meta.value;
  const definition = definitionOf(server, info);
  const schema = schemaOf(server, info);
  if (definition && schema) {
    unknown.push(...prune(o, schema));
    applyDefaults(o, schema);
  }
  const strict = trusted ? null : strictError(c, unknown);
  return strict ?? o;
}

export function customStrategy(server: ApiServer, info: ResourceInfo): KindStrategy {
  const hasStatus = info.subresources.includes('status');
  const schema = schemaOf(server, info);
  const validate = (o: KubeObject, old: KubeObject | undefined, c: WriteContext) => {
    if (!schema) return [];
    const errors = [...validateValue(o, { ...schema, type: 'object' }), ...duplicateItems(o, schema, '')];
    // A rule can rely on values that are as the schema says.
    return errors.length ? errors : validateRules(o, old, schema, c.warnings);
  };
  return {
    hasStatus,
    scale: info.subresources.includes('scale'),
    nameRule: nameIsSubdomain,
    conditionalUpdate: true,
    generation: o => {
      const { metadata: _, ...rest } = o;
      if (hasStatus) delete rest.status;
      return rest;
    },
    validate: (o, c) => [...validateMetadata(o.metadata, info.namespaced, nameIsSubdomain), ...validate(o, undefined, c)],
    validateUpdate: (o, old, c) => [...validateMetadataUpdate(o.metadata, old.metadata), ...validate(o, old, c)],
    prepareStatusUpdate: (o, old) => {
      o.metadata = { ...old.metadata };
    },
    validateStatusUpdate: (o, old, c) => validate(o, old, c),
  };
}
