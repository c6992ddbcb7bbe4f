// What a CoreDNS process knows from one command to the next: metrics, and what its plugins keep (cached answers, failing upstreams). Plugins
// get theirs back while the Corefile is the same one; an instance made by a reload begins with nothing, as upstream's do.
import type { Process } from '../linux/types.ts';
import { keptMetrics, type Metrics, newMetrics, restoredMetrics } from './metrics.ts';
import type { Instance } from './types.ts';

export interface Memory {
  metrics: Metrics;
  /** Of the instance that served when an earlier command ended; null: none has, or it has been given back. */
  left: { corefile: string; plugins: Record<string, unknown> } | null;
}

interface Kept {
  corefile: string;
  plugins: Record<string, unknown>;
  metrics: unknown;
}

export function memoryOf(p: Process): Memory {
  const kept = p.memory?.left as Kept | undefined;
  if (!kept) return { metrics: newMetrics(), left: null };
  return { metrics: restoredMetrics(kept.metrics), left: { corefile: kept.corefile, plugins: kept.plugins } };
}

/** For an instance of this Corefile; given back once. */
export function keptFor(memory: Memory, corefile: string): Record<string, unknown> {
  const { left } = memory;
  if (left?.corefile !== corefile) return {};
  memory.left = null;
  return left.plugins;
}

/** From now on this instance is what the process knows. */
export function remember(p: Process, memory: Memory, instance: Instance): void {
  const save = (): Kept => ({
    corefile: instance.corefile,
    plugins: Object.fromEntries([...instance.keeps].map(([place, keep]) => [place, keep()])),
    metrics: keptMetrics(memory.metrics),
  });
  const dueMs = () => {
    const all = instance.dues.flatMap(due => due());
    return all.length ? Math.min(...all) : undefined;
  };
  p.memory = { ...p.memory, save, dueMs };
}
