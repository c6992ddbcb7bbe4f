// LimitRanger: defaults and bounds of containers, pods and claims (plugin/pkg/admission/limitranger v1.36.3).

import { podLimits, podRequests } from '../kinds/pod-resources.ts';
import { formatQuantity, quantity } from '../quantity.ts';
import { forbidden } from '../status.ts';
import { listObjects } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { KubeObject, Status } from '../types.ts';

type List = Record<string, string>;

const NOTE = 'kubernetes.io/limit-ranger';

/** The namespace's ranges, for a request that they apply to. */
function rangesFor(c: WriteContext, o: KubeObject, old: KubeObject | null): KubeObject[] {
  const { info, request, server } = c;
  if (info.group || request.subresource || old?.metadata.deletionTimestamp) return [];
  const pod = info.resource === 'pods' && !old;
  return pod || info.resource === 'persistentvolumeclaims' ? listObjects(server, 'limitranges', o.metadata.namespace) : [];
}

/** Before validation: containers without requests or limits of their own get the namespace's. */
export function defaultLimits(c: WriteContext, o: KubeObject, old: KubeObject | null): void {
  if (c.info.resource !== 'pods') return;
  for (const range of rangesFor(c, o, old)) {
    const requests: List = {};
    const limits: List = {};
    for (const limit of range.spec?.limits ?? []) {
      if (limit.type !== 'Container') continue;
      Object.assign(requests, limit.defaultRequest);
      Object.assign(limits, limit.default);
    }
    const notes = [
      ...(o.spec.containers ?? []).flatMap((x: any) => defaultContainer(x, requests, limits, 'container')),
      ...(o.spec.initContainers ?? []).flatMap((x: any) => defaultContainer(x, requests, limits, 'init container')),
    ];
    if (notes.length) o.metadata.annotations = { ...o.metadata.annotations, [NOTE]: `LimitRanger plugin set: ${notes.join('; ')}` };
  }
}

/** -> what was set, in words */
function defaultContainer(container: any, requests: List, limits: List, what: string): string[] {
  const notes: string[] = [];
  const fill = (field: 'requests' | 'limits', list: List, word: string) => {
    const missing = Object.keys(list)
      .filter(k => container.resources?.[field]?.[k] === undefined)
      .sort();
    if (!missing.length) return;
    const add = Object.fromEntries(missing.map(k => [k, list[k]]));
    container.resources = { ...container.resources, [field]: { ...container.resources?.[field], ...add } };
    notes.push(`${missing.join(', ')} ${word} for ${what} ${container.name}`);
  };
  fill('requests', requests, 'request');
  fill('limits', limits, 'limit');
  return notes;
}

/** After validation: whether the object keeps to the bounds. Resources are looked at in the order of their names. */
export function checkLimits(c: WriteContext, o: KubeObject, old: KubeObject | null): Status | null {
  for (const range of rangesFor(c, o, old)) {
    const errors = c.info.resource === 'pods' ? podErrors(range, o) : claimErrors(range, o);
    const all = [...new Set(errors)];
    if (all.length) return forbidden('', c.info.resource, o.metadata.name, all.length > 1 ? `[${all.join(', ')}]` : all[0]);
  }
  return null;
}

function podErrors(range: KubeObject, pod: KubeObject): string[] {
  const errors: string[] = [];
  for (const limit of range.spec?.limits ?? []) {
    if (limit.type === 'Container') {
      for (const x of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
        errors.push(...bounds(limit, x.resources?.requests ?? {}, x.resources?.limits ?? {}));
      }
    } else if (limit.type === 'Pod') {
      const spec = { ...pod.spec, overhead: undefined };
      errors.push(...bounds(limit, podRequests(spec), podLimits(spec)));
    }
  }
  return errors;
}

function claimErrors(range: KubeObject, claim: KubeObject): string[] {
  const requests: List = claim.spec?.resources?.requests ?? {};
  const errors: string[] = [];
  for (const limit of range.spec?.limits ?? []) {
    if (limit.type !== 'PersistentVolumeClaim') continue;
    for (const [k, bound] of sorted(limit.min)) errors.push(...below(limit.type, k, bound, requests[k], undefined));
    for (const [k, bound] of sorted(limit.max)) {
      const start = `maximum ${k} usage per ${limit.type} is ${bound}`;
      if (requests[k] === undefined) errors.push(`${start}.  No request is specified`);
      else if (more(requests[k], bound)) errors.push(`${start}, but request is ${requests[k]}`);
    }
  }
  return errors;
}

const sorted = (list: List | undefined): [string, string][] => Object.entries(list ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
const more = (a: string, b: string): boolean => quantity(a).nano > quantity(b).nano;

function bounds(limit: any, requests: List, limits: List): string[] {
  return [
    ...sorted(limit.min).flatMap(([k, bound]) => below(limit.type, k, bound, requests[k], limits[k])),
    ...sorted(limit.max).flatMap(([k, bound]) => above(limit.type, k, bound, requests[k], limits[k])),
    ...sorted(limit.maxLimitRequestRatio).flatMap(([k, bound]) => ratio(limit.type, k, bound, requests[k], limits[k])),
  ];
}

function below(type: string, name: string, bound: string, request: string | undefined, limit: string | undefined): string[] {
  const start = `minimum ${name} usage per ${type} is ${bound}`;
  if (request === undefined) return [`${start}.  No request is specified`];
  if (more(bound, request)) return [`${start}, but request is ${request}`];
  return limit !== undefined && more(bound, limit) ? [`${start}, but limit is ${limit}`] : [];
}

function above(type: string, name: string, bound: string, request: string | undefined, limit: string | undefined): string[] {
  const start = `maximum ${name} usage per ${type} is ${bound}`;
  if (limit === undefined) return [`${start}.  No limit is specified`];
  if (more(limit, bound)) return [`${start}, but limit is ${limit}`];
  return request !== undefined && more(request, bound) ? [`${start}, but request is ${request}`] : [];
}

function ratio(type: string, name: string, bound: string, request: string | undefined, limit: string | undefined): string[] {
  const start = `${name} max limit to request ratio per ${type} is ${formatQuantity(quantity(bound))}`;
  const [asked, most] = [quantity(request ?? '0').nano, quantity(limit ?? '0').nano];
  if (asked === 0n) return [`${start}, but no request is specified or request is 0`];
  if (most === 0n) return [`${start}, but no limit is specified or limit is 0`];
  const observed = Number(most) / Number(asked);
  return observed * 1e9 > Number(quantity(bound).nano) ? [`${start}, but provided ratio is ${observed.toFixed(6)}`] : [];
}
