// ResourceQuota: the last word of admission (k8s.io/apiserver/pkg/admission/plugin/resourcequota v0.36.3).

import { podLimits, podRequests } from '../kinds/pod-resources.ts';
import { formatQuantity } from '../quantity.ts';
import { forbidden } from '../status.ts';
import { bucketName, commit, keyOf, listObjects } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { KubeObject, Status } from '../types.ts';
import { addUsage, countedNames, inScopes, objectUsage, plus, printUsage, type Usage, usageOf, ZERO } from './quota-usage.ts';

export const QUOTAS = 'resourcequotas';
const NEVER = new Set(['bindings', 'events', 'events.events.k8s.io', 'localsubjectaccessreviews.authorization.k8s.io']);

/** Services and claims may use more after a change; everything else counts when it is made. */
function handles(c: WriteContext, old: KubeObject | null): boolean {
  const { info, request } = c;
  if (!info.namespaced || NEVER.has(bucketName(info.group, info.resource)) || request.subresource) return false;
  return !old || (!info.group && (info.resource === 'services' || info.resource === 'persistentvolumeclaims'));
}

/** Refuses what does not fit, and books what does. */
export function chargeQuotas(c: WriteContext, o: KubeObject, old: KubeObject | null): Status | null {
  if (!handles(c, old)) return null;
  const { server, info } = c;
  const refuse = (why: string) => forbidden(info.group, info.resource, o.metadata.name, why);
  const booked: { quota: KubeObject; used: Usage }[] = [];
  for (const quota of listObjects(server, QUOTAS, o.metadata.namespace)) {
    const hard = usageOf(quota.status?.hard);
    const names = countedNames(info, [...hard.keys()]).sort();
    if (!names.length || !inScopes(info, quota, o)) continue;
    const missing = info.resource === 'pods' && !info.group ? missingCompute(o.spec, names) : '';
    if (missing) return refuse(`failed quota: ${quota.metadata.name}: must specify ${missing}`);
    const used = usageOf(quota.status?.used);
    const unknown = names.filter(n => !used.has(n));
    if (unknown.length) return refuse(`status unknown for quota: ${quota.metadata.name}, resources: ${unknown.join(',')}`);
    const asked = requested(c, quota, o, old);
    const wanted = names.filter(n => asked.has(n));
    const over = wanted.filter(n => plus(used.get(n) ?? ZERO, asked.get(n) ?? ZERO).nano > (hard.get(n) ?? ZERO).nano);
    if (over.length) {
      const list = (u: Usage) => over.map(n => `${n}=${formatQuantity(u.get(n) ?? ZERO)}`).join(',');
      return refuse(`exceeded quota: ${quota.metadata.name}, requested: ${list(asked)}, used: ${list(used)}, limited: ${list(hard)}`);
    }
    if (!wanted.length) continue;
    addUsage(used, new Map(wanted.map(n => [n, asked.get(n) ?? ZERO])));
    booked.push({ quota, used });
  }
  if (!c.dryRun) for (const { quota, used } of booked) book(c, quota, used);
  return null;
}

function book(c: WriteContext, quota: KubeObject, used: Usage): void {
  const next = { ...quota, metadata: { ...quota.metadata }, status: { ...quota.status, used: printUsage(used) } };
  commit(c.server, QUOTAS, keyOf(quota.metadata.namespace, quota.metadata.name), next);
}

/** Without what the object used before, and without zeros. */
function requested(c: WriteContext, quota: KubeObject, o: KubeObject, old: KubeObject | null): Usage {
  const now = objectUsage(c.server, c.info, o);
  const before: Usage = old && inScopes(c.info, quota, old) ? objectUsage(c.server, c.info, old) : new Map();
  const out: Usage = new Map();
  for (const [k, q] of now) {
    const nano = q.nano - (before.get(k)?.nano ?? 0n);
    if (nano > 0n) out.set(k, { nano, format: q.format });
  }
  return out;
}

const REQUIRED = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

/** Every container has to say what a quota of CPU or memory counts. */
function missingCompute(spec: any, names: string[]): string {
  if (
    spec.resources &&
    (Object.keys(podRequests({ resources: spec.resources })).length || Object.keys(podLimits({ resources: spec.resources })).length)
  )
    return '';
  const parts: string[] = [];
  for (const name of names.filter(n => REQUIRED.includes(n))) {
    const field = name.startsWith('limits.') ? 'limits' : 'requests';
    const key = name.slice(name.indexOf('.') + 1);
    const without = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].filter(x => x.resources?.[field]?.[key] === undefined);
    if (without.length) parts.push(`${name} for: ${[...new Set(without.map(x => x.name))].sort().join(',')}`);
  }
  return parts.join('; ');
}
