// describe pod (k8s.io/kubectl v0.36.3, pkg/describe/describe.go: describePod).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Cmd } from '../command.ts';
import { rfc1123z, translateTimestampSince } from '../time.ts';
import { describeEvents } from './events.ts';
import { describeContainers, describeResources, describeTopologySpread, describeVolumes, tolerationsMultiline } from './pod-template.ts';
import { annotationsMultiline, type Description, labelsMultiline, put } from './writer.ts';

export function controllerOf(o: KubeObject): string {
  const c = (o.metadata.ownerReferences ?? []).find(r => r.controller);
  return c ? `${c.kind}/${c.name}` : '';
}

/** qos.GetPodQOS */
function qosClass(pod: KubeObject): string {
  if (pod.status?.qosClass) return pod.status.qosClass;
  const all = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  const has = (c: any, list: string) => Object.keys(c.resources?.[list] ?? {}).some(k => k === 'cpu' || k === 'memory');
  if (!all.some(c => has(c, 'limits') || has(c, 'requests'))) return 'BestEffort';
  const guaranteed = all.every(c =>
    ['cpu', 'memory'].every(
      k => c.resources?.limits?.[k] !== undefined && (c.resources?.requests?.[k] ?? c.resources.limits[k]) === c.resources.limits[k],
    ),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

export function describePod(cmd: Cmd, d: Description, pod: KubeObject, events: KubeObject[] | null): void {
  const { spec, status = {}, metadata } = pod;
  put(d, 0, `Name:\t${metadata.name}\n`);
  put(d, 0, `Namespace:\t${metadata.namespace}\n`);
  if (spec.priority !== undefined) put(d, 0, `Priority:\t${spec.priority}\n`);
  if (spec.priorityClassName) put(d, 0, `Priority Class Name:\t${spec.priorityClassName}\n`);
  if (spec.runtimeClassName) put(d, 0, `Runtime Class Name:\t${spec.runtimeClassName}\n`);
  if (spec.serviceAccountName) put(d, 0, `Service Account:\t${spec.serviceAccountName}\n`);
  put(d, 0, spec.nodeName ? `Node:\t${spec.nodeName}/${status.hostIP ?? ''}\n` : 'Node:\t<none>\n');
  if (status.startTime) put(d, 0, `Start Time:\t${rfc1123z(status.startTime)}\n`);
  labelsMultiline(d, 'Labels', metadata.labels);
  annotationsMultiline(d, 'Annotations', metadata.annotations);
  if (metadata.deletionTimestamp && status.phase !== 'Failed' && status.phase !== 'Succeeded') {
    put(d, 0, `Status:\tTerminating (lasts ${translateTimestampSince(cmd.host.sim.nowMs, metadata.deletionTimestamp)})\n`);
    put(d, 0, `Termination Grace Period:\t${metadata.deletionGracePeriodSeconds ?? 0}s\n`);
  } else put(d, 0, `Status:\t${status.phase ?? ''}\n`);
  if (status.reason) put(d, 0, `Reason:\t${status.reason}\n`);
  if (status.message) put(d, 0, `Message:\t${status.message}\n`);
  const seccomp = spec.securityContext?.seccompProfile;
  if (seccomp) {
    put(d, 0, `SeccompProfile:\t${seccomp.type}\n`);
    if (seccomp.type === 'Localhost') put(d, 0, `LocalhostProfile:\t${seccomp.localhostProfile}\n`);
  }
  put(d, 0, `IP:\t${status.podIP ?? ''}\n`);
  if (!status.podIPs?.length) put(d, 0, 'IPs:\t<none>\n');
  else {
    put(d, 0, 'IPs:\n');
    for (const i of status.podIPs) put(d, 1, `IP:\t${i.ip}\n`);
  }
  const controller = controllerOf(pod);
  if (controller) put(d, 0, `Controlled By:\t${controller}\n`);
  if (status.nominatedNodeName) put(d, 0, `NominatedNodeName:\t${status.nominatedNodeName}\n`);
  if (spec.resources) {
    put(d, 0, 'Resources:\n');
    describeResources(d, spec.resources, 1);
  }
  if (spec.initContainers?.length) describeContainers(d, 'Init Containers', spec.initContainers, status.initContainerStatuses, pod, '');
  describeContainers(d, 'Containers', spec.containers ?? [], status.containerStatuses, pod, '');
  if (spec.ephemeralContainers?.length)
    describeContainers(d, 'Ephemeral Containers', spec.ephemeralContainers, status.ephemeralContainerStatuses, pod, '');
  if (spec.readinessGates?.length) {
    put(d, 0, 'Readiness Gates:\n  Type\tStatus\n');
    for (const g of spec.readinessGates) {
      const c = (status.conditions ?? []).find((x: any) => x.type === g.conditionType);
      put(d, 1, `${g.conditionType} \t${c ? c.status : '<none>'} \n`);
    }
  }
  if (status.conditions?.length) {
    put(d, 0, 'Conditions:\n  Type\tStatus\n');
    for (const c of status.conditions) put(d, 1, `${c.type} \t${c.status} \n`);
  }
  describeVolumes(d, spec.volumes ?? [], '');
  put(d, 0, `QoS Class:\t${qosClass(pod)}\n`);
  labelsMultiline(d, 'Node-Selectors', spec.nodeSelector);
  tolerationsMultiline(d, 'Tolerations', spec.tolerations ?? []);
  describeTopologySpread(d, spec.topologySpreadConstraints ?? [], '');
  describeEvents(cmd, d, events);
}
