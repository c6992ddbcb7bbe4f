// What a Job makes of failed pods: podFailurePolicy, and the failures of each index (pkg/controller/job/pod_failure_policy.go,
// indexed_job_utils.go v1.36).
import type { KubeObject } from '../apiserver/types.ts';
import { indexOf } from './job-indexes.ts';

const FAILURES = 'batch.kubernetes.io/job-index-failure-count';
const IGNORED = 'batch.kubernetes.io/job-index-ignored-failure-count';

export type FailureAction = 'Count' | 'Ignore' | 'FailIndex' | 'FailJob';

/** The first rule that matches decides; without one the failure counts. */
export function failureAction(job: KubeObject, pod: KubeObject): { action: FailureAction; message?: string } {
  for (const [i, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const where = `matching ${rule.action} rule at index ${i}`;
    const { namespace, name } = pod.metadata;
    if (rule.onExitCodes) {
      const hit = exitOf(pod, rule.onExitCodes);
      if (!hit) continue;
      const code = hit.state.terminated.exitCode;
      return { action: rule.action, message: `Container ${hit.name} for pod ${namespace}/${name} failed with exit code ${code} ${where}` };
    }
    const condition = (rule.onPodConditions ?? []).find((want: any) =>
      (pod.status?.conditions ?? []).some((c: any) => c.type === want.type && c.status === (want.status ?? 'True')),
    );
    if (condition) return { action: rule.action, message: `Pod ${namespace}/${name} has condition ${condition.type} ${where}` };
  }
  return { action: 'Count' };
}

function exitOf(pod: KubeObject, rule: any): any {
  const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return all.find((s: any) => {
    const code = s.state?.terminated?.exitCode;
    if (!code || (rule.containerName && rule.containerName !== s.name)) return false;
    return rule.operator === 'In' ? rule.values.includes(code) : !rule.values.includes(code);
  });
}

const numberAt = (pod: KubeObject, key: string): number => Number(pod.metadata.annotations?.[key] ?? 0);

/** Has this failed pod's index failed for good? */
export function indexFailed(job: KubeObject, pod: KubeObject): boolean {
  return failureAction(job, pod).action === 'FailIndex' || numberAt(pod, FAILURES) >= (job.spec.backoffLimitPerIndex ?? 0);
}

/** The failed pods of an index, the latest last. */
export function failuresOf(pods: KubeObject[], index: number): KubeObject[] {
  return pods
    .filter(p => p.status?.phase === 'Failed' && indexOf(p) === index)
    .sort((a, b) => numberAt(a, FAILURES) + numberAt(a, IGNORED) - (numberAt(b, FAILURES) + numberAt(b, IGNORED)));
}

/** What the next pod of an index carries: how often its like has failed. */
export function failureCounts(job: KubeObject, last: KubeObject | undefined): Record<string, string> {
  if (!last) return { [FAILURES]: '0' };
  const ignored = failureAction(job, last).action === 'Ignore';
  const count = numberAt(last, FAILURES) + (ignored ? 0 : 1);
  const passed = numberAt(last, IGNORED) + (ignored ? 1 : 0);
  return { [FAILURES]: String(count), ...(passed ? { [IGNORED]: String(passed) } : {}) };
}
