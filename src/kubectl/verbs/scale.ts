// kubectl scale (k8s.io/kubectl v0.36.3, pkg/cmd/scale, pkg/scale).

import type { KubeObject, ResourceInfo } from '../../apiserver/types.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { build, infosOf } from '../builder.ts';
import { bool, type Cmd, type DryRun, dryRun, duration, flag, int, list, request } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { patchObject, replaceObject, target } from '../requests.ts';

export function* run(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  const print = resultPrinter(cmd, 'scaled', dryRunSuffix(mode));
  const replicas = int(cmd, 'replicas');
  const current = int(cmd, 'current-replicas');
  const version = flag(cmd, 'resource-version');
  if (replicas < 0) fail('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
  if (current < -1) fail('The --current-replicas must specify an integer of -1 or greater');
  const result = yield* build(cmd, {
    args: cmd.args,
    allowEmptySelector: bool(cmd, 'all'),
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    labelSelector: flag(cmd, 'selector').trim(),
    flatten: true,
    continueOnError: true,
  });
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  if (version && infos.length > 1) fail('cannot use --resource-version with multiple resources');
  if (!infos.length) {
    if (error) throw error;
    fail('no objects passed to scale');
  }
  for (const info of infos) {
    let object = info.object as KubeObject;
    if (mode !== 'client') yield* scaleTo(cmd, info.mapping, info.namespace, info.name, replicas, mode, { size: current, version });
    if (info.mapping.group === 'apps' || info.mapping.group === '') object = { ...object, spec: { ...object.spec, replicas } };
    print(object);
  }
  if (error) throw error;
  return 0;
}

interface Precondition {
  size: number;
  version: string;
}

const getScale = (cmd: Cmd, m: ResourceInfo, ns: string, name: string) =>
  request(cmd, { verb: 'get', ...target(m, ns), name, subresource: 'scale' });

function* scaleTo(cmd: Cmd, m: ResourceInfo, ns: string, name: string, replicas: number, mode: DryRun, p: Precondition): Co<void> {
  const query = { dryRun: mode === 'server' || undefined };
  for (let attempt = 0; ; attempt++) {
    try {
      if (p.size === -1 && !p.version) patchObject(cmd, m, ns, name, 'merge', { spec: { replicas } }, query, 'scale');
      else {
        const scale = getScale(cmd, m, ns, name);
        const have = scale.spec?.replicas ?? 0;
        if (p.size !== -1 && have !== p.size) fail(`Expected replicas to be ${p.size}, was ${have}`);
        if (p.version && scale.metadata.resourceVersion !== p.version)
          fail(`Expected resource version to be ${p.version}, was ${scale.metadata.resourceVersion}`);
        replaceObject(cmd, m, ns, { ...scale, spec: { ...scale.spec, replicas } }, query, 'scale');
      }
      break;
    } catch (e) {
      if (!isFailure(e) || e.status?.reason !== 'Conflict' || attempt > 300) throw e;
      yield* sleep(cmd.host.sim, 1000);
    }
  }
  const timeout = duration(cmd, 'timeout');
  if (!timeout || mode !== 'none') return;
  const deadline = cmd.host.sim.nowMs + timeout;
  for (;;) {
    const scale = getScale(cmd, m, ns, name);
    if (scale.spec?.replicas !== replicas || scale.status?.replicas === replicas) return;
    if (cmd.host.sim.nowMs >= deadline) fail(`timed out waiting for ${JSON.stringify(name)} to be synced`);
    yield* sleep(cmd.host.sim, 1000);
  }
}
