// describe node (k8s.io/kubectl v0.36.3, pkg/describe/describe.go: describeNode).

import { formatQuantity, parseQuantity, type Quantity } from '../../apiserver/quantity.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { type Cmd, connect } from '../command.ts';
import { isFailure } from '../failure.ts';
import { mappingFor } from '../mapping.ts';
import { getObject, listObjects } from '../requests.ts';
import { rfc1123z, translateTimestampSince } from '../time.ts';
import { describeEvents } from './events.ts';
import { annotationsMultiline, type Description, labelsMultiline, multiline, put, sortedKeys } from './writer.ts';

export function nodeRoles(node: KubeObject): string[] {
  const roles = new Set<string>();
  for (const [k, v] of Object.entries(node.metadata.labels ?? {})) {
    if (k.startsWith('node-role.kubernetes.io/')) {
      if (k.length > 24) roles.add(k.slice(24));
    } else if (k === 'kubernetes.io/role' && v) roles.add(v);
  }
  return [...roles].sort();
}

function taintText(t: any): string {
  if (!t.effect) return t.value ? `${t.key}=${t.value}:` : t.key;
  return t.value ? `${t.key}=${t.value}:${t.effect}` : `${t.key}:${t.effect}`;
}

type Amounts = Map<string, Quantity>;

const zero = (): Quantity => parseQuantity('0') as Quantity;

function add(to: Amounts, name: string, q: Quantity): void {
  const have = to.get(name);
  to.set(name, have && have.nano !== 0n ? { ...have, nano: have.nano + q.nano } : q);
}

function listOf(c: any, which: 'requests' | 'limits'): [string, Quantity][] {
  return Object.entries(c.resources?.[which] ?? {}).map(([k, v]): [string, Quantity] => {
    const q = parseQuantity(String(v));
    return [k, typeof q === 'string' ? zero() : q];
  });
}

/** resourcehelper.PodRequests and PodLimits: containers and sidecars together, at least what any init container needs, and overhead. */
function podAmounts(pod: KubeObject, which: 'requests' | 'limits'): Amounts {
  const total: Amounts = new Map();
  for (const c of pod.spec.containers ?? []) for (const [k, q] of listOf(c, which)) add(total, k, q);
  const sidecars: Amounts = new Map();
  const peaks: Amounts = new Map();
  const peak = (k: string, q: Quantity) => {
    const have = peaks.get(k);
    if (!have || q.nano > have.nano) peaks.set(k, q);
  };
  for (const c of pod.spec.initContainers ?? []) {
    const own = new Map(listOf(c, which));
    if (c.restartPolicy === 'Always') {
      for (const [k, q] of own) {
        add(total, k, q);
        add(sidecars, k, q);
      }
      for (const [k, q] of sidecars) peak(k, q);
    } else
      for (const [k, q] of own) {
        const beside = sidecars.get(k);
        peak(k, beside ? { ...q, nano: q.nano + beside.nano } : q);
      }
  }
  for (const [k, q] of peaks) {
    const have = total.get(k);
    if (!have || q.nano > have.nano) total.set(k, q);
  }
  for (const [k, v] of Object.entries(pod.spec.resources?.[which] ?? {})) {
    const q = parseQuantity(String(v));
    if (typeof q !== 'string') total.set(k, q);
  }
  for (const [k, v] of Object.entries(pod.spec.overhead ?? {})) {
    const q = parseQuantity(String(v));
    if (typeof q !== 'string' && (which === 'requests' || total.has(k))) add(total, k, q);
  }
  return total;
}

function percent(q: Quantity, of: Quantity | undefined, milli: boolean): string {
  // MilliValue and Value round up.
  const unit = milli ? 1_000_000n : 1_000_000_000n;
  const up = (x: bigint) => Number((x + unit - 1n) / unit);
  const whole = of ? up(of.nano) : 0;
  return `${formatQuantity(q)} (${whole ? Math.trunc((up(q.nano) / whole) * 100) : 0}%)`;
}

export function describeNode(cmd: Cmd, d: Description, node: KubeObject, events: KubeObject[] | null): void {
  const { spec = {}, status = {}, metadata } = node;
  put(d, 0, `Name:\t${metadata.name}\n`);
  put(d, 0, `Roles:\t${nodeRoles(node).join(',') || '<none>'}\n`);
  labelsMultiline(d, 'Labels', metadata.labels);
  annotationsMultiline(d, 'Annotations', metadata.annotations);
  put(d, 0, `CreationTimestamp:\t${rfc1123z(metadata.creationTimestamp)}\n`);
  const key = (t: any) => `${t.effect},${t.key}`;
  multiline(d, 'Taints', [...(spec.taints ?? [])].sort((a, b) => (key(a) < key(b) ? -1 : 1)).map(taintText));
  put(d, 0, `Unschedulable:\t${spec.unschedulable === true}\n`);
  lease(cmd, d, metadata.name);
  if (status.conditions?.length) {
    put(d, 0, 'Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n');
    put(d, 1, '----\t------\t-----------------\t------------------\t------\t-------\n');
    for (const c of status.conditions)
      put(
        d,
        1,
        `${c.type} \t${c.status} \t${rfc1123z(c.lastHeartbeatTime)} \t${rfc1123z(c.lastTransitionTime)} \t${c.reason ?? ''} \t${c.message ?? ''}\n`,
      );
  }
  put(d, 0, 'Addresses:\n');
  for (const a of status.addresses ?? []) put(d, 1, `${a.type}:\t${a.address}\n`);
  for (const [title, amounts] of [
    ['Capacity', status.capacity],
    ['Allocatable', status.allocatable],
  ] as const) {
    if (!Object.keys(amounts ?? {}).length) continue;
    put(d, 0, `${title}:\n`);
    for (const k of sortedKeys(amounts)) put(d, 0, `  ${k}:\t${amounts[k]}\n`);
  }
  const info = status.nodeInfo ?? {};
  put(d, 0, 'System Info:\n');
  for (const [title, field] of [
    ['Machine ID', 'machineID'],
    ['System UUID', 'systemUUID'],
    ['Boot ID', 'bootID'],
    ['Kernel Version', 'kernelVersion'],
    ['OS Image', 'osImage'],
    ['Operating System', 'operatingSystem'],
    ['Architecture', 'architecture'],
    ['Container Runtime Version', 'containerRuntimeVersion'],
    ['Kubelet Version', 'kubeletVersion'],
  ])
    put(d, 0, `  ${title}:\t${info[field] ?? ''}\n`);
  if (spec.podCIDR) put(d, 0, `PodCIDR:\t${spec.podCIDR}\n`);
  if (spec.podCIDRs?.length) put(d, 0, `PodCIDRs:\t${spec.podCIDRs.join(',')}\n`);
  if (spec.providerID) put(d, 0, `ProviderID:\t${spec.providerID}\n`);
  nodePods(cmd, d, node);
  describeEvents(cmd, d, events);
}

function lease(cmd: Cmd, d: Description, name: string): void {
  const l = getObject(cmd, mappingFor(connect(cmd), 'leases.coordination.k8s.io'), 'kube-node-lease', name);
  if (isFailure(l)) {
    put(d, 0, `Lease:\tFailed to get lease: ${l.message}\n`);
    return;
  }
  put(d, 0, 'Lease:\n');
  put(d, 1, `HolderIdentity:\t${l.spec?.holderIdentity ?? '<unset>'}\n`);
  put(d, 1, `AcquireTime:\t${l.spec?.acquireTime ? rfc1123z(l.spec.acquireTime) : '<unset>'}\n`);
  put(d, 1, `RenewTime:\t${l.spec?.renewTime ? rfc1123z(l.spec.renewTime) : '<unset>'}\n`);
}

const STANDARD = ['cpu', 'memory', 'ephemeral-storage', 'pods'];

function nodePods(cmd: Cmd, d: Description, node: KubeObject): void {
  const pods = listObjects(cmd, mappingFor(connect(cmd), 'pods'), '', {
    fieldSelector: `spec.nodeName=${node.metadata.name},status.phase!=Succeeded,status.phase!=Failed`,
  });
  const amounts = node.status?.allocatable ?? node.status?.capacity ?? {};
  const allocatable = new Map(Object.entries(amounts).map(([k, v]): [string, Quantity] => [k, parseQuantity(String(v)) as Quantity]));
  put(d, 0, `Non-terminated Pods:\t(${pods.length} in total)\n`);
  put(d, 1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n');
  put(d, 1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n');
  const totals = { requests: new Map() as Amounts, limits: new Map() as Amounts };
  for (const p of pods) {
    const [requests, limits] = [podAmounts(p, 'requests'), podAmounts(p, 'limits')];
    const cell = (list: Amounts, k: string) => percent(list.get(k) ?? zero(), allocatable.get(k), k === 'cpu');
    const age = translateTimestampSince(cmd.host.sim.nowMs, p.metadata.creationTimestamp);
    put(
      d,
      1,
      `${p.metadata.namespace}\t${p.metadata.name}\t\t${cell(requests, 'cpu')}\t${cell(limits, 'cpu')}\t${cell(requests, 'memory')}\t${cell(limits, 'memory')}\t${age}\n`,
    );
    for (const [k, q] of requests) add(totals.requests, k, q);
    for (const [k, q] of limits) add(totals.limits, k, q);
  }
  put(d, 0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n');
  put(d, 1, 'Resource\tRequests\tLimits\n');
  put(d, 1, '--------\t--------\t------\n');
  const row = (k: string) => {
    const cell = (list: Amounts) => percent(list.get(k) ?? zero(), allocatable.get(k), k === 'cpu');
    put(d, 1, `${k}\t${cell(totals.requests)}\t${cell(totals.limits)}\n`);
  };
  for (const k of ['cpu', 'memory', 'ephemeral-storage']) row(k);
  for (const k of [...allocatable.keys()].filter(k => k.startsWith('hugepages-')).sort()) row(k);
  for (const k of [...allocatable.keys()].filter(k => !STANDARD.includes(k) && !k.startsWith('hugepages-')).sort())
    put(d, 1, `${k}\t${formatQuantity(totals.requests.get(k) ?? zero())}\t${formatQuantity(totals.limits.get(k) ?? zero())}\n`);
}
