// Taints, tolerations and node selectors, as every component reads them (k8s.io/component-helpers/scheduling/corev1 v0.36).
import type { KubeObject } from './types.ts';

export interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export function tolerates(t: Toleration, taint: Taint): boolean {
  if (t.effect && t.effect !== taint.effect) return false;
  if (t.key && t.key !== taint.key) return false;
  switch (t.operator || 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
      return !!t.key && (t.value ?? '') === (taint.value ?? '');
    case 'Gt':
    case 'Lt': {
      const [a, b] = [taint.value ?? '', t.value ?? ''];
      if (!/^-?\d+$/.test(a) || !/^-?\d+$/.test(b)) return false;
      return t.operator === 'Gt' ? Number(a) > Number(b) : Number(a) < Number(b);
    }
    default:
      return false;
  }
}

export function untoleratedTaint(taints: Taint[] | undefined, tolerations: Toleration[] | undefined, effects: string[]): Taint | undefined {
  return taints?.find(taint => effects.includes(taint.effect) && !tolerations?.some(t => tolerates(t, taint)));
}

interface Expression {
  key: string;
  operator: string;
  values?: string[];
}

function matchExpression(e: Expression, value: string | undefined): boolean {
  const values = e.values ?? [];
  switch (e.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** One term: all of its expressions and fields; an empty one matches nothing. */
export function matchNodeSelectorTerm(term: { matchExpressions?: Expression[]; matchFields?: Expression[] }, node: KubeObject): boolean {
  if (!term.matchExpressions?.length && !term.matchFields?.length) return false;
  const labels = node.metadata.labels ?? {};
  return (
    (term.matchExpressions ?? []).every(e => matchExpression(e, Object.hasOwn(labels, e.key) ? labels[e.key] : undefined)) &&
    (term.matchFields ?? []).every(e => matchExpression(e, e.key === 'metadata.name' ? node.metadata.name : undefined))
  );
}

/** spec.nodeSelector and the required node affinity of a pod (nodeaffinity.GetRequiredNodeAffinity). */
export function matchesNode(spec: any, node: KubeObject): boolean {
  for (const [k, v] of Object.entries(spec.nodeSelector ?? {})) if (node.metadata.labels?.[k] !== v) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || (required.nodeSelectorTerms ?? []).some((t: any) => matchNodeSelectorTerm(t, node));
}
