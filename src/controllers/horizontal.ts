// HorizontalPodAutoscalers by resource metrics, when somebody serves them (pkg/controller/podautoscaler/horizontal.go v1.36).

import { updateStatus } from '../apiserver/client.ts';
import { recordEvent } from '../apiserver/recorder.ts';
import { resourceOfBucket, resourceOfKind } from '../apiserver/resources.ts';
import { handle } from '../apiserver/server.ts';
import { isStatus } from '../apiserver/status.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { cancel, type SimEvent, schedule } from '../sim/sim.ts';
import { parseRfc3339, rfc3339 } from '../sim/time.ts';
import { type Condition, type Controllers, recorderOf, same } from './context.ts';
import { enqueue, keyOf, newQueue, splitKey, watchAll } from './queue.ts';
import { POD_METRICS, type Proposal, propose } from './resource-metrics.ts';

const BUCKET = 'horizontalpodautoscalers.autoscaling';
const COMPONENT = 'horizontal-pod-autoscaler';
const PERIOD_MS = 15_000;

export function startHorizontal(c: Controllers): void {
  const queue = newQueue(c.sim, 15, key => syncAutoscaler(c, key));
  c.queues.push(queue);
  let tick: SimEvent;
  const loop = () => {
    for (const h of listObjects(c.server, BUCKET)) syncAutoscaler(c, keyOf(h));
    tick = schedule(c.sim, PERIOD_MS, loop, true);
  };
  tick = schedule(c.sim, PERIOD_MS, loop, true);
  c.stops.push(
    () => cancel(c.sim, tick),
    watchAll(c.server, BUCKET, c.initial, e => {
      if (e.type === 'ADDED' || (e.type === 'MODIFIED' && !same(e.old?.spec, e.object.spec))) enqueue(queue, keyOf(e.object));
    }),
    // The first metrics of a pod: an autoscaler that waited for them need not wait for its next turn.
    watchAll(c.server, POD_METRICS, false, e => {
      if (e.type === 'ADDED') for (const h of listObjects(c.server, BUCKET, e.object.metadata.namespace)) enqueue(queue, keyOf(h));
    }),
  );
}

interface Sync {
  c: Controllers;
  hpa: KubeObject;
  status: any;
}

function setCondition(s: Sync, type: string, status: string, reason: string, message: string): void {
  const conditions: Condition[] = s.status.conditions ?? [];
  const old = conditions.find(x => x.type === type);
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : rfc3339(s.c.sim.nowMs);
  const next = { type, status, lastTransitionTime, reason, message };
  s.status.conditions = old ? conditions.map(x => (x === old ? next : x)) : [...conditions, next];
}

function syncAutoscaler(c: Controllers, key: string): void {
  const [namespace, name] = splitKey(key);
  const hpa = getObject(c.server, BUCKET, namespace, name);
  if (!hpa) return;
  const s: Sync = { c, hpa, status: { ...hpa.status } };
  reconcile(s);
  if (!same(hpa.status, s.status)) updateStatus(c.server, { ...hpa, apiVersion: 'autoscaling/v2', status: s.status });
}

function reconcile(s: Sync): void {
  const { c, hpa } = s;
  const recorder = recorderOf(c, COMPONENT);
  const ref = hpa.spec.scaleTargetRef;
  const info = resourceOfKind(c.server, ref.apiVersion ?? 'v1', ref.kind);
  const [group, version, resource] = [info?.group ?? '', info?.version ?? 'v1', info?.resource ?? `${ref.kind.toLowerCase()}s`];
  const target = { group, version, resource, namespace: hpa.metadata.namespace, name: ref.name, subresource: 'scale' };
  const got = info ? handle(c.server, { verb: 'get', ...target }).body : null;
  if (!got || isStatus(got)) {
    const why = got && isStatus(got) ? got.message : `no matches for kind "${ref.kind}" in group "${(ref.apiVersion ?? '').split('/')[0]}"`;
    recordEvent(recorder, hpa, 'Warning', 'FailedGetScale', why ?? '');
    setCondition(s, 'AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${why}`);
    return;
  }
  const scale = got as KubeObject;
  setCondition(s, 'AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
  const replicas = scale.spec?.replicas ?? 0;
  const current = scale.status?.replicas ?? 0;
  s.status.currentReplicas = current;
  s.status.desiredReplicas = 0;
  s.status.currentMetrics = null;
  const min = hpa.spec.minReplicas ?? 1;
  if (replicas === 0 && min !== 0) {
    setCondition(s, 'ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero');
    return;
  }
  if (current > hpa.spec.maxReplicas) {
    rescale(s, scale, target, hpa.spec.maxReplicas, 'Current number of replicas above Spec.MaxReplicas');
    return;
  }
  if (current < min) {
    rescale(s, scale, target, min, 'Current number of replicas below Spec.MinReplicas');
    return;
  }
  byMetrics(s, scale, target);
}

const STABILIZATION_MS = 300_000;

/** The greatest proposal counts; a smaller number of replicas has to be proposed for five minutes. */
function byMetrics(s: Sync, scale: KubeObject, target: any): void {
  const { c, hpa } = s;
  const current: number = scale.status?.replicas ?? 0;
  const metrics: any[] = hpa.spec.metrics ?? [];
  const proposals: (Proposal & { metric: any })[] = [];
  const failures: Failure[] = [];
  for (const m of metrics) {
    const got = proposalOf(s, m, scale, current);
    if (Array.isArray(got)) failures.push(got);
    else proposals.push({ ...got, metric: m });
  }
  for (const [reason, why] of failures) recordEvent(recorderOf(c, COMPONENT), hpa, 'Warning', reason, why);
  const best = proposals.reduce<(typeof proposals)[number] | null>((a, b) => (a && a.replicas >= b.replicas ? a : b), null);
  // With a metric missing nobody knows whether fewer would do.
  if (!best || (failures.length && best.replicas < current)) {
    noMetrics(s, failures);
    return;
  }
  const key = (m: any) => (m.type === 'ContainerResource' ? 'containerResource' : 'resource');
  s.status.currentMetrics = proposals.map(p => {
    const source = p.metric[key(p.metric)];
    const container = source.container ? { container: source.container } : {};
    return { type: p.metric.type, [key(p.metric)]: { ...container, name: source.name, current: p.current } };
  });
  const [wanted, stabilized] = settled(s, best.replicas, current);
  setCondition(
    s,
    'AbleToScale',
    'True',
    stabilized ? 'ScaleDownStabilized' : 'ReadyForNewScale',
    stabilized
      ? 'recent recommendations were higher than current one, applying the highest recent recommendation'
      : 'recommended size matches current size',
  );
  setCondition(
    s,
    'ScalingActive',
    'True',
    'ValidMetricFound',
    `the HPA was able to successfully calculate a replica count from ${best.name}`,
  );
  const min = hpa.spec.minReplicas ?? 1;
  const replicas = Math.min(Math.max(wanted, min), hpa.spec.maxReplicas);
  if (wanted < min)
    setCondition(s, 'ScalingLimited', 'True', 'TooFewReplicas', 'the desired replica count is less than the minimum replica count');
  else if (wanted > hpa.spec.maxReplicas)
    setCondition(s, 'ScalingLimited', 'True', 'TooManyReplicas', 'the desired replica count is more than the maximum replica count');
  else setCondition(s, 'ScalingLimited', 'False', 'DesiredWithinRange', 'the desired count is within the acceptable range');
  s.status.desiredReplicas = replicas;
  if (replicas === current) return;
  rescale(s, scale, target, replicas, replicas > current ? `${best.name} above target` : 'All metrics below target');
}

/** -> the number, and whether an earlier higher one is kept */
function settled(s: Sync, wanted: number, current: number): [number, boolean] {
  if (wanted >= current) return [wanted, false];
  const window = s.hpa.spec.behavior?.scaleDown?.stabilizationWindowSeconds;
  const since = s.status.lastScaleTime ?? s.hpa.metadata.creationTimestamp;
  const passed = s.c.sim.nowMs - (parseRfc3339(since ?? '') ?? 0);
  return passed < (window === undefined ? STABILIZATION_MS : window * 1000) ? [current, true] : [wanted, false];
}

type Failure = [reason: string, condition: string, listed: string];

function proposalOf(s: Sync, m: any, scale: KubeObject, current: number): Proposal | Failure {
  const source = m.type === 'Resource' ? m.resource : m.type === 'ContainerResource' ? m.containerResource : null;
  if (!source || !resourceOfBucket(s.c.server, POD_METRICS)) return failureOf(m);
  const got = propose(s.c, {
    namespace: s.hpa.metadata.namespace ?? '',
    selector: scale.status?.selector ?? '',
    replicas: current,
    source,
    container: source.container,
  });
  if (typeof got !== 'string') return got;
  const kind = source.target?.type === 'Utilization' ? 'utilization' : 'usage';
  const why = `failed to get ${source.name} ${kind}: ${got}`;
  const reason = m.type === 'Resource' ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric';
  return [reason, why, `failed to get ${source.name} ${m.type === 'Resource' ? 'resource' : 'container'} metric value: ${why}`];
}

function rescale(s: Sync, scale: KubeObject, target: any, replicas: number, reason: string): void {
  const body = { ...scale, spec: { ...scale.spec, replicas } };
  const done = handle(s.c.server, { verb: 'update', ...target, body }).body;
  const recorder = recorderOf(s.c, COMPONENT);
  if (isStatus(done)) {
    recordEvent(recorder, s.hpa, 'Warning', 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${done.message}`);
    setCondition(
      s,
      'AbleToScale',
      'False',
      'FailedUpdateScale',
      `the HPA controller was unable to update the target scale: ${done.message}`,
    );
    return;
  }
  setCondition(s, 'AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${replicas}`);
  recordEvent(recorder, s.hpa, 'Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`);
  s.status.desiredReplicas = replicas;
  s.status.lastScaleTime = rfc3339(s.c.sim.nowMs);
}

const MISSING: Record<string, string> = {
  resource: 'unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
  custom: 'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
  external: 'unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered',
};

/** What each kind of metric says when nobody serves it: [reason, condition's text, text in the list of errors]. */
function failureOf(m: any): Failure {
  if (m.type === 'Resource' || m.type === 'ContainerResource') {
    const source = m.type === 'Resource' ? m.resource : m.containerResource;
    const kind = source.target?.type === 'Utilization' ? 'utilization' : 'usage';
    const why = `failed to get ${source.name} ${kind}: unable to get metrics for resource ${source.name}: ${MISSING.resource}`;
    const reason = m.type === 'Resource' ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric';
    const what = m.type === 'Resource' ? `${source.name} resource` : `${source.name} container`;
    return [reason, why, `failed to get ${what} metric value: ${why}`];
  }
  if (m.type === 'Pods') {
    const why = `unable to get metric ${m.pods.metric.name}: ${MISSING.custom}`;
    return ['FailedGetPodsMetric', why, `failed to get pods metric value: ${why}`];
  }
  if (m.type === 'Object') {
    const o = m.object.describedObject;
    const why = `unable to get metric ${m.object.metric.name}: ${o.kind} on ${o.name}: ${MISSING.custom}`;
    return ['FailedGetObjectMetric', why, `failed to get object metric value: ${why}`];
  }
  const why = `unable to get external metric ${m.external?.metric?.name}: ${MISSING.external}`;
  return ['FailedGetExternalMetric', why, `failed to get ${m.external?.metric?.name} external metric value: ${why}`];
}

function noMetrics(s: Sync, failures: Failure[]): void {
  const recorder = recorderOf(s.c, COMPONENT);
  const metrics: any[] = s.hpa.spec.metrics ?? [];
  if (!failures.length) return;
  const [reason, why, listed] = failures[0];
  setCondition(s, 'ScalingActive', 'False', reason, `the HPA was unable to compute the replica count: ${why}`);
  const n = metrics.length;
  const text = `invalid metrics (${failures.length} invalid out of ${n}), first error is: ${listed}`;
  recordEvent(recorder, s.hpa, 'Warning', 'FailedComputeMetricsReplicas', text);
}
