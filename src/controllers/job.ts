// Jobs: pods that run to their end (pkg/controller/job v1.36).
import { deleteObject, patchObject, updateStatus } from '../apiserver/client.ts';
import { matchLabelSelector } from '../apiserver/labels.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Condition, type Controllers, conditionOf, isStatus, recorderOf, same } from './context.ts';
import { failureAction, failureCounts, failuresOf, indexFailed } from './job-failures.ts';
import { completedIndexes, indexOf, parseIndexes } from './job-indexes.ts';
import { claim, createPod, deletePod, isActive, isReady, isTerminal, podFromTemplate, timeOf } from './pods.ts';
import { controllerOf, enqueue, enqueueAfter, forget, keyOf, newQueue, type Queue, splitKey, watchAll } from './queue.ts';

const COMPONENT = 'job-controller';
/** Keeps a finished pod until it has been counted. */
const TRACKING = 'batch.kubernetes.io/job-tracking';
const INDEX = 'batch.kubernetes.io/job-completion-index';

export function startJobs(c: Controllers): void {
  const queue = newQueue(c.sim, 8, key => syncJob(c, queue, key));
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, 'jobs.batch', c.initial, e => {
      enqueue(queue, keyOf(e.object));
      if (e.type === 'DELETED') releasePods(c, e.object);
    }),
    watchAll(c.server, 'pods', c.initial, e => {
      const ref = controllerOf(e.object);
      if (ref?.kind === 'Job') enqueue(queue, `${e.object.metadata.namespace}/${ref.name}`);
      if (
        ref?.kind === 'Job' &&
        e.object.metadata.deletionTimestamp &&
        !getObject(c.server, 'jobs.batch', e.object.metadata.namespace, ref.name)
      ) {
        untrack(c, e.object);
      }
    }),
  );
}

function untrack(c: Controllers, pod: KubeObject): void {
  const finalizers = pod.metadata.finalizers;
  if (!finalizers?.includes(TRACKING)) return;
  const rest = finalizers.filter(f => f !== TRACKING);
  patchObject(c.server, 'pods', pod.metadata.namespace, pod.metadata.name, 'merge', {
    metadata: { finalizers: rest.length ? rest : null },
  });
}

function releasePods(c: Controllers, job: KubeObject): void {
  for (const p of claim(c, c.podsByOwner, 'pods', { ...job, metadata: { ...job.metadata, deletionTimestamp: 'gone' } }, () => true))
    untrack(c, p);
}

interface Sync {
  c: Controllers;
  queue: Queue;
  key: string;
  job: KubeObject;
  status: any;
}

const finished = (job: KubeObject) =>
  (job.status?.conditions ?? []).find((x: Condition) => (x.type === 'Complete' || x.type === 'Failed') && x.status === 'True');

function addCondition(s: Sync, type: string, status: string, reason: string, message: string): void {
  const now = rfc3339(s.c.sim.nowMs);
  const rest = (s.status.conditions ?? []).filter((x: Condition) => x.type !== type);
  s.status.conditions = [...rest, { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message }];
}

function syncJob(c: Controllers, queue: Queue, key: string): void {
  const [namespace, name] = splitKey(key);
  const job = getObject(c.server, 'jobs.batch', namespace, name);
  if (!job) {
    forget(queue, key);
    return;
  }
  const managedBy = job.spec.managedBy;
  if (managedBy && managedBy !== 'kubernetes.io/job-controller') return;
  const pods = claim(c, c.podsByOwner, 'pods', job, p => matchLabelSelector(job.spec.selector, p.metadata.labels));
  if (finished(job)) {
    for (const p of pods) untrack(c, p);
    return;
  }
  const s: Sync = { c, queue, key, job, status: { ...job.status, uncountedTerminatedPods: {} } };
  if (!job.spec.suspend && !s.status.startTime) s.status.startTime = rfc3339(c.sim.nowMs);
  count(s, pods);
  const active = pods.filter(isActive);
  const failure = failureOf(s, pods);
  if (failure) fail(s, active, failure);
  else if (!job.metadata.deletionTimestamp) manage(s, pods, active);
  finish(s);
}

/** Finished pods that still carry the finalizer are new: they are counted, then let go. */
function count(s: Sync, pods: KubeObject[]): void {
  const indexed = s.job.spec.completionMode === 'Indexed';
  const counted = pods.filter(
    p => p.metadata.finalizers?.includes(TRACKING) && (isTerminal(p) || (p.metadata.deletionTimestamp && !p.spec.nodeName)),
  );
  const done = parseIndexes(s.status.completedIndexes);
  const failed = parseIndexes(s.status.failedIndexes);
  for (const p of counted) {
    const i = indexOf(p);
    if (p.status?.phase !== 'Succeeded') {
      const { action, message } = failureAction(s.job, p);
      if (action === 'FailJob' && !conditionOf(s.status.conditions, 'FailureTarget'))
        addCondition(s, 'FailureTarget', 'True', 'PodFailurePolicy', message ?? '');
      if (action !== 'Ignore') s.status.failed = (s.status.failed ?? 0) + 1;
      if (perIndex(s.job) && i !== null && i < s.job.spec.completions && indexFailed(s.job, p)) failed.add(i);
    } else if (!indexed) s.status.succeeded = (s.status.succeeded ?? 0) + 1;
    else if (i !== null && i < s.job.spec.completions) done.add(i);
  }
  if (indexed) {
    s.status.succeeded = done.size;
    s.status.completedIndexes = completedIndexes(done);
    if (perIndex(s.job)) s.status.failedIndexes = completedIndexes(failed);
  }
  for (const p of counted) untrack(s.c, p);
}

function failureOf(s: Sync, pods: KubeObject[]): { reason: string; message: string } | null {
  const { job, c, status } = s;
  const target = conditionOf(status.conditions, 'FailureTarget');
  if (target) return { reason: target.reason ?? '', message: target.message ?? '' };
  if (perIndex(job)) {
    const failed = parseIndexes(status.failedIndexes).size;
    const most = job.spec.maxFailedIndexes;
    if (most != null && failed > most)
      return { reason: 'MaxFailedIndexesExceeded', message: 'Job has exceeded the specified maximal number of failed indexes' };
    if (failed && failed + (status.succeeded ?? 0) >= job.spec.completions)
      return { reason: 'FailedIndexes', message: 'Job has failed indexes' };
  }
  const limit = job.spec.backoffLimit ?? 6;
  const onFailure = job.spec.template.spec.restartPolicy === 'OnFailure';
  const restarts = onFailure ? pods.filter(isActive).reduce((n, p) => n + restartsOf(p), 0) : 0;
  if ((status.failed ?? 0) > limit || (onFailure && (limit === 0 ? restarts > 0 : restarts >= limit))) {
    return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  const deadline = job.spec.activeDeadlineSeconds;
  if (deadline !== undefined && status.startTime && !job.spec.suspend) {
    const left = timeOf(status.startTime) + deadline * 1000 - c.sim.nowMs;
    if (left <= 0) return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
    enqueueAfter(s.queue, s.key, left);
  }
  return null;
}

/** Each index has its own limit of failures. */
const perIndex = (job: KubeObject): boolean => job.spec.backoffLimitPerIndex != null;

const restartsOf = (p: KubeObject): number =>
  [...(p.status?.initContainerStatuses ?? []), ...(p.status?.containerStatuses ?? [])].reduce((n, x: any) => n + (x.restartCount ?? 0), 0);

function fail(s: Sync, active: KubeObject[], failure: { reason: string; message: string }): void {
  if (!conditionOf(s.status.conditions, 'FailureTarget')) addCondition(s, 'FailureTarget', 'True', failure.reason, failure.message);
  for (const p of active) deletePod(s.c, COMPONENT, s.job, p);
}

function manage(s: Sync, pods: KubeObject[], active: KubeObject[]): void {
  const { job, c } = s;
  const recorder = recorderOf(c, COMPONENT);
  const suspended = conditionOf(s.status.conditions, 'Suspended');
  if (job.spec.suspend) {
    for (const p of active) deletePod(c, COMPONENT, job, p);
    if (suspended?.status !== 'True') {
      addCondition(s, 'Suspended', 'True', 'JobSuspended', 'Job suspended');
      recordEvent(recorder, job, 'Normal', 'Suspended', 'Job suspended');
    }
    delete s.status.startTime;
    return;
  }
  if (suspended?.status === 'True') {
    addCondition(s, 'Suspended', 'False', 'JobResumed', 'Job resumed');
    recordEvent(recorder, job, 'Normal', 'Resumed', 'Job resumed');
    s.status.startTime = rfc3339(c.sim.nowMs);
  }
  const succeeded = s.status.succeeded ?? 0;
  const completions = job.spec.completions;
  const parallelism = job.spec.parallelism ?? 1;
  const enough = completions === undefined || completions === null ? succeeded > 0 && !active.length : succeeded >= completions;
  if (enough) {
    complete(s, active);
    return;
  }
  const wanted =
    completions === undefined || completions === null
      ? succeeded > 0
        ? active.length
        : parallelism
      : Math.min(parallelism, Math.max(0, completions - succeeded - parseIndexes(s.status.failedIndexes).size));
  if (active.length > wanted) {
    const order = [...active].sort(
      (a, b) => Number(isReady(a)) - Number(isReady(b)) || timeOf(b.metadata.creationTimestamp) - timeOf(a.metadata.creationTimestamp),
    );
    for (const p of order.slice(0, active.length - wanted)) deletePod(c, COMPONENT, job, p);
  } else if (active.length < wanted) makePods(s, pods, active, wanted - active.length);
}

function complete(s: Sync, active: KubeObject[]): void {
  const message = 'Reached expected number of succeeded pods';
  if (!conditionOf(s.status.conditions, 'SuccessCriteriaMet')) addCondition(s, 'SuccessCriteriaMet', 'True', 'CompletionsReached', message);
  for (const p of active) deletePod(s.c, COMPONENT, s.job, p);
}

/** Failed pods are replaced after 10 s, 20 s … ten minutes (backoff_utils.go). */
function backoffLeft(s: Sync, pods: KubeObject[]): number {
  const ends = pods.filter(isTerminal).map(p => ({ failed: p.status.phase === 'Failed', at: finishedAt(p) }));
  const lastSuccess = Math.max(0, ...ends.filter(e => !e.failed).map(e => e.at));
  const failures = ends.filter(e => e.failed && e.at > lastSuccess);
  if (!failures.length) return 0;
  const delay = Math.min(10_000 * 2 ** (failures.length - 1), 600_000);
  return Math.max(...failures.map(e => e.at)) + delay - s.c.sim.nowMs;
}

function finishedAt(p: KubeObject): number {
  const ends = (p.status?.containerStatuses ?? []).map((x: any) => timeOf(x.state?.terminated?.finishedAt));
  return Math.max(timeOf(p.metadata.creationTimestamp), ...ends);
}

function makePods(s: Sync, pods: KubeObject[], active: KubeObject[], n: number): void {
  const { job, c } = s;
  const left = perIndex(job) ? 0 : backoffLeft(s, pods);
  if (left > 0) {
    enqueueAfter(s.queue, s.key, left, false);
    return;
  }
  const indexed = job.spec.completionMode === 'Indexed';
  const taken = parseIndexes(s.status.completedIndexes);
  for (const p of active) taken.add(indexOf(p) ?? -1);
  for (const i of parseIndexes(s.status.failedIndexes)) taken.add(i);
  for (let i = 0, index = 0; i < n; i++) {
    while (indexed && (taken.has(index) || indexWaits(s, pods, index))) index++;
    if (indexed && index >= job.spec.completions) return;
    const pod = podFromTemplate(job.spec.template, job);
    pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), TRACKING];
    if (indexed) addIndex(pod, job, index, pods);
    index++;
    if (isStatus(createPod(c, COMPONENT, job, pod))) {
      enqueueAfter(s.queue, s.key, 1000);
      return;
    }
    s.status.active = (s.status.active ?? 0) + 1;
  }
}

/** With limits of their own indexes have back-offs of their own too. */
function indexWaits(s: Sync, pods: KubeObject[], index: number): boolean {
  if (!perIndex(s.job) || index >= s.job.spec.completions) return false;
  const left = backoffLeft(s, failuresOf(pods, index));
  if (left > 0) enqueueAfter(s.queue, s.key, left, false);
  return left > 0;
}

function addIndex(pod: KubeObject, job: KubeObject, index: number, pods: KubeObject[]): void {
  pod.metadata.generateName = `${job.metadata.name}-${index}-`;
  const counts = perIndex(job) ? failureCounts(job, failuresOf(pods, index).at(-1)) : {};
  pod.metadata.annotations = { ...pod.metadata.annotations, [INDEX]: String(index), ...counts };
  pod.metadata.labels = { ...pod.metadata.labels, [INDEX]: String(index) };
  pod.spec.hostname ??= `${job.metadata.name}-${index}`;
  const env = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } } };
  for (const field of ['initContainers', 'containers']) {
    if (!pod.spec[field]) continue;
    pod.spec[field] = pod.spec[field].map((x: any) =>
      x.env?.some((e: any) => e.name === env.name) ? x : { ...x, env: [...(x.env ?? []), env] },
    );
  }
}

/** Counts, and the end once no pod is left that runs or is on its way out. */
function finish(s: Sync): void {
  const { c, job, status } = s;
  const pods = claim(c, c.podsByOwner, 'pods', job, p => matchLabelSelector(job.spec.selector, p.metadata.labels));
  const active = pods.filter(isActive);
  const terminating = pods.filter(p => p.metadata.deletionTimestamp && !isTerminal(p)).length;
  for (const f of ['active', 'succeeded', 'failed']) if (!status[f]) delete status[f];
  if (active.length) status.active = active.length;
  else delete status.active;
  status.ready = active.filter(isReady).length;
  status.terminating = terminating;
  const recorder = recorderOf(c, COMPONENT);
  const success = conditionOf(status.conditions, 'SuccessCriteriaMet');
  const target = conditionOf(status.conditions, 'FailureTarget');
  if (!active.length && !terminating && success) {
    addCondition(s, 'Complete', 'True', success.reason ?? '', success.message ?? '');
    status.completionTime = rfc3339(c.sim.nowMs);
    recordEvent(recorder, job, 'Normal', 'Completed', 'Job completed');
  } else if (!active.length && !terminating && target) {
    addCondition(s, 'Failed', 'True', target.reason ?? '', target.message ?? '');
    recordEvent(recorder, job, 'Warning', target.reason ?? '', target.message ?? '');
  }
  if (!same(job.status, status)) updateStatus(c.server, { ...job, status });
}

/** TTL-after-finished: jobs that ask for it are deleted with their pods (pkg/controller/ttlafterfinished). */
export function startTtlAfterFinished(c: Controllers): void {
  const queue = newQueue(c.sim, 10, key => {
    const [namespace, name] = splitKey(key);
    const job = getObject(c.server, 'jobs.batch', namespace, name);
    const end = job && finished(job);
    if (!job || !end || job.spec.ttlSecondsAfterFinished === undefined || job.metadata.deletionTimestamp) return;
    const left = timeOf(end.lastTransitionTime) + job.spec.ttlSecondsAfterFinished * 1000 - c.sim.nowMs;
    if (left > 0) enqueueAfter(queue, key, left);
    else deleteObject(c.server, 'jobs.batch', namespace, name, { propagationPolicy: 'Foreground' });
  });
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, 'jobs.batch', c.initial, e => {
      if (e.type !== 'DELETED' && e.object.spec.ttlSecondsAfterFinished !== undefined && finished(e.object))
        enqueue(queue, keyOf(e.object));
    }),
  );
}
