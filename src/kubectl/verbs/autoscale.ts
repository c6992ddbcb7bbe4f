// kubectl autoscale (k8s.io/kubectl v0.36.3, pkg/cmd/autoscale).

import { formatQuantity, parseQuantity } from '../../apiserver/quantity.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build } from '../builder.ts';
import { bool, type Cmd, connect, dryRun, flag, int, list } from '../command.ts';
import { fail, isFailure, wrapped } from '../failure.ts';
import { saveTypedConfig } from '../last-applied.ts';
import { groupVersion, mappingFor } from '../mapping.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { createObject, writeQuery } from '../requests.ts';

/** parseResourceInput */
function metricTarget(text: string, resource: string, unit: string): unknown {
  const s = text.trim();
  if (s.endsWith('%')) {
    const percent = s.slice(0, -1);
    if (!/^\+?\d+$/.test(percent)) fail(`invalid percentage value: ${percent}`);
    return { averageUtilization: Number(percent), type: 'Utilization' };
  }
  const bare = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(s);
  const q = parseQuantity(bare ? `${Number(s)}${unit}` : s);
  if (typeof q === 'string') return fail(bare ? q : `invalid resource ${resource} value: ${s}`);
  return { averageValue: formatQuantity(q), type: 'AverageValue' };
}

export function* run(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  const [min, max, percent] = [int(cmd, 'min'), int(cmd, 'max'), int(cmd, 'cpu-percent')];
  if (max < 1) fail(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  if (max < min) fail(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
  if (percent > 0 && flag(cmd, 'cpu')) fail('--cpu-percent and --cpu are mutually exclusive');
  const metric = (name: string, target: unknown) => ({ resource: { name, target }, type: 'Resource' });
  const metrics: unknown[] = [];
  if (percent > 0) metrics.push(metric('cpu', { averageUtilization: percent, type: 'Utilization' }));
  if (flag(cmd, 'cpu')) metrics.push(metric('cpu', metricTarget(flag(cmd, 'cpu'), 'cpu', 'm')));
  if (flag(cmd, 'memory')) metrics.push(metric('memory', metricTarget(flag(cmd, 'memory'), 'memory', 'Mi')));
  const result = yield* build(cmd, {
    args: cmd.args,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    flatten: true,
    continueOnError: true,
  });
  if (result.error) throw result.error;
  let count = 0;
  const error = result.visit(info => {
    const m = info.mapping;
    if (!m.subresources.includes('scale'))
      fail(
        `cannot autoscale a ${m.kind}: could not find scale subresource for ${m.group}/${m.version}, Resource=${m.resource} in discovery information`,
      );
    const hpa: KubeObject = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: flag(cmd, 'name') || info.name, ...(cmd.explicitNamespace ? { namespace: cmd.namespace } : {}) },
      spec: {
        maxReplicas: max,
        ...(metrics.length ? { metrics } : {}),
        ...(min > 0 ? { minReplicas: min } : {}),
        scaleTargetRef: { apiVersion: groupVersion(m), kind: m.kind, name: info.name },
      },
    };
    count++;
    if (mode === 'client') {
      // The type writes its status even when it is empty.
      resultPrinter(cmd, 'created', dryRunSuffix(mode))({ ...hpa, status: { currentMetrics: null, desiredReplicas: 0 } });
      return;
    }
    let made: KubeObject;
    try {
      made = createObject(
        cmd,
        mappingFor(connect(cmd), 'horizontalpodautoscalers.v2.autoscaling'),
        cmd.namespace,
        saveTypedConfig(hpa, bool(cmd, 'save-config')),
        writeQuery(cmd, mode, 'kubectl-autoscale'),
      );
    } catch (e) {
      if (!isFailure(e)) throw e;
      const v1 = percent >= 0 && !flag(cmd, 'memory');
      if (v1 || (!flag(cmd, 'memory') && flag(cmd, 'cpu').trim().endsWith('%'))) throw e;
      throw wrapped('failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1', {
        ...e,
        // The one error there may be is that of parsing --cpu, which is looked at again.
        message: flag(cmd, 'cpu') ? '%!w(<nil>)' : 'empty input',
      });
    }
    resultPrinter(cmd, 'autoscaled', dryRunSuffix(mode))(made);
  });
  if (error) throw error;
  if (!count) fail('no objects passed to autoscale');
  return 0;
}
