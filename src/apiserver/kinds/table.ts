// One row per built-in kind that has rules of its own.

import type { KindStrategy } from '../strategy.ts';
import type { KubeObject } from '../types.ts';

const spec = (o: KubeObject) => o.spec;

const STRATEGIES: Record<string, KindStrategy> = {
  Namespace: {
    hasStatus: true,
    prepareCreate: o => {
      o.metadata.labels = { ...o.metadata.labels, 'kubernetes.io/metadata.name': o.metadata.name };
      o.spec = { ...o.spec, finalizers: [...new Set([...(o.spec?.finalizers ?? []), 'kubernetes'])] };
      o.status = { phase: 'Active' };
    },
  },
  Node: { hasStatus: true },
  Pod: {
    hasStatus: true,
    prepareCreate: o => {
      o.status = { phase: 'Pending', qosClass: 'BestEffort' };
    },
    generation: spec,
    grace: (o, asked) => {
      if (!o.spec?.nodeName || o.status?.phase === 'Succeeded' || o.status?.phase === 'Failed') return 0;
      return asked ?? o.spec.terminationGracePeriodSeconds ?? 30;
    },
  },
  Service: { hasStatus: true },
  Deployment: { hasStatus: true, generation: spec, scale: true },
  ReplicaSet: { hasStatus: true, generation: spec, scale: true },
  StatefulSet: { hasStatus: true, generation: spec, scale: true },
  ReplicationController: { hasStatus: true, generation: spec, scale: true },
  DaemonSet: { hasStatus: true, generation: spec },
  Job: { hasStatus: true, generation: spec },
  CronJob: { hasStatus: true, generation: spec },
  Ingress: { hasStatus: true, generation: spec },
  NetworkPolicy: { generation: spec },
  PersistentVolume: { hasStatus: true },
  PersistentVolumeClaim: { hasStatus: true },
  PodDisruptionBudget: { hasStatus: true, generation: spec },
  ResourceQuota: { hasStatus: true },
};

const NONE: KindStrategy = {};

export const strategyOf = (kind: string): KindStrategy => STRATEGIES[kind] ?? NONE;
