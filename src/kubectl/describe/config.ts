// describe of configuration, quotas, namespaces, roles and storage (k8s.io/kubectl v0.36.3, pkg/describe/describe.go).

import { formatLabelSelector } from '../../apiserver/labels.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import { type Cmd, connect } from '../command.ts';
import { mappingFor } from '../mapping.ts';
import { ruleRows } from '../rbac-rules.ts';
import { listObjects } from '../requests.ts';
import { rfc1123z, translateTimestampSince } from '../time.ts';
import { describeEvents } from './events.ts';
import { volumeSource } from './pod-template.ts';
import {
  annotationsMultiline,
  type Description,
  formatLabels,
  goList,
  labelsMultiline,
  multiline,
  put,
  sortedKeys,
  truth,
} from './writer.ts';

type Describe = (cmd: Cmd, d: Description, o: KubeObject, events: KubeObject[] | null) => void;
const n = (x: unknown): number => (x as number) ?? 0;

function head(d: Description, o: KubeObject, namespaced = true): void {
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  if (namespaced) put(d, 0, `Namespace:\t${o.metadata.namespace}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
}

const byteCount = (s: string): number => unbase64(s)?.length ?? 0;

export const describeConfigMap: Describe = (cmd, d, o, events) => {
  const { data, binaryData } = o as any;
  head(d, o);
  put(d, 0, '\nData\n====\n');
  for (const k of sortedKeys(data)) put(d, 0, `${k}:\n----\n${data[k]}\n\n`);
  put(d, 0, '\nBinaryData\n====\n');
  for (const k of sortedKeys(binaryData)) put(d, 0, `${k}: ${byteCount(binaryData[k])} bytes\n`);
  put(d, 0, '\n');
  describeEvents(cmd, d, events);
};

export const describeSecret: Describe = (_cmd, d, o) => {
  const { data, type } = o as any;
  head(d, o);
  put(d, 0, `\nType:\t${type ?? ''}\n`);
  put(d, 0, '\nData\n====\n');
  for (const k of sortedKeys(data)) {
    if (k === 'token' && type === 'kubernetes.io/service-account-token')
      put(d, 0, `${k}:\t${bytesToString(unbase64(data[k]) ?? new Uint8Array())}\n`);
    else put(d, 0, `${k}:\t${byteCount(data[k])} bytes\n`);
  }
};

export const describeServiceAccount: Describe = (cmd, d, o, events) => {
  head(d, o);
  const names = ((o as any).imagePullSecrets ?? []).map((s: any) => s.name);
  if (!names.length) put(d, 0, 'Image pull secrets:\t<none>\n');
  names.forEach((name: string, i: number) => {
    put(d, 0, `${i ? '                   ' : 'Image pull secrets:'}\t${name}\n`);
  });
  describeEvents(cmd, d, events);
};

// ------------------------------------------------- namespaces and quotas

const SCOPES: Record<string, string> = {
  Terminating:
    'Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.',
  NotTerminating:
    'Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.',
  BestEffort: 'Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.',
  NotBestEffort:
    'Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.',
};

const LIMIT_HEAD = 'Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n';
const LIMIT_RULE = '----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n';

function limitRows(d: Description, spec: any, prefix: string): void {
  for (const item of spec?.limits ?? []) {
    const lists = [item.min, item.max, item.defaultRequest, item.default, item.maxLimitRequestRatio];
    const names = new Set(lists.flatMap(l => Object.keys(l ?? {})));
    for (const k of [...names].sort()) put(d, 0, `${prefix}${item.type}\t${k}\t${lists.map(l => l?.[k] ?? '-').join('\t')}\n`);
  }
}

export const describeNamespace: Describe = (cmd, d, o) => {
  head(d, o, false);
  put(d, 0, `Status:\t${o.status?.phase ?? ''}\n`);
  if (o.status?.conditions?.length) {
    put(d, 0, 'Conditions:\n');
    put(d, 1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage\n');
    put(d, 1, '----\t------\t------------------\t------\t-------\n');
    for (const c of o.status.conditions)
      put(d, 1, `${c.type}\t${c.status}\t${rfc1123z(c.lastTransitionTime)}\t${c.reason ?? ''}\t${c.message ?? ''}\n`);
  }
  put(d, 0, '\n');
  const quotas = listObjects(cmd, mappingFor(connect(cmd), 'resourcequotas'), o.metadata.name);
  if (!quotas.length) put(d, 0, 'No resource quota.\n');
  else {
    put(d, 0, 'Resource Quotas\n');
    for (const q of quotas) {
      put(d, 1, `Name:\t${q.metadata.name}\n`);
      const scopes = [...(q.spec?.scopes ?? [])].sort();
      if (scopes.length) {
        put(d, 1, `Scopes:\t${scopes.join(', ')}\n`);
        for (const s of scopes) if (SCOPES[s]) put(d, 1, `* ${SCOPES[s]}\n`);
      }
      put(d, 1, 'Resource\tUsed\tHard\n');
      put(d, 1, '--------\t---\t---\n');
      for (const k of sortedKeys(q.status?.hard)) put(d, 1, `${k}\t${q.status?.used?.[k] ?? '0'}\t${q.status.hard[k]}\n`);
    }
  }
  put(d, 0, '\n');
  const limits = listObjects(cmd, mappingFor(connect(cmd), 'limitranges'), o.metadata.name);
  if (!limits.length) put(d, 0, 'No LimitRange resource.\n');
  else {
    put(d, 0, `Resource Limits\n ${LIMIT_HEAD}`);
    put(d, 0, ` ${LIMIT_RULE}`);
    for (const l of limits) limitRows(d, l.spec, ' ');
  }
};

export const describeLimitRange: Describe = (_cmd, d, o) => {
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `Namespace:\t${o.metadata.namespace}\n`);
  put(d, 0, LIMIT_HEAD);
  put(d, 0, LIMIT_RULE);
  limitRows(d, o.spec, '');
};

export const describeQuota: Describe = (_cmd, d, o) => {
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `Namespace:\t${o.metadata.namespace}\n`);
  const scopes = [...(o.spec?.scopes ?? [])].sort();
  if (scopes.length) {
    put(d, 0, `Scopes:\t${scopes.join(', ')}\n`);
    for (const s of scopes) if (SCOPES[s]) put(d, 0, ` * ${SCOPES[s]}\n`);
  }
  put(d, 0, 'Resource\tUsed\tHard\n');
  put(d, 0, '--------\t----\t----\n');
  for (const k of sortedKeys(o.status?.hard)) put(d, 0, `${k}\t${o.status.used?.[k] ?? '0'}\t${o.status.hard[k]}\n`);
};

export const describePodDisruptionBudget: Describe = (cmd, d, o, events) => {
  const { spec = {}, status: s = {} } = o;
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `Namespace:\t${o.metadata.namespace}\n`);
  if (spec.minAvailable !== undefined) put(d, 0, `Min available:\t${spec.minAvailable}\n`);
  else if (spec.maxUnavailable !== undefined) put(d, 0, `Max unavailable:\t${spec.maxUnavailable}\n`);
  put(d, 0, `Selector:\t${spec.selector ? formatLabelSelector(spec.selector) : '<unset>'}\n`);
  put(d, 0, 'Status:\n');
  put(d, 2, `Allowed disruptions:\t${n(s.disruptionsAllowed)}\n`);
  put(d, 2, `Current:\t${n(s.currentHealthy)}\n`);
  put(d, 2, `Desired:\t${n(s.desiredHealthy)}\n`);
  put(d, 2, `Total:\t${n(s.expectedPods)}\n`);
  describeEvents(cmd, d, events);
};

export const describePriorityClass: Describe = (cmd, d, o, events) => {
  const p = o as any;
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `Value:\t${p.value ?? 0}\n`);
  put(d, 0, `GlobalDefault:\t${p.globalDefault === true}\n`);
  put(d, 0, `PreemptionPolicy:\t${p.preemptionPolicy ?? ''}\n`);
  put(d, 0, `Description:\t${p.description ?? ''}\n`);
  put(d, 0, `Annotations:\t${formatLabels(o.metadata.annotations)}\n`);
  describeEvents(cmd, d, events);
};

// ------------------------------------------------------- autoscalers (v2)

function metricLine(d: Description, m: any, current: any): void {
  const value = (v: any) => (v === undefined || v === null ? '<unknown>' : String(v));
  const resource = (spec: any, status: any, what: string) => {
    put(d, 1, `resource ${spec.name}${what} on pods`);
    if (spec.target.averageValue !== undefined) put(d, 0, `:\t${value(status?.current?.averageValue)} / ${spec.target.averageValue}\n`);
    else {
      const used = status?.current?.averageUtilization;
      const now = used === undefined ? '<unknown>' : `${used}% (${status.current.averageValue})`;
      const target = spec.target.averageUtilization === undefined ? '<auto>' : `${spec.target.averageUtilization}%`;
      put(d, 1, `(as a percentage of request):\t${now} / ${target}\n`);
    }
  };
  switch (m.type) {
    case 'External': {
      const e = m.external;
      if (e.target.averageValue !== undefined)
        put(
          d,
          1,
          `"${e.metric.name}" (target average value):\t${value(current?.external?.current?.averageValue)} / ${e.target.averageValue}\n`,
        );
      else put(d, 1, `"${e.metric.name}" (target value):\t${value(current?.external?.current?.value)} / ${e.target.value}\n`);
      break;
    }
    case 'Pods':
      put(d, 1, `"${m.pods.metric.name}" on pods:\t${value(current?.pods?.current?.averageValue)} / ${m.pods.target.averageValue}\n`);
      break;
    case 'Object': {
      const o = m.object;
      put(d, 1, `"${o.metric.name}" on ${o.describedObject.kind}/${o.describedObject.name} `);
      const average = o.target.type === 'AverageValue';
      const now = current?.object?.current;
      put(
        d,
        0,
        average
          ? `(target average value):\t${value(now?.averageValue)} / ${o.target.averageValue}\n`
          : `(target value):\t${value(now?.value)} / ${o.target.value}\n`,
      );
      break;
    }
    case 'Resource':
      resource(m.resource, current?.resource, '');
      break;
    case 'ContainerResource':
      resource(m.containerResource, current?.containerResource, ` of container "${m.containerResource.container}"`);
      break;
    default:
      put(d, 1, `<unknown metric type "${m.type}">\n`);
  }
}

export const describeAutoscaler: Describe = (cmd, d, o, events) => {
  const { spec, status: s = {} } = o;
  head(d, o);
  put(d, 0, `CreationTimestamp:\t${rfc1123z(o.metadata.creationTimestamp)}\n`);
  put(d, 0, `Reference:\t${spec.scaleTargetRef.kind ?? ''}/${spec.scaleTargetRef.name ?? ''}\n`);
  put(d, 0, 'Metrics:\t( current / target )\n');
  (spec.metrics ?? []).forEach((m: any, i: number) => {
    metricLine(d, m, s.currentMetrics?.[i]);
  });
  put(d, 0, `Min replicas:\t${spec.minReplicas ?? '<unset>'}\n`);
  put(d, 0, `Max replicas:\t${spec.maxReplicas}\n`);
  if (spec.behavior) {
    put(d, 0, 'Behavior:\n');
    for (const [title, rules] of [
      ['Scale Up', spec.behavior.scaleUp],
      ['Scale Down', spec.behavior.scaleDown],
    ] as const) {
      if (!rules) continue;
      put(d, 1, `${title}:\n`);
      if (rules.stabilizationWindowSeconds !== undefined) put(d, 2, `Stabilization Window: ${rules.stabilizationWindowSeconds} seconds\n`);
      if (!rules.policies?.length) continue;
      put(d, 2, `Select Policy: ${rules.selectPolicy ?? 'Max'}\n`);
      put(d, 2, 'Policies:\n');
      for (const p of rules.policies) put(d, 3, `- Type: ${p.type}\tValue: ${p.value}\tPeriod: ${p.periodSeconds} seconds\n`);
    }
  }
  put(d, 0, `${spec.scaleTargetRef.kind ?? ''} pods:\t${n(s.currentReplicas)} current / ${n(s.desiredReplicas)} desired\n`);
  if (s.conditions?.length) {
    put(d, 0, 'Conditions:\n');
    put(d, 1, 'Type\tStatus\tReason\tMessage\n');
    put(d, 1, '----\t------\t------\t-------\n');
    for (const c of s.conditions) put(d, 1, `${c.type}\t${c.status}\t${c.reason ?? ''}\t${c.message ?? ''}\n`);
  }
  describeEvents(cmd, d, events);
};

// -------------------------------------------------------------------- RBAC

export const describeRole: Describe = (_cmd, d, o) => {
  head(d, o, false);
  put(d, 0, 'PolicyRule:\n');
  put(d, 1, 'Resources\tNon-Resource URLs\tResource Names\tVerbs\n');
  put(d, 1, '---------\t-----------------\t--------------\t-----\n');
  for (const row of ruleRows((o as any).rules)) put(d, 1, `${row.join('\t')}\n`);
};

export const describeRoleBinding: Describe = (_cmd, d, o) => {
  const { roleRef, subjects } = o as any;
  head(d, o, false);
  put(d, 0, 'Role:\n');
  put(d, 1, `Kind:\t${roleRef?.kind}\n`);
  put(d, 1, `Name:\t${roleRef?.name}\n`);
  put(d, 0, 'Subjects:\n');
  put(d, 1, 'Kind\tName\tNamespace\n');
  put(d, 1, '----\t----\t---------\n');
  for (const s of subjects ?? []) put(d, 1, `${s.kind}\t${s.name}\t${s.namespace ?? ''}\n`);
};

// ----------------------------------------------------------------- storage

const MODES: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
const accessModes = (list: string[] | undefined) =>
  Object.keys(MODES)
    .filter(m => list?.includes(m))
    .map(m => MODES[m])
    .join(',');
const storageClass = (o: KubeObject): string =>
  o.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? o.spec?.storageClassName ?? '';
const phase = (cmd: Cmd, o: KubeObject): string =>
  o.metadata.deletionTimestamp
    ? `Terminating (lasts ${translateTimestampSince(cmd.host.sim.nowMs, o.metadata.deletionTimestamp)})`
    : (o.status?.phase ?? '');

export const describeClaim: Describe = (cmd, d, o, events) => {
  const { spec, status: s = {}, metadata } = o;
  put(d, 0, `Name:\t${metadata.name}\n`);
  put(d, 0, `Namespace:\t${metadata.namespace}\n`);
  put(d, 0, `StorageClass:\t${storageClass(o)}\n`);
  put(d, 0, `Status:\t${phase(cmd, o)}\n`);
  put(d, 0, `Volume:\t${spec.volumeName ?? ''}\n`);
  labelsMultiline(d, 'Labels', metadata.labels);
  annotationsMultiline(d, 'Annotations', metadata.annotations);
  put(d, 0, `Finalizers:\t${goList(metadata.finalizers)}\n`);
  put(d, 0, `Capacity:\t${spec.volumeName ? (s.capacity?.storage ?? '0') : ''}\n`);
  put(d, 0, `Access Modes:\t${spec.volumeName ? accessModes(s.accessModes) : ''}\n`);
  if (spec.volumeMode) put(d, 0, `VolumeMode:\t${spec.volumeMode}\n`);
  if (spec.dataSource) {
    put(d, 0, 'DataSource:\n');
    if (spec.dataSource.apiGroup) put(d, 1, `APIGroup:\t${spec.dataSource.apiGroup}\n`);
    put(d, 1, `Kind:\t${spec.dataSource.kind}\n`);
    put(d, 1, `Name:\t${spec.dataSource.name}\n`);
  }
  const pods = listObjects(cmd, mappingFor(connect(cmd), 'pods'), metadata.namespace ?? '')
    .filter(p => (p.spec.volumes ?? []).some((v: any) => v.persistentVolumeClaim?.claimName === metadata.name))
    .map(p => p.metadata.name)
    .sort();
  multiline(d, 'Used By', pods);
  if (s.conditions?.length) {
    put(d, 0, 'Conditions:\n');
    put(d, 1, 'Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n');
    put(d, 1, '----\t------\t-----------------\t------------------\t------\t-------\n');
    for (const c of s.conditions)
      put(
        d,
        1,
        `${c.type} \t${c.status} \t${rfc1123z(c.lastProbeTime)} \t${rfc1123z(c.lastTransitionTime)} \t${c.reason ?? ''} \t${c.message ?? ''}\n`,
      );
  }
  describeEvents(cmd, d, events);
};

export const describeVolume: Describe = (cmd, d, o, events) => {
  const { spec, status: s = {}, metadata } = o;
  head(d, o, false);
  put(d, 0, `Finalizers:\t${goList(metadata.finalizers)}\n`);
  put(d, 0, `StorageClass:\t${storageClass(o)}\n`);
  put(d, 0, `Status:\t${phase(cmd, o)}\n`);
  put(d, 0, `Claim:\t${spec.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : ''}\n`);
  put(d, 0, `Reclaim Policy:\t${spec.persistentVolumeReclaimPolicy ?? ''}\n`);
  put(d, 0, `Access Modes:\t${accessModes(spec.accessModes)}\n`);
  if (spec.volumeMode) put(d, 0, `VolumeMode:\t${spec.volumeMode}\n`);
  put(d, 0, `Capacity:\t${spec.capacity?.storage ?? '0'}\n`);
  put(d, 0, 'Node Affinity:\t');
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms;
  if (!terms) put(d, 0, '<none>\n');
  else {
    put(d, 0, '\n');
    put(d, 1, `Required Terms:\t${terms.length ? '' : '<none>'}\n`);
    terms.forEach((t: any, i: number) => {
      put(d, 2, `Term ${i}:\t`);
      const lines = (t.matchExpressions ?? []).map(
        (e: any) => `${e.key} ${e.operator.toLowerCase()}${e.values?.length ? ` [${e.values.join(', ')}]` : ''}`,
      );
      if (!lines.length) put(d, 0, '<none>\n');
      lines.forEach((l: string, k: number) => {
        if (k) put(d, 2, '\t');
        put(d, 0, `${l}\n`);
      });
    });
  }
  put(d, 0, `Message:\t${s.message ?? ''}\n`);
  put(d, 0, 'Source:\n');
  volumeSource(d, spec);
  describeEvents(cmd, d, events);
};

export const describeStorageClass: Describe = (cmd, d, o, events) => {
  const c = o as any;
  const isDefault = o.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `IsDefaultClass:\t${isDefault ? 'Yes' : 'No'}\n`);
  put(d, 0, `Annotations:\t${formatLabels(o.metadata.annotations)}\n`);
  put(d, 0, `Provisioner:\t${c.provisioner}\n`);
  put(d, 0, `Parameters:\t${formatLabels(c.parameters)}\n`);
  put(d, 0, `AllowVolumeExpansion:\t${c.allowVolumeExpansion === undefined ? '<unset>' : truth(c.allowVolumeExpansion)}\n`);
  if (!c.mountOptions?.length) put(d, 0, 'MountOptions:\t<none>\n');
  else {
    put(d, 0, 'MountOptions:\n');
    for (const m of c.mountOptions) put(d, 1, `${m}\n`);
  }
  if (c.reclaimPolicy) put(d, 0, `ReclaimPolicy:\t${c.reclaimPolicy}\n`);
  if (c.volumeBindingMode) put(d, 0, `VolumeBindingMode:\t${c.volumeBindingMode}\n`);
  describeEvents(cmd, d, events);
};
