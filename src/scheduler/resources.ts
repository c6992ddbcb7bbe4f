// Requests of pods (k8s.io/component-helpers/resource v0.36).
import { parseQuantity } from '../apiserver/quantity.ts';
import type { KubeObject } from '../apiserver/types.ts';

/** By resource name: CPUs in millicores, everything else in whole units. */
export type Amounts = Record<string, number>;

const parsed = new Map<string, number>();

function amount(name: string, text: unknown): number {
  const id = `${name} ${text}`;
  const known = parsed.get(id);
  if (known !== undefined) return known;
  const value = inUnits(name, String(text));
  parsed.set(id, value);
  return value;
}

/** Rounded up, as Quantity.MilliValue and Value do. */
function inUnits(name: string, text: string): number {
  const q = parseQuantity(text);
  if (typeof q === 'string') return 0;
  const unit = name === 'cpu' ? 1_000_000n : 1_000_000_000n;
  return Number((q.nano + unit - 1n) / unit);
}

export function amountsOf(list: Record<string, unknown> | undefined): Amounts {
  const out: Amounts = {};
  for (const k in list) out[k] = amount(k, list[k]);
  return out;
}

export function addAmounts(into: Amounts, more: Amounts, sign = 1): void {
  for (const k in more) into[k] = (into[k] ?? 0) + sign * more[k];
}

function maxAmounts(into: Amounts, other: Amounts): void {
  for (const k in other) into[k] = Math.max(into[k] ?? 0, other[k]);
}

export interface Requests {
  requests: Amounts;
  nonZero: { cpu: number; memory: number };
}

const known = new WeakMap<object, Requests>();

/** Containers together, sidecars with them; init containers one at a time beside the sidecars before them; overhead. */
export function requestsOf(p: KubeObject): Requests {
  const old = known.get(p.spec);
  if (old) return old;
  const total = podAmounts(p, false);
  const padded = podAmounts(p, true);
  const r = { requests: total, nonZero: { cpu: padded.cpu ?? 0, memory: padded.memory ?? 0 } };
  known.set(p.spec, r);
  return r;
}

function podAmounts(p: KubeObject, padded: boolean): Amounts {
  const of = (c: any): Amounts => {
    const a = amountsOf(c.resources?.requests);
    if (!padded) return a;
    // schedutil.GetNonzeroRequests
    return { cpu: a.cpu ?? 100, memory: a.memory ?? 200 * 1024 * 1024 };
  };
  const total: Amounts = {};
  for (const c of p.spec.containers ?? []) addAmounts(total, of(c));
  const sidecars: Amounts = {};
  const init: Amounts = {};
  for (const c of p.spec.initContainers ?? []) {
    const a = of(c);
    if (c.restartPolicy === 'Always') {
      addAmounts(total, a);
      addAmounts(sidecars, a);
      maxAmounts(init, sidecars);
    } else {
      addAmounts(a, sidecars);
      maxAmounts(init, a);
    }
  }
  maxAmounts(total, init);
  const pod = amountsOf(p.spec.resources?.requests);
  for (const k in pod) total[k] = pod[k];
  addAmounts(total, amountsOf(p.spec.overhead));
  return total;
}
