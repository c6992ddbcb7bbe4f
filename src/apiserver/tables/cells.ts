// The rows of the other kinds (k8s.io/kubernetes/pkg/printers/internalversion/printers.go v1.36.3; Wide, as the server prints).

import { parseRfc3339 } from '../../sim/time.ts';
import { formatLabelSelector } from '../labels.ts';
import type { ApiServer, KubeObject } from '../types.ts';
import { age, humanDuration } from './age.ts';
import { podCells } from './pod.ts';

type Printer = (o: KubeObject, server: ApiServer) => unknown[];

const text = (v: unknown): string => (v === undefined || v === null ? '' : String(v));
const num = (v: unknown): number => (typeof v === 'number' ? v : 0);
const since = (o: KubeObject, server: ApiServer): string => age(server, o.metadata.creationTimestamp);

/** labels.FormatLabels */
function formatLabels(labels: Record<string, string> | undefined): string {
  const parts = Object.keys(labels ?? {})
    .sort()
    .map(k => `${k}=${labels?.[k]}`);
  return parts.length ? parts.join(',') : '<none>';
}

function containerCells(spec: any): [string, string] {
  const containers: any[] = spec?.containers ?? [];
  return [containers.map(c => text(c.name)).join(','), containers.map(c => text(c.image)).join(',')];
}

function withMore(list: string[], count: number, max: number, unset: string): string {
  if (count > max) return `${list.slice(0, max).join(',')} + ${count - max} more...`;
  return list.join(',') || unset;
}

const joinHostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

function endpoints(o: KubeObject): string {
  const subsets: any[] = o.subsets ?? [];
  if (!subsets.length) return '<none>';
  const list: string[] = [];
  for (const s of subsets) {
    const ips: string[] = (s.addresses ?? []).map((a: any) => a.ip);
    if (!s.ports?.length) list.push(...ips);
    for (const p of s.ports ?? []) list.push(...ips.map(ip => joinHostPort(ip, p.port)));
  }
  return withMore(list, list.length, 3, '');
}

const slicePorts = (o: KubeObject): string => {
  const list = (o.ports ?? []).map((p: any) => (p.port !== undefined && p.port !== null ? String(p.port) : (p.name ?? '*')));
  return withMore(list, list.length, 3, '<unset>');
};

const sliceAddresses = (o: KubeObject): string => {
  const list = (o.endpoints ?? []).flatMap((e: any) => e.addresses ?? []);
  return withMore(list, list.length, 3, '<unset>');
};

function loadBalancer(status: any): string {
  const all = (status?.loadBalancer?.ingress ?? []).map((i: any) => i.ip || i.hostname).filter(Boolean);
  return ([...new Set(all)] as string[]).sort().join(',');
}

function externalIp(o: KubeObject): string {
  const ips: string[] = o.spec.externalIPs ?? [];
  switch (o.spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return ips.length ? ips.join(',') : '<none>';
    case 'LoadBalancer': {
      const lb = loadBalancer(o.status);
      if (ips.length) return [...(lb ? lb.split(',') : []), ...ips].join(',');
      return lb || '<pending>';
    }
    case 'ExternalName':
      return text(o.spec.externalName);
    default:
      return '<unknown>';
  }
}

function servicePorts(o: KubeObject): string {
  const ports = (o.spec.ports ?? []).map((p: any) =>
    p.nodePort > 0 ? `${p.port}:${p.nodePort}/${p.protocol}` : `${p.port}/${p.protocol}`,
  );
  return ports.join(',') || '<none>';
}

function ingressHosts(o: KubeObject): string {
  const rules: any[] = o.spec.rules ?? [];
  const list: string[] = [];
  let more = false;
  for (const r of rules) {
    if (list.length === 3) more = true;
    if (!more && r.host) list.push(r.host);
  }
  if (!list.length) return '*';
  return more ? `${list.join(',')} + ${rules.length - 3} more...` : list.join(',');
}

const hasCondition = (o: KubeObject, type: string): boolean =>
  (o.status?.conditions ?? []).find((c: any) => c.type === type)?.status === 'True';

function jobStatus(o: KubeObject): string {
  if (hasCondition(o, 'Complete')) return 'Complete';
  if (hasCondition(o, 'Failed')) return 'Failed';
  if (o.metadata.deletionTimestamp) return 'Terminating';
  for (const c of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (hasCondition(o, c)) return c;
  return 'Running';
}

function jobCompletions(o: KubeObject): string {
  const done = num(o.status?.succeeded);
  if (o.spec.completions !== undefined) return `${done}/${o.spec.completions}`;
  return num(o.spec.parallelism) > 1 ? `${done}/1 of ${o.spec.parallelism}` : `${done}/1`;
}

function jobDuration(o: KubeObject, server: ApiServer): string {
  const { startTime, completionTime } = o.status ?? {};
  if (!startTime) return '';
  const start = parseRfc3339(startTime) ?? 0;
  return humanDuration((completionTime ? (parseRfc3339(completionTime) ?? 0) : server.sim.nowMs) - start);
}

function nodeRoles(o: KubeObject): string {
  const roles = new Set<string>();
  for (const [k, v] of Object.entries(o.metadata.labels ?? {})) {
    if (k.startsWith('node-role.kubernetes.io/') && k.length > 24) roles.add(k.slice(24));
    else if (k === 'kubernetes.io/role' && v) roles.add(v);
  }
  return [...roles].sort().join(',') || '<none>';
}

function nodeCells(o: KubeObject, server: ApiServer): unknown[] {
  const ready = (o.status?.conditions ?? []).filter((c: any) => c.type === 'Ready').pop();
  const status = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (o.spec?.unschedulable) status.push('SchedulingDisabled');
  const info = o.status?.nodeInfo ?? {};
  const address = (type: string) => (o.status?.addresses ?? []).find((a: any) => a.type === type)?.address ?? '<none>';
  const kernel = (info.kernelVersion || '<unknown>') + (info.architecture ? ` (${info.architecture})` : '');
  return [
    o.metadata.name,
    status.join(','),
    nodeRoles(o),
    since(o, server),
    text(info.kubeletVersion),
    address('InternalIP'),
    address('ExternalIP'),
    info.osImage || '<unknown>',
    kernel,
    info.containerRuntimeVersion || '<unknown>',
  ];
}

const MODES: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
const accessModes = (list: string[] | undefined): string =>
  Object.keys(MODES)
    .filter(m => list?.includes(m))
    .map(m => MODES[m])
    .join(',');

const claimClass = (o: KubeObject): string =>
  o.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? text(o.spec.storageClassName);

const volumePhase = (o: KubeObject): string => (o.metadata.deletionTimestamp ? 'Terminating' : text(o.status?.phase));

function eventCells(o: KubeObject, server: ApiServer): unknown[] {
  const first = o.firstTimestamp ? age(server, o.firstTimestamp) : age(server, o.eventTime);
  let last = o.lastTimestamp ? age(server, o.lastTimestamp) : first;
  let count = num(o.count);
  if (o.series) {
    last = age(server, o.series.lastObservedTime);
    count = num(o.series.count);
  } else if (!count) count = 1;
  const kind = text(o.involvedObject?.kind).toLowerCase();
  const component = o.source?.component || o.reportingComponent || '';
  const instance = o.source?.host || o.reportingInstance || '';
  return [
    last,
    text(o.type),
    text(o.reason),
    o.involvedObject?.name ? `${kind}/${o.involvedObject.name}` : kind,
    text(o.involvedObject?.fieldPath),
    instance ? `${component}, ${instance}` : component,
    text(o.message).trim(),
    first,
    count,
    o.metadata.name,
  ];
}

function bindingCells(o: KubeObject, server: ApiServer): unknown[] {
  const of = (kind: string) => (o.subjects ?? []).filter((s: any) => s.kind === kind);
  return [
    o.metadata.name,
    `${o.roleRef?.kind}/${o.roleRef?.name}`,
    since(o, server),
    of('User')
      .map((s: any) => s.name)
      .join(', '),
    of('Group')
      .map((s: any) => s.name)
      .join(', '),
    of('ServiceAccount')
      .map((s: any) => `${text(s.namespace)}/${s.name}`)
      .join(', '),
  ];
}

function hpaMetric(spec: any, status: any): string {
  const key = { External: 'external', Pods: 'pods', Object: 'object', Resource: 'resource', ContainerResource: 'containerResource' }[
    spec.type as string
  ];
  if (!key) return '<unknown type>';
  const target = spec[key]?.target ?? {};
  const current = status?.[key]?.current;
  if (spec.type === 'Pods') return `${current?.averageValue ?? '<unknown>'}/${target.averageValue ?? '0'}`;
  if (spec.type === 'External' || spec.type === 'Object') {
    if (target.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`;
    return `${current ? (current.value ?? '0') : '<unknown>'}/${target.value ?? '0'}`;
  }
  const name = spec[key]?.name;
  if (target.averageValue !== undefined) return `${name}: ${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
  const now = current?.averageUtilization !== undefined ? `${current.averageUtilization}%` : '<unknown>';
  return `${name}: ${now}/${target.averageUtilization !== undefined ? `${target.averageUtilization}%` : '<auto>'}`;
}

function hpaMetrics(o: KubeObject): string {
  const specs: any[] = o.spec.metrics ?? [];
  if (!specs.length) return '<none>';
  const list = specs.map((s, i) => hpaMetric(s, o.status?.currentMetrics?.[i]));
  return list.length > 2 ? `${list.slice(0, 2).join(', ')} + ${list.length - 2} more...` : list.join(', ');
}

function quotaCells(o: KubeObject, server: ApiServer): unknown[] {
  const hard = o.status?.hard ?? {};
  const requests: string[] = [];
  const limits: string[] = [];
  for (const k of Object.keys(hard).sort()) {
    (k.startsWith('limits.') ? limits : requests).push(`${k}: ${o.status?.used?.[k] ?? '0'}/${hard[k]}`);
  }
  return [o.metadata.name, requests.join(', '), limits.join(', '), since(o, server)];
}

function controllerOf(o: KubeObject): string {
  const ref = o.metadata.ownerReferences?.find(r => r.controller);
  if (!ref) return '<none>';
  const group = ref.apiVersion.includes('/') ? `.${ref.apiVersion.split('/')[0]}` : '';
  return `${(ref.kind + group).toLowerCase()}/${ref.name}`;
}

function ingressClassCells(o: KubeObject, server: ApiServer): unknown[] {
  const isDefault = o.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';
  const p = o.spec?.parameters;
  const parameters = p ? `${p.kind}${p.apiGroup !== undefined ? `.${p.apiGroup}` : ''}/${p.name}` : '<none>';
  return [o.metadata.name + (isDefault ? ' (default)' : ''), text(o.spec?.controller), parameters, since(o, server)];
}

function ipAddressCells(o: KubeObject, server: ApiServer): unknown[] {
  const p = o.spec?.parentRef;
  const parent = p
    ? `${(p.group ? `${p.resource}.${p.group}` : text(p.resource)).toLowerCase()}${p.namespace ? `/${p.namespace}` : ''}/${text(p.name)}`
    : '<none>';
  return [o.metadata.name, parent, since(o, server)];
}

function storageClassCells(o: KubeObject, server: ApiServer): unknown[] {
  const a = o.metadata.annotations ?? {};
  const isDefault =
    a['storageclass.kubernetes.io/is-default-class'] === 'true' || a['storageclass.beta.kubernetes.io/is-default-class'] === 'true';
  return [
    o.metadata.name + (isDefault ? ' (default)' : ''),
    text(o.provisioner),
    o.reclaimPolicy ?? 'Delete',
    o.volumeBindingMode ?? 'Immediate',
    o.allowVolumeExpansion ?? false,
    since(o, server),
  ];
}

function workload(o: KubeObject, counts: unknown[], server: ApiServer, selector: string): unknown[] {
  return [o.metadata.name, ...counts, since(o, server), ...containerCells(o.spec?.template?.spec), selector];
}

const selectorText = (o: KubeObject): string => formatLabelSelector(o.spec?.selector);

function csrStatus(o: KubeObject): string {
  const types = (o.status?.conditions ?? []).map((c: any) => c.type);
  let status = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending';
  if (types.includes('Failed')) status += ',Failed';
  return o.status?.certificate ? `${status},Issued` : status;
}

function apiServiceCells(o: KubeObject, server: ApiServer): unknown[] {
  const s = o.spec?.service;
  const c = (o.status?.conditions ?? []).find((x: any) => x.type === 'Available');
  const status = !c ? 'Unknown' : c.status !== 'True' && c.reason ? `${c.status} (${c.reason})` : c.status;
  return [o.metadata.name, s ? `${s.namespace}/${s.name}` : 'Local', status, since(o, server)];
}

const webhooks: Printer = (o, s) => [o.metadata.name, o.webhooks?.length ?? 0, since(o, s)];
const paramKind = (o: KubeObject): string => (o.spec?.paramKind ? `${o.spec.paramKind.apiVersion}/${o.spec.paramKind.kind}` : '<unset>');
const paramRef = (o: KubeObject): string => {
  const p = o.spec?.paramRef;
  return p?.name ? `${p.namespace || '*'}/${p.name}` : '<unset>';
};

function csiDriverCells(o: KubeObject, server: ApiServer): unknown[] {
  const s = o.spec ?? {};
  const tokens = s.tokenRequests ? s.tokenRequests.map((t: any) => text(t.audience)).join(',') : '<unset>';
  const modes = (s.volumeLifecycleModes ?? []).join(',') || '<none>';
  const { attachRequired = true, podInfoOnMount = false, storageCapacity = false, requiresRepublish = false } = s;
  return [o.metadata.name, attachRequired, podInfoOnMount, storageCapacity, tokens, requiresRepublish, modes, since(o, server)];
}

function priorityLevelCells(o: KubeObject, server: ApiServer): unknown[] {
  const l = o.spec?.limited;
  const q = l?.limitResponse?.queuing;
  const none = '<none>';
  return [
    o.metadata.name,
    text(o.spec?.type),
    l?.nominalConcurrencyShares ?? none,
    q?.queues ?? none,
    q?.handSize ?? none,
    q?.queueLengthLimit ?? none,
    since(o, server),
  ];
}

export const PRINTERS: Record<string, Printer> = {
  Pod: (o, s) => podCells(s, o),
  Service: (o, s) => [
    o.metadata.name,
    text(o.spec.type),
    o.spec.clusterIPs?.[0] ?? '<none>',
    externalIp(o),
    servicePorts(o),
    since(o, s),
    formatLabels(o.spec.selector),
  ],
  Deployment: (o, s) =>
    workload(
      o,
      [`${num(o.status?.readyReplicas)}/${num(o.spec.replicas)}`, num(o.status?.updatedReplicas), num(o.status?.availableReplicas)],
      s,
      // labels.Selector prints nothing where FormatLabelSelector says <none>.
      selectorText(o).replace(/^<none>$/, ''),
    ),
  ReplicaSet: (o, s) => workload(o, [num(o.spec.replicas), num(o.status?.replicas), num(o.status?.readyReplicas)], s, selectorText(o)),
  ReplicationController: (o, s) =>
    workload(o, [num(o.spec.replicas), num(o.status?.replicas), num(o.status?.readyReplicas)], s, formatLabels(o.spec.selector)),
  StatefulSet: (o, s) => workload(o, [`${num(o.status?.readyReplicas)}/${num(o.spec.replicas)}`], s, '').slice(0, 5),
  DaemonSet: (o, s) =>
    workload(
      o,
      [
        num(o.status?.desiredNumberScheduled),
        num(o.status?.currentNumberScheduled),
        num(o.status?.numberReady),
        num(o.status?.updatedNumberScheduled),
        num(o.status?.numberAvailable),
        formatLabels(o.spec.template?.spec?.nodeSelector),
      ],
      s,
      selectorText(o),
    ),
  Job: (o, s) => {
    const [names, images] = containerCells(o.spec.template?.spec);
    return [o.metadata.name, jobStatus(o), jobCompletions(o), jobDuration(o, s), since(o, s), names, images, selectorText(o)];
  },
  CronJob: (o, s) => {
    const [names, images] = containerCells(o.spec.jobTemplate?.spec?.template?.spec);
    const last = o.status?.lastScheduleTime ? age(s, o.status.lastScheduleTime) : '<none>';
    const suspend = o.spec.suspend === undefined ? '<unset>' : o.spec.suspend ? 'True' : 'False';
    const active = o.status?.active?.length ?? 0;
    const head = [o.metadata.name, text(o.spec.schedule), o.spec.timeZone ?? '<none>', suspend, active, last, since(o, s)];
    return [...head, names, images, formatLabelSelector(o.spec.jobTemplate?.spec?.selector)];
  },
  Endpoints: (o, s) => [o.metadata.name, endpoints(o), since(o, s)],
  EndpointSlice: (o, s) => [o.metadata.name, text(o.addressType), slicePorts(o), sliceAddresses(o), since(o, s)],
  Ingress: (o, s) => [
    o.metadata.name,
    o.spec?.ingressClassName ?? '<none>',
    ingressHosts(o),
    loadBalancer(o.status),
    o.spec?.tls?.length ? '80, 443' : '80',
    since(o, s),
  ],
  IngressClass: ingressClassCells,
  NetworkPolicy: (o, s) => [o.metadata.name, formatLabelSelector(o.spec?.podSelector ?? {}), since(o, s)],
  Node: nodeCells,
  Namespace: (o, s) => [o.metadata.name, text(o.status?.phase), since(o, s)],
  ConfigMap: (o, s) => [o.metadata.name, Object.keys(o.data ?? {}).length + Object.keys(o.binaryData ?? {}).length, since(o, s)],
  Secret: (o, s) => [o.metadata.name, text(o.type), Object.keys(o.data ?? {}).length, since(o, s)],
  ServiceAccount: (o, s) => [o.metadata.name, since(o, s)],
  Event: eventCells,
  PersistentVolume: (o, s) => [
    o.metadata.name,
    text(o.spec.capacity?.storage ?? '0'),
    accessModes(o.spec.accessModes),
    text(o.spec.persistentVolumeReclaimPolicy),
    volumePhase(o),
    o.spec.claimRef ? `${text(o.spec.claimRef.namespace)}/${text(o.spec.claimRef.name)}` : '',
    claimClass(o),
    o.spec.volumeAttributesClassName ?? '<unset>',
    text(o.status?.reason),
    since(o, s),
    o.spec.volumeMode ?? '<unset>',
  ],
  PersistentVolumeClaim: (o, s) => [
    o.metadata.name,
    volumePhase(o),
    text(o.spec.volumeName),
    o.spec.volumeName ? text(o.status?.capacity?.storage ?? '0') : '',
    o.spec.volumeName ? accessModes(o.status?.accessModes) : '',
    claimClass(o),
    o.spec.volumeAttributesClassName ?? '<unset>',
    since(o, s),
    o.spec.volumeMode ?? '<unset>',
  ],
  StorageClass: storageClassCells,
  HorizontalPodAutoscaler: (o, s) => [
    o.metadata.name,
    `${o.spec.scaleTargetRef?.kind}/${o.spec.scaleTargetRef?.name}`,
    hpaMetrics(o),
    o.spec.minReplicas === undefined ? '<unset>' : String(o.spec.minReplicas),
    num(o.spec.maxReplicas),
    num(o.status?.currentReplicas),
    since(o, s),
  ],
  PodDisruptionBudget: (o, s) => [
    o.metadata.name,
    text(o.spec?.minAvailable ?? 'N/A'),
    text(o.spec?.maxUnavailable ?? 'N/A'),
    num(o.status?.disruptionsAllowed),
    since(o, s),
  ],
  RoleBinding: bindingCells,
  ClusterRoleBinding: bindingCells,
  ResourceQuota: quotaCells,
  PriorityClass: (o, s) => [o.metadata.name, num(o.value), o.globalDefault ?? false, since(o, s), text(o.preemptionPolicy)],
  Lease: (o, s) => [o.metadata.name, text(o.spec?.holderIdentity), since(o, s)],
  RuntimeClass: (o, s) => [o.metadata.name, text(o.handler), since(o, s)],
  ServiceCIDR: (o, s) => [o.metadata.name, (o.spec?.cidrs ?? []).join(','), since(o, s)],
  IPAddress: ipAddressCells,
  ControllerRevision: (o, s) => [o.metadata.name, controllerOf(o), num(o.revision), since(o, s)],
  PodTemplate: o => [o.metadata.name, ...containerCells(o.template?.spec), formatLabels(o.template?.metadata?.labels)],
  ComponentStatus: o => {
    const c = (o.conditions ?? []).find((x: any) => x.type === 'Healthy');
    return [o.metadata.name, c ? (c.status === 'True' ? 'Healthy' : 'Unhealthy') : 'Unknown', text(c?.message), text(c?.error)];
  },
  CertificateSigningRequest: (o, s) => [
    o.metadata.name,
    since(o, s),
    o.spec.signerName || '<none>',
    text(o.spec.username),
    o.spec.expirationSeconds === undefined ? '<none>' : humanDuration(o.spec.expirationSeconds * 1000),
    csrStatus(o),
  ],
  APIService: apiServiceCells,
  MutatingWebhookConfiguration: webhooks,
  ValidatingWebhookConfiguration: webhooks,
  ValidatingAdmissionPolicy: (o, s) => [o.metadata.name, o.spec?.validations?.length ?? 0, paramKind(o), since(o, s)],
  MutatingAdmissionPolicy: (o, s) => [o.metadata.name, o.spec?.mutations?.length ?? 0, paramKind(o), since(o, s)],
  ValidatingAdmissionPolicyBinding: (o, s) => [o.metadata.name, text(o.spec?.policyName), paramRef(o), since(o, s)],
  MutatingAdmissionPolicyBinding: (o, s) => [o.metadata.name, text(o.spec?.policyName), paramRef(o), since(o, s)],
  CSIDriver: csiDriverCells,
  CSINode: (o, s) => [o.metadata.name, o.spec?.drivers?.length ?? 0, since(o, s)],
  VolumeAttachment: (o, s) => [
    o.metadata.name,
    text(o.spec.attacher),
    text(o.spec.source?.persistentVolumeName),
    text(o.spec.nodeName),
    o.status?.attached ?? false,
    since(o, s),
  ],
  VolumeAttributesClass: (o, s) => [o.metadata.name, text(o.driverName), since(o, s)],
  FlowSchema: (o, s) => [
    o.metadata.name,
    text(o.spec?.priorityLevelConfiguration?.name),
    num(o.spec?.matchingPrecedence),
    o.spec?.distinguisherMethod?.type ?? '<none>',
    since(o, s),
    (o.status?.conditions ?? []).find((c: any) => c.type === 'Dangling')?.status ?? '?',
  ],
  PriorityLevelConfiguration: priorityLevelCells,
  ResourceClaim: (o, s) => {
    const states = o.metadata.deletionTimestamp ? ['deleted'] : [];
    if (o.status?.allocation) states.push('allocated', ...(o.status.reservedFor?.length ? ['reserved'] : []));
    else if (!o.metadata.deletionTimestamp) states.push('pending');
    return [o.metadata.name, states.join(','), since(o, s)];
  },
  DeviceClass: (o, s) => [o.metadata.name, since(o, s)],
  ResourceClaimTemplate: (o, s) => [o.metadata.name, since(o, s)],
  ResourceSlice: (o, s) => [o.metadata.name, text(o.spec?.nodeName), text(o.spec?.driver), text(o.spec?.pool?.name), since(o, s)],
  Scale: (o, s) => [o.metadata.name, num(o.spec?.replicas), num(o.status?.replicas), since(o, s)],
};
