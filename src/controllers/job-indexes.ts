// Completion indexes of Indexed Jobs and their short form `0-2,4` (pkg/controller/job/indexed_job_utils.go v1.36).
import type { KubeObject } from '../apiserver/types.ts';

export function indexOf(pod: KubeObject): number | null {
  const text = pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

export function parseIndexes(text: string | undefined): Set<number> {
  const out = new Set<number>();
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [a, b] = part.split('-').map(Number);
    for (let i = a; i <= (b ?? a); i++) out.add(i);
  }
  return out;
}

export function completedIndexes(done: Set<number>): string {
  const all = [...done].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < all.length; ) {
    let j = i;
    while (j + 1 < all.length && all[j + 1] === all[j] + 1) j++;
    // Two neighbours are written apart, three and more as a range.
    parts.push(j - i >= 2 ? `${all[i]}-${all[j]}` : all.slice(i, j + 1).join(','));
    i = j + 1;
  }
  return parts.join(',');
}
