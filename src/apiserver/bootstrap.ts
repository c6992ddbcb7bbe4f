// What kube-apiserver itself writes into a new cluster (pkg/controlplane, poststart hooks, v1.36.3).

import { serverRbac } from './bootstrap-rbac.ts';
import type { KubeObject } from './types.ts';

/** The default ServiceCIDR; its controller adds the Ready condition. */
const defaultServiceCidr = (cidrs: string[]): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
  spec: { cidrs },
});

/** For createObject, before the Services. */
export const apiserverObjects = (serviceCIDRs: string[]): KubeObject[] => [defaultServiceCidr(serviceCIDRs), ...serverRbac()];
