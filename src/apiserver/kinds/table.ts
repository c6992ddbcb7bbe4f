// One row per built-in kind that has rules of its own.

import { customStrategy } from '../custom/strategy.ts';
import { sameJson } from '../json.ts';
import { isBuiltin } from '../resources.ts';
import { forbidden } from '../status.ts';
import { listObjects } from '../store.ts';
import type { KindStrategy } from '../strategy.ts';
import type { ApiServer, KubeObject, ResourceInfo } from '../types.ts';
import {
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
} from './admission-policy.ts';
import { validateCronJob, validateCronJobUpdate, validateJob, validateJobUpdate } from './batch-validation.ts';
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validateEndpoints,
  validateEndpointsUpdate,
  validateNamespace,
  validateNode,
  validateNodeUpdate,
  validateSecret,
  validateSecretUpdate,
  validateServiceAccount,
} from './core-validation.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import {
  endpointSliceWarnings,
  ingressWarnings,
  validateEndpointSlice,
  validateEndpointSliceUpdate,
  validateIngress,
  validateIngressClass,
  validateIngressClassUpdate,
  validateIngressStatus,
  validateIngressUpdate,
  validateIpAddress,
  validateIpAddressUpdate,
  validateNetworkPolicy,
  validateNetworkPolicyUpdate,
  validateServiceCidr,
  validateServiceCidrUpdate,
} from './networking-validation.ts';
import { admitPod } from './pod-admission.ts';
import { defaultPod, defaultPodTemplate } from './pod-defaults.ts';
import { qosClass } from './pod-resources.ts';
import { validatePod, validatePodTemplate, validatePodUpdate } from './pod-validation.ts';
import {
  claimWarnings,
  cronJobWarnings,
  jobWarnings,
  namedTemplateWarnings,
  podWarnings,
  statefulSetWarnings,
  templateWarnings,
} from './pod-warnings.ts';
import {
  validateAutoscaler,
  validateAutoscalerUpdate,
  validateBinding,
  validateBindingUpdate,
  validateClusterRole,
  validateLease,
  validateLeaseUpdate,
  validatePodDisruptionBudget,
  validatePriorityClass,
  validatePriorityClassUpdate,
  validateRole,
  validateRoleUpdate,
} from './policy-validation.ts';
import { validateLimitRange, validateResourceQuota, validateResourceQuotaUpdate } from './resources-validation.ts';
import { ipWarnings, nameIsLabel, nameIsSubdomain } from './rules.ts';
import { service } from './service.ts';
import {
  validatePersistentVolume,
  validatePersistentVolumeClaim,
  validatePersistentVolumeClaimUpdate,
  validatePersistentVolumeUpdate,
  validateStorageClass,
  validateStorageClassUpdate,
} from './storage-validation.ts';
import { secretWarnings } from './tls-pair.ts';
import { webhookConfiguration } from './webhook-configuration.ts';
import {
  defaultCronJob,
  defaultDaemonSet,
  defaultDeployment,
  defaultEndpointSlice,
  defaultEndpoints,
  defaultHorizontalPodAutoscaler,
  defaultIngressClass,
  defaultJob,
  defaultLimitRange,
  defaultNamespace,
  defaultNetworkPolicy,
  defaultNode,
  defaultPersistentVolume,
  defaultPersistentVolumeClaim,
  defaultPriorityClass,
  defaultReplicaSet,
  defaultReplicationController,
  defaultRoleBinding,
  defaultSecret,
  defaultStatefulSet,
  defaultStorageClass,
} from './workload-defaults.ts';
import {
  validateDaemonSet,
  validateDaemonSetUpdate,
  validateDeployment,
  validateDeploymentUpdate,
  validateReplicaSet,
  validateReplicaSetUpdate,
  validateReplicationController,
  validateReplicationControllerUpdate,
  validateStatefulSet,
  validateStatefulSetUpdate,
} from './workload-validation.ts';

const spec = (o: KubeObject) => o.spec;

const pod: KindStrategy = {
  hasStatus: true,
  generation: spec,
  nameRule: nameIsSubdomain,
  defaults: defaultPod,
  admit: admitPod,
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  warnings: podWarnings,
  prepareCreate: o => {
    o.status = { phase: 'Pending', qosClass: qosClass(o.spec) };
  },
  grace: (o, asked) => {
    if (!o.spec?.nodeName || o.status?.phase === 'Succeeded' || o.status?.phase === 'Failed') return 0;
    return asked ?? o.spec.terminationGracePeriodSeconds ?? 30;
  },
};

const namespace: KindStrategy = {
  hasStatus: true,
  nameRule: nameIsLabel,
  defaults: defaultNamespace,
  validate: validateNamespace,
  validateUpdate: (o, old) => validateMetadataUpdate(o.metadata, old.metadata),
  prepareCreate: o => {
    o.metadata.labels = { ...o.metadata.labels, 'kubernetes.io/metadata.name': o.metadata.name };
    o.spec = { ...o.spec, finalizers: [...new Set([...(o.spec?.finalizers ?? []), 'kubernetes'])] };
    o.status = { phase: 'Active' };
  },
  prepareUpdate: (o, old) => {
    o.spec = { ...o.spec, finalizers: old.spec?.finalizers };
    if (!o.spec.finalizers) delete o.spec.finalizers;
  },
};

/** The Job's own selector and labels (pkg/registry/batch/job/strategy.go). */
const job: KindStrategy = {
  hasStatus: true,
  generation: spec,
  nameRule: nameIsSubdomain,
  defaults: defaultJob,
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  warnings: jobWarnings,
  prepareCreate: o => {
    if (o.spec.template && !o.spec.manualSelector) generateSelector(o);
  },
  readBack: o => {
    if (!Object.keys(o.metadata.labels ?? {}).length) o.metadata.labels = { ...o.spec.template?.metadata?.labels };
  },
};

function generateSelector(o: KubeObject): void {
  const { name, uid } = o.metadata;
  const meta = (o.spec.template.metadata ??= {});
  const labels = { ...meta.labels };
  const own = {
    'batch.kubernetes.io/job-name': name,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'controller-uid': uid,
  };
  meta.labels = { ...labels, ...own };
  o.spec.selector = { ...o.spec.selector, matchLabels: { ...o.spec.selector?.matchLabels, 'batch.kubernetes.io/controller-uid': uid } };
}

/** StorageObjectInUseProtection. */
const protect =
  (finalizer: string): KindStrategy['admit'] =>
  (_c, o, old) => {
    if (!old && !o.metadata.finalizers?.includes(finalizer)) o.metadata.finalizers = [...(o.metadata.finalizers ?? []), finalizer];
    return null;
  };

/** The topology of v1beta1 is not for v1's clients. */
function dropTopology(o: KubeObject): void {
  for (const e of o.endpoints ?? []) delete e.deprecatedTopology;
}

/** The deprecated internal counter that v1 keeps as an annotation. */
function templateGeneration(o: KubeObject, old: unknown): void {
  const key = 'deprecated.daemonset.template.generation';
  const before = (old as KubeObject).spec ? (old as KubeObject) : null;
  const last = Number(before?.metadata.annotations?.[key] ?? (before ? 1 : 0));
  const changed = !before || !sameJson(o.spec?.template, before.spec?.template);
  o.metadata.annotations = { ...o.metadata.annotations, [key]: String(changed ? last + 1 : last) };
}

const specAndAnnotations = (o: KubeObject) => [o.spec, o.metadata.annotations ?? {}];

function endpointsWarnings(o: KubeObject): string[] {
  if (o.metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return [];
  const out: string[] = [];
  for (const [i, s] of (o.subsets ?? []).entries()) {
    for (const list of ['addresses', 'notReadyAddresses']) {
      for (const [k, a] of (s[list] ?? []).entries()) out.push(...ipWarnings(`subsets[${i}].${list}[${k}].ip`, a.ip ?? ''));
    }
  }
  return out;
}

/** Of the Priority plugin: one class at most is the default. */
const onlyDefault: KindStrategy['admit'] = (c, o, old) => {
  if (!o.globalDefault) return null;
  const all = listObjects(c.server, 'priorityclasses.scheduling.k8s.io').filter(p => p.globalDefault);
  const first = all.reduce<KubeObject | null>((best, p) => (best && best.value <= p.value ? best : p), null);
  if (!first || (old && first.metadata.name === o.metadata.name)) return null;
  const why = `PriorityClass ${first.metadata.name} is already marked as default. Only one default can exist`;
  return forbidden('scheduling.k8s.io', 'priorityclasses', o.metadata.name, why);
};

/** DefaultIngressClass: the newest of the classes that say they are the default. */
const defaultIngressClassName: KindStrategy['admit'] = (c, o, old) => {
  if (old || o.spec?.ingressClassName != null || o.metadata.annotations?.['kubernetes.io/ingress.class'] != null) return null;
  const classes = listObjects(c.server, 'ingressclasses.networking.k8s.io')
    .filter(k => k.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true')
    .sort((a, b) => {
      const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
      return x === y ? (a.metadata.name < b.metadata.name ? -1 : 1) : x > y ? -1 : 1;
    });
  if (classes.length) o.spec = { ...o.spec, ingressClassName: classes[0].metadata.name };
  return null;
};

const STRATEGIES: Record<string, KindStrategy> = {
  Namespace: namespace,
  Node: { hasStatus: true, nameRule: nameIsSubdomain, defaults: defaultNode, validate: validateNode, validateUpdate: validateNodeUpdate },
  Pod: pod,
  PodTemplate: {
    generation: o => o.template,
    nameRule: nameIsSubdomain,
    defaults: o => defaultPodTemplate(o.template),
    validate: o => [...validateMetadata(o.metadata, true, nameIsSubdomain), ...validatePodTemplate(o.template ?? {}, 'template')],
  },
  Service: service,
  Endpoints: {
    createOnUpdate: true,
    nameRule: nameIsSubdomain,
    defaults: defaultEndpoints,
    validate: o => validateEndpoints(o, null),
    validateUpdate: validateEndpointsUpdate,
    warnings: endpointsWarnings,
  },
  EndpointSlice: {
    nameRule: nameIsSubdomain,
    defaults: defaultEndpointSlice,
    prepareCreate: dropTopology,
    prepareUpdate: dropTopology,
    generation: o => [o.endpoints, o.ports, o.metadata.labels],
    validate: o => validateEndpointSlice(o, null),
    validateUpdate: validateEndpointSliceUpdate,
    warnings: endpointSliceWarnings,
  },
  ConfigMap: { nameRule: nameIsSubdomain, validate: validateConfigMap, validateUpdate: validateConfigMapUpdate },
  Secret: {
    nameRule: nameIsSubdomain,
    defaults: defaultSecret,
    validate: validateSecret,
    validateUpdate: validateSecretUpdate,
    warnings: secretWarnings,
  },
  ServiceAccount: { nameRule: nameIsSubdomain, validate: validateServiceAccount },
  Deployment: {
    hasStatus: true,
    generation: specAndAnnotations,
    scale: true,
    nameRule: nameIsSubdomain,
    defaults: defaultDeployment,
    validate: validateDeployment,
    validateUpdate: validateDeploymentUpdate,
    warnings: namedTemplateWarnings,
  },
  ReplicaSet: {
    hasStatus: true,
    generation: spec,
    scale: true,
    nameRule: nameIsSubdomain,
    defaults: defaultReplicaSet,
    prepareCreate: o => {
      o.status = { replicas: 0 };
    },
    validate: validateReplicaSet,
    validateUpdate: validateReplicaSetUpdate,
    warnings: namedTemplateWarnings,
  },
  StatefulSet: {
    hasStatus: true,
    generation: spec,
    scale: true,
    nameRule: nameIsLabel,
    defaults: defaultStatefulSet,
    validate: validateStatefulSet,
    validateUpdate: validateStatefulSetUpdate,
    warnings: statefulSetWarnings,
  },
  ReplicationController: {
    hasStatus: true,
    generation: spec,
    scale: true,
    nameRule: nameIsSubdomain,
    defaults: defaultReplicationController,
    validate: validateReplicationController,
    validateUpdate: validateReplicationControllerUpdate,
    warnings: namedTemplateWarnings,
  },
  DaemonSet: {
    hasStatus: true,
    generation: spec,
    nameRule: nameIsSubdomain,
    defaults: defaultDaemonSet,
    prepareCreate: templateGeneration,
    prepareUpdate: templateGeneration,
    validate: validateDaemonSet,
    validateUpdate: validateDaemonSetUpdate,
    warnings: templateWarnings,
  },
  Job: job,
  CronJob: {
    hasStatus: true,
    generation: spec,
    nameRule: nameIsSubdomain,
    defaults: defaultCronJob,
    validate: validateCronJob,
    validateUpdate: validateCronJobUpdate,
    warnings: cronJobWarnings,
  },
  Ingress: {
    hasStatus: true,
    generation: spec,
    nameRule: nameIsSubdomain,
    admit: defaultIngressClassName,
    validate: validateIngress,
    validateUpdate: validateIngressUpdate,
    validateStatusUpdate: validateIngressStatus,
    warnings: ingressWarnings,
  },
  IngressClass: {
    generation: spec,
    nameRule: nameIsSubdomain,
    defaults: defaultIngressClass,
    validate: validateIngressClass,
    validateUpdate: validateIngressClassUpdate,
  },
  NetworkPolicy: {
    generation: spec,
    emptyIsChange: true,
    nameRule: nameIsSubdomain,
    defaults: defaultNetworkPolicy,
    validate: validateNetworkPolicy,
    validateUpdate: validateNetworkPolicyUpdate,
  },
  PersistentVolume: {
    hasStatus: true,
    nameRule: nameIsSubdomain,
    defaults: defaultPersistentVolume,
    admit: protect('kubernetes.io/pv-protection'),
    prepareCreate: o => {
      o.status = { phase: 'Pending' };
    },
    validate: validatePersistentVolume,
    validateUpdate: validatePersistentVolumeUpdate,
  },
  PersistentVolumeClaim: {
    hasStatus: true,
    nameRule: nameIsSubdomain,
    defaults: defaultPersistentVolumeClaim,
    admit: protect('kubernetes.io/pvc-protection'),
    prepareCreate: o => {
      o.status = { phase: 'Pending' };
    },
    validate: validatePersistentVolumeClaim,
    validateUpdate: validatePersistentVolumeClaimUpdate,
    warnings: claimWarnings,
  },
  StorageClass: {
    nameRule: nameIsSubdomain,
    defaults: defaultStorageClass,
    validate: validateStorageClass,
    validateUpdate: validateStorageClassUpdate,
  },
  HorizontalPodAutoscaler: {
    hasStatus: true,
    nameRule: nameIsSubdomain,
    defaults: defaultHorizontalPodAutoscaler,
    prepareCreate: o => {
      o.status = { currentMetrics: null, desiredReplicas: 0 };
    },
    validate: validateAutoscaler,
    validateUpdate: validateAutoscalerUpdate,
  },
  PodDisruptionBudget: { hasStatus: true, generation: spec, validate: validatePodDisruptionBudget },
  RoleBinding: { defaults: defaultRoleBinding, createOnUpdate: true, validate: validateBinding, validateUpdate: validateBindingUpdate },
  ClusterRoleBinding: {
    defaults: defaultRoleBinding,
    createOnUpdate: true,
    validate: validateBinding,
    validateUpdate: validateBindingUpdate,
  },
  Role: { createOnUpdate: true, validate: validateRole, validateUpdate: validateRoleUpdate },
  ClusterRole: { createOnUpdate: true, validate: validateClusterRole, validateUpdate: validateRoleUpdate },
  PriorityClass: {
    generation: o => o.value,
    nameRule: nameIsSubdomain,
    defaults: defaultPriorityClass,
    admit: onlyDefault,
    validate: validatePriorityClass,
    validateUpdate: validatePriorityClassUpdate,
  },
  LimitRange: { createOnUpdate: true, nameRule: nameIsSubdomain, defaults: defaultLimitRange, validate: validateLimitRange },
  ResourceQuota: {
    hasStatus: true,
    nameRule: nameIsSubdomain,
    validate: validateResourceQuota,
    validateUpdate: validateResourceQuotaUpdate,
  },
  ServiceCIDR: {
    hasStatus: true,
    nameRule: nameIsSubdomain,
    validate: validateServiceCidr,
    validateUpdate: validateServiceCidrUpdate,
  },
  IPAddress: { validate: validateIpAddress, validateUpdate: validateIpAddressUpdate },
  Lease: { createOnUpdate: true, nameRule: nameIsSubdomain, validate: validateLease, validateUpdate: validateLeaseUpdate },
  Event: { createOnUpdate: true },
  CustomResourceDefinition: customResourceDefinition,
  ControllerRevision: { nameRule: nameIsSubdomain },
  ValidatingAdmissionPolicy: validatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding: validatingAdmissionPolicyBinding,
  MutatingAdmissionPolicy: mutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding: mutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration: webhookConfiguration,
  ValidatingWebhookConfiguration: webhookConfiguration,
};

const NONE: KindStrategy = {};

export const strategyFor = (server: ApiServer, info: ResourceInfo): KindStrategy =>
  isBuiltin(info) ? (STRATEGIES[info.kind] ?? NONE) : customStrategy(server, info);
