// kubectl set (k8s.io/kubectl v0.36.3, pkg/cmd/set).

import { cloneJson } from '../../apiserver/json.ts';
import { twoWayPatch } from '../../apiserver/strategic-diff.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, dryRun, flag, list } from '../command.ts';
import { type Failure, fail, failure } from '../failure.ts';
import { labelSelector, resourceList } from '../generators/workload.ts';
import { parsePairs } from '../key-values.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { patchObject, writeQuery } from '../requests.ts';
import { changeAll, checkLocal, infosFor, noLocalResources, podSpecOf, selectContainers, throwAny } from './set-changes.ts';
import { setEnv } from './set-env.ts';

export function* run(cmd: Cmd): Co<number> {
  switch (cmd.path) {
    case 'set env':
      return yield* setEnv(cmd);
    case 'set image':
      return yield* setImage(cmd);
    case 'set resources':
      return yield* setResources(cmd);
    case 'set selector':
      return yield* setSelector(cmd);
    case 'set serviceaccount':
      return yield* setServiceAccount(cmd);
    default:
      return yield* setSubject(cmd);
  }
}

const NONE = 'one or more resources must be specified as <resource> <name> or <resource>/<name>';

function* setImage(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  const resources: string[] = [];
  const pairs: string[] = [];
  for (const w of cmd.args) {
    if ((w.includes('=') && w[0] !== '=') || (w.endsWith('-') && w !== '-')) pairs.push(w);
    else if (pairs.length) fail(`all resources must be specified before image changes: ${w}`);
    else resources.push(w);
  }
  const { set: images } = parsePairs(pairs, 'image', false);
  noLocalResources(cmd, resources);
  const noFiles = !list(cmd, 'filename').length && !flag(cmd, 'kustomize');
  const infos = yield* infosFor(cmd, resources);
  const names = Object.keys(images);
  const errors: Failure[] = [];
  if (bool(cmd, 'all') && flag(cmd, 'selector')) errors.push(failure('cannot set --all and --selector at the same time'));
  if (!resources.length && noFiles) errors.push(failure(NONE));
  if (!names.length) errors.push(failure('at least one image update is required'));
  else if (names.length > 1 && '*' in images)
    errors.push(failure('all containers are already specified by *, but saw more than one container_name=container_image pairs'));
  throwAny(errors);
  checkLocal(cmd, mode);
  changeAll(cmd, mode, infos, {
    operation: 'image updated',
    refused: 'failed to patch image update to pod template:',
    mutate: (o, missing) => {
      const spec = podSpecOf(o);
      for (const name of names) {
        const hits = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(c => name === '*' || c.name === name);
        for (const c of hits) c.image = images[name];
        if (!hits.length) missing.push(failure(`error: unable to find container named ${goQuote(name)}`));
      }
      return true;
    },
  });
  return 0;
}

function* setResources(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  noLocalResources(cmd, cmd.args);
  const infos = yield* infosFor(cmd, cmd.args);
  checkLocal(cmd, mode);
  if (bool(cmd, 'all') && flag(cmd, 'selector')) fail('cannot set --all and --selector at the same time');
  const [limits, requests] = [flag(cmd, 'limits'), flag(cmd, 'requests')];
  if (!limits && !requests) fail('you must specify an update to requests or limits (in the form of --requests/--limits)');
  const wanted = { limits: resourceList(limits), requests: resourceList(requests) };
  changeAll(cmd, mode, infos, {
    operation: 'resource requirements updated',
    refused: 'failed to patch resources update to pod template',
    mutate: (o, errors) => {
      const containers = selectContainers(podSpecOf(o), flag(cmd, 'containers'));
      if (!containers.length) errors.push(failure(`error: unable to find container named ${flag(cmd, 'containers')}`));
      for (const c of containers) {
        c.resources ??= {};
        for (const part of ['limits', 'requests'] as const) {
          if (Object.keys(wanted[part]).length) c.resources[part] = { ...c.resources[part], ...wanted[part] };
        }
      }
      return containers.length > 0;
    },
  });
  return 0;
}

function* setSelector(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  if (!cmd.args.length) fail('one selector is required');
  const text = cmd.args.at(-1) as string;
  const { matchLabels: selector = {}, matchExpressions = [] } = labelSelector(text);
  const resourceVersion = flag(cmd, 'resource-version');
  const infos = yield* infosFor(cmd, cmd.args.slice(0, -1));
  const print = resultPrinter(cmd, 'selector updated', dryRunSuffix(mode));
  for (const info of infos) {
    if (matchExpressions.length) {
      const shown = matchExpressions.map((e: any) => `{${e.key} ${e.operator} [${(e.values ?? []).join(' ')}]}`).join(' ');
      fail(`match expression [${shown}] not supported on this object`);
    }
    const before = cloneJson(info.object) as KubeObject;
    if (before.kind !== 'Service') fail('setting a selector is only supported for Services');
    if (resourceVersion) delete before.metadata.resourceVersion;
    const after = cloneJson(before) as KubeObject;
    after.spec.selector = selector;
    if (resourceVersion) after.metadata.resourceVersion = resourceVersion;
    if (bool(cmd, 'local') || mode === 'client') {
      print(after);
      continue;
    }
    const diff = twoWayPatch(after.apiVersion, after.kind, before, after);
    if (typeof diff === 'string') return fail(diff);
    print(patchObject(cmd, info.mapping, info.namespace, info.name, 'strategic', diff.patch, writeQuery(cmd, mode, 'kubectl-set')));
  }
  return 0;
}

function* setServiceAccount(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  checkLocal(cmd, mode);
  const name = cmd.args.at(-1);
  if (name === undefined) return fail('serviceaccount is required');
  const infos = yield* infosFor(cmd, cmd.args.slice(0, -1));
  changeAll(cmd, mode, infos, {
    operation: 'serviceaccount updated',
    refused: 'failed to patch ServiceAccountName',
    evenUnchanged: true,
    mutate: o => {
      podSpecOf(o).serviceAccountName = name;
      return true;
    },
  });
  return 0;
}

function* setSubject(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  noLocalResources(cmd, cmd.args);
  const infos = yield* infosFor(cmd, cmd.args);
  checkLocal(cmd, mode);
  if (bool(cmd, 'all') && flag(cmd, 'selector')) fail('cannot set --all and --selector at the same time');
  const sorted = (name: string) => [...new Set(list(cmd, name))].sort();
  const [users, groups, accounts] = [sorted('user'), sorted('group'), sorted('serviceaccount')];
  if (!users.length && !groups.length && !accounts.length) fail('you must specify at least one value of user, group or serviceaccount');
  for (const a of accounts) {
    const parts = a.split(':');
    if (parts.length !== 2 || !parts[1]) fail('serviceaccount must be <namespace>:<name>');
    if (!parts[0] && infos.some(i => i.object?.kind === 'ClusterRoleBinding'))
      fail('serviceaccount must be <namespace>:<name>, namespace must be specified');
  }
  const subjects = [
    ...users.map(name => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name })),
    ...groups.map(name => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name })),
    ...accounts.map(a => ({ kind: 'ServiceAccount', name: a.split(':')[1], namespace: a.split(':')[0] || cmd.namespace })),
  ];
  const same = (a: any, b: any) => a.kind === b.kind && a.name === b.name && a.apiGroup === b.apiGroup && a.namespace === b.namespace;
  changeAll(cmd, mode, infos, {
    operation: 'subjects updated',
    refused: 'failed to patch subjects to rolebinding:',
    mutate: (o: any) => {
      if (o.kind !== 'RoleBinding' && o.kind !== 'ClusterRoleBinding')
        fail('setting subjects is only supported for RoleBinding/ClusterRoleBinding');
      const added = subjects.filter(s => !(o.subjects ?? []).some((x: any) => same(x, s)));
      if (added.length) o.subjects = [...(o.subjects ?? []), ...added];
      return added.length > 0;
    },
  });
  return 0;
}
