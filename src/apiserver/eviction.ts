// pods/eviction: deletion that PodDisruptionBudgets may refuse (k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go v1.36.3).

import { rfc3339 } from '../sim/time.ts';
import { removeOne } from './delete.ts';
import { cloneJson, isMap, type Json } from './json.ts';
import { matchLabelSelector } from './labels.ts';
import { badRequest, failure, forbidden, isStatus, tooManyRequests } from './status.ts';
import { commit, getObject, keyOf, listObjects } from './store.ts';
import type { ApiRequest, ApiServer, KubeObject, ResourceInfo, Status } from './types.ts';

const PDBS = 'poddisruptionbudgets.policy';
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";

export function evict(server: ApiServer, info: ResourceInfo, req: ApiRequest, pod: KubeObject): Status {
  const body: Json = isMap(req.body) ? req.body : {};
  const { namespace, name } = pod.metadata;
  if (body.metadata?.name && body.metadata.name !== name) return badRequest('name in URL does not match name in Eviction object');
  const options = { ...req.query, ...body.deleteOptions };
  delete options.apiVersion;
  delete options.kind;
  const dryRun = !!(req.query?.dryRun || body.deleteOptions?.dryRun?.length);
  options.dryRun = dryRun;
  const refused = ignoresBudgets(pod) ? null : askBudget(server, pod, dryRun);
  if (refused) return refused;
  if (!dryRun) addCondition(server, pod);
  const gone = removeOne(server, info, namespace, name, options);
  if (isStatus(gone) && gone.status === 'Failure') return gone;
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', code: 201 };
}

const ignoresBudgets = (pod: KubeObject): boolean =>
  ['Succeeded', 'Failed', 'Pending'].includes(pod.status?.phase) || !!pod.metadata.deletionTimestamp;

const isReady = (pod: KubeObject): boolean => (pod.status?.conditions ?? []).some((c: Json) => c.type === 'Ready' && c.status === 'True');

function askBudget(server: ApiServer, pod: KubeObject, dryRun: boolean): Status | null {
  const budgets = listObjects(server, PDBS, pod.metadata.namespace).filter(
    b => b.spec?.selector && matchLabelSelector(b.spec.selector, pod.metadata.labels ?? {}),
  );
  if (!budgets.length) return null;
  if (budgets.length > 1) {
    return failure(500, '', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  }
  const [budget] = budgets;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  if (!isReady(pod)) {
    if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return null;
    if (currentHealthy >= desiredHealthy && desiredHealthy > 0) return null;
  }
  return takeDisruption(server, budget, pod.metadata.name, dryRun);
}

function takeDisruption(server: ApiServer, budget: KubeObject, pod: string, dryRun: boolean): Status | null {
  const { name, namespace } = budget.metadata;
  const status: Json = budget.status ?? {};
  const because = (message: string) => tooManyRequests(REFUSED, [{ reason: 'DisruptionBudget', message }]);
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) {
    return because(`The disruption budget ${name} is still being processed by the server.`);
  }
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) return forbidden('policy', 'poddisruptionbudget', name, 'pdb disruptions allowed is negative');
  if (allowed === 0) return because(whyNone(name, status));
  if (dryRun) return null;
  const next = cloneJson(budget);
  next.status.disruptionsAllowed = allowed - 1;
  next.status.disruptedPods = { ...next.status.disruptedPods, [pod]: rfc3339(server.sim.nowMs) };
  if (allowed === 1) setInsufficient(server, next);
  commit(server, PDBS, keyOf(namespace, name), next);
  return null;
}

function whyNone(name: string, status: Json): string {
  const condition = (status.conditions ?? []).find((c: Json) => c.type === 'DisruptionAllowed');
  const told = condition?.status === 'False' && condition.message;
  const head = `The disruption budget ${name} does not allow evicting pods currently`;
  if (told && condition.reason === 'SyncFailed') return `${head} because it failed sync: ${condition.message}`;
  if ((status.currentHealthy ?? 0) <= (status.desiredHealthy ?? 0)) {
    return `The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`;
  }
  return told ? `${head} (${condition.reason}): ${condition.message}` : head;
}

function setInsufficient(server: ApiServer, budget: KubeObject): void {
  const conditions: Json[] = budget.status.conditions ?? [];
  const old = conditions.find(c => c.type === 'DisruptionAllowed');
  const next = {
    type: 'DisruptionAllowed',
    status: 'False',
    observedGeneration: budget.status.observedGeneration,
    lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : rfc3339(server.sim.nowMs),
    reason: 'InsufficientPods',
    message: '',
  };
  budget.status.conditions = old ? conditions.map(c => (c === old ? next : c)) : [...conditions, next];
}

function addCondition(server: ApiServer, pod: KubeObject): void {
  const { namespace, name } = pod.metadata;
  const now = getObject(server, 'pods', namespace, name);
  if (!now) return;
  const next = cloneJson(now);
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: rfc3339(server.sim.nowMs),
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  const rest = (next.status?.conditions ?? []).filter((c: Json) => c.type !== 'DisruptionTarget');
  next.status = { ...next.status, conditions: [...rest, condition] };
  commit(server, 'pods', keyOf(namespace, name), next);
}
