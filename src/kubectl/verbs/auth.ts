// kubectl auth can-i and whoami (k8s.io/kubectl v0.36.3, pkg/cmd/auth). The API server serves no access reviews: the roles are read instead.

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, flag, list, out, warn } from '../command.ts';
import { exitFailure, fail } from '../failure.ts';
import { findResource, mappingFor } from '../mapping.ts';
import { printerOf } from '../print-flags.ts';
import { listObjects } from '../requests.ts';
import { alignRows, newTableWriter } from '../tabwriter.ts';

export function* run(cmd: Cmd): Co<number> {
  if (cmd.path === 'auth whoami') return whoAmI(cmd);
  if (cmd.path === 'auth reconcile') return fail("podnet's kubectl has no auth reconcile");
  return canI(cmd);
}

interface Caller {
  name: string;
  groups: string[];
}

function caller(cmd: Cmd): Caller {
  const name = flag(cmd, 'as');
  if (!name) return { name: 'kubernetes-admin', groups: ['kubeadm:cluster-admins', 'system:authenticated'] };
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const given = list(cmd, 'as-group');
  const own = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [];
  const last = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  return { name, groups: [...new Set([...given, ...own, last])] };
}

function whoAmI(cmd: Cmd): number {
  const { name, groups } = caller(cmd);
  const print = printerOf(cmd);
  if (print) {
    print({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: { creationTimestamp: null },
      status: { userInfo: { groups, username: name } },
    });
    return 0;
  }
  const rows = [
    ['ATTRIBUTE', 'VALUE'],
    ['Username', name],
    ['Groups', `[${groups.join(' ')}]`],
  ];
  out(cmd, alignRows(newTableWriter(), rows));
  return 0;
}

const VERBS = 'get list watch create update patch delete deletecollection use bind impersonate * approve sign escalate attest'.split(' ');
const URL_VERBS = 'get put post head options delete patch *'.split(' ');

interface Question {
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  name: string;
  url: string;
  namespace: string;
}

function canI(cmd: Cmd): number {
  if (bool(cmd, 'list')) {
    if (cmd.args.length) fail('list option must be specified with no arguments');
    if (bool(cmd, 'quiet') || bool(cmd, 'all-namespaces') || flag(cmd, 'subresource'))
      fail("list option can't be specified with neither quiet, all-namespaces nor subresource options");
    return listRules(cmd);
  }
  if (cmd.args.length !== 2)
    fail(
      "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
    );
  const [verb, what] = cmd.args;
  const q: Question = { verb, group: '', resource: '', subresource: flag(cmd, 'subresource'), name: '', url: '', namespace: '' };
  q.namespace = bool(cmd, 'all-namespaces') ? '' : cmd.namespace;
  if (what.startsWith('/')) {
    q.url = what;
    if (q.subresource) fail('--subresource can not be used with NonResourceURL');
    if (!URL_VERBS.includes(verb)) warn(cmd, `verb '${verb}' is not a known verb\n`);
  } else readResource(cmd, what, q);
  if (bool(cmd, 'no-headers')) fail('--no-headers cannot be set without --list specified');
  const allowed = rulesOf(cmd, q.namespace).some(r => allows(r, q));
  if (!bool(cmd, 'quiet')) out(cmd, allowed ? 'yes\n' : 'no\n');
  if (!allowed) throw exitFailure(1);
  return 0;
}

function readResource(cmd: Cmd, what: string, q: Question): void {
  const at = what.indexOf('/');
  const word = at < 0 ? what : what.slice(0, at);
  q.name = at < 0 ? '' : what.slice(at + 1);
  q.resource = word;
  if (word === '*') return;
  const m = findResource(connect(cmd), word.toLowerCase());
  if (!m) {
    const [resource, ...group] = word.toLowerCase().split('.');
    if (!['users', 'groups'].includes(word.toLowerCase()))
      warn(cmd, `the server doesn't have a resource type '${resource}'${group.length ? ` in group '${group.join('.')}'` : ''}\n`);
    return;
  }
  q.resource = m.resource;
  q.group = m.group;
  if (bool(cmd, 'all-namespaces')) return;
  if (!m.namespaced) {
    warn(cmd, `resource '${m.resource}' is not namespace scoped${m.group ? ` in group '${m.group}'` : ''}\n`);
  }
  if (!VERBS.includes(q.verb)) warn(cmd, `verb '${q.verb}' is not a known verb\n`);
}

interface Rule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const ALL: Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

const BASIC: Rule[] = [
  { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  {
    verbs: ['get'],
    nonResourceURLs: [
      '/api',
      '/api/*',
      '/apis',
      '/apis/*',
      '/healthz',
      '/livez',
      '/openapi',
      '/openapi/*',
      '/readyz',
      '/version',
      '/version/',
    ],
  },
];

function rulesOf(cmd: Cmd, namespace: string): Rule[] {
  const who = caller(cmd);
  if (!flag(cmd, 'as') || who.groups.includes('system:masters')) return ALL;
  const of = (word: string, ns = '') => listObjects(cmd, mappingFor(connect(cmd), `${word}.rbac.authorization.k8s.io`), ns);
  const clusterRoles = of('clusterroles');
  const roles = namespace ? of('roles', namespace) : [];
  const bindings = [...of('clusterrolebindings'), ...(namespace ? of('rolebindings', namespace) : [])].filter(b => bindsTo(b, who));
  const bound = bindings.flatMap(b => rulesOfRole(b, clusterRoles, roles));
  return [...(who.groups.includes('system:authenticated') ? BASIC : []), ...bound];
}

function bindsTo(binding: KubeObject, who: Caller): boolean {
  return ((binding as any).subjects ?? []).some((s: any) => {
    if (s.kind === 'User') return s.name === who.name;
    if (s.kind === 'Group') return who.groups.includes(s.name);
    return `system:serviceaccount:${s.namespace || binding.metadata.namespace}:${s.name}` === who.name;
  });
}

function rulesOfRole(binding: KubeObject, clusterRoles: KubeObject[], roles: KubeObject[]): Rule[] {
  const ref = (binding as any).roleRef ?? {};
  const role = (ref.kind === 'ClusterRole' ? clusterRoles : roles).find(r => r.metadata.name === ref.name);
  if (role) return (role as any).rules ?? [];
  return ref.kind === 'ClusterRole' ? (BUILT_IN[ref.name as string] ?? []) : [];
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const GROUPS = ['', 'apps', 'autoscaling', 'batch', 'discovery.k8s.io', 'networking.k8s.io', 'policy'];
const NAMESPACED =
  'bindings configmaps controllerrevisions cronjobs daemonsets deployments endpoints endpointslices events horizontalpodautoscalers ingresses jobs limitranges namespaces networkpolicies persistentvolumeclaims poddisruptionbudgets pods replicasets replicationcontrollers resourcequotas serviceaccounts services statefulsets'.split(
    ' ',
  );
const view: Rule[] = [
  { verbs: READ, apiGroups: GROUPS, resources: [...NAMESPACED, ...NAMESPACED.flatMap(r => [`${r}/status`, `${r}/scale`]), 'pods/log'] },
];
const edit: Rule[] = [
  ...view,
  {
    verbs: WRITE,
    apiGroups: GROUPS,
    resources: NAMESPACED.filter(
      r => !['bindings', 'controllerrevisions', 'events', 'limitranges', 'namespaces', 'resourcequotas'].includes(r),
    ),
  },
  { verbs: [...READ, ...WRITE], apiGroups: [''], resources: ['secrets', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'] },
];

/** Roles that every cluster has, for what podnet does not store. */
const BUILT_IN: Record<string, Rule[]> = {
  'cluster-admin': ALL,
  admin: [...edit, { verbs: [...READ, ...WRITE], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] }],
  edit,
  view,
};

const has = (set: string[] | undefined, value: string): boolean => (set ?? []).some(x => x === '*' || x === value);

function allows(r: Rule, q: Question): boolean {
  if (!has(r.verbs, q.verb)) return false;
  if (q.url) return (r.nonResourceURLs ?? []).some(u => u === q.url || (u.endsWith('*') && q.url.startsWith(u.slice(0, -1))));
  const whole = q.subresource ? `${q.resource}/${q.subresource}` : q.resource;
  const resource = has(r.resources, whole) || (q.subresource !== '' && (r.resources ?? []).includes(`*/${q.subresource}`));
  return has(r.apiGroups, q.group) && resource && (!r.resourceNames?.length || r.resourceNames.includes(q.name));
}

function listRules(cmd: Cmd): number {
  const rows = rulesOf(cmd, cmd.namespace).flatMap(r => {
    const verbs = `[${(r.verbs ?? []).join(' ')}]`;
    const names = `[${(r.resourceNames ?? []).join(' ')}]`;
    if (r.nonResourceURLs) return r.nonResourceURLs.map(u => ['', `[${u}]`, names, verbs]);
    const groups = r.apiGroups ?? [''];
    return (r.resources ?? []).flatMap(x => groups.map(g => [g ? `${x}.${g}` : x, '[]', names, verbs]));
  });
  rows.sort((a, b) => (a[0] === b[0] ? 0 : a[0] > b[0] ? -1 : 1));
  const head = bool(cmd, 'no-headers') ? [] : [['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']];
  out(cmd, alignRows(newTableWriter(), [...head, ...rows]));
  return 0;
}
