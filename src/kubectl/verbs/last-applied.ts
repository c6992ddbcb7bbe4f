// kubectl apply view-last-applied, set-last-applied and edit-last-applied (k8s.io/kubectl v0.36.3, pkg/cmd/apply).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build } from '../builder.ts';
import { bool, type Cmd, dryRun, flag, list, out, usageError } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import { configurationOf, LAST_APPLIED, lastAppliedOf } from '../last-applied.ts';
import { lazy } from '../lazy.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { getObject, patchObject } from '../requests.ts';
import { openEditor } from './edit.ts';

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
    if (text === undefined) fail(`no last-applied-configuration annotation found on resource: ${info.name}\n`);
    configurations.push(text as string);
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
    const text = configurationOf(info.object as KubeObject);
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
  const infos: { text: string; apply: (text: string) => void }[] = [];
  const error = result.visit(info => {
    const old = lastAppliedOf(info.object as KubeObject);
    if (old === undefined) return;
    infos.push({
      text: lazy('yaml').toYaml(JSON.parse(old)),
      apply: text => {
        const [o] = lazy('manifest').manifestObjects(text, 'edited-file', true);
        if (!o || isFailure(o)) throw o;
        resultPrinter(cmd, 'edited')(patchObject(cmd, info.mapping, info.namespace, info.name, 'merge', patchOf(configurationOf(o)), {}));
      },
    });
  });
  if (error) throw error;
  if (!infos.length)
    fail(
      'no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`',
    );
  for (const i of infos) {
    const header = `# Please edit the 'last-applied-configuration' annotations below.\n# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.\n#\n`;
    const { text, path } = yield* openEditor(cmd, header + i.text, '.yaml');
    cmd.host.removeFile(path);
    const content = text
      .split('\n')
      .filter(l => !l.startsWith('#'))
      .join('\n');
    if (content === i.text) out({ ...cmd, host: { ...cmd.host, stdout: cmd.host.stderr } }, 'Edit cancelled, no changes made.\n');
    else i.apply(content);
  }
  return 0;
}
