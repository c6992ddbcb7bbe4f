// Sums over a pod's containers (k8s.io/component-helpers/resource/helpers.go v0.36.3) and its quality of service.

import { compareQuantity, formatQuantity, type Quantity, quantity } from '../quantity.ts';

type Spec = any;
type List = Record<string, string>;

function add(into: Map<string, Quantity>, list: List | undefined): void {
  for (const k in list) {
    const q = quantity(list[k]);
    const old = into.get(k);
    into.set(k, old ? { nano: old.nano + q.nano, format: old.format } : q);
  }
}

function max(into: Map<string, Quantity>, list: Map<string, Quantity>): void {
  for (const [k, q] of list) {
    const old = into.get(k);
    if (!old || compareQuantity(q, old) > 0) into.set(k, q);
  }
}

function aggregate(spec: Spec, field: 'requests' | 'limits'): Map<string, Quantity> {
  const sum = new Map<string, Quantity>();
  for (const c of spec.containers ?? []) add(sum, c.resources?.[field]);
  const sidecars = new Map<string, Quantity>();
  const init = new Map<string, Quantity>();
  for (const c of spec.initContainers ?? []) {
    const now = new Map(sidecars);
    if (c.restartPolicy === 'Always') {
      add(sum, c.resources?.[field]);
      add(sidecars, c.resources?.[field]);
      max(init, sidecars);
      continue;
    }
    add(now, c.resources?.[field]);
    max(init, now);
  }
  max(sum, init);
  return sum;
}

const print = (m: Map<string, Quantity>): List => Object.fromEntries([...m].map(([k, q]) => [k, formatQuantity(q)]));

export const aggregateRequests = (spec: Spec): List => print(aggregate(spec, 'requests'));

/** What the scheduler and quotas count, with pod-level values and overhead. */
export function podRequests(spec: Spec): List {
  const all = { ...print(aggregate(spec, 'requests')), ...spec.resources?.requests };
  const sum = new Map<string, Quantity>();
  add(sum, all);
  add(sum, spec.overhead);
  return print(sum);
}

export function podLimits(spec: Spec): List {
  const all = { ...print(aggregate(spec, 'limits')), ...spec.resources?.limits };
  const sum = new Map<string, Quantity>();
  add(sum, all);
  if (spec.overhead) for (const k in spec.overhead) if (k in all) add(sum, { [k]: spec.overhead[k] });
  return print(sum);
}

/** pkg/apis/core/v1/helper/qos */
export function qosClass(spec: Spec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const parts =
    spec.resources && (spec.resources.requests || spec.resources.limits)
      ? [spec]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const positive = (list: List | undefined) => ['cpu', 'memory'].filter(k => list?.[k] !== undefined && quantity(list[k]).nano > 0n);
  let any = false;
  let guaranteed = true;
  for (const c of parts) {
    const requests = positive(c.resources?.requests);
    const limits = positive(c.resources?.limits);
    if (requests.length || limits.length) any = true;
    if (limits.length < 2) guaranteed = false;
    for (const k of requests) {
      const l = c.resources.limits?.[k];
      if (l === undefined || compareQuantity(quantity(l), quantity(c.resources.requests[k]))) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
