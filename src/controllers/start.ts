// kube-controller-manager: all controllers of the table, over one set of indexes.
import type { ApiServer } from '../apiserver/types.ts';
import { startAdmissionPolicyStatus } from './admission-policy-status.ts';
import { startApiServices } from './api-services.ts';
import { newControllers, type Controllers as Shared } from './context.ts';
import { startCronJobs } from './cronjob.ts';
import { startDaemonSets } from './daemonset.ts';
import { startDeployments } from './deployment.ts';
import { startDisruption } from './disruption.ts';
import { startEndpoints } from './endpoints.ts';
import { startEndpointSlices } from './endpointslice.ts';
import { startEndpointSliceMirroring } from './endpointslice-mirroring.ts';
import { startGarbageCollector } from './garbage-collector.ts';
import { startHorizontal } from './horizontal.ts';
import { startJobs, startTtlAfterFinished } from './job.ts';
import { startLoadBalancers } from './load-balancer.ts';
import { startNamespaces, startServiceAccounts } from './namespace.ts';
import { startNodeLifecycle, startTaintEviction } from './node-lifecycle.ts';
import { startPersistentVolumes } from './persistent-volumes.ts';
import { stopQueue } from './queue.ts';
import { startReplicaSets } from './replicaset.ts';
import { startResourceQuotas } from './resource-quota.ts';
import { startServiceCIDRs } from './service-cidr.ts';
import { startStatefulSets } from './statefulset.ts';

export interface ControllersOptions {
  /** Look at everything that is there at the start. false: an earlier run left all at rest (default true). */
  initial?: boolean;
  /** Nothing was under way when an earlier run was kept, but for deadlines (default false). */
  settled?: boolean;
  /** Addresses for Services of type LoadBalancer: ranges `A-B`, CIDRs or single ones. null: no provider, they stay pending. */
  loadBalancerPool?: string[] | null;
  /** Does another implementation in the cluster give Services of type LoadBalancer their addresses? */
  loadBalancerElsewhere?: () => boolean;
  /** The PEM text that every namespace's kube-root-ca.crt carries. */
  rootCA?: () => string;
}

const TABLE: ((c: Shared) => void)[] = [
  startNamespaces,
  startReplicaSets,
  startDeployments,
  startStatefulSets,
  startDaemonSets,
  startJobs,
  startCronJobs,
  startTtlAfterFinished,
  startEndpointSlices,
  startEndpoints,
  startEndpointSliceMirroring,
  startGarbageCollector,
  startNodeLifecycle,
  startTaintEviction,
  startLoadBalancers,
  startDisruption,
  startHorizontal,
  startServiceCIDRs,
  startPersistentVolumes,
  startResourceQuotas,
  startApiServices,
  startAdmissionPolicyStatus,
];

/** The running controller manager. */
export interface Controllers {
  stop: () => void;
}

/** Start all controllers: they act when the clock moves. */
export function startControllers(server: ApiServer, options: ControllersOptions = {}): Controllers {
  const initial = options.initial ?? true;
  const c = newControllers(server, {
    initial,
    unsettled: initial && !options.settled,
    loadBalancerPool: options.loadBalancerPool ?? null,
    loadBalancerElsewhere: options.loadBalancerElsewhere ?? (() => false),
  });
  for (const start of TABLE) start(c);
  startServiceAccounts(c, options.rootCA ?? (() => ''));
  const stop = () => {
    for (const f of c.stops) f();
    for (const q of c.queues) stopQueue(q);
  };
  return { stop };
}
