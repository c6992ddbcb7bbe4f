// describe of what makes pods (k8s.io/kubectl v0.36.3, pkg/describe/describe.go).

import { formatLabelSelector } from '../../apiserver/labels.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { type Cmd, connect } from '../command.ts';
import { mappingFor } from '../mapping.ts';
import { listObjects } from '../requests.ts';
import { controlledBy } from '../rollout-history.ts';
import { humanDuration, rfc1123z } from '../time.ts';
import { describeEvents } from './events.ts';
import { controllerOf } from './pod.ts';
import { describePodTemplate } from './pod-template.ts';
import { annotationsMultiline, type Description, formatLabels, goList, labelsMultiline, put, truth } from './writer.ts';

type Describe = (cmd: Cmd, d: Description, o: KubeObject, events: KubeObject[] | null) => void;

const n = (x: unknown): number => (x as number) ?? 0;
/** labels.Selector.String: nothing where FormatLabelSelector says <none>. */
const selectorText = (selector: any): string => {
  const s = formatLabelSelector(selector);
  return s === '<none>' ? '' : s;
};

function podStatus(cmd: Cmd, o: KubeObject, labelSelector: string): string {
  const counts: Record<string, number> = {};
  for (const p of listObjects(cmd, mappingFor(connect(cmd), 'pods'), o.metadata.namespace ?? '', {
    labelSelector: labelSelector || undefined,
  }))
    if (controlledBy(p, o)) counts[p.status?.phase ?? ''] = (counts[p.status?.phase ?? ''] ?? 0) + 1;
  return `${n(counts.Running)} Running / ${n(counts.Pending)} Waiting / ${n(counts.Succeeded)} Succeeded / ${n(counts.Failed)} Failed`;
}

function head(d: Description, o: KubeObject): void {
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `Namespace:\t${o.metadata.namespace}\n`);
}

function conditions(d: Description, list: any[] | undefined): void {
  if (!list?.length) return;
  put(d, 0, 'Conditions:\n  Type\tStatus\tReason\n');
  put(d, 1, '----\t------\t------\n');
  for (const c of list) put(d, 1, `${c.type} \t${c.status}\t${c.reason ?? ''}\n`);
}

/** The ReplicaSets of a Deployment: those of older templates, and the one of this. */
function replicaSetsOf(cmd: Cmd, o: KubeObject): { old: KubeObject[]; current: KubeObject[] } {
  const query = { labelSelector: selectorText(o.spec.selector) || undefined };
  const all = listObjects(cmd, mappingFor(connect(cmd), 'replicasets.apps'), o.metadata.namespace ?? '', query).filter(rs =>
    controlledBy(rs, o),
  );
  const bare = (t: any) => {
    const { 'pod-template-hash': _, ...labels } = t?.metadata?.labels ?? {};
    return stable({ ...t, metadata: { ...t?.metadata, labels } });
  };
  const wanted = bare(o.spec.template);
  const current = all
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))
    .find(rs => bare(rs.spec.template) === wanted);
  return { old: all.filter(rs => rs !== current), current: current ? [current] : [] };
}

const stable = (v: any): string =>
  Array.isArray(v)
    ? `[${v.map(stable).join()}]`
    : typeof v === 'object' && v !== null
      ? `{${Object.keys(v)
          .filter(k => v[k] !== undefined && v[k] !== null && !(typeof v[k] === 'object' && !Object.keys(v[k]).length))
          .sort()
          .map(k => `${k}:${stable(v[k])}`)
          .join()}}`
      : JSON.stringify(v);

const replicaSetList = (list: KubeObject[]): string =>
  list.map(rs => `${rs.metadata.name} (${n(rs.status?.replicas)}/${n(rs.spec.replicas)} replicas created)`).join(', ') || '<none>';

export const describeDeployment: Describe = (cmd, d, o, events) => {
  const s = o.status ?? {};
  head(d, o);
  put(d, 0, `CreationTimestamp:\t${rfc1123z(o.metadata.creationTimestamp)}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  put(d, 0, `Selector:\t${selectorText(o.spec.selector)}\n`);
  put(
    d,
    0,
    `Replicas:\t${n(o.spec.replicas)} desired | ${n(s.updatedReplicas)} updated | ${n(s.replicas)} total | ${n(s.availableReplicas)} available | ${n(s.unavailableReplicas)} unavailable\n`,
  );
  put(d, 0, `StrategyType:\t${o.spec.strategy?.type ?? ''}\n`);
  put(d, 0, `MinReadySeconds:\t${n(o.spec.minReadySeconds)}\n`);
  const rolling = o.spec.strategy?.rollingUpdate;
  if (rolling) put(d, 0, `RollingUpdateStrategy:\t${rolling.maxUnavailable} max unavailable, ${rolling.maxSurge} max surge\n`);
  describePodTemplate(d, o.spec.template);
  conditions(d, s.conditions);
  const { old, current } = replicaSetsOf(cmd, o);
  if (old.length || current.length) {
    put(d, 0, `OldReplicaSets:\t${replicaSetList(old)}\n`);
    put(d, 0, `NewReplicaSet:\t${replicaSetList(current)}\n`);
  }
  describeEvents(cmd, d, events);
};

export const describeReplicaSet: Describe = (cmd, d, o, events) => {
  head(d, o);
  put(d, 0, `Selector:\t${formatLabelSelector(o.spec.selector)}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  const controller = controllerOf(o);
  if (controller) put(d, 0, `Controlled By:\t${controller}\n`);
  put(d, 0, `Replicas:\t${n(o.status?.replicas)} current / ${n(o.spec.replicas)} desired\n`);
  put(d, 0, `Pods Status:\t${podStatus(cmd, o, selectorText(o.spec.selector))}\n`);
  describePodTemplate(d, o.spec.template);
  conditions(d, o.status?.conditions);
  describeEvents(cmd, d, events);
};

export const describeReplicationController: Describe = (cmd, d, o, events) => {
  head(d, o);
  put(d, 0, `Selector:\t${formatLabels(o.spec.selector)}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  put(d, 0, `Replicas:\t${n(o.status?.replicas)} current / ${n(o.spec.replicas)} desired\n`);
  put(d, 0, `Pods Status:\t${podStatus(cmd, o, formatLabels(o.spec.selector).replace('<none>', ''))}\n`);
  describePodTemplate(d, o.spec.template);
  conditions(d, o.status?.conditions);
  describeEvents(cmd, d, events);
};

export const describeStatefulSet: Describe = (cmd, d, o, events) => {
  head(d, o);
  put(d, 0, `CreationTimestamp:\t${rfc1123z(o.metadata.creationTimestamp)}\n`);
  put(d, 0, `Selector:\t${selectorText(o.spec.selector)}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  put(d, 0, `Replicas:\t${n(o.spec.replicas)} desired | ${n(o.status?.replicas)} total\n`);
  put(d, 0, `Update Strategy:\t${o.spec.updateStrategy?.type ?? ''}\n`);
  const rolling = o.spec.updateStrategy?.rollingUpdate;
  if (rolling?.partition !== undefined) {
    put(d, 1, `Partition:\t${rolling.partition}\n`);
    if (rolling.maxUnavailable !== undefined) put(d, 1, `MaxUnavailable:\t${rolling.maxUnavailable}\n`);
  }
  put(d, 0, `Pods Status:\t${podStatus(cmd, o, selectorText(o.spec.selector))}\n`);
  describePodTemplate(d, o.spec.template);
  claimTemplates(d, o.spec.volumeClaimTemplates ?? []);
  describeEvents(cmd, d, events);
};

function claimTemplates(d: Description, templates: any[]): void {
  if (!templates.length) {
    put(d, 0, 'Volume Claims:\t<none>\n');
    return;
  }
  put(d, 0, 'Volume Claims:\n');
  for (const t of templates) {
    put(d, 1, `Name:\t${t.metadata?.name}\n`);
    put(d, 1, `StorageClass:\t${t.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? t.spec?.storageClassName ?? ''}\n`);
    labelsMultiline(d, 'Labels', t.metadata?.labels, '  ', '\t');
    labelsMultiline(d, 'Annotations', t.metadata?.annotations, '  ', '\t');
    put(d, 1, `Capacity:\t${t.spec?.resources?.requests?.storage ?? '<default>'}\n`);
    put(d, 1, `Access Modes:\t${goList(t.spec?.accessModes)}\n`);
  }
}

export const describeDaemonSet: Describe = (cmd, d, o, events) => {
  const s = o.status ?? {};
  head(d, o);
  put(d, 0, `Selector:\t${selectorText(o.spec.selector)}\n`);
  put(d, 0, `Node-Selector:\t${formatLabels(o.spec.template?.spec?.nodeSelector)}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  put(d, 0, `Desired Number of Nodes Scheduled: ${n(s.desiredNumberScheduled)}\n`);
  put(d, 0, `Current Number of Nodes Scheduled: ${n(s.currentNumberScheduled)}\n`);
  put(d, 0, `Number of Nodes Scheduled with Up-to-date Pods: ${n(s.updatedNumberScheduled)}\n`);
  put(d, 0, `Number of Nodes Scheduled with Available Pods: ${n(s.numberAvailable)}\n`);
  put(d, 0, `Number of Nodes Misscheduled: ${n(s.numberMisscheduled)}\n`);
  put(d, 0, `Pods Status:\t${podStatus(cmd, o, selectorText(o.spec.selector))}\n`);
  describePodTemplate(d, o.spec.template);
  describeEvents(cmd, d, events);
};

/** Long lists of indexes end at the first comma after `limit`. */
function capIndexes(indexes: string | undefined, limit: number): string {
  if (!indexes) return '<none>';
  const at = indexes.indexOf(',', limit);
  return at < 0 ? indexes : `${indexes.slice(0, at + 1)}...`;
}

export const describeJob: Describe = (cmd, d, o, events) => {
  const { spec, status: s = {} } = o;
  head(d, o);
  put(d, 0, `Selector:\t${selectorText(spec.selector)}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  const controller = controllerOf(o);
  if (controller) put(d, 0, `Controlled By:\t${controller}\n`);
  if (spec.parallelism !== undefined) put(d, 0, `Parallelism:\t${spec.parallelism}\n`);
  put(d, 0, `Completions:\t${spec.completions ?? '<unset>'}\n`);
  if (spec.completionMode !== undefined) put(d, 0, `Completion Mode:\t${spec.completionMode}\n`);
  if (spec.suspend !== undefined) put(d, 0, `Suspend:\t${spec.suspend}\n`);
  if (spec.backoffLimit !== undefined) put(d, 0, `Backoff Limit:\t${spec.backoffLimit}\n`);
  if (spec.ttlSecondsAfterFinished !== undefined) put(d, 0, `TTL Seconds After Finished:\t${spec.ttlSecondsAfterFinished}\n`);
  if (s.startTime) put(d, 0, `Start Time:\t${rfc1123z(s.startTime)}\n`);
  if (s.completionTime) put(d, 0, `Completed At:\t${rfc1123z(s.completionTime)}\n`);
  if (s.startTime && s.completionTime)
    put(d, 0, `Duration:\t${humanDuration((parseRfc3339(s.completionTime) ?? 0) - (parseRfc3339(s.startTime) ?? 0))}\n`);
  if (spec.activeDeadlineSeconds !== undefined) put(d, 0, `Active Deadline Seconds:\t${spec.activeDeadlineSeconds}s\n`);
  const ready = s.ready === undefined ? '' : ` (${s.ready} Ready)`;
  put(d, 0, `Pods Statuses:\t${n(s.active)} Active${ready} / ${n(s.succeeded)} Succeeded / ${n(s.failed)} Failed\n`);
  if (spec.completionMode === 'Indexed') put(d, 0, `Completed Indexes:\t${capIndexes(s.completedIndexes, 50)}\n`);
  describePodTemplate(d, spec.template);
  describeEvents(cmd, d, events);
};

export const describeCronJob: Describe = (cmd, d, o, events) => {
  const { spec, status: s = {} } = o;
  const unset = (v: unknown, unit = '') => (v === undefined || v === null ? '<unset>' : `${v}${unit}`);
  head(d, o);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  put(d, 0, `Schedule:\t${spec.schedule}\n`);
  put(d, 0, `Concurrency Policy:\t${spec.concurrencyPolicy ?? ''}\n`);
  put(d, 0, `Suspend:\t${spec.suspend === undefined ? '<unset>' : truth(spec.suspend)}\n`);
  put(d, 0, `Time Zone:\t${unset(spec.timeZone)}\n`);
  put(d, 0, `Successful Job History Limit:\t${unset(spec.successfulJobsHistoryLimit)}\n`);
  put(d, 0, `Failed Job History Limit:\t${unset(spec.failedJobsHistoryLimit)}\n`);
  put(d, 0, `Starting Deadline Seconds:\t${unset(spec.startingDeadlineSeconds, 's')}\n`);
  const job = spec.jobTemplate?.spec ?? {};
  put(d, 0, `Selector:\t${job.selector ? selectorText(job.selector) : '<unset>'}\n`);
  put(d, 0, `Parallelism:\t${unset(job.parallelism)}\n`);
  put(d, 0, `Completions:\t${unset(job.completions)}\n`);
  if (job.activeDeadlineSeconds !== undefined) put(d, 0, `Active Deadline Seconds:\t${job.activeDeadlineSeconds}s\n`);
  describePodTemplate(d, job.template);
  put(d, 0, `Last Schedule Time:\t${s.lastScheduleTime ? rfc1123z(s.lastScheduleTime) : '<unset>'}\n`);
  const active = (s.active ?? []).map((j: any) => j.name);
  put(d, 0, `Active Jobs:\t${active.length ? active.join(', ') : '<none>'}\n`);
  describeEvents(cmd, d, events);
};
