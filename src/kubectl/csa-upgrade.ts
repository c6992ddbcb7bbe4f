// From client-side to server-side apply: the fields of the one become those of the other
// (k8s.io/client-go/util/csaupgrade v0.36.3).

import { sameJson } from '../apiserver/json.ts';
import { type Fields, hasPath, union } from '../apiserver/managed/fields.ts';
import type { Manager } from '../apiserver/managed/managers.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { LAST_APPLIED } from './last-applied.ts';

const ANNOTATION = ['f:metadata', 'f:annotations', `f:${LAST_APPLIED}`];

const managersOf = (o: KubeObject): Manager[] => (o.metadata.managedFields ?? []) as Manager[];

/** Managers that own the annotation of client-side apply through this operation. */
export const annotationOwners = (o: KubeObject, operation: Manager['operation']): Manager[] =>
  managersOf(o).filter(m => m.operation === operation && hasPath(m.fieldsV1 as Fields, ANNOTATION));

/** A JSON patch that makes the client-side managers' fields `manager`'s. null: there is nothing to do. */
export function upgradePatch(o: KubeObject, manager: string): unknown[] | null {
  const before = managersOf(o);
  let after = before;
  for (const name of new Set(annotationOwners(o, 'Update').map(m => m.manager))) after = upgraded(after, name, manager);
  if (sameJson(before, after)) return null;
  return [
    { op: 'replace', path: '/metadata/managedFields', value: after },
    { op: 'replace', path: '/metadata/resourceVersion', value: o.metadata.resourceVersion },
  ];
}

function upgraded(entries: Manager[], from: string, to: string): Manager[] {
  const isOld = (m: Manager) => m.manager === from && m.operation === 'Update' && !m.subresource;
  const list = [...entries];
  let at = list.findIndex(m => m.manager === to && m.operation === 'Apply' && !m.subresource);
  if (at < 0) {
    at = list.findIndex(isOld);
    if (at < 0) return entries;
    list[at] = { ...list[at], operation: 'Apply', manager: to };
  }
  const same = list.find(m => isOld(m) && m.apiVersion === list[at].apiVersion);
  if (same) list[at] = { ...list[at], fieldsV1: union(list[at].fieldsV1, same.fieldsV1) };
  return list.filter(m => !isOld(m));
}
