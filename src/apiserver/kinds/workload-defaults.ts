// Defaults of the other kinds (k8s.io/kubernetes/pkg/apis/{apps,batch,networking,discovery,autoscaling,rbac,storage,scheduling,core} v1.36.3).

import { base64, stringToBytes } from '../../sim/bytes.ts';
import { quantity } from '../quantity.ts';
import type { KubeObject } from '../types.ts';
import { defaultPodTemplate } from './pod-defaults.ts';

export function defaultDeployment(o: KubeObject): void {
  const s = o.spec;
  if (!s) return;
  s.replicas ??= 1;
  s.strategy ??= {};
  s.strategy.type ||= 'RollingUpdate';
  if (s.strategy.type === 'RollingUpdate') {
    s.strategy.rollingUpdate ??= {};
    s.strategy.rollingUpdate.maxUnavailable ??= '25%';
    s.strategy.rollingUpdate.maxSurge ??= '25%';
  }
  s.revisionHistoryLimit ??= 10;
  s.progressDeadlineSeconds ??= 600;
  defaultPodTemplate(s.template);
}

export function defaultReplicaSet(o: KubeObject): void {
  if (!o.spec) return;
  o.spec.replicas ??= 1;
  defaultPodTemplate(o.spec.template);
}

export function defaultReplicationController(o: KubeObject): void {
  if (!o.spec) return;
  o.spec.replicas ??= 1;
  const labels = o.spec.template?.metadata?.labels;
  if (labels && Object.keys(labels).length) {
    if (!o.spec.selector || !Object.keys(o.spec.selector).length) o.spec.selector = { ...labels };
    if (!o.metadata.labels || !Object.keys(o.metadata.labels).length) o.metadata.labels = { ...labels };
  }
  defaultPodTemplate(o.spec.template);
}

export function defaultDaemonSet(o: KubeObject): void {
  const s = o.spec;
  if (!s) return;
  s.updateStrategy ??= {};
  s.updateStrategy.type ||= 'RollingUpdate';
  if (s.updateStrategy.type === 'RollingUpdate') {
    s.updateStrategy.rollingUpdate ??= {};
    s.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    s.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  s.revisionHistoryLimit ??= 10;
  defaultPodTemplate(s.template);
}

export function defaultStatefulSet(o: KubeObject): void {
  const s = o.spec;
  if (!s) return;
  s.podManagementPolicy ||= 'OrderedReady';
  s.updateStrategy ??= {};
  if (!s.updateStrategy.type) {
    s.updateStrategy.type = 'RollingUpdate';
    s.updateStrategy.rollingUpdate ??= {};
  }
  if (s.updateStrategy.type === 'RollingUpdate' && s.updateStrategy.rollingUpdate) {
    s.updateStrategy.rollingUpdate.partition ??= 0;
  }
  s.persistentVolumeClaimRetentionPolicy ??= {};
  s.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  s.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  s.replicas ??= 1;
  s.revisionHistoryLimit ??= 10;
  for (const claim of s.volumeClaimTemplates ?? []) {
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    defaultPersistentVolumeClaim(claim);
  }
  defaultPodTemplate(s.template);
}

function defaultJobSpec(s: any): void {
  if (!s) return;
  if (s.completions == null && s.parallelism == null) s.completions = 1;
  s.parallelism ??= 1;
  s.backoffLimit ??= s.backoffLimitPerIndex != null ? 2147483647 : 6;
  s.completionMode ??= 'NonIndexed';
  s.suspend ??= false;
  s.podReplacementPolicy ??= s.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  s.manualSelector ??= false;
  for (const rule of s.podFailurePolicy?.rules ?? []) for (const p of rule.onPodConditions ?? []) p.status ||= 'True';
  defaultPodTemplate(s.template);
}

export function defaultJob(o: KubeObject): void {
  defaultJobSpec(o.spec);
  const labels = o.spec?.template?.metadata?.labels;
  if (labels && !Object.keys(o.metadata.labels ?? {}).length && Object.keys(labels).length) o.metadata.labels = { ...labels };
}

export function defaultCronJob(o: KubeObject): void {
  const s = o.spec;
  if (!s) return;
  s.concurrencyPolicy ||= 'Allow';
  s.suspend ??= false;
  s.successfulJobsHistoryLimit ??= 3;
  s.failedJobsHistoryLimit ??= 1;
  // Only the pod template's own defaults: a CronJob's jobTemplate has no job defaults.
  defaultPodTemplate(s.jobTemplate?.spec?.template);
}

export function defaultNetworkPolicy(o: KubeObject): void {
  const s = o.spec;
  if (!s) return;
  for (const rule of [...(s.ingress ?? []), ...(s.egress ?? [])]) for (const p of rule.ports ?? []) p.protocol ??= 'TCP';
  if (!s.policyTypes?.length) s.policyTypes = s.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
}

export function defaultIngressClass(o: KubeObject): void {
  if (o.spec?.parameters) o.spec.parameters.scope ??= 'Cluster';
}

export function defaultEndpointSlice(o: KubeObject): void {
  for (const p of o.ports ?? []) {
    p.name ??= '';
    p.protocol ??= 'TCP';
  }
}

export function defaultEndpoints(o: KubeObject): void {
  for (const s of o.subsets ?? []) for (const p of s.ports ?? []) p.protocol ||= 'TCP';
}

export function defaultPersistentVolumeClaim(o: any): void {
  o.status ??= {};
  o.status.phase ||= 'Pending';
  if (o.spec) o.spec.volumeMode ??= 'Filesystem';
}

export function defaultPersistentVolume(o: KubeObject): void {
  o.status ??= {};
  o.status.phase ||= 'Pending';
  if (!o.spec) return;
  o.spec.persistentVolumeReclaimPolicy ||= 'Retain';
  o.spec.volumeMode ??= 'Filesystem';
  if (o.spec.hostPath) o.spec.hostPath.type ??= '';
}

const UP = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const DOWN = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

export function defaultHorizontalPodAutoscaler(o: KubeObject): void {
  const s = o.spec;
  if (!s) return;
  s.minReplicas ??= 1;
  if (!s.metrics?.length) {
    s.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
  }
  if (s.behavior) {
    s.behavior.scaleUp = { ...structuredRules(UP), ...s.behavior.scaleUp };
    s.behavior.scaleDown = { ...structuredRules(DOWN), ...s.behavior.scaleDown };
  }
}

const structuredRules = <T extends { policies: object[] }>(r: T): T => ({ ...r, policies: r.policies.map(p => ({ ...p })) });

export function defaultRoleBinding(o: KubeObject): void {
  if (o.roleRef) o.roleRef.apiGroup ||= 'rbac.authorization.k8s.io';
  for (const s of o.subjects ?? []) {
    if (!s.apiGroup && (s.kind === 'User' || s.kind === 'Group')) s.apiGroup = 'rbac.authorization.k8s.io';
  }
}

export function defaultStorageClass(o: KubeObject): void {
  o.reclaimPolicy ??= 'Delete';
  o.volumeBindingMode ??= 'Immediate';
}

export function defaultPriorityClass(o: KubeObject): void {
  o.preemptionPolicy ??= 'PreemptLowerPriority';
}

/** stringData is for writing only: it goes into data. */
export function defaultSecret(o: KubeObject): void {
  const given: Record<string, string> | undefined = o.stringData;
  delete o.stringData;
  for (const k in given) (o.data ??= {})[k] = base64(stringToBytes(given[k]));
  o.type ||= 'Opaque';
}

export function defaultNamespace(o: KubeObject): void {
  if (o.metadata.name) o.metadata.labels = { ...o.metadata.labels, 'kubernetes.io/metadata.name': o.metadata.name };
  o.status ??= {};
  o.status.phase ||= 'Active';
}

export function defaultLimitRange(o: KubeObject): void {
  for (const item of o.spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    const limits = { ...item.max, ...item.default };
    const requests = { ...item.min, ...limits, ...item.defaultRequest };
    if (Object.keys(limits).length) item.default = limits;
    if (Object.keys(requests).length) item.defaultRequest = requests;
  }
}

export function defaultNode(o: KubeObject): void {
  const { status, spec } = o;
  // The older singular field wins where the two disagree (pkg/apis/core/v1/conversion.go).
  if (spec?.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR];
  else if (spec?.podCIDRs?.length) spec.podCIDR = spec.podCIDRs[0];
  if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  for (const list of [status?.capacity, status?.allocatable]) {
    for (const k in list) if (quantity(list[k]).nano === 0n) list[k] = '0';
  }
}
