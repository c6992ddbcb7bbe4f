// One row per built-in kind that has rules of its own.

import type { KindStrategy } from '../strategy.ts';
import type { KubeObject } from '../types.ts';
import { admitPod } from './pod-admission.ts';
import { defaultPod, defaultPodTemplate } from './pod-defaults.ts';
import { qosClass } from './pod-resources.ts';
import { service } from './service.ts';
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

const spec = (o: KubeObject) => o.spec;

const pod: KindStrategy = {
  hasStatus: true,
  generation: spec,
  defaults: defaultPod,
  admit: admitPod,
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
  defaults: defaultNamespace,
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
  defaults: defaultJob,
  prepareCreate: o => {
    if (o.spec.manualSelector || !o.spec.template) return;
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
  },
};

/** StorageObjectInUseProtection. */
const protect =
  (finalizer: string): KindStrategy['admit'] =>
  (_c, o, old) => {
    if (!old && !o.metadata.finalizers?.includes(finalizer)) o.metadata.finalizers = [...(o.metadata.finalizers ?? []), finalizer];
    return null;
  };

const STRATEGIES: Record<string, KindStrategy> = {
  Namespace: namespace,
  Node: {
    hasStatus: true,
    defaults: defaultNode,
    createOnUpdate: false,
  },
  Pod: pod,
  PodTemplate: { generation: o => o.template, defaults: o => defaultPodTemplate(o.template) },
  Service: service,
  Endpoints: { defaults: defaultEndpoints, createOnUpdate: true },
  EndpointSlice: { defaults: defaultEndpointSlice, generation: o => [o.endpoints, o.ports, o.metadata.labels], createOnUpdate: false },
  ConfigMap: {},
  Secret: { defaults: defaultSecret },
  ServiceAccount: {},
  Deployment: { hasStatus: true, generation: spec, scale: true, defaults: defaultDeployment },
  ReplicaSet: { hasStatus: true, generation: spec, scale: true, defaults: defaultReplicaSet },
  StatefulSet: { hasStatus: true, generation: spec, scale: true, defaults: defaultStatefulSet },
  ReplicationController: { hasStatus: true, generation: spec, scale: true, defaults: defaultReplicationController },
  DaemonSet: { hasStatus: true, generation: spec, defaults: defaultDaemonSet },
  Job: job,
  CronJob: { hasStatus: true, generation: spec, defaults: defaultCronJob },
  Ingress: { hasStatus: true, generation: spec },
  IngressClass: { generation: spec, defaults: defaultIngressClass },
  NetworkPolicy: { generation: spec, defaults: defaultNetworkPolicy },
  PersistentVolume: {
    hasStatus: true,
    defaults: defaultPersistentVolume,
    admit: protect('kubernetes.io/pv-protection'),
  },
  PersistentVolumeClaim: {
    hasStatus: true,
    defaults: defaultPersistentVolumeClaim,
    admit: protect('kubernetes.io/pvc-protection'),
    prepareCreate: o => {
      o.status = { phase: 'Pending' };
    },
  },
  StorageClass: { defaults: defaultStorageClass },
  HorizontalPodAutoscaler: {
    hasStatus: true,
    defaults: defaultHorizontalPodAutoscaler,
    prepareCreate: o => {
      o.status = { currentMetrics: null, desiredReplicas: 0 };
    },
  },
  PodDisruptionBudget: { hasStatus: true, generation: spec },
  RoleBinding: { defaults: defaultRoleBinding, createOnUpdate: true },
  ClusterRoleBinding: { defaults: defaultRoleBinding, createOnUpdate: true },
  Role: { createOnUpdate: true },
  ClusterRole: { createOnUpdate: true },
  PriorityClass: { generation: o => o.value, defaults: defaultPriorityClass },
  LimitRange: { defaults: defaultLimitRange, createOnUpdate: true },
  ResourceQuota: { hasStatus: true },
  ServiceCIDR: { hasStatus: true, generation: spec, createOnUpdate: false },
  IPAddress: { generation: spec },
  Lease: { createOnUpdate: true },
  Event: { createOnUpdate: true },
};

const NONE: KindStrategy = {};

export const strategyOf = (kind: string): KindStrategy => STRATEGIES[kind] ?? NONE;
