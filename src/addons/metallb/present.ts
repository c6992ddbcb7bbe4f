import { getObject } from '../../apiserver/store.ts';
import type { ApiServer } from '../../apiserver/types.ts';

/** Is MetalLB installed? Services of type LoadBalancer are its then, no longer the cloud's. */
export const servesLoadBalancers = (server: ApiServer): boolean =>
  getObject(server, 'customresourcedefinitions.apiextensions.k8s.io', '', 'ipaddresspools.metallb.io') !== undefined;
