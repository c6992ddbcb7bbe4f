// CronJobs: a Job at each scheduled minute (pkg/controller/cronjob v1.36).
import { createObject, deleteObject, updateStatus } from '../apiserver/client.ts';
import { recordEvent, referenceTo } from '../apiserver/recorder.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { rfc3339 } from '../sim/time.ts';
import { type Condition, type Controllers, isStatus, recorderOf, same } from './context.ts';
import { nextAfter, parseSchedule } from './cron-schedule.ts';
import { ownerReference, timeOf } from './pods.ts';
import { controllerOf, enqueue, enqueueAfter, indexed, keyOf, newQueue, type Queue, splitKey, watchAll } from './queue.ts';

const COMPONENT = 'cronjob-controller';

export function startCronJobs(c: Controllers): void {
  const queue = newQueue(c.sim, 10, key => syncCronJob(c, queue, key));
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, 'cronjobs.batch', c.initial, e => {
      if (e.type !== 'DELETED') enqueue(queue, keyOf(e.object));
    }),
    watchAll(c.server, 'jobs.batch', false, e => {
      const ref = controllerOf(e.object);
      if (ref?.kind === 'CronJob') enqueue(queue, `${e.object.metadata.namespace}/${ref.name}`);
    }),
  );
}

const endOf = (job: KubeObject): Condition | undefined =>
  job.status?.conditions?.find((x: Condition) => (x.type === 'Complete' || x.type === 'Failed') && x.status === 'True');

function syncCronJob(c: Controllers, queue: Queue, key: string): void {
  const [namespace, name] = splitKey(key);
  const cj = getObject(c.server, 'cronjobs.batch', namespace, name);
  if (!cj) return;
  const jobs = indexed(c.jobsByOwner, cj.metadata.uid as string);
  const status: any = { ...cj.status, active: [...(cj.status?.active ?? [])] };
  noteJobs(c, cj, jobs, status);
  if (!cj.metadata.deletionTimestamp && !cj.spec.suspend) run(c, queue, key, cj, jobs, status);
  cleanUp(c, cj, jobs);
  if (!status.active.length) delete status.active;
  if (!same(cj.status, status)) updateStatus(c.server, { ...cj, status });
}

/** Jobs that ended, that went missing, and that are not ours. */
function noteJobs(c: Controllers, cj: KubeObject, jobs: KubeObject[], status: any): void {
  const recorder = recorderOf(c, COMPONENT);
  for (const j of jobs) {
    const at = status.active.findIndex((r: any) => r.uid === j.metadata.uid);
    const end = endOf(j);
    if (at < 0 && !end) {
      const still = getObject(c.server, 'jobs.batch', j.metadata.namespace, j.metadata.name);
      if (still)
        recordEvent(recorder, cj, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${j.metadata.name}`);
    } else if (at >= 0 && end) {
      status.active.splice(at, 1);
      recordEvent(recorder, cj, 'Normal', 'SawCompletedJob', `Saw completed job: ${j.metadata.name}, condition: ${end.type}`);
    }
    if (end?.type === 'Complete') {
      const done = j.status.completionTime;
      if (!status.lastSuccessfulTime || timeOf(done) > timeOf(status.lastSuccessfulTime)) status.lastSuccessfulTime = done;
    }
  }
  for (const ref of [...status.active]) {
    if (jobs.some(j => j.metadata.uid === ref.uid)) continue;
    recordEvent(recorder, cj, 'Normal', 'MissingJob', `Active job went missing: ${ref.name}`);
    status.active = status.active.filter((r: any) => r.uid !== ref.uid);
  }
}

function run(c: Controllers, queue: Queue, key: string, cj: KubeObject, jobs: KubeObject[], status: any): void {
  const recorder = recorderOf(c, COMPONENT);
  const schedule = parseSchedule(cj.spec.schedule.replace(/^(?:CRON_)?TZ=\S+\s+/, ''));
  if (!schedule) {
    recordEvent(recorder, cj, 'Warning', 'UnparseableSchedule', `unparseable schedule: "${cj.spec.schedule}"`);
    return;
  }
  const now = c.sim.nowMs;
  const earliest = timeOf(status.lastScheduleTime) || timeOf(cj.metadata.creationTimestamp);
  const deadline = cj.spec.startingDeadlineSeconds;
  const from = deadline === undefined ? earliest : Math.max(earliest, now - deadline * 1000);
  let due: number | null = null;
  for (let t = nextAfter(schedule, from), n = 0; t !== null && t <= now && n < 100_000; t = nextAfter(schedule, t), n++) due = t;
  const next = nextAfter(schedule, now);
  if (next !== null) enqueueAfter(queue, key, next - now + 20);
  if (due === null) return;
  const jobName = `${cj.metadata.name}-${Math.floor(due / 60_000)}`;
  if (jobs.some(j => j.metadata.name === jobName) || status.active.some((r: any) => r.name === jobName)) return;
  if (cj.spec.concurrencyPolicy === 'Forbid' && status.active.length) {
    recordEvent(
      recorder,
      cj,
      'Normal',
      'JobAlreadyActive',
      'Not starting job because prior execution is running and concurrency policy is Forbid',
    );
    return;
  }
  if (cj.spec.concurrencyPolicy === 'Replace') {
    for (const ref of status.active) removeJob(c, cj, ref.name);
    status.active = [];
  }
  const made = createObject(c.server, jobFrom(cj, jobName, due));
  if (isStatus(made)) {
    if (!made.details?.causes?.some(x => x.reason === 'NamespaceTerminating') && made.reason !== 'AlreadyExists') {
      recordEvent(recorder, cj, 'Warning', 'FailedCreate', `Error creating job: ${made.message}`);
    }
    return;
  }
  recordEvent(recorder, cj, 'Normal', 'SuccessfulCreate', `Created job ${made.metadata.name}`);
  status.active.push(referenceTo(made));
  status.lastScheduleTime = rfc3339(due);
}

function jobFrom(cj: KubeObject, name: string, dueMs: number): KubeObject {
  const t = cj.spec.jobTemplate;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: cj.metadata.namespace,
      ...(t.metadata?.labels ? { labels: t.metadata.labels } : {}),
      annotations: { ...t.metadata?.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': rfc3339(dueMs) },
      ownerReferences: [ownerReference(cj)],
    },
    spec: t.spec,
  };
}

function removeJob(c: Controllers, cj: KubeObject, name: string): void {
  const gone = deleteObject(c.server, 'jobs.batch', cj.metadata.namespace, name, { propagationPolicy: 'Background' });
  const recorder = recorderOf(c, COMPONENT);
  if (isStatus(gone) && gone.status === 'Failure') recordEvent(recorder, cj, 'Warning', 'FailedDelete', `Deleted job: ${gone.message}`);
  else recordEvent(recorder, cj, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
}

/** The histories' limits: the oldest of each kind go. */
function cleanUp(c: Controllers, cj: KubeObject, jobs: KubeObject[]): void {
  for (const [type, limit] of [
    ['Complete', cj.spec.successfulJobsHistoryLimit ?? 3],
    ['Failed', cj.spec.failedJobsHistoryLimit ?? 1],
  ] as const) {
    const ended = jobs.filter(j => endOf(j)?.type === type && !j.metadata.deletionTimestamp);
    ended.sort((a, b) => timeOf(a.status?.startTime) - timeOf(b.status?.startTime));
    for (const j of ended.slice(0, Math.max(0, ended.length - limit))) removeJob(c, cj, j.metadata.name);
  }
}
