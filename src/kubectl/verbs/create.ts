// kubectl create -f (k8s.io/kubectl v0.36.3, pkg/cmd/create/create.go).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build } from '../builder.ts';
import { bool, type Cmd, dryRun, flag, list, usageError, validation } from '../command.ts';
import { fail, isFailure, withSource } from '../failure.ts';
import { saveConfig } from '../last-applied.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { createObject, writeQuery } from '../requests.ts';

export function* run(cmd: Cmd): Co<number> {
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
