// PodSecurity: namespaces' labels say what their pods may be (k8s.io/pod-security-admission/admission/admission.go v0.36.3).
// There is no audit log: what is only to be audited passes.

import type { Json } from '../../json.ts';
import { forbidden, invalid } from '../../status.ts';
import { getObject, listObjects } from '../../store.ts';
import type { ApiServer, KubeObject, ResourceInfo, Status } from '../../types.ts';
import type { Attempt } from '../policies/match.ts';
import { evaluate, nameOf, type Policy, policyOf, type Standard, sameStandard, stricter } from './standards.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const hasLabels = (o: KubeObject | null | undefined): boolean => {
  for (const k in o?.metadata.labels) if (k.startsWith(PREFIX)) return true;
  return false;
};

/** Where a kind keeps the template of its pods. */
const TEMPLATES: Record<string, (o: KubeObject) => Json> = {
  'replicationcontrollers.': o => o.spec?.template,
  'podtemplates.': o => o.template,
  'replicasets.apps': o => o.spec?.template,
  'deployments.apps': o => o.spec?.template,
  'statefulsets.apps': o => o.spec?.template,
  'daemonsets.apps': o => o.spec?.template,
  'jobs.batch': o => o.spec?.template,
  'cronjobs.batch': o => o.spec?.jobTemplate?.spec?.template,
};

/** null: it may be written. Warnings are added. */
export function podSecurity(a: Attempt, warnings: string[]): Status | null {
  if (!a.object || (a.operation !== 'CREATE' && a.operation !== 'UPDATE')) return null;
  const id = `${a.info.resource}.${a.info.group}`;
  if (id === 'namespaces.') return a.subresource || !hasLabels(a.object) ? null : namespace(a, a.object, warnings);
  const template = TEMPLATES[id];
  if (id !== 'pods.' && (!template || a.subresource)) return null;
  if (id === 'pods.' && !['', 'ephemeralcontainers', 'resize'].includes(a.subresource)) return null;
  const home = getObject(a.server, 'namespaces', '', a.namespace);
  if (!hasLabels(home)) return null;
  const { policy } = policyOf(home?.metadata.labels ?? {});
  if (id === 'pods.') {
    if (a.old && !changesImages(a.object, a.old)) return null;
    return pod(a.info, policy, a.object.metadata, a.object.spec, a.name, warnings);
  }
  const t = template(a.object);
  if (t?.spec) warn(policy.warn, t.metadata, t.spec, warnings);
  return null;
}

const told = (findings: { reason: string; detail: string }[]): string => findings.map(f => `${f.reason} (${f.detail})`).join(', ');

function pod(info: ResourceInfo, policy: Policy, meta: Json, spec: Json, name: string, warnings: string[]): Status | null {
  const findings = evaluate(policy.enforce, meta, spec);
  if (findings.length)
    return forbidden(info.group, info.resource, name, `violates PodSecurity "${nameOf(policy.enforce)}": ${told(findings)}`);
  warn(policy.warn, meta, spec, warnings);
  return null;
}

function warn(standard: Standard, meta: Json, spec: Json, warnings: string[]): void {
  const findings = evaluate(standard, meta, spec);
  if (findings.length) warnings.push(`would violate PodSecurity "${nameOf(standard)}": ${told(findings)}`);
}

/** Other changes of a pod are never asked about. */
function changesImages(o: KubeObject, old: KubeObject): boolean {
  const differ = (now: Json[] = [], before: Json[] = []) => now.length !== before.length || now.some((c, i) => c.image !== before[i].image);
  if (differ(o.spec.containers, old.spec.containers) || differ(o.spec.initContainers, old.spec.initContainers)) return true;
  const before: Json[] = old.spec.ephemeralContainers ?? [];
  return (o.spec.ephemeralContainers ?? []).some((c: Json) => before.find(b => b.name === c.name)?.image !== c.image);
}

/** Labels that mean nothing are refused; of a stricter level's victims among the pods that are there the namespace's owner is told. */
function namespace(a: Attempt, o: KubeObject, warnings: string[]): Status | null {
  const { policy, errors } = policyOf(o.metadata.labels ?? {});
  const before = a.old && policyOf(a.old.metadata.labels ?? {});
  if (errors.length && JSON.stringify(errors) !== JSON.stringify(before?.errors))
    return invalid(a.info.group, a.info.kind, o.metadata.name, errors);
  if (!before || sameStandard(policy.enforce, before.policy.enforce) || policy.enforce.level === 'privileged') return null;
  const sameVersion = policy.enforce.version === before.policy.enforce.version;
  if (sameVersion && !stricter(policy.enforce.level, before.policy.enforce.level)) return null;
  warnings.push(...existingPods(a.server, o.metadata.name, policy.enforce));
  return null;
}

function existingPods(server: ApiServer, name: string, standard: Standard): string[] {
  const podsByReason = new Map<string, string[]>();
  for (const p of listObjects(server, 'pods', name)) {
    const reason = evaluate(standard, p.metadata, p.spec)
      .map(f => f.reason)
      .join(', ');
    if (reason) podsByReason.set(reason, [...(podsByReason.get(reason) ?? []), p.metadata.name]);
  }
  if (!podsByReason.size) return [];
  const lines = [...podsByReason].map(([reason, pods]) => {
    const more = pods.length - 1;
    const others = more ? ` (and ${more} other ${more === 1 ? 'pod' : 'pods'})` : '';
    return `${pods.sort()[0]}${others}: ${reason}`;
  });
  return [`existing pods in namespace "${name}" violate the new PodSecurity enforce level "${nameOf(standard)}"`, ...lines.sort()];
}
