// kubectl apply view-last-applied, set-last-applied and edit-last-applied (k8s.io/kubectl v0.36.3, pkg/cmd/apply).

import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { build, infosOf } from '../builder.ts';
import { bool, type Cmd, dryRun, flag, list, out, usageError } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import { goJson } from '../go-json.ts';
import { LAST_APPLIED, lastAppliedOf } from '../last-applied.ts';
import { lazy } from '../lazy.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { getObject, patchObject } from '../requests.ts';
import { aboutOf, editLoop } from './edit.ts';

export function* run(cmd: Cmd): Co<number> {
  switch (cmd.path) {
    case 'apply view-last-applied':
      return yield* view(cmd);
    case 'apply set-last-applied':
      return yield* set(cmd);
    default:
      return yield* edit(cmd);
  }
}

function* view(cmd: Cmd): Co<number> {
  const configurations: string[] = [];
  const result = yield* build(cmd, {
    args: cmd.args,
    allowEmptySelector: bool(cmd, 'all'),
    all: bool(cmd, 'all'),
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    labelSelector: flag(cmd, 'selector'),
    latest: true,
    flatten: true,
  });
  if (result.error) throw result.error;
  const error = result.visit(info => {
    const text = lastAppliedOf(info.object as KubeObject);
    if (text !== undefined) configurations.push(text);
    // AddSourceToErr of no error is none, unless there is a file to name.
    else if (info.source)
      fail(`error when no last-applied-configuration annotation found on resource: ${info.name}\n ${goQuote(info.source)}: <nil>`);
  });
  if (error) throw error;
  const output = flag(cmd, 'output') || 'yaml';
  for (const text of configurations) {
    if (output === 'json') out(cmd, `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    else if (output === 'yaml') out(cmd, lazy('yaml').toYaml(JSON.parse(text)));
    else usageError(cmd, `Unexpected -o output mode: ${output}, the flag 'output' must be one of yaml|json`);
  }
  return 0;
}

const patchOf = (text: string) => ({ metadata: { annotations: { [LAST_APPLIED]: text } } });

function* set(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  const print = resultPrinter(cmd, 'configured', dryRunSuffix(mode));
  const result = yield* build(cmd, { filenames: list(cmd, 'filename'), enforceNamespace: cmd.explicitNamespace, flatten: true });
  if (result.error) throw result.error;
  const changes: (() => void)[] = [];
  const error = result.visit(info => {
    const text = goJson(info.object);
    const now = getObject(cmd, info.mapping, info.namespace, info.name);
    if (isFailure(now)) throw now;
    const old = lastAppliedOf(now);
    if (old === undefined && !bool(cmd, 'create-annotation'))
      fail(
        `no last-applied-configuration annotation found on resource: ${info.name}, to create the annotation, run the command with --create-annotation`,
      );
    if (old?.trim() === text.trim()) {
      out(cmd, `set-last-applied ${info.name}: no changes required.\n`);
      return;
    }
    changes.push(() =>
      print(
        mode === 'client'
          ? now
          : patchObject(cmd, info.mapping, info.namespace, info.name, 'merge', patchOf(text), { dryRun: mode === 'server' || undefined }),
      ),
    );
  });
  if (error) throw error;
  for (const change of changes) change();
  return 0;
}

const EDIT_HEADER = `# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
`;

function* edit(cmd: Cmd): Co<number> {
  const result = yield* build(cmd, {
    args: cmd.args,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    enforceNamespace: cmd.explicitNamespace,
    latest: true,
    flatten: true,
  });
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  if (error) throw error;
  const configured = infos.filter(i => lastAppliedOf(i.object as KubeObject) !== undefined);
  if (!configured.length)
    fail(
      'no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`',
    );
  for (const info of configured) {
    yield* editLoop(cmd, {
      header: EDIT_HEADER,
      objects: [JSON.parse(lastAppliedOf(info.object as KubeObject) as string)],
      about: aboutOf(info),
      save: ([o]) => {
        resultPrinter(cmd, 'edited')(patchObject(cmd, info.mapping, info.namespace, info.name, 'merge', patchOf(goJson(o)), {}));
        return [];
      },
    });
  }
  return 0;
}
