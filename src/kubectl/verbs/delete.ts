// kubectl delete (k8s.io/kubectl v0.36.3, pkg/cmd/delete/delete.go).

import type { KubeObject, Status } from '../../apiserver/types.ts';
import { readLine } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { type BuildOptions, build, type Info, infosOf, type Result } from '../builder.ts';
import { bool, type Cmd, type DryRun, dryRun, duration, err, flag, int, isSet, list, out } from '../command.ts';
import { fail, isFailure, withSource } from '../failure.ts';
import { lazy } from '../lazy.ts';
import { kindName } from '../mapping.ts';
import { dryRunSuffix } from '../print-flags.ts';
import { deleteObject } from '../requests.ts';
import { type Awaited, waitDeleted } from '../wait-deleted.ts';
import { propagation } from './apply.ts';

export interface Deletion {
  cmd: Cmd;
  /** -1: the object's own. */
  grace: number;
  cascade: 'Foreground' | 'Background' | 'Orphan';
  mode: DryRun;
  output: string;
  quiet: boolean;
  wait: boolean;
  timeoutMs: number;
  /** Say that the namespace of -n does not matter for what has none. */
  warnClusterScope: boolean;
  /** By --force. */
  forced: boolean;
}

export function* run(cmd: Cmd): Co<number> {
  if (flag(cmd, 'raw')) return yield* lazy('raw').runRaw(cmd);
  const selecting = bool(cmd, 'all') || flag(cmd, 'selector') !== '' || flag(cmd, 'field-selector') !== '';
  const ignoreNotFound = isSet(cmd, 'ignore-not-found') ? bool(cmd, 'ignore-not-found') : selecting;
  const force = bool(cmd, 'force');
  let grace = int(cmd, 'grace-period');
  if (bool(cmd, 'now')) {
    if (grace !== -1) fail('--now and --grace-period cannot be specified together');
    grace = 1;
  }
  if (grace === 0 && !force) grace = 1;
  if (force && grace < 0) grace = 0;
  const cascade = propagation(flag(cmd, 'cascade'));
  const mode = dryRun(cmd);
  const options: BuildOptions = {
    args: cmd.args,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    allNamespaces: bool(cmd, 'all-namespaces'),
    labelSelector: flag(cmd, 'selector').trim(),
    fieldSelector: flag(cmd, 'field-selector').trim(),
    all: bool(cmd, 'all'),
    lazyObjects: true,
    flatten: true,
    continueOnError: true,
    ignoreNotFound,
  };
  const output = flag(cmd, 'output');
  if (options.all && (options.labelSelector || options.fieldSelector)) fail("setting 'all' parameter but found a non empty selector. ");
  const result = yield* build(cmd, options);
  if (result.error) throw result.error;
  if (output && output !== 'name') fail(`unexpected -o output mode: ${output}. We only support '-o name'`);
  if (force && grace === 0)
    err(
      cmd,
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    );
  if (force && grace > 0) fail('--force and --grace-period greater than 0 cannot be specified together');
  if (bool(cmd, 'interactive') && !(yield* confirmed(cmd, result))) return 0;
  const d: Deletion = {
    cmd,
    grace,
    cascade,
    mode,
    output,
    quiet: false,
    wait: bool(cmd, 'wait'),
    timeoutMs: duration(cmd, 'timeout'),
    warnClusterScope: cmd.explicitNamespace && !bool(cmd, 'all-namespaces'),
    forced: force,
  };
  yield* deleteAll(d, result);
  return 0;
}

function* confirmed(cmd: Cmd, result: Result): Co<boolean> {
  const { infos, error } = infosOf(result);
  if (error) throw error;
  if (!infos.length) {
    out(cmd, 'No resources found\n');
    return false;
  }
  out(cmd, `You are about to delete the following ${infos.length} resource(s):\n`);
  for (const info of infos) out(cmd, `${kindName(info.mapping)}/${info.name}\n`);
  out(cmd, 'Do you want to continue? (y/N): ');
  const answer = yield* readLine(cmd.host.sim, cmd.host.stdin);
  if (/^y(es)?$/i.test(answer ?? '')) return true;
  out(cmd, 'deletion is cancelled\n');
  return false;
}

/** Delete what the result holds, and wait until it is gone. */
export function* deleteAll(d: Deletion, result: Pick<Result, 'visit'>): Co<void> {
  const { cmd } = d;
  const gone: Awaited[] = [];
  let found = 0;
  const error = result.visit(info => {
    found++;
    if (d.warnClusterScope && !info.mapping.namespaced) {
      err(cmd, 'Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n');
      d.warnClusterScope = false;
    }
    if (d.mode === 'client') {
      if (!d.quiet) printDeleted(d, info);
      return;
    }
    let response: KubeObject | Status;
    try {
      response = deleteObject(cmd, info.mapping, info.namespace, info.name, {
        gracePeriodSeconds: d.grace >= 0 ? d.grace : undefined,
        propagationPolicy: d.cascade,
        dryRun: d.mode === 'server' || undefined,
      });
    } catch (e) {
      throw isFailure(e) ? withSource('deleting', info, e) : e;
    }
    if (!d.quiet) printDeleted(d, info);
    const uid = response.kind === 'Status' ? (response as Status).details?.uid : (response as KubeObject).metadata.uid;
    gone.push({ mapping: info.mapping, namespace: info.namespace, name: info.name, uid: uid ?? '' });
  });
  if (error) throw error;
  if (!found) {
    out(cmd, 'No resources found\n');
    return;
  }
  if (d.wait && d.mode === 'none') yield* waitDeleted(cmd, gone, d.timeoutMs || 168 * 3_600_000);
}

function printDeleted(d: Deletion, info: Info): void {
  const kind = kindName(info.mapping);
  if (d.output === 'name') {
    out(d.cmd, `${kind}/${info.name}\n`);
    return;
  }
  const operation = `${d.forced && d.grace === 0 ? 'force deleted' : 'deleted'}${info.mapping.namespaced ? ` from ${info.namespace} namespace` : ''}`;
  out(d.cmd, `${kind} "${info.name}" ${operation}${dryRunSuffix(d.mode)}\n`);
}
