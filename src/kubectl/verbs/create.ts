// kubectl create -f (k8s.io/kubectl v0.36.3, pkg/cmd/create/create.go).

import type { KubeObject, ResourceInfo } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build, infosOf, type Result } from '../builder.ts';
import { bool, type Cmd, connect, dryRun, flag, list, usageError, validation } from '../command.ts';
import { fail, isFailure, withSource } from '../failure.ts';
import { saveConfig } from '../last-applied.ts';
import { lazy } from '../lazy.ts';
import { resourceOfKind } from '../mapping.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { createObject, writeQuery } from '../requests.ts';
import { aboutOf, editLoop, HEADER } from './edit.ts';

export function* run(cmd: Cmd): Co<number> {
  if (flag(cmd, 'raw')) return yield* lazy('raw').runRaw(cmd);
  if (!list(cmd, 'filename').length && !flag(cmd, 'kustomize') && !cmd.args.length) {
    // create alone is the group's help.
    fail('must specify one of -f and -k');
  }
  if (cmd.args.length) usageError(cmd, `Unexpected args: [${cmd.args.join(' ')}]`);
  const mode = dryRun(cmd);
  const directive = validation(cmd);
  const print = resultPrinter(cmd, 'created', dryRunSuffix(mode));
  if (!list(cmd, 'filename').length && !flag(cmd, 'kustomize')) fail('must specify one of -f and -k');
  const result = yield* build(cmd, {
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    labelSelector: flag(cmd, 'selector').trim(),
    flatten: true,
    continueOnError: true,
    checkKind: directive !== 'Ignore',
  });
  if (result.error) throw result.error;
  if (bool(cmd, 'edit')) return yield* createEdited(cmd, result);
  let count = 0;
  const error = result.visit(info => {
    let object = saveConfig(info.object as KubeObject, bool(cmd, 'save-config'));
    if (mode !== 'client') {
      try {
        object = createObject(
          cmd,
          info.mapping,
          info.namespace,
          object,
          writeQuery(cmd, mode, 'kubectl-create', { fieldValidation: directive }),
        );
      } catch (e) {
        throw isFailure(e) ? withSource('creating', info, e) : e;
      }
    }
    count++;
    print(object);
  });
  if (error) throw error;
  if (!count) fail('no objects passed to create');
  return 0;
}

/** --edit: what the editor leaves is made, if it has changed anything. */
function* createEdited(cmd: Cmd, result: Result): Co<number> {
  const { infos, error } = infosOf(result);
  if (error) throw error;
  return yield* editLoop(cmd, {
    header: HEADER,
    objects: infos.map(i => i.object as KubeObject),
    about: aboutOf(infos[0]),
    save: edited => {
      const print = resultPrinter(cmd, 'created');
      for (const o of edited) {
        const mapping = resourceOfKind(connect(cmd), o.apiVersion, o.kind) as ResourceInfo;
        const namespace = mapping.namespaced ? o.metadata?.namespace || cmd.namespace : '';
        print(createObject(cmd, mapping, namespace, saveConfig(o, bool(cmd, 'save-config')), writeQuery(cmd, 'none', 'kubectl-create')));
      }
      return [];
    },
  });
}
