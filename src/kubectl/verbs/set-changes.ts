// What the verbs under `kubectl set` share: which objects, which containers, and the patches (k8s.io/kubectl v0.36.3, pkg/cmd/set/helper.go).

import { cloneJson } from '../../apiserver/json.ts';
import { twoWayPatch } from '../../apiserver/strategic-diff.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { type BuildOptions, build, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, type DryRun, flag, list } from '../command.ts';
import { aggregate, type Failure, fail, failure, isFailure } from '../failure.ts';
import { goJson } from '../go-json.ts';
import { goTypeName } from '../pods.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { patchObject, writeQuery } from '../requests.ts';

/** polymorphichelpers.UpdatePodSpecForObject */
export function podSpecOf(o: any): any {
  switch (o.kind) {
    case 'Pod':
      return o.spec;
    case 'CronJob':
      return o.spec.jobTemplate.spec.template.spec;
    case 'Deployment':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'Job':
    case 'ReplicationController':
      return o.spec.template.spec;
    default:
      return fail(`the object is not a pod or does not have a pod template: ${goTypeName(o)}`);
  }
}

/** Containers whose names match, `*` in the pattern; init containers last. */
export function selectContainers(spec: any, pattern: string): any[] {
  const re = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`);
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].filter(c => re.test(c.name));
}

export function checkLocal(cmd: Cmd, mode: DryRun): void {
  if (bool(cmd, 'local') && mode === 'server') fail('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
}

export const noLocalResources = (cmd: Cmd, resources: string[]): void => {
  if (bool(cmd, 'local') && resources.length)
    fail(
      "error: you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
    );
};

export function* infosFor(cmd: Cmd, resources: string[], more: BuildOptions = {}): Co<Info[]> {
  const local = bool(cmd, 'local');
  const result = yield* build(cmd, {
    args: local ? [] : resources,
    allowEmptySelector: bool(cmd, 'all'),
    all: bool(cmd, 'all'),
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    labelSelector: local ? '' : flag(cmd, 'selector'),
    latest: !local,
    local,
    flatten: true,
    continueOnError: true,
    ...more,
  });
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  if (error) throw error;
  return infos;
}

export interface Change {
  operation: string;
  /** What is said before the server's refusal. */
  refused: string;
  /** Changes the object in place; false: leave it out. */
  mutate: (object: KubeObject, errors: Failure[]) => boolean;
  /** Send and print even an empty patch. */
  evenUnchanged?: boolean;
}

/** CalculatePatches and what the verbs do with them. */
export function changeAll(cmd: Cmd, mode: DryRun, infos: Info[], c: Change): void {
  const errors: Failure[] = [];
  const changed: { info: Info; after: KubeObject; patch: unknown }[] = [];
  for (const info of infos) {
    const after = cloneJson(info.object) as KubeObject;
    try {
      if (!c.mutate(after, errors)) continue;
    } catch (e) {
      if (!isFailure(e)) throw e;
      errors.push(failure(`error: ${info.mapping?.resource ?? after.kind.toLowerCase()}/${info.name} ${e.message}\n`));
      continue;
    }
    const diff = twoWayPatch(after.apiVersion, after.kind, info.object as KubeObject, after);
    if (typeof diff === 'string') errors.push(failure(diff));
    else changed.push({ info, after, patch: diff.patch });
  }
  const print = resultPrinter(cmd, c.operation, dryRunSuffix(mode));
  for (const { info, after, patch } of changed) {
    if (!c.evenUnchanged && goJson(patch) === '{}') continue;
    if (bool(cmd, 'local') || mode === 'client') {
      print(after);
      continue;
    }
    try {
      print(patchObject(cmd, info.mapping, info.namespace, info.name, 'strategic', patch, writeQuery(cmd, mode, 'kubectl-set')));
    } catch (e) {
      if (!isFailure(e)) throw e;
      errors.push(c.refused ? failure(`${c.refused} ${e.message}`) : e);
    }
  }
  throwAny(errors);
}

export function throwAny(errors: Failure[]): void {
  const all = aggregate(errors);
  if (all) throw all;
}
