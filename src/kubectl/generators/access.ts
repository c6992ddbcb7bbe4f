// create role, clusterrole, bindings, quota, priorityclass (k8s.io/kubectl v0.36.3, pkg/cmd/create).

import type { KubeObject } from '../../apiserver/types.ts';
import { bool, type Cmd, connect, err, flag, int, list } from '../command.ts';
import { fail } from '../failure.ts';
import { findResource, noResourceMatch } from '../mapping.ts';

const RESOURCE_VERBS = [
  '*',
  'get',
  'delete',
  'list',
  'create',
  'update',
  'patch',
  'watch',
  'proxy',
  'deletecollection',
  'use',
  'bind',
  'escalate',
  'impersonate',
];
const URL_VERBS = ['*', 'get', 'post', 'put', 'delete', 'patch', 'head', 'options'];
const SPECIAL: Record<string, string[]> = {
  use: ['podsecuritypolicies.policy', 'podsecuritypolicies.extensions'],
  bind: ['roles.rbac.authorization.k8s.io', 'clusterroles.rbac.authorization.k8s.io'],
  escalate: ['roles.rbac.authorization.k8s.io', 'clusterroles.rbac.authorization.k8s.io'],
  impersonate: ['users', 'serviceaccounts', 'groups', 'userextras.authentication.k8s.io'],
};

interface Wanted {
  resource: string;
  group: string;
  subresource: string;
}

function wantedResources(cmd: Cmd): Wanted[] {
  const out: Wanted[] = [];
  for (const r of list(cmd, 'resource')) {
    const slash = r.indexOf('/');
    const [name, subresource] = slash < 0 ? [r, ''] : [r.slice(0, slash), r.slice(slash + 1)];
    const dot = name.indexOf('.');
    const w = { resource: dot < 0 ? name : name.slice(0, dot), group: dot < 0 ? '' : name.slice(dot + 1), subresource };
    if (w.resource === '*' && dot < 0 && slash < 0) return [w];
    out.push(w);
  }
  return out;
}

const verbsOf = (cmd: Cmd): string[] => {
  const verbs = [...new Set(list(cmd, 'verb'))];
  return verbs.includes('*') ? ['*'] : verbs;
};

function validateResources(cmd: Cmd, wanted: Wanted[], verbs: string[]): void {
  for (const w of wanted) {
    if (!w.resource) fail('resource must be specified if apiGroup/subresource specified');
    if (w.resource === '*') return;
    const word = w.group ? `${w.resource}.${w.group}` : w.resource;
    const known = findResource(connect(cmd), word);
    const name = known ? (known.group ? `${known.resource}.${known.group}` : known.resource) : word;
    let special = false;
    for (const v of verbs) {
      if (!SPECIAL[v]) continue;
      if (!SPECIAL[v].includes(name))
        fail(`can not perform '${v}' on '${known?.resource ?? w.resource}' in group '${known?.group ?? w.group}'`);
      special = true;
    }
    if (!known && !special) noResourceMatch(word);
  }
}

function rulesOf(cmd: Cmd, wanted: Wanted[], verbs: string[], urls: string[]): any[] {
  const groups = new Map<string, string[]>();
  for (const w of wanted) {
    const known = w.resource === '*' ? undefined : findResource(connect(cmd), w.group ? `${w.resource}.${w.group}` : w.resource);
    const group = known?.group ?? w.group;
    const resource = (known?.resource ?? w.resource) + (w.subresource ? `/${w.subresource}` : '');
    const row = groups.get(group) ?? [];
    if (!row.includes(resource)) row.push(resource);
    groups.set(group, row);
  }
  const names = [...new Set(list(cmd, 'resource-name'))];
  const rules: any[] = [...groups.keys()].sort().map(group => ({
    verbs,
    apiGroups: [group],
    resources: groups.get(group),
    resourceNames: names.length ? names : undefined,
  }));
  if (urls.length) rules.push({ verbs, nonResourceURLs: urls });
  return rules;
}

export function role(cmd: Cmd, name: string): KubeObject {
  const verbs = verbsOf(cmd);
  if (!name) fail('name must be specified');
  if (!verbs.length) fail('at least one verb must be specified');
  for (const v of verbs) if (!RESOURCE_VERBS.includes(v)) err(cmd, `Warning: '${v}' is not a standard resource verb\n`);
  const wanted = wantedResources(cmd);
  if (!wanted.length) fail('at least one resource must be specified');
  validateResources(cmd, wanted, verbs);
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules: rulesOf(cmd, wanted, verbs, []) };
}

export function clusterRole(cmd: Cmd, name: string): KubeObject {
  const verbs = verbsOf(cmd);
  const urls = [...new Set(list(cmd, 'non-resource-url'))];
  const wanted = wantedResources(cmd);
  const aggregation = list(cmd, 'aggregation-rule');
  if (!name) fail('name must be specified');
  const base = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name } };
  if (aggregation.length) {
    if (urls.length || verbs.length || wanted.length || list(cmd, 'resource-name').length)
      fail('aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames');
    const matchLabels = Object.fromEntries(aggregation.map(a => [a.slice(0, a.indexOf('=')), a.slice(a.indexOf('=') + 1)]));
    return { ...base, rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels }] } };
  }
  if (!verbs.length) fail('at least one verb must be specified');
  if (!wanted.length && !urls.length) fail('one of resource or nonResourceURL must be specified');
  if (wanted.length) {
    for (const v of verbs) if (!RESOURCE_VERBS.includes(v)) err(cmd, `Warning: '${v}' is not a standard resource verb\n`);
    validateResources(cmd, wanted, verbs);
  }
  if (urls.length) {
    for (const v of verbs) if (!URL_VERBS.includes(v)) fail(`invalid verb: '${v}' for nonResourceURL`);
    for (const u of urls) {
      if (u === '*') continue;
      if (!u.startsWith('/')) fail('nonResourceURL should start with /');
      if (u.slice(0, -1).includes('*')) fail("nonResourceURL only supports wildcard matches when '*' is at the end");
    }
  }
  return { ...base, rules: rulesOf(cmd, wanted, verbs, urls) };
}

function subjects(cmd: Cmd): any[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const out: any[] = list(cmd, 'user').map(name => ({ kind: 'User', apiGroup, name }));
  for (const name of list(cmd, 'group')) out.push({ kind: 'Group', apiGroup, name });
  for (const sa of list(cmd, 'serviceaccount')) {
    const parts = sa.split(':');
    if (parts.length !== 2 || !parts[0] || !parts[1]) fail('serviceaccount must be <namespace>:<name>');
    out.push({ kind: 'ServiceAccount', name: parts[1], namespace: parts[0] });
  }
  return out;
}

export function roleBinding(cmd: Cmd, name: string): KubeObject {
  const [cluster, own] = [flag(cmd, 'clusterrole'), flag(cmd, 'role')];
  if (!name) fail('name must be specified');
  if (!cluster === !own) fail('exactly one of clusterrole or role must be specified');
  const rows = subjects(cmd);
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: own ? 'Role' : 'ClusterRole', name: own || cluster },
    subjects: rows.length ? rows : undefined,
  };
}

export function clusterRoleBinding(cmd: Cmd, name: string): KubeObject {
  const rows = subjects(cmd);
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: flag(cmd, 'clusterrole') },
    subjects: rows.length ? rows : undefined,
  };
}

export function quota(cmd: Cmd, name: string): KubeObject {
  if (!name) fail('name must be specified');
  const hard: Record<string, string> = {};
  const text = flag(cmd, 'hard');
  for (const part of text ? text.split(',') : []) {
    const pair = part.split('=');
    if (pair.length !== 2) fail(`Invalid argument syntax ${part}, expected <resource>=<value>`);
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/.test(pair[1]))
      fail("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    hard[pair[0]] = pair[1];
  }
  const scopes = flag(cmd, 'scopes') ? flag(cmd, 'scopes').split(',') : [];
  if (scopes.includes('')) fail('invalid resource quota scope ""');
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name },
    spec: { hard: Object.keys(hard).length ? hard : undefined, scopes: scopes.length ? scopes : undefined },
    status: {},
  };
}

export function priorityClass(cmd: Cmd, name: string): KubeObject {
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: int(cmd, 'value'),
    globalDefault: bool(cmd, 'global-default') || undefined,
    description: flag(cmd, 'description') || undefined,
    preemptionPolicy: flag(cmd, 'preemption-policy') || 'PreemptLowerPriority',
  };
}
