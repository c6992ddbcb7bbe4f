// kubectl expose (k8s.io/kubectl v0.36.3, pkg/cmd/expose/expose.go).

import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { build, type Info } from '../builder.ts';
import { bool, type Cmd, connect, type DryRun, dryRun, flag, list } from '../command.ts';
import { fail, failure, isFailure } from '../failure.ts';
import { intOrString } from '../generators/workload.ts';
import { saveTypedConfig } from '../last-applied.ts';
import { kindName, mappingFor } from '../mapping.ts';
import { applyOverrides } from '../overrides.ts';
import { goTypeName } from '../pods.ts';
import { dryRunSuffix, type Printer, resultPrinter } from '../print-flags.ts';
import { createObject, writeQuery } from '../requests.ts';

export function* run(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  const print = resultPrinter(cmd, 'exposed', dryRunSuffix(mode));
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
  const error = result.visit(info => exposeOne(cmd, info, mode, print));
  if (error) throw error;
  return 0;
}

const EXPOSABLE = ['replicationcontroller', 'service', 'pod', 'deployment.apps', 'replicaset.apps'];

const makeLabels = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([k, v]) => `${k}=${v}`)
    .join(',');

function selectorOf(o: KubeObject): string {
  switch (o.kind) {
    case 'ReplicationController':
      return makeLabels(o.spec.selector ?? {});
    case 'Pod':
      if (!Object.keys(o.metadata.labels ?? {}).length) fail('the pod has no labels and cannot be exposed');
      return makeLabels(o.metadata.labels ?? {});
    case 'Service':
      if (!o.spec.selector) fail('the service has no pod selector set');
      return makeLabels(o.spec.selector);
    default: {
      const { matchLabels, matchExpressions } = o.spec.selector ?? {};
      if (!Object.keys(matchLabels ?? {}).length) fail(`invalid ${o.kind.toLowerCase()}: no selectors, therefore cannot be exposed`);
      if (matchExpressions?.length) {
        const shown = matchExpressions
          .map((e: any) => `{Key:${e.key} Operator:${e.operator} Values:[${(e.values ?? []).join(' ')}]}`)
          .join(' ');
        fail(`couldn't convert expressions - "[${shown}]" to map-based selector format`);
      }
      return makeLabels(matchLabels);
    }
  }
}

/** Ports of the exposed object, with their protocols. */
function portsOf(o: KubeObject): { port: number; protocol: string }[] {
  if (o.kind === 'Service') return (o.spec.ports ?? []).map((p: any) => ({ port: p.port, protocol: p.protocol ?? 'TCP' }));
  const spec = o.kind === 'Pod' ? o.spec : o.spec?.template?.spec;
  if (!spec) return fail(`cannot extract ports from ${goTypeName(o)}`);
  return (spec.containers ?? []).flatMap((c: any) =>
    (c.ports ?? []).map((p: any) => ({ port: p.containerPort, protocol: p.protocol || 'TCP' })),
  );
}

/** parseLabels */
function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const part of text.split(',')) {
    const pair = part.split('=');
    if (pair.length !== 2) fail(`unexpected label spec: ${part}`);
    if (!pair[0]) fail('unexpected empty label key');
    labels[pair[0]] = pair[1];
  }
  return labels;
}

function exposeOne(cmd: Cmd, info: Info, mode: DryRun, print: Printer): void {
  const o = info.object as KubeObject;
  if (!EXPOSABLE.includes(kindName(info.mapping)))
    fail(`cannot expose a ${info.mapping.group ? `${info.mapping.kind}.${info.mapping.group}` : info.mapping.kind}`);
  let selector = flag(cmd, 'selector');
  if (!selector) {
    try {
      selector = selectorOf(o);
    } catch (e) {
      throw isFailure(e) ? failure(`couldn't retrieve selectors via --selector flag or introspection: ${e.message}`) : e;
    }
  }
  const have = portsOf(o);
  const numbers = [...new Set(have.map(p => String(p.port)))];
  let ports = flag(cmd, 'port');
  if (!ports) {
    if (!numbers.length && flag(cmd, 'cluster-ip') !== 'None') fail("couldn't find port via --port flag or introspection");
    ports = numbers.join(',');
  }
  const labelText = flag(cmd, 'labels') || makeLabels(o.metadata.labels ?? {});
  const service = applyOverrides(cmd, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: flag(cmd, 'name') || info.name.slice(0, 63), labels: labelText ? parseLabels(labelText) : undefined },
    spec: {
      selector: selector ? parseLabels(selector) : fail('selector must be specified'),
      ports: servicePorts(cmd, ports, have),
      ...extras(cmd),
    },
    status: { loadBalancer: {} },
  });
  if (mode === 'client') {
    print(cmd.explicitNamespace ? { ...service, metadata: { ...service.metadata, namespace: cmd.namespace } } : service);
    return;
  }
  const query = writeQuery(cmd, mode, 'kubectl-expose');
  print(createObject(cmd, mappingFor(connect(cmd), 'services'), cmd.namespace, saveTypedConfig(service, bool(cmd, 'save-config')), query));
}

function servicePorts(cmd: Cmd, text: string, have: { port: number; protocol: string }[]): any[] | undefined {
  if (!text) return undefined;
  const target = flag(cmd, 'target-port');
  const wanted = flag(cmd, 'protocol');
  const parts = text.split(',');
  const out = parts.flatMap((part, i) => {
    if (!/^[+-]?\d+$/.test(part)) fail(`strconv.Atoi: parsing ${goQuote(part)}: invalid syntax`);
    const port = Number(part);
    const name = parts.length > 1 ? `port-${i + 1}` : undefined;
    const targetPort = target ? intOrString(target) : port;
    const protocols = [...new Set(have.filter(p => p.port === port).map(p => p.protocol))];
    if (wanted || protocols.length < 2) return [{ name, port, protocol: wanted || protocols[0] || 'TCP', targetPort }];
    return protocols.map(protocol => ({ name: `port-${i + 1}-${protocol.toLowerCase()}`, port, protocol, targetPort }));
  });
  return out;
}

function extras(cmd: Cmd): Record<string, unknown> {
  const type = flag(cmd, 'type');
  const affinity = flag(cmd, 'session-affinity');
  if (affinity && affinity !== 'None' && affinity !== 'ClientIP') fail(`unknown session affinity: ${affinity}`);
  return {
    externalIPs: flag(cmd, 'external-ip') ? [flag(cmd, 'external-ip')] : undefined,
    type: type || undefined,
    loadBalancerIP: type === 'LoadBalancer' ? flag(cmd, 'load-balancer-ip') || undefined : undefined,
    sessionAffinity: affinity || undefined,
    clusterIP: flag(cmd, 'cluster-ip') || undefined,
  };
}
