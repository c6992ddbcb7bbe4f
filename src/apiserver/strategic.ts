import type { Json } from './json.ts';
import { mergePatch } from './patch.ts';

export function strategicMerge(_apiVersion: string, _kind: string, current: Json, patch: Json): { value: Json } | string {
  return { value: mergePatch(current, patch) };
}
