// kubectl describe (k8s.io/kubectl v0.36.3, pkg/cmd/describe/describe.go).

import type { KubeObject, ResourceInfo } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { type BuildOptions, build, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, err, flag, isSet, list, out } from '../command.ts';
import {
  describeAutoscaler,
  describeClaim,
  describeConfigMap,
  describeLimitRange,
  describeNamespace,
  describePodDisruptionBudget,
  describePriorityClass,
  describeQuota,
  describeRole,
  describeRoleBinding,
  describeSecret,
  describeServiceAccount,
  describeStorageClass,
  describeVolume,
} from '../describe/config.ts';
import { searchEvents } from '../describe/events.ts';
import { describeGeneric } from '../describe/generic.ts';
import {
  describeEndpointSlice,
  describeEndpoints,
  describeIngress,
  describeIngressClass,
  describeIPAddress,
  describeNetworkPolicy,
  describeService,
  describeServiceCIDR,
} from '../describe/network.ts';
import { describeNode } from '../describe/node.ts';
import { describePod } from '../describe/pod.ts';
import {
  describeCronJob,
  describeDaemonSet,
  describeDeployment,
  describeJob,
  describeReplicaSet,
  describeReplicationController,
  describeStatefulSet,
} from '../describe/workload.ts';
import { type Description, newDescription, textOf } from '../describe/writer.ts';
import { aggregate, exitFailure, type Failure, isFailure, isNotFound } from '../failure.ts';
import { mappingFor } from '../mapping.ts';
import { getObject } from '../requests.ts';

type Describer = (cmd: Cmd, d: Description, o: KubeObject, events: KubeObject[] | null) => void;

/** By kind and group; what is not here is described field by field. */
const DESCRIBERS: Record<string, Describer> = {
  Pod: describePod,
  Service: describeService,
  'Deployment.apps': describeDeployment,
  'ReplicaSet.apps': describeReplicaSet,
  ReplicationController: describeReplicationController,
  'StatefulSet.apps': describeStatefulSet,
  'DaemonSet.apps': describeDaemonSet,
  'Job.batch': describeJob,
  'CronJob.batch': describeCronJob,
  Node: describeNode,
  Namespace: describeNamespace,
  Endpoints: describeEndpoints,
  'EndpointSlice.discovery.k8s.io': describeEndpointSlice,
  'Ingress.networking.k8s.io': describeIngress,
  'IngressClass.networking.k8s.io': describeIngressClass,
  'NetworkPolicy.networking.k8s.io': describeNetworkPolicy,
  'ServiceCIDR.networking.k8s.io': describeServiceCIDR,
  'IPAddress.networking.k8s.io': describeIPAddress,
  ConfigMap: describeConfigMap,
  Secret: describeSecret,
  ServiceAccount: describeServiceAccount,
  PersistentVolumeClaim: describeClaim,
  PersistentVolume: describeVolume,
  'StorageClass.storage.k8s.io': describeStorageClass,
  LimitRange: describeLimitRange,
  ResourceQuota: describeQuota,
  'HorizontalPodAutoscaler.autoscaling': describeAutoscaler,
  'PodDisruptionBudget.policy': describePodDisruptionBudget,
  'PriorityClass.scheduling.k8s.io': describePriorityClass,
  'Role.rbac.authorization.k8s.io': describeRole,
  'ClusterRole.rbac.authorization.k8s.io': describeRole,
  'RoleBinding.rbac.authorization.k8s.io': describeRoleBinding,
  'ClusterRoleBinding.rbac.authorization.k8s.io': describeRoleBinding,
};

export function* run(cmd: Cmd): Co<number> {
  if (!cmd.args.length && !list(cmd, 'filename').length && !flag(cmd, 'kustomize'))
    throw exitFailure(
      1,
      'error: You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.\n',
    );
  const options: BuildOptions = {
    args: cmd.args,
    allowEmptySelector: true,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace && !bool(cmd, 'all-namespaces'),
    allNamespaces: bool(cmd, 'all-namespaces'),
    labelSelector: flag(cmd, 'selector').trim(),
    flatten: true,
    continueOnError: true,
  };
  const result = yield* build(cmd, options);
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  let showEvents = bool(cmd, 'show-events');
  if ((error || infos.length > 1) && !isSet(cmd, 'show-events')) showEvents = false;
  if (error && isNotFound(error) && cmd.args.length === 2) {
    yield* describePrefix(cmd, options, error, showEvents);
    return 0;
  }
  const errors: Failure[] = error ? [error] : [];
  let first = true;
  for (const info of infos) {
    try {
      const text = describeInfo(cmd, info, showEvents);
      out(cmd, first ? text : `\n\n${text}`);
      first = false;
    } catch (e) {
      if (!isFailure(e)) throw e;
      if (!errors.some(x => x.message === e.message)) errors.push(e);
    }
  }
  if (!infos.length && !errors.length)
    err(cmd, bool(cmd, 'all-namespaces') ? 'No resources found\n' : `No resources found in ${cmd.namespace} namespace.\n`);
  const all = aggregate(errors);
  if (all) throw all;
  return 0;
}

/** `describe pods web` also stands for every pod whose name begins so. */
function* describePrefix(cmd: Cmd, options: BuildOptions, original: Failure, showEvents: boolean): Co<void> {
  const result = yield* build(cmd, { ...options, args: [cmd.args[0]], singleResourceType: true, continueOnError: false });
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  if (error) throw error;
  const hits = infos.filter(i => i.name.startsWith(cmd.args[1]));
  if (!hits.length) throw original;
  for (const info of hits) out(cmd, `${describeInfo(cmd, info, showEvents)}\n`);
}

/** autoscaling/v1 objects are described as v2 has them. */
function describedMapping(cmd: Cmd, m: ResourceInfo): ResourceInfo {
  return m.group === 'autoscaling' && m.version === 'v1' ? mappingFor(connect(cmd), 'horizontalpodautoscalers.v2.autoscaling') : m;
}

function describeInfo(cmd: Cmd, info: Info, showEvents: boolean): string {
  const mapping = describedMapping(cmd, info.mapping);
  const object = getObject(cmd, mapping, info.namespace, info.name);
  if (isFailure(object)) throw object;
  const { kind, group } = mapping;
  const d = newDescription();
  const events = showEvents ? eventsOf(cmd, object) : null;
  (DESCRIBERS[group ? `${kind}.${group}` : kind] ?? describeGeneric)(cmd, d, object, events);
  return textOf(d);
}

function eventsOf(cmd: Cmd, o: KubeObject): KubeObject[] {
  if (o.kind === 'Pod') return searchEvents(cmd, o, { anyKind: true, uid: o.metadata.annotations?.['kubernetes.io/config.mirror'] });
  const events = searchEvents(cmd, o);
  // The kubelet knows a node by its name, controllers by its uid.
  return o.kind === 'Node' ? [...events, ...searchEvents(cmd, o, { uid: o.metadata.name })] : events;
}
