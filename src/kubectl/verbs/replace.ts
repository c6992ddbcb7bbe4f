// kubectl replace (k8s.io/kubectl v0.36.3, pkg/cmd/replace/replace.go).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { type BuildOptions, build, infosOf, type Result } from '../builder.ts';
import { bool, type Cmd, dryRun, duration, flag, int, list, validation } from '../command.ts';
import { fail, isFailure, isNotFound, withSource } from '../failure.ts';
import { saveConfig } from '../last-applied.ts';
import { lazy } from '../lazy.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { createObject, getObject, replaceObject, writeQuery } from '../requests.ts';
import { propagation } from './apply.ts';
import { deleteAll } from './delete.ts';

export function* run(cmd: Cmd): Co<number> {
  if (flag(cmd, 'raw')) return yield* lazy('raw').runRaw(cmd);
  if (!list(cmd, 'filename').length && !flag(cmd, 'kustomize')) {
    fail('must specify one of -f and -k');
  }
  const mode = dryRun(cmd);
  const directive = validation(cmd);
  const force = bool(cmd, 'force');
  if (int(cmd, 'grace-period') >= 0 && !force) fail('--grace-period must have --force specified');
  if (duration(cmd, 'timeout') && !force) fail('--timeout must have --force specified');
  if (force && dryRun(cmd) !== 'none') fail('--dry-run can not be used when --force is set');
  const options: BuildOptions = {
    args: cmd.args,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    subresource: flag(cmd, 'subresource'),
    flatten: true,
    continueOnError: true,
    checkKind: directive !== 'Ignore',
  };
  if (force) return yield* forceReplace(cmd, options);
  const result = yield* build(cmd, options);
  if (result.error) throw result.error;
  const print = resultPrinter(cmd, 'replaced', dryRunSuffix(mode));
  let count = 0;
  const error = result.visit(info => {
    let object = saveConfig(info.object as KubeObject, bool(cmd, 'save-config'));
    if (mode !== 'client') {
      try {
        // Helper.Replace: without a version of its own, the object takes the one that is there.
        if (!object.metadata?.resourceVersion) {
          const now = getObject(cmd, info.mapping, info.namespace, info.name);
          if (isFailure(now)) throw now;
          object = { ...object, metadata: { ...object.metadata, resourceVersion: now.metadata.resourceVersion } };
        }
        const query = writeQuery(cmd, mode, 'kubectl-replace', { fieldValidation: directive });
        object = replaceObject(cmd, info.mapping, info.namespace, object, query, flag(cmd, 'subresource'));
      } catch (e) {
        throw isFailure(e) ? withSource('replacing', info, e) : e;
      }
    }
    count++;
    print(object);
  });
  if (error) throw error;
  if (!count) fail('no objects passed to replace');
  return 0;
}

function* forceReplace(cmd: Cmd, options: BuildOptions): Co<number> {
  const grace = int(cmd, 'grace-period');
  const result: Result = yield* build(cmd, options);
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  if (error) throw error;
  yield* deleteAll(
    {
      cmd,
      grace: grace >= 0 ? grace : -1,
      cascade: propagation(flag(cmd, 'cascade')),
      mode: 'none',
      output: '',
      quiet: false,
      wait: true,
      timeoutMs: duration(cmd, 'timeout') || 300_000,
      warnClusterScope: false,
      forced: false,
    },
    {
      visit: fn => {
        for (const info of infos) {
          try {
            fn(info);
          } catch (e) {
            if (!isFailure(e)) throw e;
            if (!isNotFound(e)) return e;
          }
        }
        return null;
      },
    },
  );
  const print = resultPrinter(cmd, 'replaced');
  let count = 0;
  for (const info of infos) {
    const object = saveConfig(info.object as KubeObject, bool(cmd, 'save-config'));
    print(
      createObject(
        cmd,
        info.mapping,
        info.namespace,
        object,
        writeQuery(cmd, 'none', 'kubectl-replace', { fieldValidation: validation(cmd) }),
      ),
    );
    count++;
  }
  if (!count) fail('no objects passed to replace');
  return 0;
}
