// API Priority and Fairness: which FlowSchema a request belongs to (k8s.io/apiserver v0.36.3, pkg/util/flowcontrol/rule.go). Nobody waits
// in a queue here; the answer's headers name the schema and its priority level.
import type { User } from '../authorize.ts';
import type { Json } from '../json.ts';
import { getObject, listObjects } from '../store.ts';
import type { ApiServer } from '../types.ts';

/** `resource` with its subresource; instead of one, `url`. */
export interface FlowAttributes {
  verb: string;
  group?: string;
  resource?: string;
  namespace?: string;
  url?: string;
}

const BUCKET = 'flowschemas.flowcontrol.apiserver.k8s.io';
const LEVELS = 'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io';

const has = (list: string[] | undefined, value: string): boolean => !!list?.some(x => x === '*' || x === value);

function isSubject(s: Json, user: User): boolean {
  if (s.kind === 'User') return has([s.user?.name], user.name);
  if (s.kind === 'Group') return s.group?.name === '*' || user.groups.includes(s.group?.name);
  const { namespace, name } = s.serviceAccount ?? {};
  const prefix = `system:serviceaccount:${namespace}:`;
  return user.name.startsWith(prefix) && has([name], user.name.slice(prefix.length));
}

const resourceRuleFits = (rule: Json, a: FlowAttributes): boolean =>
  has(rule.verbs, a.verb) &&
  has(rule.apiGroups, a.group ?? '') &&
  has(rule.resources, a.resource ?? '') &&
  (a.namespace ? has(rule.namespaces, a.namespace) : !!rule.clusterScope);

const isUrl = (pattern: string, url: string): boolean =>
  pattern === '*' || pattern === url || (pattern.endsWith('/*') && url.startsWith(pattern.slice(0, -1)));

function ruleFits(rule: Json, user: User, a: FlowAttributes): boolean {
  if (!(rule.subjects ?? []).some((s: Json) => isSubject(s, user))) return false;
  const { url } = a;
  if (url === undefined) return (rule.resourceRules ?? []).some((r: Json) => resourceRuleFits(r, a));
  return (rule.nonResourceRules ?? []).some((r: Json) => has(r.verbs, a.verb) && r.nonResourceURLs?.some((u: string) => isUrl(u, url)));
}

const precedence = (schema: Json): number => schema.spec?.matchingPrecedence ?? 1000;

/** Of schemas with one precedence the first by its name counts. Nothing where the cluster has none, or the level is gone. */
export function flowHeaders(server: ApiServer, user: User, a: FlowAttributes): [name: string, value: string][] {
  const schemas = listObjects(server, BUCKET).sort((x, y) => precedence(x) - precedence(y));
  const schema = schemas.find(s => (s.spec?.rules ?? []).some((r: Json) => ruleFits(r, user, a)));
  const level = schema && getObject(server, LEVELS, '', schema.spec.priorityLevelConfiguration.name);
  if (!schema || !level) return [];
  return [
    ['X-Kubernetes-Pf-Flowschema-Uid', schema.metadata.uid ?? ''],
    ['X-Kubernetes-Pf-Prioritylevel-Uid', level.metadata.uid ?? ''],
  ];
}
