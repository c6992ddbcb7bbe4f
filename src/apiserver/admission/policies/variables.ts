// What the expressions of admission policies may name (k8s.io/apiserver/pkg/admission/plugin/cel/compile.go v0.36.3).

import { parseTimestamp } from '../../cel/time.ts';
import { BOOL, DYN, INT, listOf, mapOf, STRING, TIMESTAMP, type Type } from '../../cel/types.ts';
import { fromJson, MapVal, Obj, Timestamp, type Val } from '../../cel/values.ts';
import { isMap, type Json } from '../../json.ts';

const object = (name: string, fields: Record<string, Type>): Type => ({ k: 'object', name, fields: new Map(Object.entries(fields)) });

const KIND = object('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING });
const RESOURCE = object('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING });
const STRINGS = listOf(STRING);

export const REQUEST = object('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: object('kubernetes.UserInfo', { username: STRING, uid: STRING, groups: STRINGS, extra: mapOf(STRING, STRINGS) }),
  dryRun: BOOL,
  options: DYN,
});

const CONDITION = { status: STRING, type: STRING, lastTransitionTime: TIMESTAMP, message: STRING, reason: STRING };

export const NAMESPACE = object('kubernetes.Namespace', {
  metadata: object('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: STRINGS,
  }),
  spec: object('kubernetes.NamespaceSpec', { finalizers: STRINGS }),
  status: object('kubernetes.NamespaceStatus', { conditions: listOf(object('kubernetes.NamespaceCondition', CONDITION)), phase: STRING }),
});

/** JSON as a value of a declared type; what the type does not have is not seen. */
export function typed(x: Json, type: Type): Val {
  if (x === undefined || x === null) return null;
  if (type.k === 'object' && isMap(x)) {
    const fields = new Map<string, Val>();
    for (const [name, t] of type.fields) if (x[name] !== undefined && x[name] !== null) fields.set(name, typed(x[name], t));
    return new Obj(type.name, fields);
  }
  if (type.k === 'list' && Array.isArray(x)) return x.map(v => typed(v, type.of));
  if (type.k === 'map' && isMap(x)) return MapVal.of(Object.keys(x).map(k => [k, typed(x[k], type.of)]));
  if (type.k === 'timestamp') return new Timestamp(parseTimestamp(x));
  return fromJson(x);
}

/** Fields that are worked out when they are first asked for. */
export class LazyFields extends Map<string, Val> {
  constructor(private readonly work: Map<string, () => Val>) {
    super();
  }
  override has(name: string): boolean {
    return this.work.has(name);
  }
  override get(name: string): Val | undefined {
    const known = super.get(name);
    const work = this.work.get(name);
    if (known !== undefined || !work) return known;
    const v = work();
    this.set(name, v);
    return v;
  }
}
