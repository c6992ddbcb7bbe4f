// Which requests a policy or its binding is for (k8s.io/apiserver/pkg/admission/plugin/policy/matching v0.36.3).

import type { Json } from '../../json.ts';
import { matchLabelSelector } from '../../labels.ts';
import { getObject } from '../../store.ts';
import type { ApiServer, KubeObject, ResourceInfo } from '../../types.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface Attempt {
  server: ApiServer;
  info: ResourceInfo;
  subresource: string;
  operation: Operation;
  name: string;
  /** '' of what is of no namespace. */
  namespace: string;
  object: KubeObject | null;
  old: KubeObject | null;
}

export function matches(a: Attempt, criteria: Json): boolean {
  if (!criteria) return true;
  if (!namespaceMatches(a, criteria.namespaceSelector) || !objectMatches(a, criteria.objectSelector)) return false;
  const equivalent = criteria.matchPolicy !== 'Exact';
  if ((criteria.excludeResourceRules ?? []).some((r: Json) => ruleMatches(a, r, equivalent))) return false;
  const rules: Json[] = criteria.resourceRules ?? [];
  return !rules.length || rules.some(r => ruleMatches(a, r, equivalent));
}

const isEmpty = (s: Json): boolean => !s || (!Object.keys(s.matchLabels ?? {}).length && !s.matchExpressions?.length);

/** Of a Namespace its own labels count, of what is of no namespace nothing is asked. */
function namespaceMatches(a: Attempt, selector: Json): boolean {
  if (isEmpty(selector)) return true;
  const isNamespace = a.info.group === '' && a.info.resource === 'namespaces';
  if (!a.namespace && !isNamespace) return true;
  const o = isNamespace && a.object ? a.object : getObject(a.server, 'namespaces', '', a.namespace || a.name);
  return matchLabelSelector(selector, o?.metadata.labels ?? {});
}

function objectMatches(a: Attempt, selector: Json): boolean {
  if (isEmpty(selector)) return true;
  return [a.object, a.old].some(o => o && matchLabelSelector(selector, o.metadata.labels ?? {}));
}

/** `equivalent`: another version of the same resource will do. */
function ruleMatches(a: Attempt, r: Json, equivalent: boolean): boolean {
  const has = (list: string[] | undefined, v: string) => !!list?.some(x => x === '*' || x === v);
  if (!has(r.operations, a.operation) || !has(r.apiGroups, a.info.group)) return false;
  if (!has(r.apiVersions, a.info.version) && !(equivalent && r.apiVersions?.length)) return false;
  if (r.scope === 'Namespaced' && !a.namespace) return false;
  if (r.scope === 'Cluster' && a.namespace && a.info.resource !== 'namespaces') return false;
  if (r.resourceNames?.length && !r.resourceNames.includes(a.name)) return false;
  return !!r.resources?.some((text: string) => resourceMatches(a, text));
}

function resourceMatches(a: Attempt, text: string): boolean {
  if (text === '*/*') return true;
  const [resource, subresource = ''] = text.split('/');
  return (resource === '*' || resource === a.info.resource) && (subresource === '*' || subresource === a.subresource);
}
