// Who may do what: RBAC (k8s.io/kubernetes/pkg/registry/rbac/validation and plugin/pkg/auth/authorizer/rbac v1.36.3).

import { bootstrapRbac } from './bootstrap-rbac.ts';
import type { Json } from './json.ts';
import { forbidden } from './status.ts';
import { getObject, listObjects } from './store.ts';
import type { ApiRequest, ApiServer, KubeObject, Status } from './types.ts';

export interface User {
  name: string;
  groups: string[];
}

export interface Attributes {
  verb: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  /** Instead of a resource: `/healthz`. */
  url?: string;
}

/** The groups that authentication gives. */
export function userOf(name: string, groups: string[] = []): User {
  const account = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name);
  const own = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [];
  const last = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  return { name, groups: [...new Set([...groups, ...own, last])] };
}

/** The components and the administrator are not asked. */
export const isTrusted = (name: string | undefined): boolean =>
  !name ||
  name === 'kubernetes-admin' ||
  (name.startsWith('system:') && name !== 'system:anonymous' && !name.startsWith('system:serviceaccount:'));

let builtin: Map<string, KubeObject> | null = null;

/** A cluster that was started without them has the built-in roles all the same. */
function roleOf(server: ApiServer, kind: string, name: string, namespace: string | undefined): KubeObject | undefined {
  const bucket = kind === 'Role' ? 'roles' : 'clusterroles';
  const found = getObject(server, `${bucket}.rbac.authorization.k8s.io`, kind === 'Role' ? namespace : '', name);
  if (found || kind === 'Role') return found;
  builtin ??= new Map(bootstrapRbac().map(o => [`${o.kind}/${o.metadata.name}`, o]));
  return builtin.get(`ClusterRole/${name}`);
}

function isSubject(s: Json, user: User, namespace: string | undefined): boolean {
  if (s.kind === 'User') return s.name === user.name || s.name === '*';
  if (s.kind === 'Group') return user.groups.includes(s.name);
  return s.kind === 'ServiceAccount' && user.name === `system:serviceaccount:${s.namespace ?? namespace ?? ''}:${s.name}`;
}

/** All rules that the user has in the namespace; '' : in the whole cluster. */
export function rulesFor(server: ApiServer, user: User, namespace: string): Json[] {
  const out: Json[] = [];
  const take = (b: KubeObject, ns: string | undefined) => {
    if (!(b.subjects ?? []).some((s: Json) => isSubject(s, user, ns))) return;
    out.push(...(roleOf(server, b.roleRef?.kind, b.roleRef?.name, ns)?.rules ?? []));
  };
  const bindings = listObjects(server, 'clusterrolebindings.rbac.authorization.k8s.io');
  for (const b of bindings.length ? bindings : bootstrapRbac().filter(o => o.kind === 'ClusterRoleBinding')) take(b, undefined);
  if (namespace) for (const b of listObjects(server, 'rolebindings.rbac.authorization.k8s.io', namespace)) take(b, namespace);
  return out;
}

export function allows(rule: Json, a: Attributes): boolean {
  const has = (list: string[] | undefined, v: string) => !!list?.some(x => x === '*' || x === v);
  if (!has(rule.verbs, a.verb)) return false;
  if (a.url !== undefined) {
    return !!rule.nonResourceURLs?.some((u: string) => u === a.url || (u.endsWith('*') && (a.url as string).startsWith(u.slice(0, -1))));
  }
  const resource = a.resource ?? '';
  const full = a.subresource ? `${resource}/${a.subresource}` : resource;
  const named = !rule.resourceNames?.length || rule.resourceNames.includes(a.name ?? '');
  const covers = has(rule.resources, full) || (a.subresource && rule.resources?.includes(`*/${a.subresource}`));
  return has(rule.apiGroups, a.group ?? '') && !!covers && named;
}

export function isAllowed(server: ApiServer, user: User, a: Attributes): boolean {
  if (isTrusted(user.name) || user.groups.includes('system:masters')) return true;
  return rulesFor(server, user, a.namespace ?? '').some(r => allows(r, a));
}

/** The refusal of a request by somebody who may not make it. */
export function refusal(server: ApiServer, req: ApiRequest, namespaced: boolean): Status | null {
  if (isTrusted(req.user)) return null;
  const user = userOf(req.user as string, req.groups);
  const { verb, group, resource, subresource } = req;
  const namespace = namespaced ? req.namespace : undefined;
  const name = verb === 'create' && !subresource ? undefined : req.name;
  const a = { verb, group, resource, subresource, namespace, name };
  if (isAllowed(server, user, a)) return null;
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  const what = subresource ? `${resource}/${subresource}` : resource;
  const why = `User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
  return forbidden(group, resource, name ?? '', why);
}
